"""Rotations: how a ledger comes by a new key, in records that the old key and the new one both sign.

Knows: docs/spec/rotation.md: a record, the list of all records of a ledger, and what follows from it for a policy.
Refuses to know: where a list comes from, what time it is, and whether a key was stolen; no record can tell.

From a record on, the new key signs every larger tree, and whoever knows the record demands that. The old key goes on
signing beside it for a while, for those who don't know it yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_core.encoding import format_time, parse_time
from crypto_core.errors import (
    CryptoCoreError,
    MalformedError,
    NoteKeyUnknown,
    RotationBackwards,
    RotationBroken,
    RotationForked,
    RotationUnsigned,
    SignatureInvalid,
)
from crypto_core.receipts.checkpoint import parse_decimal
from crypto_core.receipts.note import (
    ED25519,
    Note,
    SignerKey,
    VerifierKey,
    format_note,
    format_vkey,
    open_note,
    parse_note,
    parse_vkey,
    sign,
)
from crypto_core.receipts.policy import Log, Policy

MAX_ROTATIONS_SIZE = 64 * 1024
SUFFIX = "/rotation"

_FIELDS = ("old", "new", "size", "time", "until")


@dataclass(frozen=True)
class Rotation:
    """`old` hands the ledger on: `new` signs every checkpoint of more than `size` entries, from `time` on, and `old`
    signs them as well, at least until `until`. Times are Unix seconds."""

    old: VerifierKey
    new: VerifierKey
    size: int
    time: int
    until: int


@dataclass(frozen=True)
class RotationChain:
    """All records of one ledger, oldest first, each signed by the two keys that it names and following on from the one
    before. Only `open_rotations` makes one."""

    rotations: tuple[Rotation, ...] = ()
    data: bytes = b""
    """As it came."""

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key that the ledger has had, the newest last; none if there is no record."""
        return (*(one.old for one in self.rotations[:1]), *(one.new for one in self.rotations))

    def joined(self, other: RotationChain) -> RotationChain:
        """The longer of two that tell the same. Raises RotationForked, or RotationBroken if they have no key in
        common where they begin to differ."""
        for mine, theirs in zip(self.rotations, other.rotations, strict=False):
            if mine != theirs:
                raise RotationForked() if mine.old == theirs.old else RotationBroken("another ledger's records")
        return max(self, other, key=lambda chain: len(chain.rotations))


def format_rotation(rotation: Rotation) -> str:
    """The text to sign. Raises ValueError for a record that has no spelling."""
    try:
        text = _spell(rotation)
        spelled_right = parse_rotation(text) == rotation
    except CryptoCoreError:
        raise ValueError("a record that can't be spelled") from None
    if not spelled_right:
        raise ValueError("a record that can't be spelled")
    return text


def parse_rotation(text: str) -> Rotation:
    """A record from a note's text: nothing in it is verified. Raises MalformedError, or UnsupportedVersion for a key
    of another algorithm."""
    first, *lines = text.split("\n")
    named = [line.partition(" ") for line in lines[:-1]]
    if lines[-1:] != [""] or tuple(name for name, _, _ in named) != _FIELDS:
        raise MalformedError("a record of a rotation has six lines, each with its name")
    old_text, new_text, size, time_text, until_text = (value for _, _, value in named)
    old, new = parse_vkey(old_text), parse_vkey(new_text)
    if {old.algorithm, new.algorithm} != {ED25519} or first != f"{old.name}{SUFFIX}" or new.name != old.name:
        raise MalformedError("the keys are not both of the ledger that the record names")
    if old.public == new.public:
        raise MalformedError("a key that follows itself")
    time, until = parse_time(time_text), parse_time(until_text)
    if until < time:
        raise MalformedError("an end before the beginning")
    return Rotation(old, new, parse_decimal(size), time, until)


def sign_rotation(rotation: Rotation, old: SignerKey, new: SignerKey) -> str:
    """The record as a note, signed by both. Raises ValueError for other keys, or as `format_rotation` does."""
    if (old.verifier, new.verifier) != (rotation.old, rotation.new):
        raise ValueError("the keys are not those of the record")
    text = format_rotation(rotation)
    return format_note(Note(text, (sign(text, old), sign(text, new))))


def open_rotation(note: bytes) -> Rotation:
    """A record that both its keys have signed. Raises MalformedError, UnsupportedVersion or RotationUnsigned."""
    rotation = parse_rotation(parse_note(note).text)
    try:
        opened = open_note(note, (rotation.old, rotation.new))
    except (SignatureInvalid, NoteKeyUnknown):
        raise RotationUnsigned() from None
    if {one.key for one in opened.verified} != {rotation.old, rotation.new}:
        raise RotationUnsigned()
    return rotation


def format_rotations(notes: tuple[str, ...]) -> bytes:
    """Notes one after the other, an empty line between two. Empty if there is none."""
    return "\n".join(notes).encode()


def parse_rotations(data: bytes) -> tuple[str, ...]:
    """The notes of a list of at most 64 KiB, which may be empty: nothing in them is verified. Raises MalformedError."""
    if len(data) > MAX_ROTATIONS_SIZE:
        raise MalformedError("records of more than 64 KiB")
    if not data:
        return ()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    blocks = text.removesuffix("\n").split("\n\n")
    if len(blocks) % 2 or not text.endswith("\n"):
        raise MalformedError("a text without its signatures")
    notes = tuple(f"{blocks[at]}\n\n{blocks[at + 1]}\n" for at in range(0, len(blocks), 2))
    for note in notes:
        parse_note(note.encode())
    return notes


def open_rotations(data: bytes) -> RotationChain:
    """The records of a list, proven from the first to the last; none if it is empty.

    Raises MalformedError, UnsupportedVersion, RotationUnsigned, RotationBroken or RotationBackwards.
    """
    found: list[Rotation] = []
    for note in parse_rotations(data):
        rotation = open_rotation(note.encode())
        if found:
            _require_successor(found, rotation)
        found.append(rotation)
    return RotationChain(tuple(found), data)


def rotate_policy(policy: Policy, chain: RotationChain) -> Policy:
    """The same trust, in every key of the ledger that the records are of: each may sign alone what its record says.

    Raises RotationBroken if the policy trusts none of the records' keys, or another one under the ledger's name.
    """
    keys = chain.keys
    if not keys:
        return policy
    named = {log.key: log for log in policy.logs if log.key.name == keys[0].name}
    if not named or not named.keys() <= set(keys):
        raise RotationBroken("the records do not know the trusted key")
    last = {one.old: one.size for one in chain.rotations}
    url = next(iter(named.values())).url
    others = (log for log in policy.logs if log.key not in named)
    rotated = (Log(key, named[key].url if key in named else url, last.get(key)) for key in keys)
    return Policy((*others, *rotated), policy.witnesses, policy.groups, policy.quorum)


def _require_successor(before: list[Rotation], rotation: Rotation) -> None:
    if rotation.old != before[-1].new or rotation.new in {one.old for one in before}:
        raise RotationBroken("a record that does not follow on from the one before")
    if rotation.size < before[-1].size or rotation.time < before[-1].time:
        raise RotationBackwards()


def _spell(rotation: Rotation) -> str:
    values = (
        format_vkey(rotation.old), format_vkey(rotation.new), str(rotation.size), format_time(rotation.time),
        format_time(rotation.until),
    )
    lines = (f"{name} {value}\n" for name, value in zip(_FIELDS, values, strict=True))
    return f"{rotation.old.name}{SUFFIX}\n{''.join(lines)}"
