"""Opens what the replica holds, and reads contents from the vault.

Knows: how a sealed row becomes an Item. Refuses to know: how anything is written, how a content is opened
(client_sdk.contents), and how a receipt is proven (client_sdk.receipts).
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.contents import Contents, bounded, checked
from client_sdk.errors import BlobSwapped, ItemUnknown
from client_sdk.items import NOT_READ, Content, Happened, Item, SealedBlob, Sent, State
from client_sdk.protocol.sync import Finding
from client_sdk.receipts import ReceiptPlace, Receipts, content_place, record_place, words_place
from client_sdk.replica import Row
from client_sdk.session import Session
from crypto_core.encoding import format_json, is_number, parse_json
from crypto_core.errors import CryptoCoreError, MalformedError, UnsupportedVersion
from crypto_core.sealing.keyring import NeedsPin, is_sensitive, unwrap_record_key
from crypto_core.sealing.records import derive_segment, open_record
from schemas.documents import KINDS, VERSION

BLOB = "/v1/blobs/<id:blob>"
_SCHEMAS = {kind: schema() for kind, schema in KINDS.items()}


class Reader:
    """Reads for one session."""

    def __init__(self, session: Session) -> None:
        self._session, self.receipts = session, Receipts(session)
        self._contents = Contents(
            lambda blob, start, stop: session.read(BLOB, start, stop, blob=blob), session.progress
        )

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
        """The original bytes of a content, or of the range [start, stop). Raises as `Contents.read`; BlobSwapped leaves
        a warning behind."""
        return self._watched(content, self._contents.read(content, start, stop))

    def receipt_places(self, row: Row) -> list[ReceiptPlace]:
        """Where the receipts of a revision are: the record's, and those of its contents if it can be opened; none of
        an erased one."""
        if row.record is None:
            return []
        try:
            facts, _ = self.facts(row)
        except (NeedsPin, CryptoCoreError):
            facts = {}
        contents = map(content_place, map(_content, facts.get("contents", ())))
        return [record_place(row), *map(words_place, filter(None, [sent_of(facts)])), *contents]

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
        """The record, then a depositor's words, then each content, as they are kept. Raises NeedsPin before anything if
        it can't be opened."""
        facts, _ = self.facts(row)
        if row.record is None:
            return
        yield self.receipts.exported(record_place(row), iter((row.record,)))
        if (sent := sent_of(facts)) is not None:
            yield self.receipts.exported(words_place(sent), self._session.read(BLOB, blob=sent.deposit))
        for content in map(_content, facts.get("contents", ())):
            yield self.receipts.exported(content_place(content), self._contents.sealed(content))

    def sealed_content(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, as it was deposited. Raises as `checked`; BlobSwapped leaves a warning
        behind."""
        return self._watched(content, checked(content, self._contents.sealed(content)))

    def sealed_words(self, sent: Sent) -> Iterator[bytes]:
        """The blob of a depositor's own words, whatever the vault gives in its place, `bounded`."""
        return bounded(self._session.read(BLOB, blob=sent.deposit), sent.size)

    def _watched(self, content: Content, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The same blocks; bytes that are not those that were kept leave a warning behind."""
        try:
            yield from blocks
        except BlobSwapped as error:
            session, facts = self._session, {"blob": content.blob.hex(), "sealed": content.sealed.hex()}
            session.home.keep_evidence("content", format_json({**facts, "found": error.detail}))
            session.warnings.add(Finding.BLOB_SWAPPED)
            raise


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
        bool(parts) and parts[-1].blob != derive_segment(segments["key"], len(parts) - 1)[0],
    )
    return (joined, *others)


def _origin(facts: dict[str, Any]) -> tuple[bytes, int] | None:
    of = facts.get("of")
    return None if of is None else (of["item"], of["revision"])


def _content(facts: dict[str, Any]) -> Content:
    return Content(**facts)
