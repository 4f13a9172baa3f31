"""The whole walk with a keyboard alone: nothing is out of reach, and nobody loses their place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from client_sdk.client import Draft, VaultClient
from crypto_core.encoding import format_b64url
from tests.fakes.browser import not_found
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault
from tests.fakes.typist import Typist
from tests.fakes.wrongly import add_differing

PHOTOGRAPH = Path(__file__).parents[3] / "docs" / "demo" / "photograph.jpg"
CONVERSATION = "Notre conversation"
WRITTEN = "Ce soir, il a fermé la porte à clef. Je note tout."
BEHIND = "Les mots exacts, derrière le code."
INSIDE = "document.activeElement.closest('dialog') !== null"
COVERED = """() => {
  const held = document.activeElement.getBoundingClientRect(), exit = document.querySelector(".dialog-exit");
  return exit.getBoundingClientRect().top < held.bottom;
}"""
"""Whether the way out of a question lies over what has the focus."""
NO_MOUSE = """
for (const kind of ["mousedown", "pointerdown", "touchstart"]) {
  addEventListener(kind, () => { window.touched = true; }, true);
}
"""


@pytest.fixture
def typist(context: BrowserContext, real_vault: RealVault, request: pytest.FixtureRequest) -> Iterator[Typist]:
    """Somebody whose page notices a mouse, in French where nothing else is said."""
    page = context.new_page()
    page.add_init_script(NO_MOUSE)
    yield Typist(page, real_vault.url, getattr(request, "param", "fr"))
    assert page.evaluate("window.touched") is None


def is_told(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=True).first).to_be_visible()


@pytest.mark.parametrize("typist", ["en"], indirect=True)
def test_the_whole_walk(typist: Typist) -> None:
    page, say = typist.page, typist.say
    typist.username = "clavier"
    typist.sign_up()
    typist.not_lost()
    typist.write(WRITTEN, files=[PHOTOGRAPH])
    typist.not_lost()
    typist.write(BEHIND, sensitive=True)
    typist.not_lost()
    typist.lock()
    typist.not_lost()

    typist.log_in()
    typist.not_lost()
    typist.open_row(say("journal.state.locked"))
    asking = page.get_by_role("button", name=say("journal.locked.open"), exact=True)
    typist.press("journal.locked.open")
    hold_in(page, typist)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(asking).to_be_focused()
    page.keyboard.press("Enter")
    typist.give_pin()
    is_told(page, BEHIND)
    typist.not_lost()

    typist.open_row(WRITTEN[:20])
    typist.strike(page.get_by_role("button", name=say("documents.open.image")))
    expect(page.get_by_role("button", name=say("documents.file.hide"))).to_be_focused()
    typist.press("journal.delete.name")
    hold_in(page, typist)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=say("journal.delete.name"), exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    typist.strike(page.get_by_role("dialog").get_by_role("button", name=say("journal.delete.do"), exact=True))
    typist.press("journal.deleted.undo")
    is_told(page, say("journal.deleted.restored"))
    typist.not_lost()


def hold_in(page: Page, typist: Typist) -> None:
    """A question keeps the focus, which ever way one goes on: there, or at the browser's own parts."""
    page.get_by_role("dialog").wait_for()
    typist.not_lost()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(9):
            page.keyboard.press(key)
            here = typist.here()
            assert here["tag"] == "BODY" or page.evaluate(INSIDE), here


