"""Looks for words that must not be there, in every spelling that a careless program could give them.

Knows: encodings. Refuses to know: where the bytes come from.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_INFLATED = 4 * 1024 * 1024


@cache  # a browser's profile has hundreds of files, and each is searched by itself
def spellings(canary: str) -> Mapping[str, bytes]:
    """Name of the spelling → how the canary looks in it, wherever it stands in a longer text. No two look alike."""
    found = dict(_texts(canary))
    for name, text in list(found.items()):
        for offset in range(3):
            found[f"{name}, base64 at {offset}"] = _base64(text, offset, base64.b64encode)
            found[f"{name}, base64url at {offset}"] = _base64(text, offset, base64.urlsafe_b64encode)
        found[f"{name}, hex"] = text.hex().encode()
        found[f"{name}, HEX"] = text.hex().upper().encode()
    for name, text in list(found.items()):
        for level in (1, 6, 9):
            found[f"{name}, zlib {level}"] = zlib.compress(text, level)[2:-4]
    return {name: spelled for spelled, name in {spelled: name for name, spelled in found.items()}.items()}


def find_canaries(haystack: bytes, canaries: Iterable[str]) -> list[tuple[str, str]]:
    """Which canaries stand in these bytes, or in anything deflated inside them, and how they are spelled there."""
    wanted = [(canary, spellings(canary)) for canary in canaries]
    return [
        (canary, name)
        for place in (haystack, *_inflated(haystack))
        for canary, ways in wanted
        for name, way in ways.items()
        if way in place
    ]


def _texts(canary: str) -> Iterator[tuple[str, bytes]]:
    yield "UTF-8", canary.encode()
    yield "UTF-16LE", canary.encode("utf-16-le")
    yield "UTF-16BE", canary.encode("utf-16-be")
    yield "JSON", json.dumps(canary)[1:-1].encode()
    yield "URL", urllib.parse.quote(canary, safe="").encode()
    yield "URL form", urllib.parse.quote_plus(canary).encode()


def _base64(text: bytes, offset: int, encode: object) -> bytes:
    """The characters that depend on nothing but the text, when `offset` bytes (mod 3) stand before it."""
    assert callable(encode)
    whole: bytes = encode(bytes(offset) + text)
    first = -(-offset * 8 // 6)
    last = (offset + len(text)) * 8 // 6
    return whole[first:last]


def _inflated(haystack: bytes) -> Iterator[bytes]:
    whole = memoryview(haystack)
    for start in (found.start() for found in _ZLIB.finditer(haystack)):
        try:
            data = zlib.decompressobj(wbits=47).decompress(whole[start:], _INFLATED)
        except zlib.error:
            continue
        if len(data) >= 4:
            yield data
