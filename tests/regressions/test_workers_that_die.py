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


def kill_workers_until_granian_gives_up(vault: RealVault, times: int) -> None:
    """Kills all processes below the first one, as soon as they are there; until the log has said so many times."""
    assert vault.process is not None
    deadline = time.monotonic() + 120
    while (vault.data / "server.log").read_text().count("workers died again and again") < times:
        assert time.monotonic() < deadline
        for pid in descendants(vault.process.pid)[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def test_a_vault_whose_workers_are_killed_again_and_again_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path / "vault") as vault:
        process = vault.process
        for times in (1, 2):
            kill_workers_until_granian_gives_up(vault, times)
            wait_for_answer(vault)
        vault.stop()
        assert process is not None and process.returncode == 0
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


def test_a_vault_is_told_to_stop_while_its_workers_die(tmp_path: Path) -> None:
    with serving(tmp_path / "vault") as vault:
        process = vault.process
        kill_workers_until_granian_gives_up(vault, 1)
        vault.stop()
        assert process is not None and process.returncode == 0
