"""The web client in a real Chromium: sealing against libsodium's bare loop in the same page, login against Argon2id.

Knows: the page that measures (client_sdk/web/bench, built by `make bench-web`). Refuses to know: the app's views,
but for the login's.
"""

from __future__ import annotations

import mimetypes
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response
from playwright.sync_api import Browser, sync_playwright

from bench.measure import RUNS, Row
from tests.fakes.browser import open_chromium, serve

BUILT = Path(__file__).parents[1] / "build" / "bench-web"


def measure() -> Iterator[Row]:
    with sync_playwright() as playwright, open_chromium(playwright) as browser:
        found = _measured(browser)
        bare, sealed, argon = (statistics.median(found[name]) / 1000 for name in ("bare", "sealed", "argon"))
        yield Row("seal in the worker (bar 0.8×)", found["bytes"], "B", sealed, "libsodium's bare loop", bare)
        yield Row("Argon2id in the worker", 1, "password", argon)


def _measured(browser: Browser) -> dict[str, Any]:
    with serve(_files()) as address:
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        measured: dict[str, Any] = page.evaluate(f"measure({RUNS})")
        page.close()
    return measured


def _files() -> Flask:
    app = Flask("bench", static_folder=None)

    @app.get("/<path:name>")
    def file(name: str) -> Response:
        return Response((BUILT / name).read_bytes(), content_type=mimetypes.guess_type(name)[0])

    return app
