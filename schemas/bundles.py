"""What stands inside the seals of sharing: a bundle's manifest, and the person's own note of it, as JSON.

Knows: their fields and limits (docs/spec/bundle.md). Refuses to know: keys' uses, seals and signatures.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Text, Time, U32, Whole

VERSION = 1
WITH_WORDS = 2
"""Of a manifest that shares what somebody put into a box together with their own words."""


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
    words = Whole(allow_none=True)
    """Of the receipt of a depositor's own words, which its record names; null where nobody else put it in."""


class Manifest(Strict):
    """What is shared, with whom, until when. `reader` is the SHA-256 of the professional's pk_box, null for a link.

    Each item has `words` in a manifest WITH_WORDS, and one of them is not null; none has it in another.
    """

    v = fields.Integer(required=True, strict=True, validate=validate.OneOf((VERSION, WITH_WORDS)))
    bundle = Id(required=True)
    created = Time(required=True)
    expires = Time(required=True)
    sender = Bytes(limits.KEY, required=True)
    reader = Hash(required=True, allow_none=True)
    message = Text(limits.MESSAGE, required=True)
    items = fields.List(
        fields.Nested(SharedRecord), required=True, validate=validate.Length(1, limits.BUNDLE_RECORDS)
    )

    @validates_schema
    def _words(self, data: dict[str, Any], **_: Any) -> None:
        with_words = data["v"] == WITH_WORDS
        if any(("words" in one) != with_words for one in data["items"]):
            raise ValidationError("Words of another version.", "items")
        if with_words and all(one["words"] is None for one in data["items"]):
            raise ValidationError("Nobody's words.", "items")


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
