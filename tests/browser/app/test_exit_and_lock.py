"""Out of the vault, and locked: at once, from every view, whatever is under way. Nothing is shown, nothing is lost."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from client_sdk.boxes import NewBox
from client_sdk.client import Draft, VaultClient
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url
from tests.browser.app.conftest import describe_vault
from tests.browser.app.test_traces import wait_for_no_worker
from tests.browser.conftest import NeutralSite
from tests.browser.test_exit import INTERACTIVE, MOST, SHIFTS, judge
from tests.fakes.browser import Watcher, not_found, open_chromium
from tests.fakes.http_proxy import Heard, http_proxy_to
from tests.fakes.processes import RealVault, running
from tests.fakes.teller import STEM, TEXTS, choose, letter
from tests.fakes.tour import go_back, shown_view, view_table
from tests.fakes.visitor import PASSWORD, PATIENCE, PIN, Visitor, wait_until
from tests.fakes.wrongly import add_differing, begin_recording

GESTURES = """
for (const kind of ["click", "keyup"]) {
  addEventListener(kind, (event) => gesture(String(performance.timeOrigin + event.timeStamp)), true);
}"""
WRITTEN = f"{STEM} written before leaving"
DAY = 86_400
DIFFERING, RECORDING = f"{STEM} file of another name", f"{STEM} recording"
BOX, SENT = f"{STEM} box", f"{STEM} sent by somebody else"


def tap(page: Page) -> int:
    """Gives how many gestures it took."""
    page.locator("[data-exit]:visible").last.click(no_wait_after=True)
    return 1


def shifts(page: Page) -> int:
    for key in SHIFTS:
        page.keyboard.press(key)
    return len(SHIFTS)


WAYS = pytest.mark.parametrize("way", [tap, shifts])


class Stopwatch:
    """Measures from the last gesture to a neutral page that can be read, in milliseconds."""

    def __init__(self, page: Page) -> None:
        self._page, self._seen = page, list[float]()
        session = page.context.new_cdp_session(page)
        session.on("Runtime.bindingCalled", lambda call: self._seen.append(float(call["payload"])))
        session.send("Runtime.enable")
        session.send("Runtime.addBinding", {"name": "gesture"})
        page.add_init_script(GESTURES)

    def measure(self, way: Callable[[Page], int], neutral: NeutralSite) -> float:
        before = len(self._seen)
        gestures = way(self._page)
        self._page.wait_for_url(neutral.address, wait_until="domcontentloaded")
        wait_until(self._page, lambda: len(self._seen) - before >= gestures, "a gesture was told of no more")
        return float(self._page.evaluate(INTERACTIVE)) - self._seen[-1]


@dataclass
class Person(Visitor):
    """Somebody with a box that something waits in, and who shares."""

    box_address: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    """Its fragment."""
    code: str = field(default="", repr=False)
    receipt: str = ""
    """The path of the entry's receipt."""
    shared: str = ""
    """The id of what is shared."""
    lost: str = ""
    """The path of the shared file."""


At = Callable[[Page], Person]


@pytest.fixture(scope="session")
def person(real_vault: RealVault, tmp_path_factory: pytest.TempPathFactory) -> At:
    """Somebody with entries, documents and an answered questionnaire, at a page, for the tests that only read. The SDK
    wrote it all, as on another device. One document isn't what its entry names, and of a recording nothing is there."""
    folder, username, now = tmp_path_factory.mktemp("person"), f"{STEM} person", int(time.time())
    letter = folder / TEXTS["file"]
    letter.write_text(TEXTS["bytes"])
    with VaultClient.connect(real_vault.url, folder / "laptop") as client:
        client.register(client.make_account(username, PASSWORD, PIN, language="french"))
        client.log_in(username, PASSWORD, PIN)
        entry = client.write_entry(Draft(title=TEXTS["title"], text=TEXTS["text"]), attachments=[letter])
        client.write_entry(Draft(text=TEXTS["sensitive"]), sensitive=True)
        client.add_document(letter, title=TEXTS["document"])
        add_differing(client, letter, DIFFERING)
        begin_recording(client, RECORDING)
        client.write_assessment(Draft(title="–", text="–"), {"kill": True})
        confirmed = partial(client.account.confirm, PASSWORD, PIN)
        box = client.boxes.make(NewBox(BOX, now + 7 * DAY, 3, 10_000_000))
        client.boxes.send(box, confirmed())
        visit = client.enter_box(box.fragment)
        visit.send(visit.make("", SENT, []))
        shared = client.shares.make(Sharing([(entry.id, entry.revision)], None, now + 7 * DAY, 100))
        client.shares.send(shared, confirmed())
        [file] = client.item(entry.id).contents
    assert shared.link is not None
    of_share = format_b64url(shared.bundle)
    return partial(
        Person, address=real_vault.url, username=username, box_address=box.fragment, link=shared.link.fragment,
        code=shared.link.code, receipt=f"/v1/items/{format_b64url(entry.id)}/revisions/{entry.revision}/receipt",
        shared=of_share, lost=f"/v1/bundles/{of_share}/blobs/{format_b64url(file.blob)}",
    )


