"""A professional's own account: asking to be listed, what became of it, and what was sent to the keys that are listed.

Knows: the identity that every account has. Refuses to know: who approves whom, and what else the directory lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from client_sdk.directory import Professional, Professionals, fold_name
from client_sdk.errors import ItemUnknown
from client_sdk.opening import OpenedBundle, open_counted
from client_sdk.session import Session
from client_sdk.transport import dump_body, endpoint
from crypto_core.encoding import format_b64url
from crypto_core.errors import TemoinError
from crypto_core.labels import Kind
from crypto_core.receipts.directory import Listing, derive_fingerprint
from crypto_core.sealing.keys import derive_box, open_identity
from crypto_core.sealing.passphrase import derive_public, sign_with_seed
from crypto_core.sealing.sharing import unwrap_for_professional
from crypto_core.signed_requests import professional_message

PROFESSIONAL = "/v1/professional"
INBOX = "/v1/inbox"


class ProListedOtherwise(TemoinError):
    """Somebody of this professional's own name is listed with other keys."""

    code = "pro_listed_otherwise"
    sentence = (
        "Somebody is listed under your name with keys that aren't yours. People may share with them and believe it is "
        "you. Tell who runs the vault at once, and compare digits with everybody who shares with you."
    )


@dataclass(frozen=True)
class Identity:
    """An account's own keys, 32 bytes each."""

    sign_seed: bytes = field(repr=False)
    sk_box: bytes = field(repr=False)
    pk_sign: bytes
    pk_box: bytes

    @property
    def fingerprint(self) -> str:
        """The digits to compare."""
        return derive_fingerprint(self.pk_box, self.pk_sign)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 over a message, 64 bytes."""
        return sign_with_seed(self.sign_seed, message)

    def unwrap(self, bundle: bytes, wrap: bytes) -> bytes:
        """The key of a bundle that was wrapped for this account. Raises TamperedError, MalformedError, BundleError."""
        return unwrap_for_professional(self.pk_box, self.sk_box, bundle, wrap)


@dataclass(frozen=True)
class Standing:
    """What the vault says of this account in the directory, beside the digits of its own keys, whatever is listed."""

    state: str
    entry: int | None
    listing: dict[str, Any] | None
    asked: dict[str, Any] | None
    fingerprint: str


def load_identity(session: Session) -> Identity:
    """As it is sealed in the account. Raises TamperedError or MalformedError."""
    sealed, mk_n, account = session.ask("GET", "/v1/account")["identity"], session.keyring.mk_n, session.account
    sign_seed = open_identity(mk_n, Kind.IDENTITY_SIGN, account, sealed["sign"])
    pk_box, sk_box = derive_box(open_identity(mk_n, Kind.IDENTITY_BOX, account, sealed["box"]))
    return Identity(sign_seed, sk_box, derive_public(sign_seed), pk_box)


class Office:
    """What the account of one session is and receives as a professional."""

    def __init__(self, session: Session, professionals: Professionals) -> None:
        self._session, self._professionals = session, professionals

    def standing(self) -> Standing:
        """The account's own standing."""
        return self._standing(self._session.ask("GET", PROFESSIONAL))

    def ask_to_be_listed(self, confirmed: bytes, *, name: str, org: str, town: str, kind: str) -> Standing:
        """Asks the operator; `confirmed` is a token of that stage. The name is remembered on this device first.

        Raises Refused, or MalformedError for a text that can't be shown as it is.
        """
        session, identity = self._session, load_identity(self._session)
        listing = Listing(name, org, town, kind, identity.pk_box, identity.pk_sign)
        self._professionals.note_own(name)
        body = dump_body(endpoint("POST", PROFESSIONAL), vars(listing))
        signature = identity.sign(professional_message(session.transport.host, session.account, body))
        headers = {"Temoin-Signature": format_b64url(signature)}
        return self._standing(session.transport.ask("POST", PROFESSIONAL, body, token=confirmed, headers=headers))

    def inbox(self) -> list[dict[str, Any]]:
        """What was sent to this account and has not ended (schemas.shares.Received), the newest first.

        Raises Refused `professional_needed`.
        """
        bundles: list[dict[str, Any]] = self._session.ask("GET", INBOX)["bundles"]
        return bundles

    def open(self, bundle: bytes, resume: bytes | None = None) -> OpenedBundle:
        """Opens one of the inbox: that counts, and the person sees when. `resume`: as `open_counted`.

        Raises ItemUnknown, Refused, BundleError, and as `Identity.unwrap`.
        """
        session, found = self._session, next((one for one in self.inbox() if one["bundle"] == bundle), None)
        if found is None:
            raise ItemUnknown()
        identity = load_identity(session)
        return open_counted(
            session.transport, bundle, identity.unwrap(bundle, found["wrap"]), identity.pk_box, verify=session.verify,
            clock=session.clock, session_token=session.token, resume=resume,
        )

    def listed_otherwise(self) -> list[Professional]:
        """Whoever is listed under a name of this account with keys that aren't its own.

        Its names are those that this device remembers, those that the directory has or had with its keys, and what
        the vault says: whichever of them is left out, the others count. Raises as `Professionals.read`.
        """
        own, listed = self.standing(), self._professionals.read()
        said = own.listing or own.asked
        proven = [one.name for one in listed.ever if one.fingerprint == own.fingerprint]
        self._professionals.note_own(*proven)
        names = {fold_name(name) for name in (*listed.own, *proven, *([] if said is None else [said["name"]]))}
        return [
            one for one in listed.professionals
            if fold_name(one.listing.name) in names and one.listing.fingerprint != own.fingerprint
        ]

    def _standing(self, answer: dict[str, Any]) -> Standing:
        return Standing(**answer, fingerprint=load_identity(self._session).fingerprint)
