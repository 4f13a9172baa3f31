"""A pack of 30 items, as a stream: 20 MB in `make test`, 500 MB in `make soak`, with what it costs."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.test_large_files import MIB, make_file
from tests.fakes.http_proxy import Heard, http_proxy_to
from tests.fakes.processes import BIN, Answer, Device, clean_environment, serving

MEMORY = 150 * MIB
"""Also with Argon2id's 64 MiB."""
ITEMS = 30


def costs(record: pytest.FixtureRequest, what: str, answer: Answer, began: float) -> None:
    """Within the bound, and told to whoever runs this with `-s`."""
    assert answer.code == 0, answer
    print(f"{record.node.callspec.id} {what}: {answer.peak / MIB:.1f} MiB, {time.monotonic() - began:.1f} s")
    assert 0 < answer.peak < MEMORY


def kill_while_writing(device: Device, link: dict[str, str], target: Path) -> None:
    """Ends `open-link` as a flat battery does, when some of the pack is there: as it asks for a file of the middle."""
    some = target.with_name(f".{target.name}.part") if target.suffix else target / "originals"
    running, asked = list[subprocess.Popen[bytes]](), 0

    def before(heard: Heard) -> bool:
        nonlocal asked
        asked += heard.target.rpartition("/")[0].endswith("/blobs")
        if asked < ITEMS // 2:
            return True
        running[0].kill()
        return False

    with http_proxy_to(int(device.server.rpartition(":")[2])) as proxy:
        environment = clean_environment(
            TEMOIN_HOME=str(device.home), TEMOIN_LINK=link["address"].replace(device.server, proxy.url),
            TEMOIN_CODE=link["code"],
        )  # fmt: skip
        running.append(subprocess.Popen(
            [BIN / "temoin", "open-link", "-o", target], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment,
        ))  # fmt: skip
        proxy.before = before
        running[0].communicate(timeout=600)
    assert running[0].returncode == -signal.SIGKILL and some.exists()


@pytest.mark.parametrize("size", [20_000_000, pytest.param(500_000_000, marks=pytest.mark.soak)], ids=["20MB", "500MB"])
def test_a_large_pack_is_written_and_verified_as_a_stream(
    tmp_path: Path, size: int, request: pytest.FixtureRequest
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for number in range(ITEMS - 1):
        make_file(media / f"video-{number}.mp4", size // (ITEMS - 1) + number)
    with serving(tmp_path / "data") as vault:
        person = Device(tmp_path / "home", vault.url)
        person.register()
        person.ok("journal", "add", person.user, "--text", "What happened")
        person.ok("documents", "add", person.user, *sorted(media.iterdir()))
        listed = [*person.ok("journal", "list", person.user, "--json").json,
                  *person.ok("documents", "list", person.user, "--json").json]  # fmt: skip
        chosen = [word for one in listed for word in ("--items", one["id"])]
        assert len(chosen) == 2 * ITEMS
        names = ("lawyer", "stranger")
        lawyer, stranger = (Device(tmp_path / name, vault.url, user=name) for name in names)
        lawyer.register()
        asked = lawyer.ok("pro", "register", lawyer.user, "--name", "Claire", "--kind", "lawyer", "--json").json
        [waiting] = json.loads(vault.command("professionals", "list", "--json").stdout)
        approved = vault.command("professionals", "approve", waiting["account"], "--fingerprint", asked["fingerprint"])
        assert approved.returncode == 0, approved.stderr
        share = ("share", "create", person.user, *chosen, "--json")
        received = person.ok(*share, "--to", "0", "--not-compared").json["bundle"]
        link = person.ok(*share, "--link").json
        lawyer.apart = stranger.apart = True  # what they take of memory is looked at from here on
        began = time.monotonic()
        opened = lawyer.ok("pro", "open", lawyer.user, received, "-o", tmp_path / "pack")
        costs(request, "writing a folder, with Argon2id", opened, began)
        began = time.monotonic()
        opened = stranger.run("open-link", "-o", tmp_path / "pack.zip", secrets=[link["address"], link["code"]])
        costs(request, "writing a ZIP file", opened, began)
        for target in (tmp_path / "cut", tmp_path / "cut.zip"):
            kill_while_writing(stranger, link, target)
            opened = stranger.run("open-link", "-o", target, secrets=[link["address"], link["code"]])
            assert opened.code == 0, opened
        log = person.ok("share", "log", person.user, link["bundle"], "--json").json
        assert len(log["opened"]) == 3
    for target in (tmp_path / "pack", tmp_path / "pack.zip", tmp_path / "cut", tmp_path / "cut.zip"):
        began = time.monotonic()
        verified = stranger.run("verify-pack", target, "--json", secrets=[])
        costs(request, f"verifying {target.name}", verified, began)
        assert (verified.json["outcome"], verified.json["proven"]) == ("valid", ITEMS)
    for number in range(ITEMS - 1):
        original = media / f"video-{number}.mp4"
        [copied] = (tmp_path / "pack" / "originals").glob(f"*-{original.name}")
        assert copied.read_bytes() == original.read_bytes()
