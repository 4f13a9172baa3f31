"""Derives keys with HKDF-SHA-512.

Knows: RFC 5869 and the two ways the protocol uses it (docs/spec/labels.md). Refuses to know: what a key opens.
"""

from __future__ import annotations

import hmac

from crypto_core.labels import Kind, context

KEY_SIZE = 32
_HASH_SIZE = 64


def hkdf_expand(key: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 §2.3 HKDF-Expand with SHA-512: `size` bytes, at most 255 × 64."""
    if not 0 < size <= 255 * _HASH_SIZE:
        raise ValueError("HKDF-Expand gives 1 to 16,320 bytes")
    block, output = b"", b""
    for counter in range(1, -(-size // _HASH_SIZE) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha512")
        output += block
    return output[:size]


def derive(key: bytes, kind: Kind, *fields: bytes) -> bytes:
    """The 32-byte key, seed or tag that `key` gives for one labelled use (protocol §0).

    A key used here is never used with `seal`. Raises ValueError unless `key` is exactly 32 bytes.
    """
    return hkdf_expand(require_key(key), context(kind, *fields), KEY_SIZE)


def kek(label: str, ikm: bytes) -> bytes:
    """RFC 5869 §2.2 HKDF-Extract with SHA-512 under an ASCII label as salt, first 32 bytes: a key that wraps keys."""
    return hmac.digest(label.encode("ascii"), ikm, "sha512")[:KEY_SIZE]


def require_key(key: bytes) -> bytes:
    """`key` itself, if it is exactly 32 bytes; ValueError otherwise."""
    if len(key) != KEY_SIZE:
        raise ValueError("a key is exactly 32 bytes")
    return key
