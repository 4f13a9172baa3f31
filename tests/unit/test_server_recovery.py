"""Getting back in with the recovery code alone: shown, waited for while others are told, used once; or stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes
from server.accounts.models import Recovery, Token
from server.cli import collect
from server.config import DAY, HOUR, MINUTE
from server.guesses.models import Guesses
from server.recovery.models import Waiting
from tests.fakes.folder import files_in
from tests.fakes.sharing import spell_time
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, code, open_person, random_b64, said
from tests.unit.test_server_change import change_body, renewed, send

WAIT, OPEN = 3 * DAY, 7 * DAY


def keys(person: FakePerson, token: str) -> Any:
    return person.vault.ask("GET", "/v1/recovery/keys", token=token)


def waited(person: FakePerson, *, more: int = 0) -> str:
    """A fresh token of somebody whose waiting time is over."""
    person.give_recovery()
    person.vault.clock.advance(WAIT + more)
    return person.give_recovery()


def test_what_the_code_opens_is_given_after_the_waiting_time_and_not_before(
    vault: FakeVault, person: FakePerson
) -> None:
    answer = said(person.show_code())
    due = {"begun": spell_time(NOON), "due": spell_time(NOON + WAIT)}
    assert {name: answer[name] for name in ("account", "begun", "due")} == {"account": b64(person.account), **due}
    refused = keys(person, answer["token"])
    assert (code(refused), said(refused)["retry_after"]) == ("recovery_waiting", WAIT)
    vault.clock.advance(WAIT - 1)
    again = said(person.show_code())
    assert again | due == again  # shown again, it begins nothing anew
    assert said(keys(person, again["token"]))["retry_after"] == 1
    vault.clock.advance(1)
    given = said(keys(person, again["token"]))
    assert {name: given[name] for name in ("epoch", "wrapped_in", "pin_epoch", "n")} == {
        "epoch": 1, "wrapped_in": 1, "pin_epoch": 1, "n": 1,
    }
    with vault.parts.database.read() as session:
        row = session.scalars(select(Recovery)).one()
    share = vault.parts.pepper.open_row("share_R", person.account, 1, row.share_r)
    assert (given["share_R"], given["W_RN"], given["W_RS"]) == (b64(share), b64(row.w_rn), b64(row.w_rs))


def test_new_credentials_take_the_place_of_everything_that_was_lost(vault: FakeVault, person: FakePerson) -> None:
    for _ in range(6):
        person.try_pin("step", person.token, right=False)
    half, other = person.give_password(), person.token
    token, new = waited(person), person.recovered()
    body = person.recovery_body(new)
    answer = person.send_recovered(new, body, token)
    assert (answer.status_code, said(answer)) == (200, {"epoch": 2, "pin_epoch": 2, "n": 2})
    assert code(person.finish_login()) == "login_refused"
    for ended in (half, other):
        assert code(vault.ask("GET", "/v1/account", token=ended)) == "unauthorized"
    opened = said(new.try_pin("login", new.give_password()))
    assert (opened["epoch"], opened["share_N"]) == (2, b64(new.share_n))
    assert code(person.show_code()) == "recovery_refused"
    assert new.show_code().status_code == 200  # the next code is another one, and waits as the first did
    assert said(person.send_recovered(new, body, token)) == said(answer)  # a lost answer is given again
    assert code(person.send_recovered(new, person.recovery_body(new, n=3), token)) == "recovery_waiting"


def test_nothing_of_what_was_replaced_is_left_in_any_file(vault: FakeVault, person: FakePerson) -> None:
    with vault.parts.database.read() as session:
        row = session.scalars(select(Recovery)).one()
        old = [row.share_r, row.w_rn, row.w_rs, row.login_pk]

    def found() -> int:
        held = b"".join(files_in(vault.parts.config.data).values())
        return sum(one in held for one in old)

    assert found() == len(old)
    new = person.recovered()
    token = waited(person)
    assert person.send_recovered(new, person.recovery_body(new), token).status_code == 200
    assert found() == 0


def test_open_sessions_are_told_and_only_both_secrets_stop_it(vault: FakeVault, person: FakePerson) -> None:
    assert said(person.ask("GET", "/v1/recovery")) == {"pending": None}
    token = person.give_recovery()
    pending = {"begun": spell_time(NOON), "due": spell_time(NOON + WAIT)}
    assert said(person.ask("GET", "/v1/recovery")) == {"pending": pending}
    assert {one["stage"] for one in said(person.ask("GET", "/v1/sessions"))["sessions"]} == {"open"}
    assert code(person.ask("DELETE", "/v1/recovery")) == "stage_insufficient"
    assert code(vault.ask("DELETE", "/v1/recovery", token=token)) == "stage_insufficient"
    confirmed = person.confirm()
    for _ in range(2):
        assert said(vault.ask("DELETE", "/v1/recovery", token=confirmed)) == {}
    assert said(person.ask("GET", "/v1/recovery")) == {"pending": None}
    assert code(keys(person, token)) == "unauthorized"
    vault.clock.advance(WAIT)
    later = said(person.show_code())
    assert later["due"] == spell_time(NOON + 2 * WAIT)  # whoever begins again waits again
    assert code(keys(person, later["token"])) == "recovery_waiting"


def test_a_token_of_it_opens_nothing_else_and_is_short(vault: FakeVault, person: FakePerson) -> None:
    token = person.give_recovery()
    for path in ("/v1/account", "/v1/items", "/v1/sessions", "/v1/recovery", "/v1/bundles"):
        assert code(vault.ask("GET", path, token=token)) == "stage_insufficient"
    vault.clock.advance(10 * MINUTE)
    assert code(keys(person, token)) == "unauthorized"


@pytest.mark.parametrize("late", [OPEN, OPEN + HOUR])
def test_a_sheet_that_is_found_long_after_waits_anew(vault: FakeVault, person: FakePerson, late: int) -> None:
    person.give_recovery()
    vault.clock.advance(WAIT + late)
    answer = said(person.show_code())
    assert answer["begun"] == spell_time(NOON + WAIT + late)
    assert code(keys(person, answer["token"])) == "recovery_waiting"


def test_until_then_it_may_be_used(vault: FakeVault, person: FakePerson) -> None:
    assert keys(person, waited(person, more=OPEN - 1)).status_code == 200


def test_what_was_left_for_too_long_is_forgotten(vault: FakeVault, person: FakePerson) -> None:
    token = waited(person, more=OPEN - 1)
    vault.clock.advance(1)
    assert code(keys(person, token)) == "recovery_over"
    new = person.recovered()
    assert code(person.send_recovered(new, person.recovery_body(new), token)) == "recovery_over"
    assert said(person.log_in().ask("GET", "/v1/recovery")) == {"pending": None}
    collect(vault.parts)
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Waiting)) == 0


def test_another_code_and_another_key_get_one_answer(vault: FakeVault, person: FakePerson) -> None:
    stranger = FakePerson(vault)
    answers = [stranger.show_code(), person.show_code(seed=make_bytes(32))]
    assert [code(one) for one in answers] == ["recovery_refused"] * 2
    assert answers[0].data == answers[1].data
    assert said(person.ask("GET", "/v1/recovery")) == {"pending": None}


def test_a_challenge_is_used_once_and_is_of_this_code(vault: FakeVault, person: FakePerson) -> None:
    challenge = person.recovery_challenge()
    assert person.show_code(challenge=challenge).status_code == 200
    assert code(person.show_code(challenge=challenge)) == "challenge_refused"
    assert code(person.show_code(challenge=person.challenge())) == "challenge_refused"
    assert code(person.finish_login(person.recovery_challenge())) == "challenge_refused"
    late = person.recovery_challenge()
    vault.clock.advance(60)
    assert code(person.show_code(challenge=late)) == "challenge_refused"


CHANGES: dict[str, tuple[Callable[[FakePerson, FakePerson, str], Any], str]] = {
    "before it is due": (lambda one, new, _: one.send_recovered(new, one.recovery_body(new), ""), "unauthorized"),
    "no new code": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, recovery=None), token), "invalid",
    ),
    "not by the code": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new), token, old_seed=one.login_seed),
        "signature_refused",
    ),
    "not by the new key": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new), token, new_seed=one.login_seed),
        "signature_refused",
    ),
    "another account": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, account=random_b64(16)), token),
        "signature_refused",
    ),
    "an epoch that doesn't follow": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, epoch=3, expected_epoch=2), token),
        "credentials_conflict",
    ),
    "a record that doesn't follow": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, n=3), token), "credentials_conflict",
    ),
    "a PIN that is said to be the one that was": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, pin_epoch=1), token),
        "credentials_conflict",
    ),
    "a challenge of the login": (
        lambda one, new, token: one.send_recovered(new, one.recovery_body(new, challenge=one.challenge()), token),
        "challenge_refused",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_hold_changes_nothing(vault: FakeVault, person: FakePerson, name: str) -> None:
    token = waited(person)
    send, expected = CHANGES[name]
    assert code(send(person, person.recovered(), token)) == expected
    assert person.log_in().ask("GET", "/v1/account").status_code == 200
    assert keys(person, token).status_code == 200


def test_the_pair_and_the_code_of_somebody_else_are_not_taken(vault: FakeVault, person: FakePerson) -> None:
    other, new, token = open_person(vault), person.recovered(), waited(person)
    taken = person.recovery_body(new, K_id=b64(other.k_id))
    assert code(person.send_recovered(new, taken, token)) == "account_exists"
    again = json.loads(person.recovery_body(new))
    again["recovery"]["rid"] = b64(other.rid)
    assert code(person.send_recovered(new, format_json(again), token)) == "id_taken"
    assert other.log_in().ask("GET", "/v1/account").status_code == 200


def test_a_change_of_credentials_meanwhile_is_what_it_follows(vault: FakeVault, person: FakePerson) -> None:
    """The code keeps the epoch in which it was made (ADR 9); the credentials' own has gone on."""
    person.give_recovery()
    changed = renewed(person)
    assert send(person, changed, change_body(person, changed)).status_code == 200
    vault.clock.advance(WAIT)
    token, new = person.give_recovery(), person.recovered()
    given = said(keys(person, token))
    assert (given["epoch"], given["wrapped_in"]) == (2, 1)
    body = person.recovery_body(new, epoch=3, expected_epoch=2, pin_epoch=3, n=3)
    assert person.send_recovered(new, body, token).status_code == 200
    assert new.log_in().ask("GET", "/v1/account").status_code == 200


