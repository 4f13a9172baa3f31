"""Cosignatures as they are kept: which checkpoint has which, and the note that brings them along.

Knows: that a note may be given more signature lines, and which checkpoint serves a receipt best.
Refuses to know: how they were obtained (server.ledger.submitting), and whom a reader trusts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from crypto_core.errors import CryptoCoreError
from crypto_core.receipts.note import (
    VerifierKey, format_signatures, format_vkey, parse_signatures, parse_vkey, verify_signature,
)
from server.ledger.models import Cosignature, CosignatureLine, LedgerWitness


NEAR = 64
"""Rows that are looked at, from a deposit on and back from the newest: no receipt may cost more, however long the
ledger."""


def with_cosignatures(session: Session, size: int, note: str, kept: type[CosignatureLine] = Cosignature) -> str:
    """The signed note of the checkpoint of `size`, and below it every cosignature kept for it: the same text, the
    same signature, more lines."""
    query = select(kept.line).where(kept.size == size).order_by(kept.time, kept.vkey)
    return note + "".join(session.scalars(query))


def best_cosigned(session: Session, index: int) -> int | None:
    """The size of the checkpoint under which the receipt of the entry at `index` proves most: the one that most of
    today's witnesses have cosigned and, among those, the earliest. None if no witness has cosigned any that covers it.
    """
    kept = select(Cosignature.size).join(LedgerWitness, LedgerWitness.vkey == Cosignature.vkey)
    covering: Select[int] = kept.where(Cosignature.size > index).limit(NEAR)
    first = session.scalars(covering.order_by(Cosignature.size, Cosignature.vkey)).all()
    last: Sequence[int] = ()
    if len(first) == NEAR:
        first = [size for size in first if size != first[-1]]  # its rows may not all have been read
        last = session.scalars(covering.order_by(Cosignature.size.desc(), Cosignature.vkey)).all()
        last = [size for size in last if size != last[-1]]
    counts = Counter(first) | Counter(last)
    return min(counts, key=lambda size: (-counts[size], size)) if counts else None


def verified_cosignature(text: str, lines: bytes, key: VerifierKey) -> tuple[int, str] | None:
    """(time, line) of the earliest cosignature by `key` among a witness's answer; lines by other keys are passed over.

    None if there is none that verifies.
    """
    try:
        own = [one for one in parse_signatures(lines) if (one.name, one.key_hash) == (key.name, key.key_hash)]
        found = [(verify_signature(text, one, key), format_signatures([one])) for one in own]
    except CryptoCoreError:
        return None
    return min(((time, line) for time, line in found if time is not None), default=None)


def keep_cosignature(
    session: Session, size: int, key: VerifierKey, time: int, line: str, kept: type[CosignatureLine] = Cosignature
) -> None:
    """Keeps a verified one; the earliest stays."""
    vkey = format_vkey(key)
    if session.get(kept, {"size": size, "vkey": vkey}) is None:
        session.add(kept(size=size, vkey=vkey, time=time, line=line))


def is_cosigned(text: str, line: str, vkey: str, time: int) -> bool:
    """Whether a line that was kept is what it was kept as: a signature over `text` by this key, at this time."""
    try:
        (signature,) = parse_signatures(line.encode())
        return verify_signature(text, signature, parse_vkey(vkey)) == time
    except (CryptoCoreError, ValueError):
        return False
