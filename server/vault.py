"""What the vault says of itself, to programs.

Knows: its own public facts, and whether it can read its database. Refuses to know: accounts.
"""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import text

from crypto_core.receipts.note import format_vkey
from schemas.vault import Health, Vault
from server.host import public_host
from server.parts import parts
from server.requests import dump

blueprint = Blueprint("vault", __name__)

ARGON_NEWEST = 1
"""The newest Argon2id parameter set that clients have to know (crypto_core.sealing.passphrase)."""


@blueprint.get("/v1/vault")
def facts() -> Response:
    folder, keys = parts().folder, parts().ledger.keys.shown()
    return dump(
        Vault,
        {
            "vault_id": folder.facts.vault_id,
            "host": public_host(),
            "ledger_vkey": format_vkey(keys.newest.verifier),
            "directory_vkey": folder.directory_vkey,
            "argon_newest": ARGON_NEWEST,
            "generation": folder.facts.generation,
        },
    )


@blueprint.get("/v1/health")
def health() -> Response:
    with parts().database.read() as session:
        session.execute(text("SELECT 1 FROM accounts LIMIT 1"))
    return dump(Health, {"status": "ok"})