def test_a_new_code_ends_what_waits_for_the_old_one(vault: FakeVault, person: FakePerson) -> None:
    person.give_recovery()
    changed = renewed(person)
    other = FakePerson(vault)
    recovery = json.loads(format_json(other.sign_up_body(person.challenge())))["recovery"]
    body = change_body(person, changed, recovery=recovery)
    assert send(person, changed, body).status_code == 200
    assert said(changed.log_in().ask("GET", "/v1/recovery")) == {"pending": None}
    assert code(person.show_code()) == "recovery_refused"


@pytest.mark.parametrize("step", ["recovery.begun", "recovery.rows"])
def test_a_process_that_dies_leaves_all_or_nothing(vault: FakeVault, person: FakePerson, step: str) -> None:
    new = person.recovered()
    if step == "recovery.begun":
        with vault.steps.stopping_at(step):
            assert person.show_code().status_code == 500
        assert said(person.ask("GET", "/v1/recovery")) == {"pending": None}
        assert person.show_code().status_code == 200
        return
    token, body = waited(person), person.recovery_body(new)
    with vault.steps.stopping_at(step):
        assert person.send_recovered(new, body, token).status_code == 500
    assert person.log_in().ask("GET", "/v1/account").status_code == 200
    assert person.send_recovered(new, body, token).status_code == 200
    new.log_in()


