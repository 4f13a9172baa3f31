"""Merkle trees of every size from 1 to 200: proofs, growth in batches, and the same tree read from its tiles."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_core.errors import ConsistencyMismatch, InclusionMismatch, MalformedError
from crypto_core.receipts.merkle import (
    EMPTY_ROOT,
    consistency_from_inclusion,
    hash_children,
    hash_leaf,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)
from crypto_core.receipts.tiles import (
    WIDTH,
    entries_path,
    format_entries,
    format_tile,
    parse_entries,
    parse_entries_path,
    parse_tile,
    parse_tile_path,
    read_from_tiles,
    tile_from_nodes,
    tile_path,
    tile_width,
)
from crypto_core.receipts.tree import consistency_proof, inclusion_proof, new_nodes, root

LARGEST = 200
LEAVES = [hash_leaf(b"entry %d" % n) for n in range(2000)]


class Nodes:
    """A tree in memory that refuses to read what was never written, and to write anything twice."""

    def __init__(self, *batches: list[bytes]) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}
        self.size = 0
        for batch in batches:
            self.append(batch)

    def append(self, batch: list[bytes]) -> None:
        for level, index, value in new_nodes(self.size, batch, self.read):
            assert (level, index) not in self.kept
            self.kept[level, index] = value
        self.size += len(batch)

    def read(self, level: int, index: int) -> bytes:
        return self.kept[level, index]


NODES = Nodes(LEAVES)
ROOTS = [root(size, NODES.read) for size in range(LARGEST + 1)]


def mth(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash_children(mth(leaves[:split]), mth(leaves[split:]))


def test_roots_are_those_of_the_definition() -> None:
    assert ROOTS == [mth(LEAVES[:size]) for size in range(LARGEST + 1)]
    assert ROOTS[0] == EMPTY_ROOT


def test_every_entry_of_every_tree_is_proven() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, NODES.read)
            verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


def test_every_tree_is_proven_to_begin_every_larger_one() -> None:
    for size2 in range(LARGEST + 1):
        for size1 in range(size2 + 1):
            proof = consistency_proof(size1, size2, NODES.read)
            verify_consistency(size1, size2, proof, ROOTS[size1], ROOTS[size2])


def test_the_proof_of_an_entry_proves_the_growth_from_just_before_it() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            made = consistency_from_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, NODES.read))
            assert made == consistency_proof(index, size, NODES.read)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_proof_holds_for_no_other_number_leaf_or_length(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, NODES.read)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (other, size, LEAVES[index], proof),
        (index, size, LEAVES[other], proof),
        (index, size, LEAVES[index], proof[:at] + proof[at + 1:]),
        (index, size, LEAVES[index], [*proof[:at], LEAVES[-1], *proof[at:]]),
        (index, size, LEAVES[index], [*proof[:at], LEAVES[-1], *proof[at + 1:]]),
        (index, size, LEAVES[index], [*proof[:at], proof[at][:-1], *proof[at + 1:]]),
        (index, size, ROOTS[size], []),
    ]
    for numbers in wrong:
        with pytest.raises(InclusionMismatch):
            verify_inclusion(*numbers, ROOTS[size])


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_forked_tree_is_never_consistent(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(2, LARGEST))
    size1 = data.draw(st.integers(1, size2 - 1))
    changed = data.draw(st.integers(0, size1 - 1))
    fork = Nodes([*LEAVES[:changed], LEAVES[-1], *LEAVES[changed + 1:size2]])
    honest, forked = consistency_proof(size1, size2, NODES.read), consistency_proof(size1, size2, fork.read)
    for proof in (honest, forked):
        with pytest.raises(ConsistencyMismatch):
            verify_consistency(size1, size2, proof, ROOTS[size1], root(size2, fork.read))
        with pytest.raises(ConsistencyMismatch):
            verify_consistency(size1, size2, proof, root(size1, fork.read), ROOTS[size2])


@settings(deadline=None, max_examples=300)
@given(
    st.integers(-2, 300),
    st.integers(-2, 300),
    st.lists(st.binary(min_size=31, max_size=33) | st.binary(min_size=32, max_size=32), max_size=12),
)
def test_random_proofs_raise_only_our_errors(first: int, second: int, proof: list[bytes]) -> None:
    with pytest.raises(InclusionMismatch):
        verify_inclusion(first, second, LEAVES[0], proof, bytes(32))
    with pytest.raises(ConsistencyMismatch):
        verify_consistency(first, second, proof, bytes(32), b"\xff" * 32)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 90), max_size=12))
def test_growing_in_batches_equals_growing_at_once(sizes: list[int]) -> None:
    grown, start = Nodes(), 0
    for size in sizes:
        grown.append(LEAVES[start:start + size])
        start += size
    assert grown.kept == Nodes(LEAVES[:start]).kept
    assert root(start, grown.read) == mth(LEAVES[:start])


def test_growing_reads_at_most_one_old_node_a_level() -> None:
    for size in range(LARGEST):
        levels: list[int] = []

        def read(level: int, index: int) -> bytes:
            levels.append(level)  # noqa: B023
            return NODES.read(level, index)

        new_nodes(size, LEAVES[size:size + 5], read)
        assert len(levels) == len(set(levels))


def test_the_longest_proofs() -> None:
    """Nothing depends on a tree that fits in memory: the largest tree allowed, its hashes all alike."""
    size, value = 2**63 - 1, bytes(32)
    proof = inclusion_proof(0, size, lambda level, index: value)
    assert len(proof) == 63
    root_from_inclusion(0, size, value, proof)
    with pytest.raises(InclusionMismatch):
        root_from_inclusion(0, size + 1, value, [*proof, value])


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_asking_for_a_proof_that_does_not_exist_is_a_mistake_of_ours(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        inclusion_proof(index, size, NODES.read)
    with pytest.raises(ValueError, match="out of order"):
        consistency_proof(size + 1, size, NODES.read)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 1000, 1999])
def test_a_tree_read_from_its_tiles_is_the_same_tree(size: int) -> None:
    fetched: list[str] = []

    def fetch(path: str) -> bytes:
        fetched.append(path)
        level, index, width = parse_tile_path(path)
        assert width == tile_width(level, index, size)
        return tile_from_nodes(level, index, width, NODES.read)

    read = read_from_tiles(size, fetch)
    assert root(size, read) == root(size, NODES.read)
    for index in {0, size // 2, size - 1}:
        assert inclusion_proof(index, size, read) == inclusion_proof(index, size, NODES.read)
    assert consistency_proof(size // 2, size, read) == consistency_proof(size // 2, size, NODES.read)
    assert len(fetched) == len(set(fetched)) <= size // WIDTH + 2


def test_a_tile_is_believed_only_where_the_tile_above_says_so() -> None:
    def fetch(path: str) -> bytes:
        tile = tile_from_nodes(*parse_tile_path(path), NODES.read)
        return tile[:40] + bytes([tile[40] ^ 1]) + tile[41:] if path == "tile/0/001" else tile

    read = read_from_tiles(1000, fetch)
    assert root(1000, read) == root(1000, NODES.read)
    with pytest.raises(InclusionMismatch):
        read(0, 300)
    assert read(0, 600) == NODES.read(0, 600)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    read = read_from_tiles(3, lambda path: bytes(64))
    with pytest.raises(MalformedError):
        root(3, read)


NUMBERS = st.integers(0, 2**55 - 1) | st.sampled_from([0, 999, 1000, 999_999, 1_000_000, 2**55 - 1])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 63), NUMBERS, st.integers(1, 256))
def test_paths_and_their_inverse(level: int, index: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, index, width)) == (level, index, width)
    assert parse_entries_path(entries_path(index, width)) == (index, width)


PATHS = st.from_regex(r"tile/(entries|[0-9]{1,3})/(x?[0-9]{2,4}/){0,7}[0-9]{2,4}(\.p/[0-9]{1,4})?\n?") | st.text()


@settings(deadline=None, max_examples=500)
@given(PATHS)
def test_a_path_is_refused_or_spelled_as_it_came(path: str) -> None:
    try:
        assert tile_path(*parse_tile_path(path)) == path
    except MalformedError:
        pass
    try:
        assert entries_path(*parse_entries_path(path)) == path
    except MalformedError:
        pass


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**55, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_path_for_no_tile_is_a_mistake_of_ours(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="tile"):
        tile_path(level, index, width)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=256))
def test_bundles_and_their_inverse(entries: list[bytes]) -> None:
    data = format_entries(entries)
    assert parse_entries(data, len(entries)) == entries
    with pytest.raises(MalformedError):
        parse_entries(data[:-1], len(entries))
    with pytest.raises(MalformedError):
        parse_entries(data, len(entries) + 1)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 40))
def test_random_bundles_are_refused_or_spelled_as_they_came(data: bytes, width: int) -> None:
    try:
        assert format_entries(parse_entries(data, width)) == data
    except MalformedError:
        pass
    try:
        assert format_tile(parse_tile(data, width)) == data
    except MalformedError:
        pass


def test_bundles_and_tiles_that_nobody_may_make() -> None:
    for entries in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(ValueError, match="bundle"):
            format_entries(entries)
    for hashes in ([], [bytes(32)] * 257, [bytes(31)]):
        with pytest.raises(ValueError, match="tile"):
            format_tile(hashes)
    assert parse_entries(format_entries([bytes(65_535)] * 256), 256) == [bytes(65_535)] * 256
