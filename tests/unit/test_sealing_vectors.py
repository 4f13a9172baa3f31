"""Runs every fact of tests/vectors/sealing, by its op, against crypto_core."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any, cast

import pytest

from crypto_core import derivation, encoding, signed_requests
from crypto_core.errors import TemoinError
from crypto_core.labels import Kind, context
from crypto_core.receipts import directory
from crypto_core.receipts.policy import format_policy
from crypto_core.receipts.signatures import verify_ed25519
from crypto_core.sealing import backup, boxes, envelope, keyring, keys, padding, passphrase, records, recovery, sharing

VECTORS = Path(__file__).parents[1] / "vectors"
FACTS = sorted((VECTORS / "sealing").glob("*.json"))


class Inputs:
    """The inputs of one fact, each asked for by its type."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def raw(self, name: str) -> bytes:
        return _bytes_of(self._values[name])

    def text(self, name: str) -> str:
        return cast(str, self._values[name])

    def number(self, name: str) -> int:
        return cast(int, self._values[name])

    def fields(self, name: str) -> list[bytes]:
        return [bytes.fromhex(field) for field in self._values[name]]

    def any(self, name: str) -> Any:
        return self._values[name]


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, list):
        return b"".join(map(_bytes_of, value))
    if "zeros" in value:
        return bytes(value["zeros"])
    return shake_256(value["shake"].encode("ascii")).digest(value["size"])


def _sealed(given: Inputs) -> bytes:
    return envelope.seal(given.raw("key"), given.raw("context"), given.raw("message"), salt=given.raw("salt"))


def _pieces(given: Inputs) -> list[bytes]:
    """Parts [start, stop] of the sealed message, and other bytes in between."""
    whole = _sealed(given)
    pieces = given.any("pieces")
    return [bytes.fromhex(piece) if isinstance(piece, str) else whole[piece[0] : piece[1]] for piece in pieces]


def _open_stream(given: Inputs) -> dict[str, Any]:
    header, body = envelope.split_off(_pieces(given), envelope.HEADER_SIZE)
    opener = envelope.Opener(given.raw("key"), given.raw("context"), header)
    return {"message": b"".join(envelope.open_stream(opener, body))}


def _open_range(given: Inputs) -> dict[str, Any]:
    whole, start, stop = b"".join(_pieces(given)), given.number("start"), given.number("stop")
    sealed_start, sealed_stop, _ = envelope.sealed_range(start, stop)
    opener = envelope.Opener(given.raw("key"), given.raw("context"), whole[: envelope.HEADER_SIZE])
    data = envelope.open_range(opener, start, stop, whole[sealed_start:sealed_stop], of=len(whole))
    return {"data": data, "sealed_start": sealed_start, "sealed_stop": sealed_stop}


def _login_chain(given: Inputs) -> dict[str, Any]:
    argon_set, account, pin = given.number("argon_set"), given.raw("account"), given.text("pin")
    st = passphrase.stretch(given.text("username"), given.text("password"), given.raw("vault_id"), argon_set)
    login = passphrase.derive_login(st)
    by_login = passphrase.derive_pin_login(login.k_pl, account, pin)
    by_step = passphrase.derive_pin_step(login.k_ps, account, given.number("pin_epoch"), pin)
    return {
        "st": st.raw,
        "k_id": login.k_id,
        "login_seed": login.login_seed,
        "login_pk": passphrase.derive_public(login.login_seed),
        "k_pw": login.k_pw,
        "k_pl": login.k_pl,
        "k_ps": login.k_ps,
        "tag_l": by_login.tag,
        "pin_l": by_login.wrapping,
        "tag_s": by_step.tag,
        "pin_s": by_step.wrapping,
    }


