"""Where a pack is written: all of it is on the disk before the opening that it came from is let go of."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk.packs.sink import SealedSink, open_sink
from crypto_core.sealing.backup import make_backup_key, open_backup
from tests.fakes.canary import find_canaries

CANARY = "un canari très reconnaissable"


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_what_is_there_once_a_sink_is_left_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    synced = set[int]()
    monkeypatch.setattr(os, "fsync", lambda file: synced.add(os.fstat(file).st_ino))
    with open_sink(tmp_path / name) as sink:
        sink.write("page.html", [b"words"])
        sink.write("sealed/one", [b"bytes", b"and more"])
    written = [tmp_path, tmp_path / name, *(tmp_path / name).rglob("*")]
    missing = [path for path in written[1 if name == "pack" else 0:] if path.stat().st_ino not in synced]
    assert missing == []


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_what_breaks_off_leaves_nothing_half_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError), open_sink(tmp_path / name) as sink:
        sink.write("page.html", [b"words"])
        raise OSError
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == (["page.html"] if name == "pack" else [])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 400_000), max_size=3), max_size=4), st.data())
def test_a_sealed_sink_gives_back_what_it_has_also_while_it_writes(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[list[int]], data: st.DataObject
) -> None:
    place, key = tmp_path_factory.mktemp("sealed") / "file", make_backup_key()
    files = {f"{number}": [os.urandom(size) for size in each] for number, each in enumerate(sizes)}
    with open(place, "w+b") as file, SealedSink(file, key) as sink:
        for number, (name, blocks) in enumerate(files.items()):
            sink.write(name, blocks)
            earlier = data.draw(st.integers(0, number))
            copied = f"copy of {name}"
            sink.write(copied, sink.read(str(earlier)))
            assert b"".join(sink.read(copied)) == b"".join(files[str(earlier)])
    with zipfile.ZipFile(BytesIO(b"".join(open_backup(key, [place.read_bytes()])))) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 2 * len(files)
        assert all(archive.read(name) == b"".join(blocks) for name, blocks in files.items())


def test_a_sealed_sink_writes_no_clear_byte_at_any_moment(tmp_path: Path) -> None:
    place = tmp_path / "file"
    with pytest.raises(OSError), open(place, "w+b", buffering=0) as file, SealedSink(file, make_backup_key()) as sink:
        for number in range(40):
            sink.write(f"{CANARY} {number}", [CANARY.encode() * 1000])
            assert find_canaries(place.read_bytes(), [CANARY]) == []
        raise OSError
    written = place.read_bytes()
    assert len(written) > 1 << 20 and find_canaries(written, [CANARY]) == []
    assert written.count(b"PK\x01\x02") == written.count(b"PK\x03\x04") == 0
