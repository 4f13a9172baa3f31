"""A long video: 300 MB in `make test`, 1 GiB in `make soak`, through real processes, with what it costs."""

from __future__ import annotations

import hashlib
import random  # a fixed stream of bytes for a file; nothing secret is drawn from it
from pathlib import Path

import pytest

from tests.fakes.processes import Device, RealVault, running
from tests.fakes.proxy import proxy_to
from tests.fakes.swift import store_environment

MIB = 1024 * 1024


def make_file(path: Path, size: int) -> str:
    """A file of `size` bytes that don't repeat; returns its SHA-256."""
    stream, digest = random.Random(size), hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            block = stream.randbytes(min(MIB, size - start))
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize("place", ["folder", "s3"])
@pytest.mark.parametrize(
    "size", [300_000_000, pytest.param(1024 * MIB, marks=pytest.mark.soak)], ids=["300MB", "1GiB"]
)
def test_a_long_video_goes_and_comes_back(
    tmp_path: Path, size: int, place: str, request: pytest.FixtureRequest
) -> None:
    original = tmp_path / "video.mp4"
    digest = make_file(original, size)
    described = RealVault(tmp_path / "data", environment=store_environment(place, request))
    with running(described) as vault, proxy_to(vault.port) as proxy:
        device = Device(tmp_path / "home", vault.url)
        device.register()
        kept = device.ok("documents", "add", device.user, original, "--json").json[0]
        original.unlink()

        other = Device(tmp_path / "second", vault.url)
        back = tmp_path / "back.mp4"
        other.ok("documents", "get", other.user, kept["id"], "-o", back)
        assert file_hash(back) == digest

        near = Device(tmp_path / "near", f"http://127.0.0.1:{proxy.port}")
        start, stop = size * 9 // 10, size * 9 // 10 + 1_000_000
        near.ok("documents", "list", near.user)
        part = tmp_path / "part"
        before = proxy.traffic.down
        near.ok("documents", "get", near.user, kept["id"], "--range", f"{start}:{stop}", "-o", part)
        received = proxy.traffic.down - before
        with back.open("rb") as file:
            file.seek(start)
            assert part.read_bytes() == file.read(stop - start)
        assert received <= (stop - start) + 64 * 1024
        assert vault.workers_peak() <= 120 * MIB
        vault.stop()
        assert vault.command("check").returncode == 0
