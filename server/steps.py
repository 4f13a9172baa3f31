"""The names of the moments at which a crash is worth a test, and the two plain implementations of the small ports.

Knows: the table of steps. Refuses to know: what is done at each.
"""

from __future__ import annotations

import time

STEPS: tuple[str, ...] = (
    # accounts and guesses
    "account.rows",           # all rows of a new account are written, nothing is committed
    "account.closed",         # what opens an account is gone from the tables, nothing is committed
    "account.erased",         # the same of the next of what was kept for it
    "recovery.begun",         # the waiting of a recovery is written, nothing is committed
    "recovery.rows",          # the same of the rows that take the place of what was lost
    "credentials.rows",       # all rows of a change of credentials are written, nothing is committed
    "guess.counted",          # the try is committed, nothing was compared
    "guess.compared",         # compared, the outcome is not yet written
    # journal
    "journal.lines",          # what was noted is written in the journal, nothing is committed
    "journal.kept",           # the journal has it, the notes are still there
    "journal.restored",       # a copy's rows are as the journal has them, nothing is committed
    # ledger
    "ledger.nodes",           # entries and nodes are written, nothing is signed
    "ledger.sign",            # the checkpoint is signed, not yet kept
    "ledger.commit.before",
    "ledger.commit.after",    # durable, nobody was told
    # rotations of the ledger's key, which a command reaches
    "rotation.key",           # the next key is there, no record names it
    "rotation.published",     # its record is public, and both sign
    "rotation.finished",      # the old key is gone
    # deposits of records
    "item.rows",
    "item.erase",
    # deposits in boxes
    "box.deposited",          # all rows of a deposit are written, nothing is committed
    "box.accepted",           # the same of what accepts one
    "box.erased",             # the same of what refuses one
    "deposit.rows",
    "deposit.entries",
    # uploads
    "unit.written",
    "unit.synced",
    "unit.recorded",
    "complete.hashed",
    "complete.renamed",
)


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        return int(time.time())


class NoSteps:
    """Nobody watches."""

    def reach(self, name: str) -> None:
        if name not in STEPS:
            raise ValueError("a step that the table does not name")
