"""How a long transfer tells how far it is.

Knows: four calls. Refuses to know: terminals.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """`start` once with the bytes to come, `advance` as they pass (0 after a failure), `done` at any end. `checking`,
    perhaps several times: all that was sent is there, and the other side is not done with it."""

    def start(self, label: str, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def checking(self) -> None: ...

    def done(self) -> None: ...


class _NoProgress:
    def start(self, label: str, total: int) -> None:
        pass

    def advance(self, count: int) -> None:
        pass

    def checking(self) -> None:
        pass

    def done(self) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
