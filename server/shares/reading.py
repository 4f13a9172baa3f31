"""The reader's side of sharing: what waits, what a code releases, and what an opening lets them fetch.

Knows: that every opening is counted once and noted, and that its token is good for what the bundle names, while the
bundle is alive, and for nothing else. Refuses to know: keys, and HTTP.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from crypto_core.randomness import make_bytes
from schemas import limits
from schemas.endpoints import Stage
from server.accounts.service import authenticate, parse_bearer, require_stage
from server.database import rows_changed
from server.directory.models import Professional
from server.guesses.codes import try_code
from server.items.models import Revision
from server.items.service import prove_record
from server.ledger.service import Deposited
from server.parts import Parts
from server.problems import Refusal
from server.shares.ending import end_bundle, is_alive
from server.shares.models import Bundle, BundleBlob, BundleRecord, Opening
from server.uploads.kept import Content, open_blob, prove_blob

_TOKEN = (
    select(Bundle.account)
    .join(Opening, Opening.bundle == Bundle.bundle)
    .where(Opening.token == bindparam("token"), Opening.expires > bindparam("now"), Bundle.bundle == bindparam("id"))
)


@dataclass(frozen=True)
class Access:
    """A bundle that was opened, as a valid token has shown in this request. `account` is whose things it names."""

    vault: Parts
    bundle: bytes
    account: bytes
    token: bytes

    def is_good(self) -> bool:
        """Whether it still is one: the bundle alive, the hour not over."""
        now = self.vault.clock.now()
        with self.vault.database.read() as session:
            return _find_owner(session, self.bundle, self.token, now) is not None

    def read_record(self, item: bytes, revision: int) -> bytes:
        """The sealed record. Raises Refusal `not_found` unless the bundle names it and it is kept."""
        with self.vault.database.read() as session:
            self._require_record(session, item, revision)
            record = session.scalar(
                select(Revision.record).where(
                    Revision.account == self.account, Revision.item == item, Revision.revision == revision
                )
            )
        if record is None:
            raise Refusal("not_found")
        return record

    def prove_record(self, item: bytes, revision: int) -> Deposited:
        """Its deposit, with a receipt. Raises Refusal `not_found`."""
        with self.vault.database.read() as session:
            self._require_record(session, item, revision)
        return prove_record(self.vault, self.account, item, revision)

    def open_blob(self, blob: bytes) -> Content:
        """The blob, ready to be read. Raises Refusal `not_found` unless the bundle names it and it is kept."""
        self._require_blob(blob)
        return open_blob(self.vault, self.account, blob)

    def prove_blob(self, blob: bytes) -> Deposited:
        """Its deposit, with a receipt. Raises Refusal `not_found`."""
        self._require_blob(blob)
        return prove_blob(self.vault, self.account, blob)

    def while_good(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, until the bundle ends or the hour is over: what is on its way then breaks off."""
        for piece in pieces:
            if not self.is_good():
                return
            yield piece

    def _require_record(self, session: Session, item: bytes, revision: int) -> None:
        named = BundleRecord.bundle == self.bundle, BundleRecord.item == item, BundleRecord.revision == revision
        if not session.scalar(select(exists().where(*named))):
            raise Refusal("not_found")

    def _require_blob(self, blob: bytes) -> None:
        named = BundleBlob.bundle == self.bundle, BundleBlob.blob == blob
        with self.vault.database.read() as session:
            if not session.scalar(select(exists().where(*named))):
                raise Refusal("not_found")


def read_inbox(vault: Parts, account: bytes) -> list[dict[str, Any]]:
    """What waits for this professional, as schemas.shares.Received, the newest first.

    Raises Refusal `professional_needed` unless the account is listed.
    """
    now = vault.clock.now()
    with vault.database.read() as session:
        if not session.scalar(
            select(exists().where(Professional.account == account, Professional.entry.is_not(None)))
        ):
            raise Refusal("professional_needed")
        mine = select(Bundle).where(Bundle.reader == account, is_alive(now))
        rows = session.scalars(mine.order_by(Bundle.created.desc(), Bundle.bundle))
        names = ("bundle", "entry", "created", "expires", "openings", "opened", "wrap")
        return [{name: getattr(row, name) for name in names} for row in rows]


