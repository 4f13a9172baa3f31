"""A version, or a kind, is what it is and nothing that Python takes for the same: `true` and 1.0 are no 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from client_sdk.keychain import open_account_state
from client_sdk.opening import parse_manifest
from client_sdk.reader import parse_record
from client_sdk.sent_words import parse_deposit
from crypto_core.encoding import format_b64url, is_number, parse_json
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.sealing.records import seal_account_record

MK_N, ACCOUNT = bytes(32), bytes(16)
TIME, ID, KEY = "2026-11-26T00:00:00Z", format_b64url(bytes(16)), format_b64url(bytes(32))
RECORD = {
    "v": 1, "kind": "journal", "title": "", "text": "", "happened": None, "written": TIME, "place": None, "people": [],
    "tags": [], "danger": None, "mood": None, "category": None, "contents": [], "after": None,
}
DEPOSIT = {"v": 1, "name": "", "message": "I saw it.", "written": TIME, "contents": []}
MANIFEST = {
    "v": 1, "bundle": ID, "created": TIME, "expires": TIME, "sender": KEY, "reader": None, "message": "",
    "items": [{"item": ID, "revision": 1, "key": KEY, "record": KEY, "size": 0, "index": 0}],
}
ACCOUNT_RECORD: dict[str, Any] = {
    "v": 1, "n": 1, "previous": None, "vault_id": ID, "epoch": 1, "pin_epoch": 1, "argon": 1, "pk_S": KEY,
    "identity_sign": KEY, "identity_box": KEY, "ledger_vkey": "x", "directory_vkey": "x", "heads": [],
}


def open_state(spelled: bytes) -> Any:
    return open_account_state(MK_N, ACCOUNT, 1, seal_account_record(MK_N, ACCOUNT, 1, spelled))


def is_json(spelled: bytes) -> bool:
    """Whether it can be read at all: 1.0 can't, as one that has two spellings."""
    try:
        parse_json(spelled)
    except MalformedError:
        return False
    return True


READERS: list[tuple[Callable[[bytes], Any], dict[str, Any], set[int]]] = [
    (parse_record, RECORD, {1}), (parse_deposit, DEPOSIT, {1}), (parse_manifest, MANIFEST, {1, 2}),
    (open_state, ACCOUNT_RECORD, {1}),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(-3, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2), max_leaves=3,
)


@pytest.mark.parametrize(("read", "facts", "versions"), READERS, ids=["record", "deposit", "manifest", "account"])
@settings(max_examples=60, deadline=None)
@given(version=VALUES)
@example(True)
@example(1.0)
@example("1")
def test_no_version_but_a_whole_number_is_one(
    read: Callable[[bytes], Any], facts: dict[str, Any], versions: set[int], version: Any
) -> None:
    read(json.dumps(facts).encode())  # as it is, it opens
    if type(version) is int and version in versions:
        return
    spelled = json.dumps({**facts, "v": version}).encode()
    with pytest.raises(UnsupportedVersion if is_json(spelled) else MalformedError):
        read(spelled)


@settings(max_examples=60, deadline=None)
@given(kind=VALUES)
@example([])
def test_what_is_no_kind_of_record_needs_a_newer_version(kind: Any) -> None:
    spelled = json.dumps({**RECORD, "kind": kind}).encode()
    with pytest.raises(UnsupportedVersion if is_json(spelled) else MalformedError):
        parse_record(spelled)


@pytest.mark.parametrize(
    "name", sorted({name for _, facts, _ in READERS for name, value in facts.items() if type(value) is int} - {"v"})
)
def test_a_count_is_no_truth(name: str) -> None:
    with pytest.raises(MalformedError):
        open_state(json.dumps({**ACCOUNT_RECORD, name: True}).encode())


@given(VALUES)
def test_a_number_is_one_by_its_type(value: Any) -> None:
    assert is_number(value, 0, 1, 2) == (repr(value) in ("0", "1", "2"))
