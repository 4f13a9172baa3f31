"""A test whose browser was late is run once more, and no other failure is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOOKS = "from tests.fakes.again import *\nfrom tests.fakes.again import pytest_runtest_protocol\n"
TESTS = """
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError, expect

begun = Path(__file__).with_name("begun")


@pytest.fixture(scope="session")
def vault():
    with begun.open("a") as file:
        file.write("vault ")
    return len(begun.read_text().split())


@pytest.fixture
def bad_end():
    yield
    raise AssertionError("what was left behind")


def test_late_once(vault):
    if vault == 1:
        raise TimeoutError("Locator.click: Timeout 60000ms exceeded.")


def test_late_always(vault):
    raise TimeoutError(f"Page.goto: too late at vault {vault}")


def test_wrong(vault):
    assert vault == 0, "Timeout 60000ms exceeded."


def test_another_timeout(vault):
    import builtins
    raise builtins.TimeoutError("Timeout 60000ms exceeded.")


def test_late_and_wrong(vault, bad_end):
    raise TimeoutError("Locator.click: Timeout 60000ms exceeded.")


def test_right(vault):
    assert vault > 1
"""


@pytest.mark.parametrize("beside", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_what_is_late_is_tried_once_more_with_a_new_vault_and_told(tmp_path: Path, beside: tuple[str, ...]) -> None:
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_late.py").write_text(TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-q", "-rf", *beside, tmp_path],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    assert "4 failed, 2 passed, 1 error, 2 tried again" in run.stdout
    said = run.stdout.partition("took too long and were tried again")[2]
    assert "test_late.py::test_late_once: Locator.click: Timeout 60000ms exceeded." in said
    assert "test_late.py::test_late_always: Page.goto: too late at vault 2" in said
    assert "too late at vault 3" in run.stdout  # the second time
    assert (tmp_path / "begun").read_text().split() == ["vault"] * 3
