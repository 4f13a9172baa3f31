"""A vault that was set back gets from a browser what it had lost, and the page says so, calmly and in full, to
whoever has a keyboard alone.

In the other language the tour (test_access.py) waits for the same words.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from client_sdk.client import VaultClient
from tests.browser.app.conftest import describe_vault
from tests.fakes.processes import running
from tests.fakes.tour import go_back
from tests.fakes.typist import Typist


def test_what_was_lost_is_given_back_and_what_came_of_it_is_said(context: BrowserContext, tmp_path: Path) -> None:
    with running(describe_vault(tmp_path / "vault")) as vault:
        typist = Typist(context.new_page(), vault.url, username="copie")
        typist.move_in()
        stops = []
        for stop in go_back(typist, vault, tmp_path):
            stops.append(stop)
            typist.not_lost()
            main = typist.page.get_by_role("main")
            if stop == "trust-ended":
                expect(typist.page.get_by_text(typist.say("shell.warned"))).to_have_count(0)
                expect(main.locator("li a")).to_have_count(2)
                typist.reach(main.get_by_role("link", name=typist.say("shell.advise_change_do")))
            if stop == "home-lost":
                expect(typist.page.get_by_text(typist.say("shell.uploads.unfinished", count=1))).to_have_count(0)
                typist.reach(main.locator("[role=status] li a"))
        assert stops == ["home-given-back", "trust-warned", "trust-ended", "home-lost"]
        with VaultClient.connect(vault.url, tmp_path / "laptop") as laptop:
            opening = laptop.log_in(typist.username, typist.password, typist.pin)
            assert opening.warnings == ()
            assert [one.contents for one in laptop.items()] == [(), (), (), ()]
