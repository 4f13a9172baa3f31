"""A long video from a browser, over a link that is slow and cut again and again; and what a tab costs that sends one.

Short rounds here, the whole ones in `make soak`.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from schemas import limits
from tests.browser.app.test_traces import own_browser
from tests.e2e.test_large_files import MIB, file_hash, make_file
from tests.fakes.bad_network import BadNetwork, bad_network_to
from tests.fakes.processes import Device, RealVault, descendants
from tests.fakes.visitor import Visitor

MB = 1_000_000
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.tasks.push([Math.round(one.startTime), Math.round(one.duration)]);
}).observe({ entryTypes: ["longtask"] });
"""
"""Every task of the main thread that took 50 ms or more."""


@pytest.fixture
def network(real_vault: RealVault) -> Iterator[BadNetwork]:
    with bad_network_to(real_vault.port) as made:
        yield made


def somebody(context: BrowserContext, network: BadNetwork, name: str) -> Visitor:
    visitor = Visitor(context.new_page(), f"http://127.0.0.1:{network.port}", username=name)
    visitor.move_in()
    return visitor


def begin(visitor: Visitor, file: Path) -> None:
    """Chooses a file and has it kept."""
    visitor.go_to("shell.documents")
    visitor.follow("documents.add.name")
    visitor.page.get_by_label(visitor.say("documents.pick.files")).set_input_files(file)
    visitor.press("documents.add.keep", count=1)


def is_kept(visitor: Visitor, seconds: float) -> None:
    expect(visitor.page.get_by_text(visitor.say("documents.kept")).first).to_be_visible(timeout=seconds * 1000)


def sealed(size: int) -> int:
    """About how long a file of this size is once it is sealed; padding adds less than 3 %."""
    return size * (limits.CHUNK + 1) // (limits.CHUNK - 16)


def hash_elsewhere(visitor: Visitor, vault: RealVault, folder: Path) -> str:
    """The SHA-256 of the one document, as the command line gets it back."""
    device = Device(folder / "home", vault.url, visitor.username, visitor.password, visitor.pin)
    (kept,) = device.ok("documents", "list", device.user, "--json").json
    device.ok("documents", "get", device.user, kept["id"], "-o", folder / "back")
    return file_hash(folder / "back")


@pytest.mark.alone
@pytest.mark.parametrize(
    ("size", "rate", "every"),
    [(6 * MB, 4 * MB, 0.8), pytest.param(300 * MB, 5 * MB, 8.0, marks=pytest.mark.soak)], ids=["6MB", "300MB"],
)  # fmt: skip
def test_a_video_goes_over_a_link_that_is_cut_again_and_again(
    context: BrowserContext, network: BadNetwork, real_vault: RealVault, tmp_path: Path, size: int, rate: float,
    every: float,
) -> None:
    digest = make_file(tmp_path / "video.mp4", size)
    visitor = somebody(context, network, f"cut {size}")
    visitor.page.evaluate(WATCH)
    network.link.rate, network.link.cut_every = rate, every
    began = time.monotonic()
    begin(visitor, tmp_path / "video.mp4")
    is_kept(visitor, 20 + 4 * size / rate)
    spent, tasks = time.monotonic() - began, visitor.page.evaluate("tasks")
    network.link.cut_every = None
    sent, again = network.body_bytes, network.sent_again()
    print(
        f"{size / MB:.0f} MB: {spent:.1f} s, {network.cuts} cuts, {sent / size:.3f} times its bytes, {again} units "
        f"again of {network.in_flight_at_cuts()} in flight, tasks over 50 ms: {[task[1] for task in tasks]}"
    )
    assert network.cuts >= 2
    assert again <= network.in_flight_at_cuts()
    assert sent < 2 * size
    assert [task for task in tasks if task[1] > 100] == []
    assert len({put.blob for put in network.puts}) == 1
    assert hash_elsewhere(visitor, real_vault, tmp_path) == digest


