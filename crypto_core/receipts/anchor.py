"""Anchors: an RFC 3161 token by which an authority of its own says when a checkpoint existed.

Knows: which bytes a token is over, the path from its signer to a root, and what rfc3161-client leaves to its caller.
Refuses to know: HTTP, files, which authority deserves trust, what time it is, whether a certificate was revoked.

A token is here the whole answer of an authority, TimeStampResp in DER (RFC 3161 §2.4.2), as `openssl ts` writes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtendedKeyUsage,
    ExtensionNotFound,
    ObjectIdentifier,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    TimeStampTokenInfo,
    VerificationError as TokenRefused,
    VerifierBuilder,
    decode_timestamp_response,
)

from crypto_core.encoding import MAX_TIME
from crypto_core.errors import MalformedError, VerificationError
from crypto_core.receipts.der import sort_certificates

MAX_TOKEN_SIZE = 64 * 1024
MAX_CHAIN_SIZE = 64 * 1024
"""Bytes of PEM."""
MAX_CERTIFICATES = 16
"""In one token or one file: no authority needs half as many."""
LONGEST_PATH = 8

_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_BAD_PATH = "certificate verify error"
"""How OpenSSL says that it was the path and not the signature that it refused."""


class AnchorError(VerificationError):
    """A token does not prove when the checkpoint existed."""


class AnchorMalformed(AnchorError):
    """Not a token that was granted, or one without its signer's certificate."""

    code = "anchor_malformed"
    sentence = "This is not a whole, undamaged token of a time-stamping authority. Ask for it again from where it came."


class AnchorOtherCheckpoint(AnchorError):
    """A token, but over other bytes than this checkpoint's."""

    code = "anchor_other_checkpoint"
    sentence = "This token is for another state of the ledger than the receipt names. Look for the one given with it."


class AnchorNonce(AnchorError):
    """A token that answers another question than the one asked."""

    code = "anchor_nonce"
    sentence = "The authority answered another question than it was asked, so its token was not kept. Ask it again."


class AnchorAuthorityUnknown(AnchorError):
    """The certificates, sound as far as they go, lead to no root that is trusted here."""

    code = "anchor_authority_unknown"
    sentence = (
        "This token can't be verified yet: it leads to no authority that you trust. "
        "Give the authority's root, and the certificates between if it has any."
    )
    outcome = "not_yet"


class AnchorChain(AnchorError):
    """A certificate on the way to the root was not signed by the next, or may not be used for this."""

    code = "anchor_chain"
    sentence = (
        "The authority's certificates do not hold together: one was changed, or may not be used for this. "
        "Ask for them again from where they came."
    )


class AnchorExpired(AnchorError):
    """The token's time lies outside of the validity of a certificate on the way to the root."""

    code = "anchor_expired"
    sentence = "A certificate of the authority was not valid at the time that this token tells, so it proves nothing."


class AnchorSignature(AnchorError):
    """The token is not signed by the certificate that it names."""

    code = "anchor_signature"
    sentence = "The signature of this token is not genuine. The token was changed, or somebody else made it."


class AnchorPolicy(AnchorError):
    """The authority gave the token under another policy."""

    code = "anchor_policy"
    sentence = "The authority gave this token under another of its policies than the one you ask for."


@dataclass(frozen=True)
class Query:
    """A TimeStampReq in DER, and the nonce that the answer has to bring."""

    data: bytes
    nonce: int


@dataclass(frozen=True)
class VerifiedToken:
    """Only `verify_token` makes one: holding it is the proof that the checkpoint existed at `latest`."""

    earliest: int
    latest: int
    """Unix seconds: the token's time with its accuracy taken off and put on, rounded outwards."""
    authority: str
    """The subject of the signer's certificate, as RFC 4514 spells it."""
    policy: str
    """The object identifier of the authority's policy, in dotted decimal."""
    chain: tuple[Certificate, ...]
    """From the signer to the one that the root signed; without the root."""


