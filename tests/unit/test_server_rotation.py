"""The ledger's key is replaced: announced, signed by both, let go; in a vault that runs, and killed at every step."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crypto_core.encoding import format_b64url, parse_json
from crypto_core.receipts.note import format_vkey, parse_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import verify_receipt
from crypto_core.receipts.rotation import open_rotations, rotate_policy
from server.cli import main
from server.folder import LEDGER_KEY
from server.ledger.check import check_deep
from server.ledger.keys import NEXT_KEY, ROTATIONS, LedgerRotationsDamaged
from server.ledger.marker import MARKER, MarkerDamaged
from server.ledger.rotation import RotationNone, RotationTooEarly, announce_rotation, finish_rotation, rotation_state
from server.parts import Parts, assemble
from server.steps import STEPS
from tests.fakes.vault import FakeVault, said
from tests.unit.test_server_guard import keeper_of, reasons, signs
from tests.unit.test_server_ledger import SIZE, deposit, digest_of, enter_one

DAY = 86_400
KILLING = """
import os, pathlib, signal, sys
from server.config import ServerConfig
from server.ledger.rotation import announce_rotation, finish_rotation
from server.parts import open_parts

class Steps:
    def reach(self, name):
        if name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

parts = open_parts(ServerConfig(pathlib.Path(sys.argv[1])), steps=Steps())
announce_rotation(parts, 0)
finish_rotation(parts)
"""
"""A rotation in a process of its own that dies at the step it is given."""


def policy_of(vkey: str, vault: FakeVault) -> Policy:
    """Of somebody who knows one key, and reads the records."""
    return rotate_policy(Policy.for_key(vkey), open_rotations(vault.ask("GET", "/ledger/rotations").data))


def shown_vkey(vault: FakeVault) -> str:
    return str(said(vault.ask("GET", "/v1/vault"))["ledger_vkey"])


def signatures(note: str) -> int:
    return len(parse_note(note.encode()).signatures)


def require_valid(receipts: list[str], *policies: Policy) -> None:
    for number, receipt in enumerate(receipts):
        for policy in policies:
            verify_receipt(receipt.encode(), sha256=digest_of(number), size=SIZE, policy=policy)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def damage_of(vault: FakeVault) -> list[str]:
    """What a deep check finds, but for the deposits of these tests, which are of no item."""
    return [one for one in check_deep(vault.parts).problems if "belongs to no" not in one]


@pytest.fixture
def other(vault: FakeVault) -> Iterator[Parts]:
    """A second process of the same vault, which has begun before anything was announced."""
    parts = assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)
    assert signs(parts)
    yield parts
    parts.close()


def test_from_one_key_to_the_next_every_receipt_stays_valid(vault: FakeVault) -> None:
    keeper = keeper_of(vault.parts)
    first = shown_vkey(vault)
    assert vault.ask("GET", "/ledger/rotations").data == b""
    receipts = [one.receipt for one in deposit(vault, 0, 1)]
    record = announce_rotation(vault.parts, 28 * DAY)
    second = shown_vkey(vault)
    assert (format_vkey(record.old), format_vkey(record.new), record.size) == (first, second, 2) and first != second
    receipts += [one.receipt for one in deposit(vault, 2, 3)]
    assert [signatures(receipt.partition("\n\n")[2]) for receipt in receipts] == [1, 1, 2, 2]
    require_valid(receipts, Policy.for_key(first))  # who has not heard of it needs not to, while both sign
    keeper.look()
    with pytest.raises(RotationTooEarly) as caught:
        finish_rotation(vault.parts)
    assert caught.value.detail == "2026-03-29T12:00:00Z"
    vault.clock.advance(28 * DAY - 1)
    with pytest.raises(RotationTooEarly):
        finish_rotation(vault.parts)
    vault.clock.advance(1)
    assert finish_rotation(vault.parts) == record
    receipts += [one.receipt for one in deposit(vault, 4, 5)]
    assert [signatures(receipt.partition("\n\n")[2]) for receipt in receipts[4:]] == [1, 1]
    require_valid(receipts, policy_of(first, vault), policy_of(second, vault))
    keeper.look()
    assert reasons(vault.parts) == [] and damage_of(vault) == []
    assert not (vault.parts.config.data / NEXT_KEY).exists()


def test_files_are_for_nobody_else_and_what_is_served_is_public(vault: FakeVault) -> None:
    announce_rotation(vault.parts, 0)
    data = vault.parts.config.data
    assert [mode(data / name) for name in (LEDGER_KEY, NEXT_KEY, ROTATIONS)] == [0o600] * 3
    served = vault.ask("GET", "/ledger/rotations")
    assert (served.data, served.headers["Cache-Control"]) == ((data / ROTATIONS).read_bytes(), "no-cache")
    assert (data / NEXT_KEY).read_text().strip() not in served.text
    old = (data / LEDGER_KEY).read_text()
    new = (data / NEXT_KEY).read_text()
    finish_rotation(vault.parts)
    assert (data / LEDGER_KEY).read_text() == new != old
    assert not any(old.encode() in path.read_bytes() for path in data.iterdir() if path.is_file())


def test_a_process_that_runs_takes_the_keys_of_the_moment(vault: FakeVault, other: Parts) -> None:
    announce_rotation(vault.parts, 0)
    assert signatures(other.ledger.commit(enter_one(6)).receipt.partition("\n\n")[2]) == 2
    finish_rotation(vault.parts)
    assert signatures(other.ledger.commit(enter_one(7)).receipt.partition("\n\n")[2]) == 1
    assert other.ledger.signer == vault.parts.ledger.signer
    assert damage_of(vault) == ["there is no ledger.mark beside the database; `temoin-server run` makes it"]


def test_a_second_rotation_follows_the_first(vault: FakeVault) -> None:
    first, receipts = shown_vkey(vault), []
    for number in range(3):
        receipts += [deposit(vault, 2 * number)[0].receipt]
        announce_rotation(vault.parts, DAY)
        receipts += [deposit(vault, 2 * number + 1)[0].receipt]
        vault.clock.advance(DAY)
        finish_rotation(vault.parts)
    chain = open_rotations(vault.ask("GET", "/ledger/rotations").data)
    assert [one.size for one in chain.rotations] == [0 + 1, 3, 5]
    require_valid(receipts, *(policy_of(format_vkey(key), vault) for key in chain.keys))
    assert format_vkey(chain.keys[0]) == first and damage_of(vault)[1:] == []


def test_what_is_done_already_is_not_done_again(vault: FakeVault) -> None:
    with pytest.raises(RotationNone):
        finish_rotation(vault.parts)
    record = announce_rotation(vault.parts, 0)
    assert announce_rotation(vault.parts, 9 * DAY) == record
    assert rotation_state(vault.parts).is_under_way
    assert finish_rotation(vault.parts) == finish_rotation(vault.parts) == record
    assert not rotation_state(vault.parts).is_under_way


def test_nothing_is_announced_by_a_ledger_that_does_not_sign(vault: FakeVault) -> None:
    deposit(vault, 0)
    (vault.parts.config.data / MARKER).write_bytes(b"x")
    parts = assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)
    with pytest.raises(MarkerDamaged) as caught:
        announce_rotation(parts, 0)
    assert "Error" not in caught.value.detail and caught.value.detail
    assert not (vault.parts.config.data / ROTATIONS).exists()
    parts.close()


@pytest.mark.parametrize("stop", range(8))
def test_killed_between_any_two_writes_and_done_again(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """The n-th sync to disk never ends; whatever is left, the vault runs and the command goes on."""
    first, receipts = shown_vkey(vault), [deposit(vault, 0)[0].receipt]
    counted = 0

    def dying(descriptor: int) -> None:
        nonlocal counted
        if counted == stop:
            raise KeyboardInterrupt
        counted += 1

    with monkeypatch.context() as killed:
        killed.setattr("server.folder.os.fsync", dying)
        try:
            announce_rotation(vault.parts, 0)
            finish_rotation(vault.parts)
        except KeyboardInterrupt:
            assert counted == stop
        else:
            assert counted == 5, "two files and their renames, and the last rename"
    parts = assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)
    receipts.append(parts.ledger.commit(enter_one(1)).receipt)
    announce_rotation(parts, 0)
    finish_rotation(parts)
    receipts.append(parts.ledger.commit(enter_one(2)).receipt)
    require_valid(receipts, policy_of(first, vault), policy_of(shown_vkey(vault), vault))
    assert reasons(parts) == [] and damage_of(vault) == []
    parts.close()


@pytest.mark.parametrize("step", [step for step in STEPS if step.startswith("rotation.")])
def test_kill_9_at_every_step(tmp_path: Path, step: str) -> None:
    data = tmp_path / "data"
    assert call("init", data).exit_code == 0
    died = subprocess.run([sys.executable, "-c", KILLING, data, step], capture_output=True, timeout=120)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert call("check", data, "--deep").exit_code == 0
    assert call("rotation", data, "announce", "--overlap", "0").exit_code == 0
    assert call("rotation", data, "finish").exit_code == 0
    status = json_of(call("rotation", data, "status", "--json"))
    assert status["vkey"] == status["records"][-1]["new"] and not status["under_way"]
    assert call("check", data, "--deep").exit_code == 0


# what the guard says


def replace_key(vault: FakeVault, name: str = LEDGER_KEY) -> None:
    (vault.parts.config.data / name).write_text(f"{format_b64url(bytes(32))}\n")


def after_a_rotation(vault: FakeVault) -> Path:
    deposit(vault, 0)
    announce_rotation(vault.parts, 0)
    deposit(vault, 1)
    finish_rotation(vault.parts)
    deposit(vault, 2)
    return vault.parts.config.data


def test_a_key_that_no_record_leads_to_signs_nothing(vault: FakeVault) -> None:
    after_a_rotation(vault)
    replace_key(vault)
    parts = assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)
    assert reasons(parts)[0] != "" and not signs(parts)
    parts.close()


@pytest.mark.parametrize("name", [LEDGER_KEY, NEXT_KEY])
def test_while_both_sign_neither_may_be_another(vault: FakeVault, name: str) -> None:
    deposit(vault, 0)
    announce_rotation(vault.parts, 0)
    replace_key(vault, name)
    assert reasons(vault.parts) == ["ledger_key_replaced"] and not signs(vault.parts)


def test_the_old_key_put_back_signs_nothing(vault: FakeVault) -> None:
    old = (vault.parts.config.data / LEDGER_KEY).read_text()
    data = after_a_rotation(vault)
    (data / LEDGER_KEY).write_text(old)
    assert not signs(vault.parts) and reasons(vault.parts) == ["ledger_key_replaced"]


def test_lost_records_are_told_and_put_back(vault: FakeVault) -> None:
    data = after_a_rotation(vault)
    records = (data / ROTATIONS).read_bytes()
    (data / ROTATIONS).unlink()
    assert reasons(vault.parts) == ["ledger_key_replaced"] and not signs(vault.parts)
    (data / ROTATIONS).write_bytes(records)
    assert reasons(vault.parts) == [] and signs(vault.parts)


@pytest.mark.parametrize("damage", [b"x", b"\xff" * 99, b"\n"])
def test_damaged_records_stop_deposits_and_nothing_else(vault: FakeVault, damage: bytes) -> None:
    data = after_a_rotation(vault)
    vkey, records = shown_vkey(vault), (data / ROTATIONS).read_bytes()
    (data / ROTATIONS).write_bytes(damage)
    assert reasons(vault.parts) == ["ledger_rotations_damaged"] and not signs(vault.parts)
    assert (shown_vkey(vault), vault.ask("GET", "/ledger/rotations").data) == (vkey, records)
    with pytest.raises(LedgerRotationsDamaged) as caught:
        announce_rotation(vault.parts, 0)
    assert "Error" not in caught.value.detail and caught.value.detail
    assert "ledger_rotations_damaged" in str(check_deep(vault.parts).problems)


def test_a_list_that_is_full_takes_no_more(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.ledger.keys.MAX_ROTATIONS_SIZE", 100)
    with pytest.raises(ValueError, match="room"):
        announce_rotation(vault.parts, 0)


# the command


def call(command: str, data: Path, *more: str) -> Result:
    return CliRunner().invoke(main, [command, *more, "--data", str(data)])


def json_of(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return parse_json(result.stdout.encode())


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    data = tmp_path / "data"
    call("init", data)
    assert json_of(call("rotation", data, "status", "--json"))["records"] == []
    none = call("rotation", data, "finish")
    assert (none.exit_code, RotationNone.sentence in none.output) == (1, True)
    announced = call("rotation", data, "announce", "--overlap", "1")
    assert announced.exit_code == 0 and "Both keys sign every tree of more than 0 entries" in announced.output
    early = call("rotation", data, "finish")
    assert (early.exit_code, RotationTooEarly.sentence in early.output) == (1, True)
    status = call("rotation", data, "status")
    assert "beyond 0 entries" in status.output and "The old key signs as well" in status.output
    for name in (LEDGER_KEY, NEXT_KEY):
        assert (data / name).read_text().strip() not in announced.output + status.output
