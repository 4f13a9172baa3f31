"""Puts the vault together: every noun's views, the hooks around them, and the table they are held to.

Knows: which blueprints there are and in which order hooks run. Refuses to know: what any of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response
from limits.errors import StorageError
from werkzeug.wsgi import ClosingIterator

import server.accounts.views
import server.boxes.views
import server.directory.views
import server.guesses.views
import server.help.views
import server.items.views
import server.ledger.views
import server.recovery.views
import server.shares.views
import server.shell.views
import server.uploads.views
import server.vault
from schemas.endpoints import ENDPOINTS
from server.accounts.service import install_stages
from server.access_log import install_access_log
from server.headers import install_headers
from server.limits import install_limits
from server.parts import Parts
from server.problems import Refusal, install_problems, log_unexpected
from server.requests import CONVERTERS, install_hearing_out
from server.shell.service import is_built

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BLUEPRINTS: tuple[Blueprint, ...] = (
    server.vault.blueprint,
    server.accounts.views.blueprint,
    server.guesses.views.blueprint,
    server.recovery.views.blueprint,
    server.items.views.blueprint,
    server.uploads.views.blueprint,
    server.directory.views.blueprint,
    server.shares.views.blueprint,
    server.shares.views.reading,
    server.boxes.views.blueprint,
    server.boxes.views.visiting,
    server.ledger.views.blueprint,
    server.help.views.blueprint,
)


PAGES = (*server.help.views.PAGES, *server.shell.views.PAGES)
"""What is for people's eyes, and so no row of schemas.endpoints."""


class WholeAnswer(Response):
    """An answer; where its body is there already, the WSGI server gets it as a list. It then sends it with the headers
    and asks for nothing more, where it would have to wait for the end of anything else."""

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        pieces = super().get_app_iter(environ)
        if not self.is_sequence or not isinstance(pieces, ClosingIterator):
            return pieces
        with closing(pieces):
            return list(pieces)


class VaultApp(Flask):
    """Flask, but for four habits: what it logs holds no path, a try that could not be counted is no answer, what is
    whole is handed over whole, and no function is looked at again and again for whether it is a coroutine: none is."""

    response_class = WholeAnswer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def log_exception(self, exc_info: Any) -> None:
        log_unexpected(exc_info[1])

    def process_response(self, response: Response) -> Response:
        try:
            return super().process_response(response)
        except StorageError:
            return super().process_response(Refusal("limiter_unavailable").response())


def create_app(parts: Parts) -> Flask:
    """The WSGI application of one open vault. Raises ValueError if its views are not those of schemas.endpoints."""
    app = VaultApp("server", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(CONVERTERS)
    app.extensions["parts"] = parts
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if is_built():
        app.register_blueprint(server.shell.views.blueprint)
    require_table(app)
    install_problems(app)
    install_hearing_out(app)
    install_access_log(app)
    install_headers(app)
    install_stages(app, PAGES)
    install_limits(app, parts)
    return app


def require_table(app: Flask) -> None:
    """ValueError unless the views are exactly the endpoints of the table."""
    table = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    views = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    } - set(PAGES)
    if views != table:
        raise ValueError(f"views and table differ: {sorted(views ^ table)}")
