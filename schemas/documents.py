"""What stands inside a seal: records and the account record, as JSON.

Knows: the fields a person fills in, and their limits (docs/spec/kinds.md). Refuses to know: keys and seals.
The bytes that are sealed are kept as they are; these schemas check them and never spell them anew.
"""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Text, Time, U32, Whole, YesNo, one_of

VERSION = 1
PRECISIONS = ("minute", "day", "month", "year", "words")


class Happened(Strict):
    """When the facts took place. `from` and `to` bound it, null with precision `words`; `words` is what was typed."""

    from_ = Time(required=True, allow_none=True, data_key="from")
    to = Time(required=True, allow_none=True)
    precision = fields.String(required=True, validate=one_of(*PRECISIONS))
    words = Text(limits.WORDS, least=1, required=True)

    @validates_schema
    def _bounds(self, data: dict[str, Any], **_: Any) -> None:
        start, end = data["from_"], data["to"]
        if (data["precision"] == "words") != (start is None) or (start is None) != (end is None):
            raise ValidationError("Two times, or words alone.")
        if start is not None and end < start:
            raise ValidationError("It ends before it begins.")


class Content(Strict):
    """One file of an item: where its blob is, what opens it, and what the original was."""

    blob = Id(required=True)
    key = Bytes(limits.KEY, required=True)
    sealed = Hash(required=True)
    """SHA-256 of the sealed bytes, so that the record's receipt fixes its contents too."""
    sha256 = Hash(required=True)
    """SHA-256 of the original."""
    name = Text(limits.NAME, least=1, required=True)
    mime = Text(limits.MIME, least=1, required=True)
    size = Whole(required=True)


class _Sealed(Strict):
    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    kind = fields.String(required=True)


class Record(_Sealed):
    """A journal entry or a document. Lists are empty and the rest null where nothing was said."""

    kind = fields.String(required=True, validate=one_of("journal", "document"))
    title = Text(limits.TITLE, required=True)
    text = Text(limits.TEXT, required=True)
    happened = fields.Nested(Happened, required=True, allow_none=True)
    written = Time(required=True)
    place = Text(limits.PLACE, required=True, allow_none=True)
    people = fields.List(Text(limits.PERSON, least=1), required=True, validate=validate.Length(max=limits.PEOPLE))
    tags = fields.List(Text(limits.TAG, least=1), required=True, validate=validate.Length(max=limits.TAGS))
    danger = Whole(0, 10, required=True, allow_none=True)
    mood = Text(limits.MOOD, required=True, allow_none=True)
    category = Text(limits.CATEGORY, required=True, allow_none=True)
    contents = fields.List(
        fields.Nested(Content), required=True, validate=validate.Length(max=limits.BLOBS_PER_REVISION)
    )
    after = Text(limits.CHECKPOINT_NOTE, required=True, allow_none=True)
    """The newest checkpoint note known when it was sealed."""


class Assessment(Record):
    """A self-assessment that was kept: what was ticked, by question; `text` says it in words."""

    kind = fields.String(required=True, validate=one_of("assessment"))
    answers = fields.Dict(
        keys=fields.String(validate=validate.Regexp(rf"[a-z0-9_-]{{1,{limits.QUESTION}}}\Z")), values=YesNo(),
        required=True, validate=validate.Length(max=limits.ANSWERS),
    )


class Segments(Strict):
    """How the first `count` contents of a recording are one file: `sha256` is that of the whole. Both are null while it
    is being recorded; then its segments are found by `key` alone (crypto_core.sealing.records.derive_segment)."""

    key = Bytes(limits.KEY, required=True)
    name = Text(limits.NAME, least=1, required=True)
    mime = Text(limits.MIME, least=1, required=True)
    count = Whole(0, limits.BLOBS_PER_REVISION, required=True, allow_none=True)
    sha256 = Hash(required=True, allow_none=True)


