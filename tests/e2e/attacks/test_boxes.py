"""Deposit boxes against real worker processes: limits hold whoever deposits at once, and time ends them for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.boxes.ending import collect
from server.ledger.check import check_vault
from tests.fakes.boxes import FakeBox, FakeDeposit
from tests.fakes.served import ServedVault, served_vault
from tests.fakes.vault import b64, code, open_person, said


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedVault]:
    with served_vault(tmp_path_factory.mktemp("boxes"), workers=2) as vault:
        yield vault


@pytest.fixture
def vault(running: ServedVault) -> ServedVault:
    running.start_anew()
    return running


def at_once(count: int, act: Callable[[int], TestResponse]) -> Counter[str]:
    """What `count` people are told who do it together; nothing, where it was done."""
    together = Barrier(count)

    def one(number: int) -> TestResponse:
        together.wait(60)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(one, range(count)))
    return Counter("" if answer.status_code == 201 else code(answer) for answer in answers)


def assert_sound(vault: ServedVault) -> None:
    assert check_vault(vault.parts).problems == []


def test_of_20_deposits_at_once_never_one_too_many(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make(deposits=7)
    ready = [FakeDeposit(box) for _ in range(20)]
    tokens = [box.token() for _ in ready]
    for made, token in zip(ready, tokens, strict=True):
        made.send_blobs(token)
    assert at_once(20, lambda one: ready[one].put(token=tokens[one])) == {"": 7, "box_full": 13}
    assert (box.row()["made"], len(box.waiting())) == (7, 7)
    assert_sound(vault)


def test_20_retries_of_one_deposit_are_one_deposit(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make(deposits=1)
    made, token = FakeDeposit(box, [make_bytes(5000)]), box.token()
    made.send_blobs(token)
    assert at_once(20, lambda _: made.put(token=token)) == {"": 20}
    assert (box.row()["made"], len(box.waiting())) == (1, 1)


def test_of_20_blobs_at_once_never_a_byte_too_many(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make(bytes=limits.BOX_BYTES_LEAST)
    size, token = limits.BOX_BYTES_LEAST // 7, box.token()
    kinds: tuple[Callable[[int], TestResponse], ...] = (
        lambda _: box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(size), token=token),
        lambda _: box.visit("POST", "uploads", {"blob": b64(make_id()), "size": size}, token=token),
    )
    assert at_once(20, lambda one: kinds[one % 2](one)) == {"": 7, "box_full": 13}
    assert box.row()["used"] == 7 * size
    assert_sound(vault)


def test_one_blob_in_two_deposits_at_once_is_in_one(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make(deposits=20)
    token, shared = box.token(), b64(make_id())
    assert box.visit("PUT", f"blobs/{shared}", data=make_bytes(5000), token=token).status_code == 201
    ready = [FakeDeposit(box) for _ in range(8)]
    for made in ready:
        made.send_blobs(token)
    told = at_once(8, lambda one: ready[one].put(ready[one].body(blobs=[shared]), token=token))
    assert told == {"": 1, "blob_missing": 7}
    assert box.row()["made"] == 1
    assert_sound(vault)


def test_what_is_accepted_and_refused_at_once_becomes_one_of_both(vault: ServedVault) -> None:
    person = open_person(vault)
    box = FakeBox(person).make(deposits=10)
    for _ in range(5):
        made, token = box.deposit(make_bytes(5000)), person.confirm()
        with ThreadPoolExecutor(2) as pool:
            accepting = pool.submit(box.accept, made)
            refusing = pool.submit(box.refuse, made.deposit, token=token)
            accepted, refused = accepting.result(), refusing.result()
        is_there = person.ask("GET", f"/v1/blobs/{made.blobs[0]}").status_code == 200
        if accepted.status_code == 201:
            assert (code(refused), is_there) == ("not_found", True)
        else:
            assert (code(accepted), refused.status_code, is_there) == ("blob_missing", 200, False)
    assert box.waiting() == []
    assert_sound(vault)


def test_time_ends_a_box_to_the_second_in_every_worker(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make(life=600)
    token = box.token()
    vault.clock.advance(599)
    for _ in range(8):
        assert box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(500), token=token).status_code == 201
        assert box.enter().status_code == 200
    vault.clock.advance(1)
    for _ in range(8):
        refused = box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(500), token=token)
        assert code(refused) == code(box.enter()) == "box_over"
    collect(vault.parts)
    assert (box.row()["why"], box.row()["used"]) == ("expired", 0)
    assert_sound(vault)


def test_closing_ends_visits_in_every_worker(vault: ServedVault) -> None:
    box = FakeBox(open_person(vault)).make()
    tokens = [box.token() for _ in range(8)]
    assert box.close().status_code == 200
    for token in tokens:
        assert code(box.visit("POST", "uploads", {"blob": b64(make_id()), "size": 500}, token=token)) == "box_over"
    assert said(box.enter())["code"] == "box_over"
