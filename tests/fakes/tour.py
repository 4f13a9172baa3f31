"""A walk past everything that the web vault can show, for tests and pictures that look at each of it.

Knows: how a person gets to every view. Refuses to know: what is looked at there. `walk` is all of it, at a vault where
nobody has been yet; `arrive`, its beginning, needs nothing. Each gives a name whenever something new stands on the
screen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from client_sdk.client import VaultClient
from crypto_core.encoding import ID_SIZE, format_b64url, parse_b64url
from tests.fakes.backups import back_up, lose_files, set_back
from tests.fakes.browser import not_found, unanswered, unreached
from tests.fakes.processes import RealVault
from tests.fakes.teller import choose, letter
from tests.fakes.told import EDITED, PHOTOGRAPH, STORIES, Told, telling
from tests.fakes.visitor import PATIENCE, Visitor
from tests.fakes.waiting import wait_out
from tests.fakes.words import ROOT

ROUTER = ROOT / "client_sdk" / "web" / "src" / "app" / "router.ts"
RECEIPTS, SEALED = ROOT / "tests" / "vectors" / "receipts", "a sealed file stands here, opaque to the ledger"
NEARLY_IDLE_MS = 155_000
"""Thirty seconds before three minutes are over the page asks whether somebody is there."""
TICKED = 12
"""Sentences of the questionnaire: enough for its gravest result."""


def view_table() -> dict[str, int]:
    """Every view and its number in addresses, as the router has them."""
    table = re.search(r"VIEWS = \{(.*?)\} as const", ROUTER.read_text(), re.S)
    assert table is not None
    return {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", table[1])}


def shown_view(page: Page) -> int:
    """The number of the view that the address names."""
    found = re.search(r"#(\d+)", page.url)
    return int(found[1]) if found else 0


def unfold(page: Page) -> None:
    """Opens everything in the view that is folded away."""
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true })")


def walk(visitor: Visitor, vault: RealVault, folder: Path, username: str) -> Iterator[str]:
    """A newcomer's way, then that of somebody who has been writing for months. The page's clock has to be installed."""
    yield from arrive(visitor)
    yield from _go_on(visitor)
    yield from _meet_nobody(visitor)
    yield from _come_back(visitor, vault)
    with telling(vault, folder, username, visitor.lang) as told:
        yield from _look_around(visitor, told)
    visitor.username = f"{username} 3"
    visitor.move_in()
    yield from go_back(visitor, vault, folder)


def arrive(visitor: Visitor) -> Iterator[str]:
    """From the door through a sign-up to an empty vault, and to the first words in it."""
    page = visitor.page
    visitor.come()
    yield "door"
    visitor.follow("account.door.log_in")
    visitor.heading("account.log_in.title")
    unfold(page)
    yield "log-in"
    page.evaluate("location.hash = '#3'")
    visitor.heading("account.reopen.title")
    yield "reopen"
    page.evaluate("location.hash = '#80'")
    visitor.heading("account.recover.title")
    yield "recover"
    yield from _verify(visitor)
    visitor.come()
    visitor.follow("account.door.sign_up")
    visitor.heading("account.sign_up.before_title")
    yield "sign-up-before"
    visitor.press("account.sign_up.begin")
    visitor.heading("account.sign_up.name_title")
    visitor.fill("account.username", visitor.username)
    yield "sign-up-name"
    visitor.press("account.sign_up.next")
    visitor.heading("account.sign_up.password_title")
    visitor.fill("account.password", "azerty")
    page.get_by_text(visitor.say("account.strength.score.0"), exact=True).wait_for()
    yield "sign-up-weak"
    visitor.fill("account.password", visitor.password)
    page.get_by_text(visitor.say("account.strength.score.4"), exact=True).wait_for()
    yield "sign-up-password"
    visitor.press("account.sign_up.next")
    visitor.heading("account.sign_up.pin_title")
    visitor.fill("account.pin", visitor.pin)
    visitor.fill("account.sign_up.pin_again", visitor.pin[::-1])
    visitor.press("account.sign_up.next")
    page.get_by_text(visitor.say("account.sign_up.pin_differs"), exact=True).wait_for()
    yield "sign-up-pin"
    visitor.fill("account.sign_up.pin_again", visitor.pin)
    visitor.press("account.sign_up.next")
    visitor.note_words()
    yield "sign-up-sheet"
    visitor.press("account.sheet.noted")
    visitor.heading("account.sheet.back_title")
    yield "sign-up-words"
    visitor.copy_words()
    visitor.is_in()
    page.get_by_role("heading", name=visitor.say("journal.empty.title")).wait_for()
    yield "home-empty"
    visitor.go_to("shell.documents")
    page.get_by_role("heading", name=visitor.say("documents.empty.title")).wait_for()
    yield "documents-empty"
    page.evaluate("location.hash = '#32'")
    visitor.heading("assess.curve.name")
    yield "curve-empty"
    visitor.begin_entry("…")
    page.get_by_text(visitor.say("journal.draft.kept"), exact=True).wait_for()
    unfold(page)
    yield "write"
    visitor.press("journal.write.guided")
    page.get_by_label(visitor.say("journal.questions.what"), exact=True).wait_for()
    yield "write-guided"


def _go_on(visitor: Visitor) -> Iterator[str]:
    """What was begun stands where one writes; it isn't thrown away."""
    visitor.go_to("shell.journal")
    visitor.follow("journal.write.name")
    visitor.page.get_by_role("button").filter(has_text=visitor.say("journal.drafts.drop")).click()
    visitor.page.get_by_role("dialog").wait_for()
    yield "draft-drop"
    visitor.press("journal.drafts.drop_leave")


