"""kill -9 of the real `temoin` while it adds an entry, and at each unit of an upload: the next run goes on, and nothing
differs.

Every unit that ever left the device is compared: under one blob id, and so under one key and salt, the same place never
carried two different bytes. What is kept in the end is the file, byte for byte, under the id of the first run.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from schemas.limits import unit_range
from tests.fakes.http_proxy import Heard, HttpProxy, http_proxy_to
from tests.fakes.processes import BIN, Device, clean_environment, serving

_UNITS = re.compile(r"/v1/uploads/([\w-]{22})/units/(\d+)")
_ITEMS, _LOGOUT = re.compile("/v1/items"), re.compile("/v1/logout")


@contextlib.contextmanager
def _running(device: Device, *words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real program, while it does this."""
    reading, writing = os.pipe()
    os.write(writing, f"{device.password}\n{device.pin}\n".encode())
    os.close(writing)
    process = subprocess.Popen(
        [BIN / "temoin", *words, "--secrets-fd", str(reading), "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[reading],
        env=clean_environment(TEMOIN_HOME=str(device.home), TEMOIN_SERVER=device.server),
    )  # fmt: skip
    os.close(reading)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def _kill_at(
    proxy: HttpProxy, device: Device, words: Sequence[str | Path], target: re.Pattern[str], number: int, arrives: bool
) -> bool:
    """Kills a run of the program when its request number `number` to such a target has left it; whether it came that
    far."""
    started: list[subprocess.Popen[bytes]] = []
    seen = 0

    def before(heard: Heard) -> bool:
        nonlocal seen
        if heard.method == "GET" or not target.fullmatch(heard.target):
            return True
        seen += 1
        if seen < number:
            return True
        started[0].send_signal(signal.SIGKILL)
        return arrives and seen == number

    with _running(device, *words) as process:
        started.append(process)
        proxy.before = before
        code = process.wait(120)
    proxy.before = lambda _: True
    assert code == (-signal.SIGKILL if seen >= number else 0)
    return code != 0


def _sent_units(proxy: HttpProxy, size: int) -> dict[tuple[str, int], set[bytes]]:
    """Blob and unit → every different bytes that left the device for it."""
    sent: dict[tuple[str, int], set[bytes]] = {}
    for heard in proxy.heard:
        if (found := _UNITS.fullmatch(heard.target)) is None:
            continue
        blob, unit, body = found[1], int(found[2]), heard.body
        while body:
            start, stop = unit_range(unit, size)
            sent.setdefault((blob, unit), set()).add(body[: stop - start])
            body, unit = body[stop - start :], unit + 1
    return sent


def _are_one(different: set[bytes]) -> bool:
    """Whether all of them begin the longest: what a death cut in the middle is what it was cut from."""
    longest = max(different, key=len)
    return all(longest.startswith(one) for one in different)


def _rounds(folder: Path, kills: list[tuple[int, bool]], size: int) -> int:
    """One upload through all these deaths; how many of them happened before it was complete."""
    with serving(folder / "vault", workers=1) as vault, http_proxy_to(vault.port) as proxy:
        device = Device(folder / "home", proxy.url)
        device.register()
        path = folder / "video.mp4"
        path.write_bytes(Random(size).randbytes(size))
        died = 0
        for number, arrives in kills:
            if not _kill_at(proxy, device, ("documents", "add", device.user, path), _UNITS, number, arrives):
                break
            died += 1
        else:
            device.ok("documents", "add", device.user, path)
        (kept,) = device.ok("documents", "list", device.user, "--json").json
        device.ok("documents", "get", device.user, kept["id"], "-o", folder / "back.mp4")
        assert (folder / "back.mp4").read_bytes() == path.read_bytes()
        (size_sealed,) = {int(re.findall(rb'"size":(\d+)', heard.body)[0]) for heard in proxy.heard
                          if heard.target == "/v1/uploads"}  # fmt: skip
        sent = _sent_units(proxy, size_sealed)
        assert all(map(_are_one, sent.values())), "two different bytes under one nonce"
        assert len({blob for blob, _ in sent}) == 1, "the upload was begun anew"
        assert list((device.home).glob("*/*/uploads/*")) == []
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr
        return died


def test_a_unit_that_was_cut_is_told_from_another() -> None:
    assert _are_one({b"unit", b"un", b""})
    assert not _are_one({b"unit", b"ur"})


def test_an_upload_survives_a_death_at_each_unit(tmp_path: Path) -> None:
    kills = [(1, number % 5 > 0) for number in range(13)]  # ten units arrive, one a run; thrice nothing does
    assert _rounds(tmp_path, kills, 10 * 262_144) == 13


def test_an_entry_survives_a_death_before_its_request_arrives_after_it_and_once_it_is_kept(tmp_path: Path) -> None:
    """It lies in the outbox before anything leaves, and goes from there in the transaction that keeps it."""
    steps = [(_ITEMS, 1, False), (_ITEMS, 2, True), (_LOGOUT, 1, True)]  # each run first sends what waits
    with serving(tmp_path / "vault", workers=1) as vault, http_proxy_to(vault.port) as proxy:
        device = Device(tmp_path / "home", proxy.url)
        device.register()
        titles = [f"entry {number}" for number in range(len(steps))]
        for title, (target, number, arrives) in zip(titles, steps, strict=True):
            words = ("journal", "add", device.user, "--text", "as it was", "--title", title)
            assert _kill_at(proxy, device, words, target, number, arrives)
        listed = [device.ok("journal", "list", device.user, "--json").json for _ in range(2)]
        assert [sorted(one["title"] for one in entries) for entries in listed] == [titles, titles]
        sent = [heard.body for heard in proxy.heard if heard.method == "POST" and _ITEMS.fullmatch(heard.target)]
        assert [sent.count(one) for one in dict.fromkeys(sent)] == [2, 2, 1], "sent again as it was, until it was kept"
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.soak
def test_uploads_survive_two_hundred_deaths(tmp_path: Path) -> None:
    random, died = Random(3), 0
    for number in range(40):
        if died >= 200:
            break
        kills = [(random.randint(1, 4), random.random() < 0.5) for _ in range(12)]
        folder = tmp_path / str(number)
        folder.mkdir()
        died += _rounds(folder, kills, random.randint(2, 60) * 262_144 + random.randint(0, 999))
    assert died >= 200
