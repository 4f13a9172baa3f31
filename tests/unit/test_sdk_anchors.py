"""A receipt with a token: which time binds, and what the operator can't claim."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from client_sdk.anchors import (
    TOLERANCE, AnchoredReceipt, Authorities, Before, ClaimedTimeEarly, ClaimedTimeLate, anchored_sentence,
    verify_anchored,
)
from crypto_core.encoding import format_time
from crypto_core.errors import NoteKeyUnknown, SignatureInvalid
from crypto_core.receipts.anchor import AnchorAuthorityUnknown, AnchorMalformed, AnchorOtherCheckpoint, AnchorPolicy
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_children, hash_leaf
from crypto_core.receipts.note import COSIGNATURE, Note, SignerKey, format_note, format_vkey, sign, sign_note
from crypto_core.receipts.policy import Policy, parse_policy
from crypto_core.receipts.receipt import Receipt, VerifiedReceipt, format_receipt, verify_receipt
from tests.fakes.authority import OTHER_POLICY, POLICY, Authority, make_authority

ORIGIN, SEALED = "ledger.example/one", b"opaque" * 100
LEDGER, STRANGER = SignerKey(ORIGIN, b"\x01" * 32), SignerKey("ledger.example/two", b"\x02" * 32)
WITNESS = SignerKey("witness.example", b"\x03" * 32, COSIGNATURE)
HOUR, EARLIER = 3600, b"\x05" * 32


@dataclass
class Case:
    """A ledger of two entries, of which the second is ours; and an authority whose time is this machine's."""

    authority: Authority
    now: int = field(default_factory=lambda: int(time.time()))
    policy: Policy = field(default_factory=lambda: Policy.for_key(format_vkey(LEDGER.verifier)))

    @property
    def authorities(self) -> Authorities:
        return Authorities([self.authority.root.certificate], [self.authority.between.certificate])

    def receipt(self, claimed: int, *, witnessed: int | None = None) -> VerifiedReceipt:
        commitment = Commitment(b"\x07" * 32, claimed, len(SEALED), sha256(SEALED).digest())
        text = format_checkpoint(Checkpoint(ORIGIN, 2, hash_children(EARLIER, hash_leaf(entry_bytes(commitment)))))
        signatures = [sign(text, LEDGER), *([] if witnessed is None else [sign(text, WITNESS, time=witnessed)])]
        data = format_receipt(Receipt(commitment.extra, 1, (EARLIER,), format_note(Note(text, tuple(signatures)))))
        return verify_receipt(data, sha256=sha256(SEALED).digest(), size=len(SEALED), policy=self.policy)

    def token(self, receipt: VerifiedReceipt, policy: str = POLICY) -> bytes:
        return self.authority.token(format_checkpoint(receipt.checkpoint), policy=policy)

    def anchored(self, claimed: int, before: Before | None = None, witnessed: int | None = None) -> AnchoredReceipt:
        receipt = self.receipt(claimed, witnessed=witnessed)
        return verify_anchored(receipt, self.token(receipt), self.authorities, self.policy, before)

    def before(self, size: int = 1, signer: SignerKey = LEDGER, origin: str = ORIGIN) -> Before:
        """The ledger as it was without our entry, stamped just now."""
        text = format_checkpoint(Checkpoint(origin, size, EARLIER))
        return Before(sign_note(text, signer).encode(), self.authority.token(text))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(make_authority(tmp_path / "tsa"))


def test_the_authoritys_time_binds(case: Case) -> None:
    anchored = case.anchored(case.now - HOUR)
    assert case.now <= anchored.bound_time == anchored.token.latest <= time.time() + 3
    said = anchored_sentence(anchored)
    assert f"no later than {format_time(anchored.bound_time)}, by the word of a time-stamping authority" in said
    assert f"operator says {format_time(case.now - HOUR)}" in said and "does not prove who" in said


def test_the_earliest_of_those_who_are_independent_binds(case: Case) -> None:
    lines = f"log {format_vkey(LEDGER.verifier)}\nwitness w {format_vkey(WITNESS.verifier)}\nquorum w\n"
    case.policy = parse_policy(lines.encode())
    earlier = case.anchored(case.now - HOUR, witnessed=case.now - 1800)
    assert earlier.bound_time == case.now - 1800 and "the witnesses" in anchored_sentence(earlier)
    later = case.anchored(case.now - HOUR, witnessed=case.now + 1800)
    assert later.bound_time == later.token.latest and "authority" in anchored_sentence(later)


def test_a_token_that_is_refused_is_refused_here(case: Case, tmp_path: Path) -> None:
    receipt, other = case.receipt(case.now), case.receipt(case.now - 1)
    with pytest.raises(AnchorOtherCheckpoint):
        verify_anchored(receipt, case.token(other), case.authorities, case.policy)
    with pytest.raises(AnchorPolicy):
        asked = Authorities(case.authorities.roots, case.authorities.links, POLICY)
        verify_anchored(receipt, case.token(receipt, OTHER_POLICY), asked, case.policy)
    stranger = Authorities([make_authority(tmp_path / "other", "Other").root.certificate], case.authorities.links)
    with pytest.raises(AnchorAuthorityUnknown):
        verify_anchored(receipt, case.token(receipt), stranger, case.policy)


def test_a_deposit_claimed_after_the_token_over_it(case: Case) -> None:
    with pytest.raises(ClaimedTimeLate):
        case.anchored(case.now + HOUR)
    assert case.anchored(case.now + TOLERANCE - 60).receipt.index == 1  # a clock that is a little fast


def test_a_token_alone_says_nothing_against_an_early_claim(case: Case) -> None:
    """A deposit of the morning, stamped at night, is what honesty looks like too."""
    assert case.anchored(case.now - 20 * HOUR).before is None


def test_a_deposit_claimed_before_the_ledger_was_stamped_without_it(case: Case) -> None:
    before, stamped = case.before(), time.time()
    with pytest.raises(ClaimedTimeEarly):
        case.anchored(case.now - HOUR, before)
    anchored = case.anchored(case.now, before)
    assert anchored.before is not None and anchored.before.earliest <= stamped
    assert case.anchored(case.now - TOLERANCE + 60, before).before is not None


def test_an_earlier_state_that_is_none(case: Case) -> None:
    with pytest.raises(AnchorOtherCheckpoint):
        case.anchored(case.now, case.before(size=2))
    with pytest.raises(NoteKeyUnknown):
        case.anchored(case.now, case.before(signer=STRANGER))
    with pytest.raises(AnchorMalformed):
        case.anchored(case.now, Before(b"nonsense", b""))
    right = case.before()
    with pytest.raises(SignatureInvalid):
        case.anchored(case.now, Before(right.note.replace(b"\n1\n", b"\n0\n"), right.token))
    with pytest.raises(AnchorOtherCheckpoint):
        case.anchored(case.now, Before(right.note, case.token(case.receipt(case.now))))


def test_an_earlier_state_of_another_ledger(case: Case) -> None:
    keys = f"log {format_vkey(LEDGER.verifier)}\nlog {format_vkey(STRANGER.verifier)}\nquorum none\n"
    case.policy = parse_policy(keys.encode())
    with pytest.raises(AnchorOtherCheckpoint):
        case.anchored(case.now, case.before(signer=STRANGER, origin="ledger.example/two"))
    with pytest.raises(AnchorOtherCheckpoint):
        case.anchored(case.now, case.before(signer=STRANGER))
