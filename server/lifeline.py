"""A worker doesn't outlive the process that started it: nobody would stop it, replace it or tell it of another key.

Knows: the pipe that multiprocessing lays between the two, which closes when either is gone, however it went. Refuses to
know: what a worker does. What it has in hand it ends as on SIGTERM, which is what it is sent.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

WORKERS_KILL_TIMEOUT = 30
"""Seconds that a worker has to end in, once it was told to."""


def end_with_parent() -> None:
    """From now on. Does nothing in a process that multiprocessing did not start."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(WORKERS_KILL_TIMEOUT)
    os.kill(os.getpid(), signal.SIGKILL)