def open_link(vault: Parts, bundle: bytes, x: bytes) -> dict[str, Any]:
    """What a right code releases, as schemas.shares.LinkShare.

    Raises Refusal `not_found` for what is no link, `bundle_over`, and those of guesses.codes.
    """
    with vault.database.read() as session:
        _find_link(session, bundle, vault.clock.now())
    share = try_code(
        vault, bundle, x, lambda session: end_bundle(session, bundle, vault.clock.now(), "codes")
    )
    with vault.database.read() as session:
        row = _find_link(session, bundle, vault.clock.now())
        return {"share": share, "wrap": row.wrap, "expires": row.expires}


def open_bundle(vault: Parts, authorization: str | None, bundle: bytes, cap: bytes, opening: bytes) -> dict[str, Any]:
    """A token for an hour and the sealed manifest, as schemas.shares.BundleOpened; counted and noted, but for the
    same `opening` once more within its hour, whose first token ends.

    `authorization` is the header, if there was one: a professional's bundle is opened from their own session alone.
    Raises Refusal `unauthorized`, `stage_insufficient`, `not_found`, `bundle_over`, `cap_refused`, `openings_used`, or
    `id_taken` for an opening whose hour is over.
    """
    caller = None if authorization is None else authenticate(vault, authorization)
    if caller is not None:
        require_stage(caller, Stage.OPEN, Stage.CONFIRMED)
    now, token = vault.clock.now(), make_bytes(limits.TOKEN)
    with vault.database.write() as session:
        row = _find_alive(session, bundle, now)
        if row.entry is not None:
            if caller is None:
                raise Refusal("unauthorized")
            if caller.account != row.reader:
                raise Refusal("not_found")
        if not hmac.compare_digest(row.cap_hash or b"", sha256(cap).digest()):
            raise Refusal("cap_refused")
        known = session.get(Opening, (bundle, opening))
        if known is None:
            _count(session, bundle)
            known = Opening(bundle=bundle, opening=opening, time=now, expires=min(now + limits.OPENING, row.expires))
            session.add(known)
        elif known.expires <= now:
            raise Refusal("id_taken")
        known.token = sha256(token).digest()
        return {"token": token, "expires": known.expires, "seal": row.seal}


def show_access(vault: Parts, authorization: str, bundle: bytes) -> Access:
    """What the token of an opening opens. Raises Refusal `bundle_over` or `opening_over`."""
    now = vault.clock.now()
    with vault.database.read() as session:
        if session.scalar(select(exists().where(Bundle.bundle == bundle, ~is_alive(now)))):
            raise Refusal("bundle_over")
        try:
            token = parse_bearer(authorization)
        except Refusal:
            raise Refusal("opening_over") from None
        owner = _find_owner(session, bundle, token, now)
    if owner is None:
        raise Refusal("opening_over")
    return Access(vault, bundle, owner, token)


def _find_owner(session: Session, bundle: bytes, token: bytes, now: int) -> bytes | None:
    """Whose the bundle is, if the token is one of its openings' and both are alive."""
    return session.scalar(_TOKEN.where(is_alive(now)), {"token": token, "now": now, "id": bundle})


def _find_alive(session: Session, bundle: bytes, now: int) -> Bundle:
    """Raises Refusal `not_found` or `bundle_over`."""
    row = session.get(Bundle, bundle)
    if row is None:
        raise Refusal("not_found")
    if row.ended is not None or row.expires <= now:
        raise Refusal("bundle_over")
    return row


def _find_link(session: Session, bundle: bytes, now: int) -> Bundle:
    """The same for a link. A professional's bundle is none."""
    row = _find_alive(session, bundle, now)
    if row.entry is not None:
        raise Refusal("not_found")
    return row


def _count(session: Session, bundle: bytes) -> None:
    """One statement that counts or doesn't: never one opening too many. Raises Refusal `openings_used`."""
    free = update(Bundle).where(Bundle.bundle == bundle, Bundle.opened < Bundle.openings)
    if not rows_changed(session, free.values(opened=Bundle.opened + 1)):
        raise Refusal("openings_used")
