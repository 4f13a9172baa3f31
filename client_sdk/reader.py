"""Opens what the replica holds, and reads contents from the vault, whole or any range.

Knows: how a sealed row becomes an Item, and which sealed bytes a range needs. Refuses to know: how anything is written.
Contents come out verified chunk by chunk; whoever reads a whole file must not take it for whole before the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from marshmallow import ValidationError

from client_sdk.errors import (
    BlobSwapped, ContentBroken, ContentDiffers, ItemUnknown, RangeInvalid, Refused, SdkError, ServerFault,
)
from client_sdk.hashing import Sha256Aside
from client_sdk.items import NOT_READ, Anchor, Content, Happened, Item, KeptReceipt, SealedBlob, Sent, State
from client_sdk.protocol.sync import Finding
from client_sdk.replica import Row, record_name
from client_sdk.session import Session
from client_sdk.transport import PIECE
from crypto_core.encoding import format_json, is_number, parse_json
from crypto_core.errors import (
    CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion, VerificationError,
)
from crypto_core.receipts.note import parse_note
from crypto_core.receipts.receipt import format_receipt, parse_receipt, verify_receipt
from crypto_core.sealing.envelope import (
    CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE, Opener, in_flight, open_stream, sealed_range, sealed_size,
    split_off,
)
from crypto_core.sealing.keyring import NeedsPin, is_sensitive, unwrap_record_key
from crypto_core.sealing.padding import content_plain_size, content_range, unpad_content
from crypto_core.sealing.records import content_opener, derive_segment, open_record
from schemas.documents import KINDS, VERSION

ANCHORS = "/v1/ledger/anchors"
INCLUSION = "/v1/ledger/inclusion"
BLOB = "/v1/blobs/<id:blob>"
BLOB_RECEIPT = "/v1/blobs/<id:blob>/receipt"
RECORD_RECEIPT = "/v1/items/<id:item>/revisions/<u32:revision>/receipt"
NEAR = 2 * SEALED_CHUNK_SIZE
"""A range that begins this near to the start comes in one request with the header."""
_AT_ONCE = PIECE // SEALED_CHUNK_SIZE
"""Chunks of a whole file that are opened at once: as the transport brings them, so that nobody copies them."""
_SCHEMAS = {kind: schema() for kind, schema in KINDS.items()}


class ReceiptPlace(NamedTuple):
    """Of which sealed bytes a receipt is, its name on this device, and where the vault gives it."""

    name: str
    sha256: bytes
    size: int
    path: str
    places: dict[str, Any]


class Reader:
    """Reads for one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def items(self, kind: str | None) -> list[Item]:
        """The newest revision of every item that isn't deleted, of one kind if named.

        What can't be opened has no kind to go by and is listed with every kind.
        """
        opened = map(self.open, self._session.replica.newest_of_each())
        return [item for item in opened if item.kind not in NOT_READ and (kind is None or item.kind in (kind, None))]

    def item(self, item_id: bytes, revision: int | None) -> Item:
        """One revision, the newest if none is named. Raises ItemUnknown, also if the newest is a deletion."""
        item = self.open(self.row(item_id, revision))
        if item.kind in NOT_READ and revision is None:
            raise ItemUnknown("deleted")
        return item

    def row(self, item_id: bytes, revision: int | None) -> Row:
        """The sealed row of a revision, or of the newest. Raises ItemUnknown."""
        replica = self._session.replica
        row = replica.newest(item_id) if revision is None else replica.row(item_id, revision)
        if row is None:
            raise ItemUnknown()
        return row

    def history(self, item_id: bytes) -> list[Item]:
        """Every revision, the oldest first, deletions as kind `tombstone`. Raises ItemUnknown."""
        rows = self._session.replica.history(item_id)
        if not rows:
            raise ItemUnknown()
        return [self.open(row) for row in rows]

    def open(self, row: Row) -> Item:
        """A row as a person sees it. Never raises for what the row holds: `state` says why it isn't open."""
        if row.wrap is None or row.record is None:
            return closed(row, "missing", False)
        try:
            facts, sensitive = self.facts(row)
        except NeedsPin:
            return closed(row, "locked", True)
        except UnsupportedVersion:
            return closed(row, "newer_version", is_sensitive(
                self._session.keyring, row.item, row.revision, row.wrap))
        except CryptoCoreError:
            return closed(row, "missing", False)
        if facts["kind"] in NOT_READ:
            return Item(
                row.item, row.revision, row.deposited, sensitive, "open", facts["kind"], written=facts["written"]
            )
        return opened(row, sensitive, facts)

    def facts(self, row: Row) -> tuple[dict[str, Any], bool]:
        """What a record says, by the names of its schema, and whether it is sensitive.

        Raises NeedsPin, TamperedError, MalformedError, or UnsupportedVersion for another `v` or kind.
        """
        json, sensitive = self.record_json(row)
        return parse_record(json), sensitive

    def record_json(self, row: Row) -> tuple[bytes, bool]:
        """The JSON inside a record, and whether it is sensitive. Raises as `facts`, but for its content."""
        if row.wrap is None or row.record is None:
            raise ItemUnknown("erased")
        key, sensitive = unwrap_record_key(self._session.keyring, row.item, row.revision, row.wrap)
        return open_record(key, row.item, row.revision, row.record), sensitive

    def content(self, content: Content, start: int, stop: int | None) -> Iterator[bytes]:
        """The original bytes of a content, or of the range [start, stop). Raises RangeInvalid for one outside, and as
        `open_content`; BlobSwapped leaves a warning behind."""
        if start == 0 and stop is None:
            return self._watched(content, open_original(content, self._blob))
        end = content.size if stop is None else min(stop, content.size)
        if not 0 <= start <= content.size or end < start:
            raise RangeInvalid()
        parts = (content,) if content.parts is None else content.parts
        return self._watched(content, self._joined(parts, start, end))

    def receipt(self, row: Row) -> KeptReceipt:
        """The receipt of a record, from this device or from the vault; verified either way."""
        return self.receipt_at(_record_place(row))

    def blob_receipt(self, content: Content) -> KeptReceipt:
        """The receipt of a content."""
        return self.receipt_at(_content_place(content))

    def receipt_places(self, row: Row) -> list[ReceiptPlace]:
        """Where the receipts of a revision are: the record's, and those of its contents if it can be opened; none of
        an erased one."""
        if row.record is None:
            return []
        try:
            facts, _ = self.facts(row)
        except (NeedsPin, CryptoCoreError):
            facts = {}
        contents = map(_content_place, map(_content, facts.get("contents", ())))
        return [_record_place(row), *map(words_place, filter(None, [sent_of(facts)])), *contents]

    def named(self, row: Row) -> tuple[bytes, ...]:
        """The blobs of the contents that a record names, in the vault or not; none where it can't be opened."""
        return tuple(one["blob"] for one in self._said(row).get("contents", ()))

    def went_with(self, row: Row) -> tuple[bytes, ...]:
        """The same, and a depositor's own words first, where there are any."""
        sent = sent_of(self._said(row))
        return (*(() if sent is None else (sent.deposit,)), *self.named(row))

    def _said(self, row: Row) -> dict[str, Any]:
        """Nothing where it can't be opened."""
        try:
            return self.facts(row)[0]
        except (NeedsPin, CryptoCoreError, ItemUnknown):
            return {}

    def sealed_blobs(self, row: Row) -> Iterator[SealedBlob]:
        """The record, then each content, as they are kept. Raises NeedsPin before anything if it can't be opened."""
        facts, _ = self.facts(row)
        receipt = self.receipt(row)
        if row.record is not None:
            digest = sha256(row.record).digest()
            yield self._exported(receipt, digest, len(row.record), iter((row.record,)))
        if (sent := sent_of(facts)) is not None:
            chunks = self._session.read(BLOB, blob=sent.deposit)
            yield self._exported(self.receipt_at(words_place(sent)), sent.sealed, sent.size, chunks)
        for content in map(_content, facts.get("contents", ())):
            size, kept = sealed_content_size(content.size), self.blob_receipt(content)
            yield self._exported(kept, content.sealed, size, self._blob(content))

    def sealed_content(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, as it was deposited. Raises as `checked`; BlobSwapped leaves a warning
        behind."""
        return self._watched(content, checked(content, self._blob(content)))

    def sealed_words(self, sent: Sent) -> Iterator[bytes]:
        """The blob of a depositor's own words, whatever the vault gives in its place, `bounded`."""
        return bounded(self._session.read(BLOB, blob=sent.deposit), sent.size)

    def _exported(self, kept: KeptReceipt, digest: bytes, size: int, chunks: Iterator[bytes]) -> SealedBlob:
        """With the first anchor that covers it. Where there is none, none that the receipt holds under, or one under
        which fewer have signed, the receipt stays as it is."""
        session, index = self._session, kept.verified.index
        plain = SealedBlob(kept.name, digest, size, chunks, kept.receipt, kept.verified)
        try:
            found = session.ask("GET", ANCHORS, query={"size": index + 1})
        except Refused as refusal:
            if refusal.code != "not_found":  # a vault that is older than this program
                raise
            return plain
        anchor, before = (None if one is None else _anchor(one) for one in (found["covering"], found["before"]))
        held = parse_receipt(kept.receipt.encode())
        if anchor is None or _signatures(anchor.checkpoint) < _signatures(held.note):
            return plain
        proof = session.ask("GET", INCLUSION, query={"index": index, "size": found["covering"]["size"]})["proof"]
        receipt = replace(held, proof=tuple(proof), note=anchor.checkpoint)
        try:
            text = format_receipt(receipt).decode()
            verified = session.verify(text, digest, size)
        except (ValueError, VerificationError):
            return plain
        return replace(plain, receipt=text, verified=verified, anchor=anchor, before=before)

    def receipt_at(self, place: ReceiptPlace) -> KeptReceipt:
        """The receipt there, from this device or from the vault; verified either way."""
        session = self._session
        known = session.replica.receipt(place.name)
        if known is not None:
            with suppress(VerificationError):  # under a key of the ledger that the person has let go of since
                verified = verify_receipt(
                    known.encode(), sha256=place.sha256, size=place.size, policy=session.trust.policy
                )
                return KeptReceipt(place.name, known, verified)
        text = session.ask("GET", place.path, **place.places)["receipt"]
        verified = session.verify(text, place.sha256, place.size)
        if known is None:
            session.replica.keep_receipt(place.name, text)
        return KeptReceipt(place.name, text, verified)

    def _watched(self, content: Content, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The same blocks; bytes that are not those that were kept leave a warning behind."""
        try:
            yield from blocks
        except BlobSwapped as error:
            session, facts = self._session, {"blob": content.blob.hex(), "sealed": content.sealed.hex()}
            session.home.keep_evidence("content", format_json({**facts, "found": error.detail}))
            session.warnings.add(Finding.BLOB_SWAPPED)
            raise

    def _blob(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, whatever the vault gives in its place."""
        size = sealed_content_size(content.size)
        return self._shown(content.name, size, self._session.read(BLOB, blob=content.blob))

    def _joined(self, parts: Iterable[Content], start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of segments, one after the other."""
        for part in parts:
            first, last = max(0, start), min(stop, part.size)
            if first < last:
                yield from self._range(part, first, last)
            start, stop = start - part.size, stop - part.size

    def _range(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        """Where the range isn't given, or doesn't open, the blob is read whole to learn whose fault that is."""
        fault: SdkError
        try:
            yield from self._open_range(content, start, stop)
            return
        except (TamperedError, MalformedError) as error:
            fault = BlobSwapped(error.code)
        except Refused as refusal:
            if refusal.code != "range_invalid":
                raise
            fault = refusal
        with suppress(ContentDiffers):
            for _ in open_content(content, self._blob(content)):
                pass
        raise fault  # of the blob that was kept it would have opened

    def _open_range(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        whole = sealed_content_size(content.size)
        plain_start, plain_stop = content_range(start, stop)
        first_byte, after, first = sealed_range(plain_start, plain_stop)
        after = min(after, whole)
        if first_byte <= NEAR:
            stream = self._session.read(BLOB, 0, after, blob=content.blob)
            header, body = split_off(stream, HEADER_SIZE)
            _, body = split_off(body, first_byte - HEADER_SIZE)
        else:
            header = b"".join(self._session.read(BLOB, 0, HEADER_SIZE, blob=content.blob))
            body = self._session.read(BLOB, first_byte, after, blob=content.blob)
        opener = content_opener(content.key, content.blob, header)
        plain = _open_run(opener, first, self._shown(content.name, after - first_byte, body), after == whole)
        yield from _cut(plain, plain_start - first * CHUNK_SIZE, stop - start)

    def _shown(self, name: str, size: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
        progress = self._session.progress
        progress.start(name, size)
        try:
            for block in blocks:
                progress.advance(len(block))
                yield block
        finally:
            progress.done()


def parse_record(json: bytes) -> dict[str, Any]:
    """A record's fields. Raises MalformedError, or UnsupportedVersion for a `v` or kind that this version lacks."""
    value = parse_json(json)
    if not isinstance(value, dict):
        raise MalformedError("a record is an object")
    kind = value.get("kind")
    if not is_number(value.get("v"), VERSION) or not isinstance(kind, str) or kind not in _SCHEMAS:
        raise UnsupportedVersion()
    try:
        facts: dict[str, Any] = _SCHEMAS[kind].load(value)
    except ValidationError:
        raise MalformedError("a record that its schema does not allow") from None
    return facts


def sealed_content_size(size: int) -> int:
    """How many bytes the blob of a content of `size` bytes has."""
    return sealed_size(content_plain_size(size))


def bounded(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same blocks, cut so that no more than one byte beyond `size` comes: enough to see that there is more."""
    left = size + 1
    for block in blocks:
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def checked(content: Content, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The blob of a content without parts, as it was deposited, if `sealed` is that.

    Raises in the place of an end BlobSwapped where it is another, and ContentBroken where only its size is another than
    the record says.
    """
    digest, size = sha256(), sealed_content_size(content.size)
    left = size
    for block in bounded(sealed, size):
        digest.update(block)
        left -= len(block)
        yield block
    if digest.digest() != content.sealed:
        raise BlobSwapped("another hash than the record names")
    if left:
        raise ContentBroken("another size than the record names")


def open_content(content: Content, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The original bytes of a content without parts from its blob, each chunk verified before it comes.

    Until the iterator has ended, what came must not be taken for whole. Raises BlobSwapped where the blob is not the
    one whose SHA-256 the record names. Where it is, whoever kept it is not at fault: ContentBroken if it doesn't open,
    and ContentDiffers, after all of it came, if it opens as another original than the record names. A blob that doesn't
    open is read to its end, or that of the record's size, to learn which it is.
    """
    why: str | None = None
    size = 0
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as line:  # with more they wait for each other
        sealed_hash, plain_hash = Sha256Aside(line), Sha256Aside(line)
        passing = sealed_hash.passing(bounded(sealed, sealed_content_size(content.size)))
        try:
            header, body = split_off(passing, HEADER_SIZE)
            opener = content_opener(content.key, content.blob, header)
            opened = open_stream(opener, body, run=in_flight(pool, 4), chunks=_AT_ONCE)
            for block in plain_hash.passing(unpad_content(opened)):
                size += len(block)
                yield block
        except (TamperedError, MalformedError) as error:
            why = error.code
            for _ in passing:
                pass
    if sealed_hash.digest() != content.sealed:
        raise BlobSwapped(why or "another hash than the record names")
    if why is not None:
        raise ContentBroken(why)
    if (plain_hash.digest(), size) != (content.sha256, content.size):
        raise ContentDiffers(plain_hash.digest(), size)


def open_original(content: Content, sealed: Callable[[Content], Iterator[bytes]]) -> Iterator[bytes]:
    """The original bytes of a content: of a recording, from the blob of each part, which `sealed` gives. Raises as
    `open_content`; a part that differs is said in the end, and keeps none of the others back."""
    if content.parts is None:
        yield from open_content(content, sealed(content))
        return
    digest, size, differs = sha256(), 0, False
    for part in content.parts:
        try:
            for block in open_content(part, sealed(part)):
                digest.update(block)
                size += len(block)
                yield block
        except ContentDiffers:
            differs = True
    if differs or digest.digest() != content.sha256:
        raise ContentDiffers(digest.digest(), size)


def closed(row: Row, state: State, sensitive: bool) -> Item:
    """An item of which nothing can be shown but that it is there."""
    return Item(row.item, row.revision, row.deposited, sensitive, state)


def opened(row: Row, sensitive: bool, facts: dict[str, Any]) -> Item:
    """An item as its record, read by `parse_record`, says it."""
    happened = facts["happened"]
    return Item(
        row.item, row.revision, row.deposited, sensitive, "open",
        "document" if facts["kind"] == "recording" else facts["kind"], facts["title"], facts["text"],
        None if happened is None else Happened(**happened), facts["written"], facts["place"], tuple(facts["people"]),
        tuple(facts["tags"]), facts["danger"], facts["mood"], facts["category"],
        _files(facts), facts.get("answers"), _origin(facts), tuple(facts.get("masked", ())), sent_of(facts),
    )


def sent_of(facts: dict[str, Any]) -> Sent | None:
    """Whose an item is that somebody else put in; None of any other record."""
    return Sent(**facts["sent"]) if "sent" in facts else None


def _files(facts: dict[str, Any]) -> tuple[Content, ...]:
    """The files as a person has them: the segments of a recording are one."""
    contents, segments = tuple(map(_content, facts["contents"])), facts.get("segments")
    if segments is None:
        return contents
    count = segments["count"] or 0
    parts, others = contents[:count], contents[count:]
    if not parts and segments["sha256"] is not None:
        return others  # they were erased with the item that they were recorded for
    blob, _ = derive_segment(segments["key"], 0)
    nothing = sha256().digest()
    joined = Content(
        blob, segments["key"], parts[0].sealed if parts else nothing, segments["sha256"] or nothing, segments["name"],
        segments["mime"], sum(part.size for part in parts), parts,
    )
    return (joined, *others)


def _origin(facts: dict[str, Any]) -> tuple[bytes, int] | None:
    of = facts.get("of")
    return None if of is None else (of["item"], of["revision"])


def _signatures(note: str) -> int:
    """How many lines have signed; none for what is no note."""
    try:
        return len(parse_note(note.encode()).signatures)
    except MalformedError:
        return 0


def _anchor(facts: dict[str, Any]) -> Anchor:
    return Anchor(facts["token"], facts["chain"], facts["checkpoint"])


def _content(facts: dict[str, Any]) -> Content:
    return Content(**facts)


def _record_place(row: Row) -> ReceiptPlace:
    """Raises ItemUnknown for an erased one."""
    if row.record is None:
        raise ItemUnknown("erased")
    name, places = record_name(row.item, row.revision), {"item": row.item, "revision": row.revision}
    return ReceiptPlace(name, sha256(row.record).digest(), len(row.record), RECORD_RECEIPT, places)


def words_place(sent: Sent) -> ReceiptPlace:
    """Where the receipt of a depositor's own words is."""
    return ReceiptPlace(sent.deposit.hex(), sent.sealed, sent.size, BLOB_RECEIPT, {"blob": sent.deposit})


def _content_place(content: Content) -> ReceiptPlace:
    size = sealed_content_size(content.size)
    return ReceiptPlace(content.blob.hex(), content.sealed, size, BLOB_RECEIPT, {"blob": content.blob})


def _open_run(opener: Opener, first: int, sealed: Iterator[bytes], to_the_end: bool) -> Iterator[bytes]:
    """The plain bytes of consecutive sealed chunks from number `first`; `to_the_end`: the message ends with them."""
    size = RUN_CHUNKS * SEALED_CHUNK_SIZE
    waiting = bytearray()
    for block in sealed:
        waiting += block
        while len(waiting) > size:  # one byte more: so this run isn't the last
            yield opener.open_chunks(first, bytes(waiting[:size]), last=False)
            first += RUN_CHUNKS
            del waiting[:size]
    yield opener.open_chunks(first, bytes(waiting), last=to_the_end)


def _cut(plain: Iterator[bytes], skip: int, size: int) -> Iterator[bytes]:
    for block in plain:
        part = block[skip : skip + size]
        skip, size = max(0, skip - len(block)), size - len(part)
        if part:
            yield part
    if size:
        raise ServerFault("fewer bytes than the range holds")
