"""Grows a tree, gives its root, and makes proofs, over nodes kept somewhere else.

Knows: RFC 6962 §2.1 (PATH and PROOF). Refuses to know: where nodes are kept; it reads them through a `NodeReader`.
A node (level, index) is the hash of the complete subtree over the 2^level leaves from index · 2^level on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crypto_core.receipts.merkle import EMPTY_ROOT, hash_children

NodeReader = Callable[[int, int], bytes]
"""(level, index) → the 32-byte hash of a complete subtree. Only nodes that exist are ever asked for."""


def new_nodes(size: int, leaf_hashes: Iterable[bytes], read: NodeReader) -> list[tuple[int, int, bytes]]:
    """What must be kept when `leaf_hashes` are appended to a tree of `size` leaves: (level, index, hash) of each
    subtree that becomes complete, leaves included, lower levels first. Reads at most one old node a level."""
    nodes: list[tuple[int, int, bytes]] = []
    level, start, row = 0, size, list(leaf_hashes)
    while row:
        nodes.extend((level, start + offset, value) for offset, value in enumerate(row))
        if start % 2:
            start -= 1
            row.insert(0, read(level, start))
        row = [hash_children(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
        level, start = level + 1, start // 2
    return nodes


def root(size: int, read: NodeReader) -> bytes:
    """The 32-byte root of the tree of the first `size` leaves; EMPTY_ROOT for none."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """RFC 6962 §2.1.1: the siblings from the leaf up. Raises ValueError unless 0 ≤ index < size."""
    if not 0 <= index < size:
        raise ValueError("an index outside the tree")
    proof, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(_range_root(middle, stop, read))
            stop = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    return proof[::-1]


def consistency_proof(size1: int, size2: int, read: NodeReader) -> list[bytes]:
    """RFC 6962 §2.1.2; empty where the old tree is empty or both are the same. ValueError unless size1 ≤ size2."""
    if not 0 <= size1 <= size2:
        raise ValueError("sizes out of order")
    if size1 == 0:
        return []
    proof, start, stop = [], 0, size2
    while stop != size1:
        middle = start + _split(stop - start)
        if size1 <= middle:
            proof.append(_range_root(middle, stop, read))
            stop = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    if start:  # the old tree's own root is known to whoever verifies; any other subtree is not
        proof.append(_range_root(start, stop, read))
    return proof[::-1]


def _split(size: int) -> int:
    """The largest power of two below `size`, for size ≥ 2."""
    return 1 << (size - 1).bit_length() - 1


def _range_root(start: int, stop: int, read: NodeReader) -> bytes:
    """The hash over leaves [start, stop), where start is a multiple of the subtree's size, as proofs need it."""
    level = (stop - start).bit_length() - 1
    first, after = read(level, start >> level), start + (1 << level)
    return first if after == stop else hash_children(first, _range_root(after, stop, read))
