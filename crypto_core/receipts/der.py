"""Puts the certificates of an RFC 3161 token into the order that DER gives to a set.

Knows: where in a TimeStampResp they lie (RFC 3161 §2.4.2, RFC 5652 §5.1). Refuses to know: what they say.

Authorities send them in the order of the path, or as it happens; readers that are strict about DER then refuse the
whole token. No signature covers this set, so nothing but its order changes, and no length.
"""

from __future__ import annotations

from collections.abc import Iterator

from crypto_core.errors import MalformedError

_SEQUENCE, _CONTEXT_0 = 0x30, 0xA0
_TO_SIGNED_DATA = ((_SEQUENCE, 0), (_SEQUENCE, 1), (_CONTEXT_0, 1), (_SEQUENCE, 0))
"""(tag, which child of the one before): TimeStampResp → token → its [0] → SignedData."""
_CERTIFICATES = 3
"""Children of SignedData: version, digestAlgorithms, encapContentInfo, and then the certificates, if there are any."""
_MOST = 4
"""Bytes of a length, beyond its first."""


def sort_certificates(data: bytes) -> bytes:
    """The same token with its certificates in order; the same bytes where it brings none. Raises MalformedError."""
    start, stop = 0, len(data)
    for tag, number in _TO_SIGNED_DATA:
        children = list(_children(data, start, stop))
        if number >= len(children):
            return data  # a refusal brings no token
        begin, start, stop = children[number]
        if data[begin] != tag:
            raise MalformedError("another element than a token has there")
    children = list(_children(data, start, stop))
    if len(children) <= _CERTIFICATES or data[children[_CERTIFICATES][0]] != _CONTEXT_0:
        return data
    _, start, stop = children[_CERTIFICATES]
    certificates = sorted(data[begin:end] for begin, _, end in _children(data, start, stop))
    return data[:start] + b"".join(certificates) + data[stop:]


def _children(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """(begin, begin of the content, end) of each element in [start, stop). Raises MalformedError."""
    while start < stop:
        content, length = _read_length(data, start + 1, stop)
        if length > stop - content:
            raise MalformedError("an element that is longer than what it is in")
        yield start, content, content + length
        start = content + length


def _read_length(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """(where the content begins, its length in bytes), as X.690 §8.1.3 spells definite lengths."""
    if at >= stop:
        raise MalformedError("an element without a length")
    first = data[at]
    if first < 0x80:
        return at + 1, first
    size = first - 0x80
    if not 1 <= size <= _MOST or at + 1 + size > stop:
        raise MalformedError("a length that DER does not have")
    return at + 1 + size, int.from_bytes(data[at + 1 : at + 1 + size], "big")