def _meet_nobody(visitor: Visitor) -> Iterator[str]:
    """With whom something could be shared, at a vault that lists nobody."""
    page = visitor.page
    visitor.write("…")
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.follow("share.new")
    page.get_by_role("checkbox").check()
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    visitor.press("account.sign_up.next")
    visitor.press("share.who.search")
    page.get_by_text(visitor.say("share.find.nobody")).wait_for()
    yield "share-find-nobody"


def _come_back(visitor: Visitor, vault: RealVault) -> Iterator[str]:
    """The recovery words are shown, and stopped; then waited for, and everything is chosen anew."""
    visitor.show_words()
    visitor.heading("account.recover.wait_title")
    yield "recover-wait"
    visitor.log_in()
    visitor.page.get_by_text(visitor.say("shell.recovering_more")).wait_for()
    yield "home-recovering"
    visitor.go_to("shell.settings")
    visitor.page.get_by_role("link").filter(has_text=visitor.say("account.settings.recovery_text")).click()
    visitor.heading("account.recovery.me_title")
    yield "recovery"
    visitor.stop_recovery()
    yield "recovery-stopped"
    yield from _choose_wait(visitor)
    visitor.show_words()
    visitor.heading("account.recover.wait_title")
    wait_out(vault.data)
    visitor.show_words()
    visitor.heading("account.recover.due_title")
    yield "recover-due"
    visitor.press("account.sign_up.next")
    visitor.choose_secrets()
    yield "recover-sheet"
    visitor.press("account.sheet.noted")
    visitor.copy_words()
    visitor.is_in()


def _choose_wait(visitor: Visitor) -> Iterator[str]:
    """How long the words wait: looked at, shortened, told, and as it was again."""
    before = visitor.say("parts.days.other").replace("{count}", "3")
    visitor.go_to("shell.settings")
    visitor.page.get_by_role("link").filter(has_text=visitor.say("account.settings.waiting_time_text")).click()
    visitor.page.get_by_label(visitor.say("account.waiting_time.choice"), exact=True).wait_for()
    yield "waiting-time"
    visitor.choose_wait(visitor.say("parts.no_wait"))
    yield "waiting-time-shortened"
    visitor.go_to("shell.journal")
    visitor.page.get_by_text(visitor.say("shell.recovering_more")).wait_for()
    yield "home-shortened"
    visitor.follow("shell.recovering_more")
    visitor.choose_wait(before)


