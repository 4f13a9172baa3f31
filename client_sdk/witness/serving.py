"""The witness's socket.

Knows: granian. Refuses to know: what is answered.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
from functools import partial

from granian import Granian
from granian.constants import Interfaces

from client_sdk.witness.errors import WitnessAddress
from client_sdk.witness.lifeline import PATIENCE

THREADS = 8
"""Requests that are answered at a time; each waits for its turn at the state."""
PAUSE = 1
"""Seconds before the worker is started again, where granian has given up because it died twice in a row."""


def find_address(bind: str, port: int) -> str:
    """The number of an address or a name of this machine, by IPv4 where it has both: granian takes no name.

    Raises WitnessAddress where nobody can listen now: granian would only say so by panicking. Asked for as it does,
    which shares a port with other processes of its own kind.
    """
    try:
        found = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(family, kind, protocol) as probe:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                probe.setsockopt(socket.SOL_SOCKET, option, 1)
            probe.bind(place)
    except UnicodeError:  # no spelling of a name
        raise WitnessAddress() from None
    except OSError as error:
        raise WitnessAddress(error.strerror or "") from None
    return str(place[0])


def serve(bind: str, port: int) -> None:
    """Serves `client_sdk.witness.wsgi:application` with what the environment says, until SIGTERM or Ctrl-C, or until
    its terminal closes, unless whoever started it wants that unheard.

    A worker that dies again and again is started again and again: a ledger waits for its witness.
    """
    multiprocessing.set_start_method("spawn", force=True)
    unheard = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    while True:
        granian = Granian(
            "client_sdk.witness.wsgi:application",
            address=bind,
            port=port,
            interface=Interfaces.WSGI,
            factory=True,
            workers=1,
            blocking_threads=THREADS,
            respawn_failed_workers=True,
            workers_kill_timeout=PATIENCE,
            log_enabled=False,
            log_access=False,
        )
        hung_up = signal.SIG_IGN if unheard else granian.signal_handler_interrupt
        granian.on_startup(partial(signal.signal, signal.SIGHUP, hung_up))  # it would replace its worker, and go on
        try:
            granian.serve()
            return
        except SystemExit:  # what granian does when it gives up
            time.sleep(PAUSE)
        if granian.interrupt_signal:  # SIGTERM came while nothing was running
            return
