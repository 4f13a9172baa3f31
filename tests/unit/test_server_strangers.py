"""An unknown account and a wrong password: one answer, of one size, after the same work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import TestResponse

import server.accounts.login
from crypto_core.randomness import make_bytes
from schemas.limits import ACCOUNT_RECORD
from server.pepper import Pepper
from tests.fakes.vault import FakePerson, FakeVault, open_person, random_b64

pytestmark = pytest.mark.vault(login_rate="10 per minute; 100 per day")


@dataclass
class Work:
    """What one request made the vault do."""

    statements: list[str] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        self.statements.clear()
        self.operations.clear()


@pytest.fixture
def work(statements: list[str], monkeypatch: pytest.MonkeyPatch) -> Work:
    seen = Work(statements)

    def watch(place: Any, name: str) -> None:
        plain = getattr(place, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            seen.operations[name] += 1
            return plain(*arguments, **named)

        monkeypatch.setattr(place, name, watched)

    for name in ("_key", "lookup", "open_row", "seal_row", "pin_verifier", "network_key"):
        watch(Pepper, name)
    watch(server.accounts.login, "verify_ed25519")
    return seen


def try_both(vault: FakeVault, work: Work) -> tuple[list[tuple[TestResponse, Work]], FakePerson]:
    """A wrong password for somebody with a large account record, then one for nobody: answers, and the work done."""
    somebody = open_person(vault)
    record = {"n": 2, "account_record": random_b64(ACCOUNT_RECORD)}
    assert somebody.ask("PUT", "/v1/account/record", record).status_code == 200
    FakePerson(vault).finish_login()  # the first wrong try of a network writes another row than the next ones
    found = []
    for person in (somebody, FakePerson(vault)):
        work.clear()
        start = person.challenge()
        answer = person.finish_login(start, seed=make_bytes(32))
        found.append((answer, Work(list(work.statements), Counter(work.operations))))
    return found, somebody


def test_unknown_and_wrong_are_one_answer(vault: FakeVault, work: Work) -> None:
    ((wrong, _), (unknown, _)), _ = try_both(vault, work)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data
    assert dict(wrong.headers) == dict(unknown.headers)


def test_unknown_and_wrong_cost_the_same_work(vault: FakeVault, work: Work) -> None:
    ((_, wrong), (_, unknown)), _ = try_both(vault, work)
    assert wrong.statements == unknown.statements and len(wrong.statements) > 4
    assert wrong.operations == unknown.operations
    assert (wrong.operations["verify_ed25519"], wrong.operations["open_row"]) == (1, 1)


def test_no_more_is_read_of_somebody_than_the_login_needs(vault: FakeVault, work: Work) -> None:
    ((_, wrong), _), _ = try_both(vault, work)
    read = [statement for statement in wrong.statements if "FROM accounts" in statement]
    assert len(read) == 1
    for column in ("account_record", "w_n", "share_n", "verifier", "identity"):
        assert column not in read[0]


def test_the_first_request_of_a_process_tells_nothing_either(vault: FakeVault, work: Work) -> None:
    """What is made once for nobody is made for whoever comes first."""
    person = FakePerson(vault).register()
    costs = []
    for asks in (person, FakePerson(vault)):
        fresh = Pepper(vault.parts.pepper.secret, vault.parts.pepper.version)
        object.__setattr__(vault.parts, "pepper", fresh)
        assert "nobody" not in vars(fresh)
        challenge = asks.challenge()
        work.clear()
        assert asks.finish_login(challenge, seed=make_bytes(32)).status_code == 401
        costs.append(Counter(work.operations))
    assert costs[0] == costs[1] and costs[0]["seal_row"] == 1


def test_a_challenge_for_nobody_is_like_one_for_somebody(vault: FakeVault, work: Work) -> None:
    found = []
    for person in (open_person(vault), FakePerson(vault)):
        work.clear()
        person.challenge()
        found.append((list(work.statements), Counter(work.operations)))
    assert found[0] == found[1]
