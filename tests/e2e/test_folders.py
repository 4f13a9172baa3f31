"""Folders through real processes, two workers: over a network that is cut, past a kill -9, and watched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_sdk.cli.watching import SETTLED
from tests.fakes.http_proxy import Heard, HttpProxy, http_proxy_to
from tests.fakes.processes import BIN, Device, clean_environment, serving

SIZES = {"a.jpg": 3_000, "beach/b.mp4": 3_000_000, "beach/deep/c.pdf": 70_000, "d.bin": 900_000, "empty": 0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "canary-holiday"
    for name, size in SIZES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(os.urandom(size))
    (made / ".trash").mkdir()
    (made / ".trash" / "old.jpg").write_bytes(b"old")
    (made / "link.jpg").symlink_to("a.jpg")
    return made


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[HttpProxy]:
    """The way to a vault of two workers."""
    with serving(tmp_path / "data") as vault, http_proxy_to(vault.port) as way:
        yield way
        assert "canary" not in (vault.data / "server.log").read_text()


@pytest.fixture
def device(tmp_path: Path, proxy: HttpProxy) -> Device:
    made = Device(tmp_path / "home", proxy.url)
    made.register()
    return made


@contextlib.contextmanager
def started(device: Device, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """`temoin documents add` while it runs; killed at the end if it still does.

    It hears Ctrl-C also where the tests are a shell's background job, which doesn't.
    """
    reading, writing = os.pipe()
    os.write(writing, f"{device.password}\n{device.pin}\n".encode())
    os.close(writing)
    process = subprocess.Popen(
        [BIN / "temoin", "documents", "add", device.user, *arguments, "--secrets-fd", str(reading)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[reading], text=True,
        env=clean_environment(PYTHONUNBUFFERED="1", TEMOIN_HOME=str(device.home), TEMOIN_SERVER=device.server),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    os.close(reading)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def kept(device: Device) -> list[str]:
    return sorted(one["title"] for one in device.ok("documents", "list", device.user, "--json").json)


def everything(folder: Path) -> list[str]:
    return sorted(f"{folder.name}/{name}" for name in SIZES)


def require_same(device: Device, folder: Path, back: Path) -> None:
    """What is in the vault is what lies in the folder, byte for byte."""
    for one in device.ok("documents", "list", device.user, "--json").json:
        device.ok("documents", "get", device.user, one["id"], "-o", back, "--force")
        assert back.read_bytes() == (folder.parent / one["title"]).read_bytes()


def test_a_folder_over_a_cut_network_is_deposited_once(
    tmp_path: Path, folder: Path, device: Device, proxy: HttpProxy
) -> None:
    """Two requests are lost, at the fifth the program is killed; the next run goes on, a third finds nothing new."""
    seen, running = 0, list[subprocess.Popen[str]]()

    def before(heard: Heard) -> bool:
        nonlocal seen
        seen += "/units/" in heard.target
        if seen == 5:
            running[0].send_signal(signal.SIGKILL)
        return seen not in (2, 3, 5)

    with started(device, folder) as process:
        running.append(process)
        proxy.before = before
        assert process.wait(60) == -signal.SIGKILL
    proxy.before = lambda _: True
    ended = device.ok("documents", "add", device.user, folder)
    assert ended.err.count("Left out") == 2 and ".trash" in ended.err and "link.jpg" in ended.err
    assert kept(device) == everything(folder)
    require_same(device, folder, tmp_path / "back")
    units = [heard for heard in proxy.heard if "/units/" in heard.target]
    assert sum(len(heard.body) for heard in units) < 2 * sum(SIZES.values())
    again = device.ok("documents", "add", device.user, folder)
    assert "5 files were deposited before" in again.err
    assert kept(device) == everything(folder)


def test_a_watched_folder_is_taken_as_it_fills_and_never_twice(tmp_path: Path, folder: Path, device: Device) -> None:
    names = everything(folder)
    with started(device, folder, "--watch") as process:
        growing = folder / "growing.mp4"
        with growing.open("wb") as file:
            for _ in range(8):  # for longer than a file has to stay the same
                file.write(os.urandom(10_000))
                file.flush()
                time.sleep(SETTLED / 6)
        names.append(f"{folder.name}/growing.mp4")
        require_titles(process, names)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, "No longer watching." in err) == (0, True)
    (folder / "later.jpg").write_bytes(b"while nobody watched")
    with started(device, folder, "--watch") as process:
        require_titles(process, [f"{folder.name}/later.jpg"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert kept(device) == sorted([*names, f"{folder.name}/later.jpg"])
    require_same(device, folder, tmp_path / "back")


def require_titles(process: subprocess.Popen[str], titles: list[str]) -> None:
    """The program says of each of these, once, that it is kept."""
    assert process.stdout is not None
    said = list[str]()
    while len(said) < len(titles):
        line = process.stdout.readline()
        assert line, "it ended"
        if line.strip() in titles:
            said.append(line.strip())
    assert sorted(said) == sorted(titles)
