"""The witness's socket.

Knows: granian. Refuses to know: what is answered.
"""

from __future__ import annotations

import multiprocessing

from granian import Granian
from granian.constants import Interfaces

THREADS = 8
"""Requests that are answered at a time; each waits for its turn at the state."""


def serve(bind: str, port: int) -> None:
    """Serves `client_sdk.witness.wsgi:application` with what the environment says, until SIGTERM or Ctrl-C."""
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "client_sdk.witness.wsgi:application",
        address=bind,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        log_enabled=False,
        log_access=False,
    ).serve()
