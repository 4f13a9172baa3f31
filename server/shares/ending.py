"""How a bundle ends: who ends it, and what is left.

Knows: what has to go so that nothing opens any more. Refuses to know: why it is to end, and HTTP.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from server.accounts.service import give_space_back
from server.guesses.codes import forget_code
from server.guesses.models import LinkCode
from server.journal.service import note
from server.parts import Parts
from server.shares.models import Bundle, BundleBlob, BundleRecord, Opening


def is_alive(now: int) -> ColumnElement[bool]:
    """What a bundle has to be for anything of it to be given."""
    return Bundle.ended.is_(None) & (Bundle.expires > now)


def end_bundle(session: Session, bundle: bytes, time: int, why: str) -> None:
    """Takes out of a bundle whatever opens it and names what was shared; its note and the times stay. One that has
    ended already is left as it is."""
    row = session.execute(
        select(Bundle.account, Bundle.size, Bundle.note).where(Bundle.bundle == bundle, Bundle.ended.is_(None))
    ).one_or_none()
    if row is None:
        return
    left = len(row.note)
    give_space_back(session, row.account, row.size - left)
    bare = {"ended": time, "why": why, "size": left, "cap_hash": None, "wrap": None, "seal": None}
    session.execute(update(Bundle).where(Bundle.bundle == bundle).values(bare))
    forget_code(session, bundle)
    session.execute(delete(BundleRecord).where(BundleRecord.bundle == bundle))
    session.execute(delete(BundleBlob).where(BundleBlob.bundle == bundle))
    session.execute(update(Opening).where(Opening.bundle == bundle).values(token=None))
    if why != "expired":  # which an old copy knows as well
        note(session, "bundle", bundle)


def end_for_reader(session: Session, reader: bytes, now: int) -> None:
    """Ends every bundle for a professional who is not listed any more."""
    bundles = session.scalars(select(Bundle.bundle).where(Bundle.reader == reader, Bundle.ended.is_(None))).all()
    for bundle in bundles:
        end_bundle(session, bundle, now, "unlisted")


def forget_records(session: Session, item: bytes, before: int, now: int) -> None:
    """The item's revisions below `before` were erased: no bundle names them, and one that names no record has ended."""
    named = BundleRecord.item == item, BundleRecord.revision < before
    bundles = session.scalars(select(BundleRecord.bundle).where(*named).distinct()).all()
    session.execute(delete(BundleRecord).where(*named))
    for bundle in bundles:
        if not session.scalar(select(exists().where(BundleRecord.bundle == bundle))):
            end_bundle(session, bundle, now, "erased")


def collect(vault: Parts) -> None:
    """Strips the bundles that have expired, and those whose last code was tried by somebody who was cut off."""
    now = vault.clock.now()
    with vault.database.write() as session:
        over = Bundle.ended.is_(None) & (Bundle.expires <= now)
        for bundle, expires in session.execute(select(Bundle.bundle, Bundle.expires).where(over)).all():
            end_bundle(session, bundle, expires, "expired")
        for bundle in session.scalars(select(LinkCode.bundle).where(LinkCode.share.is_(None))).all():
            end_bundle(session, bundle, now, "codes")
