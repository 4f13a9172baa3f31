"""What is left in the browser once somebody left or locked: nothing that can be read, in any place there is.

The heap is what V8 holds after its garbage was collected; a canary in it is told with who holds it.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.browser.conftest import NeutralSite
from tests.fakes.browser import FLAGS, find_chromium
from tests.fakes.canary import find_canaries
from tests.fakes.folder import files_in
from tests.fakes.heap import Heap, take_heap
from tests.fakes.processes import RealVault
from tests.fakes.teller import NEW_USER, STEM, TEXTS, WRONG_SECRET, WRONG_USER, Teller
from tests.fakes.visitor import Visitor, wait_until

STORED = """async () => {
  const bytes = (value) => btoa(Array.from(value, (one) => String.fromCharCode(one)).join(""));
  const flat = async (value) => {
    if (value instanceof Blob) value = new Uint8Array(await value.arrayBuffer());
    if (value instanceof ArrayBuffer) value = new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    if (typeof value !== "object" || value === null) return String(value);
    return Promise.all(Object.entries(value).map(async ([name, inner]) => [name, await flat(inner)]));
  };
  const asked = (request) => new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const found = { local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie };
  found.caches = await caches.keys();
  found.workers = (await navigator.serviceWorker.getRegistrations()).length;
  found.databases = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const rows = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([asked(rows.getAllKeys()), asked(rows.getAll())]);
      found.databases.push([name, store, await flat(keys), await flat(values)]);
    }
    database.close();
  }
  return found;
}"""
"""Everything that a page of this origin can find in the browser's stores, bytes in base64."""


@contextlib.contextmanager
def own_browser(driver: Playwright, profile: Path, *more: str) -> Iterator[BrowserContext]:
    """A Chromium with a profile on disk, as people have it; closed at the end if it still runs."""
    context = driver.chromium.launch_persistent_context(
        profile, executable_path=find_chromium(), headless=True, args=[*FLAGS, *more], chromium_sandbox=False,
        locale="fr-FR", reduced_motion="reduce", viewport={"width": 360, "height": 740},
    )  # fmt: skip
    try:
        yield context
    finally:
        context.close()


def tell(page: Page, vault: RealVault, mark: str) -> Teller:
    """Writes, reads, looks for something, leaves a draft, in an account of its own; the vault stays open."""
    teller = Teller(Visitor(page, vault.url), mark)
    teller.sign_up()
    teller.visitor.lock()
    teller.visitor.log_in()  # what a browser notes about logins, too
    teller.write()
    teller.write_sensitive()
    teller.add_documents()
    teller.open_letter()
    teller.open_pdf()
    teller.export()
    teller.look_for(TEXTS["looked for"])
    teller.leave_drafts()
    return teller


def lock(teller: Teller, _: NeutralSite) -> None:
    teller.visitor.lock()


def leave(teller: Teller, neutral: NeutralSite) -> None:
    teller.page.locator("[data-exit]").first.click()
    teller.page.wait_for_url(neutral.address)


def plain(found: object) -> bytes:
    """What was found in stores, as bytes to be searched: base64 is undone."""
    if isinstance(found, str):
        try:
            return found.encode() + b"\n" + base64.b64decode(found, validate=True) + b"\n"
        except ValueError:
            return found.encode() + b"\n"
    if isinstance(found, dict):
        return b"".join(plain(name) + plain(value) for name, value in found.items())
    return b"".join(map(plain, found)) if isinstance(found, list) else str(found).encode() + b"\n"


def history_of(page: Page) -> bytes:
    """Every step of a tab's history, with its title."""
    session = page.context.new_cdp_session(page)
    steps = session.send("Page.getNavigationHistory")["entries"]
    session.detach()
    assert len(steps) > 5
    assert {step["title"] for step in steps if "/app" in step["url"]} <= {"Carnet"}
    return json.dumps(steps).encode()


@pytest.mark.parametrize("end", [lock, leave])
def test_nothing_readable_is_left_in_the_browser(
    driver: Playwright, real_vault: RealVault, neutral: NeutralSite, tmp_path: Path,
    end: Callable[[Teller, NeutralSite], None],
) -> None:
    profile = tmp_path / "profile"
    with own_browser(driver, profile) as context:
        teller = tell(context.pages[0], real_vault, end.__name__)
        end(teller, neutral)
        history = history_of(teller.page)
        if end is lock:
            states = [teller.page.evaluate("[location.href, document.title, history.state]")]
            for _ in range(10):
                teller.page.evaluate("new Promise((done) => { addEventListener('popstate', done); history.back() })")
                states.append(teller.page.evaluate("[location.href, document.title, history.state]"))
            history += json.dumps(states).encode()
        beside = context.new_page()
        beside.goto(real_vault.url + "/fr/1")
        stored = beside.evaluate(STORED)
        cookies = context.cookies()
    assert stored["local"] == stored["session"] == {} and stored["cookies"] == "" and cookies == []
    assert stored["caches"] == [] and stored["workers"] == 0
    (database,) = {name for name, *_ in stored["databases"]}
    rows = plain(stored["databases"])
    assert len(rows) > 10_000  # it is there, sealed
    assert find_canaries(history + rows, teller.canaries) == []
    files = files_in(profile)
    kept = [data for name, data in files.items() if "IndexedDB" in name]
    assert sum(map(len, kept)) > 10_000
    assert {name for name, data in files.items() if find_canaries(name.encode() + data, teller.stems)} == set()
    assert find_canaries(b"".join(files.values()) + TEXTS["draft"].encode("utf-16-le"), [STEM])


