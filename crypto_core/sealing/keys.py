"""The keys that wrap keys, and what they wrap: master keys, identity, drop-box (docs/spec/keys.md).

Knows: which secret, label and context each wrap takes (protocol §3, §8). Refuses to know: what is kept in memory and
for how long (that is the keyring), and where a share comes from.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

from nacl.bindings import crypto_box_seal, crypto_box_seal_open, crypto_box_seed_keypair
from nacl.exceptions import CryptoError

from crypto_core.derivation import KEY_SIZE, derive, kek, require_key
from crypto_core.encoding import ID_SIZE, u32
from crypto_core.errors import MalformedError, TamperedError
from crypto_core.labels import Kind, context
from crypto_core.sealing.envelope import open_sealed, seal
from crypto_core.sealing.recovery import derive_recovery

WRAPPED_KEY_SIZE = 104
"""A 32-byte key once sealed."""
DROP_BOX_SIZE = 136
BOXED_KEY_SIZE = 128
"""A 32-byte key once boxed for somebody's public key and one place."""

MasterWrap = Literal["mk-n", "mk-s", "rec-n", "rec-s"]
"""Which master key is wrapped: the normal or the sensitive one, for the password and PIN or for the recovery code."""
IdentityKind = Literal[Kind.IDENTITY_SIGN, Kind.IDENTITY_BOX]


def derive_kek_n(k_pw: bytes, pin_wrapping: bytes, share_n: bytes) -> bytes:
    """KEK_N, 32 bytes, from K_pw, pin_L and the share that the server keeps for this PIN (32 bytes each)."""
    return kek("temoin/v1/kek-n", _joined(k_pw, pin_wrapping, share_n))


def derive_kek_s(mk_n: bytes, pin_wrapping: bytes, share_s: bytes) -> bytes:
    """KEK_S, 32 bytes: only who already holds MK_N and gives pin_S and the server's share gets it."""
    return kek("temoin/v1/kek-s", _joined(derive(mk_n, Kind.S_GATE), pin_wrapping, share_s))


def derive_kek_r(recovery_key: bytes, share_r: bytes) -> bytes:
    """KEK_R, 32 bytes, from the 32 bytes of the recovery code itself and the share that the waiting time guards."""
    return kek("temoin/v1/kek-r", _joined(derive_recovery(recovery_key).wrap_key, share_r))


def wrap_master(kek: bytes, which: MasterWrap, account: bytes, epoch: int, mk: bytes) -> bytes:
    """A master key under the KEK for its place: 104 bytes."""
    return seal(kek, _wrap_context(which, account, epoch), require_key(mk))


def unwrap_master(kek: bytes, which: MasterWrap, account: bytes, epoch: int, wrapped: bytes) -> bytes:
    """The inverse of `wrap_master`. Raises TamperedError or MalformedError."""
    return key_of(open_sealed(kek, _wrap_context(which, account, epoch), wrapped))


def seal_identity(mk_n: bytes, kind: IdentityKind, account: bytes, seed: bytes) -> bytes:
    """The 32-byte seed of the Ed25519 (IDENTITY_SIGN) or X25519 (IDENTITY_BOX) identity: 104 bytes."""
    return seal(derive(mk_n, Kind.IDENTITY), context(kind, account), require_key(seed))


def open_identity(mk_n: bytes, kind: IdentityKind, account: bytes, sealed: bytes) -> bytes:
    """The inverse of `seal_identity`. Raises TamperedError or MalformedError."""
    return key_of(open_sealed(derive(mk_n, Kind.IDENTITY), context(kind, account), sealed))


def derive_box(seed: bytes) -> tuple[bytes, bytes]:
    """The X25519 pair (public, secret) of a 32-byte seed, as libsodium's crypto_box_seed_keypair makes it."""
    return crypto_box_seed_keypair(require_key(seed))


def seal_drop_box(mk_s: bytes, account: bytes, epoch: int, pk_s: bytes, sk_s: bytes) -> bytes:
    """pk_S ‖ sk_S under MK_S: 136 bytes. Whoever holds pk_S adds sensitive keys, only sk_S reads them."""
    message = require_key(pk_s) + require_key(sk_s)
    return seal(derive(mk_s, Kind.DROP_BOX), context(Kind.DROP_BOX, account, u32(epoch)), message)


def open_drop_box(mk_s: bytes, account: bytes, epoch: int, sealed: bytes) -> tuple[bytes, bytes]:
    """(pk_S, sk_S). Raises TamperedError or MalformedError."""
    pair = open_sealed(derive(mk_s, Kind.DROP_BOX), context(Kind.DROP_BOX, account, u32(epoch)), sealed)
    if len(pair) != 2 * KEY_SIZE:
        raise MalformedError("a drop-box is two keys")
    return pair[:KEY_SIZE], pair[KEY_SIZE:]


def box_key(pk: bytes, key: bytes, place: bytes) -> bytes:
    """`crypto_box_seal(pk, key ‖ place ‖ SHA-256(pk))`: a key (32 bytes) for whoever holds the other half of `pk`, and
    for one place (16 bytes): 128 bytes."""
    if len(place) != ID_SIZE:
        raise ValueError("an id is exactly 16 bytes")
    return crypto_box_seal(require_key(key) + place + sha256(pk).digest(), require_key(pk))


def unbox_key(pk: bytes, sk: bytes, boxed: bytes) -> tuple[bytes, bytes, bytes]:
    """(key, place, hash): whoever asks compares the last two. Raises TamperedError or MalformedError."""
    if len(boxed) != BOXED_KEY_SIZE:
        raise MalformedError("a boxed key is 128 bytes")
    try:
        plain = crypto_box_seal_open(boxed, pk, sk)
    except CryptoError:
        raise TamperedError("the box does not open") from None
    return plain[:KEY_SIZE], plain[KEY_SIZE:KEY_SIZE + ID_SIZE], plain[KEY_SIZE + ID_SIZE:]


def key_of(message: bytes) -> bytes:
    """What a seal of a key or seed held, 32 bytes. Raises MalformedError."""
    if len(message) != KEY_SIZE:
        raise MalformedError("a key is exactly 32 bytes")
    return message


def _wrap_context(which: MasterWrap, account: bytes, epoch: int) -> bytes:
    return context(Kind.WRAP, which.encode("ascii"), account, u32(epoch))


def _joined(*keys: bytes) -> bytes:
    return b"".join(map(require_key, keys))
