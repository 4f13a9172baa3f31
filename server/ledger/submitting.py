"""Asks one witness for its cosignature: what is sent, what the answers mean, when it is asked again.

Knows: c2sp.org/tlog-witness from the ledger's side, as docs/spec/witness.md says it. Refuses to know: sockets; `Post`
is handed in, and so is the time. Nothing here holds the ledger's lock while it waits for somebody else.

    answer                                      trouble                   signing goes on
    200, a cosignature that verifies            none                      yes
    409, a size up to ours                      none: asked from there    yes
    409, a size beyond ours                     ledger_behind_witness     no
    409 again at that very size, or 422         ledger_disputed           no
    200 without a cosignature by its key        cosignature_invalid       yes
    anything else                               witness_answers_NNN       yes
    nothing                                     witness_unreachable       yes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crypto_core.errors import MalformedError
from crypto_core.receipts.note import VerifierKey, parse_note, parse_vkey
from crypto_core.receipts.submission import SIZE_TYPE, Submission, format_submission, parse_size
from server.database import Database
from server.ledger.cosignatures import keep_cosignature, verified_cosignature
from server.ledger.guard import STOPPING, LedgerBehindWitness, LedgerDisputed
from server.ledger.models import LedgerWitness
from server.ledger.service import Ledger, Signed
from server.ports import Clock

TRIES = 4
"""Requests in one go: the first, one from the size that it named, and two for a ledger that several ask for."""
LONGEST = 600
"""Seconds between two tries of a witness that fails, at the most."""
AGAIN = 30
"""Seconds between two tries while a witness keeps the ledger from signing."""


class Unreachable(Exception):
    """No answer came."""


@dataclass(frozen=True)
class Posted:
    """What a witness answered."""

    status: int
    media_type: str
    body: bytes


Post = Callable[[str, bytes], Posted]
"""(address, body) → the answer. Raises Unreachable."""


@dataclass(frozen=True)
class Outcome:
    """How asking one witness ended: `trouble` is empty where a cosignature was kept."""

    name: str
    size: int
    trouble: str = ""


class Submitter:
    """Asks witnesses for cosignatures of one ledger."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock, post: Post) -> None:
        self._database, self._ledger, self._clock, self._post = database, ledger, clock, post

    def ask(self, name: str, signed: Signed) -> Outcome:
        """Asks the witness `name` to cosign a checkpoint of ours, and keeps what comes of it."""
        with self._database.read() as session:
            row = session.get(LedgerWitness, name)
        if row is None:
            return Outcome(name, signed.size)
        vkey = row.vkey
        key = parse_vkey(vkey)
        trouble, size, found = self._converse(row.url, key, row.size, signed)
        with self._database.write() as session:
            row = session.get(LedgerWitness, name)
            if row is not None and row.vkey == vkey:  # it may have been let go meanwhile
                row.trouble, row.size = trouble, size
                row.failures = row.failures + 1 if trouble else 0
                row.not_before = self._clock.now() + pause(trouble, row.failures)
            if found is not None:
                keep_cosignature(session, signed.size, key, *found)
        return Outcome(name, signed.size, trouble)

    def _converse(
        self, url: str, key: VerifierKey, seen: int, signed: Signed
    ) -> tuple[str, int, tuple[int, str] | None]:
        """(trouble, the size that it has seen, the cosignature)."""
        asked: set[int] = set()
        old = min(seen, signed.size)
        for _ in range(TRIES):
            try:
                answer = self._post(f"{url}/add-checkpoint", self._submission(old, signed))
            except Unreachable:
                return "witness_unreachable", seen, None
            asked.add(old)
            if answer.status == 200:
                found = verified_cosignature(parse_note(signed.note.encode()).text, answer.body, key)
                return ("" if found else "cosignature_invalid"), signed.size, found
            if answer.status == 422:
                return LedgerDisputed.code, old, None
            known = size_in(answer)
            if known is None:
                return f"witness_answers_{answer.status}", seen, None
            if known in asked:
                return LedgerDisputed.code, known, None
            if known > signed.size:
                return self._beyond(known), known, None
            old = seen = known
        return "witness_answers_409", seen, None

    def _submission(self, old: int, signed: Signed) -> bytes:
        with self._database.read() as session:
            proof = self._ledger.consistency(session, old, signed.size)
        return format_submission(Submission(old, tuple(proof), signed.note))

    def _beyond(self, known: int) -> str:
        """It has seen more than the checkpoint in question: more than we have, or only a newer one of ours."""
        with self._database.read() as session:
            newest = self._ledger.newest(session).size
        return LedgerBehindWitness.code if known > newest else "witness_ahead"


def pause(trouble: str, failures: int) -> int:
    """Seconds until the witness is asked again: at once where nothing failed; 2, 4, 8 … up to LONGEST; AGAIN while
    deposits wait for it."""
    if not trouble:
        return 0
    return AGAIN if trouble in STOPPING else min(LONGEST, 2 << min(failures - 1, 16))


def size_in(answer: Posted) -> int | None:
    """The size in a 409 of the right type; None for any other answer."""
    if answer.status != 409 or answer.media_type.partition(";")[0].strip().lower() != SIZE_TYPE:
        return None
    try:
        return parse_size(answer.body)
    except MalformedError:
        return None
