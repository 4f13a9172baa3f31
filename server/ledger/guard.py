"""When the ledger refuses to sign: the reasons, each with a code, and how they are found.

Knows: the ledger's keys, the marker outside the database, and what witnesses have said. Refuses to know: how a reason
is mended; each sentence tells the operator. While there is one, nothing new is deposited and everything is read
(ADR 27).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.tree import root
from crypto_core.receipts.witnessed import open_checkpoint
from server.ledger.keys import Keys, LedgerKeyReplaced, LedgerKeys, LedgerRefuses
from server.ledger.marker import Marker
from server.ledger.models import LedgerWitness, SignedCheckpoint
from server.ledger.nodes import compute


class LedgerWentBackwards(LedgerRefuses):
    code = "ledger_went_backwards"
    sentence = (
        "The database holds an older ledger than this vault has signed before, as if an old copy had been put back. "
        "Put the newest copy of the database back; the file ledger.mark is the checkpoint that it has to reach."
    )


class LedgerDiverged(LedgerRefuses):
    code = "ledger_diverged"
    sentence = (
        "The database holds another history than this vault has signed before. Put the right copy of the database "
        "back, and keep the file ledger.mark: it and the newest checkpoint are two signed histories."
    )


class LedgerBehindWitness(LedgerRefuses):
    code = "ledger_behind_witness"
    sentence = (
        "A witness knows a larger ledger than this one: an old copy of the database was put back, or the witness is "
        "wrong. Put the newest copy back; or, if you are sure of yours, `temoin-server witnesses remove` it."
    )


class LedgerDisputed(LedgerRefuses):
    code = "ledger_disputed"
    sentence = (
        "A witness says that the ledger does not continue what it has seen. Ask its keeper for the two notes, and put "
        "the right copy of the database back; or, if you are sure of yours, `temoin-server witnesses remove` it."
    )


STOPPING: dict[str, type[LedgerRefuses]] = {one.code: one for one in (LedgerBehindWitness, LedgerDisputed)}
"""Troubles with a witness in which nothing is signed any more."""
_FIRST_NOTE = select(SignedCheckpoint.note).order_by(SignedCheckpoint.size).limit(1)
STOPPED_BY = (
    select(LedgerWitness.name, LedgerWitness.trouble)
    .where(or_(*(LedgerWitness.trouble == code for code in STOPPING)))
    .limit(1)
)
"""A witness that keeps the ledger from signing, and its trouble; no row if none does."""
StoppedBy = Row[str, str] | tuple[str, str] | None


class Guard:
    """Says whether the ledger may sign. What a process has once found right of keys and marker stays so in it, until
    another key signs."""

    def __init__(self, keys: LedgerKeys, marker: Marker) -> None:
        self.keys, self.marker = keys, marker
        self._settled: Keys | None = None

    def require(self, session: Session, note: str, size: int, known: int, stopped_by: StoppedBy) -> Keys:
        """The keys that sign until the session's write ends. Raises a TemoinError, a LedgerRefuses if it isn't a
        damaged file, unless the ledger whose newest checkpoint is in `note`, of `size` entries, may grow.

        `known`: the largest tree that this process has itself seen; `stopped_by`: what STOPPED_BY finds."""
        if size < known:
            raise LedgerWentBackwards(f"{size} entries after {known}")
        keys = self.keys.look()
        if self._settled is not keys:
            self._require_keys(session, note)
            self._require_marker(session, size)
            self._settled = keys
        _require_witnesses(stopped_by)
        return keys

    def reasons(self, session: Session, note: str, size: int) -> list[TemoinError]:
        """Every reason that there is, looked for anew."""
        stopped_by = session.execute(STOPPED_BY).first()
        return self.marker_reasons(session, note, size) + _reason_of(lambda: _require_witnesses(stopped_by))

    def marker_reasons(self, session: Session, note: str, size: int) -> list[TemoinError]:
        """Those for which the marker must not follow: another key, or another history than the one marked."""
        wrong_keys = _reason_of(lambda: self._require_keys(session, note))
        return wrong_keys + [
            reason for reason in _reason_of(lambda: self._require_marker(session, size))
            if reason.code not in {one.code for one in wrong_keys}
        ]

    def _require_keys(self, session: Session, note: str) -> None:
        """The first checkpoint and the newest are signed by keys that the records lead to, or by the one that is."""
        policy = self.keys.look().policy
        first = session.scalars(_FIRST_NOTE).one()
        try:
            for one in (first, note):
                open_checkpoint(one.encode(), policy)
        except CryptoCoreError:
            raise LedgerKeyReplaced() from None

    def _require_marker(self, session: Session, size: int) -> None:
        marked = self.marker.read(*self.keys.look().policy.keys)
        if marked is None:
            return
        if size < marked.size:
            raise LedgerWentBackwards(f"{size} entries after {marked.size}")
        if root_at(session, marked.size) != marked.root:
            raise LedgerDiverged(f"at {marked.size} entries")


def _require_witnesses(stopped_by: StoppedBy) -> None:
    if stopped_by is not None:
        name, trouble = stopped_by
        raise STOPPING[trouble](name)


def _reason_of(look: Callable[[], None]) -> list[TemoinError]:
    try:
        look()
    except TemoinError as reason:
        return [reason]
    return []


def root_at(session: Session, size: int) -> bytes | None:
    """The root of the tree of the first `size` entries, from the nodes that are kept; None if some are missing."""
    try:
        return compute(session, lambda read: root(size, read))
    except KeyError:
        return None
