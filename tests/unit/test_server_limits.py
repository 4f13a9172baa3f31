"""Tries per network, with the rates a vault runs with, and with a count that can't be kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from limits.errors import StorageError
from sqlalchemy import select
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes
from server.accounts.models import Account
from server.app import create_app
from server.config import ServerConfig
from server.limits import DatabaseStorage, LimiterCount, collect
from server.problems import Refusal
from tests.fakes.vault import FakePerson, FakeVault, code, fake_vault, open_person

RATES = ("login_rate", "start_rate", "signup_rate")
PRODUCTION = {name: getattr(ServerConfig(Path("data"), "vault.example"), name) for name in RATES}
HERE, THERE = "192.0.2.1", "198.51.100.7"
pytestmark = pytest.mark.vault(**PRODUCTION)


def try_wrong(person: FakePerson, address: str = HERE) -> TestResponse:
    return person.finish_login(seed=make_bytes(32), address=address)


def test_with_the_production_values_ten_wrong_passwords_a_minute_and_a_hundred_a_day(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    for _ in range(10):
        for _ in range(10):
            assert code(try_wrong(person)) == "login_refused"
        answer = person.finish_login()
        assert (answer.status_code, code(answer)) == (429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
        vault.clock.advance(61)
    assert code(person.finish_login()) == "rate_limited"  # a hundred today
    assert person.finish_login(address=THERE).status_code == 200
    vault.clock.advance(86_400)
    assert person.finish_login().status_code == 200


def test_the_time_to_wait_is_true(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    for _ in range(10):
        try_wrong(person)
    wait = int(person.finish_login().headers["Retry-After"])
    assert wait <= 62
    vault.clock.advance(wait)
    assert person.finish_login().status_code == 200


def test_right_passwords_cost_nothing(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    for _ in range(30):
        assert person.finish_login().status_code == 200


def test_a_taken_name_a_wrong_recovery_code_and_a_wrong_confirmation_count_as_tries(vault: FakeVault) -> None:
    person = open_person(vault)
    intruder = FakePerson(vault, k_id=person.k_id)
    password = person.give_password()
    for _ in range(3):
        assert code(intruder.send_sign_up(format_json(intruder.sign_up_body(intruder.challenge())))) == "account_exists"
        assert code(person.send_reopen(password, seed=make_bytes(32))) == "recovery_refused"
        assert code(person.send_confirm(seed=make_bytes(32))) == "login_refused"
    assert code(try_wrong(person)) == "login_refused"
    assert code(person.finish_login()) == "rate_limited"
    assert code(person.send_confirm()) == "rate_limited"
    assert person.try_pin("login", password).status_code == 200  # PINs have their own counter


def test_sign_ups_are_limited_by_network(tmp_path: Path) -> None:
    with fake_vault(tmp_path, signup_rate="2 per hour") as vault:
        for _ in range(2):
            FakePerson(vault).register()
        late = FakePerson(vault)
        body = format_json(late.sign_up_body(late.challenge()))
        assert code(late.send_sign_up(body)) == "rate_limited"
        assert late.send_sign_up(body, address=THERE).status_code == 201


def test_challenges_are_limited_by_network(tmp_path: Path) -> None:
    with fake_vault(tmp_path, start_rate="3 per minute") as vault:
        person = FakePerson(vault)
        for _ in range(3):
            person.challenge()
        with pytest.raises(AssertionError, match="rate_limited"):
            person.challenge()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ],
)
def test_a_network_is_an_ipv4_address_or_a_64(vault: FakeVault, first: str, second: str, same: bool) -> None:
    person = FakePerson(vault).register()
    for _ in range(10):
        try_wrong(person, first)
    assert (person.finish_login(address=second).status_code == 429) == same


@pytest.mark.parametrize(("proxies", "believed"), [(0, False), (1, True)])
def test_a_forwarded_address_is_believed_only_behind_a_proxy(tmp_path: Path, proxies: int, believed: bool) -> None:
    with fake_vault(tmp_path, start_rate="1 per minute", proxies=proxies) as vault:
        answers = [
            vault.ask(
                "POST", "/v1/login/start", {"K_id": "A" * 43}, address=HERE,
                headers={"X-Forwarded-For": f"203.0.113.1, {address}"},
            )
            for address in (HERE, THERE)
        ]
    assert [answer.status_code for answer in answers] == [200, 200 if believed else 429]


def test_no_address_is_kept_and_the_key_changes_each_day(vault: FakeVault) -> None:
    person = FakePerson(vault).register()

    def keys() -> set[str]:
        with vault.parts.database.read() as session:
            return set(session.scalars(select(LimiterCount.key)))

    try_wrong(person)
    today = keys()
    assert today
    vault.clock.advance(86_400)
    try_wrong(person)
    assert not today & (keys() - today)
    assert len(keys()) > len(today)
    stored = b"".join(path.read_bytes() for path in vault.parts.config.data.glob("vault.db*"))
    assert b"192.0.2.1" not in stored
    assert bytes([192, 0, 2, 1]) not in stored
    vault.clock.advance(2 * 86_400)
    collect(vault.parts)
    assert keys() == set()


def test_two_applications_on_one_vault_count_together(vault: FakeVault) -> None:
    other = replace(vault, app=create_app(vault.parts))
    person = FakePerson(vault).register()
    twin = replace(person, vault=other)
    for _ in range(5):
        assert code(try_wrong(person)) == "login_refused"
        assert code(try_wrong(twin)) == "login_refused"
    assert code(person.finish_login()) == "rate_limited"
    assert code(twin.finish_login()) == "rate_limited"


def test_when_tries_can_not_be_read_nobody_gets_in(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    person = FakePerson(vault).register()
    token = person.log_in().token
    challenge = person.challenge()

    def broken(_self: DatabaseStorage, _key: str) -> None:
        raise Refusal("unavailable")

    monkeypatch.setattr(DatabaseStorage, "_find", broken)
    answer = person.finish_login(challenge)
    assert (answer.status_code, code(answer)) == (503, "limiter_unavailable")
    assert vault.ask("GET", "/v1/account", token=token).status_code == 200


def test_when_a_wrong_try_can_not_be_counted_the_answer_is_not_given(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = FakePerson(vault).register()

    def broken(_self: DatabaseStorage, _key: str, _expiry: int, amount: int = 1) -> int:
        raise StorageError(OSError())

    challenge = person.challenge()
    monkeypatch.setattr(DatabaseStorage, "incr", broken)
    answer = person.finish_login(challenge, seed=make_bytes(32))
    assert (answer.status_code, code(answer)) == (503, "limiter_unavailable")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in caplog.text
    with vault.parts.database.read() as session:
        assert session.scalar(select(Account.account)) == person.account


def test_the_database_refusing_is_a_storage_error(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    person = FakePerson(vault).register()

    def locked() -> None:
        raise Refusal("unavailable")

    monkeypatch.setattr(vault.parts.database, "write", locked)
    answer = vault.ask("POST", "/v1/login/start", {"K_id": person.sign_up_body("")["K_id"]})
    assert (answer.status_code, code(answer)) == (503, "limiter_unavailable")
