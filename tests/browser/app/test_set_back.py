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
from tests.browser.app.test_reading import follow, give_code
from tests.browser.app.test_recording import begin, is_kept, recording_browser  # noqa: F401  # its fixture
from tests.fakes.backups import back_up, set_back
from tests.fakes.browser import new_context
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault, running
from tests.fakes.visitor import PASSWORD, PIN, Visitor

WRITTEN, BEGUN = "Écrit depuis la copie.", "Commencé, et pas encore gardé."


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
