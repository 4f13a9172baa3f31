"""The one door to the pepper: every keyed value that a stolen database must not be able to test.

Knows: protocol §1, "Pepper". Refuses to know: where the pepper lies, and the tables its values are kept in.
Each use has a key of its own, derived from the pepper and its version; rows name the version they were made under.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import cached_property

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_sign_keypair,
)
from nacl.exceptions import CryptoError

from crypto_core.derivation import derive, require_key
from crypto_core.encoding import ID_SIZE, u32, u64
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from server.problems import Refusal

PEPPER_SIZE = 32
NONCE_SIZE = 24
CHALLENGE_MAC = 16

_SEALED_WITH = {
    "K_id": b"login",
    "login_pk": b"login",
    "recovery_login_pk": b"login",
    "share_N": b"share",
    "share_S": b"share",
    "share_R": b"share",
    "share_L": b"share",
}
"""The columns that are kept sealed, and the use whose key seals each."""


@dataclass(frozen=True)
class Pepper:
    """32 secret bytes and their version, from 1. ValueError for another size."""

    secret: bytes = field(repr=False)
    version: int = 1

    def __post_init__(self) -> None:
        require_key(self.secret)

    def lookup(self, k_id: bytes) -> bytes:
        """The 32 bytes under which an account is found: HMAC-SHA-256 of its 32-byte K_id."""
        return hmac.digest(self._key(b"id"), k_id, "sha256")

    def recovery_lookup(self, rid: bytes) -> bytes:
        """The 32 bytes that stand for a recovery code's 32-byte id."""
        return hmac.digest(self._key(b"code"), rid, "sha256")

    def pin_verifier(self, purpose: str, account: bytes, epoch: int, tag: bytes) -> bytes:
        """The 32 bytes against which a 32-byte PIN tag is compared; `purpose` is `login` or `step`."""
        message = context(Kind.PIN_VERIFIER, purpose.encode("ascii"), account, u32(epoch), tag)
        return hmac.digest(self._key(b"pin"), message, "sha256")

    def code_verifier(self, bundle: bytes, x: bytes) -> bytes:
        """The 32 bytes against which the 32-byte value of a link's code is compared."""
        return hmac.digest(self._key(b"code"), context(Kind.CODE_VERIFIER, bundle, x), "sha256")

    def challenge_mac(self, lookup: bytes, given: bytes) -> bytes:
        """The 16 bytes by which a vault knows again what it has given as a challenge, and for which 32-byte lookup."""
        return hmac.digest(self._key(b"challenge"), lookup + given, "sha256")[:CHALLENGE_MAC]

    def network_key(self, day: int, network: bytes) -> str:
        """What tries from one network are counted under, for one day; hexadecimal. Nobody can go back from it."""
        return hmac.digest(self._key(b"limiter"), u64(day) + network, "sha256").hex()

    def seal_row(self, column: str, account: bytes, epoch: int, value: bytes) -> bytes:
        """XChaCha20-Poly1305-IETF, nonce24 ‖ ct; bound to column, account and epoch, so rows can't be swapped.

        `share_L` is a link's: its bundle stands in the place of the account, and 1 in that of the epoch."""
        nonce = make_bytes(NONCE_SIZE)
        key = self._key(_SEALED_WITH[column])
        return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(value, _row(column, account, epoch), nonce, key)

    def open_row(self, column: str, account: bytes, epoch: int, sealed: bytes) -> bytes:
        """The value again. Raises Refusal `account_damaged` if the row is not this one: the database was changed."""
        nonce, ct = sealed[:NONCE_SIZE], sealed[NONCE_SIZE:]
        key = self._key(_SEALED_WITH[column])
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(ct, _row(column, account, epoch), nonce, key)
        except CryptoError:
            raise Refusal("account_damaged") from None

    @cached_property
    def check(self) -> bytes:
        """32 bytes by which a vault recognises its own pepper; they give nothing of it away."""
        return self._key(b"check")

    @cached_property
    def nobody(self) -> bytes:
        """A sealed login key of no account, whose secret half was thrown away: what is opened for a stranger,
        so that an unknown account costs the same work as a wrong password."""
        public, _ = crypto_sign_keypair()
        return self.seal_row("login_pk", bytes(ID_SIZE), 0, public)

    def _key(self, use: bytes) -> bytes:
        return derive(self.secret, Kind.PEPPER, use, u32(self.version))


def _row(column: str, account: bytes, epoch: int) -> bytes:
    return context(Kind.PEPPER_ROW, column.encode("ascii"), account, u32(epoch))
