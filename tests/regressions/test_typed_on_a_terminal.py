"""What is typed on a terminal stands nowhere else. A long paragraph lost its end in silence, and all was lost with a
photograph that could not be sent, or for one letter in another encoding.
"""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.http_proxy import Heard, http_proxy_to
from tests.fakes.processes import BIN, Device, clean_environment, serving

PARAGRAPH = "Le soir du 3 mars, devant les enfants, il a crié. " * 100
assert len(PARAGRAPH.encode()) > 4096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("vault") / "data") as vault:
        yield vault.url


@pytest.fixture
def device(tmp_path: Path, server: str) -> Device:
    made = Device(tmp_path / "home", server, user=f"ana {tmp_path.name}")
    made.register()
    return made


class Typing:
    """`temoin` on a terminal, from the moment in which it asks for the text."""

    def __init__(self, device: Device, *words: str | Path, quiet: bool = False) -> None:
        self._keyboard, terminal = pty.openpty()
        environment = clean_environment(
            TEMOIN_HOME=str(device.home), TEMOIN_SERVER=device.server, TEMOIN_PASSWORD=device.password,
            TEMOIN_PIN=device.pin, TERM="dumb",
        )  # fmt: skip
        self._process = subprocess.Popen(
            [BIN / "temoin", *map(str, words)], env=environment, stdin=terminal,
            stdout=subprocess.DEVNULL if quiet else terminal, stderr=terminal,
        )  # fmt: skip
        os.close(terminal)
        self.said = b""
        self._stopped = False
        self._asked = threading.Event()
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()
        assert self._asked.wait(60)

    def end(self, *lines: bytes) -> int:
        """Types these lines; gives how the program ended, and has what it said in `said`."""
        for line in (*lines, b"\x04"):
            for start in range(0, len(line), 512):
                os.write(self._keyboard, line[start : start + 512])
        ended = self._process.wait(60)
        self._hearing.join(60)
        os.close(self._keyboard)
        self.said = b" ".join(self.said.split())  # a terminal has lines of 80
        return ended

    def stop(self) -> None:
        """What Ctrl-C does, once: that itself isn't heard where the tests run in the background of a shell."""
        if not self._stopped:
            self._stopped = True
            self._process.terminate()

    def _hear(self) -> None:
        with suppress(OSError):  # Linux says so where others say that it is the end
            while more := os.read(self._keyboard, 65536):
                self.said += more
                if b"nothing." in self.said:
                    self._asked.set()


def texts(device: Device) -> list[str]:
    ids = [one["id"] for one in device.ok("journal", "list", device.user, "--json").json]
    return [device.ok("journal", "show", device.user, one, "--json").json["text"] for one in ids]


def test_a_long_paragraph_is_kept_whole(device: Device) -> None:
    typing = Typing(device, "journal", "add", device.user)
    assert typing.end(PARAGRAPH.encode(), b"\n", "et après\n".encode()) == 0
    assert texts(device) == [f"{PARAGRAPH}\net après\n"]
    (item,) = device.ok("journal", "list", device.user, "--json").json
    typing = Typing(device, "journal", "edit", device.user, item["id"], "-")
    assert typing.end(PARAGRAPH.upper().encode(), b"\n") == 0
    assert texts(device) == [f"{PARAGRAPH.upper()}\n"]


def test_where_the_terminal_edits_a_line_that_it_cut_is_told(device: Device) -> None:
    typing = Typing(device, "journal", "add", device.user, quiet=True)
    assert typing.end(b"short\n", PARAGRAPH.encode(), b"\n") == 0
    assert b"of line 2 what came after 4095 bytes is missing" in typing.said
    (kept,) = texts(device)
    assert kept.startswith("short\nLe soir du 3 mars")


def test_a_photograph_that_can_not_be_sent_keeps_no_typed_text_from_being_kept(device: Device, tmp_path: Path) -> None:
    gone, there = tmp_path / "gone.jpg", tmp_path / "there.jpg"
    for path in (gone, there):
        path.write_bytes(b"a photograph")
    typing = Typing(device, "journal", "add", device.user, "--attach", gone, "--attach", there)
    gone.unlink()
    assert typing.end(b"what happened\n") == 1
    assert b"Kept" in typing.said and b"Not with it: gone.jpg" in typing.said and b"(files_left)" in typing.said
    assert texts(device) == ["what happened\n"]
    (item,) = device.ok("journal", "list", device.user, "--json").json
    assert [one["name"] for one in item["contents"]] == ["there.jpg"]


def test_one_letter_in_another_encoding_costs_no_other(device: Device) -> None:
    typing = Typing(device, "journal", "add", device.user, quiet=True)
    assert typing.end(b"il a cri\xe9\n") == 0
    assert b"did not come as UTF-8" in typing.said
    assert texts(device) == ["il a cri\ufffd\n"]


def test_whose_session_ended_while_they_typed_is_told_that_the_text_waits(device: Device) -> None:
    typing = Typing(device, "journal", "add", device.user)
    new = (device.password, device.pin, "a boat on the wide lake", device.pin)
    assert device.run("change", device.user, secrets=new).code == 0
    assert typing.end(b"what happened\n") == 1
    assert b"is sealed on this device. Each opening tries to send it." in typing.said
    device.password = new[2]
    assert texts(device) == ["what happened\n"]


def test_a_photograph_that_can_not_be_sent_keeps_no_typed_change_from_being_kept(
    device: Device, tmp_path: Path
) -> None:
    id_ = device.ok("journal", "add", device.user, "--text", "before", "--json").json["id"]
    gone = tmp_path / "gone.jpg"
    gone.write_bytes(b"a photograph")
    typing = Typing(device, "journal", "edit", device.user, id_, "-", "--attach", gone)
    gone.unlink()
    assert typing.end(b"what happened\n") == 1
    assert b"Not with it: gone.jpg" in typing.said and b"(files_left)" in typing.said
    assert texts(device) == ["what happened\n"]


def test_who_stops_the_files_of_what_they_typed_has_it_kept_without_them(device: Device, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(3_000_000))
    with http_proxy_to(int(device.server.rpartition(":")[2])) as proxy:
        vault, device.server = device.server, proxy.url
        typing = Typing(device, "journal", "add", device.user, "--attach", film)

        def before(heard: Heard) -> bool:
            if "/uploads" in heard.target:
                typing.stop()
            return True

        proxy.before = before
        assert typing.end(b"what happened\n") == 1
        device.server = vault
    assert b"Kept" in typing.said and b"Not with it: film.mp4. You stopped it" in typing.said
    assert texts(device) == ["what happened\n"]
