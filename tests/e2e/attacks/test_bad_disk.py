"""A full disk, a read-only one, and what `temoin-server run` will not start with: real processes, own mounts.

The mounts live in a mount namespace that only the server is in, and go with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_core.encoding import format_b64url
from crypto_core.errors import TemoinError
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from schemas.problems import PROBLEMS
from server.config import ConfigRefused
from server.folder import FolderClosed, SecretExposed, SecretWrong, VaultIncomplete
from tests.fakes.bad_input import STARTS, TRACES, expect
from tests.fakes.processes import BIN, RealVault, clean_environment, free_port
from tests.fakes.served import ServedVault, served_vault
from tests.fakes.vault import b64, open_person, random_b64, said

ERRORS: dict[str, type[TemoinError]] = {
    error.code: error for error in (VaultIncomplete, FolderClosed, SecretExposed, SecretWrong, ConfigRefused)
}
SIZE = limits.FIRST_UNIT + 1000


@pytest.fixture(scope="module", autouse=True)
def root() -> None:
    """Mounting takes root and `unshare`; without them these tests fail and say so."""
    if os.geteuid() == 0 and shutil.which("unshare") and shutil.which("nsenter"):
        return
    pytest.fail("a small disk of its own can only be made by root, with unshare and nsenter (util-linux)")


def within(script: str) -> tuple[str, ...]:
    """A prefix: `script` in a mount namespace of its own, then the command."""
    return ("unshare", "--mount", "sh", "-ec", f'{script}; exec "$@"', "sh")


def small_disk(data: Path, mebibytes: int) -> tuple[str, ...]:
    seed = data.with_name("seed")
    return within(
        f"mkdir -p '{seed}'; cp -a '{data}/.' '{seed}'; "
        f"mount -t tmpfs -o size={mebibytes}m,mode=0700 none '{data}'; cp -a '{seed}/.' '{data}'"
    )


def enter(vault: RealVault, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A command where the server sees the disk."""
    assert vault.process is not None
    return subprocess.run(
        ["nsenter", "--target", str(vault.process.pid), "--mount", *command],
        capture_output=True, text=True, env=clean_environment(**vault.environment), timeout=120,
    )  # fmt: skip


def check(vault: RealVault) -> None:
    found = enter(vault, BIN / "temoin-server", "check", "--data", vault.data)
    assert found.returncode == 0, found.stdout + found.stderr


def log(vault: RealVault) -> str:
    return (vault.data / "server.log").read_text()


def revision(size: int) -> dict[str, object]:
    return {
        "item": b64(make_id()), "revision": 1, "replaces": 0, "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK), "record": random_b64(size), "blobs": [], "erases": None,
    }  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Iterator[ServedVault]:
    with served_vault(tmp_path, workers=1, prefix=small_disk(tmp_path / "data", 8)) as vault:
        yield vault


