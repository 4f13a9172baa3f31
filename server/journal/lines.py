"""What a line of the journal holds of each kind of thing: the rows as they came to be, and nothing in clear.

Knows: which rows of the vault must not be older than they were. Refuses to know: when a line is written, and how a
copy is put right by it (server.journal.replay). A line is made from the rows that stand, never from what was done: so
it is right whoever did it, and however often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, select
from sqlalchemy.orm import Session

from crypto_core.encoding import ID_SIZE, format_b64url, parse_b64url, u64
from server.accounts.models import Account, Recovery
from server.boxes.models import Box, BoxDeposit
from server.database import Base, table
from server.directory.models import DirectoryCheckpoint, DirectoryEntry, Professional
from server.items.models import Item, Revision
from server.shares.models import Bundle

OWN = {"used", "last_opened"}
"""Columns of an account that are counted from what the database holds, and so are the copy's own."""
SEALED = {"wrap", "record"}
"""Columns of a revision that hold what somebody wrote; of those the journal keeps a tombstone's, and as long as a
deletion waits, what it can still be taken back to."""


@dataclass(frozen=True)
class Made:
    """A line's value, and the account it goes with; None for what belongs to nobody."""

    account: bytes | None
    value: dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """`read` makes the line of one thing, None if there is nothing to be kept of it; `keys` finds them all."""

    read: Callable[[Session, bytes], Made | None]
    keys: Callable[[Session], Iterable[bytes]]


def dump_row(row: Base, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """A row's columns as JSON has them, bytes in base64url."""
    values = {column.name: getattr(row, column.name) for column in table(type(row)).columns}
    return {
        name: format_b64url(value) if isinstance(value, bytes) else value
        for name, value in values.items() if name not in without
    }


def load_row(model: type[Base], value: dict[str, Any]) -> dict[str, Any]:
    """What `dump_row` made, for the columns of today."""
    columns = {column.name: isinstance(column.type, LargeBinary) for column in table(model).columns}
    return {
        name: parse_b64url(one) if columns[name] and one is not None else one
        for name, one in value.items() if name in columns
    }


def _account(session: Session, key: bytes) -> Made | None:
    row, recovery = session.get(Account, key), session.get(Recovery, key)
    if row is None or recovery is None:
        return None
    return Made(key, {"account": dump_row(row, without=OWN), "recovery": dump_row(recovery)})


def _professional(session: Session, key: bytes) -> Made | None:
    row = session.get(Professional, key)
    return None if row is None else Made(key, dump_row(row))


def _entry(session: Session, key: bytes) -> Made | None:
    """An entry of the directory, with the checkpoint that was signed for it: public, and only ever added to."""
    index = int.from_bytes(key, "big")
    entry, signed = session.get_one(DirectoryEntry, index), session.get_one(DirectoryCheckpoint, index + 1)
    return Made(None, {"entry": dump_row(entry), "checkpoint": dump_row(signed)})


def _item(session: Session, key: bytes) -> Made | None:
    """Of an item that was deleted: every place in it, and the tombstones, of which one was carried out last, and one
    may be waiting for its time. Until then what was written after the former goes with it: it can be taken back."""
    item = session.get(Item, key)
    rows = session.scalars(select(Revision).where(Revision.item == key).order_by(Revision.revision)).all()
    first = next((row for row in rows if row.record is not None), None)
    erased_by = first.revision if first is not None and first.erases is not None and first.revision > 1 else None
    erase_at = None if item is None else item.erase_at
    last = rows[-1].revision if erase_at is not None else erased_by
    if last is None:
        return None
    bare, since = {"seq", "account", "item", "sha256", "deposit"}, erased_by or 1
    places = [dump_row(row, without=bare if row.revision >= since else bare | SEALED) for row in rows[:last]]
    return Made(rows[0].account, {"erased_by": erased_by, "erase_at": erase_at, "revisions": places})


def _bundle(session: Session, key: bytes) -> Made | None:
    row = session.get(Bundle, key)
    return None if row is None or row.ended is None else Made(row.account, {"ended": row.ended, "why": row.why})


def _box(session: Session, key: bytes) -> Made | None:
    row = session.get(Box, key)
    return None if row is None or row.ended is None else Made(row.account, {"ended": row.ended, "why": row.why})


def _deposit(session: Session, key: bytes) -> Made | None:
    """Of one that was refused: when that is to be carried out, or null once it was."""
    row = session.get(BoxDeposit, (key[:ID_SIZE], key[ID_SIZE:]))
    if row is None or row.became != "refused" and row.erase_at is None:
        return None
    return Made(session.scalars(select(Box.account).where(Box.box == row.box)).one(), {"erase_at": row.erase_at})


def _all(column: Any, *where: ColumnElement[bool]) -> Callable[[Session], Iterable[bytes]]:
    query = select(column).where(*where)
    return lambda session: session.scalars(query)


def _entries(session: Session) -> Iterable[bytes]:
    return [u64(index) for index in session.scalars(select(DirectoryEntry.index))]


def _refused(session: Session) -> Iterable[bytes]:
    refused = (BoxDeposit.became == "refused") | BoxDeposit.erase_at.is_not(None)
    query = select(BoxDeposit.box, BoxDeposit.deposit).where(refused)
    return [box + deposit for box, deposit in session.execute(query)]


def _deleted(session: Session) -> Iterable[bytes]:
    has_erased = Item.item.in_(select(Revision.item).where(Revision.record.is_(None)))
    return session.scalars(select(Item.item).where(has_erased | Item.erase_at.is_not(None)))


KINDS: dict[str, Kind] = {
    "account": Kind(_account, _all(Account.account)),
    "entry": Kind(_entry, _entries),
    "professional": Kind(_professional, _all(Professional.account)),
    "item": Kind(_item, _deleted),
    "bundle": Kind(_bundle, _all(Bundle.bundle, Bundle.ended.is_not(None))),
    "box": Kind(_box, _all(Box.box, Box.ended.is_not(None))),
    "deposit": Kind(_deposit, _refused),
}
"""In the order in which a copy is put right by them: who is listed has an account and an entry. An account that is gone
has a line of its own kind, GONE, from its last change on."""
GONE = "gone"
"""Under the SHA-256 of an account that was erased: a journal that is read names nobody who has left."""
