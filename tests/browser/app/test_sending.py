"""Out and locked while a file is being sent: at once, nothing readable stays, and what is left to do is told after."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.browser.app.test_exit_and_lock import WAYS, Stopwatch, shifts, tap
from tests.browser.app.test_traces import STORED, own_browser, plain, wait_for_no_worker
from tests.browser.conftest import NeutralSite
from tests.browser.test_exit import MOST, judge
from tests.fakes.bad_network import BadNetwork, bad_network_to
from tests.fakes.canary import find_canaries
from tests.fakes.folder import files_in
from tests.fakes.heap import take_heap
from tests.fakes.processes import RealVault
from tests.fakes.served import served_vault
from tests.fakes.teller import STEM, TEXTS, Teller
from tests.fakes.visitor import Visitor, wait_until

SIZE = 5_000_000
SLOW = 400_000
"""Bytes a second: the file is on its way for as long as a test looks."""
CHOOSE = """(box, [name, words, size]) => {
  const chosen = new DataTransfer();
  const text = words.repeat(Math.ceil(size / words.length)).slice(0, size);
  chosen.items.add(new File([text], name, { type: "text/plain", lastModified: 1700000000000 }));
  box.files = chosen.files;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}"""
"""By a script of the page: of a box that a test chooses files for, the debugger keeps hold."""


def choose(visitor: Visitor) -> None:
    """The same file each time; its name and its words are canaries."""
    box = visitor.page.get_by_label(visitor.say("documents.pick.files"))
    box.evaluate(CHOOSE, [TEXTS["file"], TEXTS["bytes"], SIZE])


def begin(teller: Teller, network: BadNetwork) -> None:
    """A file with a part of it sent, while another view is looked at."""
    visitor, page = teller.visitor, teller.page
    network.link.rate = SLOW
    visitor.go_to("shell.documents")
    visitor.follow("documents.add.name")
    choose(visitor)
    visitor.fill("documents.field.title", TEXTS["draft of a document"])
    teller.reads(visitor.say("documents.drafts.kept"))
    visitor.press("documents.add.keep", count=1)
    visitor.follow("documents.add.elsewhere")
    line = page.get_by_text(visitor.say("shell.uploads.going", count=1))
    visitor.go_to("shell.journal")
    expect(line).to_be_visible()  # from everywhere
    wait_until(page, lambda: network.body_bytes >= SIZE // 8, "nothing is sent")


def goes_on(visitor: Visitor, network: BadNetwork) -> None:
    """The next opening says so, and the same file goes on where it was."""
    page = visitor.page
    network.link.rate = None
    expect(page.get_by_text(visitor.say("shell.uploads.unfinished", count=1))).to_be_visible()
    visitor.go_to("shell.documents")
    page.get_by_role("button").filter(has_text=visitor.say("journal.drafts.resume")).first.click()
    expect(visitor.box("documents.field.title")).to_have_value(TEXTS["draft of a document"])
    choose(visitor)
    visitor.press("documents.add.keep", count=1)
    expect(page.get_by_text(visitor.say("documents.kept")).first).to_be_visible(timeout=60_000)
    visitor.heading("documents.originals", count=1)
    assert len({put.blob for put in network.puts}) == 1
    assert network.body_bytes < 1.5 * SIZE


@pytest.mark.parametrize("end", ["lock", "tap"])
def test_nothing_readable_is_left_of_a_file_that_was_being_sent_and_it_goes_on(
    driver: Playwright, real_vault: RealVault, neutral: NeutralSite, tmp_path: Path, end: str
) -> None:
    profile = tmp_path / "profile"
    with bad_network_to(real_vault.port) as network, own_browser(driver, profile) as context:
        teller = Teller(Visitor(context.pages[0], f"http://127.0.0.1:{network.port}"), f"sending {end}")
        teller.visitor.move_in()
        network.link.most = SIZE // 2  # however long the way to the end takes, it has not all been sent before
        begin(teller, network)
        if end == "lock":
            teller.visitor.lock()
        else:
            tap(teller.page)
            teller.page.wait_for_url(neutral.address)
        wait_for_no_worker(teller.page)
        network.link.most = math.inf
        sent = network.body_bytes
        if end == "lock":
            assert take_heap(teller.page).find(teller.canaries) == {}
        beside = context.new_page()
        beside.goto(f"{teller.visitor.address}/fr/1")
        rows = plain(beside.evaluate(STORED)["databases"])
        beside.close()
        assert len(rows) > 500
        assert find_canaries(rows, teller.canaries) == []
        assert {name for name, data in files_in(profile).items() if find_canaries(data, [STEM])} == set()
        assert network.body_bytes - sent < 300_000  # it stopped
        teller.visitor.log_in()
        goes_on(teller.visitor, network)


def test_a_file_that_the_vault_checks_for_long_is_said_to_be_checked_and_then_kept(
    context: BrowserContext, tmp_path: Path
) -> None:
    with served_vault(tmp_path, environment={"TEMOIN_HOST": "", "TEMOIN_CHECK_WAIT": "1"}) as vault:
        visitor = Visitor(context.new_page(), vault.real.url)
        visitor.move_in()
        visitor.go_to("shell.documents")
        visitor.follow("documents.add.name")
        asked = list[str]()
        visitor.page.on("response", lambda answer: asked.append(f"{answer.status} {answer.url.rpartition('/')[2]}"))
        with vault.orders.holding("complete.hashed"):
            choose(visitor)
            visitor.press("documents.add.keep", count=1)
            wait_until(visitor.page, lambda: asked.count("503 complete") == 2, "the vault was not asked again")
            expect(visitor.page.get_by_text(visitor.say("documents.uploads.checking"))).to_be_visible()
            expect(visitor.page.get_by_text(visitor.say("shell.uploads.cut", count=1))).to_have_count(0)
        expect(visitor.page.get_by_text(visitor.say("documents.kept")).first).to_be_visible(timeout=60_000)
        assert vault.orders.reached()["complete.hashed"] == 1


@pytest.mark.alone
@WAYS
def test_out_at_once_while_a_file_is_sent(
    context: BrowserContext, real_vault: RealVault, neutral: NeutralSite, way: object
) -> None:
    with bad_network_to(real_vault.port) as network:
        visitor = Visitor(context.new_page(), f"http://127.0.0.1:{network.port}")
        teller = Teller(visitor, f"out {getattr(way, '__name__', '')}")
        teller.visitor.move_in()
        watch = Stopwatch(visitor.page)

        def leave() -> float:
            visitor.log_in()
            begin(teller, network)
            spent = watch.measure(tap if way is tap else shifts, neutral)
            network.puts.clear()
            network.link.rate = None
            return spent

        spent = judge(leave)
    print(f"out while sending: {spent:.0f} ms")
    assert spent < MOST
