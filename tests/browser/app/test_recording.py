"""Recorded in the page, with Chromium's fake camera and microphone: safe second by second, whatever ends it."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, expect

from tests.browser.app.test_access import NO_WAY_OUT
from tests.browser.app.test_exit_and_lock import WAYS, Stopwatch, shifts, tap
from tests.browser.app.test_traces import STORED, own_browser, plain, wait_for_no_worker
from tests.browser.conftest import NeutralSite
from tests.browser.test_exit import MOST, judge
from tests.fakes.axe import run_axe
from tests.fakes.browser import open_chromium
from tests.fakes.canary import find_canaries
from tests.fakes.folder import files_in
from tests.fakes.processes import Device, RealVault
from tests.fakes.teller import STEM, Teller
from tests.fakes.visitor import Visitor

FAKES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
DOCTYPE = b"\x42\x82\x84webm"
"""How such a film begins; its media type ends in `o/webm`. The last four letters by themselves stand in the base64 of
every few megabytes of sealed bytes."""
LOST = 3.0
"""Seconds that may be missing from the end."""
SECONDS = """async (bytes) => {
  const data = Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0));
  const context = new OfflineAudioContext(1, 8000, 8000);
  return (await context.decodeAudioData(data.buffer)).duration;
}"""
"""How long a sound is, as a browser hears it."""


@pytest.fixture(scope="module")
def recording_browser(driver: Playwright, engine_alone: bool) -> Iterator[Browser]:
    with open_chromium(driver, engine=engine_alone, more=FAKES) as browser:
        yield browser


@pytest.fixture
def studio(recording_browser: Browser) -> Iterator[BrowserContext]:
    made = recording_browser.new_context(
        viewport={"width": 360, "height": 740}, locale="fr-FR", reduced_motion="reduce"
    )
    yield made
    made.close()


def begin(visitor: Visitor, medium: str) -> float:
    """From anywhere to a recording that goes on; when it began."""
    visitor.go_to("shell.documents")
    visitor.follow("documents.record.name")
    visitor.press(f"documents.record.{medium}")
    visitor.page.get_by_text(visitor.say(f"documents.record.going.{medium}")).wait_for()
    return time.monotonic()


def is_kept(visitor: Visitor, seconds: str) -> None:
    """Waits until the page says of so many seconds that they are kept; `seconds` is the pattern of their last digit."""
    said = re.escape(visitor.say("documents.record.kept", time="#")).replace(r"\#", rf"0:\d{seconds}")
    visitor.page.get_by_text(re.compile(said)).wait_for()


def device_of(visitor: Visitor, vault: RealVault, folder: Path) -> Device:
    return Device(folder / "home", vault.url, visitor.username, visitor.password, visitor.pin)


def fetch(device: Device, folder: Path) -> bytes:
    """The one document, as the command line gets it; and the same in two ranges."""
    (kept,) = device.ok("documents", "list", device.user, "--json").json
    for name, span in (("back", ()), ("begin", ("--range", "0:10001")), ("end", ("--range", "10001:"))):
        device.ok("documents", "get", device.user, kept["id"], *span, "-o", folder / name, "--force")
    whole = (folder / "back").read_bytes()
    assert (folder / "begin").read_bytes() + (folder / "end").read_bytes() == whole
    return whole


def closed(device: Device, folder: Path) -> tuple[str, bytes]:
    """A recording that broke off, once somebody who opened the vault has closed it: its item, and what it says."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        (kept,) = device.ok("documents", "list", device.user, "--json").json
        device.ok("documents", "get", device.user, kept["id"], "-o", folder / "back", "--force")
        if whole := (folder / "back").read_bytes():
            return kept["id"], whole
    raise AssertionError("nobody closed it")


def seconds_of(page: Page, sound: bytes) -> float:
    found: float = page.evaluate(SECONDS, base64.b64encode(sound).decode())
    return found


@pytest.mark.alone
@pytest.mark.parametrize("medium", ["sound", "video"])
def test_a_recording_is_one_document_that_the_command_line_gets_too(
    studio: BrowserContext, real_vault: RealVault, tmp_path: Path, medium: str
) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username=f"records {medium}")
    visitor.move_in()
    began = begin(visitor, medium)
    is_kept(visitor, "[3-9]")  # while it goes on
    least = time.monotonic() - began
    visitor.press("documents.record.stop")
    most = time.monotonic() - began
    visitor.heading("documents.originals", count=1)
    expect(visitor.page.get_by_text(visitor.say("documents.kept"), exact=True)).to_be_visible()
    whole = fetch(device_of(visitor, real_vault, tmp_path), tmp_path)
    assert least - 1.5 < seconds_of(studio.new_page(), whole) < most + 1.5
    assert whole[:4] == b"\x1a\x45\xdf\xa3"  # WebM


