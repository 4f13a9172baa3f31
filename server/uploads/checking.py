"""What takes longer than anybody waits for an answer: it goes on, and whoever asks again hears how it ended.

Knows: one work at a time under one name in this process, and how others see that it goes on (docs/adr/0062).
Refuses to know: what the work is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any

from server.problems import Refusal

SIGN = 10
"""Seconds between two signs of life of a work."""
LEASE = 3 * SIGN
"""Seconds without a sign after which nobody is believed to be at it any more."""
AT_ONCE = 16
"""Works of one process; more wait for their turn, since each reads as fast as it can."""

UNHEARD = 600
"""Seconds for which it is remembered how a work ended that nobody waited for, unless it gave something: that is kept
where it belongs."""

_log = logging.getLogger("temoin.server")


@dataclass
class _Running:
    """A work in a thread of its own."""

    written: Collection[str]
    outcome: Future[dict[str, Any]] = field(default_factory=Future)
    waiting: int = 0


class Checks:
    """The works of this process. A request waits for `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = Lock()
        self._room = BoundedSemaphore(AT_ONCE)
        self._running: dict[Hashable, _Running] = {}
        self._unheard: dict[Hashable, tuple[float, Refusal]] = {}

    def is_running(self, name: Hashable) -> bool:
        """Whether this process is at it."""
        with self._lock:
            return name in self._running

    def result(
        self, name: Hashable, work: Callable[[], dict[str, Any]], *, written: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """What `work` gives, or raises; None where it is not done yet, and goes on.

        Whoever comes with the same name meanwhile waits for the same one; who comes after it has ended in a Refusal
        that nobody heard gets that, unless it is one of those that the work has `written` down itself.
        """
        with self._lock:
            self._forget_old()
            if name in self._unheard:
                raise self._unheard.pop(name)[1]
            running = self._running.get(name)
            if running is None:
                running = self._running[name] = _Running(written)
                Thread(target=self._run, args=(name, running, work), daemon=True).start()
            running.waiting += 1
        wait([running.outcome], self._patience)
        with self._lock:
            running.waiting -= 1
            is_over = running.outcome.done()
        return running.outcome.result() if is_over else None

    def _run(self, name: Hashable, running: _Running, work: Callable[[], dict[str, Any]]) -> None:
        try:
            with self._room:
                result = work()
        except BaseException as error:
            with self._lock:
                del self._running[name]
                running.outcome.set_exception(error)
                if running.waiting:
                    return
                if isinstance(error, Refusal):
                    if error.code not in running.written:
                        self._unheard[name] = time.monotonic(), error
                    return
            _log.error("%s in a check for which nobody waited", type(error).__name__)
        else:
            with self._lock:
                del self._running[name]
                running.outcome.set_result(result)

    def _forget_old(self) -> None:
        last = time.monotonic() - UNHEARD
        self._unheard = {name: (at, error) for name, (at, error) in self._unheard.items() if at > last}


@contextmanager
def signs_of_life(tell: Callable[[bool], None]) -> Iterator[None]:
    """`tell` is called with True every SIGN seconds while the block lasts, and then, if it ever was, with False.

    It raises nothing: a sign that could not be given is missing, no more.
    """
    over, told = Event(), Event()

    def repeat() -> None:
        while not over.wait(SIGN):
            told.set()
            tell(True)

    teller = Thread(target=repeat, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        if told.is_set():
            tell(False)
