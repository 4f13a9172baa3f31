"""`temoin extract`: what is cut and kept, what is refused before anything is made, and how a part is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client_sdk.extract import Cut, Redaction
from client_sdk.items import Item
from schemas import outputs
from tests.fakes.cli_client import PIN, USER, Terminal

TEXT = "Nadia saw it. He was in the car."


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path, monkeypatch)


def entry(terminal: Terminal, **more: object) -> Item:
    files = (terminal.fake.content(b"a", "one.jpg"), terminal.fake.content(b"b", "two.jpg"))
    return terminal.fake.add(**{"text": TEXT, "title": "By the school", "place": "here", "contents": files, **more})


def test_only_what_is_named_is_kept_and_all_of_it_is_printed(terminal: Terminal) -> None:
    item = entry(terminal)
    ended = terminal.run(
        "extract", USER, item.id.hex(), "--cut", "0-5", "--keep", "place", "--keep-file", "2",
    )  # fmt: skip
    assert ended.exit_code == 0
    ((made, redaction),) = terminal.fake.called("make_extract")
    kept = Redaction((Cut(0, 5),), frozenset({"place"}), frozenset({item.contents[1].blob}))
    assert (made, redaction) == (item.id, kept)
    assert "[…] saw it." in ended.stdout and "two.jpg" in ended.stdout and "here" in ended.stdout
    for left_out in ("Nadia", "one.jpg", "By the school"):
        assert left_out not in ended.stdout
    assert "parts were left out" in ended.stdout


def test_the_original_names_its_parts_and_the_journal_does_not_list_them(terminal: Terminal) -> None:
    item = entry(terminal)
    terminal.run("extract", USER, item.id.hex(), "--no-text", "--keep", "title")
    part = terminal.fake.items[b"\x02" * 16][0]
    assert part.id.hex() in terminal.run("journal", "show", USER, item.id.hex()).stdout
    assert part.id.hex() not in terminal.run("journal", "list", USER).stdout
    shown = outputs.ShownItem().load(json.loads(terminal.run("journal", "show", USER, part.id.hex(), "--json").stdout))
    assert (shown["kind"], shown["of"], shown["text"]) == ("extract", {"item": item.id, "revision": 1}, "[…]")


def test_words_that_stand_elsewhere_are_told_before_anything_is_made(terminal: Terminal) -> None:
    item = entry(terminal, text=f"{TEXT} NADIA", title="What Nadia saw")
    words = ("extract", USER, item.id.hex(), "--cut", "0-5", "--keep", "title")
    ended = terminal.run(*words)
    assert ended.exit_code == 2 and "text (33-38), title" in ended.stderr
    assert terminal.fake.called("make_extract") == []
    assert terminal.run(*words, "--even-so").exit_code == 0


@pytest.mark.parametrize("words", [
    ("--cut", "5-5"), ("--cut", "6-5"), ("--cut", "5"), ("--cut", "-1-5"), ("--keep", "text"), ("--keep-file", "0"),
    ("--keep-file", "3"), ("--cut", "0-5", "--keep", "colour"),
])
def test_what_can_not_be_meant_is_not_given_rightly(terminal: Terminal, words: tuple[str, ...]) -> None:
    item = entry(terminal)
    assert terminal.run("extract", USER, item.id.hex(), *words).exit_code == 2
    assert terminal.fake.called("make_extract") == []


def test_of_something_sensitive_the_pin_is_asked_for(terminal: Terminal) -> None:
    item = entry(terminal, sensitive=True)
    assert terminal.run("extract", USER, item.id.hex(), "--cut", "0-5").exit_code == 0
    assert terminal.fake.called("step_up") == [(PIN,)]
