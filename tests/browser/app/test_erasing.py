"""Somebody deletes everything, with a keyboard alone: nothing is left in the browser, behind a link, or at the door."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from client_sdk.client import VaultClient
from client_sdk.sharing import Sharing
from tests.browser.app.test_traces import STORED, plain, wait_for_no_worker
from tests.fakes.canary import find_canaries
from tests.fakes.heap import take_heap
from tests.fakes.processes import RealVault
from tests.fakes.typist import Typist
from tests.fakes.visitor import Visitor

WRITTEN, DRAFT = "Le portail grinçait, j’ai tout noté.", "Une phrase qui n’est pas fin"
SMALL = 20_000


def places(page: Page) -> tuple[set[str], bytes]:
    """The first letters of what a page finds in the browser's stores ("a": an account's), and all of it."""
    stored = page.evaluate(STORED)
    assert stored["local"] == stored["session"] == {} and stored["cookies"] == "" and stored["caches"] == []
    return {key[0] for _, _, keys, _ in stored["databases"] for _, key in keys}, plain(stored["databases"])


def test_everything_is_deleted_by_keyboard_and_the_same_pair_begins_anew(
    context: BrowserContext, other_context: BrowserContext, real_vault: RealVault, tmp_path: Path
) -> None:
    typist = Typist(context.new_page(), real_vault.url, username="grille du jardin")
    page, say = typist.page, typist.say
    (tmp_path / "lettre.txt").write_bytes(WRITTEN.encode() + bytes(SMALL))
    typist.move_in()
    typist.write(WRITTEN, files=[tmp_path / "lettre.txt"])
    beside = Visitor(context.new_page(), real_vault.url, username=typist.username)
    beside.log_in()
    beside.begin_entry(DRAFT)
    beside.page.get_by_text(say("journal.draft.kept"), exact=True).wait_for()
    with VaultClient.connect(real_vault.url, tmp_path / "laptop") as laptop:
        laptop.log_in(typist.username, typist.password, typist.pin)
        items = [(item.id, item.revision) for item in laptop.items()]
        made = laptop.shares.make(Sharing(items, None, int(time.time()) + 3600, 5, ""))
        laptop.shares.send(made, laptop.account.confirm(typist.password, typist.pin))
    assert made.link is not None
    kinds, rows = places(page)
    assert kinds == {"a", "s", "v"} and len(rows) > SMALL / 4

    page.bring_to_front()
    typist.go_to("shell.settings")
    typist.strike(page.get_by_role("link").filter(has_text=say("account.settings.erase_text")))
    typist.heading("account.erase.title")
    typist.not_lost()
    typist.fill("account.confirm.password", typist.password)
    typist.fill("account.confirm.pin", typist.pin)
    typist.press("account.erase.do")
    expect(page.get_by_role("checkbox")).to_be_focused()
    typist.tick("account.erase.understood")
    typist.press("account.erase.do")
    typist.heading("account.door.erased_title")
    expect(page.get_by_text(say("account.closed.erased"), exact=True)).to_be_visible()
    typist.not_lost()
    beside.page.get_by_text(say("account.closed.erased"), exact=True).wait_for()

    for one in (page, beside.page):
        wait_for_no_worker(one)
        # but for WRITTEN: the test's own tool holds the field that was given the file, and its form
        assert take_heap(one).find([DRAFT, typist.username, typist.password, typist.pin]) == {}
    kinds, rows = places(page)
    assert kinds == {"s", "v"} and len(rows) < 2000  # the vault that was met here, and nobody's name
    assert find_canaries(rows, [WRITTEN, DRAFT, typist.username, "lettre.txt"]) == []
    page.evaluate("location.hash = '#2'")
    typist.type_secrets()
    page.get_by_text(say("problem.login_refused")).wait_for()

    reader = Visitor(other_context.new_page(), real_vault.url)
    reader.come()
    reader.page.evaluate("(fragment) => { location.hash = fragment }", made.link.fragment)
    reader.fill("reading.link.code", made.link.code)
    reader.press("reading.link.do")
    reader.page.get_by_role("alert").wait_for()
    assert reader.page.get_by_text(WRITTEN).count() == 0

    typist.move_in()
    typist.heading("journal.empty.title")
