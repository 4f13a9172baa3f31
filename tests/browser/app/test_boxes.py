"""A box in the browser: made, its address given, something put in without an account, looked at, kept or refused.

Whoever deposits sits before a telephone of their own; the server in between sees sealed bytes.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from client_sdk.client import VaultClient
from tests.browser.app.test_reading import STORED
from tests.browser.conftest import NeutralSite
from tests.fakes.browser import Watcher, new_context
from tests.fakes.canary import find_canaries
from tests.fakes.processes import RealVault
from tests.fakes.told import PHOTOGRAPH
from tests.fakes.typist import Typist
from tests.fakes.visitor import PASSWORD, PATIENCE, PIN, Visitor
from tests.fakes.words import say

NAME = "Nadia du troisième"
MESSAGE = "J’ai tout vu, devant l’école, un peu avant cinq heures."
FILM = "dimanche-soir-cuisine.mp4"
FILM_SIZE = 3_000_000


@pytest.fixture
def telephone(chromium: Browser) -> Iterator[BrowserContext]:
    """A small one, of somebody who has no account."""
    small = {"width": 360, "height": 640}
    with new_context(chromium, viewport=small, locale="fr-FR", reduced_motion="reduce", accept_downloads=True) as made:
        yield made


@pytest.fixture
def depositor(telephone: BrowserContext, real_vault: RealVault) -> Visitor:
    return Visitor(telephone.new_page(), real_vault.url)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / FILM
    path.write_bytes(hashlib.shake_256(b"a film").digest(FILM_SIZE))
    return path


def sent_by(context: BrowserContext) -> list[bytes]:
    """All that leaves a browser from now on: addresses, headers, bodies."""
    sent: list[bytes] = []

    def note(route: Route) -> None:
        request = route.request
        sent.append(request.url.encode() + repr(request.headers).encode() + (request.post_data_buffer or b""))
        route.continue_()

    context.route("**/*", note)
    return sent


def look(visitor: Visitor, name: str) -> None:
    """From the journal to the question before the one deposit that waits."""
    visitor.open_box(name)
    visitor.page.get_by_role("link").filter(has_text=visitor.say("boxes.look.name")).first.click()
    visitor.page.get_by_text(visitor.say("boxes.look.soft")).wait_for()


def test_put_in_without_an_account_then_looked_at_and_kept_as_it_was_sent(
    visitor: Visitor, depositor: Visitor, telephone: BrowserContext, film: Path, real_vault: RealVault, tmp_path: Path
) -> None:
    visitor.username = "boîte un"
    visitor.move_in()
    address = visitor.make_box("Nadia")
    assert re.fullmatch(re.escape(real_vault.url) + r"/app#d[\w-]{107}", address)

    sent = sent_by(telephone)
    page = depositor.page
    page.goto(address)
    depositor.box("boxes.put.message").wait_for()
    assert page.url == f"{real_vault.url}/app#74"
    depositor.put_in(NAME, MESSAGE, [PHOTOGRAPH, film])
    canaries = [NAME, MESSAGE, PHOTOGRAPH.stem, FILM, address[-107 + 22:]]
    assert find_canaries(b"\n".join(sent), canaries) == []
    assert find_canaries(page.evaluate(STORED).encode(), canaries) == []
    with page.expect_download() as downloading:
        depositor.press("boxes.sent.save")
    archive = tmp_path / "receipts.zip"
    downloading.value.save_as(archive)

    look(visitor, "Nadia")
    assert MESSAGE not in visitor.page.inner_text("main")
    visitor.press("boxes.look.do")
    visitor.page.get_by_text(MESSAGE).wait_for()
    visitor.page.get_by_text(visitor.say("boxes.from", name=NAME)).first.wait_for()
    visitor.page.get_by_role("button").filter(has_text=visitor.say("documents.open.image")).click()
    visitor.page.get_by_role("img", name=visitor.say("documents.file.picture", name=PHOTOGRAPH.name)).wait_for()
    visitor.press("boxes.accept.do")
    visitor.page.get_by_text(visitor.say("journal.fact.sent")).wait_for(timeout=PATIENCE)
    visitor.go_to("shell.journal")
    row = visitor.page.get_by_role("link").filter(has_text=visitor.say("boxes.from", name=NAME))
    expect(row).to_contain_text(visitor.say("journal.mark.received"))
    row.click()
    visitor.follow("journal.receipt")
    visitor.page.get_by_text(visitor.say("boxes.receipt")).wait_for()
    visitor.page.get_by_text(visitor.say("receipts.outcome.valid")).wait_for()

    with VaultClient.connect(real_vault.url, tmp_path / "laptop") as laptop:
        laptop.log_in(visitor.username, PASSWORD, PIN)
        item, = laptop.items()
        assert item.kind == "received"
        read = {one.name: b"".join(laptop.read_content(item, one)) for one in item.contents}
    assert read == {PHOTOGRAPH.name: PHOTOGRAPH.read_bytes(), FILM: film.read_bytes()}
    with zipfile.ZipFile(archive) as files:
        proofs = [name for name in files.namelist() if name.endswith(".tlog-proof")]
        assert len(proofs) == 3 and "policy.txt" in files.namelist()
        sealed = {hashlib.sha256(files.read(name)).digest() for name in files.namelist() if name.endswith(".sealed")}
    assert {one.sealed for one in item.contents} < sealed


def test_refused_it_is_gone_and_whoever_sent_it_is_told_nothing(visitor: Visitor, depositor: Visitor) -> None:
    visitor.username = "boîte deux"
    visitor.move_in()
    address = visitor.make_box("Nadia")
    depositor.meet_box(address)
    depositor.put_in("", MESSAGE)
    look(visitor, "Nadia")
    visitor.press("boxes.refuse.name")
    visitor.page.get_by_role("dialog").get_by_role("button", name=visitor.say("boxes.refuse.do"), exact=True).click()
    said = re.escape(visitor.say("boxes.refused_keeps", day="…")).split("…")[0]
    visitor.page.get_by_text(re.compile(said)).wait_for()
    visitor.press("boxes.refuse.at_once")
    visitor.fill("account.confirm.password", PASSWORD)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("boxes.refuse.erase")
    visitor.heading("boxes.nothing")
    expect(depositor.page.get_by_role("heading", name=depositor.say("boxes.sent.title"))).to_be_visible()
    depositor.press("boxes.sent.more")
    depositor.put_in(NAME, "Autre chose encore.")


def test_a_closed_box_says_so_at_the_door_and_in_the_middle(visitor: Visitor, depositor: Visitor) -> None:
    visitor.username = "boîte trois"
    visitor.move_in()
    address = visitor.make_box("Nadia")
    depositor.meet_box(address)
    depositor.fill("boxes.put.message", MESSAGE)
    visitor.open_box("Nadia")
    visitor.press("boxes.close.name")
    visitor.press("boxes.close.do")
    visitor.page.get_by_text(visitor.say("boxes.close.done")).wait_for()
    depositor.press("boxes.put.do")
    depositor.page.get_by_text(depositor.say("problem.box_over")).wait_for()
    expect(depositor.box("boxes.put.message")).to_have_value(MESSAGE)
    depositor.page.goto("about:blank")
    depositor.page.goto(address)
    depositor.page.get_by_text(depositor.say("problem.box_over")).wait_for()
    expect(depositor.page.get_by_role("button", name=depositor.say("boxes.put.do"))).to_have_count(0)


def test_the_address_stands_in_no_browser_once_it_was_met_and_one_tap_leaves(
    visitor: Visitor, depositor: Visitor, neutral: NeutralSite
) -> None:
    visitor.username = "boîte quatre"
    visitor.move_in()
    address = visitor.make_box("Nadia")
    secret = address.partition("#d")[2][22:]
    visitor.follow("boxes.name")
    visitor.page.get_by_role("link").filter(has_text="Nadia").wait_for()
    visitor.page.go_back()
    expect(visitor.page.get_by_role("link").filter(has_text="Nadia")).to_have_count(0)
    assert secret[:20] not in visitor.page.content()
    page = depositor.page
    watcher = Watcher(page)
    depositor.meet_box(address)
    assert secret[:20] not in page.content() + page.evaluate(STORED)
    depositor.fill("boxes.put.message", MESSAGE)
    page.get_by_role("link", name=say("fr", "site.exit.label"), exact=True).first.click()
    watcher.wait(lambda sight: sight.url == neutral.address and "Sunny" in sight.text)
    left, neutral.asked = len(watcher.sights), 0
    neutral.open.clear()
    watcher.step("back", lambda: neutral.asked > 0)
    page.wait_for_timeout(300)  # so long a page of ours stands there at least, and would show what it has
    neutral.open.set()
    watcher.wait(lambda sight: sight.url == neutral.address and "Sunny" in sight.text)
    ours = [sight for sight in watcher.sights[left:] if sight.url.startswith(visitor.address)]
    assert ours and {sight.text for sight in ours} == {""}


def test_everything_can_be_done_by_keyboard(depositor: Visitor, visitor: Visitor) -> None:
    visitor.username = "boîte cinq"
    visitor.move_in()
    depositor.meet_box(visitor.make_box("Nadia"))
    Typist(depositor.page, depositor.address).put_in(NAME, MESSAGE)
    visitor.open_box("Nadia")
    typist = Typist(visitor.page, visitor.address)
    typist.strike(typist.page.get_by_role("link").filter(has_text=typist.say("boxes.look.name")))
    typist.page.get_by_text(typist.say("boxes.look.soft")).wait_for()
    typist.press("boxes.look.do")
    typist.page.get_by_text(MESSAGE).wait_for()
    typist.press("boxes.accept.do")
    typist.page.get_by_text(typist.say("journal.fact.sent")).wait_for(timeout=PATIENCE)
