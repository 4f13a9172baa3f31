"""Normalising, recovery words and record keys, for any text and any key."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_core.errors import CryptoCoreError, SecretRefused, TamperedError
from crypto_core.sealing.keyring import Keyring, unwrap_record_key, wrap_record_key
from crypto_core.sealing.keys import derive_box
from crypto_core.sealing.passphrase import normalise_password, normalise_pin, normalise_username
from crypto_core.sealing.recovery import LANGUAGES, Language, format_words, parse_words

KEYS = st.binary(min_size=32, max_size=32)
TRICKY = st.text(
    alphabet="aA\u00df\u1e9e\u03a3\u03c2\u0130\u0131\ufb01\u00a0\ufeff\u0345\u0301\u0308\u1fb3\u2126 \u3000",
    max_size=20,
)
TEXTS = st.text(max_size=70) | TRICKY | st.text(alphabet=st.characters(codec=None, categories=["Cs", "Cn", "Nd", "Mn"]))
NORMALISERS: list[Callable[..., str]] = [normalise_username, normalise_password, normalise_pin]


@pytest.mark.parametrize("normalise", NORMALISERS)
@pytest.mark.parametrize("sign_up", [True, False])
@settings(max_examples=250, deadline=None)
@given(text=TEXTS)
def test_normalising_twice_is_normalising_once(normalise: Callable[..., str], sign_up: bool, text: str) -> None:
    try:
        once = normalise(text, sign_up=sign_up)
    except SecretRefused:
        return
    assert normalise(once, sign_up=sign_up) == once
    assert normalise(text) == once, "sign-up only refuses, it never spells otherwise"


@settings(max_examples=250, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_canonically_equal_texts_are_one_secret(text: str) -> None:
    for form in ("NFC", "NFD"):
        same = unicodedata.normalize(form, text)
        for normalise in (normalise_username, normalise_password):
            assert _or_refused(normalise, text) == _or_refused(normalise, same)


def _or_refused(normalise: Callable[[str], str], text: str) -> str | None:
    try:
        return normalise(text)
    except SecretRefused:
        return None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(categories=["Nd"]), min_size=4, max_size=12))
def test_digits_of_any_script_mean_their_value(text: str) -> None:
    try:
        assert normalise_pin(text) == "".join(str(unicodedata.decimal(digit)) for digit in text)
    except SecretRefused:
        assert unicodedata.unidata_version != "14.0.0", "only a digit that is newer than the table"


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=100, deadline=None)
@given(key=KEYS)
@example(key=bytes(32))
@example(key=b"\xff" * 32)
def test_words_survive_any_spelling(language: Language, key: bytes) -> None:
    words = format_words(key, language)
    assert len(words.split(" ")) == 24
    for spelling in (words, words.upper(), unicodedata.normalize("NFD", words), words.replace(" ", " \n- ")):
        assert parse_words(spelling) == key


@settings(max_examples=100, deadline=None)
@given(KEYS, st.integers(0, 23), st.integers(0, 23))
def test_changed_words_never_give_the_same_code(key: bytes, place: int, other: int) -> None:
    words = format_words(key).split()
    words[place], words[other] = words[other], words[place]
    try:
        assert (parse_words(" ".join(words)) == key) == (words == format_words(key).split())
    except SecretRefused:
        assert words != format_words(key).split()


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["abandon", "zoo", "z\u00e8bre", "\u00c9COLE"]), max_size=26).map(" ".join)
)
def test_random_words_raise_only_our_errors(text: str) -> None:
    try:
        assert len(parse_words(text)) == 32
    except SecretRefused:
        pass


@settings(max_examples=80, deadline=None)
@given(KEYS, st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1), st.data())
def test_record_keys_survive_and_any_change_is_refused(
    key: bytes, item: bytes, revision: int, data: st.DataObject
) -> None:
    ring = Keyring(bytes(16), bytes(32), bytes(32), 1, 1, derive_box(bytes(32))[0])
    wrap = bytearray(wrap_record_key(ring, item, revision, key, sensitive=False))
    assert len(wrap) == 153 and unwrap_record_key(ring, item, revision, bytes(wrap)) == (key, False)
    with pytest.raises(TamperedError):
        unwrap_record_key(ring, item, revision ^ 1, bytes(wrap))
    wrap[data.draw(st.integers(0, 152))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TamperedError):
        unwrap_record_key(ring, item, revision, bytes(wrap))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.binary(min_size=153, max_size=153))
def test_random_wraps_raise_only_our_errors(data: bytes) -> None:
    ring = Keyring(bytes(16), bytes(32), bytes(32), 1, 1, derive_box(bytes(32))[0])
    with pytest.raises(CryptoCoreError):
        unwrap_record_key(ring, bytes(16), 1, data)
