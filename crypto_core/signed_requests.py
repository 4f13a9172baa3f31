"""The messages that a login key or an identity signs, each bound to one host.

Knows: which fields stand under which label (protocol §1, §8). Refuses to know: secrets, and who checks.
The client signs these bytes, the server rebuilds and verifies them: neither sends them.
"""

from __future__ import annotations

from hashlib import sha256

from crypto_core.derivation import KEY_SIZE
from crypto_core.encoding import ID_SIZE
from crypto_core.labels import Kind, context

CHALLENGE_SIZE = 32


def register_message(host: str, challenge: bytes, body: bytes) -> bytes:
    """For sign-up, over the exact bytes of its body. `host`: lower case, with the port unless it is the default."""
    return context(Kind.REGISTER, _host(host), _sized(challenge, CHALLENGE_SIZE), sha256(body).digest())


def change_message(host: str, challenge: bytes, body: bytes) -> bytes:
    """For a change of credentials: the old login key and the new one both sign it."""
    return context(Kind.CHANGE, _host(host), _sized(challenge, CHALLENGE_SIZE), sha256(body).digest())


def login_message(host: str, k_id: bytes, challenge: bytes) -> bytes:
    """For the first step of a login. `k_id` and `challenge` are 32 bytes each."""
    return context(Kind.LOGIN, _host(host), _sized(k_id, KEY_SIZE), _sized(challenge, CHALLENGE_SIZE))


def confirm_message(host: str, k_id: bytes, challenge: bytes) -> bytes:
    """For stage `confirmed`: the password was typed anew."""
    return context(Kind.CONFIRM, _host(host), _sized(k_id, KEY_SIZE), _sized(challenge, CHALLENGE_SIZE))


def pin_reopen_message(host: str, account: bytes, challenge: bytes) -> bytes:
    """For opening a closed PIN path; the recovery login key signs it. `account` is 16 bytes."""
    return context(Kind.PIN_REOPEN, _host(host), _sized(account, ID_SIZE), _sized(challenge, CHALLENGE_SIZE))


def recover_message(host: str, rid: bytes, challenge: bytes) -> bytes:
    """For getting back in: the recovery login key signs it. `rid` and `challenge` are 32 bytes each."""
    return context(Kind.RECOVER, _host(host), _sized(rid, KEY_SIZE), _sized(challenge, CHALLENGE_SIZE))


def recover_change_message(host: str, challenge: bytes, body: bytes) -> bytes:
    """For what takes the place of lost credentials: the recovery login key and the new login key both sign it."""
    return context(Kind.RECOVER_CHANGE, _host(host), _sized(challenge, CHALLENGE_SIZE), sha256(body).digest())


def professional_message(host: str, account: bytes, body: bytes) -> bytes:
    """For being listed, over the exact bytes of the request; the identity's own key signs it. `account` is 16 bytes."""
    return context(Kind.PROFESSIONAL, _host(host), _sized(account, ID_SIZE), sha256(body).digest())


def _host(host: str) -> bytes:
    if not host or host != host.lower():
        raise ValueError("a host is written in lower case")
    return host.encode("ascii")


def _sized(field: bytes, size: int) -> bytes:
    if len(field) != size:
        raise ValueError(f"expected {size} bytes")
    return field
