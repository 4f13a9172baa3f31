"""One line for each request: what was asked for in general, and how it ended.

Knows: method, route, status, code. Refuses to know: the path, the address, the headers and every body.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request

_log = logging.getLogger("temoin.server")


def install_access_log(app: Flask) -> None:
    """`POST /v1/pin 403 pin_wrong`; the route is that of the table, with its placeholders."""

    @app.after_request
    def _log_request(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "-"
        _log.info("%s %s %d %s", request.method, route, answer.status_code, g.get("problem", "-"))
        return answer


def log_to_stderr() -> None:
    """Where the lines go in a running vault. They name no place in the code, thread or process: none is looked for."""
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
