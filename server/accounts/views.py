"""The routes of accounts: load, do, dump.

Knows: which service answers which route. Refuses to know: everything else.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from schemas import accounts as wire
from server.accounts import change, erasure, login, service
from server.parts import parts
from server.requests import dump, load, parse_message, read_json_body

blueprint = Blueprint("accounts", __name__)


@blueprint.post("/v1/login/start")
def start_login() -> Response:
    return dump(wire.Challenge, login.make_challenge(parts(), **load(wire.LoginStart)))


@blueprint.post("/v1/login/finish")
def finish_login() -> Response:
    return dump(wire.PasswordStage, login.finish_login(parts(), **load(wire.LoginFinish)))


@blueprint.post("/v1/accounts")
def sign_up() -> Response:
    body = read_json_body()
    message = parse_message(wire.Register, body)
    signature = request.headers.get("Temoin-Signature", "")
    return dump(wire.Registered, login.sign_up(parts(), message, body, signature), 201)


@blueprint.post("/v1/account/credentials")
def change_credentials() -> Response:
    body = read_json_body()
    message = parse_message(wire.ChangeCredentials, body)
    old, new = (request.headers.get(name, "") for name in ("Temoin-Signature", "Temoin-Signature-New"))
    done = change.change_credentials(parts(), service.current_caller(), message, body, old, new)
    return dump(wire.CredentialsChanged, done)


@blueprint.post("/v1/confirm")
def confirm() -> Response:
    return dump(wire.ConfirmedStage, login.confirm(parts(), service.current_caller(), **load(wire.Confirm)))


@blueprint.post("/v1/logout")
def log_out() -> Response:
    service.end_session(parts(), service.current_caller())
    return dump(wire.Nothing, {})


@blueprint.get("/v1/sessions")
def list_sessions() -> Response:
    return dump(wire.Sessions, service.list_sessions(parts(), service.current_caller()))


@blueprint.post("/v1/sessions/end-others")
def end_other_sessions() -> Response:
    return dump(wire.SessionsEnded, {"ended": service.end_other_sessions(parts(), service.current_caller())})


@blueprint.get("/v1/account")
def read_account() -> Response:
    return dump(wire.Account, service.read_account(parts(), service.current_account()))


@blueprint.delete("/v1/account")
def erase_account() -> Response:
    erasure.erase_account(parts(), service.current_account())
    return dump(wire.Nothing, {})


@blueprint.put("/v1/account/record")
def replace_account_record() -> Response:
    message = load(wire.PutAccountRecord)
    n = service.replace_account_record(parts(), service.current_account(), message["n"], message["account_record"])
    return dump(wire.AccountRecordKept, {"n": n})
