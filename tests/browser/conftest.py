"""One Chromium, one vault with its pages, and one neutral site for all browser tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.fakes.again import pytest_runtest_protocol  # noqa: F401  # the hook of all tests below
from tests.fakes.browser import new_context, open_chromium, serve, serve_vault
from tests.fakes.visitor import PATIENCE

expect.set_options(timeout=PATIENCE)  # on a busy machine what is looked for comes as late as what is pressed


@dataclass
class NeutralSite:
    """What the way out leads to. While `open` is cleared, it takes requests and doesn't answer; while `stays` is set,
    it answers with nothing (204), and a browser stays at the page that was to be left.

    A page that waits for another one tells what it shows (Watcher), but can't be asked anything: every question waits
    as well, and the other one answers it.
    """

    address: str = ""
    open: Event = field(default_factory=Event)
    stays: bool = False
    asked: int = 0

    def make_app(self) -> Flask:
        app = Flask("neutral", static_folder=None)

        @app.get("/")
        def page() -> str | tuple[str, int]:
            self.asked += 1
            self.open.wait(PATIENCE / 1000)
            if self.stays:
                return "", 204
            return "<!doctype html><html lang=en><title>Weather</title><link rel=icon href=data:,><h1>Sunny</h1>"

        return app


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def engine_alone(request: pytest.FixtureRequest) -> bool:
    """Whether the engine will do: not where something is measured, which is measured in what people have."""
    measured = ("alone", "soak")
    return not any(item.get_closest_marker(name) for item in request.session.items for name in measured)


@pytest.fixture(scope="session")
def chromium(driver: Playwright, engine_alone: bool) -> Iterator[Browser]:
    """For all that looks at pages. What a browser does around them (its profile, its settings, left pages that it keeps
    whole) is looked at in a whole one."""
    with open_chromium(driver, engine=engine_alone) as browser:
        yield browser


@pytest.fixture(scope="session")
def neutral_site() -> Iterator[NeutralSite]:
    site = NeutralSite()
    with serve(site.make_app()) as address:
        site.address = f"{address}/"
        yield site
        site.open.set()


@pytest.fixture
def neutral(neutral_site: NeutralSite) -> NeutralSite:
    neutral_site.open.set()
    neutral_site.stays = False
    neutral_site.asked = 0
    return neutral_site


@pytest.fixture(scope="session")
def address(neutral_site: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_vault(tmp_path_factory.mktemp("site"), exit_url=neutral_site.address) as (found, _):
        yield found


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    telephone = {"width": 360, "height": 740}
    with new_context(chromium, viewport=telephone, locale="fr-FR", reduced_motion="reduce") as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
