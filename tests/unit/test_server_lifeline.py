"""What a worker does once the process that started it is gone; tests/regressions shows it with a real vault."""

from __future__ import annotations

import io
import select
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from server import lifeline
from server.cli.serving import hand_over
from tests.fakes.processes import ROOT, held


def test_a_worker_is_told_to_end_and_is_ended_if_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    order, is_over = list[object](), threading.Event()

    def kill(pid: int, number: signal.Signals) -> None:
        order.append((pid, number))
        is_over.set()

    parent = SimpleNamespace(join=lambda: order.append("gone"))
    monkeypatch.setattr(lifeline, "multiprocessing", SimpleNamespace(parent_process=lambda: parent))
    told = SimpleNamespace(
        pthread_kill=lambda thread, number: order.append((thread, number)), signal=lambda *_: None,
        pthread_sigmask=lambda _, which: order.append(which), SIG_BLOCK=signal.SIG_BLOCK, SIGINT=signal.SIGINT,
        SIGTERM=signal.SIGTERM, SIGKILL=signal.SIGKILL, SIGHUP=signal.SIGHUP, SIG_IGN=signal.SIG_IGN,
    )
    monkeypatch.setattr(lifeline, "signal", told)
    monkeypatch.setattr(lifeline, "time", SimpleNamespace(sleep=order.append))
    monkeypatch.setattr(lifeline, "os", SimpleNamespace(kill=kill, getpid=lambda: 7))
    lifeline.end_with_parent()
    assert is_over.wait(30)
    assert order == [
        (signal.SIGINT,), "gone", (threading.main_thread().ident, signal.SIGTERM), lifeline.WORKERS_KILL_TIMEOUT,
        (7, signal.SIGKILL),
    ]


def test_whoever_was_started_in_another_way_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "multiprocessing", SimpleNamespace(parent_process=lambda: None))
    monkeypatch.setattr(lifeline, "threading", SimpleNamespace())
    lifeline.end_with_parent()


START_COPIES = """
import multiprocessing, os, signal, time
from server.lifeline import end_with_parent, hold_copies

def end():
    end_with_parent()
    time.sleep(600)

signal.signal(signal.SIGTERM, lambda *_: None)
hold_copies()
fork = multiprocessing.get_context("fork")
copies = [fork.Process(target=end), fork.Process(target=time.sleep, args=(600,))]
for copy in copies:
    copy.start()
print(*(copy.pid for copy in copies), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_copy_ends_with_the_process_it_was_made_of_and_when_it_is_told_to() -> None:
    said = subprocess.Popen([sys.executable, "-c", START_COPIES], cwd=ROOT, stdout=subprocess.PIPE)
    with said, (said.stdout or io.BytesIO()) as heard:
        ends, goes_on = map(int, heard.readline().split())
        with held(ends) as ended, held(goes_on) as other:
            assert select.select([ended], [], [], 20)[0], "a copy outlived the process it was made of"
            assert not select.select([other], [], [], 0)[0]
            signal.pidfd_send_signal(other, signal.SIGTERM)
            assert select.select([other], [], [], 30)[0], "a copy takes signals as its first process does"


LOOK_AT_ITSELF = """
import multiprocessing, signal
from {room} import end_with_parent

def look():
    end_with_parent()
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)

worker = multiprocessing.get_context("fork").Process(target=look)
worker.start()
worker.join()
"""


@pytest.mark.parametrize("room", ["server.lifeline", "client_sdk.witness.lifeline"])
def test_no_worker_acts_on_ctrl_c_of_its_own(room: str) -> None:
    script = LOOK_AT_ITSELF.format(room=room)
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert said.stdout == b"True\n"


def test_ctrl_c_is_for_the_process_that_the_copies_were_made_of() -> None:
    """What a copy is told by a terminal and by its first process at once, a thread could take that acts on neither."""
    stays = START_COPIES.replace("SIGKILL)", "SIGSTOP)")
    said = subprocess.Popen([sys.executable, "-c", stays], cwd=ROOT, stdout=subprocess.PIPE)
    with said, (said.stdout or io.BytesIO()) as heard, held(said.pid):
        for pid in map(int, heard.readline().split()):
            with held(pid) as copy:
                signal.pidfd_send_signal(copy, signal.SIGINT)
                assert not select.select([copy], [], [], 0.5)[0], "a copy ended before its first process"
                signal.pidfd_send_signal(copy, signal.SIGTERM)
                assert select.select([copy], [], [], 30)[0]


TOLD_AT_ONCE = """
import multiprocessing, os, signal, time
from server.lifeline import hold_copies

signal.signal(signal.SIGTERM, lambda *_: None)
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))  # before all that comes later
hold_copies()
copy = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
copy.start()
copy.join(20)
print(copy.exitcode, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
copy.kill()
"""


def test_what_a_copy_is_told_while_it_is_being_made_is_not_lost() -> None:
    """Its first process may take signals in a way that only notes them."""
    said = subprocess.run([sys.executable, "-c", TOLD_AT_ONCE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == f"-{signal.SIGTERM.value} set()\n"


def test_a_signal_waits_for_nothing_that_it_interrupted() -> None:
    """As a worker's end and SIGTERM at once have it, where all processes are told to end together."""
    lock, acted = threading.Lock(), threading.Event()

    def act() -> None:
        with lock:
            acted.set()

    before = signal.signal(signal.SIGUSR1, hand_over(act))
    try:
        with lock:
            signal.raise_signal(signal.SIGUSR1)
        assert acted.wait(10)
    finally:
        signal.signal(signal.SIGUSR1, before)
