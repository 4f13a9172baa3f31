"""The ledger at work: receipts, batches that fail in part, crashes, what is published, the check of a whole vault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from crypto_core.encoding import format_b64, parse_b64url
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint
from crypto_core.receipts.merkle import hash_leaf, verify_consistency, verify_inclusion
from crypto_core.receipts.note import format_vkey, open_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt, parse_receipt, verify_receipt
from crypto_core.receipts.tiles import entries_path, parse_entries, read_from_tiles, tile_path, tile_width
from crypto_core.receipts.tree import root
from server.items.models import Item
from server.ledger.check import check_vault
from server.ledger.models import Deposit, LedgerEntry, LedgerNode, SignedCheckpoint
from server.ledger.service import Deposited, Enter, LedgerExists
from server.parts import assemble
from server.problems import Refusal
from server.uploads.kept import keep_blob
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, fake_vault, open_person, said

SIZE = 1000


def digest_of(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def enter_one(number: int) -> Callable[[Session, Enter], Deposited]:
    return lambda _session, enter: enter([(digest_of(number), SIZE)])[0]


def deposit(vault: FakeVault, *numbers: int) -> list[Deposited]:
    return [vault.parts.ledger.commit(enter_one(number)) for number in numbers]


def verify(vault: FakeVault, receipt: str, number: int) -> VerifiedReceipt:
    policy = Policy.for_key(format_vkey(vault.parts.ledger.signer.verifier))
    return verify_receipt(receipt.encode(), sha256=digest_of(number), size=SIZE, policy=policy)


def checkpoints(vault: FakeVault) -> list[Checkpoint]:
    """All that were ever signed, by size, their signatures verified."""
    key = vault.parts.ledger.signer.verifier
    with vault.parts.database.read() as session:
        notes = session.scalars(select(SignedCheckpoint.note).order_by(SignedCheckpoint.size)).all()
    return [parse_checkpoint(open_note(note.encode(), [key]).text) for note in notes]


def require_consistent_history(vault: FakeVault) -> list[Checkpoint]:
    history = checkpoints(vault)
    with vault.parts.database.read() as session:
        for old, new in zip(history, history[1:], strict=False):
            proof = vault.parts.ledger.consistency(session, old.size, new.size)
            verify_consistency(old.size, new.size, proof, old.root, new.root)
    return history


def test_each_receipt_verifies_at_once_and_again_later(vault: FakeVault) -> None:
    made = deposit(vault, *range(20))
    assert [one.index for one in made] == list(range(20))
    for number, one in enumerate(made):
        verified = verify(vault, one.receipt, number)
        assert (verified.index, verified.checkpoint.size, verified.claimed_time) == (number, number + 1, NOON)
        with vault.parts.database.read() as session:
            again = vault.parts.ledger.receipt(session, number)
        assert verify(vault, again.receipt, number).checkpoint.size == 20
        assert parse_receipt(again.receipt.encode()).extra == parse_receipt(one.receipt.encode()).extra
    assert [one.size for one in require_consistent_history(vault)] == list(range(21))


def test_a_work_of_many_entries_signs_once(vault: FakeVault) -> None:
    deposit(vault, 100, 101, 102)
    made = vault.parts.ledger.commit(lambda _session, enter: enter([(digest_of(n), SIZE) for n in range(37)]))
    assert [verify(vault, one.receipt, number).index for number, one in enumerate(made)] == list(range(3, 40))
    assert [one.size for one in require_consistent_history(vault)] == [0, 1, 2, 3, 40]


def test_a_work_without_entries_signs_nothing(vault: FakeVault) -> None:
    assert vault.parts.ledger.commit(lambda _session, _enter: "done") == "done"
    assert vault.parts.ledger.commit(lambda _session, enter: enter([])) == []
    assert [one.size for one in checkpoints(vault)] == [0]


def test_a_work_that_raises_leaves_nothing(vault: FakeVault) -> None:
    def work(session: Session, enter: Enter) -> None:
        enter([(digest_of(1), SIZE)])
        session.add(Item(item=bytes(16), account=bytes(16), revision=1))
        session.flush()
        raise Refusal("quota_full")

    with pytest.raises(Refusal, match="quota_full"):
        vault.parts.ledger.commit(work)
    (made,) = deposit(vault, 2)
    assert made.index == 0
    with vault.parts.database.read() as session:
        assert session.get(Item, bytes(16)) is None
    verify(vault, made.receipt, 2)


def start_all(vault: FakeVault, works: list[Callable[[Session, Enter], object]]) -> list[object]:
    """Runs all works in one transaction: the first one waits until the others stand in the queue."""
    outcomes: list[object] = [None] * len(works)

    def run(place: int) -> None:
        try:
            outcomes[place] = vault.parts.ledger.commit(works[place])
        except Exception as failure:
            outcomes[place] = failure

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    with vault.parts.ledger._lead:
        for thread in threads:
            thread.start()
        while len(vault.parts.ledger._queue) < len(works):
            pass
    for thread in threads:
        thread.join()
    return outcomes


def wait_for(vault: FakeVault, waiting: int) -> None:
    deadline = time.monotonic() + 5
    while len(vault.parts.ledger._queue) < waiting:
        assert time.monotonic() < deadline, "they do not wait in the queue"
        time.sleep(0.001)


def test_who_comes_while_the_leader_waits_for_its_turn_is_in_its_transaction(vault: FakeVault) -> None:
    threads = [threading.Thread(target=deposit, args=(vault, number)) for number in range(3)]
    with vault.parts.database.write():
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_for(vault, number)
        time.sleep(0.1)  # the first of them has long been leading
    for thread in threads:
        thread.join()
    assert [one.size for one in require_consistent_history(vault)] == [0, 3]


def test_a_turn_that_does_not_come_ends_it_for_those_who_waited_for_it_and_for_nobody_else(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, later = vault.parts.database, threading.Thread(target=deposit, args=(vault, 1))
    write = database.write

    def no_turn() -> NoReturn:
        monkeypatch.setattr(database, "write", write)
        later.start()
        wait_for(vault, 2)
        raise Refusal("unavailable")

    monkeypatch.setattr(database, "write", no_turn)
    with pytest.raises(Refusal, match="unavailable"):
        deposit(vault, 0)
    later.join()
    assert [one.size for one in require_consistent_history(vault)] == [0, 1]


def test_one_that_fails_does_not_disturb_those_it_was_batched_with(vault: FakeVault) -> None:
    def fail(_session: Session, enter: Enter) -> None:
        enter([(digest_of(99), SIZE), (digest_of(98), SIZE)])
        raise Refusal("blob_conflict")

    works: list[Callable[[Session, Enter], object]] = [enter_one(0), fail, enter_one(2), fail, enter_one(4)]
    outcomes = start_all(vault, works)
    made = {number: one for number, one in enumerate(outcomes) if isinstance(one, Deposited)}
    assert sorted(made) == [0, 2, 4]
    assert all(isinstance(outcomes[number], Refusal) for number in (1, 3))
    assert sorted(one.index for one in made.values()) == [0, 1, 2]
    for number, one in made.items():
        assert verify(vault, one.receipt, number).checkpoint.size == 3
    assert [one.size for one in require_consistent_history(vault)] == [0, 3]


def test_a_fault_of_the_database_ends_the_transaction_for_all(vault: FakeVault) -> None:
    def fail(session: Session, _enter: Enter) -> None:
        session.execute(text("INSERT INTO nowhere VALUES (1)"))

    outcomes = start_all(vault, [enter_one(0), fail, enter_one(1)])
    assert all(isinstance(one, Exception) for one in outcomes)
    assert check_vault(vault.parts).entries == 0
    assert deposit(vault, 5)[0].index == 0


@pytest.mark.parametrize("step", ["ledger.nodes", "ledger.sign", "ledger.commit.before"])
def test_a_stop_before_the_commit_leaves_the_old_ledger(vault: FakeVault, step: str) -> None:
    deposit(vault, 0, 1)

    with vault.steps.stopping_at(step):
        with pytest.raises(RuntimeError, match="stopped"):
            deposit(vault, 2)
    assert deposit(vault, 3)[0].index == 2
    assert [one.size for one in require_consistent_history(vault)] == [0, 1, 2, 3]


def test_a_stop_after_the_commit_loses_the_answer_and_nothing_else(vault: FakeVault) -> None:
    with vault.steps.stopping_at("ledger.commit.after"):
        with pytest.raises(RuntimeError, match="stopped"):
            deposit(vault, 0)
    with vault.parts.database.read() as session:
        verify(vault, vault.parts.ledger.receipt(session, 0).receipt, 0)
    assert deposit(vault, 1)[0].index == 1


def test_eight_threads_give_indexes_without_gap_or_repeat(vault: FakeVault) -> None:
    rounds, made, lock = 12, {}, threading.Lock()

    def work(thread: int) -> None:
        for turn in range(rounds):
            number = thread * rounds + turn
            count = 1 + number % 3
            some = vault.parts.ledger.commit(lambda _s, enter: enter([(digest_of(number), SIZE)] * count))
            with lock:
                made.update({one.index: (number, one.receipt) for one in some})

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
    for started in threads:
        started.start()
    for started in threads:
        started.join()
    assert sorted(made) == list(range(sum(1 + number % 3 for number in range(8 * rounds))))
    for index, (number, receipt) in made.items():
        assert verify(vault, receipt, number).index == index
    assert require_consistent_history(vault)[-1].size == len(made)
    assert [one for one in check_vault(vault.parts).problems if "belongs to no" not in one] == []


def test_two_processes_share_one_ledger(vault: FakeVault) -> None:
    """Another Ledger over the same file knows nothing of the frontier that this one remembers."""
    other = assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)
    try:
        for number in range(0, 30, 2):
            assert deposit(vault, number)[0].index == number
            made = other.ledger.commit(enter_one(number + 1))
            assert verify(vault, made.receipt, number + 1).index == number + 1
    finally:
        other.close()
    assert len(require_consistent_history(vault)) == 31


def test_the_time_of_entries_never_falls(vault: FakeVault) -> None:
    vault.clock.advance(100)
    deposit(vault, 0)
    vault.clock.advance(-50)
    assert deposit(vault, 1)[0].time == NOON + 100
    vault.clock.advance(51)
    assert deposit(vault, 2)[0].time == NOON + 101


def test_a_ledger_is_made_once(vault: FakeVault) -> None:
    with pytest.raises(LedgerExists):
        vault.parts.ledger.create()


def test_without_a_ledger_nothing_is_kept(vault: FakeVault) -> None:
    with vault.parts.database.write() as session:
        session.execute(delete(SignedCheckpoint))
    with pytest.raises(Refusal, match="unavailable"):
        deposit(vault, 0)


def test_a_forgotten_deposit_has_no_receipt_and_its_entry_stays(vault: FakeVault) -> None:
    deposit(vault, 0, 1)
    vault.parts.ledger.commit(lambda session, _enter: vault.parts.ledger.forget(session, [0]))
    with vault.parts.database.read() as session:
        with pytest.raises(Refusal, match="not_found"):
            vault.parts.ledger.receipt(session, 0)
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 2


# what is published


def get(vault: FakeVault, path: str, token: str = "") -> bytes:
    answer = vault.ask("GET", path, token=token)
    assert answer.status_code == 200, (path, answer.data)
    return bytes(answer.data)


def published(vault: FakeVault) -> Checkpoint:
    key = vault.parts.ledger.signer.verifier
    return parse_checkpoint(open_note(get(vault, "/ledger/checkpoint"), [key]).text)


def test_everybody_can_rebuild_the_tree_from_its_tiles(vault: FakeVault) -> None:
    vault.parts.ledger.commit(lambda _session, enter: enter([(digest_of(n), SIZE) for n in range(600)]))
    checkpoint = published(vault)
    size = checkpoint.size
    assert size == 600
    read = read_from_tiles(size, lambda path: get(vault, f"/ledger/{path}"))
    assert root(size, read) == checkpoint.root
    for index in range(-(-size // 256)):
        width = tile_width(0, index, size)
        entries = parse_entries(get(vault, f"/ledger/{entries_path(index, width)}"), width)
        assert [hash_leaf(entry) for entry in entries] == [read(0, index * 256 + at) for at in range(width)]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001", "tile/0/000.p/6", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0", "tile/0/x001/000",
        "tile/0/999999", "tile/1/000.p/1", "tile/00/000.p/1", "tile/64/000", "tile/entries/", "tile/entries/000",
        "tile/entries/000.p/6",
    ],
)
def test_a_tile_that_is_not_there_is_not_found(vault: FakeVault, path: str) -> None:
    deposit(vault, *range(5))
    assert get(vault, f"/ledger/{tile_path(0, 0, 5)}")
    answer = vault.ask("GET", f"/ledger/{path}")
    assert (answer.status_code, said(answer)["code"]) == (404, "not_found")


def test_tiles_may_be_cached_for_good_and_the_checkpoint_not(vault: FakeVault) -> None:
    deposit(vault, 0)
    tile = vault.ask("GET", f"/ledger/{tile_path(0, 0, 1)}")
    assert "immutable" in tile.headers["Cache-Control"]
    note = vault.ask("GET", "/ledger/checkpoint")
    assert (note.headers["Cache-Control"], note.headers["Content-Type"]) == ("no-cache", "text/plain; charset=utf-8")


def test_the_public_ledger_moves_once_an_interval(tmp_path: Path) -> None:
    with fake_vault(tmp_path, checkpoint_interval=60) as vault:
        assert published(vault).size == 0
        vault.clock.advance(10)
        deposit(vault, 0, 1)
        assert published(vault).size == 0
        assert vault.ask("GET", f"/ledger/{tile_path(0, 0, 2)}").status_code == 404
        vault.clock.advance(50)
        deposit(vault, 2)
        assert published(vault).size == 2
        get(vault, f"/ledger/{tile_path(0, 0, 2)}")
        assert vault.ask("GET", f"/ledger/{tile_path(0, 0, 3)}").status_code == 404


def test_only_an_open_session_proves_what_is_newer_than_the_public_ledger(tmp_path: Path) -> None:
    with fake_vault(tmp_path, checkpoint_interval=60) as vault:
        person = open_person(vault)
        deposit(vault, 0, 1, 2)
        for path in ("/v1/ledger/consistency?old=1&new=3", "/v1/ledger/inclusion?index=1&size=3"):
            assert person.ask("GET", path).status_code == 200
            assert vault.ask("GET", path).status_code == 404
            assert vault.ask("GET", path, token=FakePerson(vault).register().give_password()).status_code == 403
            over = vault.ask("GET", path, token=b64(bytes(32)))
            assert (over.status_code, said(over)["code"]) == (401, "unauthorized")
        vault.clock.advance(60)
        assert vault.ask("GET", "/v1/ledger/consistency?old=1&new=3").status_code == 200


def test_proofs_over_http(vault: FakeVault) -> None:
    deposit(vault, *range(11))
    history = checkpoints(vault)
    for old in range(0, 12):
        answer = said(vault.ask("GET", f"/v1/ledger/consistency?old={old}&new=11"))
        proof = [parse_proof(one) for one in answer["proof"]]
        verify_consistency(old, 11, proof, history[old].root, history[11].root)
    with vault.parts.database.read() as session:
        entry = session.scalar(select(LedgerEntry.entry).where(LedgerEntry.index == 6))
    assert entry is not None
    answer = said(vault.ask("GET", "/v1/ledger/inclusion?index=6&size=9"))
    verify_inclusion(6, 9, hash_leaf(entry), [parse_proof(one) for one in answer["proof"]], history[9].root)


def parse_proof(spelled: str) -> bytes:
    return parse_b64url(spelled, 32)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("consistency?old=1&new=4", "not_found"), ("consistency?old=3&new=2", "not_found"),
        ("inclusion?index=3&size=3", "not_found"), ("inclusion?index=0&size=4", "not_found"),
        ("inclusion?index=0&size=0", "invalid not_found"), ("consistency?old=-1&new=2", "invalid not_found"),
        ("inclusion?index=-1&size=2", "invalid not_found"),
        ("consistency?old=1", "invalid"), ("consistency?old=x&new=2", "invalid"),
        ("consistency?old=1&new=2&old=1", "malformed"),
    ],
)
def test_proofs_that_there_are_not(vault: FakeVault, query: str, code: str) -> None:
    deposit(vault, 0, 1, 2)
    assert said(vault.ask("GET", f"/v1/ledger/{query}"))["code"] in code.split()


# the check


@pytest.fixture
def kept(vault: FakeVault) -> FakePerson:
    """A person with two blobs and nothing wrong."""
    person = open_person(vault)
    for number in range(2):
        keep_blob(vault.parts, person.account, bytes([number] * 16), bytes([number]) * SIZE)
    return person


def test_a_sound_vault_has_no_problems(vault: FakeVault, kept: FakePerson) -> None:
    report = check_vault(vault.parts)
    assert report.problems == []
    assert (report.entries, report.deposits, report.blobs, report.bytes) == (2, 2, 2, 2 * SIZE)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE ledger_entries SET entry = zeroblob(40) WHERE \"index\" = 0", "node 0 of level 0"),
        ("UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 1", "node 0 of level 1"),
        ("DELETE FROM ledger_nodes WHERE level = 1", "other nodes"),
        ("UPDATE checkpoints SET note = 'x' || note WHERE size = 2", "not signed"),
        ("DELETE FROM checkpoints WHERE size = 2", "not that of the tree"),
        ("UPDATE deposits SET time = time + 60 WHERE \"index\" = 1", "deposit 1 does not give its entry"),
        ("DELETE FROM deposits WHERE \"index\" = 1", "deposit 1 is missing"),
        ("UPDATE blobs SET data = zeroblob(1000) WHERE deposit = 1", "not those that were deposited"),
        ("UPDATE blobs SET data = NULL WHERE deposit = 1", "its bytes are missing"),
        ("DELETE FROM blobs WHERE deposit = 1", "belongs to no record and no blob"),
        ("UPDATE accounts SET used = used + 1", "space counted"),
        ("DELETE FROM accounts", "is gone, and its bytes are not"),
        ("DELETE FROM accounts", "a row of guesses belongs to one of accounts that is not there"),
        ("DELETE FROM guesses", "the count of its tries is missing"),
        ("UPDATE accounts SET share_s = share_n", "share_S is not what the pepper sealed"),
        ("UPDATE accounts SET epoch = 2", "K_id is not what the pepper sealed"),
        ("UPDATE recoveries SET share_r = zeroblob(72)", "share_R is not what the pepper sealed"),
    ],
)
def test_damage_is_named(vault: FakeVault, kept: FakePerson, damage: str, problem: str) -> None:
    with vault.parts.database.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.execute(text(damage))
    problems = check_vault(vault.parts).problems
    assert any(problem in one for one in problems), problems


def test_a_missing_entry_is_named(vault: FakeVault, kept: FakePerson) -> None:
    with vault.parts.database.write() as session:
        session.execute(delete(Deposit).where(Deposit.index == 0))
        session.execute(delete(LedgerEntry).where(LedgerEntry.index == 0))
    assert "the entry 0 is missing" in check_vault(vault.parts).problems


def test_an_index_that_names_a_row_otherwise_is_damage(vault: FakeVault, kept: FakePerson) -> None:
    """The rows are whole, and by the index nobody finds them."""
    place = text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_sessions_expires'")
    with vault.parts.database.read() as session:
        page, size = session.scalar(place), session.scalar(text("PRAGMA page_size"))
    assert page is not None and size is not None
    assert vault.parts.database.empty_log()
    vault.parts.database.close()
    with vault.parts.config.database_file.open("r+b") as file:
        file.seek((page - 1) * size)
        leaf = bytearray(file.read(size))
        leaf[-8:] = bytes(8)
        file.seek((page - 1) * size)
        file.write(leaf)
    assert any(one.startswith("the database: ") for one in check_vault(vault.parts).problems)


def test_another_key_is_noticed(vault: FakeVault, kept: FakePerson) -> None:
    with vault.parts.database.write() as session:
        note = session.scalar(select(SignedCheckpoint.note).where(SignedCheckpoint.size == 2)) or ""
        forged = note.rsplit(" ", 1)[0] + " " + format_b64(bytes(68)) + "\n"
        session.execute(update(SignedCheckpoint).where(SignedCheckpoint.size == 2).values(note=forged))
    assert any("not signed" in one for one in check_vault(vault.parts).problems)


def test_a_check_reads_in_batches(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.ledger.check.BATCH", 3)
    vault.parts.ledger.commit(lambda _session, enter: enter([(digest_of(n), SIZE) for n in range(10)]))
    report = check_vault(vault.parts)
    assert report.entries == 10
    assert {one for one in report.problems if "belongs to no" not in one} == set()
    with vault.parts.database.write() as session:
        session.execute(update(LedgerNode).where(LedgerNode.level == 2).values(hash=bytes(32)))
    assert sum("of level 2" in one for one in check_vault(vault.parts).problems) == 2
