"""The public pages in Firefox and in WebKitGTK.

Knows: WebDriver. Refuses to know: Chromium, which tests/browser drives far more closely.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from server.help.service import link, page_table
from tests.browser.conftest import NeutralSite
from tests.browser_others.browsers import first, in_page, is_neutral, url_is, wait_for
from tests.fakes.browser import serve_vault
from tests.fakes.npm import install_locked

pytest_plugins = ["tests.browser_others.fixtures"]

CENTRE = "{block: 'center', behavior: 'instant'}"


@pytest.fixture(scope="module")
def address(neutral: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_vault(tmp_path_factory.mktemp("site"), exit_url=neutral.address) as (found, _):
        yield found


def browse(browser: WebDriver, address: str) -> None:
    browser.get(address + "/fr/")
    for path in ("/fr/1", "/fr/6"):
        in_page(browser, "arguments[0].click()", first(browser, f"#menu a[href='{path}']"))
        wait_for(browser, url_is(address + path))


def test_every_page_shows_its_heading_and_the_way_out(browser: WebDriver, address: str) -> None:
    for number in page_table():
        browser.get(address + link("fr", number))
        assert browser.title == f"Carnet {number}"
        assert browser.find_element(By.TAG_NAME, "h1").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "[data-exit]").is_displayed()


def test_one_tap_leads_out_and_back_shows_nothing(browser: WebDriver, address: str, neutral: NeutralSite) -> None:
    browse(browser, address)
    first(browser, "[data-exit]").click()
    wait_for(browser, url_is(neutral.address))
    for step in (browser.back, browser.back, browser.forward):
        step()
        wait_for(browser, is_neutral(neutral.address))
    browser.get(address + "/fr/1")
    assert browser.find_element(By.TAG_NAME, "h1").is_displayed()


def test_shift_three_times_leads_out(browser: WebDriver, address: str, neutral: NeutralSite) -> None:
    browser.get(address + "/fr/1")
    for _ in range(3):
        webdriver.ActionChains(browser).key_down(Keys.SHIFT).key_up(Keys.SHIFT).perform()
    wait_for(browser, url_is(neutral.address))


def test_a_grave_tick_brings_the_numbers(browser: WebDriver, address: str) -> None:
    browser.get(address + "/fr/2")
    for selector in ("input[name=weapon]", "button[type=submit]"):
        element = browser.find_element(By.CSS_SELECTOR, selector)
        in_page(browser, f"document.querySelector('{selector}').scrollIntoView({CENTRE})")
        element.click()
    wait_for(browser, lambda page: page.find_element(By.CSS_SELECTOR, "[data-result='2']").is_displayed())
    assert not browser.find_element(By.CSS_SELECTOR, "[data-result='0']").is_displayed()


def test_search_finds(browser: WebDriver, address: str) -> None:
    browser.get(address + "/fr/1")
    browser.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("116006")
    wait_for(browser, lambda page: not page.find_element(By.XPATH, "//h3[.='Pompiers']").is_displayed())
    assert any(each.is_displayed() for each in browser.find_elements(By.XPATH, "//h3[.='France Victimes']"))


def test_axe_finds_nothing(browser: WebDriver, address: str) -> None:
    axe = (install_locked(Path(__file__).parents[1] / "browser") / "axe-core" / "axe.min.js").read_text()
    for number in (0, 1, 2, 6, 201):
        browser.get(address + link("fr", number))
        browser.execute_script(axe)
        found = browser.execute_async_script(
            "const done = arguments[0]; axe.run().then((result) => done(result.violations.map((each) => each.id)))"
        )
        assert found == [], number