@pytest.mark.parametrize(
    ("size", "rate"), [(5 * MB, 2 * MB), pytest.param(300 * MB, 20 * MB, marks=pytest.mark.soak)], ids=["5MB", "300MB"]
)
def test_a_tab_that_was_closed_at_half_of_a_file_goes_on_with_it(
    context: BrowserContext, network: BadNetwork, tmp_path: Path, size: int, rate: float
) -> None:
    file = tmp_path / "video.mp4"
    make_file(file, size)
    visitor = somebody(context, network, f"closed {size}")
    network.link.rate, network.link.most = rate, size / 2
    begin(visitor, file)
    end = time.monotonic() + 120
    while network.body_bytes < size / 2:
        assert time.monotonic() < end
        visitor.page.wait_for_timeout(20)
    half = network.body_bytes
    visitor.page.close()
    again = Visitor(context.new_page(), visitor.address, username=visitor.username)
    network.link.rate, network.link.most = None, math.inf
    again.log_in()
    expect(again.page.get_by_text(again.say("shell.uploads.unfinished", count=1))).to_be_visible()
    again.follow("shell.uploads.see")
    expect(again.page.get_by_text(file.name).first).to_be_visible()
    again.follow("documents.add.name")
    again.page.get_by_label(again.say("documents.pick.files")).set_input_files(file)
    expect(again.page.get_by_text(again.say("documents.begun.goes_on"), exact=True)).to_be_visible()
    again.press("documents.add.keep", count=1)
    is_kept(again, 120)
    print(f"{size / MB:.0f} MB: closed at {half / size:.2f}, {network.body_bytes / size:.3f} times its bytes in all")
    assert half > 0.4 * size
    assert network.sent_again() <= 2 * limits.UNITS_PER_PUT and network.body_bytes < 1.5 * sealed(size)
    assert len({put.blob for put in network.puts}) == 1
    again.go_to("shell.journal")
    expect(again.page.get_by_text(again.say("shell.uploads.unfinished", count=1))).to_have_count(0)


SLOW = 1_200_000 / 8
"""Bytes a second of a telephone at the edge of its network."""


@pytest.mark.soak
def test_at_the_edge_of_a_network_little_is_sent_twice_and_little_time_is_lost(
    context: BrowserContext, network: BadNetwork, tmp_path: Path
) -> None:
    """1.2 Mbit/s, 400 ms away, cut every 8 seconds; in real time. The short round of it is the web client's
    uploader_slow.test.ts, where only the link's time counts."""
    size = 20 * MB
    make_file(tmp_path / "video.mp4", size)
    visitor = somebody(context, network, "edge")
    network.link.rate, network.link.latency, network.link.cut_every = SLOW, 0.4, 8.0
    began = time.monotonic()
    begin(visitor, tmp_path / "video.mp4")
    for _ in range(10_000):
        if visitor.page.get_by_text(visitor.say("documents.kept")).count():
            break
        visitor.page.mouse.move(1, 1)
        visitor.page.keyboard.press("Control")  # somebody is there
        visitor.page.wait_for_timeout(500)
    spent, ideal = time.monotonic() - began, sealed(size) / SLOW
    network.link.cut_every = None
    sent = network.body_bytes / sealed(size)
    print(
        f"{size / MB:.0f} MB: {spent:.0f} s, {spent / ideal:.2f} times the ideal, {sent:.3f} times the bytes, "
        f"{network.cuts} cuts, {network.sent_again()} units again of {network.in_flight_at_cuts()} in flight"
    )
    assert network.cuts > 10
    assert sent <= 1.25
    assert spent <= 1.8 * ideal


@pytest.mark.soak
def test_a_tab_that_sends_a_gibibyte_hardly_grows(
    driver: Playwright, real_vault: RealVault, tmp_path: Path
) -> None:
    """What its process takes for itself at most, next to what it took when the vault was open and nothing was sent."""
    make_file(tmp_path / "video.mp4", 1024 * MIB)
    with own_browser(driver, tmp_path / "profile") as context:
        visitor = Visitor(context.pages[0], real_vault.url, username="gibibyte")
        visitor.move_in()
        visitor.go_to("shell.documents")
        visitor.follow("documents.add.name")
        tabs = renderers()
        before = sum(map(private_memory, tabs))
        visitor.page.get_by_label(visitor.say("documents.pick.files")).set_input_files(tmp_path / "video.mp4")
        visitor.press("documents.add.keep", count=1)
        most, kept = before, visitor.page.get_by_text(visitor.say("documents.kept"))
        began = time.monotonic()
        while kept.count() == 0:
            assert time.monotonic() - began < 600
            visitor.page.keyboard.press("Control")
            most = max(most, sum(map(private_memory, tabs)))
            visitor.page.wait_for_timeout(200)
        spent = time.monotonic() - began
    print(f"1 GiB in {spent:.0f} s; the tab took {before / MIB:.0f} MiB, at most {most / MIB:.0f} while it sent")
    assert most - before <= 150 * MIB


def renderers() -> list[int]:
    """The processes below this one that show pages."""
    found = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    assert found
    return found


def private_memory(pid: int) -> int:
    """What a process alone holds, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it is gone
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))
