"""Records of rotations: what is written is read back, whatever else comes raises only our errors, and a list of any
length gives each key the trees that it may sign alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_core.encoding import MAX_TIME
from crypto_core.errors import MalformedError, NoteKeyRetired, RotationBroken, RotationForked, TemoinError
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import Commitment
from crypto_core.receipts.note import COSIGNATURE, Note, SignerKey, format_note, format_vkey, sign
from crypto_core.receipts.policy import Log, Policy, format_policy, parse_policy
from crypto_core.receipts.receipt import Receipt, format_receipt
from crypto_core.receipts.rotation import (
    MAX_ROTATIONS_SIZE,
    Rotation,
    RotationChain,
    format_rotation,
    format_rotations,
    open_rotations,
    parse_rotation,
    parse_rotations,
    rotate_policy,
    sign_rotation,
)
from crypto_core.receipts.witnessed import open_checkpoint

ORIGIN = "ledger.example/one"
KEYS = [SignerKey(ORIGIN, bytes([number]) * 32) for number in range(1, 7)]
STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99), st.integers(0, 99)), max_size=5)
"""How much each record's size, time and overlap are beyond those of the one before."""


def rotations_of(steps: list[tuple[int, int, int]]) -> list[Rotation]:
    size = time = 0
    made = []
    for (old, new), (more, later, overlap) in zip(pairwise(KEYS), steps, strict=False):
        size, time = size + more, time + later
        made.append(Rotation(old.verifier, new.verifier, size, time, time + overlap))
    return made


def listed(rotations: list[Rotation]) -> bytes:
    signers = {key.verifier: key for key in KEYS}
    return format_rotations(tuple(sign_rotation(one, signers[one.old], signers[one.new]) for one in rotations))


def note_by(size: int, *signers: SignerKey) -> bytes:
    text = format_checkpoint(Checkpoint(ORIGIN, size, b"\1" * 32))
    return format_note(Note(text, tuple(sign(text, one) for one in signers))).encode()


@given(st.integers(0, 2**63 - 1), st.integers(0, MAX_TIME), st.integers(0, MAX_TIME))
def test_a_record_is_read_as_it_was_written(size: int, one: int, other: int) -> None:
    rotation = Rotation(KEYS[0].verifier, KEYS[1].verifier, size, min(one, other), max(one, other))
    assert parse_rotation(format_rotation(rotation)) == rotation


@settings(deadline=None)
@given(STEPS)
def test_a_list_says_how_far_each_key_may_sign_alone(steps: list[tuple[int, int, int]]) -> None:
    rotations = rotations_of(steps)
    data = listed(rotations)
    assert format_rotations(parse_rotations(data)) == data
    chain = open_rotations(data)
    assert (chain.rotations, chain.data) == (tuple(rotations), data)
    keys = KEYS[:len(rotations) + 1]
    for known in keys:  # whichever of them is trusted
        policy = rotate_policy(Policy.for_key(format_vkey(known.verifier)), chain)
        assert [log.key for log in policy.logs] == [key.verifier for key in keys]
        assert parse_policy(format_policy(policy)) == replace(
            policy, logs=tuple(Log(key.verifier) for key in keys)
        )
        for key, rotation in zip(keys, rotations, strict=False):
            if rotation.size:
                assert open_checkpoint(note_by(rotation.size, key), policy).checkpoint.size == rotation.size
            with pytest.raises(NoteKeyRetired):
                open_checkpoint(note_by(rotation.size + 1, key), policy)
        beyond = 1 + max((one.size for one in rotations), default=0)
        assert open_checkpoint(note_by(beyond, *keys), policy).checkpoint.size == beyond


