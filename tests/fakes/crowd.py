"""Many people who deposit at once, each on a connection of their own, and what they were given for it.

Knows: the wire and opaque bytes; whoever seals is not waited for. Refuses to know: what a receipt says.
Their accounts are made in this process, on the vault's own folder; every deposit goes to the processes that serve it.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

from crypto_core.encoding import format_b64, format_json
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.app import create_app
from server.config import ServerConfig
from server.parts import open_parts
from tests.fakes.vault import HOST, FakeVault, SetClock, WatchedSteps, b64, open_person, random_b64

RECORD = 1096
"""Bytes of a sealed entry of at most a kilobyte."""
BATCH = 20
BLOBS = (72, 4_000, 40_000)
"""Sizes of blobs, in turn."""
TURNS = ("entry", "entry", "blob", "entry", "entry", "batch")
"""What one person does, again and again."""


@dataclass(frozen=True)
class Kept:
    """One thing that was deposited."""

    sha256: bytes
    size: int
    receipt: str


class Depositing(Protocol):
    """Somebody who can be told to deposit the next thing."""

    def deposit(self) -> None: ...


@dataclass
class Depositor:
    """Somebody with an open session and a connection that stays open."""

    port: int
    token: str
    kept: list[Kept] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From each request's first byte to its answer's last."""

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._sizes, self._turns = cycle(BLOBS), cycle(TURNS)

    def deposit(self) -> None:
        """The next thing in turn."""
        match next(self._turns):
            case "blob":
                self._put_blob(make_bytes(next(self._sizes)))
            case "batch":
                self._post_items(BATCH)
            case _:
                self._post_items(1)

    def close(self) -> None:
        self._connection.close()

    def _post_items(self, number: int) -> None:
        records = [make_bytes(RECORD) for _ in range(number)]
        sent = {"revisions": [_first_revision(record) for record in records]}
        answer = self._ask("POST", "/v1/items", format_json(sent), {"Content-Type": "application/json"})
        self.kept += [
            Kept(sha256(record).digest(), RECORD, one["receipt"])
            for record, one in zip(records, answer["revisions"], strict=True)
        ]

    def _put_blob(self, data: bytes) -> None:
        digest = sha256(data).digest()
        headers = {
            "Content-Type": "application/octet-stream", "Content-Digest": f"sha-256=:{format_b64(digest)}:",
        }  # fmt: skip
        answer = self._ask("PUT", f"/v1/blobs/{b64(make_id())}", data, headers)
        self.kept.append(Kept(digest, len(data), answer["receipt"]))

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        start = time.perf_counter()
        self._connection.request(method, path, body, {**headers, "Authorization": f"Bearer {self.token}"})
        answer = self._connection.getresponse()
        data = answer.read()
        self.seconds.append(time.perf_counter() - start)
        assert answer.status in (200, 201), (answer.status, data[:300])
        return json.loads(data)


def open_sessions(data: Path, number: int) -> list[str]:
    """So many tokens of stage `open`, each of an account of its own, in the vault of this folder: at most 30, as many
    as may sign up from one network in an hour."""
    config = ServerConfig.from_environ({}, data, host=HOST)
    clock, steps = SetClock(int(time.time())), WatchedSteps()
    parts = open_parts(config, clock=clock, steps=steps)
    try:
        here = FakeVault(create_app(parts), parts, clock, steps)
        return [open_person(here).token for _ in range(number)]
    finally:
        parts.close()


def deposit_at_once(depositors: Sequence[Depositing], seconds: float) -> float:
    """All of them, for so long, and until each has its last answer; how long that was. Raises what one of them met."""
    start = time.perf_counter()
    failures: list[BaseException] = []

    def work(depositor: Depositing) -> None:
        try:
            while time.perf_counter() < start + seconds and not failures:
                depositor.deposit()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(one,)) for one in depositors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        raise failure
    return time.perf_counter() - start


def _first_revision(record: bytes) -> dict[str, Any]:
    return {
        "item": b64(make_id()), "revision": 1, "replaces": 0, "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK), "record": b64(record), "blobs": [], "erases": None,
    }  # fmt: skip
