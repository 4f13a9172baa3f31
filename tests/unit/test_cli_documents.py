"""`temoin documents`: files go in, come back whole or not at all, and never over another file."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk.cli.saving import local_name
from client_sdk.errors import BlobSwapped, ContentDiffers, FileUnreadable
from client_sdk.gathering import Plan
from client_sdk.items import Item
from schemas import outputs
from tests.fakes.cli_client import PIN, USER, Terminal

BODY = bytes(range(256)) * 3


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Terminal.on(tmp_path / "home", monkeypatch)


def document(terminal: Terminal, *names: str, sensitive: bool = False) -> Item:
    contents = tuple(terminal.fake.content(BODY, name) for name in names or ("photo.jpg",))
    return terminal.fake.add(kind="document", contents=contents, sensitive=sensitive)


def test_add_keeps_each_file(terminal: Terminal, tmp_path: Path) -> None:
    files = [tmp_path / "a.jpg", tmp_path / "b c.pdf"]
    for file in files:
        file.write_bytes(BODY)
    ended = terminal.run("documents", "add", USER, *files, "--category", "injury", "--sensitive", "--json")
    kept = outputs.Kept(many=True).load(json.loads(ended.stdout))
    assert [terminal.fake.items[one["id"]][0].title for one in kept] == ["a.jpg", "b c.pdf"]
    assert terminal.fake.called("add_documents") == [(Plan("injury", True),)]
    assert terminal.fake.called("add_document") == [(file, file.name) for file in reversed(files)]


@pytest.mark.parametrize("has_gap", [True, False])
def test_a_recording_says_whether_a_part_of_it_is_missing(terminal: Terminal, has_gap: bool) -> None:
    sound = replace(terminal.fake.content(BODY, "1.webm"), parts=(), has_gap=has_gap)
    item = terminal.fake.add(kind="document", contents=(sound,))
    shown = terminal.run("journal", "show", USER, item.id.hex()).stdout
    assert "1.webm" in shown and ("a part of it is missing" in shown) == has_gap


def test_a_file_that_cant_be_read_stops_no_other(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for file in files:
        file.write_bytes(BODY)
    really = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != files[0] and really(path, mode))
    terminal.fake.refused["a.jpg"] = FileUnreadable()
    ended = terminal.run("documents", "add", USER, *files, "--json")
    assert (ended.exit_code, len(json.loads(ended.stdout))) == (1, 1)
    assert json.loads(ended.stderr)["code"] == "files_left"


def test_what_was_kept_before_a_failure_is_told(terminal: Terminal, tmp_path: Path) -> None:
    files = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for file in files:
        file.write_bytes(BODY)
    terminal.fake.failures["a.jpg"] = OSError()
    ended = terminal.run("documents", "add", USER, *files, "--json")
    assert ended.exit_code == 1
    assert len(json.loads(ended.stdout)) == 1
    assert json.loads(ended.stderr)["code"] == "device"


def test_a_title_belongs_to_one_file(terminal: Terminal) -> None:
    assert terminal.run("documents", "add", USER, __file__, __file__, "--title", "T").exit_code == 2
    assert terminal.run("documents", "add", USER, __file__, "--title", "T").exit_code == 0


def test_a_file_comes_back_under_its_name_for_its_owner_alone(terminal: Terminal) -> None:
    item = document(terminal)
    ended = terminal.run("documents", "get", USER, item.id.hex())
    assert ended.exit_code == 0
    file = Path("photo.jpg")
    assert file.read_bytes() == BODY
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir() == ["photo.jpg"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_nothing_readable_is_left_in_hiding_by_a_machine_that_goes_out(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, force: tuple[str, ...]
) -> None:
    """Whatever the folder has while the last byte goes to the disk stays there if nothing more is ever done."""
    item, found = document(terminal), list[str]()
    monkeypatch.setattr(os, "fsync", lambda _file: found.extend(os.listdir()))
    assert terminal.run("documents", "get", USER, item.id.hex(), *force).exit_code == 0
    assert [name for name in found if name != "photo.jpg"] == []
    assert (os.listdir(), Path("photo.jpg").read_bytes()) == (["photo.jpg"], BODY)


def test_a_file_system_without_such_files_gets_it_as_well(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client_sdk.cli.saving._DESCRIPTORS", "/nowhere/")
    item = document(terminal)
    for force in ((), ("--force",)):
        assert terminal.run("documents", "get", USER, item.id.hex(), *force).exit_code == 0
    assert (os.listdir(), Path("photo.jpg").read_bytes()) == (["photo.jpg"], BODY)


def test_it_goes_where_it_is_told(terminal: Terminal) -> None:
    item = document(terminal)
    Path("folder").mkdir()
    terminal.run("documents", "get", USER, item.id.hex(), "-o", "folder")
    terminal.run("documents", "get", USER, item.id.hex(), "-o", "other.jpg")
    assert Path("folder/photo.jpg").read_bytes() == Path("other.jpg").read_bytes() == BODY


def test_what_is_called_a_folder_has_to_be_one(terminal: Terminal) -> None:
    ended = terminal.run("documents", "get", USER, document(terminal).id.hex(), "-o", "nowhere/")
    assert (ended.exit_code, "no such folder" in ended.stderr) == (2, True)
    assert os.listdir() == []


def test_what_is_there_is_never_overwritten_unless_asked(terminal: Terminal) -> None:
    item = document(terminal)
    Path("photo.jpg").write_text("mine")
    ended = terminal.run("documents", "get", USER, item.id.hex(), "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "file_exists")
    assert Path("photo.jpg").read_text() == "mine"
    assert terminal.run("documents", "get", USER, item.id.hex(), "--force").exit_code == 0
    assert Path("photo.jpg").read_bytes() == BODY
    Path("dangling").symlink_to("nowhere")
    assert terminal.run("documents", "get", USER, item.id.hex(), "-o", "dangling").exit_code == 1


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_file_never_takes_the_place_of_what_is_none(terminal: Terminal, force: tuple[str, ...]) -> None:
    """Root could: of a device, such as /dev/null, nothing but a file would be left."""
    item = document(terminal)
    os.mkfifo("pipe")
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", "pipe", *force, "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "no_plain_file")
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)
    assert os.listdir() == ["pipe"]


def test_what_comes_while_a_file_is_fetched_is_no_more_replaced(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = document(terminal)
    monkeypatch.setattr(os, "fsync", lambda _file: os.mkfifo("photo.jpg"))
    ended = terminal.run("documents", "get", USER, item.id.hex(), "--force", "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "no_plain_file")
    assert os.listdir() == ["photo.jpg"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_link_stays_and_so_does_what_it_leads_to(terminal: Terminal, force: tuple[str, ...]) -> None:
    """Such as /dev/stdout is."""
    item = document(terminal)
    Path("other").write_text("mine")
    Path("link").symlink_to("other")
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", "link", *force, "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "no_plain_file")
    assert (Path("link").is_symlink(), Path("other").read_text()) == (True, "mine")


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_file_that_fails_at_its_end_never_appears(terminal: Terminal, force: tuple[str, ...]) -> None:
    item = document(terminal)
    Path("out").mkdir()
    terminal.fake.failures["end of content"] = BlobSwapped()
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", "out/photo.jpg", *force)
    assert ended.exit_code == 1
    assert "(blob_swapped)" in ended.stderr
    assert os.listdir("out") == []


@pytest.mark.parametrize("target", ["out/photo.jpg", "out", "-"])
def test_a_file_that_is_not_the_one_that_its_entry_names_is_handed_over_and_that_is_said(
    terminal: Terminal, target: str
) -> None:
    """Bytes that opened to their end are what was put in: to lose them would be worse."""
    item = document(terminal)
    Path("out").mkdir()
    terminal.fake.failures["end of content"] = ContentDiffers(b"\1" * 32, len(BODY))
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", target)
    assert (ended.exit_code, "(content_differs)" in ended.stderr) == (1, True)
    if target == "-":
        assert ended.stdout_bytes == BODY
        return
    assert Path("out/photo.jpg").read_bytes() == BODY
    assert "whole, but not the one that its entry names" in ended.stdout and "verified" not in ended.stdout
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", target, "--force", "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "content_differs")
    assert outputs.Got().load(json.loads(ended.stdout))["sha256"] == b"\1" * 32


def test_standard_output_gets_the_bytes_and_nothing_else(terminal: Terminal) -> None:
    item = document(terminal)
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", "-")
    assert ended.stdout_bytes == BODY
    ended = terminal.run("documents", "get", USER, item.id.hex(), "-o", "-", "--json")
    assert ended.stdout_bytes == BODY
    assert outputs.Got().load(json.loads(ended.stderr))["path"] is None
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("10:20", 10, 20), (":5", 0, 5), ("700:", 700, 768), (":", 0, 768), ("760:9999", 760, 768), ("768:", 768, 768),
     ("1:9223372036854775807", 1, 768), ("1:18446744073709551615", 1, 768)],
)
def test_a_range(terminal: Terminal, asked: str, start: int, stop: int) -> None:
    item = document(terminal)
    ended = terminal.run("documents", "get", USER, item.id.hex(), "--range", asked, "-o", "part", "--json")
    assert Path("part").read_bytes() == BODY[start:stop]
    got = outputs.Got().load(json.loads(ended.stdout))
    assert (got["range"], got["size"], got["sha256"]) == ([start, stop], 768, item.contents[0].sha256)
    assert terminal.fake.called("read_content")[0][2:] == (start, stop)


def test_a_range_beyond_the_end_is_refused(terminal: Terminal) -> None:
    item = document(terminal)
    for start in (769, 2**63, 2**64 - 1):
        ended = terminal.run("documents", "get", USER, item.id.hex(), "--range", f"{start}:")
        assert ended.exit_code == 1
        assert "(range_invalid)" in ended.stderr and os.listdir() == []


def test_several_files_go_into_a_folder(terminal: Terminal) -> None:
    item = document(terminal, "one.jpg", "two.jpg", "one.jpg")
    assert terminal.run("documents", "get", USER, item.id.hex(), "-o", "new.jpg").exit_code == 2
    assert terminal.run("documents", "get", USER, item.id.hex(), "--range", ":3").exit_code == 2
    assert terminal.run("documents", "get", USER, item.id.hex(), "-o", "-").exit_code == 2
    ended = terminal.run("documents", "get", USER, item.id.hex(), "--json")
    names = [Path(got["path"]).name for got in outputs.Got(many=True).load(json.loads(ended.stdout))]
    assert names == ["one.jpg", "two.jpg", "one (2).jpg"]
    assert sorted(os.listdir()) == sorted(names)


def test_of_several_files_those_that_are_there_are_told_where_a_later_one_is_not(terminal: Terminal) -> None:
    item = document(terminal, "a.jpg", "b.jpg")
    Path("b.jpg").write_text("mine")
    ended = terminal.run("documents", "get", USER, item.id.hex())
    assert (ended.exit_code, "a.jpg" in ended.stdout, "(file_exists)" in ended.stderr) == (1, True, True)
    for left in (["a.jpg"], []):
        Path("a.jpg").unlink() if left else None
        ended = terminal.run("documents", "get", USER, item.id.hex(), "--json")
        assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "file_exists")
        assert [one["name"] for one in outputs.Got(many=True).load(json.loads(ended.stdout))] == left


def test_one_of_several_files(terminal: Terminal) -> None:
    item = document(terminal, "one.jpg", "two.jpg")
    assert terminal.run("documents", "get", USER, item.id.hex(), "--content", 2, "-o", "x").exit_code == 0
    assert terminal.fake.called("read_content")[0][1] == item.contents[1].blob
    assert terminal.run("documents", "get", USER, item.id.hex(), "--content", 3, "-o", "y").exit_code == 1


def test_a_sensitive_file_asks_for_the_pin_again(terminal: Terminal) -> None:
    item = document(terminal, sensitive=True)
    assert terminal.run("documents", "get", USER, item.id.hex()).exit_code == 0
    assert terminal.fake.called("step_up") == [(PIN,)]


def test_a_name_that_is_a_path_stays_in_this_folder(terminal: Terminal) -> None:
    item = document(terminal, "../../etc/\x1b[2Jpasswd")
    ended = terminal.run("documents", "get", USER, item.id.hex())
    assert ended.exit_code == 0
    assert "\x1b" not in ended.output
    (name,) = os.listdir()
    assert name == "_[2Jpasswd" and not Path("../etc").exists()


NASTY = [
    "", ".", "..", "/", "\\", "a/b", "a\\b", ".bashrc", "...", "x\x00y", "a\nb", "x" * 300, "é" * 200 + ".jpg",
    " ", "a.", "-rf", "why?.txt",
]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.sampled_from(NASTY), st.text(max_size=300), st.text("./\\\x00\n .", max_size=9)))
def test_any_name_becomes_one_that_a_folder_can_hold(name: str) -> None:
    taken: set[str] = set()
    made = [local_name(name, taken) for _ in range(3)]
    assert len({*made}) == 3
    for one in made:
        assert one == os.path.basename(one) and one not in ("", ".", "..") and not one.startswith(".")
        assert 1 <= len(one.encode("utf-8", "surrogatepass")) <= 255
        assert not any(ord(character) < 32 or ord(character) == 127 or character in '<>:"|?*' for character in one)
        assert not one.startswith("-")


@pytest.mark.parametrize(("one", "other"), [("A.jpg", "a.jpg"), ("\u00e9.jpg", "e\u0301.jpg")])
def test_two_names_that_some_file_systems_take_for_one_are_told_apart(one: str, other: str) -> None:
    taken: set[str] = set()
    assert (local_name(one, taken), local_name(other, taken)) == (one, other.replace(".jpg", " (2).jpg"))


def test_a_name_does_not_turn_around_how_it_is_read() -> None:
    assert local_name("photo\u202egpj.exe", set()) == "photo_gpj.exe"
    assert local_name("\u2067a\u2069.jpg", set()) == "_a_.jpg"


@pytest.mark.parametrize("name", ["photo.jpg", "صورة.png", "a b (1).tar.gz", "Été à la mer.JPG", "no suffix"])
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert local_name(name, set()) == name
