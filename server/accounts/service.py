"""Sessions and the account's own rows: who asks, how far they have come, and what they may read and replace.

Knows: tokens, stages and lifetimes (protocol §1), and the account record's compare-and-swap.
Refuses to know: passwords and PINs (accounts.login, guesses.service), items and blobs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Flask, g, request
from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import parse_b64url
from crypto_core.errors import MalformedError
from crypto_core.randomness import make_bytes
from schemas import limits
from schemas.endpoints import ENDPOINTS, Stage
from server.accounts.models import Account, Challenge, Token
from server.database import Prepared, connection_of, table
from server.journal.service import follow, note
from server.parts import Parts, parts
from server.problems import Refusal

CLOCK_TOLERANCE = 300
"""Seconds by which the vault's clock may be set back without ending anybody's session, or bringing a challenge back."""
TOUCH = 60
"""Seconds within which further use of a session is not written down."""

_TAKE_SPACE = Prepared(
    update(table(Account))
    .where(Account.account == bindparam("id"), Account.used + bindparam("more") <= bindparam("quota"))
    .values(used=Account.used + bindparam("more"))
)
_TOKEN = Prepared(
    select(Token.account, Token.stage, Token.root, Token.last_used, Token.expires).where(
        Token.digest == bindparam("digest")
    )
)
_STAGES = {(row.method, row.path): row.stage for row in ENDPOINTS}
_ENOUGH: dict[Stage, tuple[Stage, ...]] = {
    Stage.PASSWORD: (Stage.PASSWORD,),
    Stage.OPEN: (Stage.OPEN, Stage.CONFIRMED),
    Stage.CONFIRMED: (Stage.CONFIRMED,),
    Stage.RECOVERY: (Stage.RECOVERY,),
    Stage.ANY: (Stage.PASSWORD, Stage.OPEN, Stage.CONFIRMED),
}
"""Which stages an endpoint of each stage lets in."""


class _Session(NamedTuple):
    """What `_TOKEN` finds."""

    account: bytes
    stage: str
    root: bytes
    last_used: int
    expires: int


@dataclass(frozen=True)
class Caller:
    """A session that a valid token has named, in this request."""

    account: bytes
    stage: Stage
    digest: bytes
    root: bytes


def install_stages(app: Flask, pages: Iterable[tuple[str, str]]) -> None:
    """No view runs before the stage that the table demands for its endpoint was shown; `pages` demand none.

    Stages `bundle` and `depositor` are no session's: server.shares.views and server.boxes.views hold their own to them.
    """
    enough = {row: _ENOUGH.get(stage) for row, stage in (_STAGES | dict.fromkeys(pages, Stage.NONE)).items()}

    @app.before_request
    def _enforce_stage() -> None:
        rule = request.url_rule
        if rule is None:  # nothing is here; routing says so itself
            return
        method = "GET" if request.method == "HEAD" else request.method
        stages = enough[method, rule.rule]
        if stages is not None:
            g.caller = authenticate(parts(), request.headers.get("Authorization", ""))
            require_stage(g.caller, *stages)


def current_caller() -> Caller:
    """The session of this request."""
    caller: Caller = g.caller
    return caller


def current_account() -> bytes:
    """The 16-byte account of this request."""
    return current_caller().account


def authenticate(parts: Parts, authorization: str) -> Caller:
    """The session named by an `Authorization: Bearer …` header. Raises Refusal `unauthorized`."""
    digest = parse_bearer(authorization)
    now = parts.clock.now()
    found = parts.database.first(_TOKEN, digest=digest)
    token = None if found is None else _Session(*found)
    if token is None or not _is_alive(token, now, parts.config.open_idle):
        raise Refusal("unauthorized")
    if now - token.last_used >= TOUCH:
        _touch(parts, digest, now)
    return Caller(token.account, Stage(token.stage), digest, token.root)


def require_stage(caller: Caller, *stages: Stage) -> None:
    """Raises Refusal `stage_insufficient` unless the session is at one of these."""
    if caller.stage not in stages:
        raise Refusal("stage_insufficient")


def open_session(
    session: Session, account: bytes, stage: Stage, now: int, life: int, *, root: bytes | None = None
) -> dict[str, Any]:
    """A fresh token, `{token, expires}`: 32 random bytes, of which the vault keeps SHA-256."""
    token = make_bytes(limits.TOKEN)
    digest = hashlib.sha256(token).digest()
    session.add(
        Token(
            digest=digest, account=account, stage=stage, root=root or digest,
            opened=now, last_used=now, expires=now + life,
        )
    )
    return {"token": token, "expires": now + life}


def list_sessions(parts: Parts, caller: Caller) -> dict[str, Any]:
    """Every session of the account that is alive, oldest first; but for those of whoever waits to get back in, which
    server.recovery tells of."""
    now = parts.clock.now()
    mine = Token.account == caller.account, Token.stage != Stage.RECOVERY
    with parts.database.read() as session:
        tokens = session.scalars(select(Token).where(*mine).order_by(Token.opened))
        return {
            "sessions": [
                {
                    "session": token.digest,
                    "stage": token.stage,
                    "opened": token.opened,
                    "last_used": token.last_used,
                    "expires": token.expires,
                    "current": token.digest == caller.digest,
                }
                for token in tokens
                if _is_alive(token, now, parts.config.open_idle)
            ]
        }


def end_session(parts: Parts, caller: Caller) -> None:
    """Ends the session with all its tokens."""
    with parts.database.write() as session:
        session.execute(delete(Token).where(Token.root == caller.root))


def end_other_sessions(parts: Parts, caller: Caller) -> int:
    """Ends every session of the account but this one; how many tokens that were alive stopped working."""
    now = parts.clock.now()
    others = Token.account == caller.account, Token.root != caller.root
    with parts.database.write() as session:
        tokens = list(session.scalars(select(Token).where(*others)))
        session.execute(delete(Token).where(*others))
    return sum(_is_alive(token, now, parts.config.open_idle) for token in tokens)


def find_account(session: Session, account: bytes) -> Account:
    """The row of an account that a session was open for. Raises Refusal `unauthorized` if it was erased meanwhile."""
    row = session.get(Account, account)
    if row is None:
        raise Refusal("unauthorized")
    return row


def read_account(parts: Parts, account: bytes) -> dict[str, Any]:
    """The account's own sealed rows, as schemas.accounts.Account spells them. Raises Refusal `unauthorized`."""
    with parts.database.read() as session:
        row = find_account(session, account)
    return {
        "account": row.account,
        "created": row.created,
        "epoch": row.epoch,
        "pin_epoch": row.pin_epoch,
        "n": row.n,
        "account_record": row.account_record,
        "identity": {"sign": row.identity_sign, "box": row.identity_box},
        "drop_box": row.drop_box,
        "used": row.used,
        "quota": parts.config.quota,
    }


