"""Guessing at PINs, against four real worker processes: protocol §1, "Guess machine", from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes
from server.config import ServerConfig
from server.guesses.models import Guesses
from server.guesses.service import CLOSED_FOR
from tests.fakes.orders import Victim
from tests.fakes.served import ServedVault, served_vault
from tests.fakes.vault import NOON, FakePerson, b64, code, open_person, random_b64, said

LADDER = {5: 60, 6: 300, 7: 1800, 8: 7200, 9: 28_800, 10: 86_400, 11: 86_400, 19: 86_400, 20: CLOSED_FOR}
"""Wrong tries in a row → seconds until the next one."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedVault]:
    with served_vault(tmp_path_factory.mktemp("guesses"), workers=4) as vault:
        yield vault


@pytest.fixture
def vault(running: ServedVault) -> ServedVault:
    running.start_anew()
    return running


def counters(person: FakePerson) -> tuple[int, int, int]:
    """(attempts, not_before, wrong_total), as they stand on disk."""
    with person.vault.parts.database.read() as session:
        row = session.get_one(Guesses, person.account)
    return row.attempts, row.not_before, row.wrong_total


def guess_wrong(person: FakePerson, times: int) -> None:
    """So many wrong tries, each as soon as it is let in."""
    for _ in range(times):
        person.vault.clock.time = max(person.vault.clock.now(), counters(person)[1])
        assert code(person.try_pin("login", person.give_password(), right=False)) == "pin_wrong"


def test_of_32_wrong_pins_at_once_exactly_five_are_compared(vault: ServedVault) -> None:
    person = open_person(vault)
    token = person.give_password()
    vault.orders.forget()
    together = Barrier(32)

    def one(number: int) -> TestResponse:
        together.wait(30)
        purpose, shown = (("login", token), ("step", person.token))[number % 2]
        return person.try_pin(purpose, shown, right=False)

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(one, range(32)))
    assert Counter(map(code, answers)) == {"pin_wrong": 5, "pin_locked": 27}
    assert vault.orders.reached() == {"guess.counted": 5, "guess.compared": 5}
    for answer in answers:
        if answer.status_code == 429:
            assert (answer.headers["Retry-After"], said(answer)["retry_after"]) == ("60", 60)
    assert counters(person) == (5, NOON + 60, 5)


def test_the_ladder_is_kept_to_the_second_by_whichever_worker_is_asked(vault: ServedVault) -> None:
    person = FakePerson(vault).register()
    for number in range(1, 21):
        token = person.give_password()
        assert code(person.try_pin("login", token, right=False)) == "pin_wrong"
        wait = LADDER.get(number)
        if wait is None:
            vault.clock.time = max(vault.clock.now(), counters(person)[1])
            continue
        vault.clock.advance(wait - 1)
        token = person.give_password()
        for _ in range(4):
            early = person.try_pin("login", token)  # right, and not compared
            assert (code(early), early.headers["Retry-After"]) == ("pin_closed" if number == 20 else "pin_locked", "1")
        vault.clock.advance(1)
    assert person.try_pin("login", person.give_password()).status_code == 200


def test_whoever_has_not_shown_the_password_can_not_raise_the_counter(vault: ServedVault) -> None:
    person, other = open_person(vault), open_person(vault)
    old = person.give_password()
    vault.clock.advance(301)  # the token of stage `password` is over
    intruder = FakePerson(vault, account=person.account, k_id=person.k_id)
    assert code(intruder.finish_login()) == "login_refused"
    for token in ("", random_b64(32), b64(person.account), old):
        for purpose in ("login", "step"):
            assert code(person.try_pin(purpose, token, right=False)) == "unauthorized"
    assert code(person.send_confirm(seed=make_bytes(32), right=False)) == "login_refused"
    assert code(other.try_pin("step", other.token, right=False)) == "pin_wrong"  # counts for themselves alone
    assert counters(person) == (0, 0, 0)
    assert vault.orders.reached()["guess.counted"] == 3  # two openings, and the other's


def test_both_purposes_and_the_confirmation_share_one_budget(vault: ServedVault) -> None:
    person = open_person(vault)
    token = person.give_password()
    for purpose, shown in (("login", token), ("step", person.token)) * 2:
        assert code(person.try_pin(purpose, shown, right=False)) == "pin_wrong"
    assert code(person.send_confirm(right=False)) == "pin_wrong"
    assert code(person.try_pin("login", token)) == "pin_locked"
    assert code(person.try_pin("step", person.token)) == "pin_locked"
    assert code(person.send_confirm()) == "pin_locked"


def test_the_total_survives_a_success(vault: ServedVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 4)
    opened = said(person.try_pin("login", person.give_password()))
    assert (opened["wrong_pins"], opened["wrong_total"]) == (4, 4)
    assert counters(person) == (0, 0, 4)
    again = said(person.try_pin("login", person.give_password()))
    assert (again["wrong_pins"], again["wrong_total"]) == (0, 4)


