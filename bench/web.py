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
from bench.vault import open_vault
from tests.fakes.browser import open_chromium, serve
from tests.fakes.processes import PASSWORD, PIN, USER
from tests.fakes.visitor import Visitor

WATCH = """
(() => {
  window.seen = {};
  const note = (name, there) => { if (there) window.seen[name] ??= performance.now(); };
  const look = () => {
    note("asked", document.querySelector("form [aria-disabled=true]"));
    note("open", document.querySelector("nav .lock"));
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
"""When the button was pressed, and when the vault was open, on the page's own clock."""
BUILT = Path(__file__).parents[1] / "build" / "bench-web"


def measure() -> Iterator[Row]:
    with sync_playwright() as playwright, open_chromium(playwright) as browser:
        found = _measured(browser)
        names = ("bare", "sealed", "hashed", "argon")
        bare, sealed, hashed, argon = (statistics.median(found[name]) / 1000 for name in names)
        yield Row("seal in the worker (bar 0.8×)", found["bytes"], "B", sealed, "libsodium's bare loop", bare)
        yield Row("seal with both hashes (bar 0.3×)", found["bytes"], "B", hashed, "libsodium's bare loop", bare)
        with open_vault() as (url, _, _):
            login = statistics.median(_logged_in(browser, url) for _ in range(RUNS))
        yield Row("log in, from the button to the journal", 1, "login", login, "Argon2id alone", argon)


def _logged_in(browser: Browser, url: str) -> float:
    """Seconds of a login on a device that has never been here; scripts and synchronisation are part of it."""
    context = browser.new_context(locale="fr-FR")
    visitor = Visitor(context.new_page(), url, username=USER, password=PASSWORD, pin=PIN)
    visitor.page.add_init_script(WATCH)
    visitor.log_in()
    visitor.page.wait_for_function("seen.open")
    seconds: float = visitor.page.evaluate("(seen.open - seen.asked) / 1000")
    context.close()
    return seconds


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
