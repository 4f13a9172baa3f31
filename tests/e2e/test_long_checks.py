"""A vault that takes longer to check a whole upload than any request waits: through real processes, which also end and
die meanwhile. Nothing is sent again, and what was hashed once is not hashed beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from tests.fakes.processes import Device, descendants
from tests.fakes.served import LOST, ServedVault, served_vault
from tests.fakes.swift import store_environment
from tests.fakes.vault import FakePerson, b64, code, said

DATA = make_bytes(3 * limits.UNIT)
WAITS = MappingProxyType({"TEMOIN_CHECK_WAIT": "1"})
"""Seconds, where a vault waits for twenty."""


@contextlib.contextmanager
def long_check(vault: ServedVault, seconds: float) -> Iterator[None]:
    """Whoever has hashed a whole goes on after so many seconds."""
    def hold() -> None:
        with vault.orders.holding("complete.hashed"):
            is_held.set()
            time.sleep(seconds)

    is_held, holder = threading.Event(), threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    try:
        yield
    finally:
        holder.join()


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_the_program_waits_for_a_check_that_takes_longer_than_a_request(
    tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    original = tmp_path / "video.mp4"
    original.write_bytes(DATA)
    settings = {**WAITS, "TEMOIN_HOST": "", **store_environment(place, request)}
    with served_vault(tmp_path, environment=settings) as vault:
        device = Device(tmp_path / "home", vault.real.url)
        device.register()
        began = time.monotonic()
        with long_check(vault, 4):
            added = device.ok("documents", "add", device.user, original, "--json")
        assert time.monotonic() - began > 4
        device.ok("documents", "get", device.user, added.json[0]["id"], "-o", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == DATA
        assert vault.orders.reached()["complete.hashed"] == 1
        assert vault.orders.reached()["unit.recorded"] <= limits.unit_count(len(DATA)) + 1
        vault.real.stop()
        check = vault.real.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("end", ["it is told to stop", "its workers are killed"])
def test_a_check_that_ends_with_its_process_is_begun_anew(tmp_path: Path, end: str) -> None:
    with served_vault(tmp_path, environment=WAITS) as vault:
        person, blob = FakePerson(vault).register().log_in(), make_id()
        whole = {"sha256": b64(hashlib.sha256(DATA).digest())}
        path = f"/v1/uploads/{b64(blob)}"
        assert person.ask("POST", "/v1/uploads", {"blob": b64(blob), "size": len(DATA)}).status_code == 201
        assert person.ask("PUT", f"{path}/units/0", data=DATA).status_code == 200
        with vault.orders.holding("complete.hashed"):
            assert code(person.ask("POST", f"{path}/complete", whole)) == "upload_checking"
            process = vault.real.process
            assert process is not None
            if end == "it is told to stop":
                began = time.monotonic()
                vault.real.stop()
                assert time.monotonic() - began < 20  # nobody is waited for who only checks
            else:
                for pid in descendants(process.pid)[1:]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        if end == "it is told to stop":
            vault.real.start()
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(*LOST):
                answer = person.ask("POST", f"{path}/complete", whole)
                if answer.status_code == 201:
                    break
                assert code(answer) == "upload_checking"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert said(answer)["sha256"] == whole["sha256"]
        assert person.ask("GET", f"/v1/blobs/{b64(blob)}").data == DATA
