"""The real server with a clock and steps of the test's: `python -m tests.fakes.wsgi DATA PORT WORKERS`.

Knows: what `temoin-server run` does to start. Refuses to know: what is tested. Its orders come through a folder
(tests.fakes.orders). It has to be started in a session of its own, because an order may kill the whole of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from flask import Flask

from server.access_log import log_to_stderr
from server.app import create_app
from server.cli import collect
from server.cli.serving import serve
from server.config import ServerConfig
from server.migrations import upgrade
from server.parts import Parts, open_parts
from tests.fakes.orders import GROUP, Orders
from tests.fakes.processes import ORDERS


def application() -> Flask:
    """The factory that granian's workers call."""
    log_to_stderr()
    return create_app(_open())


def main(data: str, port: str, workers: str) -> None:
    if os.getpgrp() != os.getpid():
        sys.exit("to be started in a session of its own")
    os.umask(0o077)
    os.environ.update({GROUP: str(os.getpgrp()), "TEMOIN_DATA": data})
    with contextlib.closing(_open()) as parts:
        upgrade(parts.database)
        collect(parts)
    # Nothing is open here any more, so that workers may begin as copies: they die by the dozen, and need not learn it
    # all anew each time.
    serve("tests.fakes.wsgi:application", "127.0.0.1", int(port), int(workers), copied=True)


def _open() -> Parts:
    orders = Orders(Path(os.environ[ORDERS]))
    config = ServerConfig.from_environ(os.environ, Path(os.environ["TEMOIN_DATA"]))
    return open_parts(config, clock=orders.clock, steps=orders)


if __name__ == "__main__":
    main(*sys.argv[1:])