def test_a_full_disk_loses_nothing_and_lets_nobody_guess(small: ServedVault) -> None:
    person = open_person(small)
    blob, data = b64(make_id()), make_bytes(SIZE)
    digest = {"sha256": b64(hashlib.sha256(data).digest())}
    kept = person.ask("POST", "/v1/items", {"revisions": [revision(1096)]})
    assert kept.status_code == 201
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": SIZE}).status_code == 201
    token = person.give_password()
    units, large = f"/v1/uploads/{blob}/units/0", {"revisions": [revision(limits.RECORD)]}

    assert small.real.process is not None
    ballast = Path(f"/proc/{small.real.process.pid}/root{small.real.data}/ballast")
    with pytest.raises(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    expect("the disk is full", person.ask("PUT", units, data=data), log(small.real))
    expect("the disk is full", person.ask("POST", "/v1/items", large), log(small.real))
    expect("the disk is full", person.ask("PUT", f"/v1/blobs/{b64(make_id())}", data=make_bytes(200_000)))
    expect("the disk is full, at a PIN", person.try_pin("login", token), log(small.real))
    assert len(said(person.ask("GET", "/v1/items"))["revisions"]) == 1
    assert said(person.ask("GET", f"/v1/uploads/{blob}"))["units"] == []

    ballast.unlink()
    assert person.try_pin("login", token).status_code == 200
    assert person.ask("PUT", units, data=data).status_code == 200
    assert person.ask("POST", f"/v1/uploads/{blob}/complete", digest).status_code == 201
    assert person.ask("POST", "/v1/items", large).status_code == 201
    assert person.ask("GET", f"/v1/blobs/{blob}").data == data
    check(small.real)


def test_a_read_only_store_of_files_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    with served_vault(tmp_path, workers=1, prefix=within(":")) as vault:
        person = open_person(vault)
        whole, half, data = b64(make_id()), b64(make_id()), make_bytes(SIZE)
        digest = {"sha256": b64(hashlib.sha256(data).digest())}
        for blob in (whole, half):
            assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": SIZE}).status_code == 201
        assert person.ask("PUT", f"/v1/uploads/{whole}/units/0", data=data).status_code == 200
        assert person.ask("POST", f"/v1/uploads/{whole}/complete", digest).status_code == 201
        blobs = vault.real.data / "blobs"
        assert enter(vault.real, "mount", "--bind", "-o", "ro", blobs, blobs).returncode == 0
        put_half = f"/v1/uploads/{half}/units/0"
        expect("the store of files is read-only", person.ask("PUT", put_half, data=data), log(vault.real))
        assert said(person.ask("GET", f"/v1/uploads/{half}"))["units"] == []
        assert person.ask("GET", f"/v1/blobs/{whole}").data == data
        assert person.ask("POST", "/v1/items", {"revisions": [revision(1096)]}).status_code == 201
        assert enter(vault.real, "umount", blobs).returncode == 0
        assert person.ask("PUT", put_half, data=data).status_code == 200
        assert person.ask("POST", f"/v1/uploads/{half}/complete", digest).status_code == 201
        check(vault.real)


@pytest.fixture
def stopped(tmp_path: Path) -> RealVault:
    vault = RealVault(tmp_path / "data", apart=True)
    vault.init()
    return vault


def refuses(name: str, vault: RealVault) -> None:
    """`run` ends at once, with status 1 and the sentence of the row's code."""
    found = vault.command("run", "--port", str(free_port()), "--workers", "1")
    code = STARTS[name]
    sentence = ERRORS[code].sentence if code in ERRORS else PROBLEMS[code].sentence
    assert (found.returncode, found.stdout) == (1, "")
    assert sentence in found.stderr
    assert not [trace for trace in TRACES if trace in found.stderr]


def test_a_pepper_that_is_missing_exposed_or_foreign(stopped: RealVault) -> None:
    pepper = stopped.data / "pepper"
    own = pepper.read_text()
    pepper.chmod(0o640)
    refuses("the pepper can be read by others", stopped)
    pepper.chmod(0o600)
    pepper.write_text(f"1 {format_b64url(make_bytes(32))}\n")
    refuses("the pepper is of another vault", stopped)
    pepper.unlink()
    refuses("the pepper is missing", stopped)
    pepper.write_text(own)
    pepper.chmod(0o600)
    stopped.start()
    stopped.stop()


def test_a_missing_database_is_not_made_anew(stopped: RealVault) -> None:
    database = stopped.data / "vault.db"
    database.unlink()
    refuses("the database is missing", stopped)
    assert not database.exists()


def test_read_only_data(stopped: RealVault) -> None:
    data = stopped.data
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    stopped.prefix = within(f"mount --bind '{data}' '{data}'; mount -o remount,ro,bind '{data}'")
    refuses("all data is read-only", stopped)
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("part", "mode", "words"),
    [
        (".", 0o000, ""), (".", 0o500, ": attempt to write a readonly database"), ("pepper", 0o000, ": the pepper"),
        ("vault.json", 0o000, ": vault.json"), ("vault.db", 0o000, ": unable to open database file"),
        ("blobs", 0o000, ": Permission denied"),
    ],
)  # fmt: skip
def test_data_that_is_somebody_elses(stopped: RealVault, part: str, mode: int, words: str) -> None:
    """Root may do anything, unless it is started without that."""
    stopped.prefix = "setpriv", "--bounding-set=-dac_override,-dac_read_search"
    before = (stopped.data / part).stat().st_mode
    (stopped.data / part).chmod(mode)
    try:
        found = stopped.command("check")
    finally:
        (stopped.data / part).chmod(before)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"Error: {FolderClosed.sentence} ({FolderClosed.code}{words})\n"


def test_settings_that_would_count_nothing(stopped: RealVault) -> None:
    stopped.environment = {"TEMOIN_LIMITER_URL": "nowhere://127.0.0.1:1"}
    refuses("a store of tries that there is no driver for", stopped)
    stopped.environment = {"TEMOIN_LOGIN_RATE": "now and then"}
    refuses("a rate that can't be read", stopped)
