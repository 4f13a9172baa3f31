"""What anybody may read of the anchors.

Knows: which one a receipt needs, and how far into the ledger the reader may see. Refuses to know: what a token says.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.anchors.models import Anchor
from server.ledger.cosignatures import with_cosignatures
from server.ledger.models import SignedCheckpoint
from server.ledger.service import Ledger


def find_anchors(ledger: Ledger, session: Session, known: int, *, size: int) -> dict[str, Any]:
    """As schemas.receipts.Anchors, for who may know of `known` entries: the first anchor over a tree of `size` entries
    or more, and the last one over fewer."""
    seen = select(Anchor, SignedCheckpoint.note).join(SignedCheckpoint, SignedCheckpoint.size == Anchor.size)
    covering = seen.where(size <= Anchor.size, Anchor.size <= known).order_by(Anchor.size)
    before = seen.where(Anchor.size < min(size, known + 1)).order_by(Anchor.size.desc())
    return {"covering": _first(session, covering), "before": _first(session, before)}


def _first(session: Session, query: Select[Anchor, str]) -> dict[str, Any] | None:
    found = session.execute(query.limit(1)).first()
    if found is None:
        return None
    anchor, note = found
    note = with_cosignatures(session, anchor.size, note)
    return {"size": anchor.size, "checkpoint": note, "token": anchor.token, "chain": anchor.chain}
