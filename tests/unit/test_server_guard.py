"""A ledger that was set back, replaced or given another key does not sign; and no crash makes a sound one stop."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from crypto_core.encoding import format_b64url
from crypto_core.receipts.checkpoint import parse_checkpoint
from crypto_core.receipts.note import SignerKey, open_note
from server.cli import main
from server.folder import LEDGER_KEY
from server.ledger.check import check_deep
from server.ledger.keeper import LedgerKeeper
from server.ledger.marker import MARKER
from server.ledger.submitting import Posted
from server.parts import Parts, assemble
from server.problems import Refusal
from server.uploads.kept import keep_blob
from tests.fakes.vault import FakeVault, open_person
from tests.unit.test_server_ledger import deposit, enter_one, start_all
from tests.unit.test_server_witnesses import Scene


def nobody(_address: str, _body: bytes) -> Posted:
    raise AssertionError("there is no witness")


def keeper_of(parts: Parts) -> LedgerKeeper:
    return LedgerKeeper(parts, nobody)


def restarted(vault: FakeVault, signer: SignerKey | None = None) -> Parts:
    """The same folder, as a new process opens it; with the key of `signer` in the place of its own."""
    vault.parts.database.close()
    if signer is not None:
        (vault.parts.config.data / LEDGER_KEY).write_text(f"{format_b64url(signer.seed)}\n")
    return assemble(vault.parts.config, vault.parts.folder, clock=vault.clock)


def copy_of(vault: FakeVault, name: str) -> Path:
    """A copy of the database, as a backup has it."""
    vault.parts.database.close()
    database = vault.parts.config.database_file
    assert not database.with_name("vault.db-wal").exists()
    return Path(shutil.copy(database, database.with_name(name)))


def put_back(vault: FakeVault, copy: Path) -> None:
    vault.parts.database.close()
    shutil.copy(copy, vault.parts.config.database_file)


def reasons(parts: Parts) -> list[str]:
    return [reason.code for reason in keeper_of(parts).begin()]


def signs(parts: Parts) -> bool:
    try:
        parts.ledger.commit(enter_one(5))
    except Refusal as refusal:
        assert refusal.code == "ledger_stopped"
        return False
    return True


def marked(vault: FakeVault) -> int:
    note = (vault.parts.config.data / MARKER).read_bytes()
    return parse_checkpoint(open_note(note, [vault.parts.folder.ledger_signer.verifier]).text).size


def test_the_marker_follows_the_ledger_and_is_its_signed_note(vault: FakeVault) -> None:
    keeper = keeper_of(vault.parts)
    for size in range(4):
        keeper.look()
        assert marked(vault) == size
        deposit(vault, size)
    path = vault.parts.config.data / MARKER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keeper.look()
    before = path.stat().st_mtime_ns, path.stat().st_ino
    keeper.look()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_a_marker_that_a_crash_left_behind_locks_nothing(vault: FakeVault, behind: int) -> None:
    deposit(vault, *range(4 - behind))
    keeper_of(vault.parts).look()
    deposit(vault, *range(behind))
    parts = restarted(vault)
    assert reasons(parts) == [] and marked(vault) == 4
    assert signs(parts)
    parts.close()


def test_half_a_marker_is_never_seen(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while the new one is written: the old one is there, whole; what lies beside it is overwritten."""
    deposit(vault, 0)
    keeper_of(vault.parts).look()
    deposit(vault, 1)
    with monkeypatch.context() as killed:
        killed.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("gone")))
        keeper_of(vault.parts).look()
    assert marked(vault) == 1
    (vault.parts.config.data / "ledger.new").write_text("half")
    keeper_of(vault.parts).look()
    assert marked(vault) == 2


def test_no_marker_is_made_one(vault: FakeVault) -> None:
    deposit(vault, 0)
    assert not (vault.parts.config.data / MARKER).exists()
    parts = restarted(vault)
    assert signs(parts)
    assert reasons(parts) == [] and marked(vault) == 2
    parts.close()


