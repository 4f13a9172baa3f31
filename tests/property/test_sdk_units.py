"""A sealed file is cut exactly as the wire's units are, and comes back from them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

from hypothesis import example, given, settings
from hypothesis import strategies as st

from client_sdk.contents import sealed_content_size
from client_sdk.uploader import _CHUNKS, _blocks, _units
from crypto_core.sealing.envelope import HEADER_SIZE, open_stream, seal_stream
from crypto_core.sealing.padding import pad_content, unpad_content
from crypto_core.sealing.records import content_opener, content_sealer, make_content_key
from schemas.limits import unit_count, unit_range


class Dripping(io.BytesIO):
    """A file that gives less than it is asked for, as unbuffered files may."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._step if size is None or size < 0 else min(size, self._step))


def units_of(data: bytes, step: int, key: bytes) -> Iterator[memoryview]:
    sealer = content_sealer(key, bytes(16))
    sealed = seal_stream(sealer, pad_content(len(data), _blocks(Dripping(data, step))), chunks=_CHUNKS)
    return chain.from_iterable(_units(sealed))


@given(st.integers(0, 1_200_000), st.sampled_from((1000, 65_536, 10**9)))
@example(262_144 - 16_384, 10**9)
@example(262_144 * 4 - 16_384, 65_536)
@example(262_144 * 9, 10**9)
@settings(max_examples=25, deadline=None)
def test_units_are_those_of_the_wire(size: int, step: int) -> None:
    key, data = make_content_key(), bytes(size)
    units = list(units_of(data, step, key))
    sealed = sealed_content_size(size)
    assert [len(unit) for unit in units] == [
        stop - start for start, stop in (unit_range(number, sealed) for number in range(unit_count(sealed)))
    ]
    whole = b"".join(units)
    opener = content_opener(key, bytes(16), whole[:HEADER_SIZE])
    assert b"".join(unpad_content(open_stream(opener, iter((whole[HEADER_SIZE:],))))) == data
