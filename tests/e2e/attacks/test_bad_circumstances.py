"""The vault itself is in trouble: locked, damaged, unreachable, deleted underneath; or a clock is wrong."""

from __future__ import annotations

import hashlib
import logging
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from limits.storage import Storage

import server.database
from crypto_core.encoding import parse_b64url, parse_time
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.checkpoint import parse_checkpoint
from crypto_core.receipts.note import parse_note
from crypto_core.receipts.receipt import parse_receipt
from schemas import limits
from server.accounts.service import CLOCK_TOLERANCE
from server.guesses.models import Guesses
from server.ledger.check import check_vault
from tests.fakes.bad_input import expect
from tests.fakes.devices import PASSWORD, PIN, USERNAME, make_device, register
from tests.fakes.processes import free_port
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, fake_vault, open_person, random_b64, said

YEAR = 366 * 86_400
SIZE = limits.FIRST_UNIT + 1000


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[FakeVault]:
    monkeypatch.setattr(server.database, "PATIENCE", 1)
    caplog.set_level(logging.INFO, "temoin.server")
    with fake_vault(tmp_path) as made:
        yield made


def revision(item: str, number: int = 1) -> dict[str, Any]:
    return {
        "item": item, "revision": number, "replaces": number - 1, "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK), "record": random_b64(1096), "blobs": [], "erases": None,
    }  # fmt: skip


def put(person: FakePerson, item: str = "") -> Any:
    return person.ask("POST", "/v1/items", {"revisions": [revision(item or b64(make_id()))]})


def upload(person: FakePerson, *, whole: bool = True) -> tuple[str, bytes]:
    """An upload of two units, completed or not."""
    blob, data = b64(make_id()), make_bytes(SIZE)
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": SIZE}).status_code == 201
    assert person.ask("PUT", f"/v1/uploads/{blob}/units/0", data=data).status_code == 200
    if whole:
        assert complete(person, blob, data).status_code == 201
    return blob, data


def complete(person: FakePerson, blob: str, data: bytes) -> Any:
    return person.ask("POST", f"/v1/uploads/{blob}/complete", {"sha256": b64(hashlib.sha256(data).digest())})


