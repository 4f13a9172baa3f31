"""Records of restorations: spelled one way, read back as they were, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from crypto_core.encoding import MAX_TIME
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.receipts.note import Note, SignerKey, format_note, sign
from crypto_core.receipts.restoration import (
    Restoration, add_restoration, format_restoration, open_restorations, parse_restoration,
)

SIGNER, OTHER = SignerKey("ledger/one", bytes(32)), SignerKey("ledger/two", bytes(range(32)))
SIZES = st.integers(0, 2**63 - 1)


@st.composite
def restorations(draw: st.DrawFn) -> Restoration:
    size, was = sorted((draw(SIZES), draw(SIZES)))
    generation = draw(st.binary(min_size=16, max_size=16))
    return Restoration(SIGNER.name, generation, size, was, draw(st.integers(0, MAX_TIME)))


def signed(record: Restoration, signer: SignerKey = SIGNER) -> str:
    text = format_restoration(record)
    return format_note(Note(text, (sign(text, signer),)))


@given(restorations())
def test_what_is_spelled_is_read_as_it_was(record: Restoration) -> None:
    assert parse_restoration(format_restoration(record)) == record


@given(st.lists(restorations(), max_size=4))
def test_a_list_grows_and_is_opened_by_the_ledgers_key_alone(records: list[Restoration]) -> None:
    data = b""
    for record in records:
        data = add_restoration(data, signed(record))
    assert open_restorations(data, [SIGNER.verifier]) == tuple(records)
    if records:
        with pytest.raises(CryptoCoreError):
            open_restorations(data, [OTHER.verifier])


@given(restorations(), st.integers(0, 400), st.integers(0, 255))
def test_no_byte_can_be_another(record: Restoration, at: int, value: int) -> None:
    data = signed(record).encode()
    at %= len(data)
    changed = data[:at] + bytes([value]) + data[at + 1:]
    try:
        assert open_restorations(changed, [SIGNER.verifier]) in ((record,), ())
    except CryptoCoreError:
        return
    assert changed == data


@given(st.text(max_size=200))
def test_no_other_text_is_a_record(text: str) -> None:
    try:
        assert format_restoration(parse_restoration(text)) == text
    except MalformedError:
        pass


def test_nothing_is_set_back_to_more_than_there_was() -> None:
    with pytest.raises(ValueError):
        format_restoration(Restoration(SIGNER.name, bytes(16), 3, 2, 0))


def test_another_ledgers_record_is_none_of_this_one() -> None:
    record = Restoration(OTHER.name, bytes(16), 1, 2, 0)
    with pytest.raises(MalformedError):
        open_restorations(signed(record).encode(), [SIGNER.verifier])
