"""`temoin dossier`: what goes into which file, what is left out and told, and that nothing half-written stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from client_sdk.cli import dossier
from client_sdk.errors import BlobSwapped, NetworkError
from client_sdk.items import Content, Item
from client_sdk.opening import SharedItem
from client_sdk.packs.pack import PAGE, LackingFile, Written
from client_sdk.packs.sink import PackSink
from crypto_core.errors import ReceiptMalformed
from crypto_core.randomness import make_id
from schemas import outputs
from tests.fakes.cli_client import NOW, PIN, USER, Terminal


class Packs:
    """What was packed, in the place of packing it."""

    def __init__(self) -> None:
        self.packed: list[list[str | None]] = []
        self.fails_at = 0
        self.has_verifier = True
        self.lacks = Written((), (), (), None, True)

    def write(self, items: Sequence[Item], _policy: object, sink: PackSink) -> Written:
        self.packed.append([one.text for one in items])
        sink.write("originals/001-01-a.txt", [b"readable"])
        if len(self.packed) == self.fails_at:
            raise NetworkError()
        sink.write(PAGE, [b"<h1>"])
        return replace(self.lacks, verifier=self.has_verifier)


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> Packs:
    made = Packs()
    monkeypatch.setattr(dossier, "write_pack", made.write)
    return made


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


def test_everything_goes_into_it_the_oldest_deposit_first(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    terminal.fake.add(text="second", deposited=NOW)
    terminal.fake.add(text="first", deposited=NOW - 9)
    ended = terminal.run("dossier", USER, "-o", tmp_path / "new" / "pack")
    assert (ended.exit_code, packs.packed) == (0, [["first", "second"]])
    assert str(tmp_path / "new" / "pack" / PAGE) in ended.stdout.replace("\n", "")
    assert "readable by whoever" in ended.stderr and "verify-pack" in ended.stderr
    assert terminal.fake.called("step_up") == []


def test_only_what_is_named_goes_in_and_once(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    terminal.fake.add(text="not this one")
    wanted = terminal.fake.add(text="this one").id.hex()
    assert terminal.run("dossier", USER, wanted, wanted, "-o", tmp_path / "pack.zip").exit_code == 0
    assert packs.packed == [["this one"]]
    assert (tmp_path / "pack.zip").is_file()
    assert terminal.run("dossier", USER, "00" * 16, "-o", tmp_path / "other").exit_code == 1
    assert not (tmp_path / "other").exists()


def test_a_sensitive_one_asks_for_the_pin(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    terminal.fake.add(text="behind it", sensitive=True)
    assert terminal.run("dossier", USER, "-o", tmp_path / "pack").exit_code == 0
    assert (terminal.fake.called("step_up"), packs.packed) == ([(PIN,)], [["behind it"]])


def test_earlier_revisions_go_along_when_they_are_asked_for(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    item = terminal.fake.add(text="once")
    terminal.fake.items[item.id] += [
        Item(item.id, 2, NOW, False, "missing"), Item(item.id, 3, NOW, False, "open", "tombstone"),
        Item(item.id, 4, NOW, False, "open", "journal", text="now", written=NOW),
    ]
    assert terminal.run("dossier", USER, "-o", tmp_path / "newest").exit_code == 0
    assert terminal.run("dossier", USER, "--history", "-o", tmp_path / "every").exit_code == 0
    assert packs.packed == [["now"], ["once", "now"]]


def test_what_can_not_be_opened_is_told_and_the_rest_is_written(
    terminal: Terminal, packs: Packs, tmp_path: Path
) -> None:
    terminal.fake.add(text="open")
    newer = terminal.fake.add(state="newer_version", kind=None, text="")
    ended = terminal.run("dossier", USER, "-o", tmp_path / "pack", "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "items_left")
    said = outputs.Dossier().load(json.loads(ended.stdout))
    assert said == {"places": [str(tmp_path / "pack")], "items": 1, "left": [f"{newer.id.hex()} revision 1"],
                    "files": [], "unproven": []}
    ended = terminal.run("dossier", USER, "-o", tmp_path / "again")
    assert f"{newer.id.hex()} revision 1: not in it" in ended.stderr


def test_what_the_vault_does_not_give_is_named_with_why(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    """Each item and file, so that somebody can look for them."""
    terminal.fake.add(text="kept")
    unsaid, written = (terminal.fake.add(text=text) for text in ("without a receipt", "with two files"))
    contents = tuple(
        Content(make_id(), bytes(32), bytes(32), bytes(32), name, "image/jpeg", 3) for name in ("a", "b\x1b")
    )
    written = replace(written, contents=contents)
    packs.lacks = Written(
        (SharedItem(unsaid, refused=ReceiptMalformed()),),
        (LackingFile(written, 1, BlobSwapped(), False), LackingFile(written, 2, ReceiptMalformed(), True)),
        (), None, True,
    )
    ended = terminal.run("dossier", USER, "-o", tmp_path / "pack", "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "items_left")
    assert outputs.Dossier().load(json.loads(ended.stdout)) == {
        "places": [str(tmp_path / "pack")], "items": 2, "left": [f"{unsaid.id.hex()} revision 1"],
        "files": [f"{written.id.hex()} revision 1 file 1"], "unproven": [f"{written.id.hex()} revision 1 file 2"],
    }
    said = " ".join(terminal.run("dossier", USER, "-o", tmp_path / "again").stderr.split())
    for words in (
        "2 items, readable", f"{unsaid.id.hex()} revision 1: not in it. {ReceiptMalformed.sentence}",
        f"{written.id.hex()} revision 1 file 1, a: not in it. {BlobSwapped.sentence}",
        f"{written.id.hex()} revision 1 file 2, b\ufffd: in it without a receipt. {ReceiptMalformed.sentence}",
    ):
        assert words in said, words


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_nothing_to_write_leaves_nothing(terminal: Terminal, packs: Packs, tmp_path: Path, name: str) -> None:
    ended = terminal.run("dossier", USER, "-o", tmp_path / name)
    assert (ended.exit_code, "(nothing_kept)" in ended.stderr) == (1, True)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("name", "names"),
    [("pack.zip", ["pack-1.zip", "pack-2.zip", "pack-3.zip"]), ("a.b", ["a.b-1", "a.b-2", "a.b-3"])],
)
def test_more_than_one_pack_holds_becomes_several(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, names: list[str]
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 2)
    for number in range(5):
        terminal.fake.add(text=str(number), deposited=NOW + number)
    ended = terminal.run("dossier", USER, "-o", tmp_path / name, "--json")
    assert json.loads(ended.stdout)["places"] == [str(tmp_path / one) for one in names]
    assert packs.packed == [["0", "1"], ["2", "3"], ["4"]]
    assert sorted(one.name for one in tmp_path.iterdir() if one.name != "home") == names


def test_all_packs_are_made_before_one_is_written(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs the PIN is open for two minutes, and writing the first may take longer."""
    monkeypatch.setattr(dossier, "MOST_ITEMS", 2)
    made = list[int]()

    def write(items: Sequence[Item], policy: object, sink: PackSink) -> Written:
        made.append(len(terminal.fake.called("pack")))
        return packs.write(items, policy, sink)

    monkeypatch.setattr(dossier, "write_pack", write)
    for number in range(5):
        terminal.fake.add(text=str(number), deposited=NOW + number, sensitive=True)
    assert terminal.run("dossier", USER, "-o", tmp_path / "pack.zip").exit_code == 0
    assert (made, len(packs.packed), terminal.fake.called("step_up")) == ([3, 3, 3], 3, [(PIN,)])


