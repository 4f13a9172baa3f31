"""What every BlobStore promises, asked of each of them."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.problems import Refusal
from server.stores import PIECE, BlobStore, NotKept, NotStaged
from server.stores.folder import FolderBlobStore
from server.stores.memory import MemoryBlobStore
from tests.fakes.buckets import bucket_store

BLOB, OTHER = bytes(range(16)), bytes(16)


@contextmanager
def memory_store(_folder: Path, _request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    yield MemoryBlobStore()


@contextmanager
def folder_store(folder: Path, _request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    yield FolderBlobStore(folder / "blobs")


@contextmanager
def s3_store(folder: Path, request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    with bucket_store(folder, request.getfixturevalue("swift").settings()) as store:
        yield store


@contextmanager
def s3_store_of_small_volumes(folder: Path, request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    with bucket_store(folder, request.getfixturevalue("swift").settings(), volume=100_000) as store:
        yield store


@contextmanager
def strange_s3_store(folder: Path, request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    with bucket_store(folder, request.getfixturevalue("rclone").settings()) as store:
        yield store


STORES: dict[str, Callable[[Path, pytest.FixtureRequest], AbstractContextManager[BlobStore]]] = {
    "memory": memory_store,
    "folder": folder_store,
    "s3": s3_store,
    "s3-small-volumes": s3_store_of_small_volumes,
    "s3-strange": strange_s3_store,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    with STORES[request.param](tmp_path, request) as made:
        yield made


def stage(store: BlobStore, blob: bytes, offset: int, pieces: list[bytes]) -> None:
    store.stage(blob, offset, sum(map(len, pieces)), pieces)


def anything(_digest: bytes) -> None:
    """A check that lets every blob through."""


def keep(store: BlobStore, blob: bytes, data: bytes) -> None:
    stage(store, blob, 0, [data])
    store.finish(blob, len(data), anything)


def read(store: BlobStore, blob: bytes, start: int, stop: int) -> bytes:
    return b"".join(store.read(blob, start, stop))


def test_pieces_in_any_order_make_the_whole(store: BlobStore) -> None:
    data = os.urandom(1000)
    stage(store, BLOB, 600, [data[600:]])
    stage(store, BLOB, 0, [data[:100], data[100:300]])
    stage(store, BLOB, 200, [data[200:600]])
    seen: list[bytes] = []
    store.finish(BLOB, 1000, seen.append)
    assert seen == [sha256(data).digest()]
    assert read(store, BLOB, 0, 1000) == data
    assert store.size(BLOB) == 1000


@pytest.mark.parametrize("size", [4 * PIECE - 1, 4 * PIECE, 4 * PIECE + 1, 8 * PIECE, 9 * PIECE + 5])
def test_the_whole_is_hashed_to_its_last_byte_whatever_is_read_at_once(store: BlobStore, size: int) -> None:
    data, seen = os.urandom(size), list[bytes]()
    stage(store, BLOB, 0, [data])
    store.finish(BLOB, size, seen.append)
    store.finish(BLOB, size, seen.append)
    assert seen == [sha256(data).digest()] * 2


def test_nothing_is_kept_before_it_is_finished(store: BlobStore) -> None:
    stage(store, BLOB, 0, [b"bytes"])
    assert store.size(BLOB) is None
    with pytest.raises(NotKept):
        store.read(BLOB, 0, 1)


def test_what_the_check_refuses_is_not_kept_and_stays_staged(store: BlobStore) -> None:
    def refuse(_digest: bytes) -> None:
        raise Refusal("upload_mismatch")

    stage(store, BLOB, 0, [b"bytes"])
    with pytest.raises(Refusal, match="upload_mismatch"):
        store.finish(BLOB, 5, refuse)
    assert store.size(BLOB) is None
    store.finish(BLOB, 5, anything)
    assert read(store, BLOB, 0, 5) == b"bytes"


@pytest.mark.parametrize("size", [4, 6])
def test_another_length_is_not_staged(store: BlobStore, size: int) -> None:
    stage(store, BLOB, 0, [b"bytes"])
    with pytest.raises(NotStaged):
        store.finish(BLOB, size, anything)


def test_an_unknown_blob_is_not_staged(store: BlobStore) -> None:
    keep(store, OTHER, b"other")
    with pytest.raises(NotStaged):
        store.finish(BLOB, 5, anything)


def test_finishing_again_checks_what_is_kept(store: BlobStore) -> None:
    keep(store, BLOB, b"bytes")
    seen: list[bytes] = []
    store.finish(BLOB, 5, seen.append)
    assert seen == [sha256(b"bytes").digest()]


def test_what_is_kept_is_never_replaced(store: BlobStore) -> None:
    keep(store, BLOB, b"first")
    stage(store, BLOB, 0, [b"other"])
    seen: list[bytes] = []
    store.finish(BLOB, 5, seen.append)
    assert seen == [sha256(b"first").digest()]
    with pytest.raises(Refusal, match="blob_conflict"):
        store.finish(BLOB, 4, anything)
    assert read(store, BLOB, 0, 5) == b"first"


def test_a_straggler_never_writes_into_what_is_kept(store: BlobStore) -> None:
    """It began before the blob was finished; its bytes come after."""

    def late() -> Iterator[bytes]:
        yield b"first"
        store.finish(BLOB, 5, anything)
        yield b"XXXXX"

    stage(store, BLOB, 0, [b"first"])
    with pytest.raises(Refusal, match="upload_complete"):
        store.stage(BLOB, 0, 10, late())
    assert read(store, BLOB, 0, 5) == b"first"
    assert store.size(BLOB) == 5


def test_what_the_body_raises_goes_to_the_caller(store: BlobStore) -> None:
    def cut() -> Iterator[bytes]:
        yield b"by"
        raise Refusal("body_incomplete")

    with pytest.raises(Refusal, match="body_incomplete"):
        store.stage(BLOB, 0, 5, cut())


def test_staged_bytes_can_be_read_again_as_far_as_they_go(store: BlobStore) -> None:
    stage(store, BLOB, 0, [b"0123456789"])
    assert b"".join(store.staged(BLOB, 2, 5)) == b"234"
    assert b"".join(store.staged(BLOB, 8, 20)) == b"89"
    assert b"".join(store.staged(OTHER, 0, 20)) == b""


def test_what_is_staged_is_told_until_it_is_kept_or_discarded(store: BlobStore) -> None:
    def cut() -> Iterator[bytes]:
        told.append(sorted(store.staging()))
        yield b"by"
        raise Refusal("body_incomplete")

    told = [store.staging()]
    stage(store, BLOB, 0, [b"by"])
    stage(store, BLOB, 2, [b"tes"])
    with pytest.raises(Refusal, match="body_incomplete"):
        store.stage(OTHER, 0, 5, cut())
    assert list(map(list, told)) == [[], sorted([BLOB, OTHER])]
    store.finish(BLOB, 5, anything)
    store.discard(OTHER)
    assert list(store.staging()) == []


def test_reading_comes_in_pieces_and_keeps_to_its_range(store: BlobStore) -> None:
    data = os.urandom(2 * PIECE + 10)
    keep(store, BLOB, data)
    pieces = list(store.read(BLOB, 5, len(data) - 1))
    assert b"".join(pieces) == data[5:-1]
    assert max(map(len, pieces)) <= PIECE
    assert read(store, BLOB, 7, 7) == b""
    with pytest.raises(NotKept):
        store.read(BLOB, 0, len(data) + 1)


def test_discarding_and_deleting(store: BlobStore) -> None:
    keep(store, BLOB, b"bytes")
    stage(store, OTHER, 0, [b"other"])
    store.discard(OTHER)
    store.discard(BLOB)
    assert read(store, BLOB, 0, 5) == b"bytes"
    with pytest.raises(NotStaged):
        store.finish(OTHER, 5, anything)
    store.delete(BLOB)
    store.delete(BLOB)
    store.discard(BLOB)
    assert store.size(BLOB) is None
    with pytest.raises(NotStaged):
        store.finish(BLOB, 5, anything)


def test_a_deleted_blob_can_be_kept_anew(store: BlobStore) -> None:
    keep(store, BLOB, b"first")
    store.delete(BLOB)
    keep(store, BLOB, b"second")
    assert read(store, BLOB, 0, 6) == b"second"


def test_many_writers_and_two_who_finish(store: BlobStore) -> None:
    data = os.urandom(64 * 1024)
    step = len(data) // 16
    writers = [
        threading.Thread(target=stage, args=(store, BLOB, at, [data[at:at + step]])) for at in range(0, len(data), step)
    ]
    seen: list[bytes] = []
    finishers = [threading.Thread(target=store.finish, args=(BLOB, len(data), seen.append)) for _ in range(2)]
    for group in (writers, finishers):
        for thread in group:
            thread.start()
        for thread in group:
            thread.join()
    assert seen == 2 * [sha256(data).digest()]
    assert read(store, BLOB, 0, len(data)) == data


def test_somebody_else_finishes_after_one_has_seen_what_is_staged(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = os.urandom(64 * 1024), list[bytes]()
    with bucket_store(tmp_path, request.getfixturevalue("swift").settings()) as store:
        stage(store, BLOB, 0, [data])
        bucket = store._bucket
        get = bucket.get

        def late(*arguments: Any) -> Any:
            monkeypatch.undo()
            store.finish(BLOB, len(data), seen.append)
            return get(*arguments)

        monkeypatch.setattr(bucket, "get", late)
        store.finish(BLOB, len(data), seen.append)
        assert seen == 2 * [sha256(data).digest()]
        assert read(store, BLOB, 0, len(data)) == data


def test_the_folder_is_for_nobody_else(tmp_path: Path) -> None:
    store = FolderBlobStore(tmp_path / "blobs")
    keep(store, BLOB, b"bytes")
    stage(store, OTHER, 0, [b"other"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "blobs").rglob("*")}
    assert modes == {"kept": 0o700, "staged": 0o700, "00": 0o700, BLOB.hex(): 0o400, OTHER.hex(): 0o600}


def test_the_folder_tells_a_full_disk_from_another_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderBlobStore(tmp_path / "blobs")
    for number, code in ((28, "storage_full"), (5, "unavailable")):
        def fail(*_: object, number: int = number) -> int:
            raise OSError(number, "no")

        monkeypatch.setattr(os, "pwrite", fail)
        with pytest.raises(Refusal, match=code):
            stage(store, BLOB, 0, [b"bytes"])


def open_below(folder: Path) -> list[str]:
    """The files of a folder that this process has open; what else it has, others' threads may be closing."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # it was closed meanwhile
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [name for name in found if name.startswith(f"{folder}/")]


