"""What a terminal shows of a transfer."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from client_sdk.cli import progress
from client_sdk.cli.progress import Bars


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    monkeypatch.setattr(progress, "aside", lambda: console)
    return written


def test_that_a_file_is_being_checked_is_shown_while_it_is_and_not_left_there(screen: io.StringIO) -> None:
    bars = Bars()
    bars.start("video.mp4", 100)
    bars.advance(99)
    bars.checking()  # of another one that goes beside it
    assert "being checked" not in screen.getvalue()
    bars.advance(1)
    bars.checking()
    bars.checking()
    assert bars._drawn is not None
    bars._drawn.refresh()
    assert "video.mp4, being checked" in screen.getvalue()
    before = len(screen.getvalue())
    bars.done()
    assert "video.mp4" in screen.getvalue()[before:] and "being checked" not in screen.getvalue()[before:]


def test_without_a_terminal_nothing_is_shown(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "aside", lambda: Console(file=screen, force_terminal=False))
    bars = Bars()
    bars.start("video.mp4", 100)
    bars.advance(100)
    bars.checking()
    bars.done()
    assert screen.getvalue() == ""
