"""Histories that several devices write, shown honestly and not: the first are clean, the others are found."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from client_sdk.protocol.sync import Account, Finding, Links, Pass, judge
from client_sdk.replica import Replica
from crypto_core.sealing.records import Link

DEVICES = 3


@dataclass(frozen=True)
class Shown:
    """One revision as a vault shows it: where it stands, its link, what its tombstone ends, whether it was erased."""

    place: tuple[bytes, int]
    link: Link
    ends: tuple[bytes, ...] = ()
    erased: bool = False


@dataclass
class World:
    """An honest vault and its devices: each knows what it has seen, and links to that."""

    shown: list[Shown] = field(default_factory=list)
    known: list[Links] = field(default_factory=lambda: [Links() for _ in range(DEVICES)])
    upto: list[int] = field(default_factory=lambda: [0] * DEVICES)
    account_n: int = 1
    heads: tuple[bytes, ...] = ()

    def sync(self, device: int) -> None:
        for one in self.shown[self.upto[device]:]:
            self.known[device].add(one.place, one.link)
        self.upto[device] = len(self.shown)

    def write(self, device: int, ends: tuple[bytes, ...] = ()) -> None:
        number = len(self.shown)
        link = Link(self.account_n, sha256(b"record %d" % number).digest(), self.known[device].next_parents)
        place = (number.to_bytes(16, "big"), 1)
        self.shown.append(Shown(place, link, ends))
        self.known[device].add(place, link)  # acknowledged: others may have written in between

    def lock(self, device: int) -> None:
        self.sync(device)
        self.heads = self.known[device].heads
        self.account_n += 1

    def delete(self, device: int, target: int) -> None:
        self.sync(device)
        if self.shown:
            self.write(device, (self.shown[target % len(self.shown)].link.record_hash,))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    for _ in range(draw(st.integers(1, 25))):
        device = draw(st.integers(0, DEVICES - 1))
        match draw(st.sampled_from(("write", "write", "write", "sync", "lock", "delete"))):
            case "write":
                world.write(device)
            case "sync":
                world.sync(device)
            case "lock":
                world.lock(device)
            case "delete":
                world.delete(device, draw(st.integers(0, 50)))
    return world


def judged(shown: Sequence[Shown], account: Account) -> frozenset[Finding]:
    links = Links()
    for one in shown:
        links.add(one.place, one.link)
    ended = frozenset(end for one in shown for end in one.ends)
    erased = {one.place: one.link.record_hash for one in shown if one.erased}
    return judge(Pass(account, links, ended, frozenset(), erased, (), ())).findings


def account_of(world: World) -> Account:
    return Account(world.account_n, b"a" * 32, None, world.heads)


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_an_honest_history_is_clean_for_everybody(world: World) -> None:
    assert judged(world.shown, account_of(world)) == frozenset()


@given(worlds(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_dropped_revision_is_found_once_the_account_record_is_written(world: World, data: st.DataObject) -> None:
    world.lock(0)
    if not world.shown:
        return
    dropped = data.draw(st.integers(0, len(world.shown) - 1))
    rest = world.shown[:dropped] + world.shown[dropped + 1:]
    is_ended = any(world.shown[dropped].link.record_hash in one.ends for one in rest)
    assert judged(rest, account_of(world)) == (frozenset() if is_ended else {Finding.ITEMS_MISSING})


@given(worlds(), st.data())
@settings(max_examples=150, deadline=None)
def test_an_erasure_is_found_unless_a_tombstone_asked_for_it(world: World, data: st.DataObject) -> None:
    if not world.shown:
        return
    place = data.draw(st.integers(0, len(world.shown) - 1))
    one = world.shown[place]
    world.shown[place] = Shown(one.place, one.link, one.ends, erased=True)
    asked_for = any(one.link.record_hash in other.ends for other in world.shown)
    assert judged(world.shown, account_of(world)) == (frozenset() if asked_for else {Finding.ITEMS_MISSING})


@given(worlds(), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_an_older_account_record_is_found_by_whoever_saw_a_newer_one(world: World, back: int) -> None:
    world.lock(0)
    world.write(0)
    older = Account(world.account_n - min(back, world.account_n - 1), b"a" * 32, None, ())
    assert Finding.ACCOUNT_RECORD_OLDER in judged(world.shown, older)


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_whoever_has_seen_everything_leaves_one_head(world: World) -> None:
    world.sync(1)
    world.write(1)
    heads = world.known[1].heads
    assert heads[-1] == world.shown[-1].link.record_hash
    assert len(heads) == 1 + max(0, len(judge_heads(world.shown[:-1])) - 16)


def judge_heads(shown: Sequence[Shown]) -> tuple[bytes, ...]:
    links = Links()
    for one in shown:
        links.add(one.place, one.link)
    return links.heads


@given(st.lists(st.tuples(
    st.integers(0, 2), st.integers(1, 2), st.sampled_from((None, b"one", b"two")), st.booleans(),
), max_size=12))
@example([(0, 1, b"one", True), (0, 1, b"two", False)])
@settings(max_examples=60, deadline=None)
def test_a_replica_never_lets_other_bytes_take_the_place_of_what_it_holds(
    steps: list[tuple[int, int, Any, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        replica, model = Replica(Path(folder) / "replica.db"), dict[tuple[bytes, int], bytes | None]()
        try:
            for item, revision, record, is_erased_next in steps:
                place = (bytes([item]) * 16, revision)
                taken = replica.receive({
                    "item": place[0], "revision": revision, "deposited": 1, "wrap": record, "link": b"link",
                    "record": record, "blobs": [], "erases": None,
                }, 1)
                held = model.get(place)
                assert taken == (held is None or record is None or held == record)
                model[place] = held or record
                if is_erased_next:
                    row = replica.row(*place)
                    assert row is not None
                    replica.erase(row)
                    model[place] = None
            for (item_id, revision), record in model.items():
                row = replica.row(item_id, revision)
                assert row is not None and row.record == record
            assert len(list(replica.newest_of_each())) == len({item_id for item_id, _ in model})
        finally:
            replica.close()
