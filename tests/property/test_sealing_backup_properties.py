"""A sealed backup: what opens it undoes what seals it, however either is cut, and takes nothing else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_core.errors import CryptoCoreError
from crypto_core.sealing.backup import (
    BACKUP_FLOOR, BACKUP_MAGIC, BackupRefused, backup_sealer, make_backup_key, open_backup, pad_backup, seal_backup,
    unpad_backup,
)
from crypto_core.sealing.envelope import plain_size
from crypto_core.sealing.padding import padme
from crypto_core.sealing.recovery import LANGUAGES, format_words, parse_words
from tests.property.test_sealing_padding_properties import blocks_of

PIECES = st.sampled_from([b"", b"PK", b"\x80", b"\x80\x00", bytes(3), bytes(20_000), b"\x01" * 17_000])
PACKS = st.lists(PIECES, max_size=8).map(b"".join)
CUTS = st.integers(1, 40_000)


@settings(max_examples=150, deadline=None)
@given(PACKS, CUTS, st.integers(200, 70_000))
@example(b"\x80" + bytes(33_000), 9, 200)
@example(bytes(BACKUP_FLOOR - len(BACKUP_MAGIC) - 1), 9, 200)
def test_packs_survive_however_cut(pack: bytes, cut: int, other_cut: int) -> None:
    padded = b"".join(pad_backup(blocks_of(pack, max(cut, 50))))
    assert len(padded) == padme(max(len(pack) + 5, BACKUP_FLOOR)) == padme(len(padded))
    assert b"".join(unpad_backup(blocks_of(padded, other_cut))) == pack


@settings(max_examples=60, deadline=None)
@given(PACKS, CUTS, st.sampled_from(LANGUAGES))
def test_a_file_is_opened_by_its_words_and_by_no_others(pack: bytes, cut: int, language: str) -> None:
    key = make_backup_key()
    words = format_words(key, "french" if language == "french" else "english")
    sealed = b"".join(seal_backup(backup_sealer(key), [pack]))
    assert plain_size(len(sealed)) == padme(max(len(pack) + 5, BACKUP_FLOOR))
    assert b"".join(open_backup(parse_words(words), blocks_of(sealed, max(cut, 100)))) == pack
    with pytest.raises(BackupRefused):
        next(open_backup(make_backup_key(), [sealed]))


@settings(max_examples=200, deadline=None)
@given(PACKS, st.data())
def test_a_changed_padded_pack_is_another_pack_or_refused(pack: bytes, data: st.DataObject) -> None:
    padded = bytearray(b"".join(pad_backup([pack])))
    padded[data.draw(st.integers(0, len(padded) - 1) | st.integers(0, 8))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert b"".join(unpad_backup([bytes(padded)])) != pack
    except CryptoCoreError:
        return


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_raise_only_our_errors(data: bytes) -> None:
    with pytest.raises(CryptoCoreError):
        list(open_backup(bytes(32), [data]))
    with pytest.raises(CryptoCoreError):
        list(unpad_backup([data]))


def test_two_files_with_the_same_words_share_no_chunk() -> None:
    key = make_backup_key()
    one, other = (b"".join(seal_backup(backup_sealer(key), [bytes(70_000)])) for _ in range(2))
    assert len(one) == len(other) and one[56:16_456] != other[56:16_456]


@pytest.mark.parametrize("filling", [b"\x00", b"\x80", b"x"])
def test_no_pack_is_in_memory_as_a_whole(filling: bytes) -> None:
    """Also one that looks like padding nearly to its end."""
    size, block = 48 << 20, filling * (1 << 18)

    def pack() -> Iterator[bytes]:
        yield b"\x80"
        for _ in range(size // len(block)):
            yield block
        yield b"\x01"

    key = make_backup_key()
    tracemalloc.start()
    try:
        opened = sum(map(len, open_backup(key, seal_backup(backup_sealer(key), pack()))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened == size + 2
    assert peak < 8 << 20
