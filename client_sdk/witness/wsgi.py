"""The witness as a WSGI application, a factory: `client_sdk.witness.wsgi:application`, for granian or any other server.

Knows: the environment of this process. Refuses to know: sockets.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from crypto_core.receipts.note import parse_vkey
from client_sdk.witness.folder import EvidenceFolder, open_folder
from client_sdk.witness.service import Witness
from client_sdk.witness.steps import NoSteps, SystemClock
from client_sdk.witness.views import create_app, log_to_stderr

STATE, LEDGERS = "TEMOIN_WITNESS_STATE", "TEMOIN_WITNESS_LOGS"


def application() -> Flask:
    """Opens the witness in TEMOIN_WITNESS_STATE for the ledgers whose verifier keys TEMOIN_WITNESS_LOGS names, one a
    line. Raises the errors of `open_folder` and `parse_vkey`."""
    log_to_stderr()
    folder = Path(os.environ[STATE])
    signer, store = open_folder(folder)
    keys = [parse_vkey(line) for line in os.environ[LEDGERS].splitlines()]
    return create_app(Witness(signer, keys, store, EvidenceFolder(folder), SystemClock(), NoSteps()))
