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
from hashlib import sha256
from importlib.resources import files
from typing import Protocol

from client_sdk.dossier import POLICY, PROOF, SEALED
from client_sdk.errors import BundleSwapped, NetworkError, Refused, ServerFault
from client_sdk.items import Content, Item, KeptReceipt, Sent
from client_sdk.opening import SharedItem, SharedWords, open_content
from client_sdk.packs.ledger import Continuity, fetch_continuity, fetch_rotations
from client_sdk.packs.page import Page, Row, SentRow, Stamp, format_page
from client_sdk.packs.sink import PackSink
from client_sdk.replica import record_name
from client_sdk.transport import Transport
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.policy import Policy, format_policy
from crypto_core.receipts.receipt import VerifiedReceipt

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
        """The blob of a content, as it was deposited."""

    def receipt(self, content: Content) -> KeptReceipt:
        """Its receipt, verified."""


@dataclass(frozen=True)
class Written:
    """What a pack that was written lacks."""

    refused: tuple[SharedItem, ...]
    """The items that the vault did not give as they were shared."""
    unsaid: tuple[SharedItem, ...]
    """Those that are here without the depositor's own words, or that say otherwise than these."""
    ledger: TemoinError | None
    """Why it has no checkpoint."""
    verifier: bool
    """Whether it has the page that checks it."""


def write_pack(opened: Packed, policy: Policy, sink: PackSink) -> Written:
    """Writes all of it.

    Raises BundleSwapped or BundleIncomplete for a file (nothing of that one is then left), Refused once the bundle has
    ended, a leaf of VerificationError for its receipt, OSError as the disk does.
    """
    sums, trees, rows = dict[str, str](), set[Checkpoint](), list[Row]()

    def keep(name: str, blocks: Iterable[bytes]) -> None:
        sums[name] = sink.write(name, blocks)

    def keep_once(stem: str, sealed: bytes, proof: KeptReceipt) -> None:
        """A small file with its receipt; one item may be named twice, and two revisions have the same words."""
        if stem + SEALED not in sums:
            keep(stem + SEALED, [sealed])
            keep(stem + PROOF, [proof.receipt.encode("utf-8")])
            trees.add(proof.verified.checkpoint)

    for number, one in enumerate(opened.items, 1):
        if one.record is None or one.proof is None:
            continue
        keep_once(record_stem(one.item.id, one.item.revision), one.record, one.proof)
        words = one.words
        if words is not None and words.sealed is not None and words.proof is not None and one.item.sent is not None:
            keep_once(blob_stem(one.item.sent.deposit), words.sealed, words.proof)
        places = [original_name(number, place, content) for place, content in enumerate(one.item.contents, 1)]
        for place, content in zip(places, one.item.contents, strict=True):
            for part in parts_of(content):
                name = sealed_name(part)
                if name not in sums:
                    keep(name, _whole(opened.sealed(part), part.sealed))
                    proof = opened.receipt(part)
                    keep(name.removesuffix(SEALED) + PROOF, [proof.receipt.encode("utf-8")])
                    trees.add(proof.verified.checkpoint)
            keep(place, original_blocks(content, ((part, sink.read(sealed_name(part))) for part in parts_of(content))))
        rows.append(_row(one.item, one.proof.verified, places, words))
    keep(MANIFEST, [opened.manifest.json])
    keep(SIGNATURE, [opened.manifest.signature.hex().encode("ascii") + b"\n"])
    policy, records = fetch_rotations(opened.transport, policy)
    keep(POLICY, [format_policy(policy)])
    if records:
        keep(ROTATIONS, [records])
    found = _continuity(opened, policy, trees)
    if isinstance(found, Continuity):
        keep(CHECKPOINT, [found.note])
        for size, proof_of in found.proofs.items():
            keep(consistency_name(size), [proof_of])
    verifier = _verifier()
    if verifier is not None:
        keep(VERIFIER, [verifier])
    refused = tuple(one for one in opened.items if one.lacking is not None)
    unsaid = tuple(
        one for one in opened.items
        if one.lacking is None and one.words is not None and one.words.doubt is not None
    )
    keep(PAGE, [format_page(Page(
        opened.message, opened.created, opened.sender, rows, len(refused),
        found.checkpoint if isinstance(found, Continuity) else None, verifier is not None, opened.own,
    ))])
    sink.write(SUMS, [format_sums(sums)])
    return Written(refused, unsaid, None if isinstance(found, Continuity) else found, verifier is not None)


def parts_of(content: Content) -> tuple[Content, ...]:
    """The contents of which each is a blob: the segments of a recording, or the content itself."""
    return (content,) if content.parts is None else content.parts


def record_stem(item: bytes, revision: int) -> str:
    """Where the record of a revision lies, and its receipt, without their endings."""
    return f"{SEALED_FOLDER}/{record_name(item, revision)}"


def blob_stem(blob: bytes) -> str:
    """Where a blob lies, and its receipt, without their endings."""
    return f"{SEALED_FOLDER}/{blob.hex()}"


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


def original_blocks(content: Content, sealed: Iterable[tuple[Content, Iterator[bytes]]]) -> Iterator[bytes]:
    """The original of a content from the blobs of its parts, checked as a whole in the end. Raises BundleSwapped."""
    digest = sha256()
    for part, blocks in sealed:
        for block in open_content(part, blocks):
            digest.update(block)
            yield block
    if digest.digest() != content.sha256:
        raise BundleSwapped("another hash than the record names")


def _continuity(opened: Packed, policy: Policy, trees: Iterable[Checkpoint]) -> Continuity | TemoinError:
    """What there is of the ledger, or why there is nothing: a pack is written either way."""
    try:
        return fetch_continuity(opened.transport, policy, trees)
    except (NetworkError, ServerFault, Refused, CryptoCoreError) as error:
        return error


def _verifier() -> bytes | None:
    page = files("client_sdk").joinpath("verifier", VERIFIER)
    return page.read_bytes() if page.is_file() else None


def _row(item: Item, verified: VerifiedReceipt, places: list[str], words: SharedWords | None) -> Row:
    return Row(
        item, item.deposited, verified.index, verified.checkpoint.origin, places, frozenset(item.masked),
        None if item.sent is None else _sent_row(item.sent, words),
    )


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


def _whole(blocks: Iterator[bytes], expected: bytes) -> Iterator[bytes]:
    digest = sha256()
    for block in blocks:
        digest.update(block)
        yield block
    if digest.digest() != expected:
        raise BundleSwapped("another hash than the record names")
