"""The depositor's side of a box: who holds its key may put things in, up to what it takes, and read nothing.

Knows: that a visit is good for one box, for an hour and while the box is open; that a deposit is made once, of what was
sent into this box and kept. Refuses to know: who visits; keys; how blobs come in (server.uploads); and HTTP.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import format_b64url
from crypto_core.randomness import make_bytes
from schemas import limits
from server.accounts.service import parse_bearer
from server.boxes.models import Box, BoxDeposit, DepositBlob, Visit, is_open
from server.database import rows_changed, table
from server.parts import Parts
from server.problems import Refusal
from server.uploads.kept import missing_blobs
from server.uploads.models import Blob

_HOLDER = (
    select(Box.holder)
    .join(Visit, Visit.box == Box.box)
    .where(Visit.token == bindparam("token"), Visit.expires > bindparam("now"), Box.box == bindparam("id"))
)
_ADD_NAMES = insert(table(DepositBlob))


@dataclass(frozen=True)
class Entered:
    """A box that was entered, as a valid token has shown in this request. What is sent belongs to its `holder`."""

    vault: Parts
    box: bytes
    holder: bytes

    def put_deposit(self, message: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Makes one deposit of blobs that are kept, as schemas.boxes.DepositKept; the identical body again gets the
        first answer. From here on they are the account's own.

        Raises Refusal `box_over`, `id_taken`, `blob_missing` with the `blobs`, `invalid` for words that are too long,
        `box_full`.
        """
        now, deposit = self.vault.clock.now(), message["deposit"]
        blobs = [deposit, *message["blobs"]]
        with self.vault.database.write() as session:
            known = session.get(BoxDeposit, (self.box, deposit))
            if known is not None:
                if known.body != sha256(body).digest():
                    raise Refusal("id_taken")
                return {"deposit": deposit, "deposited": known.deposited}
            size = self._require_kept(session, blobs)
            account = self._count(session, now)
            session.add(BoxDeposit(
                box=self.box, deposit=deposit, body=sha256(body).digest(), deposited=now, size=size, key=message["key"],
            ))
            session.flush()
            names = [{"box": self.box, "deposit": deposit, "place": at, "blob": blob} for at, blob in enumerate(blobs)]
            session.execute(_ADD_NAMES, names)
            session.execute(update(Blob).where(Blob.blob.in_(blobs)).values(account=account))
            self.vault.steps.reach("box.deposited")
        return {"deposit": deposit, "deposited": now}

    def _require_kept(self, session: Session, blobs: list[bytes]) -> int:
        """The bytes of all of them together; the words are the first."""
        missing = missing_blobs(session, self.holder, blobs)
        if missing:
            raise Refusal("blob_missing", blobs=[format_b64url(blob) for blob in missing])
        if session.get_one(Blob, blobs[0]).size > limits.DEPOSIT:
            raise Refusal("invalid", fields={"deposit": ["Longer than words may be."]})
        return session.scalars(select(func.sum(Blob.size)).where(Blob.blob.in_(blobs))).one()

    def _count(self, session: Session, now: int) -> bytes:
        """One statement that counts or doesn't: never one deposit too many. Whose the box is."""
        mine = Box.box == self.box
        if not session.scalar(select(exists().where(mine, is_open(now)))):
            raise Refusal("box_over")
        if not rows_changed(session, update(Box).where(mine, Box.made < Box.deposits).values(made=Box.made + 1)):
            raise Refusal("box_full")
        return session.scalars(select(Box.account).where(mine)).one()


def enter_box(vault: Parts, box: bytes, cap: bytes) -> dict[str, Any]:
    """A token for an hour, and what the box still takes, as schemas.boxes.BoxEntered; counts nothing.

    Raises Refusal `box_over`, or `cap_refused`, be it that the key is wrong or that there is no such box.
    """
    now, token = vault.clock.now(), make_bytes(limits.TOKEN)
    with vault.database.write() as session:
        row = session.get(Box, box)
        if row is not None and (row.ended is not None or row.expires <= now):
            raise Refusal("box_over")
        expected = None if row is None else row.cap_hash
        if not hmac.compare_digest(expected or b"", sha256(cap).digest()) or row is None:
            raise Refusal("cap_refused")
        expires = min(now + limits.VISIT, row.expires)
        session.add(Visit(token=sha256(token).digest(), box=box, expires=expires))
        return {
            "token": token, "expires": expires, "until": row.expires, "deposits": row.deposits - row.made,
            "bytes": row.room - row.used,
        }


def show_visit(vault: Parts, authorization: str, box: bytes) -> Entered:
    """What the token of a visit lets in to. Raises Refusal `box_over` or `visit_over`."""
    now = vault.clock.now()
    with vault.database.read() as session:
        if session.scalar(select(exists().where(Box.box == box, ~is_open(now)))):
            raise Refusal("box_over")
        try:
            token = parse_bearer(authorization)
        except Refusal:
            raise Refusal("visit_over") from None
        holder = session.scalar(_HOLDER, {"token": token, "now": now, "id": box})
    if holder is None:
        raise Refusal("visit_over")
    return Entered(vault, box, holder)
