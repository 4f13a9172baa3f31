"""A vault whose workers are killed again and again comes back by itself, and still stops when it is told to; a witness,
too. A vault whose first process is killed is gone as a whole, with what it had in hand done, and starts again; one
whose terminal closes ends as it does when it is told to."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_sdk.witness.lifeline import PATIENCE
from server.lifeline import WORKERS_KILL_TIMEOUT
from tests.fakes.liar import FakeLedger
from tests.fakes.processes import Copy, Device, RealVault, count_listeners, descendants, held, serving
from tests.fakes.witnesses import witnessing


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
    with serving(tmp_path / "vault", apart=True) as vault:
        process = vault.process
        for times in (1, 2):
            kill_workers_until_granian_gives_up(vault, times)
            wait_for_answer(vault)
        vault.stop()
        assert process is not None and process.returncode == 0
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


def test_a_witness_whose_worker_is_killed_again_and_again_comes_back(tmp_path: Path) -> None:
    ledger, killed, deadline = FakeLedger(), set[int](), time.monotonic() + 120
    with witnessing(tmp_path, 1) as (witness,):
        witness.start([ledger.vkey])
        process = witness.process
        assert process is not None
        while len(killed) < 8:  # granian gives up at the second that didn't live for long
            assert process.poll() is None and time.monotonic() < deadline
            for pid in descendants(process.pid)[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            time.sleep(0.1)
        while not count_listeners(witness.port):
            assert process.poll() is None and time.monotonic() < deadline, "the witness did not come back"
            time.sleep(0.05)
        ledger.grow(1)
        request = urllib.request.Request(f"{witness.url}/add-checkpoint", ledger.submission(0), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
        witness.stop()
        assert process.returncode == 0


def commands_of(process: subprocess.Popen[bytes] | Copy) -> set[bytes]:
    """By what a process and those below it were started; a copy, by what the first one was."""
    found = set[bytes]()
    for pid in descendants(process.pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add(Path(f"/proc/{pid}/cmdline").read_bytes())
    return found - {b""}  # of whoever is dead


def test_workers_begin_as_copies_and_whoever_replaces_one_begins_anew(tmp_path: Path) -> None:
    """By then the first process has the database open, which no copy may begin with."""
    with serving(tmp_path / "vault", apart=True) as vault:
        process = vault.process
        assert process is not None
        assert len(commands_of(process)) == 1
        os.kill(descendants(process.pid)[1], signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not any(b"spawn_main" in command for command in commands_of(process)):
            assert time.monotonic() < deadline, "nobody replaced a worker"
            time.sleep(0.05)
        wait_for_answer(vault)


def test_a_vault_is_told_to_stop_while_its_workers_die(tmp_path: Path) -> None:
    with serving(tmp_path / "vault", apart=True) as vault:
        process = vault.process
        kill_workers_until_granian_gives_up(vault, 1)
        vault.stop()
        assert process is not None and process.returncode == 0


class Begun:
    """A request that a worker has in hand: it reads the body, of which half is there."""

    def __init__(self, vault: RealVault) -> None:
        body = json.dumps({"K_id": base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()}).encode()
        self._rest = body[20:]
        self._socket = socket.create_connection(("127.0.0.1", vault.port), timeout=60)
        self._socket.sendall(
            b"POST /v1/login/start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        self._answers = self._socket.makefile("rb")
        assert self._answers.readline() == b"HTTP/1.1 100 Continue\r\n"  # said once the body is asked for
        assert self._answers.readline() == b"\r\n"
        self._socket.sendall(body[:20])

    def finish(self) -> int:
        """Sends the rest; the status of the answer."""
        with self._socket, self._answers:
            self._socket.sendall(self._rest)
            return int(self._answers.readline().split()[1])


def test_workers_whose_first_process_is_killed_end_what_they_have_in_hand(tmp_path: Path) -> None:
    with serving(tmp_path / "vault", apart=True) as vault:
        device = Device(tmp_path / "home", vault.url)
        device.register()
        kept = [device.ok("journal", "add", device.user, "--text", "before", "--json").json["id"]]
        process, begun = vault.process, Begun(vault)
        assert process is not None
        with contextlib.ExitStack() as last:
            workers = [last.enter_context(held(pid)) for pid in descendants(process.pid)[1:]]
            assert len(workers) >= vault.workers
            process.kill()
            process.wait(30)
            assert select.select(workers, [], [], 60)[0], "no worker ended after its first process was killed"
            assert begun.finish() == 200
            for worker in workers:
                assert select.select([worker], [], [], 60)[0], "a worker outlived the process that started it"
        vault.start()
        kept.append(device.ok("journal", "add", device.user, "--text", "after", "--json").json["id"])
        listed = device.ok("journal", "list", device.user, "--json").json
        assert {one["id"] for one in listed} == set(kept)
        vault.stop()
        check = vault.command("check")
        assert check.returncode == 0, check.stdout + check.stderr


@contextlib.contextmanager
def started_with(hangup: signal.Handlers) -> Iterator[None]:
    """What is started meanwhile takes SIGHUP so, whoever started the tests."""
    before = signal.signal(signal.SIGHUP, hangup)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def tell_all(pid: int, number: signal.Signals) -> None:
    """As a terminal does that closes, or where Ctrl-C is typed: all are told, in any order."""
    for one in reversed(descendants(pid)):
        os.kill(one, number)


TERMINAL = pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])


@TERMINAL
def test_a_vault_whose_terminal_ends_it_ends_with_what_it_has_in_hand_done(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started_with(signal.SIG_DFL), serving(tmp_path / "vault", apart=True) as vault:
        process, begun = vault.process, Begun(vault)
        assert process is not None
        tell_all(process.pid, number)
        assert begun.finish() == 200
        assert process.wait(WORKERS_KILL_TIMEOUT - 5) == 0, "a worker did not act on what it was told"
        vault.process = None
        assert count_listeners(vault.port) == 0


@TERMINAL
def test_a_witness_whose_terminal_ends_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    with started_with(signal.SIG_DFL), witnessing(tmp_path, 1) as (witness,):
        witness.start([FakeLedger().vkey])
        process = witness.process
        assert process is not None
        tell_all(process.pid, number)
        assert process.wait(PATIENCE - 5) == 0
        witness.process = None


def test_whoever_is_started_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    with (
        started_with(signal.SIG_IGN), serving(tmp_path / "vault", apart=True) as vault,
        witnessing(tmp_path, 1) as (witness,),
    ):
        witness.start([FakeLedger().vkey])
        for process in vault.process, witness.process:
            assert process is not None
            assert {ignores(pid, signal.SIGHUP) for pid in descendants(process.pid) if is_ours(pid)} == {True}


def is_ours(pid: int) -> bool:
    """Not the process that multiprocessing has beside them."""
    return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask.split()[1], 16) >> number - 1 & 1)
