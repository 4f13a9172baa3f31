"""Reads tree nodes from the database, a whole proof at a time.

Knows: that which nodes a proof reads depends on numbers alone, never on hashes. Refuses to know: what a proof is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from crypto_core.encoding import HASH_SIZE
from crypto_core.receipts.tree import NodeReader
from server.database import Prepared, connection_of
from server.ledger.models import LedgerNode

T = TypeVar("T")
Nodes = dict[tuple[int, int], bytes]
"""(level, index) → hash."""

_NODES = LedgerNode.__table__.c
_PLACE = ("level", "index")


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
    places = list(wanted)
    if not places:
        return {}
    named = {f"{name}{at}": value for at, place in enumerate(places) for name, value in zip(_PLACE, place, strict=True)}
    rows = _at(len(places)).rows(connection_of(session), **named)
    return {(level, index): value for level, index, value in rows}


@cache
def _at(count: int) -> Prepared:
    """What stands at so many places, each with parameters of its own. Made once for each number, since putting it
    together takes longer than the database does; so does a list of a length that is known only later. SQLite would
    read the whole table if it were asked for pairs."""
    return Prepared(select(_NODES.level, _NODES.index, _NODES.hash).where(or_(*(
        and_(_NODES.level == bindparam(f"level{at}"), _NODES.index == bindparam(f"index{at}")) for at in range(count)
    ))))


def frontier(size: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that make up a tree of `size` entries: all of the old tree that growing ever reads."""
    return ((level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1)
