"""A sealed backup of 30 items as a stream: 20 MB in `make test`, 500 MB in `make soak`; and deaths on the way to one
of 6 MB, since all that was written by then is searched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_core.sealing.envelope import plain_size
from crypto_core.sealing.padding import padme
from tests.e2e.test_large_files import MIB, make_file
from tests.e2e.test_large_packs import ITEMS, costs
from tests.fakes.canary import find_canaries
from tests.fakes.http_proxy import Heard, http_proxy_to
from tests.fakes.processes import BIN, Device, RealVault, clean_environment, given_secrets, serving

CANARY = "ce que personne ne doit lire"
Scene = tuple[RealVault, Device, Path]
SIZES = [20_000_000, pytest.param(500_000_000, marks=pytest.mark.soak)]


@pytest.fixture(scope="module", params=SIZES, ids=["20MB", "500MB"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Somebody with an entry and large files."""
    folder = tmp_path_factory.mktemp("backups")
    media = folder / "media"
    media.mkdir()
    for number in range(ITEMS - 1):
        make_file(media / f"video-{number}.mp4", request.param // (ITEMS - 1) + number)
    with serving(folder / "data") as vault:
        person = Device(folder / "home", vault.url)
        person.register()
        person.ok("journal", "add", person.user, "--text", CANARY)
        person.ok("documents", "add", person.user, *sorted(media.iterdir()))
        yield vault, person, media


def test_a_large_backup_is_sealed_and_opened_as_a_stream(
    scene: Scene, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    vault, person, media = scene
    person.apart = True
    began = time.monotonic()
    made = person.run("backup", "make", person.user, "-o", tmp_path / "a", "--words-out", tmp_path / "paper")
    costs(request, "sealing a backup, with Argon2id", made, began)
    words = (tmp_path / "paper").read_text().strip()
    stranger = Device(tmp_path / "nobody", "http://127.0.0.1:9", apart=True)
    began = time.monotonic()
    opened = stranger.run("backup", "open", tmp_path / "a", "-o", tmp_path / "a.zip", secrets=[words])
    costs(request, "opening it", opened, began)
    assert opened.peak < 100 * MIB
    assert not stranger.home.exists()
    verified = stranger.run("verify-pack", tmp_path / "a.zip", "--json", secrets=[])
    assert (verified.code, verified.json["proven"]) == (0, ITEMS)
    size = (tmp_path / "a.zip").stat().st_size
    assert plain_size((tmp_path / "a").stat().st_size) == padme(size + 5)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        originals = {name.rpartition("-video-")[2]: name for name in archive.namelist() if "-video-" in name}
        for original in media.iterdir():
            assert archive.read(originals[original.name.removeprefix("video-")]) == original.read_bytes()


@pytest.mark.parametrize("scene", [6_000_000], ids=["6MB"], indirect=True)
@pytest.mark.parametrize("asked_for", [1, ITEMS // 2, ITEMS - 1])
def test_a_death_while_it_is_made_leaves_nothing(scene: Scene, tmp_path: Path, asked_for: int) -> None:
    vault, person, _ = scene
    for name in ("out", "temporary"):
        (tmp_path / name).mkdir()
    running, asked, seen = list[subprocess.Popen[bytes]](), 0, list[bytes]()

    def before(heard: Heard) -> bool:
        nonlocal asked
        asked += heard.method == "GET" and heard.target.startswith("/v1/blobs/") and heard.target.count("/") == 3
        if asked < asked_for:
            return True
        seen.extend(written_by(running[0].pid, tmp_path / "out"))
        running[0].kill()
        return False

    with http_proxy_to(vault.port) as proxy, given_secrets((person.password, person.pin)) as reading:
        proxy.before = before
        running.append(subprocess.Popen(
            [BIN / "temoin", "backup", "make", person.user, "-o", tmp_path / "out" / "a", "--words-out",
             tmp_path / "paper", "--secrets-fd", str(reading)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[reading],
            env=clean_environment(
                TEMOIN_HOME=str(person.home), TEMOIN_SERVER=proxy.url, TMPDIR=str(tmp_path / "temporary"),
            ),
        ))  # fmt: skip
        assert running[0].wait(120) == -signal.SIGKILL
    assert list((tmp_path / "out").iterdir()) == list((tmp_path / "temporary").iterdir()) == []
    assert len(seen) == 1, "the file that has no name yet"
    for data in (*seen, *(path.read_bytes() for path in person.home.rglob("*") if path.is_file())):
        assert find_canaries(data, [CANARY, "originals/"]) == []


def written_by(pid: int, folder: Path) -> list[bytes]:
    """What a process has written into files of a folder that it has open, also where they have no name."""
    found = [Path(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    return [one.read_bytes() for one in found if os.readlink(one).startswith(str(folder))]
