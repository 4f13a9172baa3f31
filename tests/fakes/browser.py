"""A real Chromium for tests: found, or installed, or asked for by name; and the site it looks at, in this process.

Knows: where browsers are found, and how quiet one has to be. Refuses to know: what is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Route
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.fakes.vault import FakeVault, fake_vault
from tests.fakes.visitor import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENGINES = ("chromium-headless-shell", "chrome-headless-shell")
"""The same engine in a program that has no window, no tabs and no settings, which cost a quarter of it all."""
PACKAGES = ("chromium", "chromium-headless-shell", "fonts-dejavu-core", "fonts-noto-core")
INSTALL = f"apt-get install -y --no-install-recommends {' '.join(PACKAGES)}"
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
TODAY = int(datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp())
"""A day on which all facts are fresh."""


def find_chromium(environ: dict[str, str] | None = None) -> str:
    """The path of a Chromium, installed if need be. Raises RuntimeError, naming the line to run, if there is none."""
    chosen = dict(os.environ) if environ is None else environ
    if named := chosen.get("TEMOIN_CHROMIUM"):
        if not os.access(named, os.X_OK):
            raise RuntimeError("TEMOIN_CHROMIUM names no program that can be run.")
        return named
    if found := _on_path(chosen):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get", path=chosen.get("PATH", "")):
        subprocess.run("apt-get update -qq", shell=True, check=True)
        subprocess.run(INSTALL, shell=True, check=True, env={**chosen, "DEBIAN_FRONTEND": "noninteractive"})
        if found := _on_path(chosen):
            return found
    raise RuntimeError(f"These tests need Chromium. Run `{INSTALL}` as root, or set TEMOIN_CHROMIUM to its path.")


def find_engine(environ: dict[str, str] | None = None) -> str:
    """The path of Chromium's engine alone; of a whole one where there is no such program, or one is named."""
    chosen = dict(os.environ) if environ is None else environ
    return (not chosen.get("TEMOIN_CHROMIUM") and _on_path(chosen, ENGINES)) or find_chromium(chosen)


def _on_path(environ: dict[str, str], names: tuple[str, ...] = NAMES) -> str | None:
    return next(filter(None, (shutil.which(name, path=environ.get("PATH", "")) for name in names)), None)


@contextmanager
def open_chromium(
    playwright: Playwright, *, engine: bool = False, back_forward_cache: bool = False, more: tuple[str, ...] = ()
) -> Iterator[Browser]:
    """A running Chromium that shows no window, or its engine alone; with the cache that keeps left pages whole for
    Back, which only the whole has, if asked for, and with `more` flags."""
    browser = playwright.chromium.launch(
        executable_path=find_engine() if engine else find_chromium(),
        headless=True,
        args=[*FLAGS, *more],
        chromium_sandbox=os.geteuid() != 0,
        ignore_default_args=["--disable-back-forward-cache"] if back_forward_cache else None,
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def new_context(browser: Browser, **settings: Any) -> Iterator[BrowserContext]:
    """Somebody's browser, with nothing in it; closed at the end, and no handler of its requests outlives it."""
    made = browser.new_context(**settings)
    made.set_default_timeout(PATIENCE)
    try:
        yield made
    finally:
        made.unroute_all(behavior="ignoreErrors")
        for page in made.pages:
            page.unroute_all(behavior="ignoreErrors")
        made.close()


@contextmanager
def unanswered(page: Page, addresses: str) -> Iterator[None]:
    """What a page asks of such addresses meanwhile gets no answer, and is refused in the end."""
    held: list[Route] = []
    page.route(addresses, lambda route: held.append(route))
    try:
        yield
    finally:
        with suppress(Error):  # the page may be gone, or what it asked for
            page.unroute(addresses)
            for route in held:
                route.abort()


NOT_FOUND = {"type": "about:blank", "title": "Not found", "status": 404, "code": "not_found", "detail": "No."}


@contextmanager
def unreached(page: Page, addresses: str) -> Iterator[None]:
    """What a page asks of such addresses meanwhile doesn't arrive."""
    page.route(addresses, lambda route: route.abort())
    try:
        yield
    finally:
        page.unroute(addresses)


@contextmanager
def not_found(page: Page, paths: Collection[str]) -> Iterator[None]:
    """The vault has nothing at these paths, as far as a page can tell."""
    def answer(route: Route) -> None:
        if urlsplit(route.request.url).path in paths:
            route.fulfill(status=404, content_type="application/problem+json", body=json.dumps(NOT_FOUND))
        else:
            route.fallback()

    page.route("**/v1/**", answer)
    try:
        yield
    finally:
        page.unroute("**/v1/**")


NOW = "performance.timeOrigin + performance.now()"
WATCH = """
(() => {
  const born = Math.random();
  const shown = (root) => root && root.getClientRects().length ? root.innerText.trim() : "";
  const tell = (frame) => report(JSON.stringify({
    url: location.href, born, at: %s, frame, text: shown(document.documentElement)
  }));
  const everyFrame = () => { tell(true); requestAnimationFrame(everyFrame); };
  requestAnimationFrame(everyFrame);
  setInterval(tell, 20, false);
})();
""" % NOW


@dataclass(frozen=True)
class Sight:
    """What a tab showed at one moment. `born` differs between documents; `at`: milliseconds since 1970; `frame`: it was
    about to be painted."""

    url: str
    born: float
    at: float
    frame: bool
    text: str


class Watcher:
    """Sees what a tab shows in every frame, also while it waits for the next page, when nothing can be asked."""

    def __init__(self, page: Page) -> None:
        self.sights: list[Sight] = []
        self._page = page
        session = page.context.new_cdp_session(page)
        session.on("Runtime.bindingCalled", lambda call: self.sights.append(Sight(**json.loads(call["payload"]))))
        session.send("Runtime.enable")
        session.send("Runtime.addBinding", {"name": "report"})
        page.add_init_script(WATCH)

    def now(self) -> float:
        """What `at` of a sight would be: one that is told later may be older, for it was on its way."""
        return float(self._page.evaluate(NOW))

    def wait(self, true: Callable[[Sight], bool]) -> Sight:
        """The first sight from now on of which this is true. Raises AssertionError."""
        seen, end = len(self.sights), time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            self._page.wait_for_timeout(10)
            for sight in self.sights[seen:]:
                if true(sight):
                    return sight
            seen = len(self.sights)
        raise AssertionError(f"never seen; last: {self.sights[-1:]}")

    def step(self, direction: str, arrived: Callable[[], bool] = lambda: False) -> None:
        """Back or Forward; until another document is there, or it has arrived as a test knows by other ways."""
        born = self.sights[-1].born
        self._page.evaluate(f"void setTimeout(() => history.{direction}())")
        self.wait(lambda sight: sight.born != born or arrived())


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, as real servers do, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def serve(app: Any, port: int = 0) -> Iterator[str]:
    """The address of an application that is served from a thread of this process."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]  # ThreadingMixIn has it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serve_vault(folder: Path, **settings: Any) -> Iterator[tuple[str, FakeVault]]:
    """A vault with its public pages at an address of this machine."""
    with fake_vault(folder, **settings) as vault, serve(vault.app) as address:
        vault.clock.time = TODAY
        yield address, vault
