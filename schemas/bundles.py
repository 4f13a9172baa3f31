"""What stands inside the seals of sharing: a bundle's manifest, and the person's own note of it, as JSON.

Knows: their fields and limits (docs/spec/bundle.md). Refuses to know: keys' uses, seals and signatures.
"""

from marshmallow import fields, validate

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Text, Time, U32, Whole

VERSION = 1


class SharedRecord(Strict):
    """One revision that is shared, with the key of its record. The record names its contents itself."""

    item = Id(required=True)
    revision = U32(required=True)
    key = Bytes(limits.KEY, required=True)
    record = Hash(required=True)
    """SHA-256 of the sealed record."""
    size = Whole(required=True)
    index = Whole(required=True)
    """Of its receipt in the ledger."""


class Manifest(Strict):
    """What is shared, with whom, until when. `reader` is the SHA-256 of the professional's pk_box, null for a link."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    bundle = Id(required=True)
    created = Time(required=True)
    expires = Time(required=True)
    sender = Bytes(limits.KEY, required=True)
    reader = Hash(required=True, allow_none=True)
    message = Text(limits.MESSAGE, required=True)
    items = fields.List(
        fields.Nested(SharedRecord), required=True, validate=validate.Length(1, limits.BUNDLE_RECORDS)
    )


class NotedRecord(Strict):
    """One revision that was shared."""

    item = Id(required=True)
    revision = U32(required=True)


class BundleNote(Strict):
    """What the person sees of it later. `name` is the professional's as listed, null for a link."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    name = Text(limits.LISTED, least=1, required=True, allow_none=True)
    items = fields.List(
        fields.Nested(NotedRecord), required=True, validate=validate.Length(1, limits.BUNDLE_RECORDS)
    )
