"""What a vault says of itself, and how it says no.

Knows: `GET /v1/vault`, health, and the shape of a problem. Refuses to know: accounts.
"""

from marshmallow import INCLUDE, fields

from schemas import limits
from schemas.fields import Id, Strict, Text, Whole


class Vault(Strict):
    """Public facts that a client needs before it has an account, and pins when it makes one."""

    vault_id = Id(required=True)
    host = Text(255, least=1, required=True)
    ledger_vkey = Text(limits.VKEY, least=1, required=True)
    directory_vkey = Text(limits.VKEY, least=1, required=True)
    argon_newest = Whole(1, 1000, required=True)
    generation = Id(required=True)


class Health(Strict):
    """Alive, and able to read its database."""

    status = Text(20, required=True)


class Problem(Strict):
    """RFC 9457 problem details; `code` is stable, `detail` is a sentence a person can act on."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = Whole(400, 599, required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
