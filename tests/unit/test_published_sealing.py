"""Known answers published by others: C2SP's chunked encryption, and Wycheproof on the primitives below it.

The chunked cases run through the very envelope code of the vault, with AES-256-GCM in the place of ChaCha20-Poly1305.
On a processor where libsodium has no AES-256-GCM these tests fail with nacl's UnavailableError: nothing else tests it.
"""

from __future__ import annotations

import hmac
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from nacl.bindings import (
    crypto_aead_aes256gcm_decrypt,
    crypto_aead_aes256gcm_encrypt,
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
)
from nacl.exceptions import CryptoError

from crypto_core.aead import CHACHA20_POLY1305, MAX_SIZE, TAG_SIZE, Aead
from crypto_core.derivation import hkdf_expand
from crypto_core.errors import MalformedError, TamperedError
from crypto_core.sealing.envelope import (
    HEADER_SIZE,
    Opener,
    open_range,
    open_sealed,
    open_stream,
    plain_size,
    seal,
    sealed_range,
    split_off,
)


Text = bytes | bytearray | memoryview


def written(
    work: Callable[[bytes, bytes | None, bytes, bytes], bytes], most: int
) -> Callable[[Text, Sequence[bytes], bytes, memoryview], None]:
    """One of PyNaCl's public functions, for texts of `most` bytes, as an Aead has them."""

    def write(texts: Text, nonces: Sequence[bytes], key: bytes, into: memoryview) -> None:
        cut = (bytes(texts[number * most:(number + 1) * most]) for number in range(len(nonces)))
        into[:] = b"".join(work(text, None, nonce, key) for text, nonce in zip(cut, nonces, strict=True))

    return write


AES_256_GCM = Aead(
    "AEAD_AES_256_GCM", written(crypto_aead_aes256gcm_encrypt, MAX_SIZE),
    written(crypto_aead_aes256gcm_decrypt, MAX_SIZE + TAG_SIZE),
)
REFUSALS = (MalformedError, TamperedError, ValueError)  # ValueError: a key that isn't 32 bytes is the caller's mistake


def cases(folder: Path, name: str, count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, case) of one Wycheproof file, which must hold exactly `count` cases."""
    document = json.loads((folder / "wycheproof" / f"{name}.json").read_text(encoding="utf-8"))
    found = [(group, case) for group in document["testGroups"] for case in group["tests"]]
    assert len(found) == count == document["numberOfTests"]
    return iter(found)


def test_all_35_chunked_encryption_cases(published_vectors: Path) -> None:
    passed = 0
    for group, case in cases(published_vectors, "c2sp_chunked_encryption_aes_256_gcm_test", 35):
        assert (group["aead"], group["sha"]) == (AES_256_GCM.name, "SHA-512")
        key, context = bytes.fromhex(case["key"]), bytes.fromhex(case["ctx"])
        sealed = zlib.decompress(bytes.fromhex(case["ct"]))
        if case["result"] == "valid":
            message = open_sealed(key, context, sealed, aead=AES_256_GCM)
            assert (len(message), sha512(message).hexdigest()) == (case["msgLength"], case["msgSha512"])
            assert seal(key, context, message, salt=sealed[:24], aead=AES_256_GCM) == sealed
            assert _streamed(key, context, sealed) == (message, None)
            _check_range(key, context, sealed, message)
        else:
            with pytest.raises(REFUSALS):
                open_sealed(key, context, sealed, aead=AES_256_GCM)
            released, refusal = _streamed(key, context, sealed)
            assert isinstance(refusal, REFUSALS)
            if "HeaderFailure" in case["flags"]:
                assert released == b""
            longest = case.get("msgLength", 0)
            assert len(released) <= longest
            if len(released) == longest > 0:
                assert sha512(released).hexdigest() == case["msgSha512"]
        passed += 1
    assert passed == 35


def _streamed(key: bytes, context: bytes, sealed: bytes) -> tuple[bytes, Exception | None]:
    """What a stream of one-chunk pieces releases, and how it ends."""
    released = bytearray()
    header, body = split_off((sealed[start : start + 16_400] for start in range(0, len(sealed), 16_400)), HEADER_SIZE)
    try:
        for piece in open_stream(Opener(key, context, header, aead=AES_256_GCM), body):
            released += piece
    except REFUSALS as refusal:
        return bytes(released), refusal
    return bytes(released), None


def _check_range(key: bytes, context: bytes, sealed: bytes, message: bytes) -> None:
    start, stop = plain_size(len(sealed)) // 2, len(message)
    sealed_start, sealed_stop, _ = sealed_range(start, stop)
    opener = Opener(key, context, sealed[:HEADER_SIZE], aead=AES_256_GCM)
    data = open_range(opener, start, stop, sealed[sealed_start:sealed_stop], of=len(sealed))
    assert data == message[start:stop]


def test_chacha20_poly1305(published_vectors: Path) -> None:
    """libsodium agrees on all cases; what writes where it is wanted, on those without associated data."""
    ours = 0
    for _, case in cases(published_vectors, "chacha20_poly1305_test", 325):
        key, nonce, aad, message = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg"))
        sealed = bytes.fromhex(case["ct"] + case["tag"])
        if case["result"] == "valid":
            assert crypto_aead_chacha20poly1305_ietf_encrypt(message, aad, nonce, key) == sealed
            assert crypto_aead_chacha20poly1305_ietf_decrypt(sealed, aad, nonce, key) == message
            if not aad:
                into = bytearray(len(sealed))
                CHACHA20_POLY1305.encrypt(message, [nonce], key, memoryview(into))
                assert into == sealed
                back = bytearray(len(message))
                CHACHA20_POLY1305.decrypt(sealed, [nonce], key, memoryview(back))
                assert back == message
                ours += 1
        else:
            with pytest.raises((CryptoError, TypeError)):
                crypto_aead_chacha20poly1305_ietf_decrypt(sealed, aad, nonce, key)
            with pytest.raises((CryptoError, ValueError)):
                CHACHA20_POLY1305.decrypt(sealed, [nonce], key, memoryview(bytearray(len(message))))
    assert ours > 5


def test_hkdf_sha512(published_vectors: Path) -> None:
    for _, case in cases(published_vectors, "hkdf_sha512_test", 83):
        ikm, salt, info = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info"))
        prk = hmac.digest(salt, ikm, "sha512")
        if case["result"] == "valid":
            assert hkdf_expand(prk, info, case["size"]).hex() == case["okm"]
        else:
            with pytest.raises(ValueError, match="16,320"):
                hkdf_expand(prk, info, case["size"])


def test_x25519(published_vectors: Path) -> None:
    """libsodium refuses the 31 cases whose shared secret is zero, and agrees on all others."""
    refused = 0
    for _, case in cases(published_vectors, "x25519_test", 518):
        public, private = bytes.fromhex(case["public"]), bytes.fromhex(case["private"])
        if "ZeroSharedSecret" in case["flags"]:
            with pytest.raises(CryptoError):
                crypto_scalarmult(private, public)
            refused += 1
        else:
            assert crypto_scalarmult(private, public).hex() == case["shared"]
    assert refused == 31
