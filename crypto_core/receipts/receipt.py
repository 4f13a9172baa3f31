"""Receipts: a file that proves, offline, that bytes existed no later than a time.

Knows: c2sp.org/tlog-proof@v1 as docs/spec/receipt.md narrows it, and the numbered steps of its verification.
Refuses to know: the file itself (its SHA-256 is enough), keys that open it, what time it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

from crypto_core.encoding import HASH_SIZE, format_b64, format_time, parse_b64
from crypto_core.errors import (
    InclusionMismatch,
    MalformedError,
    NoteKeyRetired,
    NoteKeyUnknown,
    ReceiptKeyRetired,
    ReceiptKeyUnknown,
    ReceiptMalformed,
    ReceiptNotIncluded,
    ReceiptOtherBytes,
    ReceiptQuorumMissing,
    ReceiptSignature,
    SignatureInvalid,
)
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint, parse_decimal
from crypto_core.receipts.leaf import EXTRA_SIZE, Commitment, entry_bytes, parse_extra
from crypto_core.receipts.merkle import MAX_PROOF, MAX_SIZE, hash_leaf, verify_inclusion
from crypto_core.receipts.note import MAX_NOTE_SIZE, parse_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.witnessed import WitnessedCheckpoint, open_checkpoint

HEADER = "c2sp.org/tlog-proof@v1"
MAX_RECEIPT_SIZE = MAX_NOTE_SIZE + 4096


@dataclass(frozen=True)
class Receipt:
    """A receipt as it came: nothing in it is verified. `extra` is 80 bytes, `proof` at most 63 hashes,
    `note` the checkpoint's signed note verbatim. A newer receipt for the same deposit has the same `extra`."""

    extra: bytes
    index: int
    proof: tuple[bytes, ...]
    note: str

    @cached_property
    def commitment(self) -> Commitment:
        """What the receipt says of the deposit."""
        return parse_extra(self.extra)

    @property
    def checkpoint(self) -> Checkpoint:
        """What the receipt says of the ledger."""
        return _checkpoint_in(self.note.encode())


@dataclass(frozen=True)
class VerifiedReceipt:
    """Only `verify_receipt` makes one: holding it is the proof."""

    outcome: ClassVar[Literal["valid"]] = "valid"

    index: int
    entry: bytes
    commitment: Commitment
    proof: tuple[bytes, ...]
    """From the entry to the root of the checkpoint."""
    checkpoint: Checkpoint
    claimed_time: int
    """Unix seconds: the operator's word alone."""
    bound_time: int | None
    """Unix seconds: the earliest moment at which enough trusted witnesses had cosigned; None with `quorum none`."""
    cosigned_by: tuple[str, ...]
    """Key names of all witnesses of the policy whose cosignatures verified, in the order of the policy."""


def format_receipt(receipt: Receipt) -> bytes:
    """The bytes of the `.tlog-proof` file. Raises ValueError for a receipt that has no spelling."""
    lines = (HEADER, f"extra {format_b64(receipt.extra)}", f"index {receipt.index}", *map(format_b64, receipt.proof))
    data = ("\n".join(lines) + "\n\n" + receipt.note).encode()
    try:
        parse_extra(receipt.extra)
        _checkpoint_in(receipt.note.encode())
    except MalformedError:
        raise ValueError("a receipt that can't be spelled") from None
    has_path = len(receipt.proof) <= MAX_PROOF and all(len(one) == HASH_SIZE for one in receipt.proof)
    if not has_path or not 0 <= receipt.index <= MAX_SIZE or len(data) > MAX_RECEIPT_SIZE:
        raise ValueError("a receipt that can't be spelled")
    return data


def parse_receipt(data: bytes) -> Receipt:
    """A receipt in its one spelling, its checkpoint and extra data well formed. Raises MalformedError."""
    if len(data) > MAX_RECEIPT_SIZE:
        raise MalformedError("a receipt of more than 68 KiB")
    head, separator, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("not ASCII before the checkpoint") from None
    if not separator or lines[0] != HEADER:
        raise MalformedError("not a tlog-proof of version 1")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise MalformedError("an extra line and an index line were expected")
    if len(lines) > 3 + MAX_PROOF:
        raise MalformedError("a proof of more than 63 hashes")
    extra = parse_b64(lines[1].removeprefix("extra "), EXTRA_SIZE)
    index = parse_decimal(lines[2].removeprefix("index "))
    proof = tuple(parse_b64(line, HASH_SIZE) for line in lines[3:])
    _checkpoint_in(note)
    receipt = Receipt(extra, index, proof, note.decode())
    _ = receipt.commitment  # refused here, not where it is first asked for
    return receipt


