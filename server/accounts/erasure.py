"""Erases an account: what opens it at once, then all that is kept for it.

Knows: protocol §8, "Delete account", and what lies in every other room under an account's name. Refuses to know: who
asked. What opens the account goes in one transaction; from then on nobody is let in, and nothing more can be kept for
it. The rest goes in works of bounded length, so that nobody else waits long, and the next collection goes on where a
process died: the account stands among the departed until nothing is left.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Challenge, Departed
from server.boxes.models import Box
from server.database import table
from server.directory.models import Professional
from server.items.models import Item, NamedBlob, Revision
from server.journal.service import follow, note
from server.ledger.service import Enter
from server.parts import Parts
from server.problems import Refusal
from server.uploads.kept import AT_ONCE, erase_blobs, sweep
from server.uploads.models import Blob
from server.uploads.service import drop_uploads

_FORGET_NAMES = delete(table(NamedBlob)).where(
    NamedBlob.item == bindparam("named_by"), NamedBlob.revision == bindparam("number")
)


def erase_account(vault: Parts, account: bytes) -> None:
    """Erases the account with items, blobs, bundles and boxes; nothing of it is left when this returns.

    In the ledger stay the blinded entries, which name nobody. Raises Refusal `account_listed` while it stands in the
    directory, or `unauthorized` if there is none any more; nothing is erased then.
    """
    vault.ledger.commit(partial(close_account, vault, account))
    follow(vault)
    collect(vault)


def collect(vault: Parts) -> None:
    """Erases what is left of the departed."""
    with vault.database.read() as session:
        owners = session.scalars(select(Departed.owner)).all()
    for owner in owners:
        while vault.ledger.commit(partial(_erase_some, vault, owner)):
            pass
    if owners:
        sweep(vault)


def close_account(vault: Parts, account: bytes, session: Session, _enter: Enter) -> None:
    """A work for the ledger: whatever opens the account, or anything of it, goes. The caller has to `collect`."""
    row = session.get(Account, account)
    if row is None:
        raise Refusal("unauthorized")
    standing = session.get(Professional, account)
    if standing is not None:
        if standing.entry is not None:
            raise Refusal("account_listed")
        session.delete(standing)
        session.flush()
    owners = [account, *session.scalars(select(Box.holder).where(Box.account == account))]
    for owner in owners:
        drop_uploads(session, owner)
    session.add_all(Departed(owner=owner) for owner in owners)
    session.execute(delete(Challenge).where(Challenge.lookup == row.lookup))
    session.flush()
    session.execute(delete(Account).where(Account.account == account))
    note(session, "account", account)
    vault.steps.reach("account.closed")


def _erase_some(vault: Parts, owner: bytes, session: Session, _enter: Enter) -> bool:
    """A work for the ledger: erases the next of what is kept for a departed owner. Whether something may be left."""
    rows = session.execute(
        select(Revision.seq, Revision.item, Revision.revision, Revision.deposit)
        .where(Revision.account == owner).order_by(Revision.seq).limit(AT_ONCE)
    ).all()
    if rows:
        vault.ledger.forget(session, [row.deposit for row in rows if row.deposit is not None])
        session.connection().execute(_FORGET_NAMES, [{"named_by": row.item, "number": row.revision} for row in rows])
        session.execute(delete(Revision).where(Revision.seq.in_([row.seq for row in rows])))
        bare = ~exists().where(Revision.item == Item.item)
        session.execute(delete(Item).where(Item.item.in_({row.item for row in rows}), bare))
    elif blobs := session.scalars(select(Blob.blob).where(Blob.account == owner).limit(AT_ONCE)).all():
        erase_blobs(vault.ledger, session, owner, blobs)
    else:
        session.execute(delete(Departed).where(Departed.owner == owner))
        return False
    vault.steps.reach("account.erased")
    return True
