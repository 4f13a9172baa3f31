"""What somebody wrote to go with what they put into a box: their own sealed words, beside the item that repeats them.

Knows: how the words open (docs/spec/deposit-box.md), and what an item must say as they do. Refuses to know: where they
come from, and their receipt.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.errors import BundleSwapped, SentDiffers
from client_sdk.items import Content, Item, Sent
from crypto_core.encoding import is_number, parse_json
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.sealing.boxes import open_deposit
from schemas.deposits import VERSION, Deposit


def parse_deposit(json: bytes) -> dict[str, Any]:
    """A depositor's words. Raises MalformedError, or UnsupportedVersion for another `v`."""
    value = parse_json(json)
    if isinstance(value, dict) and not is_number(value.get("v"), VERSION):
        raise UnsupportedVersion()
    try:
        facts: dict[str, Any] = Deposit().load(value)
    except ValidationError:
        raise MalformedError("words that their schema does not allow") from None
    return facts


def open_words(sent: Sent, sealed: bytes) -> dict[str, Any]:
    """The words that an item names, from their blob. Raises BundleSwapped for another blob, TamperedError, or as
    `parse_deposit`."""
    if len(sealed) != sent.size or sha256(sealed).digest() != sent.sealed:
        raise BundleSwapped("other words than the item names")
    return parse_deposit(open_deposit(sent.key, sent.box, sent.deposit, sealed))


def require_repeated(item: Item, words: dict[str, Any]) -> None:
    """An item repeats the words and has all their files, whatever its owner added. Raises SentDiffers."""
    sent, files = item.sent, [Content(**one) for one in words["contents"]]
    if sent is None or any(getattr(sent, name) != words[name] for name in ("name", "message", "written")):
        raise SentDiffers("other words")
    if any(file not in item.contents for file in files):
        raise SentDiffers("other files")
