"""Many files at once, through the whole SDK and the whole server: none twice, whatever was cut."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from client_sdk import gathering
from client_sdk.client import VaultClient
from client_sdk.errors import NetworkError
from client_sdk.gathering import AT_ONCE, Chosen, Outcome, Plan
from client_sdk.taken import Taken
from crypto_core.randomness import make_bytes
from tests.fakes.devices import Device, make_device, register, stretch_once
from tests.fakes.vault import FakeVault

UNIT = 262_144


@pytest.fixture
def laptop(vault: FakeVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    stretch_once(monkeypatch)
    device = make_device(vault, tmp_path / "laptop")
    register(device)
    return device


@pytest.fixture
def files(tmp_path: Path) -> list[Chosen]:
    """Small ones, one of several units, an empty one, and one whose name is no text."""
    folder = tmp_path / "holiday"
    folder.mkdir()
    sizes = {"a.jpg": 10, "b.jpg": 5 * UNIT, "empty": 0, os.fsdecode(b"caf\xe9.txt"): 1000, "z.bin": UNIT}
    for name, size in sizes.items():
        (folder / name).write_bytes(make_bytes(size))
    return [Chosen(folder / name, f"holiday/{number}") for number, name in enumerate(sizes)]


def add(client: VaultClient, files: list[Chosen], plan: Plan = Plan()) -> list[Outcome]:
    return list(client.add_documents(files, plan))


def kept_in(client: VaultClient) -> dict[str | None, bytes]:
    """Heading → SHA-256 of what comes back; each heading once."""
    items = client.items("document")
    found = {one.title: sha256(b"".join(client.read_content(one, one.contents[0]))).digest() for one in items}
    assert len(found) == len(items)
    return found


def on_disk(files: list[Chosen]) -> dict[str, bytes]:
    return {one.title: sha256(one.path.read_bytes()).digest() for one in files}


@pytest.mark.parametrize("sensitive", [False, True])
def test_each_file_is_deposited_once(laptop: Device, files: list[Chosen], sensitive: bool) -> None:
    with laptop.log_in() as client:
        first = add(client, [*files, Chosen(files[0].path, files[0].title)], Plan("injury", sensitive))
        assert len(first) == len(files)
        assert all(one.kept is not None and one.failure is None for one in first)
        assert {one.chosen for one in first} == set(files)
    with laptop.log_in() as client:  # another run of the program
        assert add(client, files, Plan(sensitive=sensitive)) == [Outcome(one) for one in files]
        files[0].path.touch()  # a copying program did this
        assert add(client, files[:1]) == [Outcome(files[0])]
        client.step_up("739154")
        assert kept_in(client) == on_disk(files)
        assert {one.category for one in client.items("document")} == {"injury"}


def test_other_bytes_at_the_same_place_are_another_document(laptop: Device, files: list[Chosen]) -> None:
    with laptop.log_in() as client:
        add(client, files[:1])
        files[0].path.write_bytes(b"other bytes")
        (outcome,) = add(client, files[:1])
        assert outcome.kept is not None and len(client.items("document")) == 2
        (outcome,) = add(client, files[:1], Plan(again=True))
        assert outcome.kept is not None and len(client.items("document")) == 3


def test_a_file_that_replaced_one_of_the_same_size_and_time_is_another(laptop: Device, files: list[Chosen]) -> None:
    path = files[0].path
    with laptop.log_in() as client:
        add(client, files[:1])
        before = path.stat()
        other = path.with_name("other")
        other.write_bytes(make_bytes(before.st_size))
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(path)
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        (outcome,) = add(client, files[:1])
        assert outcome.kept is not None and len(client.items("document")) == 2


def test_a_file_whose_rights_were_changed_is_read_once_and_not_deposited_again(
    laptop: Device, files: list[Chosen], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, really = list[Path](), gathering._digest

    def digest(path: Path) -> bytes:
        read.append(path)
        return really(path)

    monkeypatch.setattr(gathering, "_digest", digest)
    with laptop.log_in() as client:
        add(client, files)
        files[0].path.chmod(0o400)
    for _ in range(2):
        with laptop.log_in() as client:
            assert add(client, files) == [Outcome(one) for one in files]
    assert read == [files[0].path]


def test_what_was_deleted_does_not_come_back_by_itself(laptop: Device, files: list[Chosen]) -> None:
    with laptop.log_in() as client:
        (outcome,) = add(client, files[:1])
        assert outcome.kept is not None
        client.delete_item(outcome.kept.id)
        assert add(client, files[:1]) == [Outcome(files[0])]


@pytest.mark.parametrize("method, path, arrives", [
    ("PUT", "/v1/blobs/", True), ("PUT", "/units/", False), ("PUT", "/units/", True), ("POST", "/complete", True),
    ("POST", "/v1/items", False), ("POST", "/v1/items", True),
])  # fmt: skip
def test_a_cut_anywhere_keeps_each_file_once(
    laptop: Device, files: list[Chosen], method: str, path: str, arrives: bool
) -> None:
    asked = threading.Lock()
    passed = 0

    def cuts(request: httpx.Request) -> bool:
        nonlocal passed
        if request.method != method or path not in request.url.path:
            return False
        with asked:
            passed += 1
            return passed > 1  # from the second on the network is gone

    client = laptop.log_in()
    if arrives:
        laptop.network.cut_after = cuts
    else:
        laptop.network.cut_before = cuts
    with pytest.raises(NetworkError):
        add(client, files)
    laptop.network.cut_after = laptop.network.cut_before = lambda _: False
    with laptop.log_in() as client:  # sends what waits in the outbox first
        again = add(client, files)
        assert not any(one.failure for one in again)
        assert kept_in(client) == on_disk(files)


def test_a_death_between_the_record_and_the_list_is_none_the_less_once(
    laptop: Device, files: list[Chosen], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Taken, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with laptop.log_in() as client, pytest.raises(KeyboardInterrupt):
            add(client, files[:1])
    (marks,) = laptop.home.folder.rglob("marks")
    with marks.open("ab") as file:
        file.write(b"half a line")
    with laptop.log_in() as client:
        assert add(client, files[:1]) == [Outcome(files[0])]
        add(client, files)
    with laptop.log_in() as client:
        assert add(client, files) == [Outcome(one) for one in files]
        assert len(client.items("document")) == len(files)


def test_one_that_cant_be_read_or_changes_is_said_and_the_others_go_on(
    laptop: Device, files: list[Chosen], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, changing = files[0].path, files[1].path
    really = Path.open

    def opening(path: Path, *arguments: object, **options: object) -> object:
        if path == closed:
            raise PermissionError
        return really(path, *arguments, **options)  # type: ignore[call-overload]

    def grows(request: httpx.Request) -> bool:
        if "/units/" in request.url.path:
            with changing.open("ab") as file:
                file.write(b"one more second of video")
        return False

    monkeypatch.setattr(Path, "open", opening)
    laptop.network.cut_before = grows
    with laptop.log_in() as client:
        outcomes = {one.chosen: one for one in add(client, files)}
        codes = {chosen.title: one.failure.code for chosen, one in outcomes.items() if one.failure}
        assert codes == {files[0].title: "file_unreadable", files[1].title: "file_changed"}
        laptop.network.cut_before = lambda _: False
        monkeypatch.undo()
        add(client, files)
        assert kept_in(client) == on_disk(files)


def test_two_processes_never_have_the_same_file(laptop: Device, files: list[Chosen]) -> None:
    """The claim is between processes: a real one holds it, on the byte that stands for the file's place."""
    with laptop.log_in() as client:
        add(client, files[1:2])  # the list is there
        (marks,) = laptop.home.folder.rglob("marks")
        hold = "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True)"
        with subprocess.Popen(
            [sys.executable, "-c", f"{hold}; input()", marks], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None and other.stdout.readline() == b"1\n"
            (outcome,) = add(client, files[:1])
            assert outcome.failure is not None and outcome.failure.code == "adding_already"
            other.communicate(b"\n")
        (outcome,) = add(client, files[:1])
        assert outcome.kept is not None


def test_several_are_on_their_way_at_once(laptop: Device, tmp_path: Path) -> None:
    files = list[Chosen]()
    for number in range(2 * AT_ONCE):
        (tmp_path / str(number)).write_bytes(make_bytes(100))
        files.append(Chosen(tmp_path / str(number), str(number)))
    together = threading.Barrier(AT_ONCE, timeout=30)

    def meets(request: httpx.Request) -> bool:
        if request.url.path.startswith("/v1/blobs/"):
            together.wait()  # breaks unless AT_ONCE are here
        return False

    laptop.network.cut_before = meets
    with laptop.log_in() as client:
        assert all(one.kept for one in add(client, files))


def test_the_list_tells_nothing_of_what_it_lists(laptop: Device, files: list[Chosen]) -> None:
    with laptop.log_in() as client:
        add(client, files)
    (marks,) = laptop.home.folder.rglob("marks")
    data = marks.read_bytes()
    assert marks.stat().st_mode & 0o077 == 0 and marks.parent.stat().st_mode & 0o077 == 0
    for one in files:
        assert os.fsencode(one.path) not in data and sha256(one.path.read_bytes()).digest() not in data


def test_a_disk_that_takes_only_a_part_of_the_list_is_full(
    laptop: Device, files: list[Chosen], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, full = os.write, [True]
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20] if full else data))
    with laptop.log_in() as client:
        with pytest.raises(OSError, match="No space left"):
            add(client, files)
        assert client.items() == []
        full.clear()
        assert all(one.kept for one in add(client, files))
