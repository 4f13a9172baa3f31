"""The directory over HTTP, for everybody; and a professional's own standing.

Knows: the rows of schemas.endpoints below /directory/ and /v1/professional. Refuses to know: who decides.
Nobody is searched for here: whoever wants to find somebody reads all tiles, and the vault does not learn whom.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from schemas import directory as wire
from schemas.endpoints import NOTE, OCTETS
from server.accounts.service import current_account
from server.directory import service, tree
from server.directory.models import DirectoryCosignature
from server.ledger.cosignatures import with_cosignatures
from server.parts import parts
from server.requests import dump, parse_message, read_json_body

blueprint = Blueprint("directory", __name__)


@blueprint.get("/directory/checkpoint")
def get_checkpoint() -> Response:
    with parts().database.read() as session:
        newest = tree.newest(session)
        note = with_cosignatures(session, newest.size, newest.note, DirectoryCosignature)
    return Response(note, content_type=NOTE, headers={"Cache-Control": "no-cache"})


@blueprint.get("/directory/tile/<path:tile>")
def get_tile(tile: str) -> Response:
    with parts().database.read() as session:
        data = tree.read_tile(session, tile)
    return Response(data, content_type=OCTETS, headers={"Cache-Control": "public, max-age=31536000, immutable"})


@blueprint.post("/v1/professional")
def ask() -> Response:
    body = read_json_body()
    message = parse_message(wire.Listing, body)
    signature = request.headers.get("Temoin-Signature", "")
    return dump(wire.Professional, service.ask_to_be_listed(parts(), current_account(), message, body, signature))


@blueprint.get("/v1/professional")
def read() -> Response:
    return dump(wire.Professional, service.read_standing(parts(), current_account()))
