"""Where a pack is written: all of it is on the disk before the opening that it came from is let go of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client_sdk.packs.sink import open_sink


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
