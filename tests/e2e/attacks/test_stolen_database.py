"""A stolen database, without the pepper: whoever knows user name, password and PIN can't even confirm them from it.

The thief has the file, its WAL, the vault's public facts, this source code, and the three secrets. Everything that can
be computed from them is searched for in the raw bytes, and tried as a key on everything that is sealed.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError
from sqlalchemy import LargeBinary, select, update
from werkzeug.test import TestResponse

from crypto_core.derivation import derive
from crypto_core.encoding import u32
from crypto_core.errors import CryptoCoreError
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.sealing.keys import derive_kek_n, derive_kek_s, unwrap_master
from crypto_core.sealing.passphrase import (
    derive_login, derive_pin_login, derive_pin_step, derive_public, normalise_username, stretch,
)  # fmt: skip
from crypto_core.sealing.records import open_account_record
from server.accounts.models import Account, Recovery
from server.database import Base
from server.pepper import Pepper
from server.problems import Refusal
from tests.fakes.devices import PASSWORD, PIN, USERNAME, make_device, register
from tests.fakes.vault import FakePerson, FakeVault, fake_vault, open_person, said

EPOCH = PIN_EPOCH = 1
SEALED = {
    "K_id": (Account, "k_id"), "login_pk": (Account, "login_pk"), "share_N": (Account, "share_n"),
    "share_S": (Account, "share_s"), "recovery_login_pk": (Recovery, "login_pk"), "share_R": (Recovery, "share_r"),
}  # fmt: skip
"""The pepper's name of each sealed column, and where it stands."""


@dataclass
class Loot:
    """What the thief has."""

    raw: bytes
    """The database file and its WAL."""
    columns: dict[str, bytes]
    """Every binary column of the account, by table and name."""
    account: bytes
    vault_id: bytes
    public: dict[str, bytes]
    """What the vault tells everybody, and what stands in the database beside the secrets."""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVault]:
    with fake_vault(tmp_path_factory.mktemp("stolen")) as made:
        yield made


@pytest.fixture(scope="module")
def loot(vault: FakeVault, tmp_path_factory: pytest.TempPathFactory) -> Loot:
    device = make_device(vault, tmp_path_factory.mktemp("home"))
    account = register(device)
    with device.log_in() as client:
        client.step_up(PIN)
        with vault.parts.database.read() as session:  # while sessions are open, and before anything is collected
            rows = {model.__name__: session.get_one(model, account) for model in (Account, Recovery)}
        data = vault.parts.config.data
        raw = b"".join((data / name).read_bytes() for name in ("vault.db", "vault.db-wal"))
    columns = {
        f"{name}.{column.name}": getattr(row, column.name)
        for name, row in rows.items()
        for column in type(row).__table__.columns
        if isinstance(column.type, LargeBinary)
    }
    facts = vault.parts.folder.facts
    known = {"vault_id": facts.vault_id, "generation": facts.generation, "account": account, "none": b""}
    return Loot(raw, columns, account, facts.vault_id, known)


def derived(loot: Loot) -> dict[str, bytes]:
    """All that protocol §1 derives from user name, password and PIN without the server's shares."""
    stretched = stretch(USERNAME, PASSWORD, loot.vault_id)
    login = derive_login(stretched)
    by_login = derive_pin_login(login.k_pl, loot.account, PIN)
    by_step = derive_pin_step(login.k_ps, loot.account, PIN_EPOCH, PIN)
    name = normalise_username(USERNAME).encode()
    return {
        "user name": name, "password": PASSWORD.encode(), "PIN": PIN.encode(),
        "salt": sha256(context(Kind.PWSALT, loot.vault_id, name)).digest()[:16],
        "st": stretched.raw, "K_id": login.k_id, "login seed": login.login_seed,
        "login_pk": derive_public(login.login_seed), "K_pw": login.k_pw, "K_pl": login.k_pl, "K_ps": login.k_ps,
        "tag_L": by_login.tag, "pin_L": by_login.wrapping, "tag_S": by_step.tag, "pin_S": by_step.wrapping,
    }  # fmt: skip


def guessed_peppers(loot: Loot) -> list[bytes]:
    """What somebody without the pepper might try in its place."""
    weak = [bytes(32), b"\xff" * 32, loot.vault_id * 2, loot.public["generation"] * 2, loot.account * 2]
    return [*weak, *(value for value in derived(loot).values() if len(value) == 32)]


