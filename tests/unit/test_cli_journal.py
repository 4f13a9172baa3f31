"""`temoin journal`: where the text comes from, what reaches the SDK, what is printed for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client_sdk.errors import Untrusted
from client_sdk.happened import parse_happened
from client_sdk.items import Draft, Happened, Kept
from crypto_core.sealing.keyring import NeedsPin
from schemas import limits, outputs
from tests.fakes.cli_client import NOW, PIN, RECEIPT, USER, FakeClient, Terminal

ARABIC = "في المساء، صرخ أمام الأطفال 😔\nثم خرج\r\n"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path, monkeypatch)


def draft_of(terminal: Terminal) -> Draft:
    ((draft, *_),) = terminal.fake.called("write_entry")
    assert isinstance(draft, Draft)
    return draft


def test_the_text_is_kept_letter_by_letter_wherever_it_comes_from(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "entry.txt"
    file.write_bytes(ARABIC.encode())
    for words, typed in ((("--text", ARABIC), None), (("--file", file), None), (("-",), ARABIC.encode())):
        terminal.fake.calls.clear()
        assert terminal.run("journal", "add", USER, *words, input=typed).exit_code == 0
        assert draft_of(terminal).text == ARABIC


def test_everything_that_can_be_said_reaches_the_record(terminal: Terminal, tmp_path: Path) -> None:
    first, second = tmp_path / "one.jpg", tmp_path / "two words.jpg"
    first.touch()
    second.touch()
    ended = terminal.run(
        "journal", "add", USER, "--text", "x", "--title", "T", "--happened", "2024-03", "--place", "P", "--person", "A",
        "--person", "B", "--tag", "t", "--danger", "0", "--mood", "M", "--category", "C", "--sensitive",
        "--attach", first, "--attach", second, "--json",
    )  # fmt: skip
    ((draft, sensitive, attachments),) = terminal.fake.called("write_entry")
    assert draft == Draft("x", "T", parse_happened("2024-03"), None, "P", ("A", "B"), ("t",), 0, "M", "C")
    assert (sensitive, attachments) == (True, (first, second))
    kept = outputs.Kept().load(json.loads(ended.stdout))
    assert kept == {"id": b"\x01" * 16, "revision": 1, "deposited": NOW, "receipt": RECEIPT}


def test_what_was_not_said_is_not_in_the_record(terminal: Terminal) -> None:
    terminal.run("journal", "add", USER, "--text", "")
    assert draft_of(terminal) == Draft(text="")


@pytest.mark.parametrize(
    "words", [(), ("--text", "x", "-"), ("--text", "x", "--file", __file__), ("--file", __file__, "-"), ("x",)]
)
def test_the_text_comes_from_exactly_one_place(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.run("journal", "add", USER, *words, input="y").exit_code == 2
    assert terminal.fake.calls == []


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n"])
def test_a_source_without_text_is_a_mistake(terminal: Terminal, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "entry.txt"
    file.write_bytes(data)
    item = terminal.fake.add(text="as it was")
    for words in (("add", USER), ("edit", USER, item.id.hex())):
        for source in (("-",), ("--file", file)):
            ended = terminal.run("journal", *words, *source, "--danger", "9", input=data)
            assert (ended.exit_code, "no text" in ended.stderr) == (2, True)
    assert terminal.fake.calls == []


def test_bytes_that_are_no_text_are_refused_before_anybody_is_asked(terminal: Terminal) -> None:
    ended = terminal.run("journal", "add", USER, "-", input=b"caf\xe9")
    assert (ended.exit_code, terminal.fake.calls) == (1, [])
    assert "(not_text)" in ended.stderr and "--attach" in ended.stderr


def test_an_endless_text_is_not_read_to_its_end(terminal: Terminal) -> None:
    ended = terminal.run("journal", "add", USER, "-", input=b"x" * (4 * limits.TEXT + 1))
    assert ended.exit_code == 1
    assert "(text_too_long)" in ended.stderr


def test_words_for_a_time_have_a_limit(terminal: Terminal) -> None:
    assert terminal.run("journal", "add", USER, "--text", "x", "--happened", "w" * limits.WORDS).exit_code == 0
    assert terminal.run("journal", "add", USER, "--text", "x", "--happened", "w" * (limits.WORDS + 1)).exit_code == 2


def test_the_list_for_a_program(terminal: Terminal) -> None:
    content = terminal.fake.content(b"body", "photo.jpg")
    terminal.fake.add(title="T", happened=Happened(None, None, "words", "spring"), contents=(content,))
    terminal.fake.add(kind="document")
    terminal.fake.add(sensitive=True, title="hidden", text="hidden", contents=(content,))
    rows: list[Any] = json.loads(terminal.run("journal", "list", USER, "--json").stdout)
    outputs.ListedItem(many=True).load(rows)
    assert [row["state"] for row in rows] == ["open", "locked"]
    assert rows[0]["happened"] == {"from": None, "to": None, "precision": "words", "words": "spring"}
    assert rows[0]["contents"] == [{
        "blob": content.blob.hex(), "name": "photo.jpg", "mime": "image/jpeg", "size": 4,
        "sha256": content.sha256.hex(),
    }]  # fmt: skip
    locked = rows[1]
    assert (locked["sensitive"], locked["kind"], locked["title"], locked["happened"], locked["contents"]) == (
        True, None, None, None, [],
    )  # fmt: skip
    assert terminal.fake.called("step_up") == []


def test_what_is_locked_stands_in_both_lists_until_the_pin_is_given(terminal: Terminal) -> None:
    item = terminal.fake.add(sensitive=True, title="hidden")
    for noun in ("journal", "documents"):
        ended = terminal.run(noun, "list", USER)
        assert item.id.hex() in ended.stdout and "locked" in ended.stdout and "hidden" not in ended.stdout
    assert "hidden" in terminal.run("journal", "list", USER, "--open").stdout
    assert terminal.fake.called("step_up") == [(PIN,)]
    assert json.loads(terminal.run("documents", "list", USER, "--open", "--json").stdout) == []


def test_ids_are_never_broken_over_two_lines(terminal: Terminal) -> None:
    item = terminal.fake.add(title="a rather long title " * 5)
    assert item.id.hex() in terminal.run("journal", "list", USER, COLUMNS="60").stdout


@pytest.mark.parametrize("columns", ["1", "20", "45"])
def test_a_list_fits_a_telephone(terminal: Terminal, columns: str) -> None:
    """Neither an id nor what it is about is cut; where a line ends the terminal itself knows."""
    content = terminal.fake.content(b"body", "photo.jpg")
    item = terminal.fake.add(title="a rather long title", happened=parse_happened("spring 2019"), contents=(content,))
    plain = terminal.fake.add(title="[b]good day[/b]")
    printed = terminal.run("journal", "list", USER, COLUMNS=columns).stdout
    assert printed.splitlines() == [
        item.id.hex(), "  spring 2019  a rather long title  (1 file)", plain.id.hex(), "  [b]good day[/b]",
    ]  # fmt: skip


def test_a_width_of_nothing_hides_nothing(terminal: Terminal) -> None:
    item = terminal.fake.add(title="T", text="what happened")
    assert item.id.hex() in terminal.run("journal", "list", USER, COLUMNS="0").stdout
    assert "what happened" in terminal.run("journal", "show", USER, item.id.hex(), COLUMNS="0").stdout


def test_no_name_turns_a_line_around(terminal: Terminal) -> None:
    item = terminal.fake.add(title="T", contents=(terminal.fake.content(b"body", "photo\u202egpj.exe"),))
    printed = terminal.run("journal", "show", USER, item.id.hex()).stdout
    assert "photo\ufffdgpj.exe" in printed and "\u202e" not in printed


def test_a_text_from_windows_is_shown_line_by_line(terminal: Terminal) -> None:
    item = terminal.fake.add(text="one\r\ntwo\rover it\r\n")
    printed = terminal.run("journal", "show", USER, item.id.hex()).stdout
    assert "one\ntwo\ufffdover it\n" in printed and "\r" not in printed
    assert "one two\ufffdover it" in terminal.run("journal", "list", USER).stdout


def test_show(terminal: Terminal) -> None:
    content = terminal.fake.content(b"body", "photo.jpg")
    item = terminal.fake.add(
        title="T", text=ARABIC, place="P", people=("A",), tags=("t",), danger=7, contents=(content,)
    )
    printed = terminal.run("journal", "show", USER, item.id.hex()).stdout
    for part in ("صرخ أمام الأطفال", "7 of 10", "photo.jpg", "no later than", "not prove who made them"):
        assert part in printed
    shown = json.loads(terminal.run("journal", "show", USER, item.id.hex().upper(), "--json").stdout)
    assert outputs.ShownItem().load(shown)["text"] == ARABIC
    assert (shown["receipt"], shown["danger"], shown["mood"]) == (RECEIPT, 7, None)


def test_a_sensitive_entry_asks_for_the_pin_again(terminal: Terminal) -> None:
    item = terminal.fake.add(sensitive=True, text="hidden")
    assert "hidden" in terminal.run("journal", "show", USER, item.id.hex()).stdout
    assert terminal.fake.called("step_up") == [(PIN,)]


def test_what_is_deleted_is_shown_only_by_its_revisions(terminal: Terminal) -> None:
    item = terminal.fake.add(text="before")
    terminal.fake.add(id=item.id, revision=2, kind="tombstone", title=None, text=None)
    ended = terminal.run("journal", "show", USER, item.id.hex())
    assert ended.exit_code == 1
    assert "(item_unknown)" in ended.stderr
    assert "before" in terminal.run("journal", "show", USER, item.id.hex(), "--revision", 1).stdout


@pytest.mark.parametrize(("state", "code"), [("newer_version", "version_unsupported"), ("missing", "item_unknown")])
def test_what_can_not_be_read_says_why(terminal: Terminal, state: str, code: str) -> None:
    item = terminal.fake.add(state=state, kind=None, title=None, text=None, written=None)
    ended = terminal.run("journal", "show", USER, item.id.hex())
    assert ended.exit_code == 1
    assert f"({code})" in ended.stderr
    assert terminal.run("journal", "list", USER).exit_code == 0


def test_what_a_person_wrote_can_not_steer_the_screen(terminal: Terminal) -> None:
    item = terminal.fake.add(title="\x1b[2Jgone [red]x[/red]\x9b", text="a\x1b]0;b\x07\x00\rc", place="\x1b[31m")
    for words in (("journal", "list", USER), ("journal", "show", USER, item.id.hex())):
        printed = terminal.run(*words).stdout
        assert not {"\x1b", "\x07", "\x00", "\x9b", "\r"} & set(printed)
        assert "[red]x[/red]" in printed


def test_edit_changes_what_is_named(terminal: Terminal, tmp_path: Path) -> None:
    item = terminal.fake.add(text="first", place="P")
    ended = terminal.run(
        "journal", "edit", USER, item.id.hex(), "--text", "second", "--tag", "t", "--clear", "place",
        "--clear", "people", "--json",
    )  # fmt: skip
    assert outputs.Kept().load(json.loads(ended.stdout))["revision"] == 2
    changes = {"text": "second", "tags": ("t",), "place": None, "people": ()}
    assert terminal.fake.called("edit_entry") == [(item.id, changes, ())]


def test_an_edit_without_a_change_is_a_usage_error(terminal: Terminal) -> None:
    assert terminal.run("journal", "edit", USER, "01" * 16).exit_code == 2
    assert terminal.run("journal", "edit", USER, "01" * 16, "--place", "P", "--clear", "place").exit_code == 2
    assert terminal.fake.calls == []


def test_an_edit_of_a_sensitive_entry_opens_it_first(terminal: Terminal) -> None:
    item = terminal.fake.add(sensitive=True, text="first")
    assert terminal.run("journal", "edit", USER, item.id.hex(), "--text", "second").exit_code == 0
    assert terminal.fake.called("step_up") == [(PIN,)]


def test_a_conflict_shows_both_texts(terminal: Terminal) -> None:
    item = terminal.fake.add(text="theirs")
    terminal.fake.conflict = True
    ended = terminal.run("journal", "edit", USER, item.id.hex(), "--text", "mine")
    assert "theirs" in ended.stdout and "mine" in ended.stdout
    assert "Another device had changed this" in ended.stderr


def test_history_is_every_revision(terminal: Terminal) -> None:
    item = terminal.fake.add(text="first")
    terminal.run("journal", "edit", USER, item.id.hex(), "--text", "second")
    rows = json.loads(terminal.run("journal", "history", USER, item.id.hex(), "--json").stdout)
    outputs.ShownItem(many=True).load(rows)
    assert [(row["revision"], row["text"]) for row in rows] == [(1, "first"), (2, "second")]
    printed = terminal.run("journal", "history", USER, item.id.hex()).stdout
    assert printed.index("first") < printed.index("second")


def test_a_sensitive_item_is_restored_with_the_pin(terminal: Terminal) -> None:
    item = terminal.fake.add(sensitive=True)
    assert terminal.run("journal", "restore", USER, item.id.hex()).exit_code == 0
    assert [call[0] for call in terminal.fake.calls if call[0] in ("step_up", "restore_item")] == [
        "step_up", "restore_item",
    ]  # fmt: skip


@pytest.mark.parametrize("noun", ["journal", "documents"])
def test_delete_says_what_is_so_and_restore_undoes_it(terminal: Terminal, noun: str) -> None:
    item = terminal.fake.add()
    said = terminal.run(noun, "delete", USER, item.id.hex()).stdout
    for part in ("Hidden now", "erased", f"temoin {noun} restore USER {item.id.hex()}", "can't be called back"):
        assert part in said
    deleted = json.loads(terminal.run(noun, "delete", USER, item.id.hex(), "--json").stdout)
    assert outputs.Deleted().load(deleted) == {"id": item.id, "revision": 2, "erased_after": NOW + 7 * 86_400}
    restored = json.loads(terminal.run(noun, "restore", USER, item.id.hex(), "--json").stdout)
    assert outputs.Kept().load(restored)["id"] == item.id


class Slow(FakeClient):
    """Its sensitive tier has closed by the time at which an edit arrives, once."""

    def edit_entry(self, item_id: bytes, changes: Mapping[str, Any], **more: Any) -> Kept:
        if not self.fake.called("edit_entry"):
            self.fake.did("edit_entry")
            self.fake.stepped_up = False
            raise NeedsPin()
        return super().edit_entry(item_id, changes, **more)


def test_what_took_longer_than_a_sensitive_item_stays_open_is_kept_all_the_same(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "client_sdk.cli.session.VaultClient.connect", lambda *_, progress, **__: Slow(terminal.fake, progress)
    )
    item = terminal.fake.add(sensitive=True, text="before")
    assert terminal.run("journal", "edit", USER, item.id.hex(), "--text", "after").exit_code == 0
    assert terminal.fake.items[item.id][-1].text == "after"
    assert terminal.fake.called("step_up") == [(PIN,), (PIN,)]


def test_what_was_typed_for_longer_than_a_sensitive_item_stays_open_needs_neither_pin_nor_network_anew(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, bases = terminal.fake.add(sensitive=True, text="before"), list[object]()

    class Closed(FakeClient):
        """Whose tier has closed while somebody typed."""

        def edit_entry(self, item_id: bytes, changes: Mapping[str, Any], **more: Any) -> Kept:
            self.fake.stepped_up = False
            bases.append(more["base"])
            return super().edit_entry(item_id, changes, **more)

    monkeypatch.setattr(
        "client_sdk.cli.session.VaultClient.connect", lambda *_, progress, **__: Closed(terminal.fake, progress)
    )
    monkeypatch.setattr("client_sdk.cli.journal.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("client_sdk.cli.journal._typed", lambda: "after")
    assert terminal.run("journal", "edit", USER, item.id.hex(), "-").exit_code == 0
    assert terminal.fake.items[item.id][-1].text == "after"
    assert bases == [item] and terminal.fake.called("step_up") == [(PIN,)]
    terminal.fake.conflict = True
    said = terminal.run("journal", "edit", USER, item.id.hex(), "-").stdout
    assert "Revision 2:\nafter" in said and "Revision 3:\nafter" in said  # with the PIN anew, once it is kept
    assert terminal.fake.called("step_up") == [(PIN,)] * 3


def test_that_an_item_can_not_be_edited_is_said_before_anybody_types(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, asked = terminal.fake.add(text="before"), list[bool]()

    def typed() -> str:
        asked.append(True)
        return "after"

    monkeypatch.setattr("client_sdk.cli.journal.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("client_sdk.cli.journal._typed", typed)
    terminal.fake.failures["editable"] = Untrusted()
    ended = terminal.run("journal", "edit", USER, item.id.hex(), "-", "--json")
    assert (json.loads(ended.stderr)["code"], asked) == ("warned", [])
    del terminal.fake.failures["editable"]
    assert terminal.run("journal", "edit", USER, item.id.hex(), "-").exit_code == 0
    assert terminal.fake.items[item.id][-1].text == "after"
