"""Deposit boxes: what is sealed for one opens there and nowhere else, and an address has one spelling."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto_core.errors import CryptoCoreError, TamperedError
from crypto_core.sealing import boxes
from crypto_core.sealing.keys import derive_box
from crypto_core.sealing.sharing import LinkMalformed

KEYS, IDS = st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16)
WORDS = st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))


@given(IDS, KEYS, KEYS)
def test_an_address_comes_back(box: bytes, secret: bytes, pk_box: bytes) -> None:
    address = boxes.BoxAddress(box, secret, pk_box)
    spelled = boxes.format_box_fragment(address)
    assert boxes.parse_box_fragment(spelled) == address and len(spelled) == 109
    assert secret.hex() not in repr(address)


@given(st.one_of(st.text(), st.text(alphabet="AZaz09-_=+/", min_size=100, max_size=120).map("#d".__add__)))
def test_what_is_no_address_is_refused_as_one(text: str) -> None:
    try:
        assert boxes.format_box_fragment(boxes.parse_box_fragment(text)) == text
    except LinkMalformed:
        pass


@settings(max_examples=50, deadline=None)
@given(KEYS, KEYS, KEYS, IDS, IDS, IDS, WORDS)
def test_a_deposit_opens_in_its_box_alone(
    mk_n: bytes, seed: bytes, key: bytes, box: bytes, deposit: bytes, other: bytes, words: bytes
) -> None:
    assume(other not in (box, deposit))
    pk_box, sk_box = boxes.open_box(mk_n, box, boxes.seal_box(mk_n, box, seed))
    assert (pk_box, sk_box) == derive_box(seed)
    wrap, sealed = boxes.wrap_deposit_key(pk_box, key, box), boxes.seal_deposit(key, box, deposit, words)
    assert boxes.unwrap_deposit_key(pk_box, sk_box, box, wrap) == key
    assert boxes.open_deposit(key, box, deposit, sealed) == words
    assert boxes.open_box_note(mk_n, box, boxes.seal_box_note(mk_n, box, words)) == words
    for opening in (
        lambda: boxes.unwrap_deposit_key(pk_box, sk_box, other, wrap),
        lambda: boxes.open_deposit(key, other, deposit, sealed),
        lambda: boxes.open_deposit(key, box, other, sealed),
        lambda: boxes.open_box(mk_n, other, boxes.seal_box(mk_n, box, seed)),
        lambda: boxes.open_box_note(mk_n, other, boxes.seal_box_note(mk_n, box, words)),
    ):
        with pytest.raises(TamperedError):
            opening()


@given(st.binary(max_size=400))
def test_what_is_nothing_of_a_box_raises_our_errors_alone(data: bytes) -> None:
    pk_box, sk_box = derive_box(bytes(32))
    for opening in (
        lambda: boxes.unwrap_deposit_key(pk_box, sk_box, bytes(16), data),
        lambda: boxes.open_deposit(bytes(32), bytes(16), bytes(16), data),
        lambda: boxes.open_box(bytes(32), bytes(16), data),
        lambda: boxes.open_box_note(bytes(32), bytes(16), data),
    ):
        with pytest.raises(CryptoCoreError):
            opening()
