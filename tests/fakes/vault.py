"""A vault in this process, in a folder of its own, with a clock that a test sets; and a person with opaque rows.

Knows: the wire, and real Ed25519 login keys. Refuses to know: sealing; whatever a client would seal is random here.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from flask import Flask
from sqlalchemy import Dialect, create_mock_engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from crypto_core.encoding import format_b64, format_b64url, format_json, parse_b64url
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.signatures import derive_public, sign_ed25519
from crypto_core.signed_requests import (
    confirm_message, login_message, pin_reopen_message, recover_change_message, recover_message, register_message,
)
from schemas import limits
from server.app import create_app
from server.config import ServerConfig
from server.database import Base, Database
from server.directory.tree import begin_directory
from server.folder import finish_folder, make_folder
from server.migrations import newest
from server.parts import Parts, assemble
from server.steps import STEPS

HOST = "vault.example"
NOON = 1_772_366_400
"""2026-03-01T12:00:00Z"""
RATES = ("login_rate", "confirm_rate", "visit_rate", "signup_rate")
UNLIMITED = dict.fromkeys(RATES, "100000 per minute")
"""Rates that no test meets by accident; test_server_limits.py uses the real ones."""


@dataclass
class SetClock:
    """A clock that stands still until a test moves it."""

    time: int = NOON

    def now(self) -> int:
        return self.time

    def advance(self, seconds: int) -> None:
        self.time += seconds


@dataclass
class FileClock:
    """A clock that several processes share: a file that holds an integer."""

    path: Path

    def now(self) -> int:
        return int(self.path.read_text())

    @property
    def time(self) -> int:
        return self.now()

    @time.setter
    def time(self, seconds: int) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.path)  # nobody reads half of a time

    def advance(self, seconds: int) -> None:
        self.time = self.now() + seconds


@dataclass
class WatchedSteps:
    """Remembers the steps that were reached, and does at one of them what a test asks for."""

    reached: list[str] = field(default_factory=list)
    at: dict[str, Callable[[], None]] = field(default_factory=dict)

    def reach(self, name: str) -> None:
        if name not in STEPS:
            raise ValueError("a step that the table does not name")
        self.reached.append(name)
        self.at.get(name, lambda: None)()

    @contextmanager
    def stopping_at(self, name: str) -> Iterator[None]:
        """Until the end of the block, whoever reaches this step gets no further."""
        def stop() -> None:
            raise RuntimeError("stopped")

        self.at[name] = stop
        yield
        del self.at[name]


@dataclass
class FakeVault:
    """One application with its parts."""

    app: Flask
    parts: Parts
    clock: SetClock | FileClock
    steps: WatchedSteps

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", data: bytes | None = None,
        headers: dict[str, str] | None = None, address: str = "192.0.2.1",
    ) -> TestResponse:
        """One request. `body` is sent as JSON; `data` as it is, as octets with their digest unless `headers` differ
        (a `Content-Length` too large makes a body that is cut)."""
        sent: dict[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            data, sent["Content-Type"] = format_json(body), "application/json"
        elif data is not None:
            sent["Content-Type"] = "application/octet-stream"
            sent["Content-Digest"] = f"sha-256=:{format_b64(hashlib.sha256(data).digest())}:"
        return self.send(method, path, data, sent | (headers or {}), address)

    def send(self, method: str, path: str, data: bytes | None, headers: dict[str, str], address: str) -> TestResponse:
        """The request as it is."""
        environ = {"REMOTE_ADDR": address}
        if data is not None:  # the test client leaves out a length of 0, and corrects a wrong one
            environ["CONTENT_LENGTH"] = headers.get("Content-Length", str(len(data)))
        return self.app.test_client().open(path, method=method, data=data, headers=headers, environ_overrides=environ)


@cache
def _tables() -> str:
    """What makes every table of a new vault, spelled once and not for each of a thousand vaults."""
    statements: list[str] = []

    def spell(statement: Any, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=SQLiteDialect())))

    Base.metadata.create_all(create_mock_engine("sqlite://", spell), checkfirst=False)
    version = "CREATE TABLE alembic_version (version_num TEXT)", f"INSERT INTO alembic_version VALUES ('{newest()}')"
    return ";\n".join(["BEGIN", *statements, *version, "COMMIT"])


class _Spelled:
    """What all vaults of a process have in common, made by the first of them: the SQL of the ORM's statements, and what
    puts addresses together. Made anew for each, it was a quarter of what the unit tests took."""

    def __init__(self) -> None:
        self._dialect: Dialect | None = None
        self._statements: dict[Any, Any] = {}
        self._builders: dict[Any, Callable[..., tuple[str, str]]] = {}

    def share(self, database: Database) -> None:
        """An engine finds a statement by its own dialect: here by the first one's, which they all have."""
        for engine in (database.engine, database._writer):
            engine.dialect = self._dialect = self._dialect or engine.dialect
            engine.update_execution_options(compiled_cache=self._statements)

    def build_once(self) -> None:
        """From now on, for every application of this process."""
        build = Rule._compile_builder

        def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
            key = rule.rule, tuple((rule.defaults or {}).items()), append_unknown
            if key not in self._builders:
                self._builders[key] = build(rule, append_unknown)
            return self._builders[key]

        Rule._compile_builder = builder  # type: ignore[assignment, method-assign]


