"""What a worker does once the process that started it is gone; tests/regressions shows it with real ones."""

from __future__ import annotations

import signal
import threading
from types import SimpleNamespace

import pytest

from server import lifeline


def test_a_worker_is_told_to_end_and_is_ended_if_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    order, is_over = list[object](), threading.Event()

    def kill(pid: int, number: signal.Signals) -> None:
        order.append((pid, number))
        is_over.set()

    parent = SimpleNamespace(join=lambda: order.append("gone"))
    monkeypatch.setattr(lifeline, "multiprocessing", SimpleNamespace(parent_process=lambda: parent))
    told = SimpleNamespace(
        pthread_kill=lambda thread, number: order.append((thread, number)),
        SIGTERM=signal.SIGTERM, SIGKILL=signal.SIGKILL,
    )
    monkeypatch.setattr(lifeline, "signal", told)
    monkeypatch.setattr(lifeline, "time", SimpleNamespace(sleep=order.append))
    monkeypatch.setattr(lifeline, "os", SimpleNamespace(kill=kill, getpid=lambda: 7))
    lifeline.end_with_parent()
    assert is_over.wait(30)
    assert order == [
        "gone", (threading.main_thread().ident, signal.SIGTERM), lifeline.WORKERS_KILL_TIMEOUT, (7, signal.SIGKILL),
    ]


def test_whoever_was_started_in_another_way_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "multiprocessing", SimpleNamespace(parent_process=lambda: None))
    monkeypatch.setattr(lifeline, "threading", SimpleNamespace())
    lifeline.end_with_parent()
