"""What there is to press in the end is in sight from the beginning, and hides nothing that is on its way there."""

from __future__ import annotations

import secrets
from itertools import product

import pytest
from playwright.sync_api import BrowserContext, FloatRect, Locator, ViewportSize, expect

from tests.browser.app.test_access import NO_WAY_OUT
from tests.fakes.processes import RealVault
from tests.fakes.teller import choose, letter
from tests.fakes.tour import unfold
from tests.fakes.visitor import Visitor, wait_until

UPRIGHT: ViewportSize = {"width": 360, "height": 640}
ACROSS: ViewportSize = {"width": 640, "height": 360}
ON_ITS_SIDE: ViewportSize = {"width": 640, "height": 320}
BESIDE_KEYS: ViewportSize = {"width": 360, "height": 360}
"""What a telephone of today leaves it."""
ABOVE_KEYS: ViewportSize = {"width": 360, "height": 150}
"""What an old browser leaves a page beside a keyboard on the screen."""
DOUBLED = "document.documentElement.style.fontSize = '212.5%'"  # they are 1.0625rem
HIDDEN = """(bar) => {
  const held = document.activeElement.closest("label") ?? document.activeElement;
  const box = held.getBoundingClientRect(), end = bar.getBoundingClientRect();
  if (held.matches("textarea") && box.top + 40 < end.top) return null; // the one line that is written
  return bar.contains(held) || box.bottom <= end.top || box.top >= end.bottom ? null : held.textContent;
}"""
BELOW_CARET = """(bar) => {
  const field = document.activeElement, style = getComputedStyle(field), box = field.getBoundingClientRect();
  const last = box.top + field.scrollHeight - field.scrollTop - parseFloat(style.paddingBottom);
  return bar.getBoundingClientRect().top - last;
}"""
"""Pixels between the last line of what is typed and the bar."""
FREE = """() => {
  const lines = Array.from({ length: 50 }, (_, at) => innerHeight * (at + .5) / 50);
  const read = (one) => one?.closest("article, main p:not(.notice *)");
  return lines.filter((y) => read(document.elementFromPoint(innerWidth / 2, y))).length / 50;
}"""
"""How much of the screen shows what is read."""


@pytest.fixture
def somebody(context: BrowserContext, real_vault: RealVault) -> Visitor:
    """In the vault, on a small telephone."""
    visitor = Visitor(context.new_page(), real_vault.url, username=f"en vue {secrets.token_hex(4)}")
    visitor.page.set_viewport_size(UPRIGHT)
    visitor.move_in()
    return visitor


@pytest.fixture
def adding(somebody: Visitor) -> Visitor:
    """Somebody with three files to keep."""
    visitor = somebody
    visitor.go_to("shell.documents")
    visitor.follow("documents.add.name")
    for number in range(3):
        choose(visitor.page.get_by_label(visitor.say("documents.pick.files")), letter(f"{number}.txt", 10))
    return visitor


@pytest.fixture
def writing(somebody: Visitor) -> Visitor:
    """Somebody who has begun to write."""
    visitor = somebody
    visitor.begin_entry("Il est rentré tard.")
    expect(visitor.page.get_by_text(visitor.say("journal.draft.kept"), exact=True)).to_be_attached()
    return visitor


def keep_of(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("button", name=visitor.say("documents.add.keep", count=3), exact=True)


def box_of(found: Locator) -> FloatRect:
    box = found.bounding_box()
    assert box is not None
    return box


def test_keeping_is_in_sight_as_soon_as_files_are_chosen(adding: Visitor) -> None:
    page, keep = adding.page, keep_of(adding)
    for letters, screen in product(("0", DOUBLED), (UPRIGHT, ACROSS)):
        page.set_viewport_size(screen)
        page.evaluate(letters)
        page.evaluate("scrollTo(0, 0)")
        page.get_by_text("0.txt").first.scroll_into_view_if_needed()
        expect(keep).to_be_in_viewport(ratio=1)
        assert page.evaluate(NO_WAY_OUT) == [], (letters, screen)
        assert box_of(keep)["height"] < 0.25 * screen["height"], (letters, screen)


def test_nothing_is_beneath_it_that_is_reached_by_keyboard(adding: Visitor) -> None:
    page = adding.page
    bar = page.locator(".in-sight").element_handle()
    page.get_by_role("heading", level=1).focus()
    reached = 0
    while not page.evaluate("document.activeElement.closest('footer, body:focus') !== null"):
        assert page.evaluate(HIDDEN, bar) is None
        page.keyboard.press("Tab")
        reached += 1
    assert reached > 10


def test_what_was_pressed_is_seen_whole(adding: Visitor) -> None:
    page, tick = adding.page, adding.page.get_by_role("checkbox")
    label, bar = page.locator("label", has=tick), page.locator(".in-sight.stays")
    by_half = "(label, bar) => scrollBy(0, label.getBoundingClientRect().top + 20 - bar.getBoundingClientRect().top)"
    for height in (360, 500, 640):
        tick.uncheck()
        page.set_viewport_size({"width": 360, "height": height})
        page.evaluate("scrollTo(0, 0)")
        label.evaluate(by_half, bar.element_handle())
        above, end = box_of(label), box_of(bar)["y"]
        assert above["y"] < end < above["y"] + above["height"], height
        page.mouse.click(above["x"] + 28, above["y"] + 17)  # the mark: beside it a browser moves what it focuses
        expect(tick).to_be_checked()
        seen = box_of(label)
        assert seen["y"] + seen["height"] <= box_of(bar)["y"], height


def test_it_takes_nothing_of_a_low_screen(adding: Visitor) -> None:
    page, keep = adding.page, keep_of(adding)
    page.set_viewport_size(ABOVE_KEYS)
    page.evaluate("scrollTo(0, 0)")
    expect(keep).not_to_be_in_viewport()
    keep.scroll_into_view_if_needed()
    expect(keep).to_be_in_viewport()


def test_what_is_wrong_is_said_where_it_was_pressed(adding: Visitor) -> None:
    page = adding.page
    for number in range(3):
        page.get_by_role("button", name=f"{adding.say('documents.chosen.remove')} {number}.txt", exact=True).click()
    adding.press("documents.add.keep", count=1)
    expect(page.get_by_role("alert")).to_have_text(adding.say("documents.chosen.none"))
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=1)


