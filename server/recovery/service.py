"""Getting back in with the recovery code: shown, waited for, used; or stopped by whoever has password and PIN.

Knows: protocol §8, "Recovery code", and how long each person lets others wait. Refuses to know: words, and what the
keys open. The code's id is 32 random bytes, which nobody can guess: a code that is not there takes no longer to refuse
for anybody's sake.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crypto_core.signed_requests import recover_change_message, recover_message
from schemas.endpoints import Stage
from server.accounts.change import conflict_of, replace_credentials
from server.accounts.login import digest, is_signed, make_challenge_for, parse_signature, use_challenge
from server.accounts.models import Account, Recovery, Token
from server.accounts.service import Caller, find_account, open_session
from server.guesses.service import reopen
from server.host import public_host
from server.journal.service import follow, note
from server.parts import Parts
from server.pepper import Pepper
from server.problems import Refusal
from server.recovery.models import Waiting


def make_challenge(parts: Parts, rid: bytes) -> dict[str, Any]:
    """As accounts.login.make_challenge, for this code's id, whether or not there is such a code."""
    return make_challenge_for(parts, parts.pepper.recovery_lookup(rid))


def begin(parts: Parts, rid: bytes, challenge: bytes, sig: bytes) -> dict[str, Any]:
    """Stage `recovery`, as schemas.accounts.RecoveryStage. The first time the waiting begins; after that it goes on.

    Raises Refusal `challenge_refused` or `recovery_refused`.
    """
    now, lookup = parts.clock.now(), parts.pepper.recovery_lookup(rid)
    with parts.database.write() as session:
        fresh = use_challenge(parts, session, lookup, challenge)
        row = session.scalar(select(Recovery).where(Recovery.lookup == lookup))
    if not fresh:
        raise Refusal("challenge_refused")
    if row is None or not is_signed(_login_key(parts.pepper, row), recover_message(public_host(), rid, challenge), sig):
        raise Refusal("recovery_refused")
    with parts.database.write() as session:
        if session.scalar(select(Recovery.account).where(Recovery.lookup == lookup)) is None:  # replaced meanwhile
            raise Refusal("recovery_refused")
        waiting = _standing(parts, session, row.account)
        if waiting is None:
            waiting = Waiting(account=row.account, begun=now, due=now + _wait_of(parts, row)["wait"])
            session.merge(waiting)
        token = open_session(session, row.account, Stage.RECOVERY, now, parts.config.recovery_life)
        session.flush()
        parts.steps.reach("recovery.begun")
    return {"account": row.account, "begun": waiting.begun, "due": waiting.due, **token}


def read_keys(parts: Parts, caller: Caller) -> dict[str, Any]:
    """As schemas.accounts.RecoveryKeys. Raises Refusal `recovery_waiting` before it is due, or `recovery_over`."""
    with parts.database.read() as session:
        _require_due(parts, session, caller.account)
        row, recovery = find_account(session, caller.account), session.get_one(Recovery, caller.account)
    share = parts.pepper.open_row("share_R", row.account, recovery.epoch, recovery.share_r)
    return {
        "share_r": share, "w_rn": recovery.w_rn, "w_rs": recovery.w_rs, "wrapped_in": recovery.epoch,
        "epoch": row.epoch, "pin_epoch": row.pin_epoch, "n": row.n, "account_record": row.account_record,
        "identity": {"sign": row.identity_sign, "box": row.identity_box}, "drop_box": row.drop_box,
    }


def change_credentials(
    parts: Parts, caller: Caller, message: dict[str, Any], body: bytes, old: str, new: str
) -> dict[str, Any]:
    """What takes the place of lost credentials, as schemas.accounts.CredentialsChanged; every session is over, and so
    are the old code and every delay of the PIN. `old` (by the code's login key) and `new` are the two headers' text.

    The identical body gets the same answer as long as its epoch lasts. Raises Refusal `recovery_waiting`,
    `recovery_over`, `invalid` without a new code, and as accounts.change.
    """
    if message["recovery"] is None:
        raise Refusal("invalid", fields={"recovery": ["A new recovery code takes the place of the one that was used."]})
    signed = recover_change_message(public_host(), message["challenge"], body)
    if not is_signed(message["login_pk"], signed, parse_signature(new)):
        raise Refusal("signature_refused")
    signature = parse_signature(old)
    with parts.database.write() as session:
        row = find_account(session, caller.account)
        refusal = None
        if row.body != digest(body):
            refusal = _why_not(parts, session, row, message, signed, signature)
            if refusal is None:
                replace_credentials(parts, session, row, message, body)
                others = Token.account == row.account, Token.root != caller.root
                session.execute(delete(Token).where(*others))
                reopen(session, row.account)
                session.flush()
                parts.steps.reach("recovery.rows")
    if refusal is not None:  # raised here, so that the challenge stays used
        raise refusal
    follow(parts)
    parts.database.empty_log()  # of what opens nothing any more
    return {"epoch": message["epoch"], "pin_epoch": message["pin_epoch"], "n": message["n"]}


