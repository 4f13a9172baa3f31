"""A large file through real processes, against `curl` and a bare endpoint on the same kind of server (bench.bare).

Ours is all that a person waits for: journal, two hashes, seal, units, completion, verified receipt, record.
`curl` sends the same bytes as they are, in one request. What is deposited or sent takes the place of what was there
before: a machine gives memory that nobody had yet several times more slowly.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from bench.bare import FOLDER
from bench.measure import Row, median_seconds, medians_in_turn
from bench.tools import make_random_file, require_tool, run
from bench.vault import open_vault
from client_sdk.client import VaultClient
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import CHUNK_SIZE, Sealer
from tests.fakes.processes import ROOT, free_port

SIZE = 2**30
NEAR_THE_END = SIZE * 9 // 10
HASHES = 5
"""How often each byte is hashed on its way (docs/adr/0049): the original, its unit and the whole; in the vault, the
last two again."""
CORES = 2


def measure() -> Iterator[Row]:
    for place in ("memory", "disk"):
        yield from _measure_in(place)


def _measure_in(place: str) -> Iterator[Row]:
    curl = require_tool("curl")
    with open_vault(place) as (_, folder, client), _bare_endpoint(folder) as url:
        original, back = make_random_file(folder / "video.bin", SIZE), folder / "back"

        def deposit() -> None:
            _forget(client, folder / "data")
            client.add_document(original)

        def curl_up() -> None:
            run(curl, "-sS", "--fail", "-T", original, "-H", "Expect:", url)

        def curl_down() -> None:
            run(curl, "-sS", "--fail", "-o", back, url)

        def read_back() -> None:
            (item,) = client.items("document")
            with back.open("wb", buffering=0) as file:
                for block in client.read_content(item, item.contents[0]):
                    file.write(block)

        def first_byte() -> None:
            (item,) = client.items("document")
            next(client.read_content(item, item.contents[0], NEAR_THE_END, NEAR_THE_END + 2**20))

        ours, theirs = medians_in_turn(deposit, curl_up)
        yield Row(f"deposit a file, {place}", SIZE, "B", ours, "curl", theirs, ratio=0.45)
        alone = median_seconds(_hash_and_seal)
        yield Row("its hashes and its seal alone, two threads", SIZE, "B", alone, "curl", theirs)
        ours, theirs = medians_in_turn(read_back, curl_down)
        yield Row(f"read it back, {place}", SIZE, "B", ours, "curl", theirs, ratio=0.5)
        yield Row(f"first byte of a range, {place}", 1, "range", median_seconds(first_byte), within=0.1)


def _forget(client: VaultClient, data: Path) -> None:
    """One document at a time: what was deposited before goes from the lists, and its bytes from the disk as they do
    after a week."""
    for item in client.items("document"):
        client.delete_item(item.id)
        for content in item.contents:
            for path in (data / "blobs" / "kept").rglob(content.blob.hex()):
                path.unlink()


def _hash_and_seal() -> None:
    """What no deposit does without, of as many bytes that lie ready."""
    piece = bytes(64 * CHUNK_SIZE)
    sealer = Sealer(make_bytes(32), b"bench")

    def hash_one() -> None:
        sha256(piece)

    def seal_one() -> None:
        sealer.seal_chunks(0, piece, last=False)

    def run_each(works: list[Callable[[], None]]) -> None:
        for work in works:
            work()

    share = [*[hash_one] * HASHES, seal_one] * (SIZE // len(piece) // CORES)
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(run_each, [share] * CORES))


@contextmanager
def _bare_endpoint(folder: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare", str(port)], cwd=ROOT, env={**os.environ, FOLDER: str(folder)}
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(OSError), urllib.request.urlopen(url, timeout=2):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the bare endpoint did not start")
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)
