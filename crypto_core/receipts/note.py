"""Signed notes: text under which one or more keys have signed.

Knows: c2sp.org/signed-note with Ed25519 (0x01) and c2sp.org/tlog-cosignature v1 (0x04), as docs/spec/note-and-policy.md
restates them. Refuses to know: what the text says, and which keys deserve trust.

Opening a note ends in one of four ways, which are told apart: MalformedError (not a note), SignatureInvalid
(a known key's signature is false: the whole note is refused), NoteKeyUnknown (no known key has signed),
or an OpenedNote. Signatures by unknown keys are passed over and listed, never believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256

from crypto_core.encoding import MAX_TIME, format_b64, parse_b64, parse_hex, u64
from crypto_core.errors import MalformedError, NoteKeyUnknown, SignatureInvalid, UnsupportedVersion
from crypto_core.receipts.signatures import (
    PUBLIC_SIZE,
    SEED_SIZE,
    SIGNATURE_SIZE,
    expand_seed,
    sign_expanded,
    verify_ed25519,
)

MAX_NOTE_SIZE = 64 * 1024
ED25519 = 0x01
COSIGNATURE = 0x04

_HASH_SIZE = 4
_TIME_SIZE = 8
_DASH = "\u2014 "
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f]")
# The characters that Unicode calls White_Space, spelled out because languages disagree on U+0085 and U+FEFF;
# a lone surrogate has no UTF-8.
_NO_NAME = re.compile("[\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff+]")


@dataclass(frozen=True)
class VerifierKey:
    """A public key by its name. Raises MalformedError for an impossible name, UnsupportedVersion for an algorithm
    that is not known here."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise MalformedError("a key's name is not empty and has no space, control character or plus")
        if self.algorithm not in (ED25519, COSIGNATURE):
            raise UnsupportedVersion("a signature type other than Ed25519 and cosignature/v1")
        if len(self.public) != PUBLIC_SIZE:
            raise MalformedError("an Ed25519 key has 32 bytes")

    @cached_property
    def key_hash(self) -> bytes:
        """The 4-byte key ID: SHA-256(name ‖ 0x0A ‖ algorithm ‖ public)[:4]. A hint to find a key, no proof of one."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:_HASH_SIZE]


@dataclass(frozen=True)
class SignerKey:
    """Signs notes (ED25519, a ledger's) or cosigns checkpoints (COSIGNATURE, a witness's).
    `seed`: 32 secret bytes that the caller drew."""

    name: str
    seed: bytes = field(repr=False)
    algorithm: int = ED25519

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise ValueError("a seed is exactly 32 bytes")
        _ = self.verifier  # refuses the name or the algorithm here, not at the first signature

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.algorithm, self._expanded[0])

    @cached_property
    def _expanded(self) -> tuple[bytes, bytes]:
        return expand_seed(self.seed)

    def sign_bytes(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature over these very bytes; `sign` knows what a note's are."""
        return sign_expanded(self._expanded[1], message)


@dataclass(frozen=True)
class Signature:
    """One signature line: 4-byte `key_hash`, and `raw`, whose form the key's algorithm decides (at least 1 byte)."""

    name: str
    key_hash: bytes
    raw: bytes


