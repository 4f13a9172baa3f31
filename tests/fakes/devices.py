"""Devices of one person around an application in this process, over a network that a test can spoil.

Knows: how to wire the real SDK to the real server without a socket. Refuses to know: what a test wants of them.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.client import Opening, VaultClient
from client_sdk.home import Home
from client_sdk.transport import HttpTransport
from crypto_core.encoding import ID_SIZE
from crypto_core.sealing import passphrase
from tests.fakes.vault import HOST, FakeVault
from tests.fakes.wire import FakeWire

USERNAME, PASSWORD, PIN = "Amélie", "correct horse battery staple", "739154"
Rewrite = Callable[[Any], Any]


@dataclass
class Network(httpx.BaseTransport):
    """Passes requests to the application, unless a test cuts them off or rewrites what comes back."""

    vault: FakeVault
    cut_before: Callable[[httpx.Request], bool] = lambda _: False
    """The request never arrives."""
    cut_after: Callable[[httpx.Request], bool] = lambda _: False
    """The request arrives, its answer is lost."""
    rewrites: dict[str, Rewrite] = field(default_factory=dict)
    """Path → what becomes of the JSON of its answer: a vault that lies."""
    spoils: Callable[[httpx.Request, bytes], bytes] | None = None
    """What becomes of any other body."""
    answers: Callable[[httpx.Request], bytes | None] = lambda _: None
    """What is answered in the application's place, as bytes; None where it answers itself."""
    seen: list[httpx.Request] = field(default_factory=list)
    received: int = 0
    """Body bytes that came back."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.cut_before(request):
            raise httpx.ConnectError("cut", request=request)
        if (made_up := self.answers(request)) is not None:
            return httpx.Response(200, stream=httpx.ByteStream(made_up))
        answer = httpx.WSGITransport(app=self.vault.app).handle_request(request)
        data = answer.read()
        if self.cut_after(request):
            raise httpx.ReadError("cut", request=request)
        if request.url.path in self.rewrites and answer.status_code < 400:
            data = json.dumps(self.rewrites[request.url.path](json.loads(data))).encode()
        elif self.spoils is not None:
            data = self.spoils(request, data)
        self.received += len(data)
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(data))

    def paths(self, method: str) -> list[str]:
        """The paths asked for with a method, in order."""
        return [one.url.path for one in self.seen if one.method == method]


@dataclass
class Device:
    """One TEMOIN_HOME and its network."""

    home: Home
    network: Network

    def client(self) -> VaultClient:
        """A client that nobody has logged in to yet; it never waits between tries."""
        address = f"https://{HOST}"
        transport = HttpTransport(address, wire=FakeWire(address, self.network), sleep=lambda _: None)
        return VaultClient(transport, self.home, clock=self.network.vault.clock.now, sleep=lambda _: None)

    def log_in(self) -> VaultClient:
        """A client that is logged in."""
        client = self.client()
        client.log_in(USERNAME, PASSWORD, PIN)
        return client

    def waiting(self) -> int:
        """How many batches wait in its outbox, as whoever else opens the file sees it."""
        count = 0
        for path in self.home.folder.glob("*/*/replica.db"):
            with contextlib.closing(sqlite3.connect(path, timeout=30)) as db:
                count += db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        return count

    def opening(self) -> Opening:
        """What a login says; locked again."""
        with self.client() as client:
            return client.log_in(USERNAME, PASSWORD, PIN)


def make_device(vault: FakeVault, folder: Path) -> Device:
    """A device that has never met the vault."""
    return Device(Home(folder), Network(vault))


_argon = passphrase.stretch


@cache
def _stretched(username: str, password: str, argon_set: int) -> bytes:
    return _argon(username, password, bytes(ID_SIZE), argon_set).raw


def stretch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id runs once for each name and password of a process, and really; what comes of it differs from vault to
    vault, as its salt makes it elsewhere."""
    def stretch(username: str, password: str, vault_id: bytes, argon_set: int = 1) -> passphrase.Stretched:
        return passphrase.Stretched(sha256(_stretched(username, password, argon_set) + vault_id).digest())

    monkeypatch.setattr(passphrase, "stretch", stretch)


def cheapen_argon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id at libsodium's smallest cost: for tests that log in hundreds of times. Nothing shipped knows of it."""
    monkeypatch.setattr(passphrase, "ARGON_SETS", {1: passphrase.ArgonSet(ops=1, mem_bytes=8192)})


def register(device: Device) -> bytes:
    """The person's account, made on this device."""
    client = device.client()
    return client.register(client.make_account(USERNAME, PASSWORD, PIN))