def test_with_cookies_and_stores_forbidden_it_works_and_says_what_that_costs(
    driver: Playwright, real_vault: RealVault, neutral: NeutralSite, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    forbidden = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(forbidden))
    with own_browser(driver, profile) as context:
        page = context.pages[0]
        teller = Teller(Visitor(page, real_vault.url), "without")
        teller.sign_up()
        with pytest.raises(Error, match="denied"):
            page.evaluate("localStorage.length")
        teller.reads(teller.visitor.say("shell.forgetful"))
        teller.write()
        teller.visitor.lock()
        teller.visitor.log_in()
        teller.visitor.open_row(TEXTS["title"])
        teller.reads(TEXTS["text"])
        leave(teller, neutral)
        page.go_back(wait_until="commit")
        teller.visitor.heading("account.door.title")
        assert page.get_by_text(STEM).count() == 0
        assert context.cookies() == []
    files = files_in(profile)
    assert {name for name, data in files.items() if find_canaries(name.encode() + data, teller.stems)} == set()


def test_a_browser_that_is_closed_in_the_middle_keeps_nothing_readable_and_comes_back_closed(
    driver: Playwright, real_vault: RealVault, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    with own_browser(driver, profile) as context:
        teller = Teller(Visitor(context.pages[0], real_vault.url), "closed")
        teller.sign_up()
        teller.write()
        teller.visitor.begin_entry(TEXTS["draft"])
        teller.reads(teller.visitor.say("journal.draft.kept"))
        left_at = teller.page.url
    files = files_in(profile)
    assert {name for name, data in files.items() if find_canaries(name.encode() + data, teller.stems)} == set()
    with own_browser(driver, profile, "--restore-last-session") as context:
        page = next((page for page in context.pages if page.url == left_at), None)
        if page is None:
            page = context.new_page()  # none of those that may be on its way there
            page.goto(left_at)
        visitor = teller.again(page)
        visitor.heading("account.door.title")
        assert page.get_by_text(STEM).count() == 0
        visitor.log_in()
        page.get_by_role("link").filter(has_text=TEXTS["draft"]).first.click()
        expect(visitor.box("journal.write.text")).to_have_value(TEXTS["draft"])


def heap_words(teller: Teller) -> list[str]:
    """What is looked for in a heap: not the sentences of the questionnaire, which the page's own script holds."""
    return [word for word in teller.canaries if word != teller.ticked]


def test_after_a_lock_and_on_the_way_out_no_memory_of_the_page_holds_anything(
    context: BrowserContext, real_vault: RealVault, neutral: NeutralSite
) -> None:
    teller = tell(context.new_page(), real_vault, "heap")
    page = teller.page
    teller.assess()
    teller.edit()
    teller.open_letter()
    teller.open_pdf()
    wait_until(page, lambda: len(page.workers) == 2, "not the vault's worker and that of the PDF")
    open_heap = take_heap(page)
    said = set(open_heap.find(heap_words(teller)))
    assert {TEXTS[name] for name in ("edited", "title", "person", "tag", "document", "pdf", "page", "mime")} <= said
    assert open_heap.count("canvas") > 0
    teller.visitor.lock()
    wait_for_no_worker(page)
    locked_heap = take_heap(page)
    assert locked_heap.find(heap_words(teller)) == {}
    for kind in ("input", "textarea", "canvas"):  # their words and pixels lie outside of V8's heap
        assert locked_heap.count(kind) == 0

    teller.visitor.log_in()
    teller.visitor.begin_entry(TEXTS["draft"])
    heap = heap_on_the_way_out(page, neutral, "document.querySelector('[data-exit]').click()")
    assert heap.find(heap_words(teller)) == {} and heap.count("textarea") == 0


def test_after_a_change_of_credentials_and_a_failed_login_no_memory_holds_them(
    context: BrowserContext, real_vault: RealVault
) -> None:
    teller = Teller(Visitor(context.new_page(), real_vault.url), "heap of secrets")
    teller.sign_up()
    teller.change_credentials()
    assert NEW_USER + teller.mark in take_heap(teller.page).find([NEW_USER + teller.mark])
    teller.visitor.lock()
    assert take_heap(teller.page).find(teller.canaries) == {}
    teller.page.evaluate("location.hash = '#2'")
    teller.visitor.username, teller.visitor.password = WRONG_USER, WRONG_SECRET
    teller.visitor.type_secrets()
    teller.reads(teller.visitor.say("problem.login_refused"))
    teller.page.evaluate("location.hash = '#0'")
    teller.visitor.heading("account.door.title")
    assert take_heap(teller.page).find(teller.canaries) == {}


def heap_on_the_way_out(page: Page, neutral: NeutralSite, act: str) -> Heap:
    """What a page of ours still holds that leaves, or that Back came to: a neutral site that says nothing lets it
    stand."""
    neutral.stays, neutral.asked = True, 0
    page.evaluate(f"void setTimeout(() => {act})")
    wait_until(page, lambda: neutral.asked, "the neutral page was never asked for")
    wait_for_no_worker(page)
    heap = take_heap(page)
    neutral.stays = False
    assert page.url != neutral.address, "it is another page's"
    return heap


def wait_for_no_worker(page: Page) -> None:
    """They are ended before this is called; the browser says so a moment later."""
    wait_until(page, lambda: not page.workers, "a worker goes on")
