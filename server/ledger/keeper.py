"""What happens to the ledger beside the deposits: the marker follows it, and witnesses are asked about it.

Knows: when. Refuses to know: what a witness is told, and what becomes of a reason not to sign.
One process of a vault does this, `temoin-server run` itself, and none of its workers: no deposit waits for any of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_core.errors import TemoinError
from server.ledger.models import Cosignature, LedgerWitness
from server.ledger.service import Signed
from server.ledger.submitting import Outcome, Post, Submitter
from server.parts import Parts
from server.problems import Refusal

EVERY = 1
"""Seconds between two looks."""
FIRST_PATIENCE = 5
"""Seconds that a start waits for what the witnesses have seen, before anything may be signed."""

_log = logging.getLogger("temoin.server")


class LedgerKeeper:
    """Keeps one open vault's ledger company."""

    def __init__(self, parts: Parts, post: Post) -> None:
        self._parts = parts
        self._submitter = Submitter(parts.database, parts.ledger, parts.clock, post)
        self._flying: dict[str, threading.Thread] = {}
        self._told: dict[str, str] = {}

    def begin(self) -> list[TemoinError]:
        """The first look: every witness is asked what it has seen, so that nothing is signed beside it. Gives the
        reasons for which the ledger will not sign. A witness that is silent is waited for FIRST_PATIENCE seconds."""
        _quietly(self.mark)
        self.ask(self.names())
        self.wait(FIRST_PATIENCE)
        with self._parts.database.read() as session:
            newest = self._parts.ledger.newest(session)
            return self._parts.ledger.guard.reasons(session, newest.note, newest.size)

    def run(self, stopping: threading.Event) -> None:
        """Looks again and again, until told to stop."""
        while not stopping.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Marks what was signed, and asks the witnesses that are due. Waits for nobody, and raises nothing."""
        _quietly(self.mark)
        _quietly(lambda: self.ask(self.due()))

    def mark(self) -> None:
        """Writes the newest checkpoint beside the database, if it continues the one that is there."""
        ledger = self._parts.ledger
        with self._parts.database.read() as session:
            newest = ledger.newest(session)
            if newest.size <= ledger.guard.marker.written:
                return
            if ledger.guard.marker_reasons(session, newest.note, newest.size):
                return
        ledger.guard.marker.keep(newest.size, newest.note)

    def names(self) -> list[str]:
        """Every witness."""
        with self._parts.database.read() as session:
            return list(session.scalars(select(LedgerWitness.name)))

    def due(self) -> list[str]:
        """The witnesses that have not cosigned the public checkpoint, and whose time has come."""
        with self._parts.database.read() as session:
            size = self._public(session).size
            asked_already = select(Cosignature.vkey).where(Cosignature.size == size)
            return list(session.scalars(
                select(LedgerWitness.name)
                .where(LedgerWitness.not_before <= self._parts.clock.now())
                .where(LedgerWitness.vkey.not_in(asked_already) | (LedgerWitness.trouble != ""))
            ))

    def ask(self, names: Iterable[str]) -> None:
        """Starts to ask these witnesses about the public checkpoint; who is being asked already is not asked again."""
        for name in names:
            if name not in self._flying or not self._flying[name].is_alive():
                self._flying[name] = threading.Thread(target=self._ask_one, args=(name,), daemon=True)
                self._flying[name].start()

    def wait(self, seconds: float) -> None:
        """Until all that were asked have answered, for this long at most."""
        deadline = time.monotonic() + seconds
        for thread in list(self._flying.values()):
            thread.join(max(0, deadline - time.monotonic()))

    def ask_now(self, name: str) -> Outcome:
        """Asks one witness, and waits for its answer."""
        with self._parts.database.read() as session:
            signed = self._public(session)
        return self._submitter.ask(name, signed)

    def _public(self, session: Session) -> Signed:
        return self._parts.ledger.public(session, self._parts.config.checkpoint_interval)

    def _ask_one(self, name: str) -> None:
        try:
            trouble = self.ask_now(name).trouble
        except Exception as error:  # the vault is closing, or its database is not there just now
            trouble = type(error).__name__
        if trouble != self._told.get(name, ""):
            _log.warning("witness %s: %s", name, trouble or "answers again")
        self._told[name] = trouble


def _quietly(act: Callable[[], None]) -> None:
    """What can't be done now is done the next time; a full disk must not end a vault that can be read."""
    try:
        act()
    except Refusal as refusal:
        _log.warning("the ledger's keeper waits: %s", refusal.code)
    except Exception as error:
        _log.error("%s in the ledger's keeper", type(error).__name__)