@pytest.mark.parametrize("wrong", [7, 20])
def test_password_and_recovery_code_open_past_any_delay(vault: ServedVault, wrong: int) -> None:
    person = FakePerson(vault).register()
    guess_wrong(person, wrong)
    token = person.give_password()
    assert code(person.try_pin("login", token)) == ("pin_closed" if wrong == 20 else "pin_locked")
    for stranger in ({"seed": make_bytes(32)}, {"rid": make_bytes(32)}):
        assert code(person.send_reopen(token, **stranger)) == "recovery_refused"
    assert code(person.try_pin("login", token)) in ("pin_closed", "pin_locked")
    assert person.send_reopen(token).status_code == 200
    assert person.try_pin("login", token).status_code == 200
    attempts, not_before, wrong_total = counters(person)
    assert (attempts, not_before) == (0, 0)
    assert wrong_total == (7 if wrong == 7 else 19)  # the twenty took more than a week


def test_a_taken_name_overwrites_nothing_however_many_try_at_once(vault: ServedVault) -> None:
    k_id = make_bytes(32)
    people = [FakePerson(vault, k_id=k_id) for _ in range(8)]
    bodies = [format_json(person.sign_up_body(person.challenge())) for person in people]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: pair[0].send_sign_up(pair[1]), zip(people, bodies, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    (first,) = (person for person, answer in zip(people, answers, strict=True) if answer.status_code == 201)
    for person, answer in zip(people, answers, strict=True):
        if person is not first:
            assert code(answer) == "account_exists"
            assert code(person.finish_login()) == "login_refused"
    opened = said(first.try_pin("login", first.give_password()))
    assert opened["share_N"] == b64(first.share_n)


def test_a_crash_between_count_and_compare_never_gives_a_free_guess(vault: ServedVault) -> None:
    person = open_person(vault)
    deaths: list[tuple[Victim, str]] = [
        ("worker", "guess.counted"), ("server", "guess.compared"), ("server", "guess.counted"),
    ]  # fmt: skip
    for victim, step in deaths:
        vault.die(victim, step, lambda: person.try_pin("step", person.token, right=False))
        if victim == "server":
            vault.real.start()
    assert vault.orders.died() == ["guess.counted", "guess.compared", "guess.counted"]
    assert counters(person) == (3, NOON, 3)  # each was counted before it could die; there is no delay after three
    for _ in range(2):
        assert code(person.try_pin("step", person.token, right=False)) == "pin_wrong"
    assert code(person.try_pin("step", person.token)) == "pin_locked"


def test_of_40_wrong_passwords_at_once_exactly_ten_are_compared(tmp_path: Path) -> None:
    rate = {"TEMOIN_LOGIN_RATE": ServerConfig(tmp_path, "").login_rate}
    with served_vault(tmp_path, workers=4, environment=rate) as vault:
        person = FakePerson(vault).register()
        challenges = [person.challenge() for _ in range(40)]
        together = Barrier(40)

        def one(challenge: str) -> TestResponse:
            together.wait(30)
            return person.finish_login(challenge, seed=make_bytes(32))

        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(one, challenges))
        assert Counter(map(code, answers)) == {"login_refused": 10, "rate_limited": 30}
        assert {answer.headers["Retry-After"] for answer in answers if answer.status_code == 429} == {"60"}
        assert code(person.finish_login()) == "rate_limited"
        vault.clock.advance(60)
        for _ in range(6):  # right ones cost nothing, at once or one after the other
            challenges = [person.challenge() for _ in range(8)]
            with ThreadPoolExecutor(8) as pool:
                assert {answer.status_code for answer in pool.map(person.finish_login, challenges)} == {200}
        for _ in range(10):
            assert code(person.finish_login(seed=make_bytes(32))) == "login_refused"
        assert code(person.finish_login()) == "rate_limited"


def test_two_workers_count_a_session_together_and_leave_everybody_else_whole(tmp_path: Path) -> None:
    """With the rates a vault runs with: somebody on the network guesses at all that can be guessed, at once."""
    config = ServerConfig(tmp_path, "")
    rates = {f"TEMOIN_{name.upper()}": getattr(config, name) for name in ("login_rate", "confirm_rate")}
    with served_vault(tmp_path, workers=2, environment=rates) as vault:
        holder = open_person(vault)
        owner, password = replace(holder).log_in(), holder.give_password()
        guesses = [FakePerson(vault) for _ in range(40)]
        challenges = [guess.challenge() for guess in guesses]
        together = Barrier(40)

        def confirm(guess: FakePerson, challenge: str) -> str:
            together.wait(30)
            return code(holder.send_confirm(challenge=challenge, seed=guess.login_seed))

        def log_in(guess: FakePerson, challenge: str) -> str:
            together.wait(30)
            return code(guess.finish_login(challenge))

        with ThreadPoolExecutor(40) as pool:
            assert Counter(pool.map(confirm, guesses, challenges)) == {"challenge_refused": 10, "session_limited": 30}
            assert Counter(pool.map(log_in, guesses, challenges)) == {"login_refused": 10, "rate_limited": 30}
        assert code(holder.send_confirm()) == "session_limited"
        assert code(owner.finish_login()) == "rate_limited"
        assert owner.send_reopen(password).status_code == 200
        assert vault.ask("POST", "/v1/sessions/end-others", token=owner.confirm()).status_code == 200
        assert code(holder.ask("GET", "/v1/account")) == "unauthorized"
