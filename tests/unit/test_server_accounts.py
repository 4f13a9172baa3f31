"""Sign-up, login with the password, sessions, confirmation and the account record, as protocol §1 has them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from crypto_core.encoding import format_json, parse_b64url, parse_time
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.signatures import sign_ed25519, verify_ed25519
from crypto_core.signed_requests import login_message
from server.accounts.models import Account, Challenge, Recovery, Token
from server.accounts.service import collect
from server.guesses.models import Guesses
from server.problems import Refusal
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, code, fake_vault, open_person, random_b64, said

DAY = 86_400


# sign-up

def test_sign_up_answers_with_the_account_and_writes_all_rows_at_once(vault: FakeVault) -> None:
    person = FakePerson(vault)
    answer = person.send_sign_up(format_json(person.sign_up_body(person.challenge())))
    assert answer.status_code == 201
    assert said(answer)["account"] == b64(person.account)
    assert parse_time(said(answer)["created"]) == NOON
    with vault.parts.database.read() as session:
        for table in (Account, Recovery, Guesses):
            assert session.scalar(select(func.count()).select_from(table)) == 1


def test_a_crash_before_the_commit_leaves_nothing(vault: FakeVault) -> None:
    person = FakePerson(vault)
    body = format_json(person.sign_up_body(person.challenge()))
    with vault.steps.stopping_at("account.rows"):
        assert person.send_sign_up(body).status_code == 500
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0
    assert person.send_sign_up(body).status_code == 201


def test_the_identical_body_gets_the_first_answer_again_within_a_day(vault: FakeVault) -> None:
    person = FakePerson(vault)
    body = format_json(person.sign_up_body(person.challenge()))
    first = person.send_sign_up(body)
    vault.clock.advance(DAY - 1)
    again = person.send_sign_up(body)
    assert (again.status_code, again.data) == (201, first.data)
    vault.clock.advance(1)
    assert code(person.send_sign_up(body)) == "challenge_refused"


def test_a_taken_name_is_refused_and_nothing_is_overwritten(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    intruder = FakePerson(vault, k_id=person.k_id)
    answer = intruder.send_sign_up(format_json(intruder.sign_up_body(intruder.challenge())))
    assert (answer.status_code, code(answer)) == (409, "account_exists")
    person.log_in()
    assert code(intruder.finish_login()) == "login_refused"


@pytest.mark.parametrize("taken", ["account", "rid"])
def test_ids_that_are_taken_are_refused(vault: FakeVault, taken: str) -> None:
    first = FakePerson(vault).register()
    second = FakePerson(vault)
    setattr(second, taken, getattr(first, taken))
    answer = second.send_sign_up(format_json(second.sign_up_body(second.challenge())))
    assert (answer.status_code, code(answer)) == (409, "id_taken")


@pytest.mark.parametrize("name", ["epoch", "pin_epoch"])
@pytest.mark.parametrize("number", [0, 2, 2**32 - 1])
def test_a_sign_up_begins_where_both_epochs_do(vault: FakeVault, name: str, number: int) -> None:
    person = FakePerson(vault)
    answer = person.send_sign_up(format_json(person.sign_up_body(person.challenge()) | {name: number}))
    assert (answer.status_code, code(answer), list(said(answer)["fields"])) == (422, "invalid", [name])
    person.register()


def test_sign_up_needs_the_signature_of_the_key_it_names_over_the_exact_bytes(vault: FakeVault) -> None:
    person = FakePerson(vault)
    body = person.sign_up_body(person.challenge())
    assert code(person.send_sign_up(format_json(body), seed=make_bytes(32))) == "signature_refused"
    signed = format_json(body)
    for signature in ("", "AAAA", random_b64(64)):
        headers = {"Content-Type": "application/json", "Temoin-Signature": signature}
        answer = vault.ask("POST", "/v1/accounts", data=signed, headers=headers)
        assert (answer.status_code, code(answer)) == (401, "signature_refused")
    assert person.send_sign_up(signed).status_code == 201


def test_a_sign_up_challenge_is_bound_to_the_name_and_used_once(vault: FakeVault) -> None:
    person, other = FakePerson(vault), FakePerson(vault)
    assert code(person.send_sign_up(format_json(person.sign_up_body(other.challenge())))) == "challenge_refused"
    challenge = person.challenge()
    vault.clock.advance(60)
    assert code(person.send_sign_up(format_json(person.sign_up_body(challenge)))) == "challenge_refused"


# what a stolen database holds

def test_the_database_holds_no_value_that_an_offline_guess_could_be_tested_against(vault: FakeVault) -> None:
    person = open_person(vault)
    person.confirm()
    with vault.parts.database.write() as session:
        session.execute(text("SELECT 1"))
    stored = b"".join(path.read_bytes() for path in vault.parts.config.data.glob("vault.db*"))
    secrets = [person.k_id, person.rid, person.tag_l, person.tag_s, person.share_n, person.share_s]
    secrets += [parse_b64url(person.token), hashlib.sha256(person.k_id).digest()]
    assert person.account in stored  # the search itself can find something
    assert [secret for secret in secrets if secret in stored] == []


# login

def test_login_gives_a_token_for_five_minutes(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    answer = said(person.finish_login())
    assert (answer["account"], answer["pin_epoch"]) == (b64(person.account), 1)
    assert parse_time(answer["expires"]) == NOON + 300


def test_a_challenge_is_the_same_for_an_account_that_does_not_exist(vault: FakeVault) -> None:
    known, unknown = FakePerson(vault).register(), FakePerson(vault)
    first, second = (vault.ask("POST", "/v1/login/start", {"K_id": b64(p.k_id)}) for p in (known, unknown))
    assert said(first).keys() == said(second).keys() == {"challenge", "expires"}
    assert said(first)["expires"] == said(second)["expires"]
    assert said(first)["challenge"] != said(second)["challenge"]


def test_unknown_account_and_wrong_password_are_one_answer(vault: FakeVault) -> None:
    known, unknown = FakePerson(vault).register(), FakePerson(vault)
    wrong, nobody = known.finish_login(seed=make_bytes(32)), unknown.finish_login()
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.data == nobody.data
    assert code(wrong) == "login_refused"
    assert list(wrong.headers) == list(nobody.headers)


def test_unknown_account_and_wrong_password_cost_the_same_statements_and_verifications(
    vault: FakeVault, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted(public: bytes, message: bytes, signature: bytes) -> bytes:
        statements.append("verify")
        return verify_ed25519(public, message, signature)

    monkeypatch.setattr("server.accounts.login.verify_ed25519", noted)
    known, unknown = FakePerson(vault).register(), FakePerson(vault)
    known.finish_login(seed=make_bytes(32))  # the limiter's first row of the day
    work = []
    for person in (known, unknown):
        challenge = person.challenge()
        statements.clear()
        person.finish_login(challenge, seed=make_bytes(32))
        work.append(list(statements))
    assert work[0] == work[1]
    assert "verify" in work[0]


def test_a_challenge_is_used_once_even_by_a_wrong_signature(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    challenge = person.challenge()
    assert code(person.finish_login(challenge, seed=make_bytes(32))) == "login_refused"
    assert code(person.finish_login(challenge)) == "challenge_refused"


def test_asking_for_challenges_writes_nothing(vault: FakeVault, statements: list[str]) -> None:
    person = open_person(vault)
    statements.clear()
    assert len({person.challenge() for _ in range(20)}) == 20
    assert statements == []


def test_a_challenge_is_one_that_this_vault_gave(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "one") as vault, fake_vault(tmp_path / "another") as another:
        person = FakePerson(vault).register()
        given = parse_b64url(person.challenge())
        for place in (0, 11, 12, 15, 16, 31):  # the random bytes, the time, and what ties them to the pepper
            changed = bytes(byte ^ (place == at) for at, byte in enumerate(given))
            assert code(person.finish_login(b64(changed))) == "challenge_refused"
        assert code(person.finish_login(replace(person, vault=another).challenge())) == "challenge_refused"
        assert code(person.finish_login(b64(bytes(32)))) == "challenge_refused"
        assert person.finish_login(b64(given)).status_code == 200


@pytest.mark.parametrize("back", [30, 250, 86_400])
def test_a_clock_that_is_set_back_brings_no_challenge_back(vault: FakeVault, back: int) -> None:
    person = FakePerson(vault).register()
    used = person.challenge()
    assert person.finish_login(used).status_code == 200
    vault.clock.advance(61)
    collect(vault.parts)
    vault.clock.advance(-back)
    assert code(person.finish_login(used)) == "challenge_refused"


def test_a_challenge_lives_sixty_seconds_and_belongs_to_one_name(vault: FakeVault) -> None:
    person, other = FakePerson(vault).register(), FakePerson(vault).register()
    challenge = person.challenge()
    assert code(other.finish_login(challenge)) == "challenge_refused"
    vault.clock.advance(59)
    assert person.finish_login(challenge).status_code == 200
    challenge = person.challenge()
    vault.clock.advance(60)
    assert code(person.finish_login(challenge)) == "challenge_refused"


def test_the_signature_is_bound_to_the_host(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    challenge = person.challenge()
    message = login_message("phishing.example", person.k_id, parse_b64url(challenge))
    body = {"K_id": b64(person.k_id), "challenge": challenge, "sig": b64(sign_ed25519(person.login_seed, message))}
    assert code(vault.ask("POST", "/v1/login/finish", body)) == "login_refused"


# opening

def test_opening_gives_the_share_and_says_when_it_was_opened_last(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    first = said(person.try_pin("login", person.give_password()))
    assert first["share_N"] == b64(person.share_n)
    assert (first["epoch"], first["pin_epoch"], first["last_opened"]) == (1, 1, None)
    assert parse_time(first["expires"]) == NOON + 12 * 3600
    vault.clock.advance(100)
    second = said(person.try_pin("login", person.give_password()))
    assert parse_time(second["last_opened"]) == NOON


def test_a_password_token_opens_once(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    token = person.give_password()
    assert person.try_pin("login", token).status_code == 200
    assert code(person.try_pin("login", token)) == "unauthorized"


# sessions

def test_an_open_session_ends_after_half_an_hour_without_use(vault: FakeVault) -> None:
    person = open_person(vault)
    for _ in range(3):
        vault.clock.advance(1799)
        assert person.ask("GET", "/v1/account").status_code == 200
    vault.clock.advance(1800)
    assert code(person.ask("GET", "/v1/account")) == "unauthorized"


def test_an_open_session_ends_after_twelve_hours_however_busy(vault: FakeVault) -> None:
    person = open_person(vault)
    for _ in range(12 * 3600 // 1200 - 1):
        vault.clock.advance(1200)
        assert person.ask("GET", "/v1/account").status_code == 200
    vault.clock.advance(1200)
    assert code(person.ask("GET", "/v1/account")) == "unauthorized"


def test_reading_goes_on_while_the_database_cannot_be_written(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = open_person(vault)
    vault.clock.advance(120)

    def full() -> None:
        raise Refusal("storage_full")

    monkeypatch.setattr(vault.parts.database, "write", full)
    assert person.ask("GET", "/v1/account").status_code == 200
    assert code(vault.ask("POST", "/v1/pin", {"purpose": "step", "x": b64(person.tag_s)}, token=person.token)) == (
        "limiter_unavailable"
    )


def test_logging_out_ends_the_session_and_what_was_confirmed_from_it(vault: FakeVault) -> None:
    person = open_person(vault)
    confirmed = person.confirm()
    assert person.ask("POST", "/v1/logout").status_code == 200
    for token in (person.token, confirmed):
        assert code(vault.ask("GET", "/v1/account", token=token)) == "unauthorized"


def test_ending_the_others_needs_a_fresh_confirmation_and_leaves_this_session(vault: FakeVault) -> None:
    person = open_person(vault)
    other = FakePerson(vault, **{name: getattr(person, name) for name in (
        "account", "k_id", "login_seed", "tag_l", "tag_s"
    )}).log_in()
    sessions = said(person.ask("GET", "/v1/sessions"))["sessions"]
    assert [row["current"] for row in sessions].count(True) == 1
    assert len(sessions) == 2
    assert code(person.ask("POST", "/v1/sessions/end-others")) == "stage_insufficient"
    confirmed = person.confirm()
    assert said(vault.ask("POST", "/v1/sessions/end-others", token=confirmed)) == {"ended": 1}
    assert code(other.ask("GET", "/v1/account")) == "unauthorized"
    assert person.ask("GET", "/v1/account").status_code == 200


def test_ending_the_others_does_not_touch_another_account(vault: FakeVault) -> None:
    person, other = open_person(vault), open_person(vault)
    vault.ask("POST", "/v1/sessions/end-others", token=person.confirm())
    assert other.ask("GET", "/v1/account").status_code == 200


# confirmation

def test_confirming_gives_a_second_token_for_two_minutes(vault: FakeVault) -> None:
    person = open_person(vault)
    answer = said(person.send_confirm())
    assert parse_time(answer["expires"]) == NOON + 120
    vault.clock.advance(120)
    assert code(vault.ask("GET", "/v1/account", token=answer["token"])) == "unauthorized"
    assert person.ask("GET", "/v1/account").status_code == 200


def test_confirming_needs_password_and_pin_and_a_fresh_challenge(vault: FakeVault) -> None:
    person = open_person(vault)
    assert code(person.send_confirm(seed=make_bytes(32))) == "login_refused"
    assert code(person.send_confirm(right=False)) == "pin_wrong"
    challenge = person.challenge()
    assert person.send_confirm(challenge=challenge).status_code == 200
    assert code(person.send_confirm(challenge=challenge)) == "challenge_refused"


def test_a_wrong_password_at_confirmation_costs_no_pin_try(vault: FakeVault) -> None:
    person = open_person(vault)
    for _ in range(8):
        assert code(person.send_confirm(seed=make_bytes(32))) == "login_refused"
    with vault.parts.database.read() as session:
        assert session.get_one(Guesses, person.account).attempts == 0


# the account's own rows

def test_the_account_shows_its_own_rows(vault: FakeVault) -> None:
    person = FakePerson(vault)
    body = person.sign_up_body(person.challenge())
    person.send_sign_up(format_json(body))
    shown = said(person.log_in().ask("GET", "/v1/account"))
    for name in ("account", "epoch", "pin_epoch", "account_record", "identity", "drop_box"):
        assert shown[name] == body[name]
    assert (shown["n"], shown["used"], shown["quota"]) == (1, 0, 20 * 1024**3)


def test_the_account_record_is_compared_and_swapped(vault: FakeVault) -> None:
    person = open_person(vault)
    second, third = ({"n": n, "account_record": random_b64(1096)} for n in (2, 3))
    assert code(person.ask("PUT", "/v1/account/record", third)) == "record_conflict"
    assert said(person.ask("PUT", "/v1/account/record", second)) == {"n": 2}
    assert said(person.ask("PUT", "/v1/account/record", second)) == {"n": 2}  # the answer was lost
    assert code(person.ask("PUT", "/v1/account/record", {**second, "account_record": random_b64(1096)})) == (
        "record_conflict"
    )
    assert said(person.ask("GET", "/v1/account"))["account_record"] == second["account_record"]
    assert said(person.ask("PUT", "/v1/account/record", third)) == {"n": 3}


# collection

def test_collecting_forgets_what_is_over_and_nothing_else(vault: FakeVault) -> None:
    person = open_person(vault)
    person.confirm()
    vault.clock.advance(60)
    collect(vault.parts)
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Challenge)) == 3  # a clock may be set back
        assert session.scalar(select(func.count()).select_from(Token)) == 2
    vault.clock.advance(300)
    collect(vault.parts)
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Challenge)) == 0
    collect(vault.parts)
    assert person.ask("GET", "/v1/account").status_code == 200
    vault.clock.advance(1800)
    collect(vault.parts)
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Token)) == 0


def test_a_row_can_not_be_moved_to_another_account_or_column(vault: FakeVault) -> None:
    pepper, account = vault.parts.pepper, make_id()
    sealed = pepper.seal_row("share_N", account, 1, b"x" * 32)
    assert pepper.open_row("share_N", account, 1, sealed) == b"x" * 32
    other = make_id()
    for place in (("share_S", account, 1), ("share_N", other, 1), ("share_N", account, 2), ("login_pk", account, 1)):
        with pytest.raises(Refusal, match="account_damaged"):
            pepper.open_row(*place, sealed)
