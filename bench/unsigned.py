"""The vault without its ledger: the same server, requests, checks, rows and syncs; no entry, node, signature, receipt.

Knows: what of a deposit is the ledger's. Refuses to know: everything else; that is the shipped code.
`python -m bench.unsigned DATA PORT WORKERS` serves a vault that `temoin-server init` made.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from crypto_core.receipts.leaf import NONCE_SIZE, Commitment
from server.access_log import log_to_stderr
from server.app import create_app
from server.cli.serving import serve
from server.config import ServerConfig
from server.database import connection_of
from server.ledger.marker import Marker
from server.ledger.service import Deposited, Ledger, _Growth
from server.parts import open_parts

_NONCE = bytes(NONCE_SIZE)
_numbers = count(os.getpid() << 32)
"""Stand for indexes in the rows of blobs and records, where no two may be the same."""


@dataclass
class _Nothing(_Growth):
    """A transaction that the tree does not grow by."""

    def enter(self, things: list[tuple[bytes, int]]) -> list[Deposited]:
        return [Deposited(next(_numbers), Commitment(_NONCE, self.time, size, sha256)) for sha256, size in things]


class Unsigned(Ledger):
    """Commits what waits together, as the ledger does, and enters nothing."""

    def _start(self, session: Session) -> _Growth:
        return _Nothing(connection_of(session), 0, self._clock.now(), {}, self.keys.look)


def application() -> Flask:
    """The factory that granian's workers call."""
    log_to_stderr()
    data = Path(os.environ["TEMOIN_DATA"])
    parts = open_parts(ServerConfig.from_environ(os.environ, data))
    ledger = Unsigned(
        parts.database, parts.ledger.keys, parts.clock, parts.steps, parts.ledger.origin, Marker(data)
    )
    return create_app(replace(parts, ledger=ledger))


if __name__ == "__main__":
    os.environ["TEMOIN_DATA"] = sys.argv[1]
    serve("bench.unsigned:application", "127.0.0.1", int(sys.argv[2]), int(sys.argv[3]))
