"""A published ledger without a vault: honest until a test makes it lie; in memory, or as a folder of a million entries.

Knows: tiles, bundles, checkpoints. Refuses to know: deposits; an entry is a time and the hash of a counter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from crypto_core.encoding import u64
from crypto_core.errors import MalformedError
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import COSIGNATURE, Note, SignerKey, format_note, format_vkey, sign
from crypto_core.receipts.rotation import Rotation, format_rotations, sign_rotation
from crypto_core.receipts.tiles import (
    HEIGHT,
    WIDTH,
    entries_path,
    format_entries,
    format_tile,
    parse_entries_path,
    parse_tile_path,
    subtree_root,
    tile_from_nodes,
    tile_path,
    tile_width,
)
from crypto_core.receipts.tree import new_nodes, root

ORIGIN = "ledger.example/2026"
LEDGER = SignerKey(ORIGIN, b"\x01" * 32)
WITNESS = SignerKey("witness.example/w", b"\x03" * 32, COSIGNATURE)
VKEY = format_vkey(LEDGER.verifier)
START = 1_750_000_020
"""A whole minute: the time of the first entry, unless it is told."""


def entry(number: int, time: int, branch: bytes = b"") -> bytes:
    """40 bytes that nobody has deposited."""
    return u64(time) + sha256(branch + u64(number)).digest()


@dataclass
class FakeLedger:
    """Reads as client_sdk.following.published.Files. `spoils` says other bytes, or None, for some paths."""

    signer: SignerKey = LEDGER
    entries: list[bytes] = field(default_factory=list)
    spoils: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    size: int = 0
    """Of the tree that is shown."""
    cosigned_at: int | None = None
    """When a witness has looked, if one has."""
    following: SignerKey | None = None
    """The key that signs as well, while it replaces the other."""
    records: tuple[str, ...] = ()
    _nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def add(self, count: int, time: int = START, branch: bytes = b"") -> FakeLedger:
        """Grows by `count` entries of one time, and shows them."""
        return self.enter([entry(len(self.entries) + at, time, branch) for at in range(count)])

    def enter(self, entries: list[bytes]) -> FakeLedger:
        nodes = new_nodes(len(self.entries), map(hash_leaf, entries), self._read_node)
        self._nodes.update({(level, index): value for level, index, value in nodes})
        self.entries += entries
        self.size = len(self.entries)
        return self

    def copy(self, size: int) -> FakeLedger:
        """Another ledger of the same key that begins with the first `size` of these entries."""
        return FakeLedger(self.signer).enter(self.entries[:size])

    def announce(self, following: SignerKey, size: int | None = None) -> FakeLedger:
        """From now on both sign; or so the record says, if it says another `size`."""
        at = self.size if size is None else size
        rotation = Rotation(self.signer.verifier, following.verifier, at, START + len(self.records), START + 9000)
        self.records = (*self.records, sign_rotation(rotation, self.signer, following))
        self.following = following
        return self

    def finish(self) -> FakeLedger:
        """The old key is gone."""
        assert self.following is not None
        self.signer, self.following = self.following, None
        return self

    def note(self, size: int | None = None) -> bytes:
        """The signed checkpoint of the tree of so many entries, or of what is shown."""
        shown = self.size if size is None else size
        text = format_checkpoint(Checkpoint(ORIGIN, shown, root(shown, self._read_node)))
        signatures = [sign(text, signer) for signer in (self.signer, self.following) if signer is not None]
        if self.cosigned_at is not None:
            signatures.append(sign(text, WITNESS, time=self.cosigned_at))
        return format_note(Note(text, tuple(signatures))).encode()

    def read(self, path: str, most: int) -> bytes | None:
        self.asked.append(path)
        data = self.spoils[path] if path in self.spoils else self._published(path)
        assert data is None or len(data) <= most
        return data

    def _published(self, path: str) -> bytes | None:
        if path == "checkpoint":
            return self.note()
        if path == "rotations":
            return format_rotations(self.records)
        try:
            level, index, width = 0, *parse_entries_path(path)
        except MalformedError:
            level, index, width = parse_tile_path(path)
            if width <= tile_width(level, index, self.size):
                return tile_from_nodes(level, index, width, self._read_node)
            return None
        if width <= tile_width(0, index, self.size):
            return format_entries(self.entries[index * WIDTH:index * WIDTH + width])
        return None

    def _read_node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]


def write_ledger(folder: Path, size: int, *, every: int = 100) -> None:
    """A ledger of whole bundles (`size` a multiple of 256) as files, `every` so many entries a minute later."""
    row: list[bytes] = []
    for index in range(size // WIDTH):
        entries = [entry(number, START + number // every * 60) for number in range(index * WIDTH, (index + 1) * WIDTH)]
        leaves = [hash_leaf(one) for one in entries]
        _write(folder / entries_path(index), format_entries(entries))
        _write(folder / tile_path(0, index), format_tile(leaves))
        row.append(subtree_root(leaves))
    nodes = {(HEIGHT, index): value for index, value in enumerate(row)}
    for level, index, value in new_nodes(0, row, lambda level, index: nodes[HEIGHT + level, index]):
        nodes[HEIGHT + level, index] = value
    level = 1
    while size >> HEIGHT * level:
        for index in range(-(-(size >> HEIGHT * level) // WIDTH)):
            width = tile_width(level, index, size)
            tile = tile_from_nodes(level, index, width, lambda level, index: nodes[level, index])
            _write(folder / tile_path(level, index, width), tile)
        level += 1
    text = format_checkpoint(Checkpoint(ORIGIN, size, root(size, lambda level, index: nodes[level, index])))
    _write(folder / "checkpoint", format_note(Note(text, (sign(text, LEDGER),))).encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class _Quiet(SimpleHTTPRequestHandler):
    """Any server of static files: it knows nothing of ledgers."""

    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """The address at which a folder is served, on loopback, by a thread of this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
