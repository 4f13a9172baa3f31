"""No typed character is lost: whatever the network, the vault, another tab or another device does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.app.conftest import describe_vault
from tests.fakes.processes import RealVault, running
from tests.fakes.visitor import PATIENCE, Visitor

TEXT = "Chaque mot compte : « ne bouge pas », à 21 h 30, devant la porte."


@pytest.fixture
def own_vault(tmp_path: Path) -> Iterator[RealVault]:
    """A vault to which this test alone does something."""
    with running(describe_vault(tmp_path)) as vault:
        yield vault


def reads(page: Page, text: str) -> None:
    """Waits until a text stands on the page."""
    expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


def test_without_network_the_sealed_text_waits_and_leaves_by_itself(
    visitor: Visitor, other_context: BrowserContext
) -> None:
    visitor.username = "sans réseau"
    visitor.move_in()
    visitor.begin_entry(TEXT)
    visitor.page.context.set_offline(True)
    visitor.press("journal.write.keep")
    reads(visitor.page, visitor.say("journal.waiting.here"))
    reads(visitor.page, TEXT)
    visitor.follow("journal.waiting.back")
    reads(visitor.page, visitor.say("shell.waiting", count=1))
    visitor.page.context.set_offline(False)
    expect(visitor.page.get_by_text(visitor.say("shell.waiting", count=1))).to_have_count(0, timeout=PATIENCE)
    elsewhere = Visitor(other_context.new_page(), visitor.address, "en", visitor.username)
    elsewhere.log_in()
    elsewhere.open_row("Chaque mot compte")
    reads(elsewhere.page, TEXT)


def test_a_vault_that_restarts_loses_nothing(context: BrowserContext, own_vault: RealVault) -> None:
    visitor = Visitor(context.new_page(), own_vault.url)
    visitor.move_in()
    visitor.begin_entry(TEXT)
    own_vault.stop()
    visitor.press("journal.write.keep")
    reads(visitor.page, visitor.say("journal.waiting.here"))
    own_vault.start()
    expect(visitor.page.get_by_text(visitor.say("shell.waiting", count=1))).to_have_count(0, timeout=PATIENCE)
    visitor.open_row("Chaque mot compte")
    reads(visitor.page, TEXT)


def test_a_page_that_is_closed_while_its_text_waits_sends_it_at_the_next_opening(
    context: BrowserContext, own_vault: RealVault
) -> None:
    visitor = Visitor(context.new_page(), own_vault.url)
    visitor.move_in()
    visitor.begin_entry(TEXT)
    own_vault.stop()
    visitor.press("journal.write.keep")
    reads(visitor.page, visitor.say("journal.waiting.here"))
    visitor.page.close(run_before_unload=False)
    own_vault.start()
    again = Visitor(context.new_page(), own_vault.url)
    again.log_in()
    again.open_row("Chaque mot compte")
    reads(again.page, TEXT)


def test_a_session_that_is_ended_elsewhere_loses_no_word(visitor: Visitor, other_context: BrowserContext) -> None:
    visitor.username = "session finie"
    visitor.move_in()
    visitor.begin_entry(TEXT)
    elsewhere = Visitor(other_context.new_page(), visitor.address, "en", visitor.username)
    elsewhere.log_in()
    elsewhere.go_to("shell.settings")
    elsewhere.page.get_by_role("link").filter(has_text=elsewhere.say("account.settings.sessions")).click()
    elsewhere.fill("account.confirm.password", elsewhere.password)
    elsewhere.fill("account.confirm.pin", elsewhere.pin)
    elsewhere.press("account.sessions.end")
    reads(elsewhere.page, elsewhere.say("account.sessions.ended", count=1))
    visitor.box("journal.write.text").press_sequentially(" Et encore ceci.")
    visitor.press("journal.write.keep")
    reads(visitor.page, visitor.say("account.closed.ended"))
    assert visitor.page.get_by_text("Chaque mot").count() == 0
    visitor.follow("account.door.log_in")
    visitor.type_secrets()
    visitor.is_in()
    visitor.open_row("Chaque mot compte")  # it lay in the outbox, sealed, and went at the opening
    reads(visitor.page, TEXT + " Et encore ceci.")


def test_a_draft_outlives_the_session_that_it_was_written_in(visitor: Visitor) -> None:
    visitor.username = "brouillon seul"
    visitor.move_in()
    visitor.begin_entry(TEXT)
    reads(visitor.page, visitor.say("journal.draft.kept"))
    visitor.page.reload()
    visitor.heading("account.door.title")
    assert visitor.page.get_by_text("Chaque mot").count() == 0
    visitor.follow("account.door.log_in")
    visitor.type_secrets()
    visitor.is_in()
    visitor.page.get_by_role("link").filter(has_text="Chaque mot compte").first.click()
    expect(visitor.box("journal.write.text")).to_have_value(TEXT)


def test_a_tab_is_told_that_another_one_took_its_draft(visitor: Visitor) -> None:
    visitor.username = "onglet oublié"
    visitor.move_in()
    visitor.begin_entry(TEXT)
    reads(visitor.page, visitor.say("journal.draft.kept"))
    other = Visitor(visitor.page.context.new_page(), visitor.address, "fr", visitor.username)
    other.log_in()
    other.follow("journal.write.name")
    other.page.get_by_role("button").filter(has_text=other.say("journal.drafts.resume")).click()
    expect(other.box("journal.write.text")).to_have_value(TEXT)
    other.press("journal.write.keep")
    other.is_kept(sensitive=False)
    other.page.close()
    visitor.page.bring_to_front()
    visitor.page.evaluate("dispatchEvent(new Event('focus'))")  # a browser without a window may tell nothing
    reads(visitor.page, visitor.say("journal.draft.gone"))
    expect(visitor.page.get_by_text(visitor.say("journal.draft.kept"), exact=True)).to_have_count(0)
    expect(visitor.box("journal.write.text")).to_have_value(TEXT)
    visitor.lock()
    expect(visitor.page.get_by_text(visitor.say("account.closed.kept"))).to_have_count(0)


def test_two_tabs_write_side_by_side(visitor: Visitor) -> None:
    visitor.username = "deux onglets"
    visitor.move_in()
    other = Visitor(visitor.page.context.new_page(), visitor.address, "fr", visitor.username)
    other.log_in()
    visitor.begin_entry("Dans le premier onglet.")
    other.begin_entry("Dans le second onglet.")
    other.press("journal.write.keep")
    reads(other.page, other.say("journal.kept"))
    visitor.press("journal.write.keep")
    reads(visitor.page, visitor.say("journal.kept"))
    for one in (visitor, other):
        one.lock()
        one.log_in()
        reads(one.page, "Dans le premier onglet.")
        reads(one.page, "Dans le second onglet.")


def test_what_one_tab_types_stays_when_another_makes_an_entry_of_the_draft(visitor: Visitor) -> None:
    visitor.username = "un brouillon, deux onglets"
    visitor.move_in()
    visitor.begin_entry(TEXT)
    reads(visitor.page, visitor.say("journal.draft.kept"))
    other = Visitor(visitor.page.context.new_page(), visitor.address, "fr", visitor.username)
    other.log_in()
    other.page.get_by_role("link").filter(has_text="Chaque mot compte").first.click()
    expect(other.box("journal.write.text")).to_have_value(TEXT)
    visitor.fill("journal.write.text", f"Et avant cela. {TEXT}")
    visitor.go_to("shell.journal")
    reads(visitor.page, "Et avant cela.")
    other.press("journal.write.keep")
    reads(other.page, other.say("journal.kept"))
    visitor.lock()
    visitor.log_in()
    visitor.page.get_by_role("link").filter(has_text="Et avant cela.").first.click()
    expect(visitor.box("journal.write.text")).to_have_value(f"Et avant cela. {TEXT}")


def test_two_devices_that_edit_one_entry_keep_both_texts(visitor: Visitor, other_context: BrowserContext) -> None:
    visitor.username = "deux appareils"
    visitor.move_in()
    visitor.write("La première version.")
    elsewhere = Visitor(other_context.new_page(), visitor.address, "en", visitor.username)
    elsewhere.log_in()
    for one in (visitor, elsewhere):
        one.open_row("La première version.")
        one.follow("journal.entry.edit")
    visitor.fill("journal.write.text", "Ce que dit le téléphone.")
    elsewhere.fill("journal.write.text", "What the computer says.")
    visitor.press("journal.write.keep_version")
    reads(visitor.page, visitor.say("journal.kept"))
    elsewhere.press("journal.write.keep_version")
    reads(elsewhere.page, elsewhere.say("journal.history.conflict"))
    reads(elsewhere.page, "Ce que dit le téléphone.")
    reads(elsewhere.page, "What the computer says.")


def test_what_a_full_vault_refuses_waits_on_the_device_and_is_readable_there(
    context: BrowserContext, tmp_path: Path
) -> None:
    with running(describe_vault(tmp_path, TEMOIN_QUOTA="20000")) as vault:
        visitor = Visitor(context.new_page(), vault.url)
        visitor.move_in()
        long = TEXT * 300
        visitor.begin_entry(long)
        visitor.press("journal.write.keep")
        reads(visitor.page, visitor.say("problem.quota_full"))
        reads(visitor.page, long)
        visitor.lock()
        visitor.log_in()
        row = visitor.page.get_by_role("listitem").filter(has_text="Chaque mot compte").first
        row.get_by_text("Chaque mot compte").first.click()
        expect(row).to_contain_text(long)
