"""The fields that all schemas are made of.

Knows: the one spelling of each kind of value. Refuses to know: which message a value stands in.
Loading gives Python values (bytes, unix seconds as int); dumping gives the one JSON spelling.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from schemas import limits

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/=", b"+/!!!")
"""Between the alphabets of RFC 4648 §4 and §5; what §5 doesn't have becomes what neither has."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


class _EachInTurn:
    """Asks the validators of a field, which are few, one after the other: the first that refuses is what is told.
    Marshmallow's own way puts them together anew for each value."""

    validators: list[Callable[[Any], Any]]

    def _validate(self, value: Any) -> None:
        for validator in self.validators:
            validator(value)


class Bytes(_EachInTurn, fields.Field[bytes]):
    """Bytes as canonical base64url without padding; of exactly `size` bytes, or of `least` to `most`."""

    def __init__(self, size: int | None = None, *, least: int = 0, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = size if size is not None else least
        self.most = size if size is not None else most

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return binascii.b2a_base64(value, newline=False).translate(_TO_URL, b"=").decode("ascii")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, str):
            raise ValidationError("Not a base64url text.")
        try:
            spelled = value.encode("ascii").translate(_FROM_URL) + b"=" * (-len(value) % 4)
            raw = binascii.a2b_base64(spelled, strict_mode=True)
        except ValueError:
            raise ValidationError("Not base64url.") from None
        if binascii.b2a_base64(raw, newline=False) != spelled:
            raise ValidationError("Not canonical base64url.")
        self._check(raw)
        return raw

    def _check(self, raw: bytes) -> None:
        if len(raw) < self.least or (self.most is not None and len(raw) > self.most):
            expected = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            raise ValidationError(f"Expected {expected} bytes.")


class Hex(Bytes):
    """Bytes as lower-case hexadecimal: ids and hashes as a person sees them."""

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.hex()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, str) or len(value) % 2 or not re.fullmatch(r"[0-9a-f]*", value, re.ASCII):
            raise ValidationError("Not lower-case hexadecimal.")
        raw = bytes.fromhex(value)
        self._check(raw)
        return raw


class Id(Bytes):
    """A 16-byte id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(limits.ID, **kwargs)


class Hash(Bytes):
    """A SHA-256, 32 bytes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(limits.HASH, **kwargs)


class Whole(_EachInTurn, fields.Integer):
    """A whole number between `least` and `most`; no float, no text, no boolean."""

    def __init__(self, least: int = 0, most: int = limits.SAFE_INTEGER, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(least, most), **kwargs)
        self.least = least
        self.most = most

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Not a whole number.")
        return value


class U32(Whole):
    """A counter: 1 to 2^32 − 1, or from `least`."""

    def __init__(self, least: int = 1, **kwargs: Any) -> None:
        super().__init__(least, limits.U32, **kwargs)


class Time(fields.Field[int]):
    """Unix seconds, spelled as RFC 3339 UTC with `Z` and whole seconds."""

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            if not _TIME.fullmatch(value):
                raise ValueError
            seconds = int(datetime.fromisoformat(value).timestamp())
        except (TypeError, ValueError):
            raise ValidationError("Not an RFC 3339 UTC time with whole seconds.") from None
        if seconds < 0:
            raise ValidationError("Not a time since 1970.")
        return seconds


class Text(_EachInTurn, fields.String):
    """Unicode text of up to `most` characters, without lone surrogates or NUL."""

    def __init__(self, most: int, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(least, most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if _UNKEEPABLE.search(text):
            raise ValidationError("Not text that can be kept.")
        return text


class YesNo(fields.Field[bool]):
    """true or false; no number and no text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not true or false.")
        return value


class Strict(Schema):
    """The base of every schema: order kept, unknown names refused."""


def one_of(*values: str) -> validate.OneOf:
    """A validator: one of these words."""
    return validate.OneOf(values)
