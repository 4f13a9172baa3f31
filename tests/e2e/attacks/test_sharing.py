"""Sharing against real worker processes: openings, codes and ends hold whoever asks at once, and whichever worker."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.directory.service import revoke
from server.shares.ending import collect
from tests.fakes.orders import Victim
from tests.fakes.served import ServedVault, served_vault
from tests.fakes.sharing import FakeBundle, open_professional
from tests.fakes.vault import NOON, b64, code, open_person, said

LARGE = limits.FIRST_UNIT + 31 * limits.UNIT
"""8.4 MB: far more than what socket and server hold between them."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedVault]:
    with served_vault(tmp_path_factory.mktemp("sharing"), workers=4) as vault:
        yield vault


@pytest.fixture
def vault(running: ServedVault) -> ServedVault:
    running.clock.time = NOON
    running.orders.withdraw()
    running.orders.forget()
    return running


def share_large(vault: ServedVault) -> FakeBundle:
    """A bundle whose blob was sent in units, and lies in the store."""
    person = open_person(vault)
    made = FakeBundle(person, content=make_bytes(LARGE))
    assert person.ask("POST", "/v1/uploads", {"blob": made.blob, "size": LARGE}).status_code == 201
    path = f"/v1/uploads/{made.blob}"
    assert person.ask("PUT", f"{path}/units/0", data=made.content).status_code == 200
    assert person.ask("POST", f"{path}/complete", {"sha256": b64(sha256(made.content).digest())}).status_code == 201
    return made.keep_item().share_it()


@contextmanager
def download(vault: ServedVault, made: FakeBundle, token: str) -> Iterator[http.client.HTTPResponse]:
    """The blob, under way: nothing of its body has been read."""
    connection = http.client.HTTPConnection("127.0.0.1", vault.real.port, timeout=60)
    try:
        path = f"/v1/bundles/{made.bundle}/blobs/{made.blob}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def test_of_20_openers_at_once_never_one_too_many(vault: ServedVault) -> None:
    lawyer = open_professional(vault)
    entry = lawyer.become_listed()
    for made in (FakeBundle(open_person(vault)), FakeBundle(open_person(vault), entry)):
        made.send(openings=7)
        together = Barrier(20)

        def one(_: int, made: FakeBundle = made, together: Barrier = together) -> TestResponse:
            together.wait(60)
            return made.open(token="" if made.entry is None else lawyer.person.token)

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(one, range(20)))
        opened = [said(answer)["token"] for answer in answers if answer.status_code == 200]
        assert (len(opened), len(set(opened))) == (7, 7)
        refused = [code(answer) for answer in answers if answer.status_code != 200]
        assert Counter(refused) == {"openings_used": 13}
        assert len(made.row()["opened"]) == 7
        assert {made.fetch(token).data for token in opened} == {made.content}


def test_20_retries_of_one_opening_are_one_opening(vault: ServedVault) -> None:
    made = FakeBundle(open_person(vault)).send(openings=1)
    opening = b64(make_id())
    together = Barrier(20)

    def one(_: int) -> TestResponse:
        together.wait(60)
        return made.open(opening=opening)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert {answer.status_code for answer in answers} == {200}
    alive = [said(one)["token"] for one in answers if made.fetch(said(one)["token"]).status_code == 200]
    assert len(alive) == 1 == len(made.row()["opened"])


def test_of_32_wrong_codes_at_once_exactly_five_are_compared(vault: ServedVault) -> None:
    made = FakeBundle(open_person(vault)).send()
    token = made.token()
    vault.orders.forget()
    together = Barrier(32)

    def one(_: int) -> TestResponse:
        together.wait(60)
        return made.try_code(x=make_bytes(32))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(one, range(32)))
    assert Counter(map(code, answers)) == {"code_wrong": 5, "bundle_over": 27}
    assert vault.orders.reached() == {"guess.counted": 5, "guess.compared": 5}
    assert sorted(said(one)["left"] for one in answers if code(one) == "code_wrong") == [0, 1, 2, 3, 4]
    assert code(made.try_code()) == code(made.open()) == code(made.fetch(token)) == "bundle_over"
    row = made.row()
    assert (row["why"], row["wrong_codes"]) == ("codes", 5)


def test_a_crash_between_count_and_compare_never_gives_a_free_try_at_a_code(tmp_path: Path) -> None:
    deaths: list[tuple[Victim, str]] = [
        ("worker", "guess.counted"), ("server", "guess.compared"), ("worker", "guess.compared"),
        ("server", "guess.counted"), ("worker", "guess.counted"),
    ]  # fmt: skip
    with served_vault(tmp_path) as vault:
        made = FakeBundle(open_person(vault)).send()
        for number, (victim, step) in enumerate(deaths, 1):
            vault.die(victim, step, lambda: made.try_code(x=make_bytes(32)))
            if victim == "server":
                vault.real.start()
            assert made.row()["wrong_codes"] == number
        assert code(made.try_code()) == "bundle_over"
        collect(vault.parts)
        assert made.row()["why"] == "codes"


@pytest.mark.parametrize("ending", ["revoked", "expired", "unlisted", "the hour"])
def test_what_ends_in_mid_download_breaks_off_and_no_range_follows(vault: ServedVault, ending: str) -> None:
    made = share_large(vault)
    token = made.token()
    if ending == "unlisted":
        lawyer = open_professional(vault)
        made = FakeBundle(
            made.person, lawyer.become_listed(), item=made.item, blob=made.blob, content=made.content
        ).share_it()
        token = made.token(token=lawyer.person.token)
    with download(vault, made, token) as whole:
        assert (whole.status, whole.read()) == (200, made.content)
    with download(vault, made, token) as answer:
        begun = answer.read(100_000)
        match ending:
            case "revoked":
                assert made.revoke().status_code == 200
            case "expired":
                vault.clock.advance(30 * 86_400)
            case "unlisted":
                revoke(vault.parts, lawyer.number)
            case "the hour":
                vault.clock.advance(limits.OPENING)
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    begun += broken.value.partial
    assert made.content.startswith(begun) and len(begun) < LARGE
    for headers in ({}, {"Range": f"bytes={len(begun)}-"}):
        assert code(made.fetch(token, headers=headers)) == ("opening_over" if ending == "the hour" else "bundle_over")


def test_time_ends_a_bundle_to_the_second_in_every_worker(vault: ServedVault) -> None:
    made = FakeBundle(open_person(vault)).send(life=600)
    token = made.token()
    vault.clock.advance(599)
    for _ in range(8):
        assert made.fetch(token).status_code == made.try_code().status_code == 200
    vault.clock.advance(1)
    for _ in range(8):
        assert code(made.fetch(token)) == code(made.try_code()) == code(made.open()) == "bundle_over"


def test_whoever_is_approved_at_the_same_time_stands_in_one_tree(tmp_path: Path) -> None:
    with served_vault(tmp_path) as vault:
        people = [open_professional(vault, name=f"Person {number}") for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(lambda one: one.become_listed(), people)) == [0, 1, 2, 3]
        checked = vault.real.command("check")
        assert checked.returncode == 0, checked.stdout
