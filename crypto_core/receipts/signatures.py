"""Ed25519 as libsodium understands it: the one place that signs and verifies for the public side.

Knows: RFC 8032 signatures under libsodium's strict rules (S below the group order, a canonical public key,
neither the key nor R of small order). Refuses to know: what was signed.
"""

from __future__ import annotations

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from crypto_core.errors import SignatureInvalid

PUBLIC_SIZE = 32
SEED_SIZE = 32
SIGNATURE_SIZE = 64


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bytes:
    """The message, now proven to be signed by `public` (32 B) with `signature` (64 B). Raises SignatureInvalid."""
    if len(public) != PUBLIC_SIZE or len(signature) != SIGNATURE_SIZE:
        raise SignatureInvalid("a public key has 32 bytes, a signature 64")
    try:
        return crypto_sign_open(signature + message, public)
    except BadSignatureError:
        raise SignatureInvalid() from None


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature over `message`. Raises ValueError unless `seed` is exactly 32 bytes."""
    return sign_expanded(expand_seed(seed)[1], message)


def expand_seed(seed: bytes) -> tuple[bytes, bytes]:
    """The 32-byte public key of a 32-byte seed, and the 64 secret bytes by which whoever signs again and again spares
    deriving it each time. Raises ValueError for another size."""
    return crypto_sign_seed_keypair(seed)


def sign_expanded(secret: bytes, message: bytes) -> bytes:
    """The 64-byte signature over `message`, by the secret bytes of `expand_seed`."""
    return crypto_sign(message, secret)[:SIGNATURE_SIZE]


def derive_public(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed. Raises ValueError for another size."""
    return expand_seed(seed)[0]