def test_a_photograph_is_taken_in_the_page(studio: BrowserContext, real_vault: RealVault, tmp_path: Path) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username="photographs")
    visitor.move_in()
    visitor.go_to("shell.documents")
    visitor.follow("documents.record.name")
    visitor.press("documents.record.photograph")
    visitor.page.locator("video").evaluate(
        "(seen) => seen.readyState > 1 || new Promise((ready) => { seen.onloadeddata = () => ready(true) })"
    )
    visitor.press("documents.record.take")
    visitor.heading("documents.originals", count=1)
    expect(visitor.page.get_by_text(visitor.say("documents.kept"), exact=True)).to_be_visible()
    device = device_of(visitor, real_vault, tmp_path)
    (kept,) = device.ok("documents", "list", device.user, "--json").json
    device.ok("documents", "get", device.user, kept["id"], "-o", tmp_path / "back")
    assert (tmp_path / "back").read_bytes()[:3] == b"\xff\xd8\xff"  # JPEG


def test_recording_is_for_everybody(recording_browser: Browser, real_vault: RealVault) -> None:
    context = recording_browser.new_context(viewport={"width": 320, "height": 700}, locale="fr-FR", bypass_csp=True)
    visitor = Visitor(context.new_page(), real_vault.url, username="axe records")
    visitor.move_in()
    visitor.go_to("shell.documents")
    visitor.follow("documents.record.name")
    assert run_axe(visitor.page) == []
    for medium in ("video", "sound"):
        begin(visitor, medium)
        expect(visitor.page.get_by_role("button", name=visitor.say("documents.record.stop"))).to_be_focused()
        is_kept(visitor, "[1-9]")
        assert run_axe(visitor.page) == []
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320
        visitor.page.keyboard.press("Enter")
        visitor.heading("documents.originals", count=1)
    context.close()


