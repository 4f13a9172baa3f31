"""A hash that is computed aside is the hash of what went by, in its order, whoever else uses the same thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from client_sdk.hashing import BEHIND, Sha256Aside


@given(st.lists(st.binary(max_size=5000), max_size=3 * BEHIND), st.data())
def test_two_streams_on_one_line_are_each_hashed_in_their_order(blocks: list[bytes], data: st.DataObject) -> None:
    with ThreadPoolExecutor(1) as line:
        ours, others = Sha256Aside(line), Sha256Aside(line)
        passed = []
        for block in ours.passing(blocks):
            others.update(block[::-1])
            passed.append(block)
        assert passed == blocks
        assert ours.digest() == sha256(b"".join(blocks)).digest()
        assert others.digest() == sha256(b"".join(block[::-1] for block in blocks)).digest()
        ours.update(b"more")
        assert ours.digest() == sha256(b"".join(blocks) + b"more").digest()


def test_no_more_than_a_few_blocks_wait() -> None:
    """A file that is read faster than it is hashed must not gather in memory."""
    free, drawn = threading.Event(), list[int]()
    with ThreadPoolExecutor(1) as line, ThreadPoolExecutor(1) as reader:
        line.submit(free.wait, 30)
        aside = Sha256Aside(line)

        def read() -> None:
            for number in range(4 * BEHIND):
                drawn.append(number)
                aside.update(bytes(8))

        reading = reader.submit(read)
        with pytest.raises(TimeoutError):
            reading.result(0.5)
        assert len(drawn) == BEHIND + 1
        free.set()
        reading.result(30)
        assert aside.digest() == sha256(bytes(8 * 4 * BEHIND)).digest()
