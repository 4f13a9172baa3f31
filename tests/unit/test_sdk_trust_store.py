"""The ledger as a device sees it: growth, lag, forks; and warnings that last."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from client_sdk.errors import CheckpointInvalid, LedgerForked, NetworkError, Refused, Untrusted
from client_sdk.home import AccountHome, Home
from client_sdk.protocol.sync import Finding
from client_sdk.replica import Replica
from client_sdk.trust_store import TrustStore, Warnings
from crypto_core.errors import CryptoCoreError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import SignerKey, format_vkey, sign_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.tree import consistency_proof, new_nodes, root

ORIGIN = "ledger/test"
NOW = 1_764_194_400


class FakeLedger:
    """A Merkle tree of made-up entries under one key."""

    def __init__(self, entries: int, salt: bytes = b"", signer: SignerKey | None = None) -> None:
        self.signer = signer or SignerKey(ORIGIN, make_bytes(32))
        self.nodes: dict[tuple[int, int], bytes] = {}
        leaves = [hash_leaf(salt + bytes([number])) for number in range(entries)]
        for level, index, value in new_nodes(0, leaves, lambda level, index: self.nodes[level, index]):
            self.nodes[level, index] = value
        self.asked: list[tuple[int, int]] = []

    def read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def note(self, size: int, origin: str = ORIGIN) -> str:
        return sign_note(format_checkpoint(Checkpoint(origin, size, root(size, self.read))), self.signer)

    def prove(self, old: int, new: int) -> Sequence[bytes]:
        self.asked.append((old, new))
        return consistency_proof(old, new, self.read)

    @property
    def policy(self) -> Policy:
        return Policy.for_key(format_vkey(self.signer.verifier))


@pytest.fixture
def home(tmp_path: Path) -> AccountHome:
    return Home(tmp_path).account(make_id(), make_id())


def a_store(home: AccountHome, ledger: FakeLedger) -> TrustStore:
    return TrustStore(home, Replica(home.replica), ledger.policy, lambda: NOW)


def test_the_first_note_is_held_and_growth_is_proven(home: AccountHome) -> None:
    ledger = FakeLedger(20)
    store = a_store(home, ledger)
    assert store.newest is None
    for size in (3, 3, 4, 11, 20):
        assert store.advance(ledger.note(size), ledger.prove).size == size
    assert ledger.asked == [(3, 4), (4, 11), (11, 20)]
    assert a_store(home, ledger).newest == ledger.note(20)


def test_what_another_command_has_seen_meanwhile_is_not_let_go_of(home: AccountHome) -> None:
    ledger = FakeLedger(20)
    one, other = a_store(home, ledger), a_store(home, ledger)
    one.advance(ledger.note(3), ledger.prove)
    ahead = threading.Thread(target=other.advance, args=(ledger.note(20), ledger.prove))

    def slowly(old: int, new: int) -> Sequence[bytes]:
        ahead.start()
        ahead.join(0.5)
        return ledger.prove(old, new)

    one.advance(ledger.note(11), slowly)
    ahead.join()
    assert a_store(home, ledger).newest == ledger.note(20)


def test_a_smaller_note_is_lag_if_it_fits(home: AccountHome) -> None:
    ledger = FakeLedger(20)
    store = a_store(home, ledger)
    store.advance(ledger.note(20), ledger.prove)
    assert store.advance(ledger.note(7), ledger.prove).size == 7
    assert store.newest == ledger.note(20) and ledger.asked == [(7, 20)]


def test_an_empty_ledger_needs_no_proof(home: AccountHome) -> None:
    ledger = FakeLedger(5)
    store = a_store(home, ledger)
    for size in (0, 5, 0):
        store.advance(ledger.note(size), ledger.prove)
    assert ledger.asked == []


@pytest.mark.parametrize("sizes", [(9, 9), (9, 12), (12, 9)])
def test_a_fork_leaves_both_notes_as_evidence(home: AccountHome, sizes: tuple[int, int]) -> None:
    ledger = FakeLedger(12)
    fork = FakeLedger(12, b"fork", ledger.signer)
    store = a_store(home, ledger)
    held, offered = ledger.note(sizes[0]), fork.note(sizes[1])
    store.advance(held, ledger.prove)
    with pytest.raises(LedgerForked):
        store.advance(offered, fork.prove)
    evidence = {one.read_text() for one in (home.folder / "evidence").iterdir()}
    assert evidence == {held, offered} and store.newest == held
    store.forget()
    assert [store.newest, a_store(home, ledger).newest] == [None, None]
    assert store.advance(offered, fork.prove).size == sizes[1]


def test_a_ledger_that_cant_prove_it_is_a_fork(home: AccountHome) -> None:
    ledger = FakeLedger(12)
    store = a_store(home, ledger)
    store.advance(ledger.note(9), ledger.prove)

    def refuse(_old: int, _new: int) -> Sequence[bytes]:
        raise Refused("not_found", 404, "")

    with pytest.raises(LedgerForked):
        store.advance(ledger.note(12), refuse)


def test_one_damaged_proof_is_not_yet_a_fork(home: AccountHome) -> None:
    ledger = FakeLedger(12)
    store = a_store(home, ledger)
    store.advance(ledger.note(9), ledger.prove)
    proofs = [[bytes(32)], ledger.prove(9, 12)]
    assert store.advance(ledger.note(12), lambda _old, _new: proofs.pop(0)).size == 12


def test_no_network_is_no_fork_and_changes_nothing(home: AccountHome) -> None:
    ledger = FakeLedger(12)
    store = a_store(home, ledger)
    store.advance(ledger.note(9), ledger.prove)

    def cut(_old: int, _new: int) -> Sequence[bytes]:
        raise NetworkError()

    with pytest.raises(NetworkError):
        store.advance(ledger.note(12), cut)
    assert store.newest == ledger.note(9) and not (home.folder / "evidence").exists()


def test_only_the_pinned_key_under_its_origin_is_believed(home: AccountHome) -> None:
    ledger = FakeLedger(3)
    store = a_store(home, ledger)
    other = FakeLedger(3, signer=SignerKey(ORIGIN, make_bytes(32)))
    for note in (other.note(3), ledger.note(3, "ledger/other"), ledger.note(3).replace("\n3\n", "\n4\n"), "", "x\n\n"):
        with pytest.raises(CheckpointInvalid):
            store.advance(note, ledger.prove)
    assert store.newest is None


def test_warnings_outlive_the_process_until_they_are_accepted(home: AccountHome) -> None:
    warnings = Warnings(home)
    assert not warnings and warnings.errors == ()
    warnings.require_none()
    warnings.add(Finding.ITEMS_MISSING, [b"h" * 32])
    warnings.add(Finding.LEDGER_FORKED)
    again = Warnings(home)
    assert [one.code for one in again.errors] == ["items_missing", "ledger_forked"]
    with pytest.raises(Untrusted):
        again.require_none()
    again.accept(7)
    accepted = Warnings(home)
    assert not accepted and accepted.accepted.hashes == {b"h" * 32} and accepted.accepted.account_n == 7


def test_what_another_command_found_meanwhile_is_neither_lost_nor_accepted_with_the_rest(home: AccountHome) -> None:
    one, other = Warnings(home), Warnings(home)
    other.add(Finding.LEDGER_FORKED, [b"f" * 32])
    one.add(Finding.ITEMS_MISSING, [b"h" * 32])
    assert set(Warnings(home).findings) == {Finding.LEDGER_FORKED, Finding.ITEMS_MISSING}
    other.add(Finding.BLOB_SWAPPED, [b"b" * 32])
    one.accept(3)
    left = Warnings(home)
    assert (set(left.findings), set(left.about)) == ({Finding.BLOB_SWAPPED}, {b"b" * 32})
    assert left.accepted.hashes == {b"f" * 32, b"h" * 32}


def test_damaged_warnings_are_not_taken_for_none(home: AccountHome) -> None:
    for data in (b"", b"{}", b'{"findings":[],"about":[],"accepted":[],"account_n":"0"}',
                 b'{"findings":[],"about":[],"accepted":[],"account_n":true}'):
        home.warned.write_bytes(data)
        with pytest.raises(CryptoCoreError):
            Warnings(home)
