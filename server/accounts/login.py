"""Challenges, sign-up, login with the password, and the fresh proof that stage `confirmed` asks for.

Knows: protocol §1, "Sign-up" and "Login". Refuses to know: user names and passwords, which never come here.
Unknown account and wrong password are one answer after the same work.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, load_only

from crypto_core.encoding import ID_SIZE, parse_b64url, u32
from crypto_core.errors import MalformedError, SignatureInvalid
from crypto_core.randomness import make_bytes
from crypto_core.receipts.signatures import verify_ed25519
from crypto_core.signed_requests import CHALLENGE_SIZE, confirm_message, login_message, register_message
from schemas import limits
from schemas.endpoints import Stage
from server.accounts.models import Account, Challenge, Departed, Recovery
from server.accounts.service import Caller, find_account, open_session
from server.config import DAY
from server.guesses.models import Guesses
from server.guesses.service import try_pin
from server.host import public_host
from server.journal.service import follow, note
from server.parts import Parts
from server.pepper import CHALLENGE_MAC, Pepper
from server.problems import Refusal

_TIME_SIZE = 4

_AT_LOGIN = select(Account).options(
    load_only(Account.account, Account.epoch, Account.pin_epoch, Account.login_pk, raiseload=True)
)
"""No more than the login needs: reading a large row takes time that would tell that there is one."""


def make_challenge(parts: Parts, k_id: bytes) -> dict[str, Any]:
    """32 bytes to be signed once, for this K_id, whether or not there is such an account.

    Nothing is kept of it, so that asking costs no more than any request and need not be bounded: random bytes, until
    when it is good, and by what the vault knows it again.
    """
    return make_challenge_for(parts, parts.pepper.lookup(k_id))


def make_challenge_for(parts: Parts, lookup: bytes) -> dict[str, Any]:
    """The same for what stands for an account, or for a recovery code."""
    expires = parts.clock.now() + parts.config.challenge_life
    given = make_bytes(CHALLENGE_SIZE - _TIME_SIZE - CHALLENGE_MAC) + u32(expires)
    return {"challenge": given + parts.pepper.challenge_mac(lookup, given), "expires": expires}


def use_challenge(parts: Parts, session: Session, lookup: bytes, challenge: bytes) -> bool:
    """Whether the challenge was given for this lookup, is not over and was not used; from now on it is used."""
    given, mac = challenge[:-CHALLENGE_MAC], challenge[-CHALLENGE_MAC:]
    if not hmac.compare_digest(mac, parts.pepper.challenge_mac(lookup, given)):
        return False
    now, expires, used = parts.clock.now(), int.from_bytes(given[-_TIME_SIZE:], "big"), digest(challenge)
    if not now < expires <= now + parts.config.challenge_life or session.get(Challenge, used) is not None:
        return False
    session.add(Challenge(digest=used, lookup=lookup, expires=expires))
    return True


def finish_login(parts: Parts, k_id: bytes, challenge: bytes, sig: bytes) -> dict[str, Any]:
    """Stage `password`, as schemas.accounts.PasswordStage. Raises Refusal `challenge_refused` or `login_refused`."""
    now = parts.clock.now()
    lookup = parts.pepper.lookup(k_id)
    with parts.database.write() as session:
        fresh = use_challenge(parts, session, lookup, challenge)
        row = session.scalar(_AT_LOGIN.where(Account.lookup == lookup))
    if not fresh:
        raise Refusal("challenge_refused")
    genuine = has_signed(parts.pepper, row, login_message(public_host(), k_id, challenge), sig)
    if row is None or not genuine:
        raise Refusal("login_refused")
    with parts.database.write() as session:
        now_there = session.get(Account, row.account)
        if now_there is None or now_there.epoch != row.epoch:  # erased, or this password was changed, meanwhile
            raise Refusal("login_refused")
        token = open_session(session, row.account, Stage.PASSWORD, now, parts.config.password_life)
    return {"account": row.account, "pin_epoch": row.pin_epoch, **token}


def confirm(parts: Parts, caller: Caller, challenge: bytes, sig: bytes, x: bytes) -> dict[str, Any]:
    """Stage `confirmed` beside the open session, from a fresh signature and the right step tag.

    Raises Refusal `challenge_refused` or `login_refused` before any PIN is counted, then those of the guess machine.
    """
    now = parts.clock.now()
    with parts.database.write() as session:
        row = find_account(session, caller.account)
        fresh = use_challenge(parts, session, row.lookup, challenge)
    if not fresh:
        raise Refusal("challenge_refused")
    k_id = parts.pepper.open_row("K_id", row.account, row.epoch, row.k_id)
    if not has_signed(parts.pepper, row, confirm_message(public_host(), k_id, challenge), sig):
        raise Refusal("login_refused")

    def right(session: Session, _account: Account, _guesses: Guesses) -> dict[str, Any]:
        life = parts.config.confirmed_life
        return open_session(session, caller.account, Stage.CONFIRMED, now, life, root=caller.root)

    return try_pin(parts, caller.account, "step", x, right)


def sign_up(parts: Parts, message: dict[str, Any], body: bytes, signature: str) -> dict[str, Any]:
    """A new account, from the checked message and the exact bytes that spelled it; `signature` is the header's text.

    The identical body within a day gets the first answer again. Nothing that is there is overwritten.
    Raises Refusal `signature_refused`, `challenge_refused`, `account_exists` or `id_taken`.
    """
    signed = register_message(public_host(), message["challenge"], body)
    if not is_signed(message["login_pk"], signed, parse_signature(signature)):
        raise Refusal("signature_refused")
    now = parts.clock.now()
    lookup = parts.pepper.lookup(message["k_id"])
    with parts.database.write() as session:
        known = session.scalar(select(Account).where(Account.lookup == lookup))
        if known is not None and known.body == digest(body) and now < known.created + DAY:
            return {"account": known.account, "created": known.created}
        refusal = _why_not(parts, session, message, lookup, known)
        if refusal is None:
            _add_account(session, parts.pepper, message, body, now)
            parts.steps.reach("account.rows")
    if refusal is not None:  # raised here, so that the challenge stays used
        raise Refusal(refusal)
    follow(parts)
    return {"account": message["account"], "created": now}


def _why_not(
    parts: Parts, session: Session, message: dict[str, Any], lookup: bytes, known: Account | None
) -> str | None:
    if not use_challenge(parts, session, lookup, message["challenge"]):
        return "challenge_refused"
    if known is not None:
        return "account_exists"
    rid = parts.pepper.recovery_lookup(message["recovery"]["rid"])
    account = message["account"]
    taken = (
        exists().where(Account.account == account) | exists().where(Departed.owner == account)
        | exists().where(Recovery.lookup == rid)
    )
    return "id_taken" if session.scalar(select(taken)) else None


def _add_account(session: Session, pepper: Pepper, message: dict[str, Any], body: bytes, now: int) -> None:
    account = message["account"]
    session.add(
        Account(
            account=account, n=1, used=0, created=now, last_opened=None,
            **credential_columns(pepper, account, message, body),
        )
    )
    session.flush()
    session.add(Recovery(account=account, **recovery_columns(pepper, account, message["epoch"], message["recovery"])))
    session.add(Guesses(account=account, attempts=0, not_before=0, wrong_total=0, lowered=now, wrong_since=0))
    session.flush()
    note(session, "account", account)


def credential_columns(pepper: Pepper, account: bytes, message: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The columns of an account that one epoch's credentials make; sealed values are bound to that epoch."""
    epoch = message["epoch"]

    def sealed(column: str, value: bytes) -> bytes:
        return pepper.seal_row(column, account, epoch, value)

    return {
        "lookup": pepper.lookup(message["k_id"]),
        "pepper": pepper.version,
        "k_id": sealed("K_id", message["k_id"]),
        "login_pk": sealed("login_pk", message["login_pk"]),
        "epoch": epoch,
        "pin_epoch": message["pin_epoch"],
        "verifier_l": pepper.pin_verifier("login", account, epoch, message["tag_l"]),
        "verifier_s": pepper.pin_verifier("step", account, epoch, message["tag_s"]),
        "share_n": sealed("share_N", message["share_n"]),
        "share_s": sealed("share_S", message["share_s"]),
        "w_n": message["w_n"],
        "w_s": message["w_s"],
        "account_record": message["account_record"],
        "identity_sign": message["identity"]["sign"],
        "identity_box": message["identity"]["box"],
        "drop_box": message["drop_box"],
        "body": digest(body),
    }


