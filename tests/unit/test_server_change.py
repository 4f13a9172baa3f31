"""A change of credentials: signed by both keys, compared and swapped, all at once; the end of all other sessions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json, parse_b64url
from crypto_core.randomness import make_bytes
from crypto_core.receipts.signatures import sign_ed25519
from crypto_core.signed_requests import change_message
from server.accounts.models import Account, Recovery, Token
from server.guesses.models import Guesses
from tests.fakes.vault import HOST, FakePerson, FakeVault, b64, code, fake_vault, open_person, said


def renewed(person: FakePerson) -> FakePerson:
    """The same person with another password and PIN."""
    fresh = FakePerson(person.vault)
    return replace(fresh, account=person.account, rid=person.rid, recovery_seed=person.recovery_seed)


def change_body(person: FakePerson, new: FakePerson, **changes: Any) -> bytes:
    return format_json({
        **new.sign_up_body(person.challenge()), "epoch": 2, "expected_epoch": 1, "pin_epoch": 2, "n": 2,
        "recovery": None, **changes,
    })


def send(
    person: FakePerson, new: FakePerson, body: bytes, *, token: str = "", old_seed: bytes = b"", new_seed: bytes = b""
) -> TestResponse:
    said_challenge = parse_b64url(json.loads(body)["challenge"])
    message = change_message(HOST, said_challenge, body)
    return person.vault.ask(
        "POST", "/v1/account/credentials", data=body, token=token or person.confirm(), headers={
            "Content-Type": "application/json",
            "Temoin-Signature": b64(sign_ed25519(old_seed or person.login_seed, message)),
            "Temoin-Signature-New": b64(sign_ed25519(new_seed or new.login_seed, message)),
        },
    )


def rows(vault: FakeVault) -> tuple[Account, Recovery, Guesses]:
    with vault.parts.database.read() as session:
        return tuple(session.scalars(select(table)).one() for table in (Account, Recovery, Guesses))  # type: ignore


def test_the_new_pair_opens_and_the_old_one_no_longer(vault: FakeVault, person: FakePerson) -> None:
    new = renewed(person)
    answer = send(person, new, change_body(person, new))
    assert (answer.status_code, said(answer)) == (200, {"epoch": 2, "pin_epoch": 2, "n": 2})
    assert code(person.finish_login()) == "login_refused"
    opened = said(new.try_pin("login", new.give_password()))
    assert (opened["epoch"], opened["pin_epoch"], opened["share_N"]) == (2, 2, b64(new.share_n))
    assert said(new.log_in().try_pin("step", new.token))["share_S"] == b64(new.share_s)


def test_every_other_session_ends_and_this_one_stays(vault: FakeVault, person: FakePerson) -> None:
    other, half = replace(person).log_in(), person.give_password()
    new = renewed(person)
    assert send(person, new, change_body(person, new)).status_code == 200
    assert code(other.ask("GET", "/v1/account")) == "unauthorized"
    assert code(person.try_pin("login", half)) == "unauthorized"
    assert said(person.ask("GET", "/v1/account"))["epoch"] == 2


def test_the_recovery_code_keeps_its_epoch_and_still_opens_a_closed_path(vault: FakeVault, person: FakePerson) -> None:
    before = rows(vault)[1]
    new = renewed(person)
    assert send(person, new, change_body(person, new)).status_code == 200
    after = rows(vault)[1]
    assert (after.epoch, after.w_rn, after.share_r) == (1, before.w_rn, before.share_r)
    assert new.send_reopen(new.give_password()).status_code == 200
    opened = vault.parts.pepper.open_row("share_R", person.account, after.epoch, after.share_r)
    assert len(opened) == 32


def test_a_new_recovery_code_takes_the_place_of_the_old_one(vault: FakeVault, person: FakePerson) -> None:
    new = replace(renewed(person), rid=make_bytes(32), recovery_seed=make_bytes(32))
    body = change_body(person, new, recovery=new.sign_up_body("")["recovery"])
    assert send(person, new, body).status_code == 200
    assert rows(vault)[1].epoch == 2
    assert new.send_reopen(new.give_password()).status_code == 200
    assert code(new.send_reopen(new.give_password(), rid=person.rid, seed=person.recovery_seed)) == "recovery_refused"


def test_a_change_ends_a_delay(vault: FakeVault, person: FakePerson) -> None:
    token = person.confirm()
    for _ in range(5):
        person.try_pin("step", person.token, right=False)
    assert rows(vault)[2].not_before > 0
    new = renewed(person)
    assert send(person, new, change_body(person, new), token=token).status_code == 200
    assert (rows(vault)[2].attempts, rows(vault)[2].not_before) == (0, 0)


def test_the_identical_body_gets_the_answer_again_and_another_one_a_conflict(
    vault: FakeVault, person: FakePerson
) -> None:
    new, token = renewed(person), person.confirm()
    body = change_body(person, new)
    first = send(person, new, body, token=token)
    again = send(person, new, body, token=token)
    assert (first.status_code, again.status_code, again.data) == (200, 200, first.data)
    late = change_body(new, renewed(person))
    assert code(send(new, renewed(person), late, token=token, old_seed=new.login_seed)) == "signature_refused"
    newer = renewed(person)
    late = change_body(new, newer)
    assert code(send(new, newer, late, token=token)) == "credentials_conflict"


@pytest.mark.parametrize("changes", [
    {"epoch": 3, "expected_epoch": 2}, {"n": 3}, {"pin_epoch": 3}, {"pin_epoch": 4},
])
def test_what_does_not_follow_is_a_conflict(vault: FakeVault, person: FakePerson, changes: dict[str, Any]) -> None:
    new = renewed(person)
    answer = send(person, new, change_body(person, new, **changes))
    assert (answer.status_code, code(answer)) == (409, "credentials_conflict")
    person.log_in()


def test_an_epoch_is_the_one_after_what_was_expected(vault: FakeVault, person: FakePerson) -> None:
    new = renewed(person)
    assert code(send(person, new, change_body(person, new, epoch=3))) == "invalid"


def _stranger(person: FakePerson) -> bytes:
    return make_bytes(32)


@pytest.mark.parametrize("forged", [{"old_seed": _stranger}, {"new_seed": _stranger}])
def test_both_keys_have_to_sign(
    vault: FakeVault, person: FakePerson, forged: dict[str, Callable[[FakePerson], bytes]]
) -> None:
    new = renewed(person)
    seeds = {name: make(person) for name, make in forged.items()}
    answer = send(person, new, change_body(person, new), old_seed=seeds.get("old_seed", b""),
                  new_seed=seeds.get("new_seed", b""))  # fmt: skip
    assert (answer.status_code, code(answer)) == (401, "signature_refused")
    person.log_in()


def test_a_pair_that_is_taken_overwrites_nothing(vault: FakeVault, person: FakePerson) -> None:
    taken = FakePerson(vault).register()
    new = replace(renewed(person), k_id=taken.k_id)
    assert code(send(person, new, change_body(person, new))) == "account_exists"
    taken.log_in()
    person.log_in()


def test_a_new_pin_alone_keeps_the_name(vault: FakeVault, person: FakePerson) -> None:
    new = replace(renewed(person), k_id=person.k_id, login_seed=person.login_seed)
    assert send(person, new, change_body(person, new)).status_code == 200
    assert said(person.try_pin("login", person.give_password()))["code"] == "pin_wrong"
    new.log_in()


def test_another_account_can_not_be_named(vault: FakeVault, person: FakePerson) -> None:
    other = open_person(vault)
    new = renewed(person)
    body = change_body(person, new, account=b64(other.account))
    assert code(send(person, new, body)) == "signature_refused"


def test_a_crash_before_the_commit_leaves_the_old_pair(vault: FakeVault, person: FakePerson) -> None:
    new, token = renewed(person), person.confirm()
    body = change_body(person, new)
    with vault.steps.stopping_at("credentials.rows"):
        assert send(person, new, body, token=token).status_code == 500
    person.log_in()
    assert send(person, new, body, token=token).status_code == 200
    new.log_in()


@pytest.mark.parametrize("step", ["guess.counted", "guess.compared"])
def test_a_pin_that_was_right_before_the_change_opens_nothing_after_it(
    vault: FakeVault, person: FakePerson, step: str
) -> None:
    new, token = renewed(person), person.confirm()
    body = change_body(person, new)

    def change() -> None:
        vault.steps.at.clear()
        assert send(person, new, body, token=token).status_code == 200

    shown = person.give_password()
    vault.steps.at[step] = change
    assert code(person.try_pin("login", shown)) == "unauthorized"
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Token).where(Token.stage != "confirmed")) == 1


def test_taken_pairs_are_counted_by_network_whoever_asks_for_them(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "slow", confirm_rate="2 per day") as vault:
        taken, people = FakePerson(vault).register(), [open_person(vault) for _ in range(3)]
        codes = []
        for person in people:
            new = replace(renewed(person), k_id=taken.k_id)
            codes.append(code(send(person, new, change_body(person, new))))
        assert codes == ["account_exists", "account_exists", "rate_limited"]


def test_a_session_that_is_used_up_changes_nothing(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "slow", confirm_rate="2 per day") as vault:
        person = open_person(vault)
        new, token = renewed(person), person.confirm()
        codes = [
            code(send(person, new, change_body(person, new), token=token, old_seed=make_bytes(32))) for _ in range(3)
        ]
        assert codes == ["signature_refused", "signature_refused", "session_limited"]
        assert person.finish_login().status_code == 200
