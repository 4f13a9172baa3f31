"""What a right PIN opens, and the way back in when its path is closed.

Knows: which share belongs to which purpose, and the stage each demands. Refuses to know: how tries are counted.
"""

from __future__ import annotations

import hmac
from typing import Any

from marshmallow import Schema
from sqlalchemy import delete
from sqlalchemy.orm import Session

from crypto_core.signed_requests import pin_reopen_message
from schemas.accounts import OpenStage, SensitiveShare
from schemas.endpoints import Stage
from server.accounts.login import is_signed, use_challenge
from server.accounts.models import Account, Recovery, Token
from server.accounts.service import Caller, find_account, open_session, require_stage
from server.database import rows_changed
from server.guesses.models import Guesses
from server.guesses.service import ADVISED_FROM, reopen, try_pin
from server.host import public_host
from server.parts import Parts
from server.problems import Refusal


def answer_pin(parts: Parts, caller: Caller, purpose: str, x: bytes) -> tuple[type[Schema], dict[str, Any]]:
    """The schema and the answer that a right tag gets.

    Raises Refusal: `stage_insufficient` before anything is counted, then those of the guess machine.
    """
    if purpose == "login":
        return OpenStage, open_account(parts, caller, x)
    return SensitiveShare, release_sensitive(parts, caller, x)


def open_account(parts: Parts, caller: Caller, x: bytes) -> dict[str, Any]:
    """Stage `open` and the share of the normal tier; the token of stage `password` is used up."""
    require_stage(caller, Stage.PASSWORD)
    now = parts.clock.now()

    def right(session: Session, row: Account, guesses: Guesses) -> dict[str, Any]:
        if not rows_changed(session, delete(Token).where(Token.digest == caller.digest)):
            raise Refusal("unauthorized")
        answer = {
            "share_n": parts.pepper.open_row("share_N", row.account, row.epoch, row.share_n),
            "w_n": row.w_n,
            "epoch": row.epoch,
            "pin_epoch": row.pin_epoch,
            "wrong_pins": guesses.wrong_since,
            "wrong_total": guesses.wrong_total,
            "last_opened": row.last_opened,
            "advise_change": guesses.wrong_total >= ADVISED_FROM,
            **open_session(session, row.account, Stage.OPEN, now, parts.config.open_life),
        }
        guesses.wrong_since, row.last_opened = 0, now
        return answer

    return try_pin(parts, caller.account, "login", x, right)


def release_sensitive(parts: Parts, caller: Caller, x: bytes) -> dict[str, Any]:
    """The share of the sensitive tier."""
    require_stage(caller, Stage.OPEN, Stage.CONFIRMED)

    def right(_session: Session, row: Account, _guesses: Guesses) -> dict[str, Any]:
        return {
            "share_s": parts.pepper.open_row("share_S", row.account, row.epoch, row.share_s),
            "w_s": row.w_s,
            "epoch": row.epoch,
            "pin_epoch": row.pin_epoch,
        }

    return try_pin(parts, caller.account, "step", x, right)


def reopen_pin(parts: Parts, caller: Caller, rid: bytes, challenge: bytes, sig: bytes) -> None:
    """Opens a closed or delayed PIN path at once, for the password and the recovery code together.

    Raises Refusal `challenge_refused` or `recovery_refused`.
    """
    with parts.database.write() as session:
        row = find_account(session, caller.account)
        recovery = session.get_one(Recovery, caller.account)
        fresh = use_challenge(parts, session, row.lookup, challenge)
    if not fresh:
        raise Refusal("challenge_refused")
    public = parts.pepper.open_row("recovery_login_pk", row.account, recovery.epoch, recovery.login_pk)
    is_named = hmac.compare_digest(recovery.lookup, parts.pepper.recovery_lookup(rid))
    if not (is_signed(public, pin_reopen_message(public_host(), row.account, challenge), sig) and is_named):
        raise Refusal("recovery_refused")
    with parts.database.write() as session:
        reopen(session, caller.account)
