"""Entries of one KiB through real processes: kept singly and in batches, each with a verified receipt; listed, opened.

"Kept" is what the client says: the vault's answer came after everything was on disk, and the receipt verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from bench.measure import Row, median_seconds
from bench.vault import open_vault
from client_sdk.client import Draft, VaultClient
from tests.fakes.processes import PASSWORD, PIN, USER

SINGLY = 200
BATCHES = 2000


def measure() -> Iterator[Row]:
    for place in ("memory", "disk"):
        yield from _measure_in(place)


def _measure_in(place: str) -> Iterator[Row]:
    with open_vault(place) as (url, folder, client):
        numbers = count()

        def draft() -> Draft:
            return Draft(text=f"{next(numbers):08d}".ljust(1024, "x"))

        def singly() -> None:
            for _ in range(SINGLY):
                client.write_entry(draft())

        def batches() -> None:
            client.write_entries([draft() for _ in range(BATCHES)])

        yield Row(f"entries kept singly, {place}", SINGLY, "entries", median_seconds(singly), rate=300)
        yield Row(f"entries kept in batches, {place}", BATCHES, "entries", median_seconds(batches), rate=2500)
        total = len(client.items())

        def listed() -> None:
            assert sum(len(item.text or "") >= 1024 for item in client.items()) == total

        yield Row(f"entries listed and opened, {place}", total, "entries", median_seconds(listed), rate=6000)

        def from_nothing() -> None:
            with VaultClient.connect(url, folder / f"new-{next(numbers)}") as other:
                other.log_in(USER, PASSWORD, PIN)
                assert len(other.items()) == total

        yield Row(f"the same on a new device, {place}", total, "entries", median_seconds(from_nothing))
