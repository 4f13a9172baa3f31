"""A long video: 130 MB in `make test`, 300 MB, 1 and 5 GiB in `make soak`, through real processes; what it costs.

Whoever held all of 130 MB would be found by the bounds of memory.
"""

from __future__ import annotations

import hashlib
import random  # a fixed stream of bytes for a file; nothing secret is drawn from it
import statistics
import time
from pathlib import Path

import pytest

from client_sdk.client import VaultClient
from tests.fakes.processes import PASSWORD, PIN, USER, Device, RealVault, running, serving
from tests.fakes.proxy import proxy_to
from tests.fakes.swift import store_environment

MIB = 1024 * 1024
SERVER_MEMORY = 120 * MIB
CLIENT_MEMORY = (120 + 64) * MIB
"""With Argon2id's 64 MiB."""
FIRST_BYTE = 0.1
"""Seconds until the first byte of a range is there, over loopback."""


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
    "size",
    [130_000_000, *(pytest.param(size, marks=pytest.mark.soak) for size in (300_000_000, 1024 * MIB, 5 * 1024 * MIB))],
    ids=["130MB", "300MB", "1GiB", "5GiB"],
)
def test_a_long_video_goes_and_comes_back(
    tmp_path: Path, size: int, place: str, request: pytest.FixtureRequest
) -> None:
    original = tmp_path / "video.mp4"
    digest = make_file(original, size)
    described = RealVault(tmp_path / "data", environment=store_environment(place, request), apart=True)
    with running(described) as vault, proxy_to(vault.port) as proxy:
        device = Device(tmp_path / "home", vault.url, apart=True)
        device.register()
        added = device.ok("documents", "add", device.user, original, "--json")
        kept = added.json[0]
        original.unlink()

        other = Device(tmp_path / "second", vault.url, apart=True)
        back = tmp_path / "back.mp4"
        got = other.ok("documents", "get", other.user, kept["id"], "-o", back)
        assert file_hash(back) == digest
        assert 0 < added.peak <= CLIENT_MEMORY
        assert 0 < got.peak <= CLIENT_MEMORY

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
        assert vault.workers_peak() <= SERVER_MEMORY
        vault.stop()
        assert vault.command("check").returncode == 0


@pytest.mark.alone
@pytest.mark.parametrize("size", [32 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.soak)], ids=["32MiB", "1GiB"])
def test_the_first_byte_of_a_range_is_there_at_once(tmp_path: Path, size: int) -> None:
    """Five ranges of one file in an open vault: the median, so that one slow moment of the machine is not the bar."""
    original = tmp_path / "video.mp4"
    make_file(original, size)
    with serving(tmp_path / "data") as vault:
        client = VaultClient.connect(vault.url, tmp_path / "home")
        client.register(client.make_account(USER, PASSWORD, PIN))
        client.log_in(USER, PASSWORD, PIN)
        item = client.item(client.add_document(original).id)
        took = list[float]()
        for tenth in range(5, 10):
            start = size * tenth // 10
            began = time.perf_counter()
            first = next(client.read_content(item, item.contents[0], start, start + MIB))
            took.append(time.perf_counter() - began)
            with original.open("rb") as file:
                file.seek(start)
                assert file.read(len(first)) == first
        client.close()
    assert statistics.median(took) < FIRST_BYTE
