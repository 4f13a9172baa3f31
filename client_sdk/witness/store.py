"""What a witness has seen: one row for each ledger, and the door that checks and writes in one step.

Knows: SQLite. Refuses to know: which checkpoint may follow which; whoever asks brings that.
Several threads and processes may hold one file: whoever advances has the write lock from before it reads until its
row is on disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from crypto_core.receipts.checkpoint import Checkpoint
from client_sdk.witness.steps import Steps

PATIENCE = 10
"""Seconds that one waits for its turn."""
_TABLE = """
CREATE TABLE seen (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL
) WITHOUT ROWID
"""


class Seen(NamedTuple):
    """The newest checkpoint of a ledger that was cosigned, and the signed note that it came in."""

    checkpoint: Checkpoint
    note: str


class Store:
    """The rows of one file, which has to be there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path) -> Store:
        """A new file without rows. Raises sqlite3.OperationalError if it has the table already."""
        path.touch(mode=0o600)
        made = cls(path)
        with made._connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE)
        return made

    def advance(self, origin: str, judge: Callable[[Seen | None], Seen], steps: Steps) -> None:
        """Replaces what was seen of `origin` by what `judge` makes of it, and is durable when it returns.

        What `judge` raises leaves everything as it was. Nobody else reads or writes between the two.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                following, note = judge(_read(connection, origin))
                steps.reach("witness.checked")
                connection.execute(
                    "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (origin, following.size, following.root, note)
                )
                steps.reach("witness.written")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def seen(self, origin: str) -> Seen | None:
        """The newest checkpoint of a ledger, None if there was none yet."""
        with self._connected() as connection:
            return _read(connection, origin)

    def all(self) -> list[Seen]:
        """The newest checkpoint of each ledger, by origin."""
        with self._connected() as connection:
            origins = [str(row[0]) for row in connection.execute("SELECT origin FROM seen ORDER BY origin")]
            return [seen for origin in origins if (seen := _read(connection, origin)) is not None]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        place = f"{self._path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(place, PATIENCE, isolation_level=None, uri=True)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
        finally:
            connection.close()


def _read(connection: sqlite3.Connection, origin: str) -> Seen | None:
    row = connection.execute("SELECT size, root, note FROM seen WHERE origin = ?", (origin,)).fetchone()
    return None if row is None else Seen(Checkpoint(origin, int(row[0]), bytes(row[1])), str(row[2]))
