"""What `check --deep` looks at beside the rest: every checkpoint ever signed, every cosignature, the marker.

Knows: that checkpoints whose roots are those of one tree are consistent with each other, each with every other.
Refuses to know: how the tree is read; whoever walks it hands over its nodes as they become known.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_core.errors import CryptoCoreError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.tree import NodeReader, root
from crypto_core.receipts.witnessed import open_checkpoint
from server.ledger.cosignatures import is_cosigned
from server.ledger.models import Cosignature, LedgerWitness, SignedCheckpoint
from server.ledger.service import Ledger
from server.problems import Refusal

BATCH = 256
"""Rows that are read at once."""


class DeepCheck:
    """One look, along with a walk over the tree from its beginning to its end."""

    def __init__(self, ledger: Ledger, session: Session, problems: list[str]) -> None:
        """`problems` gets one sentence for each thing that is wrong."""
        self._ledger, self._session, self._problems = ledger, session, problems
        self._policy = ledger.keys.shown().policy
        self._time = 0
        self.checkpoints = self.cosignatures = 0

    def check_checkpoints(self, old: int, new: int, read: NodeReader) -> None:
        """Those of sizes above `old` up to `new`: signed by a key that the ledger had then, under its name, over the
        root that the entries give. `read` has every node that is complete at one of these sizes."""
        query = select(SignedCheckpoint.size, SignedCheckpoint.time, SignedCheckpoint.note)
        between = query.where(SignedCheckpoint.size > old, SignedCheckpoint.size <= new).order_by(SignedCheckpoint.size)
        for size, time, note in self._session.execute(between.execution_options(yield_per=BATCH)):
            self.checkpoints += 1
            try:
                signed: Checkpoint | None = open_checkpoint(note.encode(), self._policy).checkpoint
            except CryptoCoreError:
                signed = None
            if signed is None:
                self._problems.append(f"the checkpoint of {size} entries is not signed by the ledger's key")
            elif signed != Checkpoint(self._ledger.origin, size, root(size, read)):
                self._problems.append(f"the checkpoint of {size} entries is not that of the tree")
            if time < self._time:
                self._problems.append(f"the checkpoint of {size} entries is older than a smaller one")
            self._time = max(self._time, time)

    def finish(self, size: int) -> None:
        """What is left once the walk has come to the end of a tree of `size` entries."""
        beyond = select(SignedCheckpoint.size).where(SignedCheckpoint.size > size).order_by(SignedCheckpoint.size)
        self._problems += [
            f"there is a checkpoint of {one} entries, and there are only {size}"
            for one in self._session.scalars(beyond)
        ]
        self._check_cosignatures()
        self._check_reasons()

    def _check_cosignatures(self) -> None:
        query = select(Cosignature.size, Cosignature.vkey, Cosignature.time, Cosignature.line, SignedCheckpoint.note)
        joined = query.outerjoin(SignedCheckpoint, SignedCheckpoint.size == Cosignature.size)
        for size, vkey, time, line, note in self._session.execute(joined.execution_options(yield_per=BATCH)):
            self.cosignatures += 1
            if not is_cosigned(f"{note}".rpartition("\n\n")[0] + "\n", line, vkey, time):
                name = vkey.partition("+")[0]
                self._problems.append(f"a cosignature by {name} under {size} entries does not verify")

    def _check_reasons(self) -> None:
        try:
            newest = self._ledger.newest(self._session)
        except Refusal:  # there is none, which the walk has told
            return
        guard = self._ledger.guard
        self._problems += [
            f"{reason.code}: {reason.detail or reason.sentence}"
            for reason in guard.reasons(self._session, newest.note, newest.size)
        ]
        if guard.marker.is_missing:
            self._problems.append("there is no ledger.mark beside the database; `temoin-server run` makes it")
        seen = select(LedgerWitness.name, LedgerWitness.size).where(LedgerWitness.size > newest.size)
        self._problems += [
            f"the witness {name} has seen {size} entries, more than there are"
            for name, size in self._session.execute(seen)
        ]
