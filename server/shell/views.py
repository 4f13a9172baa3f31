"""/app and its files over HTTP.

Knows: languages asked for, compression, caching. Refuses to know: who asks, and what happens in the page.
"""

from __future__ import annotations

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from server.help.service import Site
from server.help.shelf import shelf
from server.help.views import ASSET_AGE, answer_packed
from server.parts import parts
from server.shell.service import PLAYER, PREFIX, built, render_app

blueprint = Blueprint("shell", __name__)

APP, _FILE, _PLAYER = "/app", f"{PREFIX}<name>", f"{PREFIX}p/"
PAGES = (("GET", APP), ("GET", _FILE), ("GET", _PLAYER))
"""For people's eyes, and so no part of the wire."""


@blueprint.get(APP)
def app() -> Response:
    lang = request.accept_languages.best_match(shelf().languages, shelf().languages[0])
    config = parts().config
    rendered = render_app(Site(config.site_title, config.exit_url), lang)
    answer = answer_packed(rendered.body, rendered.packed, rendered.etag, "text/html; charset=utf-8", None)
    answer.vary.add("Accept-Language")
    return answer


@blueprint.get(_PLAYER)
def player() -> Response:
    """An empty document: the page around it fills it, and its service worker answers what it plays."""
    return Response(PLAYER, content_type="text/html; charset=utf-8")


@blueprint.get(_FILE)
def file(name: str) -> Response:
    found = built(name) or abort(404)
    return answer_packed(found.body, found.packed, name, found.media_type, ASSET_AGE, smallest=found.smallest)
