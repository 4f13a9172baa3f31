"""What becomes of a box and of each deposit in it: accepted, refused, erased, over.

Knows: what goes with what, and when. Refuses to know: who decided, and HTTP.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from sqlalchemy import Exists, delete, exists, select, update
from sqlalchemy.orm import Session

from server.boxes.models import Box, BoxDeposit, DepositBlob, Visit
from server.items.models import NamedBlob
from server.journal.service import note
from server.ledger.service import Enter
from server.parts import Parts
from server.uploads.kept import erase_blobs, sweep
from server.uploads.models import Blob, Upload
from server.uploads.service import drop_uploads


def is_undecided() -> Exists:
    """Of a blob: whether a deposit that waits names it."""
    return exists().where(
        DepositBlob.blob == Blob.blob, DepositBlob.box == BoxDeposit.box, DepositBlob.deposit == BoxDeposit.deposit,
        BoxDeposit.became.is_(None),
    )


def accept_deposits(vault: Parts, session: Session, account: bytes, named: Collection[bytes]) -> None:
    """A revision that was just kept names these blobs: the deposits whose words are among them wait no more.

    The time in which a blob may go unnamed begins for their files only now, however long they waited.
    """
    waiting = select(BoxDeposit).join(Box).where(Box.account == account, BoxDeposit.became.is_(None))
    accepted = [one for one in session.scalars(waiting) if one.deposit in named]
    for one in accepted:
        blobs = select(DepositBlob.blob).where(DepositBlob.box == one.box, DepositBlob.deposit == one.deposit)
        session.execute(update(Blob).where(Blob.blob.in_(blobs)).values(created=vault.clock.now()))
        if one.erase_at is not None:
            note(session, "deposit", one.box + one.deposit)
        _settle(one, "accepted")
    if accepted:
        session.flush()
        vault.steps.reach("box.accepted")


def erase_deposit(vault: Parts, session: Session, account: bytes, deposit: BoxDeposit) -> None:
    """Erases what it brought, but for blobs that a live item names. The caller has to `sweep` once that is durable."""
    named = exists().where(NamedBlob.blob == DepositBlob.blob)
    doomed = session.scalars(
        select(DepositBlob.blob).where(
            DepositBlob.box == deposit.box, DepositBlob.deposit == deposit.deposit, ~named
        )
    ).all()
    erase_blobs(vault.ledger, session, account, doomed)
    _settle(deposit, "refused")
    session.flush()
    note(session, "deposit", deposit.box + deposit.deposit)
    vault.steps.reach("box.erased")


def end_box(vault: Parts, session: Session, box: Box, time: int, why: str) -> None:
    """Nobody enters it any more, and what no deposit names goes; one that has ended keeps when and why.

    The caller has to `sweep` once that is durable.
    """
    if box.ended is None:
        box.ended, box.why, box.cap_hash = time, why, None
        session.flush()
        if why != "expired":  # which an old copy knows as well
            note(session, "box", box.box)
    session.execute(delete(Visit).where(Visit.box == box.box))
    drop_uploads(session, box.holder)
    erase_blobs(
        vault.ledger, session, box.holder, session.scalars(select(Blob.blob).where(Blob.account == box.holder)).all()
    )


def collect(vault: Parts) -> None:
    """Ends the boxes that have expired, drops what came into one as it ended, carries out the refusals that are due."""
    now = vault.clock.now()
    is_left = exists().where(Upload.account == Box.holder) | exists().where(Blob.account == Box.holder)
    over = Box.ended.is_(None) & (Box.expires <= now) | Box.ended.is_not(None) & is_left
    with vault.database.write() as session:
        session.execute(delete(Visit).where(Visit.expires <= now))
        boxes = session.scalars(select(Box.box).where(over)).all()
        due = session.execute(select(BoxDeposit.box, BoxDeposit.deposit).where(BoxDeposit.erase_at <= now)).all()
    for box in boxes:
        vault.ledger.commit(partial(_end, vault, box))
    for box, deposit in due:
        vault.ledger.commit(partial(_erase_if_due, vault, box, deposit, now))
    if boxes or due:
        sweep(vault)


def _settle(deposit: BoxDeposit, became: str) -> None:
    deposit.became, deposit.key, deposit.erase_at = became, None, None


def _end(vault: Parts, box: bytes, session: Session, _enter: Enter) -> None:
    row = session.get(Box, box)
    if row is not None:
        end_box(vault, session, row, row.expires, "expired")


def _erase_if_due(vault: Parts, box: bytes, deposit: bytes, now: int, session: Session, _enter: Enter) -> None:
    found = session.execute(
        select(BoxDeposit, Box.account).join(Box).where(
            BoxDeposit.box == box, BoxDeposit.deposit == deposit, BoxDeposit.erase_at <= now
        )
    ).first()
    if found is not None:  # nobody has accepted it since
        erase_deposit(vault, session, found.account, found.BoxDeposit)
