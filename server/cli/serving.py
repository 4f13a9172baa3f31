"""The workers of a vault, and who replaces them.

Knows: granian, and what may be open while a process is copied. Refuses to know: what is served.
"""

from __future__ import annotations

import _thread
import gc
import importlib
import itertools
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from server.lifeline import WORKERS_KILL_TIMEOUT, hold_copies

BLOCKING_THREADS = 16
"""Requests that one worker answers at a time."""
READ_AHEAD = 256 * 1024
"""Bytes of a connection that granian may hold before anybody asks for them. With half of it a large file costs a tenth
more of processor here; more than this gains nothing."""
PAUSE = 1
"""Seconds before the workers are started again, where granian has given up because one died twice in a row."""

_log = logging.getLogger("temoin.server")


def serve(
    target: str, bind: str, port: int, workers: int, *,
    copied: bool = False, begun: Callable[[], None] | None = None,
) -> None:
    """Runs a WSGI factory, `module:name`, until SIGTERM, or until its terminal closes, unless whoever started it wants
    that unheard; running requests are finished first.

    `copied` workers begin as copies of this process, once it has learnt all that they need; it must have nothing open
    then, because SQLite must not be carried across a fork, and no second thread, which might hold what nobody lets go
    of in the copy. `begun` is called once the workers are there (not yet that they answer). From then on anything may
    be open, and whoever replaces a worker is a fresh process; without `begun`, a copy as well.

    A worker that died is replaced, and granian gives up when the new one dies within seconds: then all are started
    again, because a vault that is killed, by whomever, comes back.
    """
    multiprocessing.set_start_method("fork" if copied else "spawn", force=True)
    if copied:
        importlib.import_module(target.partition(":")[0])
        hold_copies()
        gc.freeze()  # no collection touches the pages that are shared
    if copied and begun is not None:
        _after_copies(workers, begun)
    elif begun is not None:
        begun()
    unheard = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    while True:
        granian = Granian(
            target,
            address=bind,
            port=port,
            interface=Interfaces.WSGI,
            factory=True,
            workers=workers,
            blocking_threads=BLOCKING_THREADS,
            respawn_failed_workers=True,
            workers_kill_timeout=WORKERS_KILL_TIMEOUT,
            http1_settings=HTTP1Settings(max_buffer_size=READ_AHEAD),
            log_enabled=False,
            log_access=False,
        )
        granian.on_startup(partial(_hear, hand_over(granian.signal_handler_interrupt), unheard))
        try:
            granian.serve()
            return
        except SystemExit:
            _log.error("workers died again and again; starting all of them anew")
        time.sleep(PAUSE)
        if granian.interrupt_signal:  # SIGTERM came while nothing was running
            return


def hand_over(act: Callable[[], object]) -> Callable[[int, FrameType | None], None]:
    """A handler of signals that lets a thread of its own act. What granian does on one takes the lock of the event that
    its main thread waits on: where a worker's end has just woken that, as when a supervisor tells all processes to end
    at once, the handler would wait for ever for what it interrupted."""
    def handler(_number: int, _frame: FrameType | None) -> None:
        _thread.start_new_thread(act, ())

    return handler


def _hear(told: Callable[[int, FrameType | None], None], unheard: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    signal.signal(signal.SIGHUP, signal.SIG_IGN if unheard else told)  # it would replace its workers, and go on


def _after_copies(count: int, begun: Callable[[], None]) -> None:
    """Calls `begun` in this process as soon as it was copied so often. granian asks how to start a process each time
    that it does, and says to nobody when it has."""
    left = itertools.count(count - 1, -1)

    def copied() -> None:
        if next(left) == 0:
            multiprocessing.set_start_method("spawn", force=True)
            begun()

    os.register_at_fork(after_in_parent=copied)