def at(number: int) -> Callable[[Visitor], None]:
    """A view that is about nothing in particular, by its number."""

    def go(visitor: Visitor) -> None:
        before = visitor.page.locator("main h1").inner_text()
        visitor.page.evaluate(f"location.hash = '#{number}'")
        expect(visitor.page.locator("main h1")).not_to_have_text(before)

    return go


def entry(visitor: Visitor) -> None:
    visitor.open_row(TEXTS["title"])
    visitor.page.get_by_text(TEXTS["text"]).wait_for()


def from_entry(key: str, heading: str, **values: object) -> Callable[[Visitor], None]:
    def go(visitor: Visitor) -> None:
        entry(visitor)
        visitor.follow(key, **values)
        visitor.heading(heading)

    return go


def document(visitor: Visitor) -> None:
    visitor.go_to("shell.documents")
    visitor.page.get_by_role("link").filter(has_text=TEXTS["document"]).click()
    visitor.heading("documents.originals", count=1)


def assessment(visitor: Visitor) -> None:
    visitor.page.get_by_role("link").filter(has_text=visitor.say("journal.mark.assessment")).first.click()
    visitor.heading("assess.ticked")


def delete_dialog(visitor: Visitor) -> None:
    entry(visitor)
    visitor.press("journal.delete.name")
    visitor.page.get_by_role("dialog").wait_for()


def pin_dialog(visitor: Visitor) -> None:
    visitor.open_row(visitor.say("journal.state.locked"))
    visitor.press("journal.locked.open")
    visitor.page.get_by_role("dialog").wait_for()


def export_dialog(visitor: Visitor) -> None:
    from_entry("journal.receipt", "receipts.name")(visitor)
    visitor.press("receipts.export.open")
    visitor.page.get_by_role("dialog").wait_for()


