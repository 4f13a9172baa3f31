"""Restorations: how a ledger says, under its own signature, that it was set back to an older copy.

Knows: docs/spec/restoration.md: a record, and the list of all records of a ledger. Refuses to know: what was lost, and
what anybody makes of it: a ledger that was set back is one that forked, whoever says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto_core.encoding import ID_SIZE, format_b64url, format_time, parse_b64url, parse_time
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.receipts.checkpoint import parse_decimal
from crypto_core.receipts.note import VerifierKey, open_note
from crypto_core.receipts.rotation import format_rotations, parse_rotations

SUFFIX = "/restoration"
_FIELDS = ("generation", "size", "was", "time")


@dataclass(frozen=True)
class Restoration:
    """The ledger `origin`, which had signed `was` entries, goes on from its first `size`, from `time` (Unix seconds)
    on; 16-byte `generation` is the vault's from then on."""

    origin: str
    generation: bytes
    size: int
    was: int
    time: int


def format_restoration(restoration: Restoration) -> str:
    """The text to sign. Raises ValueError for a record that has no spelling."""
    values = (
        format_b64url(restoration.generation), str(restoration.size), str(restoration.was),
        format_time(restoration.time),
    )
    lines = (f"{name} {value}\n" for name, value in zip(_FIELDS, values, strict=True))
    text = f"{restoration.origin}{SUFFIX}\n{''.join(lines)}"
    try:
        spelled_right = parse_restoration(text) == restoration
    except CryptoCoreError:
        spelled_right = False
    if not spelled_right:
        raise ValueError("a record that can't be spelled")
    return text


def parse_restoration(text: str) -> Restoration:
    """A record from a note's text: nothing in it is verified. Raises MalformedError."""
    first, *lines = text.split("\n")
    named = [line.partition(" ") for line in lines[:-1]]
    if lines[-1:] != [""] or tuple(name for name, _, _ in named) != _FIELDS or not first.endswith(SUFFIX):
        raise MalformedError("a record of a restoration has five lines, each with its name")
    generation, size, was, time = (value for _, _, value in named)
    found = Restoration(
        first.removesuffix(SUFFIX), parse_b64url(generation, ID_SIZE), parse_decimal(size), parse_decimal(was),
        parse_time(time),
    )
    if found.was < found.size or not found.origin:
        raise MalformedError("a ledger that was set back to more than it had")
    return found


def open_restorations(data: bytes, keys: Sequence[VerifierKey]) -> tuple[Restoration, ...]:
    """The records of a list of at most 64 KiB, oldest first, each signed by one of the ledger's `keys`.

    Raises MalformedError, or as `open_note` does.
    """
    found = tuple(parse_restoration(open_note(note.encode(), keys).text) for note in parse_rotations(data))
    if any(one.origin not in {key.name for key in keys} for one in found):
        raise MalformedError("another ledger's record")
    return found


def add_restoration(data: bytes, note: str) -> bytes:
    """The list with one more signed record, an empty line between two. Raises MalformedError for no list."""
    return format_rotations((*parse_rotations(data), note))
