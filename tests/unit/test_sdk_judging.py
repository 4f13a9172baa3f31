"""Links, heads and the judgement of a finished pass; and the machines that allow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest

from client_sdk.protocol import audit, sync, unlock, upload
from client_sdk.protocol.machine import Machine
from client_sdk.protocol.sync import (
    Accepted, Account, Finding, Links, Pass, judge, missing_in, place_key,
)
from crypto_core.errors import OutOfOrder
from crypto_core.sealing.records import MAX_PARENTS, Link

ITEM = bytes(16)


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def chain(*links: tuple[int, tuple[int, ...]], account_n: int = 1) -> Links:
    made = Links()
    for number, (own, parents) in enumerate(links):
        made.add((ITEM, number + 1), Link(account_n, name(own), tuple(map(name, parents))))
    return made


def a_pass(links: Links, **changes: Any) -> Pass:
    finished = Pass(Account(1, b"a" * 32, None, ()), links, frozenset(), frozenset(), {}, (), ())
    return replace(finished, **changes)


def test_heads_are_what_no_link_names_the_oldest_first() -> None:
    links = chain((1, ()), (2, (1,)), (3, (1,)), (4, (3,)))
    assert links.heads == (name(2), name(4)) == links.next_parents


def test_a_link_that_comes_again_changes_nothing() -> None:
    links = chain((1, ()), (2, (1,)), (1, ()))
    assert links.heads == (name(2),)


def test_a_link_names_sixteen_heads_at_most_the_oldest() -> None:
    links = chain(*((number, ()) for number in range(20)))
    assert links.next_parents == tuple(map(name, range(MAX_PARENTS)))


def test_an_honest_pass_is_clean() -> None:
    account = Account(2, b"b" * 32, b"a" * 32, (name(2),), 1, b"a" * 32)
    verdict = judge(a_pass(chain((1, ()), (2, (1,)), account_n=2), account=account))
    assert verdict.findings == frozenset() and verdict.about == frozenset()


@pytest.mark.parametrize("changes", [
    {"links": chain((2, (9,)))},
    {"account": Account(1, b"a" * 32, None, (name(9),))},
    {"erased": {(ITEM, 1): name(1)}},
    {"withheld": (name(1),)},
])
def test_what_is_missing_is_found_and_named(changes: Mapping[str, Any]) -> None:
    finished = replace(a_pass(chain((1, ()))), **changes)
    verdict = judge(finished)
    assert verdict.findings == {Finding.ITEMS_MISSING} and len(verdict.about) == 1
    assert judge(finished, Accepted(verdict.about)).findings == frozenset()


def test_what_a_tombstone_ended_is_not_missing() -> None:
    finished = a_pass(chain((2, (1,))), erased={(ITEM, 2): name(2)}, ended=frozenset((name(1), name(2))))
    assert judge(finished).findings == frozenset()


@pytest.mark.parametrize(("account", "linked"), [
    (Account(1, b"a" * 32, None, (), 2, b"b" * 32), 1),
    (Account(2, b"x" * 32, None, (), 2, b"b" * 32), 1),
    (Account(3, b"c" * 32, b"x" * 32, (), 2, b"b" * 32), 1),
    (Account(2, b"b" * 32, None, (), 2, b"b" * 32), 3),
])
def test_an_older_or_foreign_account_record_is_found(account: Account, linked: int) -> None:
    finished = a_pass(chain((1, ()), account_n=linked), account=account)
    assert judge(finished).findings == {Finding.ACCOUNT_RECORD_OLDER}


def test_an_account_record_that_was_accepted_is_older_no_more() -> None:
    account = Account(2, b"b" * 32, None, (), 2, b"b" * 32)
    finished = a_pass(chain((1, ()), account_n=5), account=account)
    assert judge(finished, Accepted(account_n=5)).findings == frozenset()
    assert judge(finished, Accepted(account_n=4)).findings


def test_swapped_bytes_are_found() -> None:
    verdict = judge(a_pass(chain((1, ())), swapped=(place_key((ITEM, 1)),)))
    assert verdict.findings == {Finding.BLOB_SWAPPED}


MACHINES: list[tuple[type[Enum], type[Enum], Any, Enum, set[Enum]]] = [
    (unlock.Unlock, unlock.UnlockEvent, unlock.TRANSITIONS, unlock.Unlock.LOCKED, set()),
    (upload.Upload, upload.UploadEvent, upload.TRANSITIONS, upload.Upload.UNKNOWN,
     {upload.Upload.KEPT, upload.Upload.ABANDONED}),
    (sync.Sync, sync.SyncEvent, sync.TRANSITIONS, sync.Sync.IDLE, {sync.Sync.TRUSTED, sync.Sync.WARNED}),
    (audit.Audit, audit.AuditEvent, audit.TRANSITIONS, audit.Audit.NOTHING, set()),
]


@pytest.mark.parametrize(("states", "events", "table", "start", "ends"), MACHINES)
def test_every_state_can_be_reached_and_left_or_is_an_end(
    states: type[Enum], events: type[Enum], table: Mapping[tuple[Any, Any], Any], start: Enum, ends: set[Enum]
) -> None:
    reached = {start}
    for _ in states:
        reached |= {after for (before, _), after in table.items() if before in reached}
    assert reached == set(states)
    assert {before for before, _ in table} | ends == set(states)
    assert {event for _, event in table} == set(events)


@pytest.mark.parametrize(("states", "events", "table", "start", "ends"), MACHINES)
def test_what_the_table_lacks_is_out_of_order(
    states: type[Enum], events: type[Enum], table: Mapping[tuple[Any, Any], Any], start: Enum, ends: set[Enum]
) -> None:
    for state in states:
        for event in events:
            machine = Machine(state, table)
            if (state, event) in table:
                assert machine.receive(event) is table[state, event]
            else:
                with pytest.raises(OutOfOrder):
                    machine.receive(event)
                assert machine.state is state


def test_a_pin_is_never_proven_before_the_password() -> None:
    assert [before for (before, event), _ in unlock.TRANSITIONS.items() if event is unlock.UnlockEvent.PIN_PROVEN] == [
        unlock.Unlock.PASSWORD
    ]


def test_kept_is_reached_from_a_verified_receipt_alone() -> None:
    assert [before for (before, _), after in upload.TRANSITIONS.items() if after is upload.Upload.KEPT] == [
        upload.Upload.RECEIPTED
    ]
    assert [event for (_, event), after in upload.TRANSITIONS.items() if after is upload.Upload.RECEIPTED] == [
        upload.UploadEvent.RECEIPT_VERIFIED
    ]


def test_only_a_finished_pass_is_judged() -> None:
    judging = {sync.SyncEvent.CLEAN, sync.SyncEvent.FOUND, sync.SyncEvent.FOUND_STILL}
    assert {before for (before, event) in sync.TRANSITIONS if event in judging} == {sync.Sync.FINISHED}


def test_width_doubles_to_the_limit_and_halves_to_one() -> None:
    width = upload.Width()
    seen = [width.units]
    for _ in range(6):
        width.succeeded()
        seen.append(width.units)
    assert seen == [1, 2, 4, 8, 16, 32, 32]
    for _ in range(5):
        width.failed()
    assert (width.units, width.requests) == (1, 2)
    width.failed()
    assert (width.units, width.requests) == (1, 1)
    width.succeeded()
    assert width.requests == 2
    assert list(width.split(5)) == [(0, 2), (2, 4), (4, 5)]


def test_what_takes_long_makes_requests_narrower_and_where_one_unit_takes_long_they_go_alone() -> None:
    width = upload.Width()
    for _ in range(3):
        width.succeeded(upload.BRIEF)
    assert (width.units, width.requests) == (8, 2)
    width.succeeded(upload.BRIEF + 0.01)
    assert width.units == 8
    width.succeeded(upload.LONG + 0.01)
    assert width.units == 4
    for _ in range(2):
        width.succeeded(upload.LONG + 0.01)
    assert (width.units, width.requests) == (1, 2)
    width.succeeded(upload.LONG + 0.01)
    assert (width.units, width.requests) == (1, 1)
    width.succeeded(upload.LONG)
    assert width.requests == 1
    width.succeeded(upload.BRIEF)
    assert (width.units, width.requests) == (2, 2)


def test_what_was_written_off_is_missed_no_more_and_is_not_ended_either() -> None:
    finished = a_pass(chain((2, (1,))), withheld=[name(3)], erased={(ITEM, 9): name(4)})
    assert missing_in(finished) == {name(1), name(3), name(4)}
    assert missing_in(replace(finished, lost=frozenset({name(1), name(3)}))) == {name(4)}
    assert missing_in(replace(finished, ended=frozenset({name(1), name(3), name(4)}))) == {name(3)}  # it is held
    assert judge(replace(finished, lost=frozenset({name(1), name(3), name(4)}))).findings == frozenset()
