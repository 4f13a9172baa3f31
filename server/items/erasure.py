"""Carries tombstones out.

Knows: what an erased item keeps (its links, the tombstone itself), which blobs go with it, and that every device has to
hear of it: an erased revision takes a new place in the sync. Refuses to know: who asked, and whether it is time.
"""

from __future__ import annotations

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import ID_SIZE
from server.accounts.service import give_space_back
from server.boxes.ending import is_undecided
from server.database import table
from server.items.models import Item, NamedBlob, Revision
from server.journal.service import note
from server.ledger.service import Enter
from server.parts import Parts
from server.shares.ending import forget_records
from server.uploads.kept import AT_ONCE, erase_blobs
from server.uploads.models import Blob


def erase_item(vault: Parts, session: Session, account: bytes, item: bytes, tombstone: int) -> None:
    """Erases every revision before `tombstone`, which is the newest, and the blobs that it names and nobody else does.

    The caller has to `sweep` once that is durable.
    """
    before = (Revision.item == item, Revision.revision < tombstone, Revision.record.is_not(None))
    rows = session.execute(
        select(
            Revision.revision, Revision.size, Revision.deposit, Revision.deposited, Revision.erases, Revision.link
        ).where(*before).order_by(Revision.revision)
    ).all()
    vault.ledger.forget(session, [row.deposit for row in rows if row.deposit is not None])
    give_space_back(session, account, sum(row.size for row in rows))
    session.execute(delete(NamedBlob).where(NamedBlob.item == item, NamedBlob.revision < tombstone))
    session.execute(delete(Revision).where(*before))
    erased = [
        {
            "account": account, "item": item, "revision": row.revision, "deposited": row.deposited, "size": 0,
            "erases": row.erases, "link": row.link,
        }
        for row in rows
    ]
    if erased:
        session.execute(insert(table(Revision)), erased)
    forget_records(session, item, tombstone, vault.clock.now())
    packed = session.scalar(select(Revision.erases).where(Revision.item == item, Revision.revision == tombstone))
    doomed = set(unpack_ids(packed or b""))
    erase_blobs(vault.ledger, session, account, doomed - _named(session, doomed))
    session.execute(update(Item).where(Item.item == item).values(erase_at=None))
    note(session, "item", item)
    vault.steps.reach("item.erase")


def erase_if_due(vault: Parts, item: bytes, now: int, session: Session, _enter: Enter) -> None:
    """A work for the ledger. The caller has to `sweep`."""
    found = session.execute(select(Item.account, Item.revision).where(Item.item == item, Item.erase_at <= now)).first()
    if found is not None:  # nobody has undone it since
        erase_item(vault, session, found.account, item, found.revision)


def erase_unnamed(vault: Parts, last: int, session: Session, _enter: Enter) -> int:
    """A work for the ledger: erases up to AT_ONCE blobs that neither an item nor a deposit that waits
    names, kept at `last` or before; says how many.

    The caller has to `sweep`.
    """
    is_named = exists().where(NamedBlob.blob == Blob.blob)
    query = select(Blob.account, Blob.blob).where(Blob.created <= last, ~is_named, ~is_undecided()).limit(AT_ONCE)
    by_account: dict[bytes, list[bytes]] = {}
    for account, blob in session.execute(query):
        by_account.setdefault(account, []).append(blob)
    for account, blobs in by_account.items():
        erase_blobs(vault.ledger, session, account, blobs)
    return sum(map(len, by_account.values()))


def pack_ids(ids: list[bytes]) -> bytes:
    return b"".join(ids)


def unpack_ids(packed: bytes) -> list[bytes]:
    return [packed[at:at + ID_SIZE] for at in range(0, len(packed), ID_SIZE)]


def _named(session: Session, blobs: set[bytes]) -> set[bytes]:
    """Those that a revision which is not erased names, or a deposit that waits."""
    is_named = exists().where(NamedBlob.blob == Blob.blob) | is_undecided()
    return set(session.scalars(select(Blob.blob).where(Blob.blob.in_(blobs), is_named)))
