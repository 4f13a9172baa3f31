"""The routes of recovery: load, do, dump.

Knows: which service answers which route. Refuses to know: everything else.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from schemas import accounts as wire
from server.accounts.service import current_account, current_caller
from server.parts import parts
from server.recovery import service
from server.requests import dump, load, parse_message, read_json_body

blueprint = Blueprint("recovery", __name__)


@blueprint.post("/v1/recovery/start")
def start() -> Response:
    return dump(wire.Challenge, service.make_challenge(parts(), **load(wire.RecoveryStart)))


@blueprint.post("/v1/recovery/finish")
def finish() -> Response:
    return dump(wire.RecoveryStage, service.begin(parts(), **load(wire.RecoveryFinish)))


@blueprint.get("/v1/recovery/keys")
def read_keys() -> Response:
    return dump(wire.RecoveryKeys, service.read_keys(parts(), current_caller()))


@blueprint.post("/v1/recovery/credentials")
def change_credentials() -> Response:
    body = read_json_body()
    message = parse_message(wire.ChangeCredentials, body)
    old, new = (request.headers.get(name, "") for name in ("Temoin-Signature", "Temoin-Signature-New"))
    done = service.change_credentials(parts(), current_caller(), message, body, old, new)
    return dump(wire.CredentialsChanged, done)


@blueprint.get("/v1/recovery")
def read_pending() -> Response:
    return dump(wire.PendingRecovery, service.read_pending(parts(), current_account()))


@blueprint.get("/v1/recovery/wait")
def read_wait() -> Response:
    return dump(wire.RecoveryWait, service.read_wait(parts(), current_account()))


@blueprint.put("/v1/recovery/wait")
def set_wait() -> Response:
    return dump(wire.RecoveryWait, service.set_wait(parts(), current_account(), **load(wire.SetRecoveryWait)))


@blueprint.delete("/v1/recovery")
def stop() -> Response:
    service.stop(parts(), current_account())
    return dump(wire.Nothing, {})
