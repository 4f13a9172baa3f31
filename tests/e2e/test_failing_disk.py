"""A vault whose disk has lost a file and changed another: who saves everything, or was sent it, has all the rest, and
is told what is missing; a stranger is told the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto_core.randomness import make_bytes
from tests.fakes.processes import Answer, Device, RealVault, serving

TEXT = "ce qui ne doit pas se perdre"
FILE = make_bytes(400_000)
NAMES = ("lost.jpg", "changed.jpg", "kept.jpg")


@dataclass(frozen=True)
class Scene:
    """Somebody with an entry and three files, and a link to all of it that was made in time."""

    vault: RealVault
    person: Device
    items: dict[str, str]
    """The documents' ids in hex, by name."""
    link: tuple[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("disk")
    with serving(folder / "data") as vault:
        person = Device(folder / "home", vault.url)
        person.register()
        items = {TEXT: str(person.ok("journal", "add", person.user, "--text", TEXT, "--json").json["id"])}
        places = dict[str, Path]()
        for number, name in enumerate(NAMES):
            before = set(kept(vault))
            (folder / name).write_bytes(bytes([number]) + FILE)
            person.ok("documents", "add", person.user, folder / name)
            [places[name]] = set(kept(vault)) - before
        items |= {one["title"]: one["id"] for one in person.ok("documents", "list", person.user, "--json").json}
        chosen = [word for item in items.values() for word in ("--items", item)]
        made = person.ok("share", "create", person.user, "--link", *chosen, "--json").json
        places[NAMES[0]].unlink()
        changed = bytearray(places[NAMES[1]].read_bytes())
        changed[200_000] ^= 1
        places[NAMES[1]].chmod(0o600)
        places[NAMES[1]].write_bytes(changed)
        yield Scene(vault, person, items, (made["address"], made["code"]))


def kept(vault: RealVault) -> list[Path]:
    return [path for path in (vault.data / "blobs").rglob("*") if path.is_file()]


def requires(scene: Scene, answer: Answer, code: str) -> None:
    """That an answer says which two files are missing, each by its item and its name, and ends with a failure."""
    assert (answer.code != 0, f"({code})" in answer.err) == (True, True), answer.err
    said = " ".join(answer.err.split())
    for name, why in zip(NAMES, ("The vault doesn't give it now.", "The vault "), strict=False):
        assert f"{scene.items[name]} revision 1 file 1, {name}: not in it. {why}" in said
    assert "nothing was lost" not in said


def lacks(scene: Scene, anybody: Device, place: Path) -> None:
    """That whoever checks the pack misses these two, and that all the rest of it holds."""
    report = anybody.run("verify-pack", place, "--json", secrets=[]).json
    assert (report["outcome"], report["items"], report["proven"]) == ("not_yet", 4, 2)
    found = report["findings"]
    assert {one["code"] for one in found} == {"pack_incomplete"} and len(found) == 4
    originals = sorted(one["name"] for one in found if one["name"].startswith("originals/"))
    assert [name.rpartition("-")[2] for name in originals] == list(NAMES[:2])


def test_a_dossier_has_all_the_rest(scene: Scene, tmp_path: Path) -> None:
    requires(scene, scene.person.run("dossier", scene.person.user, "-o", tmp_path / "pack"), "items_left")
    lacks(scene, scene.person, tmp_path / "pack")
    page = (tmp_path / "pack" / "index.html").read_text("utf-8")
    assert TEXT in page and page.count("le service ne l’a pas donné tel qu’il a été déposé") == 2
    [original] = [path for path in (tmp_path / "pack" / "originals").iterdir()]
    assert original.name.endswith(NAMES[2]) and original.read_bytes() == b"\x02" + FILE


def test_so_has_a_backup(scene: Scene, tmp_path: Path) -> None:
    made = scene.person.run(
        "backup", "make", scene.person.user, "-o", tmp_path / "a", "--words-out", tmp_path / "paper"
    )
    requires(scene, made, "items_left")
    words = (tmp_path / "paper").read_text().strip()
    stranger = Device(tmp_path / "nobody", "http://127.0.0.1:9")
    assert stranger.run("backup", "open", tmp_path / "a", "-o", tmp_path / "a.zip", secrets=[words]).code == 0
    lacks(scene, stranger, tmp_path / "a.zip")


def test_so_has_whoever_was_sent_a_link(scene: Scene, tmp_path: Path) -> None:
    stranger = Device(tmp_path / "stranger", scene.vault.url)
    opened = stranger.run("open-link", "-o", tmp_path / "pack.zip", secrets=list(scene.link))
    requires(scene, opened, "bundle_swapped")
    lacks(scene, stranger, tmp_path / "pack.zip")
