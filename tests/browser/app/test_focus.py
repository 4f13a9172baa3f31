"""Whoever uses a keyboard keeps their place where what had the focus goes: a notice that was read, a form that is quiet
for a while, a button whose work is done. In a browser: only there does what is inert lose the focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.fakes.processes import RealVault
from tests.fakes.typist import Typist

BEHIND = "Les mots exacts, derrière le code."


@pytest.fixture
def typist(context: BrowserContext, real_vault: RealVault, request: pytest.FixtureRequest) -> Typist:
    """Somebody who has nothing yet, and no mouse; another one for each test."""
    typist = Typist(context.new_page(), real_vault.url, username=request.node.name[-40:])
    typist.move_in()
    return typist


def test_a_question_that_is_not_answered_leaves_the_form_as_it_was(typist: Typist) -> None:
    page, say = typist.page, typist.say
    typist.write(BEHIND, sensitive=True)
    typist.heading("journal.state.locked")
    typist.press("journal.locked.open")
    typist.give_pin()
    typist.follow("journal.entry.edit")
    typist.fill("journal.write.text", BEHIND + " Encore un.")
    typist.press("shell.sensitive_close")
    expect(page.get_by_text(say("shell.sensitive"), exact=True)).to_have_count(0)
    typist.not_lost()
    typist.press("journal.write.keep_version")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=say("journal.write.keep_version"), exact=True)).to_be_focused()
    expect(typist.box("journal.write.text")).to_have_value(BEHIND + " Encore un.")


def test_what_was_read_or_thrown_away_takes_no_place_along(typist: Typist) -> None:
    page, say = typist.page, typist.say
    typist.begin_entry("Un début.")
    page.get_by_text(say("journal.draft.kept"), exact=True).wait_for()
    typist.go_to("shell.journal")
    typist.follow("journal.write.name")
    drop = page.get_by_role("button").filter(has_text=say("journal.drafts.drop"))
    typist.strike(drop)
    typist.press("journal.drafts.drop_sure")
    expect(drop).to_have_count(0)
    typist.not_lost()
    typist.lock()
    typist.log_in()
    typist.press("shell.read")
    expect(page.get_by_text(say("shell.no_wrong_pins"), exact=True)).to_have_count(0)
    typist.not_lost()
