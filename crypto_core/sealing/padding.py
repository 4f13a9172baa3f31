"""Pads what is sealed, so that its size tells little; checks every byte of the padding when it opens.

Knows: the plain layout of records and contents, and Padmé (docs/spec/padding.md). Refuses to know: keys, and what a
record says.

    content   "TO01" ‖ u32 head length ‖ {"size":n} ‖ zeros to 16,384 ‖ content ‖ zeros     at least 32 KiB
    record    "TO01" ‖ u32 length ‖ JSON ‖ zeros                                             at least 1 KiB
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from crypto_core.encoding import MAX_SAFE_INTEGER, u32
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.sealing.envelope import split_off

MAGIC = b"TO01"
RECORD_FLOOR = 1024
CONTENT_FLOOR = 32_768
CONTENT_BORDER = 16_384

_PREFIX_SIZE = len(MAGIC) + 4
_ZEROS = 262_144
_HEAD = re.compile(rb'\{"size":(0|[1-9][0-9]{0,15})\}')
_OTHER_VERSION = re.compile(rb"TO[0-9]{2}")


def padme(length: int) -> int:
    """The smallest Padmé length that holds `length`: at most 12 % more (Nikitin et al., PETS 2019, algorithm 1)."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (length + mask) & ~mask


def content_plain_size(size: int) -> int:
    """How many bytes a content of `size` bytes has once padded, head included."""
    return padme(max(CONTENT_BORDER + size, CONTENT_FLOOR))


def content_head(size: int) -> bytes:
    """The first 16,384 bytes of a padded content. Raises ValueError beyond 2^53−1."""
    if not 0 <= size <= MAX_SAFE_INTEGER:
        raise ValueError("a size is 0 to 2^53-1")
    head = b'{"size":%d}' % size
    return (MAGIC + u32(len(head)) + head).ljust(CONTENT_BORDER, b"\x00")


def parse_content_head(head: bytes) -> int:
    """The inverse of `content_head`. Raises MalformedError, or UnsupportedVersion for another version's magic."""
    length = _parse_prefix(head)
    match = _HEAD.fullmatch(head[_PREFIX_SIZE : _PREFIX_SIZE + length])
    size = int(match[1]) if match else -1
    if not 0 <= size <= MAX_SAFE_INTEGER or content_head(size) != head:
        raise MalformedError("not the head of a content")
    return size


def pad_content(size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A content of exactly `size` bytes, cut anyhow, as the stream to seal: head, content, zeros.

    Raises MalformedError if the content turns out longer or shorter, as a file may that changes while it is read.
    """
    yield content_head(size)
    left = size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise MalformedError("the content is longer than announced")
        yield chunk
    if left:
        raise MalformedError("the content is shorter than announced")
    padding = content_plain_size(size) - CONTENT_BORDER - size
    for start in range(0, padding, _ZEROS):
        yield bytes(min(_ZEROS, padding - start))


def unpad_content(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content in a padded stream, cut anyhow.

    Checks head, zeros and total length, the last two only at the end: whoever gets MalformedError must not take what
    came before for the whole. Raises UnsupportedVersion for another version's magic.
    """
    head, body = split_off(chunks, CONTENT_BORDER)
    left = size = parse_content_head(head)
    padding = content_plain_size(size) - CONTENT_BORDER - size
    for chunk in body:
        content, zeros = chunk[:left], chunk[left:]
        left -= len(content)
        padding -= len(zeros)
        if padding < 0 or zeros.count(0) != len(zeros):
            raise MalformedError("not the padding of this content")
        if content:
            yield content
    if left or padding:
        raise MalformedError("the padded content ends early")


def content_range(start: int, stop: int) -> tuple[int, int]:
    """Where the bytes [start, stop) of a content stand in its padded form."""
    return CONTENT_BORDER + start, CONTENT_BORDER + stop


def pad_record(json: bytes) -> bytes:
    """A record or account record, padded."""
    message = MAGIC + u32(len(json)) + json
    return message.ljust(padme(max(len(message), RECORD_FLOOR)), b"\x00")


def unpad_record(message: bytes) -> bytes:
    """The inverse of `pad_record`. Raises MalformedError, or UnsupportedVersion for another version's magic."""
    json = message[_PREFIX_SIZE : _PREFIX_SIZE + _parse_prefix(message)]
    if pad_record(json) != message:
        raise MalformedError("not a padded record")
    return json


def _parse_prefix(message: bytes) -> int:
    if len(message) < _PREFIX_SIZE:
        raise MalformedError("shorter than its prefix")
    magic = message[: len(MAGIC)]
    if magic != MAGIC:
        raise UnsupportedVersion() if _OTHER_VERSION.fullmatch(magic) else MalformedError("another kind of message")
    return int.from_bytes(message[len(MAGIC) : _PREFIX_SIZE], "big")
