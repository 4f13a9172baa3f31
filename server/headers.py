"""The headers on every answer, refusals included: one table.

Knows: what a browser must not do with an answer. Refuses to know: what is in it.
"""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.datastructures import Headers

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_FORBIDDEN = (
    "accelerometer=(), autoplay=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
    "midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()"
)

ALWAYS = {
    "Content-Security-Policy": _NOTHING,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": f"{_FORBIDDEN}, camera=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "web",  # else the WSGI server would name itself
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

PAGES = {
    "Content-Security-Policy": (
        f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
}
"""What differs on a page for people's eyes: our own files, and no string ever becomes code."""

APP = {
    "Content-Security-Policy": (
        f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; connect-src 'self'; "
        "worker-src 'self'; frame-src 'self'; require-trusted-types-for 'script'; trusted-types app"
    ),
    "Permissions-Policy": f"{_FORBIDDEN}, camera=(self), microphone=(self)",
}
"""What differs on /app: it starts our own workers, asks its own vault alone, and shows what they opened; and a person
may record there."""

PLAYER = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; media-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Permissions-Policy": f"{ALWAYS['Permissions-Policy']}, fullscreen=(), picture-in-picture=()",
    "X-Frame-Options": "SAMEORIGIN",
}
"""What differs on the one page that stands in a frame, and in one of ours alone: it runs nothing and plays what its
service worker gives. On the whole screen the way out would be hidden."""

WORKERS = {
    "Content-Security-Policy": (
        f"{_NOTHING}; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
    ),
}
"""What differs on a script that a worker runs: libsodium is wasm, and only there may it be compiled."""

_DOCUMENTS = {"/app": APP, "/a/p/": PLAYER}

UNFOUND = {"X-Robots-Tag": "noindex, nofollow"}
FOUND = {"X-Robots-Tag": "noarchive"}
"""A page that may be found by searching; no copy of it is shown, since a number in it may be mended tomorrow."""

BEHIND_TLS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def headers_for(media_type: str, path: str = "/", *, secure: bool) -> dict[str, str]:
    """The headers of an answer of this media type under this path, over TLS or not."""
    return ALWAYS | _special(media_type, path) | (BEHIND_TLS if secure else {})


def _special(media_type: str, path: str) -> dict[str, str]:
    if media_type == "text/html":
        return _DOCUMENTS.get(path, PAGES)
    return WORKERS if path.startswith("/a/w") else {}


def install_headers(app: Flask) -> None:
    """Nothing is kept by anybody, nor found by searching, unless a view said so; under /v1 none can say so."""

    @app.after_request
    def _set_headers(answer: Response) -> Response:
        ours = headers_for(answer.mimetype or "", request.path, secure=_came_over_tls())
        closed = request.path.startswith("/v1/") or answer.status_code >= 400
        if closed or "Cache-Control" not in answer.headers:
            ours["Cache-Control"] = "no-store"
        if closed or "X-Robots-Tag" not in answer.headers:
            ours |= UNFOUND
        names = {name.lower() for name in ours}  # to replace them one by one takes a search for each
        answer.headers = Headers([one for one in answer.headers if one[0].lower() not in names])
        answer.headers.extend(ours)
        return answer


def _came_over_tls() -> bool:
    """Also as a proxy in front says it; whoever claims that wrongly changes only an answer to themselves."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"
