"""Tries per network and per session, with the rates a vault runs with, and with a count that can't be kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from limits.errors import StorageError
from sqlalchemy import select
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json, parse_b64url
from crypto_core.randomness import make_bytes
from server.accounts.models import Account
from server.app import create_app
from server.config import ServerConfig
from server.limits import DatabaseStorage, LimiterCount, collect
from server.problems import Refusal
from tests.fakes.boxes import FakeBox
from tests.fakes.sharing import FakeBundle
from tests.fakes.vault import RATES, FakePerson, FakeVault, code, fake_vault, open_person
from tests.unit.test_server_change import change_body, renewed, send

PRODUCTION: dict[str, str] = {name: getattr(ServerConfig(Path("data"), "vault.example"), name) for name in RATES}
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


def test_a_taken_pair_at_sign_up_counts_as_a_wrong_password(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    intruder = FakePerson(vault, k_id=person.k_id)
    for _ in range(9):
        assert code(intruder.send_sign_up(format_json(intruder.sign_up_body(intruder.challenge())))) == "account_exists"
    assert code(try_wrong(person)) == "login_refused"
    assert code(person.finish_login()) == "rate_limited"
    assert code(intruder.send_sign_up(format_json(intruder.sign_up_body(intruder.challenge())))) == "rate_limited"


def test_the_wait_ends_at_midnight_where_the_count_does(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    for _ in range(10):
        for _ in range(10):
            try_wrong(person)
        vault.clock.advance(60)
    until_midnight = 86_400 - vault.clock.now() % 86_400
    assert int(person.finish_login().headers["Retry-After"]) == until_midnight < 86_400 - 600
    vault.clock.advance(until_midnight - 1)
    assert code(person.finish_login()) == "rate_limited"
    vault.clock.advance(1)
    assert person.finish_login().status_code == 200


def test_whoever_holds_an_open_session_may_try_twenty_passwords_in_it_from_wherever(vault: FakeVault) -> None:
    """Another password is another K_id: its challenge is none of this account's, and its signature another key's."""
    person = open_person(vault)
    other = replace(person).log_in()

    def guess() -> str:
        wrong = FakePerson(vault)
        return code(person.send_confirm(challenge=wrong.challenge(), seed=wrong.login_seed))

    assert [guess() for _ in range(10)] == ["challenge_refused"] * 10
    refused = person.send_confirm()
    assert (refused.status_code, code(refused), refused.headers["Retry-After"]) == (429, "session_limited", "3600")
    vault.clock.advance(1700)
    person.ask("GET", "/v1/account")
    vault.clock.advance(1700)
    assert code(person.send_confirm()) == "session_limited"
    assert other.ask("GET", "/v1/account").status_code == 401  # idle for too long
    assert person.ask("GET", "/v1/account").status_code == 200
    vault.clock.advance(200)
    assert person.send_confirm().status_code == 200
    assert [guess() for _ in range(11)] == ["challenge_refused"] * 10 + ["session_limited"]
    vault.clock.advance(1000)
    assert code(person.send_confirm()) == "session_limited"
    assert replace(person).log_in().send_confirm().status_code == 200  # whoever can log in has proven both


def test_a_session_that_is_used_up_keeps_nobody_from_ending_it(vault: FakeVault) -> None:
    """Somebody else holds the open telephone; its owner stands at another device."""
    stolen = open_person(vault)
    for _ in range(10):
        stolen.send_confirm(seed=make_bytes(32))
    assert code(stolen.send_confirm()) == "session_limited"
    owner = replace(stolen).log_in()
    assert vault.ask("POST", "/v1/sessions/end-others", token=owner.confirm()).status_code == 200
    assert code(stolen.ask("GET", "/v1/account")) == "unauthorized"


def test_right_confirmations_cost_nothing(vault: FakeVault) -> None:
    person = open_person(vault)
    assert [person.send_confirm().status_code for _ in range(30)] == [200] * 30


def test_wrong_recovery_codes_cost_the_session_that_tries_them_alone(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    first = person.give_password()
    assert [code(person.send_reopen(first, seed=make_bytes(32))) for _ in range(10)] == ["recovery_refused"] * 10
    assert code(person.send_reopen(first)) == "session_limited"
    assert person.try_pin("login", first).status_code == 200  # PINs have their own counter
    assert person.send_reopen(person.give_password()).status_code == 200


@pytest.mark.parametrize("kind", ["box", "bundle"])
def test_keys_that_nobody_can_guess_are_not_counted(vault: FakeVault, kind: str) -> None:
    person = open_person(vault)
    made: FakeBox | FakeBundle = FakeBox(person).make() if kind == "box" else FakeBundle(person).send()
    opens: Callable[..., TestResponse] = made.enter if isinstance(made, FakeBox) else made.open
    wrong = Counter(code(opens(cap=make_bytes(32))) for _ in range(150))
    assert wrong == {"cap_refused": 150}
    assert opens().status_code == 200
    with vault.parts.database.read() as session:
        assert not session.scalars(select(LimiterCount.key).where(LimiterCount.key.contains("tries"))).all()


def _wrong_logins(person: FakePerson) -> TestResponse:
    for _ in range(10):
        try_wrong(FakePerson(person.vault))
    return person.finish_login()


def _wrong_confirmations(person: FakePerson) -> TestResponse:
    for _ in range(10):
        person.send_confirm(seed=make_bytes(32))
    return person.send_confirm()


def _taken_pairs(person: FakePerson) -> TestResponse:
    taken = FakePerson(person.vault).register()
    other = open_person(person.vault)
    new, token = replace(renewed(other), k_id=taken.k_id), other.confirm()
    for _ in range(10):
        send(other, new, change_body(other, new), token=token)
    return _change(person)


def _many_sign_ups(person: FakePerson) -> TestResponse:
    for _ in range(30):
        _sign_up(person)
    return _sign_up(person)


def _sign_up(person: FakePerson) -> TestResponse:
    fresh = FakePerson(person.vault)
    return fresh.send_sign_up(format_json(fresh.sign_up_body(fresh.challenge())))


def _change(person: FakePerson) -> TestResponse:
    new = renewed(person)
    return send(person, new, change_body(person, new), token=replace(person).log_in().confirm())


USES: dict[str, Callable[[FakePerson, FakeBox, FakeBundle], TestResponse]] = {
    "login": lambda person, box, link: person.finish_login(),
    "sign-up": lambda person, box, link: _sign_up(person),
    "confirm": lambda person, box, link: person.send_confirm(),
    "reopen": lambda person, box, link: person.send_reopen(person.give_password()),
    "box": lambda person, box, link: box.enter(),
    "code": lambda person, box, link: link.try_code(),
    "bundle": lambda person, box, link: link.open(),
    "change": lambda person, box, link: _change(person),
}
"""What people do, the last one for good."""


@pytest.mark.parametrize(
    ("use_up", "refusal", "lost"),
    [
        (_wrong_logins, "rate_limited", {"login", "sign-up", "reopen"}),
        (_wrong_confirmations, "session_limited", {"confirm"}),
        (_taken_pairs, "rate_limited", {"change"}),
        (_many_sign_ups, "rate_limited", {"sign-up"}),
    ],
)
def test_a_budget_that_is_used_up_leaves_the_others_whole(
    vault: FakeVault, use_up: Callable[[FakePerson], TestResponse], refusal: str, lost: set[str]
) -> None:
    person = open_person(vault)
    session, password = replace(person).log_in(), person.give_password()
    box, link = FakeBox(session).make(), FakeBundle(session).send()
    answer = use_up(person)
    assert (answer.status_code, code(answer)) == (429, refusal)
    for name, use in USES.items():
        if name == "reopen" and "login" in lost:  # the password is wanted first; whoever has proven it gets on
            assert person.send_reopen(password).status_code == 200
        elif name == "change" and "login" in lost:
            new = renewed(session)
            assert send(session, new, change_body(session, new)).status_code == 200
        else:
            used = use(person, box, link)
            assert (used.status_code == 429) == (name in lost), (name, used.data)


def test_sign_ups_are_limited_by_network(tmp_path: Path) -> None:
    with fake_vault(tmp_path, signup_rate="2 per hour") as vault:
        for _ in range(2):
            FakePerson(vault).register()
        late = FakePerson(vault)
        body = format_json(late.sign_up_body(late.challenge()))
        assert code(late.send_sign_up(body)) == "rate_limited"
        assert late.send_sign_up(body, address=THERE).status_code == 201


def test_nobody_keeps_others_from_asking_for_challenges(vault: FakeVault) -> None:
    person = FakePerson(vault).register()
    for _ in range(300):
        FakePerson(vault).challenge()
    assert person.finish_login().status_code == 200


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
    with fake_vault(tmp_path, signup_rate="1 per minute", proxies=proxies) as vault:
        answers = []
        for address in (HERE, THERE):
            person = FakePerson(vault)
            body = format_json(person.sign_up_body(person.challenge()))
            forwarded = {"X-Forwarded-For": f"203.0.113.1, {address}"}
            answers.append(person.send_sign_up(body, address=HERE, headers=forwarded))
    assert [answer.status_code for answer in answers] == [201, 201 if believed else 429]


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


def test_what_is_kept_of_a_visit_tells_neither_the_box_nor_whose_tries_are_the_same_networks(vault: FakeVault) -> None:
    box = FakeBox(open_person(vault)).make()
    assert box.enter().status_code == 200
    try_wrong(box.person)
    with vault.parts.database.read() as session:
        kept = list(session.scalars(select(LimiterCount.key).where(LimiterCount.count > 0)))
    (visits,) = (key for key in kept if "visits" in key)
    (tries, _) = (key for key in kept if "tries" in key)
    assert parse_b64url(box.box).hex() not in visits
    hashes = [re.findall("[0-9a-f]{64}", key) for key in (visits, tries)]
    assert len(hashes[0]) == len(hashes[1]) == 1 and hashes[0] != hashes[1]


def test_what_costs_nothing_leaves_nothing(vault: FakeVault) -> None:
    person = open_person(vault)
    before = [code(try_wrong(person)), code(person.send_confirm(seed=make_bytes(32)))]
    assert before == ["login_refused", "login_refused"]

    def kept() -> dict[str, int]:
        with vault.parts.database.read() as session:
            return {row.key: row.count for row in session.scalars(select(LimiterCount))}

    known = kept()
    other = replace(person).log_in()
    assert other.send_confirm().status_code == person.send_confirm().status_code == 200
    assert kept() == known


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
    challenge = person.challenge()

    def locked() -> None:
        raise Refusal("unavailable")

    monkeypatch.setattr(vault.parts.database, "write", locked)
    answer = person.finish_login(challenge)
    assert (answer.status_code, code(answer)) == (503, "limiter_unavailable")
