"""Puts an old copy of the database right: what the journal knows is laid over it, and the ledger says what happened.

Knows: protocol §8, `restore`: what comes in which order, so that whoever is killed in the middle is refused service and
may begin anew. Refuses to know: where the copy came from, and what was deposited since it was made: that is lost, but
for what devices still hold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from server.accounts import erasure
from server.accounts.models import Account, Token
from server.boxes.models import Visit
from server.database import rows_changed
from server.folder import renew_generation
from server.journal.file import Heard, Line
from server.journal.models import Count, Note
from server.journal.replay import Copy
from server.journal.service import DatabaseSetBack, JournalRefuses, begin, counted, follow, note, reasons
from server.ledger.guard import LedgerWentBackwards
from server.ledger.restorations import say_restored
from server.ledger.service import Enter
from server.parts import Parts
from server.recovery.models import Waiting
from server.shares.models import Opening
from server.uploads.kept import sweep


class CopyTooOld(JournalRefuses):
    code = "copy_too_old"
    sentence = (
        "This copy of the database is older than the journal's beginning, so the journal can't tell what was changed "
        "between. Put a newer copy in its place. If there is none, `temoin-server restore --without-journal` serves "
        "this one, with the passwords of its day and with what was deleted since."
    )


@dataclass(frozen=True)
class Restored:
    """What was done. `size`: the entries that the ledger goes on from; `was`: those that it had; `lines`: how many
    things were brought up to date."""

    size: int
    was: int
    lines: int


def restore(vault: Parts, *, without_journal: bool = False) -> Restored | None:
    """Makes the database that lies in the vault's folder fit to be served; None if it is the newest, and nothing was
    done. The vault must not be running. `without_journal` begins another journal, in the place of one that is lost:
    what was changed since the copy comes back as it was then.

    Raises JournalMissing, CopyTooOld, and what keeps the ledger from signing, but for having gone backwards.
    """
    follow(vault)
    with vault.database.read() as session:
        number, newest = counted(session), vault.ledger.newest(session)
        backwards = vault.ledger.guard.marker_reasons(session, newest.note, newest.size)
    for reason in backwards:
        if not isinstance(reason, LedgerWentBackwards):
            raise reason
    if not without_journal:
        doubts = reasons(vault)
        for doubt in doubts:
            if not isinstance(doubt, DatabaseSetBack):
                raise doubt
        if not doubts and not backwards:
            return None
        heard = vault.journal.heard()
        if heard is None or number < heard.begun:
            raise CopyTooOld(f"{number} changes, where the journal begins after {heard.begun if heard else 0}")
    generation = renew_generation(vault.config, vault.folder).facts.generation
    was = say_restored(vault, generation, newest.size)
    vault.ledger.guard.marker.keep(newest.size, newest.note)
    lines = vault.ledger.commit(partial(_lay_over, vault, without_journal))
    if without_journal:
        begin(vault)
    follow(vault)
    erasure.collect(vault)
    sweep(vault)
    return Restored(newest.size, was, lines)


def _lay_over(vault: Parts, without_journal: bool, session: Session, enter: Enter) -> int:
    """A work for the ledger: every line, and nobody is logged in any more. How many lines there were."""
    for opened in (Token, Visit, Waiting):
        session.execute(delete(opened))
    session.execute(update(Opening).values(token=None))
    if without_journal:
        return 0
    with vault.journal.read() as lines:
        copy = Copy(vault, session, enter)
        for kind in copy.kinds:
            for line in lines.scalars(select(Line).where(Line.kind == kind).order_by(Line.key)):
                copy.lay(kind, line.key, line.account, json.loads(line.value))
            session.flush()
        count = lines.scalar(select(func.count()).select_from(Line)) or 0
        number = lines.get_one(Heard, 0).number
    session.execute(delete(Note))  # of what the journal knows
    if not rows_changed(session, update(Count).values(number=number)):
        session.add(Count(only=0, number=number))
        session.flush()
    for account in session.scalars(select(Account.account).limit(1)).all():
        note(session, "account", account)  # the database that was given up is older from now on
    vault.steps.reach("journal.restored")
    return count
