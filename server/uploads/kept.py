"""Blobs that are kept: how one becomes so, is read, proven, and erased.

Knows: that a blob is kept once, with a receipt, in a row or in the store. Refuses to know: units, HTTP, which item
names a blob (server.items), and whether an `account` is one or the holder of a box (server.boxes).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, union_all
from sqlalchemy.orm import Session, undefer

from schemas import limits
from server.boxes.models import DepositBlob
from server.boxes.space import give_space_back, take_space
from server.database import connection_of, table
from server.ledger.service import Deposited, Enter, Ledger
from server.parts import Parts
from server.problems import Refusal
from server.stores import BlobStore, NotKept
from server.uploads.models import Blob, Leftover, Upload

SMALLEST = limits.HEADER + 16
"""The length of a sealed message of no bytes."""
AT_ONCE = 500
"""Ids in one statement, files removed in one transaction."""

_ADD_BLOB = insert(table(Blob))
_KEPT = select(Blob.account, Blob.size, Blob.sha256).where(Blob.blob == bindparam("id"))
_TAKEN = union_all(
    select(Upload.blob).where(Upload.blob == bindparam("id")),
    select(Leftover.blob).where(Leftover.blob == bindparam("id")),
    select(DepositBlob.blob).where(DepositBlob.blob == bindparam("id")),
)


@dataclass(frozen=True)
class Content:
    """A kept blob, ready to be read."""

    size: int
    sha256: bytes
    data: bytes | None
    _blob: bytes
    _store: BlobStore

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) in pieces. Raises Refusal `unavailable` if the store does not have them (now)."""
        if self.data is not None:
            return iter([self.data[start:stop]])
        try:
            return self._store.read(self._blob, start, stop)
        except NotKept:
            raise Refusal("unavailable") from None


def keep_blob(vault: Parts, account: bytes, blob: bytes, data: bytes) -> dict[str, Any]:
    """Keeps a blob of one unit or less, as schemas.uploads.KeptBlob; the same bytes again give the same deposit.

    Raises Refusal `invalid` for bytes that nothing was sealed in, `blob_conflict`, `quota_full`, `storage_full`.
    """
    if len(data) < SMALLEST:
        raise Refusal("invalid", fields={"body": ["Too short for a sealed blob."]})
    digest = sha256(data).digest()

    def work(session: Session, enter: Enter) -> Deposited | None:
        if find_same(session, account, blob, len(data), digest):
            return None
        require_free(session, blob)
        take_space(session, account, len(data), vault.config.quota)
        return insert_blob(vault, session, enter, account, blob, len(data), digest, data)

    return answer(vault, account, blob, vault.ledger.commit(work))


def find_same(session: Session, account: bytes, blob: bytes, size: int, sha256: bytes) -> bool:
    """Whether this very blob is kept. Raises Refusal `blob_conflict` if something else is, or somebody else's."""
    kept = connection_of(session).execute(_KEPT, {"id": blob}).first()
    if kept is not None and tuple(kept) != (account, size, sha256):
        raise Refusal("blob_conflict")
    return kept is not None


def require_free(session: Session, blob: bytes) -> None:
    """Raises Refusal `blob_conflict` if the id is on its way in, its bytes not yet out, or if a deposit named it once:
    whoever sent that must not learn by the id being free that it was erased."""
    if connection_of(session).execute(_TAKEN, {"id": blob}).first() is not None:
        raise Refusal("blob_conflict")


def insert_blob(
    vault: Parts, session: Session, enter: Enter, account: bytes, blob: bytes, size: int, sha256: bytes,
    data: bytes | None,
) -> Deposited:
    """The row of a blob and its entry in the ledger."""
    (deposit,) = enter([(sha256, size)])
    vault.steps.reach("deposit.entries")
    row = {"blob": blob, "account": account, "size": size, "sha256": sha256, "created": deposit.time, "data": data}
    connection_of(session).execute(_ADD_BLOB, {**row, "deposit": deposit.index})
    vault.steps.reach("deposit.rows")
    return deposit


def answer(vault: Parts, account: bytes, blob: bytes, deposit: Deposited | None) -> dict[str, Any]:
    """As schemas.uploads.KeptBlob: of a deposit made just now, or (None) of one made before."""
    if deposit is None:
        deposit = prove_blob(vault, account, blob)
    made = deposit.commitment
    return {"blob": blob, "size": made.size, "sha256": made.sha256, "deposited": made.time, "receipt": deposit.receipt}


def prove_blob(vault: Parts, account: bytes, blob: bytes) -> Deposited:
    """The deposit of a kept blob, its receipt brought up to date. Raises Refusal `not_found`."""
    with vault.database.read() as session:
        return vault.ledger.receipt(session, find_blob(session, account, blob).deposit)


def find_blob(session: Session, account: bytes, blob: bytes) -> Blob:
    """The account's own kept blob. Raises Refusal `not_found`, whether it is nobody's or somebody else's."""
    kept = session.get(Blob, blob)
    if kept is None or kept.account != account:
        raise Refusal("not_found")
    return kept


def open_blob(vault: Parts, account: bytes, blob: bytes) -> Content:
    """Raises Refusal `not_found`."""
    with vault.database.read() as session:
        kept = session.get(Blob, blob, options=[undefer(Blob.data)])
        if kept is None or kept.account != account:
            raise Refusal("not_found")
        return Content(kept.size, kept.sha256, kept.data, blob, vault.store)


def missing_blobs(session: Session, account: bytes, blobs: Collection[bytes]) -> list[bytes]:
    """Those that the account does not keep, in order of their ids."""
    kept = {
        found
        for some in _batches(blobs)
        for found in session.scalars(select(Blob.blob).where(Blob.account == account, Blob.blob.in_(some)))
    }
    return sorted(set(blobs) - kept)


def erase_blobs(ledger: Ledger, session: Session, account: bytes, blobs: Collection[bytes]) -> None:
    """Those that the account keeps go at once: rows, nonces, space; what is in the store with the next `sweep`."""
    for some in _batches(blobs):
        rows = session.execute(
            select(Blob.blob, Blob.size, Blob.deposit, Blob.data.is_(None)).where(
                Blob.account == account, Blob.blob.in_(some)
            )
        ).all()
        ledger.forget(session, [deposit for _, _, deposit, _ in rows])
        session.execute(delete(Blob).where(Blob.blob.in_([blob for blob, _, _, _ in rows])))
        session.add_all(Leftover(blob=blob) for blob, _, _, is_stored in rows if is_stored)
        give_space_back(session, account, sum(size for _, size, _, _ in rows), len(rows))


def sweep(vault: Parts) -> None:
    """Removes from the store what no row names any more, and from the database's log what was erased from its tables.

    In a write of its own: while it runs nobody can take one of the ids into use.
    """

    def work(session: Session, _enter: Enter) -> int:
        found = session.scalars(select(Leftover.blob).limit(AT_ONCE)).all()
        for blob in found:
            vault.store.discard(blob)
            vault.store.delete(blob)
        session.execute(delete(Leftover).where(Leftover.blob.in_(found)))
        return len(found)

    while vault.ledger.commit(work) == AT_ONCE:
        pass
    vault.store.sweep()
    vault.database.empty_log()


def _batches(blobs: Collection[bytes]) -> Iterator[list[bytes]]:
    ids = sorted(set(blobs))
    return (ids[at:at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
