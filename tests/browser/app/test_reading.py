"""Reading what somebody shared, in a browser: by link and code without an account, and as a listed professional."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.sharing import MadeBundle, Sharing
from tests.browser.conftest import NeutralSite
from tests.fakes.canary import find_canaries
from tests.fakes.film import make_film
from tests.fakes.listed import approve
from tests.fakes.processes import RealVault
from tests.fakes.told import PHOTOGRAPH
from tests.fakes.visitor import PASSWORD, PATIENCE, PIN, Visitor

WRITTEN = "Il a crié mon nom devant tout le monde."
MESSAGE = "Merci de lire avant jeudi."
FILM = 3_000_000
STORED = """async () => {
  const found = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), document.cookie];
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name);
    const db = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
    for (const table of db.objectStoreNames) {
      const asked = db.transaction(table).objectStore(table).getAll();
      found.push(JSON.stringify(await new Promise((done) => { asked.onsuccess = () => done(asked.result); })));
    }
    db.close();
  }
  return [...found, ...(await caches.keys()), JSON.stringify(history.state), location.href].join("\\n");
}"""


class Person:
    """Somebody who writes at the command line, and shares."""

    def __init__(self, client: VaultClient) -> None:
        self.client = client

    def share(self, to: int | None = None, openings: int = 5) -> MadeBundle:
        """All that they keep, for an hour."""
        items = [(item.id, item.revision) for item in self.client.items()]
        made = self.client.shares.make(Sharing(items, to, int(time.time()) + 3600, openings, MESSAGE))
        self.client.shares.send(made, self.client.account.confirm(PASSWORD, PIN))
        return made

    def times(self, made: MadeBundle) -> int:
        """How often it was opened."""
        (found,) = [one for one in self.client.shares.list() if one.facts["bundle"] == made.bundle]
        return len(found.facts["opened"])


@pytest.fixture(scope="module")
def person(real_vault: RealVault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("person")
    make_film(folder / "film.mp4", 20, FILM)
    with VaultClient.connect(real_vault.url, folder / "home") as client:
        client.register(client.make_account(f"lu {folder.name}", PASSWORD, PIN))
        client.log_in(f"lu {folder.name}", PASSWORD, PIN)
        client.write_entry(Draft(title="Devant l’école", text=WRITTEN, danger=7))
        client.add_document(PHOTOGRAPH, title="La porte")
        client.add_document(folder / "film.mp4", title="Dimanche")
        yield Person(client)


def follow(page: Page, address: str, made: MadeBundle) -> None:
    """Opens a link as somebody does who was sent it."""
    assert made.link is not None
    page.set_default_timeout(PATIENCE)
    page.goto("about:blank")
    page.goto(f"{address}/app{made.link.fragment}")


def give_code(visitor: Visitor, code: str) -> None:
    visitor.fill("reading.link.code", code)
    visitor.press("reading.link.do")


def test_a_link_and_its_code_are_all_that_a_reader_needs_until_it_is_ended(
    visitor: Visitor, person: Person, real_vault: RealVault
) -> None:
    page, made, sent = visitor.page, person.share(), list[Request]()
    link = made.link
    assert link is not None
    page.context.on("request", lambda request: sent.append(request))
    follow(page, real_vault.url, made)
    visitor.heading("reading.link.title")
    visitor.box("reading.link.code").wait_for()
    assert page.url.endswith("/app#60")
    wrong = "11111111" if link.code == "0000 0000" else "00000000"
    give_code(visitor, wrong)
    page.get_by_text(visitor.say("reading.link.left", count=4)).wait_for()
    assert person.times(made) == 0
    give_code(visitor, link.code)
    visitor.heading("reading.title")
    expect(page.get_by_text(MESSAGE)).to_be_visible()
    expect(page.get_by_text(WRITTEN)).to_be_visible()
    expect(page.get_by_text(visitor.say("reading.proof.valid"))).to_have_count(3)
    assert page.get_by_role("alert").count() == 0
    assert person.times(made) == 1

    page.get_by_role("button", name=visitor.say("documents.open.image")).click()
    expect(page.get_by_role("img").last).to_be_visible()
    page.get_by_role("button", name=visitor.say("documents.open.video")).click()
    film = page.frame_locator("iframe.player").locator("video")
    film.evaluate("(media) => media.readyState > 0 || new Promise((ready) => { media.onloadedmetadata = ready })")
    film.evaluate("(media) => new Promise((ready) => { media.onseeked = ready; media.currentTime = 15 })")
    assert film.evaluate("(media) => media.currentTime") == pytest.approx(15, abs=0.5)

    secrets = [link.fragment[2:], link.fragment[2:34], link.code, link.code.replace(" ", ""), MESSAGE, WRITTEN]
    assert find_canaries(page.evaluate(STORED).encode(), secrets) == []
    said = [f"{one.url} {json.dumps(one.headers)} {one.post_data or ''}" for one in sent]
    assert find_canaries("\n".join(said).encode(), secrets) == []

    # Hidden before the end: a film that is still fetching would close itself when it is refused.
    shown = page.get_by_role("button", name=visitor.say("documents.file.hide"))
    for left in (1, 0):
        expect(shown).to_have_count(left + 1)
        shown.last.click()
    expect(shown).to_have_count(0)
    person.client.shares.revoke(made.bundle)
    page.get_by_role("button", name=visitor.say("documents.open.image")).click()
    page.get_by_text(visitor.say("problem.bundle_over")).first.wait_for()
    visitor.press("shell.lock")
    page.get_by_text(visitor.say("account.closed.read")).wait_for()
    page.go_back()
    expect(page.get_by_text(WRITTEN)).to_have_count(0)
    follow(page, real_vault.url, made)
    give_code(visitor, link.code)
    page.get_by_text(visitor.say("problem.bundle_over")).wait_for()
    expect(visitor.box("reading.link.code")).to_have_count(0)


def test_five_wrong_codes_destroy_a_link_and_the_page_says_so(
    visitor: Visitor, person: Person, real_vault: RealVault
) -> None:
    made = person.share()
    assert made.link is not None
    follow(visitor.page, real_vault.url, made)
    wrong = "11111111" if made.link.code == "0000 0000" else "00000000"
    for left in (4, 3, 2, 1):
        give_code(visitor, wrong)
        visitor.page.get_by_text(visitor.say("reading.link.left", count=left)).wait_for()
    give_code(visitor, wrong)
    visitor.page.get_by_text(visitor.say("reading.link.destroyed")).wait_for()
    expect(visitor.box("reading.link.code")).to_have_count(0)
    (found,) = [one for one in person.client.shares.list() if one.facts["bundle"] == made.bundle]
    assert (found.facts["why"], found.facts["wrong_codes"]) == ("codes", 5)


def test_a_refresh_meets_a_page_that_keeps_nothing(visitor: Visitor, person: Person, real_vault: RealVault) -> None:
    made = person.share()
    assert made.link is not None
    follow(visitor.page, real_vault.url, made)
    give_code(visitor, made.link.code)
    visitor.heading("reading.title")
    visitor.page.reload()
    visitor.page.get_by_text(visitor.say("reading.link.none")).wait_for()
    expect(visitor.page.get_by_text(WRITTEN)).to_have_count(0)


def test_a_professional_is_listed_and_opens_what_was_sent_to_them(
    visitor: Visitor, person: Person, real_vault: RealVault
) -> None:
    page = visitor.page
    visitor.username = "lit pour d’autres"
    visitor.move_in()
    visitor.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=visitor.say("account.settings.listing")).click()
    page.get_by_text(visitor.say("reading.listing.state.none")).wait_for()
    digits = " ".join(page.locator(".fingerprint").inner_text().split())
    visitor.fill("reading.listing.name", "Claire Martin")
    visitor.fill("reading.listing.town", "Lyon")
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("reading.listing.do")
    page.get_by_text(visitor.say("reading.listing.state.pending")).wait_for()
    approve(real_vault, digits)

    (entry,) = [
        one.entry for one in person.client.professionals.read().professionals if one.listing.fingerprint == digits
    ]
    made = person.share(entry)
    visitor.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=visitor.say("account.settings.listing")).click()
    page.get_by_text(visitor.say("reading.listing.state.approved")).wait_for()
    visitor.follow("reading.inbox.title")
    page.get_by_text(visitor.say("reading.inbox.unopened", count=5)).wait_for()
    page.get_by_role("button").filter(has_text=visitor.say("reading.inbox.open")).click()
    visitor.heading("reading.title")
    expect(page.get_by_text(WRITTEN)).to_be_visible()
    expect(page.get_by_text(visitor.say("reading.key_known"))).to_be_visible()
    assert person.times(made) == 1
    visitor.follow("reading.summary.name")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link").filter(has_text=visitor.say("reading.title")).click()
    visitor.press("reading.close")
    page.get_by_text(visitor.say("reading.inbox.opened", count=1, openings=5)).wait_for()
    visitor.lock()
    expect(page.get_by_text(WRITTEN)).to_have_count(0)


def test_the_way_out_leads_from_what_is_read_and_back_brings_nothing(
    visitor: Visitor, person: Person, real_vault: RealVault, neutral: NeutralSite
) -> None:
    made = person.share()
    assert made.link is not None
    follow(visitor.page, real_vault.url, made)
    give_code(visitor, made.link.code)
    expect(visitor.page.get_by_text(WRITTEN)).to_be_visible()
    visitor.page.locator("[data-exit]:visible").last.click(no_wait_after=True)
    visitor.page.wait_for_url(neutral.address)
    visitor.page.go_back()
    expect(visitor.page.get_by_text(WRITTEN)).to_have_count(0)
    assert find_canaries(visitor.page.url.encode(), [made.link.fragment[2:]]) == []