def read_pending(parts: Parts, account: bytes) -> dict[str, Any]:
    """As schemas.accounts.PendingRecovery."""
    with parts.database.read() as session:
        waiting = _standing(parts, session, account)
        return {"pending": None if waiting is None else {"begun": waiting.begun, "due": waiting.due}}


def stop(parts: Parts, account: bytes) -> None:
    """Puts a stop to what waits, and to the sessions of whoever waits. The code stays good: it may be shown again."""
    with parts.database.write() as session:
        session.execute(delete(Waiting).where(Waiting.account == account))
        session.execute(delete(Token).where(Token.account == account, Token.stage == Stage.RECOVERY))


def read_wait(parts: Parts, account: bytes) -> dict[str, Any]:
    """As schemas.accounts.RecoveryWait. Raises Refusal `unauthorized` if the account was erased meanwhile."""
    with parts.database.read() as session:
        return _wait_of(parts, _find_recovery(session, account))


def set_wait(parts: Parts, account: bytes, wait: int) -> dict[str, Any]:
    """The same, with another waiting time, in seconds: a longer one holds at once. A shorter one holds when the present
    one is over; chosen once more, it isn't put off."""
    with parts.database.write() as session:
        row = _find_recovery(session, account)
        now, found = parts.clock.now(), _wait_of(parts, row)
        following = found["next"]
        if wait >= found["wait"]:
            row.wait, row.next_wait, row.next_since = wait, None, None
        elif following is None or following["wait"] != wait:
            row.wait, row.next_wait, row.next_since = found["wait"], wait, now + found["wait"]
        note(session, "account", account)
        chosen = _wait_of(parts, row)
    follow(parts)
    return chosen


def collect(parts: Parts) -> None:
    """Forgets what was due and left for too long: whoever finds the sheet later has to wait again."""
    last = parts.clock.now() - parts.config.recovery_open
    with parts.database.write() as session:
        session.execute(delete(Waiting).where(Waiting.due <= last))


def _why_not(
    parts: Parts, session: Session, row: Account, message: dict[str, Any], signed: bytes, signature: bytes
) -> Refusal | None:
    try:
        _require_due(parts, session, row.account)
    except Refusal as refusal:
        return refusal
    recovery = session.get_one(Recovery, row.account)
    if not use_challenge(parts, session, recovery.lookup, message["challenge"]):
        return Refusal("challenge_refused")
    if message["account"] != row.account or not is_signed(_login_key(parts.pepper, recovery), signed, signature):
        return Refusal("signature_refused")
    if message["pin_epoch"] == row.pin_epoch:  # whoever gets back in has shown no PIN, so none can stay
        return Refusal("credentials_conflict")
    code = conflict_of(parts, session, row, message)
    return None if code is None else Refusal(code)


def _require_due(parts: Parts, session: Session, account: bytes) -> None:
    waiting, now = _standing(parts, session, account), parts.clock.now()
    if waiting is None:
        raise Refusal("recovery_over")
    if now < waiting.due:
        raise Refusal("recovery_waiting", retry_after=waiting.due - now)


def _standing(parts: Parts, session: Session, account: bytes) -> Waiting | None:
    """What waits for this account, unless it was left for too long."""
    waiting = session.get(Waiting, account)
    if waiting is None or parts.clock.now() >= waiting.due + parts.config.recovery_open:
        return None
    return waiting


def _find_recovery(session: Session, account: bytes) -> Recovery:
    return session.get_one(Recovery, find_account(session, account).account)


def _wait_of(parts: Parts, row: Recovery) -> dict[str, Any]:
    if row.next_since is not None and row.next_since <= parts.clock.now():
        return {"wait": row.next_wait, "next": None}
    following = None if row.next_since is None else {"wait": row.next_wait, "since": row.next_since}
    return {"wait": parts.config.recovery_wait if row.wait is None else row.wait, "next": following}


def _login_key(pepper: Pepper, row: Recovery) -> bytes:
    return pepper.open_row("recovery_login_pk", row.account, row.epoch, row.login_pk)
