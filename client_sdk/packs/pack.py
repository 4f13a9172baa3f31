"""An evidence pack: it shows what was shared, and anybody can check it by itself, offline and for good.

Knows: the names of its files, and what each of them proves beside the others (docs/spec/pack.md). Refuses to know:
where they are written (client_sdk.packs.sink), and how a page looks (client_sdk.packs.page).

    index.html          what was shared, in the order in which it happened
    verify.html         a page that checks the pack in a browser, if this installation has it
    originals/          the files as they were before they were sealed: the working copy
    sealed/             every record and file as it was deposited, beside each its receipt: the evidentiary copy
    bundle.json, .sig   what the person signed: which records, with their keys; and the signature
    policy.txt          the key of the ledger that signed the receipts; all of its keys, where it had others before
    rotations           then also the records that lead from each of them to the next
    checkpoint          the newest public state of that ledger, and in
    consistency/        that the trees of the receipts are its beginning
    SHA256SUMS          of every other file, as sha256sum writes it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from client_sdk.contents import open_original
from client_sdk.dossier import POLICY, PROOF, SEALED
from client_sdk.errors import NetworkError, Refused, ServerFault, is_of_one
from client_sdk.items import Content, Item, KeptReceipt, Sent
from client_sdk.opening import SharedItem, SharedWords
from client_sdk.packs.ledger import Continuity, fetch_continuity, fetch_rotations
from client_sdk.packs.page import Page, Row, SentRow, Stamp, format_page
from client_sdk.packs.sink import PackSink
from client_sdk.replica import record_name
from client_sdk.transport import Transport
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.policy import Policy, format_policy

PAGE, VERIFIER, SUMS = "index.html", "verify.html", "SHA256SUMS"
MANIFEST, SIGNATURE = "bundle.json", "bundle.sig"
CHECKPOINT, CONSISTENCY, ROTATIONS = "checkpoint", "consistency", "rotations"
SEALED_FOLDER, ORIGINALS = "sealed", "originals"

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_LONGEST, _LONGEST_BYTES = 100, 200
"""Of a file's name that are kept: characters, and bytes of UTF-8."""


class Signed(Protocol):
    """A manifest and its signature."""

    @property
    def json(self) -> bytes:
        """As it was signed; it holds record keys."""

    @property
    def signature(self) -> bytes:
        """64 bytes."""


