"""What a command loads, and what becomes of a program whose output can't be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from client_sdk.cli import temoin
from tests.fakes.processes import BIN, clean_environment, run_with_room

FOR_SOME = (
    "cryptography", "rfc3161_client", "mnemonic", "zxcvbn", "flask", "granian", "rich", "client_sdk.following",
    "client_sdk.packs.check", "client_sdk.witness", "client_sdk.cli.box",
)
"""What no command for entries and files needs before it runs, or with --json."""


def loaded(*words: str) -> set[str]:
    """The modules that a fresh process has loaded once it knows this command."""
    code = (
        "import sys\nfrom client_sdk.cli import temoin\ncommand = temoin\n"
        f"for word in {words!r}:\n    command = command.commands[word]\nprint(*sys.modules, sep='\\n')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_each_name_leads_to_its_command() -> None:
    assert [command.name for command in temoin.commands.values()] == list(temoin.commands)
    assert "nonsense" not in temoin.commands and len(temoin.commands) == len(dict(temoin.commands))


@pytest.mark.parametrize("words", [("journal", "list"), ("documents", "add"), ("receipts", "export")])
def test_a_command_loads_only_what_it_needs(words: tuple[str, ...]) -> None:
    assert sorted(loaded(*words) & set(FOR_SOME)) == []


def test_the_program_itself_loads_no_noun() -> None:
    names = loaded()
    assert not {"client_sdk.client", "urllib3", "marshmallow", "rich", "nacl"} & names


@pytest.mark.parametrize("words", [("--version",), ("journal", "--help")])
def test_a_full_disk_behind_the_output_is_one_sentence(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        environment = clean_environment(PYTHONUNBUFFERED="")  # else nothing is left to be written at the end
        ran = subprocess.run([BIN / "temoin", *words], stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert (ran.returncode, ran.stderr.count("(device)"), "Exception" in ran.stderr) == (1, 1, False)


@pytest.mark.parametrize("unbuffered", [False, True])
def test_an_output_that_takes_a_part_is_as_one_that_is_full(tmp_path: Path, unbuffered: bool) -> None:
    """In unbuffered streams of Python what a disk took counted as the whole: a film was cut short, and all was well."""
    ran = run_with_room("temoin", tmp_path / "out", 100, unbuffered=unbuffered)
    assert (ran.returncode, "(device)" in ran.stderr, (tmp_path / "out").stat().st_size) == (1, True, 100)


@pytest.mark.parametrize("closed", [(1,), (0, 1), (1, 2)])
def test_an_output_that_is_closed_is_as_one_that_is_full(closed: tuple[int, ...]) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    ran = subprocess.run(
        [BIN / "temoin", "--version"], stderr=subprocess.PIPE, text=True, env=clean_environment(), preexec_fn=close,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr.count("(device)\nBad file descriptor\n")) == (1, 0 if 2 in closed else 1)
