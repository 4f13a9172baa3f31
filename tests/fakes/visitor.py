"""Somebody at the web vault: reads what the page says, and presses what it is called.

Knows: what is called how (tests/fakes/words.py), and the order in which a person does things. Refuses to know: how
the page is made; nothing is found by a class or an id.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Locator, Page, expect

from client_sdk.client import VaultClient
from tests.fakes.words import say

USERNAME, PASSWORD, PIN = "Amélie du lac", "une longue marche au bord du fleuve", "805193"
PATIENCE = 60_000
"""Milliseconds that a step may take on a busy machine."""


def wait_until(page: Page, true: Callable[[], object], otherwise: object) -> None:
    """Until something is true that no `expect` looks for. Raises AssertionError with `otherwise`."""
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, otherwise
        page.wait_for_timeout(20)


@dataclass
class Visitor:
    """One page, and who sits before it."""

    page: Page
    address: str
    lang: str = "fr"
    username: str = USERNAME
    password: str = PASSWORD
    pin: str = PIN
    words: list[str] = field(default_factory=list)
    """The recovery code, as it was noted."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)

    def say(self, key: str, **values: object) -> str:
        """What the page calls something."""
        return say(self.lang, key, **values)

    def come(self) -> None:
        """Opens the app anew, in this visitor's language, and waits until it has something to say."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/app#{self.lang}")
        self.heading("account.door.title")

    def heading(self, key: str, **values: object) -> Locator:
        """Waits for a heading."""
        found = self.page.get_by_role("heading", name=self.say(key, **values), exact=True)
        found.wait_for()
        return found

    def press(self, key: str, **values: object) -> None:
        """A button."""
        self.page.get_by_role("button", name=self.say(key, **values), exact=True).click()

    def follow(self, key: str, **values: object) -> None:
        """A link."""
        self.page.get_by_role("link", name=self.say(key, **values), exact=True).first.click()

    def box(self, key: str) -> Locator:
        """What is written into, by its label."""
        return self.page.get_by_label(self.say(key), exact=True)

    def fill(self, key: str, text: str) -> None:
        self.box(key).fill(text)

    # getting in and out

    def sign_up(self) -> None:
        """From the door to the open vault; the words of the sheet are noted and typed back."""
        self.come()
        self.follow("account.door.sign_up")
        self.press("account.sign_up.begin")
        self.choose_secrets()
        self.press("account.sheet.noted")
        self.copy_words()
        self.is_in()

    def choose_secrets(self) -> None:
        """From the first question to the sheet, whose words are noted."""
        self.fill("account.username", self.username)
        self.press("account.sign_up.next")
        self.fill("account.password", self.password)
        self.press("account.sign_up.next")
        self.fill("account.pin", self.pin)
        self.fill("account.sign_up.pin_again", self.pin)
        self.press("account.sign_up.next")
        self.note_words()

    def show_words(self) -> None:
        """From the door to what is said of the recovery words."""
        self.come()
        self.follow("account.door.recover")
        self.fill("account.reopen.words", " ".join(self.words))
        self.press("account.recover.do")

    def stop_recovery(self) -> None:
        """In the view of what waits, with password and PIN."""
        self.fill("account.confirm.password", self.password)
        self.fill("account.confirm.pin", self.pin)
        self.press("account.recovery.stop")
        self.page.get_by_text(self.say("account.recovery.stopped"), exact=True).wait_for()

    def choose_wait(self, words: str) -> None:
        """In the settings: how long the recovery words wait, as the page spells it, with password and PIN."""
        self.page.get_by_label(self.say("account.waiting_time.choice"), exact=True).select_option(label=words)
        self.fill("account.confirm.password", self.password)
        self.fill("account.confirm.pin", self.pin)
        self.press("account.waiting_time.do")
        self.page.get_by_text(self.say("account.waiting_time.done"), exact=True).wait_for()

    def renew_words(self) -> None:
        """In the view of the credentials: other recovery words, noted and typed back, with password and PIN."""
        self.press("account.credentials.words_make")
        self.note_words()
        self.press("account.sheet.noted")
        self.copy_words()
        self.fill("account.confirm.password", self.password)
        self.fill("account.confirm.pin", self.pin)
        self.press("account.credentials.do")
        self.page.get_by_text(self.say("account.credentials.done"), exact=True).wait_for()

    def move_in(self) -> None:
        """The same account, opened here: for whoever doesn't look at how somebody signs up."""
        self.sign_up_elsewhere()
        self.log_in()

    def sign_up_elsewhere(self) -> None:
        """The same account, made by the SDK as on another device."""
        language = {"fr": "french"}.get(self.lang, "english")
        with TemporaryDirectory() as home, VaultClient.connect(self.address, Path(home)) as client:
            made = client.make_account(self.username, self.password, self.pin, language=language)
            client.register(made)
        self.words = made.recovery_words.split()

    def note_words(self, title: str = "account.sheet.title") -> None:
        """Waits for the sheet, and notes what is on it."""
        self.heading(title)
        words = self.page.locator("main ol li")
        expect(words).to_have_count(24)
        self.words = words.all_inner_texts()

    def copy_words(self) -> None:
        """Types back the words that the page asks for."""
        self.heading("account.sheet.back_title")
        asked = re.compile(re.escape(self.say("account.sheet.word")).replace(r"\{place\}", r"(\d+)"))
        for label in self.page.locator("label").all_inner_texts():
            if found := asked.fullmatch(label.strip()):
                self.page.get_by_label(label.strip(), exact=True).fill(self.words[int(found[1]) - 1])
        self.press("account.sheet.check")

    def log_in(self) -> None:
        """From the door to the open vault."""
        self.come()
        self.follow("account.door.log_in")
        self.type_secrets()
        self.is_in()

    def type_secrets(self) -> None:
        """Fills in what the login asks for, and sends it."""
        self.fill("account.username", self.username)
        self.fill("account.password", self.password)
        self.fill("account.pin", self.pin)
        self.press("account.log_in.do")

    def is_in(self) -> None:
        """Waits until the journal is there."""
        self.heading("journal.name")

    def lock(self, door: str = "account.door.title") -> None:
        """`door`: what the closed door says to whom."""
        self.press("shell.lock")
        self.heading(door)

    def erase_everything(self) -> None:
        """From the open vault to the door, where nobody has an account any more."""
        self.choose_setting("erase_text")
        self.heading("account.erase.title")
        self.page.get_by_label(self.say("account.erase.understood"), exact=True).check()
        self.fill("account.confirm.password", self.password)
        self.fill("account.confirm.pin", self.pin)
        self.press("account.erase.do")
        self.heading("account.door.erased_title")

    def give_pin(self) -> None:
        """Answers the question for the PIN."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label(self.say("parts.pin"), exact=True).fill(self.pin)
        dialog.get_by_role("button", name=self.say("parts.open"), exact=True).click()
        dialog.wait_for(state="detached")

    # writing and reading

    def begin_entry(self, text: str) -> None:
        """Opens the page for writing, and writes."""
        self.go_to("shell.journal")
        self.follow("journal.write.name")
        self.fill("journal.write.text", text)

    def choose_files(self, files: Sequence[Path]) -> None:
        """Adds files to what is being written."""
        self.page.get_by_text(self.say("journal.more.files"), exact=True).click()
        self.box("journal.files.label").set_input_files(list(map(str, files)))
        self.page.get_by_text(self.say("journal.files.added", count=len(files)), exact=False).first.wait_for(
            state="attached"
        )

    def write(self, text: str, *, sensitive: bool = False, files: Sequence[Path] = ()) -> None:
        """A new entry, from the journal to "kept"."""
        self.begin_entry(text)
        if files:
            self.choose_files(files)
        if sensitive:
            self.page.get_by_label(self.say("journal.sensitive.label"), exact=True).check()
        self.press("journal.write.keep")
        self.is_kept(sensitive)

    def is_kept(self, sensitive: bool) -> None:
        """Waits until the entry that was written is shown; of what is behind the PIN, that it is."""
        if sensitive:
            self.heading("journal.state.locked")
        else:
            expect(self.page.get_by_text(self.say("journal.kept"), exact=True)).to_be_visible(timeout=PATIENCE)

    def go_to(self, key: str) -> None:
        """One of the ways of the bar."""
        bar = self.page.get_by_role("navigation", name=self.say("shell.nav"))
        bar.get_by_role("link", name=self.say(key), exact=True).click()

    def choose_setting(self, key: str) -> None:
        """One of the settings, by its name or what is said of it."""
        self.go_to("shell.settings")
        self.page.get_by_role("link").filter(has_text=self.say(f"account.settings.{key}")).click()

    def open_row(self, text: str) -> None:
        """An entry of the journal, by how its row begins."""
        self.go_to("shell.journal")
        self.page.get_by_role("link").filter(has_text=text).first.click()

    # boxes

    def make_box(self, name: str) -> str:
        """From the journal to a new box; gives its address, which stands there once."""
        self.go_to("shell.journal")
        self.follow("share.list.name")
        self.follow("boxes.name")
        self.follow("boxes.make.name")
        self.fill("boxes.make.for", name)
        self.fill("account.confirm.password", self.password)
        self.fill("account.confirm.pin", self.pin)
        self.press("boxes.make.do")
        self.heading("boxes.made.title")
        return self.page.get_by_text(re.compile("#d")).inner_text()

    def meet_box(self, address: str) -> None:
        """Follows the address of a box, from the door and in this visitor's language."""
        self.come()
        self.page.evaluate("(hash) => { location.hash = hash }", address.partition("#")[2])
        self.box("boxes.put.message").wait_for()

    def put_in(self, name: str, message: str, files: Sequence[Path] = ()) -> None:
        """Puts something into the box that was met."""
        self.fill("boxes.put.name", name)
        self.fill("boxes.put.message", message)
        if files:
            self.page.get_by_label(self.say("documents.pick.files"), exact=True).set_input_files(list(map(str, files)))
        self.press("boxes.put.do")
        self.heading("boxes.sent.title")

    def open_box(self, name: str) -> None:
        """One of the boxes, by its name."""
        self.go_to("shell.journal")
        self.follow("share.list.name")
        self.follow("boxes.name")
        self.page.get_by_role("link").filter(has_text=name).first.click()
        self.heading_of(name)

    def heading_of(self, name: str) -> None:
        self.page.get_by_role("heading", name=name, exact=True).wait_for()