def computed(loot: Loot) -> Iterator[tuple[str, bytes]]:
    """(name, value) of everything that the thief can compute: the values, their hashes, and all the pepper's uses
    under every key that is not the pepper."""
    values = derived(loot)
    for name, value in values.items():
        yield name, value
        for salt_name, salt in loot.public.items():
            yield f"SHA-256 of {name} with {salt_name}", sha256(salt + value).digest()
            yield f"SHA-512 of {name} with {salt_name}", sha512(salt + value).digest()
            yield f"HMAC of {name} under {salt_name}", hmac.digest(salt, value, "sha256")
    for number, secret in enumerate(guessed_peppers(loot)):
        for name, value in peppered(Pepper(secret), loot.account, values):
            yield f"{name} under guess {number}", value


def peppered(pepper: Pepper, account: bytes, values: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    yield "lookup", pepper.lookup(values["K_id"])
    yield "verifier_l", pepper.pin_verifier("login", account, EPOCH, values["tag_L"])
    yield "verifier_s", pepper.pin_verifier("step", account, EPOCH, values["tag_S"])
    yield "check", pepper.check


def spellings(value: bytes) -> Iterator[bytes]:
    """The value as it might stand in a file: raw, hexadecimal, base64 at three offsets and in both alphabets."""
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + value)
        inner = whole[-(-offset * 8 // 6) : (offset + len(value)) * 8 // 6]  # all that depends on this value alone
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def find(raw: bytes, named: Iterator[tuple[str, bytes]]) -> set[str]:
    return {name for name, value in named if len(value) >= 4 and any(one in raw for one in spellings(value))}


def opens(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (CryptoError, CryptoCoreError, Refusal):
        return False
    return True


def sealed_rows(loot: Loot) -> Iterator[tuple[str, bytes]]:
    for name, (model, column) in SEALED.items():
        yield name, loot.columns[f"{model.__name__}.{column}"]


def test_nothing_computable_stands_in_the_raw_bytes(loot: Loot) -> None:
    assert loot.columns["Account.w_n"] in loot.raw and loot.account in loot.raw  # these are the right bytes
    assert find(loot.raw, computed(loot)) == set()


def test_with_the_pepper_the_same_search_finds_it(loot: Loot, vault: FakeVault) -> None:
    found = find(loot.raw, peppered(vault.parts.pepper, loot.account, derived(loot)))
    assert found == {"lookup", "verifier_l", "verifier_s"}


@pytest.mark.parametrize("spelling", range(9))
def test_the_search_finds_what_is_planted_in_any_spelling(spelling: int) -> None:
    value = make_bytes(32)
    planted = make_bytes(1000) + list(spellings(value))[spelling] + make_bytes(1000)
    assert find(planted, iter([("it", value)])) == {"it"}
    if spelling >= 3:  # base64 of a longer text that has the value somewhere inside
        for before in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                assert find(encode(make_bytes(3 + before) + value + make_bytes(5)), iter([("it", value)])) == {"it"}


def test_no_sealed_row_opens_with_any_computable_key(loot: Loot) -> None:
    keys = [value for _, value in computed(loot) if len(value) == 32]
    for name, sealed in sealed_rows(loot):
        aad = context(Kind.PEPPER_ROW, name.encode(), loot.account, u32(EPOCH))
        for key in keys:
            assert not opens(lambda: crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], aad, sealed[:24], key))
        for secret in guessed_peppers(loot):
            assert not opens(lambda: Pepper(secret).open_row(name, loot.account, EPOCH, sealed))


def test_no_wrap_opens_with_any_computable_key_nor_with_any_share_cut_out_of_the_database(loot: Loot) -> None:
    values = derived(loot)
    w_n, w_s = loot.columns["Account.w_n"], loot.columns["Account.w_s"]
    for _, key in computed(loot):
        if len(key) == 32:
            assert not opens(lambda: unwrap_master(key, "mk-n", loot.account, EPOCH, w_n))
    shares = {bytes(32), *(value for value in values.values() if len(value) == 32)}
    for column in loot.columns.values():
        shares |= {column[at : at + 32] for at in range(min(len(column), 200) - 31)}
    for share in shares:
        kek_n = derive_kek_n(values["K_pw"], values["pin_L"], share)
        assert not opens(lambda: unwrap_master(kek_n, "mk-n", loot.account, EPOCH, w_n))
        kek_s = derive_kek_s(bytes(32), values["pin_S"], share)
        assert not opens(lambda: unwrap_master(kek_s, "mk-s", loot.account, EPOCH, w_s))


def test_with_the_pepper_everything_opens(loot: Loot, vault: FakeVault) -> None:
    values, pepper = derived(loot), vault.parts.pepper
    rows = {name: pepper.open_row(name, loot.account, EPOCH, sealed) for name, sealed in sealed_rows(loot)}
    assert (rows["K_id"], rows["login_pk"]) == (values["K_id"], values["login_pk"])
    kek_n = derive_kek_n(values["K_pw"], values["pin_L"], rows["share_N"])
    mk_n = unwrap_master(kek_n, "mk-n", loot.account, EPOCH, loot.columns["Account.w_n"])
    kek_s = derive_kek_s(mk_n, values["pin_S"], rows["share_S"])
    assert len(unwrap_master(kek_s, "mk-s", loot.account, EPOCH, loot.columns["Account.w_s"])) == 32
    assert open_account_record(mk_n, loot.account, 1, loot.columns["Account.account_record"])
    assert len(derive(mk_n, Kind.ITEMS)) == 32


# ---- rows carried from one account to another


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[FakePerson, FakePerson]]:
    with fake_vault(tmp_path) as made:
        yield open_person(made), open_person(made)


