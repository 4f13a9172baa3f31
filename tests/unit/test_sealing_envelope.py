"""Streams, threads and callers' mistakes around the envelope; what it seals and refuses is in the vectors."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, get_ident

import pytest

from crypto_core.errors import MalformedError, TamperedError
from crypto_core.sealing import envelope
from crypto_core.sealing.envelope import (
    CHUNK_SIZE,
    HEADER_SIZE,
    MAX_CHUNKS,
    SEALED_CHUNK_SIZE,
    Opener,
    Sealer,
    in_flight,
    open_stream,
    seal,
    seal_stream,
    sealed_size,
    split_off,
)

KEY, CONTEXT = bytes(range(32)), b"a context"
RUN = envelope.RUN_CHUNKS * CHUNK_SIZE


def blocks_of(message: bytes, size: int) -> list[bytes]:
    return [message[start : start + size] for start in range(0, len(message), size)]


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_is_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(bytes(size), CONTEXT)


@pytest.mark.parametrize("size", [0, 23, 25])
def test_a_salt_is_24_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="24 bytes"):
        seal(KEY, CONTEXT, b"", salt=bytes(size))


def test_a_salt_is_drawn_anew() -> None:
    assert Sealer(KEY, CONTEXT).salt != Sealer(KEY, CONTEXT).salt


def test_neither_side_shows_its_key() -> None:
    sealer = Sealer(KEY, CONTEXT)
    for shown in (repr(sealer), repr(Opener(KEY, CONTEXT, sealer.header)), repr(vars(sealer))):
        assert KEY.hex() not in shown and repr(KEY)[2:-1] not in shown


def test_part_of_a_chunk_only_at_the_end() -> None:
    with pytest.raises(ValueError, match="last"):
        Sealer(KEY, CONTEXT).seal_chunks(0, b"part", last=False)


@pytest.mark.parametrize("first", [-1, MAX_CHUNKS, MAX_CHUNKS + 1])
def test_chunk_numbers_end_at_2_to_the_38(first: int) -> None:
    sealer = Sealer(KEY, CONTEXT)
    with pytest.raises(ValueError):
        sealer.seal_chunks(first, b"", last=True)
    with pytest.raises((ValueError, MalformedError)):
        Opener(KEY, CONTEXT, sealer.header).open_chunks(first, bytes(16), last=True)
    assert len(sealer.seal_chunks(MAX_CHUNKS - 1, b"", last=True)) == 16


@pytest.mark.parametrize("size", [-1, 2**52])
def test_no_message_is_larger(size: int) -> None:
    with pytest.raises(ValueError):
        sealed_size(size)


@pytest.mark.parametrize("sealed, last", [(b"x" * 15, True), (b"x", False), (b"x" * 16_401, False), (b"", True)])
def test_lengths_that_are_not_chunks(sealed: bytes, last: bool) -> None:
    opener = Opener(KEY, CONTEXT, Sealer(KEY, CONTEXT).header)
    with pytest.raises(MalformedError):
        opener.open_chunks(0, sealed, last=last)


@pytest.mark.parametrize("start, stop", [(-1, 0), (2, 1)])
def test_ranges_run_forward(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="forward"):
        envelope.sealed_range(start, stop)


def test_chunks_may_be_sealed_and_opened_in_any_order() -> None:
    message = bytes(3 * CHUNK_SIZE) + b"end"
    sealer = Sealer(KEY, CONTEXT)
    parts = blocks_of(message, CHUNK_SIZE)
    sealed = {k: sealer.seal_chunks(k, parts[k], last=k == 3) for k in (3, 1, 0, 2)}
    assert sealer.header + b"".join(sealed[k] for k in range(4)) == seal(KEY, CONTEXT, message, salt=sealer.salt)
    opener = Opener(KEY, CONTEXT, sealer.header)
    assert [opener.open_chunks(k, sealed[k], last=k == 3) for k in (2, 0, 3)] == [parts[2], parts[0], parts[3]]


def test_a_stream_is_never_held_whole() -> None:
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield bytes(RUN)

    stream = seal_stream(Sealer(KEY, CONTEXT), endless())
    assert len(next(stream)) == HEADER_SIZE and drawn == 0
    assert len(next(stream)) == envelope.RUN_CHUNKS * SEALED_CHUNK_SIZE and drawn == 1


def test_parallel_work_is_bounded_in_order_and_in_threads() -> None:
    lock, drawn, done, threads = Lock(), 0, 0, set()

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(50):
            drawn += 1
            assert drawn - given_out <= 4
            yield number

    def work(number: int) -> int:
        nonlocal done
        with lock:
            done += 1
            threads.add(get_ident())
        return number * number

    given_out, results = 0, []
    with ThreadPoolExecutor(2) as pool:
        for result in in_flight(pool, 4)(work, items()):
            results.append(result)
            given_out += 1
    assert results == [number * number for number in range(50)] and done == 50
    assert get_ident() not in threads


def test_parallel_work_stops_when_its_reader_leaves() -> None:
    gate, ran = Event(), []

    def work(number: int) -> int:
        if number == 1:
            gate.wait()
        ran.append(number)
        return number

    with ThreadPoolExecutor(1) as pool:
        results = in_flight(pool, 3)(work, range(100))
        assert isinstance(results, Generator)
        assert next(results) == 0
        results.close()
        gate.set()
    assert set(ran) <= {0, 1}


def test_a_parallel_stream_releases_nothing_after_a_wrong_chunk() -> None:
    message = bytes(4 * RUN)
    sealed = bytearray(seal(KEY, CONTEXT, message))
    sealed[HEADER_SIZE + 2 * envelope.RUN_CHUNKS * SEALED_CHUNK_SIZE] ^= 1
    header, body = split_off(blocks_of(bytes(sealed), 100_000), HEADER_SIZE)
    released = b""
    with ThreadPoolExecutor(2) as pool, pytest.raises(TamperedError):
        for piece in open_stream(Opener(KEY, CONTEXT, header), body, run=in_flight(pool, 4)):
            released += piece
    assert released == message[: 2 * RUN]


def test_splitting_off_more_than_there_is() -> None:
    head, rest = split_off([b"ab", b"c"], 5)
    assert (head, list(rest)) == (b"abc", [])
    head, rest = split_off([b"ab", b"", b"cd", b"e"], 3)
    assert (head, b"".join(rest)) == (b"abc", b"de")
