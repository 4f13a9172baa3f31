"""Sealing and opening against PyNaCl's public binding in a bare loop of 16 KiB chunks, on one core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt

from bench.measure import Row, medians_in_turn
from crypto_core.sealing.envelope import CHUNK_SIZE, HEADER_SIZE, Opener, Sealer, in_flight, open_stream, seal_stream

SIZE = 128 * 2**20
BLOCK = 262_144
KEY = bytes(range(32))
CONTEXT = b"bench"


def measure() -> Iterator[Row]:
    block = os.urandom(BLOCK)
    count = SIZE // BLOCK

    def bare() -> None:
        for _ in range(count):
            for at in range(0, BLOCK, CHUNK_SIZE):
                crypto_aead_chacha20poly1305_ietf_encrypt(block[at : at + CHUNK_SIZE], None, bytes(12), KEY)

    def plain() -> Iterator[bytes]:
        return (block for _ in range(count))

    def seal() -> None:
        for _ in seal_stream(Sealer(KEY, CONTEXT), plain()):
            pass

    seconds, bare_seconds = medians_in_turn(seal, bare)
    yield Row("seal a stream, one core", SIZE, "B", seconds, "a bare loop", bare_seconds)

    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def seal_parallel() -> None:
            for _ in seal_stream(Sealer(KEY, CONTEXT), plain(), run=in_flight(pool, 8)):
                pass

        seconds, bare_seconds = medians_in_turn(seal_parallel, bare)
        yield Row("seal a stream, all cores", SIZE, "B", seconds, "a bare loop", bare_seconds)

    sealed = list(seal_stream(Sealer(KEY, CONTEXT), plain()))
    assert len(sealed[0]) == HEADER_SIZE

    def open_all() -> None:
        for _ in open_stream(Opener(KEY, CONTEXT, sealed[0]), sealed[1:]):
            pass

    seconds, bare_seconds = medians_in_turn(open_all, bare)
    yield Row("open a stream, one core", SIZE, "B", seconds, "a bare loop", bare_seconds)
