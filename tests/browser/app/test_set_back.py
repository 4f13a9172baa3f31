"""A vault that is set back while somebody writes and records, and while others read: no typed word is lost, and each is
told what it means for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from client_sdk.client import Draft, VaultClient
from client_sdk.sharing import Sharing
from tests.browser.app.conftest import describe_vault
from tests.browser.app.test_playing import player
from tests.browser.app.test_reading import follow, give_code
from tests.browser.app.test_recording import (  # noqa: F401  # recording_browser: its fixture
    LOST,
    begin,
    closed,
    device_of,
    is_kept,
    recording_browser,
    seconds_of,
)
from tests.fakes.backups import back_up, set_back
from tests.fakes.browser import new_context
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault, running
from tests.fakes.tour import view_table
from tests.fakes.visitor import PASSWORD, PIN, Visitor

WRITTEN, BEGUN = "Écrit depuis la copie.", "Commencé, et pas encore gardé."
NUMBERS = """async (gone) => {
  const asked = indexedDB.open("a");
  const db = await new Promise((resolve) => asked.onsuccess = () => resolve(asked.result));
  const table = db.transaction("a", "readwrite").objectStore("a");
  const all = table.getAllKeys();
  const keys = await new Promise((resolve) => all.onsuccess = () => resolve(all.result));
  const segments = keys.filter((key) => /^a.{22}g/.test(key));
  const done = new Promise((resolve) => table.transaction.oncomplete = resolve);
  for (const number of gone) table.delete(segments[number]);
  await done;
  db.close();
  return segments.map((key) => Number(key.split(".")[1]));
}"""
"""The numbers of the segments that lie on this device; those of `gone` are let go of, as where there is no room."""

KINDS = {"sound": "audio", "video": "video"}
TO_THE_END = """() => new Promise((ended, failed) => {
  const media = document.querySelector("audio, video");
  [media.muted, media.onended, media.onerror] = [true, ended, failed];
  void media.play();
}).then(() => true)"""


@pytest.fixture
def own_vault(tmp_path: Path) -> Iterator[RealVault]:
    with running(describe_vault(tmp_path / "vault")) as vault:
        yield vault


def test_a_draft_is_there_and_a_recording_that_the_vault_has_lost_is_not_called_empty(
    recording_browser: Browser, own_vault: RealVault, tmp_path: Path  # noqa: F811
) -> None:
    with new_context(recording_browser, locale="fr-FR", reduced_motion="reduce") as context:
        visitor = Visitor(context.new_page(), own_vault.url)
        page, say = visitor.page, visitor.say
        visitor.move_in()
        back_up(own_vault, tmp_path / "copy.db")
        visitor.write(WRITTEN)
        visitor.begin_entry(BEGUN)
        page.get_by_text(say("journal.draft.kept"), exact=True).wait_for()
        begin(visitor, "sound")
        is_kept(visitor, "[2-9]")
        set_back(own_vault, tmp_path / "copy.db")
        visitor.press("documents.record.stop")
        page.get_by_text(say("account.closed.ended")).wait_for()
        visitor.log_in()
        page.get_by_text(say("shell.given_back", count=2)).wait_for()
        page.get_by_role("link").filter(has_text=WRITTEN).wait_for()
        page.get_by_role("link").filter(has_text=BEGUN).click()
        expect(visitor.box("journal.write.text")).to_have_value(BEGUN)
        visitor.press("journal.write.keep")
        visitor.is_kept(sensitive=False)
        visitor.go_to("shell.documents")
        page.get_by_role("main").get_by_role("listitem").get_by_role("link").click()
        page.get_by_text(say("documents.file.unclosed")).wait_for()
        assert page.get_by_text(say("documents.file.empty")).count() == 0


def end_warning(visitor: Visitor) -> None:
    visitor.page.evaluate(f"location.hash = '#{view_table()['trust']}'")
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("account.trust.accept")
    visitor.page.get_by_text(visitor.say("account.trust.ended")).wait_for()


@pytest.mark.alone
@pytest.mark.parametrize(("medium", "gone"), [
    pytest.param("video", (1, 2), id="video-gap"),
    pytest.param("video", (), id="video-whole", marks=pytest.mark.soak),
    pytest.param("sound", (), id="sound-whole", marks=pytest.mark.soak),
    pytest.param("sound", (1, 2), id="sound-gap", marks=pytest.mark.soak),
])
def test_a_recording_outlives_a_vault_that_is_set_back_while_it_goes_on(
    recording_browser: Browser, own_vault: RealVault, tmp_path: Path, medium: str, gone: tuple[int, ...]  # noqa: F811
) -> None:
    """All of it from this device; where that had no room for some, the rest, and the person is told which seconds."""
    with new_context(recording_browser, locale="fr-FR", reduced_motion="reduce") as context:
        visitor = Visitor(context.new_page(), own_vault.url)
        page, say = visitor.page, visitor.say
        visitor.move_in()
        back_up(own_vault, tmp_path / "copy.db")
        began = begin(visitor, medium)
        is_kept(visitor, "[4-9]")
        set_back(own_vault, tmp_path / "copy.db")
        page.wait_for_timeout(2000)
        spent = time.monotonic() - began
        visitor.press("documents.record.stop")
        page.get_by_text(say("account.closed.ended")).wait_for()
        numbers = page.evaluate(NUMBERS, gone)
        assert numbers == list(range(len(numbers))) and len(numbers) >= spent - 2
        visitor.log_in()
        end_warning(visitor)
        _, whole = closed(device_of(visitor, own_vault, tmp_path), tmp_path)
        heard = seconds_of(context.new_page(), whole)
        print(f"{spent:.1f} s, {heard:.1f} s are there")
        assert spent - LOST - len(gone) <= heard <= spent + 1.5 - 0.5 * len(gone)
        visitor.go_to("shell.journal")
        told = say("documents.record.gap.later", wait=say("parts.seconds", count=2), **{"from": "0:01"})
        expect(page.get_by_text(told)).to_have_count(1 if gone else 0)
        visitor.go_to("shell.documents")
        page.get_by_role("main").get_by_role("listitem").get_by_role("link").click()
        page.get_by_role("button", name=say(f"documents.open.{KINDS[medium]}")).wait_for()
        expect(page.get_by_text(say("documents.record.gap.there"))).to_have_count(1 if gone else 0)
        page.get_by_role("button", name=say(f"documents.open.{KINDS[medium]}")).click()
        player(page).evaluate(TO_THE_END)


def test_who_only_reads_keeps_what_is_open_and_is_told_when_it_leads_nowhere(
    context: BrowserContext, other_context: BrowserContext, own_vault: RealVault, tmp_path: Path
) -> None:
    """A professional at their own account, and somebody with a link and its code."""
    with (
        VaultClient.connect(own_vault.url, tmp_path / "office") as office,
        VaultClient.connect(own_vault.url, tmp_path / "person") as person,
    ):
        digits = become_listed(own_vault, office, "office", name="Maître Inès", org="Barreau", town="Grenoble")
        person.register(person.make_account("person", PASSWORD, PIN))
        person.log_in("person", PASSWORD, PIN)
        kept = person.write_entry(Draft(text=WRITTEN))
        back_up(own_vault, tmp_path / "copy.db")
        (entry,) = [
            one.entry for one in person.professionals.read().professionals if one.listing.fingerprint == digits
        ]
        until = int(time.time()) + 3600
        made = [person.shares.make(Sharing([(kept.id, 1)], whose, until, 10)) for whose in (entry, None)]
        for bundle in made:
            person.shares.send(bundle, person.account.confirm(PASSWORD, PIN))
        link = made[1].link
        assert link is not None
        reader = Visitor(context.new_page(), own_vault.url, username="office")
        stranger = Visitor(other_context.new_page(), own_vault.url, "en")
        reader.log_in()
        reader.page.evaluate("location.hash = '#61'")
        reader.page.get_by_role("button").filter(has_text=reader.say("reading.inbox.open")).click()
        follow(stranger.page, own_vault.url, made[1])
        give_code(stranger, link.code)
        for one in (reader, stranger):
            one.heading("reading.title")
        set_back(own_vault, tmp_path / "copy.db")
        for one in (reader, stranger):
            one.page.get_by_text(WRITTEN).first.wait_for()
        follow(stranger.page, own_vault.url, made[1])
        give_code(stranger, link.code)
        stranger.page.get_by_text(stranger.say("problem.link_unknown")).wait_for()
        reader.log_in()
        reader.page.evaluate("location.hash = '#61'")
        reader.page.get_by_text(reader.say("reading.inbox.empty")).wait_for()
