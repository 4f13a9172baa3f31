"""The public pages over HTTP: `/` finds the language, `/<lang>/<n>` is a page, `/s/…` a file with its hash as name.

Knows: languages asked for, compression, caching. Refuses to know: who asks; no session, no cookie, no address.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, current_app, redirect, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from server.headers import FOUND
from server.help.assets import PREFIX, by_address
from server.help.service import HOME, NOWHERE, Site, may_be_found, page_table, render
from server.help.shelf import shelf
from server.parts import parts
from server.problems import Refusal

blueprint = Blueprint("help", __name__)

PAGE_AGE = 300
"""Seconds for which a browser shows a page again without asking: a corrected number arrives within minutes."""
ASSET_AGE = 365 * 24 * 3600
APP = "/app"
"""Where the vault is opened in a browser, in a vault that serves this."""

_LANG = f"<any({','.join(shelf().languages)}):lang>"
_HOME, _PAGE, _ASSET = f"/{_LANG}/", f"/{_LANG}/<int:number>", f"{PREFIX}<name>"

PAGES = (("GET", "/"), ("GET", _HOME), ("GET", _PAGE), ("GET", _ASSET))
"""What is for people's eyes, and so no part of the wire: no row of schemas.endpoints, no session."""


@blueprint.get("/")
def choose_language() -> AnyResponse:
    lang = request.accept_languages.best_match(shelf().languages, shelf().languages[0])
    answer = redirect(f"/{lang}/")
    answer.headers["Vary"] = "Accept-Language"
    answer.headers.update(FOUND)
    return answer


@blueprint.get(_HOME, strict_slashes=False, defaults={"number": HOME})
@blueprint.get(_PAGE)
def page(lang: str, number: int) -> AnyResponse:
    found = parts()
    today = datetime.fromtimestamp(found.clock.now(), UTC).date()
    app = current_app.url_map.bind("").test(APP, "GET")
    site = Site(found.config.site_title, found.config.exit_url, found.config.operator, app)
    rendered = render(site, lang, number, today)
    status = 200 if number in page_table() else 404
    answer = answer_packed(rendered.body, rendered.packed, rendered.etag, "text/html; charset=utf-8", PAGE_AGE, status)
    if may_be_found(number, today):
        answer.headers.update(FOUND)
    return answer


@blueprint.app_errorhandler(NotFound)
def nowhere(_error: NotFound) -> AnyResponse:
    """Whoever mistyped an address by hand gets a page that helps; a program gets what it can read."""
    if not any(kind == "text/html" and weight for kind, weight in request.accept_mimetypes):
        return Refusal("not_found").response()
    beginning = request.path.split("/")[1].lower()
    languages = shelf().languages
    lang = beginning if beginning in languages else request.accept_languages.best_match(languages, languages[0])
    answer = page(lang, NOWHERE)
    answer.vary.update(("Accept", "Accept-Language"))
    return answer


@blueprint.get(_ASSET)
def asset(name: str) -> AnyResponse:
    found = by_address().get(name) or abort(404)
    return answer_packed(found.body, found.packed, name, found.media_type, ASSET_AGE)


def answer_packed(
    body: bytes, packed: bytes, etag: str, media_type: str, age: int | None, status: int = 200,
    smallest: bytes | None = None,
) -> AnyResponse:
    """The bytes, compressed for a browser that wants it, or 304 for one that has them.

    `packed` is gzip, `smallest` brotli where there is any. Without an `age` in seconds nobody keeps the answer.
    """
    coded: dict[str, bytes | None] = {"br": smallest, "gzip": packed}
    coding = next((name for name, sent in coded.items() if sent is not None and request.accept_encodings[name] > 0), "")
    answer = Response(coded.get(coding) or body, status, content_type=media_type)
    if coding:
        answer.content_encoding = coding
    answer.vary.add("Accept-Encoding")
    if age is None:
        answer.cache_control.no_store = True
        return answer
    answer.cache_control.public = True
    answer.cache_control.max_age = age
    answer.set_etag(f"{etag}-{coding}" if coding else etag)
    return answer.make_conditional(request) if status == 200 else answer
