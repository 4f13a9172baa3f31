"""When a synchronisation may be judged, and what is found: links, heads, erasures, the account record.

Knows: protocol §4's rules over hashes. Refuses to know: keys, disks, requests, and what any record says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from client_sdk.protocol.machine import Machine
from crypto_core.encoding import u32
from crypto_core.sealing.records import MAX_PARENTS, Link

PASSES = 3
"""A pass that finds something is repeated twice: another device may be writing."""

Place = tuple[bytes, int]
"""An item and a revision."""


class Sync(Enum):
    """How far a synchronisation is. Only a finished pass is judged."""

    IDLE = "idle"
    ACCOUNT = "account"
    PAGES = "pages"
    FINISHED = "finished"
    TRUSTED = "trusted"
    WARNED = "warned"


class SyncEvent(Enum):
    """What came."""

    STARTED = "started"
    ACCOUNT_RECORD = "account record"
    PAGE = "page"
    LAST_PAGE = "last page"
    CLEAN = "clean"
    FOUND = "found"
    FOUND_STILL = "found still"


TRANSITIONS: dict[tuple[Sync, SyncEvent], Sync] = {
    (Sync.IDLE, SyncEvent.STARTED): Sync.ACCOUNT,
    (Sync.ACCOUNT, SyncEvent.ACCOUNT_RECORD): Sync.PAGES,
    (Sync.PAGES, SyncEvent.PAGE): Sync.PAGES,
    (Sync.PAGES, SyncEvent.LAST_PAGE): Sync.FINISHED,
    (Sync.FINISHED, SyncEvent.CLEAN): Sync.TRUSTED,
    (Sync.FINISHED, SyncEvent.FOUND): Sync.ACCOUNT,
    (Sync.FINISHED, SyncEvent.FOUND_STILL): Sync.WARNED,
}


def synchronising() -> Machine[Sync, SyncEvent]:
    """A synchronisation that has not begun."""
    return Machine(Sync.IDLE, TRANSITIONS)


class Finding(Enum):
    """What a finished pass may show; the value is the code of the error it becomes."""

    ITEMS_MISSING = "items_missing"
    ACCOUNT_RECORD_OLDER = "account_record_older"
    ACCOUNT_RECORD_INVALID = "account_record_invalid"
    BLOB_SWAPPED = "blob_swapped"
    LEDGER_FORKED = "ledger_forked"
    LEDGER_KEY_CHANGED = "ledger_key_changed"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    DIRECTORY_FORKED = "directory_forked"


@dataclass
class Links:
    """Every link that this device has seen, in the order in which the vault kept them."""

    places: dict[bytes, Place] = field(default_factory=dict)
    """Record hash → where it stands."""
    parents: dict[bytes, None] = field(default_factory=dict)
    """Every record hash that a link names."""
    account_n: int = 0
    """The newest account record that any writer had seen."""
    _heads: dict[bytes, None] = field(default_factory=dict)

    def add(self, place: Place, link: Link) -> None:
        """One more link."""
        self.places[link.record_hash] = place
        if link.record_hash not in self.parents:
            self._heads[link.record_hash] = None
        for parent in link.parents:
            self.parents[parent] = None
            self._heads.pop(parent, None)
        self.account_n = max(self.account_n, link.account_n)

    @property
    def heads(self) -> tuple[bytes, ...]:
        """The record hashes that no link names yet, the oldest first."""
        return tuple(self._heads)

    @property
    def next_parents(self) -> tuple[bytes, ...]:
        """What the next link names."""
        return self.heads[:MAX_PARENTS]


@dataclass(frozen=True)
class Account:
    """What the account record of this pass says, and what this device has seen of it before.

    `faults`: why it could not be read. Then nothing that is said of it is proven, and it is judged by these alone.
    """

    n: int
    hash: bytes
    previous: bytes | None = None
    heads: tuple[bytes, ...] = ()
    seen_n: int = 0
    seen_hash: bytes | None = None
    faults: frozenset[Finding] = frozenset()


@dataclass(frozen=True)
class Pass:
    """A finished pass: all that is judged."""

    account: Account
    links: Links
    ended: frozenset[bytes]
    """The record hashes that tombstones end."""
    lost: frozenset[bytes]
    """The record hashes that were written off."""
    erased: Mapping[Place, bytes]
    """Revisions that came without their record, and the record hash that their link names."""
    withheld: Iterable[bytes]
    """Record hashes that this device holds and a full pass did not show."""
    swapped: Iterable[bytes]
    """`place_key` of revisions whose bytes are not those of their link, or of before."""


@dataclass(frozen=True)
class Accepted:
    """What the person has looked at already, and let stand: missing hashes, `place_key`s, account record numbers."""

    hashes: frozenset[bytes] = frozenset()
    account_n: int = 0


@dataclass(frozen=True)
class Verdict:
    """What was found, and which record hashes and `place_key`s it is about."""

    findings: frozenset[Finding]
    about: frozenset[bytes]


def place_key(place: Place) -> bytes:
    """An item and a revision in 20 bytes."""
    return place[0] + u32(place[1])


def missing_in(finished: Pass) -> set[bytes]:
    """The record hashes that a finished pass should have shown, but for those that were ended or written off."""
    known = finished.links.places
    named = {*finished.links.parents, *finished.account.heads}
    missing = {one for one in named if one not in known}
    missing.update(finished.erased.values())
    missing -= finished.ended
    missing.update(finished.withheld)
    return missing - finished.lost


def judge(finished: Pass, accepted: Accepted = Accepted()) -> Verdict:
    """What a finished pass shows that the person has not accepted yet."""
    missing = missing_in(finished) - accepted.hashes
    swapped = set(finished.swapped) - accepted.hashes
    findings = set(finished.account.faults)
    if missing:
        findings.add(Finding.ITEMS_MISSING)
    if swapped:
        findings.add(Finding.BLOB_SWAPPED)
    linked_n = finished.links.account_n
    if not finished.account.faults and _is_older(finished.account, linked_n if linked_n > accepted.account_n else 0):
        findings.add(Finding.ACCOUNT_RECORD_OLDER)
    return Verdict(frozenset(findings), frozenset(missing | swapped))


def _is_older(account: Account, linked_n: int) -> bool:
    if account.n < max(account.seen_n, linked_n):
        return True
    if account.n == account.seen_n:
        return account.hash != account.seen_hash
    return account.n == account.seen_n + 1 and account.seen_hash is not None and account.previous != account.seen_hash
