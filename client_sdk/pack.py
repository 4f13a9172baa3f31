"""An evidence pack: a folder that shows what was shared, and by which anybody can check it, offline and for good.

Knows: the names of its files, and what each of them proves beside the others (docs/spec/bundle.md). Refuses to know:
the vault, and how a page looks (client_sdk.pack_page).

    index.html          what was shared, in the order in which it happened
    originals/          the files as they were before they were sealed: the working copy
    sealed/             every record and file as it was deposited, beside each its receipt: the evidentiary copy
    bundle.json, .sig   what the person signed: which records, with their keys; and the signature
    policy.txt          the key of the ledger that signed the receipts
    SHA256SUMS          of every other file, as sha256sum writes it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from client_sdk.dossier import POLICY, PROOF, SEALED
from client_sdk.errors import BundleSwapped
from client_sdk.home import make_folder, write_file
from client_sdk.items import Content
from client_sdk.opening import OpenedBundle, SharedItem, open_content
from client_sdk.pack_page import format_page
from client_sdk.replica import record_name
from crypto_core.receipts.policy import Policy, format_policy

PAGE, SUMS = "index.html", "SHA256SUMS"
MANIFEST, SIGNATURE = "bundle.json", "bundle.sig"
SEALED_FOLDER, ORIGINALS = "sealed", "originals"

_BLOCK = 1 << 20
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST = 100
"""Characters of a file's name that are kept."""


def write_pack(opened: OpenedBundle, policy: Policy, folder: Path) -> list[SharedItem]:
    """Writes all of it into a new or empty folder; gives the items that the vault did not give as they were shared.

    Raises BundleSwapped or BundleIncomplete for a file (nothing of that one is then left), Refused once the bundle has
    ended, a leaf of VerificationError for its receipt, OSError as the disk does.
    """
    sums = dict[str, str]()

    def keep(name: str, data: bytes) -> None:
        write_file(folder / name, data, lasting=False)
        sums[name] = sha256(data).hexdigest()

    make_folder(folder)
    shown = [one for one in opened.items if one.refused is None]
    for number, one in enumerate(shown, 1):
        assert one.record is not None and one.proof is not None
        name = record_name(one.item.id, one.item.revision)
        keep(f"{SEALED_FOLDER}/{name}{SEALED}", one.record)
        keep(f"{SEALED_FOLDER}/{name}{PROOF}", one.proof.receipt.encode("utf-8"))
        for place, content in enumerate(one.item.contents, 1):
            for part in content.parts or (content,):
                name = sealed_name(part)
                sums[name] = _write(folder / name, _whole(opened.sealed(part), part.sealed))
                keep(name.removesuffix(SEALED) + PROOF, opened.receipt(part).receipt.encode("utf-8"))
            name = original_name(number, place, content)
            sums[name] = _write(folder / name, _original(folder, content))
    keep(MANIFEST, opened.manifest.json)
    keep(SIGNATURE, opened.manifest.signature.hex().encode("ascii") + b"\n")
    keep(POLICY, format_policy(policy))
    rows = [
        (one.item, one.proof, [original_name(number, place, file) for place, file in enumerate(one.item.contents, 1)])
        for number, one in enumerate(shown, 1) if one.proof is not None
    ]
    keep(PAGE, format_page(opened.message, opened.created, opened.sender, rows))
    write_file(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode("utf-8"))
    return [one for one in opened.items if one.refused is not None]


def sealed_name(content: Content) -> str:
    """Where the blob of a content lies."""
    return f"{SEALED_FOLDER}/{content.blob.hex()}{SEALED}"


def original_name(number: int, place: int, content: Content) -> str:
    """Where the original of a file lies: `number` counts items, `place` the files of one, both from 1."""
    name = _UNSAFE.sub("_", content.name).strip(" .")[-_LONGEST:] or "file"
    return f"{ORIGINALS}/{number:03}-{place:02}-{name}"


def original_blocks(content: Content, sealed: Iterable[tuple[Content, Iterator[bytes]]]) -> Iterator[bytes]:
    """The original of a content from the blobs of its parts, checked as a whole in the end. Raises BundleSwapped."""
    digest = sha256()
    for part, blocks in sealed:
        for block in open_content(part, blocks):
            digest.update(block)
            yield block
    if digest.digest() != content.sha256:
        raise BundleSwapped("another hash than the record names")


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    """A file in blocks of 1 MiB."""
    while block := file.read(_BLOCK):
        yield block


def _original(folder: Path, content: Content) -> Iterator[bytes]:
    def read(part: Content) -> Iterator[bytes]:
        with (folder / sealed_name(part)).open("rb") as file:
            yield from blocks_of(file)

    return original_blocks(content, ((part, read(part)) for part in content.parts or (content,)))


def _whole(blocks: Iterator[bytes], expected: bytes) -> Iterator[bytes]:
    digest = sha256()
    for block in blocks:
        digest.update(block)
        yield block
    if digest.digest() != expected:
        raise BundleSwapped("another hash than the record names")


def _write(path: Path, blocks: Iterator[bytes]) -> str:
    """The SHA-256 of what was written, in hex; what fails leaves nothing."""
    make_folder(path.parent)
    digest, temporary = sha256(), path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()
