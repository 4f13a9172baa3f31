"""A change of user name, password or PIN: the next epoch's rows in the place of the last one's, all at once.

Knows: protocol §8, "Change". Refuses to know: which of the three was changed, and anything that was kept: blobs,
records and what the recovery code opens stay as they are.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from crypto_core.signed_requests import change_message
from server.accounts.login import (
    credential_columns, digest, has_signed, is_signed, parse_signature, recovery_columns, use_challenge,
)
from server.accounts.models import Account, Recovery, Token
from server.accounts.service import Caller, find_account
from server.guesses.service import reopen
from server.host import public_host
from server.journal.service import follow, note
from server.parts import Parts
from server.problems import Refusal
from server.recovery.models import Waiting


def change_credentials(
    parts: Parts, caller: Caller, message: dict[str, Any], body: bytes, old: str, new: str
) -> dict[str, Any]:
    """The epoch that holds from now on, as schemas.accounts.CredentialsChanged; every other session is over.

    `old` and `new` are the two headers' text. The identical body gets the same answer as long as its epoch lasts.
    Raises Refusal `signature_refused`, `challenge_refused`, `credentials_conflict`, `account_exists` or `id_taken`.
    """
    account = caller.account
    signed = change_message(public_host(), message["challenge"], body)
    signature = parse_signature(old)
    if not is_signed(message["login_pk"], signed, parse_signature(new)):
        raise Refusal("signature_refused")
    with parts.database.write() as session:
        row = find_account(session, account)
        if row.body != digest(body):
            refusal = _why_not(parts, session, row, message, signed, signature)
            if refusal is None:
                replace_credentials(parts, session, row, message, body)
                session.execute(delete(Token).where(Token.account == account, Token.root != caller.root))
                reopen(session, account)
                session.flush()
                parts.steps.reach("credentials.rows")
        else:
            refusal = None
    if refusal is not None:  # raised here, so that the challenge stays used
        raise Refusal(refusal)
    follow(parts)
    parts.database.empty_log()  # of the pair that opens nothing any more
    return {"epoch": message["epoch"], "pin_epoch": message["pin_epoch"], "n": message["n"]}


def _why_not(
    parts: Parts, session: Session, row: Account, message: dict[str, Any], signed: bytes, signature: bytes
) -> str | None:
    if not use_challenge(parts, session, row.lookup, message["challenge"]):
        return "challenge_refused"
    if message["account"] != row.account or not has_signed(parts.pepper, row, signed, signature):
        return "signature_refused"
    return conflict_of(parts, session, row, message)


def conflict_of(parts: Parts, session: Session, row: Account, message: dict[str, Any]) -> str | None:
    """Why new credentials can't take the place of this row's, whoever signed them; None if they can."""
    if not _follows(row, message):
        return "credentials_conflict"
    lookup = parts.pepper.lookup(message["k_id"])
    if session.scalar(select(exists().where(Account.lookup == lookup, Account.account != row.account))):
        return "account_exists"
    if message["recovery"] is not None:
        rid = parts.pepper.recovery_lookup(message["recovery"]["rid"])
        if session.scalar(select(exists().where(Recovery.lookup == rid, Recovery.account != row.account))):
            return "id_taken"
    return None


def _follows(row: Account, message: dict[str, Any]) -> bool:
    """Compare-and-swap: on the epoch, on the account record, and a PIN that is the same one or the next."""
    return (
        message["expected_epoch"] == row.epoch
        and message["n"] == row.n + 1
        and message["pin_epoch"] in (row.pin_epoch, row.pin_epoch + 1)
    )


def replace_credentials(
    parts: Parts, session: Session, row: Account, message: dict[str, Any], body: bytes
) -> None:
    """The next epoch's rows, in the caller's transaction. Nobody waits any more for what a code opened that was
    replaced."""
    columns = credential_columns(parts.pepper, row.account, message, body)
    for name, value in {**columns, "n": message["n"]}.items():
        setattr(row, name, value)
    if message["recovery"] is not None:
        kept = session.get_one(Recovery, row.account)
        made = recovery_columns(parts.pepper, row.account, message["epoch"], message["recovery"])
        for name, value in made.items():
            setattr(kept, name, value)
        session.execute(delete(Waiting).where(Waiting.account == row.account))
    note(session, "account", row.account)