@contextmanager
def locked(vault: FakeVault) -> Iterator[None]:
    """Somebody else holds the write lock."""
    other = sqlite3.connect(vault.parts.config.database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_a_locked_database_lets_people_read_and_nobody_guess(
    vault: FakeVault, caplog: pytest.LogCaptureFixture
) -> None:
    person = open_person(vault)
    assert put(person).status_code == 201
    token = person.give_password()
    with locked(vault):
        expect("the database is locked", put(person), caplog.text)
        expect("the database is locked, at a PIN", person.try_pin("login", token), caplog.text)
        page = said(person.ask("GET", "/v1/items"))
        assert len(page["revisions"]) == 1
    assert put(person).status_code == 201
    assert person.try_pin("login", token).status_code == 200


def test_a_damaged_database_is_told_and_never_quoted(vault: FakeVault, caplog: pytest.LogCaptureFixture) -> None:
    person = open_person(vault)
    vault.parts.close()
    for name in ("vault.db-wal", "vault.db-shm"):
        (vault.parts.config.data / name).unlink(missing_ok=True)
    vault.parts.config.database_file.write_bytes(b"nothing that was ever a database" * 1000)
    expect("the database is damaged", person.ask("GET", "/v1/account"), caplog.text)
    expect("the database is damaged", vault.ask("GET", "/v1/health"), caplog.text)


class FarStorage(Storage):
    """A store of tries behind a socket that nobody listens at."""

    STORAGE_SCHEME = ["test-far"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def _reach(self) -> Any:
        socket.create_connection(("127.0.0.1", free_port()), timeout=1)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return int(self._reach())

    def get(self, key: str) -> int:
        return int(self._reach())

    def get_expiry(self, key: str) -> float:
        return float(self._reach())

    def check(self) -> bool:
        return bool(self._reach())

    def reset(self) -> int | None:
        return None

    def clear(self, key: str) -> None:
        self._reach()


def test_a_store_of_tries_that_can_not_be_reached_lets_nobody_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temoin.server")
    with fake_vault(tmp_path, limiter_url="test-far://") as vault:
        person = FakePerson(vault)
        for path in ("/v1/login/finish", "/v1/accounts"):
            expect("the store of tries can't be reached", vault.ask("POST", path, {}), caplog.text)
        assert vault.ask("GET", "/v1/vault").status_code == 200
        expect("the store of tries can't be reached", person.finish_login(), caplog.text)


def test_a_store_of_files_deleted_underneath(vault: FakeVault, caplog: pytest.LogCaptureFixture) -> None:
    person = open_person(vault)
    whole, _ = upload(person)
    half, data = upload(person, whole=False)
    small = b64(make_id())
    assert person.ask("PUT", f"/v1/blobs/{small}", data=make_bytes(500)).status_code == 201
    store = vault.parts.config.data / "blobs"
    (store / "staged" / parse_b64url(half).hex()).unlink()
    expect("the store of files was deleted, completing", complete(person, half, data), caplog.text)
    assert said(person.ask("GET", f"/v1/uploads/{half}"))["units"] == []  # what the disk lost is asked for again
    shutil.rmtree(store)
    expect("the store of files was deleted, reading", person.ask("GET", f"/v1/blobs/{whole}"), caplog.text)
    unit = person.ask("PUT", f"/v1/uploads/{half}/units/0", data=data)
    expect("the store of files was deleted, writing", unit, caplog.text)
    assert said(person.ask("GET", f"/v1/uploads/{half}"))["units"] == []
    assert person.ask("GET", f"/v1/blobs/{small}").status_code == 200
    problems = check_vault(vault.parts).problems
    assert len(problems) == 1 and "its bytes are missing" in problems[0]


# ---- clocks


@pytest.mark.parametrize("wrong", [YEAR, -YEAR], ids=["a year ahead", "a year behind"])
def test_a_device_whose_clock_is_off_by_a_year_is_not_locked_out(vault: FakeVault, tmp_path: Path, wrong: int) -> None:
    device = make_device(vault, tmp_path / "home")
    register(device)
    client = device.client()
    client._clock = lambda: vault.clock.now() + wrong
    with client:
        opening = client.log_in(USERNAME, PASSWORD, PIN)
        assert (opening.wrong_pins, opening.warnings) == (0, ())
        client.step_up(PIN)


@pytest.fixture
def turned_back(vault: FakeVault) -> tuple[FakeVault, FakePerson, str]:
    """The vault's clock ran a year ahead while a person opened it, deposited, and mistyped the PIN; now it is right."""
    person = open_person(vault)
    ahead = FakePerson(vault).register()
    vault.clock.advance(YEAR)
    ahead.log_in()
    receipt = said(put(ahead))["revisions"][0]["receipt"]
    for _ in range(6):
        vault.clock.time = max(vault.clock.now(), not_before(ahead))
        assert said(ahead.try_pin("step", ahead.token, right=False))["code"] == "pin_wrong"
    vault.clock.time = NOON
    assert person.ask("GET", "/v1/account").status_code == 200  # who was there before has not noticed anything
    return vault, ahead, receipt


def not_before(person: FakePerson) -> int:
    with person.vault.parts.database.read() as session:
        return session.get_one(Guesses, person.account).not_before


def test_a_clock_set_back_does_not_prolong_a_delay(turned_back: tuple[FakeVault, FakePerson, str]) -> None:
    vault, person, _ = turned_back
    token = person.give_password()
    locked_out = person.try_pin("login", token)
    assert (locked_out.status_code, locked_out.headers["Retry-After"]) == (429, "300")
    vault.clock.advance(299)
    assert person.try_pin("login", token).headers["Retry-After"] == "1"
    vault.clock.advance(1)
    assert person.try_pin("login", person.give_password()).status_code == 200


def test_a_clock_set_back_does_not_prolong_a_session(turned_back: tuple[FakeVault, FakePerson, str]) -> None:
    vault, ahead, _ = turned_back
    assert said(ahead.ask("GET", "/v1/account"))["code"] == "unauthorized"
    person = open_person(vault)
    vault.clock.advance(-CLOCK_TOLERANCE)  # as a clock is corrected that was a little fast
    assert person.ask("GET", "/v1/account").status_code == 200
    vault.clock.advance(-1)
    assert said(person.ask("GET", "/v1/account"))["code"] == "unauthorized"


def test_a_clock_set_back_never_dates_a_deposit_before_an_earlier_one(
    turned_back: tuple[FakeVault, FakePerson, str],
) -> None:
    vault, _, receipt = turned_back
    person = open_person(vault)
    kept = said(put(person))["revisions"][0]
    earlier = parse_receipt(receipt.encode()).commitment.time
    assert parse_time(kept["deposited"]) == parse_receipt(kept["receipt"].encode()).commitment.time >= earlier
    assert check_vault(vault.parts).problems == []


def test_a_clock_set_back_does_not_stop_the_public_checkpoint(tmp_path: Path) -> None:
    with fake_vault(tmp_path, checkpoint_interval=60) as vault:
        person = open_person(vault)
        vault.clock.advance(YEAR)
        assert put(person.log_in()).status_code == 201
        vault.clock.time = NOON
        assert put(person.log_in()).status_code == 201
        note = parse_note(vault.ask("GET", "/ledger/checkpoint").data)
        assert parse_checkpoint(note.text).size == 2
