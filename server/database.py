"""The one door to the relational database: a read that sees one moment, a write that is durable or never was.

Knows: SQLite's dialect, and nothing else does. Refuses to know: tables.
A write takes the database's write lock at its beginning, so everything it reads is still true when it commits.
Writers queue: those of one process here, those of several at a door that the kernel keeps (ADR 33).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVarTuple, Unpack, cast

from sqlalchemy import (
    Connection, CursorResult, MetaData, Row, Select, Table, UpdateBase, create_engine, event, make_url,
)
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from server.problems import Refusal

PATIENCE = 10
"""Seconds that a write waits for its turn before the answer is `unavailable`."""
LOOKS = 0.001
"""Seconds between two looks of the one who is next, until the lock is free."""

_Columns = TypeVarTuple("_Columns")

_REFUSALS = {
    sqlite3.SQLITE_FULL: "storage_full",
    sqlite3.SQLITE_BUSY: "unavailable",
    sqlite3.SQLITE_LOCKED: "unavailable",
    sqlite3.SQLITE_READONLY: "unavailable",
    sqlite3.SQLITE_CANTOPEN: "unavailable",
    sqlite3.SQLITE_IOERR: "unavailable",
    sqlite3.SQLITE_CORRUPT: "unavailable",
    sqlite3.SQLITE_NOTADB: "unavailable",
}


class Base(DeclarativeBase):
    """Mother of all tables; the names of constraints are fixed so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """Sessions on one database. `url` is SQLAlchemy's, `sqlite:///…`; ValueError for another dialect.

    `engine`: for whoever reads, or knows what they do; a statement there is a transaction of its own.
    """

    def __init__(self, url: str) -> None:
        if make_url(url).get_backend_name() != "sqlite":
            raise ValueError("only SQLite is known here")
        self.engine = create_engine(url, hide_parameters=True, pool_size=16, max_overflow=112, pool_timeout=PATIENCE)
        event.listen(self.engine, "connect", _prepare)
        self._writer = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
        event.listen(self._writer, "connect", _prepare_writer)
        self._turn = threading.Lock()
        self._door = _Door(f"{make_url(url).database}.door")
        self._own = threading.local()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database; what it writes is never kept.

        Raises Refusal `unavailable` when the database can't be read.
        """
        with _faults_as_refusals(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            with _session_on(connection) as session:
                yield session

    def first(self, query: Select[Unpack[_Columns]], values: Mapping[str, Any]) -> Row[Unpack[_Columns]] | None:
        """The first row that one query finds, which by itself sees one moment. Raises as `read`."""
        with _faults_as_refusals(), self.engine.connect() as connection:
            return connection.execute(query, values).first()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session alone with the database: committed, and synced to disk, at the end; undone if anything is raised.

        A write within a write of the same thread is a part of it. Raises Refusal `unavailable` or `storage_full`.
        """
        outer: Session | None = getattr(self._own, "session", None)
        if outer is not None:
            yield outer
            return
        until = time.monotonic() + PATIENCE
        with self._in_turn(), _faults_as_refusals(), self._writer.connect() as connection:
            with self._door.passing():
                while not _lock(connection, until):
                    time.sleep(LOOKS)
            with _session_on(connection) as session:
                self._own.session = session
                try:
                    yield session
                    session.flush()
                finally:
                    self._own.session = None
                connection.commit()

    def close(self) -> None:
        """Closes every idle connection."""
        self.engine.dispose()
        self._writer.dispose()
        self._door.close()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=PATIENCE):
            raise Refusal("unavailable")
        try:
            yield
        finally:
            self._turn.release()


class _Door:
    """Where the writers of several processes wait, one before the other: an empty file beside the database, locked by
    the one who is next. Who dies lets go of it. It keeps the order and no more than that; without it, as on a disk
    that can't be written or has no such locks, whoever happens to look finds SQLite's lock free."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """To be next from the first line of the block to its last. One thread of a process at a time."""
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                if self._file is not None:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def table(model: type[Base]) -> Table:
    """The table of a model, for statements that are built once and run without the mapper."""
    return cast(Table, model.__table__)


def connection_of(session: Session) -> Connection:
    """The connection under a session, for statements that run without the mapper."""
    assert isinstance(session.bind, Connection)
    return session.bind


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Executes an UPDATE or DELETE; how many rows it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _session_on(connection: Connection) -> Session:
    """What it does belongs to the connection's transaction, which whoever opened that ends."""
    return Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only")


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun here, never by the driver
    for pragma in (
        f"busy_timeout = {PATIENCE * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what was erased is overwritten, not only unlinked
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_writer(connection: sqlite3.Connection, record: Any) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA busy_timeout = 0").close()  # SQLite would look ever less often, up to 100 ms apart


def _lock(connection: Connection, until: float) -> bool:
    """Whether the write lock was free. Raises DBAPIError if it is not and time is up."""
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except DBAPIError as error:
        if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
            raise
        return False
    return True


@contextmanager
def _faults_as_refusals() -> Iterator[None]:
    try:
        yield
    except PoolTimeout:
        raise Refusal("unavailable") from None
    except DBAPIError as error:
        if _code(error) not in _REFUSALS:
            raise
        raise Refusal(_REFUSALS[_code(error)]) from error


def _code(error: DBAPIError) -> int:
    """SQLite's primary result code; 0 for an error that has none."""
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF
