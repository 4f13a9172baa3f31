"""What a shell may do to `temoin`, in real processes: one stream for secrets and text, a closed output, a signal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_proxy import Heard, HttpProxy, http_proxy_to
from tests.fakes.processes import BIN, Device, clean_environment, serving


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpProxy]:
    """The way to a vault of two workers."""
    with serving(tmp_path_factory.mktemp("vault") / "data") as vault, http_proxy_to(vault.port) as proxy:
        yield proxy


@pytest.fixture
def device(tmp_path: Path, way: HttpProxy) -> Device:
    made = Device(tmp_path / "home", way.url, user=f"ana {tmp_path.name}")
    made.register()
    return made


def start(device: Device, *words: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """`temoin` with its secrets in the environment."""
    environment = clean_environment(
        TEMOIN_HOME=str(device.home), TEMOIN_SERVER=device.server, TEMOIN_PASSWORD=device.password,
        TEMOIN_PIN=device.pin,
    )  # fmt: skip
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([BIN / "temoin", *map(str, words)], env=environment, **{**streams, **more})


def texts(device: Device) -> list[str]:
    ids = [one["id"] for one in device.ok("journal", "list", device.user, "--json").json]
    return [device.ok("journal", "show", device.user, one, "--json").json["text"] for one in ids]


def test_password_pin_and_text_come_in_one_stream(device: Device) -> None:
    environment = clean_environment(TEMOIN_HOME=str(device.home), TEMOIN_SERVER=device.server)
    ran = subprocess.run(
        [BIN / "temoin", "journal", "add", device.user, "-", "--secrets-fd", "0"], env=environment,
        input=f"{device.password}\n{device.pin}\nthe rest,\nall of it\n".encode(), capture_output=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert texts(device) == ["the rest,\nall of it\n"]


def test_whoever_types_nothing_keeps_nothing_unless_something_was_said(device: Device) -> None:
    for words, code in (((), 2), (("--danger", "9"), 0)):
        keyboard, terminal = pty.openpty()
        try:
            os.write(keyboard, b"\x04")
            process = start(device, "journal", "add", device.user, *words, stdin=terminal)
            _, said = process.communicate(timeout=60)
            assert (process.returncode, b"nothing was kept" in said) == (code, code == 2)
        finally:
            os.close(keyboard)
            os.close(terminal)
    assert texts(device) == [""]


@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)])
def test_what_is_written_with_its_output_closed_is_kept_and_that_nobody_was_told_is_a_failure(
    device: Device, closed: tuple[int, ...]
) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    process = start(device, "journal", "add", device.user, "--text", "in the dark", preexec_fn=close)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.count(b"(device)")) == (1, 0 if 2 in closed else 1)
    assert texts(device) == ["in the dark"]


def open_files(pid: int) -> Iterator[str]:
    """What a process has open, also of what has no name."""
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(each)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_window_leaves_nothing_readable_and_ends_the_session(
    tmp_path: Path, device: Device, way: HttpProxy, how: signal.Signals
) -> None:
    (tmp_path / "film.mp4").write_bytes(os.urandom(3_000_000))
    item = device.ok("documents", "add", device.user, tmp_path / "film.mp4", "--json").json[0]["id"]
    back = tmp_path / "back"
    back.mkdir()
    begun, named, processes, is_started = list[str](), list[str](), list[subprocess.Popen[bytes]](), threading.Event()

    def before(heard: Heard) -> bool:
        if heard.method == "GET" and heard.target.startswith("/v1/blobs/"):
            is_started.wait(60)
            begun.extend(path for path in open_files(processes[0].pid) if path.startswith(f"{back}/"))
            named.extend(os.listdir(back))
            processes[0].send_signal(how)
        return True

    way.before = before
    try:
        words = ("documents", "get", device.user, item, "-o", back)
        process = start(device, *words, preexec_fn=lambda: signal.signal(how, signal.SIG_DFL))
        processes.append(process)
        is_started.set()
        _, said = process.communicate(timeout=60)
    finally:
        way.before = lambda _: True
    assert (process.returncode, b"(stopped)" in said) == (130, True)
    assert len(begun) == 1 and named == os.listdir(back) == []
    assert way.heard[-1].target == "/v1/logout"
