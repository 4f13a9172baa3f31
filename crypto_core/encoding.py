"""One spelling for each value: integers, length-prefixed fields, base64url, ids, times, strict JSON.

Knows: protocol §0 (docs/spec/encoding.md). Refuses to know: what the values mean.
Every `parse_x` has a `format_x`, and `format_x(parse_x(b)) == b`; anything else is `MalformedError`.
"""

from __future__ import annotations

import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any

from crypto_core.errors import MalformedError

ID_SIZE = 16
HASH_SIZE = 32
MAX_SAFE_INTEGER = 2**53 - 1
MAX_TIME = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second RFC 3339 can spell."""

_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/=", b"+/!!!")
"""RFC 4648 §4 to §5 and back; what §5 doesn't have becomes what neither has."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


def u16(value: int) -> bytes:
    """Two bytes, big-endian. Raises OverflowError out of range (a caller's mistake)."""
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    """Four bytes, big-endian."""
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    """Eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def lp(field: bytes) -> bytes:
    """`u16 length ‖ field`, for fields of up to 65,535 bytes."""
    return u16(len(field)) + field


def format_b64url(data: bytes) -> str:
    """RFC 4648 §5 base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def parse_b64url(text: str, size: int | None = None) -> bytes:
    """The bytes of canonical base64url without padding; with `size`, exactly that many.

    Raises MalformedError for padding, the other alphabet, stray characters, spare bits set, or another size.
    """
    try:
        spelled = text.encode("ascii").translate(_FROM_URL)
    except UnicodeEncodeError:
        raise MalformedError("not base64") from None
    return _canonical(spelled + b"=" * (-len(spelled) % 4), size)


def format_b64(data: bytes) -> str:
    """RFC 4648 §4 base64 with padding, as signed notes and tlog-proofs use it."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def parse_b64(text: str, size: int | None = None) -> bytes:
    """The bytes of canonical padded base64. Raises MalformedError as `parse_b64url` does."""
    try:
        return _canonical(text.encode("ascii"), size)
    except UnicodeEncodeError:
        raise MalformedError("not base64") from None


def _canonical(spelled: bytes, size: int | None) -> bytes:
    try:
        data = binascii.a2b_base64(spelled, strict_mode=True)
    except binascii.Error:
        raise MalformedError("not base64") from None
    if binascii.b2a_base64(data, newline=False) != spelled:
        raise MalformedError("not canonical base64")
    if size is not None and len(data) != size:
        raise MalformedError(f"expected {size} bytes")
    return data


def format_hex(data: bytes) -> str:
    """Lower-case hexadecimal, as ids and hashes are shown to people."""
    return data.hex()


def parse_hex(text: str, size: int | None = None) -> bytes:
    """The bytes of lower-case hexadecimal; with `size`, exactly that many. Raises MalformedError."""
    if not _HEX.fullmatch(text):
        raise MalformedError("not lower-case hexadecimal")
    data = bytes.fromhex(text)
    if size is not None and len(data) != size:
        raise MalformedError(f"expected {size} bytes")
    return data


def format_time(seconds: int) -> str:
    """Unix seconds, 0 to MAX_TIME, as RFC 3339 UTC with `Z`: `2026-03-01T21:30:00Z`. Raises MalformedError."""
    if not 0 <= seconds <= MAX_TIME:
        raise MalformedError("a time is from 1970 to 9999")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> int:
    """Unix seconds of an RFC 3339 time in the one spelling above, from 1970 to 9999. Raises MalformedError."""
    if not _TIME.fullmatch(text):
        raise MalformedError("not an RFC 3339 UTC time with whole seconds")
    try:
        seconds = int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise MalformedError("no such day or time") from None
    if format_time(seconds) != text:  # newer Pythons read 24:00:00 as the next day
        raise MalformedError("no such day or time")
    return seconds


def parse_json(data: bytes) -> Any:
    """Strict JSON: refuses a BOM, invalid UTF-8, lone surrogates, duplicate names, NaN and Infinity,
    integers beyond ±(2^53−1), floats that overflow, whole numbers spelled as floats or as −0, and nesting that exhausts
    the parser.

    Raises MalformedError; the message never quotes the text.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except ValueError:
        raise MalformedError("not JSON") from None
    if "\\u" in text:  # only an escape can smuggle a lone surrogate past the UTF-8 decoder
        _refuse_surrogates(value)
    return value


def is_number(value: object, *numbers: int) -> bool:
    """Whether a value of `parse_json` is one of these integers: `true` is not, although Python takes it for equal to 1,
    also in a `case`."""
    return type(value) is int and value in numbers


def format_json(value: Any) -> bytes:
    """Compact UTF-8 JSON in the order given. What is sealed or signed is these bytes, never a second spelling."""
    return _ENCODER.encode(value).encode("utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedError("a name stands twice in one object")
    return result


def _no_constant(_name: str) -> Any:
    raise MalformedError("NaN and Infinity are not JSON")


def _safe_int(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_SAFE_INTEGER:
        raise MalformedError("an integer beyond 2^53-1")
    if digits == "-0":
        raise MalformedError("a whole number spelled otherwise")
    return int(digits)


def _fraction(digits: str) -> float:
    """A float that no integer equals: to JavaScript 1.0 and 1e0 are 1, to Python they are not."""
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise MalformedError("a number too large")
    if value.is_integer():
        raise MalformedError("a whole number spelled otherwise")
    return value


def _refuse_surrogates(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            try:
                item.encode("utf-8")
            except UnicodeEncodeError:
                raise MalformedError("a lone surrogate") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_safe_int, parse_float=_fraction
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