def _verify(visitor: Visitor) -> Iterator[str]:
    """A receipt that was given to somebody, who has no account."""
    visitor.come()
    visitor.follow("receipts.verify.door")
    visitor.heading("receipts.verify.name")
    yield "verify"
    for name, outcome in (("witnessed", "valid"), ("7-one", "later"), ("6-bent", "invalid")):
        fact = json.loads((RECEIPTS / f"verify-receipt-{name}.json").read_text())["inputs"]
        files = {f"{name}.sealed": SEALED, f"{name}.tlog-proof": fact["receipt"], f"{name}.txt": fact["policy"]}
        visitor.page.get_by_label(visitor.say("receipts.verify.choose")).set_input_files([
            FilePayload(name=called, mimeType="", buffer=data.encode()) for called, data in files.items()
        ])
        visitor.page.get_by_text(f"{name}.tlog-proof").wait_for()
        visitor.press("receipts.verify.do")
        visitor.page.get_by_text(visitor.say(f"receipts.outcome.{outcome}"), exact=True).wait_for()
        yield f"verify-{outcome}"


def _look_around(visitor: Visitor, told: Told) -> Iterator[str]:
    """Every view of a full vault, and every question that it asks."""
    yield from _journal(visitor, told)
    yield from _documents(visitor, told)
    yield from _assessments(visitor)
    yield from _sharing(visitor, told)
    yield from _boxes(visitor, told)
    yield from _settings(visitor, told)
    yield from _questions(visitor, told)
    yield from _receiving(visitor, told)
    yield from _reading(visitor, told)
    yield from _depositing(visitor, told)
    yield from _leaving(visitor, told)


def _journal(visitor: Visitor, told: Told) -> Iterator[str]:
    page, say = visitor.page, visitor.say
    visitor.username = told.username
    visitor.log_in()
    page.get_by_role("link").filter(has_text=told.texts[0][:30]).wait_for()
    yield "home"
    visitor.open_row(told.words.edited[:30])
    page.get_by_text(told.words.edited).wait_for()
    yield "entry"
    visitor.follow("journal.entry.history", count=2)
    visitor.heading("journal.history.name")
    unfold(page)
    yield "history"
    visitor.go_to("shell.journal")
    visitor.follow("journal.calendar.name")
    visitor.heading("journal.calendar.name")
    yield "calendar"
    visitor.go_to("shell.search")
    visitor.fill("journal.search.words", "Lina")
    page.get_by_text(say("journal.search.found", count=2)).wait_for()
    unfold(page)
    yield "search"
    visitor.go_to("shell.journal")
    visitor.follow("journal.deleted.name")
    page.get_by_text(told.words.deleted).first.wait_for()
    yield "deleted"
    visitor.open_row(told.texts[1][:30])
    visitor.follow("journal.entry.edit")
    visitor.heading("journal.write.edit")
    unfold(page)
    yield "edit"
    told.change_elsewhere()
    visitor.fill("journal.write.text", told.texts[EDITED])
    visitor.press("journal.write.keep_version")
    page.get_by_text(say("journal.history.conflict")).wait_for()
    unfold(page)
    yield "history-conflict"
    visitor.open_row(say("journal.state.locked"))
    visitor.heading("journal.state.locked")
    yield "entry-locked"


def _documents(visitor: Visitor, told: Told) -> Iterator[str]:
    page, say = visitor.page, visitor.say
    title, _ = told.words.document
    visitor.go_to("shell.documents")
    page.get_by_role("link").filter(has_text=title).wait_for()
    yield "documents"
    visitor.follow("documents.add.name")
    visitor.heading("documents.add.name")
    unfold(page)
    yield "add-document"
    yield from _on_its_way(visitor)
    visitor.go_to("shell.documents")
    visitor.follow("documents.record.name")
    visitor.heading("documents.record.name")
    yield "record"
    visitor.go_to("shell.documents")
    page.get_by_role("link").filter(has_text=title).click()
    page.get_by_role("button", name=say("documents.open.image")).click()
    page.locator("main img").last.wait_for()
    unfold(page)
    yield "document"
    page.get_by_role("button", name=say("documents.download.name")).click()
    page.get_by_role("dialog").wait_for()
    yield "document-download"
    page.keyboard.press("Escape")
    visitor.follow("journal.receipt")
    page.get_by_text(say("receipts.outcome.valid")).wait_for(timeout=PATIENCE)
    unfold(page)
    yield "receipt"
    for name, kind, called in zip(("film", "sound"), ("video", "audio"), told.words.media, strict=True):
        visitor.go_to("shell.documents")
        page.get_by_role("link").filter(has_text=called).click()
        page.get_by_role("button", name=say(f"documents.open.{kind}")).click()
        media = page.frame_locator("iframe.player").locator(kind)
        media.evaluate("(media) => media.readyState > 2 || new Promise((ready) => { media.oncanplay = ready })")
        yield f"document-{name}"