@pytest.mark.parametrize("taken", ["folder", "file", "zip", "second"])
def test_what_is_there_is_not_touched(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 1 if taken == "second" else 9)
    for number in range(2):
        terminal.fake.add(text=str(number))
    target = tmp_path / ("pack.zip" if taken in ("zip", "second") else "pack")
    mine = {"folder": target / "mine", "second": tmp_path / "pack-2.zip"}.get(taken, target)
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    ended = terminal.run("dossier", USER, "-o", target)
    assert (ended.exit_code, "(file_exists)" in ended.stderr) == (1, True)
    assert (packs.packed, mine.read_text()) == ([], "mine")


@pytest.mark.parametrize("place", ["new", "empty", "zip"])
def test_what_was_not_finished_does_not_lie_there_readable(
    terminal: Terminal, packs: Packs, tmp_path: Path, place: str
) -> None:
    packs.fails_at = 1
    terminal.fake.add(text="once")
    target = tmp_path / ("pack.zip" if place == "zip" else "pack")
    if place == "empty":
        target.mkdir()
    assert terminal.run("dossier", USER, "-o", target).exit_code == 3
    assert target.exists() == (place == "empty")
    assert not any(b"readable" in one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())


def test_a_page_that_checks_is_missed_aloud(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    packs.has_verifier = False
    terminal.fake.add(text="once")
    assert "verify.html" in terminal.run("dossier", USER, "-o", tmp_path / "pack").stderr
