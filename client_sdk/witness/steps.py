"""The moments of a witness at which a crash is worth a test, and the small ports that a test may replace.

Knows: the table of steps. Refuses to know: what is done at each.
"""

from __future__ import annotations

import time
from typing import Protocol

STEPS: tuple[str, ...] = (
    "witness.checked",    # everything holds, nothing is written
    "witness.written",    # the row is written, nothing is committed
    "witness.committed",  # durable, nothing is signed
    "witness.signed",     # signed, nobody was told
)


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> int:
        """Unix seconds."""


class Steps(Protocol):
    """Is told which step was reached, one of STEPS; a running witness does nothing with it."""

    def reach(self, name: str) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        return int(time.time())


class NoSteps:
    """Nobody watches."""

    def reach(self, name: str) -> None:
        if name not in STEPS:
            raise ValueError("a step that the table does not name")
