"""Asks one witness for its cosignature: what is sent, what the answers mean, when it is asked again.

Knows: c2sp.org/tlog-witness from the log's side, as docs/spec/witness.md says it. Refuses to know: which tree it is
(the ledger, or the directory of professionals: `Log`); sockets; `Post` is handed in, and so is the time. Nothing here
holds the ledger's lock while it waits for somebody else.

    answer                                      trouble                   signing goes on
    200, a cosignature that verifies            none                      yes
    409, a size up to ours                      none: asked from there    yes
    409, a size beyond ours                     …_behind_witness          no
    409 again at that very size, or 422         …_disputed                no
    200 without a cosignature by its key        cosignature_invalid       yes
    anything else                               witness_answers_NNN       yes
    nothing                                     witness_unreachable       yes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from crypto_core.errors import MalformedError
from crypto_core.receipts.note import VerifierKey, parse_note, parse_vkey
from crypto_core.receipts.submission import SIZE_TYPE, Submission, format_submission, parse_size
from server.database import Database
from server.ledger.cosignatures import keep_cosignature, verified_cosignature
from server.ledger.models import Asked, Cosignature, CosignatureLine, LedgerWitness
from server.ledger.service import Ledger, Signed
from server.ports import Clock

TRIES = 4
"""Requests in one go: the first, one from the size that it named, and two for a ledger that several ask for."""
LONGEST = 600
"""Seconds between two tries of a witness that fails, at the most."""
AGAIN = 30
"""Seconds between two tries while a witness keeps the ledger from signing."""
BEHIND, DISPUTED = "_behind_witness", "_disputed"
"""How the troubles end in which nothing is signed any more; `Log.word` stands before."""


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


class Log(Protocol):
    """A tree of the vault's that witnesses cosign."""

    @property
    def word(self) -> str:
        """`ledger` or `directory`."""

    @property
    def kept(self) -> type[CosignatureLine]:
        """Where its cosignatures are kept."""

    def newest(self, session: Session) -> Signed:
        """The newest checkpoint. Raises Refusal `unavailable` if there is none."""

    def shown(self, session: Session) -> Signed | None:
        """The checkpoint that witnesses are asked about; None if there is nothing to cosign yet. Raises as `newest`."""

    def consistency(self, session: Session, old: int, new: int) -> list[bytes]:
        """RFC 6962 proof that the tree of `new` entries begins with that of `old`."""

    def asked(self, session: Session, witness: LedgerWitness) -> Asked:
        """How it stands with this witness about this tree; a row, which may not be the session's yet."""


@dataclass(frozen=True)
class LedgerLog:
    """The ledger as its witnesses are asked about it: by the checkpoint that everybody sees."""

    ledger: Ledger
    interval: int
    word = "ledger"
    kept = Cosignature

    def newest(self, session: Session) -> Signed:
        return self.ledger.newest(session)

    def shown(self, session: Session) -> Signed | None:
        return self.ledger.public(session, self.interval)

    def consistency(self, session: Session, old: int, new: int) -> list[bytes]:
        return self.ledger.consistency(session, old, new)

    def asked(self, session: Session, witness: LedgerWitness) -> Asked:
        return witness


class Submitter:
    """Asks witnesses for cosignatures of one tree."""

    def __init__(self, database: Database, log: Log, clock: Clock, post: Post) -> None:
        self._database, self._log, self._clock, self._post = database, log, clock, post

    def ask(self, name: str, signed: Signed) -> Outcome:
        """Asks the witness `name` to cosign a checkpoint of ours, and keeps what comes of it."""
        with self._database.read() as session:
            row = session.get(LedgerWitness, name)
            seen = None if row is None else self._log.asked(session, row).size
        if row is None or seen is None:
            return Outcome(name, signed.size)
        vkey = row.vkey
        key = parse_vkey(vkey)
        trouble, size, found = self._converse(row.url, key, seen, signed)
        with self._database.write() as session:
            row = session.get(LedgerWitness, name)
            if row is not None and row.vkey == vkey:  # it may have been let go meanwhile
                state = self._log.asked(session, row)
                session.add(state)
                state.trouble, state.size = trouble, size
                state.failures = state.failures + 1 if trouble else 0
                state.not_before = self._clock.now() + pause(trouble, state.failures)
            if found is not None:
                keep_cosignature(session, signed.size, key, *found, self._log.kept)
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
                return self._log.word + DISPUTED, old, None
            known = size_in(answer)
            if known is None:
                return f"witness_answers_{answer.status}", seen, None
            if known in asked:
                return self._log.word + DISPUTED, known, None
            if known > signed.size:
                return self._beyond(known), known, None
            old = seen = known
        return "witness_answers_409", seen, None

    def _submission(self, old: int, signed: Signed) -> bytes:
        with self._database.read() as session:
            proof = self._log.consistency(session, old, signed.size)
        return format_submission(Submission(old, tuple(proof), signed.note))

    def _beyond(self, known: int) -> str:
        """It has seen more than the checkpoint in question: more than we have, or only a newer one of ours."""
        with self._database.read() as session:
            newest = self._log.newest(session).size
        return self._log.word + BEHIND if known > newest else "witness_ahead"


def pause(trouble: str, failures: int) -> int:
    """Seconds until the witness is asked again: at once where nothing failed; 2, 4, 8 … up to LONGEST; AGAIN while
    deposits wait for it."""
    if not trouble:
        return 0
    return AGAIN if trouble.endswith((BEHIND, DISPUTED)) else min(LONGEST, 2 << min(failures - 1, 16))


def size_in(answer: Posted) -> int | None:
    """The size in a 409 of the right type; None for any other answer."""
    if answer.status != 409 or answer.media_type.partition(";")[0].strip().lower() != SIZE_TYPE:
        return None
    try:
        return parse_size(answer.body)
    except MalformedError:
        return None
