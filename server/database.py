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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, cast

from sqlalchemy import (
    Connection, CursorResult, MetaData, PoolProxiedConnection, Table, UpdateBase, create_engine, event, make_url,
    text,
)
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.expression import ClauseElement

from server.problems import Refusal

PATIENCE = 10
"""Seconds that a write waits for its turn before the answer is `unavailable`."""
HURRY = 1
"""Seconds that emptying the log waits for readers; everybody who writes waits with it."""
LOOKS = 0.001
"""Seconds between two looks of the one who is next, until the lock is free."""

_NAMED = SQLiteDialect_pysqlite(paramstyle="named")

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


class Prepared:
    """A statement that is spelled once, and then run by the driver itself: what every deposit runs (ADR 48).

    Its values are whole numbers, texts, bytes and None, which the driver takes and gives as they are.
    """

    def __init__(self, statement: ClauseElement) -> None:
        """`statement` may have values of its own; every `bindparam`, and every column of an INSERT, is None unless
        whoever runs it names it."""
        spelled = statement.compile(dialect=_NAMED)
        self._sql, self._values = str(spelled), spelled.params

    def run(self, connection: Connection, **values: Any) -> int:
        """Runs it in the connection's transaction; how many rows it changed. Raises DBAPIError."""
        return self._run(connection.connection, values)[1]

    def run_each(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """The same for each of the rows, in order; there may be none."""
        try:
            _driver_of(connection.connection).executemany(self._sql, [{**self._values, **row} for row in rows])
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """All that it finds, as the connection's transaction sees it. Raises DBAPIError."""
        return self._run(connection.connection, values)[0]

    def rows_alone(self, pooled: PoolProxiedConnection, **values: Any) -> list[tuple[Any, ...]]:
        """The same on a connection without a transaction."""
        return self._run(pooled, values)[0]

    def _run(self, pooled: PoolProxiedConnection, values: Mapping[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
        try:
            cursor = _driver_of(pooled).execute(self._sql, {**self._values, **values})
            return cursor.fetchall(), cursor.rowcount
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: sqlite3.Error) -> DBAPIError:
        """What SQLAlchemy makes of a fault of the driver."""
        return DBAPIError(self._sql, None, error, hide_parameters=True)


_BEGIN = Prepared(text("BEGIN IMMEDIATE"))
_EMPTY_LOG = Prepared(text("PRAGMA wal_checkpoint(TRUNCATE)"))
"""Answers with one row, whose first column says whether somebody was in its way."""


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
        self._kept: Connection | None = None
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

    def first(self, query: Prepared, **values: Any) -> tuple[Any, ...] | None:
        """The first row that one query finds, which by itself sees one moment. Raises as `read`."""
        with _faults_as_refusals(), closing(self.engine.raw_connection()) as pooled:
            return next(iter(query.rows_alone(pooled, **values)), None)

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
        with self._in_turn(), _faults_as_refusals(), self._kept_open() as connection:
            with self._door.passing():
                while not _lock(connection, until):
                    time.sleep(LOOKS)
            connection.begin()
            with _session_on(connection) as session:
                self._own.session = session
                try:
                    yield session
                    session.flush()
                finally:
                    self._own.session = None
                connection.commit()

    def empty_log(self) -> bool:
        """Brings what the write-ahead log holds into the database, and empties it: until then what was erased can
        still be read in the log's file. Whether that could be done: somebody may be reading what is older, and the
        next time will do. Never raises a Refusal: what was erased is durable. Not within a write.
        """
        is_busy, until = True, time.monotonic() + HURRY
        with suppress(Refusal), self._in_turn(), _faults_as_refusals(), self._kept_open() as connection:
            with self._door.passing():
                while (is_busy := _EMPTY_LOG.rows_alone(connection.connection)[0][0]) and time.monotonic() < until:
                    time.sleep(LOOKS)
        return not is_busy

    def close(self) -> None:
        """Closes every idle connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self.engine.dispose()
        self._writer.dispose()
        self._door.close()

    @contextmanager
    def _kept_open(self) -> Iterator[Connection]:
        """The connection for writing, which is there for the next write if this one was committed."""
        connection, self._kept = self._kept or self._writer.connect(), None
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._kept = connection

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


def flaws(session: Session) -> Iterator[str]:
    """One sentence for each thing that SQLite itself finds damaged, and for each row whose other row is gone: of which
    table it is, never what stands in it."""
    connection = connection_of(session)
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if said != "ok":
            yield f"the database: {said}"
    for name, _, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"a row of {name} belongs to one of {other} that is not there"


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Executes an UPDATE or DELETE; how many rows it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _session_on(connection: Connection) -> Session:
    """What it does belongs to the connection's transaction, which whoever opened that ends."""
    return Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only")


def _driver_of(pooled: PoolProxiedConnection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, pooled.driver_connection)


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
        _BEGIN.run(connection)
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
    except (DBAPIError, sqlite3.Error) as error:  # the driver's own: of a connection that could not be made
        if _code(error) not in _REFUSALS:
            raise
        raise Refusal(_REFUSALS[_code(error)]) from error


def _code(error: DBAPIError | sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error that has none."""
    code: int = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", 0)
    return code & 0xFF