def _on_its_way(visitor: Visitor) -> Iterator[str]:
    """A file that is being sent, and doesn't arrive; let go of in the end."""
    page = visitor.page
    with unanswered(page, "**/v1/uploads/*/units/*"):
        choose(page.get_by_label(visitor.say("documents.pick.files")), letter("IMG_2043.txt", 3_000_000))
        visitor.press("documents.add.keep", count=1)
        page.get_by_role("progressbar").wait_for()
        visitor.go_to("shell.journal")
        visitor.follow("shell.uploads.see")
        visitor.heading("documents.uploads.name")
        yield "uploads"
        page.get_by_role("button").filter(has_text=visitor.say("documents.uploads.pause")).click()
        page.get_by_role("button").filter(has_text=visitor.say("documents.uploads.give_up")).click()
        page.get_by_role("dialog").wait_for()
        yield "uploads-give-up"
        visitor.press("documents.uploads.give_up")
        page.get_by_text(visitor.say("documents.uploads.none")).wait_for()


def _assessments(visitor: Visitor) -> Iterator[str]:
    page = visitor.page
    visitor.go_to("shell.assess")
    visitor.heading("assess.name")
    page.get_by_role("checkbox").nth(TICKED - 1).wait_for()
    yield "assess"
    for number in range(TICKED):
        page.get_by_role("checkbox").nth(number).check()
    visitor.press("site.check.show")
    visitor.heading("assess.keep.title")
    yield "assess-result"
    visitor.go_to("shell.journal")
    page.get_by_role("link").filter(has_text=visitor.say("journal.mark.assessment")).first.click()
    visitor.heading("assess.ticked")
    yield "assessment"
    visitor.follow("assess.curve.name")
    visitor.heading("assess.curve.name")
    page.get_by_role("img").first.wait_for()
    yield "curve"


def _sharing(visitor: Visitor, told: Told) -> Iterator[str]:
    """A part of something with who is listed, then all of it by link and code; both are opened, and one is ended."""
    page, (name, _, town) = visitor.page, told.words.professional
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    page.get_by_text(visitor.say("share.list.none")).wait_for()
    yield "shares-empty"
    visitor.follow("share.new")
    visitor.heading("share.items.title")
    visitor.press("account.sign_up.next")
    page.get_by_text(visitor.say("share.items.empty")).wait_for()
    for text in (told.words.edited, told.words.document[0]):
        page.get_by_role("checkbox", name=re.compile(re.escape(text[:30]))).check()
    yield "share-items"
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    yield "share-parts"
    page.get_by_role("button").filter(has_text=visitor.say("share.parts.make")).last.click()
    visitor.heading("share.part.title")
    page.get_by_role("checkbox").first.check()
    yield "share-part"
    page.get_by_role("button").filter(has_text=visitor.say("share.part.cover")).first.click()
    page.locator(".cover svg").wait_for()
    visitor.press("share.cover.add")
    yield "share-cover"
    visitor.press("share.cover.do")
    visitor.press("share.part.do")
    visitor.heading("share.parts.title")
    visitor.press("account.sign_up.next")
    visitor.heading("share.who.title")
    yield "share-who"
    visitor.press("share.who.search")
    visitor.fill("share.find.words", town)
    page.get_by_role("button").filter(has_text=name).wait_for()
    yield "share-find"
    page.get_by_role("button").filter(has_text=name).click()
    visitor.heading("share.compare.title")
    yield "share-compare"
    visitor.press("share.compare.same")
    visitor.heading("share.terms.title")
    yield "share-terms"
    visitor.fill("share.terms.message", told.words.message)
    visitor.press("share.terms.next")
    visitor.heading("share.preview.title")
    yield "share-preview"
    with not_found(page, {"/v1" + told.receipt_of(told.words.edited)}):
        _confirm_share(visitor)
        page.get_by_text(visitor.say("problem.item_unproven")).wait_for()
        yield "share-unproven"
    _confirm_share(visitor)
    visitor.heading("share.done.title")
    yield "share-done"
    visitor.follow("share.list.name")
    visitor.follow("share.new")
    page.get_by_role("checkbox", name=re.compile(re.escape(told.texts[0][:30]))).check()
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    visitor.press("account.sign_up.next")
    visitor.press("share.who.make_link")
    visitor.press("share.terms.next")
    _confirm_share(visitor)
    visitor.heading("share.done.title")
    yield "share-done-link"
    link, code = page.locator(".shown-once").inner_text(), page.locator(".digits").inner_text()
    told.read(link[link.index("#"):], code)
    visitor.follow("share.list.name")
    page.get_by_text(visitor.say("share.list.wrong", count=1)).wait_for()
    unfold(page)
    yield "shares"
    page.get_by_role("button").filter(has_text=visitor.say("share.revoke.name")).first.click()
    page.get_by_role("dialog").wait_for()
    yield "shares-revoke"
    visitor.press("share.revoke.do")
    visitor.heading("share.list.over")
    unfold(page)
    yield "shares-over"
    page.get_by_role("button").filter(has_text=visitor.say("share.list.extend")).first.click()
    page.get_by_text(visitor.say("share.extends.by_name", name=name, count=1)).wait_for()
    yield "share-extend"
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.heading("share.list.name")


