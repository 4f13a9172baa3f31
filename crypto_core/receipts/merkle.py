"""Merkle hashes and the verification of proofs, from the numbers and hashes given and nothing else.

Knows: RFC 6962 §2.1 (SHA-256) and the verification algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2.
Refuses to know: where a tree is kept (receipts.tree reads one), what a leaf means, who signed a root.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from crypto_core.encoding import HASH_SIZE
from crypto_core.errors import ConsistencyMismatch, InclusionMismatch

EMPTY_ROOT = sha256().digest()
MAX_SIZE = 2**63 - 1
"""The most leaves that a tree may have here: sizes fit a signed 64-bit integer in every language."""
MAX_PROOF = 63
"""No inclusion proof in a tree of at most MAX_SIZE leaves is longer."""


def hash_leaf(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry): 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right): 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The 32-byte root that `proof` gives for the leaf hash at `index`, 0 ≤ index < size (RFC 9162 §2.1.3.2).

    It proves nothing until it is compared with a root that somebody signed. Raises InclusionMismatch
    if the numbers, the length of the proof or the size of a hash rule it out.
    """
    if not 0 <= index < size <= MAX_SIZE or not _are_hashes((leaf, *proof)):
        raise InclusionMismatch("an index outside the tree, or a hash that is not one")
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InclusionMismatch("the proof is too long")
        if node % 2 or node == last:
            root = hash_children(sibling, root)
            while node and not node % 2:  # levels at which this node has no sibling
                node, last = node // 2, last // 2
        else:
            root = hash_children(root, sibling)
        node, last = node // 2, last // 2
    if last != 0:
        raise InclusionMismatch("the proof is too short")
    return root


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Proves that the tree of `size` leaves with `root` holds the hash `leaf` at `index`. Raises InclusionMismatch."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise InclusionMismatch("the proof leads to another root")


def consistency_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> list[bytes]:
    """The consistency proof from the tree of the first `index` leaves to that of `size`, made of the inclusion proof
    of the leaf hash at `index`: its siblings to the left are all that the smaller tree consists of.

    `proof` is one that was verified. Whoever grows a tree by a leaf so proves in one that it only grew.
    """
    if index == 0:
        return []
    siblings, node, last, right = list(proof), index, size - 1, leaf
    while not node % 2:  # up to the smallest of the subtrees that the smaller tree consists of
        if node != last:
            right = hash_children(right, siblings.pop(0))
        node, last = node // 2, last // 2
    left, *above = siblings
    return [left, right, *above] if node > 1 else [right, *above]  # a power of two is one subtree: its root is known


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Proves that the tree of `size1` leaves is the beginning of that of `size2` leaves (RFC 9162 §2.1.4.2).

    The empty tree is the beginning of every tree: its root is EMPTY_ROOT and the proof is empty.
    Raises ConsistencyMismatch.
    """
    if not 0 <= size1 <= size2 <= MAX_SIZE or not _are_hashes((root1, root2, *proof)):
        raise ConsistencyMismatch("sizes out of order, or a hash that is not one")
    if size1 == 0 and root1 != EMPTY_ROOT or size1 == size2 and root1 != root2:
        raise ConsistencyMismatch("two roots for one size")
    if size1 in (0, size2):
        if proof:
            raise ConsistencyMismatch("a proof where none is needed")
        return
    path = list(proof) if size1 & (size1 - 1) else [root1, *proof]  # a power of two is a subtree: its root starts
    if not path:
        raise ConsistencyMismatch("the proof is empty")
    node, last = size1 - 1, size2 - 1
    while node % 2:
        node, last = node // 2, last // 2
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ConsistencyMismatch("the proof is too long")
        if node % 2 or node == last:
            old, new = hash_children(sibling, old), hash_children(sibling, new)
            while node and not node % 2:
                node, last = node // 2, last // 2
        else:
            new = hash_children(new, sibling)
        node, last = node // 2, last // 2
    if last != 0:
        raise ConsistencyMismatch("the proof is too short")
    if (old, new) != (root1, root2):
        raise ConsistencyMismatch("the proof leads to other roots")


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
