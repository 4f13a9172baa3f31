"""A vault whose workers are killed again and again comes back by itself, and still stops when it is told to."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.fakes.processes import RealVault, descendants, serving


def is_answering(vault: RealVault) -> bool:
    try:
        with urllib.request.urlopen(f"{vault.url}/v1/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def wait_for_answer(vault: RealVault) -> None:
    deadline = time.monotonic() + 60
    while not is_answering(vault):
        assert time.monotonic() < deadline, "the vault did not come back"
        time.sleep(0.05)


def kill_workers(vault: RealVault) -> int:
    """Kills all processes below the first one; how many there were."""
    assert vault.process is not None
    workers = descendants(vault.process.pid)[1:]
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(workers)


def test_a_vault_whose_workers_are_killed_again_and_again_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path / "vault") as vault:
        assert vault.process is not None
        for _ in range(5):  # faster than granian puts up with
            assert kill_workers(vault)
            wait_for_answer(vault)
        log = (vault.data / "server.log").read_text()
        assert "workers died again and again" in log and "Traceback" not in log
        process = vault.process
        vault.stop()
        assert process.returncode == 0
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


def test_a_vault_is_told_to_stop_while_its_workers_die(tmp_path: Path) -> None:
    with serving(tmp_path / "vault") as vault:
        assert vault.process is not None
        log = vault.data / "server.log"
        deadline = time.monotonic() + 60
        while "again and again" not in log.read_text():
            assert time.monotonic() < deadline
            kill_workers(vault)
            time.sleep(0.2)
        process = vault.process
        vault.stop()
        assert process.returncode == 0