@pytest.mark.vault(login_rate="3 per day")
def test_codes_that_are_none_are_bounded_for_a_network_and_take_nothing_from_logging_in(
    vault: FakeVault, person: FakePerson
) -> None:
    for _ in range(3):
        assert code(FakePerson(vault).show_code(address="192.0.2.7")) == "recovery_refused"
    assert code(person.show_code(address="192.0.2.7")) == "rate_limited"
    assert person.finish_login(address="192.0.2.7").status_code == 200
    assert person.show_code(address="192.0.2.8").status_code == 200


def test_it_goes_with_the_account(vault: FakeVault, person: FakePerson) -> None:
    token = person.give_recovery()
    assert said(vault.ask("DELETE", "/v1/account", token=person.confirm())) == {}
    assert code(keys(person, token)) == "unauthorized"
    assert code(person.show_code()) == "recovery_refused"
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Waiting)) == 0


def test_it_ends_a_delay_of_the_pin_and_leaves_the_count_of_wrong_ones(vault: FakeVault, person: FakePerson) -> None:
    for _ in range(5):
        person.try_pin("step", person.token, right=False)
    token, new = waited(person), person.recovered()
    assert person.send_recovered(new, person.recovery_body(new), token).status_code == 200
    with vault.parts.database.read() as session:
        guesses = session.scalars(select(Guesses)).one()
        assert (guesses.attempts, guesses.not_before, guesses.wrong_total) == (0, 0, 5)
        assert session.scalar(select(func.count()).select_from(Token).where(Token.stage == "open")) == 0


