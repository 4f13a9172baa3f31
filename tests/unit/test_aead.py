"""libsodium, asked to write where it is wanted, does what PyNaCl's public binding does, and touches nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt
from nacl.exceptions import CryptoError

from crypto_core.aead import CHACHA20_POLY1305, MAX_SIZE, TAG_SIZE

KEY, NONCE = bytes(range(32)), bytes(range(12))
SIZES = [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 4096, MAX_SIZE - 1, MAX_SIZE]
AROUND = b"\xaa" * 32


@pytest.mark.parametrize("size", SIZES)
def test_it_seals_as_the_public_binding_does_and_writes_nowhere_else(size: int) -> None:
    message = bytes(index % 251 for index in range(size))
    place = bytearray(AROUND + bytes(size + TAG_SIZE) + AROUND)
    CHACHA20_POLY1305.encrypt(memoryview(message), NONCE, KEY, memoryview(place)[32:-32])
    sealed = bytes(place[32:-32])
    assert sealed == crypto_aead_chacha20poly1305_ietf_encrypt(message, None, NONCE, KEY)
    assert place[:32] == place[-32:] == AROUND
    back = bytearray(AROUND + bytes(size) + AROUND)
    CHACHA20_POLY1305.decrypt(memoryview(sealed), NONCE, KEY, memoryview(back)[32:-32])
    assert back == AROUND + message + AROUND


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32), st.integers(0), st.integers(0, 7))
def test_one_bit_is_enough_to_be_refused_and_shows_nothing(message: bytes, key: bytes, at: int, bit: int) -> None:
    sealed = bytearray(len(message) + TAG_SIZE)
    CHACHA20_POLY1305.encrypt(memoryview(message), NONCE, key, memoryview(sealed))
    sealed[at % len(sealed)] ^= 1 << bit
    back = bytearray(len(message))
    with pytest.raises(CryptoError):
        CHACHA20_POLY1305.decrypt(memoryview(sealed), NONCE, key, memoryview(back))
    assert back == bytes(len(message))


@pytest.mark.parametrize(
    ("text", "nonce", "key", "into"),
    [(0, 12, 32, 15), (0, 12, 32, 17), (MAX_SIZE + 1, 12, 32, MAX_SIZE + 17), (5, 11, 32, 21), (5, 12, 31, 21)],
    ids=["no room", "too much room", "a message too long", "a short nonce", "a short key"],
)
def test_other_lengths_never_reach_libsodium(text: int, nonce: int, key: int, into: int) -> None:
    with pytest.raises(ValueError, match="chunk|key"):
        CHACHA20_POLY1305.encrypt(memoryview(bytes(text)), bytes(nonce), bytes(key), memoryview(bytearray(into)))
    with pytest.raises(ValueError, match="chunk|key"):
        CHACHA20_POLY1305.decrypt(memoryview(bytes(into)), bytes(nonce), bytes(key), memoryview(bytearray(text)))


def test_a_place_that_nobody_may_write_to_is_refused() -> None:
    with pytest.raises((BufferError, TypeError)):
        CHACHA20_POLY1305.encrypt(memoryview(b"text"), NONCE, KEY, memoryview(bytes(20)))