def recovery_columns(pepper: Pepper, account: bytes, epoch: int, recovery: dict[str, bytes]) -> dict[str, Any]:
    """The columns of what a recovery code opens, made in this epoch."""
    return {
        "lookup": pepper.recovery_lookup(recovery["rid"]),
        "pepper": pepper.version,
        "epoch": epoch,
        "login_pk": pepper.seal_row("recovery_login_pk", account, epoch, recovery["login_pk"]),
        "share_r": pepper.seal_row("share_R", account, epoch, recovery["share_r"]),
        "w_rn": recovery["w_rn"],
        "w_rs": recovery["w_rs"],
    }


def has_signed(pepper: Pepper, row: Account | None, message: bytes, sig: bytes) -> bool:
    """The same work for nobody as for somebody."""
    nobody = bytes(ID_SIZE), 0, pepper.nobody  # made once in each process: whoever comes first waits for it
    account, epoch, sealed = (row.account, row.epoch, row.login_pk) if row else nobody
    return is_signed(pepper.open_row("login_pk", account, epoch, sealed), message, sig)


def is_signed(public: bytes, message: bytes, sig: bytes) -> bool:
    """Whether `public` (32 bytes) has signed `message` with `sig` (64 bytes)."""
    try:
        verify_ed25519(public, message, sig)
    except SignatureInvalid:
        return False
    return True


def parse_signature(text: str) -> bytes:
    """The 64 bytes that a header spells. Raises Refusal `signature_refused`."""
    try:
        return parse_b64url(text, limits.SIGNATURE)
    except MalformedError:
        raise Refusal("signature_refused") from None


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
