"""The page of an evidence pack, against the bytes that Python and TypeScript both have to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from client_sdk.items import Content, Happened, Item
from client_sdk.packs.page import Page, Row, SentRow, Stamp, format_page
from crypto_core.encoding import ID_SIZE, parse_hex
from crypto_core.receipts.checkpoint import Checkpoint

PAGES = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "pack_page.json").read_text("utf-8"))


def content(facts: dict[str, Any]) -> Content:
    facts = {**facts, "blob": parse_hex(facts["blob"], ID_SIZE), "sha256": parse_hex(facts["sha256"])}
    return Content(key=bytes(32), sealed=bytes(32), **facts)


def row(facts: dict[str, Any]) -> Row:
    item = dict(facts["item"])
    happened, contents = item.pop("happened"), tuple(map(content, item.pop("contents")))
    if happened is not None:
        happened = Happened(happened["from"], happened["to"], happened["precision"], happened["words"])
    return Row(
        Item(bytes(ID_SIZE), 1, 0, False, "open", happened=happened, contents=contents, **item),
        facts["deposited"], facts["index"], facts["origin"], facts["places"],
        blobs(facts["masked"]), facts["sent"] and sent(facts["sent"]), blobs(facts["unproven"]),
    )


def sent(facts: dict[str, Any]) -> SentRow:
    stamp = facts["stamp"] and Stamp(**facts["stamp"])
    return SentRow(**{**facts, "stamp": stamp, "files": blobs(facts["files"])})


def blobs(spelled: list[str]) -> frozenset[bytes]:
    return frozenset(parse_hex(one, ID_SIZE) for one in spelled)


def page(facts: dict[str, Any]) -> Page:
    at = facts["checkpoint"]
    return Page(
        facts["message"], facts["created"], parse_hex(facts["sender"]), list(map(row, facts["rows"])), facts["missing"],
        at and Checkpoint(at["origin"], at["size"], parse_hex(at["root"])), facts["verifier"], facts["own"],
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_written_to_the_byte(name: str) -> None:
    assert format_page(page(PAGES[name]["given"])).decode("utf-8") == "".join(PAGES[name]["lines"])


def test_nothing_that_a_person_wrote_becomes_markup() -> None:
    given = json.dumps(PAGES["everything"]["given"])
    written = "".join(PAGES["everything"]["lines"])
    assert given.count("<b>") >= 4 and "<b>" not in written and "javascript:" not in written
    assert "<script" not in written and "http" not in written.replace("http-equiv", "")
