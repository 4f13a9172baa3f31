"""What the ledger holds of a deposit: forty bytes that tell nobody which file they stand for.

Knows: protocol §6 (docs/spec/receipt.md). Refuses to know: trees, signatures, what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256 as sha256_of

from crypto_core.encoding import HASH_SIZE, MAX_TIME, u64
from crypto_core.errors import MalformedError
from crypto_core.labels import Kind, context

NONCE_SIZE = 32
EXTRA_SIZE = 80
ENTRY_SIZE = 40
ROUNDING = 60
"""Seconds: the public entry tells the minute, the receipt the second."""


@dataclass(frozen=True)
class Commitment:
    """A deposit, as its receipt tells it: 32 bytes drawn afresh for it, Unix seconds by the operator's clock,
    the length of the sealed file in bytes and its SHA-256. Raises ValueError for values that no deposit has."""

    nonce: bytes
    time: int
    size: int
    sha256: bytes

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_SIZE or len(self.sha256) != HASH_SIZE:
            raise ValueError("a nonce and a SHA-256 have 32 bytes each")
        if not 0 <= self.time <= MAX_TIME or not 0 <= self.size < 1 << 64:
            raise ValueError("a time or a size out of range")

    @property
    def extra(self) -> bytes:
        """The 80 bytes of the receipt's `extra` line."""
        return format_extra(self)


def format_extra(commitment: Commitment) -> bytes:
    """`nonce32 ‖ u64 time ‖ u64 size ‖ sha256`: 80 bytes."""
    return commitment.nonce + u64(commitment.time) + u64(commitment.size) + commitment.sha256


def parse_extra(data: bytes) -> Commitment:
    """The commitment in exactly 80 bytes. Raises MalformedError for another length, or a time beyond the year 9999."""
    if len(data) != EXTRA_SIZE:
        raise MalformedError("extra data of another length than 80 bytes")
    time, size = int.from_bytes(data[32:40], "big"), int.from_bytes(data[40:48], "big")
    if time > MAX_TIME:
        raise MalformedError("a time that no calendar has")
    return Commitment(data[:32], time, size, data[48:])


def rounded_time(time: int) -> int:
    """The next whole minute, or `time` itself if it is one."""
    return -(-time // ROUNDING) * ROUNDING


def entry_bytes(commitment: Commitment) -> bytes:
    """The ledger's entry: `u64 rounded_time ‖ SHA-256(ctx("receipt") ‖ extra)`, 40 bytes."""
    return u64(rounded_time(commitment.time)) + sha256_of(context(Kind.RECEIPT) + commitment.extra).digest()