@dataclass(frozen=True)
class Note:
    """A note as it came: nothing in it is verified. `text` ends in a newline."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class VerifiedSignature:
    """A signature that verified. `time`, Unix seconds, is what a cosignature says; None for a plain signature."""

    key: VerifierKey
    time: int | None


@dataclass(frozen=True)
class OpenedNote:
    """A note under which at least one known key has signed. Only `open_note` makes one."""

    text: str
    verified: tuple[VerifiedSignature, ...]
    ignored: tuple[Signature, ...]
    """Signatures by keys that are not known here: nothing is known about them."""


def format_vkey(key: VerifierKey) -> str:
    """`name+hex(key_hash)+base64(algorithm ‖ public)`."""
    return f"{key.name}+{key.key_hash.hex()}+{format_b64(bytes([key.algorithm]) + key.public)}"


def parse_vkey(text: str) -> VerifierKey:
    """A verifier key from its one spelling. Raises MalformedError (also for a key_hash that is not the key's own)
    or UnsupportedVersion for another algorithm."""
    name, hash_text, key_text = [*text.split("+", 2), "", ""][:3]
    key_hash, key = parse_hex(hash_text, _HASH_SIZE), parse_b64(key_text)
    if not key:
        raise MalformedError("a verifier key without its key")
    parsed = VerifierKey(name, key[0], key[1:])
    if parsed.key_hash != key_hash:
        raise MalformedError("the key ID is not that of the key")
    return parsed


def sign(text: str, signer: SignerKey, *, time: int | None = None) -> Signature:
    """Signs a note's text, which ends in a newline; a cosigner says at which `time` (Unix seconds) it looked.

    Raises ValueError if `text` can't be a note's, or if `time` is missing or out of place.
    """
    _require_text(text)
    if (signer.algorithm == COSIGNATURE) != (time is not None):
        raise ValueError("a cosignature has a time, and nothing else has")
    if time is None:
        raw = signer.sign_bytes(text.encode())
    elif 0 <= time <= MAX_TIME:
        raw = u64(time) + signer.sign_bytes(_cosigned_message(time, text))
    else:
        raise ValueError("a time that no calendar has")
    return Signature(signer.name, signer.verifier.key_hash, raw)


def sign_note(text: str, signer: SignerKey) -> str:
    """The whole note: `text` under one Ed25519 signature. Raises ValueError as `sign` does."""
    return format_note(Note(text, (sign(text, signer),)))


def format_note(note: Note) -> str:
    """The text, an empty line, the signature lines. UTF-8 when it travels."""
    return f"{note.text}\n{format_signatures(note.signatures)}"


def parse_note(data: bytes) -> Note:
    """A note of at most 64 KiB with at least one signature line. Raises MalformedError."""
    text = _decode(data)
    body, separator, lines = text.rpartition("\n\n")
    if not separator:
        raise MalformedError("no empty line between text and signatures")
    return Note(body + "\n", _parse_lines(lines))


def format_signatures(signatures: Iterable[Signature]) -> str:
    """One line each: em dash, space, name, space, base64(key_hash ‖ raw), newline."""
    return "".join(f"{_DASH}{one.name} {format_b64(one.key_hash + one.raw)}\n" for one in signatures)


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """At least one signature line and nothing else, as a witness answers. Raises MalformedError."""
    return _parse_lines(_decode(data))


def open_note(data: bytes, known_keys: Iterable[VerifierKey]) -> OpenedNote:
    """Verifies every signature by a known key; all must hold, and there must be one.

    Raises MalformedError, SignatureInvalid, or NoteKeyUnknown.
    """
    return _open_note(data, tuple(known_keys))


@lru_cache(maxsize=8)
def _open_note(data: bytes, known_keys: tuple[VerifierKey, ...]) -> OpenedNote:
    """The receipts of a batch bring one note, and the next request brings it again: it is verified once."""
    note = parse_note(data)
    known = {(key.name, key.key_hash): key for key in known_keys}
    verified, ignored = [], []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_hash))
        if key is None:
            ignored.append(signature)
        else:
            verified.append(VerifiedSignature(key, verify_signature(note.text, signature, key)))
    if not verified:
        raise NoteKeyUnknown()
    return OpenedNote(note.text, tuple(verified), tuple(ignored))


def verify_signature(text: str, signature: Signature, key: VerifierKey) -> int | None:
    """The proven time of a cosignature, None for a plain signature. Raises SignatureInvalid.

    A cosignature that claims a time beyond the year 9999 is refused as one from the future.
    """
    if (signature.name, signature.key_hash) != (key.name, key.key_hash):
        raise SignatureInvalid("made by another key")
    if key.algorithm == ED25519:
        verify_ed25519(key.public, text.encode(), signature.raw)
        return None
    if len(signature.raw) != _TIME_SIZE + SIGNATURE_SIZE:
        raise SignatureInvalid("a cosignature has 72 bytes")
    time = int.from_bytes(signature.raw[:_TIME_SIZE], "big")
    if time > MAX_TIME:
        raise SignatureInvalid("a time that no calendar has")
    verify_ed25519(key.public, _cosigned_message(time, text), signature.raw[_TIME_SIZE:])
    return time


def refuse_controls(text: str) -> None:
    """Raises MalformedError if `text` has an ASCII control character other than newline."""
    if _CONTROLS.search(text):
        raise MalformedError("a control character other than newline")


def _cosigned_message(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _require_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROLS.search(text):
        raise ValueError("a note's text ends in a newline and has no other control character")


def _is_name(name: str) -> bool:
    return bool(name) and not _NO_NAME.search(name)


def _decode(data: bytes) -> str:
    if len(data) > MAX_NOTE_SIZE:
        raise MalformedError("a note of more than 64 KiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    refuse_controls(text)
    return text


def _parse_lines(text: str) -> tuple[Signature, ...]:
    *lines, rest = text.split("\n")
    if rest or not lines:
        raise MalformedError("signature lines, each ending in a newline, were expected")
    return tuple(map(_parse_line, lines))


def _parse_line(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not separator or not _is_name(name):
        raise MalformedError("not a signature line")
    value = parse_b64(encoded)
    if len(value) <= _HASH_SIZE:
        raise MalformedError("a signature too short")
    return Signature(name, value[:_HASH_SIZE], value[_HASH_SIZE:])
