"""`--fields`: what is said of an entry, a document or a box comes from a file, since others can read a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from client_sdk.cli import temoin
from client_sdk.happened import parse_happened
from client_sdk.items import Draft
from schemas import limits
from tests.fakes.cli_client import PASSWORD, PIN, USER, Terminal

NOBODY = "http://127.0.0.1:1"
SAID = {
    "title": "Sunday", "happened": "2024-03-01T21:30", "place": "at home", "people": ["Ana", "Jo"], "danger": 7,
    "mood": "afraid", "category": "threat", "tags": ["one"],
}  # fmt: skip


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    path = tmp_path / "fields.json"
    path.write_text(json.dumps(SAID))
    return path


def drafts(terminal: Terminal) -> list[object]:
    return [call[0] for call in terminal.fake.called("write_entry")]


def test_each_field_may_come_from_a_file(terminal: Terminal, fields: Path) -> None:
    assert terminal.run("journal", "add", USER, "--text", "x", "--fields", fields).exit_code == 0
    people, tags, happened = ("Ana", "Jo"), ("one",), parse_happened("2024-03-01T21:30")
    said = Draft(
        text="x", title="Sunday", happened=happened, place="at home", people=people, danger=7, mood="afraid",
        category="threat", tags=tags,
    )
    assert drafts(terminal) == [said]


def test_what_stands_in_the_command_holds(terminal: Terminal, fields: Path) -> None:
    words = "--text", "x", "--place", "outside", "--person", "Lu"
    ended = terminal.run("journal", "add", USER, *words, "--fields", fields)
    assert ended.exit_code == 0
    (said,) = drafts(terminal)
    assert isinstance(said, Draft)
    assert (said.place, said.people, said.title) == ("outside", ("Lu",), "Sunday")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "title", '{"title": 1}', '{"title": null}', '{"danger": true}', '{"danger": 11}', '{"danger": 1.0}',
     '{"people": "Ana"}', '{"people": [1]}', '{"text": "x"}', '{"server": "https://other.example"}', '{"happened": ""}',
     '{"title": "a", "title": "b"}', '{"title": "\\ud800"}', "\xff"],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused_before_anything_is_done(
    terminal: Terminal, fields: Path, text: str
) -> None:
    fields.write_bytes(text.encode("latin-1"))
    ended = terminal.run("journal", "add", USER, "--text", "x", "--fields", fields, "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (2, "usage")
    assert drafts(terminal) == []


def test_an_edit_and_a_document_take_it_too(terminal: Terminal, fields: Path, tmp_path: Path) -> None:
    item = terminal.fake.add(kind="journal")
    assert terminal.run("journal", "edit", USER, item.id.hex(), "--fields", fields).exit_code == 0
    fields.write_text('{"title": "A letter", "category": "threat"}')
    (tmp_path / "letter.pdf").write_text("x")
    assert terminal.run("documents", "add", USER, tmp_path / "letter.pdf", "--fields", fields).exit_code == 0
    assert terminal.fake.called("add_document") == [(tmp_path / "letter.pdf", "A letter")]
    fields.write_text('{"place": "at home"}')
    assert terminal.run("documents", "add", USER, tmp_path / "letter.pdf", "--fields", fields).exit_code == 2


def test_a_box_and_a_deposit_take_their_names_from_it(fields: Path, tmp_path: Path) -> None:
    """At an address where nobody is: a name that is missing, or too long, is told of before."""

    def run(*words: str, **said: str) -> tuple[int, str]:
        fields.write_text(json.dumps(said))
        secrets = {"TEMOIN_PASSWORD": PASSWORD, "TEMOIN_PIN": PIN, "TEMOIN_LINK": "#d", "TEMOIN_HOME": str(tmp_path)}
        ended = CliRunner(env=secrets).invoke(temoin, [*words, "--fields", str(fields), "--server", NOBODY, "--json"])
        return ended.exit_code, json.loads(ended.stderr)["code"]

    assert run("box", "create", USER) == (2, "usage")
    assert run("box", "create", USER, name="Ma sœur") == (3, "network")
    deposit = "box", "deposit", "--message", "x"
    assert run(*deposit, name="Ana") == (3, "network")
    assert run(*deposit, name="x" * (limits.PERSON + 1)) == (2, "usage")
