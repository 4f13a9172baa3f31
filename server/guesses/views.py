"""The routes of the PIN: load, do, dump.

Knows: which service answers which route. Refuses to know: everything else.
"""

from __future__ import annotations

from flask import Blueprint, Response

from schemas import accounts as wire
from server.accounts.service import current_caller
from server.guesses import pins
from server.parts import parts
from server.requests import dump, load

blueprint = Blueprint("guesses", __name__)


@blueprint.post("/v1/pin")
def answer_pin() -> Response:
    return dump(*pins.answer_pin(parts(), current_caller(), **load(wire.Pin)))


@blueprint.post("/v1/pin/reopen")
def reopen() -> Response:
    pins.reopen_pin(parts(), current_caller(), **load(wire.PinReopen))
    return dump(wire.Nothing, {})
