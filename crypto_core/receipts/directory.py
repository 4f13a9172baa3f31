"""The professionals' directory: who is listed, by which keys, and the digits by which two people compare them.

Knows: the entries of protocol §7 (docs/spec/directory.md) and what they come to, read one after the other.
Refuses to know: who approved whom, trees and signatures, which of two people of one name is the right one, and whether
the witnesses that an entry asks for have signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha512
from typing import Any

from crypto_core.derivation import KEY_SIZE
from crypto_core.encoding import (
    MAX_SAFE_INTEGER, format_b64url, format_json, format_time, parse_b64url, parse_json, parse_time,
)
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.labels import Kind, context
from crypto_core.receipts.policy import Policy, format_policy, parse_policy

VERSION = 1
MAX_ENTRY = 4096
"""The largest entry, in bytes."""

_PROFESSION = re.compile("[a-z]{1,20}")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Controls, and what turns text around or isn't seen: two names that look alike must not differ by these."""


@dataclass(frozen=True)
class Listing:
    """Who is listed. `name` isn't empty; `org` and `town` may be. The keys are 32 bytes each.

    Raises MalformedError for a text that can't be shown as it is spelled, or a `kind` that isn't 1–20 small letters.
    """

    name: str
    org: str
    town: str
    kind: str
    pk_box: bytes
    pk_sign: bytes

    def __post_init__(self) -> None:
        if not self.name or any(text != text.strip(" ") or _UNSEEN.search(text) for text in self._texts):
            raise MalformedError("a name, an organisation or a town that can't be shown as it is")
        if not _PROFESSION.fullmatch(self.kind):
            raise MalformedError("a kind is up to 20 small letters")
        if len(self.pk_box) != KEY_SIZE or len(self.pk_sign) != KEY_SIZE:
            raise MalformedError("a key is exactly 32 bytes")

    @property
    def _texts(self) -> tuple[str, str, str]:
        return self.name, self.org, self.town

    @property
    def fingerprint(self) -> str:
        """The digits to compare."""
        return derive_fingerprint(self.pk_box, self.pk_sign)


@dataclass(frozen=True)
class Listed:
    """An entry that lists somebody from a time on (Unix seconds), perhaps in place of an earlier entry."""

    listing: Listing
    since: int
    replaces: int | None


@dataclass(frozen=True)
class Revoked:
    """An entry that ends an earlier one."""

    revokes: int


@dataclass(frozen=True)
class Witnessed:
    """An entry that says whose cosignatures this directory has from now on, and how many of them are enough."""

    policy: Policy


Entry = Listed | Revoked | Witnessed


@dataclass(frozen=True)
class Directory:
    """What the entries of a directory come to. Only `read_directory` makes one."""

    current: Mapping[int, Listed]
    """By index: listed, and neither replaced nor revoked."""
    all: Mapping[int, Entry]
    unread: int
    """Entries of a newer version than this one, which are passed over."""
    policy: Policy | None
    """That of the last entry that has one."""


def derive_fingerprint(pk_box: bytes, pk_sign: bytes) -> str:
    """Eight groups of five digits, a space between: SHA-512(ctx("fingerprint", pk_box, pk_sign)), its first 40 bytes as
    8 × (u40 mod 100000). The keys are 32 bytes each."""
    digest = sha512(context(Kind.FINGERPRINT, pk_box, pk_sign)).digest()
    groups = (int.from_bytes(digest[at:at + 5], "big") % 100_000 for at in range(0, 40, 5))
    return " ".join(f"{group:05}" for group in groups)


def format_entry(entry: Entry) -> bytes:
    """An entry's one spelling: compact JSON, names in this order; a policy in its canonical spelling.

    Raises MalformedError beyond 4,096 bytes, or for a policy whose names are not UTF-8.
    """
    facts: dict[str, Any] = {"v": VERSION}
    if isinstance(entry, Revoked):
        facts["revokes"] = entry.revokes
    elif isinstance(entry, Witnessed):
        facts["policy"] = _spelled(entry.policy)
    else:
        one = entry.listing
        facts |= {
            "name": one.name, "org": one.org, "town": one.town, "kind": one.kind, "pk_box": format_b64url(one.pk_box),
            "pk_sign": format_b64url(one.pk_sign), "from": format_time(entry.since), "replaces": entry.replaces,
        }
    spelled = format_json(facts)
    if len(spelled) > MAX_ENTRY:
        raise MalformedError("an entry of more than 4,096 bytes")
    return spelled


def parse_entry(data: bytes) -> Entry:
    """The inverse of `format_entry`. Raises MalformedError, or UnsupportedVersion for another `v`, or for a policy with
    a key of an algorithm that this version doesn't know."""
    if len(data) > MAX_ENTRY:
        raise MalformedError("an entry of more than 4,096 bytes")
    facts = parse_json(data)
    if not isinstance(facts, dict) or not _is_whole(facts.get("v")):
        raise MalformedError("an entry is an object with a version")
    if facts["v"] != VERSION:
        raise UnsupportedVersion()
    entry = _entry(facts)
    if format_entry(entry) != data:
        raise MalformedError("not the spelling of an entry")
    return entry


def read_directory(entries: Iterable[bytes]) -> Directory:
    """All entries in their order. Raises MalformedError for one that isn't spelled right, or that replaces or revokes
    what isn't current: no directory that the operator's commands made has such a one."""
    current, everything, unread, policy = dict[int, Listed](), dict[int, Entry](), 0, None
    for index, data in enumerate(entries):
        try:
            entry = parse_entry(data)
        except UnsupportedVersion:
            unread += 1
            continue
        everything[index] = entry
        if isinstance(entry, Witnessed):
            policy = entry.policy
            continue
        ends = entry.revokes if isinstance(entry, Revoked) else entry.replaces
        if ends is not None and current.pop(ends, None) is None:
            raise MalformedError("an entry that ends what is not listed")
        if isinstance(entry, Listed):
            current[index] = entry
    return Directory(current, everything, unread, policy)


def _entry(facts: dict[str, Any]) -> Entry:
    match facts:
        case {"v": _, "revokes": int(revokes)} if len(facts) == 2 and _is_whole(revokes):
            return Revoked(revokes)
        case {"v": _, "policy": str(policy)} if len(facts) == 2:
            return Witnessed(parse_policy(policy.encode("utf-8")))
        case {
            "name": str(name), "org": str(org), "town": str(town), "kind": str(kind), "pk_box": str(box),
            "pk_sign": str(sign), "from": str(since), "replaces": replaces,
        } if replaces is None or _is_whole(replaces):
            listing = Listing(name, org, town, kind, parse_b64url(box, KEY_SIZE), parse_b64url(sign, KEY_SIZE))
            return Listed(listing, parse_time(since), replaces)
    raise MalformedError("an entry without what it has to say")


def _spelled(policy: Policy) -> str:
    try:
        return format_policy(policy).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("a policy whose names are not text") from None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SAFE_INTEGER
