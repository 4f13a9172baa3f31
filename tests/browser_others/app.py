"""The web vault in Firefox and in WebKitGTK: the whole walk, and the way out of an open vault.

Knows: what a person does. Refuses to know: Chromium, in which tests/browser/app tries far more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.app.conftest import describe_vault
from tests.browser.app.test_playing import REGISTERED, SHOWN
from tests.browser.conftest import NeutralSite
from tests.browser_others.browsers import first, in_page, is_neutral, open_browser, url_is, wait_for
from tests.browser_others.person import Person
from tests.fakes.film import make_film
from tests.fakes.open_files import hidden_files_with
from tests.fakes.processes import Device, RealVault, running
from tests.fakes.proxy import proxy_to
from tests.fakes.visitor import PASSWORD, PIN

MEDIA = "(document.querySelector('iframe.player')?.contentDocument ?? document).querySelector('video')"
SEEK = f"""
const shown = {SHOWN};
const seek = async (film, part) => {{
  film.muted = true;
  const found = new Promise((done) => {{ film.onseeked = done }});
  film.currentTime = film.duration * part;
  await found;
  const runs = new Promise((done) => {{ film.ontimeupdate = () => film.currentTime > film.duration * part && done() }});
  await film.play();
  await runs;
  return shown(film);
}}"""

pytest_plugins = ["tests.browser_others.fixtures"]

PHOTOGRAPH = Path(__file__).parents[2] / "docs" / "demo" / "photograph.jpg"
WRITTEN = "Ce soir, il a fermé la porte à clef. Je note tout."
FILM = "La porte de la cuisine"
IN_MEMORY = 50_000_000
"""Bytes of a film that Firefox is given whole: what comes in ranges it writes to a file."""
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
        wait_for(browser, is_neutral(neutral.address))
    person.come()


def is_unregistered(browser: WebDriver) -> bool:
    return bool(browser.execute_async_script(f"{REGISTERED}.then(arguments[0])") == 0)


@pytest.mark.parametrize("size", [24_000_000, IN_MEMORY + 10_000_000], ids=["24MB", "60MB"])
def test_a_film_plays_from_any_place_and_ends_with_the_vault(
    browser: WebDriver, kind: str, vault: RealVault, tmp_path: Path, size: int
) -> None:
    in_ranges = kind != "firefox" or size > IN_MEMORY
    make_film(tmp_path / "film.mp4", 120, size, index="end", canary=WRITTEN)
    laptop = Device(tmp_path / "home", vault.url, f"film {kind} {size}", PASSWORD, PIN)
    laptop.register()
    laptop.ok("documents", "add", laptop.user, tmp_path / "film.mp4", "--title", FILM)
    (tmp_path / "film.mp4").unlink()
    with proxy_to(vault.port) as proxy:
        person = Person(browser, f"http://127.0.0.1:{proxy.port}", laptop.user)
        person.log_in()
        person.follow("shell.documents")
        person.choose(f'//main//a[contains(., "{FILM}")]')
        open_button = f'//button[contains(normalize-space(), "{person.say("documents.open.video")}")]'
        person.see(open_button)
        warned = person.say("documents.file.temporary") in in_page(browser, "document.body.innerText")
        assert warned == (kind == "firefox" and in_ranges)
        before = proxy.traffic.down
        person.choose(open_button)
        first(browser, "iframe.player" if in_ranges else "video.player")
        wait_for(browser, lambda page: in_page(page, f"{MEDIA}?.readyState > 1"))
        wait_for(browser, is_unregistered)  # while it plays
        assert browser.execute_async_script(f"{SEEK}; seek({MEDIA}, 0.9).then(arguments[0])") == "blue"
        fetched = proxy.traffic.down - before
        print(f"{kind}: a film of {size:,} bytes runs at 90 % after {fetched:,}")
        assert (fetched < size / 4) == in_ranges
        assert bool(hidden_files_with(WRITTEN)) == warned  # what the page says is so
        person.lock()
        assert in_page(browser, "document.querySelectorAll('iframe, video').length") == 0
        wait_for(browser, lambda _: hidden_files_with(WRITTEN) == [])
        wait_for(browser, is_unregistered)
