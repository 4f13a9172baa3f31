"""Pictures of all pages, to be looked at: `python tests/browser/screenshots.py [page …]`.

Writes build/screenshots/<page>.<lang>.<width>.<scheme>.png, whole pages, at 360 and 1280 px; what a reader prints, as
<page>.<lang>.paper.png too. A page is a number of the public pages, `app` for every view of the vault, or `app/<view>`
for one of them, as tests/fakes/tour.py calls it.
Knows: the table of pages, and the tour. Refuses to know: whether they are beautiful.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from server.help.service import link, page_table
from server.help.shelf import shelf
from tests.browser.app.conftest import describe_vault
from tests.fakes.browser import open_chromium, serve_vault
from tests.fakes.processes import running
from tests.fakes.tour import walk
from tests.fakes.visitor import Visitor

FOLDER = Path("build/screenshots")
WIDTHS = {360: 780, 1280: 900}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PRINTED = "shared", "shared-summary"
PAPER: ViewportSize = {"width": 718, "height": 1046}
"""What is left of A4 at 96 dots an inch, within the margins that a browser prints with."""
APP = "app"
NAMES = {"fr": "bruyère", "en": "heather"}


def take(browser: Browser, address: str, numbers: list[int]) -> Iterator[Path]:
    """Each picture's path, once it is written."""
    for width, height in WIDTHS.items():
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            for lang in shelf().languages:
                for number in numbers:
                    page.goto(address + link(lang, number))
                    path = FOLDER / f"{number}.{lang}.{width}.{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                    yield path
            context.close()


def take_app(browser: Browser, folder: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """The same of a vault for each language: one walk each, and at every stop all widths and schemes."""
    for lang in shelf().languages:
        with running(describe_vault(folder / lang)) as vault:
            context = browser.new_context(locale=lang, reduced_motion="reduce")
            page = context.new_page()
            page.clock.install()
            newcomer = Visitor(page, vault.url, lang, f"{NAMES[lang]} 2")
            for stop in filter(wanted, walk(newcomer, vault, folder / lang / "story", NAMES[lang])):
                page.evaluate("scrollTo(0, 0)")  # the bar would lie over a part of something
                for width, height in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": height})
                    for scheme in SCHEMES:
                        page.emulate_media(color_scheme=scheme)
                        path = FOLDER / f"{APP}-{stop}.{lang}.{width}.{scheme}.png"
                        page.screenshot(path=path, full_page=True)
                        yield path
                if stop in PRINTED:
                    page.set_viewport_size(PAPER)
                    page.emulate_media(color_scheme="light", media="print")
                    path = FOLDER / f"{APP}-{stop}.{lang}.paper.png"
                    page.screenshot(path=path, full_page=True)
                    page.emulate_media(media="screen")
                    yield path
            context.close()


def main(pages: list[str]) -> None:
    numbers = [int(page) for page in pages if not page.startswith(APP)] if pages else list(page_table())
    views = [page.removeprefix(f"{APP}/") for page in pages if page.startswith(APP)] if pages else [APP]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(open_chromium(stack.enter_context(sync_playwright())))
        if numbers:
            address, _ = stack.enter_context(serve_vault(folder / "site"))
            for path in take(browser, address, numbers):
                print(path)
        if views:
            for path in take_app(browser, folder, lambda stop: APP in views or stop in views):
                print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
