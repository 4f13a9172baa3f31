"""The main job with real processes: write, keep, come back from another machine, prove to a stranger."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.processes import Device, RealVault, running
from tests.fakes.swift import SECRET, Swift

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPH = ROOT / "docs" / "demo" / "photograph.jpg"
ARABIC = "في المساء، صرخ أمام الأطفال 😔🕯️ ثم خرج. كتبت كل شيء هنا 💙"
SENSITIVE = "What nobody may read without the PIN"
LONG = "".join(f"{n:06d} اليوم 🌧️ la porte\n" for n in range(9000))[:200_000]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    with running(RealVault(tmp_path_factory.mktemp("vault") / "data", apart=True)) as served:
        yield served


@pytest.fixture
def device(vault: RealVault, tmp_path: Path, request: pytest.FixtureRequest) -> Device:
    """A device with an account of its own for each test."""
    made = Device(tmp_path / "home", vault.url, user=request.node.name, apart=True)
    made.register()
    return made


def second(device: Device) -> Device:
    return replace(device, home=device.home.with_name("second"))


def test_three_entries_come_back_on_another_device(device: Device, tmp_path: Path) -> None:
    text = tmp_path / "long.txt"
    text.write_text(LONG, "utf-8")
    plain = device.ok("journal", "add", device.user, "--text", ARABIC, "--happened", "2024-03", "--place", "القاهرة",
                      "--danger", "7", "--tag", "soir", "--json").json  # fmt: skip
    sealed = device.ok("journal", "add", device.user, "-", "--sensitive", "--json", stdin=SENSITIVE.encode()).json
    long = device.ok("journal", "add", device.user, "--file", text, "--json").json
    assert all(len(kept["id"]) == 32 and kept["revision"] == 1 for kept in (plain, sealed, long))

    other = second(device)
    shown = other.ok("journal", "show", other.user, plain["id"], "--json").json
    assert (shown["text"], shown["place"], shown["danger"], shown["tags"]) == (ARABIC, "القاهرة", 7, ["soir"])
    assert shown["happened"]["precision"] == "month"
    assert other.ok("journal", "show", other.user, long["id"], "--json").json["text"] == LONG
    listed = {row["id"]: row for row in other.ok("journal", "list", other.user, "--json").json}
    assert set(listed) == {plain["id"], sealed["id"], long["id"]}
    locked = listed[sealed["id"]]
    assert (locked["sensitive"], locked["title"], locked["happened"]) == (True, None, None)
    assert other.ok("journal", "show", other.user, sealed["id"], "--json").json["text"] == SENSITIVE


def test_a_sensitive_entry_needs_the_right_pin(device: Device) -> None:
    kept = device.ok("journal", "add", device.user, "--text", SENSITIVE, "--sensitive", "--json").json
    wrong = device.run("journal", "show", device.user, kept["id"], secrets=[device.password, "805194"])
    assert wrong.code == 1
    assert "pin_wrong" in wrong.err and SENSITIVE not in wrong.out + wrong.err
    check = device.ok("login-check", device.user, "--json").json
    assert check["wrong_pins"] == 1 and check["last_opened"] is not None


def test_a_photograph_comes_back_to_the_byte(device: Device, tmp_path: Path) -> None:
    original = PHOTOGRAPH.read_bytes()
    assert b"Exif" in original[:64]
    kept = device.ok("documents", "add", device.user, PHOTOGRAPH, "--category", "injury", "--json").json
    other = second(device)
    row = next(row for row in other.ok("documents", "list", other.user, "--json").json if row["id"] == kept[0]["id"])
    assert row["contents"][0]["sha256"] == hashlib.sha256(original).hexdigest()
    assert {"id", "kind", "title", "happened", "deposited", "sensitive", "contents"} <= set(row)
    other.ok("documents", "get", other.user, row["id"], "-o", tmp_path / "back.jpg")
    assert (tmp_path / "back.jpg").read_bytes() == original


def test_history_edit_delete_restore(device: Device) -> None:
    first = device.ok("journal", "add", device.user, "--text", "first words", "--json").json
    edited = device.ok("journal", "edit", device.user, first["id"], "--text", "second words", "--json").json
    assert (edited["id"], edited["revision"]) == (first["id"], 2)
    history = second(device).ok("journal", "history", device.user, first["id"], "--json").json
    assert [(row["revision"], row["text"]) for row in history] == [(1, "first words"), (2, "second words")]
    device.ok("journal", "delete", device.user, first["id"])
    assert device.ok("journal", "list", device.user, "--json").json == []
    assert device.run("journal", "show", device.user, first["id"]).code == 1
    device.ok("journal", "restore", device.user, first["id"])
    assert device.ok("journal", "show", device.user, first["id"], "--json").json["text"] == "second words"


def test_exit_codes(device: Device, tmp_path: Path, vault: RealVault) -> None:
    unknown = "0" * 32
    assert device.run("journal", "show", device.user, unknown).code == 1
    assert device.run("journal", "list", device.user, secrets=["another password", device.pin]).code == 1
    assert device.run("journal", "add", device.user, "--danger", "11", "--text", "x").code == 2
    assert device.run("journal", "nonsense").code == 2
    away = Device(tmp_path / "away", "http://127.0.0.1:1", device.user, apart=True)
    lost = away.run("journal", "list", away.user)
    assert lost.code == 3 and "Traceback" not in lost.err
    assert device.run("register", device.user, "--recovery-out", tmp_path / "again.txt").code == 1


def test_nothing_readable_stays_on_the_device(device: Device) -> None:
    device.ok("journal", "add", device.user, "--text", SENSITIVE, "--place", "Rue des Lilas")
    device.ok("documents", "add", device.user, PHOTOGRAPH)
    assert device.home.stat().st_mode & 0o777 == 0o700
    needles = [SENSITIVE, "Rue des Lilas", "photograph.jpg", "image/jpeg", device.user, device.password, device.server]
    for path in device.home.rglob("*"):
        found = path.read_bytes() if path.is_file() else b""
        for needle in needles:
            assert needle.encode() not in found and needle.encode("utf-16-le") not in found, path.name
            assert needle not in path.name


def test_receipts_verify_with_the_server_stopped(tmp_path: Path) -> None:
    with running(RealVault(tmp_path / "data", apart=True)) as vault:
        device = Device(tmp_path / "home", vault.url, apart=True)
        device.register()
        entry = device.ok("journal", "add", device.user, "--text", "proof", "--attach", PHOTOGRAPH, "--json").json
        out = tmp_path / "export"
        device.ok("receipts", "export", device.user, entry["id"], "-o", out)
        vault.stop()
        sealed = sorted(out.glob("*.sealed"))
        assert len(sealed) == 2
        stranger = Device(tmp_path / "stranger", "http://127.0.0.1:1", apart=True)
        for blob in sealed:
            receipt = blob.with_suffix(".tlog-proof")
            valid = stranger.ok("verify", blob, receipt, "--policy", out / "policy.txt", "--json").json
            assert valid["outcome"] == "valid"
            digest = hashlib.sha256(blob.read_bytes()).hexdigest()
            by_hash = stranger.ok("verify", "--sha256", digest, receipt, "--policy", out / "policy.txt", "--json").json
            assert by_hash["index"] == valid["index"]
            assert stranger.run("verify", blob, receipt).code == 4
            assert device.run("verify", blob, receipt).code == 0
        other = stranger.run("verify", sealed[0], sealed[1].with_suffix(".tlog-proof"), "--policy", out / "policy.txt")
        assert other.code == 1
        torn = tmp_path / "torn.tlog-proof"
        torn.write_bytes(sealed[0].with_suffix(".tlog-proof").read_bytes()[:100])
        assert stranger.run("verify", sealed[0], torn, "--policy", out / "policy.txt").code == 1
        assert {line.split()[0] for line in (out / "policy.txt").read_text().splitlines() if line} == {"log", "quorum"}
        assert vault.command("check").returncode == 0


def test_the_same_with_blobs_in_a_bucket(tmp_path: Path, swift: Swift) -> None:
    """Two workers, one bucket: a file of several units goes and comes back, as a whole and in part, and is proven."""
    video, data = tmp_path / "video.mp4", os.urandom(3_000_000)
    video.write_bytes(data)
    with running(RealVault(tmp_path / "data", environment=swift.environment())) as vault:
        device = Device(tmp_path / "home", vault.url, apart=True)
        device.register()
        entry = device.ok("journal", "add", device.user, "--text", ARABIC, "--attach", video, "--json").json
        other = second(device)
        assert other.ok("journal", "show", other.user, entry["id"], "--json").json["text"] == ARABIC
        kept = other.ok("documents", "add", other.user, video, PHOTOGRAPH, "--json").json
        device.ok("documents", "get", device.user, kept[0]["id"], "-o", tmp_path / "back.mp4")
        assert (tmp_path / "back.mp4").read_bytes() == data
        device.ok("documents", "get", device.user, kept[0]["id"], "--range", "2500000:2500100", "-o", tmp_path / "part")
        assert (tmp_path / "part").read_bytes() == data[2_500_000:2_500_100]
        device.ok("receipts", "export", device.user, entry["id"], "-o", tmp_path / "export")
        assert len(list((tmp_path / "export").glob("*.tlog-proof"))) == 2
        checked = vault.command("check", "--json")
        assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, [])
        assert not (vault.data / "blobs").exists()
    log = (vault.data / "server.log").read_text()
    assert "/v1/uploads/<id:blob>/complete 201" in log and SECRET not in log
