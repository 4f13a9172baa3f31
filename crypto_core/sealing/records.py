"""Seals records, contents, links, the account record, and what a device keeps (docs/spec/records.md).

Knows: the key, label and plain layout of each (protocol §3, §4). Refuses to know: what the JSON says (schemas do) and
how record keys are wrapped (the keyring does).
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_core.derivation import KEY_SIZE, derive
from crypto_core.encoding import HASH_SIZE, ID_SIZE, u32, u64
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import Opener, Sealer, open_sealed, seal
from crypto_core.sealing.padding import pad_record, unpad_record

MAX_PARENTS = 16
LINK_SIZE = 626
"""A link once sealed, whatever it holds."""

_LINK_VERSION = 1
_LINK_FIXED = 1 + 1 + 8 + HASH_SIZE
_LINK_PLAIN = _LINK_FIXED + MAX_PARENTS * HASH_SIZE


@dataclass(frozen=True)
class Link:
    """How one revision hangs on those before it; outside its record, and kept when the record is erased."""

    account_n: int
    """The newest account record that its writer had seen."""
    record_hash: bytes
    """SHA-256 of the record blob, 32 bytes."""
    parents: tuple[bytes, ...]
    """Up to 16 record hashes that no known link named yet, the oldest first; none only for the very first."""


def make_record_key() -> bytes:
    """A new key for one revision's record, 32 bytes."""
    return make_bytes(KEY_SIZE)


def make_content_key() -> bytes:
    """A new key for one content blob, 32 bytes."""
    return make_bytes(KEY_SIZE)


def derive_segment(segments_key: bytes, number: int) -> tuple[bytes, bytes]:
    """The blob id (16 bytes) and the content key (32 bytes) of one segment of a recording, counted from 0."""
    name = derive(segments_key, Kind.SEGMENT_ID, u32(number))[:ID_SIZE]
    return name, derive(segments_key, Kind.SEGMENT, u32(number))


def seal_record(key: bytes, item: bytes, revision: int, json: bytes) -> bytes:
    """One revision's record: `json` padded and sealed for its item (16 bytes) and revision."""
    return seal(key, context(Kind.RECORD, item, u32(revision)), pad_record(json))


def open_record(key: bytes, item: bytes, revision: int, blob: bytes) -> bytes:
    """The JSON of a record. Raises TamperedError, MalformedError or UnsupportedVersion."""
    return unpad_record(open_sealed(key, context(Kind.RECORD, item, u32(revision)), blob))


def content_sealer(key: bytes, blob_id: bytes, salt: bytes | None = None) -> Sealer:
    """Seals one content (as `padding.pad_content` gives it) for its blob id (16 bytes).

    `salt` (24 bytes) is given only to seal the very same bytes again, when an upload resumes.
    """
    return Sealer(key, context(Kind.CONTENT, blob_id), salt=salt)


def content_opener(key: bytes, blob_id: bytes, header: bytes) -> Opener:
    """Opens one content from the first 56 bytes of its blob. Raises TamperedError or MalformedError."""
    return Opener(key, context(Kind.CONTENT, blob_id), header)


def format_link(link: Link) -> bytes:
    """`0x01 ‖ u8 count ‖ u64 account_n ‖ record hash ‖ 16 × parent, zero-filled`: 554 bytes."""
    hashes = (link.record_hash, *link.parents)
    if len(link.parents) > MAX_PARENTS or any(len(one) != HASH_SIZE for one in hashes):
        raise ValueError("a link names at most 16 parents, each hash 32 bytes")
    start = bytes([_LINK_VERSION, len(link.parents)]) + u64(link.account_n)
    return (start + b"".join(hashes)).ljust(_LINK_PLAIN, b"\x00")


def parse_link(data: bytes) -> Link:
    """The inverse of `format_link`. Raises MalformedError, or UnsupportedVersion for another first byte."""
    if len(data) != _LINK_PLAIN:
        raise MalformedError("a link is 554 bytes")
    version, count = data[0], data[1]
    if version != _LINK_VERSION:
        raise UnsupportedVersion()
    if count > MAX_PARENTS:
        raise MalformedError("a link names at most 16 parents")
    starts = range(_LINK_FIXED, _LINK_FIXED + count * HASH_SIZE, HASH_SIZE)
    link = Link(
        account_n=int.from_bytes(data[2:10], "big"),
        record_hash=data[10:_LINK_FIXED],
        parents=tuple(data[start : start + HASH_SIZE] for start in starts),
    )
    if format_link(link) != data:
        raise MalformedError("zeros follow the parents of a link")
    return link


def seal_link(mk_n: bytes, item: bytes, revision: int, link: Link) -> bytes:
    """A link, alike in both tiers: 626 bytes."""
    return seal(derive(mk_n, Kind.LINK), context(Kind.LINK, item, u32(revision)), format_link(link))


def open_link(mk_n: bytes, item: bytes, revision: int, sealed: bytes) -> Link:
    """The inverse of `seal_link`. Raises TamperedError, MalformedError or UnsupportedVersion."""
    return parse_link(open_sealed(derive(mk_n, Kind.LINK), context(Kind.LINK, item, u32(revision)), sealed))


def seal_account_record(mk_n: bytes, account: bytes, n: int, json: bytes) -> bytes:
    """The account record number `n`, padded as records are."""
    return seal(derive(mk_n, Kind.ACCOUNT_RECORD), context(Kind.ACCOUNT_RECORD, account, u64(n)), pad_record(json))


def open_account_record(mk_n: bytes, account: bytes, n: int, blob: bytes) -> bytes:
    """The JSON of account record `n`. Raises TamperedError, MalformedError or UnsupportedVersion."""
    key = derive(mk_n, Kind.ACCOUNT_RECORD)
    return unpad_record(open_sealed(key, context(Kind.ACCOUNT_RECORD, account, u64(n)), blob))


def seal_device_state(mk_n: bytes, name: str, account: bytes, data: bytes) -> bytes:
    """What a device keeps under one ASCII name (a journal, an outbox), sealed for an account; not padded."""
    return seal(derive(mk_n, Kind.DEVICE_STATE), context(Kind.DEVICE_STATE, name.encode("ascii"), account), data)


def open_device_state(mk_n: bytes, name: str, account: bytes, sealed: bytes) -> bytes:
    """The inverse of `seal_device_state`. Raises TamperedError or MalformedError."""
    key = derive(mk_n, Kind.DEVICE_STATE)
    return open_sealed(key, context(Kind.DEVICE_STATE, name.encode("ascii"), account), sealed)
