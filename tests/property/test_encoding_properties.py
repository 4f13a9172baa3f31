"""One spelling per value: each parser undoes its writer, and anything else is our error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_core import encoding
from crypto_core.errors import MalformedError
from crypto_core.labels import Kind, context

TEXT_PAIRS: list[tuple[Callable[[str], bytes], Callable[[bytes], str]]] = [
    (encoding.parse_b64url, encoding.format_b64url),
    (encoding.parse_b64, encoding.format_b64),
    (encoding.parse_hex, encoding.format_hex),
]
NEAR_TEXT = st.text(alphabet="AZaz09-_+/=\n \u00e9\ud800", max_size=12) | st.text(max_size=12)
SAFE = st.integers(-encoding.MAX_SAFE_INTEGER, encoding.MAX_SAFE_INTEGER)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | SAFE | FRACTIONS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("parse, write", TEXT_PAIRS)
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=100))
def test_bytes_survive(parse: Callable[[str], bytes], write: Callable[[bytes], str], data: bytes) -> None:
    assert parse(write(data)) == data


@pytest.mark.parametrize("parse, write", TEXT_PAIRS)
@settings(max_examples=300, deadline=None)
@given(text=NEAR_TEXT)
@example(text="")
def test_text_has_one_spelling_or_is_refused(
    parse: Callable[[str], bytes], write: Callable[[bytes], str], text: str
) -> None:
    try:
        data = parse(text)
    except MalformedError:
        return
    assert write(data) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(0, encoding.MAX_TIME))
def test_times_survive(seconds: int) -> None:
    text = encoding.format_time(seconds)
    assert len(text) == 20 and encoding.parse_time(text) == seconds


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\n?") | st.text(max_size=25))
def test_times_have_one_spelling_or_are_refused(text: str) -> None:
    try:
        seconds = encoding.parse_time(text)
    except MalformedError:
        return
    assert encoding.format_time(seconds) == text


@settings(max_examples=200, deadline=None)
@given(JSON_VALUES)
def test_json_survives(value: Any) -> None:
    data = encoding.format_json(value)
    assert encoding.parse_json(data) == value
    assert encoding.format_json(encoding.parse_json(data)) == data


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u0dD8e1-. \ufeff', max_size=30).map(str.encode))
def test_json_is_strict_and_never_laxer_than_the_standard_library(data: bytes) -> None:
    try:
        value = encoding.parse_json(data)
    except MalformedError:
        return
    assert json.loads(data.decode("utf-8")) == value
    assert encoding.parse_json(encoding.format_json(value)) == value


@settings(max_examples=200, deadline=None)
@given(value=SAFE, shift=st.integers(1, 30), way=st.sampled_from(["{0}.{2}", "{0}{2}e-{1}", "{0}e0", "{0}.0E+{1}"]))
def test_a_whole_number_has_one_spelling(value: int, shift: int, way: str) -> None:
    assert encoding.parse_json(str(value).encode()) == value
    with pytest.raises(MalformedError):
        encoding.parse_json(way.format(value, shift, "0" * shift).encode())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=4), st.lists(st.binary(max_size=20), max_size=4))
def test_no_two_lists_of_fields_share_a_context(one: list[bytes], other: list[bytes]) -> None:
    assert (context(Kind.WRAP, *one) == context(Kind.WRAP, *other)) == (one == other)
