"""The page of an evidence pack: what was shared, or kept, as it happened, in French and English, offline.

Knows: HTML, and the words in words.json. Refuses to know: files, and whether anything is true. It runs no script
and asks no network for anything. Python and TypeScript write the same bytes (tests/vectors/pack_page.json).
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote

from client_sdk.items import Content, Item
from crypto_core.receipts.checkpoint import Checkpoint

SHOWN = {"image/jpeg", "image/png", "image/gif", "image/webp"}
"""Kinds of pictures that are shown on the page."""

MARKED = {"extract", "received"}
"""Kinds of items that aren't the person's own words and files as they were."""


@dataclass(frozen=True)
class Stamp:
    """What a receipt says: when, in Unix seconds by the ledger's operator, and its place in which ledger."""

    deposited: int
    index: int
    origin: str


@dataclass(frozen=True)
class SentRow:
    """What whoever put an item in said with it, by their own word and clock.

    `stamp` is that of their own sealed words, if these are in the pack. `doubt` is told of words that aren't there with
    a receipt, or that the item contradicts. `files` are the blobs of what came with the words.
    """

    name: str = field(repr=False)
    message: str = field(repr=False)
    written: int
    stamp: Stamp | None
    doubt: Literal["words_missing", "words_differ"] | None
    files: Set[bytes]


@dataclass(frozen=True)
class Row:
    """An item, what its receipt says, and where each of its files lies."""

    item: Item
    deposited: int
    """Unix seconds, by the ledger's operator."""
    index: int
    origin: str
    places: Sequence[str | None] = field(repr=False)
    """None where a file isn't here."""
    masked: Set[bytes] = frozenset()
    """The blobs among its files of which parts were covered."""
    sent: SentRow | None = None
    """Of an item that somebody else put in."""
    unproven: Set[bytes] = frozenset()
    """The blobs among its files that are here without a receipt."""


@dataclass(frozen=True)
class Page:
    """All that the page says."""

    message: str = field(repr=False)
    created: int
    """Unix seconds."""
    sender: bytes
    """The key that signed, 32 bytes."""
    rows: Sequence[Row] = field(repr=False)
    missing: int
    """How many items were shared and aren't here."""
    checkpoint: Checkpoint | None
    """The ledger's state beside the receipts, if it could be had."""
    verifier: bool
    """Whether verify.html lies beside it."""
    own: bool = False
    """Whether the person made it of what they keep, for nobody in particular."""


def format_page(page: Page) -> bytes:
    """The whole page, UTF-8."""
    words, at = _words(), page.checkpoint
    parts = [*words["head"], f"<h1>{_both(words['title_own' if page.own else 'title'])}</h1>", _facts([
        ("made" if page.own else "shared", _time(page.created)), ("items", str(len(page.rows))),
        ("missing", page.missing and str(page.missing)), ("sender", f"<code>{page.sender.hex()}</code>"),
        ("ledger", at is not None and f"{escape(at.origin)} · {at.size}"),
    ])]
    parts.extend(_prose(page.message))
    if page.missing:
        parts.append(_told(words["missing_own" if page.own else "missing"]))
    if at is None:
        parts.append(_told(words["no_checkpoint"]))
    parts.extend(_article(row) for row in sorted(page.rows, key=lambda row: _order(row.item)))
    for language, mark in (("fr", ""), ("en", ' lang="en"')):
        verifier = [words["verifier"][language]] if page.verifier else []
        parts.extend([f"<section{mark}>", *words["proofs"][language], *verifier, "</section>"])
    return "".join(f"{part}\n" for part in (*parts, *words["foot"])).encode("utf-8")


def _article(row: Row) -> str:
    item = row.item
    parts = [
        "<article>", f"<h2>{escape(item.title or '–')}</h2>",
        *([_told(_words()[item.kind])] if item.kind in MARKED else []),
        _facts([
            ("happened", item.happened is not None and escape(item.happened.words)),
            ("written", item.written is not None and _time(item.written)),
            ("deposited", _time(row.deposited)),
            ("place", item.place and escape(item.place)),
            ("people", escape(", ".join(item.people))),
            ("danger", item.danger is not None and f"{item.danger} / 10"),
            ("receipt", f"{row.index} · {escape(row.origin)}"),
        ]),
        *_prose(item.text),
        *([] if row.sent is None else _sent(row.sent)),
        *(part for one, place in zip(item.contents, row.places, strict=True) for part in _file(row, one, place)),
        "</article>",
    ]
    return "\n".join(parts)


def _sent(sent: SentRow) -> list[str]:
    stamp = sent.stamp
    return [
        f"<h3>{_both(_words()['words'])}</h3>",
        _facts([
            ("sent_by", escape(sent.name)),
            ("written", _time(sent.written)),
            ("deposited", stamp and _time(stamp.deposited)),
            ("receipt", stamp and f"{stamp.index} · {escape(stamp.origin)}"),
        ]),
        *_prose(sent.message),
        *([] if sent.doubt is None else [_told(_words()[sent.doubt])]),
    ]


def _file(row: Row, content: Content, place: str | None) -> list[str]:
    size = _words()["bytes"]
    facts = f'{content.size} {size["fr"]}/{size["en"]}<br>', f"SHA-256 <code>{content.sha256.hex()}</code></p>"
    if place is None:
        return [_told(_words()["file_missing"]), f"<p>{escape(content.name)} · {facts[0]}", facts[1]]
    address = "/".join(quote(part, safe="!*'()") for part in place.split("/"))
    shown, tag = [], content.mime.partition("/")[0]
    if content.mime in SHOWN:
        shown.append(f'<p><img src="{escape(address)}" alt=""></p>')
    elif tag in ("audio", "video"):
        shown.append(f'<p><{tag} src="{escape(address)}" controls preload="none"></{tag}></p>')
    if content.blob in row.masked:
        shown.append(_told(_words()["masked"]))
    if content.blob in row.unproven:
        shown.append(_told(_words()["file_unproven"]))
    if row.sent is not None and content.blob in row.sent.files:
        shown.append(_told(_words()["sent_file"]))
    return [
        *shown,
        f'<p><a href="{escape(address)}">{escape(content.name)}</a> · {facts[0]}', facts[1],
    ]


def _facts(pairs: Sequence[tuple[str, object]]) -> str:
    """The second of each pair is HTML already; what says nothing is left out."""
    names = _words()["facts"]
    rows = (f"<dt>{_both(names[name])}</dt><dd>{value}</dd>" for name, value in pairs if value)
    return "\n".join(["<dl>", *rows, "</dl>"])


def _prose(text: str | None) -> list[str]:
    return [f'<p class="text">{escape(text)}</p>'] if text else []


def _told(text: dict[str, str]) -> str:
    return f'<p class="told">{_both(text)}</p>'


def _both(text: dict[str, str]) -> str:
    return f'{text["fr"]} <span lang="en">· {text["en"]}</span>'


def _order(item: Item) -> tuple[int, int]:
    at = item.happened.from_ if item.happened is not None else None
    return (item.written or 0) if at is None else at, item.written or 0


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(files("client_sdk.packs").joinpath("words.json").read_bytes())
    return words
