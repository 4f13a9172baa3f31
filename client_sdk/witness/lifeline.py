"""The worker ends with the process that started it: whoever starts the witness again would share the port with it.

Knows: the pipe that multiprocessing lays between the two, which closes however that process went. Refuses to know: what
the worker does. What it has in hand it ends as on SIGTERM, which is what it is sent. The vault's is server.lifeline.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

PATIENCE = 30
"""Seconds that the worker has to end in, once it was told to."""


def end_with_parent() -> None:
    """From now on, and not before it where their terminal closes or Ctrl-C is typed: both hear of that. Does nothing in
    a process that multiprocessing did not start. Two signals at once might both reach a thread that acts on none."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)
