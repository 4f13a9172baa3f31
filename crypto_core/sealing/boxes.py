"""Deposit boxes: the key pair that a person makes for one box, its address, and what a depositor seals for it.

Knows: which secret, label and layout each takes (protocol §7, docs/spec/deposit-box.md). Refuses to know: what a
deposit says (schemas do), who has an address, and what the vault counts.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256

from crypto_core.derivation import KEY_SIZE, derive, require_key
from crypto_core.encoding import ID_SIZE, format_b64url
from crypto_core.errors import TamperedError
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import open_sealed, seal
from crypto_core.sealing.keys import box_key, derive_box, key_of, unbox_key
from crypto_core.sealing.padding import pad_record, unpad_record
from crypto_core.sealing.sharing import bytes_after

BOX_FRAGMENT = "#d"
"""What stands before the 107 characters of a box's address."""


@dataclass(frozen=True)
class BoxAddress:
    """All that an address carries: box (16 bytes), secret and the box's public key (32 bytes each)."""

    box: bytes
    secret: bytes = field(repr=False)
    pk_box: bytes = field(repr=False)


def make_box_seed() -> bytes:
    """seed_D, of which a box's key pair comes (keys.derive_box), 32 bytes."""
    return make_bytes(KEY_SIZE)


def make_box_secret() -> bytes:
    """What an address carries beside the public key, 32 bytes."""
    return make_bytes(KEY_SIZE)


def derive_deposit_cap(secret: bytes, box: bytes) -> bytes:
    """What a depositor shows to enter a box (16 bytes), 32 bytes; the vault keeps its SHA-256."""
    return derive(secret, Kind.DEPOSIT_CAP, box)


def format_box_fragment(address: BoxAddress) -> str:
    """`#d` and 107 characters of base64url: box ‖ secret ‖ pk_D, 80 bytes."""
    if len(address.box) != ID_SIZE:
        raise ValueError("an id is exactly 16 bytes")
    return BOX_FRAGMENT + format_b64url(address.box + require_key(address.secret) + require_key(address.pk_box))


def parse_box_fragment(text: str) -> BoxAddress:
    """The inverse of `format_box_fragment`. Raises LinkMalformed."""
    every = bytes_after(BOX_FRAGMENT, text, ID_SIZE + 2 * KEY_SIZE)
    return BoxAddress(every[:ID_SIZE], every[ID_SIZE:-KEY_SIZE], every[-KEY_SIZE:])


# what the person keeps


def seal_box(mk_n: bytes, box: bytes, seed: bytes) -> bytes:
    """seed_D (32 bytes), for the person alone: 104 bytes."""
    return seal(derive(mk_n, Kind.DEPOSIT_BOX), context(Kind.BOX_SEED, box), require_key(seed))


def open_box(mk_n: bytes, box: bytes, sealed: bytes) -> tuple[bytes, bytes]:
    """(pk_D, sk_D), 32 bytes each. Raises TamperedError or MalformedError."""
    return derive_box(key_of(open_sealed(derive(mk_n, Kind.DEPOSIT_BOX), context(Kind.BOX_SEED, box), sealed)))


def seal_box_note(mk_n: bytes, box: bytes, json: bytes) -> bytes:
    """What the box is for. Padded as records are."""
    return seal(derive(mk_n, Kind.BOX_NOTES), context(Kind.BOX_NOTE, box), pad_record(json))


def open_box_note(mk_n: bytes, box: bytes, sealed: bytes) -> bytes:
    """The inverse of `seal_box_note`. Raises TamperedError, MalformedError or UnsupportedVersion."""
    return unpad_record(open_sealed(derive(mk_n, Kind.BOX_NOTES), context(Kind.BOX_NOTE, box), sealed))


# what a depositor sends


def seal_deposit(key: bytes, box: bytes, deposit: bytes, json: bytes) -> bytes:
    """A depositor's words (JSON) under a key of their own (32 bytes), for one deposit in one box. Padded."""
    return seal(key, context(Kind.DEPOSIT, box, deposit), pad_record(json))


def open_deposit(key: bytes, box: bytes, deposit: bytes, sealed: bytes) -> bytes:
    """The inverse of `seal_deposit`. Raises TamperedError, MalformedError or UnsupportedVersion."""
    return unpad_record(open_sealed(key, context(Kind.DEPOSIT, box, deposit), sealed))


def wrap_deposit_key(pk_box: bytes, key: bytes, box: bytes) -> bytes:
    """`crypto_box_seal(pk_D, key ‖ box ‖ SHA-256(pk_D))`, 128 bytes."""
    return box_key(pk_box, key, box)


def unwrap_deposit_key(pk_box: bytes, sk_box: bytes, box: bytes, wrap: bytes) -> bytes:
    """The key of a deposit's words, 32 bytes. Raises TamperedError, also if it was boxed for another box or another key
    of it, or MalformedError."""
    key, named, reader = unbox_key(pk_box, sk_box, wrap)
    if named != box or not hmac.compare_digest(reader, sha256(pk_box).digest()):
        raise TamperedError("boxed for another box")
    return key