@lru_cache(maxsize=8)
def _checkpoint_in(note: bytes) -> Checkpoint:
    """What a note says, parsed once for all the receipts that bring it. Raises MalformedError."""
    return parse_checkpoint(parse_note(note).text)


def verify_receipt(data: bytes, *, sha256: bytes, size: int | None, policy: Policy) -> VerifiedReceipt:
    """Proves that a file of this SHA-256 (and of `size` bytes, if that is known) stands in a trusted ledger.

    Each step that fails raises its own leaf of VerificationError; its `outcome` says "invalid" or "not_yet".
    """
    # 1  Parse the receipt, its extra data and its checkpoint                 ReceiptMalformed
    # 2  The SHA-256, and the size if known, are those of the extra data      ReceiptOtherBytes
    # 3  Compute the entry from the extra data
    # 4  Compute the leaf hash from the entry
    # 5  The proof leads from the leaf to the root of the checkpoint          ReceiptNotIncluded
    # 6  A ledger of the policy signed the checkpoint under its own origin,   ReceiptKeyUnknown
    #    and every signature by a key of the policy verifies,                 ReceiptSignature
    #    and not by a key alone that a record says was replaced before        ReceiptKeyRetired
    # 7  Enough witnesses of the policy cosigned it                           ReceiptQuorumMissing
    # Then, elsewhere: 8 the RFC 3161 token; 9, with the key, the file's own seal.

    # 1
    try:
        receipt = parse_receipt(data)
        commitment, checkpoint = receipt.commitment, receipt.checkpoint
    except MalformedError as error:
        raise ReceiptMalformed(error.detail) from None
    # 2
    if commitment.sha256 != sha256:
        raise ReceiptOtherBytes("another SHA-256")
    if size is not None and commitment.size != size:
        raise ReceiptOtherBytes("another size")
    # 3
    entry = entry_bytes(commitment)
    # 4
    leaf = hash_leaf(entry)
    # 5
    try:
        verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
    except InclusionMismatch as error:
        raise ReceiptNotIncluded(error.detail) from None
    # 6
    witnessed = weigh_receipt(receipt, policy)
    # 7
    if not witnessed.is_met:
        raise ReceiptQuorumMissing()
    return VerifiedReceipt(
        index=receipt.index,
        entry=entry,
        commitment=commitment,
        proof=receipt.proof,
        checkpoint=checkpoint,
        claimed_time=commitment.time,
        bound_time=witnessed.bound_time,
        cosigned_by=tuple(one.witness.key.name for one in witnessed.cosigned),
    )


def proven_sentence(verified: VerifiedReceipt) -> str:
    """What is proven and what is not, in one sentence for a person."""
    claimed = format_time(verified.claimed_time)
    if verified.bound_time is None:
        proven = f"These bytes existed no later than {claimed}, by the word of the ledger's operator alone"
    else:
        bound = format_time(verified.bound_time)
        proven = f"These bytes existed no later than {bound}, by the word of the witnesses that you trust"
        proven += f" (the ledger's operator says {claimed})"
    return f"{proven}; this does not prove who made them, nor that what they say is true."


def weigh_receipt(receipt: Receipt, policy: Policy) -> WitnessedCheckpoint:
    """Step 6, and who cosigned: of a receipt that misses cosignatures, this says which.

    Raises ReceiptSignature, ReceiptKeyUnknown or ReceiptKeyRetired.
    """
    try:
        return open_checkpoint(receipt.note.encode(), policy)
    except SignatureInvalid as error:
        raise ReceiptSignature(error.detail) from None
    except NoteKeyUnknown:
        raise ReceiptKeyUnknown() from None
    except NoteKeyRetired:
        raise ReceiptKeyRetired() from None
