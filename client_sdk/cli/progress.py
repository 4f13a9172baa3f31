"""A bar for each transfer: how far, how fast, how long still.

Knows: rich's progress bars, on standard error. Refuses to know: what is transferred. Without a terminal it is silent,
and they aren't even loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from client_sdk.cli.output import aside, one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bars:
    """The SDK's Progress, drawn. One transfer at a time."""

    def __init__(self) -> None:
        self._drawn: Progress | None = None
        self._task: TaskID | None = None
        self._label = ""

    def start(self, label: str, total: int) -> None:
        """A transfer of `total` bytes begins."""
        self.done()
        console = aside()
        if not console.is_terminal:
            return
        from rich import progress as rich

        self._drawn = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.DownloadColumn(),
            rich.TransferSpeedColumn(),
            rich.TimeRemainingColumn(),
            console=console,
        )
        self._label = one_line(label)
        self._task = self._drawn.add_task(self._label, total=total)
        self._drawn.start()

    def advance(self, count: int) -> None:
        """`count` more bytes are through."""
        if self._drawn is not None and self._task is not None:
            self._drawn.advance(self._task, count)

    def checking(self) -> None:
        """What was sent is there, and the other side looks at it; of several the last one is."""
        if self._drawn is not None and self._task is not None and self._drawn.finished:
            self._drawn.update(self._task, description=f"{self._label}, being checked")

    def done(self) -> None:
        """The transfer has ended, well or not. May be said twice."""
        if self._drawn is not None:
            if self._task is not None:
                self._drawn.update(self._task, description=self._label)
            self._drawn.stop()
            self._drawn = None
