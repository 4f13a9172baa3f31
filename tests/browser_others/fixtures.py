"""What pages.py and app.py share: one browser of each kind, and the neutral site.

Knows: what is started once. Refuses to know: what is tested. No conftest: `make test` would read it, and it goes
without the packages that only this folder needs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.conftest import NeutralSite
from tests.browser_others.browsers import START, find, open_browser
from tests.fakes.browser import serve


@pytest.fixture(scope="session")
def display() -> Iterator[None]:
    """A screen that nobody sees, for the browser that needs one."""
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        [find("Xvfb"), "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    before = os.environ.get("DISPLAY")
    with os.fdopen(reading) as told:
        os.environ["DISPLAY"] = f":{told.readline().strip()}"
    yield
    screen.terminate()
    screen.wait()
    os.environ.pop("DISPLAY")
    if before is not None:
        os.environ["DISPLAY"] = before


@pytest.fixture(scope="session", params=START)
def kind(request: pytest.FixtureRequest, display: None) -> str:
    """Which browser."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def browser(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One for all tests."""
    with open_browser(kind, tmp_path_factory.mktemp("downloads")) as opened:
        yield opened


@pytest.fixture(scope="session")
def neutral() -> Iterator[NeutralSite]:
    site = NeutralSite()
    site.open.set()
    with serve(site.make_app()) as address:
        site.address = f"{address}/"
        yield site
