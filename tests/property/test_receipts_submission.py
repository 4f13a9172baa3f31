"""What a ledger sends a witness: one spelling, its inverse, and nothing but our errors for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_core.errors import MalformedError
from crypto_core.receipts.submission import (
    MAX_SUBMISSION_SIZE,
    Submission,
    format_size,
    format_submission,
    parse_size,
    parse_submission,
)
from tests.fakes.liar import FakeLedger

SIZES = st.integers(0, 2**63 - 1)
HASHES = st.binary(min_size=32, max_size=32)
PROOFS = st.lists(HASHES, max_size=63).map(tuple)
NOTE = FakeLedger.of(5).note()
GOOD = FakeLedger.of(5).submission(3)


@given(SIZES, PROOFS)
def test_a_submission_has_one_spelling(old: int, proof: tuple[bytes, ...]) -> None:
    submission = Submission(old, proof, NOTE)
    data = format_submission(submission)
    assert parse_submission(data) == submission
    assert format_submission(parse_submission(data)) == data
    assert len(data) <= MAX_SUBMISSION_SIZE
    assert submission.checkpoint == FakeLedger.of(5).checkpoint()


@given(st.binary(max_size=300))
def test_bytes_raise_only_our_error(data: bytes) -> None:
    for parse in (parse_submission, parse_size):
        try:
            parse(data)
        except MalformedError:
            pass


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_another_submission_or_none(place: int, bit: int) -> None:
    spoilt = bytearray(GOOD)
    spoilt[place] ^= 1 << bit
    try:
        found = parse_submission(bytes(spoilt))
    except MalformedError:
        return
    assert found != parse_submission(GOOD)
    assert format_submission(found) == spoilt


@pytest.mark.parametrize(
    "data",
    [
        b"", b"old 3", b"old 3\n\n", GOOD.replace(b"old 3", b"old 03"), GOOD.replace(b"old 3", b"old +3"),
        GOOD.replace(b"old 3", b"old -1"), GOOD.replace(b"old 3", b"old  3"), GOOD.replace(b"old 3", b"Old 3"),
        GOOD.replace(b"old 3", b"old 9223372036854775808"), GOOD.replace(b"old 3\n", b""), b"\n" + GOOD,
        GOOD.replace(b"old 3\n", b"old 3\r\n"), GOOD.replace(b"=\n", b"\n", 1), GOOD.replace(b"=\n", b"= \n", 1),
        GOOD[:-1], GOOD + b"x", GOOD.replace("—".encode(), b"-"), b"old 3\n" + b"A" * 43 + b"=\n" + b"\n",
        format_submission(Submission(3, (bytes(32),) * 63, NOTE)).replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1),
        GOOD + b"x" * MAX_SUBMISSION_SIZE,
    ],
    ids=range(20),
)
def test_what_is_no_submission(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_submission(data)


@pytest.mark.parametrize(
    "submission",
    [Submission(-1, (), NOTE), Submission(2**63, (), NOTE), Submission(0, (bytes(31),), NOTE),
     Submission(0, (bytes(32),) * 64, NOTE), Submission(0, (), "no note")],
    ids=range(5),
)
def test_what_has_no_spelling_is_not_written(submission: Submission) -> None:
    with pytest.raises(ValueError):
        format_submission(submission)


@given(SIZES)
def test_a_size_has_one_spelling(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize("data", [b"", b"\n", b"7", b"07\n", b"7\n\n", b" 7\n", b"-7\n", b"7\r\n", b"9" * 19 + b"\n",
                                  "٧\n".encode(), b"1" * 21])
def test_what_is_no_size(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_size(data)
