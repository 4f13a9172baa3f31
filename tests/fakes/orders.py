"""How a test tells the processes of a real server when to die, and reads how far they came: files in one folder.

Knows: the names of steps, a clock in a file. Refuses to know: what the server does between two steps.

    clock            an integer, unix seconds
    reached          one line for each step that was reached, by whichever worker
    died             one line for each order that was carried out, written before the process died: step and process id
    <step>.order     "server 2": at the second time from now kill the whole server; "worker 1": this worker alone
    <step>.held      whoever reaches the step goes on when this file is gone
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from server.steps import STEPS
from tests.fakes.vault import NOON, FileClock

GROUP = "TEST_ORDERS_GROUP"
"""Environment variable of the server under test: the process group that is the whole of it."""

Victim = Literal["server", "worker"]


@dataclass(frozen=True)
class Orders:
    """Both ends of the folder: a test gives orders, `reach` carries them out in a worker."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> Orders:
        folder.mkdir()
        made = cls(folder)
        made.clock.time = NOON
        return made

    @property
    def clock(self) -> FileClock:
        return FileClock(self.folder / "clock")

    def kill(self, victim: Victim, step: str, times: int = 1) -> None:
        """From now on: kill -9 when `step` is reached for so many times."""
        if step not in STEPS:
            raise ValueError("a step that the table does not name")
        fresh = self._order(step).with_suffix(".new")
        fresh.write_text(f"{victim} {times}")
        fresh.replace(self._order(step))  # no worker reads half of an order

    @contextmanager
    def holding(self, step: str) -> Iterator[None]:
        """Until the end of the block nobody gets beyond `step`."""
        held = self._held(step)
        held.touch()
        try:
            yield
        finally:
            held.unlink()

    def withdraw(self) -> None:
        """No order holds any more."""
        for order in self.folder.glob("*.order"):
            order.unlink()

    def reached(self) -> Counter[str]:
        """How often each step was reached since `forget`."""
        return Counter(self._lines("reached"))

    def died(self) -> list[str]:
        """The steps at which something was killed, in order."""
        return [line.split()[0] for line in self._lines("died")]

    def wait_for_last_death(self) -> None:
        """Until the process that was killed last is gone with its sockets.

        A process that was killed closes what it held one after the other, its listening socket late: whoever connects
        in these milliseconds is cut off once more.
        """
        with suppress(ProcessLookupError):
            gone = os.pidfd_open(int(self._lines("died")[-1].split()[1]))
            try:
                assert select.select([gone], [], [], 30)[0], "a process outlived kill -9"
            finally:
                os.close(gone)

    def forget(self) -> None:
        """Counts steps from now on."""
        (self.folder / "reached").unlink(missing_ok=True)

    def reach(self, name: str) -> None:
        """In a worker: notes the step, and dies if that is the order."""
        if name not in STEPS:
            raise ValueError("a step that the table does not name")
        self._note("reached", name)
        victim = self._due(name)
        if victim is not None:
            self._note("died", f"{name} {os.getpid()}")
            if victim == "server":
                os.killpg(int(os.environ[GROUP]), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        while self._held(name).exists():
            time.sleep(0.02)

    def _due(self, name: str) -> str | None:
        """Counts an order down, one worker at a time; whom to kill once it is at its end."""
        try:
            with self._order(name).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                victim, times = file.read().split()
                if times == "0":
                    return None
                file.seek(0)
                file.truncate()
                file.write(f"{victim} {int(times) - 1}")
                return victim if times == "1" else None
        except FileNotFoundError:
            return None

    def _order(self, step: str) -> Path:
        return self.folder / f"{step}.order"

    def _held(self, step: str) -> Path:
        return self.folder / f"{step}.held"

    def _note(self, file: str, line: str) -> None:
        descriptor = os.open(self.folder / file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    def _lines(self, file: str) -> list[str]:
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []
