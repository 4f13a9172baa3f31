"""The guess machine: counted before compared, one counter for both purposes, the ladder, the closing, the ways back."""

from __future__ import annotations


import pytest

from crypto_core.randomness import make_bytes
from schemas.problems import PROBLEMS
from server.guesses.models import Guesses
from server.guesses.service import CLOSED_AFTER, CLOSED_FOR, WEEK, delay
from tests.fakes.vault import FakePerson, FakeVault, b64, code, open_person, said

pytestmark = pytest.mark.vault(open_life=400 * 86_400, open_idle=400 * 86_400)
DELAYS = [0, 0, 0, 0, 60, 300, 1800, 7200, 28_800, *[86_400] * 10, 7 * 86_400]
"""Protocol §1, after the first to the twentieth wrong try in a row."""


def counters(person: FakePerson) -> Guesses:
    with person.vault.parts.database.read() as session:
        return session.get_one(Guesses, person.account)


def guess_wrong(person: FakePerson, times: int) -> None:
    """So many wrong tries, each after its delay; the clock stands where the last was made."""
    for _ in range(times):
        wait = max(0, counters(person).not_before - person.vault.clock.now())
        person.vault.clock.advance(wait)
        assert code(person.try_pin("step", person.token, right=False)) == "pin_wrong"


def test_the_ladder_is_the_protocols() -> None:
    assert [delay(n, 0) for n in range(1, CLOSED_AFTER + 1)] == DELAYS
    assert [delay(n, 10) for n in range(1, 6)] == [60, 60, 60, 60, 60]
    assert delay(6, 10) == 300


def test_each_wrong_try_waits_as_the_ladder_says_and_not_a_second_less(vault: FakeVault) -> None:
    person = open_person(vault)
    with vault.parts.database.write() as session:
        session.get_one(Guesses, person.account).wrong_total = -1000  # so that only the ladder speaks
    for expected in DELAYS:
        assert code(person.try_pin("step", person.token, right=False)) == "pin_wrong"
        if expected:
            vault.clock.advance(expected - 1)
            early = person.try_pin("step", person.token)
            assert code(early) in ("pin_locked", "pin_closed")
            assert early.headers["Retry-After"] == "1"
            assert said(early)["retry_after"] == 1
            vault.clock.advance(1)
    assert person.try_pin("step", person.token).status_code == 200


def test_a_try_is_counted_before_it_is_compared(vault: FakeVault) -> None:
    person = open_person(vault)
    seen: list[int] = []
    vault.steps.at["guess.counted"] = lambda: seen.append(counters(person).attempts)
    vault.steps.reached.clear()
    assert person.try_pin("step", person.token).status_code == 200
    assert seen == [1]
    assert vault.steps.reached == ["guess.counted", "guess.compared"]


@pytest.mark.parametrize("step", ["guess.counted", "guess.compared"])
def test_whoever_cuts_the_power_pays_for_the_try(vault: FakeVault, step: str) -> None:
    person = open_person(vault)
    with vault.steps.stopping_at(step):
        for _ in range(5):
            assert person.try_pin("step", person.token, right=False).status_code == 500
    assert code(person.try_pin("step", person.token)) == "pin_locked"
    assert counters(person).wrong_total == 5


def test_a_try_that_is_locked_out_costs_nothing_and_prolongs_nothing(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 5)
    before = counters(person)
    for _ in range(10):
        assert code(person.try_pin("step", person.token)) == "pin_locked"
    after = counters(person)
    assert (after.attempts, after.not_before, after.wrong_total) == (5, before.not_before, 5)


def test_two_accounts_share_nothing(vault: FakeVault) -> None:
    person, other = open_person(vault), open_person(vault)
    guess_wrong(person, 6)
    assert other.try_pin("step", other.token).status_code == 200


def test_the_tag_of_one_purpose_is_wrong_for_the_other(vault: FakeVault) -> None:
    person = open_person(vault)
    person.tag_l, person.tag_s = person.tag_s, person.tag_l
    assert code(person.try_pin("step", person.token)) == "pin_wrong"


def test_a_right_try_clears_the_row_but_not_the_total(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 4)
    assert person.try_pin("step", person.token).status_code == 200
    after = counters(person)
    assert (after.attempts, after.not_before, after.wrong_total, after.wrong_since) == (0, 0, 4, 4)


