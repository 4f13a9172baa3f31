"""A hand that trembles presses twice, or stays on a key: by that nothing goes that was begun or is kept."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.fakes.processes import RealVault
from tests.fakes.visitor import Visitor

WRITTEN, BEGUN, BOX, SENT = "Elle est gardée.", "Un début.", "Nadia", "J’ai tout entendu."
TWICE = """(opener, name) => new Promise((done) => {
  const look = new MutationObserver(() => {
    const all = [...document.querySelectorAll("dialog[open] button")];
    const yes = all.find((one) => one.textContent === name);
    if (yes === undefined) return;
    look.disconnect();
    for (let press = 0; press < 3; press++) yes.click();
    done(yes.ariaDisabled);
  });
  look.observe(document.body, { attributes: true, childList: true, subtree: true });
  opener.click();
})"""
"""A press, and more of them in the very moment in which the question stands there, on what says yes to it."""


def is_asked(page: Page, opener: Locator, yes: str, leave: str) -> None:
    """Presses more often than was meant, by hand and by key: the question stands, and is answered with no."""
    dialog = page.get_by_role("dialog")
    assert opener.evaluate(TWICE, yes) == "true"
    dialog.get_by_role("button", name=leave, exact=True).click()
    expect(dialog).to_have_count(0)
    opener.focus()
    for _ in range(8):
        page.keyboard.down("Enter")  # all but the first repeat it
    page.keyboard.up("Enter")
    dialog.wait_for()
    expect(dialog.get_by_role("button", name=yes, exact=True)).to_be_enabled()  # long after the last
    dialog.get_by_role("button", name=leave, exact=True).click()
    expect(dialog).to_have_count(0)


def test_nothing_goes_by_a_press_too_many(context: BrowserContext, real_vault: RealVault) -> None:
    visitor = Visitor(context.new_page(), real_vault.url, username="la main qui tremble")
    page, say = visitor.page, visitor.say
    visitor.move_in()
    visitor.write(WRITTEN)
    address = visitor.make_box(BOX)
    other = Visitor(context.new_page(), real_vault.url)
    other.meet_box(address)
    other.put_in("", SENT)
    other.page.close()
    visitor.begin_entry(BEGUN)
    page.get_by_text(say("journal.draft.kept"), exact=True).wait_for()

    def ask(opener: str, group: str, yes: str = "do", leave: str = "leave") -> None:
        found = page.get_by_role("button").filter(has_text=say(f"{group}.{opener}")).first
        is_asked(page, found, say(f"{group}.{yes}"), say(f"{group}.{leave}"))

    visitor.go_to("shell.journal")
    visitor.follow("journal.write.name")
    ask("drop", "journal.drafts", "drop_sure", "drop_leave")
    visitor.open_row(WRITTEN)
    ask("name", "journal.delete")
    visitor.open_box(BOX)
    ask("name", "boxes.close")
    page.get_by_role("link").filter(has_text=say("boxes.look.name")).click()
    ask("name", "boxes.refuse")

    visitor.lock()  # what was asked of the vault by then is done
    visitor.log_in()
    for text in (WRITTEN, BEGUN):
        expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()
    visitor.open_box(BOX)
    expect(page.get_by_role("button", name=say("boxes.close.name"), exact=True)).to_be_visible()
    page.get_by_role("link").filter(has_text=say("boxes.look.name")).click()
    expect(page.get_by_role("button", name=say("boxes.refuse.name"), exact=True)).to_be_visible()