def replace_account_record(parts: Parts, account: bytes, n: int, record: bytes) -> int:
    """Compare-and-swap: `n`, once the record before it was replaced. The same bytes again are no conflict.

    Raises Refusal `record_conflict` or `unauthorized`.
    """
    with parts.database.write() as session:
        row = find_account(session, account)
        if (row.n, row.account_record) != (n, record):
            if row.n != n - 1:
                raise Refusal("record_conflict")
            row.n, row.account_record = n, record
            note(session, "account", account)
    follow(parts)
    return n


def take_space(session: Session, account: bytes, size: int, quota: int) -> None:
    """Counts `size` bytes more as used, in the caller's transaction. Raises Refusal `quota_full`."""
    if not claim_space(session, account, size, quota):
        raise Refusal("quota_full")


def claim_space(session: Session, account: bytes, size: int, quota: int) -> bool:
    """The same; whether there was so much left, and such an account."""
    return _TAKE_SPACE.run(connection_of(session), id=account, more=size, quota=quota) > 0


def give_space_back(session: Session, account: bytes, size: int) -> None:
    """Counts `size` bytes less as used, in the caller's transaction."""
    session.execute(update(Account).where(Account.account == account).values(used=Account.used - size))


def collect(parts: Parts) -> None:
    """Forgets challenges and sessions that are over."""
    now = parts.clock.now()
    idle = (Token.stage == Stage.OPEN) & (Token.last_used <= now - parts.config.open_idle)
    with parts.database.write() as session:
        session.execute(delete(Challenge).where(Challenge.expires <= now - CLOCK_TOLERANCE))
        session.execute(delete(Token).where(or_(Token.expires <= now, idle)))


def _is_alive(token: Token | _Session, now: int, idle: int) -> bool:
    """A session used in the future is over: its clock ran ahead, and it would live for as long as that."""
    last_used = token.last_used
    return last_used - CLOCK_TOLERANCE <= now < token.expires and (token.stage != Stage.OPEN or now < last_used + idle)


def _touch(parts: Parts, digest: bytes, now: int) -> None:
    try:
        with parts.database.write() as session:
            session.execute(update(Token).where(Token.digest == digest).values(last_used=now))
    except Refusal:  # the database can't be written now; reading in open sessions goes on
        return


def parse_bearer(authorization: str) -> bytes:
    """SHA-256 of the token in an `Authorization: Bearer …` header. Raises Refusal `unauthorized`."""
    scheme, _, text = authorization.partition(" ")
    try:
        token = parse_b64url(text, limits.TOKEN)
    except MalformedError:
        raise Refusal("unauthorized") from None
    if scheme.lower() != "bearer":
        raise Refusal("unauthorized")
    return hashlib.sha256(token).digest()
