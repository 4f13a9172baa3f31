"""What anybody may read of the ledger: tiles, bundles of entries, proofs; never beyond the tree they may know of.

Knows: c2sp.org/tlog-tiles and the size of the tree that the reader may see. Refuses to know: HTTP, deposits, who reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_core.errors import MalformedError
from crypto_core.receipts.tiles import (
    HEIGHT,
    WIDTH,
    format_entries,
    format_tile,
    parse_entries_path,
    parse_tile_path,
    tile_width,
)
from server.ledger.models import LedgerEntry, LedgerNode
from server.ledger.service import Ledger
from server.problems import Refusal

_ENTRIES = "entries/"


def read_tile(session: Session, path: str, size: int) -> bytes:
    """The bytes at `tile/…` in the tree of `size` entries, `path` being what follows; Refusal `not_found` if none."""
    return publish_tile(path, size, partial(_read_entries, session), partial(_read_hashes, session))


def publish_tile(
    path: str, size: int, entries: Callable[[int, int], Iterable[bytes]],
    hashes: Callable[[int, int, int], Iterable[bytes]],
) -> bytes:
    """The same of any tree: `entries(index, width)` gives those of a bundle, `hashes(level, index, width)` a tile's."""
    try:
        if path.startswith(_ENTRIES):
            index, width = parse_entries_path(f"tile/{path}")
            _require_width(0, index, width, size)
            return format_entries(entries(index, width))
        level, index, width = parse_tile_path(f"tile/{path}")
        _require_width(level, index, width, size)
        return format_tile(hashes(level, index, width))
    except MalformedError:
        raise Refusal("not_found") from None


def prove_consistency(ledger: Ledger, session: Session, known: int, *, old: int, new: int) -> dict[str, Any]:
    """As schemas.receipts.Consistency, for who may know of `known` entries; Refusal `not_found` unless
    0 ≤ old ≤ new ≤ known."""
    if not 0 <= old <= new <= known:
        raise Refusal("not_found")
    return {"old": old, "new": new, "proof": ledger.consistency(session, old, new)}


def prove_inclusion(ledger: Ledger, session: Session, known: int, *, index: int, size: int) -> dict[str, Any]:
    """As schemas.receipts.Inclusion, in the tree of the first `size` entries, for who may know of `known`; Refusal
    `not_found` unless that tree has `index` and is no larger than `known`."""
    if not 0 <= index < size <= known:
        raise Refusal("not_found")
    return {"index": index, "size": size, "proof": ledger.inclusion(session, index, size)}


def _read_entries(session: Session, index: int, width: int) -> Iterable[bytes]:
    start = index * WIDTH
    return session.scalars(
        select(LedgerEntry.entry)
        .where(LedgerEntry.index >= start, LedgerEntry.index < start + width)
        .order_by(LedgerEntry.index)
    )


def _read_hashes(session: Session, level: int, index: int, width: int) -> Iterable[bytes]:
    start = index * WIDTH
    return session.scalars(
        select(LedgerNode.hash)
        .where(LedgerNode.level == HEIGHT * level, LedgerNode.index >= start, LedgerNode.index < start + width)
        .order_by(LedgerNode.index)
    )


def _require_width(level: int, index: int, width: int, size: int) -> None:
    if width > tile_width(level, index, size):
        raise Refusal("not_found")
