"""Somebody at the web vault in any browser: reads what the page says, and presses what it is called.

Knows: what is called how (tests/fakes/words.py), and WebDriver. Refuses to know: how the page is made. What
tests/fakes/visitor.py does in Chromium, as far as another browser is tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.browser_others.browsers import in_page, wait_for
from tests.fakes.words import say


@dataclass
class Person:
    """One browser, and who sits before it."""

    browser: WebDriver
    address: str
    username: str
    password: str = "une longue marche au bord du fleuve"
    pin: str = "805193"
    lang: str = "fr"
    words: list[str] = field(default_factory=list)
    """The recovery code, as it was noted."""

    def say(self, key: str, **values: object) -> str:
        """What the page calls something."""
        return say(self.lang, key, **values)

    def see(self, path: str) -> WebElement:
        """Waits until the first thing of this path is shown."""
        def shown(browser: WebDriver) -> WebElement | None:
            return next((found for found in browser.find_elements(By.XPATH, path) if found.is_displayed()), None)

        found: WebElement = wait_for(self.browser, shown)
        return found

    def read(self, text: str) -> WebElement:
        """Waits until this is shown."""
        return self.see(f'//*[not(self::script)][text()[contains(., "{text}")]]')

    def heading(self, key: str) -> None:
        self.see(f'//h1[normalize-space()="{self.say(key)}"]')

    def choose(self, path: str) -> None:
        """Presses the first thing of this path once it takes anything, away from the bar that stays on top."""
        def pressed(browser: WebDriver) -> bool:
            found = self.see(path)
            if found.get_attribute("aria-disabled") == "true":
                return False
            in_page(browser, "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
            found.click()
            return True

        wait_for(self.browser, pressed)

    def press(self, key: str) -> None:
        """A button, or what opens more."""
        self.choose(f'//*[self::button or self::summary][normalize-space()="{self.say(key)}"]')

    def follow(self, key: str) -> None:
        """A link."""
        self.choose(f'//a[normalize-space()="{self.say(key)}"]')

    def box(self, label: str) -> WebElement:
        """What is filled in, by its label."""
        labelled = self.see(f'//label[normalize-space()="{label}"]')
        found: WebElement = in_page(self.browser, "arguments[0].control", labelled)
        return found

    def fill(self, key: str, text: str) -> None:
        self.box(self.say(key)).send_keys(text)

    # getting in and out

    def come(self) -> None:
        """Opens the app anew, in this person's language."""
        self.browser.get("about:blank")
        self.browser.get(f"{self.address}/app#{self.lang}")
        self.heading("account.door.title")

    def sign_up(self) -> None:
        """From the door to the open vault; the words of the sheet are noted and typed back."""
        self.come()
        self.follow("account.door.sign_up")
        self.press("account.sign_up.begin")
        self.fill("account.username", self.username)
        self.press("account.sign_up.next")
        self.fill("account.password", self.password)
        self.press("account.sign_up.next")
        self.fill("account.pin", self.pin)
        self.fill("account.sign_up.pin_again", self.pin)
        self.press("account.sign_up.next")
        self.heading("account.sheet.title")
        self.see("//main//ol/li[24]")
        self.words = [found.text for found in self.browser.find_elements(By.XPATH, "//main//ol/li")]
        assert len(self.words) == 24
        self.press("account.sheet.noted")
        self.heading("account.sheet.back_title")
        asked = re.compile(re.escape(self.say("account.sheet.word")).replace(r"\{place\}", r"(\d+)"))
        for label in [found.text.strip() for found in self.browser.find_elements(By.TAG_NAME, "label")]:
            if found := asked.fullmatch(label):
                self.box(label).send_keys(self.words[int(found[1]) - 1])
        self.press("account.sheet.check")
        self.heading("journal.name")

    def log_in(self) -> None:
        """From the door to the open vault."""
        self.come()
        self.follow("account.door.log_in")
        self.fill("account.username", self.username)
        self.fill("account.password", self.password)
        self.fill("account.pin", self.pin)
        self.press("account.log_in.do")
        self.heading("journal.name")

    def lock(self) -> None:
        self.press("shell.lock")
        self.heading("account.door.title")

    # writing and reading

    def write(self, text: str, *, sensitive: bool = False, file: Path | None = None) -> None:
        """A new entry, from the journal to "kept"."""
        self.follow("shell.journal")
        self.follow("journal.write.name")
        self.fill("journal.write.text", text)
        if file is not None:
            self.press("journal.more.files")
            self.box(self.say("journal.files.label")).send_keys(str(file))
            self.see(f'//li[contains(., "{file.name}")]')
        if sensitive:
            self.choose(f'//label[normalize-space()="{self.say("journal.sensitive.label")}"]')
        self.press("journal.write.keep")
        self.read(self.say("journal.locked.text" if sensitive else "journal.kept"))

    def open_row(self, text: str) -> None:
        """An entry of the journal, by what is in its row."""
        self.follow("shell.journal")
        self.choose(f'//main//a[contains(., "{text}")]')

    def open_sensitive(self) -> None:
        """The first entry behind the PIN, with the PIN."""
        self.open_row(self.say("journal.state.locked"))
        self.press("journal.locked.open")
        self.fill("parts.pin", self.pin)
        self.choose(f'//dialog//button[normalize-space()="{self.say("parts.open")}"]')

    def download(self, name: str) -> None:
        """A clear copy of a file of the entry, under its own name."""
        self.choose(f'//button[normalize-space()="{self.say("documents.download.name")} {name}"]')
        self.choose(f'//label[normalize-space()="{self.say("documents.download.own", name=name)}"]')
        self.press("documents.download.do")
        self.read(self.say("documents.download.done", name=name))
