"""A part of an item, to be shared: what its owner left out is nowhere in it.

Knows: which words, facts and files of an item a part keeps, and that a cut is seen. Refuses to know: seals, and how a
part is sent. What was cut is remembered by nothing that is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from client_sdk.errors import ValueRefused
from client_sdk.items import NOT_READ, Content, Draft, Item

CUT = "[…]"
"""What stands for a passage that was cut, however long it was."""
FACTS = ("title", "happened", "place", "people", "tags", "danger", "mood", "category")
"""What is said of an item beside its text, each kept or left out as a whole."""
_GAP = " \t\n\u00a0\u202f"
_LEAST = 3
"""Letters from which a passage that was cut is looked for elsewhere: shorter ones stand everywhere."""


class Cut(NamedTuple):
    """A passage of a text, [start, stop), counted in code points."""

    start: int
    stop: int


@dataclass(frozen=True)
class Redaction:
    """What a part keeps. All that is not named is left out, but for the text: of that, `cuts` are left out."""

    cuts: Sequence[Cut] = field(default=(), repr=False)
    facts: frozenset[str] = frozenset()
    """Names out of FACTS."""
    files: frozenset[bytes] = frozenset()
    """Files that are kept as they are, by their blobs."""


@dataclass(frozen=True)
class Extract:
    """A part of an item: what its record says. `of`: which item and revision it was made from."""

    draft: Draft
    contents: tuple[Content, ...] = field(repr=False)
    of: tuple[bytes, int]


def redact(item: Item, redaction: Redaction) -> Extract:
    """The part of an open item. Its time of writing stays; what kind of thing it was, and somebody else's words, don't.

    Raises ValueRefused for an extract, for a cut, fact or file that the item hasn't, where nothing is left out, and
    where nothing is left.
    """
    if item.state != "open" or item.kind in ("extract", *NOT_READ):
        raise ValueRefused("nothing that a part can be made of")
    facts, files = redaction.facts, redaction.files
    if not facts <= set(FACTS) or not files <= {content.blob for content in item.contents}:
        raise ValueRefused("what is to be kept is not there")
    text = redact_text(item.text or "", redaction.cuts)
    said = {name: value for name in FACTS if is_said(value := getattr(item, name))}
    kept = {name: value for name, value in said.items() if name in facts}
    contents = tuple(content for content in item.contents if content.blob in files)
    if text == item.text and kept == said and contents == item.contents and item.sent is None:
        raise ValueRefused("nothing is left out")
    if text.strip(_GAP) in ("", CUT) and not kept and not contents:
        raise ValueRefused("nothing is left")
    return Extract(Draft(text, written=item.written, **kept), contents, (item.id, item.revision))


def redact_text(text: str, cuts: Iterable[Cut]) -> str:
    """A text with CUT for each passage that is cut; those that touch, or have only spaces between them, are one.

    Raises ValueRefused for one outside of the text.
    """
    pieces, after = list[str](), 0
    for start, stop in _joined(text, cuts):
        pieces += (text[after:start], CUT)
        after = stop
    return "".join((*pieces, text[after:]))


def find_again(text: str, cuts: Sequence[Cut], within: str | None = None) -> list[Cut]:
    """Where a passage that is cut from a text stands once more, in capitals or not: uncut in that text, or `within`
    another one. Whole words are compared, three letters at least."""
    joined = _joined(text, cuts)
    passages = {tuple(_lowered(_bare(text[cut.start : cut.stop]))) for cut in joined}
    letters = _lowered(text if within is None else within)
    found = [
        Cut(start, start + len(passage))
        for passage in passages if len(passage) >= _LEAST
        for start in range(len(letters) - len(passage) + 1) if _stands(letters, start, passage)
    ]
    gone = joined if within is None else []
    return sorted(one for one in found if not any(one.start < cut.stop and cut.start < one.stop for cut in gone))


def still_stands(item: Item, redaction: Redaction) -> list[str]:
    """Where words that are cut from the text are kept all the same: `text`, `files` (their names), or one of FACTS."""
    text, cuts = item.text or "", redaction.cuts
    happened = item.happened.words if item.happened is not None else ""
    words = {
        "title": item.title, "happened": happened, "place": item.place, "people": "\n".join(item.people),
        "tags": "\n".join(item.tags), "mood": item.mood, "category": item.category,
    }
    names = "\n".join(content.name for content in item.contents if content.blob in redaction.files)
    kept = {name: said for name, said in words.items() if name in redaction.facts and said} | {"files": names}
    return [
        *(["text"] if find_again(text, cuts) else []),
        *(name for name, said in kept.items() if find_again(text, cuts, said)),
    ]


def is_said(value: object) -> bool:
    """Whether a fact has anything in it."""
    return value is not None and value != "" and value != ()


def _joined(text: str, cuts: Iterable[Cut]) -> list[Cut]:
    joined = list[Cut]()
    for start, stop in sorted(cuts):
        if not 0 <= start < stop <= len(text):
            raise ValueRefused("a cut outside of the text")
        if joined and not text[joined[-1].stop : start].strip(_GAP):
            joined[-1] = Cut(joined[-1].start, max(stop, joined[-1].stop))
        else:
            joined.append(Cut(start, stop))
    return joined


def _bare(passage: str) -> str:
    """Without what is no letter or digit at its ends."""
    inside = [place for place, letter in enumerate(passage) if letter.isalnum()]
    return passage[inside[0] : inside[-1] + 1] if inside else ""


def _lowered(text: str) -> list[str]:
    """Letter by letter, so that places stay what they are."""
    return [letter.lower() for letter in text]


def _stands(letters: Sequence[str], start: int, passage: tuple[str, ...]) -> bool:
    stop = start + len(passage)
    if letters[start] != passage[0] or tuple(letters[start:stop]) != passage:
        return False
    around = (letters[start - 1] if start else "", letters[stop] if stop < len(letters) else "")
    return not any(letter[:1].isalnum() for letter in around)
