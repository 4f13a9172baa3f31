"""A worker doesn't outlive the process that started it: nobody would stop it, replace it or tell it of another key.

Knows: a pipe between the two, which closes when either is gone, however it went: multiprocessing lays one to a fresh
process, and one of our own leads to all copies, each of which would hold the ends of multiprocessing's to those before
it. Refuses to know: what a worker does. What it has in hand it ends as on SIGTERM, which is what it is sent.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

WORKERS_KILL_TIMEOUT = 30
"""Seconds that a worker has to end in, once it was told to."""

_laid = list[int]()
"""The end at which copies wait, once there is one."""
_TOLD = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


def hold_copies() -> None:
    """The copies that are made of this process from now on may end with it; a signal ends each on the spot, as it does
    a fresh process, until the copy takes it otherwise; Ctrl-C is for this process alone. One that comes while the copy
    is being made waits for that."""
    reading, writing = os.pipe()
    _laid[:] = [reading]
    masks = list[set[int]]()

    def wait() -> None:
        masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD))

    def go_on() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.pop())

    def begin() -> None:
        os.close(writing)
        for number in _TOLD:
            signal.signal(number, signal.SIG_DFL)
        masks[-1].add(signal.SIGINT)
        go_on()

    os.register_at_fork(before=wait, after_in_parent=go_on, after_in_child=begin)


def end_with_parent() -> None:
    """From now on, and not before it where their terminal closes or Ctrl-C is typed: both hear of that. Does nothing in
    a process that multiprocessing did not start.

    Of Ctrl-C, and of SIGTERM that follows it, the kernel may give both to a thread that is not the main one, and Python
    acts on neither until something wakes that."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=_end_after, args=(_wait_for_end if _laid else parent.join,), daemon=True).start()


def _wait_for_end() -> None:
    os.read(_laid[0], 1)  # nobody writes


def _end_after(wait: Callable[[], object]) -> None:
    wait()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(WORKERS_KILL_TIMEOUT)
    os.kill(os.getpid(), signal.SIGKILL)
