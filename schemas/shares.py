"""Bundles as they travel: sealed bytes, ids, hashes, times and counts, nothing else.

Knows: protocol §7 on the wire. Refuses to know: what is shared, what a code is, and who a link was given to.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Time, U32, Whole, one_of


class NamedRecord(Strict):
    """One revision whose record the reader may fetch."""

    item = Id(required=True)
    revision = U32(required=True)


class ForProfessional(Strict):
    """For the current entry number `entry` of the directory; `wrap` is boxed for its key."""

    entry = Whole(required=True)
    wrap = Bytes(limits.BOX_WRAP, required=True)


class ForLink(Strict):
    """For whoever has the link and the code: `x` comes of both, `share` is released against it."""

    wrap = Bytes(limits.SEALED_KEY, required=True)
    share = Bytes(limits.KEY, required=True)
    x = Bytes(limits.KEY, required=True)


class PutBundle(Strict):
    """`POST /v1/bundles`: for one professional or for one link, never both.

    `records` and `blobs` are all that the reader may fetch, each the account's own and kept. `replaces` names a bundle
    of the same account that this one extends: it ends, and its openings count for this one.
    """

    bundle = Id(required=True)
    expires = Time(required=True)
    openings = Whole(1, limits.OPENINGS, required=True)
    cap_hash = Hash(required=True)
    seal = Bytes(least=1024, most=limits.MANIFEST, required=True)
    note = Bytes(least=1024, most=limits.NOTE, required=True)
    """For the person alone: what was shared, and with whom. Holds no key."""
    records = fields.List(
        fields.Nested(NamedRecord), required=True, validate=validate.Length(1, limits.BUNDLE_RECORDS)
    )
    blobs = fields.List(Id(), required=True, validate=validate.Length(max=limits.BUNDLE_BLOBS))
    professional = fields.Nested(ForProfessional, required=True, allow_none=True)
    link = fields.Nested(ForLink, required=True, allow_none=True)
    replaces = Id(required=True, allow_none=True)

    @validates_schema
    def _for_one_reader(self, data: dict[str, Any], **_: Any) -> None:
        if (data["professional"] is None) == (data["link"] is None):
            raise ValidationError("A professional or a link, one of the two.", "professional")


class BundleKept(Strict):
    bundle = Id(required=True)
    created = Time(required=True)


class Bundle(Strict):
    """One bundle as the person sees it. Once `ended`, nothing of it can be fetched; its row stays.

    `opened` has the time of each opening, those that were carried over too. `entry` is null for a link.
    """

    bundle = Id(required=True)
    created = Time(required=True)
    expires = Time(required=True)
    openings = Whole(1, limits.OPENINGS, required=True)
    opened = fields.List(Time(), required=True)
    note = Bytes(least=1024, most=limits.NOTE, required=True)
    entry = Whole(required=True, allow_none=True)
    wrong_codes = Whole(0, limits.CODE_TRIES, required=True)
    """Since the last right one; at CODE_TRIES the bundle ends."""
    ended = Time(required=True, allow_none=True)
    why = fields.String(
        required=True, allow_none=True,
        validate=one_of("revoked", "expired", "replaced", "codes", "erased", "unlisted"),
    )
    replaced_by = Id(required=True, allow_none=True)


class Bundles(Strict):
    """The newest first."""

    bundles = fields.List(fields.Nested(Bundle), required=True)


class Received(Strict):
    """One bundle as its professional sees it before opening it: who sent it stands inside."""

    bundle = Id(required=True)
    entry = Whole(required=True)
    created = Time(required=True)
    expires = Time(required=True)
    openings = Whole(1, limits.OPENINGS, required=True)
    opened = Whole(required=True)
    wrap = Bytes(limits.BOX_WRAP, required=True)


class Inbox(Strict):
    """What has not ended, the newest first."""

    bundles = fields.List(fields.Nested(Received), required=True)


class TryCode(Strict):
    """Every try counts before it is compared."""

    x = Bytes(limits.KEY, required=True)


class LinkShare(Strict):
    """What a right code releases."""

    share = Bytes(limits.KEY, required=True)
    wrap = Bytes(limits.SEALED_KEY, required=True)
    expires = Time(required=True)


class OpenBundle(Strict):
    """`opening` is an id of the reader's own. The same one again, within its hour, is not counted again."""

    cap = Bytes(limits.KEY, required=True)
    opening = Id(required=True)


class BundleOpened(Strict):
    """`token` is good for what the bundle names, until `expires`, and for nothing else."""

    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)
    seal = Bytes(least=1024, most=limits.MANIFEST, required=True)
