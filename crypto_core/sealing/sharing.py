"""Bundles: the key that a person makes for one reader, what it seals, and the two ways in which it reaches them.

Knows: which secret, label and layout each takes (protocol §7, docs/spec/bundle.md), and by which four names in a
manifest a reader tells whether it is the one asked for. Refuses to know: what else a manifest says (schemas do), whose
a key is (receipts.directory), what time it is, and what the vault counts.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256

from crypto_core.derivation import KEY_SIZE, derive, kek, require_key
from crypto_core.encoding import ID_SIZE, format_b64url, parse_b64url, parse_json, parse_time
from crypto_core.errors import CryptoCoreError, MalformedError, SecretRefused, SignatureInvalid
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.receipts.signatures import SIGNATURE_SIZE, verify_ed25519
from crypto_core.sealing.envelope import open_sealed, seal
from crypto_core.sealing.keys import box_key, key_of, unbox_key
from crypto_core.sealing.padding import pad_record, unpad_record
from crypto_core.sealing.passphrase import sign_with_seed

CODE_DIGITS = 8
FRAGMENT = "#b"
"""What stands before the 64 characters of a link."""

_SPACING = re.compile("[ \u00a0\u202f-]")
_CODE = re.compile(r"[0-9]{8}", re.ASCII)


class BundleError(CryptoCoreError):
    """Something shared isn't what it should be. Each leaf has a code of its own."""

    code = "bundle_refused"
    sentence = "What was shared here can't be believed. Ask the person who shared it, by another way."


class BundleSignature(BundleError):
    """The manifest is not signed by the key that it names."""

    code = "bundle_signature"
    sentence = "This was not signed by the person it claims to come from. Ask them, by another way, before you use it."


class BundleOther(BundleError):
    """The manifest is of another bundle than the one asked for."""

    code = "bundle_other"
    sentence = "The vault gave something else than was asked for. Don't use it; ask the person who shared it."


class BundleOtherReader(BundleError):
    """The manifest was made for another reader."""

    code = "bundle_other_reader"
    sentence = "This was shared with somebody else. Don't use it; tell the person who shared it."


class BundleExpired(BundleError):
    """By this device's clock, the end that the person signed is past."""

    code = "bundle_expired"
    sentence = "The time for which this was shared is over. Ask for it to be shared again, or set your clock."


class LinkMalformed(BundleError):
    """Not the end of a link as it was given."""

    code = "link_malformed"
    sentence = "This address is not whole. Take it exactly as you were given it, with all that follows the sign #."


@dataclass(frozen=True)
class OpenedManifest:
    """A manifest, proven to be the one asked for, for this reader, not over, and signed. Only `open_bundle` makes one;
    `json` holds record keys."""

    json: bytes = field(repr=False)
    sender: bytes
    """The Ed25519 key that signed it, 32 bytes."""
    expires: int
    """Unix seconds."""
    signature: bytes
    """What a stranger verifies later, with `verify_manifest`, 64 bytes."""


def make_bundle_key() -> bytes:
    """BK, a new key for one bundle, 32 bytes."""
    return make_bytes(KEY_SIZE)


def make_link_secret() -> bytes:
    """What the fragment of one link carries, 32 bytes."""
    return make_bytes(KEY_SIZE)


def make_code() -> str:
    """A new code of eight digits, each as likely as any other."""
    while True:
        drawn = int.from_bytes(make_bytes(4), "big")
        if drawn < 42 * 10**CODE_DIGITS:  # below a multiple of 10^8, so that no code is likelier
            return f"{drawn % 10**CODE_DIGITS:08}"


def derive_cap(bundle_key: bytes, bundle: bytes) -> bytes:
    """What a reader shows to open a bundle, 32 bytes; the vault keeps its SHA-256."""
    return derive(bundle_key, Kind.BUNDLE_CAP, bundle)


# what is sealed


def seal_bundle(bundle_key: bytes, bundle: bytes, manifest: bytes, sign_seed: bytes) -> bytes:
    """The manifest's JSON, signed by the identity of this 32-byte seed and sealed for the bundle (16 bytes), padded."""
    signature = sign_manifest(manifest, sign_seed)
    return seal(derive(bundle_key, Kind.BUNDLE_SEAL), context(Kind.BUNDLE, bundle), pad_record(manifest + signature))


def sign_manifest(manifest: bytes, sign_seed: bytes) -> bytes:
    """What `verify_manifest` verifies, 64 bytes: by the identity of this 32-byte seed."""
    return sign_with_seed(sign_seed, _signed(manifest))


def open_bundle(bundle_key: bytes, bundle: bytes, sealed: bytes, *, reader: bytes | None, now: int) -> OpenedManifest:
    """The manifest, proven. `reader` is the reader's own pk_box (32 bytes), None where a link leads here.

    Raises TamperedError, MalformedError, UnsupportedVersion, or a BundleError: signature, bundle, reader, end.
    """
    plain = unpad_record(open_sealed(derive(bundle_key, Kind.BUNDLE_SEAL), context(Kind.BUNDLE, bundle), sealed))
    manifest, signature = plain[:-SIGNATURE_SIZE], plain[-SIGNATURE_SIZE:]
    facts = parse_json(manifest)
    match facts:
        case {"bundle": str(named), "sender": str(signer), "expires": str(end), "reader": str() | None as meant}:
            sender, expires = parse_b64url(signer, KEY_SIZE), parse_time(end)
        case _:
            raise MalformedError("not a manifest")
    verify_manifest(manifest, sender, signature)
    if parse_b64url(named, ID_SIZE) != bundle:
        raise BundleOther()
    if meant != (None if reader is None else format_b64url(sha256(reader).digest())):
        raise BundleOtherReader()
    if now >= expires:
        raise BundleExpired()
    return OpenedManifest(manifest, sender, expires, signature)


