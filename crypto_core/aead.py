"""Encrypts and opens what is at most one chunk long, into a place that the caller has.

Knows: ChaCha20-Poly1305, in libsodium itself (docs/adr/0020). Refuses to know: chunks, nonces, contexts.

PyNaCl's public binding takes a copy of each chunk, clears a place for the answer, and copies that, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nacl._sodium import ffi, lib
from nacl.exceptions import CryptoError

NONCE_SIZE = 12
TAG_SIZE = 16
MAX_SIZE = 16_384
"""The longest message."""

_KEY_SIZE = 32
_NOTHING = ffi.NULL


@dataclass(frozen=True)
class Aead:
    """An AEAD with a 32-byte key, a 12-byte nonce and a 16-byte tag, under its IANA name; never associated data.

    Both functions take (text, nonce, key, into): `encrypt` writes the sealed message (0 to 16,384 bytes) and its tag
    into `into`, 16 bytes longer; `decrypt` writes the message, 16 bytes shorter, and raises nacl's CryptoError if it
    does not verify.
    """

    name: str
    encrypt: Callable[[memoryview, bytes, bytes, memoryview], None]
    decrypt: Callable[[memoryview, bytes, bytes, memoryview], None]


def _encrypt(message: memoryview, nonce: bytes, key: bytes, into: memoryview) -> None:
    _require_sizes(len(message), len(into) - TAG_SIZE, nonce, key)
    failed = lib.crypto_aead_chacha20poly1305_ietf_encrypt(
        ffi.from_buffer(into, require_writable=True), _NOTHING, ffi.from_buffer(message), len(message),
        _NOTHING, 0, _NOTHING, nonce, key,
    )
    if failed:
        raise CryptoError("not encrypted")


def _decrypt(sealed: memoryview, nonce: bytes, key: bytes, into: memoryview) -> None:
    _require_sizes(len(sealed) - TAG_SIZE, len(into), nonce, key)
    failed = lib.crypto_aead_chacha20poly1305_ietf_decrypt(
        ffi.from_buffer(into, require_writable=True), _NOTHING, _NOTHING, ffi.from_buffer(sealed), len(sealed),
        _NOTHING, 0, nonce, key,
    )
    if failed:
        raise CryptoError("does not verify")


def _require_sizes(size: int, wanted: int, nonce: bytes, key: bytes) -> None:
    """C looks at no length: whatever isn't exactly right must not get there."""
    if not 0 <= size <= MAX_SIZE or size != wanted:
        raise ValueError("a chunk has 0 to 16,384 bytes, and sealed 16 more")
    if len(nonce) != NONCE_SIZE or len(key) != _KEY_SIZE:
        raise ValueError("a key is exactly 32 bytes, a nonce exactly 12")


CHACHA20_POLY1305 = Aead("AEAD_CHACHA20_POLY1305", _encrypt, _decrypt)
"""RFC 8439. The only one the vault uses; tests give another to run the published cases."""
