"""A part of an item, for any text: what was cut from it is in nothing that is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk.errors import ValueRefused
from client_sdk.extract import CUT, FACTS, Cut, Redaction, find_again, redact, redact_text, still_stands
from client_sdk.items import Content, Happened, Item
from schemas.documents import Extract as ExtractRecord

VECTORS = Path(__file__).parents[1] / "vectors"
ID, NOTE = b"i" * 16, "a checkpoint"
SHOWN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="ΩЖ[…]", include_characters="\n"),
    max_size=12,
)
SECRET = st.text("ΩЖ", min_size=1, max_size=6)
"""Letters that stand nowhere but in what is cut."""


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[Cut], list[str]]:
    """A text, what is cut from it, and what is not."""
    text, cuts, shown = "", list[Cut](), list[str]()
    for said, secret in draw(st.lists(st.tuples(SHOWN, SECRET), max_size=8)):
        cuts.append(Cut(len(text) + len(said), len(text) + len(said) + len(secret)))
        text += said + secret
        shown.append(said)
    return text, draw(st.permutations(cuts)), shown


def item_of(text: str, **more: Any) -> Item:
    return Item(ID, 3, 1_790_000_000, False, "open", "journal", text=text, written=1_790_000_000, **more)


def content(number: int) -> Content:
    digest = bytes([number]) * 32
    return Content(bytes([number]) * 16, digest, digest, digest, f"file {number}", "image/jpeg", number)


@settings(max_examples=200, deadline=None)
@given(cut_texts())
def test_nothing_of_a_cut_remains_and_nothing_else_is_lost(drawn: tuple[str, list[Cut], list[str]]) -> None:
    text, cuts, shown = drawn
    redacted = redact_text(text, cuts)
    assert not set(redacted) & set("ΩЖ")
    kept = "".join(shown)
    gap = str.maketrans("", "", " \t\n\u00a0\u202f" + CUT)  # what stands between two cuts that became one
    assert redacted.translate(gap) == kept.translate(gap)
    assert redacted.count(CUT) <= len(cuts) and bool(cuts) == (CUT in redacted)


@settings(max_examples=200, deadline=None)
@given(cut_texts(), st.sets(st.sampled_from(FACTS)), st.sets(st.integers(1, 4)), SECRET)
def test_the_record_of_a_part_holds_only_what_was_kept(
    drawn: tuple[str, list[Cut], list[str]], facts: set[str], files: set[int], secret: str
) -> None:
    text, cuts, _ = drawn
    left_out = {name: value for name, value in {
        "title": secret, "happened": Happened(1, 2, "day", secret), "place": secret, "people": (secret,),
        "tags": (secret,), "danger": 7, "mood": secret, "category": secret,
    }.items() if name not in facts}
    said = {"title": "a", "place": "b", "people": ("c",), "tags": ("d",), "danger": 3, "mood": "e", "category": "f"}
    item = item_of(text + "x", **{**said, **left_out}, contents=tuple(content(number) for number in range(1, 5)))
    keeps = frozenset(content(number).blob for number in files)
    part = redact(item, Redaction(cuts, frozenset(facts), keeps)) if left_out or cuts or len(files) < 4 else None
    if part is None:
        return
    facts_of_record = {
        **{name: getattr(part.draft, name) for name in (*FACTS, "text", "written")}, "v": 1, "kind": "extract",
        "contents": part.contents, "after": NOTE, "of": {"item": ID, "revision": 3}, "masked": (), "segments": None,
    }
    schema = ExtractRecord()
    record = schema.dump(facts_of_record)
    schema.load(record)
    spelled = json.dumps(record, ensure_ascii=False)
    assert not set(spelled) & set("ΩЖ")
    assert [one.name for one in part.contents] == [f"file {number}" for number in sorted(files)]
    assert all(f"file {number}" in spelled for number in files)
    assert part.draft.danger == (3 if "danger" in facts else None)
    assert part.draft.written == item.written and part.of == (ID, 3)


@settings(max_examples=200, deadline=None)
@given(cut_texts(), SECRET)
def test_what_is_found_again_is_cut_as_well(drawn: tuple[str, list[Cut], list[str]], secret: str) -> None:
    text, _, _ = drawn
    word = f"kno{secret}"
    whole = f"{word} {text} {word}, ({word.upper()}) x{word}"
    cuts = [Cut(0, len(word))]
    again = find_again(whole, cuts)
    assert {whole[start:stop].lower() for start, stop in again} == {word.lower()} and len(again) == 2
    assert find_again(whole, [*cuts, *again]) == []
    assert still_stands(item_of(whole), Redaction(cuts)) == ["text"]
    titled = item_of(whole, title=f"Avec {word} !")
    assert still_stands(titled, Redaction((*cuts, *again), frozenset({"title"}))) == ["title"]
    assert still_stands(titled, Redaction((*cuts, *again))) == []


def test_the_name_of_a_file_is_looked_at_as_well() -> None:
    named = Content(ID, b"k" * 32, b"s" * 32, b"o" * 32, "mit-Otto.jpg", "image/jpeg", 1)
    item = item_of("Otto war da.", contents=(named,))
    assert still_stands(item, Redaction((Cut(0, 4),), files=frozenset({ID}))) == ["files"]
    assert still_stands(item, Redaction((Cut(0, 4),))) == []


def test_passages_with_only_spaces_between_them_are_one() -> None:
    text = "She said Otto \n Meyer did it, Otto did."
    assert redact_text(text, [Cut(16, 21), Cut(9, 13), Cut(30, 34)]) == f"She said {CUT} did it, {CUT} did."
    assert redact_text(text, [Cut(0, 20), Cut(3, 5)]) == f"{CUT}r did it, Otto did."
    assert redact_text("", []) == ""


@pytest.mark.parametrize("cut", [Cut(-1, 2), Cut(0, 6), Cut(3, 3), Cut(4, 2), Cut(5, 6)])
def test_a_cut_outside_of_the_text_is_refused(cut: Cut) -> None:
    with pytest.raises(ValueRefused):
        redact_text("Otto!", [cut])


@pytest.mark.parametrize("redaction", [
    Redaction(facts=frozenset({"title"})),  # nothing is left out
    Redaction([Cut(0, 5)]),  # nothing is left
    Redaction([Cut(0, 2)], frozenset({"text"})), Redaction([Cut(0, 2)], files=frozenset({ID})),
])
def test_what_can_not_be_meant_is_refused(redaction: Redaction) -> None:
    with pytest.raises(ValueRefused):
        redact(item_of("Otto!", title="Seen"), redaction)


@pytest.mark.parametrize("fact", json.loads((VECTORS / "redactions.json").read_text("utf-8")))
def test_both_languages_cut_alike(fact: dict[str, Any]) -> None:
    cuts = [Cut(*cut) for cut in fact["cuts"]]
    assert redact_text(fact["text"], cuts) == fact["redacted"]
    assert [list(cut) for cut in find_again(fact["text"], cuts)] == fact["again"]
