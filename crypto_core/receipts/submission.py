"""What a ledger sends to a witness, and the one number that a witness answers when it knows better.

Knows: the request of c2sp.org/tlog-witness and its `text/x.tlog.size` (docs/spec/witness.md).
Refuses to know: HTTP, signatures, and what anybody keeps.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_core.encoding import HASH_SIZE, format_b64, parse_b64
from crypto_core.errors import MalformedError
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint, parse_decimal
from crypto_core.receipts.merkle import MAX_PROOF
from crypto_core.receipts.note import MAX_NOTE_SIZE, parse_note

SIZE_TYPE = "text/x.tlog.size"
"""The media type of the number of entries that a witness has seen."""
MAX_SUBMISSION_SIZE = MAX_NOTE_SIZE + 4096
MAX_SIZE_ANSWER = 20
"""Bytes: nineteen digits and a newline."""


@dataclass(frozen=True)
class Submission:
    """As it came: nothing in it is verified. `old` is the size that the witness is believed to have seen last,
    `proof` up to 63 hashes that lead from there to the checkpoint in the signed note `note`."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says."""
        return parse_checkpoint(parse_note(self.note.encode()).text)


def format_submission(submission: Submission) -> bytes:
    """The body of `add-checkpoint`. Raises ValueError for a submission that has no spelling."""
    head = "".join(f"{line}\n" for line in (f"old {submission.old}", *map(format_b64, submission.proof)))
    data = f"{head}\n{submission.note}".encode()
    try:
        spelled_right = parse_submission(data) == submission
    except MalformedError:
        spelled_right = False
    if not spelled_right:
        raise ValueError("a submission that can't be spelled")
    return data


def parse_submission(data: bytes) -> Submission:
    """A submission in its one spelling, its note and checkpoint well formed. Raises MalformedError."""
    if len(data) > MAX_SUBMISSION_SIZE:
        raise MalformedError("a submission of more than 68 KiB")
    head, separator, note = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("not ASCII before the checkpoint") from None
    if not separator or not first.startswith("old "):
        raise MalformedError("the old size was expected first")
    if len(lines) > MAX_PROOF:
        raise MalformedError("a proof of more than 63 hashes")
    old, proof = parse_decimal(first.removeprefix("old ")), tuple(parse_b64(line, HASH_SIZE) for line in lines)
    parse_checkpoint(parse_note(note).text)
    return Submission(old, proof, note.decode())


def format_size(size: int) -> bytes:
    """The body of type `text/x.tlog.size`."""
    return b"%d\n" % size


def parse_size(data: bytes) -> int:
    """A number from 0 to 2^63−1 and a newline. Raises MalformedError."""
    if len(data) > MAX_SIZE_ANSWER or not data.endswith(b"\n"):
        raise MalformedError("a number and a newline were expected")
    try:
        return parse_decimal(data[:-1].decode("ascii"))
    except UnicodeDecodeError:
        raise MalformedError("not ASCII") from None