def test_an_opening_says_how_many_were_wrong_since_the_last(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 3)
    opened = said(person.try_pin("login", person.give_password()))
    assert (opened["wrong_pins"], opened["wrong_total"], opened["advise_change"]) == (3, 3, False)
    opened = said(person.try_pin("login", person.give_password()))
    assert (opened["wrong_pins"], opened["wrong_total"]) == (0, 3)


def test_the_total_falls_by_one_a_week(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 4)
    vault.clock.advance(3 * WEEK - 1)
    assert said(person.try_pin("login", person.give_password()))["wrong_total"] == 2
    vault.clock.advance(1)
    assert said(person.try_pin("login", person.give_password()))["wrong_total"] == 1
    vault.clock.advance(50 * WEEK)
    assert said(person.try_pin("login", person.give_password()))["wrong_total"] == 0


def test_from_ten_in_all_on_no_try_is_free_and_a_change_is_advised(vault: FakeVault) -> None:
    person = open_person(vault)
    for _ in range(3):  # never five in a row, so the ladder alone would ask for no wait
        guess_wrong(person, 3)
        assert person.try_pin("step", person.token).status_code == 200
    assert counters(person).not_before == 0
    guess_wrong(person, 1)
    assert counters(person).not_before == vault.clock.now() + 60
    assert code(person.try_pin("step", person.token)) == "pin_locked"
    vault.clock.advance(60)
    opened = said(person.try_pin("login", person.give_password()))
    assert (opened["wrong_total"], opened["advise_change"]) == (10, True)


def test_twenty_in_a_row_close_the_path_for_seven_days(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 20)
    closed = person.try_pin("login", person.give_password())
    assert (closed.status_code, code(closed)) == (PROBLEMS["pin_closed"].status, "pin_closed")
    assert closed.headers["Retry-After"] == str(CLOSED_FOR)
    assert person.ask("GET", "/v1/account").status_code == 200  # what is open stays open
    vault.clock.advance(CLOSED_FOR)
    assert code(person.try_pin("step", person.token, right=False)) == "pin_wrong"
    assert counters(person).attempts == 1  # a new row of twenty
    vault.clock.advance(60)
    assert person.try_pin("step", person.token).status_code == 200


def test_the_recovery_code_opens_a_closed_path_at_once(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 20)
    token = person.give_password()
    assert person.send_reopen(token).status_code == 200
    assert person.try_pin("login", token).status_code == 200
    assert counters(person).wrong_total > 0


def test_the_recovery_code_ends_a_delay_too(vault: FakeVault) -> None:
    person = open_person(vault)
    guess_wrong(person, 7)
    token = person.give_password()
    assert code(person.try_pin("login", token)) == "pin_locked"
    assert person.send_reopen(token).status_code == 200
    assert person.try_pin("login", token).status_code == 200


def test_another_recovery_code_opens_nothing(vault: FakeVault) -> None:
    person, other = open_person(vault), open_person(vault)
    guess_wrong(person, 20)
    token = person.give_password()
    for wrong in ({"seed": make_bytes(32)}, {"rid": make_bytes(32)}, {"seed": other.recovery_seed, "rid": other.rid}):
        answer = person.send_reopen(token, **wrong)
        assert (answer.status_code, code(answer)) == (403, "recovery_refused")
    assert code(person.try_pin("login", token)) == "pin_closed"


def test_the_purpose_login_takes_no_later_stage_and_step_no_earlier(vault: FakeVault) -> None:
    person = open_person(vault)
    confirmed, password = person.confirm(), person.give_password()
    vault.steps.reached.clear()
    for purpose, token in (("login", person.token), ("login", confirmed), ("step", password)):
        assert code(person.try_pin(purpose, token)) == "stage_insufficient"
    assert vault.steps.reached == []  # nothing was counted
    assert person.try_pin("step", confirmed).status_code == 200


def test_a_right_step_gives_the_sensitive_share(vault: FakeVault) -> None:
    person = open_person(vault)
    answer = said(person.try_pin("step", person.token))
    assert answer["share_S"] == b64(person.share_s)
    assert answer.keys() == {"share_S", "W_S", "epoch", "pin_epoch"}
