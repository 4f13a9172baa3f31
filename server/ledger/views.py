"""The ledger over HTTP, for everybody.

Knows: the rows of schemas.endpoints below /ledger/ and /v1/ledger/, and how long each answer may be cached.
Refuses to know: how a proof is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema
from sqlalchemy.orm import Session

from schemas.endpoints import NOTE, OCTETS, Stage
from schemas.receipts import Anchors, AnchorsQuery, Consistency, ConsistencyQuery, Inclusion, InclusionQuery
from server.accounts.service import authenticate, require_stage
from server.anchors.publication import find_anchors
from server.ledger.cosignatures import with_cosignatures
from server.ledger.publication import prove_consistency, prove_inclusion, read_tile
from server.ledger.restorations import read_restorations
from server.parts import Parts, parts
from server.requests import dump, load_query

blueprint = Blueprint("ledger", __name__)


@blueprint.get("/ledger/checkpoint")
def get_checkpoint() -> Response:
    vault = parts()
    with vault.database.read() as session:
        public = vault.ledger.public(session, vault.config.checkpoint_interval)
        note = with_cosignatures(session, public.size, public.note)
    return Response(note, content_type=NOTE, headers={"Cache-Control": "no-cache"})


@blueprint.get("/ledger/rotations")
def get_rotations() -> Response:
    records = parts().ledger.keys.shown().chain.data
    return Response(records, content_type=NOTE, headers={"Cache-Control": "no-cache"})


@blueprint.get("/ledger/restorations")
def get_restorations() -> Response:
    return Response(read_restorations(parts()), content_type=NOTE, headers={"Cache-Control": "no-cache"})


@blueprint.get("/ledger/tile/<path:tile>")
def get_tile(tile: str) -> Response:
    vault = parts()
    with vault.database.read() as session:
        data = read_tile(session, tile, _size_for(vault, session, False))
    return Response(data, content_type=OCTETS, headers={"Cache-Control": "public, max-age=31536000, immutable"})


@blueprint.get("/v1/ledger/consistency")
def get_consistency() -> Response:
    return _answer(ConsistencyQuery, prove_consistency, Consistency)


@blueprint.get("/v1/ledger/inclusion")
def get_inclusion() -> Response:
    return _answer(InclusionQuery, prove_inclusion, Inclusion)


@blueprint.get("/v1/ledger/anchors")
def get_anchors() -> Response:
    return _answer(AnchorsQuery, find_anchors, Anchors)


def _answer(question: type[Schema], prove: Callable[..., dict[str, Any]], proof: type[Schema]) -> Response:
    query = load_query(question)
    vault, is_at_home = parts(), _is_at_home()
    with vault.database.read() as session:
        found = prove(vault.ledger, session, _size_for(vault, session, is_at_home), **query)
    return dump(proof, found)


def _is_at_home() -> bool:
    """Whether an open session asks: it holds receipts newer than the public checkpoint, and has to prove them.

    Raises Refusal where a token is offered that is not one (any more): a 404 would look like a fork to its holder.
    """
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return False
    require_stage(authenticate(parts(), authorization), Stage.OPEN, Stage.CONFIRMED)
    return True


def _size_for(vault: Parts, session: Session, is_at_home: bool) -> int:
    if is_at_home:
        return vault.ledger.newest(session).size
    return vault.ledger.public(session, vault.config.checkpoint_interval).size
