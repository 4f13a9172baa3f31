"""A sound and a film from sealed ranges: at any place after a little, never shown wrong, and gone when it ends."""

from __future__ import annotations

import contextlib
import json
import math
import re
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Frame, Locator, Page, Playwright, expect

from tests.browser.app.test_exit_and_lock import Stopwatch, step, tap
from tests.browser.app.test_traces import STORED, heap_on_the_way_out, own_browser, wait_for_no_worker
from tests.browser.conftest import NeutralSite
from tests.browser.test_exit import MOST, judge
from tests.fakes.browser import FLAGS, find_chromium
from tests.fakes.canary import find_canaries
from tests.fakes.film import make_film, make_sound
from tests.fakes.folder import files_in
from tests.fakes.heap import take_heap
from tests.fakes.http_proxy import Heard, HttpProxy, http_proxy_to
from tests.fakes.open_files import hidden_files_with
from tests.fakes.processes import Device, RealVault, descendants
from tests.fakes.teller import STEM
from tests.fakes.visitor import PASSWORD, PATIENCE, PIN, Visitor, wait_until

ENOUGH = 5_000_000
"""Bytes after which a film has to run at any place."""
REGISTERED = "navigator.serviceWorker.getRegistrations().then((found) => found.length)"
IN_CLEAR = f"{STEM} in the film, in clear"
GROWTH = 150_000_000
"""Bytes by which the memory of a tab may grow, however long a film is."""
SHOWN = """(element) => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  canvas.width = canvas.height = 1;
  pen.drawImage(element, 0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return red > 200 ? "red" : green > 200 ? "green" : blue > 200 ? "blue" : "nothing";
}"""


@dataclass
class Cinema:
    """Somebody with films and sounds, at a vault of which every answer is counted."""

    visitor: Visitor
    proxy: HttpProxy
    laptop: Device
    asked: list[tuple[float, int]] = field(default_factory=list)
    """When a range of a content was asked for, and of how many bytes."""

    def __post_init__(self) -> None:
        self.proxy.before = self.note

    def note(self, heard: Heard) -> bool:
        if heard.target.startswith("/v1/blobs/"):
            range_ = re.fullmatch(r"bytes=(\d+)-(\d+)", dict(heard.headers)["Range"])
            assert range_ is not None, "a whole file is asked for"
            self.asked.append((time.time(), int(range_[2]) + 1 - int(range_[1])))
        return True

    def add(self, path: Path) -> None:
        self.laptop.ok("documents", "add", self.laptop.user, path, "--title", path.stem)

    def add_film(self, path: Path, seconds: int = 30, size: int = 6_000_000) -> None:
        """A film in which a canary stands after every picture."""
        make_film(path, seconds, size, canary=IN_CLEAR)
        self.add(path)

    def open(self, title: str, kind: str = "video") -> Frame:
        """From the documents to a player that knows how long it plays."""
        page = self.visitor.page
        self.visitor.go_to("shell.documents")
        page.get_by_role("link").filter(has_text=title).first.click()
        page.get_by_role("button", name=self.visitor.say(f"documents.open.{kind}")).click()
        frame = player(page)
        frame.evaluate(
            """async () => {
              while (!(document.querySelector("audio, video").duration > 0)) {
                await new Promise((done) => setTimeout(done, 10));
              }
            }"""
        )
        return frame

    def fetched(self, until: float = math.inf) -> int:
        """Bytes of contents that were asked for before a time (in seconds since 1970)."""
        return sum(size for asked, size in self.asked if asked < until)


def player(page: Page) -> Frame:
    """The frame in which something plays. No handle of it is taken: what is held by one outlives its page."""
    page.frame_locator("iframe.player").locator("audio, video").wait_for()
    return next(frame for frame in page.frames if frame.url.endswith("/a/p/"))


def seek(frame: Frame, part: float) -> float:
    """To a part of the whole; plays from there on. Gives when the first of it was played, in seconds since 1970."""
    return float(frame.evaluate(
        """async (part) => {
          const media = document.querySelector("audio, video");
          const at = media.duration * part;
          media.muted = true;
          const runs = new Promise((done, failed) => {
            const seen = (now, { mediaTime }) => mediaTime > at ? done(now) : media.requestVideoFrameCallback(seen);
            if (media.videoWidth > 0) media.requestVideoFrameCallback(seen);
            else media.addEventListener("timeupdate", ({ timeStamp }) => media.currentTime > at && done(timeStamp));
            media.onerror = failed;
          });
          media.currentTime = at;
          await media.play();
          return (performance.timeOrigin + await runs) / 1000;
        }""",
        part,
    ))  # fmt: skip


