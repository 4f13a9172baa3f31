"""What the vault asks of a cheap phone: little over the network, something to see soon, and long journals at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from client_sdk.client import Draft, VaultClient
from tests.browser.app.conftest import describe_vault
from tests.fakes.browser import ENGINES
from tests.fakes.http_proxy import HttpProxy, http_proxy_to
from tests.fakes.processes import RealVault, running
from tests.fakes.visitor import PASSWORD, PIN, Visitor, wait_until

KB = 1000
LOGIN_WEIGHT, SIGN_UP_WEIGHT = 350 * KB, 800 * KB
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""150 ms to and fro, 1.6 Mbit/s: Lighthouse's slow 4G."""
LISTS_WEIGHT = 200 * KB
"""At least."""
CPU = 4
LCP_MS = 2000
ENTRIES = 2000
DRAWN_MS = 1500
LONGEST_TASK_MS = 100
FIRST_ENTRY = 1_700_000_000
LARGEST = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const last = list.getEntries().at(-1);
  resolve([last.startTime, last.element?.tagName ?? ""]);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""
WATCH = """
(() => {
  window.seen = {};
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((one) => [one.startTime, one.duration])))
    .observe({ type: "longtask", buffered: true });
  const note = (name, true_) => { if (true_) window.seen[name] ??= performance.now(); };
  const look = () => {
    note("asked", document.querySelector("form [aria-disabled=true]"));
    note("open", document.querySelector("nav .lock"));
    note("begun", document.querySelector("main a.row"));
    note("drawn", document.querySelector("main .rows[aria-busy=false] a.row"));
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


@pytest.fixture
def fresh(chromium: Browser) -> Iterator[BrowserContext]:
    """A telephone that has never been here."""
    context = chromium.new_context(viewport={"width": 360, "height": 640}, device_scale_factor=2, locale="fr-FR")
    yield context
    context.close()


@pytest.fixture
def counted(real_vault: RealVault) -> Iterator[HttpProxy]:
    """The vault through something that counts."""
    with http_proxy_to(real_vault.port) as proxy:
        yield proxy


def weigh(proxy: HttpProxy) -> int:
    """Bytes of all files that were sent, as they were sent; not what the vault was asked for."""
    files = {target: size for target, size in proxy.sent if not target.startswith(("/v1/", "/ledger/"))}
    assert len(files) == len([1 for target, _ in proxy.sent if target in files]), "something is sent twice"
    return sum(files.values())


def weigh_page(proxy: HttpProxy) -> int:
    """Bytes of the page's own scripts; the vault's worker comes when it comes."""
    return sum(size for target, size in proxy.sent if target.startswith("/a/") and not target.startswith("/a/w"))


def test_a_login_loads_little(fresh: BrowserContext, counted: HttpProxy, real_vault: RealVault) -> None:
    visitor = Visitor(fresh.new_page(), counted.url, username="léger")
    replace(visitor, address=real_vault.url).sign_up_elsewhere()
    visitor.log_in()
    visitor.heading("journal.empty.title")
    weight = weigh(counted)
    print(f"login: {weight / KB:.0f} kB in {len(counted.sent)} answers")
    assert 100 * KB < weight <= LOGIN_WEIGHT


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_sign_up_loads_not_much_more(fresh: BrowserContext, counted: HttpProxy, lang: str) -> None:
    visitor = Visitor(fresh.new_page(), counted.url, lang, f"léger {lang}")
    visitor.sign_up()
    visitor.heading("journal.empty.title")
    weight = weigh(counted)
    print(f"sign-up in {lang}: {weight / KB:.0f} kB")
    assert LOGIN_WEIGHT < weight <= SIGN_UP_WEIGHT


def test_the_lists_of_weak_passwords_come_while_one_is_typed(fresh: BrowserContext, counted: HttpProxy) -> None:
    """On a slow link they take seconds, which a person would wait for after the last letter."""
    visitor = Visitor(fresh.new_page(), counted.url)
    visitor.come()
    visitor.follow("account.door.sign_up")
    visitor.press("account.sign_up.begin")
    visitor.fill("account.username", visitor.username)
    visitor.press("account.sign_up.next")
    visitor.heading("account.sign_up.password_title")
    before = weigh_page(counted)
    visitor.box("account.password").focus()
    wait_until(visitor.page, lambda: weigh_page(counted) - before > LISTS_WEIGHT, "they did not come")


@pytest.mark.alone
def test_what_is_measured_is_measured_in_what_people_have(chromium: Browser) -> None:
    """In a whole browser, and not in its engine alone, which is less and does it sooner."""
    [browser] = [
        one["id"] for one in chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        if one["type"] == "browser"
    ]
    assert Path(f"/proc/{browser}/exe").resolve().name not in ENGINES


@pytest.mark.alone
def test_the_door_is_painted_in_two_seconds(chromium: Browser, real_vault: RealVault) -> None:
    times = []
    for _ in range(3):  # the best of three, or the first that is good enough, since a busy machine only ever adds
        context = chromium.new_context(viewport={"width": 360, "height": 640}, device_scale_factor=2, locale="fr-FR")
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": CPU})
        visitor = Visitor(page, real_vault.url)
        page.goto(f"{real_vault.url}/app")
        visitor.heading("account.door.title")
        page.wait_for_timeout(500)
        times.append(page.evaluate(LARGEST))
        context.close()
        if times[-1][0] <= LCP_MS:
            break
    print(f"/app: largest paint after {[f'{time:.0f} ms ({tag})' for time, tag in times]}")
    assert min(times)[0] <= LCP_MS


@pytest.fixture
def long_vault(tmp_path: Path) -> Iterator[RealVault]:
    """A vault in which somebody has written every day for years."""
    with running(describe_vault(tmp_path / "vault")) as vault:
        with VaultClient.connect(vault.url, tmp_path / "home") as client:
            client.register(client.make_account("longtemps", PASSWORD, PIN))
            client.log_in("longtemps", PASSWORD, PIN)
            client.write_entries([_entry(number) for number in range(ENTRIES)])
        yield vault


def _entry(number: int) -> Draft:
    text = f"Nuit {number}. " + "Il a crié, puis il a fermé la porte à clef. Je note tout ici. " * 6
    return Draft(text=text, danger=number % 11, written=FIRST_ENTRY + number * 40_000)


@pytest.mark.alone
def test_two_thousand_entries_are_opened_and_drawn_at_once(fresh: BrowserContext, long_vault: RealVault) -> None:
    visitor = Visitor(fresh.new_page(), long_vault.url, username="longtemps")
    visitor.page.add_init_script(WATCH)
    rounds = [open_journal(visitor) for _ in range(3)]  # the best of three; only the first brings everything
    print(f"{ENTRIES} entries: {rounds}")
    assert min(seen["drawn"] - seen["open"] for seen in rounds) <= DRAWN_MS
    assert min(seen["longest task"] for seen in rounds) <= LONGEST_TASK_MS


def open_journal(visitor: Visitor) -> dict[str, float]:
    """Milliseconds of the page's clock at which what was first to be seen, and the longest task from the login on."""
    page = visitor.page
    visitor.log_in()
    page.locator("main .rows[aria-busy=false] a.row").first.wait_for()
    expect(page.locator("main a.row")).to_have_count(ENTRIES)
    wait_until(page, lambda: page.evaluate("'drawn' in window.seen"), "it was never seen to be drawn")
    page.wait_for_timeout(200)
    seen: dict[str, float] = page.evaluate("window.seen")
    tasks: list[tuple[float, float]] = page.evaluate("window.tasks")
    lasted = [duration for start, duration in tasks if start >= seen["asked"]]
    return {name: round(value) for name, value in seen.items()} | {"longest task": max(lasted, default=0)}