def _request_message(given: Inputs) -> bytes:
    host, challenge = given.text("host"), given.raw("challenge")
    messages: dict[str, Callable[[], bytes]] = {
        "register": lambda: signed_requests.register_message(host, challenge, given.raw("body")),
        "change": lambda: signed_requests.change_message(host, challenge, given.raw("body")),
        "login": lambda: signed_requests.login_message(host, given.raw("k_id"), challenge),
        "confirm": lambda: signed_requests.confirm_message(host, given.raw("k_id"), challenge),
        "recover": lambda: signed_requests.recover_message(host, given.raw("rid"), challenge),
        "recover_change": lambda: signed_requests.recover_change_message(host, challenge, given.raw("body")),
        "pin_reopen": lambda: signed_requests.pin_reopen_message(host, given.raw("account"), challenge),
        "professional": lambda: signed_requests.professional_message(host, given.raw("account"), given.raw("body")),
    }
    return messages[given.text("request")]()


def _signed_request(given: Inputs) -> dict[str, Any]:
    message, seed = _request_message(given), given.raw("seed")
    signature, public = passphrase.sign_with_seed(seed, message), passphrase.derive_public(seed)
    return {"message": message, "signature": signature, "public": public}


def _open_labelled(given: Inputs) -> dict[str, Any]:
    key = derivation.derive(given.raw("key"), Kind(given.text("key_kind")), *given.fields("key_fields"))
    place = context(Kind(given.text("kind")), *given.fields("fields"))
    return {"message": envelope.open_sealed(key, place, given.raw("sealed"))}


def _unwrap(kek: bytes, which: keys.MasterWrap, given: Inputs) -> dict[str, Any]:
    mk = keys.unwrap_master(kek, which, given.raw("account"), given.number("epoch"), given.raw("wrapped"))
    return {"mk": mk}


def _identity(given: Inputs) -> dict[str, Any]:
    kind = Kind(given.text("kind"))
    assert kind in (Kind.IDENTITY_SIGN, Kind.IDENTITY_BOX)
    seed = keys.open_identity(given.raw("mk_n"), kind, given.raw("account"), given.raw("sealed"))
    public = passphrase.derive_public(seed) if kind == Kind.IDENTITY_SIGN else keys.derive_box(seed)[0]
    return {"seed": seed, "public": public}


def _step_up(given: Inputs) -> dict[str, Any]:
    ring = keyring.Keyring(
        given.raw("account"), given.raw("mk_n"), bytes(32), given.number("epoch"), 1, given.raw("pk_s")
    )
    ring.unlock_sensitive(given.raw("kek_s"), given.raw("w_s"), given.raw("drop_box"))
    return {"mk_s": ring.mk_s, "sk_s": ring.sk_s}


def _ring(given: Inputs) -> keyring.Keyring:
    """An open vault; its sensitive tier, too, where the fact gives sk_S."""
    account, mk_s, pk_s = bytes(16), bytes(32), given.raw("pk_s")
    ring = keyring.Keyring(account, given.raw("mk_n"), bytes(32), 1, 1, pk_s)
    if given.any("sk_s") is not None:
        drop_box = keys.seal_drop_box(mk_s, account, 1, pk_s, given.raw("sk_s"))
        ring.unlock_sensitive(bytes(32), keys.wrap_master(bytes(32), "mk-s", account, 1, mk_s), drop_box)
    return ring


def _unwrap_record_key(given: Inputs) -> dict[str, Any]:
    ring, item, wrap = _ring(given), given.raw("item"), given.raw("wrap")
    key, sensitive = keyring.unwrap_record_key(ring, item, given.number("revision"), wrap)
    assert len(wrap) == keyring.RECORD_WRAP_SIZE
    return {"key": key, "sensitive": sensitive}


def _open_link(given: Inputs) -> dict[str, Any]:
    link = records.open_link(given.raw("mk_n"), given.raw("item"), given.number("revision"), given.raw("sealed"))
    parents = [parent.hex() for parent in link.parents]
    return {
        "plain": records.format_link(link),
        "account_n": str(link.account_n),
        "record_hash": link.record_hash,
        "parents": parents,
    }


def _open_content(given: Inputs) -> dict[str, Any]:
    header, body = envelope.split_off([given.raw("blob")], envelope.HEADER_SIZE)
    opener = records.content_opener(given.raw("key"), given.raw("blob_id"), header)
    return {"plain": b"".join(envelope.open_stream(opener, body))}


