"""The witness over HTTP: one path.

Knows: Flask, how large a body may be. Refuses to know: why a checkpoint is cosigned or not.
A log line says how a request ended, and names nobody.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, request

from crypto_core.receipts.submission import MAX_SUBMISSION_SIZE
from client_sdk.witness.service import PLAIN, Answer, Refused, Witness

ADD_CHECKPOINT = "/add-checkpoint"

_log = logging.getLogger("temoin.witness")


def create_app(witness: Witness) -> Flask:
    """The WSGI application of one witness."""
    app = Flask("witness", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_SUBMISSION_SIZE

    @app.post(ADD_CHECKPOINT)
    def add_checkpoint() -> Response:
        try:
            answer, code = Answer(200, PLAIN, witness.add_checkpoint(request.get_data(cache=False))), "-"
        except Refused as refused:
            answer, code = refused.answer, refused.code
        _log.info("add-checkpoint %d %s", answer.status, code)
        return Response(answer.body, answer.status, content_type=answer.media_type)

    return app


def log_to_stderr() -> None:
    """Where the lines go in a running witness."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
