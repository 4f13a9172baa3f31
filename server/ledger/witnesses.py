"""The witnesses that this vault asks: named, listed and let go by its operator.

Knows: what a witness's row holds. Refuses to know: how one is asked (server.ledger.submitting).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.note import COSIGNATURE, format_vkey, parse_vkey
from server.ledger.models import LedgerWitness

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII)
MOST = 16
"""Witnesses of one vault: every cosignature makes each receipt 150 bytes longer."""


class WitnessKnown(TemoinError):
    code = "witness_listed"
    sentence = "There is a witness of this name or with this key already. `temoin-server witnesses list` shows them."


class WitnessUnknown(TemoinError):
    code = "witness_not_listed"
    sentence = "There is no witness of this name. `temoin-server witnesses list` shows those that there are."


class WitnessRefused(TemoinError):
    code = "witness_refused"
    sentence = (
        "This can't be a witness. Give it a short name, the key that its keeper published, and its https address."
    )


def add_witness(session: Session, name: str, vkey: str, url: str) -> LedgerWitness:
    """A new witness, to be asked from now on. Raises WitnessRefused, whose `detail` says why, or WitnessKnown."""
    if not _NAME.fullmatch(name):
        raise WitnessRefused("a name is lower-case letters, digits, dots and hyphens")
    try:
        key = parse_vkey(vkey)
    except CryptoCoreError as error:
        raise WitnessRefused(error.detail) from None
    if key.algorithm != COSIGNATURE:
        raise WitnessRefused("this is a ledger's key, not a witness's")
    prefix = _prefix(url)
    known = select(LedgerWitness).where(or_(LedgerWitness.name == name, LedgerWitness.vkey == format_vkey(key)))
    if session.scalars(known).first() is not None:
        raise WitnessKnown()
    if len(list_witnesses(session)) >= MOST:
        raise WitnessRefused(f"a vault has {MOST} witnesses at most")
    made = LedgerWitness(name=name, vkey=vkey, url=prefix, size=0, trouble="", failures=0, not_before=0)
    session.add(made)
    return made


def remove_witness(session: Session, name: str) -> None:
    """It is asked no more; what it cosigned stays. Raises WitnessUnknown."""
    session.delete(find_witness(session, name))


def find_witness(session: Session, name: str) -> LedgerWitness:
    """Raises WitnessUnknown."""
    found = session.get(LedgerWitness, name)
    if found is None:
        raise WitnessUnknown()
    return found


def list_witnesses(session: Session) -> list[LedgerWitness]:
    """All, by name."""
    return list(session.scalars(select(LedgerWitness).order_by(LedgerWitness.name)))


def _prefix(url: str) -> str:
    """The submission prefix without a slash at its end. Raises WitnessRefused."""
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise WitnessRefused("not an address") from None
    plain = f"{split.scheme}://{split.netloc}{split.path}"
    if split.scheme not in ("https", "http") or not split.hostname or port == 0 or "@" in url or plain != url:
        raise WitnessRefused("an address is https://host or https://host/path")
    return url.rstrip("/")
