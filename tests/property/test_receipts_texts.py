"""Notes, keys, checkpoints, policies, receipts: each parser has its inverse, and raises only our errors.

What a parser accepts it also spells back byte for byte (a policy: after one canonical spelling).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_core.encoding import MAX_TIME
from crypto_core.errors import MalformedError, TemoinError, VerificationError
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes, format_extra, parse_extra, rounded_time
from crypto_core.receipts.merkle import EMPTY_ROOT, hash_leaf
from crypto_core.receipts.note import (
    COSIGNATURE,
    ED25519,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    format_note,
    format_signatures,
    format_vkey,
    open_note,
    parse_note,
    parse_signatures,
    parse_vkey,
    sign,
    sign_note,
)
from crypto_core.receipts.policy import NONE, Group, Log, Policy, Witness, format_policy, parse_policy
from crypto_core.receipts.receipt import (
    Receipt,
    format_receipt,
    parse_receipt,
    proven_sentence,
    verify_receipt,
)
from crypto_core.receipts.tree import inclusion_proof, new_nodes, root

SPACES = "\u0085\u00a0\u1680\u2000\u2028\u2029\u202f\u205f\u3000"
NAMES = st.text(min_size=1, max_size=12).filter(lambda text: not re.search(rf"[\x00-\x20\x7f+\s{SPACES}]", text))
LINES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: not re.search(r"[\x00-\x1f]", text)
)
HASHES = st.binary(min_size=32, max_size=32)
SIZES = st.integers(0, 2**63 - 1)
TIMES = st.integers(0, MAX_TIME)
KEYS = st.builds(VerifierKey, NAMES, st.sampled_from([ED25519, COSIGNATURE]), HASHES)
SIGNATURES = st.builds(Signature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
TEXTS = st.lists(LINES | st.just(""), min_size=1, max_size=5).map(lambda lines: "".join(f"{line}\n" for line in lines))
NOTES = st.builds(Note, TEXTS, st.lists(SIGNATURES, min_size=1, max_size=5).map(tuple))
CHECKPOINTS = st.builds(Checkpoint, LINES, SIZES.filter(bool), HASHES, st.lists(LINES, max_size=2).map(tuple))
COMMITMENTS = st.builds(Commitment, HASHES, TIMES, st.integers(0, 2**64 - 1), HASHES)
RECEIPTS = st.builds(
    lambda commitment, index, proof, checkpoint, signatures: Receipt(
        commitment.extra, index, tuple(proof), format_note(Note(format_checkpoint(checkpoint), signatures))
    ),
    COMMITMENTS, SIZES, st.lists(HASHES, max_size=63), CHECKPOINTS,
    st.lists(SIGNATURES, min_size=1, max_size=3).map(tuple),
)

LEDGER = SignerKey("ledger.example", b"\x01" * 32)
WITNESSES = [SignerKey(f"w{n}.example", bytes([n]) * 32, COSIGNATURE) for n in range(2, 5)]
FILE = b"sealed"
COMMITMENT = Commitment(b"\x07" * 32, 1_772_400_601, len(FILE), sha256(FILE).digest())


def made_receipt(times: list[int]) -> bytes:
    """A receipt in a tree of seven entries, cosigned by as many witnesses as there are times."""
    leaves = [hash_leaf(bytes([n]) * 40) for n in range(7)]
    leaves[3] = hash_leaf(entry_bytes(COMMITMENT))
    nodes = {(level, index): value for level, index, value in new_nodes(0, leaves, lambda level, index: b"")}

    def read(level: int, index: int) -> bytes:
        return nodes[level, index]

    text = format_checkpoint(Checkpoint(LEDGER.name, 7, root(7, read)))
    cosignatures = (sign(text, key, time=time) for key, time in zip(WITNESSES, times, strict=False))
    note = format_note(Note(text, (sign(text, LEDGER), *cosignatures)))
    return format_receipt(Receipt(COMMITMENT.extra, 3, tuple(inclusion_proof(3, 7, read)), note))


def made_policy(threshold: int, count: int) -> Policy:
    witnesses = tuple(Witness(b"w%d" % n, key.verifier) for n, key in enumerate(WITNESSES[:count]))
    group = Group(b"all-of-them", threshold, tuple(witness.name for witness in witnesses))
    return Policy((Log(LEDGER.verifier),), witnesses, (group,), group.name)


# Inverses of what can be built


@settings(deadline=None, max_examples=100)
@given(KEYS)
def test_vkeys(key: VerifierKey) -> None:
    assert parse_vkey(format_vkey(key)) == key


@settings(deadline=None, max_examples=100)
@given(NOTES)
def test_notes(note: Note) -> None:
    assert parse_note(format_note(note).encode()) == note
    assert parse_signatures(format_signatures(note.signatures).encode()) == note.signatures


@settings(deadline=None, max_examples=100)
@given(CHECKPOINTS | st.just(Checkpoint("o", 0, EMPTY_ROOT)))
def test_checkpoints(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@settings(deadline=None, max_examples=100)
@given(COMMITMENTS)
def test_extra_and_entry(commitment: Commitment) -> None:
    assert parse_extra(format_extra(commitment)) == commitment
    entry = entry_bytes(commitment)
    assert len(entry) == 40
    assert 0 <= int.from_bytes(entry[:8], "big") - commitment.time < 60


@settings(deadline=None, max_examples=50)
@given(RECEIPTS)
def test_receipts(receipt: Receipt) -> None:
    assert parse_receipt(format_receipt(receipt)) == receipt
    assert parse_checkpoint(parse_note(receipt.note.encode()).text) == receipt.checkpoint


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    publics = draw(st.lists(HASHES, min_size=1, max_size=8, unique=True))
    items = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters=" "), min_size=1, max_size=6)
    octets = items.map(str.encode).filter(lambda name: name != NONE)
    names = draw(st.lists(octets, min_size=12, max_size=12, unique=True))
    urls = st.none() | st.just(b"https://ledger.example/")
    split = draw(st.integers(0, len(publics)))
    logs = tuple(Log(VerifierKey(draw(NAMES), ED25519, public), draw(urls)) for public in publics[:split])
    witnesses = tuple(
        Witness(names.pop(), VerifierKey(draw(NAMES), COSIGNATURE, public), draw(urls)) for public in publics[split:]
    )
    free, groups = [witness.name for witness in witnesses], list[Group]()
    while len(groups) < 3 and free and draw(st.booleans()):
        members = tuple(draw(st.lists(st.sampled_from(free), min_size=1, unique=True)))
        groups.append(Group(names.pop(), draw(st.integers(1, len(members))), members))
        free = [name for name in free if name not in members] + [groups[-1].name]
    return Policy(logs, witnesses, tuple(groups), draw(st.sampled_from([NONE, *free])))


@settings(deadline=None, max_examples=150)
@given(policies(), st.data())
def test_policies(policy: Policy, data: st.DataObject) -> None:
    canonical = format_policy(policy)
    assert parse_policy(canonical) == policy
    loose = canonical.replace(b" ", data.draw(st.sampled_from([b"  ", b"\t", b" \t "])))
    loose = loose.replace(b"\n", data.draw(st.sampled_from([b"\n\n", b" \n", b"\n # comment\n\t# \xff\n"])))
    assert format_policy(parse_policy(loose)) == canonical


@settings(deadline=None, max_examples=150)
@given(policies(), st.data())
def test_more_cosigners_never_break_a_quorum(policy: Policy, data: st.DataObject) -> None:
    names = [witness.name for witness in policy.witnesses]
    some = data.draw(st.sets(st.sampled_from(names))) if names else set[bytes]()
    assert policy.is_met_by(names)
    assert policy.is_met_by([]) == (policy.quorum == NONE)
    if policy.is_met_by(some):
        assert all(policy.is_met_by({*some, name}) for name in names)


# What comes from outside


def changed(data: bytes, draw: st.DrawFn) -> bytes:
    at = draw(st.integers(0, len(data)))
    stop = draw(st.integers(at, min(len(data), at + 4)))
    put = draw(st.binary(max_size=3) | st.sampled_from([b"\n", b" ", b"=", b"+", b"0", b"\r"]))
    return data[:at] + put + data[stop:]


@st.composite
def outside(draw: st.DrawFn) -> bytes:
    """Random bytes, or something right with a small change."""
    good: st.SearchStrategy[bytes] = st.one_of(
        KEYS.map(lambda key: format_vkey(key).encode()),
        NOTES.map(lambda note: format_note(note).encode()),
        CHECKPOINTS.map(lambda checkpoint: format_checkpoint(checkpoint).encode()),
        RECEIPTS.map(format_receipt),
        policies().map(format_policy),
        COMMITMENTS.map(format_extra),
    )
    return draw(st.binary(max_size=100)) if draw(st.integers(0, 4)) == 0 else changed(draw(good), draw)


RESPELL: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: format_note(parse_note(data)).encode(),
    lambda data: format_signatures(parse_signatures(data)).encode(),
    lambda data: format_receipt(parse_receipt(data)),
    lambda data: format_extra(parse_extra(data)),
)
RESPELL_TEXT: tuple[Callable[[str], str], ...] = (
    lambda text: format_vkey(parse_vkey(text)),
    lambda text: format_checkpoint(parse_checkpoint(text)),
)


@settings(deadline=None, max_examples=400)
@given(outside())
def test_bytes_are_refused_or_spelled_as_they_came(data: bytes) -> None:
    for again in RESPELL:
        try:
            spelled = again(data)
        except TemoinError:
            continue
        assert spelled == data
    for again_text in RESPELL_TEXT:
        text = data.decode("utf-8", "surrogateescape")
        try:
            spelled_text = again_text(text)
        except TemoinError:
            continue
        assert spelled_text == text
    try:
        policy = parse_policy(data)
    except TemoinError:
        return
    assert parse_policy(format_policy(policy)) == policy


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters()))
def test_text_of_any_kind_is_refused_or_spelled_as_it_came(text: str) -> None:
    for again in RESPELL_TEXT:
        try:
            spelled = again(text)
        except TemoinError:
            continue
        assert spelled == text


@settings(deadline=None, max_examples=150)
@given(outside())
def test_verifying_anything_else_raises_only_its_own_errors(data: bytes) -> None:
    policy = Policy.for_key(format_vkey(LEDGER.verifier))
    with pytest.raises(VerificationError):
        verify_receipt(data, sha256=COMMITMENT.sha256, size=None, policy=policy)


# Verification


def test_a_flipped_bit_at_any_place_is_refused() -> None:
    """Every signature here is asked for by the policy, so there is no byte that nobody looks at."""
    receipt, policy = made_receipt([1_772_400_660, 1_772_400_661]), made_policy(2, 2)
    assert verify_receipt(receipt, sha256=COMMITMENT.sha256, size=COMMITMENT.size, policy=policy).index == 3
    for place in range(len(receipt)):
        for bit in range(8):
            bent = bytearray(receipt)
            bent[place] ^= 1 << bit
            with pytest.raises(VerificationError):
                verify_receipt(bytes(bent), sha256=COMMITMENT.sha256, size=COMMITMENT.size, policy=policy)


def test_a_cut_receipt_is_refused() -> None:
    receipt, policy = made_receipt([1_772_400_660, 1_772_400_661]), made_policy(2, 2)
    for stop in range(len(receipt)):
        with pytest.raises(VerificationError):
            verify_receipt(receipt[:stop], sha256=COMMITMENT.sha256, size=COMMITMENT.size, policy=policy)


@settings(deadline=None, max_examples=100)
@given(st.lists(TIMES, min_size=3, max_size=3), st.integers(1, 3))
def test_the_bound_is_when_the_quorum_was_full(times: list[int], threshold: int) -> None:
    policy = made_policy(threshold, 3)
    proven = verify_receipt(made_receipt(times), sha256=COMMITMENT.sha256, size=COMMITMENT.size, policy=policy)
    assert proven.bound_time == sorted(times)[threshold - 1]
    assert proven.claimed_time == COMMITMENT.time
    assert proven.cosigned_by == tuple(key.name for key in WITNESSES)
    assert proven.outcome == "valid"


def test_one_witness_twice_counts_from_its_first_time() -> None:
    receipt = parse_receipt(made_receipt([50]))
    again = sign(parse_note(receipt.note.encode()).text, WITNESSES[0], time=40)
    twice = format_receipt(replace(receipt, note=receipt.note + format_signatures([again])))
    proven = verify_receipt(twice, sha256=COMMITMENT.sha256, size=None, policy=made_policy(1, 1))
    assert (proven.bound_time, proven.cosigned_by) == (40, (WITNESSES[0].name,))


def test_the_sentence_says_whose_word_it_is() -> None:
    alone = verify_receipt(
        made_receipt([]), sha256=COMMITMENT.sha256, size=None, policy=Policy.for_key(format_vkey(LEDGER.verifier))
    )
    seen = verify_receipt(made_receipt([1_772_400_660]), sha256=COMMITMENT.sha256, size=None, policy=made_policy(1, 1))
    assert proven_sentence(alone) == (
        "These bytes existed no later than 2026-03-01T21:30:01Z, by the word of the ledger's operator alone; "
        "this does not prove who made them, nor that what they say is true."
    )
    assert proven_sentence(seen) == (
        "These bytes existed no later than 2026-03-01T21:31:00Z, by the word of the witnesses that you trust "
        "(the ledger's operator says 2026-03-01T21:30:01Z); "
        "this does not prove who made them, nor that what they say is true."
    )


# Mistakes of ours, and secrets


def test_what_has_no_spelling_is_never_written() -> None:
    receipt = parse_receipt(made_receipt([]))
    hash_of_32 = bytes(32)
    for checkpoint in (
        Checkpoint("two\nlines", 1, hash_of_32),
        Checkpoint("", 1, hash_of_32),
        Checkpoint("o", -1, hash_of_32),
        Checkpoint("o", 0, hash_of_32),
        Checkpoint("o", 1, bytes(31)),
        Checkpoint("o", 1, hash_of_32, ("",)),
    ):
        with pytest.raises(ValueError, match="spelled"):
            format_checkpoint(checkpoint)
    for wrong in (replace(receipt, extra=bytes(79)), replace(receipt, index=-1), replace(receipt, note="no note"),
                  replace(receipt, proof=(bytes(32),) * 64)):
        with pytest.raises(ValueError, match="spelled"):
            format_receipt(wrong)
    for policy in (replace(made_policy(1, 1), quorum=b"nobody"), made_policy(2, 1)):
        with pytest.raises(ValueError, match="spelled"):
            format_policy(policy)
    for text in ("", "no newline", "tab\t\n"):
        with pytest.raises(ValueError, match="newline"):
            sign_note(text, LEDGER)
    with pytest.raises(ValueError, match="time"):
        sign("a\n", LEDGER, time=1)
    for time in (None, -1, MAX_TIME + 1):
        with pytest.raises(ValueError, match="time"):
            sign("a\n", WITNESSES[0], time=time)
    for values in ((bytes(31), 0, 0, bytes(32)), (bytes(32), -1, 0, bytes(32)), (bytes(32), MAX_TIME + 1, 0, bytes(32)),
                   (bytes(32), 0, 2**64, bytes(32)), (bytes(32), 0, 0, b"")):
        with pytest.raises(ValueError, match=r"32 bytes|range"):
            Commitment(*values)


def test_impossible_keys() -> None:
    for name in ("", "a b", "a+b", "a\nb", "\ud800", *SPACES):
        with pytest.raises(MalformedError):
            SignerKey(name, bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        SignerKey("name", bytes(31))
    with pytest.raises(MalformedError):
        VerifierKey("name", ED25519, bytes(31))
    with pytest.raises(MalformedError):
        Policy.for_key(format_vkey(WITNESSES[0].verifier))


def test_a_signer_never_shows_its_seed() -> None:
    signer = SignerKey("name", b"\xabSECRET" + bytes(25))
    assert "SECRET" not in repr(signer)
    assert "seed" not in repr(signer)


@settings(deadline=None, max_examples=100)
@given(TIMES)
def test_rounding(time: int) -> None:
    assert rounded_time(time) % 60 == 0
    assert 0 <= rounded_time(time) - time < 60


@settings(deadline=None, max_examples=50)
@given(TEXTS, HASHES)
def test_what_is_signed_opens(text: str, seed: bytes) -> None:
    signer = SignerKey("name.example", seed)
    opened = open_note(sign_note(text, signer).encode(), [signer.verifier])
    assert (opened.text, opened.verified[0].key, opened.ignored) == (text, signer.verifier, ())
