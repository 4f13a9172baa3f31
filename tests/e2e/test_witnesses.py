"""Real processes: a vault with two workers and witnesses of other keepers; from a deposit to a receipt that a stranger
verifies without the operator's word, and what becomes of a vault that was set back."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client_sdk.client import Draft, VaultClient
from crypto_core.receipts.note import parse_note
from server.ledger.post import PATIENCE
from tests.fakes.processes import Device, RealVault, serving
from tests.fakes.witnesses import RealWitness, witnessing


MUTE = float(PATIENCE.read_timeout or 0)
"""Seconds after which the vault gives up a witness that takes its question and doesn't answer."""


@contextmanager
def silent_listener() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        port: int = listener.getsockname()[1]
        yield port


def ledger_vkey(vault: RealVault, which: str = "ledger") -> str:
    with urllib.request.urlopen(f"{vault.url}/v1/vault", timeout=10) as answer:
        return str(json.load(answer)[f"{which}_vkey"])


def signers(vault: RealVault, which: str = "ledger") -> tuple[int, list[str]]:
    """Size of the public checkpoint, and the names below it."""
    with urllib.request.urlopen(f"{vault.url}/{which}/checkpoint", timeout=10) as answer:
        note = parse_note(answer.read())
    return int(note.text.split("\n")[1]), [one.name for one in note.signatures]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def add(vault: RealVault, name: str, vkey: str, url: str) -> None:
    run = vault.command("witnesses", "add", name, vkey, url)
    assert run.returncode == 0, run.stderr


def policy_of(vault: RealVault, witnesses: list[RealWitness], folder: Path) -> Path:
    """Two of two, as somebody writes it who has the keys by another way."""
    names = [f"w{number}" for number in range(len(witnesses))]
    lines = [
        f"log {ledger_vkey(vault)}",
        *(f"witness {name} {one.vkey}" for name, one in zip(names, witnesses, strict=True)),
        f"group both all {' '.join(names)}", "quorum both", "",
    ]
    path = folder / "policy.txt"
    path.write_text("\n".join(lines))
    return path


def test_from_a_deposit_to_a_receipt_that_two_strangers_have_signed(tmp_path: Path) -> None:
    with (
        witnessing(tmp_path, 3) as (one, two, mute),
        silent_listener() as port,
        serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault,
    ):
        for witness in (one, two):
            witness.start([ledger_vkey(vault)])
            add(vault, witness.name.partition("/")[2], witness.vkey, witness.url)
        add(vault, "mute", mute.vkey, f"http://127.0.0.1:{port}")
        device = Device(tmp_path / "home", vault.url)
        device.register()
        policy, out = policy_of(vault, [one, two], tmp_path), tmp_path / "out"

        kept = list[str]()
        with VaultClient.connect(vault.url, device.home) as client:
            client.log_in(device.user, device.password, device.pin)
            for number in range(3):
                started = time.monotonic()
                kept.append(client.write_entry(Draft(text=f"entry {number}")).id.hex())
                assert time.monotonic() - started < MUTE, "the mute witness was waited for"
        size = 3
        wait_until(lambda: signers(vault)[0] == size and {one.name, two.name} <= set(signers(vault)[1]))

        early = device.run("receipts", "upgrade", device.user, kept[0], "--policy", policy, "--json")
        assert early.code == 0, early
        assert [row["cosignatures"] for row in early.json["upgraded"]] == [2]
        everything = device.run("receipts", "upgrade", device.user, "--all", "--policy", policy)
        assert (everything.code, "upgraded: 2, unchanged: 1, waiting: 0" in everything.out) == (0, True), everything
        device.ok("receipts", "export", device.user, kept[0], "-o", out)
        vault.stop()
        one.stop()
        two.stop()

        (sealed,) = out.glob("*.sealed")
        receipt = sealed.with_suffix(".tlog-proof")
        assert len(receipt.read_bytes()) < 2048
        stranger = Device(tmp_path / "stranger", "http://127.0.0.1:1")
        valid = stranger.ok("verify", sealed, receipt, "--policy", policy, "--json").json
        assert valid["outcome"] == "valid" and valid["bound_time"] is not None
        with_mute = policy.with_name("three.txt")
        with_mute.write_text(policy.read_text().replace("group both all w0 w1", f"witness w2 {mute.vkey}\n"
                                                        "group both all w0 w1 w2"))
        assert stranger.run("verify", sealed, receipt, "--policy", with_mute).code == 4


def listed(vault: RealVault, device: Device) -> None:
    asked = device.ok("pro", "register", device.user, "--name", device.user, "--kind", "lawyer", "--json").json
    waiting = next(one for one in json.loads(vault.command("professionals", "list", "--json").stdout) if one["asked"])
    run = vault.command("professionals", "approve", waiting["account"], "--fingerprint", asked["fingerprint"])
    assert run.returncode == 0, run.stderr


def test_people_share_in_a_directory_that_a_stranger_has_signed_and_in_no_other(tmp_path: Path) -> None:
    with witnessing(tmp_path, 1) as (one,), serving(tmp_path / "data") as vault:
        one.start([ledger_vkey(vault), ledger_vkey(vault, "directory")])
        add(vault, "one", one.vkey, one.url)
        names = ("person", "first", "second")
        person, first, second = (Device(tmp_path / name, vault.url, user=name) for name in names)
        for device in (person, first, second):
            device.register()
        listed(vault, first)
        assert vault.command("witnesses", "require", "2").returncode == 1
        wait_until(lambda: signers(vault, "directory") == (1, [ledger_name(vault), one.name]))
        assert vault.command("witnesses", "require", "1").returncode == 0
        wait_until(lambda: one.name in signers(vault, "directory")[1] and signers(vault, "directory")[0] == 2)
        assert [found["entry"] for found in person.ok("pro", "find", person.user, "--json").json] == [0]
        assert '"directory":{"size":2,"trouble":null}' in vault.command("witnesses", "list", "--json").stdout
        one.stop()
        listed(vault, second)
        refused = person.run("pro", "find", person.user)
        assert (refused.code, "directory_unwitnessed" in refused.err) == (1, True)
        one.start([ledger_vkey(vault), ledger_vkey(vault, "directory")])
        assert vault.command("witnesses", "ask", "one").returncode == 0
        assert [found["entry"] for found in person.ok("pro", "find", person.user, "--json").json] == [0, 2]
        assert vault.command("check", "--deep").returncode == 0