def differing_dialog(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go_to("shell.documents")
    page.get_by_role("link").filter(has_text=DIFFERING).click()
    page.get_by_role("button").filter(has_text=visitor.say("documents.download.name")).click()
    page.get_by_role("dialog").get_by_role("button", name=visitor.say("documents.download.do"), exact=True).click()
    page.get_by_role("button", name=visitor.say("documents.download.differing"), exact=True).wait_for()


def recording(visitor: Visitor) -> None:
    visitor.go_to("shell.documents")
    visitor.page.get_by_role("link").filter(has_text=RECORDING).click()
    visitor.page.get_by_text(visitor.say("documents.file.unclosed")).wait_for()


def unproven(person: Person) -> None:
    at(51)(person)
    person.page.get_by_role("checkbox", name=re.compile(TEXTS["title"])).check()
    person.press("account.sign_up.next")
    person.heading("share.parts.title")
    person.press("account.sign_up.next")
    person.press("share.who.make_link")
    person.press("share.terms.next")
    with not_found(person.page, {person.receipt}):
        person.fill("account.confirm.password", person.password)
        person.fill("account.confirm.pin", person.pin)
        person.press("share.preview.do")
        person.page.get_by_text(person.say("share.preview.unproven", title=TEXTS["title"])).wait_for()


def lacking(person: Person, *, sealed: bool = False) -> None:
    at(9)(person)
    if sealed:
        person.page.get_by_label(person.say("pack.sealed.tick")).check()
        person.press("pack.sealed.show")
        person.note_words("pack.sealed.title")
        person.press("account.sheet.noted")
        person.copy_words()
    save_without(person, "pack.sealed.do" if sealed else "pack.own.do", person.receipt, "pack.own.without_receipt")


def saved(person: Person) -> None:
    shared(person)
    person.press("pack.save.name")
    save_without(person, "pack.save.do", person.lost, "pack.save.files")


def save_without(person: Person, key: str, lost: str, said: str) -> None:
    """A file of all but what the vault doesn't give; until that is said."""
    person.page.evaluate("delete window.showSaveFilePicker")
    with not_found(person.page, {lost}):
        person.press(key)
        person.page.get_by_text(person.say(f"{said}.one")).wait_for()


def unknown(person: Person) -> None:
    meet(person)
    with not_found(person.page, {f"/v1/links/{person.shared}"}):
        person.press("reading.link.do")
        person.page.get_by_text(person.say("problem.link_unknown")).wait_for()


def looked(person: Person) -> None:
    person.open_box(BOX)
    person.page.get_by_role("link").filter(has_text=person.say("boxes.look.name")).first.click()
    person.press("boxes.look.do")
    person.page.get_by_text(SENT).wait_for()


def deposit(person: Person) -> None:
    person.meet_box(person.box_address)
    person.fill("boxes.put.message", WRITTEN)


def meet(person: Person) -> None:
    """The link, with its code typed."""
    person.come()
    person.page.evaluate("(hash) => { location.hash = hash }", person.link)
    person.fill("reading.link.code", person.code)


def shared(person: Person) -> None:
    meet(person)
    person.press("reading.link.do")
    person.page.get_by_text(TEXTS["text"]).wait_for()


def summary(person: Person) -> None:
    shared(person)
    person.follow("reading.summary.name")
    person.heading("reading.summary.title")


JOURNAL: dict[str, Callable[[Person], None]] = {
    "home": lambda visitor: None, "entry": entry, "edit": from_entry("journal.entry.edit", "journal.write.edit"),
    "history": from_entry("journal.entry.history", "journal.history.name", count=1),
    "receipt": from_entry("journal.receipt", "receipts.name"), "write": at(10), "calendar": at(14), "search": at(15),
    "deleted": at(16), "curve": at(32),
}  # fmt: skip
REST: dict[str, Callable[[Person], None]] = {
    "settings": at(4), "credentials": at(5), "sessions": at(6), "trust": at(7), "erase": at(8), "dossier": at(9),
    "recovery": at(81), "waiting time": at(82),
    "documents": at(20), "add document": at(21), "uploads": at(23), "record": at(24), "document": document,
    "assess": at(30), "assessment": assessment, "inbox": at(61), "listing": at(64), "shares": at(50), "share": at(51),
    "boxes": at(70), "new box": at(71), "box": lambda person: person.open_box(BOX),
    "looked": looked,
}  # fmt: skip
DIALOGS: dict[str, Callable[[Person], None]] = {
    "deleting": delete_dialog, "PIN": pin_dialog, "exporting": export_dialog, "differing": differing_dialog,
}  # fmt: skip
AMISS: dict[str, Callable[[Person], None]] = {
    "recording": recording, "unproven": unproven, "lacking": lacking, "lacking, sealed": partial(lacking, sealed=True),
}
DOORS: dict[str, Callable[[Person], None]] = {
    "door": lambda visitor: None, "sign up": at(1), "log in": at(2), "reopen": at(3), "verify": at(41), "link": at(60),
    "deposit": deposit, "shared": shared, "summary": summary, "recover": at(80),
    "unknown link": unknown, "saved": saved,
}  # fmt: skip


@pytest.mark.alone
@pytest.mark.parametrize(
    "places", [JOURNAL, REST, DIALOGS, AMISS, DOORS], ids=["journal", "rest", "dialogs", "amiss", "doors"]
)
@pytest.mark.parametrize(
    "turn", [pytest.param(0, id="by one way"), pytest.param(1, id="by the other", marks=pytest.mark.soak)]
)
def test_from_every_view_one_gesture_leads_out_at_once(
    context: BrowserContext, person: At, neutral: NeutralSite, turn: int,
    places: dict[str, Callable[[Person], None]],
) -> None:
    visitor = person(context.new_page())
    watch = Stopwatch(visitor.page)
    ways = {place: (tap, shifts)[(number + turn) % 2] for number, place in enumerate(places)}

    def leave(place: str) -> float:
        visitor.come()
        if places is not DOORS:
            visitor.follow("account.door.log_in")
            visitor.type_secrets()
            visitor.is_in()
        places[place](visitor)
        return watch.measure(ways[place], neutral)

    waited = {place: judge(partial(leave, place)) for place in places}
    print(f"out: median {statistics.median(waited.values()):.0f}, most {max(waited.values()):.0f} ms")
    assert {place: spent for place, spent in waited.items() if spent >= MOST} == {}


@pytest.mark.alone
@pytest.mark.soak
def test_out_at_once_from_what_is_said_of_a_vault_that_was_set_back(
    context: BrowserContext, neutral: NeutralSite, tmp_path: Path
) -> None:
    """Of the warning that ended, and of a file that is lost."""
    with running(describe_vault(tmp_path / "vault", TEMOIN_EXIT_URL=neutral.address)) as vault:
        visitor = Visitor(context.new_page(), vault.url)
        watch = Stopwatch(visitor.page)
        visitor.move_in()
        spent = dict[str, float]()
        for stop in go_back(visitor, vault, tmp_path):
            if stop in ("trust-ended", "home-lost"):
                spent[stop] = watch.measure(tap if stop == "home-lost" else shifts, neutral)
                visitor.log_in()
    print(f"out: {spent}")
    assert set(spent) == {"trust-ended", "home-lost"}
    assert max(spent.values()) < MOST, spent


@dataclass
class Gate:
    """A vault that takes requests and doesn't answer while it is closed."""

    open: Event

    def hold(self, heard: Heard) -> None:
        if heard.target.startswith("/v1/"):
            self.open.wait(PATIENCE / 1000)


@contextmanager
def sending(
    context: BrowserContext, vault: RealVault, username: str, busy: Callable[[Visitor], None]
) -> Iterator[tuple[Visitor, Watcher, Gate]]:
    """Somebody whose text is a draft, who has just sent something, and whom the vault doesn't answer."""
    gate = Gate(Event())
    gate.open.set()
    with http_proxy_to(vault.port) as proxy:
        proxy.hold = gate.hold
        visitor = Visitor(context.new_page(), proxy.url, username=username)
        watcher = Watcher(visitor.page)
        visitor.move_in()
        visitor.begin_entry(WRITTEN)
        visitor.page.get_by_text(visitor.say("journal.draft.kept"), exact=True).wait_for()
        gate.open.clear()
        try:
            busy(visitor)
            yield visitor, watcher, gate
        finally:
            gate.open.set()


def save(visitor: Visitor) -> None:
    visitor.press("journal.write.keep")
    visitor.page.get_by_text(visitor.say("journal.write.saving")).wait_for()


def upload(visitor: Visitor) -> None:
    visitor.go_to("shell.documents")
    visitor.follow("documents.add.name")
    choose(visitor.page.get_by_label(visitor.say("documents.pick.files")), letter(TEXTS["file"], 3_000_000))
    visitor.press("documents.add.keep", count=1)
    visitor.page.get_by_text(visitor.say("documents.uploads.sending")).wait_for()


@pytest.mark.parametrize("busy", [save, upload])
@WAYS
def test_out_while_something_is_sent_and_what_was_typed_is_there_again(
    context: BrowserContext, real_vault: RealVault, neutral: NeutralSite, way: Callable[[Page], int],
    busy: Callable[[Visitor], None],
) -> None:
    username = f"busy {busy.__name__} {way.__name__}"
    with sending(context, real_vault, username, busy) as (visitor, watcher, gate):
        neutral.open.clear()
        left = len(watcher.sights)
        way(visitor.page)
        watcher.wait(lambda sight: sight.text == "")
        emptied = next(place for place, sight in enumerate(watcher.sights[left:], left) if sight.text == "")
        visitor.page.wait_for_timeout(300)
        assert {sight.text for sight in watcher.sights[emptied:]} == {""}
        neutral.open.set()
        visitor.page.wait_for_url(neutral.address)
        wait_for_no_worker(visitor.page)
        gate.open.set()
        visitor.log_in()
        is_there(visitor, WRITTEN)


@pytest.mark.parametrize("busy", [save, upload])
def test_locked_while_something_is_sent_and_what_was_typed_is_there_again(
    context: BrowserContext, real_vault: RealVault, busy: Callable[[Visitor], None]
) -> None:
    with sending(context, real_vault, f"locked {busy.__name__}", busy) as (visitor, watcher, gate):
        visitor.press("shell.lock")
        locked = watcher.now()
        visitor.heading("account.door.title")  # without an answer by the vault
        assert [sight for sight in watcher.sights if sight.at > locked and STEM in sight.text] == []
        expect(visitor.page.get_by_text(visitor.say("account.closed.not_kept"))).to_have_count(0)
        wait_for_no_worker(visitor.page)
        gate.open.set()
        visitor.log_in()
        is_there(visitor, WRITTEN)


def is_there(visitor: Visitor, text: str) -> None:
    """In the journal: kept, or as a draft, or waiting to be sent."""
    page = visitor.page
    rows = page.get_by_role("link").filter(has_text=text).or_(page.get_by_role("listitem").filter(has_text=text))
    expect(rows.first).to_be_visible(timeout=PATIENCE)


# Back, Forward, refresh, and a tab that comes again


@pytest.fixture(scope="module")
def remembering(driver: Playwright) -> Iterator[Browser]:
    """A Chromium that keeps left pages whole for Back, as it does for people."""
    with open_chromium(driver, back_forward_cache=True) as browser:
        yield browser


def step(page: Page, direction: str) -> None:
    page.evaluate(f"void setTimeout(() => history.{direction}())")
    page.wait_for_timeout(400)


@pytest.fixture(params=[False, True], ids=["", "remembering"])
def reader(
    request: pytest.FixtureRequest, chromium: Browser, remembering: Browser, person: At
) -> Iterator[tuple[Visitor, Watcher]]:
    """Somebody who has read an entry, watched at every moment; in both kinds of browser."""
    context = (remembering if request.param else chromium).new_context(locale="fr-FR")
    visitor = person(context.new_page())
    watcher = Watcher(visitor.page)
    visitor.log_in()
    entry(visitor)
    yield visitor, watcher
    context.close()


def test_after_the_way_out_back_and_forward_show_nothing_of_ours(
    reader: tuple[Visitor, Watcher], neutral: NeutralSite
) -> None:
    visitor, watcher = reader
    page = visitor.page
    document(visitor)
    tap(page)
    watcher.wait(lambda sight: sight.url == neutral.address and "Sunny" in sight.text)
    left = len(watcher.sights)
    for direction in ("back", "back", "forward", "forward"):
        neutral.open.clear()
        neutral.asked = 0
        watcher.step(direction, lambda: neutral.asked > 0)
        page.wait_for_timeout(300)
        neutral.open.set()
        watcher.wait(lambda sight: sight.url == neutral.address and "Sunny" in sight.text)
    ours = [sight for sight in watcher.sights[left:] if sight.url.startswith(visitor.address)]
    assert ours, "Back never came to a page of ours: this test says nothing"
    assert {sight.text for sight in ours} == {""}


def test_after_a_lock_whatever_the_browser_does_meets_the_closed_door(
    reader: tuple[Visitor, Watcher], neutral: NeutralSite
) -> None:
    visitor, watcher = reader
    page = visitor.page
    document(visitor)
    written_at = page.url
    visitor.lock()
    left = watcher.now()
    for direction in ("back", "back", "forward"):
        step(page, direction)
        visitor.heading("account.door.title")
    page.reload()
    visitor.heading("account.door.title")
    page.goto(neutral.address)
    step(page, "back")
    visitor.heading("account.door.title")
    again = replace(visitor, page=page.context.new_page())
    again.page.goto(written_at)  # a tab that is opened again
    again.heading("account.door.title")
    assert again.page.get_by_text(STEM).count() == 0
    since = [sight.text for sight in watcher.sights if sight.at > left]
    assert [text for text in since if STEM in text] == []
    assert any(visitor.say("account.door.title") in text for text in since)


def test_a_page_that_is_merely_left_comes_back_closed(
    reader: tuple[Visitor, Watcher], neutral: NeutralSite
) -> None:
    """By a refresh, or by Back from elsewhere: an open vault is never shown again without its secrets."""
    visitor, watcher = reader
    page = visitor.page
    for elsewhere in (False, True):
        born = watcher.sights[-1].born
        if elsewhere:
            page.goto(neutral.address)
        else:
            page.reload()
        watcher.wait(lambda sight: sight.born != born)  # until then the open page may still tell of itself
        left = watcher.now()
        if elsewhere:
            watcher.step("back")
        visitor.heading("account.door.title")
        wait_for_no_worker(page)
        assert [sight for sight in watcher.sights if sight.at > left and STEM in sight.text] == []
        visitor.follow("account.door.log_in")
        visitor.type_secrets()
        visitor.is_in()
        entry(visitor)


# by itself


def test_after_three_quiet_minutes_it_locks_after_a_warning_and_keeps_the_draft(
    context: BrowserContext, real_vault: RealVault
) -> None:
    visitor = Visitor(context.new_page(), real_vault.url, username="quiet")
    page = visitor.page
    page.clock.install()
    visitor.move_in()
    visitor.begin_entry(WRITTEN)
    visitor.page.get_by_text(visitor.say("journal.draft.kept"), exact=True).wait_for()
    warning = page.get_by_role("alertdialog", name=visitor.say("shell.soon_title"))
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 60"))  # it doesn't go on by itself, however long we take
    page.keyboard.press("Control")  # the last that is done
    page.clock.fast_forward(147_000)
    assert page.locator("dialog").count() == 0
    page.clock.fast_forward(5_000)
    assert page.locator("dialog").count() == 1
    page.clock.resume()
    warning.wait_for()
    warning.get_by_role("button", name=visitor.say("shell.stay")).click()
    expect(warning).to_have_count(0)
    expect(visitor.box("journal.write.text")).to_have_value(WRITTEN)
    page.clock.fast_forward(155_000)
    warning.wait_for()
    page.clock.fast_forward(40_000)
    visitor.heading("account.door.title")
    expect(page.get_by_text(visitor.say("account.closed.idle"))).to_be_visible()
    expect(page.get_by_text(visitor.say("account.closed.kept"))).to_be_visible()
    assert page.get_by_text(STEM).count() == 0
    visitor.log_in()
    page.get_by_role("link").filter(has_text=WRITTEN).first.click()
    expect(visitor.box("journal.write.text")).to_have_value(WRITTEN)


def test_it_locks_by_itself_also_while_a_question_is_open(context: BrowserContext, person: At) -> None:
    visitor = person(context.new_page())
    visitor.page.clock.install()
    visitor.log_in()
    pin_dialog(visitor)
    visitor.page.clock.fast_forward(155_000)
    visitor.page.get_by_role("alertdialog").wait_for()
    visitor.page.clock.fast_forward(40_000)
    visitor.heading("account.door.title")
    expect(visitor.page.locator("dialog")).to_have_count(0)
    visitor.page.get_by_role("link", name=visitor.say("account.door.log_in"), exact=True).click()
    visitor.heading("account.log_in.title")  # nothing lies over the page


def test_what_is_sensitive_closes_after_two_minutes(context: BrowserContext, person: At) -> None:
    visitor = person(context.new_page())
    page = visitor.page
    visitor.log_in()
    worker = page.workers[0]  # the vault's; the one that the password was tried in may still be going
    worker.evaluate(  # two minutes of its clock are over when we say so
        "() => { const later = setTimeout; self.setTimeout = (act, ms) => (ms === 120000 ? (self.over = act, 0) "
        ": later(act, ms)) }"
    )
    pin_dialog(visitor)
    visitor.give_pin()
    expect(page.get_by_text(TEXTS["sensitive"]).first).to_be_visible()
    worker.evaluate("self.over()")
    expect(page.get_by_text(TEXTS["sensitive"])).to_have_count(0)
    page.get_by_role("button", name=visitor.say("journal.locked.open")).wait_for()
    visitor.press("journal.locked.open")
    page.get_by_role("dialog").wait_for()  # the PIN is asked for again


def test_no_field_is_offered_to_the_memory_of_the_browser(context: BrowserContext, person: At) -> None:
    """Each input of each view: no name to be remembered by, and told not to be. The tables name every view there is."""
    visitor = person(context.new_page())
    page, seen, views = visitor.page, 0, set[int]()
    fields = (
        "Array.from(document.querySelectorAll('input, textarea, select'), (one) => "
        "[one.outerHTML.slice(0, 200), one.type, one.autocomplete, one.name])"
    )
    visitor.come()
    for places in (DOORS, JOURNAL, REST, {"PIN": pin_dialog}):
        if places is JOURNAL:
            visitor.log_in()
        for arrive in places.values():
            if places is not DOORS:
                visitor.go_to("shell.journal")
                visitor.is_in()
            arrive(visitor)
            views.add(shown_view(page))
            for html, kind, autocomplete, name in page.evaluate(fields):
                seen += 1
                assert name == "" or kind == "radio", html
                assert kind == "file" or autocomplete == ("one-time-code" if kind == "password" else "off"), html
    assert seen > 60
    assert views == set(view_table().values())
