"""Checkpoints: what a ledger signs, its name, size and root at one moment.

Knows: c2sp.org/tlog-checkpoint (docs/spec/ledger.md). Refuses to know: signatures (receipts.note) and proofs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crypto_core.encoding import HASH_SIZE, format_b64, parse_b64
from crypto_core.errors import MalformedError
from crypto_core.receipts.merkle import EMPTY_ROOT, MAX_SIZE
from crypto_core.receipts.note import refuse_controls

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: `origin` names the ledger, `root` is 32 bytes. `extensions` are opaque lines; ours has none."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The text to sign, each line ending in a newline. Raises ValueError for a checkpoint that has no spelling."""
    lines = (checkpoint.origin, str(checkpoint.size), format_b64(checkpoint.root), *checkpoint.extensions)
    text = "".join(f"{line}\n" for line in lines)
    try:
        spelled_right = parse_checkpoint(text) == checkpoint
    except MalformedError:
        spelled_right = False
    if not spelled_right:
        raise ValueError("a checkpoint that can't be spelled")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from a note's text. Raises MalformedError; an empty tree has the root of the empty tree."""
    refuse_controls(text)
    *lines, rest = text.split("\n")
    if rest or len(lines) < 3 or not all(lines):
        raise MalformedError("a checkpoint has at least three lines, none of them empty")
    origin, size_text, root_text, *extensions = lines
    size, root = parse_decimal(size_text), parse_b64(root_text, HASH_SIZE)
    if size == 0 and root != EMPTY_ROOT:
        raise MalformedError("an empty tree with a root of its own")
    return Checkpoint(origin, size, root, tuple(extensions))


def parse_decimal(text: str) -> int:
    """A number from 0 to 2^63−1 in ASCII digits without leading zeroes. Raises MalformedError."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise MalformedError("not a decimal number from 0 to 2^63-1")
    return int(text)
