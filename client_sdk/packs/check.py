"""Checks an evidence pack, offline: every file is accounted for, and every one at fault is named.

Knows: the steps of docs/spec/pack.md, and what holds which file. Refuses to know: where the files lie
(client_sdk.packs.source), the network, and any person's own keys: those that open the records stand in the pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from client_sdk.contents import open_content, sealed_content_size
from client_sdk.dossier import POLICY, PROOF, SEALED
from client_sdk.errors import BlobSwapped, BundleSwapped, ContentBroken, ContentDiffers, SentDiffers
from client_sdk.items import Content, Item
from client_sdk.opening import parse_manifest
from client_sdk.packs.pack import (
    CHECKPOINT, CONSISTENCY, MANIFEST, PAGE, ROTATIONS, SEALED_FOLDER, SIGNATURE, SUMS, VERIFIER, blob_stem,
    consistency_name, original_name, parts_of, proof_name, record_stem, sealed_name,
)
from client_sdk.packs.errors import PackChanged, PackExtra, PackIncomplete, PackMalformed, PackMissing, PackOther
from client_sdk.packs.ledger import require_same, verify_beginning
from client_sdk.packs.source import MOST_FILES, PackSource
from client_sdk.progress import NO_PROGRESS, Progress
from client_sdk.reader import opened, parse_record
from client_sdk.replica import Row
from client_sdk.sent_words import open_words, require_repeated
from crypto_core.encoding import HASH_SIZE, parse_hex
from crypto_core.errors import (
    CryptoCoreError, MalformedError, RotationBroken, TemoinError, UnsupportedVersion, VerificationError,
)
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.note import MAX_NOTE_SIZE, format_vkey
from crypto_core.receipts.policy import MAX_POLICY_SIZE, Policy, parse_policy
from crypto_core.receipts.receipt import MAX_RECEIPT_SIZE, VerifiedReceipt, verify_receipt
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE, RotationChain, open_rotations, rotate_policy
from crypto_core.receipts.signatures import SIGNATURE_SIZE
from crypto_core.receipts.submission import MAX_SUBMISSION_SIZE
from crypto_core.receipts.witnessed import open_checkpoint
from crypto_core.sealing.records import open_record
from crypto_core.sealing.sharing import BundleSignature, verify_manifest
from schemas.limits import DEPOSIT as LARGEST_WORDS
from schemas.limits import RECORD as LARGEST_RECORD

_LARGEST_SUMS = MOST_FILES * 320
"""Bytes; a pack's own names have at most 220."""
_LARGEST_MANIFEST = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")


@dataclass(frozen=True)
class Finding:
    """A file at fault, and what is wrong with it."""

    name: str
    error: TemoinError


@dataclass(frozen=True)
class PackReport:
    """What a pack proves, and every file that it doesn't hold for. Only `check_pack` makes one."""

    findings: tuple[Finding, ...]
    items: int
    """How many the manifest names."""
    proven: int
    """How many of them are whole: record, files and originals as they were signed, each with a receipt."""
    sender: bytes | None
    """The key that signed the manifest, 32 bytes; None if nobody is proven to have."""
    keys: tuple[str, ...]
    """The ledgers' keys of the pack's own policy, as vkeys: to compare."""
    receipts: Mapping[str, VerifiedReceipt] = field(repr=False)
    """By the name of the sealed file."""
    checkpoint: Checkpoint | None
    """The state of the ledger that the pack's own receipts are proven to lead to."""
    beyond: int
    """How many receipts stand under a larger tree than that."""

    @property
    def outcome(self) -> Literal["valid", "invalid", "not_yet"]:
        """`not_yet`: nothing is wrong, but a key, a cosignature, an item or a newer program is missing."""
        if not self.findings:
            return "valid"
        return "not_yet" if all(_is_open(one.error) for one in self.findings) else "invalid"


def check_pack(
    source: PackSource, policy: Policy | None = None, progress: Progress = NO_PROGRESS,
    known: RotationChain = RotationChain(),
) -> PackReport:
    """Takes all the steps, whatever the pack holds. Without a `policy` the receipts are checked under the pack's own,
    which says no more than that they belong to one ledger. `known` are records of its keys that came from elsewhere:
    those of the pack must tell the same."""
    return _Checking(source, policy, progress, known).report()


