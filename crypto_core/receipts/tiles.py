"""How a ledger is published: paths and bytes of tiles and entry bundles.

Knows: c2sp.org/tlog-tiles (docs/spec/ledger.md). Refuses to know: HTTP, files, and what an entry means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from crypto_core.encoding import HASH_SIZE, u16
from crypto_core.errors import InclusionMismatch, MalformedError
from crypto_core.receipts.merkle import MAX_SIZE, hash_children
from crypto_core.receipts.tree import NodeReader

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63

_KEPT = 32
"""Full tiles that a reader keeps: more than it needs at once, on a walk from left to right or for a proof."""

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of `size` leaves: 0 (there is no such tile) to 256 (full)."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """`tile/0/x001/234.p/5`; without `.p/…` where the tile is full (256). ValueError for numbers no tile has."""
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError("tile levels run from 0 to 63")
    return f"tile/{level}/{_number(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """`tile/entries/x001/234.p/5`: the bundle of the entries whose hashes the level-0 tile of that index holds."""
    return f"tile/entries/{_number(index, width)}"


def parse_tile_path(path: str) -> tuple[int, int, int]:
    """(level, index, width) of a path in its one spelling. Raises MalformedError."""
    row, index, width = _parse(path)
    if row == "entries":
        raise MalformedError("a bundle's path where a tile's was expected")
    if int(row) > MAX_LEVEL or tile_path(int(row), index, width) != path:
        raise MalformedError("not the spelling of a tile's path")
    return int(row), index, width


def parse_entries_path(path: str) -> tuple[int, int]:
    """(index, width) of an entry bundle's path in its one spelling. Raises MalformedError."""
    row, index, width = _parse(path)
    if row != "entries" or entries_path(index, width) != path:
        raise MalformedError("not the spelling of an entry bundle's path")
    return index, width


def format_tile(hashes: Iterable[bytes]) -> bytes:
    """1 to 256 hashes, one after the other. Raises ValueError for another number or a hash of another size."""
    row = list(hashes)
    if not 1 <= len(row) <= WIDTH or any(len(value) != HASH_SIZE for value in row):
        raise ValueError("a tile has 1 to 256 hashes of 32 bytes")
    return b"".join(row)


def parse_tile(data: bytes, width: int) -> list[bytes]:
    """The `width` hashes of a tile. Raises MalformedError for any other length."""
    if not 1 <= width <= WIDTH or len(data) != width * HASH_SIZE:
        raise MalformedError("a tile of another width")
    return [data[at:at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def tile_from_nodes(level: int, index: int, width: int, read: NodeReader) -> bytes:
    """The bytes of a tile whose hashes are all in the tree that `read` reads."""
    return format_tile(read(HEIGHT * level, index * WIDTH + offset) for offset in range(width))


def format_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: `u16 length ‖ entry`, 1 to 256 times. Raises ValueError for another number or a longer entry."""
    row = list(entries)
    if not 1 <= len(row) <= WIDTH or any(len(entry) > 0xFFFF for entry in row):
        raise ValueError("a bundle has 1 to 256 entries of up to 65,535 bytes")
    return b"".join(u16(len(entry)) + entry for entry in row)


def parse_entries(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle. Raises MalformedError for another number, or for bytes missing or left over."""
    stride = 2 + int.from_bytes(data[:2], "big")
    prefixes = data[:1] * width + data[1:2] * width
    if 1 <= width <= WIDTH and len(data) == width * stride and data[::stride] + data[1::stride] == prefixes:
        return [data[at:at + stride - 2] for at in range(2, len(data) + 2, stride)]  # all of one length, which is quick
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        entry = data[at + 2:at + 2 + length]
        if at + 2 + length > len(data):
            raise MalformedError("a bundle that ends inside an entry")
        entries.append(entry)
        at += 2 + length
    if len(entries) != width or not 1 <= width <= WIDTH:
        raise MalformedError("a bundle of another width")
    return entries


def read_from_tiles(size: int, fetch: Callable[[str], bytes]) -> NodeReader:
    """Reads the nodes of a published tree of `size` leaves from its tiles: `fetch(path)` gives a tile's bytes.

    Compute `tree.root` first and compare it with one that was signed: it is made of all partial tiles, which are
    fetched once and kept. A full tile must give the hash that the tile above has for it, so that nothing read after
    that is believed unproven; of these the newest few are kept. Raises MalformedError for a tile of the wrong length,
    InclusionMismatch for one that is not of this tree.
    """
    partial: dict[tuple[int, int], list[bytes]] = {}
    full: dict[tuple[int, int], list[bytes]] = {}

    def tile_of(row: int, index: int) -> list[bytes]:
        width = tile_width(row, index, size)
        kept = full if width == WIDTH else partial
        if (row, index) not in kept:
            hashes = parse_tile(fetch(tile_path(row, index, width)), width)
            if width == WIDTH:
                if subtree_root(hashes) != read(HEIGHT * (row + 1), index):
                    raise InclusionMismatch("a tile that is not of the tree above it")
                if len(full) == _KEPT:
                    del full[next(iter(full))]
            kept[row, index] = hashes
        return kept[row, index]

    def read(level: int, index: int) -> bytes:
        row, above = divmod(level, HEIGHT)
        tile, offset = divmod(index << above, WIDTH)
        return subtree_root(tile_of(row, tile)[offset:offset + (1 << above)])

    return read


def subtree_root(hashes: list[bytes]) -> bytes:
    """The hash of the complete subtree over 1, 2, 4 … 256 hashes of one level."""
    while len(hashes) > 1:
        hashes = list(map(hash_children, hashes[::2], hashes[1::2]))
    return hashes[0]


def _number(index: int, width: int) -> str:
    if not 0 <= index <= MAX_SIZE // WIDTH or not 1 <= width <= WIDTH:
        raise ValueError("an index or a width that no tile has")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    path = "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
    return path if width == WIDTH else f"{path}.p/{width}"


def _parse(path: str) -> tuple[str, int, int]:
    """(level or "entries", index, width), whose spelling the caller still compares."""
    match = _PATH.fullmatch(path) if len(path) <= 64 else None
    if match is None:
        raise MalformedError("not the path of a tile")
    row, number, width = match.groups()
    index = int(number.replace("/", "").replace("x", ""))
    if index > MAX_SIZE // WIDTH or width is not None and not 1 <= int(width) < WIDTH:
        raise MalformedError("an index or a width that no tile has")
    return row, index, WIDTH if width is None else int(width)