def require_shown(film: Locator, colour: str) -> None:
    """Waits until the picture is of this colour: a frame is painted a little after it is played."""
    until = time.monotonic() + PATIENCE / 1000
    while (seen := film.evaluate(SHOWN)) != colour:
        assert time.monotonic() < until, seen
        time.sleep(0.05)


@pytest.fixture
def cinema(context: BrowserContext, real_vault: RealVault, tmp_path: Path) -> Iterator[Cinema]:
    with http_proxy_to(real_vault.port) as proxy:
        visitor = Visitor(context.new_page(), proxy.url, username=f"cinema {tmp_path.name}")
        laptop = Device(tmp_path / "home", real_vault.url, visitor.username, visitor.password, visitor.pin)
        laptop.register()
        yield Cinema(visitor, proxy, laptop)


SIZES = pytest.mark.parametrize(
    ("seconds", "size"), [(60, 24_000_000), pytest.param(600, 200_000_000, marks=pytest.mark.soak)],
    ids=["24MB", "200MB"],
)  # fmt: skip


@SIZES
@pytest.mark.alone
@pytest.mark.still
def test_at_nine_tenths_of_a_long_film_or_sound_it_runs_after_a_little(
    cinema: Cinema, tmp_path: Path, seconds: int, size: int
) -> None:
    for index in ("start", "end"):
        make_film(tmp_path / f"{index}.mp4", seconds, size, index=index)
        cinema.add(tmp_path / f"{index}.mp4")
    length = make_sound(tmp_path / "sound.wav", size)
    cinema.add(tmp_path / "sound.wav")
    cinema.visitor.log_in()
    for title, kind in (("start", "video"), ("end", "video"), ("sound", "audio")):
        before = cinema.fetched()
        frame = cinema.open(title, kind)
        opened = cinema.fetched() - before
        if kind == "video":
            require_shown(frame.locator("video"), "red")
        fetched = cinema.fetched(until=seek(frame, 0.9)) - before
        print(f"{title} of {size:,} bytes: open after {opened:,}, runs at 90 % after {fetched:,}")
        assert fetched < ENOUGH
        if kind == "video":
            require_shown(frame.locator("video"), "blue")
            seek(frame, 0.6)
            require_shown(frame.locator("video"), "green")
        else:
            assert abs(frame.eval_on_selector("audio", "(element) => element.duration") - length) < 1


@pytest.mark.soak
def test_a_long_film_played_to_its_end_leaves_the_tab_as_small_as_it_was(
    driver: Playwright, real_vault: RealVault, tmp_path: Path
) -> None:
    """While it plays nobody drives the browser: whoever does has it keep what it fetched, to be looked at."""
    profile, laptop = tmp_path / "profile", Device(tmp_path / "home", real_vault.url, "a long evening", PASSWORD, PIN)
    laptop.register()
    make_film(tmp_path / "long.mp4", 600, 200_000_000)
    with http_proxy_to(real_vault.port) as proxy, lone_browser(profile) as address:
        browser = driver.chromium.connect_over_cdp(address)
        cinema = Cinema(Visitor(browser.contexts[0].pages[0], proxy.url, username=laptop.user), proxy, laptop)
        cinema.add(tmp_path / "long.mp4")
        cinema.visitor.log_in()
        cinema.open("long").evaluate("() => { const film = document.querySelector('video');"
                                     " film.muted = true; film.playbackRate = 16; void film.play() }")  # fmt: skip
        browser.close()
        time.sleep(2)
        begun, most, end = memory_of(profile), 0, time.monotonic() + 120
        while cinema.fetched() < 200_000_000 and time.monotonic() < end:
            time.sleep(0.5)
            most = max(most, memory_of(profile))
        print(f"{cinema.fetched():,} bytes fetched and played; pages grew by {(most - begun) / 1e6:.0f} MB at most")
        assert cinema.fetched() >= 200_000_000
        assert most - begun < GROWTH


