"""The person's side of a box: made, listed, closed; what waits in it is looked at, and refused.

Knows: protocol §7, "Deposit box", as far as a server may. Accepting is a revision that names what waits
(server.items). Refuses to know: what is put in, for whom a box is, and HTTP.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crypto_core.randomness import make_id
from schemas import limits
from server.accounts.service import take_space
from server.boxes.ending import end_box, erase_deposit
from server.boxes.models import Box, BoxDeposit, DepositBlob
from server.journal.service import follow, note
from server.ledger.service import Enter
from server.parts import Parts
from server.problems import Refusal
from server.uploads.kept import sweep
from server.uploads.models import Blob


def put_box(vault: Parts, account: bytes, message: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Keeps a box, as schemas.boxes.BoxKept; the identical body again gets the first answer.

    Raises Refusal `id_taken`, `invalid` for an end that is not ahead or too far, `quota_full`.
    """
    now, box = vault.clock.now(), message["box"]
    with vault.database.write() as session:
        known = session.get(Box, box)
        if known is not None:
            if (known.account, known.body) != (account, sha256(body).digest()):
                raise Refusal("id_taken")
            return {"box": box, "created": known.created}
        if not now < message["expires"] <= now + limits.SHARED_FOR:
            raise Refusal("invalid", fields={"expires": ["Not a time from now to a year from now."]})
        size = len(message["seal"]) + len(message["note"])
        take_space(session, account, size, vault.config.quota)
        session.add(Box(
            account=account, holder=make_id(), body=sha256(body).digest(), created=now, room=message["bytes"], made=0,
            used=0, pieces=0, size=size,
            **{name: message[name] for name in ("box", "expires", "deposits", "cap_hash", "seal", "note")},
        ))
    return {"box": box, "created": now}


def list_boxes(vault: Parts, account: bytes) -> list[dict[str, Any]]:
    """Every box that the account ever made, as schemas.boxes.Box, the newest first."""
    now = vault.clock.now()
    counted = (
        select(BoxDeposit.box, func.count()).join(Box)
        .where(Box.account == account, BoxDeposit.became.is_(None)).group_by(BoxDeposit.box)
    )
    with vault.database.read() as session:
        rows = session.scalars(select(Box).where(Box.account == account).order_by(Box.created.desc(), Box.box)).all()
        waiting = {box: count for box, count in session.execute(counted)}
    return [_row(one, waiting.get(one.box, 0), now) for one in rows]


def close_box(vault: Parts, account: bytes, box: bytes) -> None:
    """Ends a box; what waits in it stays, and one that has ended stays as it is. Raises Refusal `not_found`."""

    def work(session: Session, _enter: Enter) -> None:
        row = _find_box(session, account, box)
        now = vault.clock.now()
        time, why = (row.expires, "expired") if row.expires <= now else (now, "closed")
        end_box(vault, session, row, time, why)

    vault.ledger.commit(work)
    follow(vault)
    sweep(vault)


def list_deposits(vault: Parts, account: bytes, box: bytes) -> list[dict[str, Any]]:
    """What waits to be decided on, as schemas.boxes.WaitingDeposit, the oldest first. Raises Refusal `not_found`."""
    with vault.database.read() as session:
        _find_box(session, account, box)
        waiting = BoxDeposit.box == box, BoxDeposit.became.is_(None)
        rows = session.scalars(  # several of one second: by the ledger's index of their words
            select(BoxDeposit).join(Blob, Blob.blob == BoxDeposit.deposit).where(*waiting)
            .order_by(BoxDeposit.deposited, Blob.deposit)
        ).all()
        named = session.execute(
            select(DepositBlob.deposit, Blob.blob, Blob.size)
            .join(BoxDeposit, (BoxDeposit.box == DepositBlob.box) & (BoxDeposit.deposit == DepositBlob.deposit))
            .join(Blob, Blob.blob == DepositBlob.blob)
            .where(*waiting).order_by(DepositBlob.deposit, DepositBlob.place)
        ).all()
    blobs: dict[bytes, dict[bytes, int]] = {}
    for deposit, blob, size in named:
        blobs.setdefault(deposit, {})[blob] = size
    return [
        {
            "deposit": one.deposit, "deposited": one.deposited, "key": one.key, "erased_after": one.erase_at,
            "size": blobs[one.deposit].pop(one.deposit),
            "blobs": [{"blob": blob, "size": size} for blob, size in blobs[one.deposit].items()],
        }
        for one in rows
    ]


def refuse_deposit(vault: Parts, account: bytes, box: bytes, deposit: bytes, *, is_confirmed: bool) -> None:
    """Erases a deposit that waits: at once if the session `is_confirmed`, else after the delay of deletions, until
    which accepting it undoes that. Again, if it was erased. Raises Refusal `not_found`, also once it is accepted."""

    def work(session: Session, _enter: Enter) -> None:
        _find_box(session, account, box)
        row = session.get(BoxDeposit, (box, deposit))
        if row is None or row.became == "accepted":
            raise Refusal("not_found")
        if row.became is not None:
            return
        if is_confirmed:
            erase_deposit(vault, session, account, row)
        elif row.erase_at is None:
            row.erase_at = vault.clock.now() + vault.config.deletion_delay
            session.flush()
            note(session, "deposit", box + deposit)

    vault.ledger.commit(work)
    follow(vault)
    if is_confirmed:
        sweep(vault)


def _find_box(session: Session, account: bytes, box: bytes) -> Box:
    """The account's own. Raises Refusal `not_found`, whether it is nobody's or somebody else's."""
    row = session.get(Box, box)
    if row is None or row.account != account:
        raise Refusal("not_found")
    return row


def _row(one: Box, waiting: int, now: int) -> dict[str, Any]:
    ended, why = one.ended, one.why
    if ended is None and one.expires <= now:
        ended, why = one.expires, "expired"
    return {
        "box": one.box, "created": one.created, "expires": one.expires, "deposits": one.deposits, "bytes": one.room,
        "made": one.made, "used": one.used, "waiting": waiting, "seal": one.seal, "note": one.note, "ended": ended,
        "why": why,
    }
