"""The vault as a WSGI application, for granian and any other server: `server.wsgi:application`, a factory.

Knows: the environment of this process. Refuses to know: sockets.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

from flask import Flask

from server.access_log import log_to_stderr
from server.app import create_app
from server.config import ServerConfig
from server.lifeline import end_with_parent
from server.parts import open_parts


def application() -> Flask:
    """Opens the vault in TEMOIN_DATA (`data` if unset). Raises the errors of server.config and server.folder."""
    log_to_stderr()
    end_with_parent()
    data = Path(os.environ.get("TEMOIN_DATA", "data"))
    app = create_app(open_parts(ServerConfig.from_environ(os.environ, data)))
    gc.collect()
    gc.freeze()  # what a start has made stays as long as the worker: no collection looks at it again
    return app
