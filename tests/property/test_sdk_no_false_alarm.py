"""Three devices of one account, an honest vault and a bad network: nobody is alarmed, nothing is lost, all agree.

Hypothesis chooses what happens and in which order. In the end every device comes back to a good network, and then all
show the same items, every text that was ever written stands in some history (unless its item was deleted and erased),
nothing waits, no warning stands, and every receipt verifies.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test,
)

from client_sdk.client import Credentials, Draft, Item, VaultClient
from client_sdk.errors import ItemUnknown, NetworkError, Refused
from client_sdk.writer import Writing
from crypto_core.encoding import format_json
from crypto_core.errors import UnsupportedVersion
from crypto_core.randomness import make_id
from server import cli
from server.app import create_app
from server.parts import open_parts
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, cheapen_argon, make_device, register
from tests.fakes.vault import FakeVault, make_vault

DEVICES = st.sampled_from(["laptop", "phone", "tablet"])
WHICH = st.integers(0, 50)
WEEK = 7 * 86_400


class Weather:
    """A network that is good for some requests, and then loses requests or answers until it is good again."""

    def __init__(self, device: Device) -> None:
        self.left: int | None = None
        self.arrives = False
        device.network.cut_before = lambda request: self._is_bad(request) and not self.arrives
        device.network.cut_after = lambda request: self._was_bad and self.arrives
        self._was_bad = False

    def _is_bad(self, _request: httpx.Request) -> bool:
        self._was_bad = self.left == 0
        if self.left:
            self.left -= 1
        return self._was_bad


class Devices(RuleBasedStateMachine):
    """What three devices of one person do, and what their network does to them."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="temoin-machine-"))
        self.vault: FakeVault = make_vault(self.folder / "server", checkpoint_interval=60)
        names = ("laptop", "phone", "tablet", "observer")
        self.devices = {name: make_device(self.vault, self.folder / name) for name in names}
        self.weather = {name: Weather(device) for name, device in self.devices.items()}
        self.open: dict[str, VaultClient] = {}
        self.typed = Credentials(USERNAME, PASSWORD, PIN)
        self.texts: set[str] = set()
        self.ended: set[str] = set()
        self.count = 0
        register(self.devices["laptop"])

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            try:
                self._converge()
            finally:
                for client in self.open.values():
                    client.lock()
                self.vault.parts.close()
                shutil.rmtree(self.folder)

    # what devices do

    @rule(name=DEVICES)
    def log_in(self, name: str) -> None:
        self.open.pop(name, None)
        client = self.devices[name].client()
        try:
            opening = client.log_in(self.typed.username, self.typed.password, self.typed.pin)
        except NetworkError:
            return
        assert opening.warnings == ()
        self.open[name] = client

    @rule(name=DEVICES)
    def log_out(self, name: str) -> None:
        if name in self.open:
            self.open.pop(name).lock()

    @rule(name=DEVICES)
    def disappear(self, name: str) -> None:
        """The process dies: nothing is said to the vault, nothing is forgotten in order."""
        self.open.pop(name, None)

    @rule(name=DEVICES, sensitive=st.booleans())
    def write(self, name: str, sensitive: bool) -> None:
        text = self._new_text(name)
        self._try(name, lambda client: client.write_entry(Draft(text=text), sensitive=sensitive), text)

    @rule(name=DEVICES, many=st.integers(2, 4))
    def write_batch(self, name: str, many: int) -> None:
        texts = [self._new_text(name) for _ in range(many)]
        self._try(name, lambda client: client.write_entries([Draft(text=text) for text in texts]), *texts)

    @rule(name=DEVICES)
    def add_document(self, name: str) -> None:
        path = self.folder / f"file-{self.count}"
        self.count += 1
        path.write_bytes(b"a photograph")
        self._try(name, lambda client: client.add_document(path))

    @rule(name=DEVICES, which=WHICH)
    def edit(self, name: str, which: int) -> None:
        item = self._pick(name, which)
        if item is not None and item.state == "open":
            text = self._new_text(name)
            self._try(name, lambda client: client.edit_entry(item.id, {"text": text}), text)

    @rule(name=DEVICES, which=WHICH)
    def delete(self, name: str, which: int) -> None:
        item = self._pick(name, which)
        if item is not None:
            self._try(name, lambda client: client.delete_item(item.id))

    @rule(name=DEVICES, which=WHICH)
    def undo(self, name: str, which: int) -> None:
        if name in self.open:
            rows = list(self.open[name]._opened().session.replica.newest_of_each())
            if rows:
                item = rows[which % len(rows)].item
                self._try(name, lambda client: client.restore_item(item))

    @rule(name=DEVICES, version=st.sampled_from([{"v": 2, "kind": "journal"}, {"v": 1, "kind": "something new"}]))
    def meet_a_newer_version(self, name: str, version: dict[str, Any]) -> None:
        """Another program of this person, newer than ours, keeps something."""
        json = format_json({**version, "contents": [], "unheard": "of"})
        self._try(name, lambda client: client._opened().writer._deposit([Writing(make_id(), 1, json, False)]))

    @rule(name=DEVICES)
    def change_password(self, name: str) -> None:
        if name not in self.open:
            return
        self.count += 1
        new = Credentials(USERNAME, f"a boat on the wide lake {self.count}", "8051937")
        try:
            self.open[name].account.change_credentials(self.typed.password, self.typed.pin, new)
        except NetworkError:
            del self.open[name]
            if self._opens(new):
                self.typed = new
        except Refused as refusal:
            assert refusal.code == "unauthorized"
            self.open.pop(name).lock()
        else:
            self.typed = new

    # what happens to them

    @rule(name=DEVICES, left=st.integers(0, 8), arrives=st.booleans())
    def lose(self, name: str, left: int, arrives: bool) -> None:
        self.weather[name].left, self.weather[name].arrives = left, arrives

    @rule(name=DEVICES)
    def clear_up(self, name: str) -> None:
        self.weather[name].left = None

    @rule()
    def restart_the_server(self) -> None:
        config = self.vault.parts.config
        self.vault.parts.close()
        self.vault.parts = open_parts(config, clock=self.vault.clock, steps=self.vault.steps)
        self.vault.app = create_app(self.vault.parts)

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.vault.clock.advance(seconds)

    @precondition(lambda self: self.count > 3)
    @rule()
    def a_week_passes(self) -> None:
        """What was deleted and not restored is erased; every session is over."""
        self.vault.clock.advance(WEEK + 1)
        client = self._observer()
        rows = list(client._opened().session.replica.newest_of_each())
        for row in rows:
            history = client.history(row.item)
            if history[-1].kind == "tombstone":
                self.ended |= {item.text for item in history if item.text is not None}
        client.lock()
        cli.collect(self.vault.parts)

    @invariant()
    def no_device_is_warned(self) -> None:
        if hasattr(self, "folder"):
            kept = [path for device in self.devices.values() for path in device.home.folder.glob("*/*/evidence/*")]
            assert kept == []

    # how it ends

    def _converge(self) -> None:
        for weather in self.weather.values():
            weather.left = None
        for client in self.open.values():
            client.lock()
        self.open.clear()
        for _ in range(2):  # once for all to send what waits, once for all to see it
            for device in self.devices.values():
                client = device.client()
                opening = client.log_in(self.typed.username, self.typed.password, self.typed.pin)
                assert opening.warnings == ()
                client.step_up(self.typed.pin)
                client.lock()
        shown = [self._all(device) for device in self.devices.values()]
        assert all(items == shown[0][0] for items, _ in shown)
        written = set().union(*(texts for _, texts in shown))
        assert self.texts - self.ended <= written, self.texts - self.ended - written

    def _all(self, device: Device) -> tuple[dict[bytes, tuple[str, ...]], set[str]]:
        """The whole history of every item, erased revisions as such, and all texts; after all receipts verified."""
        client = device.client()
        opening = client.log_in(self.typed.username, self.typed.password, self.typed.pin)
        assert (opening.warnings, opening.waiting) == ((), 0)
        client.step_up(self.typed.pin)
        found: dict[bytes, tuple[str, ...]] = {}
        texts: set[str] = set()
        for row in list(client._opened().session.replica.newest_of_each()):
            history = client.history(row.item)
            texts |= {item.text for item in history if item.text is not None}
            found[row.item] = tuple(f"{item.kind} {item.state} {item.text}" for item in history)
            for item in history:
                if item.state != "missing":
                    client.receipt(item)
        client.lock()
        return found, texts

    def _new_text(self, name: str) -> str:
        self.count += 1
        return f"{name} writes {self.count}"

    def _try(self, name: str, work: Callable[[VaultClient], object], *texts: str) -> None:
        """What a device does, if it is open. `texts` must not be lost from then on, whatever the network does."""
        client = self.open.get(name)
        if client is None:
            return
        try:
            work(client)
        except (ItemUnknown, UnsupportedVersion):
            return
        except NetworkError:
            pass
        except Refused as refusal:
            assert refusal.code in ("unauthorized", "revision_conflict", "blob_missing")
            if refusal.code == "unauthorized":
                self.open.pop(name).lock()
        self.texts.update(texts)

    def _pick(self, name: str, which: int) -> Item | None:
        items = self.open[name].items() if name in self.open else []
        return items[which % len(items)] if items else None

    def _opens(self, typed: Credentials) -> bool:
        client = self.devices["observer"].client()
        try:
            client.log_in(typed.username, typed.password, typed.pin)
        except Refused as refusal:
            assert refusal.code == "login_refused"
            return False
        client.lock()
        return True

    def _observer(self) -> VaultClient:
        client = self.devices["observer"].client()
        client.log_in(self.typed.username, self.typed.password, self.typed.pin)
        client.step_up(self.typed.pin)
        return client


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(Devices, settings=settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    ))


def test_three_devices_and_a_bad_network_raise_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    cheapen_argon(monkeypatch)
    run(8, 25)


@pytest.mark.soak
def test_many_more_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cheapen_argon(monkeypatch)
    run(500, 60)
