"""What a manifest says of the items that it names: for a bundle, and for a pack of one's own.

Knows: docs/spec/bundle.md, "The manifest". Refuses to know: for whom it is, and what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from client_sdk.errors import ItemUnknown, ItemUnproven, Refused, ValueRefused, is_of_one
from client_sdk.items import NOT_READ, KeptReceipt
from client_sdk.reader import Reader, sent_of
from client_sdk.receipts import record_place, words_place
from client_sdk.replica import Row
from client_sdk.session import Session
from crypto_core.encoding import format_json
from crypto_core.errors import TemoinError, VerificationError
from crypto_core.sealing.keyring import unwrap_record_key
from schemas.bundles import VERSION, WITH_WORDS, Manifest


class Kept(NamedTuple):
    """A revision as it is kept here: its sealed row, what its record says, and the verified receipt."""

    row: Row
    facts: dict[str, Any]
    proof: KeptReceipt


class Left(NamedTuple):
    """A revision of which the vault gives no receipt that holds: no manifest can name it."""

    row: Row
    facts: dict[str, Any]
    error: TemoinError


@dataclass(frozen=True)
class Named:
    """Items as a manifest names them, each with the key of its record."""

    kept: list[Kept] = field(repr=False)
    records: list[dict[str, Any]] = field(repr=False)
    version: int
    left: list[Left] = field(repr=False)
    """What was to be named as well."""

    def manifest(self, **facts: Any) -> bytes:
        """The JSON of schemas.bundles.Manifest, with the rest of its fields. Raises ValueRefused."""
        return stated(Manifest(), {**facts, "v": self.version, "items": self.records})


def name_items(
    session: Session, reader: Reader, items: Sequence[tuple[bytes, int]], *, leave: bool = False
) -> Named:
    """These revisions, in this order; the receipt of each is verified. What needs the sensitive tier open comes first:
    many receipts may take longer than that stays so. With `leave` one without a receipt is left out, unless that is
    each of them; and so are somebody else's words without one.

    Raises ItemUnknown for one that is a deletion or was erased, NeedsPin, what `Session.verify` raises against the
    vault, or, without `leave`, ItemUnproven for the first without a receipt that holds, its own or that of such words.
    """
    rows = [reader.row(*one) for one in items]
    said = [_facts(reader, row) for row in rows]
    keys = [_key(session, row) for row in rows]
    kept, records, left = list[Kept](), list[dict[str, Any]](), list[Left]()
    for row, facts, key in zip(rows, said, keys, strict=True):
        try:
            kept.append(Kept(row, facts, reader.receipts.at(record_place(row))))
            records.append(_record(kept[-1], key))
        except TemoinError as error:
            if not (leave and is_of_one(error)):
                raise _of(row, error) from error
            left.append(Left(row, facts, error))
    if left and not kept:
        raise left[0].error
    words = [_words(reader, one, leave) for one in kept]
    if all(index is None for index in words):
        return Named(kept, records, VERSION, left)
    with_words = [{**record, "words": index} for record, index in zip(records, words, strict=True)]
    return Named(kept, with_words, WITH_WORDS, left)


def stated(schema: Schema, facts: dict[str, Any]) -> bytes:
    """JSON as a schema spells it, checked against it. Raises ValueRefused."""
    spelled = schema.dump(facts)
    try:
        schema.load(spelled)
    except ValidationError as error:
        raise ValueRefused(", ".join(sorted(map(str, error.messages_dict)))) from None
    return format_json(spelled)


def _facts(reader: Reader, row: Row) -> dict[str, Any]:
    facts, _ = reader.facts(row)
    if facts["kind"] in NOT_READ:
        raise ItemUnknown("deleted")
    return facts


def _key(session: Session, row: Row) -> bytes:
    if row.wrap is None:
        raise ItemUnknown("erased")
    return unwrap_record_key(session.keyring, row.item, row.revision, row.wrap)[0]


def _record(kept: Kept, key: bytes) -> dict[str, Any]:
    record = kept.row.record or b""
    return {
        "item": kept.row.item, "revision": kept.row.revision, "key": key, "record": sha256(record).digest(),
        "size": len(record), "index": kept.proof.verified.index,
    }


def _of(row: Row, error: TemoinError) -> TemoinError:
    """A receipt that doesn't hold, or isn't there, with whose it is; anything else as it is."""
    is_gone = isinstance(error, Refused) and error.code == "not_found"
    return ItemUnproven(row.item, row.revision, error) if is_gone or isinstance(error, VerificationError) else error


def _words(reader: Reader, kept: Kept, leave: bool) -> int | None:
    """The index of the receipt of somebody else's own words, where these go along."""
    sent = sent_of(kept.facts)
    try:
        return None if sent is None else reader.receipts.at(words_place(sent)).verified.index
    except TemoinError as error:
        if leave and is_of_one(error):
            return None
        raise _of(kept.row, error) from error