_SPELLED = _Spelled()
_SPELLED.build_once()


def make_vault(folder: Path, **settings: Any) -> FakeVault:
    """A new vault in `folder`, with its tables; `settings` are those of ServerConfig."""
    chosen: dict[str, Any] = {"data": folder / "data", "host": HOST, "checkpoint_interval": 0, **UNLIMITED, **settings}
    config = ServerConfig(**chosen)
    clock, steps = SetClock(), WatchedSteps()
    made = make_folder(config, clock.now())
    parts = assemble(config, made, clock=clock, steps=steps)
    _SPELLED.share(parts.database)
    with closing(parts.database.engine.raw_connection()) as connection:
        cast("sqlite3.Connection", connection.driver_connection).executescript(_tables())
    parts.ledger.create()
    begin_directory(parts)
    finish_folder(config, made)
    return FakeVault(create_app(parts), parts, clock, steps)


@contextmanager
def fake_vault(folder: Path, **settings: Any) -> Iterator[FakeVault]:
    """The same, closed at the end."""
    vault = make_vault(folder, **settings)
    try:
        yield vault
    finally:
        vault.parts.close()


def said(answer: TestResponse) -> Any:
    """The JSON of an answer, whatever its status."""
    return json.loads(answer.data)


def code(answer: TestResponse) -> str:
    """The code of a refusal."""
    return str(said(answer)["code"])


def b64(data: bytes) -> str:
    return format_b64url(data)


def random_b64(size: int) -> str:
    return format_b64url(make_bytes(size))


