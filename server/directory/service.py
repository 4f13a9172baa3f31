"""Professionals: how somebody asks to be listed, and how the operator decides.

Knows: that a request is signed by the key it names, and that an entry is made for the request whose digits were
compared, not for one that came meanwhile. Refuses to know: whether somebody is who they say; the operator telephones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_core.encoding import format_json, parse_json
from crypto_core.errors import MalformedError, TemoinError
from crypto_core.receipts.directory import Entry, Listed, Listing, Revoked, format_entry, parse_entry
from crypto_core.signed_requests import professional_message
from schemas import directory as wire
from server.accounts.login import is_signed, parse_signature
from server.accounts.service import find_account
from server.directory.models import DirectoryEntry, Professional
from server.directory.tree import append, begin_directory, mark
from server.host import public_host
from server.journal.service import follow, note
from server.parts import Parts
from server.problems import Refusal
from server.shares.ending import end_for_reader


class ProfessionalUnknown(TemoinError):
    code = "professional_not_found"
    sentence = (
        "Nobody who has asked to be listed has this number, or several numbers begin like this. "
        "`temoin-server professionals list` shows them."
    )


class NothingAsked(TemoinError):
    code = "professional_asked_nothing"
    sentence = "This professional waits for nothing. `temoin-server professionals list` shows who does."


class FingerprintDiffers(TemoinError):
    code = "professional_digits_differ"
    sentence = (
        "These are not the digits of the request, and nobody was listed. Ask for them once more, by a telephone number "
        "that you have from elsewhere. If they differ again, somebody else may have sent the request: revoke it."
    )


@dataclass(frozen=True)
class Standing:
    """One professional as the operator sees them."""

    account: bytes
    entry: int | None
    listing: Listing | None
    """What the entry says."""
    asked: Listing | None
    """What waits for a decision."""
    asked_at: int | None
    was_revoked: bool

    @property
    def state(self) -> str:
        """As schemas.directory.Professional spells it."""
        if self.entry is not None:
            return "approved"
        if self.asked is not None:
            return "pending"
        return "revoked" if self.was_revoked else "none"


def ask_to_be_listed(vault: Parts, account: bytes, message: dict[str, Any], body: bytes, signature: str) -> Standing:
    """Keeps the request, in the place of one that still waits. `signature` is the header's text, over the exact body.

    Raises Refusal `signature_refused`, `invalid` for a text that can't be shown as it is spelled, or `unauthorized`.
    """
    signed = professional_message(public_host(), account, body)
    if not is_signed(message["pk_sign"], signed, parse_signature(signature)):
        raise Refusal("signature_refused")
    try:
        Listing(**message)
    except MalformedError:
        raise Refusal("invalid", fields={"name": ["Not text that can be shown as it is."]}) from None
    asked = format_json(wire.Listing().dump(message))
    with vault.database.write() as session:
        find_account(session, account)
        row = session.get(Professional, account) or Professional(account=account, entry=None)
        row.asked, row.asked_at, row.was_revoked = asked, vault.clock.now(), False
        session.add(row)
        session.flush()
        note(session, "professional", account)
        standing = _standing(session, row)
    follow(vault)
    return standing


def read_standing(vault: Parts, account: bytes) -> Standing:
    """The account's own standing; that of somebody who never asked, too."""
    with vault.database.read() as session:
        return _standing(session, session.get(Professional, account) or _nobody(account))


def list_professionals(session: Session) -> list[Standing]:
    """All who ever asked, those who wait first, the longest wait first."""
    rows = session.scalars(select(Professional).order_by(Professional.asked_at.nulls_last(), Professional.account))
    return [_standing(session, row) for row in rows]


def find_professional(session: Session, number: str) -> Standing:
    """The one whose account begins with these hexadecimal digits. Raises ProfessionalUnknown."""
    found = [one for one in list_professionals(session) if number and one.account.hex().startswith(number.lower())]
    if len(found) != 1:
        raise ProfessionalUnknown()
    return found[0]


def approve(vault: Parts, number: str, digits: str) -> tuple[int, Listing]:
    """Lists whoever asked, if their digits are `digits`, however spaced; the index of the new entry, and what it says.

    Raises ProfessionalUnknown, NothingAsked, FingerprintDiffers, a DirectoryRefuses.
    """
    begin_directory(vault)
    with vault.database.write() as session:
        one = find_professional(session, number)
        if one.asked is None:
            raise NothingAsked()
        if "".join(digits.split()) != one.asked.fingerprint.replace(" ", ""):
            raise FingerprintDiffers()
        index = _append(vault, session, Listed(one.asked, vault.clock.now(), one.entry))
        row = session.get_one(Professional, one.account)
        row.entry, row.asked, row.asked_at, row.was_revoked = index, None, None, False
        note(session, "professional", one.account)
    mark(vault)
    return index, one.asked


def revoke(vault: Parts, number: str) -> Standing:
    """Ends the entry and what waits; and every bundle for this professional. As it was before.

    Raises ProfessionalUnknown, NothingAsked where there is nothing to end, a DirectoryRefuses.
    """
    begin_directory(vault)
    with vault.database.write() as session:
        one = find_professional(session, number)
        if one.entry is None and one.asked is None:
            raise NothingAsked()
        if one.entry is not None:
            _append(vault, session, Revoked(one.entry))
            end_for_reader(session, one.account, vault.clock.now())
        row = session.get_one(Professional, one.account)
        row.entry, row.asked, row.asked_at, row.was_revoked = None, None, None, True
        note(session, "professional", one.account)
    mark(vault)
    return one


def read_entries(session: Session, indexes: Sequence[int]) -> dict[int, Entry]:
    """What these entries of the directory say."""
    rows = session.scalars(select(DirectoryEntry).where(DirectoryEntry.index.in_(indexes)))
    return {row.index: parse_entry(row.entry) for row in rows}


def _append(vault: Parts, session: Session, entry: Entry) -> int:
    return append(vault, session, format_entry(entry))


def _nobody(account: bytes) -> Professional:
    return Professional(account=account, entry=None, asked=None, asked_at=None, was_revoked=False)


def _standing(session: Session, row: Professional) -> Standing:
    listed = None if row.entry is None else read_entries(session, [row.entry])[row.entry]
    asked = None if row.asked is None else Listing(**wire.Listing().load(parse_json(row.asked)))
    return Standing(
        row.account, row.entry, listed.listing if isinstance(listed, Listed) else None, asked, row.asked_at,
        row.was_revoked,
    )
