"""Checks the anchors that are kept against the ledger, for `temoin-server check`.

Knows: that a token has to be over the checkpoint that it lies beside. Refuses to know: how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.x509 import Certificate
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from crypto_core.errors import MalformedError
from crypto_core.receipts.anchor import AnchorAuthorityUnknown, AnchorError, parse_certificates, verify_token
from crypto_core.receipts.note import parse_note
from server.anchors.models import Anchor
from server.ledger.models import SignedCheckpoint


def check_anchors(session: Session, roots: Sequence[Certificate]) -> Iterator[str]:
    """One sentence for each anchor that proves nothing. An authority that is none of `roots` (any more) is no fault:
    of its tokens everything is checked that needs no root."""
    if not inspect(session.connection()).has_table(Anchor.__tablename__):  # no newer server has run here yet
        return
    rows = select(Anchor, SignedCheckpoint.note).outerjoin(SignedCheckpoint, SignedCheckpoint.size == Anchor.size)
    for anchor, note in session.execute(rows.order_by(Anchor.size).execution_options(yield_per=64)):
        try:
            links = parse_certificates(anchor.chain.encode())
            verify_token(anchor.token, parse_note((note or "").encode()).text, roots=roots, links=(*links, *roots))
        except AnchorAuthorityUnknown:
            continue
        except (AnchorError, MalformedError) as error:
            yield f"the anchor of size {anchor.size} proves nothing ({error.code})"
