"""Reads tree nodes from the database, a whole proof at a time.

Knows: that which nodes a proof reads depends on numbers alone, never on hashes. Refuses to know: what a proof is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from crypto_core.encoding import HASH_SIZE
from crypto_core.receipts.tree import NodeReader
from server.ledger.models import LedgerNode

T = TypeVar("T")
Nodes = dict[tuple[int, int], bytes]
"""(level, index) → hash."""

_NODES = LedgerNode.__table__.c
_NOWHERE = [-1]
"""The only index asked for at a level that nothing is wanted of."""


def compute(session: Session, ask: Callable[[NodeReader], T]) -> T:
    """What `ask` computes from the nodes of the tree: asked twice, first to see which it reads, then with them.

    Raises KeyError for a node that is not in the tree.
    """
    wanted: list[tuple[int, int]] = []

    def note(level: int, index: int) -> bytes:
        wanted.append((level, index))
        return bytes(HASH_SIZE)

    ask(note)
    return ask(reader(read_nodes(session, wanted)))


def reader(nodes: Nodes) -> NodeReader:
    """Reads from nodes at hand. KeyError for any other."""
    return lambda level, index: nodes[level, index]


def read_nodes(session: Session, wanted: Iterable[tuple[int, int]]) -> Nodes:
    """Those of the `wanted` nodes that the tree has."""
    by_level: dict[int, list[int]] = {}
    for level, index in wanted:
        by_level.setdefault(level, []).append(index)
    if not by_level:
        return {}
    levels = max(by_level) + 1
    places = {f"at{level}": by_level.get(level, _NOWHERE) for level in range(levels)}
    return {(level, index): value for level, index, value in session.connection().execute(_at(levels), places)}


@cache
def _at(levels: int) -> Select[int, int, bytes]:
    """What stands at given places of so many levels. Made once for each height of a tree, since putting it together
    takes longer than the database does. SQLite reads the whole table if it is asked for pairs: so it is asked level by
    level, and where nothing is wanted for a place that there isn't."""
    return select(_NODES.level, _NODES.index, _NODES.hash).where(or_(*(
        and_(_NODES.level == level, _NODES.index.in_(bindparam(f"at{level}", expanding=True)))
        for level in range(levels)
    )))


def frontier(size: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that make up a tree of `size` entries: all of the old tree that growing ever reads."""
    return ((level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1)