def _confirm_share(visitor: Visitor) -> None:
    """Password and PIN below what the reader will see."""
    visitor.heading("share.preview.title")
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("share.preview.do")


def _boxes(visitor: Visitor, told: Told) -> Iterator[str]:
    """A box that somebody else, on a page of their own, puts two things into: one is kept, one refused."""
    page = visitor.page
    visitor.follow("boxes.name")
    page.get_by_text(visitor.say("boxes.none")).wait_for()
    yield "boxes-empty"
    visitor.follow("boxes.make.name")
    visitor.heading("boxes.make.title")
    yield "box-new"
    told.address = visitor.make_box("Nadia")
    yield "box-made"
    other = Visitor(page.context.new_page(), visitor.address, visitor.lang)
    other.meet_box(told.address)
    other.put_in("Nadia", told.texts[5], [PHOTOGRAPH])
    other.press("boxes.sent.more")
    other.put_in("", told.words.message)
    other.page.close()
    visitor.follow("boxes.name")
    page.get_by_role("link").filter(has_text="Nadia").wait_for()
    yield "boxes"
    page.get_by_role("link").filter(has_text="Nadia").click()
    looks = page.get_by_role("link").filter(has_text=visitor.say("boxes.look.name"))
    looks.first.wait_for()
    yield "box"
    with_file = page.locator("li.row").filter(has_text=re.compile(r"\b1 (file|fichier)"))  # both came in one second
    with_file.get_by_role("link").filter(has_text=visitor.say("boxes.look.name")).click()
    page.get_by_text(visitor.say("boxes.look.soft")).wait_for()
    yield "looked-before"
    visitor.press("boxes.look.do")
    page.get_by_text(told.texts[5]).wait_for()
    page.get_by_role("button").filter(has_text=visitor.say("documents.open.image")).click()
    page.locator("main img").last.wait_for()
    yield "looked"
    visitor.press("boxes.accept.do")
    page.get_by_text(visitor.say("journal.fact.sent")).wait_for()
    yield "entry-received"
    visitor.open_box("Nadia")
    looks.first.click()
    visitor.press("boxes.refuse.name")
    page.get_by_role("dialog").wait_for()
    yield "looked-refuse"
    visitor.press("boxes.refuse.at_once")
    visitor.box("account.confirm.pin").wait_for()
    yield "looked-erase"
    page.get_by_role("dialog").get_by_role("button", name=visitor.say("boxes.refuse.leave"), exact=True).click()
    visitor.press("boxes.refuse.name")
    page.get_by_role("dialog").get_by_role("button", name=visitor.say("boxes.refuse.do"), exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    yield "looked-refused"
    visitor.open_box("Nadia")
    visitor.press("boxes.close.name")
    page.get_by_role("dialog").wait_for()
    yield "box-close"
    visitor.press("boxes.close.leave")


def _depositing(visitor: Visitor, told: Told) -> Iterator[str]:
    """What whoever has the address sees, without an account: in the end that the box is full."""
    page = visitor.page
    visitor.come()
    page.evaluate("location.hash = '#74'")
    page.get_by_text(visitor.say("boxes.put.none")).wait_for()
    yield "deposit-none"
    visitor.meet_box(told.address)
    yield "deposit"
    visitor.press("boxes.put.do")
    page.get_by_text(visitor.say("boxes.put.empty")).wait_for()
    page.get_by_label(visitor.say("documents.pick.files"), exact=True).set_input_files(PHOTOGRAPH)
    page.get_by_text(PHOTOGRAPH.name).first.wait_for()
    yield "deposit-filled"
    with unanswered(page, "**/v1/boxes/**"):
        visitor.press("boxes.put.do")
        page.get_by_role("progressbar").wait_for()
        yield "deposit-sending"
        page.goto("about:blank")
    visitor.meet_box(told.address)
    visitor.put_in("Nadia", told.texts[5])
    yield "deposit-sent"
    visitor.come()
    page.evaluate("(hash) => { location.hash = hash }", told.address.partition("#")[2][:-20])
    page.get_by_text(visitor.say("problem.link_malformed")).wait_for()
    yield "deposit-broken"


def _settings(visitor: Visitor, told: Told) -> Iterator[str]:
    page = visitor.page
    visitor.go_to("shell.settings")
    visitor.heading("account.settings.title")
    yield "settings"
    for name, key in (("credentials", "credentials"), ("sessions", "sessions")):
        page.get_by_role("link").filter(has_text=visitor.say(f"account.settings.{key}")).click()
        visitor.heading(f"account.{key}.title")
        if key == "sessions":
            page.get_by_text(visitor.say("account.sessions.mine"), exact=True).wait_for()
        yield name
        if key == "credentials":
            visitor.press("account.credentials.words_make")
            visitor.note_words()
            visitor.press("account.sheet.noted")
            visitor.copy_words()
            page.get_by_text(visitor.say("account.credentials.words_ready"), exact=True).wait_for()
            yield "credentials-ready"
        visitor.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=visitor.say("account.settings.listing")).click()
    page.get_by_text(visitor.say("reading.listing.state.none")).wait_for()
    yield "listing"
    page.evaluate("location.hash = '#61'")
    page.get_by_text(visitor.say("problem.professional_needed")).wait_for()
    yield "inbox-refused"
    page.evaluate("location.hash = '#7'")
    visitor.heading("account.trust.title")
    yield "trust"
    yield from _saving_what_there_is(visitor, told)
    visitor.choose_setting("dossier_text")
    visitor.heading("pack.own.title")
    yield "dossier"
    yield from _saving(visitor)
    yield from _sealing(visitor)
    visitor.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=visitor.say("account.settings.erase_text")).click()
    visitor.heading("account.erase.title")
    yield "erase"
    visitor.press("account.erase.do")
    page.get_by_text(visitor.say("account.erase.not_understood")).wait_for()
    yield "erase-unticked"


