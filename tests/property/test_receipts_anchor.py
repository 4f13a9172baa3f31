"""What is parsed of a token: any damage raises our errors alone, and changes nothing of what is proven."""

from __future__ import annotations

from hashlib import sha256
from itertools import permutations

import pytest
from hypothesis import given, settings, strategies as st

from crypto_core.errors import MalformedError
from crypto_core.receipts.anchor import AnchorError, parse_certificates, verify_token
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.der import sort_certificates
from tests.fakes.authority import Authority, make_authority

TEXT = format_checkpoint(Checkpoint("ledger.example/one", 3, sha256(b"root").digest()))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = make_authority(tmp_path_factory.mktemp("tsa"))
    made.brings_chain = True
    return made


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.token(TEXT)


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    return bytes([tag, size] if size < 0x80 else [tag, 0x82, size >> 8, size & 0xFF]) + content


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_token_raises_our_errors_or_proves_the_same(
    authority: Authority, token: bytes, data: st.DataObject
) -> None:
    roots = [authority.root.certificate]
    proven = verify_token(token, TEXT, roots=roots)
    damaged = bytearray(token)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(token) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(token)), st.integers(0, len(token))))
    try:
        assert verify_token(bytes(damaged[:cut]), TEXT, roots=roots) == proven
    except AnchorError as error:
        assert error.code.startswith("anchor_")


@given(st.binary(max_size=200))
def test_random_bytes_are_no_token(authority: Authority, data: bytes) -> None:
    with pytest.raises(AnchorError):
        verify_token(data, TEXT, roots=[authority.root.certificate])


@given(st.binary(max_size=200))
def test_random_bytes_are_sorted_or_refused(data: bytes) -> None:
    try:
        assert sorted(sort_certificates(data)) == sorted(data)
    except MalformedError:
        pass


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_certificates_come_into_order_whatever_they_hold(contents: list[bytes]) -> None:
    made = [element(0x30, content) for content in contents]

    def token_with(certificates: list[bytes]) -> bytes:
        signed = element(0x30, b"\x02\x01\x03", b"\x31\x00", b"\x30\x00", element(0xA0, *certificates), b"\x31\x00")
        return element(0x30, b"\x30\x00", element(0x30, b"\x06\x00", element(0xA0, signed)))

    right = token_with(sorted(made))
    assert {sort_certificates(token_with(list(order))) for order in permutations(made)} == {right}


@given(st.binary(max_size=300))
def test_random_bytes_are_no_certificates(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_certificates(data)
    with pytest.raises(MalformedError):
        parse_certificates(b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n")