def _content_head(given: Inputs) -> dict[str, Any]:
    size = given.number("size")
    return {"head": padding.content_head(size), "whole": padding.content_plain_size(size)}


def _derive_recovery(given: Inputs) -> dict[str, Any]:
    derived = recovery.derive_recovery(given.raw("key"))
    return {"rid": derived.rid, "login_seed": derived.login_seed, "wrap_key": derived.wrap_key}


def _drop_box(given: Inputs) -> dict[str, Any]:
    account, sealed = given.raw("account"), given.raw("sealed")
    pk_s, sk_s = keys.open_drop_box(given.raw("mk_s"), account, given.number("epoch"), sealed)
    return {"pk_s": pk_s, "sk_s": sk_s}


def _parse_entry(given: Inputs) -> dict[str, Any]:
    entry = directory.parse_entry(given.raw("data"))
    assert isinstance(entry, directory.Listed)
    one = entry.listing
    return {
        "name": one.name, "town": one.town, "since": entry.since, "replaces": entry.replaces,
        "fingerprint": one.fingerprint,
    }


def _read_directory(given: Inputs) -> dict[str, Any]:
    found = directory.read_directory(given.fields("entries"))
    policy = None if found.policy is None else format_policy(found.policy).decode()
    return {"current": list(found.current), "unread": found.unread, "policy": policy}


def _open_bundle(given: Inputs) -> dict[str, Any]:
    key, bundle = given.raw("bundle_key"), given.raw("bundle")
    reader = None if given.any("reader") is None else given.raw("reader")
    opened = sharing.open_bundle(key, bundle, given.raw("sealed"), reader=reader, now=given.number("now"))
    cap = sharing.derive_cap(key, bundle)
    return {"json": opened.json, "sender": opened.sender, "expires": opened.expires, "cap": cap}


def _open_by_link(given: Inputs) -> dict[str, Any]:
    bundle = given.raw("bundle")
    link_key = sharing.derive_link(given.raw("secret"), bundle)
    return {
        "x": sharing.derive_code(link_key, bundle, given.text("code")),
        "bundle_key": sharing.unwrap_for_link(link_key, given.raw("share"), bundle, given.raw("wrap")),
    }


def _parse_box_fragment(given: Inputs) -> dict[str, Any]:
    address = boxes.parse_box_fragment(given.text("text"))
    return {**vars(address), "cap": boxes.derive_deposit_cap(address.secret, address.box)}


def _seal_backup(given: Inputs) -> dict[str, Any]:
    sealer = backup.backup_sealer(given.raw("words_key"), given.raw("salt"))
    return {"sealed": b"".join(backup.seal_backup(sealer, [given.raw("pack")]))}