@contextmanager
def lone_browser(profile: Path) -> Iterator[str]:
    """A Chromium that runs by itself, and where it can be spoken to."""
    arguments = [*FLAGS, "--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    process = subprocess.Popen([find_chromium(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        told, end = profile / "DevToolsActivePort", time.monotonic() + 30
        while not told.exists() or "\n" not in told.read_text():
            assert time.monotonic() < end, "it did not begin"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{told.read_text().splitlines()[0]}"
    finally:
        process.terminate()
        process.wait()


def memory_of(profile: Path) -> int:
    """Bytes of memory that the pages of a browser hold, service workers among them."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if b"--type=" not in command and str(profile).encode() in command:
                for pid in descendants(int(process.name)):
                    child = Path(f"/proc/{pid}")
                    if b"--type=renderer" in (child / "cmdline").read_bytes():
                        found += int((child / "statm").read_text().split()[1]) * resource.getpagesize()
    assert found > 0
    return found


def test_a_flipped_byte_is_said_and_never_shown(cinema: Cinema, real_vault: RealVault, tmp_path: Path) -> None:
    kept = real_vault.data / "blobs" / "kept"
    before = {path for path in kept.rglob("*") if path.is_file()}
    cinema.add_film(tmp_path / "film.mp4")
    added = {path for path in kept.rglob("*") if path.is_file()} - before
    stored = max(added, key=lambda path: path.stat().st_size)
    visitor = cinema.visitor
    visitor.log_in()
    seek(cinema.open("film"), 0.3)
    with stored.open("r+b") as file:
        file.seek(4_000_000)  # green
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    cinema.proxy.before = lambda _: True  # all of the file is asked for, to learn whose fault it is
    frame = cinema.open("film")
    with contextlib.suppress(Error):  # it may have read ahead, found it, and be gone already
        frame.evaluate("document.querySelector('video').currentTime = 30 * 0.65")
    expect(visitor.page.get_by_text(visitor.say("problem.blob_swapped")).first).to_be_visible(timeout=PATIENCE)
    expect(visitor.page.locator("iframe")).to_have_count(0)
    wait_for_no_video(visitor.page)


def test_two_films_at_once_and_each_ends_alone(cinema: Cinema, tmp_path: Path) -> None:
    visitor, page = cinema.visitor, cinema.visitor.page
    for name in ("one", "two"):
        make_film(tmp_path / f"{name}.mp4", 30, 3_000_000)
    laptop = cinema.laptop
    laptop.ok("journal", "add", laptop.user, "--text", "Both", "--attach", tmp_path / "one.mp4",
              "--attach", tmp_path / "two.mp4")  # fmt: skip
    visitor.log_in()
    visitor.open_row("Both")
    for name in ("one.mp4", "two.mp4"):
        page.get_by_role("button", name=f"{visitor.say('documents.open.video')} {name}").click()
    steps = page.evaluate("history.length")
    frames = [page.frame_locator(f"iframe[title='{name}.mp4']").locator("video") for name in ("one", "two")]
    for film in frames:
        film.evaluate("(film) => { film.muted = true; return film.play() }")
    page.get_by_role("button", name=f"{visitor.say('documents.file.hide')} one.mp4").click()
    expect(page.locator("iframe")).to_have_count(1)
    at = frames[1].evaluate("(film) => film.currentTime")
    frames[1].evaluate("(film) => new Promise((done) => { film.onseeked = done; film.currentTime = 25 })")
    require_shown(frames[1], "blue")
    assert at < 20
    assert page.evaluate("history.length") == steps


def test_it_plays_with_nothing_registered_whatever_the_browser_or_another_tab_does_to_its_service_worker(
    cinema: Cinema, tmp_path: Path
) -> None:
    """So it goes with its frame, however that ends: nobody has to end it in time."""
    visitor, page = cinema.visitor, cinema.visitor.page
    make_film(tmp_path / "film.mp4", 120, 24_000_000)
    cinema.add(tmp_path / "film.mp4")
    visitor.log_in()
    frame = cinema.open("film")
    wait_until_unregistered(page)
    seek(frame, 0.2)
    for place, colour in ((0.6, "green"), (0.9, "blue")):
        browser = page.context.new_cdp_session(page)
        browser.send("ServiceWorker.enable")
        browser.send("ServiceWorker.stopAllWorkers")
        browser.detach()
        seek(frame, place)
        require_shown(frame.locator("video"), colour)
    beside = Cinema(Visitor(page.context.new_page(), cinema.proxy.url, username=visitor.username), cinema.proxy,
                    cinema.laptop)  # fmt: skip
    beside.visitor.log_in()
    other = beside.open("film")
    beside.visitor.lock()
    wait_for_no_worker(beside.visitor.page)
    assert page.evaluate(REGISTERED) == 0
    seek(frame, 0.5)
    require_shown(frame.locator("video"), "green")
    assert other.is_detached()


def test_a_network_that_goes_is_said_and_it_goes_on_where_it_was(cinema: Cinema, tmp_path: Path) -> None:
    cinema.add_film(tmp_path / "film.mp4", 60, 12_000_000)
    visitor, page = cinema.visitor, cinema.visitor.page
    visitor.log_in()
    frame = cinema.open("film")
    seek(frame, 0.25)
    cinema.proxy.before = lambda heard: not heard.target.startswith("/v1/blobs/")
    frame.evaluate("document.querySelector('video').currentTime = 50")  # far from all that was read ahead
    expect(page.get_by_text(visitor.say("problem.network")).first).to_be_visible(timeout=PATIENCE)
    cinema.proxy.before = cinema.note
    page.get_by_role("button", name=visitor.say("documents.open.video")).click()
    again = player(page)
    again.evaluate(
        "async () => { while (!(document.querySelector('video').currentTime >= 14.9)) "
        "await new Promise((done) => setTimeout(done, 10)) }"
    )


def test_keys_reach_the_film_and_the_way_out_leaves_it(
    cinema: Cinema, neutral: NeutralSite, tmp_path: Path
) -> None:
    cinema.add_film(tmp_path / "film.mp4")
    visitor, page = cinema.visitor, cinema.visitor.page
    visitor.log_in()
    frame = cinema.open("film")
    page.locator("main h1").focus()
    page.keyboard.press("Tab")
    expect(frame.locator("video")).to_be_focused()
    expect(page.locator("iframe.focused")).to_have_count(1)
    for key, does in (
        ("Space", "!film.paused && film.currentTime > 0"),
        ("Space", "film.paused && (window.stood = film.currentTime) > 0"),
        ("ArrowRight", "film.currentTime > window.stood"),
        ("ArrowDown", "film.volume < 1"),
    ):
        page.keyboard.press(key)
        frame.wait_for_function(f"() => {{ const film = document.querySelector('video'); return {does} }}")
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(neutral.address)
    assert neutral.asked == 1


# the end


@pytest.mark.alone
def test_out_of_a_film_that_plays_is_as_fast_as_ever(
    cinema: Cinema, neutral: NeutralSite, tmp_path: Path
) -> None:
    """And nothing of it is in the page that waits for the neutral one; Back meets nothing of ours."""
    cinema.add_film(tmp_path / f"{STEM}.mp4")
    visitor, page = cinema.visitor, cinema.visitor.page
    watch = Stopwatch(page)

    def leave() -> float:
        visitor.log_in()
        seek(cinema.open(STEM), 0.3)
        return watch.measure(tap, neutral)

    spent = judge(leave)
    print(f"out of a film: {spent:.0f} ms")
    assert spent < MOST
    visitor.log_in()
    seek(cinema.open(STEM), 0.3)
    for act in ("document.querySelector('[data-exit]').click()", "history.back()"):
        heap = heap_on_the_way_out(page, neutral, act)
        assert heap.find([STEM]) == {} and heap.count("video") == heap.count("iframe") == 0
        page.goto(neutral.address)


@pytest.mark.alone
def test_a_lock_silences_a_film_in_that_very_moment(cinema: Cinema, tmp_path: Path) -> None:
    cinema.add_film(tmp_path / f"{STEM}.mp4")
    visitor, page = cinema.visitor, cinema.visitor.page
    visitor.log_in()
    frame = cinema.open(STEM)
    seek(frame, 0.3)
    assert take_heap(page).count("video") == 1
    silent = page.evaluate(
        """async (name) => {
          const film = document.querySelector("iframe").contentDocument.querySelector("video");
          const lock = [...document.querySelectorAll("button")].find((each) => each.textContent === name);
          if (film.paused) return null;
          const begun = performance.now();
          lock.click();
          while (!film.paused || film.isConnected) await null;
          return [performance.now() - begun, film.getAttribute("src"), document.querySelectorAll("iframe").length];
        }""",
        visitor.say("shell.lock"),
    )
    assert silent is not None, "it did not play"
    assert silent[0] < 100 and silent[1:] == [None, 0]
    visitor.heading("account.door.title")
    wait_for_no_worker(page)
    wait_until_unregistered(page)
    heap = take_heap(page)
    assert heap.find([STEM]) == {} and heap.count("video") == heap.count("iframe") == 0
    step(page, "back")
    visitor.heading("account.door.title")
    assert page.locator("iframe").count() == 0


@pytest.mark.parametrize("end", ["lock", "exit", "closed"])
def test_no_file_of_the_browser_holds_any_of_a_film(
    driver: Playwright, real_vault: RealVault, neutral: NeutralSite, tmp_path: Path, end: str
) -> None:
    profile, laptop = tmp_path / "profile", Device(tmp_path / "home", real_vault.url, f"profile {end}")
    laptop.register()
    make_film(tmp_path / f"{STEM}.mp4", 30, 10_000_000, canary=IN_CLEAR)
    laptop.ok("documents", "add", laptop.user, tmp_path / f"{STEM}.mp4")
    with http_proxy_to(real_vault.port) as proxy:
        with own_browser(driver, profile) as context:
            visitor = Visitor(context.pages[0], proxy.url, "fr", laptop.user, laptop.password, laptop.pin)
            cinema = Cinema(visitor, proxy, laptop)
            visitor.log_in()
            frame = cinema.open(STEM)
            seek(frame, 0.3)
            seek(frame, 0.9)
            assert hidden_files_with(IN_CLEAR) == []
            if end == "lock":
                visitor.lock()
            elif end == "exit":
                tap(visitor.page)
                visitor.page.wait_for_url(neutral.address)
            if end != "closed":
                look_beside(context, proxy.url)
        files = files_in(profile)
        assert {name for name, data in files.items() if find_canaries(name.encode() + data, [STEM])} == set()
        with own_browser(driver, profile) as context:
            look_beside(context, proxy.url)  # also after it was closed in the middle, before anybody comes back


def look_beside(context: BrowserContext, address: str) -> None:
    """What another page of this origin finds in the browser: nothing. The rest of it is looked at in test_traces."""
    beside = context.new_page()
    beside.goto(f"{address}/fr/1")
    wait_until_unregistered(beside)
    stored = beside.evaluate(STORED)
    beside.close()
    assert stored["caches"] == [] and stored["local"] == stored["session"] == {} and stored["workers"] == 0


def wait_until_unregistered(page: Page) -> None:
    """Whoever ends a service worker doesn't wait for the browser to have done so."""
    wait_until(page, lambda: page.evaluate(REGISTERED) == 0, "a service worker is left")


def test_where_no_service_worker_may_be_a_small_film_plays_whole(
    driver: Playwright, real_vault: RealVault, tmp_path: Path
) -> None:
    profile, laptop = tmp_path / "profile", Device(tmp_path / "home", real_vault.url, "without workers")
    laptop.register()
    make_film(tmp_path / "film.mp4", 30, 3_000_000)
    laptop.ok("documents", "add", laptop.user, tmp_path / "film.mp4", "--title", "film")
    (profile / "Default").mkdir(parents=True)
    forbidden = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(forbidden))
    with own_browser(driver, profile) as context:
        page = context.pages[0]
        visitor = Visitor(page, real_vault.url, "fr", laptop.user, laptop.password, laptop.pin)
        visitor.log_in()
        visitor.go_to("shell.documents")
        page.get_by_role("link").filter(has_text="film").first.click()
        page.get_by_role("button", name=visitor.say("documents.open.video")).click()
        film = page.locator("video.player")
        film.evaluate("(film) => new Promise((done) => { film.onseeked = done; film.currentTime = 28 })")
        require_shown(film, "blue")
        visitor.lock()
        wait_for_no_video(page)


def wait_for_no_video(page: Page) -> None:
    """A browser lets go of a film that was ended once it has told everybody of its end."""
    try:
        wait_until(page, lambda: take_heap(page).count("video") == 0, "a film is held")
    except AssertionError:
        raise AssertionError(["a film is held", *take_heap(page).holders("video")]) from None
