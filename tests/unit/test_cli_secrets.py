"""Where a password and a PIN come from, in which order, and where they never go."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from client_sdk.cli import secrets, temoin
from client_sdk.cli.failures import Program
from tests.fakes.cli_client import PASSWORD, PIN, USER, Terminal
from tests.fakes.processes import BIN, clean_environment


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path, monkeypatch)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a person types, in order; the test may add to it."""
    given: list[str] = []
    monkeypatch.setattr(secrets, "ask_hidden", lambda question, variable: given.pop(0))
    yield given
    assert given == []


@pytest.fixture
def descriptor() -> Iterator["Pipe"]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.reading)


class Pipe:
    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def write(self, data: bytes) -> int:
        os.write(self.writing, data)
        os.close(self.writing)
        return self.reading


NOBODY: dict[str, str | None] = {"TEMOIN_PASSWORD": None, "TEMOIN_PIN": None}


@pytest.mark.parametrize("lines", [f"{PASSWORD}\n{PIN}\n", f"{PASSWORD}\r\n{PIN}\r\n", f"{PASSWORD}\n{PIN}"])
def test_lines_of_a_descriptor(terminal: Terminal, descriptor: Pipe, lines: str) -> None:
    number = descriptor.write(lines.encode())
    assert terminal.run("journal", "list", USER, "--secrets-fd", number, **NOBODY).exit_code == 0
    assert terminal.fake.called("log_in") == [(USER, PASSWORD, PIN)]


def test_a_descriptor_comes_before_the_environment(terminal: Terminal, descriptor: Pipe) -> None:
    number = descriptor.write(f"{PASSWORD}\n4071\n".encode())
    terminal.run("journal", "list", USER, "--secrets-fd", number, TEMOIN_PASSWORD="another", TEMOIN_PIN="5120")
    assert terminal.fake.called("log_in") == [(USER, PASSWORD, "4071")]


def test_a_line_that_is_missing_comes_from_the_environment(terminal: Terminal, descriptor: Pipe) -> None:
    number = descriptor.write(f"{PASSWORD}\n".encode())
    assert terminal.run("journal", "list", USER, "--secrets-fd", number, TEMOIN_PASSWORD=None).exit_code == 0
    assert terminal.fake.called("log_in") == [(USER, PASSWORD, PIN)]


def test_nothing_is_read_beyond_the_lines_needed(terminal: Terminal, descriptor: Pipe) -> None:
    number = descriptor.write(f"{PASSWORD}\n{PIN}\nfor somebody else".encode())
    terminal.run("journal", "list", USER, "--secrets-fd", number, **NOBODY)
    assert os.read(number, 100) == b"for somebody else"


def test_questions_come_last(terminal: Terminal, answers: list[str]) -> None:
    answers += [PASSWORD, PIN]
    assert terminal.run("journal", "list", USER, **NOBODY).exit_code == 0
    assert terminal.fake.called("log_in") == [(USER, PASSWORD, PIN)]


def test_a_pin_is_asked_for_once_and_serves_the_step_up(terminal: Terminal, answers: list[str]) -> None:
    item = terminal.fake.add(sensitive=True, text="hidden")
    answers += [PASSWORD, PIN]
    assert "hidden" in terminal.run("journal", "show", USER, item.id.hex(), **NOBODY).stdout
    assert terminal.fake.called("step_up") == [(PIN,)]


def test_without_any_way_to_ask_the_sentence_names_the_ways(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal(path: str, flags: int, *more: int, **rest: int) -> int:
        if path == "/dev/tty":
            raise OSError
        return opened(path, flags, *more, **rest)

    opened = os.open
    monkeypatch.setattr(os, "open", no_terminal)
    ended = terminal.run("journal", "list", USER, **NOBODY)
    assert ended.exit_code == 2
    assert "--secrets-fd" in ended.stderr and "TEMOIN_PASSWORD" in ended.stderr


@pytest.mark.parametrize("number", ["987", "-1", "one", "99999999999999999999"])
def test_a_wrong_descriptor_is_a_usage_error(terminal: Terminal, number: str) -> None:
    assert terminal.run("journal", "list", USER, "--secrets-fd", number).exit_code == 2
    assert terminal.fake.calls == []


def test_a_descriptor_only_for_writing_is_a_usage_error(terminal: Terminal) -> None:
    reading, writing = os.pipe()
    try:
        assert terminal.run("journal", "list", USER, "--secrets-fd", writing).exit_code == 2
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"x" * 9000 + b"\n"])
def test_a_line_that_can_be_no_secret_is_a_usage_error(terminal: Terminal, descriptor: Pipe, data: bytes) -> None:
    number = descriptor.write(data)
    assert terminal.run("journal", "list", USER, "--secrets-fd", number, **NOBODY).exit_code == 2


