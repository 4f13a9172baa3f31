"""Whom a reader trusts: ledgers, witnesses, and how many of the witnesses are enough.

Knows: c2sp.org/tlog-policy (docs/spec/note-and-policy.md). Refuses to know: receipts, and what to do with a URL.
Names of witnesses and groups are opaque bytes and mean nothing outside the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.receipts.note import COSIGNATURE, ED25519, VerifierKey, format_vkey, parse_vkey

MAX_POLICY_SIZE = 64 * 1024
NONE = b"none"

_REFUSED_OCTETS = re.compile(rb"[^\x09\x0a\x20-\x7e\x80-\xff]")
_BLANK = re.compile(rb"[ \t]+")
_NUMBER = re.compile(rb"[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Log:
    """A ledger whose checkpoints are accepted. The key's name is the checkpoint's origin."""

    key: VerifierKey
    url: bytes | None = None
    last: int | None = None
    """How many entries the largest tree has that this key may sign alone; None: any. Not in the file: it follows from
    the record of the key that replaced it (receipts.rotation)."""


@dataclass(frozen=True)
class Witness:
    """A cosigner under the name that the policy gives it."""

    name: bytes
    key: VerifierKey
    url: bytes | None = None


@dataclass(frozen=True)
class Group:
    """Counts as having witnessed once `threshold` of its members have; members are witnesses or earlier groups."""

    name: bytes
    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True)
class Policy:
    """Made by `parse_policy` or `for_key`, which hold the rules of the format."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: bytes
    """The name of a witness or group, or `none`."""

    @classmethod
    def for_key(cls, vkey: str) -> Policy:
        """One ledger and no witness: its operator's word is all there is. Raises as `parse_vkey` does,
        and MalformedError for a witness's key."""
        return cls((Log(_require_algorithm(parse_vkey(vkey), ED25519)),), (), (), NONE)

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key whose signatures are checked."""
        return (*(log.key for log in self.logs), *(witness.key for witness in self.witnesses))

    def is_met_by(self, cosigners: Collection[bytes]) -> bool:
        """Whether the witnesses of these names are enough; with `quorum none`, always."""
        witnessed = {NONE, *cosigners}
        for group in self.groups:  # each names only what stands before it
            if sum(member in witnessed for member in group.members) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum in witnessed


def format_policy(policy: Policy) -> bytes:
    """The canonical spelling: logs, witnesses, groups, quorum; single spaces, thresholds in digits, no comments.
    What is known of a log's last tree is left out.

    Raises ValueError for a policy that breaks a rule of the format.
    """
    lines = [
        *([b"log", format_vkey(log.key).encode(), *_present(log.url)] for log in policy.logs),
        *([b"witness", one.name, format_vkey(one.key).encode(), *_present(one.url)] for one in policy.witnesses),
        *([b"group", group.name, b"%d" % group.threshold, *group.members] for group in policy.groups),
        [b"quorum", policy.quorum],
    ]
    data = b"".join(b" ".join(items) + b"\n" for items in lines)
    spelled = replace(policy, logs=tuple(replace(log, last=None) for log in policy.logs))
    try:
        spelled_right = parse_policy(data) == spelled
    except CryptoCoreError:
        spelled_right = False
    if not spelled_right:
        raise ValueError("a policy that can't be spelled")
    return data


def parse_policy(data: bytes) -> Policy:
    """A policy of at most 64 KiB, in any layout the format allows. Raises MalformedError, or UnsupportedVersion
    for a key of an algorithm that this version does not verify (a policy is never enforced by half)."""
    if len(data) > MAX_POLICY_SIZE:
        raise MalformedError("a policy of more than 64 KiB")
    if _REFUSED_OCTETS.search(data):
        raise MalformedError("an octet that a policy may not have")
    *lines, rest = data.split(b"\n")
    if rest:
        raise MalformedError("the last line does not end in a newline")
    reader = _Reader()
    for line in lines:
        items = [item for item in _BLANK.split(line) if item]
        if items and not items[0].startswith(b"#"):
            reader.read(items)
    return reader.finish()


class _Reader:
    """Collects the lines of one policy, each checked against those before it."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.names: set[bytes] = set()
        self.members: set[bytes] = set()
        self.quorum: bytes | None = None

    def read(self, items: list[bytes]) -> None:
        match items:
            case [b"log", vkey, *url] if len(url) <= 1:
                self.logs.append(Log(_new_key(vkey, ED25519, self.logs), next(iter(url), None)))
            case [b"witness", name, vkey, *url] if len(url) <= 1:
                self._define(name)
                self.witnesses.append(Witness(name, _new_key(vkey, COSIGNATURE, self.witnesses), *url))
            case [b"group", name, threshold, *members]:
                self.groups.append(self._group(name, threshold, members))
            case [b"quorum", name]:
                if self.quorum is not None:
                    raise MalformedError("a second quorum")
                if name != NONE:
                    self._require_defined(name)
                self.quorum = name
            case _:
                raise MalformedError("a line that is no log, witness, group or quorum")

    def finish(self) -> Policy:
        if self.quorum is None:
            raise MalformedError("a policy without a quorum")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _group(self, name: bytes, threshold: bytes, members: list[bytes]) -> Group:
        for member in members:
            self._require_defined(member)
            if member in self.members:
                raise MalformedError("a name that is a member twice")
            self.members.add(member)
        self._define(name)
        count = _parse_threshold(threshold, len(members))
        return Group(name, count, tuple(members))

    def _define(self, name: bytes) -> None:
        if name == NONE or name in self.names:
            raise MalformedError("a name that is already taken")
        self.names.add(name)

    def _require_defined(self, name: bytes) -> None:
        if name not in self.names:
            raise MalformedError("a name that no line before has defined")


def _parse_threshold(text: bytes, members: int) -> int:
    if text == b"any" or text == b"all":
        count = 1 if text == b"any" else members
    elif _NUMBER.fullmatch(text):
        count = int(text)
    else:
        raise MalformedError("a threshold is all, any or a decimal number")
    if not 1 <= count <= members:
        raise MalformedError("a threshold that is not between 1 and the number of members")
    return count


def _new_key(vkey: bytes, algorithm: int, others: Iterable[Log | Witness]) -> VerifierKey:
    try:
        text = vkey.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("a verifier key that is not UTF-8") from None
    key = _require_algorithm(parse_vkey(text), algorithm)
    if any(key.public == other.key.public for other in others):
        raise MalformedError("the same public key twice")
    return key


def _require_algorithm(key: VerifierKey, algorithm: int) -> VerifierKey:
    if key.algorithm != algorithm:
        raise MalformedError("a ledger's key where a witness's belongs, or the other way round")
    return key


def _present(url: bytes | None) -> list[bytes]:
    return [] if url is None else [url]
