"""The page that checks packs, opened from a disk in Firefox and in WebKitGTK.

Knows: a pack that Python wrote. Refuses to know: Chromium, in which tests/browser/app/test_packs.py tries far more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.packs.pack import ROTATIONS, write_pack
from client_sdk.packs.sink import SealedSink, open_sink
from client_sdk.sharing import Sharing
from crypto_core.sealing.backup import make_backup_key
from crypto_core.sealing.recovery import format_words
from tests.browser_others.browsers import first, wait_for
from tests.e2e.test_rotation import rotation
from tests.fakes.processes import RealVault, running
from tests.fakes.told import PHOTOGRAPH
from tests.fakes.visitor import PASSWORD, PIN
from tests.fakes.words import say

pytest_plugins = ["tests.browser_others.fixtures"]

KEY = make_backup_key()
SAID = "return document.querySelector('.notice h2')?.textContent ?? null"
NAMED = "return [...document.querySelectorAll('.found code')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A ZIP file, and beside it the page that lies in it; its ledger has had two keys."""
    folder = tmp_path_factory.mktemp("packs")
    with running(RealVault(folder / "data")) as vault, VaultClient.connect(vault.url, folder / "home") as client:
        client.register(client.make_account("qui confie", PASSWORD, PIN))
        client.log_in("qui confie", PASSWORD, PIN)
        client.write_entry(Draft(title="Devant l’école", text="Il a crié mon nom."))
        rotation(vault, "announce", "--overlap", "0")
        rotation(vault, "finish")
        client.add_document(PHOTOGRAPH, title="La porte")
        items = [(item.id, item.revision) for item in client.items()]
        made = client.shares.make(Sharing(items, None, int(time.time()) + 3600, 5, ""))
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
        opened = client.open_link(made.link.fragment, made.link.code)
        for name in ("pack", "pack.zip"):
            with open_sink(folder / name) as sink:
                assert write_pack(opened, client.known_policy(), sink).verifier
        assert (folder / "pack" / ROTATIONS).is_file()
        with open(folder / "sealed", "w+b") as file, SealedSink(file, KEY) as sealed:
            write_pack(opened, client.known_policy(), sealed)
        yield folder / "pack.zip"


def check(browser: WebDriver, page: Path, archive: Path) -> str:
    """What the page says of an archive."""
    browser.get(page.as_uri())
    first(browser, "input[accept]").send_keys(str(archive))
    return str(wait_for(browser, lambda page: page.execute_script(SAID)))


def test_a_pack_is_checked_from_a_disk(browser: WebDriver, pack: Path, tmp_path: Path) -> None:
    page = pack.parent / "pack" / "verify.html"
    said = check(browser, page, pack)
    lang = browser.execute_script("return document.documentElement.lang")  # as the browser's own is
    assert said == say(lang, "pack.check.whole")
    data = bytearray(pack.read_bytes())
    at = data.index(PHOTOGRAPH.read_bytes()[2000:2100])
    data[at] ^= 1
    changed = tmp_path / "changed.zip"
    changed.write_bytes(data)
    assert check(browser, page, changed) == say(lang, "pack.check.bad", count=1)
    assert browser.execute_script(NAMED) == [f"originals/002-01-{PHOTOGRAPH.name}"]


def test_a_sealed_one_is_opened_from_a_disk_with_its_words(browser: WebDriver, pack: Path) -> None:
    browser.get((pack.parent / "pack" / "verify.html").as_uri())
    first(browser, "input[type=file]:not([accept])")  # the page is there
    browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.find_elements("css selector", "details input[type=file]")[-1].send_keys(str(pack.parent / "sealed"))
    first(browser, "textarea").send_keys(format_words(KEY, "french"))
    first(browser, "form button").click()
    said = wait_for(browser, lambda page: page.execute_script(SAID))
    assert said == say(browser.execute_script("return document.documentElement.lang"), "pack.check.whole")
    saved = first(browser, "a[download]")
    assert str(saved.get_attribute("href")).startswith("blob:")
