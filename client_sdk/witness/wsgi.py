"""The witness as a WSGI application, a factory: `client_sdk.witness.wsgi:application`, for granian or any other server.

Knows: the environment of this process. Refuses to know: sockets.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from crypto_core.receipts.note import parse_vkey
from crypto_core.receipts.rotation import open_rotations
from client_sdk.witness.folder import EvidenceFolder, open_folder
from client_sdk.witness.lifeline import end_with_parent
from client_sdk.witness.service import Witness
from client_sdk.witness.steps import NoSteps, SystemClock
from client_sdk.witness.views import create_app, log_to_stderr

STATE, LEDGERS, ROTATIONS = "TEMOIN_WITNESS_STATE", "TEMOIN_WITNESS_LOGS", "TEMOIN_WITNESS_ROTATIONS"


def application() -> Flask:
    """The witness that the environment names. Raises as `open_witness` does."""
    log_to_stderr()
    end_with_parent()
    return create_app(open_witness())


def open_witness() -> Witness:
    """The witness in TEMOIN_WITNESS_STATE for the ledgers whose verifier keys TEMOIN_WITNESS_LOGS names, one a line,
    and for the keys that the records in the files of TEMOIN_WITNESS_ROTATIONS lead to, one a line.

    Raises the errors of `open_folder`, `parse_vkey`, `open_rotations` and `rotate_policy`.
    """
    folder = Path(os.environ[STATE])
    signer, store = open_folder(folder)
    keys = [parse_vkey(line) for line in os.environ[LEDGERS].splitlines()]
    chains = [open_rotations(Path(path).read_bytes()) for path in os.environ.get(ROTATIONS, "").splitlines()]
    return Witness(signer, keys, store, EvidenceFolder(folder), SystemClock(), NoSteps(), chains)
