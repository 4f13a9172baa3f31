"""A pack of one's own: what a person keeps, signed as if it were shared, and sent to nobody.

Knows: which files and receipts belong to what is kept, and that a pack holds so many items. Refuses to know: where it
is written. Whoever has it has all that stands in it: its manifest holds the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from client_sdk.errors import SentDiffers, is_of_one
from client_sdk.items import Content, Item, KeptReceipt
from client_sdk.manifest import Kept, name_items
from client_sdk.opening import SharedItem, SharedWords
from client_sdk.professional import load_identity
from client_sdk.reader import Reader, opened
from client_sdk.receipts import content_place, words_place
from client_sdk.sent_words import open_words, require_repeated
from client_sdk.session import Session
from client_sdk.transport import Transport
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.randomness import make_id
from crypto_core.sealing.sharing import sign_manifest
from schemas.limits import BUNDLE_RECORDS as MOST_ITEMS

__all__ = ["MOST_ITEMS", "OwnManifest", "OwnPack", "make_pack"]


@dataclass(frozen=True)
class OwnManifest:
    """A manifest that this person signed, and gave to nobody. `json` holds record keys; `signature` has 64 bytes."""

    json: bytes = field(repr=False)
    signature: bytes


@dataclass(frozen=True)
class OwnPack:
    """What `write_pack` makes a pack of. It reads for as long as the session is open."""

    manifest: OwnManifest
    items: tuple[SharedItem, ...] = field(repr=False)
    left: tuple[SharedItem, ...] = field(repr=False)
    """Those of which the vault gave no receipt that holds, each with why."""
    sender: bytes
    """The person's Ed25519 key, 32 bytes: the same in all that they share."""
    created: int
    """Unix seconds, by this device's clock."""
    _reader: Reader = field(repr=False)
    _session: Session = field(repr=False)

    @property
    def message(self) -> str:
        """None: nobody in particular is spoken to."""
        return ""

    @property
    def own(self) -> bool:
        """It is."""
        return True

    @property
    def transport(self) -> Transport:
        """The vault that keeps it."""
        return self._session.transport

    def sealed(self, content: Content) -> Iterator[bytes]:
        """The blob of a content, as it was deposited. Other bytes leave a warning behind. Raises BlobSwapped, or
        Refused `not_found` or `unavailable` where the vault has lost it."""
        return self._reader.sealed_content(content)

    def receipt(self, content: Content) -> KeptReceipt:
        """Its receipt. Raises VerificationError, TrustError, or Refused."""
        return self._reader.receipts.at(content_place(content))


def make_pack(session: Session, reader: Reader, items: Sequence[tuple[bytes, int]]) -> OwnPack:
    """Of these revisions, at most MOST_ITEMS, in this order. The receipt of each is verified first; its files come when
    the pack is written. One without a receipt that holds is left out.

    Raises ItemUnknown, NeedsPin, UnsupportedVersion, TamperedError, ValueRefused for none or too many, or, if no item
    has a receipt that holds, why the first has none.
    """
    named, identity, created = name_items(session, reader, items, leave=True), load_identity(session), session.clock()
    json = named.manifest(
        bundle=make_id(), created=created, expires=created, sender=identity.pk_sign, reader=None, message="",
    )
    kept = tuple(_item(reader, one) for one in named.kept)
    left = tuple(SharedItem(opened(one.row, False, one.facts), refused=one.error) for one in named.left)
    manifest = OwnManifest(json, sign_manifest(json, identity.sign_seed))
    return OwnPack(manifest, kept, left, identity.pk_sign, created, reader, session)


def _item(reader: Reader, kept: Kept) -> SharedItem:
    row = replace(kept.row, deposited=kept.proof.verified.claimed_time)
    shown = opened(row, False, kept.facts)
    return SharedItem(shown, row.record, kept.proof, words=_words(reader, shown))


def _words(reader: Reader, item: Item) -> SharedWords | None:
    """The own words of whoever put it in, as the vault gives them; a fault of theirs keeps nothing back."""
    sent = item.sent
    if sent is None:
        return None
    try:
        sealed = b"".join(reader.sealed_words(sent))
        words = SharedWords(said := open_words(sent, sealed), sealed, reader.receipts.at(words_place(sent)))
    except TemoinError as error:
        if isinstance(error, CryptoCoreError) or is_of_one(error):
            return SharedWords(doubt=error)
        raise
    try:
        require_repeated(item, said)
    except SentDiffers as error:
        return replace(words, doubt=error)
    return words
