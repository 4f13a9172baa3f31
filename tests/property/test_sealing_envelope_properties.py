"""The envelope, for any message, cut, range, key, context and change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError
from crypto_core.sealing.envelope import (
    CHUNK_SIZE,
    HEADER_SIZE,
    MAX_CHUNKS,
    Opener,
    Sealer,
    in_flight,
    open_range,
    open_sealed,
    open_stream,
    plain_size,
    seal,
    seal_stream,
    sealed_range,
    sealed_size,
    split_off,
)

KEYS = st.binary(min_size=32, max_size=32)
SALTS = st.binary(min_size=24, max_size=24)
BORDERS = st.sampled_from([0, 1, CHUNK_SIZE, 2 * CHUNK_SIZE, 16 * CHUNK_SIZE, 32 * CHUNK_SIZE])
SIZES = st.builds(lambda border, near: max(0, border + near), BORDERS, st.integers(-2, 2)) | st.integers(0, 70_000)
KEY, CONTEXT = bytes(32), b"context"


def message_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[start:stop] for start, stop in pairwise([0, *places, len(data)])]


@settings(max_examples=60, deadline=None)
@given(KEYS, st.binary(max_size=80), SALTS, SIZES)
def test_what_is_sealed_opens(key: bytes, context: bytes, salt: bytes, size: int) -> None:
    message = message_of(size)
    sealed = seal(key, context, message, salt=salt)
    assert len(sealed) == sealed_size(size) and plain_size(len(sealed)) == size
    assert sealed[:24] == salt
    assert open_sealed(key, context, sealed) == message


@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_streams_equal_the_whole_however_cut_and_in_parallel(size: int, data: st.DataObject) -> None:
    message = message_of(size)
    sealer = Sealer(KEY, CONTEXT, salt=bytes(24))
    whole = seal(KEY, CONTEXT, message, salt=bytes(24))
    with ThreadPoolExecutor(2) as pool:
        for run in (map, in_flight(pool, data.draw(st.integers(1, 5)))):
            chunks = data.draw(st.integers(1, 40))
            assert b"".join(seal_stream(sealer, data.draw(cuts(message)), run=run, chunks=chunks)) == whole
            header, body = split_off(data.draw(cuts(whole)), HEADER_SIZE)
            assert b"".join(open_stream(Opener(KEY, CONTEXT, header), body, run=run, chunks=chunks)) == message


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 70_000), st.data())
def test_a_range_is_the_slice(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    sealed = seal(KEY, CONTEXT, message_of(size))
    sealed_start, sealed_stop, _ = sealed_range(start, stop)
    opener = Opener(KEY, CONTEXT, sealed[:HEADER_SIZE])
    opened = open_range(opener, start, stop, sealed[sealed_start:sealed_stop], of=len(sealed))
    assert opened == message_of(size)[start:stop]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 40_000), st.data())
def test_any_flipped_bit_is_refused(size: int, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, CONTEXT, message_of(size)))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TamperedError):
        open_sealed(KEY, CONTEXT, bytes(sealed))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40_000), st.data())
def test_any_cut_is_refused(size: int, data: st.DataObject) -> None:
    sealed = seal(KEY, CONTEXT, message_of(size))
    short = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    with pytest.raises((TamperedError, MalformedError)):
        open_sealed(KEY, CONTEXT, short)
    with pytest.raises((TamperedError, MalformedError)):
        header, body = split_off([short], HEADER_SIZE)
        list(open_stream(Opener(KEY, CONTEXT, header), body))


@settings(max_examples=100, deadline=None)
@given(KEYS, st.binary(max_size=40), KEYS, st.binary(max_size=40))
def test_another_key_or_context_is_refused(key: bytes, context: bytes, other: bytes, elsewhere: bytes) -> None:
    assume((key, context) != (other, elsewhere))
    with pytest.raises(TamperedError):
        open_sealed(other, elsewhere, seal(key, context, b"message"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_raise_only_our_errors(data: bytes) -> None:
    with pytest.raises(CryptoCoreError):
        open_sealed(KEY, CONTEXT, data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, MAX_CHUNKS * CHUNK_SIZE - 1))
@example(0)
@example(MAX_CHUNKS * CHUNK_SIZE - 1)
def test_sizes_are_inverse(size: int) -> None:
    assert plain_size(sealed_size(size)) == size


@settings(max_examples=300, deadline=None)
@given(st.integers(-10, 2**53) | st.integers(-10, 200_000))
def test_every_sealed_length_is_taken_or_refused(sealed: int) -> None:
    try:
        size = plain_size(sealed)
    except MalformedError:
        return
    assert sealed_size(size) == sealed