def carry(vault: FakeVault, model: type[Base], column: str, source: bytes, target: bytes) -> None:
    """Writes one account's column over the other's, as somebody with the database alone can."""
    key = model.__table__.c["account"]
    with vault.parts.database.write() as session:
        value = session.scalar(select(model.__table__.c[column]).where(key == source))
        session.execute(update(model).where(key == target).values({column: value}))


Attempt = Callable[[FakePerson], TestResponse]
STEP: Attempt = lambda person: person.try_pin("step", person.token)  # noqa: E731
LOGIN: Attempt = lambda person: person.try_pin("login", person.give_password())  # noqa: E731
CARRIED: list[tuple[type[Base], str, Attempt, str]] = [
    (Account, "login_pk", FakePerson.finish_login, "account_damaged"),
    (Account, "k_id", FakePerson.send_confirm, "account_damaged"),
    (Account, "share_n", LOGIN, "account_damaged"),
    (Account, "share_s", STEP, "account_damaged"),
    (Account, "verifier_l", LOGIN, "pin_wrong"),
    (Account, "verifier_s", STEP, "pin_wrong"),
    (Recovery, "login_pk", lambda person: person.send_reopen(person.give_password()), "account_damaged"),
]


@pytest.mark.parametrize(
    ("model", "column", "attempt", "code"), CARRIED, ids=[f"{model.__name__}.{name}" for model, name, *_ in CARRIED]
)
def test_a_row_of_another_account_is_refused(
    two: tuple[FakePerson, FakePerson], model: type[Base], column: str, attempt: Attempt, code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    victim, thief = two
    assert attempt(victim).status_code == 200
    carry(victim.vault, model, column, thief.account, victim.account)
    answer = attempt(victim)
    assert (answer.status_code, said(answer)["code"]) == (409 if code == "account_damaged" else 403, code)
    assert not {"share_N", "share_S", "W_N", "W_S", "token"} & said(answer).keys()
    assert "Traceback" not in caplog.text and column not in caplog.text


def test_a_lookup_that_leads_to_another_account_lets_nobody_in(two: tuple[FakePerson, FakePerson]) -> None:
    victim, thief = two
    data = {}
    with victim.vault.parts.database.write() as session:
        rows = [session.get_one(Account, one.account) for one in two]
        data = {"victim": rows[0].lookup, "thief": rows[1].lookup}
        rows[1].lookup = bytes(32)
        session.flush()
        rows[0].lookup = data["thief"]
    for person in two:
        answer = person.finish_login()
        assert (answer.status_code, said(answer)["code"]) == (401, "login_refused")


def test_verifiers_of_the_other_purpose_and_of_another_epoch_are_worth_nothing(
    two: tuple[FakePerson, FakePerson]
) -> None:
    person, _ = two
    with person.vault.parts.database.write() as session:
        row = session.get_one(Account, person.account)
        row.verifier_l, row.verifier_s = row.verifier_s, row.verifier_l
    assert said(STEP(person))["code"] == "pin_wrong"
    assert said(LOGIN(person))["code"] == "pin_wrong"
    with person.vault.parts.database.write() as session:
        row = session.get_one(Account, person.account)
        row.verifier_l, row.verifier_s = row.verifier_s, row.verifier_l
        row.epoch = 2
    assert said(person.finish_login())["code"] == "account_damaged"
