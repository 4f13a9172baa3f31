"""The guides' help is the program's own, and their commands are commands. Run as a program, this file mends them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from client_sdk.cli import temoin

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guides"
GUIDES = {name: FOLDER / f"{name}.md" for name in ("command-line", "auditor")}
_BLOCK = re.compile(r"^```\n\$ temoin(?P<words>[a-z -]*) --help\n(?P<help>.*?)```$", re.MULTILINE | re.DOTALL)
_USED = re.compile(r"^temoin (.*)$", re.MULTILINE)


def help_of(words: str) -> str:
    shown = CliRunner().invoke(temoin, [*words.split(), "--help"], prog_name="temoin", terminal_width=78)
    assert shown.exit_code == 0
    return shown.stdout


def as_it_should_be(text: str) -> str:
    return _BLOCK.sub(lambda found: f"```\n$ temoin{found['words']} --help\n{help_of(found['words'])}```", text)


@pytest.mark.parametrize(("name", "least"), [("command-line", 5), ("auditor", 3)])
def test_the_help_in_a_guide_is_the_programs(name: str, least: int) -> None:
    text = GUIDES[name].read_text("utf-8")
    assert len(_BLOCK.findall(text)) >= least
    assert text == as_it_should_be(text)


def used_in_the_guides() -> list[str]:
    return [line for path in GUIDES.values() for line in _USED.findall(path.read_text("utf-8"))]


@pytest.mark.parametrize("line", used_in_the_guides())
def test_each_command_in_a_guide_is_one(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(re.sub(r"\b(ID|BOX|BUNDLE|DEPOSIT)\b", "0" * 32, line))
    for word in words:
        if "://" in word:
            continue
        if word.endswith("/"):
            (tmp_path / word).mkdir()
        elif "." in word and not word.startswith("2024"):
            path = tmp_path / word
            path.parent.mkdir(exist_ok=True)
            path.touch()
    (tmp_path / "ledger").mkdir()
    command: click.Command = temoin
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("temoin", words)  # a wrong option or argument raises


if __name__ == "__main__":
    for guide in GUIDES.values():
        guide.write_text(as_it_should_be(guide.read_text("utf-8")), "utf-8")
