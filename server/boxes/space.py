"""Room for blobs, whoever they are kept for: an account, or a box, which takes it from its account as well.

Knows: what bounds a box (protocol §7): bytes and blobs in all, each in one statement that counts or doesn't.
Refuses to know: blobs. To whoever puts something in, a full vault is a full box: how full a vault is, is the person's.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas import limits
from server.accounts import service as accounts
from server.boxes.models import Box
from server.database import rows_changed
from server.problems import Refusal

BLOBS = limits.DEPOSIT_BLOBS + 1
"""Of one deposit: the words, and its files. A box takes so many for each deposit: bytes alone would let in a row for
every few of them."""


def take_space(session: Session, owner: bytes, size: int, quota: int) -> None:
    """Counts one more blob of `size` bytes, in the caller's transaction. Raises Refusal `quota_full` or `box_full`."""
    if accounts.claim_space(session, owner, size, quota):
        return
    account = session.scalar(select(Box.account).where(Box.holder == owner))
    if account is None:
        raise Refusal("quota_full")
    free = update(Box).where(Box.holder == owner, Box.used + size <= Box.room, Box.pieces < Box.deposits * BLOBS)
    has_room = rows_changed(session, free.values(used=Box.used + size, pieces=Box.pieces + 1))
    if not has_room or not accounts.claim_space(session, account, size, quota):
        raise Refusal("box_full")


def give_space_back(session: Session, owner: bytes, size: int, pieces: int = 1) -> None:
    """Counts `pieces` blobs of `size` bytes together less, in the caller's transaction."""
    less = {"used": Box.used - size, "pieces": Box.pieces - pieces}
    account = session.scalar(update(Box).where(Box.holder == owner).values(less).returning(Box.account))
    accounts.give_space_back(session, owner if account is None else account, size)
