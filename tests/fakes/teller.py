"""Somebody who says canaries wherever the web vault lets anything be said, and does everything that it offers.

Knows: what is typed into which view. Refuses to know: where any of it goes. Every canary but the PINs and the words of
the recovery code begins with `STEM`, which is a word of no list.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from client_sdk.sharing import Link
from tests.fakes.visitor import PATIENCE, Visitor

STEM = "qanary"
USER, SECRET, NUMBERS = "qanary-user-wren", "qanary password sparrow ünter", "739154820617"
NEW_USER, NEW_SECRET, NEW_NUMBERS = "qanary-user-heron", "qanary password plover ünter", "820617739154"
WRONG_USER, WRONG_SECRET, WRONG_NUMBERS = "qanary-user-jay", "qanary password magpie ünter", "617739154820"
TEXTS = {
    "text": "qanary text robin après-midi", "edited": "qanary text redstart après-midi",
    "guided": "qanary answer linnet", "said": "qanary said bunting", "sensitive": "qanary sensitive nightjar",
    "title": "qanary title finch", "place": "qanary place gull, 3 rue Haute", "person": "qanary person Élodie Crane",
    "mood": "qanary mood dove", "tag": "qanary tag swift", "happened": "qanary summer of the owl",
    "file": "qanary-file-kestrel.txt", "bytes": "qanary bytes of the letter", "mime": "text/x-qanary-osprey",
    "attached": "qanary-attached-hobby.txt", "pdf": "qanary-paper-petrel.pdf", "page": "qanary page of the shearwater",
    "document": "qanary document pipit", "note": "qanary note wagtail", "draft": "qanary draft warbler",
    "draft of a document": "qanary draft dunnock", "looked for": "qanary search kingfisher",
    "message": "qanary message bittern", "found": "qanary professional crake", "box": "qanary box siskin",
    "depositor": "qanary depositor ruff", "words": "qanary words of the godwit", "put in": "qanary-put-in-dunlin.txt",
    "put": "qanary bytes of the stint",
}  # fmt: skip
SHARED = {
    "text": "qanary shared text lapwing", "title": "qanary shared title dotterel", "message": "qanary message knot",
}  # fmt: skip
"""What somebody else shares with them."""
WRONG_CODE = "5930 1847"
CATEGORY = "medical certificate"
CHOOSE = """async (box, [name, type, bytes]) => {
  const chosen = new DataTransfer();
  chosen.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type }));
  box.files = chosen.files;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def make_pdf(words: str) -> bytes:
    """One page that says these words (ASCII)."""
    drawn = f"BT /F1 18 Tf 20 100 Td ({words}) Tj ET".encode("ascii")
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    whole, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(whole))
        whole += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return whole + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table, len(whole))  # fmt: skip