def make_query(text: str) -> Query:
    """Asks for a token over SHA-256 of a checkpoint's `text`, with a fresh nonce and the signer's certificate."""
    request = TimestampRequestBuilder(data=text.encode(), hash_algorithm=HashAlgorithm.SHA256).build()
    if request.nonce is None:
        raise ValueError("a query without a nonce")
    return Query(request.as_bytes(), request.nonce)


def format_certificates(certificates: Iterable[Certificate]) -> bytes:
    """Certificates in PEM (RFC 7468), one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def parse_certificates(data: bytes) -> tuple[Certificate, ...]:
    """One to MAX_CERTIFICATES certificates in PEM; text between them is passed over. Raises MalformedError."""
    if len(data) > MAX_CHAIN_SIZE:
        raise MalformedError("certificates of more than 64 KiB")
    try:
        with _no_forbearance():
            found = tuple(load_pem_x509_certificates(data))
            _require_sound(found)
    except Exception:  # as in `_parse`
        raise MalformedError("certificates in PEM were expected") from None
    if len(found) > MAX_CERTIFICATES:
        raise MalformedError("more than 16 certificates")
    return found


def verify_token(
    token: bytes, text: str, *, roots: Sequence[Certificate], links: Sequence[Certificate] = (),
    policy: str | None = None, nonce: int | None = None,
) -> VerifiedToken:
    """Proves that an authority below one of `roots` saw the checkpoint of this `text`, and when.

    `links` may stand between signer and root, and are trusted for nothing, whatever they are. Of `roots` only those
    that signed themselves are trusted. `policy` (dotted decimal) and `nonce` are demanded where they are given.
    Each step that fails raises its own leaf of AnchorError.
    """
    # 1  Parse: granted, one signer, its certificate there                    AnchorMalformed
    # 2  The token is over SHA-256 of the text                                AnchorOtherCheckpoint
    # 3  It brings the nonce of the query, where that is known                AnchorNonce
    # 4  Signer and links lead to a root                                      AnchorAuthorityUnknown, AnchorChain
    # 5  All of them were valid at the token's time                           AnchorExpired
    # 6  The signature verifies, as do the path and the signer's purpose      AnchorSignature, AnchorChain
    # 7  The policy is the one asked for                                      AnchorPolicy

    # 1
    parsed = _parse(token)
    # 2
    if parsed.imprint != (_SHA256, sha256(text.encode()).digest()):
        raise AnchorOtherCheckpoint()
    # 3
    if nonce is not None and parsed.nonce != nonce:
        raise AnchorNonce()
    # 4, 5
    trusted = {one for one in roots if _is_issued_by(one, one)}
    *chain, root = _find_path(parsed, {*parsed.brought, *links, *roots}, trusted)
    # 6
    _require_purpose(parsed.signer)
    between = [one for one in chain if one != parsed.signer]
    try:
        VerifierBuilder(roots=[root], intermediates=between).build().verify(parsed.response, parsed.imprint[1])
    except (TokenRefused, ValueError) as error:
        raise (AnchorChain if _BAD_PATH in str(error) else AnchorSignature)() from None
    # 7
    if policy is not None and parsed.policy != policy:
        raise AnchorPolicy()
    authority = parsed.signer.subject.rfc4514_string()
    return VerifiedToken(parsed.earliest, parsed.latest, authority, parsed.policy, (parsed.signer, *between))


@dataclass(frozen=True)
class _Parsed:
    """A token as it came: nothing in it is verified."""

    response: TimeStampResponse
    brought: tuple[Certificate, ...]
    signer: Certificate
    imprint: tuple[ObjectIdentifier, bytes]
    nonce: int | None
    policy: str
    time: datetime
    earliest: int
    latest: int


def _parse(token: bytes) -> _Parsed:
    """Everything that is asked for later is read here: both parsers are lazy, and fail in ways of their own."""
    if len(token) > MAX_TOKEN_SIZE:
        raise AnchorMalformed("a token of more than 64 KiB")
    try:
        with _no_forbearance():
            return _read(decode_timestamp_response(sort_certificates(token)))
    except AnchorMalformed:
        raise
    except MalformedError as error:
        raise AnchorMalformed(error.detail) from None
    except Exception:  # of the two parsers; what they say of it helps nobody
        raise AnchorMalformed() from None


def _read(response: TimeStampResponse) -> _Parsed:
    if response.status != PKIStatus.GRANTED:
        raise AnchorMalformed("not granted")
    signed, info = response.signed_data, response.tst_info
    if len(signed.certificates) > MAX_CERTIFICATES:
        raise AnchorMalformed("more than 16 certificates")
    brought = tuple(map(load_der_x509_certificate, signed.certificates))
    _require_sound(brought)
    signers = [
        one
        for named in signed.signer_infos
        for one in brought
        if (one.issuer, one.serial_number) == (named.issuer, named.serial_number)
    ]
    if len(signers) != 1 or len(signed.signer_infos) != 1:  # else it is chance which of them is looked at
        raise AnchorMalformed("one signer, and its certificate, were expected")
    imprint = info.message_imprint
    earliest, latest = _span(info)
    return _Parsed(
        response, brought, signers[0], (imprint.hash_algorithm, imprint.message), info.nonce,
        info.policy.dotted_string, info.gen_time, earliest, latest,
    )


def _span(info: TimeStampTokenInfo) -> tuple[int, int]:
    """The earliest and the latest whole second that the token can mean. Raises AnchorMalformed beyond the year 9999."""
    said, off = info.accuracy, timedelta()
    if said is not None:
        off = timedelta(seconds=said.seconds or 0, milliseconds=said.millis or 0, microseconds=said.micros or 0)
    since = info.gen_time - _EPOCH
    earliest, latest = (since - off) // _SECOND, -((-since - off) // _SECOND)
    if not 0 <= earliest <= latest <= MAX_TIME:
        raise AnchorMalformed("a time that no calendar has")
    return earliest, latest


def _find_path(parsed: _Parsed, known: set[Certificate], trusted: set[Certificate]) -> tuple[Certificate, ...]:
    """From the signer to a trusted root, both included, all valid at the token's time.

    Raises AnchorAuthorityUnknown, AnchorChain, AnchorExpired.
    """
    valid = {one for one in known if one.not_valid_before_utc <= parsed.time <= one.not_valid_after_utc}
    if parsed.signer in valid and (path := _climb(parsed.signer, valid, trusted)):
        return path
    if _climb(parsed.signer, known, trusted):
        raise AnchorExpired()
    raise AnchorAuthorityUnknown()


def _climb(signer: Certificate, known: set[Certificate], trusted: set[Certificate]) -> tuple[Certificate, ...] | None:
    """The shortest path, each certificate looked at once; None if the paths end at names that nobody here bears.

    Raises AnchorChain if they end at one whose bearer signed nothing.
    """
    paths: list[tuple[Certificate, ...]] = [(signer,)]
    left, broken = known - {signer}, False
    for path in paths:  # which grows meanwhile
        if path[-1] in trusted:
            return path
        named = [one for one in known if one.subject == path[-1].issuer and one != path[-1]]
        above = [one for one in named if _may_issue(one) and _is_issued_by(path[-1], one)]
        broken |= bool(named) and not above
        if len(path) < LONGEST_PATH:
            paths += [(*path, one) for one in above if one in left]
            left -= set(above)
    if broken:
        raise AnchorChain()
    return None


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(certificate: Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except ExtensionNotFound:
        return False


def _require_purpose(signer: Certificate) -> None:
    """RFC 3161 §2.3: the key may sign tokens and nothing else, and whoever doesn't know that must refuse it."""
    try:
        usage = signer.extensions.get_extension_for_class(ExtendedKeyUsage)
    except ExtensionNotFound:
        raise AnchorChain("no extended key usage") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise AnchorChain("not a key for time-stamps alone")


def _require_sound(certificates: Iterable[Certificate]) -> None:
    """Reads what is asked of a certificate later. Raises whatever cryptography does where that is not well formed."""
    for one in certificates:
        _ = one.subject, one.issuer, one.extensions, one.not_valid_before_utc, one.not_valid_after_utc


@contextmanager
def _no_forbearance() -> Iterator[None]:
    """What cryptography only warns of, and will refuse one day, is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        yield
