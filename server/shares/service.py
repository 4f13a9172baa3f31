"""The person's side of sharing: a bundle is kept, listed, extended, ended.

Knows: protocol §7 as far as a server may: that what is named is the account's own and kept, and for whom it is.
Refuses to know: what is shared, with whom beyond an entry of the directory, and HTTP.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import format_b64url
from schemas import limits
from server.accounts.service import take_space
from server.directory.models import Professional
from server.guesses.codes import keep_code
from server.guesses.models import LinkCode
from server.items.models import Revision
from server.journal.service import follow
from server.parts import Parts
from server.problems import Refusal
from server.shares.ending import end_bundle
from server.shares.models import Bundle, BundleBlob, BundleRecord, Opening
from server.uploads.kept import missing_blobs


def put_bundle(vault: Parts, account: bytes, message: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Keeps a bundle, as schemas.shares.BundleKept; the identical body again gets the first answer.

    Raises Refusal `id_taken`, `invalid` for times and counts that make no sense, `not_found` for a record or a bundle
    to be replaced that is not the account's own and kept, `blob_missing`, `professional_unknown`, `quota_full`.
    """
    now, bundle = vault.clock.now(), message["bundle"]
    with vault.database.write() as session:
        known = session.get(Bundle, bundle)
        if known is not None:
            if (known.account, known.body) != (account, sha256(body).digest()):
                raise Refusal("id_taken")
            return {"bundle": bundle, "created": known.created}
        if not now < message["expires"] <= now + limits.SHARED_FOR:
            raise Refusal("invalid", fields={"expires": ["Not a time from now to a year from now."]})
        replaced = _find_replaced(session, account, message["replaces"])
        opened = 0 if replaced is None else replaced.opened
        if message["openings"] <= opened:
            raise Refusal("invalid", fields={"openings": ["No more than there have been."]})
        _require_kept(session, account, message)
        size = len(message["seal"]) + len(message["note"])
        take_space(session, account, size, vault.config.quota)
        row = Bundle(
            bundle=bundle, account=account, body=sha256(body).digest(), created=now, opened=opened, size=size,
            **{name: message[name] for name in ("expires", "openings", "cap_hash", "seal", "note")},
            **_for_reader(session, message),
        )
        session.add(row)
        session.flush()
        if message["link"] is not None:
            keep_code(vault, session, bundle, message["link"]["x"], message["link"]["share"])
        _name(session, bundle, message)
        if replaced is not None:
            _carry_over(session, replaced.bundle, bundle, now)
    follow(vault)
    return {"bundle": bundle, "created": now}


def list_bundles(vault: Parts, account: bytes) -> list[dict[str, Any]]:
    """Everything that the account ever shared, as schemas.shares.Bundle, the newest first."""
    now = vault.clock.now()
    with vault.database.read() as session:
        query = select(Bundle).where(Bundle.account == account).order_by(Bundle.created.desc(), Bundle.bundle)
        rows = session.scalars(query).all()
        mine = select(Bundle.bundle).where(Bundle.account == account)
        times: dict[bytes, list[int]] = {}
        for bundle, time in session.execute(
            select(Opening.bundle, Opening.time).where(Opening.bundle.in_(mine)).order_by(Opening.time)
        ):
            times.setdefault(bundle, []).append(time)
        tries = {
            bundle: attempts
            for bundle, attempts in session.execute(
                select(LinkCode.bundle, LinkCode.attempts).where(LinkCode.bundle.in_(mine))
            )
        }
    return [_row(one, times.get(one.bundle, []), tries.get(one.bundle, 0), now) for one in rows]


def revoke_bundle(vault: Parts, account: bytes, bundle: bytes) -> None:
    """Ends a bundle, its tokens with it; one that has ended stays as it is. Raises Refusal `not_found`."""
    with vault.database.write() as session:
        if session.scalar(select(Bundle.account).where(Bundle.bundle == bundle)) != account:
            raise Refusal("not_found")
        end_bundle(session, bundle, vault.clock.now(), "revoked")
    follow(vault)


def _find_replaced(session: Session, account: bytes, bundle: bytes | None) -> Bundle | None:
    """What is to be extended: alive, or at its end by time alone. Raises Refusal `not_found`."""
    if bundle is None:
        return None
    found = session.get(Bundle, bundle)
    if found is None or found.account != account or found.why not in (None, "expired") or found.replaced_by:
        raise Refusal("not_found")
    return found


def _require_kept(session: Session, account: bytes, message: dict[str, Any]) -> None:
    missing = missing_blobs(session, account, message["blobs"])
    if missing:
        raise Refusal("blob_missing", blobs=[format_b64url(blob) for blob in missing])
    places = {(one["item"], one["revision"]) for one in message["records"]}
    kept = select(Revision.item, Revision.revision).where(
        Revision.account == account, Revision.item.in_({item for item, _ in places}), Revision.record.is_not(None)
    )
    if not places <= {(item, revision) for item, revision in session.execute(kept)}:
        raise Refusal("not_found")


def _for_reader(session: Session, message: dict[str, Any]) -> dict[str, Any]:
    """The columns that say for whom it is. Raises Refusal `professional_unknown`."""
    if message["link"] is not None:
        return {"wrap": message["link"]["wrap"], "entry": None, "reader": None}
    entry = message["professional"]["entry"]
    reader = session.scalar(select(Professional.account).where(Professional.entry == entry))
    if reader is None:
        raise Refusal("professional_unknown")
    return {"wrap": message["professional"]["wrap"], "entry": entry, "reader": reader}


def _name(session: Session, bundle: bytes, message: dict[str, Any]) -> None:
    """What the reader may fetch; what is named twice counts once."""
    records = {(one["item"], one["revision"]) for one in message["records"]}
    session.execute(
        insert(BundleRecord), [{"bundle": bundle, "item": item, "revision": number} for item, number in records]
    )
    if message["blobs"]:
        session.execute(insert(BundleBlob), [{"bundle": bundle, "blob": blob} for blob in set(message["blobs"])])


def _carry_over(session: Session, old: bytes, new: bytes, now: int) -> None:
    """The openings of the old bundle become those of the new one, and the old one ends."""
    end_bundle(session, old, now, "replaced")
    session.execute(update(Opening).where(Opening.bundle == old).values(bundle=new))
    session.execute(update(Bundle).where(Bundle.bundle == old).values(replaced_by=new))


def _row(one: Bundle, opened: list[int], attempts: int, now: int) -> dict[str, Any]:
    ended, why = one.ended, one.why
    if ended is None and one.expires <= now:
        ended, why = one.expires, "expired"
    return {
        "bundle": one.bundle, "created": one.created, "expires": one.expires, "openings": one.openings,
        "opened": opened, "note": one.note, "entry": one.entry,
        "wrong_codes": limits.CODE_TRIES if why == "codes" else attempts,
        "ended": ended, "why": why, "replaced_by": one.replaced_by,
    }
