"""What this device has received of an account, and what waits to be sent: sealed rows, as they came and as they go.

Knows: SQLite, and which bytes under one id may take the place of which. Refuses to know: keys; all of it is sealed.
A record that the vault says is erased is kept here until the account's own tombstones explain it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from client_sdk.errors import DeviceNewer
from client_sdk.home import sync_folder
from crypto_core.encoding import ID_SIZE

_SCHEMA = """
CREATE TABLE IF NOT EXISTS revisions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, item BLOB NOT NULL, revision INTEGER NOT NULL, deposited INTEGER NOT NULL,
    wrap BLOB, link BLOB NOT NULL, record BLOB, blobs BLOB NOT NULL, erases BLOB, gone INTEGER NOT NULL,
    pass INTEGER NOT NULL, UNIQUE (item, revision));
CREATE TABLE IF NOT EXISTS receipts (name TEXT NOT NULL PRIMARY KEY, receipt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
"""
_VERSION = 0
"""SQLite's `user_version`: a program with other tables raises it, and from then on those that know less keep off."""
_sync = getattr(os, "fdatasync", os.fsync)
_COLUMNS = "seq, item, revision, deposited, wrap, link, record, blobs, erases, gone, pass"


@dataclass(frozen=True, slots=True)
class Row:
    """One revision. `wrap` and `record` are None once erased; `gone`: the vault no longer gives them.

    `erases`: what a tombstone takes with it, None for any other revision.
    """

    seq: int
    item: bytes
    revision: int
    deposited: int
    wrap: bytes | None
    link: bytes
    record: bytes | None
    blobs: tuple[bytes, ...]
    erases: tuple[bytes, ...] | None
    gone: bool
    pass_: int


class Replica:
    """The rows of one account, in one file. `writing` groups changes into one transaction."""

    def __init__(self, path: Path) -> None:
        """Raises DeviceNewer for tables that this program doesn't know."""
        if not path.exists():
            path.touch(mode=0o600)
            sync_folder(path.parent)
        self._path, self._log = path, -1
        self._line, self._settling = ThreadPoolExecutor(1), list[Future[None]]()
        self._unsynced = False
        """Whether something begins to wait that no sync was asked for yet."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        if self._db.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
            self._db.close()
            raise DeviceNewer()
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")  # what a crash takes from the end, the next sync brings again
        self._db.execute("PRAGMA secure_delete = ON")  # what is erased leaves the file, too
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._line.shutdown()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it on disk at the end, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._unsynced = False
            raise
        self._db.execute("COMMIT")
        self._begin_to_settle()

    def receive(self, revision: Mapping[str, Any], pass_: int) -> bool:
        """Takes one revision in, by the names of schemas.items.Revision; False if it contradicts what is here.

        Bytes that are here are never overwritten by others, and missing ones are filled in. `blobs` may be ids or
        NamedBlob, and are those that the vault has now, as long as it has the record.
        """
        known = self.row(revision["item"], revision["revision"])
        if known is None:
            self._insert(revision, pass_)
            return True
        if not _agrees(known, revision):
            return False
        gone = revision["record"] is None
        blobs = _joined(known.blobs if gone else revision["blobs"])
        fills = any(getattr(known, name) is None and revision[name] is not None for name in ("wrap", "record"))
        if fills or known.pass_ != pass_ or known.gone != gone or _joined(known.blobs) != blobs:
            self._db.execute(
                "UPDATE revisions SET pass = ?, gone = ?, wrap = coalesce(wrap, ?), record = coalesce(record, ?), "
                "blobs = ? WHERE seq = ?", (pass_, gone, revision["wrap"], revision["record"], blobs, known.seq),
            )
        return True

    def erase(self, row: Row) -> None:
        """Lets go of a record that the account itself has ended, and with it of the keys of its contents; and of the
        receipts of whatever nothing else here holds."""
        self._db.execute("UPDATE revisions SET wrap = NULL, record = NULL WHERE seq = ?", (row.seq,))
        alone = [blob.hex() for blob in row.blobs if not self._holds(blob)]
        for name in (record_name(row.item, row.revision), *alone):
            self._db.execute("DELETE FROM receipts WHERE name = ?", (name,))

    def drop(self, row: Row) -> None:
        """Lets go of bytes that were never what they should be, so that others may take their place."""
        self._db.execute("DELETE FROM revisions WHERE seq = ?", (row.seq,))

    def row(self, item: bytes, revision: int) -> Row | None:
        """One revision, None if it isn't here."""
        return next(self._rows("WHERE item = ? AND revision = ?", (item, revision)), None)

    def newest(self, item: bytes) -> Row | None:
        """The newest revision of an item, None if there is none."""
        return next(self._rows("WHERE item = ? ORDER BY revision DESC LIMIT 1", (item,)), None)

    def history(self, item: bytes) -> list[Row]:
        """Every revision of an item, the oldest first."""
        return list(self._rows("WHERE item = ? ORDER BY revision", (item,)))

    def newest_of_each(self) -> Iterator[Row]:
        """The newest revision of every item, in the order in which items began."""
        yield from self._rows(
            "AS r WHERE revision = (SELECT max(revision) FROM revisions WHERE item = r.item) "
            "ORDER BY (SELECT min(seq) FROM revisions WHERE item = r.item)", (),
        )

    def since(self, seq: int) -> Iterator[Row]:
        """Every revision that came after the row `seq`, in that order."""
        yield from self._rows("WHERE seq > ? ORDER BY seq", (seq,))

    def gone(self) -> list[Row]:
        """Revisions that came without their record."""
        return list(self._rows("WHERE gone = 1", ()))

    def tombstones(self) -> list[Row]:
        """Revisions that the vault was told are tombstones."""
        return list(self._rows("WHERE erases IS NOT NULL AND record IS NOT NULL", ()))

    def not_seen_in(self, pass_: int) -> list[Row]:
        """Revisions that a full pass did not show."""
        return list(self._rows("WHERE pass < ? ORDER BY seq", (pass_,)))

    def names(self, blob: bytes) -> bool:
        """Whether a revision names this blob."""
        return any(blob in row.blobs for row in self._rows("WHERE instr(blobs, ?)", (blob,)))

    def keep_receipt(self, name: str, receipt: str) -> None:
        """A receipt that verified, under its blob's name."""
        self._db.execute("INSERT OR REPLACE INTO receipts VALUES (?, ?)", (name, receipt))

    def receipt(self, name: str) -> str | None:
        """A receipt kept before, None if there is none."""
        found = self._db.execute("SELECT receipt FROM receipts WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def keep_waiting(self, sealed: bytes, number: int | None = None) -> int:
        """What waits to be sent, after all that waits already, or in the place of another; gives its place.

        There for every process, and on its way to the disk (`settle`), when this returns; inside `writing`, once that
        is over.
        """
        self._db.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?)", (number, sealed))
        place = int(self._db.execute("SELECT last_insert_rowid()").fetchone()[0])
        self._unsynced = True
        if not self._db.in_transaction:
            self._begin_to_settle()
        return place

    def settle(self) -> None:
        """Returns once all that waits to be sent is on the disk, whatever happens to the machine. Raises OSError."""
        while self._settling:
            self._settling.pop().result()

    def waiting(self) -> list[tuple[int, bytes]]:
        """What waits to be sent, by its place, the oldest first."""
        return self._db.execute("SELECT number, sealed FROM outbox ORDER BY number").fetchall()

    def drop_waiting(self, number: int) -> None:
        """Lets go of what waits no longer."""
        self._db.execute("DELETE FROM outbox WHERE number = ?", (number,))

    def set_fact(self, name: str, value: bytes | int | str) -> None:
        """One small thing to remember."""
        self.set_facts({name: value})

    def set_facts(self, facts: Mapping[str, bytes | int | str]) -> None:
        """Small things to remember, all of them or none."""
        rows = ", ".join(["(?, ?)"] * len(facts))
        self._db.execute(f"INSERT OR REPLACE INTO facts VALUES {rows}", tuple(chain.from_iterable(facts.items())))

    def fact(self, name: str) -> Any:
        """What was set under this name last, None if nothing was."""
        found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if found is None else found[0]

    def remember_account(self, n: int, digest: bytes, readable: bytes | None) -> None:
        """The newest account record seen: its number and SHA-256; and its sealed bytes, where they can be read."""
        self.set_fact("account_n", n)
        self.set_fact("account_hash", digest)
        if readable is not None:
            self.set_fact("account_record", readable)
            self.set_fact("account_record_n", n)

    def _begin_to_settle(self) -> None:
        if not self._unsynced:
            return
        self._unsynced = False
        if self._log < 0:  # SQLite syncs no more of a commit than this file, and keeps it as long as it is open
            self._log = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        self._settling.append(self._line.submit(_sync, self._log))

    def _holds(self, blob: bytes) -> bool:
        named = self._rows("WHERE record IS NOT NULL AND instr(blobs, ?)", (blob,))
        return any(blob in row.blobs for row in named)

    def _insert(self, revision: Mapping[str, Any], pass_: int) -> None:
        self._db.execute(
            f"INSERT INTO revisions ({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                revision["item"], revision["revision"], revision["deposited"], revision["wrap"], revision["link"],
                revision["record"], _joined(revision["blobs"]), _joined(revision["erases"]),
                revision["record"] is None, pass_,
            ),
        )

    def _rows(self, where: str, values: tuple[Any, ...]) -> Iterator[Row]:
        cursor = self._db.execute(f"SELECT {_COLUMNS} FROM revisions {where}", values)
        for seq, item, revision, deposited, wrap, link, record, blobs, erases, gone, pass_ in cursor:
            yield Row(
                seq, item, revision, deposited, wrap, link, record, _split(blobs),
                None if erases is None else _split(erases), bool(gone), pass_,
            )


def record_name(item: bytes, revision: int) -> str:
    """What a record's receipt is kept under, and what its sealed file is called in an export."""
    return f"{item.hex()}-{revision}"


def _agrees(known: Row, revision: Mapping[str, Any]) -> bool:
    pairs = ((known.wrap, revision["wrap"]), (known.record, revision["record"]))
    return known.link == revision["link"] and all(old == new or old is None or new is None for old, new in pairs)


def _joined(blobs: Iterable[Any] | None) -> bytes | None:
    if blobs is None:
        return None
    return b"".join(one if isinstance(one, bytes) else one["blob"] for one in blobs)


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + ID_SIZE] for start in range(0, len(joined), ID_SIZE))
