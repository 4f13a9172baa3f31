"""Runs every file of tests/vectors/receipts and tests/vectors/c2sp by its `op`, and holds our own to their generator.

Those of c2sp hold the examples in the documents that receipts and ledger keep to, and a few values of other people's
programs: `source` says which. Where an example can't be verified, because its key is not published, `why` says so.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto_core.errors import TemoinError
from crypto_core.receipts.checkpoint import format_checkpoint, parse_checkpoint
from crypto_core.receipts.leaf import entry_bytes, format_extra, parse_extra
from crypto_core.receipts.merkle import hash_leaf, verify_consistency, verify_inclusion
from crypto_core.receipts.note import (
    COSIGNATURE,
    Signature,
    SignerKey,
    format_note,
    format_signatures,
    format_vkey,
    open_note,
    parse_note,
    parse_signatures,
    parse_vkey,
    sign,
)
from crypto_core.receipts.policy import Policy, format_policy, parse_policy
from crypto_core.receipts.receipt import format_receipt, parse_receipt, verify_receipt
from crypto_core.receipts.restoration import (
    add_restoration,
    format_restoration,
    open_restorations,
    parse_restoration,
)
from crypto_core.receipts.rotation import (
    format_rotation,
    format_rotations,
    open_rotations,
    parse_rotation,
    parse_rotations,
    rotate_policy,
)
from crypto_core.receipts.signatures import SEED_SIZE, sign_ed25519
from crypto_core.receipts.submission import format_size, format_submission, parse_size, parse_submission
from crypto_core.receipts.tiles import (
    WIDTH,
    entries_path,
    format_entries,
    parse_entries,
    parse_entries_path,
    parse_tile_path,
    tile_path,
    tile_width,
)
from crypto_core.receipts.witnessed import open_checkpoint

FOLDER = Path(__file__).parents[1] / "vectors" / "receipts"
FILES = sorted(FOLDER.glob("*.json"))
PUBLISHED = sorted((FOLDER.parent / "c2sp").glob("*.json"))
Inputs = dict[str, Any]


def data(inputs: Inputs, name: str) -> bytes:
    """A text as UTF-8, or the bytes that stand in its place."""
    return bytes.fromhex(inputs[f"{name}_hex"]) if f"{name}_hex" in inputs else inputs[name].encode()


def hashes(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def policy_in(inputs: Inputs) -> Policy:
    """The policy, and what the records of new keys say for it, where there are any."""
    policy = parse_policy(inputs["policy"].encode())
    return rotate_policy(policy, open_rotations(inputs["rotations"].encode())) if "rotations" in inputs else policy


def run_verify_receipt(inputs: Inputs) -> Inputs:
    receipt = data(inputs, "receipt")
    policy = policy_in(inputs)
    proven = verify_receipt(receipt, sha256=bytes.fromhex(inputs["sha256"]), size=inputs["size"], policy=policy)
    assert format_receipt(parse_receipt(receipt)) == receipt
    return {
        "index": proven.index,
        "entry": proven.entry.hex(),
        "origin": proven.checkpoint.origin,
        "tree_size": proven.checkpoint.size,
        "claimed_time": proven.claimed_time,
        "bound_time": proven.bound_time,
        "cosigned_by": list(proven.cosigned_by),
    }


def run_entry(inputs: Inputs) -> Inputs:
    commitment = parse_extra(bytes.fromhex(inputs["extra"]))
    assert format_extra(commitment).hex() == inputs["extra"]
    entry = entry_bytes(commitment)
    return {"entry": entry.hex(), "leaf": hash_leaf(entry).hex(), "time": commitment.time, "size": commitment.size}


def run_inclusion(inputs: Inputs) -> Inputs:
    leaf, root = hashes([inputs["leaf"], inputs["root"]])
    verify_inclusion(inputs["index"], inputs["size"], leaf, hashes(inputs["proof"]), root)
    return {}


def run_consistency(inputs: Inputs) -> Inputs:
    root1, root2 = hashes([inputs["root1"], inputs["root2"]])
    verify_consistency(inputs["size1"], inputs["size2"], hashes(inputs["proof"]), root1, root2)
    return {}


def run_tile_path(inputs: Inputs) -> Inputs:
    level, index, width = parse_tile_path(inputs["path"])
    assert tile_path(level, index, width) == inputs["path"]
    return {"level": level, "index": index, "width": width}


def run_entries_path(inputs: Inputs) -> Inputs:
    index, width = parse_entries_path(inputs["path"])
    assert entries_path(index, width) == inputs["path"]
    return {"index": index, "width": width}


def run_bundle(inputs: Inputs) -> Inputs:
    entries = parse_entries(bytes.fromhex(inputs["bundle"]), inputs["width"])
    assert format_entries(entries).hex() == inputs["bundle"]
    return {"entries": [entry.hex() for entry in entries]}


def run_vkey(inputs: Inputs) -> Inputs:
    key = parse_vkey(inputs["vkey"])
    assert format_vkey(key) == inputs["vkey"]
    return {"name": key.name, "algorithm": key.algorithm, "key_hash": key.key_hash.hex(), "public": key.public.hex()}


def run_open_note(inputs: Inputs) -> Inputs:
    note = data(inputs, "note")
    opened = open_note(note, [parse_vkey(vkey) for vkey in inputs["keys"]])
    assert format_note(parse_note(note)).encode() == note
    return {
        "text": opened.text,
        "verified": [signature.key.name for signature in opened.verified],
        "times": [signature.time for signature in opened.verified],
        "ignored": len(opened.ignored),
    }


def run_checkpoint(inputs: Inputs) -> Inputs:
    checkpoint = parse_checkpoint(inputs["text"])
    assert format_checkpoint(checkpoint) == inputs["text"]
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "extensions": list(checkpoint.extensions),
    }


def run_policy(inputs: Inputs) -> Inputs:
    policy = parse_policy(data(inputs, "policy"))
    canonical = format_policy(policy)
    assert parse_policy(canonical) == policy
    return {"canonical": canonical.decode(), "policy": policy}


def run_signatures(inputs: Inputs) -> Inputs:
    lines = inputs["lines"]
    found = parse_signatures(lines.encode())
    assert format_signatures(found) == lines
    return {"signatures": [spelled(one) for one in found]}


def run_note(inputs: Inputs) -> Inputs:
    found = parse_note(inputs["note"].encode())
    assert format_note(found) == inputs["note"]
    return {"text": found.text, "signatures": [spelled(one) for one in found.signatures]}


def spelled(one: Signature) -> Inputs:
    return {"name": one.name, "key_hash": one.key_hash.hex(), "raw": one.raw.hex()}


def run_cosigned_message(inputs: Inputs) -> Inputs:
    seed = bytes(SEED_SIZE)
    made = sign(inputs["text"], SignerKey("any", seed, COSIGNATURE), time=inputs["time"])
    assert made.raw == inputs["time"].to_bytes(8, "big") + sign_ed25519(seed, inputs["message"].encode())
    return {}


def run_tiles(inputs: Inputs) -> Inputs:
    size, tiles, level = inputs["size"], [], 0
    while count := size >> 8 * level:
        full, partial = divmod(count, WIDTH)
        assert [tile_width(level, index, size) for index in range(full)] == [WIDTH] * full
        assert tile_width(level, full, size) == partial and tile_width(level, full + 1, size) == 0
        tiles.append([level, full, partial])
        level += 1
    assert tile_width(level, 0, size) == 0
    return {"tiles": tiles}


def run_submission(inputs: Inputs) -> Inputs:
    body = inputs["body"].encode()
    found = parse_submission(body)
    assert format_submission(found) == body
    return {
        "old": found.old,
        "proof": [value.hex() for value in found.proof],
        "note": found.note,
        "origin": found.checkpoint.origin,
        "size": found.checkpoint.size,
    }


def run_size(inputs: Inputs) -> Inputs:
    size = parse_size(inputs["body"].encode())
    assert format_size(size).decode() == inputs["body"]
    return {"size": size}


def run_restorations(inputs: Inputs) -> Inputs:
    given = inputs["restorations"].encode()
    records = open_restorations(given, [parse_vkey(inputs["key"])])
    notes = parse_rotations(given)
    for at, note in enumerate(notes):
        record = parse_note(note.encode()).text
        assert format_restoration(parse_restoration(record)) == record
        assert add_restoration(format_rotations(notes[:at]), note) == format_rotations(notes[: at + 1])
    return {"records": [{**vars(one), "generation": one.generation.hex()} for one in records]}


def run_rotations(inputs: Inputs) -> Inputs:
    given = inputs["rotations"].encode()
    notes = parse_rotations(given)
    assert format_rotations(notes) == given
    for text in (parse_note(note.encode()).text for note in notes):
        assert format_rotation(parse_rotation(text)) == text
    chain = open_rotations(inputs["held"].encode()).joined(open_rotations(given))
    policy = rotate_policy(parse_policy(inputs["policy"].encode()), chain)
    return {"keys": [format_vkey(log.key) for log in policy.logs], "lasts": [log.last for log in policy.logs]}


def run_open_checkpoint(inputs: Inputs) -> Inputs:
    return {"size": open_checkpoint(inputs["note"].encode(), policy_in(inputs)).checkpoint.size}


OPS: dict[str, Callable[[Inputs], Inputs]] = {
    "verify_receipt": run_verify_receipt,
    "entry": run_entry,
    "inclusion": run_inclusion,
    "consistency": run_consistency,
    "tile_path": run_tile_path,
    "entries_path": run_entries_path,
    "bundle": run_bundle,
    "vkey": run_vkey,
    "open_note": run_open_note,
    "checkpoint": run_checkpoint,
    "policy": run_policy,
    "restorations": run_restorations,
    "rotations": run_rotations,
    "open_checkpoint": run_open_checkpoint,
}
OPS_OF_C2SP: dict[str, Callable[[Inputs], Inputs]] = {
    "signatures": run_signatures,
    "note": run_note,
    "cosigned_message": run_cosigned_message,
    "tiles": run_tiles,
    "submission": run_submission,
    "size": run_size,
}


@pytest.mark.parametrize("path", [*FILES, *PUBLISHED], ids=lambda path: f"{path.parent.stem}: {path.stem}")
def test_vector(path: Path) -> None:
    fact = json.loads(path.read_text("utf-8"))
    run = (OPS | OPS_OF_C2SP)[fact["op"]]
    if fact["expect"] != "success":
        assert fact["outputs"] is None
        with pytest.raises(TemoinError) as caught:
            run(fact["inputs"])
        assert caught.value.code == fact["expect"]
        return
    found, expected = run(fact["inputs"]), fact["outputs"] or {}
    if fact["op"] == "policy":
        policy = found["policy"]
        for names in expected.pop("met_by"):
            assert policy.is_met_by([name.encode() for name in names])
        for names in expected.pop("not_met_by"):
            assert not policy.is_met_by([name.encode() for name in names])
    assert {name: found[name] for name in expected} == expected


def test_every_op_has_vectors_and_four_are_refused_for_each_that_is_not() -> None:
    facts = [json.loads(path.read_text("utf-8")) for path in FILES]
    successes = Counter(fact["op"] for fact in facts if fact["expect"] == "success")
    refusals = Counter(fact["op"] for fact in facts if fact["expect"] != "success")
    assert set(successes) == set(refusals) == set(OPS)
    assert refusals.total() >= 4 * successes.total() > 0
    scarce = {op: (refusals[op], count) for op, count in successes.items() if refusals[op] < 4 * count}
    assert not scarce, "four refusals for each success, in every op"


def test_no_two_vectors_ask_the_same() -> None:
    facts = [json.loads(path.read_text("utf-8")) for path in (*FILES, *PUBLISHED)]
    asked = Counter(json.dumps([fact["op"], fact["inputs"]], sort_keys=True) for fact in facts)
    assert [question for question, times in asked.items() if times > 1] == []


def test_each_document_of_c2sp_has_its_examples_here_and_each_op_its_facts() -> None:
    facts = [json.loads(path.read_text("utf-8")) for path in PUBLISHED]
    documents = {fact["source"].partition(",")[0].removeprefix("c2sp.org/") for fact in facts}
    assert documents >= {
        "signed-note", "tlog-checkpoint", "tlog-tiles", "tlog-proof", "tlog-cosignature", "tlog-witness", "tlog-policy",
    }  # fmt: skip
    assert {fact["op"] for fact in facts} >= set(OPS_OF_C2SP)


def test_each_error_of_this_room_has_a_vector() -> None:
    codes = {json.loads(path.read_text("utf-8"))["expect"] for path in FILES}
    assert codes == {
        "success",
        "malformed",
        "version_unsupported",
        "proof_inclusion",
        "proof_consistency",
        "signature_invalid",
        "note_key_unknown",
        "note_key_retired",
        "rotation_unsigned",
        "rotation_broken",
        "rotation_backwards",
        "rotation_forked",
        "receipt_malformed",
        "receipt_other_bytes",
        "receipt_not_included",
        "receipt_signature",
        "receipt_key_unknown",
        "receipt_key_retired",
        "receipt_quorum_missing",
    }


@pytest.mark.parametrize(
    ("page", "fact", "name"),
    [
        ("receipt", "verify-receipt-witnessed", "receipt"),
        ("ledger", "checkpoint-plain", "text"),
        ("ledger", "tile-path-partial", "path"),
        ("restoration", "restorations-one", "restorations"),
        ("note-and-policy", "note-cosigned", "note"),
        ("note-and-policy", "verify-receipt-witnessed", "policy"),
    ],
)
def test_the_pages_show_these_vectors(page: str, fact: str, name: str) -> None:
    text = (FOLDER.parents[2] / "docs" / "spec" / f"{page}.md").read_text("utf-8")
    assert json.loads((FOLDER / f"{fact}.json").read_text("utf-8"))["inputs"][name] in text


def test_the_generator_makes_exactly_these_files() -> None:
    spec = importlib.util.spec_from_file_location("make_receipts", FOLDER.parent / "make_receipts.py")
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = generator  # dataclasses look their module up
    spec.loader.exec_module(generator)
    assert generator.all_facts() == {path.name: path.read_bytes() for path in FILES}
