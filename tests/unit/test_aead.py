"""libsodium, asked to write where it is wanted, does what PyNaCl's public binding does, and touches nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt
from nacl.exceptions import CryptoError

from crypto_core.aead import CHACHA20_POLY1305, MAX_SIZE, TAG_SIZE
from crypto_core.randomness import make_bytes

KEY, NONCE = bytes(range(32)), bytes(range(12))
SIZES = [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 4096, MAX_SIZE - 1, MAX_SIZE]
AROUND = b"\xaa" * 32


@pytest.mark.parametrize("size", SIZES)
def test_it_seals_as_the_public_binding_does_and_writes_nowhere_else(size: int) -> None:
    message = bytes(index % 251 for index in range(size))
    place = bytearray(AROUND + bytes(size + TAG_SIZE) + AROUND)
    CHACHA20_POLY1305.encrypt(message, [NONCE], KEY, memoryview(place)[32:-32])
    sealed = bytes(place[32:-32])
    assert sealed == crypto_aead_chacha20poly1305_ietf_encrypt(message, None, NONCE, KEY)
    assert place[:32] == place[-32:] == AROUND
    back = bytearray(AROUND + bytes(size) + AROUND)
    CHACHA20_POLY1305.decrypt(sealed, [NONCE], KEY, memoryview(back)[32:-32])
    assert back == AROUND + message + AROUND


@pytest.mark.parametrize("last", [0, 1, 500, MAX_SIZE])
@pytest.mark.parametrize("whole", [0, 1, 3])
def test_many_at_once_are_each_what_they_are_alone(whole: int, last: int) -> None:
    message = make_bytes(whole * MAX_SIZE + last)
    nonces = [make_bytes(12) for _ in range(whole + 1)]
    cut = [message[at * MAX_SIZE:(at + 1) * MAX_SIZE] for at in range(whole + 1)]
    place = bytearray(AROUND + bytes(len(message) + (whole + 1) * TAG_SIZE) + AROUND)
    CHACHA20_POLY1305.encrypt(message, nonces, KEY, memoryview(place)[32:-32])
    alone = [crypto_aead_chacha20poly1305_ietf_encrypt(one, None, nonce, KEY) for one, nonce in zip(cut, nonces)]
    assert place == AROUND + b"".join(alone) + AROUND
    back = bytearray(AROUND + bytes(len(message)) + AROUND)
    CHACHA20_POLY1305.decrypt(memoryview(place)[32:-32], nonces, KEY, memoryview(back)[32:-32])
    assert back == AROUND + message + AROUND
    for other in (nonces[1:], [*nonces, bytes(12)]):
        with pytest.raises(ValueError, match="chunk"):
            CHACHA20_POLY1305.decrypt(memoryview(place)[32:-32], other, KEY, memoryview(back)[32:-32])


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32), st.integers(0), st.integers(0, 7))
def test_one_bit_is_enough_to_be_refused_and_shows_nothing(message: bytes, key: bytes, at: int, bit: int) -> None:
    sealed = bytearray(len(message) + TAG_SIZE)
    CHACHA20_POLY1305.encrypt(message, [NONCE], key, memoryview(sealed))
    sealed[at % len(sealed)] ^= 1 << bit
    back = bytearray(len(message))
    with pytest.raises(CryptoError):
        CHACHA20_POLY1305.decrypt(sealed, [NONCE], key, memoryview(back))
    assert back == bytes(len(message))


@pytest.mark.parametrize(
    ("text", "nonce", "key", "into"),
    [(0, 12, 32, 15), (0, 12, 32, 17), (MAX_SIZE + 1, 12, 32, MAX_SIZE + 17), (5, 11, 32, 21), (5, 12, 31, 21)],
    ids=["no room", "too much room", "a message too long", "a short nonce", "a short key"],
)
def test_other_lengths_never_reach_libsodium(text: int, nonce: int, key: int, into: int) -> None:
    with pytest.raises(ValueError, match="chunk|key"):
        CHACHA20_POLY1305.encrypt(bytes(text), [bytes(nonce)], bytes(key), memoryview(bytearray(into)))
    with pytest.raises(ValueError, match="chunk|key"):
        CHACHA20_POLY1305.decrypt(bytes(into), [bytes(nonce)], bytes(key), memoryview(bytearray(text)))


def test_a_place_that_nobody_may_write_to_is_refused() -> None:
    with pytest.raises((BufferError, TypeError)):
        CHACHA20_POLY1305.encrypt(b"text", [NONCE], KEY, memoryview(bytes(20)))