def test_scales_and_months_by_arrows_and_the_way_past_the_bar(typist: Typist) -> None:
    page, say = typist.page, typist.say
    typist.username = "flèches"
    typist.move_in()
    page.keyboard.press("Tab")
    typist.reach(page.locator(".skip"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

    typist.begin_entry("Une journée.")
    typist.unfold("journal.more.feeling")
    typist.reach(page.get_by_role("radio", name=say("journal.danger.none"), exact=True))
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        typist.here()
    is_told(page, say("journal.danger.said", step=3, word=say("journal.danger.words.1")))
    typist.press("journal.write.guided")
    typist.not_lost()
    typist.press("journal.guided.skip")
    expect(typist.box("journal.questions.when")).to_be_focused()
    typist.press("journal.write.keep")
    is_told(page, say("journal.kept"))

    typist.go_to("shell.journal")
    typist.follow("journal.calendar.name")
    typist.heading("journal.calendar.name")
    month = page.get_by_role("grid")
    typist.reach(month.locator("[tabindex='0']"))
    name = page.locator(f"#{month.get_attribute('aria-labelledby')}")
    this_month = name.inner_text()
    page.keyboard.press("PageUp")
    expect(name).not_to_have_text(this_month)
    page.keyboard.press("PageDown")
    expect(name).to_have_text(this_month)
    for _ in range(3):  # the month before may be shorter: then today comes later than where one is now
        if month.locator("[aria-current]:focus").count() == 0:
            page.keyboard.press("ArrowRight")
    expect(month.locator("[aria-current]")).to_be_focused()
    today = month.locator("[tabindex='0']").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(month.locator(":focus")).not_to_have_text(today)
    page.keyboard.press("ArrowRight")
    expect(month.locator(":focus")).to_have_text(today)
    page.keyboard.press("Enter")
    typist.strike(page.get_by_role("main").get_by_role("link").filter(has_text="Une journée").first)
    is_told(page, "Une journée.")


def test_a_part_of_something_is_shared_with_who_is_listed_and_ended(
    typist: Typist, real_vault: RealVault, tmp_path: Path
) -> None:
    page, say, name = typist.page, typist.say, "Cabinet des touches"
    with VaultClient.connect(real_vault.url, tmp_path) as office:
        become_listed(real_vault, office, name, name=name, org="", town="Annecy")
    typist.username = "partage au clavier"
    typist.move_in()
    typist.write(WRITTEN)

    def arrived(key: str) -> None:
        typist.heading(key)
        typist.not_lost()

    typist.go_to("shell.journal")
    typist.follow("share.list.name")
    arrived("share.list.name")
    typist.follow("share.new")
    arrived("share.items.title")
    typist.strike(page.get_by_role("checkbox"), "Space")
    typist.press("account.sign_up.next")
    arrived("share.parts.title")
    typist.strike(page.get_by_role("button").filter(has_text=say("share.parts.make")))
    arrived("share.part.title")
    typist.strike(page.get_by_role("option").first, "Space")
    is_told(page, say("share.part.cuts", count=1))
    typist.press("share.part.do")
    arrived("share.parts.title")
    typist.press("account.sign_up.next")
    arrived("share.who.title")
    typist.press("share.who.search")
    arrived("share.find.title")
    typist.fill("share.find.words", name)
    typist.strike(page.get_by_role("button").filter(has_text=name))
    arrived("share.compare.title")
    typist.press("share.compare.same")
    arrived("share.terms.title")
    typist.press("share.terms.next")
    arrived("share.preview.title")
    typist.fill("account.confirm.password", typist.password)
    typist.fill("account.confirm.pin", typist.pin)
    typist.press("share.preview.do")
    arrived("share.done.title")

    typist.follow("share.list.name")
    arrived("share.list.name")
    ending = page.get_by_role("button").filter(has_text=say("share.revoke.name"))
    typist.strike(ending)
    hold_in(page, typist)
    page.keyboard.press("Escape")
    expect(ending).to_be_focused()
    page.keyboard.press("Enter")
    typist.strike(page.get_by_role("dialog").get_by_role("button", name=say("share.revoke.do"), exact=True))
    is_told(page, say("share.revoke.done"))
    typist.not_lost()


def test_a_file_that_differs_is_had_all_the_same(typist: Typist, real_vault: RealVault, tmp_path: Path) -> None:
    """What was pressed keeps the focus, in sight below what was said of it; then it is where the question was asked."""
    page, say = typist.page, typist.say
    page.set_viewport_size({"width": 360, "height": 640})
    typist.username = "quand même"
    typist.sign_up_elsewhere()
    with VaultClient.connect(real_vault.url, tmp_path) as laptop:
        laptop.log_in(typist.username, typist.password, typist.pin)
        add_differing(laptop, PHOTOGRAPH, CONVERSATION)
    typist.log_in()
    typist.go_to("shell.documents")
    typist.strike(page.get_by_role("link").filter(has_text=CONVERSATION))
    typist.heading_of(CONVERSATION)
    asking = page.get_by_role("button").filter(has_text=say("documents.download.name"))
    typist.strike(asking)
    hold_in(page, typist)
    page.keyboard.press("Escape")
    expect(asking).to_be_focused()
    page.keyboard.press("Enter")
    answers = page.get_by_role("dialog").get_by_role("button")
    typist.strike(answers.get_by_text(say("documents.download.do"), exact=True))
    differing = answers.get_by_text(say("documents.download.differing"), exact=True)
    expect(differing).to_be_focused()
    expect(page.get_by_role("alert")).to_have_text(say("problem.content_differs"))
    for seen in (differing, page.get_by_role("alert")):
        expect(seen).to_be_in_viewport(ratio=1)
    assert page.evaluate(COVERED) is False
    hold_in(page, typist)
    with page.expect_download() as download:
        typist.strike(differing)
    assert Path(download.value.path()).read_bytes() == PHOTOGRAPH.read_bytes()
    expect(asking).to_be_focused()
    is_told(page, say("documents.download.done", name=f"{say('documents.download.neutral_name')}.jpg"))


def test_what_has_no_receipt_is_left_out_of_what_is_shared(
    typist: Typist, real_vault: RealVault, tmp_path: Path
) -> None:
    page, say = typist.page, typist.say
    typist.username = "sans reçu"
    typist.sign_up_elsewhere()
    with VaultClient.connect(real_vault.url, tmp_path) as laptop:
        laptop.log_in(typist.username, typist.password, typist.pin)
        kept = laptop.write_entry(Draft(text=WRITTEN))
        laptop.write_entry(Draft(text=BEHIND))
    typist.log_in()
    typist.go_to("shell.journal")
    typist.follow("share.list.name")
    typist.follow("share.new")

    def preview() -> None:
        typist.press("account.sign_up.next")
        typist.heading("share.parts.title")
        typist.press("account.sign_up.next")
        typist.press("share.who.make_link")
        typist.press("share.terms.next")
        typist.heading("share.preview.title")
        typist.not_lost()
        typist.fill("account.confirm.password", typist.password)
        typist.fill("account.confirm.pin", typist.pin)
        typist.press("share.preview.do")

    for text in (WRITTEN, BEHIND):
        typist.strike(page.get_by_role("checkbox", name=text), "Space")
    with not_found(page, {f"/v1/items/{format_b64url(kept.id)}/revisions/{kept.revision}/receipt"}):
        preview()
        told = page.get_by_role("alert")
        expect(told).to_contain_text(say("problem.item_unproven"))
        expect(told).to_contain_text(say("share.preview.unproven", title=WRITTEN))
        expect(page.get_by_role("button", name=say("share.preview.do"), exact=True)).to_be_focused()
        typist.not_lost()
        for key in ("share.terms.title", "share.who.title", "share.parts.title", "share.items.title"):
            typist.strike(page.get_by_role("button").filter(has_text=f"← {say('account.back')}"))
            typist.heading(key)
            typist.not_lost()
        typist.strike(page.get_by_role("checkbox", name=WRITTEN), "Space")
        preview()
        typist.heading("share.done.title")
        typist.not_lost()
