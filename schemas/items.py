"""Items and their revisions, as they travel: ids, sealed bytes, sizes and times, nothing else.

Knows: protocol §4 on the wire. Refuses to know: what a record says.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.fields import Bytes, Id, Strict, Text, Time, U32, Whole


class PutRevision(Strict):
    """One revision. `replaces` is the revision that the client last saw, 0 for a new item; `revision` is the next.

    `erases` non-null says that this is a tombstone, and names the content blobs that go with it.
    """

    item = Id(required=True)
    revision = U32(required=True)
    replaces = U32(0, required=True)
    wrap = Bytes(limits.WRAP, required=True)
    link = Bytes(limits.LINK, required=True)
    record = Bytes(least=1024, most=limits.RECORD, required=True)
    blobs = fields.List(Id(), required=True, validate=validate.Length(max=limits.BLOBS_PER_REVISION))
    erases = fields.List(
        Id(), required=True, allow_none=True, validate=validate.Length(max=limits.BLOBS_PER_REVISION)
    )

    @validates_schema
    def _follows(self, data: dict[str, Any], **_: object) -> None:
        if data["revision"] != data["replaces"] + 1:
            raise ValidationError("A revision is the one after what it replaces.", "revision")


class PutItems(Strict):
    """`POST /v1/items`: all of them or none."""

    revisions = fields.Nested(
        PutRevision, many=True, required=True, validate=validate.Length(1, limits.REVISIONS_PER_BATCH)
    )

    @validates_schema
    def _batch(self, data: dict[str, list[dict[str, bytes]]], **_: object) -> None:
        if sum(len(revision["record"]) for revision in data["revisions"]) > limits.BATCH:
            raise ValidationError("A batch holds at most 8 MiB of records.", "revisions")


class KeptRevision(Strict):
    """Proof that one revision is kept: its receipt covers the exact record bytes."""

    item = Id(required=True)
    revision = U32(required=True)
    deposited = Time(required=True)
    receipt = Text(limits.RECEIPT, required=True)


class ItemsKept(Strict):
    revisions = fields.Nested(KeptRevision, many=True, required=True)


class NamedBlob(Strict):
    blob = Id(required=True)
    size = Whole(required=True)


class Revision(Strict):
    """One revision as the vault returns it; `wrap` and `record` are null once it was erased, the link never is."""

    item = Id(required=True)
    revision = U32(required=True)
    deposited = Time(required=True)
    wrap = Bytes(limits.WRAP, required=True, allow_none=True)
    link = Bytes(limits.LINK, required=True)
    record = Bytes(least=1024, most=limits.RECORD, required=True, allow_none=True)
    blobs = fields.List(fields.Nested(NamedBlob), required=True)
    erases = fields.List(Id(), required=True, allow_none=True)


class SyncQuery(Strict):
    after = Text(limits.CURSOR, load_default="")
    limit = fields.Integer(load_default=limits.PAGE, validate=validate.Range(1, limits.PAGE))


class SyncPage(Strict):
    """Revisions in the order in which they were kept; `cursor` continues, `more` says whether there is more now."""

    generation = Id(required=True)
    revisions = fields.Nested(Revision, many=True, required=True)
    cursor = Text(limits.CURSOR, required=True)
    more = fields.Boolean(required=True)
