"""A browser that can't run the vault is told so in words, and what to do: never an endless "one moment"."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.fakes.processes import RealVault
from tests.fakes.visitor import Visitor
from tests.fakes.words import say

NO_WASM = "delete globalThis.WebAssembly"
NO_MODULE_WORKERS = "globalThis.Worker = class extends Worker { constructor(address) { super(address); } }"


def test_a_page_whose_script_never_runs_says_so_after_a_while(context: BrowserContext, real_vault: RealVault) -> None:
    page = context.new_page()
    page.route("**/a/*.js", lambda route: route.abort())
    page.goto(f"{real_vault.url}/app", wait_until="load")
    told = page.get_by_text(say("fr", "site.app.late"))
    expect(told).to_be_hidden()
    assert page.evaluate(
        "document.getAnimations().map((late) => [late.effect.getTiming().delay, late.finish()][0])"
    ) == [15_000]
    expect(told).to_be_visible()
    expect(told.get_by_role("link")).to_have_attribute("href", "/fr/")


def test_the_page_that_came_says_nothing_of_it(visitor: Visitor) -> None:
    visitor.come()
    expect(visitor.page.get_by_text(visitor.say("site.app.late"))).to_have_count(0)


@pytest.mark.parametrize("lack", [NO_WASM, NO_MODULE_WORKERS], ids=["no WebAssembly", "no module workers"])
def test_who_wants_to_get_in_is_told_what_to_do(visitor: Visitor, lack: str) -> None:
    visitor.page.add_init_script(lack)
    visitor.come()
    visitor.follow("account.door.log_in")
    visitor.type_secrets()
    expect(visitor.page.get_by_role("alert")).to_have_text(visitor.say("problem.browser_unfit"))
