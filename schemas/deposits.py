"""What stands inside the seals of a deposit box: a depositor's words, and the person's own note of the box, as JSON.

Knows: their fields and limits (docs/spec/deposit-box.md). Refuses to know: keys' uses and seals.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas import limits
from schemas.documents import Content
from schemas.fields import Strict, Text, Time

VERSION = 1


class Deposit(Strict):
    """What a depositor says, sealed: who they say they are, in their own words, and their files."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    name = Text(limits.PERSON, required=True)
    message = Text(limits.MESSAGE, required=True)
    written = Time(required=True)
    """By the depositor's clock."""
    contents = fields.List(
        fields.Nested(Content), required=True, validate=validate.Length(max=limits.DEPOSIT_BLOBS)
    )

    @validates_schema
    def _something(self, data: dict[str, Any], **_: Any) -> None:
        if not data["message"] and not data["contents"]:
            raise ValidationError("Words or a file.", "message")


class BoxNote(Strict):
    """What the person sees of a box: its name, and for whom it is."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(VERSION))
    name = Text(limits.LISTED, least=1, required=True)
