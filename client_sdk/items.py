"""What a person keeps, as the device shows it.

Knows: the values that VaultClient takes and gives. Refuses to know: seals, wires, disks.
Everything a person wrote is hidden from `repr`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from crypto_core.errors import TemoinError
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.receipts.restoration import Restoration

State = Literal["open", "locked", "newer_version", "missing"]
"""`locked`: sensitive, and the PIN was not given again. `missing`: erased, or not shown by the vault."""


NOT_READ = frozenset({"tombstone", "loss"})
"""Kinds that say what became of others, and are in no list: a deletion, and what the vault lost."""


@dataclass(frozen=True)
class Happened:
    """When the facts took place, in Unix seconds; no ends with precision `words`. `words` is what was typed."""

    from_: int | None
    to: int | None
    precision: Literal["minute", "day", "month", "year", "words"]
    words: str = field(repr=False)


@dataclass(frozen=True)
class Content:
    """One file of an item. `sealed` is the SHA-256 of its blob, `sha256` that of the original; `key` opens the blob.

    A recording's is in `parts`, its segments in order: then `key` derives theirs, and `blob` and `sealed` are the
    first one's. None of anything else. `has_gap`: segments before its last one are missing, since they were nowhere any
    more.
    """

    blob: bytes
    key: bytes = field(repr=False)
    sealed: bytes
    sha256: bytes
    name: str = field(repr=False)
    mime: str = field(repr=False)
    size: int
    parts: tuple[Content, ...] | None = field(default=None, repr=False)
    has_gap: bool = False


@dataclass(frozen=True)
class Draft:
    """What a person fills in. `written` is the time of writing, in Unix seconds; the device's clock if None."""

    text: str = field(default="", repr=False)
    title: str = field(default="", repr=False)
    happened: Happened | None = field(default=None, repr=False)
    written: int | None = None
    place: str | None = field(default=None, repr=False)
    people: tuple[str, ...] = field(default=(), repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    danger: int | None = field(default=None, repr=False)
    mood: str | None = field(default=None, repr=False)
    category: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Sent:
    """Whose an item of kind `received` is: the deposit as somebody sent it, in their own words."""

    box: bytes
    deposit: bytes
    """The blob that holds the words sealed; `key` opens it, `sealed` is its SHA-256, `size` its bytes."""
    key: bytes = field(repr=False)
    sealed: bytes
    size: int
    name: str = field(repr=False)
    message: str = field(repr=False)
    written: int
    """Unix seconds, by the depositor's clock."""


@dataclass(frozen=True)
class Item:
    """One revision of an item. Unless `state` is `open`, only the first five fields say anything."""

    id: bytes
    revision: int
    deposited: int
    """Unix seconds, by the vault's clock; the receipt says what is proven."""
    sensitive: bool
    state: State
    kind: str | None = field(default=None, repr=False)
    """`journal`, `document`, `assessment`, `extract`, `received`, or in a history one of NOT_READ; None unless open."""
    title: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    happened: Happened | None = field(default=None, repr=False)
    written: int | None = None
    place: str | None = field(default=None, repr=False)
    people: tuple[str, ...] = field(default=(), repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    danger: int | None = field(default=None, repr=False)
    mood: str | None = field(default=None, repr=False)
    category: str | None = field(default=None, repr=False)
    contents: tuple[Content, ...] = field(default=(), repr=False)
    answers: Mapping[str, bool] | None = field(default=None, repr=False)
    """What was ticked in a self-assessment, by question; None for anything else."""
    of: tuple[bytes, int] | None = None
    """Of which item and revision an extract is a part; None for anything else."""
    masked: tuple[bytes, ...] = ()
    """Of an extract the blobs that are no originals: pictures of which parts were covered."""
    sent: Sent | None = field(default=None, repr=False)
    """Whose it is, if somebody else put it into a box; None for anything else."""


@dataclass(frozen=True)
class Kept:
    """Said only of what is kept: the receipt verified under the pinned key. `receipt` is the tlog-proof, whole.

    `conflict`: another device had changed the item first. Both texts are in its history; this one is on top, or, if
    the item had been deleted meanwhile, in a new item (`id` says which).
    """

    id: bytes
    revision: int
    deposited: int
    """Unix seconds, as the receipt says."""
    receipt: str
    verified: VerifiedReceipt
    conflict: bool = False


@dataclass(frozen=True)
class Deletion:
    """A tombstone that is kept. The item is hidden now and erased after `erased_after` (Unix seconds)."""

    id: bytes
    revision: int
    erased_after: int
    receipt: str


@dataclass(frozen=True)
class KeptReceipt:
    """A receipt that verified. `name` is what export calls the blob: `<item>-<revision>`, or the blob's id, in hex."""

    name: str
    receipt: str
    verified: VerifiedReceipt


@dataclass(frozen=True)
class Anchor:
    """A token of a time-stamping authority (RFC 3161, in DER), the certificates below its root (in PEM), and the signed
    checkpoint that it is over. Nobody has verified the token: that takes a root, which whoever doubts it chooses."""

    token: bytes = field(repr=False)
    chain: str = field(repr=False)
    checkpoint: str = field(repr=False)


@dataclass(frozen=True)
class SealedBlob:
    """The sealed bytes of a record or content, to export. Whoever writes `chunks` compares their SHA-256 in the end.

    Where an authority has stamped the ledger since, the receipt is the one under the stamped checkpoint, and `anchor`
    its token; `before` is the last one over the ledger without this entry.
    """

    name: str
    sha256: bytes
    size: int
    chunks: Iterator[bytes] = field(repr=False)
    receipt: str = field(repr=False)
    verified: VerifiedReceipt
    anchor: Anchor | None = None
    before: Anchor | None = None


@dataclass(frozen=True)
class Recovering:
    """Somebody has shown the recovery words: `begun`, and `due` from when on they may choose anew (Unix seconds)."""

    begun: int
    due: int


@dataclass(frozen=True)
class NextWait:
    """A shorter waiting time, in seconds, and since when it holds (Unix seconds)."""

    wait: int
    since: int


@dataclass(frozen=True)
class RecoveryWait:
    """How long whoever shows the recovery words waits, in seconds; `next`: what was chosen and doesn't hold yet."""

    wait: int
    next: NextWait | None


@dataclass(frozen=True)
class Opening:
    """What a person should know when the vault opens. Wrong passwords can't be attributed, only PINs are counted."""

    last_opened: int | None
    wrong_pins: int
    wrong_total: int
    advise_change: bool
    warnings: tuple[TemoinError, ...] = ()
    """Why the vault may not be what it was. While there are any but `ledger_lags`, nothing is edited or deleted."""
    waiting: int = 0
    """How much sealed writing could not be sent yet; it is tried again at each opening."""
    given_back: int = 0
    """How many versions the vault had lost, and has again from this device."""
    restorations: tuple[Restoration, ...] = ()
    """What the ledger has signed of older copies that were put back, while a warning stands. It excuses nothing."""
