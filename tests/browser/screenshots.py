"""Pictures of the public pages, to be looked at: `python tests/browser/screenshots.py [page …]`.

Writes build/screenshots/<page>.<lang>.<width>.<scheme>.png, whole pages, at 360 and 1280 px.
Knows: the table of pages. Refuses to know: whether they are beautiful.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from server.help.service import link, page_table
from server.help.shelf import shelf
from tests.fakes.browser import open_chromium, serve_vault

FOLDER = Path("build/screenshots")
WIDTHS = {360: 780, 1280: 900}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


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


def main(pages: list[str]) -> None:
    numbers = [int(page) for page in pages] or list(page_table())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        address, _ = stack.enter_context(serve_vault(Path(folder)))
        browser = stack.enter_context(open_chromium(stack.enter_context(sync_playwright())))
        for path in take(browser, address, numbers):
            print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
