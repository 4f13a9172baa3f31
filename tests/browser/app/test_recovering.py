"""Somebody who has nothing left but the recovery words: shown, waited for while an open space is told, and in again,
where new words take the place of theirs; with a keyboard alone."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

from tests.browser.app.test_traces import STORED, plain, wait_for_no_worker
from tests.fakes.canary import find_canaries
from tests.fakes.heap import take_heap
from tests.fakes.processes import RealVault
from tests.fakes.typist import Typist
from tests.fakes.visitor import Visitor
from tests.fakes.waiting import wait_out

WRITTEN, BEHIND = "Il a pris le téléphone ce matin.", "Ce qui est derrière le code."
LOOK_MS = 61_000
"""An open space looks each minute."""


def test_the_words_lead_back_in_after_three_days_of_which_an_open_space_is_told(
    context: BrowserContext, other_context: BrowserContext, real_vault: RealVault
) -> None:
    owner = Visitor(context.new_page(), real_vault.url, username="volet bleu")
    owner.page.clock.install()
    owner.move_in()
    owner.write(WRITTEN)
    owner.write(BEHIND, sensitive=True)

    back = Typist(other_context.new_page(), real_vault.url, "en", words=owner.words)
    back.show_words()
    back.heading("account.recover.wait_title")
    back.not_lost()
    expect(back.page.get_by_text(back.say("account.recover.wait_open"), exact=True)).to_be_visible()
    more = owner.page.get_by_role("link", name=owner.say("shell.recovering_more"), exact=True)
    expect(more).to_have_count(0)
    owner.page.clock.fast_forward(LOOK_MS)
    more.click()
    owner.heading("account.recovery.other_title")

    wait_out(real_vault.data)
    back.show_words()
    back.heading("account.recover.due_title")
    back.not_lost()
    back.press("account.sign_up.next")
    back.username, back.password, back.pin = "blue shutter", "a boat on the wide lake", "8051937"
    back.choose_secrets()
    assert len(set(back.words) & set(owner.words)) < 24
    back.press("account.sheet.noted")
    back.copy_words()
    back.is_in()
    back.not_lost()
    back.open_row(WRITTEN)
    back.page.get_by_text(WRITTEN).first.wait_for()
    back.open_row(back.say("journal.state.locked"))
    back.press("journal.locked.open")
    back.give_pin()
    back.page.get_by_text(BEHIND).first.wait_for()

    owner.page.clock.fast_forward(LOOK_MS)
    owner.page.get_by_text(owner.say("account.closed.ended"), exact=True).wait_for()
    owner.page.evaluate("location.hash = '#2'")
    owner.type_secrets()
    owner.page.get_by_text(owner.say("problem.login_refused")).wait_for()
    owner.show_words()
    owner.page.get_by_text(owner.say("problem.recovery_refused")).wait_for()

    back.go_to("shell.settings")
    back.strike(back.page.get_by_role("link").filter(has_text=back.say("account.settings.waiting_time_text")))
    back.strike(back.box("account.waiting_time.choice"), "ArrowDown")  # a week, after three days
    back.fill("account.confirm.password", back.password)
    back.fill("account.confirm.pin", back.pin)
    back.press("account.waiting_time.do")
    week = back.say("parts.days.other").replace("{count}", "7")
    back.page.get_by_text(back.say("account.waiting_time.now", wait=week), exact=True).wait_for()
    back.not_lost()

    older = back.words
    back.go_to("shell.settings")
    back.strike(back.page.get_by_role("link").filter(has_text=back.say("account.settings.credentials_text")))
    back.renew_words()
    back.not_lost()
    back.lock()
    wait_for_no_worker(back.page)
    secrets = [back.username, back.password, back.pin]
    for words in (owner.words, older, back.words):
        secrets.extend(" ".join(words[place : place + 2]) for place in range(0, 24, 2))
    stored = back.page.evaluate(STORED)
    assert stored["local"] == stored["session"] == {} and stored["cookies"] == "" and stored["caches"] == []
    assert find_canaries(plain(stored["databases"]), [*secrets, WRITTEN, BEHIND]) == []
    assert take_heap(back.page).find([*secrets, WRITTEN, BEHIND]) == {}

    renewed, back.words = back.words, older
    back.show_words()
    back.page.get_by_text(back.say("problem.recovery_refused")).wait_for()
    back.words = renewed
    back.show_words()
    back.heading("account.recover.wait_title")
