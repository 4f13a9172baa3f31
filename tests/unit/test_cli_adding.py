"""`temoin documents add` of folders: what is meant, what is left out and why, and a folder that is watched."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from client_sdk.cli.adding import Adding
from client_sdk.cli.folders import LeftOut, walk
from client_sdk.cli.options import Shared
from client_sdk.cli.secrets import Secrets
from client_sdk.cli.watching import LOOK_EVERY, SETTLED, STAY_EVERY, TRY_AGAIN, Watch
from client_sdk.errors import FileChanged, FileUnreadable, NetworkError, Refused
from client_sdk.gathering import Chosen, Outcome
from schemas import limits, outputs
from tests.fakes.cli_client import USER, Terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them."""
    made = tmp_path / "holiday"
    for name in ("b.jpg", "beach/1.jpg", "beach/deep/2.jpg", ".hidden", ".git/config", "Éa.txt"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    (made / "beach" / "link.jpg").symlink_to(made / "b.jpg")
    (made / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(made / "pipe")
    return made


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


def meant(paths: Sequence[Path], *, hidden: bool = False) -> tuple[list[str], dict[str, str]]:
    found = list(walk(paths, hidden=hidden))
    left = {one.path.name: str(one.why) for one in found if isinstance(one, LeftOut)}
    return [one.title for one in found if isinstance(one, Chosen)], left


def test_a_folder_is_everything_inside_under_the_place_where_it_lies(folder: Path) -> None:
    assert meant([folder]) == (
        ["holiday/b.jpg", "holiday/beach/1.jpg", "holiday/beach/deep/2.jpg", "holiday/Éa.txt"],
        {".hidden": "hidden", ".git": "hidden", "link.jpg": "link", "up": "link", "pipe": "special"},
    )
    assert meant([folder], hidden=True)[0][:2] == ["holiday/.git/config", "holiday/.hidden"]
    assert meant([folder / "b.jpg", folder / "beach" / "deep"])[0] == ["b.jpg", "deep/2.jpg"]


def test_a_folder_may_be_as_deep_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("a")
        os.chdir("a")
    Path("deep.jpg").touch()
    os.chdir(tmp_path)
    Path("b.jpg").touch()
    try:
        files, left = meant([Path()])
    finally:
        subprocess.run(["rm", "-r", "a"], check=True)  # Python's own rmtree is not made for it
    assert len(files) == 2 and files[0].endswith("a/a/deep.jpg") and files[1].endswith("/b.jpg") and not left


def test_a_folder_has_a_name_however_it_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "beach" / "deep")
    assert meant([Path(".")])[0] == ["deep/2.jpg"]


def test_a_heading_is_text_and_not_too_long(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.txt")
    odd.write_text("x")
    deep = tmp_path / "/".join(["d" * 200] * 3)
    deep.mkdir(parents=True)
    (deep / "end.txt").write_text("x")
    titles, _ = meant([tmp_path])
    assert any(title.endswith("caf\ufffd.txt") for title in titles)
    (long,) = (title for title in titles if title.endswith("end.txt"))
    assert len(long) == limits.TITLE and long.startswith("…")


def test_a_folder_that_cant_be_read_is_said_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.scandir
    closed = folder / "beach"
    monkeypatch.setattr(os, "scandir", lambda path: _refused() if path == closed else really(path))
    titles, left = meant([folder])
    assert titles == ["holiday/b.jpg", "holiday/Éa.txt"]
    assert left["beach"] == "unreadable"


def _refused() -> NoReturn:
    raise PermissionError


def test_add_says_what_was_kept_and_what_was_left_out(terminal: Terminal, folder: Path) -> None:
    ended = terminal.run("documents", "add", USER, folder)
    assert ended.exit_code == 0
    assert sorted(title for _, title in terminal.fake.called("add_document")) == sorted(meant([folder])[0])
    assert ended.stdout.count("Kept") == 4 and "holiday/beach/deep/2.jpg" in ended.stdout
    assert ended.stderr.count("Left out") == 5
    again = terminal.run("documents", "add", USER, folder)
    assert "4 files were deposited before" in again.stderr and "Kept" not in again.stdout
    assert terminal.run("documents", "add", USER, folder, "--json").stdout.strip() == "[]"
    assert terminal.run("documents", "add", USER, folder, "--again").stdout.count("Kept") == 4
    assert terminal.run("documents", "add", USER, folder / "b.jpg").stdout.count("Kept") == 1


def test_a_file_that_was_refused_ends_with_1_and_the_others_are_kept(terminal: Terminal, folder: Path) -> None:
    terminal.fake.refused["b.jpg"] = FileUnreadable()
    ended = terminal.run("documents", "add", USER, folder)
    assert ended.exit_code == 1 and "(files_left)" in ended.stderr
    assert "Not deposited: holiday/b.jpg" in ended.stderr and ended.stdout.count("Kept") == 3
    ended = terminal.run("documents", "add", USER, folder / "b.jpg", "--json")
    assert (ended.exit_code, json.loads(ended.stdout), json.loads(ended.stderr)["code"]) == (1, [], "file_unreadable")
    (folder / "c.jpg").write_text("x")
    ended = terminal.run("documents", "add", USER, folder, "--json")
    assert len(outputs.Kept(many=True).load(json.loads(ended.stdout))) == 1
    assert json.loads(ended.stderr)["code"] == "files_left"


def test_a_script_is_told_which_files_failed_and_why(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = folder.parent / os.fsdecode(b"caf\xe9 \x1b[31m.jpg")
    odd.write_text("x")
    really = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: _refused() if path == folder / "beach" else really(path))
    terminal.fake.refused = {"b.jpg": FileUnreadable("Permission denied"), odd.name: FileChanged()}
    ended = terminal.run("documents", "add", USER, odd, folder, "--json")
    assert ended.exit_code == 1 and len(outputs.Kept(many=True).load(json.loads(ended.stdout))) == 1  # Éa.txt
    failure = outputs.FilesFailure().load(json.loads(ended.stderr))
    assert (failure["code"], failure["detail"]) == ("files_left", "3 left")
    left = {one["path"]: (one["code"], one["detail"], bool(one["sentence"])) for one in failure["files"]}
    assert left == {
        str(odd): ("file_changed", "", True), str(folder / "b.jpg"): ("file_unreadable", "Permission denied", True),
        str(folder / "beach"): ("file_unreadable", "", True),
    }


def test_a_folder_that_cant_be_read_is_told_beside_an_only_file(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.jpg", "Éa.txt"):
        (folder / name).unlink()
    (folder / "one.jpg").write_text("x")
    really = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: _refused() if path == folder / "beach" else really(path))
    terminal.fake.refused = {"one.jpg": FileChanged()}
    failure = outputs.FilesFailure().load(json.loads(
        terminal.run("documents", "add", USER, folder, "--json").stderr
    ))
    assert {Path(one["path"]).name for one in failure["files"]} == {"beach", "one.jpg"}


def test_a_script_is_given_a_list_also_where_nothing_could_be_kept(terminal: Terminal, folder: Path) -> None:
    terminal.fake.refused = {path.name: FileUnreadable() for path in folder.rglob("*")}
    ended = terminal.run("documents", "add", USER, folder, "--json")
    assert (ended.exit_code, json.loads(ended.stdout), json.loads(ended.stderr)["code"]) == (1, [], "files_left")
    terminal.fake.failures["add_document"] = NetworkError()
    ended = terminal.run("documents", "add", USER, folder, "--json")
    assert (ended.exit_code, json.loads(ended.stdout), json.loads(ended.stderr)["code"]) == (3, [], "network")


@pytest.mark.parametrize(
    "options", [("--watch", "--again"), ("--title", "T")], ids=["everything anew at each start", "one heading for all"]
)
def test_what_does_not_go_together(terminal: Terminal, folder: Path, options: tuple[str, ...]) -> None:
    assert terminal.run("documents", "add", USER, folder, *options).exit_code == 2
    assert terminal.run("documents", "add", USER, folder / "b.jpg", "--watch").exit_code == 2


@pytest.mark.parametrize("inside", [(), (".hidden",)], ids=["empty", "all of it left out"])
def test_that_there_was_nothing_to_deposit_is_said(terminal: Terminal, tmp_path: Path, inside: tuple[str, ...]) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    for name in inside:
        (folder / name).write_text("x")
    ended = terminal.run("documents", "add", USER, folder)
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert ended.stderr.endswith("No file was found there, so nothing was deposited.\n")
    ended = terminal.run("documents", "add", USER, folder, "--json")
    assert (ended.exit_code, json.loads(ended.stdout), ended.stderr) == (0, [], "")


def test_a_file_is_given_out_once_it_has_stopped_changing(tmp_path: Path) -> None:
    now, path = [0.0], tmp_path / "video.mp4"
    watch, files = Watch(lambda: now[0]), [Chosen(path, "video.mp4")]

    def look_after(seconds: float, text: str | None = None) -> int:
        now[0] += seconds
        if text is not None:
            path.write_text(text)
        return len(watch.look(files))

    assert look_after(100) == 0  # not there yet
    assert look_after(0, "a") == 0
    assert look_after(SETTLED - 1) == 0
    assert look_after(SETTLED - 1, "ab") == 0  # it grew
    assert look_after(SETTLED - 1) == 0
    assert look_after(1) == 1
    assert look_after(1000) == 0  # once
    watch.put_back(files)
    assert look_after(1) == 1
    assert look_after(0, "other bytes") == 0
    assert look_after(SETTLED) == 1  # another version
    path.unlink()
    assert look_after(1000) == 0


def looking_at(path: Path) -> Callable[[], int]:
    """Each call looks anew, after the file has had the time to settle: 1 if it is given out, else 0."""
    now, files = [0.0], [Chosen(path, path.name)]
    watch = Watch(lambda: now[0])

    def look() -> int:
        now[0] += SETTLED
        return len(watch.look(files))

    return look


def test_a_file_that_may_be_read_from_now_on_is_given_out_again(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_text("closed")
    look = looking_at(path)
    assert [look(), look(), look()] == [0, 1, 0]
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:  # the clock of a file system has its steps
        path.chmod(0o640)
    assert [look(), look(), look()] == [0, 1, 0]


def test_a_file_in_a_folder_that_cant_be_entered_is_given_out_to_be_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, really = tmp_path / "letter.pdf", os.lstat
    path.write_text("x")
    look = looking_at(path)
    with monkeypatch.context() as closed:
        closed.setattr(os, "lstat", lambda one: _refused() if one == path else really(one))
        assert [look(), look(), look()] == [0, 1, 0]
    assert [look(), look(), look()] == [0, 1, 0]


class _Day:
    """A watch's day: what happens at each sleep, in order; then Ctrl-C."""

    def __init__(self, folder: Path, *events: Callable[[], object]) -> None:
        self.now, self.events, self.added = 0.0, list(events), list[str]()
        self.stayed = 0
        self.failures: list[Exception] = []
        self.slept: list[float] = []
        common = Shared(None, folder, False, Secrets(None, {}))
        self.adding = Adding(common, lambda: walk([folder]), None, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if not self.events:
            raise KeyboardInterrupt
        self.events.pop(0)()

    def add(self, files: Sequence[Chosen]) -> Iterator[Outcome]:
        if self.failures:
            raise self.failures.pop()
        for one in files:
            self.added.append(one.path.name)
            yield Outcome(one)

    def stay(self) -> None:
        self.stayed += 1

    def pass_by(self) -> None:
        self.adding.watch(self.add, self.stay)


def test_a_watch_takes_what_comes_and_ends_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = [lambda: None] * 5
    day = _Day(folder, *nothing, lambda: (folder / "new.jpg").write_text("x"), *nothing)
    day.pass_by()
    assert sorted(day.added) == sorted(["1.jpg", "2.jpg", "b.jpg", "Éa.txt", "new.jpg"])
    said = capsys.readouterr().err
    assert said.count("(hidden;") == 2 and "No longer watching." in said


def test_a_watch_ends_as_it_says_from_the_moment_when_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()

    def press_ctrl_c(text: str) -> None:
        said.append(text)
        if len(said) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("client_sdk.cli.adding.note", press_ctrl_c)
    _Day(folder).pass_by()
    assert [text.split()[0] for text in said] == ["Watching.", "No"]


def test_a_script_is_told_at_the_end_of_a_watch_what_was_not_taken_after_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = _Day(folder, *[lambda: None] * 5, lambda: (folder / "b.jpg").write_text("whole by now"), *[lambda: None] * 5)
    day.adding = Adding(
        Shared(None, folder, True, Secrets(None, {})), lambda: walk([folder]), None,
        clock=lambda: day.now, sleep=day.sleep,
    )  # fmt: skip

    def add(files: Sequence[Chosen]) -> Iterator[Outcome]:
        for one in files:
            day.added.append(one.path.name)
            is_torn = one.path.name == "1.jpg" or day.added.count("b.jpg") == 1 and one.path.name == "b.jpg"
            yield Outcome(one, failure=FileChanged() if is_torn else None)

    day.adding.watch(add, day.stay)
    assert day.added.count("b.jpg") == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    failure = outputs.FilesFailure().load(json.loads(said.err))
    assert [one["path"] for one in failure["files"]] == [str(folder / "beach" / "1.jpg")]


def test_a_watch_outlives_a_cut_and_keeps_its_session_open(folder: Path) -> None:
    day = _Day(folder, *[lambda: None] * 400)
    day.failures = [NetworkError(), Refused("unavailable", 503, "Not now.")]
    day.pass_by()
    assert sorted(day.added) == ["1.jpg", "2.jpg", "b.jpg", "Éa.txt"]
    assert day.slept.count(TRY_AGAIN) == 2 and set(day.slept) == {TRY_AGAIN, LOOK_EVERY}
    assert day.stayed == int(400 * LOOK_EVERY / STAY_EVERY)


def test_a_watched_folder_that_is_pulled_out_is_told_of_each_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stick, for instance. What is on it is taken when it is there again."""
    away, nothing = folder.with_name("away"), [lambda: None] * 5
    out, back = (lambda: folder.rename(away)), (lambda: away.rename(folder))
    day = _Day(folder, *nothing, out, *nothing, back, lambda: (folder / "new.jpg").write_text("x"), *nothing, out, back)
    day.pass_by()
    assert "new.jpg" in day.added
    assert capsys.readouterr().err.count(f"Left out: {folder} (can't be read)") == 2


def test_a_watch_ends_with_its_session(folder: Path) -> None:
    day = _Day(folder, *[lambda: None] * 9)
    day.failures = [Refused("unauthorized", 401, "Log in again.")]
    with pytest.raises(Refused):
        day.pass_by()