def _saving_what_there_is(visitor: Visitor, told: Told) -> Iterator[str]:
    """Both, from a vault that doesn't give all of it any more, while no receipt is on this device."""
    page = visitor.page
    page.evaluate("delete window.showSaveFilePicker")
    with not_found(page, told.lost_paths()):
        visitor.choose_setting("dossier_text")
        for sealed in (False, True):
            if sealed:
                page.get_by_label(visitor.say("pack.sealed.tick")).check()
                visitor.press("pack.sealed.show")
                visitor.note_words("pack.sealed.title")
                visitor.press("account.sheet.noted")
                visitor.copy_words()
            with page.expect_download():
                visitor.press("pack.sealed.do" if sealed else "pack.own.do")
            page.get_by_text(visitor.say("pack.sealed.read" if sealed else "pack.own.read")).wait_for()
            for name in (told.texts[3], PHOTOGRAPH.name, "film.mp4"):
                expect(page.get_by_role("listitem").filter(has_text=name[:30]).first).to_be_visible()
            yield "dossier-sealed-lacking" if sealed else "dossier-lacking"


def _saving(visitor: Visitor) -> Iterator[str]:
    """While everything is written, and once it was."""
    page = visitor.page
    with unanswered(page, "**/v1/blobs/*/receipt"):
        visitor.press("pack.own.do")
        page.get_by_role("progressbar").wait_for()
        yield "dossier-writing"
        visitor.press("pack.own.stop")
    page.get_by_text(visitor.say("pack.own.stopped")).wait_for()
    with page.expect_download():
        visitor.press("pack.own.do")
    page.get_by_text(visitor.say("pack.own.read")).wait_for()
    yield "dossier-saved"


