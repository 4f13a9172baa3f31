"""`temoin witness`: what its keeper sees."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import client_sdk.witness.serving
from client_sdk.cli import temoin
from crypto_core.receipts.note import COSIGNATURE, SignerKey, format_vkey, parse_vkey
from crypto_core.receipts.rotation import Rotation, sign_rotation
from tests.fakes.liar import FakeLedger
from tests.fakes.processes import free_port
from client_sdk.witness.folder import EvidenceFolder, open_folder
from client_sdk.witness.steps import NoSteps
from client_sdk.witness.store import Seen
from client_sdk.witness.wsgi import LEDGERS, ROTATIONS, STATE


def run(*arguments: object) -> Result:
    return CliRunner().invoke(temoin, ["witness", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    assert run("init", "witness.example/1", "--state", made).exit_code == 0
    return made


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would be served; no socket is opened."""
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(client_sdk.witness.serving, "serve", lambda *where: calls.append(where))
    monkeypatch.setattr(client_sdk.witness.serving, "find_address", lambda bind, _: bind)
    for name in (STATE, LEDGERS, ROTATIONS):
        monkeypatch.setenv(name, "")
    return calls


def test_init_prints_the_key_and_nothing_secret(tmp_path: Path) -> None:
    made = run("init", "witness.example/1", "--state", tmp_path / "state")
    key = parse_vkey(made.output.strip())
    assert (key.name, key.algorithm) == ("witness.example/1", COSIGNATURE)
    secret = (tmp_path / "state" / "witness.key").read_text().strip().split("+", 4)[4]  # base64 may have a plus, too
    assert secret not in made.output
    again = run("init", "witness.example/1", "--state", tmp_path / "state")
    assert again.exit_code == 1 and "witness_exists" in again.output


def test_serve_needs_ledgers_keys(folder: Path, tmp_path: Path, served: list[tuple[str, int]]) -> None:
    wrong = tmp_path / "policy.txt"
    wrong.write_text("quorum none\n")
    cosigner = format_vkey(SignerKey("w", bytes(32), COSIGNATURE).verifier)
    for arguments in ((), ("--log", "x"), ("--log", cosigner), ("--policy", wrong)):
        refused = run("serve", "--state", folder, *arguments)
        assert refused.exit_code == 1 and "witness_ledgers" in refused.output
    assert served == []


def test_serve_takes_keys_from_the_command_and_from_a_policy(
    folder: Path, tmp_path: Path, served: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, policy = FakeLedger().vkey, tmp_path / "policy.txt"
    other = format_vkey(SignerKey("ledger.example/other", bytes(32)).verifier)
    policy.write_text(f"log {other} https://ledger.example/other\nquorum none\n")
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)
    started = run("serve", "--state", folder, "--log", one, "--log", one, "--policy", policy, "--port", "8099")
    assert started.exit_code == 0, started.output
    assert served == [("127.0.0.1", 8099)]
    assert environment[LEDGERS].splitlines() == [one, other]
    assert environment[STATE] == str(folder)


def test_serve_takes_the_records_of_a_ledgers_keys(
    folder: Path, tmp_path: Path, served: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, second = FakeLedger(), SignerKey(FakeLedger().signer.name, bytes(32))
    records, environment = tmp_path / "rotations", dict[str, str]()
    rotation = Rotation(ledger.signer.verifier, second.verifier, 3, 0, 0)
    records.write_text(sign_rotation(rotation, ledger.signer, second))
    monkeypatch.setattr("os.environ", environment)
    assert run("serve", "--state", folder, "--log", ledger.vkey, "--rotations", records).exit_code == 0
    assert (environment[ROTATIONS], len(served)) == (str(records), 1)
    stranger = format_vkey(SignerKey("ledger.example/other", bytes(32)).verifier)
    refused = run("serve", "--state", folder, "--log", stranger, "--rotations", records)
    assert refused.exit_code == 1 and "rotation_broken" in refused.output
    records.write_text(records.read_text().replace("size 3", "size 2"))
    refused = run("serve", "--state", folder, "--log", ledger.vkey, "--rotations", records)
    assert refused.exit_code == 1 and "rotation_unsigned" in refused.output and len(served) == 1


def test_serve_refuses_a_folder_that_is_no_witness(tmp_path: Path, served: list[tuple[str, int]]) -> None:
    refused = run("serve", "--state", tmp_path, "--log", FakeLedger().vkey)
    assert refused.exit_code == 1 and "witness_missing" in refused.output


def test_an_address_at_which_nobody_can_listen_is_told_before_anything_is_said_to_listen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (STATE, LEDGERS, ROTATIONS):
        monkeypatch.setenv(name, "")
    words = ("serve", "--state", folder, "--log", FakeLedger().vkey)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(*words, "--port", port)
        assert (refused.exit_code, refused.stdout) == (1, "") and "witness_address" in refused.stderr
    for nobodys in ("192.0.2.1", "no..name"):  # RFC 5737
        assert "witness_address" in run(*words, "--host", nobodys).stderr
    served: list[tuple[str, int]] = []
    monkeypatch.setattr(client_sdk.witness.serving, "serve", lambda *where: served.append(where))
    assert run(*words, "--host", "localhost", "--port", port := free_port()).exit_code == 0
    assert served == [("127.0.0.1", port)]


def test_status_tells_what_was_seen_and_fails_on_a_fork(folder: Path) -> None:
    ledger = FakeLedger.of(3)
    _, store = open_folder(folder)
    store.advance(ledger.signer.name, lambda _: Seen(ledger.checkpoint(), ledger.note()), NoSteps())
    shown = run("status", "--state", folder)
    assert shown.exit_code == 0
    assert ledger.signer.name in shown.output and ledger.checkpoint().root.hex() in shown.output
    evidence = EvidenceFolder(folder)
    evidence.keep("unproven", ledger.note(), ledger.note())
    assert run("status", "--state", folder).exit_code == 0
    evidence.keep("fork", ledger.note(), ledger.forked(1).note())
    told = run("status", "--state", folder, "--json")
    assert told.exit_code == 1
    answer = json.loads(told.output)
    assert answer["ledgers"] == [
        {"origin": ledger.signer.name, "size": 3, "root": ledger.checkpoint().root.hex()}
    ]
    assert len(answer["forks"]) == len(answer["unproven"]) == 1
    text = run("status", "--state", folder)
    assert text.exit_code == 1 and "Two roots for one size" in text.output