class Packed(Protocol):
    """What a pack is made of: an open bundle (client_sdk.opening), or what a person keeps (client_sdk.packs.own)."""

    @property
    def manifest(self) -> Signed: ...

    @property
    def items(self) -> tuple[SharedItem, ...]:
        """In the order of the manifest."""

    @property
    def left(self) -> tuple[SharedItem, ...]:
        """What the manifest doesn't name, though it should have: the vault gave no receipt of it that holds."""

    @property
    def sender(self) -> bytes:
        """Who signed, 32 bytes."""

    @property
    def created(self) -> int:
        """Unix seconds."""

    @property
    def message(self) -> str: ...

    @property
    def own(self) -> bool:
        """Whether whoever keeps it made it, for nobody in particular."""

    @property
    def transport(self) -> Transport:
        """The vault that it comes from."""

    def sealed(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, as it was deposited, and of a longer one no more than that. Raises a
        fault of this one (`is_of_one`) in the place of an end where it is another."""

    def receipt(self, content: Content) -> KeptReceipt:
        """Its receipt, verified."""


@dataclass(frozen=True)
class LackingFile:
    """A file of an item that is in a pack, while it, or what proves it, isn't."""

    item: Item
    number: int
    """Its place among the item's files, from 1."""
    error: TemoinError
    """Why: the vault doesn't give it as it was deposited, or no receipt that holds; or it was sealed otherwise than its
    record says."""
    is_there: bool
    """Whether only the receipt is missing."""


@dataclass(frozen=True)
class Written:
    """What a pack that was written lacks."""

    refused: tuple[SharedItem, ...]
    """The items that the vault did not give as they were shared, or kept."""
    lost: tuple[LackingFile, ...]
    """The files of the others that are not in it, and those without a receipt."""
    unsaid: tuple[SharedItem, ...]
    """Those that are here without the depositor's own words, or that say otherwise than these."""
    ledger: TemoinError | None
    """Why it has no checkpoint."""
    verifier: bool
    """Whether it has the page that checks it."""


def write_pack(opened: Packed, policy: Policy, sink: PackSink) -> Written:
    """Writes all of it that the vault gives as it was kept; what it doesn't keeps nothing else out.

    Raises NetworkError, Refused once the bundle has ended, OSError as the disk does.
    """
    writer, rows = _Writer(opened, sink), list[Row]()
    for number, one in enumerate(opened.items, 1):
        if one.record is not None and one.proof is not None:
            rows.append(writer.item(number, one, one.record, one.proof))
    writer.keep(MANIFEST, [opened.manifest.json])
    writer.keep(SIGNATURE, [opened.manifest.signature.hex().encode("ascii") + b"\n"])
    policy, records = fetch_rotations(opened.transport, policy)
    writer.keep(POLICY, [format_policy(policy)])
    if records:
        writer.keep(ROTATIONS, [records])
    found = _continuity(opened, policy, writer.trees)
    if isinstance(found, Continuity):
        writer.keep(CHECKPOINT, [found.note])
        for size, proof_of in found.proofs.items():
            writer.keep(consistency_name(size), [proof_of])
    verifier = _verifier()
    if verifier is not None:
        writer.keep(VERIFIER, [verifier])
    refused = (*(one for one in opened.items if one.lacking is not None), *opened.left)
    unsaid = tuple(
        one for one in opened.items
        if one.lacking is None and one.words is not None and one.words.doubt is not None
    )
    writer.keep(PAGE, [format_page(Page(
        opened.message, opened.created, opened.sender, rows, len(refused),
        found.checkpoint if isinstance(found, Continuity) else None, verifier is not None, opened.own,
    ))])
    sink.write(SUMS, [format_sums(writer.sums)])
    return Written(
        refused, tuple(writer.lost), unsaid, None if isinstance(found, Continuity) else found, verifier is not None
    )


class _Writer:
    """One pack while it is written. What the vault does not give is asked for once."""

    def __init__(self, opened: Packed, sink: PackSink) -> None:
        self._opened, self._sink = opened, sink
        self.sums, self.trees, self.lost = dict[str, str](), set[Checkpoint](), list[LackingFile]()
        self._faults = dict[str, TemoinError]()
        """By the name that is therefore missing: a blob's, or its receipt's."""

    def keep(self, name: str, blocks: Iterable[bytes]) -> None:
        self.sums[name] = self._sink.write(name, blocks)

    def item(self, number: int, one: SharedItem, record: bytes, proof: KeptReceipt) -> Row:
        """A record, its files and their receipts; gives what the page says of them."""
        item, words = one.item, one.words
        self._keep_once(record_stem(item.id, item.revision), record, proof)
        if words is not None and words.sealed is not None and words.proof is not None and item.sent is not None:
            self._keep_once(blob_stem(item.sent.deposit), words.sealed, words.proof)
        places, unproven = list[str | None](), set[bytes]()
        for at, content in enumerate(item.contents, 1):
            name = original_name(number, at, content)
            missing, unsigned = self._file(name, content)
            if missing is not None:
                self.lost.append(LackingFile(item, at, missing, False))
            elif unsigned is not None:
                self.lost.append(LackingFile(item, at, unsigned, True))
                unproven.add(content.blob)
            places.append(name if missing is None else None)
        return Row(
            item, item.deposited, proof.verified.index, proof.verified.checkpoint.origin, places,
            frozenset(item.masked), None if item.sent is None else _sent_row(item.sent, words), unproven,
        )

    def _file(self, name: str, content: Content) -> tuple[TemoinError | None, TemoinError | None]:
        """A file as it was deposited, and as it was before; why it isn't there, and why a receipt isn't."""
        parts = list(map(sealed_name, parts_of(content)))
        for part, sealed in zip(parts_of(content), parts, strict=True):
            if sealed not in self.sums and sealed not in self._faults:
                self._deposited(sealed, part)
        missing = next((self._faults[sealed] for sealed in parts if sealed in self._faults), None)
        if missing is None:
            missing = self._given(name, open_original(content, lambda part: self._sink.read(sealed_name(part))))
        return missing, next((self._faults[proof] for proof in map(proof_name, parts) if proof in self._faults), None)

    def _deposited(self, sealed: str, part: Content) -> None:
        if self._given(sealed, self._opened.sealed(part)) is None:
            try:
                self._proof(sealed, self._opened.receipt(part))
            except TemoinError as error:
                self._faults[proof_name(sealed)] = _of_one(error)

    def _given(self, name: str, blocks: Iterable[bytes]) -> TemoinError | None:
        """Keeps a file; or gives why it isn't there."""
        try:
            self.keep(name, blocks)
        except TemoinError as error:
            self._faults[name] = _of_one(error)
        return self._faults.get(name)

    def _keep_once(self, stem: str, sealed: bytes, proof: KeptReceipt) -> None:
        """A small file with its receipt; one item may be named twice, and two revisions have the same words."""
        if stem + SEALED not in self.sums:
            self.keep(stem + SEALED, [sealed])
            self._proof(stem + SEALED, proof)

    def _proof(self, sealed: str, proof: KeptReceipt) -> None:
        self.keep(proof_name(sealed), [proof.receipt.encode("utf-8")])
        self.trees.add(proof.verified.checkpoint)


def _of_one(error: TemoinError) -> TemoinError:
    """A fault of one file; what is everybody's is raised."""
    if not is_of_one(error):
        raise error
    return error


def parts_of(content: Content) -> tuple[Content, ...]:
    """The contents of which each is a blob: the segments of a recording, or the content itself."""
    return (content,) if content.parts is None else content.parts


def record_stem(item: bytes, revision: int) -> str:
    """Where the record of a revision lies, and its receipt, without their endings."""
    return f"{SEALED_FOLDER}/{record_name(item, revision)}"


def blob_stem(blob: bytes) -> str:
    """Where a blob lies, and its receipt, without their endings."""
    return f"{SEALED_FOLDER}/{blob.hex()}"


def proof_name(sealed: str) -> str:
    """Where the receipt of a sealed file lies."""
    return sealed.removesuffix(SEALED) + PROOF


def sealed_name(content: Content) -> str:
    """Where the blob of a content without parts lies."""
    return blob_stem(content.blob) + SEALED


def original_name(number: int, place: int, content: Content) -> str:
    """Where the original of a file lies: `number` counts the manifest's items, `place` the files of one, from 1."""
    name = _UNSAFE.sub("_", content.name).strip(" .")[-_LONGEST:]
    while len(name.encode("utf-8")) > _LONGEST_BYTES:
        name = name[1:]
    return f"{ORIGINALS}/{number:03}-{place:02}-{name or 'file'}"


def consistency_name(size: int) -> str:
    """Where the proof lies that the tree of `size` entries is the checkpoint's beginning."""
    return f"{CONSISTENCY}/{size}"


def format_sums(sums: dict[str, str]) -> bytes:
    """SHA256SUMS from the SHA-256 of each file, in hex."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode("utf-8")


def _continuity(opened: Packed, policy: Policy, trees: Iterable[Checkpoint]) -> Continuity | TemoinError:
    """What there is of the ledger, or why there is nothing: a pack is written either way."""
    try:
        return fetch_continuity(opened.transport, policy, trees)
    except (NetworkError, ServerFault, Refused, CryptoCoreError) as error:
        return error


def _verifier() -> bytes | None:
    page = files("client_sdk").joinpath("verifier", VERIFIER)
    return page.read_bytes() if page.is_file() else None


def _sent_row(sent: Sent, words: SharedWords | None) -> SentRow:
    """A depositor's own words; where the pack doesn't have them, as the item repeats them."""
    if words is None or words.said is None or words.proof is None:
        return SentRow(sent.name, sent.message, sent.written, None, "words_missing", frozenset())
    said, verified = words.said, words.proof.verified
    return SentRow(
        said["name"], said["message"], said["written"],
        Stamp(verified.claimed_time, verified.index, verified.checkpoint.origin),
        None if words.doubt is None else "words_differ", frozenset(one["blob"] for one in said["contents"]),
    )