def test_whoever_writes_sees_how_to_keep_it(writing: Visitor) -> None:
    page, keep = writing.page, writing.page.get_by_role("button", name=writing.say("journal.write.keep"), exact=True)
    text = writing.box("journal.write.text")
    text.fill("Il est rentré tard.\n" * 60)
    expect(keep).to_be_in_viewport(ratio=1)
    for letters, screen in product(("0", DOUBLED), (UPRIGHT, BESIDE_KEYS)):
        page.set_viewport_size(screen)
        page.evaluate(letters)
        text.evaluate("(field) => scrollBy(0, field.getBoundingClientRect().top - innerHeight / 2)")
        expect(keep).to_be_in_viewport(ratio=1)
        assert box_of(keep)["height"] < 0.25 * screen["height"], (letters, screen)
        assert page.evaluate(NO_WAY_OUT) == [], (letters, screen)


def test_the_caret_is_seen_above_it(writing: Visitor) -> None:
    """Each line that is typed stands between the way out and the bar, with a keyboard on the screen."""
    page, text = writing.page, writing.box("journal.write.text")
    page.set_viewport_size(BESIDE_KEYS)
    bar = page.locator(".in-sight.stays")
    text.click()
    page.keyboard.press("Control+End")
    for _ in range(12):
        page.keyboard.press("Enter")
        page.keyboard.type("Et encore ceci.")
        assert page.evaluate(BELOW_CARET, bar.element_handle()) >= 0


def test_all_that_is_written_in_is_reached_above_it(writing: Visitor) -> None:
    page = writing.page
    unfold(page)
    bar = page.locator(".in-sight").element_handle()
    for screen in (UPRIGHT, BESIDE_KEYS):
        page.set_viewport_size(screen)
        page.get_by_role("heading", level=1).focus()
        reached = 0
        while not page.evaluate("document.activeElement.closest('footer, body:focus') !== null"):
            assert page.evaluate(HIDDEN, bar) is None, screen
            page.keyboard.press("Tab")
            reached += 1
        assert reached > 20


def test_that_nothing_is_written_yet_is_said_where_it_was_pressed(writing: Visitor) -> None:
    page = writing.page
    writing.box("journal.write.text").fill("")
    writing.press("journal.write.keep")
    expect(page.get_by_role("alert")).to_have_text(writing.say("journal.write.nothing"))
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=1)


def test_who_may_see_what_is_recorded_is_chosen_above_it(adding: Visitor) -> None:
    page = adding.page
    for width in (500, 550, 600):
        page.set_viewport_size({"width": width, "height": 500})
        adding.go_to("shell.documents")
        adding.follow("documents.record.name")
        label, bar = page.locator("label", has=page.get_by_role("checkbox")), page.locator(".in-sight")
        label.wait_for()
        expect(bar).to_be_in_viewport(ratio=1)
        assert box_of(label)["y"] + box_of(label)["height"] <= box_of(bar)["y"], width


def test_what_is_asked_and_said_about_the_pin_leaves_room_for_what_is_read(somebody: Visitor) -> None:
    """On a telephone that lies on its side, the question is whole; with large letters what is said above the page goes
    away with it."""
    page = somebody.page
    somebody.write("Les mots exacts, derrière le code. " * 40, sensitive=True)
    page.set_viewport_size(ON_ITS_SIDE)
    somebody.press("journal.locked.open")
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("(dialog) => dialog.scrollHeight - dialog.clientHeight") == 0
    assert page.evaluate(NO_WAY_OUT) == []
    somebody.give_pin()
    page.get_by_text("Les mots exacts").first.wait_for()
    for letters, screen in product(("0", DOUBLED), (UPRIGHT, ON_ITS_SIDE)):
        page.set_viewport_size(screen)
        page.evaluate(letters)
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        wait_until(page, lambda: page.evaluate(FREE) > 0.5, (letters, screen))