def _sealing(visitor: Visitor) -> Iterator[str]:
    """The same sealed, with words of its own."""
    page = visitor.page
    page.get_by_label(visitor.say("pack.sealed.tick")).check()
    page.get_by_text(visitor.say("pack.sealed.care")).wait_for()
    yield "dossier-sealed"
    visitor.press("pack.sealed.show")
    visitor.note_words("pack.sealed.title")
    yield "dossier-words"
    visitor.press("account.sheet.noted")
    visitor.copy_words()
    page.get_by_text(visitor.say("pack.sealed.ready")).wait_for()
    yield "dossier-noted"
    with page.expect_download():
        visitor.press("pack.sealed.do")
    page.get_by_text(visitor.say("pack.sealed.read")).wait_for()
    yield "dossier-sealed-saved"


def _questions(visitor: Visitor, told: Told) -> Iterator[str]:
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    visitor.open_row(told.words.edited[:30])
    visitor.press("journal.delete.name")
    dialog.wait_for()
    yield "delete"
    page.keyboard.press("Escape")
    visitor.open_row(visitor.say("journal.state.locked"))
    visitor.press("journal.locked.open")
    dialog.wait_for()
    yield "pin"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    visitor.press("journal.locked.open")
    visitor.give_pin()
    page.get_by_text(told.words.sensitive).first.wait_for()
    yield "entry-sensitive"
    page.clock.fast_forward(NEARLY_IDLE_MS)
    page.get_by_role("alertdialog").wait_for()
    yield "soon-locked"
    page.get_by_role("alertdialog").get_by_role("button", name=visitor.say("shell.lock"), exact=True).click()
    visitor.heading("account.door.title")
    yield "door-closed"


def _receiving(visitor: Visitor, told: Told) -> Iterator[str]:
    """What is sent to the professional, at their own account: one thing was opened already, one was not."""
    page = visitor.page
    told.send(opened=True)
    bundle = told.send(opened=False)
    visitor.username = told.professional
    visitor.log_in()
    visitor.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=visitor.say("account.settings.listing")).click()
    page.get_by_text(visitor.say("reading.listing.state.approved")).wait_for()
    yield "listing-approved"
    visitor.follow("reading.inbox.title")
    page.get_by_text(visitor.say("reading.inbox.unopened", count=10)).wait_for()
    yield "inbox"
    page.get_by_role("button").filter(has_text=visitor.say("reading.inbox.open")).first.click()
    visitor.heading("reading.title")
    yield "received"
    visitor.press("pack.save.name")
    page.get_by_role("dialog").wait_for()
    yield "received-save"
    page.evaluate("delete window.showSaveFilePicker")
    with not_found(page, told.lost_paths(bundle)), page.expect_download():
        page.get_by_role("dialog").get_by_role("button", name=visitor.say("pack.save.do"), exact=True).click()
    page.get_by_role("listitem").filter(has_text=PHOTOGRAPH.name).first.wait_for()
    yield "received-lacking"
    visitor.lock()


def _reading(visitor: Visitor, told: Told) -> Iterator[str]:
    """What the laptop shares by a link, as somebody without an account reads it; with a wrong code first."""
    page = visitor.page
    link = told.share()
    visitor.come()
    page.evaluate("(fragment) => { location.hash = fragment }", link.fragment)
    visitor.box("reading.link.code").wait_for()
    yield "link"
    visitor.fill("reading.link.code", "1111 1112" if link.code == "1111 1111" else "1111 1111")
    visitor.press("reading.link.do")
    page.get_by_text(visitor.say("reading.link.left", count=4)).wait_for()
    yield "link-wrong"
    visitor.fill("reading.link.code", link.code)
    visitor.press("reading.link.do")
    visitor.heading("reading.title")
    yield "shared"
    unfold(page)
    yield "shared-unfolded"
    visitor.follow("reading.summary.name")
    visitor.heading("reading.summary.title")
    yield "shared-summary"
    visitor.press("shell.lock")
    page.get_by_text(visitor.say("account.closed.read")).wait_for()
    yield "door-read"
    page.evaluate("(fragment) => { location.hash = fragment }", link.fragment)
    bundle = parse_b64url(link.fragment.removeprefix("#b"))[:ID_SIZE]
    with not_found(page, {f"/v1/links/{format_b64url(bundle)}"}):
        visitor.fill("reading.link.code", link.code)
        visitor.press("reading.link.do")
        page.get_by_text(visitor.say("problem.link_unknown")).wait_for()
    yield "link-unknown"