def processes_of(profile: Path) -> list[int]:
    """The processes of a browser with this profile."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if str(profile).encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except (OSError, ValueError):
            continue
    return found


@pytest.mark.alone
def test_a_browser_that_dies_while_it_records_loses_the_last_seconds_at_most(
    driver: Playwright, recording_browser: Browser, studio: BrowserContext, real_vault: RealVault, tmp_path: Path
) -> None:
    """Killed at a random moment, and opened again on another device, which has nothing of it."""
    profile = tmp_path / "profile"
    lived = random.uniform(4.0, 9.0)  # a test's moment; nothing secret is drawn
    with contextlib.ExitStack() as browser:
        context = browser.enter_context(own_browser(driver, profile, *FAKES))
        visitor = Visitor(context.pages[0], real_vault.url, username=f"dies {lived}")
        visitor.move_in()
        began = begin(visitor, "sound")
        while time.monotonic() - began < lived:
            visitor.page.wait_for_timeout(20)
        spent = time.monotonic() - began
        for pid in processes_of(profile):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(Error):  # it can't be closed any more
            browser.close()
    other = Visitor(studio.new_page(), real_vault.url, username=visitor.username)
    other.log_in()
    device = device_of(other, real_vault, tmp_path)
    item, whole = closed(device, tmp_path)
    heard = seconds_of(studio.new_page(), whole)
    print(f"lived for {spent:.1f} s, {spent - heard:.2f} s are missing")
    assert spent - LOST <= heard
    device.ok("receipts", "export", device.user, item, "-o", tmp_path / "receipts")
    assert len(list((tmp_path / "receipts").glob("*.tlog-proof"))) >= heard  # the record and each segment
    assert fetch(device, tmp_path) == whole


@pytest.mark.alone
@pytest.mark.parametrize("end", ["lock", "tap"])
def test_out_and_locked_while_it_records_it_stops_and_what_was_recorded_is_there(
    driver: Playwright, real_vault: RealVault, neutral: NeutralSite, tmp_path: Path, end: str
) -> None:
    profile = tmp_path / "profile"
    with own_browser(driver, profile, *FAKES) as context:
        teller = Teller(Visitor(context.pages[0], real_vault.url), f"records {end}")
        visitor, page = teller.visitor, teller.page
        teller.visitor.move_in()
        began = begin(visitor, "video")
        page.wait_for_timeout(3000)
        spent = time.monotonic() - began
        if end == "lock":
            visitor.lock()
        else:
            tap(page)
            page.wait_for_url(neutral.address)
        wait_for_no_worker(page)
        beside = context.new_page()
        beside.goto(f"{real_vault.url}/fr/1")
        rows = plain(beside.evaluate(STORED)["databases"])
        assert find_canaries(rows, teller.canaries) == []
        assert b"OpusHead" not in rows and DOCTYPE not in rows and b"o/webm" not in rows
        files = files_in(profile)
        assert {name for name, data in files.items() if find_canaries(data, [STEM]) or b"OpusHead" in data} == set()
        visitor.log_in()
        _, whole = closed(device_of(visitor, real_vault, tmp_path), tmp_path)
        assert seconds_of(beside, whole) >= spent - LOST


@pytest.mark.alone
@WAYS
def test_out_at_once_while_it_records(
    studio: BrowserContext, real_vault: RealVault, neutral: NeutralSite, way: object
) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username=f"out {getattr(way, '__name__', '')} recording")
    visitor.move_in()
    watch = Stopwatch(visitor.page)

    def leave() -> float:
        visitor.log_in()
        begin(visitor, "video")
        visitor.page.wait_for_timeout(1500)
        return watch.measure(tap if way is tap else shifts, neutral)

    spent = judge(leave)
    print(f"out while recording: {spent:.0f} ms")
    assert spent < MOST


def test_what_ends_it_is_in_sight_on_every_screen(studio: BrowserContext, real_vault: RealVault) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username="tenu de travers")
    visitor.move_in()
    page, say = visitor.page, visitor.say
    for medium, ends in (("video", "stop"), ("photograph", "take")):
        visitor.go_to("shell.documents")
        visitor.follow("documents.record.name")
        page.set_viewport_size({"width": 360, "height": 640})
        way = page.get_by_role("button", name=say(f"documents.record.{medium}"), exact=True)
        expect(way).to_be_in_viewport(ratio=1)
        page.set_viewport_size({"width": 640, "height": 300})
        visitor.press(f"documents.record.{medium}")
        end = page.get_by_role("button", name=say(f"documents.record.{ends}"), exact=True)
        expect(end).to_be_focused()
        assert page.evaluate("scrollY") == 0
        expect(end).to_be_in_viewport(ratio=1)
        assert page.evaluate(NO_WAY_OUT) == []


REFUSE = "(name) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name) } }"
TAKEN = """() => {
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const found = await open.call(this, wanted);
    window.takeAway = () => found.getTracks().forEach((track) => {
      track.stop();
      track.dispatchEvent(new Event("ended")); // as a browser does whose device is gone
    });
    return found;
  };
}"""


def test_what_is_refused_is_said_in_sight_and_of_what_was_asked_for(
    studio: BrowserContext, real_vault: RealVault
) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username="refused")
    visitor.page.set_viewport_size({"width": 360, "height": 640})
    visitor.move_in()
    for name, why in (("NotAllowedError", "forbidden"), ("NotReadableError", "missing")):
        visitor.go_to("shell.documents")
        visitor.follow("documents.record.name")
        visitor.page.evaluate(REFUSE, name)
        for medium in ("sound", "video", "photograph"):
            visitor.press(f"documents.record.{medium}")
            alert = visitor.page.get_by_role("alert")
            expect(alert).to_have_text(visitor.say(f"documents.record.{why}.{medium}"))
            expect(alert).to_be_in_viewport(ratio=0.99)  # of a pixel a part may be missing


def test_a_recording_that_nobody_ended_says_so_and_what_is_kept(studio: BrowserContext, real_vault: RealVault) -> None:
    visitor = Visitor(studio.new_page(), real_vault.url, username="taken away")
    visitor.move_in()
    page, say = visitor.page, visitor.say
    page.evaluate(TAKEN)
    begin(visitor, "sound")
    is_kept(visitor, "[1-9]")
    page.evaluate("takeAway()")
    expect(page.get_by_role("alert")).to_have_text(say("documents.record.taken.sound"))
    expect(page.get_by_text(say("documents.record.taken_kept"))).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    visitor.press("documents.record.again")
    visitor.press("documents.record.photograph")
    page.get_by_role("button", name=say("documents.record.take"), exact=True).wait_for()
    page.evaluate("takeAway()")
    expect(page.get_by_role("alert")).to_have_text(say("documents.record.missing.photograph"))
    visitor.go_to("shell.documents")
    expect(page.locator(".document-row")).to_have_count(1)
