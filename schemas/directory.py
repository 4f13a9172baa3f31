"""The professionals' directory as it travels: who asks to be listed, and what became of it.

Knows: protocol §7 on the wire. Refuses to know: how an entry is spelled and who approves it.
"""

from marshmallow import fields

from schemas import limits
from schemas.fields import Bytes, Strict, Text, Whole, one_of

PROFESSIONS = ("association", "lawyer", "doctor", "police", "other")


class Listing(Strict):
    """`POST /v1/professional`. `pk_sign` signs the exact body; the signature travels in `Temoin-Signature`.

    It stands in the directory in clear. An approved professional who asks again is listed as before until the new
    request is approved; a request that still waits is replaced.
    """

    name = Text(limits.LISTED, least=1, required=True)
    org = Text(limits.LISTED, required=True)
    town = Text(limits.LISTED, required=True)
    kind = fields.String(required=True, validate=one_of(*PROFESSIONS))
    pk_box = Bytes(limits.KEY, required=True)
    pk_sign = Bytes(limits.KEY, required=True)


class Professional(Strict):
    """The account's own standing. `entry` is the index of its newest entry in the directory, while it has one;
    `listing` is what that entry says, `asked` what waits for the operator."""

    state = fields.String(required=True, validate=one_of("none", "pending", "approved", "revoked"))
    entry = Whole(required=True, allow_none=True)
    listing = fields.Nested(Listing, required=True, allow_none=True)
    asked = fields.Nested(Listing, required=True, allow_none=True)
