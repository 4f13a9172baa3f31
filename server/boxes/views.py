"""Deposit boxes over HTTP.

Knows: the rows of schemas.endpoints below /v1/boxes. Refuses to know: what a box takes.
Every view of `visiting` runs only once a token of a visit was shown, which is no session's.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from schemas import boxes as wire, limits
from schemas.accounts import Nothing
from schemas.endpoints import Stage
from schemas.uploads import CompleteUpload, KeptBlob, StartUpload, Upload
from server.accounts.service import current_account, current_caller
from server.boxes import service, visiting as visits
from server.parts import parts
from server.requests import dump, load, parse_message, read_json_body, read_octets
from server.uploads import service as uploads
from server.uploads.kept import keep_blob
from server.uploads.views import read_units

blueprint = Blueprint("boxes", __name__)
visiting = Blueprint("visits", __name__)


@blueprint.post("/v1/boxes")
def put() -> Response:
    body = read_json_body(limits.JSON_BODY)
    message = parse_message(wire.PutBox, body)
    return dump(wire.BoxKept, service.put_box(parts(), current_account(), message, body), 201)


@blueprint.get("/v1/boxes")
def list_all() -> Response:
    return dump(wire.Boxes, {"boxes": service.list_boxes(parts(), current_account())})


@blueprint.delete("/v1/boxes/<id:box>")
def close(box: bytes) -> Response:
    service.close_box(parts(), current_account(), box)
    return dump(Nothing, {})


@blueprint.get("/v1/boxes/<id:box>/deposits")
def list_deposits(box: bytes) -> Response:
    return dump(wire.WaitingDeposits, {"deposits": service.list_deposits(parts(), current_account(), box)})


@blueprint.delete("/v1/boxes/<id:box>/deposits/<id:deposit>")
def refuse(box: bytes, deposit: bytes) -> Response:
    caller = current_caller()
    is_confirmed = caller.stage is Stage.CONFIRMED
    service.refuse_deposit(parts(), caller.account, box, deposit, is_confirmed=is_confirmed)
    return dump(Nothing, {})


@blueprint.post("/v1/boxes/<id:box>/enter")
def enter(box: bytes) -> Response:
    return dump(wire.BoxEntered, visits.enter_box(parts(), box, **load(wire.EnterBox)))


@visiting.url_value_preprocessor
def _name_box(_endpoint: str | None, values: dict[str, bytes] | None) -> None:
    g.box = (values or {}).pop("box")


@visiting.before_request
def _require_visit() -> None:
    g.entered = visits.show_visit(parts(), request.headers.get("Authorization", ""), g.box)


def _entered() -> visits.Entered:
    entered: visits.Entered = g.entered
    return entered


@visiting.put("/v1/boxes/<id:box>/blobs/<id:blob>")
def put_blob(blob: bytes) -> Response:
    data = b"".join(read_octets(limits.FIRST_UNIT))
    return dump(KeptBlob, keep_blob(parts(), _entered().holder, blob, data), 201)


@visiting.post("/v1/boxes/<id:box>/uploads")
def start() -> Response:
    message = load(StartUpload)
    return dump(Upload, uploads.start_upload(parts(), _entered().holder, message["blob"], message["size"]), 201)


@visiting.put("/v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>")
def put_units(blob: bytes, first: int) -> Response:
    return dump(Upload, uploads.put_units(parts(), _entered().holder, blob, first, *read_units()))


@visiting.post("/v1/boxes/<id:box>/uploads/<id:blob>/complete")
def complete(blob: bytes) -> Response:
    message = load(CompleteUpload)
    return dump(KeptBlob, uploads.complete(parts(), _entered().holder, blob, message["sha256"]), 201)


@visiting.delete("/v1/boxes/<id:box>/uploads/<id:blob>")
def give_up(blob: bytes) -> Response:
    uploads.give_up(parts(), _entered().holder, blob)
    return dump(Nothing, {})


@visiting.post("/v1/boxes/<id:box>/deposits")
def put_deposit() -> Response:
    body = read_json_body()
    return dump(wire.DepositKept, _entered().put_deposit(parse_message(wire.PutDeposit, body), body), 201)
