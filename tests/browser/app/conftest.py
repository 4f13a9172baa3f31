"""A real vault with its web client and two workers; each test of this folder makes its own account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from server.shell.service import FOLDER
from tests.browser.conftest import NeutralSite
from tests.fakes.browser import new_context
from tests.fakes.processes import RealVault, running
from tests.fakes.vault import UNLIMITED
from tests.fakes.visitor import Visitor

SETTINGS = {"TEMOIN_CHECKPOINT_INTERVAL": "0", **{f"TEMOIN_{name.upper()}": rate for name, rate in UNLIMITED.items()}}


def describe_vault(folder: Path, **settings: str) -> RealVault:
    """A vault in a folder of its own, without limits that a test would meet by accident."""
    return RealVault(folder / "data", environment={**SETTINGS, **settings})


@pytest.fixture(scope="session")
def real_vault(neutral_site: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    """One for the tests of a process that do nothing to it."""
    assert (FOLDER / "manifest.json").is_file(), "the web client is not built: make app"
    described = describe_vault(tmp_path_factory.mktemp("vault"), TEMOIN_EXIT_URL=neutral_site.address)
    with running(described) as vault:
        yield vault


@pytest.fixture
def visitor(context: BrowserContext, real_vault: RealVault) -> Visitor:
    """Somebody with a small telephone, in French."""
    return Visitor(context.new_page(), real_vault.url)


@pytest.fixture
def other_context(chromium: Browser) -> Iterator[BrowserContext]:
    """Another device: nothing of the first is on it."""
    laptop = {"width": 1280, "height": 800}
    with new_context(chromium, viewport=laptop, locale="en-GB", reduced_motion="reduce") as made:
        yield made
