"""A replica that the disk damaged: every command asked for free space, and nobody was told that the folder can go, nor
that what waits to be sent would go with it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from client_sdk.cli.failures import REFUSED, failure_of
from client_sdk.client import Draft
from tests.fakes.devices import make_device, register, stretch_once
from tests.fakes.vault import fake_vault


def damaged(path: Path, start: int, stop: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:stop] = b"\xff" * (stop - start)
    path.write_bytes(data)


@pytest.mark.parametrize(("start", "stop"), [(0, 100), (8_192, 20_000)])
def test_it_is_said_what_to_do_and_that_brings_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int, stop: int
) -> None:
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "server") as vault:
        device = make_device(vault, tmp_path / "laptop")
        register(device)
        with device.log_in() as client:
            client.write_entries([Draft(text=f"number {number}") for number in range(60)])
        (replica,) = device.home.folder.glob("*/*/replica.db")
        damaged(replica, start, stop)
        with pytest.raises(sqlite3.DatabaseError) as caught:
            device.opening()
        failure = failure_of(caught.value)
        assert (failure.code, failure.exit_code) == ("device", REFUSED)
        assert "TEMOIN_HOME" in failure.sentence and "not sent yet" in failure.sentence
        device.home.folder.rename(tmp_path / "aside")
        with device.log_in() as client:
            assert {item.text for item in client.items()} == {f"number {number}" for number in range(60)}
