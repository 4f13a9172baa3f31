"""Where the browser tests find their browser, and how clearly they say that they found none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.browser import ENGINES, INSTALL, NAMES, find_chromium, find_engine


def make_program(path: Path) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_variable_comes_before_the_path(tmp_path: Path) -> None:
    named, on_path = make_program(tmp_path / "mine"), make_program(tmp_path / NAMES[-1])
    assert find_chromium({"TEMOIN_CHROMIUM": named, "PATH": str(tmp_path)}) == named
    assert find_chromium({"PATH": str(tmp_path)}) == on_path


def test_the_engine_alone_unless_there_is_none_or_one_is_named(tmp_path: Path) -> None:
    whole = make_program(tmp_path / NAMES[0])
    assert find_engine({"PATH": str(tmp_path)}) == whole
    engine = make_program(tmp_path / ENGINES[0])
    assert find_engine({"PATH": str(tmp_path)}) == engine
    assert find_chromium({"PATH": str(tmp_path)}) == whole
    assert find_engine({"TEMOIN_CHROMIUM": whole, "PATH": str(tmp_path)}) == whole


def test_without_one_the_line_to_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RuntimeError, match="apt-get install -y .*chromium") as refused:
        find_chromium({"PATH": str(tmp_path)})
    assert INSTALL in str(refused.value)
    with pytest.raises(RuntimeError, match="TEMOIN_CHROMIUM"):
        find_chromium({"TEMOIN_CHROMIUM": str(tmp_path / "none"), "PATH": str(tmp_path)})
