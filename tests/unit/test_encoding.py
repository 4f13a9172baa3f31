"""What the vectors of crypto_core.encoding, derivation and labels can't say: callers' mistakes, exact sizes, tables."""

from __future__ import annotations

import pytest

from crypto_core import derivation, encoding
from crypto_core.errors import MalformedError
from crypto_core.labels import Kind, context


def test_integers_are_big_endian_and_bounded() -> None:
    assert encoding.u16(0x0102) == b"\x01\x02"
    assert encoding.u32(0x01020304) == b"\x01\x02\x03\x04"
    assert encoding.u64(1) == b"\x00" * 7 + b"\x01"
    for write, limit in [(encoding.u16, 2**16), (encoding.u32, 2**32), (encoding.u64, 2**64)]:
        assert write(limit - 1) == b"\xff" * len(write(0))
        for wrong in (limit, -1):
            with pytest.raises(OverflowError):
                write(wrong)


def test_a_field_has_at_most_65535_bytes() -> None:
    assert encoding.lp(bytes(65_535))[:2] == b"\xff\xff"
    with pytest.raises(OverflowError):
        encoding.lp(bytes(65_536))


@pytest.mark.parametrize(
    "parse, text", [(encoding.parse_b64url, "AAEC"), (encoding.parse_b64, "AAEC"), (encoding.parse_hex, "000102")]
)
def test_a_size_is_exact(parse: object, text: str) -> None:
    assert callable(parse)
    assert parse(text, 3) == b"\x00\x01\x02"
    for size in (0, 2, 4):
        with pytest.raises(MalformedError):
            parse(text, size)


@pytest.mark.parametrize("text", ["0", "0G", "AB", " 00", "00\n", "\u0660\u0660", "0x"])
def test_only_lower_case_hexadecimal(text: str) -> None:
    with pytest.raises(MalformedError):
        encoding.parse_hex(text)


@pytest.mark.parametrize("text", ["AAE", "AAE=\n", "AAF=", "AA-_", "=AAE", "AAEC====", "\u00e9AAA"])
def test_only_canonical_padded_base64(text: str) -> None:
    with pytest.raises(MalformedError):
        encoding.parse_b64(text)


@pytest.mark.parametrize("seconds", [-1, encoding.MAX_TIME + 1, 2**64 - 1])
def test_times_that_rfc_3339_cannot_spell(seconds: int) -> None:
    with pytest.raises(MalformedError):
        encoding.format_time(seconds)


def test_json_deep_nesting_is_refused_not_fatal() -> None:
    with pytest.raises(MalformedError):
        encoding.parse_json(b"[" * 200_000)


def test_json_messages_never_quote_the_text() -> None:
    for data in (b'{"secret":1,"secret":2}', b'"secret', b"\xffsecret", b'"secret\\ud800"'):
        with pytest.raises(MalformedError) as refusal:
            encoding.parse_json(data)
        assert "secret" not in str(refusal.value)


def test_json_is_written_compactly_and_never_nan() -> None:
    assert encoding.format_json({"b": "\u00e9", "a": [1, None]}) == b'{"b":"\xc3\xa9","a":[1,null]}'
    with pytest.raises(ValueError):
        encoding.format_json(float("nan"))


def test_no_two_kinds_share_a_label() -> None:
    values = [kind.value for kind in Kind]
    assert len(values) == len(set(values))
    assert all(value.isascii() and value == value.lower() for value in values)


def test_fields_never_run_together() -> None:
    assert context(Kind.RECORD, b"ab", b"c") != context(Kind.RECORD, b"a", b"bc") != context(Kind.RECORD, b"abc")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_is_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derivation.derive(bytes(size), Kind.ITEMS)


@pytest.mark.parametrize("size", [-1, 0, 16_321])
def test_hkdf_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="16,320"):
        derivation.hkdf_expand(bytes(64), b"", size)