def test_an_old_copy_of_the_database_is_noticed_and_reading_goes_on(vault: FakeVault) -> None:
    deposit(vault, 0, 1)
    copy = copy_of(vault, "copy.db")
    deposit(vault, 2)
    keeper_of(vault.parts).look()
    put_back(vault, copy)
    parts = restarted(vault)
    assert reasons(parts) == ["ledger_went_backwards"]
    assert not signs(parts)
    assert marked(vault) == 3, "the evidence was overwritten"
    with parts.database.read() as session:
        assert parts.ledger.receipt(session, 1).receipt
    assert parts.ledger.commit(lambda _session, enter: enter([])) == []
    parts.close()


def test_the_right_copy_put_back_is_enough(vault: FakeVault) -> None:
    deposit(vault, 0)
    old = copy_of(vault, "old.db")
    deposit(vault, 1)
    new = copy_of(vault, "new.db")
    keeper_of(vault.parts).look()
    put_back(vault, old)
    parts = restarted(vault)
    assert not signs(parts)
    parts.close()
    put_back(vault, new)
    parts = restarted(vault)
    assert reasons(parts) == [] and signs(parts)
    parts.close()


def test_an_old_copy_that_grew_again_is_another_history(vault: FakeVault) -> None:
    deposit(vault, 0)
    copy = copy_of(vault, "copy.db")
    deposit(vault, 1)
    keeper_of(vault.parts).look()
    put_back(vault, copy)
    unmarked = restarted(vault)
    (vault.parts.config.data / MARKER).rename(vault.parts.config.data / "away")
    for number in (7, 8):
        unmarked.ledger.commit(enter_one(number))
    unmarked.close()
    (vault.parts.config.data / "away").rename(vault.parts.config.data / MARKER)
    parts = restarted(vault)
    assert reasons(parts) == ["ledger_diverged"]
    assert not signs(parts) and marked(vault) == 2
    parts.close()


def test_a_running_process_notices_by_itself(vault: FakeVault) -> None:
    deposit(vault, 0)
    copy = copy_of(vault, "copy.db")
    deposit(vault, 1)
    put_back(vault, copy)
    assert not signs(vault.parts)


def test_another_key_is_another_ledger(vault: FakeVault) -> None:
    deposit(vault, 0)
    keeper_of(vault.parts).look()
    other = SignerKey(vault.parts.ledger.origin, bytes(32))
    parts = restarted(vault, other)
    assert reasons(parts) == ["ledger_key_replaced", "ledger_marker_damaged"]
    assert not signs(parts)
    parts.close()
    assert marked(vault) == 1


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff" * 99])
def test_a_damaged_marker_is_told_and_may_be_removed(vault: FakeVault, damage: bytes) -> None:
    deposit(vault, 0)
    path = vault.parts.config.data / MARKER
    path.write_bytes(damage)
    parts = restarted(vault)
    assert reasons(parts) == ["ledger_marker_damaged"]
    assert not signs(parts)
    path.unlink()
    assert signs(parts)
    parts.close()


def test_a_tree_without_its_nodes_is_another_history(vault: FakeVault) -> None:
    deposit(vault, *range(4))
    keeper_of(vault.parts).look()
    with vault.parts.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_nodes WHERE level = 2"))
    parts = restarted(vault)
    assert reasons(parts) == ["ledger_diverged"]
    parts.close()


def test_who_is_batched_with_whom_does_not_matter(vault: FakeVault) -> None:
    """Of several in one transaction those that enter nothing are done, the others refused."""
    deposit(vault, 0)
    copy = copy_of(vault, "copy.db")
    deposit(vault, 1)
    put_back(vault, copy)
    outcomes = start_all(vault, [enter_one(1), lambda _session, _enter: "done", enter_one(2)])
    assert [str(one) for one in outcomes] == ["ledger_stopped", "done", "ledger_stopped"]


