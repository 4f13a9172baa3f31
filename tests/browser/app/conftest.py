"""A real vault with its web client, two workers, for the browser tests of this folder; each test makes its own account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from server.shell.service import FOLDER
from tests.browser.conftest import NeutralSite
from tests.fakes.processes import RealVault, serving
from tests.fakes.vault import UNLIMITED
from tests.fakes.visitor import Visitor

SETTINGS = {"TEMOIN_CHECKPOINT_INTERVAL": "0", **{f"TEMOIN_{name.upper()}": rate for name, rate in UNLIMITED.items()}}


@pytest.fixture(scope="session")
def real_vault(neutral_site: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    """One for the tests of a process that do nothing to it."""
    assert (FOLDER / "manifest.json").is_file(), "the web client is not built: make app"
    data = tmp_path_factory.mktemp("vault") / "data"
    with serving(data, TEMOIN_EXIT_URL=neutral_site.address, **SETTINGS) as vault:
        yield vault


@pytest.fixture
def visitor(context: BrowserContext, real_vault: RealVault) -> Visitor:
    """Somebody with a small telephone, in French."""
    return Visitor(context.new_page(), real_vault.url)


@pytest.fixture
def other_context(chromium: Browser) -> Iterator[BrowserContext]:
    """Another device: nothing of the first is on it."""
    made = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce")
    yield made
    made.close()
