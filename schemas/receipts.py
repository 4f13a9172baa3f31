"""Receipts and ledger proofs, as they travel.

Knows: protocol §6 on the wire. Refuses to know: how a proof is checked.
"""

from marshmallow import fields, validate

from schemas import limits
from schemas.fields import Bytes, Strict, Text, Time, Whole


class ReceiptAnswer(Strict):
    """A receipt under the checkpoint that proves most; `extra` never changes."""

    deposited = Time(required=True)
    receipt = Text(limits.RECEIPT, required=True)


class ConsistencyQuery(Strict):
    old = fields.Integer(required=True, validate=validate.Range(0, limits.SAFE_INTEGER))
    new = fields.Integer(required=True, validate=validate.Range(0, limits.SAFE_INTEGER))


class Consistency(Strict):
    """RFC 6962 §2.1.2 proof that the tree of `new` entries begins with the tree of `old`."""

    old = Whole(required=True)
    new = Whole(required=True)
    proof = fields.List(Bytes(limits.HASH), required=True)


class InclusionQuery(Strict):
    index = fields.Integer(required=True, validate=validate.Range(0, limits.SAFE_INTEGER))
    size = fields.Integer(required=True, validate=validate.Range(1, limits.SAFE_INTEGER))


class Inclusion(Strict):
    """RFC 6962 §2.1.1 proof that the entry at `index` is in the tree of `size` entries."""

    index = Whole(required=True)
    size = Whole(1, required=True)
    proof = fields.List(Bytes(limits.HASH), required=True)


class AnchorsQuery(Strict):
    """`size`: of a tree; for an entry, one more than its index."""

    size = fields.Integer(required=True, validate=validate.Range(1, limits.SAFE_INTEGER))


class Anchor(Strict):
    """A token (RFC 3161, TimeStampResp in DER) over the checkpoint of the tree of `size` entries.

    `checkpoint` is the signed note, `chain` the certificates between signer and root, in PEM.
    """

    size = Whole(1, required=True)
    checkpoint = Text(limits.CHECKPOINT_NOTE, required=True)
    token = Bytes(least=1, most=limits.TIMESTAMP, required=True)
    chain = Text(limits.TIMESTAMP, required=True)


class Anchors(Strict):
    """The first anchor over the tree of the size asked for or a larger one, and the last over a smaller."""

    covering = fields.Nested(Anchor, required=True, allow_none=True)
    before = fields.Nested(Anchor, required=True, allow_none=True)