def verify_manifest(manifest: bytes, sender: bytes, signature: bytes) -> bytes:
    """The manifest, now proven to be signed by `sender` (32 bytes). Raises BundleSignature."""
    try:
        verify_ed25519(sender, _signed(manifest), signature)
    except SignatureInvalid:
        raise BundleSignature() from None
    return manifest


def seal_bundle_note(mk_n: bytes, bundle: bytes, json: bytes) -> bytes:
    """What the person is shown later of what was shared: holds no key. Padded as records are."""
    return seal(derive(mk_n, Kind.BUNDLE_NOTES), context(Kind.BUNDLE_NOTE, bundle), pad_record(json))


def open_bundle_note(mk_n: bytes, bundle: bytes, sealed: bytes) -> bytes:
    """The inverse of `seal_bundle_note`. Raises TamperedError, MalformedError or UnsupportedVersion."""
    return unpad_record(open_sealed(derive(mk_n, Kind.BUNDLE_NOTES), context(Kind.BUNDLE_NOTE, bundle), sealed))


# for a professional


def wrap_for_professional(pk_box: bytes, bundle_key: bytes, bundle: bytes) -> bytes:
    """`crypto_box_seal(pk_box, BK ‖ bundle ‖ SHA-256(pk_box))`, 128 bytes."""
    return box_key(pk_box, bundle_key, bundle)


def unwrap_for_professional(pk_box: bytes, sk_box: bytes, bundle: bytes, wrap: bytes) -> bytes:
    """BK. Raises TamperedError or MalformedError; BundleOther, BundleOtherReader for what opens but isn't this wrap."""
    bundle_key, named, reader = unbox_key(pk_box, sk_box, wrap)
    if not hmac.compare_digest(reader, sha256(pk_box).digest()):
        raise BundleOtherReader()
    if named != bundle:
        raise BundleOther()
    return bundle_key


# by link and code


def format_fragment(bundle: bytes, secret: bytes) -> str:
    """`#b` and 64 characters of base64url: bundle (16 bytes) ‖ secret (32 bytes)."""
    return FRAGMENT + format_b64url(_id(bundle) + require_key(secret))


def parse_fragment(text: str) -> tuple[bytes, bytes]:
    """(bundle, secret). Raises LinkMalformed."""
    both = bytes_after(FRAGMENT, text, ID_SIZE + KEY_SIZE)
    return both[:ID_SIZE], both[ID_SIZE:]


def bytes_after(sign: str, text: str, size: int) -> bytes:
    """The `size` bytes that stand in base64url after the sign of a fragment. Raises LinkMalformed."""
    if not text.startswith(sign):
        raise LinkMalformed()
    try:
        return parse_b64url(text.removeprefix(sign), size)
    except MalformedError:
        raise LinkMalformed() from None


def format_code(code: str) -> str:
    """`1234 5678`, as it is said to somebody."""
    return f"{code[:4]} {code[4:]}"


def parse_code(text: str) -> str:
    """Eight ASCII digits; spaces and hyphens don't matter. Raises SecretRefused."""
    code = _SPACING.sub("", text)
    if not _CODE.fullmatch(code):
        raise SecretRefused("a code has eight digits")
    return code


def derive_link(secret: bytes, bundle: bytes) -> bytes:
    """LK, 32 bytes, from what the fragment carries."""
    return derive(secret, Kind.BUNDLE_LINK, bundle)


def derive_code(link_key: bytes, bundle: bytes, code: str) -> bytes:
    """x, 32 bytes: what a code (as `parse_code` gives it) becomes before it is sent."""
    return derive(derive(link_key, Kind.LINK_CODE), Kind.CODE, bundle, code.encode("ascii"))


def wrap_for_link(link_key: bytes, share: bytes, bundle: bytes, bundle_key: bytes) -> bytes:
    """BK for whoever has the link and gets the vault's share (32 bytes): 104 bytes."""
    return seal(_link_kek(link_key, share), context(Kind.BUNDLE_WRAP, bundle), require_key(bundle_key))


def unwrap_for_link(link_key: bytes, share: bytes, bundle: bytes, wrap: bytes) -> bytes:
    """The inverse of `wrap_for_link`. Raises TamperedError or MalformedError."""
    return key_of(open_sealed(_link_kek(link_key, share), context(Kind.BUNDLE_WRAP, bundle), wrap))


def _link_kek(link_key: bytes, share: bytes) -> bytes:
    return kek("temoin/v1/kek-link", derive(link_key, Kind.LINK_WRAP) + require_key(share))


def _signed(manifest: bytes) -> bytes:
    return context(Kind.BUNDLE_SIG, sha256(manifest).digest())


def _id(bundle: bytes) -> bytes:
    if len(bundle) != ID_SIZE:
        raise ValueError("an id is exactly 16 bytes")
    return bundle
