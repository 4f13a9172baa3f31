"""The door to the database: what is durable, what is undone, and how its faults are told."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import server.database
from server.accounts.models import Challenge
from server.database import Base, Database, Prepared, connection_of, table
from server.problems import Refusal


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'vault.db'}")
    Base.metadata.create_all(made.engine)
    yield made
    made.close()


def row(number: int = 0) -> Challenge:
    return Challenge(digest=bytes([number]) * 32, lookup=bytes(32), expires=number)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Challenge)) or 0


def test_a_write_is_kept_and_a_failed_one_undone(database: Database) -> None:
    with database.write() as session:
        session.add(row())
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(row(1))
        session.flush()
        raise ZeroDivisionError
    assert count(database) == 1


def test_what_a_read_writes_is_not_kept(database: Database) -> None:
    with database.read() as session:
        session.add(row())
        session.flush()
    assert count(database) == 0


def test_one_query_sees_what_was_committed_and_leaves_nothing_open(database: Database) -> None:
    query = Prepared(select(Challenge.expires).where(Challenge.expires == bindparam("least")))
    assert database.first(query, least=7) is None
    with database.write() as session:
        session.add(row(7))
        session.flush()
        assert database.first(query, least=7) is None
    assert database.first(query, least=7) == (7,)
    with database.read() as session:  # the pool gives the same connection again: its transactions begin as ever
        assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1
        assert cast(sqlite3.Connection, session.connection().connection.driver_connection).in_transaction


ADD = Prepared(insert(table(Challenge)))


def test_a_prepared_statement_belongs_to_the_transaction_in_which_it_is_run(database: Database) -> None:
    raise_one = Prepared(
        update(table(Challenge)).where(Challenge.expires == bindparam("id")).values(expires=Challenge.expires + 10)
    )
    late = Prepared(select(Challenge.digest, Challenge.expires).where(Challenge.expires >= 11).order_by("expires"))
    with pytest.raises(ZeroDivisionError), database.write() as session:
        assert ADD.run(connection_of(session), digest=bytes(32), lookup=bytes(32), expires=1) == 1
        raise ZeroDivisionError
    assert count(database) == 0
    with database.write() as session:
        connection = connection_of(session)
        ADD.run_each(connection, [{"digest": bytes([n]) * 32, "lookup": bytes(32), "expires": n} for n in range(3)])
        ADD.run_each(connection, [])
        assert [raise_one.run(connection, id=n) for n in (1, 2, 3)] == [1, 1, 0]
        savepoint = connection.begin_nested()
        raise_one.run(connection, id=0)
        savepoint.rollback()
    with database.read() as session:
        assert late.rows(connection_of(session)) == [(bytes([1]) * 32, 11), (bytes([2]) * 32, 12)]


@pytest.mark.parametrize("many", [False, True])
def test_a_fault_of_a_prepared_statement_is_told_as_any_other_and_without_its_values(
    database: Database, many: bool
) -> None:
    def add(session: Session, digest: bytes, expires: int | None) -> None:
        values = {"digest": digest, "lookup": b"a value", "expires": expires}
        ADD.run_each(connection_of(session), [values]) if many else ADD.run(connection_of(session), **values)

    with pytest.raises(DBAPIError) as caught, database.write() as session:
        add(session, bytes(32), None)
    assert "NOT NULL" in str(caught.value) and "a value" not in str(caught.value)
    with pytest.raises(Refusal) as refused, database.write() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        for number in range(200):
            add(session, bytes([number]) * 32, number)
    assert refused.value.code == "storage_full"
    assert count(database) == 0


def test_a_read_sees_one_moment(database: Database) -> None:
    with database.read() as session:
        before = session.scalar(select(func.count()).select_from(Challenge))
        with database.write() as other:
            other.add(row())
        assert session.scalar(select(func.count()).select_from(Challenge)) == before
    assert count(database) == 1


def test_writes_take_turns(database: Database) -> None:
    with database.write() as session:
        session.add(row())

    def add_one() -> None:
        for _ in range(20):
            with database.write() as session:
                found = session.get_one(Challenge, bytes(32))
                found.expires += 1

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get_one(Challenge, bytes(32)).expires == 160


def log_of(tmp_path: Path) -> bytes:
    return (tmp_path / "vault.db-wal").read_bytes()


def test_what_was_erased_is_in_the_log_until_that_is_emptied(tmp_path: Path, database: Database) -> None:
    secret = bytes(range(32))
    with database.write() as session:
        session.add(Challenge(digest=secret, lookup=bytes(32), expires=1))
    with database.write() as session:
        session.execute(delete(Challenge))
    assert secret in log_of(tmp_path)
    assert database.empty_log()
    assert log_of(tmp_path) == b""
    assert secret not in (tmp_path / "vault.db").read_bytes()
    with database.write() as session:
        session.add(row())
    assert count(database) == 1


def test_whoever_reads_what_is_older_is_not_torn_away_and_the_next_time_does(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.database, "HURRY", 0.05)
    with database.read() as old:
        assert old.scalar(select(func.count()).select_from(Challenge)) == 0
        with database.write() as session:
            session.add(row())
        assert not database.empty_log()
        assert old.scalar(select(func.count()).select_from(Challenge)) == 0
    assert database.empty_log()
    assert (count(database), log_of(tmp_path)) == (1, b"")


def test_a_log_that_can_not_be_emptied_is_no_refusal(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.database, "PATIENCE", 0.05)
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with database.write():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait(10)
    assert not database.empty_log()
    leave.set()
    thread.join()
    assert database.empty_log()


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Database]:
    """The same database, as another process has it."""
    made = Database(f"sqlite:///{tmp_path / 'vault.db'}")
    yield made
    made.close()


def wait_until_one_is_next(door: Path) -> None:
    deadline = time.monotonic() + 10
    with door.open("rb") as file:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(0.001)
    raise AssertionError("nobody waits at the door")


def test_who_has_just_written_waits_behind_another_process(
    database: Database, another: Database, tmp_path: Path
) -> None:
    for _ in range(10):
        order: list[str] = []

        def write(by: Database, name: str, order: list[str] = order) -> None:
            with by.write():
                order.append(name)

        threads = [threading.Thread(target=write, args=each) for each in ((another, "other"), (database, "again"))]
        with database.write():
            threads[0].start()
            wait_until_one_is_next(tmp_path / "vault.db.door")
            threads[1].start()
        for thread in threads:
            thread.join()
        assert order == ["other", "again"]


def test_who_dies_at_the_door_keeps_nobody_out(database: Database, tmp_path: Path) -> None:
    door = tmp_path / "vault.db.door"
    door.touch()
    code = f"import fcntl, time; held = open({str(door)!r}); fcntl.flock(held, fcntl.LOCK_EX); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        wait_until_one_is_next(door)
        killing = threading.Timer(0.1, process.kill)
        killing.start()
        with database.write() as session:
            session.add(row())
        killing.join()
    assert count(database) == 1


def test_without_a_door_there_is_no_order_and_every_write_is_kept(tmp_path: Path, database: Database) -> None:
    (tmp_path / "vault.db.door").mkdir()
    with database.write() as session:
        session.add(row())
    assert count(database) == 1


def test_sqlite_is_set_up_to_be_durable_and_to_erase(database: Database) -> None:
    with database.write() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_locked_database_is_unavailable(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.database, "PATIENCE", 0.1)
    other = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refusal) as caught, database.write():
        raise AssertionError("it was let in")
    assert caught.value.code == "unavailable"
    other.close()


def test_a_full_disk_is_storage_full_and_nothing_is_kept(database: Database) -> None:
    with pytest.raises(Refusal) as caught, database.write() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        for number in range(200):
            session.add(row(number))
            session.flush()
    assert caught.value.code == "storage_full"
    assert count(database) == 0


def test_a_database_that_can_not_be_written_is_unavailable(tmp_path: Path, database: Database) -> None:
    reading = Database(f"sqlite:///file:{tmp_path / 'vault.db'}?mode=ro&uri=true")
    try:
        with pytest.raises(Refusal) as caught, reading.write() as session:
            session.add(row())
        assert caught.value.code == "unavailable"
    finally:
        reading.close()


def test_a_database_in_a_place_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path / 'no' / 'vault.db'}")
    with pytest.raises(Refusal) as caught, nowhere.read():
        raise AssertionError("it was opened")
    assert caught.value.code == "unavailable"


def test_another_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="SQLite"):
        Database("postgresql://vault.example/vault")
