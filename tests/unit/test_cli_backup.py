"""`temoin backup`: words that are on paper before a file is there, a file that shows nothing, and the way back."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from client_sdk.cli import backup, dossier, saving
from client_sdk.errors import NetworkError
from client_sdk.items import Item
from client_sdk.packs.pack import PAGE, Written
from client_sdk.packs.sink import PackSink
from crypto_core.sealing.recovery import format_words
from schemas import outputs
from tests.fakes.canary import find_canaries
from tests.fakes.cli_client import NOW, PIN, USER, Terminal

KEY = bytes(range(32))
WORDS, FRENCH, OTHER = format_words(KEY), format_words(KEY, "french"), format_words(bytes(32))
CANARY = "ce que personne ne doit lire"


class Packs:
    """What was packed, in the place of packing it."""

    def __init__(self, folder: Path) -> None:
        self.packed, self.fails_at, self.seen = list[list[str | None]](), 0, list[str]()
        self._folder = folder

    def write(self, items: Sequence[Item], _policy: object, sink: PackSink) -> Written:
        self.packed.append([one.text for one in items])
        sink.write(PAGE, [CANARY.encode(), *(str(one.text).encode() for one in items)])
        sink.write("originals/001-01-a.bin", [bytes(400_000)])
        self.seen = sorted(one.name for one in self._folder.iterdir() if one.name != "home")
        if len(self.packed) == self.fails_at:
            raise NetworkError()
        return Written((), (), (), None, True)


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Packs:
    made = Packs(tmp_path)
    monkeypatch.setattr(backup, "write_pack", made.write)
    monkeypatch.setattr(backup, "make_backup_key", lambda: KEY)
    return made


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


def text_of(place: Path) -> str:
    with zipfile.ZipFile(place) as archive:
        assert archive.testzip() is None
        return archive.read(PAGE).decode()


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name != "home")


def test_what_was_sealed_opens_with_its_words_and_without_the_vault(
    terminal: Terminal, packs: Packs, tmp_path: Path
) -> None:
    terminal.fake.add(text="second", deposited=NOW)
    terminal.fake.add(text="first", deposited=NOW - 9)
    ended = terminal.run("backup", "make", USER, "-o", tmp_path / "holiday", input=f"{WORDS}\n")
    assert (ended.exit_code, packs.packed) == (0, [["first", "second"]])
    assert all(f"{number:>4} {word}" in ended.stdout for number, word in enumerate(WORDS.split(), 1))
    assert str(tmp_path / "holiday") in ended.stdout and "backup open" in ended.stderr
    sealed = (tmp_path / "holiday").read_bytes()
    assert find_canaries(sealed, [CANARY, "originals", WORDS.split()[0] + " " + WORDS.split()[1]]) == []
    assert (tmp_path / "holiday").stat().st_mode & 0o777 == 0o600
    terminal.fake.calls.clear()
    ended = terminal.run(
        "backup", "open", tmp_path / "holiday", "-o", tmp_path / "all.zip", TEMOIN_BACKUP_WORDS=WORDS.upper(),
        TEMOIN_SERVER=None,
    )
    assert (ended.exit_code, terminal.fake.calls) == (0, [])
    assert text_of(tmp_path / "all.zip") == f"{CANARY}firstsecond"
    assert "verify-pack" in ended.stderr


def test_nothing_is_written_before_the_words_are_typed_back(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    terminal.fake.add(text="once")
    for typed, code, error in (
        ("", 2, "usage"), (f"{OTHER}\n" * 3, 1, "words_differ"), (f"{WORDS[:-1]}\n{OTHER}\nno\n", 1, "words_differ"),
    ):
        ended = terminal.run("backup", "make", USER, "-o", tmp_path / "holiday", input=typed)
        assert (ended.exit_code, f"({error})" in ended.stderr) == (code, True)
        assert ("No backup was made" in ended.stderr) == (WORDS.split()[0] in ended.stdout) == bool(typed)
    assert (packs.packed, names(tmp_path)) == ([], [])
    typed = f"{OTHER}\n{WORDS.replace(' ', '  ').title()}\n"
    ended = terminal.run("backup", "make", USER, "-o", tmp_path / "holiday", input=typed)
    assert (ended.exit_code, "These are other words" in ended.stdout) == (0, True)
    assert packs.seen == []


def test_with_json_the_words_are_shown_aside_and_told_once_they_were_typed(
    terminal: Terminal, packs: Packs, tmp_path: Path
) -> None:
    item = terminal.fake.add(text="once")
    newer = terminal.fake.add(state="newer_version", kind=None, text="")
    typed = f"{FRENCH}\n"
    make = ("backup", "make", USER, "-o", tmp_path / "a", "--json", "--words", "french")
    ended = terminal.run(*make, input=typed)
    assert ended.exit_code == 1
    said = outputs.Backup().load(json.loads(ended.stdout))
    missing = [f"{newer.id.hex()} revision 1"]
    assert said == {
        "places": [str(tmp_path / "a")], "items": 1, "left": missing, "files": [], "unproven": [], "words": FRENCH,
    }
    assert FRENCH.split()[-1] in ended.stderr and "items_left" in ended.stderr
    ended = terminal.run("backup", "make", USER, item.id.hex(), "-o", tmp_path / "b", "--json",
                         "--words-out", tmp_path / "paper")
    assert (ended.exit_code, json.loads(ended.stdout)["words"]) == (0, None)
    assert (tmp_path / "paper").read_text() == f"{WORDS}\n"
    assert (tmp_path / "paper").stat().st_mode & 0o777 == 0o600
    ended = terminal.run("backup", "open", tmp_path / "b", "-o", tmp_path / "b.zip", "--json",
                         TEMOIN_BACKUP_WORDS=WORDS)
    assert outputs.OpenedBackup().load(json.loads(ended.stdout)) == {"place": str(tmp_path / "b.zip")}


def test_a_sensitive_one_asks_for_the_pin(terminal: Terminal, packs: Packs, tmp_path: Path) -> None:
    terminal.fake.add(text="behind it", sensitive=True)
    assert terminal.run("backup", "make", USER, "-o", tmp_path / "a", input=f"{WORDS}\n").exit_code == 0
    assert (terminal.fake.called("step_up"), packs.packed) == ([(PIN,)], [["behind it"]])


def test_all_is_read_before_the_words_are_shown(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 1)
    for number in range(2):
        terminal.fake.add(text=str(number))
    assert terminal.run("backup", "make", USER, "-o", tmp_path / "a", input=f"{OTHER}\n" * 3).exit_code == 1
    assert len(terminal.fake.called("pack")) == 2


def test_several_files_have_the_same_words(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 2)
    for number in range(3):
        terminal.fake.add(text=f"text {number}", deposited=NOW + number)
    assert terminal.run("backup", "make", USER, "-o", tmp_path / "a", input=f"{WORDS}\n").exit_code == 0
    assert (names(tmp_path), packs.packed) == (["a-1", "a-2"], [["text 0", "text 1"], ["text 2"]])
    for number in (1, 2):
        ended = terminal.run("backup", "open", tmp_path / f"a-{number}", "-o", tmp_path / f"{number}.zip",
                             TEMOIN_BACKUP_WORDS=WORDS)
        assert ended.exit_code == 0
    assert text_of(tmp_path / "2.zip") == f"{CANARY}text 2"


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_was_not_finished_leaves_neither_files_nor_words(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 1)
    packs.fails_at = fails_at
    for number in range(2):
        terminal.fake.add(text=str(number))
    ended = terminal.run("backup", "make", USER, "-o", tmp_path / "a", "--words-out", tmp_path / "paper")
    assert (ended.exit_code, names(tmp_path)) == (3, [])
    assert "paper" in packs.seen and "No backup was made" in ended.stderr


@pytest.mark.parametrize("taken", ["file", "folder", "link", "second", "words", "opened"])
def test_what_is_there_is_not_touched(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(dossier, "MOST_ITEMS", 1 if taken == "second" else 9)
    for number in range(2):
        terminal.fake.add(text=str(number))
    mine = tmp_path / {"second": "a-2", "words": "paper"}.get(taken, "a")
    if taken == "folder":
        mine.mkdir()
    elif taken == "link":
        mine.symlink_to(tmp_path / "nowhere")
    else:
        mine.write_text("mine")
    if taken == "opened":
        ended = terminal.run("backup", "open", mine, "-o", mine, TEMOIN_BACKUP_WORDS=WORDS)
    else:
        ended = terminal.run("backup", "make", USER, "-o", tmp_path / "a", "--words-out", tmp_path / "paper")
    assert (ended.exit_code, "(file_exists)" in ended.stderr) == (1, True)
    assert (packs.packed, names(tmp_path)) == ([], [mine.name])
    assert taken in ("folder", "link") or mine.read_text() == "mine"


@pytest.mark.parametrize("unnamed", [True, False])
@pytest.mark.parametrize(("step", "is_there"), [("fsync", False), ("link", False), ("sync_folder", True)])
def test_a_death_at_any_step_leaves_no_half_file_and_no_clear_byte(
    terminal: Terminal, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_there: bool,
    unnamed: bool,
) -> None:
    """Where files without a name aren't to be had, what was begun stays under a hidden one: sealed as well."""

    terminal.fake.add(text=CANARY)
    if not unnamed:
        monkeypatch.setattr(saving, "_DESCRIPTORS", str(tmp_path / "nowhere"))
    place: object = saving if step == "sync_folder" else os
    target, after = tmp_path / "a", getattr(place, step)

    def at_the_backup(*given: object, **more: object) -> object:
        if packs.packed:
            os.kill(os.getpid(), signal.SIGKILL)
        return after(*given, **more)

    monkeypatch.setattr(place, step, at_the_backup)
    make = ("backup", "make", USER, "-o", target, "--words-out", tmp_path / "paper")
    assert _in_a_child(lambda: terminal.run(*make)) == -signal.SIGKILL
    assert target.exists() == is_there
    left = [one for one in tmp_path.rglob("*") if one.is_file() and one.name != "paper"]
    assert len(left) == (1 if is_there or not unnamed else 0)
    assert all(find_canaries(one.read_bytes(), [CANARY, "originals"]) == [] for one in left)
    monkeypatch.undo()
    if is_there:
        monkeypatch.setenv("TEMOIN_BACKUP_WORDS", WORDS)
        assert terminal.run("backup", "open", target, "-o", tmp_path / "all.zip").exit_code == 0


