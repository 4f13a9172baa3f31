"""The journal follows the vault: what was changed for good is noted with it, and written down once it is durable.

Knows: protocol §8, the journal. Refuses to know: what a line says (server.journal.lines), and how a copy is put right
(server.journal.restore). A note is a row of the change's own transaction, so none is lost; the journal is never ahead
of the database that it stands beside, and behind it only while a note waits.
"""

from __future__ import annotations

import json
import logging
from hashlib import sha256

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from crypto_core.errors import TemoinError
from server.accounts.models import Account
from server.database import rows_changed
from server.journal.file import VERSION, Heard, Line
from server.journal.lines import GONE, KINDS
from server.journal.models import Count, Note
from server.parts import Parts
from server.problems import Refusal

AT_ONCE = 200
"""Notes that are written down in one transaction."""

_log = logging.getLogger("temoin.server")


class JournalRefuses(TemoinError):
    """Why a vault is not served: its database may be an old copy. `detail` has numbers alone."""


class DatabaseSetBack(JournalRefuses):
    code = "database_set_back"
    sentence = (
        "The database is older than the journal beside it, as if a copy had been put back. Served like this it would "
        "bring back passwords that were changed and entries that were deleted. Run `temoin-server restore` first, or "
        "put the newest database back."
    )


class JournalMissing(JournalRefuses):
    code = "journal_missing"
    sentence = (
        "The journal of this vault is missing, is older than the database, or is another vault's. Put the right one "
        "back (TEMOIN_JOURNAL_FILE says where it lies). If it is lost and you are sure that the database is the "
        "newest, run `temoin-server restore --without-journal`, which begins another."
    )


def note(session: Session, kind: str, key: bytes) -> None:
    """Says, in the caller's transaction, that this thing was changed for good. The caller has to `follow` once that is
    durable; if it can't any more, the next one does. `kind` is one of `KINDS`."""
    if not rows_changed(session, update(Count).values(number=Count.number + 1)):
        session.add(Count(only=0, number=1))
        session.flush()
    session.merge(Note(kind=kind, key=key, number=counted(session)))
    session.flush()


def counted(session: Session) -> int:
    """How many changes were ever noted in this database."""
    return session.scalar(select(Count.number)) or 0


def follow(vault: Parts) -> None:
    """Writes down what was noted. Raises nothing: what can't be written now stays noted, and the next one goes on."""
    try:
        while _follow_some(vault):
            pass
    except Refusal as refusal:
        _log.warning("the journal is behind: %s", refusal.code)
    except Exception as error:  # what was changed is changed, and its answer has to say so
        _log.error("%s in the journal", type(error).__name__)


def begin(vault: Parts) -> None:
    """Begins the journal from what the database holds, in the place of whatever was there."""
    with vault.journal.begin() as lines, vault.database.read() as session:
        for kind in KINDS:
            for key in KINDS[kind].keys(session):
                _write_line(lines, session, kind, key)
        number = counted(session)
        lines.add(Heard(only=0, version=VERSION, vault_id=vault.folder.facts.vault_id, begun=number, number=number))
    _forget_notes(vault, number)


def require_newest(vault: Parts) -> None:
    """Raises JournalMissing or DatabaseSetBack unless the database is the newest that the journal knows. A vault that
    never noted anything begins its journal here."""
    with vault.database.read() as session:
        is_new = not counted(session)
    if is_new and vault.journal.heard() is None:
        with vault.database.write() as session:  # what was changed before nobody counted: older copies have to differ
            for account in session.scalars(select(Account.account).limit(1)).all():
                note(session, "account", account)
        begin(vault)
    follow(vault)
    for reason in reasons(vault):
        raise reason


def reasons(vault: Parts) -> list[JournalRefuses]:
    """Why the database may not be the newest, or the journal not its own."""
    heard = vault.journal.heard()
    while True:  # until nobody has written in it while the database was looked at
        with vault.database.read() as session:
            number, waiting = counted(session), session.scalar(select(func.count()).select_from(Note))
        again = vault.journal.heard()
        if heard is None or again is None or again.number == heard.number:
            break
        heard = again
    if heard is None or (heard.version, heard.vault_id) != (VERSION, vault.folder.facts.vault_id):
        return [JournalMissing()]
    if number < heard.number:
        return [DatabaseSetBack(f"{number} changes after {heard.number}")]
    if number > heard.number and not waiting:
        return [JournalMissing(f"{heard.number} changes before {number}")]
    return []


def _follow_some(vault: Parts) -> bool:
    """Whether there may be more. The journal's lock is taken first: whoever has it reads the newest rows there are.

    What an old copy has noted is not written down: the journal knows better.
    """
    if vault.journal.heard() is None:
        return False
    with vault.journal.write() as lines:
        heard = lines.get_one(Heard, 0)
        with vault.database.read() as session:
            notes = session.scalars(select(Note).order_by(Note.number).limit(AT_ONCE)).all()
            if not notes or counted(session) < heard.number:
                return False
            for one in notes:
                _write_line(lines, session, one.kind, one.key)
        heard.number = max(heard.number, notes[-1].number)
        lines.flush()
        vault.steps.reach("journal.lines")
    vault.steps.reach("journal.kept")
    _forget_notes(vault, notes[-1].number)
    return len(notes) == AT_ONCE


def _forget_notes(vault: Parts, last: int) -> None:
    """Those up to this number; a thing that was changed again meanwhile has a later one."""
    with vault.database.write() as session:
        session.execute(delete(Note).where(Note.number <= last))
    vault.journal.empty_log()  # of lines that were replaced. The database's is emptied by whoever erased something


def _write_line(lines: Session, session: Session, kind: str, key: bytes) -> None:
    made = KINDS[kind].read(session, key)
    lines.execute(delete(Line).where(Line.kind == kind, Line.key == key))
    if kind == "account":
        lines.execute(delete(Line).where(Line.kind == GONE, Line.key == sha256(key).digest()))
    if made is not None:
        lines.add(Line(kind=kind, key=key, account=made.account, value=json.dumps(made.value)))
    elif kind == "account":
        lines.execute(delete(Line).where(Line.account == key))
        lines.add(Line(kind=GONE, key=sha256(key).digest(), account=None, value="{}"))
    lines.flush()