def test_a_folder_is_no_descriptor_to_read(terminal: Terminal, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert terminal.run("journal", "list", USER, "--secrets-fd", folder, **NOBODY).exit_code == 2
    finally:
        os.close(folder)


@pytest.mark.parametrize(
    ("given", "asked"),
    [((), "TEMOIN_PASSWORD"), (("PASSWORD", "PIN"), "TEMOIN_NEW_PASSWORD"),
     (("PASSWORD", "PIN", "NEW_PASSWORD"), "TEMOIN_NEW_PIN")],
)  # fmt: skip
def test_without_a_terminal_the_other_ways_are_named(given: tuple[str, ...], asked: str) -> None:
    environment = clean_environment(**{f"TEMOIN_{name}": PASSWORD for name in given})
    ran = subprocess.run(
        [BIN / "temoin", "change", USER, "--server", "http://127.0.0.1:9"], env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, f"--secrets-fd, or in {asked}." in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(("words", "question"), [
    (("box", "deposit", "--message", "x"), "Address"), (("open-link", "-o", "pack.zip"), "Link"),
])
def test_what_leads_somewhere_is_asked_for_by_the_word_that_people_were_told(
    tmp_path: Path, words: tuple[str, ...], question: str
) -> None:
    ran = subprocess.run(
        [BIN / "temoin", *words], env=clean_environment(TEMOIN_HOME=str(tmp_path)), cwd=tmp_path,
        start_new_session=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    sentence = f"There is no terminal to ask on for the {question}. Give it with --secrets-fd, or in TEMOIN_LINK."
    assert (ran.returncode, sentence in ran.stderr) == (2, True), ran.stderr


def test_what_can_not_be_answered_is_told_from_what_is_not_answered_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads from another program what is asked has written nothing before."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        secrets.require_somebody("nobody")
        os.write(writing, b"an answer\n")
        secrets.require_somebody("nobody")
        os.close(writing)
        assert secrets.ask("What", "nobody") == "an answer"
        for _ in range(2):
            with pytest.raises(click.UsageError, match="nobody"):
                secrets.require_somebody("nobody")
        with pytest.raises(click.UsageError, match="nobody"):
            secrets.ask("What", "nobody")


def test_a_name_that_nobody_types_on_a_terminal_is_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input may be another than the terminal."""
    monkeypatch.setattr(secrets, "_require_terminal", lambda *_: None)
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(click.UsageError, match="Nobody typed the User name.*TEMOIN_USER"):
            secrets.Secrets(None, {}).user()


def test_no_secret_shows_in_a_repr() -> None:
    held = secrets.Secrets(None, {"TEMOIN_PASSWORD": PASSWORD, "TEMOIN_PIN": PIN})
    assert (held.password(), held.pin()) == (PASSWORD, PIN)
    assert PASSWORD not in repr(held) and PIN not in repr(held)


def test_no_command_takes_a_secret_as_an_argument_and_each_has_the_shared_options() -> None:
    def commands(group: Program, path: str = "") -> Iterator[tuple[str, list[str]]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from commands(command, f"{path} {name}")  # type: ignore[arg-type]
            else:
                yield f"{path} {name}", [option for parameter in command.params for option in parameter.opts]

    found = dict(commands(temoin))
    assert len(found) >= 16
    for name, options in found.items():
        if name.split()[0] not in ("audit", "witness"):  # who has neither an account nor a vault
            assert {"--json", "--server", "--secrets-fd"} <= set(options), name
        assert not [option for option in options if "pass" in option or "pin" in option.split("-")], name