def test_every_reason_is_a_sentence_for_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`temoin-server run` says it and serves nevertheless."""
    data, served = tmp_path / "data", list[object]()
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    (data / MARKER).write_text("x")
    monkeypatch.setattr("server.cli.serve", lambda *arguments, **_: served.append(arguments))
    for name in ("TEMOIN_DATA", "TEMOIN_HOST"):
        monkeypatch.setenv(name, "")
    run = CliRunner().invoke(main, ["run", "--data", str(data)])
    assert run.exit_code == 0 and len(served) == 1
    assert "ledger_marker_damaged" in run.output and "Nothing new is kept" in run.output


# check --deep


@pytest.fixture
def sound(vault: FakeVault, tmp_path: Path) -> Scene:
    """A vault with a person's blobs, two witnesses that have cosigned, a marker, and nothing wrong."""
    scene = Scene(vault, tmp_path)
    scene.add("one", "two")
    person = open_person(vault)
    for number in range(6):
        keep_blob(vault.parts, person.account, bytes([number] * 16), bytes([number]) * 1000)
        if number % 2:
            scene.look()
    return scene


def test_a_sound_vault_is_sound_to_the_bottom(sound: Scene) -> None:
    report = check_deep(sound.vault.parts)
    assert report.problems == []
    assert (report.entries, report.checkpoints, report.cosignatures) == (6, 7, 6)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE checkpoints SET note = 'x' || note WHERE size = 3", "checkpoint of 3 entries is not signed"),
        ("UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 2) WHERE size = 3",
         "checkpoint of 3 entries is not that of the tree"),
        ("UPDATE checkpoints SET time = time + 60 WHERE size = 2", "checkpoint of 3 entries is older"),
        ("UPDATE checkpoints SET size = 9 WHERE size = 5", "checkpoint of 9 entries, and there are only 6"),
        ("UPDATE cosignatures SET time = time + 1 WHERE size = 4", "under 4 entries does not verify"),
        ("UPDATE cosignatures SET size = 3 WHERE size = 4", "under 3 entries does not verify"),
        ("UPDATE cosignatures SET line = line || line WHERE size = 2", "under 2 entries does not verify"),
        ("UPDATE cosignatures SET vkey = 'x' || vkey WHERE size = 2", "under 2 entries does not verify"),
        ("UPDATE cosignatures SET size = 77 WHERE size = 2", "under 77 entries does not verify"),
        ("UPDATE witnesses SET size = 7 WHERE name = 'one'", "witness one has seen 7 entries"),
        ("UPDATE witnesses SET trouble = 'ledger_disputed' WHERE name = 'two'", "ledger_disputed: two"),
        ("DELETE FROM checkpoints WHERE size = 6", "newest checkpoint is not that of the tree"),
        ("DELETE FROM checkpoints", "newest checkpoint is not signed"),
    ],
)  # fmt: skip
def test_what_only_the_deep_check_sees(sound: Scene, damage: str, problem: str) -> None:
    with closing(sqlite3.connect(sound.vault.parts.config.database_file)) as connection, connection:
        connection.execute(damage)  # a connection of its own: no foreign key is looked at
    problems = check_deep(sound.vault.parts).problems
    assert any(problem in one for one in problems), problems


def test_the_deep_check_looks_at_the_marker(sound: Scene) -> None:
    marker = sound.vault.parts.config.data / MARKER
    whole = marker.read_bytes()
    marker.unlink()
    assert any("no ledger.mark" in one for one in check_deep(sound.vault.parts).problems)
    marker.write_bytes(whole[:-1])
    assert any("ledger_marker_damaged" in one for one in check_deep(sound.vault.parts).problems)


def test_every_size_is_looked_at_whatever_the_batches(sound: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints of every size up to 40, the batches of entries ending anywhere between them."""
    deposit(sound.vault, *range(34))
    sound.look()
    for batch in (1, 3, 7, 40, 1000):
        monkeypatch.setattr("server.ledger.check.BATCH", batch)
        report = check_deep(sound.vault.parts)
        assert report.checkpoints == 41
        assert [one for one in report.problems if "belongs to no" not in one] == []


def test_the_command_tells_both(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert CliRunner().invoke(main, ["init", "--data", data]).exit_code == 0
    deep = CliRunner().invoke(main, ["check", "--deep", "--data", data])
    assert deep.exit_code == 0 and "checkpoints: 1" in deep.output and "cosignatures: 0" in deep.output
    assert "checkpoints" not in CliRunner().invoke(main, ["check", "--data", data]).output
    (tmp_path / "data" / MARKER).unlink()
    assert CliRunner().invoke(main, ["check", "--deep", "--data", data]).exit_code == 1