@dataclass
class FakePerson:
    """Somebody with an account, or about to have one. Tokens and ids are in base64url, as they travel."""

    vault: FakeVault
    account: bytes = field(default_factory=make_id)
    k_id: bytes = field(default_factory=lambda: make_bytes(32))
    login_seed: bytes = field(default_factory=lambda: make_bytes(32))
    recovery_seed: bytes = field(default_factory=lambda: make_bytes(32))
    rid: bytes = field(default_factory=lambda: make_bytes(32))
    tag_l: bytes = field(default_factory=lambda: make_bytes(32))
    tag_s: bytes = field(default_factory=lambda: make_bytes(32))
    share_n: bytes = field(default_factory=lambda: make_bytes(32))
    share_s: bytes = field(default_factory=lambda: make_bytes(32))
    token: str = ""
    """Of the open session, once there is one."""

    def challenge(self) -> str:
        answer = self.vault.ask("POST", "/v1/login/start", {"K_id": b64(self.k_id)})
        assert answer.status_code == 200, answer.data
        return str(said(answer)["challenge"])

    def sign_up_body(self, challenge: str) -> dict[str, Any]:
        return {
            "K_id": b64(self.k_id),
            "login_pk": b64(derive_public(self.login_seed)),
            "account": b64(self.account),
            "epoch": 1,
            "pin_epoch": 1,
            "tag_L": b64(self.tag_l),
            "tag_S": b64(self.tag_s),
            "share_N": b64(self.share_n),
            "share_S": b64(self.share_s),
            "W_N": random_b64(limits.SEALED_KEY),
            "W_S": random_b64(limits.SEALED_KEY),
            "account_record": random_b64(1096),
            "identity": {"sign": random_b64(limits.SEALED_KEY), "box": random_b64(limits.SEALED_KEY)},
            "drop_box": random_b64(limits.SEALED_PAIR),
            "recovery": {
                "rid": b64(self.rid),
                "login_pk": b64(derive_public(self.recovery_seed)),
                "share_R": random_b64(32),
                "W_RN": random_b64(limits.SEALED_KEY),
                "W_RS": random_b64(limits.SEALED_KEY),
            },
            "challenge": challenge,
        }

    def send_sign_up(
        self, body: bytes, *, seed: bytes | None = None, address: str = "192.0.2.1",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Sends exact bytes, signed."""
        challenge = parse_b64url(json.loads(body)["challenge"])
        signature = sign_ed25519(seed or self.login_seed, register_message(HOST, challenge, body))
        return self.vault.ask(
            "POST", "/v1/accounts", data=body, address=address,
            headers={"Content-Type": "application/json", "Temoin-Signature": b64(signature), **(headers or {})},
        )

    def register(self) -> FakePerson:
        answer = self.send_sign_up(format_json(self.sign_up_body(self.challenge())))
        assert answer.status_code == 201, answer.data
        return self

    def sign_login(self, challenge: str, *, seed: bytes | None = None) -> str:
        message = login_message(HOST, self.k_id, parse_b64url(challenge))
        return b64(sign_ed25519(seed or self.login_seed, message))

    def finish_login(
        self, challenge: str | None = None, *, seed: bytes | None = None, address: str = "192.0.2.1"
    ) -> TestResponse:
        challenge = challenge or self.challenge()
        body = {"K_id": b64(self.k_id), "challenge": challenge, "sig": self.sign_login(challenge, seed=seed)}
        return self.vault.ask("POST", "/v1/login/finish", body, address=address)

    def give_password(self) -> str:
        """A token of stage `password`."""
        answer = self.finish_login()
        assert answer.status_code == 200, answer.data
        return str(said(answer)["token"])

    def try_pin(self, purpose: str, token: str, *, right: bool = True) -> TestResponse:
        tag = {"login": self.tag_l, "step": self.tag_s}[purpose] if right else make_bytes(32)
        return self.vault.ask("POST", "/v1/pin", {"purpose": purpose, "x": b64(tag)}, token=token)

    def log_in(self) -> FakePerson:
        answer = self.try_pin("login", self.give_password())
        assert answer.status_code == 200, answer.data
        self.token = str(said(answer)["token"])
        return self

    def send_confirm(self, *, seed: bytes | None = None, right: bool = True, challenge: str = "") -> TestResponse:
        challenge = challenge or self.challenge()
        message = confirm_message(HOST, self.k_id, parse_b64url(challenge))
        body = {
            "challenge": challenge,
            "sig": b64(sign_ed25519(seed or self.login_seed, message)),
            "x": b64(self.tag_s if right else make_bytes(32)),
        }
        return self.vault.ask("POST", "/v1/confirm", body, token=self.token)

    def confirm(self) -> str:
        """A token of stage `confirmed`."""
        answer = self.send_confirm()
        assert answer.status_code == 200, answer.data
        return str(said(answer)["token"])

    def send_reopen(self, token: str, *, seed: bytes | None = None, rid: bytes | None = None) -> TestResponse:
        challenge = self.challenge()
        message = pin_reopen_message(HOST, self.account, parse_b64url(challenge))
        body = {
            "rid": b64(rid or self.rid),
            "challenge": challenge,
            "sig": b64(sign_ed25519(seed or self.recovery_seed, message)),
        }
        return self.vault.ask("POST", "/v1/pin/reopen", body, token=token)

    def recovery_challenge(self) -> str:
        answer = self.vault.ask("POST", "/v1/recovery/start", {"rid": b64(self.rid)})
        assert answer.status_code == 200, answer.data
        return str(said(answer)["challenge"])

    def show_code(self, *, seed: bytes | None = None, challenge: str = "", address: str = "192.0.2.1") -> TestResponse:
        """The recovery code, signed by its key or another."""
        challenge = challenge or self.recovery_challenge()
        message = recover_message(HOST, self.rid, parse_b64url(challenge))
        sig = sign_ed25519(seed or self.recovery_seed, message)
        body = {"rid": b64(self.rid), "challenge": challenge, "sig": b64(sig)}
        return self.vault.ask("POST", "/v1/recovery/finish", body, address=address)

    def give_recovery(self) -> str:
        """A token of stage `recovery`."""
        answer = self.show_code()
        assert answer.status_code == 200, answer.data
        return str(said(answer)["token"])

    def recovered(self) -> FakePerson:
        """The same person with another name, password, PIN and code, none of which the vault has yet."""
        return replace(FakePerson(self.vault), account=self.account)

    def recovery_body(self, new: FakePerson, **changes: Any) -> bytes:
        """What is to take the place of this person's first credentials."""
        return format_json({
            **new.sign_up_body(self.recovery_challenge()), "epoch": 2, "expected_epoch": 1, "pin_epoch": 2, "n": 2,
            **changes,
        })  # fmt: skip

    def send_recovered(
        self, new: FakePerson, body: bytes, token: str, *, old_seed: bytes = b"", new_seed: bytes = b""
    ) -> TestResponse:
        message = recover_change_message(HOST, parse_b64url(json.loads(body)["challenge"]), body)
        return self.vault.ask(
            "POST", "/v1/recovery/credentials", data=body, token=token, headers={
                "Content-Type": "application/json",
                "Temoin-Signature": b64(sign_ed25519(old_seed or self.recovery_seed, message)),
                "Temoin-Signature-New": b64(sign_ed25519(new_seed or new.login_seed, message)),
            },
        )  # fmt: skip

    def ask(self, method: str, path: str, body: Any = None, *, data: bytes | None = None, **more: Any) -> TestResponse:
        """A request of the open session."""
        return self.vault.ask(method, path, body, data=data, token=self.token, **more)


def open_person(vault: FakeVault) -> FakePerson:
    """A person who has signed up and logged in."""
    return FakePerson(vault).register().log_in()
