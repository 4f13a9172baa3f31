"""The protocol's secret side, spelled a second time and plainly, and the notebook in which facts are written down.

Knows: libsodium and the standard library. Refuses to know: crypto_core. Two spellings that agree are worth more than
one that agrees with itself.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha256, shake_256
from typing import Any

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt, crypto_box, crypto_box_seed_keypair

CHUNK, SEALED_CHUNK, HEADER, TAG = 16_384, 16_400, 56, 16
LONG = 2048

MALFORMED, TAMPERED, VERSION = "malformed", "tampered", "version_unsupported"
REFUSED, NEEDS_PIN, UNSIGNED = "secret_refused", "pin_needed", "signature_invalid"

facts: dict[str, dict[str, Any]] = {}


def holds(name: str, op: str, why: str, inputs: dict[str, Any], /, **outputs: Any) -> None:
    """A fact that succeeds."""
    _add(name, op, "success", why, inputs, {key: _shown(value) for key, value in outputs.items()})


def refuses(name: str, op: str, code: str, why: str, inputs: dict[str, Any], /, **changed: Any) -> None:
    """A fact that is refused: the inputs of a success with something changed."""
    _add(name, op, code, why, inputs | changed, None)


def broken(name: str, op: str, field: str, good: dict[str, Any]) -> None:
    """What a seal must tell, whatever it seals: six changes of one sealed message."""
    blob = good[field]
    for place, changed, why in [
        ("salt", flipped(blob, 5), "one bit of the salt"),
        ("commitment", flipped(blob, 30, 0x80), "one bit of the commitment"),
        ("chunk", flipped(blob, HEADER, 0x20), "one bit of the first chunk"),
        ("tag", flipped(blob, len(blob) - 1, 0x80), "the last bit of the last tag"),
        ("cut", blob[:-1], "the last byte is missing"),
        ("longer", blob + b"\x00", "a byte more"),
    ]:
        refuses(f"{name}_{place}", op, told_by_length(len(changed)), why, good | {field: changed})


def told_by_length(size: int) -> str:
    """How a changed message of this length is refused: some lengths no sealed message has."""
    return TAMPERED if size >= HEADER and (size - HEADER) % SEALED_CHUNK >= TAG else MALFORMED


def _add(name: str, op: str, expect: str, why: str, inputs: dict[str, Any], outputs: dict[str, Any] | None) -> None:
    assert name not in facts, name
    given = {key: value.hex() if isinstance(value, bytes) else value for key, value in inputs.items()}
    facts[name] = {"op": op, "expect": expect, "why": why, "inputs": given, "outputs": outputs}


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= LONG else {"sha256": sha256(value).hexdigest(), "size": len(value)}
    return value


def shake(label: str, size: int) -> bytes:
    return shake_256(label.encode("ascii")).digest(size)


def lp(field: bytes) -> bytes:
    return len(field).to_bytes(2, "big") + field


def ctx(kind: str, *fields: bytes) -> bytes:
    return b"temoin/v1/" + kind.encode("ascii") + b"\x00" + b"".join(map(lp, fields))


def expand(key: bytes, info: bytes, size: int) -> bytes:
    first = hmac.digest(key, info + b"\x01", "sha512")
    return (first + hmac.digest(key, first + info + b"\x02", "sha512"))[:size]


def derived(key: bytes, kind: str, *fields: bytes) -> bytes:
    return expand(key, ctx(kind, *fields), 32)


def kek(label: str, *parts: bytes) -> bytes:
    return hmac.digest(label.encode("ascii"), b"".join(parts), "sha512")[:32]


def sealed(key: bytes, context: bytes, message: bytes, salt: bytes) -> bytes:
    info = b"c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305\x00" + salt + context
    output = expand(key, info, 76)
    chunk_key, base, commitment = output[:32], int.from_bytes(output[32:44], "big"), output[44:]
    chunks = [message[start : start + CHUNK] for start in range(0, len(message) + 1, CHUNK)]
    return (
        salt
        + commitment
        + b"".join(
            crypto_aead_chacha20poly1305_ietf_encrypt(chunk, None, (base ^ k).to_bytes(12, "big"), chunk_key)
            for k, chunk in enumerate(chunks)
        )
    )


def box_seal(public: bytes, message: bytes, seed: bytes) -> bytes:
    """libsodium's crypto_box_seal with a given one-time key."""
    once, secret = crypto_box_seed_keypair(seed)
    nonce = blake2b(once + public, digest_size=24).digest()
    return once + crypto_box(message, nonce, public, secret)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def flipped(data: bytes, place: int, bit: int = 1) -> bytes:
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


ACCOUNT, ITEM, BLOB, VAULT = (shake(f"{name} id", 16) for name in ("account", "item", "blob", "vault"))
MK_N, MK_S, K_PW, SHARE_N, SHARE_S, SHARE_R = (
    shake(name, 32) for name in ("mk-n", "mk-s", "k-pw", "share-n", "share-s", "share-r")
)
