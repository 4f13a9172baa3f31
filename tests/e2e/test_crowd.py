"""Many deposit at once with every worker of a real server: what the ledger then holds is what they were told.

Most of them know only the wire, so that the server is what is waited for; a quarter are the real client, which judges
each answer itself and must find nothing to warn of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path

import pytest

from client_sdk.client import Draft, VaultClient
from client_sdk.following.published import PublishedTree
from client_sdk.published import PublishedFiles
from client_sdk.transport import HttpTransport
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.leaf import entry_bytes
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.note import MAX_NOTE_SIZE
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import Receipt, format_receipt, parse_receipt, verify_receipt
from crypto_core.receipts.tree import NodeReader, consistency_proof, inclusion_proof, new_nodes
from crypto_core.receipts.witnessed import open_checkpoint
from tests.fakes.crowd import Depositor, Kept, deposit_at_once, open_sessions
from tests.fakes.processes import PASSWORD, PIN, RealVault, serving

WORKERS = 4
ASKED = 100
"""Of the proofs of consistency, about how many are asked of the vault as well."""


@dataclass
class Writer:
    """Somebody with the real client: entries one by one and several at once, small files."""

    name: str
    client: VaultClient
    folder: Path
    _turns: Iterator[str] = field(default_factory=lambda: cycle(("entry", "entry", "entries", "file")))
    _numbers: Iterator[int] = field(default_factory=count)

    def deposit(self) -> None:
        match next(self._turns):
            case "entries":
                self.client.write_entries([Draft(text=f"one of several, {next(self._numbers)}") for _ in range(5)])
            case "file":
                path = self.folder / f"{next(self._numbers)}.bin"
                path.write_bytes(make_bytes(10_000))
                self.client.add_document(path)
            case _:
                self.client.write_entry(Draft(text=f"one alone, {next(self._numbers)}"))

    def kept(self) -> Iterator[Kept]:
        """Every record and every content, with its receipt; after an opening that finds nothing to warn of."""
        assert self.client.log_in(self.name, PASSWORD, PIN).warnings == ()
        for item in self.client.items():
            for blob in self.client.sealed_blobs(item):
                yield Kept(blob.sha256, blob.size, blob.receipt)


@dataclass
class Published:
    """The whole ledger as anybody may read it: each bundle proven against the newest checkpoint."""

    note: bytes
    checkpoint: Checkpoint
    entries: list[bytes]
    read: NodeReader


def deposit(vault: RealVault, folder: Path, clients: int, seconds: float) -> list[Kept]:
    """All that so many clients kept in so many seconds."""
    with ExitStack() as stack:
        writers = [_open_writer(vault, folder / f"writer-{number}", stack) for number in range(clients // 4)]
        tokens = open_sessions(vault.data, clients - len(writers))
        others = [stack.enter_context(closing(Depositor(vault.port, token))) for token in tokens]
        deposit_at_once([*writers, *others], seconds)
        return [kept for one in others for kept in one.kept] + [kept for one in writers for kept in one.kept()]


def _open_writer(vault: RealVault, folder: Path, stack: ExitStack) -> Writer:
    folder.mkdir()
    client = stack.enter_context(VaultClient.connect(vault.url, folder / "home"))
    client.register(client.make_account(folder.name, PASSWORD, PIN))
    client.log_in(folder.name, PASSWORD, PIN)
    return Writer(folder.name, client, folder)


def read_ledger(vault: RealVault, policy: Policy) -> Published:
    with closing(PublishedFiles(f"{vault.url}/ledger")) as files:
        note = files.read("checkpoint", MAX_NOTE_SIZE) or b""
        newest = open_checkpoint(note, policy).checkpoint
        bundles = list(PublishedTree(files, newest).walk(0))
    leaves = [leaf for bundle in bundles for leaf in bundle.leaves]
    nodes = {(level, index): value for level, index, value in new_nodes(0, leaves, lambda *_: b"")}
    entries = [entry for bundle in bundles for entry in bundle.entries]
    return Published(note, newest, entries, lambda *place: nodes[place])


def require_kept(ledger: Published, kept: list[Kept], policy: Policy) -> list[Checkpoint]:
    """Each receipt is valid as it was given and under the newest checkpoint, and between them they hold every index
    once. Gives the checkpoints that were seen, by size."""
    seen = {ledger.checkpoint.size: ledger.checkpoint}
    held = Counter[int]()
    for one in kept:
        given = parse_receipt(one.receipt.encode())
        proven = verify_receipt(one.receipt.encode(), sha256=one.sha256, size=one.size, policy=policy)
        assert ledger.entries[given.index] == entry_bytes(proven.commitment)
        assert seen.setdefault(proven.checkpoint.size, proven.checkpoint) == proven.checkpoint, "a fork"
        proof = inclusion_proof(given.index, ledger.checkpoint.size, ledger.read)
        later = format_receipt(Receipt(given.extra, given.index, tuple(proof), ledger.note.decode()))
        assert verify_receipt(later, sha256=one.sha256, size=one.size, policy=policy).index == given.index
        held[given.index] += 1
    assert held == Counter(range(ledger.checkpoint.size)), "an index that nobody holds, or two"
    return [seen[size] for size in sorted(seen)]


def require_consistent(ledger: Published, seen: list[Checkpoint], wire: HttpTransport) -> None:
    """Each checkpoint is the beginning of the next, by proofs made of the entries, and by some of the vault's own."""
    pairs = list(zip(seen, seen[1:], strict=False))
    for number, (old, new) in enumerate(pairs):
        proofs = [consistency_proof(old.size, new.size, ledger.read)]
        if number % (len(pairs) // ASKED + 1) == 0:
            query = {"old": old.size, "new": new.size}
            proofs.append(wire.ask("GET", "/v1/ledger/consistency", query=query)["proof"])
        for proof in proofs:
            verify_consistency(old.size, new.size, proof, old.root, new.root)


@pytest.mark.parametrize(
    ("clients", "seconds"),
    [pytest.param(8, 5, id="8 clients, 5 s"), pytest.param(16, 60, marks=pytest.mark.soak, id="16 clients, 60 s")],
)
def test_the_ledger_holds_what_a_crowd_was_told(tmp_path: Path, clients: int, seconds: float) -> None:
    with serving(tmp_path / "data", workers=WORKERS, TEMOIN_CHECKPOINT_INTERVAL="0") as vault:
        kept = deposit(vault, tmp_path, clients, seconds)
        with closing(HttpTransport(vault.url)) as wire:
            policy = Policy.for_key(wire.ask("GET", "/v1/vault")["ledger_vkey"])
            ledger = read_ledger(vault, policy)
            seen = require_kept(ledger, kept, policy)
            require_consistent(ledger, seen, wire)
        assert len(seen) > clients
        for words in ((), ("--deep",)):
            report = vault.command("check", *words)
            assert report.returncode == 0, report.stdout
            assert f"entries: {len(kept)}\ndeposits: {len(kept)}\n" in report.stdout
