"""A FakeVault whose requests go over a socket to real processes, which obey a test's orders.

Knows: how to start and reach them. Refuses to know: what is asked. A FakePerson can live in it.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from server.config import ServerConfig
from server.parts import open_parts
from tests.fakes.orders import Orders, Victim
from tests.fakes.processes import RealVault
from tests.fakes.vault import HOST, NOON, UNLIMITED, FakeVault, WatchedSteps

LOST = (OSError, http.client.HTTPException)
"""What `ask` raises where no answer came, or only a part of one."""
ENVIRONMENT = {
    "TEMOIN_HOST": HOST,
    "TEMOIN_CHECKPOINT_INTERVAL": "0",
    **{f"TEMOIN_{name.upper()}": rate for name, rate in UNLIMITED.items()},
}


@dataclass
class ServedVault(FakeVault):
    """`parts` and `app` are of this process, on the same folder, to look into it; `real` are the processes."""

    real: RealVault
    orders: Orders

    def start_anew(self) -> None:
        """For the next test: noon, and no order of the last one's holds any more."""
        self.clock.time = NOON
        self.orders.withdraw()
        self.orders.forget()

    def send(self, method: str, path: str, data: bytes | None, headers: dict[str, str], address: str) -> TestResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.real.port, timeout=60)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        status = f"{answer.status} {answer.reason}"
        return TestResponse([body], status, Headers(answer.getheaders()), Request({"REQUEST_METHOD": method}))

    def die(self, victim: Victim, step: str, act: Callable[[], object], times: int = 1) -> None:
        """Does `act` until `step` has killed the victim, and waits until the victim is gone."""
        before = len(self.orders.died())
        self.orders.kill(victim, step, times)
        deadline = time.monotonic() + 60
        while len(self.orders.died()) == before:
            assert time.monotonic() < deadline, f"{step} was not reached"
            with suppress(*LOST):
                act()
        self.orders.withdraw()
        self.orders.wait_for_last_death()
        if victim == "server":
            self.real.wait_for_death()


@contextmanager
def served_vault(
    folder: Path, *, workers: int = 2, prefix: tuple[str, ...] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[ServedVault]:
    """A new vault in `folder`, served by processes under orders and behind `prefix`; stopped at the end."""
    orders = Orders.new(folder / "orders")
    settings = {**ENVIRONMENT, **environment}
    real = RealVault(folder / "data", workers, environment=settings, orders=orders.folder)
    real.init()
    real.prefix = prefix
    try:
        real.start()
        parts = open_parts(ServerConfig.from_environ(settings, real.data), clock=orders.clock)
        yield ServedVault(Flask(__name__), parts, orders.clock, WatchedSteps(), real, orders)
        parts.close()
    finally:
        if real.process is not None:
            real.stop()
