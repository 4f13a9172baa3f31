"""Items over HTTP.

Knows: the rows of schemas.endpoints below /v1/items. Refuses to know: what follows from a revision.
"""

from __future__ import annotations

from flask import Blueprint, Response

from schemas import limits
from schemas.endpoints import Stage
from schemas.items import ItemsKept, PutItems, SyncPage, SyncQuery
from schemas.receipts import ReceiptAnswer
from server.accounts.service import current_account, current_caller
from server.items import service
from server.parts import parts
from server.requests import dump, load, load_query

blueprint = Blueprint("items", __name__)


@blueprint.post("/v1/items")
def put() -> Response:
    message = load(PutItems, limits.JSON_BODY)
    caller = current_caller()
    is_confirmed = caller.stage is Stage.CONFIRMED
    kept = service.put_revisions(parts(), caller.account, message["revisions"], is_confirmed=is_confirmed)
    return dump(ItemsKept, {"revisions": kept}, 201)


@blueprint.get("/v1/items")
def sync() -> Response:
    query = load_query(SyncQuery)
    return dump(SyncPage, service.read_page(parts(), current_account(), query["after"], query["limit"]))


@blueprint.get("/v1/items/<id:item>/revisions/<u32:revision>/receipt")
def get_receipt(item: bytes, revision: int) -> Response:
    deposit = service.prove_record(parts(), current_account(), item, revision)
    return dump(ReceiptAnswer, {"deposited": deposit.time, "receipt": deposit.receipt})
