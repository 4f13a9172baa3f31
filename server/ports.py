"""The outside world as the server sees it, where a test may put another.

Knows: what a clock and a step are. Refuses to know: who implements them. The port for blobs is in `server.stores`.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> int:
        """Unix seconds."""


class Steps(Protocol):
    """Is told when a durable step is about to be taken or was taken, so that a test can stop the world right there."""

    def reach(self, name: str) -> None:
        """`name` is one of `server.steps.STEPS`. In a running vault nothing happens."""
