"""Somebody at the web vault who has a keyboard and nothing else.

Knows: Tab, Shift+Tab, Enter, Space, arrows, Escape and letters, and that whoever can't see where they are is lost.
Refuses to know: a mouse, and how the page is made. Everything a Visitor does is done here by these keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.fakes.visitor import Visitor, wait_until

MOST_STEPS = 120
HERE = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect();
  const ring = (one) => one && getComputedStyle(one).outlineStyle !== "none"
    && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
  const bar = document.querySelector("header.bar").getBoundingClientRect();
  return {
    tag: e.tagName,
    html: e.outerHTML.slice(0, 120),
    seen: [e, e.nextElementSibling, e.parentElement].some(ring), // a frame, or a drawn box, may bear its field's ring
    inView: box.bottom > 0 && box.top < innerHeight,
    covered: !e.closest("header.bar, .skip, dialog") && box.top < bar.bottom - 1 && box.bottom <= bar.bottom + 1,
  };
}"""
WAY = """(e) => e === document.activeElement ? null
  : document.activeElement.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING ? 'Shift+Tab' : 'Tab'"""
"""The key that leads nearer to something, if it is not reached. One question: to find it by its name is what costs."""


@dataclass
class Typist(Visitor):
    """A visitor without a mouse. Whatever is reached must be visible, and have its mark of focus."""

    def here(self) -> dict[str, Any]:
        """What has the focus. Raises AssertionError where a person can't see it, also once all of the page is drawn."""
        found: dict[str, Any] = {}

        def is_seen() -> object:
            found.update(self.page.evaluate(HERE))
            return found["tag"] == "BODY" or (
                found["inView"] and not found["covered"]
                and (found["seen"] or found["tag"] in ("H1", "H2", "MAIN"))
            )

        wait_until(self.page, is_seen, found)
        return found

    def not_lost(self) -> None:
        """Waits until something has the focus: an action must not throw whoever did it back to the start."""
        wait_until(self.page, lambda: self.here()["tag"] != "BODY", "the focus is lost")

    def reach(self, target: Locator) -> None:
        """Tab, or Shift+Tab, until something has the focus."""
        target.wait_for()
        for _ in range(MOST_STEPS):
            if not (key := target.evaluate(WAY)):
                return
            self.page.keyboard.press(key)
            self.here()
        raise AssertionError(f"never reached: {target}")

    def strike(self, target: Locator, key: str = "Enter") -> None:
        """Once it takes anything: what can't be taken back waits for a moment."""
        self.reach(target)
        expect(target).to_be_enabled()
        self.page.keyboard.press(key)

    def press(self, key: str, **values: object) -> None:
        self.strike(self.page.get_by_role("button", name=self.say(key, **values), exact=True))

    def follow(self, key: str, **values: object) -> None:
        self.strike(self.page.get_by_role("link", name=self.say(key, **values), exact=True).first)

    def fill(self, key: str, text: str) -> None:
        self.write_into(self.box(key), text)

    def write_into(self, box: Locator, text: str) -> None:
        """Types in place of whatever stands there."""
        self.reach(box)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def tick(self, key: str) -> None:
        self.strike(self.page.get_by_label(self.say(key), exact=True), "Space")

    def unfold(self, key: str) -> None:
        self.strike(self.page.locator("summary").filter(has_text=self.say(key)))

    def go_to(self, key: str) -> None:
        bar = self.page.get_by_role("navigation", name=self.say("shell.nav"))
        self.strike(bar.get_by_role("link", name=self.say(key), exact=True))

    def choose_setting(self, key: str) -> None:
        self.go_to("shell.settings")
        self.strike(self.page.get_by_role("link").filter(has_text=self.say(f"account.settings.{key}")))

    def open_row(self, text: str) -> None:
        self.go_to("shell.journal")
        self.strike(self.page.get_by_role("link").filter(has_text=text).first)

    def choose_files(self, files: Sequence[Path]) -> None:
        """The device's own window for files is no part of the page: it is answered, once the page has opened it."""
        self.unfold("journal.more.files")
        with self.page.expect_file_chooser() as chooser:
            self.strike(self.box("journal.files.label"))
        chooser.value.set_files(list(map(str, files)))
        self.page.get_by_text(self.say("journal.files.added", count=len(files))).first.wait_for(state="attached")

    def write(self, text: str, *, sensitive: bool = False, files: Sequence[Path] = ()) -> None:
        self.begin_entry(text)
        if files:
            self.choose_files(files)
        if sensitive:
            self.tick("journal.sensitive.label")
        self.press("journal.write.keep")
        self.is_kept(sensitive)

    def give_pin(self) -> None:
        dialog = self.page.get_by_role("dialog")
        self.write_into(dialog.get_by_label(self.say("parts.pin"), exact=True), self.pin)
        self.page.keyboard.press("Enter")
        dialog.wait_for(state="detached")

    def copy_words(self) -> None:
        self.heading("account.sheet.back_title")
        for place, word in enumerate(self.words, 1):
            box = self.page.get_by_label(self.say("account.sheet.word", place=place), exact=True)
            if box.count():
                self.write_into(box, word)
        self.press("account.sheet.check")
