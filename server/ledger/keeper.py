"""What happens beside the deposits: the marker follows the ledger, and witnesses are asked about it and the directory.

Knows: when. Refuses to know: what a witness is told, and what becomes of a reason not to sign.
One process of a vault does this, `temoin-server run` itself, and none of its workers: no deposit waits for any of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import select

from crypto_core.errors import TemoinError
from server.directory.witnessing import DirectoryLog
from server.ledger.models import LedgerWitness
from server.ledger.submitting import LedgerLog, Log, Outcome, Post, Submitter
from server.parts import Parts
from server.problems import Refusal

EVERY = 1
"""Seconds between two looks."""
FIRST_PATIENCE = 5
"""Seconds that a start waits for what the witnesses have seen, before anything may be signed."""

_log = logging.getLogger("temoin.server")


Asking = tuple[str, Log]
"""The name of a witness, and what it is asked about."""


class LedgerKeeper:
    """Keeps one open vault's ledger company, and its directory."""

    def __init__(self, parts: Parts, post: Post) -> None:
        self._parts, self._post = parts, post
        self._logs: tuple[Log, ...] = (
            LedgerLog(parts.ledger, parts.config.checkpoint_interval), DirectoryLog(parts),
        )
        self._flying: dict[tuple[str, str], threading.Thread] = {}
        self._told: dict[tuple[str, str], str] = {}

    def begin(self) -> list[TemoinError]:
        """The first look: every witness is asked what it has seen, so that nothing is signed beside it. Gives the
        reasons for which the ledger will not sign. A witness that is silent is waited for FIRST_PATIENCE seconds."""
        _quietly(self.mark)
        self.ask(self.everything())
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

    def everything(self) -> list[Asking]:
        """Every witness, about every tree that has something to cosign."""
        with self._parts.database.read() as session:
            names = session.scalars(select(LedgerWitness.name)).all()
            return [(name, log) for log in self._logs if names and log.shown(session) is not None for name in names]

    def due(self) -> list[Asking]:
        """The witnesses that have not cosigned the checkpoint that is shown, and whose time has come."""
        due = list[Asking]()
        with self._parts.database.read() as session:
            witnesses = session.scalars(select(LedgerWitness)).all()
            for log in self._logs:
                if not witnesses or (shown := log.shown(session)) is None:
                    continue
                signed = set(session.scalars(select(log.kept.vkey).where(log.kept.size == shown.size)))
                for one in witnesses:
                    asked = log.asked(session, one)
                    if asked.not_before <= self._parts.clock.now() and (one.vkey not in signed or asked.trouble):
                        due.append((one.name, log))
        return due

    def ask(self, askings: Iterable[Asking]) -> None:
        """Starts to ask these witnesses about what is shown; who is being asked already is not asked again."""
        for name, log in askings:
            place = name, log.word
            if place not in self._flying or not self._flying[place].is_alive():
                self._flying[place] = threading.Thread(target=self._ask_one, args=(name, log), daemon=True)
                self._flying[place].start()

    def wait(self, seconds: float) -> None:
        """Until all that were asked have answered, for this long at most."""
        deadline = time.monotonic() + seconds
        for thread in list(self._flying.values()):
            thread.join(max(0, deadline - time.monotonic()))

    def ask_now(self, name: str) -> dict[str, Outcome]:
        """Asks one witness about each tree that has something to cosign, and waits for its answers; by `Log.word`."""
        return {log.word: self._ask(one, log) for one, log in self.everything() if one == name}

    def _ask(self, name: str, log: Log) -> Outcome:
        with self._parts.database.read() as session:
            shown = log.shown(session)
        assert shown is not None  # no tree shrinks
        return Submitter(self._parts.database, log, self._parts.clock, self._post).ask(name, shown)

    def _ask_one(self, name: str, log: Log) -> None:
        place = name, log.word
        try:
            trouble = self._ask(name, log).trouble
        except Exception as error:  # the vault is closing, or its database is not there just now
            trouble = type(error).__name__
        if trouble != self._told.get(place, ""):
            about = "" if log.word == LedgerLog.word else " about the directory"
            _log.warning("witness %s%s: %s", name, about, trouble or "answers again")
        self._told[place] = trouble


def _quietly(act: Callable[[], None]) -> None:
    """What can't be done now is done the next time; a full disk must not end a vault that can be read."""
    try:
        act()
    except Refusal as refusal:
        _log.warning("the ledger's keeper waits: %s", refusal.code)
    except Exception as error:
        _log.error("%s in the ledger's keeper", type(error).__name__)