class Recording(Record):
    """A document of which one file was sealed in segments while it was recorded."""

    kind = fields.String(required=True, validate=one_of("recording"))
    segments = fields.Nested(Segments, required=True)

    @validates_schema
    def _counted(self, data: dict[str, Any], **_: Any) -> None:
        count, digest = data["segments"]["count"], data["segments"]["sha256"]
        if (count is None) != (digest is None) or (count or 0) > len(data["contents"]):
            raise ValidationError("Segments that are not there.")


class Revised(Strict):
    """One revision of another item."""

    item = Id(required=True)
    revision = U32(required=True)


class Extract(Record):
    """A part of another item, made to be shared: a copy of that revision from which something was left out."""

    kind = fields.String(required=True, validate=one_of("extract"))
    of = fields.Nested(Revised, required=True)
    masked = fields.List(Id(), required=True, validate=validate.Length(max=limits.BLOBS_PER_REVISION))
    """The contents that are no originals: pictures of which parts were covered."""
    segments = fields.Nested(Segments, required=True, allow_none=True)
    """As in a recording, where that file was kept."""

    @validates_schema
    def _named(self, data: dict[str, Any], **_: Any) -> None:
        blobs, masked, segments = [one["blob"] for one in data["contents"]], data["masked"], data["segments"]
        if len(set(masked)) != len(masked) or not set(masked) <= set(blobs):
            raise ValidationError("A masked file that is not there.")
        if segments is not None and (segments["sha256"] is None or not 0 < (segments["count"] or 0) <= len(blobs)):
            raise ValidationError("Segments that are not there.")


class Sent(Strict):
    """Whose it is: the deposit as it was sent. Its sealed words are the blob `deposit`, `key` opens them."""

    box = Id(required=True)
    deposit = Id(required=True)
    key = Bytes(limits.KEY, required=True)
    sealed = Hash(required=True)
    """SHA-256 of the sealed words."""
    size = Whole(required=True)
    """Of the sealed words, in bytes."""
    name = Text(limits.PERSON, required=True)
    message = Text(limits.MESSAGE, required=True)
    written = Time(required=True)
    """By the depositor's clock."""


class Received(Record):
    """What somebody else put into a box, and the person accepted: `sent` and the files are theirs, the rest is the
    person's own."""

    kind = fields.String(required=True, validate=one_of("received"))
    sent = fields.Nested(Sent, required=True)


class Tombstone(_Sealed):
    """A deletion: the record hashes that it ends. Always of the normal tier; its format is frozen."""

    kind = fields.String(required=True, validate=one_of("tombstone"))
    ends = fields.List(Hash(), required=True, validate=validate.Length(1))
    written = Time(required=True)
    after = Text(limits.CHECKPOINT_NOTE, required=True, allow_none=True)


class Loss(_Sealed):
    """What the vault lost, and no device of this person gave back: the record hashes of which nobody asks any more.
    Always of the normal tier; nothing that a device holds goes because of it."""

    kind = fields.String(required=True, validate=one_of("loss"))
    lost = fields.List(Hash(), required=True, validate=validate.Length(1, limits.LOST))
    written = Time(required=True)
    after = Text(limits.CHECKPOINT_NOTE, required=True, allow_none=True)


class AccountRecord(Strict):
    """What a person's devices agree on; written when credentials change, and at lock if anything was written."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    n = Whole(1, required=True)
    previous = Hash(required=True, allow_none=True)
    """SHA-256 of the sealed record before this one; null for the first."""
    vault_id = Id(required=True)
    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    argon = Whole(1, required=True)
    pk_s = Bytes(limits.KEY, required=True, data_key="pk_S")
    identity_sign = Bytes(limits.KEY, required=True)
    identity_box = Bytes(limits.KEY, required=True)
    ledger_vkey = Text(limits.VKEY, least=1, required=True)
    directory_vkey = Text(limits.VKEY, least=1, required=True)
    heads = fields.List(Hash(), required=True)
    """Record hashes that no known link names yet (protocol §4)."""


KINDS: dict[str, type[Strict]] = {
    "journal": Record, "document": Record, "assessment": Assessment, "recording": Recording,
    "extract": Extract, "received": Received, "tombstone": Tombstone, "loss": Loss,
}
"""The schema of each kind of record; another kind, or another `v`, is shown as \"needs a newer version\"."""