OPS: dict[str, Callable[[Inputs], dict[str, Any]]] = {
    "parse_b64url": lambda i: {"data": encoding.parse_b64url(i.text("text"))},
    "parse_time": lambda i: {"seconds": encoding.parse_time(i.text("text"))},
    "parse_json": lambda i: {"value": encoding.parse_json(i.raw("data"))},
    "context": lambda i: {"context": context(Kind(i.text("kind")), *i.fields("fields"))},
    "derive": lambda i: {"key": derivation.derive(i.raw("key"), Kind(i.text("kind")), *i.fields("fields"))},
    "open_labelled": _open_labelled,
    "kek": lambda i: {"key": derivation.kek(i.text("label"), i.raw("ikm"))},
    "seal": lambda i: {"sealed": _sealed(i)},
    "open_sealed": lambda i: {"message": envelope.open_sealed(i.raw("key"), i.raw("context"), i.raw("sealed"))},
    "open_pieces": lambda i: {"message": envelope.open_sealed(i.raw("key"), i.raw("context"), b"".join(_pieces(i)))},
    "open_stream": _open_stream,
    "open_range": _open_range,
    "plain_size": lambda i: {"size": envelope.plain_size(i.number("sealed"))},
    "normalise_username": lambda i: {
        "username": passphrase.normalise_username(i.text("text"), sign_up=i.any("sign_up"))
    },
    "normalise_password": lambda i: {
        "password": passphrase.normalise_password(i.text("text"), sign_up=i.any("sign_up"))
    },
    "normalise_pin": lambda i: {
        "pin": passphrase.normalise_pin(i.text("text"), sign_up=i.any("sign_up"), this_year=i.number("this_year"))
    },
    "login_chain": _login_chain,
    "signed_request": _signed_request,
    "verify_request": lambda i: {
        "message": verify_ed25519(i.raw("public"), _request_message(i), i.raw("signature"))
    },
    "derive_kek_n": lambda i: {"kek": keys.derive_kek_n(i.raw("k_pw"), i.raw("pin"), i.raw("share"))},
    "derive_kek_s": lambda i: {"kek": keys.derive_kek_s(i.raw("mk_n"), i.raw("pin"), i.raw("share"))},
    "derive_kek_r": lambda i: {"kek": keys.derive_kek_r(i.raw("recovery_key"), i.raw("share"))},
    "unlock_normal": lambda i: _unwrap(
        keys.derive_kek_n(i.raw("k_pw"), i.raw("pin"), i.raw("share")), "mk-n", i
    ),
    "unlock_sensitive": lambda i: _unwrap(
        keys.derive_kek_s(i.raw("mk_n"), i.raw("pin"), i.raw("share")), "mk-s", i
    ),
    "unlock_recovery": lambda i: _unwrap(
        keys.derive_kek_r(i.raw("recovery_key"), i.raw("share")), "rec-n", i
    ),
    "unwrap_master": lambda i: {
        "mk": keys.unwrap_master(i.raw("kek"), i.any("which"), i.raw("account"), i.number("epoch"), i.raw("wrapped"))
    },
    "open_identity": _identity,
    "open_drop_box": _drop_box,
    "step_up": _step_up,
    "unwrap_record_key": _unwrap_record_key,
    "is_sensitive": lambda i: {
        "sensitive": keyring.is_sensitive(_ring(i), i.raw("item"), i.number("revision"), i.raw("wrap"))
    },
    "padme": lambda i: {"padded": padding.padme(i.number("length"))},
    "content_head": _content_head,
    "parse_content_head": lambda i: {"size": padding.parse_content_head(i.raw("head"))},
    "unpad_content": lambda i: {"content": b"".join(padding.unpad_content([i.raw("padded")]))},
    "pad_record": lambda i: {"padded": padding.pad_record(i.raw("json"))},
    "unpad_record": lambda i: {"json": padding.unpad_record(i.raw("padded"))},
    "open_record": lambda i: {
        "json": records.open_record(i.raw("key"), i.raw("item"), i.number("revision"), i.raw("blob"))
    },
    "open_account_record": lambda i: {
        "json": records.open_account_record(i.raw("mk_n"), i.raw("account"), i.number("n"), i.raw("blob"))
    },
    "open_device_state": lambda i: {
        "data": records.open_device_state(i.raw("mk_n"), i.text("name"), i.raw("account"), i.raw("sealed"))
    },
    "open_content": _open_content,
    "parse_link": lambda i: {"link": records.parse_link(i.raw("plain"))},
    "open_link": _open_link,
    "format_words": lambda i: {"words": recovery.format_words(i.raw("key"), i.any("language"))},
    "parse_words": lambda i: {"key": recovery.parse_words(i.text("words"))},
    "derive_recovery": _derive_recovery,
    "parse_entry": _parse_entry,
    "read_directory": _read_directory,
    "open_bundle": _open_bundle,
    "unwrap_for_professional": lambda i: {
        "bundle_key": sharing.unwrap_for_professional(
            i.raw("pk_box"), i.raw("sk_box"), i.raw("bundle"), i.raw("wrap")
        )
    },
    "open_bundle_note": lambda i: {
        "json": sharing.open_bundle_note(i.raw("mk_n"), i.raw("bundle"), i.raw("sealed"))
    },
    "parse_fragment": lambda i: dict(
        zip(("bundle", "secret"), sharing.parse_fragment(i.text("text")), strict=True)
    ),
    "parse_code": lambda i: {"code": sharing.parse_code(i.text("text"))},
    "open_by_link": _open_by_link,
    "parse_box_fragment": _parse_box_fragment,
    "open_box": lambda i: dict(
        zip(("pk_box", "sk_box"), boxes.open_box(i.raw("mk_n"), i.raw("box"), i.raw("sealed")), strict=True)
    ),
    "open_box_note": lambda i: {"json": boxes.open_box_note(i.raw("mk_n"), i.raw("box"), i.raw("sealed"))},
    "open_deposit": lambda i: {
        "json": boxes.open_deposit(i.raw("key"), i.raw("box"), i.raw("deposit"), i.raw("sealed"))
    },
    "unwrap_deposit_key": lambda i: {
        "key": boxes.unwrap_deposit_key(i.raw("pk_box"), i.raw("sk_box"), i.raw("box"), i.raw("wrap"))
    },
    "seal_backup": _seal_backup,
    "open_backup": lambda i: {"pack": b"".join(backup.open_backup(i.raw("words_key"), _pieces(i)))},
    "unpad_backup": lambda i: {"pack": b"".join(backup.unpad_backup([i.raw("padded")]))},
    "derive_segment": lambda i: dict(
        zip(("blob_id", "content_key"), records.derive_segment(i.raw("key"), i.number("number")), strict=True)
    ),
}