def _in_a_child(act: Callable[[], object]) -> int:
    """How a process ended that did this."""
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def sealed(terminal: Terminal, packs: Packs, tmp_path: Path) -> Path:
    terminal.fake.add(text="once")
    assert terminal.run("backup", "make", USER, "-o", tmp_path / "a", input=f"{WORDS}\n").exit_code == 0
    return tmp_path / "a"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("first", "backup_refused"), ("chunk", "tampered"), ("last", "tampered"), ("cut", "tampered"),
        ("longer", "tampered"), ("short", "malformed"), ("empty", "malformed"), ("words", "backup_refused"),
        ("few", "secret_refused"), ("slip", "secret_refused"),
    ],
)
def test_other_words_and_other_bytes_open_nothing_and_say_which(
    terminal: Terminal, sealed: Path, tmp_path: Path, how: str, code: str
) -> None:
    data, words = bytearray(sealed.read_bytes()), WORDS
    match how:
        case "first" | "chunk" | "last":
            data[{"first": 0, "chunk": 100_000, "last": -1}[how]] ^= 1
        case "cut" | "short" | "empty":
            del data[{"cut": -1, "short": 55, "empty": 0}[how]:]
        case "longer":
            data += b"\x00"
        case "words":
            words = OTHER
        case _:
            words = {"few": WORDS.rpartition(" ")[0], "slip": f"xyzzy {WORDS.partition(' ')[2]}"}[how]
    sealed.write_bytes(data)
    ended = terminal.run("backup", "open", sealed, "-o", tmp_path / "all.zip", TEMOIN_BACKUP_WORDS=words)
    assert (ended.exit_code, f"({code})" in ended.stderr) == (1, True)
    assert names(tmp_path) == ["a"]
    assert not any(word in ended.output for word in ("xyzzy", *words.split()[1:3]))
