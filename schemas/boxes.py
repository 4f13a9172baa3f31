"""Deposit boxes as they travel: sealed bytes, ids, hashes, times and counts, nothing else.

Knows: protocol §7 on the wire (docs/spec/deposit-box.md). Refuses to know: what is put in, and who has an address.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Time, Whole, one_of
from schemas.items import NamedBlob


class PutBox(Strict):
    """`POST /v1/boxes`: what may be put into it until `expires`. `deposits` and `bytes` bound all that ever is."""

    box = Id(required=True)
    expires = Time(required=True)
    deposits = Whole(1, limits.BOX_DEPOSITS, required=True)
    bytes = Whole(limits.BOX_BYTES_LEAST, limits.BLOB, required=True)
    cap_hash = Hash(required=True)
    seal = Bytes(limits.SEALED_KEY, required=True)
    """The seed of the box's key pair."""
    note = Bytes(least=1024, most=limits.NOTE, required=True)
    """For the person alone: what the box is for."""


class BoxKept(Strict):
    box = Id(required=True)
    created = Time(required=True)


class Box(Strict):
    """One box as the person sees it. Once `ended`, nothing more is taken; what waits in it stays."""

    box = Id(required=True)
    created = Time(required=True)
    expires = Time(required=True)
    deposits = Whole(1, limits.BOX_DEPOSITS, required=True)
    bytes = Whole(limits.BOX_BYTES_LEAST, limits.BLOB, required=True)
    made = Whole(0, limits.BOX_DEPOSITS, required=True)
    """Deposits that were ever made, whatever became of them."""
    used = Whole(0, limits.BLOB, required=True)
    """Sealed bytes that ever came or are announced."""
    waiting = Whole(0, limits.BOX_DEPOSITS, required=True)
    seal = Bytes(limits.SEALED_KEY, required=True)
    note = Bytes(least=1024, most=limits.NOTE, required=True)
    ended = Time(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True, validate=one_of("closed", "expired"))


class Boxes(Strict):
    """The newest first."""

    boxes = fields.List(fields.Nested(Box), required=True)


class WaitingDeposit(Strict):
    """A deposit that was not accepted yet. `key` is boxed for the box's key; the sealed words are the blob `deposit`,
    of `size` bytes. `erased_after` is when a refusal takes effect, null if it was not refused."""

    deposit = Id(required=True)
    deposited = Time(required=True)
    key = Bytes(limits.BOX_WRAP, required=True)
    size = Whole(required=True)
    blobs = fields.List(
        fields.Nested(NamedBlob), required=True, validate=validate.Length(max=limits.DEPOSIT_BLOBS)
    )
    erased_after = Time(required=True, allow_none=True)


class WaitingDeposits(Strict):
    """The oldest first."""

    deposits = fields.List(fields.Nested(WaitingDeposit), required=True)


class EnterBox(Strict):
    """Shows the key of the address; counts nothing."""

    cap = Bytes(limits.KEY, required=True)


class BoxEntered(Strict):
    """`token` is good for putting things into this box until `expires`, and for nothing else. `until` is the box's own
    end, by its vault's clock; `deposits` and `bytes` are what it still takes."""

    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)
    until = Time(required=True)
    deposits = Whole(0, limits.BOX_DEPOSITS, required=True)
    bytes = Whole(0, limits.BLOB, required=True)


class PutDeposit(Strict):
    """`POST /v1/boxes/<box>/deposits`, once all its blobs are kept. `deposit` is the id of the blob that holds the
    sealed words as well, `blobs` are those of the files."""

    deposit = Id(required=True)
    key = Bytes(limits.BOX_WRAP, required=True)
    blobs = fields.List(Id(), required=True, validate=validate.Length(max=limits.DEPOSIT_BLOBS))

    @validates_schema
    def _each_once(self, data: dict[str, Any], **_: Any) -> None:
        if len({data["deposit"], *data["blobs"]}) != 1 + len(data["blobs"]):
            raise ValidationError("A blob is named once.", "blobs")


class DepositKept(Strict):
    deposit = Id(required=True)
    deposited = Time(required=True)
