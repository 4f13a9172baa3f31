"""A ledger of a million entries, followed from nothing: every bundle fetched over HTTP, every hash computed anew.

The ledger is a folder of tiles behind a plain server of static files; `temoin audit follow` is the real program.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row, median_seconds
from bench.tools import work_in
from tests.fakes.ledgers import VKEY, serving_files, write_ledger
from tests.fakes.processes import BIN, clean_environment, watched_memory

ENTRIES = 1_000_192
"""3,907 whole bundles."""
MEMORY = 150 * 2**20


def measure() -> Iterator[Row]:
    with work_in("memory") as folder:
        write_ledger(folder / "ledger", ENTRIES)
        peaks = list[int]()
        with serving_files(folder / "ledger") as url:
            taken = median_seconds(lambda: peaks.append(follow(url, folder / f"state-{len(peaks)}", ENTRIES)))
        yield Row("audit follow, from nothing", ENTRIES, "entries", taken, rate=200_000)
        yield Row("its memory, at the most", max(peaks), "B", taken, most=MEMORY)


def follow(url: str, state: Path, entries: int) -> int:
    """Follows a ledger of so many entries once, from nothing, in a process of its own; its peak of memory in bytes."""
    words: list[str | Path] = ["audit", "follow", url, "--state", state, "--once", "--json", "--vkey", VKEY]
    process = subprocess.Popen([BIN / "temoin", *words], stdout=subprocess.PIPE, text=True, env=clean_environment())
    with watched_memory(process.pid) as peaks:
        look = json.loads(process.communicate(timeout=600)[0])
    assert (process.returncode, look["read"], look["found"]) == (0, entries, [])
    return max(peaks)
