"""Contents, whole or any range: the bytes that were asked for, however they lie in chunks, runs and segments, and no
more requests than that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import combinations_with_replacement

import pytest

from client_sdk.contents import Contents, sealed_content_size
from client_sdk.errors import RangeInvalid, ServerFault
from client_sdk.items import Content
from client_sdk.progress import NO_PROGRESS
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE
from crypto_core.sealing.padding import CONTENT_BORDER
from tests.fakes.wrongly import seal_wrongly

DATA = make_bytes(37 * 8192 - CONTENT_BORDER)
"""Padded, it is no longer, and its last chunk is half full."""
RUN = RUN_CHUNKS * CHUNK_SIZE


@dataclass
class Kept:
    """Blobs that are given in blocks of 10,000 bytes, and what was asked for."""

    blobs: dict[bytes, bytes] = field(default_factory=dict)
    asked: list[tuple[int, int | None]] = field(default_factory=list)

    def keep(self, data: bytes) -> Content:
        content, self.blobs[content.blob] = seal_wrongly("rightly", data)
        return content

    def read(self, blob: bytes, start: int, stop: int | None) -> Iterator[bytes]:
        self.asked.append((start, stop))
        given = self.blobs[blob][start:stop]
        for at in range(0, len(given), 10_000):
            yield given[at:at + 10_000]


class Told:
    """What a progress heard."""

    def __init__(self) -> None:
        self.heard: list[str | int] = []

    def start(self, label: str, total: int) -> None:
        self.heard += [label, total, 0]

    def advance(self, count: int) -> None:
        assert isinstance(self.heard[-1], int)
        self.heard[-1] += count

    def checking(self) -> None:
        raise AssertionError

    def done(self) -> None:
        self.heard.append("done")


def joined(*parts: Content) -> Content:
    """A recording of these segments, each of which holds DATA."""
    whole = DATA * len(parts)
    return replace(parts[0], sha256=sha256(whole).digest(), size=len(whole), parts=parts)


@pytest.mark.parametrize("data", [DATA, make_bytes(2**20 - CONTENT_BORDER)], ids=["half a chunk", "whole chunks"])
def test_any_range_is_that_range(data: bytes) -> None:
    kept, size = Kept(), len(data)
    content, contents = kept.keep(data), Contents(kept.read, NO_PROGRESS)
    places = sorted((0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, RUN, size - RUN, size - 1, size))
    for start, stop in combinations_with_replacement(places, 2):
        assert b"".join(contents.read(content, start, stop)) == data[start:stop], (start, stop)
    assert b"".join(contents.read(content, 7)) == data[7:]
    assert b"".join(contents.read(content, 7, size + 1)) == data[7:]


def test_a_range_of_a_recording_goes_over_its_segments() -> None:
    kept = Kept()
    content, contents = joined(*(kept.keep(DATA) for _ in range(3))), Contents(kept.read, NO_PROGRESS)
    whole, size = 3 * DATA, len(DATA)
    assert b"".join(contents.read(content)) == whole
    for start, stop in ((0, 9), (size - 9, size + 9), (size, size + 9), (size - 9, 2 * size + 9), (2 * size, 3 * size)):
        assert b"".join(contents.read(content, start, stop)) == whole[start:stop], (start, stop)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (len(DATA) + 1, None), (9, 8), (len(DATA), 0)])
def test_a_range_outside_is_refused_before_anything_is_asked_for(start: int, stop: int | None) -> None:
    kept = Kept()
    content = kept.keep(DATA)
    with pytest.raises(RangeInvalid):
        Contents(kept.read, NO_PROGRESS).read(content, start, stop)
    assert kept.asked == []


def test_a_range_takes_its_own_chunks_and_the_header() -> None:
    kept = Kept()
    content, contents = kept.keep(DATA), Contents(kept.read, NO_PROGRESS)
    list(contents.read(content, 0, 1))
    assert kept.asked == [(0, HEADER_SIZE + 2 * SEALED_CHUNK_SIZE)]  # the first chunk is the head's
    kept.asked.clear()
    list(contents.read(content, len(DATA) - 1, len(DATA)))
    whole = sealed_content_size(len(DATA))
    assert kept.asked == [(0, HEADER_SIZE), (HEADER_SIZE + 18 * SEALED_CHUNK_SIZE, whole)]


def test_fewer_bytes_than_the_range_holds_are_the_vaults_fault() -> None:
    kept = Kept()
    content = kept.keep(DATA)

    def cut(blob: bytes, start: int, stop: int | None) -> Iterator[bytes]:
        return kept.read(blob, start, stop if start == 0 or stop is None else stop - SEALED_CHUNK_SIZE)

    with pytest.raises(ServerFault):
        list(Contents(cut, NO_PROGRESS).read(content, 9 * CHUNK_SIZE, 11 * CHUNK_SIZE))


@pytest.mark.parametrize(("far", "total"), [(1, SEALED_CHUNK_SIZE), (None, sealed_content_size(len(DATA)))])
def test_progress_hears_of_what_is_read_and_of_its_end(far: int | None, total: int) -> None:
    kept, told = Kept(), Told()
    content = kept.keep(DATA)
    list(Contents(kept.read, told).read(content, 0, far))
    assert told.heard == ["a.bin", total, total, "done"]
