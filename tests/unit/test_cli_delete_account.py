"""`temoin delete-account`: nothing goes by a slip, and who can't be told what happened is told just that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client_sdk.cli.failures import exit_code
from client_sdk.errors import NetworkError, Refused, SdkError, ServerFault
from schemas import outputs
from tests.fakes.cli_client import PASSWORD, PIN, USER, Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


@pytest.mark.parametrize(("count", "said"), [(0, "0 items go"), (1, "One item goes"), (2, "2 items go")])
def test_the_name_typed_once_more_deletes_everything(terminal: Terminal, count: int, said: str) -> None:
    for _ in range(count):
        terminal.fake.add(text="once")
    ended = terminal.run("delete-account", USER, input=f" {USER.upper()}\n")
    assert (ended.exit_code, said in ended.stderr) == (0, True)
    assert terminal.fake.called("erase") == [(PASSWORD, PIN)]
    assert "Everything is deleted" in ended.stdout


@pytest.mark.parametrize("typed", ["camila\n", "\n", "y\n", "\u200b\n", "x" * 5000 + "\n"])
def test_anything_else_deletes_nothing(terminal: Terminal, typed: str) -> None:
    ended = terminal.run("delete-account", USER, input=typed)
    assert (ended.exit_code, "(name_differs)" in ended.stderr) == (1, True)
    assert terminal.fake.called("erase") == []


def test_with_nobody_there_it_has_to_be_said_that_it_is_meant(terminal: Terminal) -> None:
    ended = terminal.run("delete-account", USER)
    assert (ended.exit_code, "--yes" in ended.stderr) == (2, True)
    assert terminal.fake.called("erase") == []
    terminal.fake.add(text="once")
    ended = terminal.run("delete-account", USER, "--yes", "--json")
    assert outputs.AccountDeleted().load(json.loads(ended.stdout)) == {"items": 1}
    assert terminal.fake.called("erase") == [(PASSWORD, PIN)]


def test_a_device_that_can_not_remove_its_part_says_how_to_find_out(terminal: Terminal) -> None:
    terminal.fake.failures["erase"], terminal.fake.stays_open = PermissionError(13, "no"), False
    ended = terminal.run("delete-account", USER, "--yes")
    assert (ended.exit_code, "(device)" in ended.stderr, "may have been deleted" in ended.stderr) == (1, True, True)


@pytest.mark.parametrize("unsure", [False, True])
@pytest.mark.parametrize(
    "failure",
    [NetworkError(), ServerFault(), Refused("unavailable", 503, "Try again."), Refused("pin_wrong", 403, "No.")],
)
def test_who_can_not_be_told_whether_it_was_done_is_told_so(
    terminal: Terminal, failure: SdkError, unsure: bool
) -> None:
    terminal.fake.failures["erase"], terminal.fake.stays_open = failure, not unsure
    ended = terminal.run("delete-account", USER, "--yes")
    assert ended.exit_code == exit_code(failure)
    assert ("may have been deleted" in ended.stderr) == unsure
    assert "deleted" not in ended.stdout
