"""A folder in which a newer version of this program was at work: a warning that this one doesn't know ended each login
as a fault of the program, and a field that it doesn't know was lost when the file was next written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client_sdk.client import Draft
from client_sdk.errors import DeviceNewer
from client_sdk.home import Home
from crypto_core.encoding import format_json, parse_json
from crypto_core.errors import MalformedError
from crypto_core.sealing.records import open_device_state, seal_device_state
from tests.fakes.devices import Device, make_device, register, stretch_once
from tests.fakes.vault import fake_vault

WARNED = {"findings": ["items_missing"], "about": [], "accepted": ["00" * 32], "account_n": 1}


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """One that has written an entry."""
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "server") as vault:
        made = make_device(vault, tmp_path / "laptop")
        register(made)
        with made.log_in() as client:
            client.write_entry(Draft(text="kept"))
        yield made


def the_one(device: Device, pattern: str) -> Path:
    (found,) = device.home.folder.glob(pattern)
    return found


def account(device: Device) -> Path:
    return the_one(device, "*/*/replica.db").parent


def say(path: Path, **more: object) -> None:
    path.write_bytes(format_json({**json.loads(path.read_text() if path.exists() else "{}"), **more}))


def warned_of_more(device: Device) -> None:
    say(account(device) / "warned", **{**WARNED, "findings": ["a_warning_of_tomorrow"]})


def warned_by_more(device: Device) -> None:
    say(account(device) / "warned", **WARNED, since=7)


def pinned_by_more(device: Device) -> None:
    say(the_one(device, "vaults/*.json"), mirrors=["https://other.example"])


def other_tables(device: Device) -> None:
    with sqlite3.connect(the_one(device, "*/*/replica.db")) as db:
        db.execute("ALTER TABLE receipts ADD COLUMN seen INTEGER")
        db.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize("newer", [warned_of_more, warned_by_more, pinned_by_more, other_tables])
def test_it_is_said_that_this_version_is_the_older_one_and_nothing_is_touched(
    device: Device, newer: Callable[[Device], None]
) -> None:
    newer(device)
    before = kept_in(device)
    with pytest.raises(DeviceNewer):
        device.opening()
    assert kept_in(device) == before


def kept_in(device: Device) -> tuple[dict[Path, bytes], list[str]]:
    files = [path for path in device.home.folder.rglob("*") if path.is_file() and "replica.db" not in path.name]
    with sqlite3.connect(the_one(device, "*/*/replica.db")) as db:
        return {path: path.read_bytes() for path in files}, list(db.iterdump())


@pytest.mark.parametrize("bent", [
    {**WARNED, "findings": "items_missing"}, {**WARNED, "about": [1]}, {**WARNED, "account_n": True}, {"findings": []},
    [],
], ids=repr)  # fmt: skip
def test_damage_is_called_damage(device: Device, bent: object) -> None:
    (account(device) / "warned").write_bytes(format_json(bent))
    with pytest.raises(MalformedError):
        device.opening()


def test_what_waits_in_words_of_a_newer_version_waits_on(device: Device) -> None:
    with device.log_in() as client:
        session = client._opened().session
        ring = session.keyring
        sealed = seal_device_state(ring.mk_n, "outbox", ring.account, format_json({"revisions": [], "also": 1}))
        session.replica.keep_waiting(sealed)
    with pytest.raises(DeviceNewer):
        device.opening()
    with sqlite3.connect(the_one(device, "*/*/replica.db")) as db:
        assert db.execute("SELECT sealed FROM outbox").fetchall() == [(sealed,)]
    assert not list(device.home.folder.glob("*/*/evidence/*"))


def test_what_was_noted_of_the_directory_stays_as_a_newer_version_wrote_it(device: Device) -> None:
    with device.log_in() as client:
        client.professionals.note_own("Ana")
        session = client._opened().session
        path, place = session.home.folder / "directory", (session.keyring.mk_n, "directory", session.account)
        kept = parse_json(open_device_state(*place, path.read_bytes()))
        newer = seal_device_state(*place, format_json({**kept, "v": 3, "more": []}))
        path.write_bytes(newer)
        with pytest.raises(DeviceNewer):
            client.professionals.note_own("Lu")
        assert path.read_bytes() == newer


def test_receipts_are_not_checked_under_half_a_pin(device: Device) -> None:
    pinned_by_more(device)
    with pytest.raises(DeviceNewer):
        Home(device.home.folder).policy()
