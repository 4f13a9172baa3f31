"""The one place that draws random bytes.

Knows: libsodium's generator. Refuses to know: what they are for.
"""

from __future__ import annotations

from nacl.bindings import randombytes

from crypto_core.encoding import ID_SIZE


def make_bytes(size: int) -> bytes:
    """`size` random bytes."""
    return randombytes(size)


def make_id() -> bytes:
    """A fresh 16-byte id, never used again."""
    return randombytes(ID_SIZE)
