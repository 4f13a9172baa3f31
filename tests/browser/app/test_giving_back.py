"""A vault that was set back gets from a browser what it had lost, and the page says so, calmly and in full.

In the other language the tour (test_access.py) waits for the same words.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from client_sdk.client import VaultClient
from tests.browser.app.conftest import describe_vault
from tests.fakes.processes import running
from tests.fakes.tour import go_back
from tests.fakes.visitor import Visitor


def test_what_was_lost_is_given_back_and_what_came_of_it_is_said(page: Page, tmp_path: Path) -> None:
    with running(describe_vault(tmp_path / "vault")) as vault:
        visitor = Visitor(page, vault.url, username="copie")
        visitor.move_in()
        stops = []
        for stop in go_back(visitor, vault, tmp_path):
            stops.append(stop)
            if stop == "trust-ended":
                expect(page.get_by_text(visitor.say("shell.warned"))).to_have_count(0)
                expect(page.get_by_role("main").locator("li a")).to_have_count(2)
        assert stops == ["home-given-back", "trust-warned", "trust-ended"]
        with VaultClient.connect(vault.url, tmp_path / "laptop") as laptop:
            opening = laptop.log_in(visitor.username, visitor.password, visitor.pin)
            assert opening.warnings == ()
            assert len(laptop.items()) == 3
            assert [one.contents for one in laptop.items()] == [(), (), ()]
