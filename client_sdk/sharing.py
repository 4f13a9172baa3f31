"""What a person shares: a bundle made here, for one professional or for a link and a code; then what became of it.

Knows: protocol §7 on the person's side (docs/spec/bundle.md). Refuses to know: terminals, how a seal is made, and who
has a link. A bundle's key is kept by nobody: what is shared is never changed, only ended or replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.directory import Professional, Professionals, require_same
from client_sdk.errors import Refused, ServerFault, ValueRefused
from client_sdk.manifest import name_items, stated
from client_sdk.professional import load_identity
from client_sdk.reader import Reader, sent_of
from client_sdk.session import Session
from client_sdk.transport import dump_body, endpoint
from crypto_core.encoding import parse_json
from crypto_core.errors import CryptoCoreError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.sharing import (
    derive_cap, derive_code, derive_link, format_code, format_fragment, make_bundle_key, make_code, make_link_secret,
    open_bundle_note, seal_bundle, seal_bundle_note, wrap_for_link, wrap_for_professional,
)
from schemas.bundles import VERSION, BundleNote
from schemas.limits import BUNDLE_BLOBS, KEY
from schemas.problems import PROBLEMS

BUNDLES = "/v1/bundles"
BUNDLE = "/v1/bundles/<id:bundle>"


@dataclass(frozen=True)
class Sharing:
    """What is to be shared, with whom, until when (Unix seconds); `openings` in all.

    `items` are ids and revisions; `to` is the entry of a professional, None for a link. `replaces`: the bundle that
    this one extends.
    """

    items: Sequence[tuple[bytes, int]]
    to: int | None
    expires: int
    openings: int
    message: str = field(default="", repr=False)
    replaces: bytes | None = None


@dataclass(frozen=True)
class Link:
    """What reaches a reader by two different ways."""

    fragment: str = field(repr=False)
    """`#b…`, what follows the address of the page."""
    code: str = field(repr=False)
    """`1234 5678`."""


@dataclass(frozen=True)
class MadeBundle:
    """A bundle made here and perhaps sent: the same bytes go again after a lost answer."""

    bundle: bytes
    body: bytes = field(repr=False)
    link: Link | None


@dataclass(frozen=True)
class Shared:
    """A bundle as the vault tells of it (schemas.shares.Bundle). `name` and `items` are the person's own note; `items`
    is None if it doesn't open."""

    facts: Mapping[str, Any]
    name: str | None
    items: tuple[tuple[bytes, int], ...] | None


class Shares:
    """The sharing of one session."""

    def __init__(self, session: Session, reader: Reader, professionals: Professionals) -> None:
        self._session, self._reader, self._professionals = session, reader, professionals

    def make(self, sharing: Sharing) -> MadeBundle:
        """Everything that is sent, made here. The receipt of each item is verified first.

        Raises as `name_items`, ItemUnproven for the first that has none; ValueRefused, ProKeyChanged, as
        `Professionals.read`, Refused `professional_unknown` for an entry that is not current, or Untrusted for one
        whose digits were not compared while a warning stands.
        """
        session = self._session
        reader = None if sharing.to is None else self._reader_of(sharing.to)
        named = name_items(session, self._reader, sharing.items)
        blobs = _blobs_of(one.facts for one in named.kept)
        bundle, key, identity = make_id(), make_bundle_key(), load_identity(session)
        places = [{"item": item, "revision": revision} for item, revision in sharing.items]
        manifest = named.manifest(
            bundle=bundle, created=session.clock(), expires=sharing.expires, sender=identity.pk_sign,
            reader=None if reader is None else sha256(reader.listing.pk_box).digest(), message=sharing.message,
        )
        note = stated(BundleNote(), {
            "v": VERSION, "name": None if reader is None else reader.listing.name, "items": places,
        })
        link, for_link = (None, None) if reader is not None else _link_for(bundle, key)
        body = dump_body(endpoint("POST", BUNDLES), {
            "bundle": bundle, "expires": sharing.expires, "openings": sharing.openings,
            "cap_hash": sha256(derive_cap(key, bundle)).digest(),
            "seal": seal_bundle(key, bundle, manifest, identity.sign_seed),
            "note": seal_bundle_note(session.keyring.mk_n, bundle, note), "records": places, "blobs": blobs,
            "professional": None if reader is None else {
                "entry": reader.entry, "wrap": wrap_for_professional(reader.listing.pk_box, key, bundle),
            },
            "link": for_link, "replaces": sharing.replaces,
        })
        return MadeBundle(bundle, body, link)

    def send(self, made: MadeBundle, confirmed: bytes) -> None:
        """Sends it, with a token of stage `confirmed`. Raises Refused."""
        kept = self._session.transport.ask("POST", BUNDLES, made.body, token=confirmed)
        if kept["bundle"] != made.bundle:
            raise ServerFault("an answer about another bundle")

    def list(self) -> list[Shared]:
        """All that is and was shared, the newest first, as the vault tells it."""
        return [self._noted(facts) for facts in self._session.ask("GET", BUNDLES)["bundles"]]

    def revoke(self, bundle: bytes) -> None:
        """Ends one: nobody opens it any more, and what runs of it breaks off. Again: nothing. Raises Refused."""
        self._session.ask("DELETE", BUNDLE, bundle=bundle)

    def _reader_of(self, entry: int) -> Professional:
        found = next((one for one in self._professionals.read().professionals if one.entry == entry), None)
        if found is None:
            kind = PROBLEMS["professional_unknown"]
            raise Refused("professional_unknown", kind.status, kind.sentence)
        require_same(found)
        if found.compared != "yes":  # the vault alone says whose key it is, and it was caught at something
            self._session.warnings.require_none()
        return found

    def _noted(self, facts: Mapping[str, Any]) -> Shared:
        try:
            json = parse_json(open_bundle_note(self._session.keyring.mk_n, facts["bundle"], facts["note"]))
            noted = BundleNote().load(json)
        except (CryptoCoreError, ValidationError):
            return Shared(facts, None, None)
        return Shared(facts, noted["name"], tuple((one["item"], one["revision"]) for one in noted["items"]))


def _blobs_of(said: Iterable[dict[str, Any]]) -> Sequence[bytes]:
    """Every blob that records name, each once: a depositor's words, and contents."""
    named = dict[bytes, None]()
    for facts in said:
        sent = sent_of(facts)
        named.update({} if sent is None else {sent.deposit: None})
        named.update(dict.fromkeys(content["blob"] for content in facts["contents"]))
    if len(named) > BUNDLE_BLOBS:
        raise ValueRefused("more files than one bundle holds")
    return list(named)


def _link_for(bundle: bytes, key: bytes) -> tuple[Link, dict[str, bytes]]:
    """A new link and code, and what the vault needs to let them open."""
    secret, share, code = make_link_secret(), make_bytes(KEY), make_code()
    link_key = derive_link(secret, bundle)
    wrap, x = wrap_for_link(link_key, share, bundle, key), derive_code(link_key, bundle, code)
    sent = {"wrap": wrap, "share": share, "x": x}
    return Link(format_fragment(bundle, secret), format_code(code)), sent
