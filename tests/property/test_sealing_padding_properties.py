"""Padding, links and records: each opener undoes its sealer, and takes nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError
from crypto_core.sealing import padding, records
from crypto_core.sealing.padding import CONTENT_BORDER, pad_content, pad_record, padme, unpad_content, unpad_record
from crypto_core.sealing.records import Link, format_link, parse_link

HASHES = st.binary(min_size=32, max_size=32)
LINKS = st.builds(Link, st.integers(0, 2**64 - 1), HASHES, st.lists(HASHES, max_size=16).map(tuple))
IDS = st.binary(min_size=16, max_size=16)
MK_N, ITEM = bytes(range(32)), bytes(16)


def blocks_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**60))
def test_padme_costs_at_most_12_percent_and_holds_still(length: int) -> None:
    padded = padme(length)
    assert length <= padded <= length + length * 12 // 100 + 1
    assert padme(padded) == padded
    assert padme(length + 1) >= padded


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=300).flatmap(lambda seed: st.integers(1, 400).map(lambda times: seed * times)),
    st.integers(1, 70_000),
    st.integers(1, 70_000),
)
@example(b"", 1000, 1000)
@example(bytes(16_384), 1000, 16_384)
@example(bytes(16_385), 100_000, 1)
def test_contents_survive_however_cut(content: bytes, cut: int, other_cut: int) -> None:
    padded = b"".join(pad_content(len(content), blocks_of(content, cut)))
    assert len(padded) == padding.content_plain_size(len(content)) == padme(len(padded)) >= padding.CONTENT_FLOOR
    assert b"".join(unpad_content(blocks_of(padded, max(other_cut, 200)))) == content
    start, stop = padding.content_range(len(content) // 3, len(content))
    assert padded[start:stop] == content[len(content) // 3 :]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_content_of_another_size_than_announced_is_refused(announced: int, real: int) -> None:
    if announced == real:
        assert b"".join(pad_content(announced, [bytes(real)]))
    else:
        with pytest.raises(MalformedError):
            list(pad_content(announced, [bytes(real)]))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 40_000), st.data())
def test_a_changed_padded_content_gives_other_content_or_is_refused(size: int, data: st.DataObject) -> None:
    padded = bytearray(b"".join(pad_content(size, [b"x" * size])))
    place = data.draw(st.integers(0, len(padded) - 1) | st.integers(0, 40))
    padded[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        content = b"".join(unpad_content([bytes(padded)]))
    except CryptoCoreError:
        assert not CONTENT_BORDER <= place < CONTENT_BORDER + size
    else:
        assert content != b"x" * size


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**53 - 1))
def test_heads_are_inverse(size: int) -> None:
    head = padding.content_head(size)
    assert len(head) == CONTENT_BORDER and padding.parse_content_head(head) == size


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000))
@example(b"x" * 1016)
@example(b"x" * 1017)
def test_records_survive(json: bytes) -> None:
    padded = pad_record(json)
    assert len(padded) == padme(len(padded)) >= padding.RECORD_FLOOR
    assert unpad_record(padded) == json


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3000), st.data())
def test_a_changed_padded_record_is_never_the_same_record(size: int, data: st.DataObject) -> None:
    padded = bytearray(pad_record(b"x" * size))
    padded[data.draw(st.integers(0, len(padded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert unpad_record(bytes(padded)) != b"x" * size
    except CryptoCoreError:
        return


@settings(max_examples=200, deadline=None)
@given(LINKS)
def test_links_survive(link: Link) -> None:
    data = format_link(link)
    assert len(data) == 554 and parse_link(data) == link
    assert format_link(parse_link(data)) == data
    sealed = records.seal_link(MK_N, ITEM, 1, link)
    assert len(sealed) == records.LINK_SIZE and records.open_link(MK_N, ITEM, 1, sealed) == link


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60)
    | st.binary(min_size=554, max_size=554)
    | st.binary(max_size=8).map(lambda b: b.ljust(554, b"\0"))
)
def test_random_bytes_raise_only_our_errors(data: bytes) -> None:
    try:
        assert format_link(parse_link(data)) == data
    except CryptoCoreError:
        pass
    for opener in (unpad_record, padding.parse_content_head, lambda bad: list(unpad_content([bad]))):
        with pytest.raises(CryptoCoreError):
            opener(data)


@pytest.mark.parametrize(
    "link", [Link(0, bytes(32), (bytes(32),) * 17), Link(0, bytes(31), ()), Link(0, bytes(32), (b"",))]
)
def test_links_that_cannot_be_written(link: Link) -> None:
    with pytest.raises(ValueError, match="16 parents"):
        format_link(link)


@settings(max_examples=60, deadline=None)
@given(IDS, st.integers(0, 2**32 - 1), st.binary(max_size=1500))
def test_records_and_account_records_survive_and_stay_in_their_place(item: bytes, number: int, json: bytes) -> None:
    blob = records.seal_record(MK_N, item, number, json)
    assert records.open_record(MK_N, item, number, blob) == json
    with pytest.raises(TamperedError):
        records.open_record(MK_N, item, number ^ 1, blob)
    account = records.seal_account_record(MK_N, item, number, json)
    assert records.open_account_record(MK_N, item, number, account) == json
    with pytest.raises(TamperedError):
        records.open_account_record(MK_N, item, number ^ 1, account)
    state = records.seal_device_state(MK_N, "outbox", item, json)
    assert records.open_device_state(MK_N, "outbox", item, state) == json
    with pytest.raises(TamperedError):
        records.open_device_state(MK_N, "journal", item, state)
