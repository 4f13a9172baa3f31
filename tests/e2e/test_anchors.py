"""Anchors with real processes: a vault with two workers, `openssl ts` behind HTTP, a stranger with neither."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto_core.encoding import parse_time
from tests.fakes.authority import Authority, Mood, make_authority, serving_authority
from tests.fakes.orders import Orders
from tests.fakes.processes import Answer, Device, RealVault, running

HOUR = 3600


@pytest.fixture
def tsa(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tsa")


@pytest.fixture
def vault(tmp_path: Path, tsa: Authority) -> Iterator[RealVault]:
    """Served with its clock in a file, at this machine's time; `temoin-server anchor` is asked for by hand."""
    orders = Orders.new(tmp_path / "orders")
    orders.clock.time = int(time.time())
    with serving_authority(tsa) as url:
        environment = {"TEMOIN_TSA_URL": url, "TEMOIN_TSA_ROOTS": str(tsa.both_file)}
        with running(RealVault(tmp_path / "data", environment=environment, orders=orders.folder)) as served:
            yield served


@pytest.fixture
def device(vault: RealVault, tmp_path: Path) -> Device:
    made = Device(tmp_path / "home", vault.url)
    made.register()
    return made


def set_clock(vault: RealVault, seconds: int) -> None:
    """So far from this machine's."""
    assert vault.orders is not None
    Orders(vault.orders).clock.time = int(time.time()) + seconds


def write(device: Device, text: str) -> str:
    kept: str = device.ok("journal", "add", device.user, "--text", text, "--json").json["id"]
    return kept


def stamp(vault: RealVault) -> str:
    ran = vault.command("anchor")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def export(device: Device, item: str, out: Path) -> Path:
    device.ok("receipts", "export", device.user, item, "-o", out)
    (sealed,) = out.glob("*.sealed")
    return sealed


def verify(sealed: Path, tsa: Authority, home: Path, *more: str | Path) -> Answer:
    """By somebody who never met the vault and whose network leads nowhere."""
    stranger = Device(home / "stranger", "http://127.0.0.1:1")
    words: list[str | Path] = [
        "--policy", sealed.parent / "policy.txt", "--tsa", sealed.with_suffix(".tsr"),
        "--tsa-roots", tsa.roots_file, "--tsa-chain", sealed.with_suffix(".chain.pem"),
    ]  # fmt: skip
    if sealed.with_suffix(".before.note").exists():
        words += ["--tsa-before", sealed.with_suffix(".before.note"), sealed.with_suffix(".before.tsr")]
    return stranger.run("verify", sealed, sealed.with_suffix(".tlog-proof"), *words, *more, "--json")


def test_a_stranger_proves_the_authoritys_time(
    vault: RealVault, device: Device, tsa: Authority, tmp_path: Path
) -> None:
    first, second = write(device, "first"), write(device, "second")
    started = int(time.time())
    said = stamp(vault)
    assert "Stamped: 2 entries" in said and "by CN=TSA" in said
    assert "nobody was asked" in stamp(vault)
    third = write(device, "third")
    stamp(vault)
    folders = [export(device, item, tmp_path / name) for item, name in ((first, "1"), (second, "2"), (third, "3"))]
    assert vault.command("check").returncode == 0
    vault.stop()
    asked = len(tsa.asked)
    for sealed, size in zip(folders, (2, 2, 3), strict=True):
        told = verify(sealed, tsa, tmp_path)
        assert told.code == 0, told
        assert (told.json["tree_size"], told.json["tsa_authority"]) == (size, "CN=TSA")
        assert started - 5 <= parse_time(told.json["bound_time"]) <= time.time() + 5
        assert (told.json["tsa_before_time"] is None) == (size == 2)
    assert len(tsa.asked) == asked
    other = make_authority(tmp_path / "other", "Other")
    refused = verify(folders[0], other, tmp_path)
    assert (refused.code, refused.json["code"]) == (4, "anchor_authority_unknown")


def test_an_hour_that_the_operator_can_not_claim(
    vault: RealVault, device: Device, tsa: Authority, tmp_path: Path
) -> None:
    """A clock that is an hour slow, then an hour fast: set wrong, or a lie."""
    forget_times(vault)
    set_clock(vault, -HOUR)
    write(device, "before")
    stamp(vault)
    early = write(device, "back-dated")
    stamp(vault)
    set_clock(vault, HOUR)
    late = write(device, "from the future")
    stamp(vault)
    for item, code in ((early, "claimed_time_early"), (late, "claimed_time_late")):
        told = verify(export(device, item, tmp_path / code), tsa, tmp_path)
        assert (told.code, told.json["outcome"], told.json["code"]) == (1, "invalid", code)


def forget_times(vault: RealVault) -> None:
    """What a lying operator has to do first: the server never claims an earlier time than it did before."""
    with contextlib.closing(sqlite3.connect(vault.data / "vault.db")) as database:
        database.execute("UPDATE checkpoints SET time = 0")
        database.commit()


def test_an_authority_that_fails_is_told_by_the_command(vault: RealVault, device: Device, tsa: Authority) -> None:
    write(device, "x")
    failures: tuple[tuple[Mood, str], ...] = (("rubbish", "not a whole"), ("refusing", "gave no token"))
    for tsa.mood, code in failures:
        ran = vault.command("anchor")
        assert ran.returncode == 1 and code in ran.stderr and "Traceback" not in ran.stderr
    del vault.environment["TEMOIN_TSA_URL"]
    ran = vault.command("anchor")
    assert ran.returncode == 1 and "TEMOIN_TSA_URL" in ran.stderr


def test_a_running_vault_is_stamped_by_itself_and_waits_for_nobody(tmp_path: Path, tsa: Authority) -> None:
    """`temoin-server run` beside an authority that is rubbish, slow and gone in turn, and then is well."""
    tsa.mood = "rubbish"
    with serving_authority(tsa) as url:
        environment = {
            "TEMOIN_TSA_URL": url, "TEMOIN_TSA_ROOTS": str(tsa.both_file), "TEMOIN_ANCHOR_INTERVAL": "1",
            "TEMOIN_CHECKPOINT_INTERVAL": "0",
        }  # fmt: skip
        with running(RealVault(tmp_path / "data", environment=environment)) as vault:
            device = Device(tmp_path / "home", vault.url)
            device.register()
            item = write(device, "rubbish")
            wait_for_line(vault, "no anchor: anchor_malformed")
            tsa.mood = "slow"
            asked = len(tsa.asked)
            wait_until(lambda: len(tsa.asked) > asked)
            write(device, "slow")
            wait_for_line(vault, "no anchor: tsa_unreachable")
            tsa.mood = "well"
            tsa.released.set()
            wait_until(lambda: export(device, item, tmp_path / "out").with_suffix(".tsr").exists())
            log = (vault.data / "server.log").read_text()
    (sealed,) = (tmp_path / "out").glob("*.sealed")
    assert verify(sealed, tsa, tmp_path).code == 0
    assert "Traceback" not in log and url not in log


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_line(vault: RealVault, line: str) -> None:
    wait_until(lambda: line in (vault.data / "server.log").read_text())
