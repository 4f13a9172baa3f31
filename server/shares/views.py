"""Sharing over HTTP.

Knows: the rows of schemas.endpoints below /v1/bundles, /v1/links and /v1/inbox. Refuses to know: what is counted.
Every view of `reading` runs only once a token of an opening was shown, which is no session's.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from schemas import limits, shares as wire
from schemas.accounts import Nothing
from schemas.endpoints import OCTETS
from schemas.receipts import ReceiptAnswer
from server.accounts.service import current_account
from server.parts import parts
from server.requests import dump, load, parse_message, read_json_body
from server.shares import reading as readers, service
from server.uploads.views import answer_content

blueprint = Blueprint("shares", __name__)
reading = Blueprint("openings", __name__)


@blueprint.post("/v1/bundles")
def put() -> Response:
    body = read_json_body(limits.JSON_BODY)
    message = parse_message(wire.PutBundle, body)
    return dump(wire.BundleKept, service.put_bundle(parts(), current_account(), message, body), 201)


@blueprint.get("/v1/bundles")
def list_all() -> Response:
    return dump(wire.Bundles, {"bundles": service.list_bundles(parts(), current_account())})


@blueprint.delete("/v1/bundles/<id:bundle>")
def revoke(bundle: bytes) -> Response:
    service.revoke_bundle(parts(), current_account(), bundle)
    return dump(Nothing, {})


@blueprint.get("/v1/inbox")
def inbox() -> Response:
    return dump(wire.Inbox, {"bundles": readers.read_inbox(parts(), current_account())})


@blueprint.post("/v1/links/<id:bundle>")
def try_code(bundle: bytes) -> Response:
    return dump(wire.LinkShare, readers.open_link(parts(), bundle, **load(wire.TryCode)))


@blueprint.post("/v1/bundles/<id:bundle>/open")
def open_bundle(bundle: bytes) -> Response:
    message = load(wire.OpenBundle)
    return dump(
        wire.BundleOpened, readers.open_bundle(parts(), request.headers.get("Authorization"), bundle, **message)
    )


@reading.url_value_preprocessor
def _name_bundle(_endpoint: str | None, values: dict[str, bytes] | None) -> None:
    g.bundle = (values or {}).pop("bundle")


@reading.before_request
def _require_opening() -> None:
    g.access = readers.show_access(parts(), request.headers.get("Authorization", ""), g.bundle)


def _access() -> readers.Access:
    access: readers.Access = g.access
    return access


@reading.get("/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>")
def get_record(item: bytes, revision: int) -> Response:
    return Response(_access().read_record(item, revision), content_type=OCTETS)


@reading.get("/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt")
def get_record_receipt(item: bytes, revision: int) -> Response:
    deposit = _access().prove_record(item, revision)
    return dump(ReceiptAnswer, {"deposited": deposit.time, "receipt": deposit.receipt})


@reading.get("/v1/bundles/<id:bundle>/blobs/<id:blob>")
def get_blob(blob: bytes) -> Response:
    answer = answer_content(_access().open_blob(blob))
    answer.response = _access().while_good(answer.iter_encoded())
    return answer


@reading.get("/v1/bundles/<id:bundle>/blobs/<id:blob>/receipt")
def get_blob_receipt(blob: bytes) -> Response:
    deposit = _access().prove_blob(blob)
    return dump(ReceiptAnswer, {"deposited": deposit.time, "receipt": deposit.receipt})
