"""A vault whose ledger holds a million entries: how long until it serves, and until it proves.

The entries, nodes and the one checkpoint are written straight into the database; the processes are the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import count, islice
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from bench.measure import Row, median_seconds, seconds_of
from bench.tools import work_in
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import sign_note
from crypto_core.receipts.tree import new_nodes, root
from server.config import ServerConfig
from server.database import table
from server.ledger.models import LedgerEntry, LedgerNode, SignedCheckpoint
from server.ledger.nodes import Nodes, frontier, reader
from server.parts import open_parts
from tests.fakes.ledgers import START, entry
from tests.fakes.processes import RealVault

ENTRIES = 1_000_000
PROOFS = 50
"""Of each kind, in one timing."""
_BATCH = 2**14


def measure() -> Iterator[Row]:
    with work_in("disk") as folder:
        vault = RealVault(folder / "data", environment={"TEMOIN_CHECKPOINT_INTERVAL": "0"}, apart=True)
        vault.init()
        fill(vault.data, ENTRIES)
        empty = RealVault(folder / "empty", apart=True)
        empty.init()
        started, compared = median(_starts(vault)), median(_starts(empty))
        yield Row("started, with a million entries", 1, "start", started, "an empty vault", compared, within=2.0)
        vault.start()
        try:
            yield from _proofs(vault.port)
        finally:
            vault.stop()


def _starts(vault: RealVault) -> Iterator[float]:
    """Seconds until both workers answer, three times."""
    for _ in range(3):
        yield seconds_of(vault.start)
        vault.stop()


def _proofs(port: int) -> Iterator[Row]:
    ask, numbers = _asking(port), count(1)
    for what, path, within in (
        ("inclusion", f"/v1/ledger/inclusion?size={ENTRIES}&index=", 0.005),
        ("consistency", f"/v1/ledger/consistency?new={ENTRIES}&old=", 0.010),
    ):
        def prove(path: str = path) -> None:
            for number in islice(numbers, PROOFS):
                ask(f"{path}{number * 7919 % ENTRIES}")

        yield Row(f"proof of {what}, over HTTP", 1, "proof", median_seconds(prove) / PROOFS, within=within)


def fill(data: Path, size: int) -> None:
    """Puts `size` entries that nobody deposited into the empty ledger of a vault, and signs them."""
    parts = open_parts(ServerConfig(data=data))
    try:
        with parts.database.write() as session:
            tree: Nodes = {}
            for start in range(0, size, _BATCH):
                numbers = range(start, min(start + _BATCH, size))
                entries = [entry(number, START + number // 100 * 60) for number in numbers]
                added = new_nodes(start, map(hash_leaf, entries), reader(tree))
                rows = [{"index": start + at, "entry": one} for at, one in enumerate(entries)]
                session.connection().execute(insert(table(LedgerEntry)), rows)
                session.connection().execute(
                    insert(table(LedgerNode)),
                    [{"level": level, "index": index, "hash": value} for level, index, value in added],
                )
                tree.update({(level, index): value for level, index, value in added})
                tree = {place: tree[place] for place in frontier(start + len(entries))}
            checkpoint = Checkpoint(parts.ledger.origin, size, root(size, reader(tree)))
            note = sign_note(format_checkpoint(checkpoint), parts.ledger.signer)
            signed = {"size": size, "time": START + size // 100 * 60, "note": note}
            session.connection().execute(insert(table(SignedCheckpoint)), signed)
    finally:
        parts.close()


def _asking(port: int) -> Callable[[str], None]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str) -> None:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert json.loads(answer.read())["proof"] and answer.status == 200

    return ask
