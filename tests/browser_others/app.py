"""The web vault in Firefox and in WebKitGTK: the whole walk, and the way out of an open vault.

Knows: what a person does. Refuses to know: Chromium, in which tests/browser/app tries far more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.app.conftest import describe_vault
from tests.browser.conftest import NeutralSite
from tests.browser_others.browsers import first, open_browser, url_is, wait_for
from tests.browser_others.person import Person
from tests.fakes.processes import Device, RealVault, running

pytest_plugins = ["tests.browser_others.fixtures"]

PHOTOGRAPH = Path(__file__).parents[2] / "docs" / "demo" / "photograph.jpg"
WRITTEN = "Ce soir, il a fermé la porte à clef. Je note tout."
BEHIND = "Les mots exacts, derrière le code."


@pytest.fixture(scope="module")
def vault(neutral: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    with running(describe_vault(tmp_path_factory.mktemp("vault"), TEMOIN_EXIT_URL=neutral.address)) as started:
        yield started


def test_from_sign_up_to_a_fresh_profile(browser: WebDriver, kind: str, vault: RealVault, tmp_path: Path) -> None:
    person = Person(browser, vault.url, f"marche {kind}")
    person.sign_up()
    person.write(WRITTEN, file=PHOTOGRAPH)
    person.write(BEHIND, sensitive=True)
    person.lock()
    person.log_in()
    person.open_sensitive()
    person.read(BEHIND)
    person.lock()

    with open_browser(kind, tmp_path) as fresh:
        elsewhere = Person(fresh, vault.url, person.username)
        elsewhere.log_in()
        elsewhere.open_row(WRITTEN[:20])
        elsewhere.read(WRITTEN)
        elsewhere.download(PHOTOGRAPH.name)
        got = tmp_path / PHOTOGRAPH.name
        wait_for(fresh, lambda _: got.is_file() and got.stat().st_size >= PHOTOGRAPH.stat().st_size)
        assert got.read_bytes() == PHOTOGRAPH.read_bytes()
        elsewhere.open_sensitive()
        elsewhere.read(BEHIND)
        elsewhere.lock()


def test_one_tap_leads_out_of_an_open_vault_and_back_shows_nothing(
    browser: WebDriver, kind: str, vault: RealVault, neutral: NeutralSite, tmp_path: Path
) -> None:
    person = Person(browser, vault.url, f"sortie {kind}")
    laptop = Device(tmp_path / "home", vault.url, person.username, person.password, person.pin)
    laptop.register()
    laptop.ok("journal", "add", laptop.user, "--text", WRITTEN)
    person.log_in()
    person.open_row(WRITTEN[:20])
    person.read(WRITTEN)
    first(browser, "[data-exit]").click()
    wait_for(browser, url_is(neutral.address))
    for step in (browser.back, browser.back, browser.forward):
        step()
        wait_for(browser, url_is(neutral.address))
        assert browser.title == "Weather"
    person.come()
