"""Opens what somebody shared, with a link and a code or with a bundle's key, until its end.

Knows: what a reader checks, and in which order (docs/spec/bundle.md). Refuses to know: whose account it is, and what
becomes of what was read. Nothing is written anywhere: all of it goes with the object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.contents import bounded, checked, sealed_content_size
from client_sdk.errors import BlobSwapped, BundleIncomplete, BundleSwapped, Refused, TrustError, SentDiffers
from client_sdk.items import Content, Item, KeptReceipt
from client_sdk.reader import closed, opened, parse_record
from client_sdk.replica import Row, record_name
from client_sdk.sent_words import open_words, require_repeated
from client_sdk.transport import Transport
from crypto_core.encoding import is_number, parse_json
from crypto_core.errors import (
    CryptoCoreError, MalformedError, TemoinError, UnsupportedVersion, VerificationError,
)
from crypto_core.randomness import make_id
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt, verify_receipt
from crypto_core.sealing.records import open_record
from crypto_core.sealing.sharing import (
    OpenedManifest, derive_cap, derive_code, derive_link, open_bundle, parse_code, parse_fragment, unwrap_for_link,
)
from schemas.bundles import VERSION, WITH_WORDS, Manifest
from schemas.limits import DEPOSIT as LARGEST_WORDS
from schemas.limits import RECORD as LARGEST_RECORD

LINK = "/v1/links/<id:bundle>"
OPEN = "/v1/bundles/<id:bundle>/open"
RECORD = "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>"
RECORD_RECEIPT = "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt"
BLOB = "/v1/bundles/<id:bundle>/blobs/<id:blob>"
BLOB_RECEIPT = "/v1/bundles/<id:bundle>/blobs/<id:blob>/receipt"

Verify = Callable[[str, bytes, int], VerifiedReceipt]
"""(receipt, SHA-256 of the blob, its size) → what is proven. Raises a leaf of VerificationError or TrustError."""


@dataclass(frozen=True)
class SharedWords:
    """The own words of whoever put an item into a box, as they were sealed, with the receipt of that moment.

    `said` (schemas.deposits.Deposit) and `sealed` are None where the vault doesn't give them as the item names them,
    `proof` where no receipt holds. `doubt` is why, or that the item says otherwise.
    """

    said: Mapping[str, Any] | None = field(default=None, repr=False)
    sealed: bytes | None = field(default=None, repr=False)
    proof: KeptReceipt | None = None
    doubt: TemoinError | None = None


@dataclass(frozen=True)
class SharedItem:
    """One item of what was shared, with the sealed bytes of its record and their receipt, or why it isn't there.

    Where the receipt doesn't hold, `proof` is None and `doubt` says why; what was written is read all the same, and
    `item.deposited` is then 0. `words` are None where nobody else put it in, and where they weren't shared with it.
    """

    item: Item
    """Says nothing but its id and revision where it was refused."""
    record: bytes | None = field(default=None, repr=False)
    proof: KeptReceipt | None = None
    refused: TemoinError | None = None
    doubt: TemoinError | None = None
    words: SharedWords | None = None

    @property
    def lacking(self) -> TemoinError | None:
        """Why it is no evidence: not given, or without a receipt that holds."""
        return self.refused or self.doubt


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle that is open: proven to be the one asked for, for this reader, signed, and not over."""

    bundle: bytes
    sender: bytes
    """Ed25519, 32 bytes: the same in all that this person shares, and nobody's name."""
    created: int
    """Unix seconds, by the clock of whoever shared it."""
    expires: int
    message: str = field(repr=False)
    items: tuple[SharedItem, ...] = field(repr=False)
    manifest: OpenedManifest = field(repr=False)
    _asking: _Asking = field(repr=False)

    @property
    def left(self) -> tuple[SharedItem, ...]:
        """None: what was shared is what the manifest names."""
        return ()

    @property
    def own(self) -> bool:
        """It is somebody else's."""
        return False

    @property
    def transport(self) -> Transport:
        """The vault that it came from."""
        return self._asking.transport

    def sealed(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, as it was deposited.

        Raises in the place of an end BundleSwapped where it is another, or ContentBroken as `checked`;
        BundleIncomplete, or Refused `bundle_over` or `opening_over` once it has ended.
        """
        try:
            yield from checked(content, self._asking.read(BLOB, blob=content.blob))
        except BlobSwapped as error:
            raise BundleSwapped(error.detail) from None

    def receipt(self, content: Content) -> KeptReceipt:
        """The receipt of a content. Raises VerificationError, TrustError, BundleIncomplete, or Refused."""
        size = sealed_content_size(content.size)
        return self._asking.receipt(BLOB_RECEIPT, content.blob.hex(), content.sealed, size, blob=content.blob)


def open_link(
    transport: Transport, fragment: str, code: str, *, verify: Verify, clock: Callable[[], int],
    resume: bytes | None = None,
) -> OpenedBundle:
    """Opens with what follows a link's address and its code. Each call spends a try.

    Raises LinkMalformed, SecretRefused, Refused (`code_wrong` with `extra["left"]`, `bundle_over`, …), TamperedError,
    and as `open_counted`.
    """
    bundle, secret = parse_fragment(fragment)
    link_key = derive_link(secret, bundle)
    answer = transport.ask("POST", LINK, {"x": derive_code(link_key, bundle, parse_code(code))}, bundle=bundle)
    key = unwrap_for_link(link_key, answer["share"], bundle, answer["wrap"])
    return open_counted(transport, bundle, key, None, verify=verify, clock=clock, resume=resume)


def open_counted(
    transport: Transport, bundle: bytes, key: bytes, reader: bytes | None, *, verify: Verify, clock: Callable[[], int],
    session_token: bytes | None = None, resume: bytes | None = None,
) -> OpenedBundle:
    """Opens what a bundle's key (32 bytes) opens, and reads every record. That counts, and the person sees when.

    `reader` is the reader's own pk_box, None by a link; a professional's session goes with the request. `resume` is the
    id of an opening (16 bytes) that may have been counted already: within its hour it isn't counted again.
    Raises Refused (`bundle_over`, `openings_used`, …), NetworkError, TamperedError, MalformedError, UnsupportedVersion,
    BundleError.
    """
    def ask(opening: bytes) -> dict[str, Any]:  # sent again after a lost answer, it is one
        body = {"cap": derive_cap(key, bundle), "opening": opening}
        return transport.ask("POST", OPEN, body, token=session_token, bundle=bundle)

    try:
        answer = ask(resume or make_id())
    except Refused as refusal:
        if resume is None or refusal.code != "id_taken":
            raise
        answer = ask(make_id())  # its hour is over
    proven = open_bundle(key, bundle, answer["seal"], reader=reader, now=clock())
    manifest = parse_manifest(proven.json)
    asking = _Asking(transport, bundle, answer["token"], verify)
    items = tuple(map(asking.item, manifest["items"]))
    return OpenedBundle(
        bundle, proven.sender, manifest["created"], proven.expires, manifest["message"], items, proven, asking
    )


def verify_under(policy: Policy) -> Verify:
    """How receipts are proven by whoever has no account: under a policy alone."""
    def verify(receipt: str, digest: bytes, size: int) -> VerifiedReceipt:
        return verify_receipt(receipt.encode("utf-8"), sha256=digest, size=size, policy=policy)

    return verify


def parse_manifest(json: bytes) -> dict[str, Any]:
    """A manifest's fields. Raises MalformedError, or UnsupportedVersion for another `v`."""
    value = parse_json(json)
    if isinstance(value, dict) and not is_number(value.get("v"), VERSION, WITH_WORDS):
        raise UnsupportedVersion()
    try:
        facts: dict[str, Any] = Manifest().load(value)
    except ValidationError:
        raise MalformedError("a manifest that its schema does not allow") from None
    return facts


@dataclass(frozen=True)
class _Asking:
    """Asks for what one bundle names, with the token of one opening."""

    transport: Transport
    bundle: bytes
    token: bytes = field(repr=False)
    verify: Verify

    def read(self, path: str, **places: bytes | int) -> Iterator[bytes]:
        try:
            yield from self.transport.read(path, 0, None, token=self.token, bundle=self.bundle, **places)
        except Refused as refusal:
            if refusal.code == "not_found":
                raise BundleIncomplete() from None
            raise

    def receipt(self, path: str, name: str, digest: bytes, size: int, **places: bytes | int) -> KeptReceipt:
        try:
            answer = self.transport.ask(
                "GET", path, None, token=self.token, headers=None, query=None, bundle=self.bundle, **places
            )
        except Refused as refusal:
            if refusal.code == "not_found":
                raise BundleIncomplete() from None
            raise
        return KeptReceipt(name, answer["receipt"], self.verify(answer["receipt"], digest, size))

    def item(self, named: dict[str, Any]) -> SharedItem:
        """An item as it is shown, whatever the vault gives in its place."""
        item, revision = named["item"], named["revision"]
        row = Row(0, item, revision, 0, None, b"", None, (), None, False, 0)
        name, places = record_name(item, revision), {"item": item, "revision": revision}
        digest, size, index = named["record"], named["size"], named["index"]
        try:
            record = self._small(LARGEST_RECORD, RECORD, **places)
            if len(record) != size or sha256(record).digest() != digest:
                raise BundleSwapped("another record than was shared")
            facts = parse_record(open_record(named["key"], item, revision, record))
            proof, doubt = self._proof(index, RECORD_RECEIPT, name, digest, size, **places)
        except UnsupportedVersion as error:
            return SharedItem(closed(row, "newer_version", False), refused=error)
        except (BundleIncomplete, BundleSwapped, CryptoCoreError) as error:
            return SharedItem(closed(row, "missing", False), refused=error)
        deposited = 0 if proof is None else proof.verified.commitment.time
        shown = opened(replace(row, deposited=deposited), False, facts)
        return SharedItem(shown, record, proof, doubt=doubt, words=self._words(shown, named.get("words")))

    def _words(self, item: Item, index: int | None) -> SharedWords | None:
        """Somebody's own words beside the item that repeats them; a fault of theirs keeps nothing from a reader."""
        sent = item.sent
        if sent is None or index is None:
            return None
        try:
            sealed = self._small(LARGEST_WORDS, BLOB, blob=sent.deposit)
            said = open_words(sent, sealed)
        except (BundleIncomplete, BundleSwapped, CryptoCoreError) as error:
            return SharedWords(doubt=error)
        name = sent.deposit.hex()
        proof, doubt = self._proof(index, BLOB_RECEIPT, name, sent.sealed, sent.size, blob=sent.deposit)
        try:
            require_repeated(item, said)
        except SentDiffers as error:
            doubt = error
        return SharedWords(said, sealed, proof, doubt)

    def _small(self, most: int, path: str, **places: bytes | int) -> bytes:
        """A record or words, no more than `bounded` lets by."""
        return b"".join(bounded(self.read(path, **places), most))

    def _proof(
        self, index: int, path: str, name: str, digest: bytes, size: int, **places: bytes | int
    ) -> tuple[KeptReceipt | None, TemoinError | None]:
        """The receipt of one deposit, or why there is none that holds."""
        try:
            proof = self.receipt(path, name, digest, size, **places)
            if proof.verified.index != index:
                raise BundleSwapped("the receipt of another deposit")
        except (VerificationError, TrustError, BundleIncomplete, BundleSwapped) as error:
            return None, error
        return proof, None