@cache
def _fact(path: Path) -> dict[str, Any]:
    """One file, read once for all the tests that look at it."""
    return cast(dict[str, Any], json.loads(path.read_text(encoding="ascii")))


def _matches(expected: Any, found: Any) -> bool:
    if isinstance(found, bytes):
        if isinstance(expected, dict):
            return expected == {"sha256": sha256(found).hexdigest(), "size": len(found)}
        return bool(found.hex() == expected)
    return type(found) is type(expected) and bool(found == expected)


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_fact(path: Path) -> None:
    fact = _fact(path)
    assert set(fact) == {"op", "expect", "why", "inputs", "outputs"}
    run, inputs = OPS[fact["op"]], Inputs(fact["inputs"])
    if fact["expect"] != "success":
        assert fact["outputs"] is None
        with pytest.raises(TemoinError) as refusal:
            run(inputs)
        assert refusal.value.code == fact["expect"], fact["why"]
        return
    found = run(inputs)
    assert set(found) == set(fact["outputs"])
    for name, expected in fact["outputs"].items():
        assert _matches(expected, found[name]), f"{name}: {fact['why']}"


def test_every_op_has_facts_and_four_are_refused_for_each_that_is_not() -> None:
    facts = [_fact(path) for path in FACTS]
    successes = Counter(fact["op"] for fact in facts if fact["expect"] == "success")
    refusals = Counter(fact["op"] for fact in facts if fact["expect"] != "success")
    assert set(successes) | set(refusals) == set(OPS)
    assert refusals.total() >= 4 * successes.total() > 0
    scarce = {op: (count, successes[op]) for op, count in refusals.items() if count < 4 * successes[op]}
    assert not scarce, "what can be refused is, four times for each success"


def test_no_two_facts_ask_the_same() -> None:
    asked = Counter(json.dumps([_fact(path)["op"], _fact(path)["inputs"]], sort_keys=True) for path in FACTS)
    assert [question for question, times in asked.items() if times > 1] == []


def test_a_wrong_fact_is_noticed(tmp_path: Path) -> None:
    fact = json.loads((VECTORS / "sealing" / "kek.json").read_text(encoding="ascii"))
    fact["outputs"]["key"] = "00" * 32
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(fact), encoding="ascii")
    with pytest.raises(AssertionError):
        test_fact(wrong)


def test_making_the_facts_again_changes_no_byte(tmp_path: Path) -> None:
    for script in VECTORS.glob("*.py"):
        shutil.copy(script, tmp_path)
    subprocess.run([sys.executable, str(tmp_path / "make_sealing.py")], check=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / "sealing").iterdir()}
    assert made == {path.name: path.read_bytes() for path in FACTS}