def _leaving(visitor: Visitor, told: Told) -> Iterator[str]:
    """Whoever told all of it finds two things that aren't what they seem, and deletes all of it."""
    told.add_unsound()
    visitor.username = told.username
    visitor.log_in()
    yield from _unsound(visitor, told)
    visitor.erase_everything()
    yield "door-erased"


def _unsound(visitor: Visitor, told: Told) -> Iterator[str]:
    """A file that isn't the one that its entry names, about to be had all the same, and a recording of nothing."""
    page, (differing, gone) = visitor.page, told.words.unsound
    visitor.go_to("shell.documents")
    page.get_by_role("link").filter(has_text=differing).click()
    page.get_by_role("button").filter(has_text=visitor.say("documents.download.name")).click()
    page.get_by_role("dialog").get_by_role("button", name=visitor.say("documents.download.do"), exact=True).click()
    page.get_by_role("button", name=visitor.say("documents.download.differing"), exact=True).wait_for()
    yield "document-differs"
    page.keyboard.press("Escape")
    visitor.go_to("shell.documents")
    page.get_by_role("link").filter(has_text=gone).click()
    page.get_by_text(visitor.say("documents.file.unclosed")).wait_for()
    yield "recording-gone"


def go_back(visitor: Visitor, vault: RealVault, folder: Path) -> Iterator[str]:
    """From an empty journal: the vault goes back to a copy and its credentials, a telephone writes in the place of what
    was lost, and then this browser comes, which holds it. `folder`: for the copy, and for what the telephone keeps."""
    page, words = visitor.page, STORIES[visitor.lang].entries
    first, edited, second = (words[at][1] for at in (0, 1, 2))
    visitor.write(first)
    back_up(vault, folder / "copy.db")
    visitor.open_row(first[:30])
    visitor.follow("journal.entry.edit")
    visitor.fill("journal.write.text", edited)
    visitor.press("journal.write.keep_version")
    visitor.is_kept(sensitive=False)
    visitor.write(second, files=[PHOTOGRAPH])
    visitor.choose_setting("credentials")
    visitor.heading("account.credentials.title")
    visitor.renew_words()
    visitor.lock()
    set_back(vault, folder / "copy.db", journal=False)
    with VaultClient.connect(vault.url, folder / "telephone") as telephone:
        telephone.log_in(visitor.username, visitor.password, visitor.pin)
        telephone.account.accept_trust(visitor.password, visitor.pin)
        (item,) = telephone.items()
        telephone.edit_entry(item.id, {"text": f"{item.text} …"})
    visitor.log_in()
    page.get_by_text(visitor.say("shell.given_back", count=1)).wait_for()
    page.get_by_text(visitor.say("shell.warned")).wait_for()
    yield "home-given-back"
    visitor.follow("shell.warned_more")
    visitor.heading("account.trust.title")
    page.get_by_text(visitor.say("account.trust.set_back_still")).wait_for()
    yield "trust-warned"
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("account.trust.accept")
    page.get_by_text(visitor.say("account.trust.ended")).wait_for()
    main = page.get_by_role("main")
    main.get_by_text(visitor.say("account.trust.older_pair")).wait_for()
    main.get_by_text(visitor.say("account.trust.anew", count=1)).wait_for()
    main.get_by_text(visitor.say("account.trust.file", name=PHOTOGRAPH.name)).wait_for()
    yield "trust-ended"
    yield from _go_on_without(visitor, vault, STORIES[visitor.lang].entries[EDITED][1])
    visitor.lock()


def _go_on_without(visitor: Visitor, vault: RealVault, text: str) -> Iterator[str]:
    """What was cut off after its file goes at the next opening, when the vault hasn't the file any more."""
    page = visitor.page
    with unreached(page, "**/v1/items"):
        visitor.begin_entry(text)
        visitor.choose_files([PHOTOGRAPH])
        visitor.press("journal.write.keep")
        page.get_by_text(visitor.say("journal.waiting.here")).wait_for()
        visitor.lock()
    lose_files(vault)
    visitor.log_in()
    page.get_by_text(visitor.say("account.trust.files", count=1)).wait_for()
    yield "home-lost"
