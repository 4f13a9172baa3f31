"""Encrypts and opens chunks, as many at once as the caller has, into a place of the caller's.

Knows: ChaCha20-Poly1305, in libsodium itself (docs/adr/0020), and how chunks lie one after the other.
Refuses to know: nonces, contexts.

PyNaCl's public binding takes a copy of each chunk, clears a place for the answer, and copies that, too. Of 16 KiB, what
Python does around a call takes longer than the call: so the loop has nothing in it but the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nacl._sodium import ffi, lib
from nacl.exceptions import CryptoError

NONCE_SIZE = 12
TAG_SIZE = 16
MAX_SIZE = 16_384
"""The longest message."""

_KEY_SIZE = 32
_SEALED_SIZE = MAX_SIZE + TAG_SIZE
_NOTHING = ffi.NULL

_Text = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Aead:
    """An AEAD with a 32-byte key, a 12-byte nonce and a 16-byte tag, under its IANA name; never associated data.

    Both functions take (texts, nonces, key, into): texts one after the other, as many as there are nonces, each as long
    as it may be but for the last, which may be shorter, or empty. `encrypt` writes each sealed message (0 to 16,384
    bytes) and its tag into `into`, each 16 bytes longer; `decrypt` writes the messages, each 16 bytes shorter, and
    raises nacl's CryptoError if one does not verify.
    """

    name: str
    encrypt: Callable[[_Text, Sequence[bytes], bytes, memoryview], None]
    decrypt: Callable[[_Text, Sequence[bytes], bytes, memoryview], None]


def _encrypt(messages: _Text, nonces: Sequence[bytes], key: bytes, into: memoryview) -> None:
    _require_sizes(len(messages), len(into), nonces, key)
    with ffi.from_buffer(messages) as source, ffi.from_buffer(into, require_writable=True) as target:
        for number, (start, size) in enumerate(_cut(len(messages), MAX_SIZE, nonces)):
            failed = lib.crypto_aead_chacha20poly1305_ietf_encrypt(
                target + number * _SEALED_SIZE, _NOTHING, source + start, size, _NOTHING, 0, _NOTHING, nonces[number],
                key,
            )
            if failed:
                raise CryptoError("not encrypted")


def _decrypt(sealed: _Text, nonces: Sequence[bytes], key: bytes, into: memoryview) -> None:
    _require_sizes(len(into), len(sealed), nonces, key)
    with ffi.from_buffer(sealed) as source, ffi.from_buffer(into, require_writable=True) as target:
        for number, (start, size) in enumerate(_cut(len(sealed), _SEALED_SIZE, nonces)):
            failed = lib.crypto_aead_chacha20poly1305_ietf_decrypt(
                target + number * MAX_SIZE, _NOTHING, _NOTHING, source + start, size, _NOTHING, 0, nonces[number], key,
            )
            if failed:
                raise CryptoError("does not verify")


def _cut(length: int, most: int, nonces: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Where each text begins, and how long it is."""
    for number in range(len(nonces)):
        yield number * most, min(most, length - number * most)


def _require_sizes(size: int, sealed: int, nonces: Sequence[bytes], key: bytes) -> None:
    """C looks at no length: whatever isn't exactly right must not get there."""
    count = len(nonces)
    if not max(0, count - 1) * MAX_SIZE <= size <= count * MAX_SIZE or sealed != size + count * TAG_SIZE:
        raise ValueError("a chunk has 0 to 16,384 bytes, and sealed 16 more")
    if any(len(nonce) != NONCE_SIZE for nonce in nonces) or len(key) != _KEY_SIZE:
        raise ValueError("a key is exactly 32 bytes, a nonce exactly 12")


CHACHA20_POLY1305 = Aead("AEAD_CHACHA20_POLY1305", _encrypt, _decrypt)
"""RFC 8439. The only one the vault uses; tests give another to run the published cases."""