class _Checking:
    """One pack. Each step leaves what it found to those after it."""

    def __init__(
        self, source: PackSource, policy: Policy | None, progress: Progress, known: RotationChain
    ) -> None:
        self._source, self._progress = source, progress
        self._found = list[Finding]()
        self._is = dict[str, bytes]()
        """The SHA-256 of each file that can be read."""
        self._changed, self._proven = set[str](), set[str]()
        self._needed = {PAGE, VERIFIER, MANIFEST, SIGNATURE, POLICY, ROTATIONS, SUMS}
        self._all_read = True
        """Whether it is known what all the files are for."""
        self._receipts = dict[str, VerifiedReceipt]()
        self._at: Checkpoint | None = None
        self._beyond = 0
        self._listed = self._hash_all()
        self._own = self._read_policy()
        self._policy = self._trusted(policy, known)

    def report(self) -> PackReport:
        self._check_receipts()
        manifest = self._read_manifest()
        items = manifest["items"] if manifest is not None else []
        whole = sum(self._check_item(number, named) for number, named in enumerate(items, 1))
        self._check_ledger()
        self._account()
        seen, findings = set[tuple[str, str]](), list[Finding]()
        for one in self._found:
            if (one.name, one.error.code) not in seen:
                findings.append(one)
            seen.add((one.name, one.error.code))
        keys = tuple(format_vkey(log.key) for log in self._own.logs) if self._own is not None else ()
        sender = manifest["sender"] if manifest is not None and SIGNATURE in self._proven else None
        return PackReport(
            tuple(sorted(findings, key=lambda one: one.name)), len(items), whole, sender, keys, self._receipts,
            self._at, self._beyond,
        )

    # 1  sums

    def _hash_all(self) -> dict[str, bytes] | None:
        """What the sums say, None if they can't be read; each file hashed and compared."""
        for name, reason in self._source.odd.items():
            self._say(name, PackExtra(reason))
        for name in self._source.names:
            digest = sha256()
            try:
                for block in self._shown(name):
                    digest.update(block)
            except PackMalformed as error:
                self._say(name, error)
            else:
                self._is[name] = digest.digest()
        listed = self._read_sums()
        for name, digest_said in (listed or {}).items():
            if name not in self._source.names and name not in self._source.odd:
                self._say(name, PackMissing())
            elif self._is.get(name, digest_said) != digest_said:
                self._changed.add(name)
        return listed

    def _read_sums(self) -> dict[str, bytes] | None:
        data = self._small(SUMS, _LARGEST_SUMS)
        if data is None:
            return None
        listed = dict[str, bytes]()
        try:
            *lines, rest = data.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            lines, rest = [], "not UTF-8"
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None or match[2] in listed or match[2] == SUMS:
                rest = "not a sum of another file"
            else:
                listed[match[2]] = parse_hex(match[1], HASH_SIZE)
        if rest:
            self._say(SUMS, PackMalformed(rest))
            return None
        return listed

    # 2  receipts

    def _read_policy(self) -> Policy | None:
        data = self._small(POLICY, MAX_POLICY_SIZE)
        if data is None or POLICY in self._changed:
            return None
        try:
            return parse_policy(data)
        except (MalformedError, UnsupportedVersion) as error:
            self._say(POLICY, PackMalformed(error.code))
            return None

    def _trusted(self, given: Policy | None, known: RotationChain) -> Policy | None:
        """Whom the receipts are checked under: the given policy, or the pack's own, in every key that the pack's
        records lead to from there. A given one that they don't lead from stays as it was; the receipts then tell."""
        chain = self._read_rotations(known)
        if chain is None:
            return given or self._own
        own = self._own
        try:
            own = own and rotate_policy(own, chain)
        except RotationBroken as error:
            self._say(ROTATIONS, error)
        try:
            return own if given is None else rotate_policy(given, chain)
        except RotationBroken:
            return given

    def _read_rotations(self, known: RotationChain) -> RotationChain | None:
        if ROTATIONS not in self._source.names or ROTATIONS in self._changed:
            return None
        data = self._small(ROTATIONS, MAX_ROTATIONS_SIZE)
        if data is None:
            return None
        try:
            chain = open_rotations(data)
            with suppress(RotationBroken):  # another ledger's are no contradiction
                known.joined(chain)
            return chain
        except CryptoCoreError as error:
            self._say(ROTATIONS, PackMalformed(error.detail) if isinstance(error, MalformedError) else error)
            return None

    def _check_receipts(self) -> None:
        for name in self._is:
            if not (name.startswith(f"{SEALED_FOLDER}/") and name.endswith(SEALED)):
                continue
            proof = proof_name(name)
            if not self._is_here(proof) or self._policy is None or self._changed & {name, proof}:
                continue
            data = self._small(proof, MAX_RECEIPT_SIZE)
            if data is None:
                continue
            try:
                self._receipts[name] = verify_receipt(
                    data, sha256=self._is[name], size=self._source.names[name], policy=self._policy
                )
            except VerificationError as error:
                self._say(proof, error)

    # 3  signature, and what it names

    def _read_manifest(self) -> dict[str, Any] | None:
        json, signed = self._small(MANIFEST, _LARGEST_MANIFEST), self._small(SIGNATURE, 2 * SIGNATURE_SIZE + 1)
        facts, signature = None, None
        if json is not None:
            try:
                facts = parse_manifest(json)
            except CryptoCoreError as error:
                self._say(MANIFEST, error if isinstance(error, UnsupportedVersion) else PackMalformed(error.detail))
        if signed is not None:
            try:
                signature = _parse_signature(signed)
            except MalformedError as error:
                self._say(SIGNATURE, PackMalformed(error.detail))
        if json is not None and facts is not None and signature is not None:
            try:
                verify_manifest(json, facts["sender"], signature)
                self._proven |= {MANIFEST, SIGNATURE}
            except BundleSignature as error:
                self._say(SIGNATURE if MANIFEST not in self._changed else MANIFEST, error)
        if MANIFEST in self._changed - self._proven:
            facts = None
        self._all_read = self._all_read and facts is not None
        return facts

    # 4  contents

    def _check_item(self, number: int, named: dict[str, Any]) -> bool:
        row = Row(0, named["item"], named["revision"], 0, None, b"", None, (), None, False, 0)
        stem = record_stem(row.item, row.revision)
        name, proof = stem + SEALED, stem + PROOF
        if not self._is_known(name, proof):
            return False
        item = self._read_item(row, name, named)
        has_receipt = self._has_receipt(name, named["index"])
        if item is None:
            self._all_read = False
            return False
        contents = [
            self._check_content(content, original_name(number, place, content))
            for place, content in enumerate(item.contents, 1)
        ]
        has_words = self._check_words(item, named.get("words"), name)
        return all(contents) and has_receipt and has_words

    def _is_known(self, name: str, proof: str) -> bool:
        """Whether the pack knows of a sealed file that was signed; if not, it is said."""
        if not {name, proof} & (self._source.names.keys() | (self._listed or {}).keys()):
            self._say(name, PackIncomplete())
            return False
        self._needed |= {name, proof}
        return True

    def _has_receipt(self, name: str, index: int) -> bool:
        """Whether there is the receipt of one deposit; another's is said."""
        receipt = self._receipts.get(name)
        if receipt is not None and receipt.index != index:
            self._say(proof_name(name), PackOther("the receipt of another deposit"))
            return False
        return receipt is not None

    def _check_words(self, item: Item, index: int | None, record: str) -> bool:
        """Somebody's own words, if they were shared with what they put in."""
        sent = item.sent
        if sent is None or index is None:
            return True
        name = blob_stem(sent.deposit) + SEALED
        if not self._is_known(name, proof_name(name)) or not self._is_it(name, sent.sealed, sent.size):
            return False
        has_receipt, sealed = self._has_receipt(name, index), self._small(name, LARGEST_WORDS)
        if sealed is None:
            return False
        try:
            require_repeated(item, open_words(sent, sealed))
        except SentDiffers as error:
            self._say(record, error)
            return False
        except (BundleSwapped, CryptoCoreError) as error:
            self._say(name, error)
            return False
        return has_receipt

    def _read_item(self, row: Row, name: str, named: dict[str, Any]) -> Item | None:
        if not self._is_it(name, named["record"], named["size"]):
            return None
        record = self._small(name, LARGEST_RECORD)
        if record is None:
            return None
        try:
            return opened(row, False, parse_record(open_record(named["key"], row.item, row.revision, record)))
        except CryptoCoreError as error:
            self._say(name, error)
            return None

    def _check_content(self, content: Content, place: str) -> bool:
        self._needed |= {place}
        whole, parts, last = sha256(), True, place
        for part in parts_of(content):
            last = sealed_name(part)
            self._needed |= {last, proof_name(last)}
            found = self._is_it(last, part.sealed, sealed_content_size(part.size))
            if not found:
                parts = False
                continue
            try:
                for block in open_content(part, self._shown(last)):
                    whole.update(block)
            except (BlobSwapped, ContentBroken, ContentDiffers, PackMalformed) as error:
                self._say(last, PackOther(error.detail))
                parts = False
            parts = parts and last in self._receipts
        if parts and whole.digest() != content.sha256:
            self._say(last, PackOther("another original than the record names"))
            parts = False
        return self._is_it(place, content.sha256, content.size) and parts

    def _is_it(self, name: str, digest: bytes, size: int) -> bool:
        """Whether a file is what was signed; if not, it is said."""
        if not self._is_here(name):
            return False
        if self._is.get(name) != digest or self._source.names[name] != size:
            self._say(name, PackOther("another SHA-256 or size"))
            return False
        self._proven.add(name)
        return True

    def _is_here(self, name: str) -> bool:
        """Whether a file is there that a record names; if not, it is said whether the sums know of it."""
        if name in self._source.names:
            return True
        self._say(name, PackMissing() if name in (self._listed or {}) else PackIncomplete())
        return False

    # 5  ledger

    def _check_ledger(self) -> None:
        every = {*self._source.names, *(self._listed or ())}
        proofs = {name for name in every if name.startswith(f"{CONSISTENCY}/")}
        stems = {name.rpartition(".")[0] for name in every if name.startswith(f"{SEALED_FOLDER}/")}
        note = self._small(CHECKPOINT, MAX_NOTE_SIZE) if CHECKPOINT in self._source.names else None
        newest = None if note is None else self._open_checkpoint(note)
        if CHECKPOINT in every:
            self._needed.add(CHECKPOINT)
            if newest is None or len(self._receipts) < len(stems):  # for which receipts these are can't be known
                self._needed |= proofs
        if note is None or newest is None:
            return
        before, trees = len(self._found), {receipt.checkpoint for receipt in self._receipts.values()}
        covered = {tree for tree in trees if tree.origin == newest.origin and tree.size <= newest.size}
        for tree in covered:
            self._check_beginning(tree, note, newest)
        self._beyond = sum(receipt.checkpoint not in covered for receipt in self._receipts.values())
        self._at = newest if len(self._found) == before else None

    def _open_checkpoint(self, note: bytes) -> Checkpoint | None:
        if self._policy is None or CHECKPOINT in self._changed:
            return None
        try:
            return open_checkpoint(note, self._policy).checkpoint
        except CryptoCoreError as error:
            self._say(CHECKPOINT, PackMalformed(error.detail) if isinstance(error, MalformedError) else error)
            return None

    def _check_beginning(self, tree: Checkpoint, note: bytes, newest: Checkpoint) -> None:
        name = CHECKPOINT
        try:
            if tree.size == newest.size:
                require_same(tree, newest)
                return
            name = consistency_name(tree.size)
            self._needed.add(name)
            proof = self._small(name, MAX_SUBMISSION_SIZE)
            if proof is not None:
                verify_beginning(tree, proof, note, newest)
        except MalformedError as error:
            self._say(name, PackMalformed(error.detail))
        except VerificationError as error:
            self._say(name, error)

    # and then

    def _account(self) -> None:
        """Names what was changed, and what nothing names."""
        for name in self._changed:
            self._found = [one for one in self._found if one.name != name]
        for name in sorted(self._changed):
            if name in self._proven:
                self._say(SUMS, PackChanged(f"another sum than that of {name}"))
            else:
                self._say(name, PackChanged())
        for name in (PAGE, MANIFEST, SIGNATURE, POLICY, SUMS):
            if name not in self._source.names:
                self._say(name, PackMissing())
        for name in self._source.names:
            if self._listed is not None and name != SUMS and name not in self._listed:
                self._say(*((SUMS, PackChanged(f"no sum of {name}")) if name in self._proven else (name, PackExtra())))
            elif self._all_read and name not in self._needed:
                self._say(name, PackExtra())

    def _small(self, name: str, most: int) -> bytes | None:
        """A file that is held as a whole; None after saying why it can't be."""
        size = self._source.names.get(name)
        if size is None or size > most:
            self._say(name, PackMissing() if size is None else PackMalformed("far too long"))
            return None
        try:
            return b"".join(self._source.blocks(name))
        except PackMalformed as error:
            self._say(name, error)
            return None

    def _shown(self, name: str) -> Iterator[bytes]:
        self._progress.start(name, self._source.names[name])
        try:
            for block in self._source.blocks(name):
                self._progress.advance(len(block))
                yield block
        finally:
            self._progress.done()

    def _say(self, name: str, error: TemoinError) -> None:
        self._found.append(Finding(name, error))


def _parse_signature(data: bytes) -> bytes:
    """64 bytes from their hex and a newline. Raises MalformedError."""
    if not data.endswith(b"\n"):
        raise MalformedError("no newline at its end")
    return parse_hex(data[:-1].decode("ascii", "replace"), SIGNATURE_SIZE)


def _is_open(error: TemoinError) -> bool:
    return isinstance(error, UnsupportedVersion) or isinstance(error, VerificationError) and error.outcome == "not_yet"