def choose(person: FakePerson, wait: Any) -> Any:
    """What the vault says of another waiting time, chosen with both secrets."""
    return person.vault.ask("PUT", "/v1/recovery/wait", {"wait": wait}, token=person.confirm())


def wait_of(person: FakePerson) -> Any:
    return said(person.ask("GET", "/v1/recovery/wait"))


def due_of(person: FakePerson) -> Any:
    """From when on the code opens that is shown now."""
    return said(person.show_code())["due"]


def test_a_longer_waiting_time_holds_at_once(vault: FakeVault, person: FakePerson) -> None:
    assert wait_of(person) == {"wait": WAIT, "next": None}
    assert said(choose(person, 30 * DAY)) == wait_of(person) == {"wait": 30 * DAY, "next": None}
    assert due_of(person) == spell_time(NOON + 30 * DAY)


def test_a_shorter_one_holds_only_when_the_present_one_is_over(vault: FakeVault, person: FakePerson) -> None:
    """Or whoever sits at the open space with both secrets and the sheet would wait for nothing."""
    following = {"wait": 0, "since": spell_time(NOON + WAIT)}
    assert said(choose(person, 0)) == {"wait": WAIT, "next": following}
    vault.clock.advance(WAIT - 1)
    person = person.log_in()
    assert said(choose(person, 0))["next"] == following  # once more, and it isn't put off
    assert wait_of(person) == {"wait": WAIT, "next": following}
    waits = due_of(person)
    assert waits == spell_time(NOON + WAIT - 1 + WAIT)
    vault.clock.advance(1)
    assert wait_of(person) == {"wait": 0, "next": None}
    assert due_of(person) == waits  # what waits already goes on
    assert vault.ask("DELETE", "/v1/recovery", token=person.confirm()).status_code == 200
    answer = said(person.show_code())
    assert answer["begun"] == answer["due"] == spell_time(NOON + WAIT)
    assert keys(person, answer["token"]).status_code == 200


def test_a_shorter_one_is_taken_back_or_replaced_by_what_is_chosen_next(vault: FakeVault, person: FakePerson) -> None:
    choose(person, 0)
    vault.clock.advance(HOUR)
    person = person.log_in()
    assert said(choose(person, DAY))["next"] == {"wait": DAY, "since": spell_time(NOON + HOUR + WAIT)}
    assert said(choose(person, WAIT)) == {"wait": WAIT, "next": None}
    vault.clock.advance(2 * WAIT)
    assert wait_of(person.log_in()) == {"wait": WAIT, "next": None}


def test_once_it_holds_a_shorter_one_is_what_the_next_is_measured_by(vault: FakeVault, person: FakePerson) -> None:
    choose(person, HOUR)
    vault.clock.advance(WAIT)
    person = person.log_in()
    assert said(choose(person, 0)) == {"wait": HOUR, "next": {"wait": 0, "since": spell_time(NOON + WAIT + HOUR)}}


def test_the_waiting_time_is_chosen_with_both_secrets_and_for_nobody_else(
    vault: FakeVault, person: FakePerson
) -> None:
    other = open_person(vault)
    assert code(person.ask("PUT", "/v1/recovery/wait", {"wait": 0})) == "stage_insufficient"
    token = person.give_recovery()
    assert code(vault.ask("PUT", "/v1/recovery/wait", {"wait": 0}, token=token)) == "stage_insufficient"
    assert code(vault.ask("GET", "/v1/recovery/wait", token=token)) == "stage_insufficient"
    choose(person, 10 * DAY)
    assert wait_of(other) == {"wait": WAIT, "next": None}


@pytest.mark.parametrize("wait", [-1, 30 * DAY + 1, "3", None, True])
def test_a_waiting_time_that_can_not_be_changes_nothing(vault: FakeVault, person: FakePerson, wait: Any) -> None:
    refused = choose(person, wait)
    assert code(refused) == "invalid" and "wait" in said(refused)["fields"]
    assert wait_of(person) == {"wait": WAIT, "next": None}


def test_new_credentials_leave_the_waiting_time_alone(vault: FakeVault, person: FakePerson) -> None:
    choose(person, 10 * DAY)
    person.give_recovery()
    vault.clock.advance(10 * DAY)
    new = person.recovered()
    assert person.send_recovered(new, person.recovery_body(new), person.give_recovery()).status_code == 200
    assert wait_of(new.log_in()) == {"wait": 10 * DAY, "next": None}