@settings(deadline=None)
@given(STEPS, st.integers(0, 5))
def test_of_two_lists_that_tell_the_same_the_longer_is_kept(steps: list[tuple[int, int, int]], count: int) -> None:
    rotations = rotations_of(steps)
    whole, beginning = open_rotations(listed(rotations)), open_rotations(listed(rotations[:count]))
    assert whole.joined(beginning) == beginning.joined(whole) == whole
    for at, rotation in enumerate(rotations):
        other = open_rotations(listed([*rotations[:at], replace(rotation, until=rotation.until + 1)]))
        for one, two in ((whole, other), (other, whole)):
            with pytest.raises(RotationForked):
                one.joined(two)


@settings(deadline=None, max_examples=200)
@given(STEPS.filter(bool), st.data())
def test_a_list_that_was_bent_raises_only_our_errors(steps: list[tuple[int, int, int]], data: st.DataObject) -> None:
    given_bytes = bytearray(listed(rotations_of(steps)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(given_bytes) - 1))
        given_bytes[place:place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        chain = open_rotations(bytes(given_bytes))
    except TemoinError:
        return
    assert chain.rotations in {tuple(rotations_of(steps[:count])) for count in range(6)}, "no signed byte may differ"


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_anything_else_is_refused_or_respelled(data: bytes) -> None:
    try:
        assert format_rotations(parse_rotations(data)) == data
    except MalformedError:
        pass


def test_what_has_no_spelling_is_never_signed() -> None:
    right = Rotation(KEYS[0].verifier, KEYS[1].verifier, 1, 2, 3)
    cosigner = SignerKey(ORIGIN, b"\7" * 32, COSIGNATURE).verifier
    elsewhere = SignerKey("ledger.example/two", b"\7" * 32).verifier
    for wrong in (
        replace(right, new=right.old), replace(right, new=cosigner), replace(right, new=elsewhere),
        replace(right, size=-1), replace(right, until=1), replace(right, until=MAX_TIME + 1), replace(right, time=-1),
    ):
        with pytest.raises(ValueError, match="spelled"):
            format_rotation(wrong)
    with pytest.raises(ValueError, match="keys"):
        sign_rotation(right, KEYS[1], KEYS[0])


def test_a_list_has_an_end() -> None:
    with pytest.raises(MalformedError):
        parse_rotations(bytes(MAX_ROTATIONS_SIZE + 1))


def test_a_policy_is_rotated_for_its_own_ledger_alone() -> None:
    chain = open_rotations(listed(rotations_of([(1, 0, 0)])))
    other = SignerKey("ledger.example/two", b"\7" * 32).verifier
    policy = Policy.for_key(format_vkey(other))
    assert rotate_policy(policy, RotationChain()) == policy
    with pytest.raises(RotationBroken):
        rotate_policy(policy, chain)
    both = replace(policy, logs=(Log(KEYS[1].verifier, b"https://one.example/"), *policy.logs))
    assert rotate_policy(both, chain).logs == (
        Log(other), Log(KEYS[0].verifier, b"https://one.example/", 1), Log(KEYS[1].verifier, b"https://one.example/"),
    )
    with pytest.raises(RotationBroken):  # the records of a thief, who has the first key, do not know the second
        rotate_policy(replace(policy, logs=tuple(Log(key.verifier) for key in KEYS[:3])), chain)


def test_a_receipt_of_both_keys_and_two_witnesses_is_small() -> None:
    """In a ledger of a million entries, under a name as long as the one that `init` makes."""
    origin = f"ledger/{'0' * 32}"
    text = format_checkpoint(Checkpoint(origin, 1_000_000, b"\1" * 32))
    signers = [sign(text, SignerKey(origin, bytes([number]) * 32)) for number in (1, 2)]
    witnesses = (SignerKey(f"witness{number}.example/ledgers", bytes([number]) * 32, COSIGNATURE) for number in (3, 4))
    cosigned = [sign(text, one, time=1_772_400_660) for one in witnesses]
    note = format_note(Note(text, (*signers, *cosigned)))
    extra = Commitment(bytes(32), 1_772_400_601, 999_999_999, bytes(32)).extra
    assert len(format_receipt(Receipt(extra, 999_999, (b"\2" * 32,) * 20, note))) < 2048
