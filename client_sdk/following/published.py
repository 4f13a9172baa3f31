"""A published tree, read so that nothing is believed before it leads to a signed root.

Knows: c2sp.org/tlog-tiles. Refuses to know: HTTP, signatures, what an entry says.

From the root downwards every tile is checked against the one above, and every bundle against the hash that the tree has
for it: a walk of a million entries needs memory for a few tiles, and the first wrong byte is found where it stands.
Tiles of level 0 are fetched only at the right edge: a full one holds nothing that its bundle does not prove.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from client_sdk.following.findings import EntriesDiffer, LedgerUnproven
from crypto_core.encoding import HASH_SIZE
from crypto_core.errors import InclusionMismatch, MalformedError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.tiles import (
    HEIGHT,
    WIDTH,
    entries_path,
    format_entries,
    parse_entries,
    parse_tile_path,
    read_from_tiles,
    subtree_root,
    tile_path,
    tile_width,
)
from crypto_core.receipts.tree import root

IN_FLIGHT = 8
"""Bundles that are fetched at once, and as many that wait for their turn."""
_MAX_BUNDLE = WIDTH * (2 + 0xFFFF)


class Files(Protocol):
    """What is read of a ledger: client_sdk.published.PublishedFiles, or a folder in a test."""

    def read(self, path: str, most: int) -> bytes | None: ...


class MissingFile(Exception):
    """Not there, though the signed size demands it."""


@dataclass(frozen=True)
class Bundle:
    """Up to 256 entries that stand in the tree from `index` · 256 on: only `PublishedTree.walk` makes one."""

    index: int
    entries: list[bytes]
    leaves: list[bytes]
    """Their hashes."""
    data: bytes
    """As they are published."""


class PublishedTree:
    """The tree of a signed checkpoint. Raises LedgerUnproven if what is published does not lead to its root."""

    def __init__(self, files: Files, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._files = files
        try:
            self._read = self._open()
        except LedgerUnproven:
            self._read = self._open()

    def read(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree, as crypto_core's NodeReader; proven. Raises LedgerUnproven."""
        try:
            try:
                return self._read(level, index)
            except (InclusionMismatch, MalformedError):
                return self._read(level, index)
        except (InclusionMismatch, MalformedError, MissingFile) as error:
            raise LedgerUnproven(str(error)) from None

    def begins_with(self, other: Checkpoint) -> bool:
        """Whether `other`, which may be no larger, is of a tree that this one only continues. Raises LedgerUnproven."""
        return root(other.size, self.read) == other.root

    def walk(self, start: int) -> Iterator[Bundle]:
        """The bundles from the one with entry `start` on, each proven. Raises EntriesDiffer, or as `read` does."""
        first, stop = start // WIDTH, -(-self.checkpoint.size // WIDTH)
        waiting: deque[tuple[int, Future[bytes]]] = deque()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            try:
                for index in range(first, stop):
                    waiting.append((index, pool.submit(self._fetch_bundle, index)))
                    if len(waiting) == 2 * IN_FLIGHT:
                        yield self._prove(*waiting.popleft())
                while waiting:
                    yield self._prove(*waiting.popleft())
            finally:
                for _, future in waiting:
                    future.cancel()

    def _open(self) -> Callable[[int, int], bytes]:
        read = read_from_tiles(self.checkpoint.size, self._fetch_tile)
        try:
            found = root(self.checkpoint.size, read)
        except (MalformedError, MissingFile) as error:
            raise LedgerUnproven(str(error)) from None
        if found != self.checkpoint.root:
            raise LedgerUnproven("the tiles lead to another root")
        return read

    def _prove(self, index: int, fetched: Future[bytes]) -> Bundle:
        """Once more if it fails, so that one damaged answer is not taken for a lie."""
        try:
            try:
                return self._judge(index, fetched.result())
            except EntriesDiffer:
                return self._judge(index, self._fetch_bundle(index))
        except MissingFile as error:
            raise LedgerUnproven(str(error)) from None

    def _judge(self, index: int, data: bytes) -> Bundle:
        width = tile_width(0, index, self.checkpoint.size)
        try:
            entries = parse_entries(data, width)
        except MalformedError as error:
            raise EntriesDiffer(f"bundle {index}: {error.detail}") from None
        leaves = list(map(hash_leaf, entries))
        if width == WIDTH:
            is_so = subtree_root(leaves) == self.read(HEIGHT, index)
        else:
            is_so = leaves == [self.read(0, index * WIDTH + offset) for offset in range(width)]
        if not is_so:
            raise EntriesDiffer(f"bundle {index}")
        return Bundle(index, entries, leaves, data)

    def _fetch_tile(self, path: str) -> bytes:
        level, index, width = parse_tile_path(path)
        data = self._files.read(path, width * HASH_SIZE)
        if data is None and width < WIDTH:  # a ledger may drop a partial tile once it has the full one
            data = self._files.read(tile_path(level, index), WIDTH * HASH_SIZE)
            data = None if data is None else data[:width * HASH_SIZE]
        if data is None:
            raise MissingFile(path)
        return data

    def _fetch_bundle(self, index: int) -> bytes:
        width = tile_width(0, index, self.checkpoint.size)
        path = entries_path(index, width)
        data = self._files.read(path, _MAX_BUNDLE)
        if data is None and width < WIDTH:
            whole = self._files.read(entries_path(index), _MAX_BUNDLE)
            data = None if whole is None else _beginning(whole, width)
        if data is None:
            raise MissingFile(path)
        return data


def _beginning(whole: bytes, width: int) -> bytes:
    try:
        return format_entries(parse_entries(whole, WIDTH)[:width])
    except MalformedError:
        return whole  # and is judged as what it is
