"""Brings receipts up to what witnesses have cosigned since: another checkpoint and another path, the same deposit.

Knows: which of two receipts proves more. Refuses to know: terminals, and who deserves trust; a policy says that.
A receipt is replaced only by one that verified under the pinned key and has the very same `extra`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from client_sdk.errors import PolicyOtherLog, ServerFault
from client_sdk.items import KeptReceipt
from client_sdk.reader import Reader
from client_sdk.receipts import ReceiptPlace
from client_sdk.replica import Row
from client_sdk.session import Session
from crypto_core.errors import ReceiptQuorumMissing, RotationBroken
from crypto_core.receipts.note import format_vkey, parse_note
from crypto_core.receipts.policy import NONE, Policy
from crypto_core.receipts.receipt import parse_receipt, verify_receipt
from crypto_core.receipts.rotation import open_rotations, rotate_policy


@dataclass(frozen=True)
class Strength:
    """What a receipt proves beside the operator's word. `cosignatures`: of the policy's witnesses, verified; without
    a policy, lines in the note by others than the ledger, of which nothing is known. `bound_time`: Unix seconds."""

    is_enough: bool
    cosignatures: int
    bound_time: int | None

    def is_above(self, other: Strength) -> bool:
        """Whether a receipt of this strength shall replace one of the other."""
        if (self.is_enough, self.cosignatures) != (other.is_enough, other.cosignatures):
            return (self.is_enough, self.cosignatures) > (other.is_enough, other.cosignatures)
        return self.bound_time is not None and other.bound_time is not None and self.bound_time < other.bound_time


@dataclass(frozen=True)
class Upgrade:
    """What became of one receipt. `waiting`: too few have cosigned any checkpoint that covers it yet."""

    state: Literal["upgraded", "unchanged", "waiting"]
    receipt: KeptReceipt
    strength: Strength


class Upgrader:
    """Upgrades for one session. `policy` says whose cosignatures count; without it one by anybody does. Whichever of
    the ledger's keys it names, the others that this device knows to be joined to it count as well."""

    def __init__(self, session: Session, reader: Reader, policy: Policy | None) -> None:
        self._session, self._reader, self._policy = session, reader, policy

    def upgrade(self, rows: list[Row]) -> Iterator[Upgrade]:
        """Every receipt of these revisions, each once: of the records, and of the contents of those that are open.

        Raises ReceiptKeyUnknown for a policy that does not name the ledger, PolicyOtherLog where it names the vault's
        directory instead, and as `Session.verify` does.
        """
        if self._policy is not None:
            self._require_ledger(self._policy)
        places = {place.name: place for row in rows for place in self._reader.receipt_places(row)}
        for place in places.values():
            yield self._upgrade(place)

    def _require_ledger(self, policy: Policy) -> None:
        pin, given = self._session.pin, {format_vkey(log.key) for log in policy.logs}
        if pin.directory_vkey in given and not any(map(pin.knows, given)):
            raise PolicyOtherLog("this vault's directory", f"its ledger, {pin.ledger_vkey}")

    def _upgrade(self, place: ReceiptPlace) -> Upgrade:
        held = self._reader.receipts.at(place)
        strength = self._strength(held, place)
        if not (self._policy is not None and strength.is_enough):
            offered = self._offered(held, place)
            better = self._strength(offered, place)
            if better.is_above(strength):
                with self._session.replica.writing():
                    self._session.replica.keep_receipt(place.name, offered.receipt)
                return Upgrade("upgraded" if better.is_enough else "waiting", offered, better)
        return Upgrade("unchanged" if strength.is_enough else "waiting", held, strength)

    def _offered(self, held: KeptReceipt, place: ReceiptPlace) -> KeptReceipt:
        """What the vault gives now. Raises ServerFault if it is of another deposit, and keeps it as evidence."""
        text = self._session.ask("GET", place.path, **place.places)["receipt"]
        verified = self._session.verify(text, place.sha256, place.size)
        if verified.commitment != held.verified.commitment:
            self._session.home.keep_evidence("receipt", text.encode())
            raise ServerFault("the receipt of another deposit")
        return KeptReceipt(held.name, text, verified)

    def _strength(self, receipt: KeptReceipt, place: ReceiptPlace) -> Strength:
        data = receipt.receipt.encode()
        note = parse_note(parse_receipt(data).note.encode())
        if self._policy is None:
            others = {(one.name, one.key_hash) for one in note.signatures} - {
                (key.name, key.key_hash) for key in self._session.trust.policy.keys
            }
            return Strength(bool(others), len(others), None)
        policy = self._rotated(self._policy)
        try:
            verified = verify_receipt(data, sha256=place.sha256, size=place.size, policy=policy)
        except ReceiptQuorumMissing:
            loose = replace(policy, quorum=NONE)
            verified = verify_receipt(data, sha256=place.sha256, size=place.size, policy=loose)
            return Strength(False, len(verified.cosigned_by), None)
        return Strength(True, len(verified.cosigned_by), verified.bound_time)

    def _rotated(self, policy: Policy) -> Policy:
        try:
            return rotate_policy(policy, open_rotations(self._session.pin.rotations))
        except RotationBroken:  # it names none of the ledger's keys, or another one: what it trusts is for it to say
            return policy
