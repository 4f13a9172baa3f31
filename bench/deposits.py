"""Deposits through real processes: small entries one by one, each with a verified receipt, and one large file.

The large file is compared with writing, hashing and syncing the same bytes to the same disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row, median_seconds, medians_in_turn
from bench.vault import open_vault
from client_sdk.client import Draft

ENTRIES = 100
SIZE = 128 * 2**20


def measure() -> Iterator[Row]:
    with open_vault() as (_, folder, client):

        def write_entries() -> None:
            for number in range(ENTRIES):
                client.write_entry(Draft(text=f"{number} " + "x" * 500))

        yield Row("entries, kept one by one", ENTRIES, "entries", median_seconds(write_entries, 3))

        original = folder / "video.bin"
        original.write_bytes(os.urandom(2**20) * (SIZE // 2**20))

        def plain_copy() -> None:
            _copy(original, folder / "copy.bin")

        seconds, copied = medians_in_turn(lambda: client.add_document(original), plain_copy, 3)
        yield Row("a file, sealed, sent and kept", SIZE, "B", seconds, "copy, SHA-256, fsync", copied)

        item = next(item for item in client.items("document"))
        content = item.contents[0]

        def read_back() -> None:
            for _ in client.read_content(item, content):
                pass

        yield Row("the file, fetched and verified", SIZE, "B", median_seconds(read_back, 3))


def _copy(source: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(2**20):
            digest.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
