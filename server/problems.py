"""How the vault says no: one exception, and what becomes of every other.

Knows: the table of schemas.problems and RFC 9457. Refuses to know: what was asked; an answer and a log line
never hold a value, a path or a message of the exception.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from crypto_core.encoding import format_json
from schemas.problems import MEDIA_TYPE, PROBLEMS

_log = logging.getLogger("temoin.server")

_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "too_large",
    415: "media_type",
    416: "range_invalid",
}


class Refusal(Exception):
    """The vault says no, by a code of `PROBLEMS`. `extra` goes into the answer, as JSON values.

    `retry_after` is in seconds, and at least one.
    """

    def __init__(self, code: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.kind = PROBLEMS[code]
        self.retry_after = None if retry_after is None else max(1, retry_after)
        self.extra = extra

    def response(self) -> Response:
        """The answer as `application/problem+json`."""
        g.problem = self.code
        body = {
            "type": f"urn:temoin:problem:{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.code,
            "detail": self.kind.sentence,
            **self.extra,
        }
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        answer = Response(format_json(body), self.kind.status, content_type=MEDIA_TYPE)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        if self.kind.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def install_problems(app: Flask) -> None:
    """Every exception that a view or a hook raises becomes a problem."""
    app.register_error_handler(Refusal, Refusal.response)
    app.register_error_handler(ValidationError, _invalid)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def log_unexpected(error: BaseException | None) -> None:
    """One line for a mistake of ours: its type and the route's name."""
    _log.error("%s in %s", type(error).__name__, request.endpoint)


def _invalid(error: ValidationError) -> Response:
    return Refusal("invalid", fields=error.messages_dict).response()


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        return Refusal("internal").response()
    answer = Refusal(_BY_STATUS.get(status, "not_found" if status < 400 else "malformed")).response()
    if "Allow" in (plain := error.get_response()).headers:
        answer.headers["Allow"] = plain.headers["Allow"]
    return answer


def _unexpected(error: Exception) -> Response:
    log_unexpected(error)
    return Refusal("internal").response()