@dataclass
class Teller:
    """A visitor with canaries for words. `seen`: the number of every view that was shown, as addresses have them."""

    visitor: Visitor
    mark: str = ""
    """What the user name ends with, where several live in one vault."""
    seen: set[int] = field(default_factory=set)
    shared: list[str] = field(default_factory=list)
    """What links carry, and codes."""
    address: str = ""
    """Of the box."""
    ticked: str = ""
    """The sentence of the questionnaire that was ticked."""

    def __post_init__(self) -> None:
        self.visitor.username, self.visitor.password, self.visitor.pin = USER + self.mark, SECRET, NUMBERS
        self.page = self.visitor.page
        self.page.on("framenavigated", lambda frame: self._note(frame.url))

    def _note(self, url: str) -> None:
        if found := re.search(r"/app#(\d+)(\.\d+)?$", url):
            self.seen.add(int(found[1]))
        elif url.endswith("/app"):
            self.seen.add(0)

    @property
    def canaries(self) -> list[str]:
        """All that was said, with the recovery code as pairs of words."""
        words = self.visitor.words
        pairs = [" ".join(words[place : place + 2]) for place in range(0, len(words) - 1, 2)]
        names = [USER, SECRET, NUMBERS, NEW_USER, NEW_SECRET, NEW_NUMBERS, WRONG_USER, WRONG_SECRET, WRONG_NUMBERS]
        return [*names, *TEXTS.values(), *self.shared, *([self.ticked] if self.ticked else []), *pairs]

    @property
    def stems(self) -> list[str]:
        """What stands in every canary: few words, for places that are large."""
        return [STEM, NUMBERS, NEW_NUMBERS, WRONG_NUMBERS, " ".join(self.visitor.words[:2])]

    def unfold(self, key: str) -> None:
        """Opens what is folded away."""
        self.page.locator("summary").filter(has_text=re.compile(f"^{re.escape(self.visitor.say(key))}$")).click()

    def reads(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def _in_dialog(self, key: str) -> Locator:
        return self.page.get_by_role("dialog").get_by_role("button", name=self.visitor.say(key), exact=True)

    def _card(self, key: str) -> None:
        self.visitor.go_to("shell.settings")
        self.page.get_by_role("link").filter(has_text=self.visitor.say(key)).click()

    def again(self, page: Page) -> Visitor:
        """The same person at another page."""
        one = self.visitor
        return Visitor(page, one.address, one.lang, one.username, one.password, one.pin)

    # writing

    def sign_up(self) -> None:
        self.visitor.sign_up()

    def fill_entry(self) -> None:
        """Every field of the view for writing but the text and files."""
        visitor = self.visitor
        self.unfold("journal.when.name")
        self.page.get_by_label(visitor.say("journal.when.words"), exact=True).check()
        visitor.fill("journal.when.words_label", TEXTS["happened"])
        self.unfold("journal.more.where")
        visitor.fill("journal.fact.place", TEXTS["place"])
        visitor.fill("journal.fact.people", TEXTS["person"])
        self.unfold("journal.more.feeling")
        visitor.fill("journal.mood.label", TEXTS["mood"])
        self.unfold("journal.more.title")
        visitor.fill("journal.more.title_label", TEXTS["title"])
        visitor.fill("journal.fact.tags", TEXTS["tag"])

    def attach(self, size: int = 300_000) -> None:
        visitor = self.visitor
        self.unfold("journal.more.files")
        choose(visitor.box("journal.files.label"), letter(TEXTS["attached"], size))
        self.page.get_by_text(visitor.say("journal.files.added", count=1)).first.wait_for(state="attached")

    def write(self) -> None:
        """An entry with every fact and a file."""
        self.visitor.begin_entry(TEXTS["text"])
        self.fill_entry()
        self.attach()
        self.visitor.press("journal.write.keep")
        self.reads(self.visitor.say("journal.kept"))

    def write_guided(self) -> None:
        visitor = self.visitor
        visitor.go_to("shell.journal")
        visitor.follow("journal.write.name")
        visitor.press("journal.write.guided")
        visitor.fill("journal.questions.what", TEXTS["guided"])
        visitor.press("journal.guided.next")
        for _ in range(6):
            visitor.press("journal.guided.skip")
        visitor.fill("journal.questions.said", TEXTS["said"])
        visitor.press("journal.write.keep")
        self.reads(visitor.say("journal.kept"))

    def write_sensitive(self) -> None:
        self.visitor.write(TEXTS["sensitive"], sensitive=True)

    def ask_to_be_listed(self) -> None:
        """As a professional, under a name that all may read; then the list of what was sent, which isn't theirs yet."""
        visitor = self.visitor
        self._card("account.settings.listing")
        visitor.fill("reading.listing.name", "Claire Martin")
        visitor.fill("account.confirm.password", visitor.password)
        visitor.fill("account.confirm.pin", visitor.pin)
        visitor.press("reading.listing.do")
        self.reads(visitor.say("reading.listing.state.pending"))
        self.page.evaluate("location.hash = '#61'")  # it is offered to those who are listed
        self.reads(visitor.say("problem.professional_needed"))

    def read_what_was_shared(self, link: Link) -> None:
        """By a link and its code, after a wrong one."""
        visitor = self.visitor
        self.page.evaluate("(fragment) => { location.hash = fragment }", link.fragment)
        for code in (WRONG_CODE, link.code):
            visitor.fill("reading.link.code", code)
            visitor.press("reading.link.do")
            self.reads(visitor.say("reading.title" if code == link.code else "problem.code_wrong"))
        self.reads(SHARED["message"])
        self.reads(SHARED["text"])
        visitor.follow("reading.summary.name")
        self.reads(visitor.say("reading.summary.proves"))

    def leave_drafts(self) -> None:
        """One of an entry, one of a document."""
        visitor = self.visitor
        visitor.begin_entry(TEXTS["draft"])
        self.reads(visitor.say("journal.draft.kept"))
        visitor.go_to("shell.documents")
        visitor.follow("documents.add.name")
        visitor.fill("documents.field.title", TEXTS["draft of a document"])
        self.reads(visitor.say("documents.drafts.kept"))

    def add_documents(self) -> None:
        """A letter with everything said about it, and a PDF."""
        visitor = self.visitor
        visitor.go_to("shell.documents")
        visitor.follow("documents.add.name")
        self.pick(letter(TEXTS["file"], 2_000))
        visitor.fill("documents.field.title", TEXTS["document"])
        visitor.box("documents.category.label").select_option(CATEGORY)
        self.unfold("documents.field.note")
        self.page.get_by_role("textbox", name=visitor.say("documents.field.note"), exact=True).fill(TEXTS["note"])
        visitor.press("documents.add.keep", count=1)
        self.reads(visitor.say("documents.kept"))
        visitor.go_to("shell.documents")
        visitor.follow("documents.add.name")
        self.pick({"name": TEXTS["pdf"], "mimeType": "application/pdf", "buffer": make_pdf(TEXTS["page"])})
        visitor.press("documents.add.keep", count=1)
        self.reads(visitor.say("documents.kept"))
        visitor.go_to("shell.documents")
        visitor.follow("documents.record.name")
        visitor.heading("documents.record.name")
        self.page.evaluate("location.hash = '#23'")  # it is offered only while something is sent
        visitor.heading("documents.uploads.name")

    def pick(self, file: FilePayload) -> None:
        choose(self.page.get_by_label(self.visitor.say("documents.pick.files")), file)
        self.page.get_by_text(file["name"]).first.wait_for()

    def assess(self) -> None:
        visitor = self.visitor
        visitor.go_to("shell.assess")
        visitor.heading("assess.name")
        first = self.page.get_by_role("checkbox").first
        first.check()
        self.ticked = str(first.evaluate("(box) => box.labels[0].innerText.trim()"))
        visitor.press("site.check.show")
        visitor.press("assess.keep.do")
        self.reads(visitor.say("assess.kept"))

    def edit(self) -> None:
        visitor = self.visitor
        visitor.open_row(TEXTS["title"])
        visitor.follow("journal.entry.edit")
        visitor.fill("journal.write.text", TEXTS["edited"])
        visitor.press("journal.write.keep_version")
        self.reads(visitor.say("journal.kept"))

    # reading

    def read_everything(self) -> None:
        """Each view that shows something, with what is behind the PIN open."""
        visitor = self.visitor
        visitor.open_row(visitor.say("journal.state.locked"))
        visitor.press("journal.locked.open")
        visitor.give_pin()
        self.reads(TEXTS["sensitive"])
        visitor.open_row(TEXTS["title"])
        visitor.follow("journal.entry.history", count=4)  # with the deletion, and its undoing
        visitor.heading("journal.history.name")
        self.page.locator("summary").last.click()
        self.reads(TEXTS["text"])
        for key in ("journal.calendar.name", "assess.curve.name", "journal.deleted.name"):
            visitor.go_to("shell.journal")
            visitor.follow(key)
            visitor.heading(key)
        self.look_for(TEXTS["looked for"])
        self.open_letter()
        self.open_pdf()

    def look_for(self, words: str) -> None:
        self.visitor.go_to("shell.search")
        self.visitor.fill("journal.search.words", words)
        self.reads(self.visitor.say("journal.search.nothing"))

    def _open_file(self, document: str, key: str) -> None:
        self.visitor.go_to("shell.documents")
        self.page.get_by_role("link").filter(has_text=document).first.click()
        self.page.get_by_role("button", name=self.visitor.say(key)).click()

    def open_letter(self) -> None:
        self._open_file(TEXTS["document"], "documents.open.text")
        self.reads(TEXTS["bytes"])

    def open_pdf(self) -> None:
        self._open_file(TEXTS["pdf"], "documents.open.pdf")
        self.page.get_by_text(TEXTS["page"]).wait_for(state="attached")

    def export(self) -> bytes:
        """The sealed file and its receipt, as the browser saves them."""
        visitor = self.visitor
        visitor.open_row(TEXTS["title"])
        visitor.follow("journal.receipt")
        visitor.press("receipts.export.open")
        with self.page.expect_download() as download:
            self._in_dialog("receipts.export.do").click()
        return Path(download.value.path()).read_bytes()

    def share(self) -> None:
        """By link and code, which are canaries from then on; nobody is found in the list. Then it is ended."""
        visitor = self.visitor
        visitor.go_to("shell.journal")
        visitor.follow("share.list.name")
        visitor.follow("share.new")
        self.page.get_by_role("checkbox", name=re.compile(TEXTS["title"])).check()
        visitor.press("account.sign_up.next")
        self.page.get_by_role("button").filter(has_text=visitor.say("share.parts.make")).click()
        self.page.get_by_role("option").first.click()
        self.page.get_by_role("checkbox").first.check()
        visitor.press("share.part.do")
        visitor.heading("share.parts.title")
        visitor.press("account.sign_up.next")
        visitor.press("share.who.search")
        visitor.fill("share.find.words", TEXTS["found"])
        self.reads(visitor.say("share.find.none"))
        visitor.press("share.find.back")
        visitor.press("share.who.make_link")
        visitor.fill("share.terms.message", TEXTS["message"])
        visitor.press("share.terms.next")
        visitor.fill("account.confirm.password", visitor.password)
        visitor.fill("account.confirm.pin", visitor.pin)
        visitor.press("share.preview.do")
        visitor.heading("share.done.title")
        link, code = self.page.locator(".shown-once").inner_text(), self.page.locator(".digits").inner_text()
        self.shared += [link.partition("#")[2], code, code.replace(" ", "")]
        visitor.follow("share.list.name")
        self.page.get_by_role("button").filter(has_text=visitor.say("share.revoke.name")).click()
        self._in_dialog("share.revoke.do").click()
        self.reads(visitor.say("share.revoke.done"))

    # boxes

    def make_box(self) -> None:
        """Its address is a canary from then on, but for the box's id, which the vault knows."""
        self.address = self.visitor.make_box(TEXTS["box"])
        self.shared.append(self.address.partition("#d")[2][22:])

    def put_in(self) -> None:
        """As whoever has the address, without an account; the receipts are packed, and saved nowhere."""
        visitor = self.visitor
        visitor.meet_box(self.address)
        picker = self.page.get_by_label(visitor.say("documents.pick.files"), exact=True)
        choose(picker, FilePayload(name=TEXTS["put in"], mimeType="text/plain", buffer=TEXTS["put"].encode()))
        visitor.put_in(TEXTS["depositor"], TEXTS["words"])

    def receive(self) -> None:
        """Looks at what was put in, keeps it, and closes the box."""
        visitor = self.visitor
        visitor.open_box(TEXTS["box"])
        self.page.get_by_role("link").filter(has_text=visitor.say("boxes.look.name")).click()
        visitor.press("boxes.look.do")
        self.reads(TEXTS["words"])
        self.page.get_by_role("button").filter(has_text=visitor.say("documents.open.text")).click()
        self.reads(TEXTS["put"])
        visitor.press("boxes.accept.do")
        self.reads(visitor.say("journal.fact.sent"))
        visitor.open_box(TEXTS["box"])
        visitor.press("boxes.close.name")
        self._in_dialog("boxes.close.do").click()
        self.reads(visitor.say("boxes.close.done"))

    # changing

    def delete_and_restore(self) -> None:
        visitor = self.visitor
        visitor.open_row(TEXTS["title"])
        visitor.press("journal.delete.name")
        self._in_dialog("journal.delete.do").click()
        visitor.press("journal.deleted.undo")
        self.reads(visitor.say("journal.deleted.restored"))

    def change_credentials(self) -> None:
        visitor = self.visitor
        self._card("account.settings.sessions")
        visitor.heading("account.sessions.title")
        self._card("account.settings.dossier_text")
        visitor.heading("pack.own.title")
        self._card("account.settings.erase_text")
        visitor.heading("account.erase.title")
        self._card("account.settings.credentials")
        visitor.fill("account.credentials.username", NEW_USER + self.mark)
        visitor.fill("account.credentials.password", NEW_SECRET)
        visitor.fill("account.credentials.pin", NEW_NUMBERS)
        visitor.fill("account.sign_up.pin_again", NEW_NUMBERS)
        visitor.fill("account.confirm.password", SECRET)
        visitor.fill("account.confirm.pin", NUMBERS)
        visitor.press("account.credentials.do")
        self.reads(visitor.say("account.credentials.done"))
        visitor.username, visitor.password, visitor.pin = NEW_USER + self.mark, NEW_SECRET, NEW_NUMBERS

    def fail_to_get_in(self) -> None:
        """A wrong pair, a wrong PIN, and the recovery code where nothing is closed."""
        visitor = self.visitor
        right = visitor.username, visitor.password, visitor.pin
        visitor.come()
        visitor.follow("account.door.log_in")
        for wrong, key in (
            ((WRONG_USER, WRONG_SECRET, NUMBERS), "problem.login_refused"),
            ((*right[:2], WRONG_NUMBERS), "problem.pin_wrong"),
        ):  # fmt: skip
            visitor.username, visitor.password, visitor.pin = wrong
            visitor.type_secrets()
            self.reads(visitor.say(key))
        visitor.username, visitor.password, visitor.pin = right
        self.unfold("account.log_in.lost")
        visitor.follow("account.log_in.reopen")
        visitor.fill("account.username", visitor.username)
        visitor.fill("account.password", visitor.password)
        visitor.fill("account.reopen.words", " ".join(visitor.words))
        visitor.press("account.reopen.do")
        visitor.heading("account.reopen.done_title")

    def show_words(self) -> None:
        """The recovery words alone; whoever is logged in is told, and stops it."""
        visitor = self.visitor
        visitor.show_words()
        visitor.heading("account.recover.wait_title")
        visitor.log_in()
        visitor.follow("shell.recovering_more")
        visitor.stop_recovery()
        visitor.go_to("shell.settings")
        visitor.page.get_by_role("link").filter(has_text=visitor.say("account.settings.waiting_time_text")).click()
        visitor.choose_wait(visitor.say("parts.no_wait"))


def letter(name: str, size: int) -> FilePayload:
    """A file of at least `size` bytes that says one thing over and over."""
    line = f"{TEXTS['bytes']}\n".encode()
    return {"name": name, "mimeType": TEXTS["mime"], "buffer": line * (size // len(line) + 1)}


def choose(box: Locator, file: FilePayload) -> None:
    """Playwright's own `set_input_files` leaves a handle on the element, by which a view outlives its page."""
    box.evaluate(CHOOSE, [file["name"], file["mimeType"], base64.b64encode(file["buffer"]).decode("ascii")])
