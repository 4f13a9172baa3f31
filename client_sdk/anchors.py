"""What an authority's token adds to a receipt: a bound that is not the operator's word, and a check of that word.

Knows: step 8 of a receipt's verification, and what a claimed time can't be (docs/spec/receipt.md). Refuses to know:
files, the network, which authority deserves trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.x509 import Certificate

from crypto_core.encoding import format_time
from crypto_core.errors import MalformedError
from crypto_core.receipts.anchor import (
    AnchorError, AnchorMalformed, AnchorOtherCheckpoint, VerifiedToken, verify_token,
)
from crypto_core.receipts.checkpoint import format_checkpoint, parse_checkpoint
from crypto_core.receipts.note import open_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt

TOLERANCE = 300
"""Seconds by which an honest operator's clock may be off (protocol §0)."""


class ClaimedTimeLate(AnchorError):
    """The operator claims a deposit after the time at which an authority saw the ledger with it."""

    code = "claimed_time_late"
    sentence = (
        "The operator claims a later deposit than the time at which the authority saw it already. That can't be: "
        "one of the two is wrong. Keep all files, and show them to somebody you trust."
    )


class ClaimedTimeEarly(AnchorError):
    """The operator claims a deposit before the time at which it had the ledger stamped without it."""

    code = "claimed_time_early"
    sentence = (
        "The operator claims an earlier deposit than the time at which it had the ledger stamped without it. Don't "
        "believe the claimed time. Keep all files: what the receipt and the later token prove still stands."
    )


@dataclass(frozen=True)
class Authorities:
    """Whom a verifier trusts for the time: `roots`; what may stand below them; which policy, if only one will do."""

    roots: Sequence[Certificate]
    links: Sequence[Certificate] = ()
    policy: str | None = None

    def verify(self, token: bytes, text: str) -> VerifiedToken:
        """As `verify_token`."""
        return verify_token(token, text, roots=self.roots, links=self.links, policy=self.policy)


@dataclass(frozen=True)
class Before:
    """A signed note of the ledger as it was without the entry, and the token over it; nothing of it is verified."""

    note: bytes
    token: bytes


@dataclass(frozen=True)
class AnchoredReceipt:
    """Only `verify_anchored` makes one: holding it is the proof."""

    receipt: VerifiedReceipt
    token: VerifiedToken
    before: VerifiedToken | None

    @property
    def bound_time(self) -> int:
        """Unix seconds: the earliest independent time, of the witnesses or of the authority."""
        witnessed = self.receipt.bound_time
        return self.token.latest if witnessed is None else min(witnessed, self.token.latest)


def verify_anchored(
    receipt: VerifiedReceipt, token: bytes, authorities: Authorities, policy: Policy, before: Before | None = None
) -> AnchoredReceipt:
    """Proves that the receipt's checkpoint, and so its file, existed at the authority's time.

    `policy` is the one that the receipt was verified under: `before` has to be of the same ledger.
    Raises a leaf of AnchorError, NoteKeyUnknown or SignatureInvalid.
    """
    proven = authorities.verify(token, format_checkpoint(receipt.checkpoint))
    if receipt.claimed_time > proven.latest + TOLERANCE:
        raise ClaimedTimeLate()
    without = None if before is None else _verify_before(receipt, before, authorities, policy)
    if without is not None and receipt.claimed_time + TOLERANCE < without.earliest:
        raise ClaimedTimeEarly()
    return AnchoredReceipt(receipt, proven, without)


def anchored_sentence(anchored: AnchoredReceipt) -> str:
    """What is proven and what is not, in one sentence for a person."""
    by_witnesses = anchored.bound_time == anchored.receipt.bound_time
    whose = "the witnesses that you trust" if by_witnesses else "a time-stamping authority that you trust"
    return (
        f"These bytes existed no later than {format_time(anchored.bound_time)}, by the word of {whose} (the ledger's "
        f"operator says {format_time(anchored.receipt.claimed_time)}); this does not prove who made them, nor that "
        "what they say is true."
    )


def _verify_before(
    receipt: VerifiedReceipt, before: Before, authorities: Authorities, policy: Policy
) -> VerifiedToken:
    try:
        opened = open_note(before.note, policy.keys)
        checkpoint = parse_checkpoint(opened.text)
    except MalformedError:
        raise AnchorMalformed("the earlier state of the ledger is no signed note") from None
    signers = {signature.key for signature in opened.verified}
    ledgers = {log.key for log in policy.logs if log.key.name == receipt.checkpoint.origin}
    if checkpoint.origin != receipt.checkpoint.origin or ledgers.isdisjoint(signers):
        raise AnchorOtherCheckpoint("of another ledger")
    if checkpoint.size > receipt.index:
        raise AnchorOtherCheckpoint("of a tree that has the entry")
    return authorities.verify(before.token, opened.text)
