"""Sealing and opening a file in memory, against PyNaCl's public binding in a bare loop, and against `age`.

The bare loop encrypts chunks of 16 KiB on one core and keeps none of them; ours and `age` read and write files.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt

from bench.measure import Row, medians_in_turn
from bench.tools import make_random_file, require_tool, run, work_in
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import (
    CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE, Mapping, Opener, Sealer, in_flight, open_stream,
    seal_stream,
)

SIZE = 2**30
KEY = bytes(range(32))
CONTEXT = b"bench"
THREADS = 1
"""Beside the one that reads and writes, as client_sdk.contents has it: with more they wait for each other."""
CHUNKS = 4 * RUN_CHUNKS
"""At once, as client_sdk.uploader seals them."""


def measure() -> Iterator[Row]:
    age, keygen = require_tool("age"), "age-keygen"
    with work_in("memory") as folder, ThreadPoolExecutor(THREADS) as pool:
        plain = make_random_file(folder / "plain", SIZE)
        identity = folder / "identity"
        run(keygen, "-o", identity)
        recipient = run(keygen, "-y", identity).strip()

        def age_seal() -> None:
            run(age, "-r", recipient, "-o", folder / "aged", plain)

        def age_open() -> None:
            run(age, "-d", "-i", identity, "-o", folder / "opened", folder / "aged")

        many = in_flight(pool, 4 * THREADS)
        seal, open_ = partial(_seal, plain, folder / "sealed"), partial(_open, folder / "sealed", folder / "opened")
        bare, one, all_, aged = medians_in_turn(_bare, partial(seal, map), partial(seal, many), age_seal)
        yield Row("seal a file, one thread", SIZE, "B", one, "PyNaCl's bare loop", bare)
        yield Row("seal a file", SIZE, "B", all_, "PyNaCl's bare loop", bare, ratio=0.8)
        yield Row("seal a file", SIZE, "B", all_, "age", aged, ratio=0.7)
        one, all_, aged = medians_in_turn(partial(open_, map), partial(open_, many), age_open)
        yield Row("open a file, one thread", SIZE, "B", one, "age", aged)
        yield Row("open a file", SIZE, "B", all_, "age", aged, ratio=1.0)


def _bare() -> None:
    block = make_bytes(RUN_CHUNKS * CHUNK_SIZE)
    for _ in range(SIZE // len(block)):
        for at in range(0, len(block), CHUNK_SIZE):
            crypto_aead_chacha20poly1305_ietf_encrypt(block[at:at + CHUNK_SIZE], None, bytes(12), KEY)


def _seal(plain: Path, sealed: Path, run: Mapping) -> None:
    with plain.open("rb", buffering=0) as source, sealed.open("wb", buffering=0) as target:
        blocks = iter(partial(source.read, CHUNKS * CHUNK_SIZE), b"")
        for block in seal_stream(Sealer(KEY, CONTEXT), blocks, run=run, chunks=CHUNKS):
            target.write(block)


def _open(sealed: Path, opened: Path, run: Mapping) -> None:
    with sealed.open("rb", buffering=0) as source, opened.open("wb", buffering=0) as target:
        opener = Opener(KEY, CONTEXT, source.read(HEADER_SIZE))
        blocks = iter(partial(source.read, CHUNKS * SEALED_CHUNK_SIZE), b"")
        for block in open_stream(opener, blocks, run=run, chunks=CHUNKS):
            target.write(block)