def ledger_name(vault: RealVault) -> str:
    return ledger_vkey(vault, "directory").partition("+")[0]


def test_receipts_wait_where_no_witness_answers(tmp_path: Path) -> None:
    with (
        witnessing(tmp_path, 1) as (one,),
        serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault,
    ):
        add(vault, "one", one.vkey, one.url)
        device = Device(tmp_path / "home", vault.url)
        device.register()
        device.ok("journal", "add", device.user, "--text", "entry")
        waiting = device.run("receipts", "upgrade", device.user, "--all", "--json")
        assert (waiting.code, len(waiting.json["waiting"])) == (4, 1)
        asked = vault.command("witnesses", "ask", "one")
        assert (asked.returncode, "witness_unreachable" in asked.stdout) == (1, True)
        one.start([ledger_vkey(vault)])
        assert vault.command("witnesses", "ask", "one").returncode == 0
        assert device.run("receipts", "upgrade", device.user, "--all").code == 0
        (listed,) = json.loads(vault.command("witnesses", "list", "--json").stdout)
        assert (listed["name"], listed["size"], listed["trouble"]) == ("one", 1, None)
        assert vault.command("witnesses", "remove", "one").returncode == 0
        assert "Witnesses: 0" in vault.command("witnesses", "list").stdout


def test_a_vault_that_was_set_back_takes_nothing_new_and_shows_everything(tmp_path: Path) -> None:
    """The whole folder is an old copy: its marker, too. Only the witness knows."""
    with (
        witnessing(tmp_path, 1) as (one,),
        serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault,
    ):
        one.start([ledger_vkey(vault)])
        add(vault, "one", one.vkey, one.url)
        device = Device(tmp_path / "home", vault.url)
        device.register()
        first = device.ok("journal", "add", device.user, "--text", "the first", "--json").json
        wait_until(lambda: one.name in signers(vault)[1] and signers(vault)[0] == 1)
        vault.stop()
        shutil.copytree(vault.data, tmp_path / "copy")
        vault.start()
        device.ok("journal", "add", device.user, "--text", "the second")
        wait_until(lambda: one.name in signers(vault)[1] and signers(vault)[0] == 2)
        vault.stop()
        shutil.rmtree(vault.data)
        shutil.copytree(tmp_path / "copy", vault.data)

        vault.start()
        assert "ledger_behind_witness" in (vault.data / "server.log").read_text()
        elsewhere = Device(tmp_path / "new", vault.url)
        shown = elsewhere.ok("journal", "show", device.user, first["id"], "--json").json
        assert shown["text"] == "the first"
        refused = elsewhere.run("journal", "add", device.user, "--text", "the third")
        assert (refused.code, "ledger_stopped" in refused.err) == (3, True)
        assert vault.command("witnesses", "remove", "one").returncode == 0
        elsewhere.ok("journal", "add", device.user, "--text", "the fourth")


def test_an_old_copy_of_the_database_alone_is_noticed_without_any_witness(tmp_path: Path) -> None:
    """By its journal; and by the marker where an old journal was put back as well."""
    with serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault:
        def copied(name: str) -> Path:
            (tmp_path / name).mkdir()
            for file in ("vault.db", "journal.db"):
                shutil.copy(vault.data / file, tmp_path / name)
            return tmp_path / name

        device = Device(tmp_path / "home", vault.url)
        device.register()
        device.ok("journal", "add", device.user, "--text", "the first")
        vault.stop()
        old = copied("old")
        vault.start()
        device.ok("journal", "add", device.user, "--text", "the second")
        vault.stop()
        newest = copied("newest")
        shutil.copy(old / "vault.db", vault.data)
        with pytest.raises(AssertionError, match="database_set_back"):
            vault.start()
        shutil.copy(old / "journal.db", vault.data)
        vault.start()
        assert "ledger_went_backwards" in (vault.data / "server.log").read_text()
        elsewhere = Device(tmp_path / "new", vault.url)
        assert elsewhere.run("journal", "add", device.user, "--text", "lost").code == 3
        vault.stop()
        shutil.copytree(newest, vault.data, dirs_exist_ok=True)
        vault.start()
        device.ok("journal", "add", device.user, "--text", "the third")


def test_a_vault_that_is_killed_again_and_again_is_never_locked_by_its_own_marker(tmp_path: Path) -> None:
    """Each time right after an answer, so that the marker is some checkpoints behind, or just being written."""
    with (
        witnessing(tmp_path, 1) as (one,),
        serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault,
    ):
        one.start([ledger_vkey(vault)])
        add(vault, "one", one.vkey, one.url)
        device = Device(tmp_path / "home", vault.url)
        device.register()
        for number in range(4):
            device.ok("journal", "add", device.user, "--text", f"entry {number}")
            time.sleep(0.3 * number)
            vault.stop(signal.SIGKILL)
            vault.start()
        wait_until(lambda: signers(vault) == (4, [signers(vault)[1][0], one.name]))
        vault.stop()
        checked = vault.command("check", "--deep", "--json")
        assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, []), checked.stdout
        assert json.loads(checked.stdout)["checkpoints"] == 5
