"""How a long transfer tells how far it is.

Knows: three calls. Refuses to know: terminals.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """`start` once with the bytes to come, `advance` as they pass (0 after a failure), `done` at any end."""

    def start(self, label: str, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def done(self) -> None: ...


class _NoProgress:
    def start(self, label: str, total: int) -> None:
        pass

    def advance(self, count: int) -> None:
        pass

    def done(self) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
