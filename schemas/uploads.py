"""Blobs on their way in, as they travel.

Knows: protocol §5 on the wire. Refuses to know: what a blob is.
"""

from marshmallow import fields

from schemas import limits
from schemas.fields import Hash, Id, Strict, Text, Time, Whole


class StartUpload(Strict):
    blob = Id(required=True)
    size = Whole(limits.HEADER + 16, limits.BLOB, required=True)


class Unit(Strict):
    unit = Whole(required=True)
    sha256 = Hash(required=True)


class Upload(Strict):
    """Which units are there. `complete` is true once the blob is kept."""

    blob = Id(required=True)
    size = Whole(required=True)
    units = fields.List(fields.Nested(Unit), required=True)
    complete = fields.Boolean(required=True)


class CompleteUpload(Strict):
    sha256 = Hash(required=True)


class KeptBlob(Strict):
    """Proof that a blob is kept."""

    blob = Id(required=True)
    size = Whole(required=True)
    sha256 = Hash(required=True)
    deposited = Time(required=True)
    receipt = Text(limits.RECEIPT, required=True)
