"""The receipts of what is kept: from this device or from the vault, and under an anchor to be exported.

Knows: of which sealed bytes a receipt is, and which of two notes more have signed. Refuses to know: what a record says,
and whom to trust: the session proves each receipt before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from client_sdk.contents import sealed_content_size
from client_sdk.errors import ItemUnknown, Refused
from client_sdk.items import Anchor, Content, KeptReceipt, SealedBlob, Sent
from client_sdk.replica import Row, record_name
from client_sdk.session import Session
from crypto_core.errors import MalformedError, VerificationError
from crypto_core.receipts.note import parse_note
from crypto_core.receipts.receipt import format_receipt, parse_receipt, verify_receipt

ANCHORS = "/v1/ledger/anchors"
INCLUSION = "/v1/ledger/inclusion"
BLOB_RECEIPT = "/v1/blobs/<id:blob>/receipt"
RECORD_RECEIPT = "/v1/items/<id:item>/revisions/<u32:revision>/receipt"


class ReceiptPlace(NamedTuple):
    """Of which sealed bytes a receipt is, its name on this device, and where the vault gives it."""

    name: str
    sha256: bytes
    size: int
    path: str
    places: dict[str, Any]


class Receipts:
    """Those of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def at(self, place: ReceiptPlace) -> KeptReceipt:
        """The receipt there, from this device or from the vault; verified either way. Raises as `Session.verify`, or
        Refused `not_found`."""
        session = self._session
        known = session.replica.receipt(place.name)
        if known is not None:
            with suppress(VerificationError):  # under a key of the ledger that the person has let go of since
                verified = verify_receipt(
                    known.encode(), sha256=place.sha256, size=place.size, policy=session.trust.policy
                )
                return KeptReceipt(place.name, known, verified)
        text = session.ask("GET", place.path, **place.places)["receipt"]
        verified = session.verify(text, place.sha256, place.size)
        if known is None:
            session.replica.keep_receipt(place.name, text)
        return KeptReceipt(place.name, text, verified)

    def has_blob(self, blob: bytes) -> bool:
        """Whether the vault has a receipt of a blob, and so the blob."""
        try:
            self._session.ask("GET", BLOB_RECEIPT, blob=blob)
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            return False
        return True

    def exported(self, place: ReceiptPlace, chunks: Iterator[bytes]) -> SealedBlob:
        """The sealed bytes and their receipt, with the first anchor that covers it. Where there is none, none that the
        receipt holds under, or one under which fewer have signed, the receipt stays as it is. Raises as `at`."""
        kept, session = self.at(place), self._session
        index = kept.verified.index
        plain = SealedBlob(place.name, place.sha256, place.size, chunks, kept.receipt, kept.verified)
        try:
            found = session.ask("GET", ANCHORS, query={"size": index + 1})
        except Refused as refusal:
            if refusal.code != "not_found":  # a vault that is older than this program
                raise
            return plain
        anchor, before = (None if one is None else _anchor(one) for one in (found["covering"], found["before"]))
        held = parse_receipt(kept.receipt.encode())
        if anchor is None or _signatures(anchor.checkpoint) < _signatures(held.note):
            return plain
        proof = session.ask("GET", INCLUSION, query={"index": index, "size": found["covering"]["size"]})["proof"]
        receipt = replace(held, proof=tuple(proof), note=anchor.checkpoint)
        try:
            text = format_receipt(receipt).decode()
            verified = session.verify(text, place.sha256, place.size)
        except (ValueError, VerificationError):
            return plain
        return replace(plain, receipt=text, verified=verified, anchor=anchor, before=before)


def record_place(row: Row) -> ReceiptPlace:
    """Where the receipt of a record is. Raises ItemUnknown for an erased one."""
    if row.record is None:
        raise ItemUnknown("erased")
    name, places = record_name(row.item, row.revision), {"item": row.item, "revision": row.revision}
    return ReceiptPlace(name, sha256(row.record).digest(), len(row.record), RECORD_RECEIPT, places)


def content_place(content: Content) -> ReceiptPlace:
    """Where the receipt of a content without parts is."""
    size = sealed_content_size(content.size)
    return ReceiptPlace(content.blob.hex(), content.sealed, size, BLOB_RECEIPT, {"blob": content.blob})


def words_place(sent: Sent) -> ReceiptPlace:
    """Where the receipt of a depositor's own words is."""
    return ReceiptPlace(sent.deposit.hex(), sent.sealed, sent.size, BLOB_RECEIPT, {"blob": sent.deposit})


def _signatures(note: str) -> int:
    """How many lines have signed; none for what is no note."""
    try:
        return len(parse_note(note.encode()).signatures)
    except MalformedError:
        return 0


def _anchor(facts: dict[str, Any]) -> Anchor:
    return Anchor(facts["token"], facts["chain"], facts["checkpoint"])
