"""The one door to the relational database: a read that sees one moment, a write that is durable or never was.

Knows: SQLite's dialect, and nothing else does. Refuses to know: tables.
A write takes the database's write lock at its beginning, so everything it reads is still true when it commits;
writers of one process queue here, those of several processes inside SQLite.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVarTuple, Unpack, cast

from sqlalchemy import (
    Connection, CursorResult, MetaData, Row, Select, Table, UpdateBase, create_engine, event, make_url,
)
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from server.problems import Refusal

PATIENCE = 10
"""Seconds that a write waits for its turn before the answer is `unavailable`."""

_Columns = TypeVarTuple("_Columns")

_BEGINS = "temoin_begins"
"""What a connection's transactions begin with; None for none."""
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
    """Sessions on one database. `url` is SQLAlchemy's, `sqlite:///…`; ValueError for another dialect."""

    def __init__(self, url: str) -> None:
        if make_url(url).get_backend_name() != "sqlite":
            raise ValueError("only SQLite is known here")
        self.engine = create_engine(url, hide_parameters=True, pool_size=16, max_overflow=112, pool_timeout=PATIENCE)
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(
            self.engine.execution_options(**{_BEGINS: "BEGIN IMMEDIATE"}), expire_on_commit=False
        )
        self._asking = self.engine.execution_options(**{_BEGINS: None})
        self._turn = threading.Lock()
        self._own = threading.local()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database; what it writes is never kept.

        Raises Refusal `unavailable` when the database can't be read.
        """
        with _faults_as_refusals(), self._reading() as session:
            session.connection()
            yield session

    def first(self, query: Select[Unpack[_Columns]], values: Mapping[str, Any]) -> Row[Unpack[_Columns]] | None:
        """The first row that one query finds, which by itself sees one moment. Raises as `read`."""
        with _faults_as_refusals(), self._asking.connect() as connection:
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
        with self._in_turn(), _faults_as_refusals(), self._writing.begin() as session:
            session.connection()
            self._own.session = session
            try:
                yield session
            finally:
                self._own.session = None

    def close(self) -> None:
        """Closes every idle connection."""
        self.engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=PATIENCE):
            raise Refusal("unavailable")
        try:
            yield
        finally:
            self._turn.release()


def table(model: type[Base]) -> Table:
    """The table of a model, for statements that are built once and run without the mapper."""
    return cast(Table, model.__table__)


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Executes an UPDATE or DELETE; how many rows it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, never by the driver
    for pragma in (
        f"busy_timeout = {PATIENCE * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what was erased is overwritten, not only unlinked
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    begins = connection.get_execution_options().get(_BEGINS, "BEGIN")
    if begins is not None:  # one query needs no transaction around it
        connection.exec_driver_sql(begins)


@contextmanager
def _faults_as_refusals() -> Iterator[None]:
    try:
        yield
    except PoolTimeout:
        raise Refusal("unavailable") from None
    except DBAPIError as error:
        primary = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if primary not in _REFUSALS:
            raise
        raise Refusal(_REFUSALS[primary]) from error