def test_the_folder_lets_go_of_a_file_that_is_not_read_to_its_end(tmp_path: Path) -> None:
    store = FolderBlobStore(tmp_path / "blobs")
    keep(store, BLOB, bytes(3 * PIECE))
    assert open_below(tmp_path) == []
    pieces = store.read(BLOB, 0, 3 * PIECE)
    next(pieces)
    assert [Path(name).name for name in open_below(tmp_path)] == [BLOB.hex()]
    del pieces
    assert open_below(tmp_path) == []


def test_the_folder_passes_over_what_is_not_its_own(tmp_path: Path) -> None:
    store = FolderBlobStore(tmp_path / "blobs")
    stage(store, BLOB, 0, [b"bytes"])
    for name in (".nfs0000000000c4e1a100000001", BLOB.hex()[:-1], BLOB.hex().upper()):
        (tmp_path / "blobs" / "staged" / name).write_bytes(b"x")
    assert list(store.staging()) == [BLOB]


def test_the_folder_finishes_what_a_crash_left_closed_but_staged(tmp_path: Path) -> None:
    """The process died after the mode was changed and before the file was moved."""
    store = FolderBlobStore(tmp_path / "blobs")
    stage(store, BLOB, 0, [b"bytes"])
    (tmp_path / "blobs" / "staged" / BLOB.hex()).chmod(0o400)
    store.finish(BLOB, 5, anything)
    assert read(store, BLOB, 0, 5) == b"bytes"
