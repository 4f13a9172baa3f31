"""A vault that was set back gets from a browser what it had lost, and the page says so, calmly and in full."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from client_sdk.client import VaultClient
from tests.browser.app.conftest import describe_vault
from tests.fakes.processes import running
from tests.fakes.told import PHOTOGRAPH
from tests.fakes.tour import go_back
from tests.fakes.visitor import Visitor


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_was_lost_is_given_back_and_what_came_of_it_is_said(page: Page, tmp_path: Path, lang: str) -> None:
    with running(describe_vault(tmp_path / "vault")) as vault:
        visitor = Visitor(page, vault.url, lang, f"copie {lang}")
        visitor.sign_up()
        stops = []
        for stop in go_back(visitor, vault, tmp_path):
            stops.append(stop)
            if stop == "trust-ended":
                main = page.get_by_role("main")
                expect(main.get_by_text(visitor.say("account.trust.anew", count=1))).to_be_visible()
                expect(main.get_by_text(visitor.say("account.trust.file", name=PHOTOGRAPH.name))).to_be_visible()
                expect(page.get_by_text(visitor.say("shell.warned"))).to_have_count(0)
                expect(main.locator("li a")).to_have_count(2)
        assert stops == ["home-given-back", "trust-warned", "trust-ended"]
        with VaultClient.connect(vault.url, tmp_path / "laptop") as laptop:
            opening = laptop.log_in(visitor.username, visitor.password, visitor.pin)
            assert opening.warnings == ()
            assert len(laptop.items()) == 3
            assert [one.contents for one in laptop.items()] == [(), (), ()]
