"""`temoin receipts export`: over an earlier export, never over what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from client_sdk.client import Draft
from client_sdk.dossier import POLICY, README, export_receipts
from tests.fakes.cli_client import USER, Terminal
from tests.fakes.devices import make_device, register
from tests.fakes.vault import FakeVault


@pytest.mark.parametrize("name", [README, POLICY])
def test_files_of_somebody_else_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    terminal = Terminal.on(tmp_path / "home", monkeypatch)
    (tmp_path / name).write_text("mine")
    ended = terminal.run("receipts", "export", USER, "0" * 32, "-o", tmp_path)
    assert (ended.exit_code, "of its own" in ended.stderr) == (2, True)
    assert (tmp_path / name).read_text() == "mine"
    assert terminal.fake.calls == []


def test_an_earlier_export_is_written_over_also_an_interrupted_one(
    vault: FakeVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, out = make_device(vault, tmp_path / "laptop"), tmp_path / "out"
    register(device)
    with device.log_in() as client:
        written = export_receipts(client, client.item(client.write_entry(Draft(text="proof")).id), out)
    assert sorted(written) == sorted(out.iterdir())
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600} and out.stat().st_mode & 0o777 == 0o700
    terminal = Terminal.on(tmp_path / "home", monkeypatch)
    for gone in ("nothing", POLICY, README):
        (out / gone).unlink(missing_ok=True)
        terminal.run("receipts", "export", USER, "0" * 32, "-o", out)
        assert terminal.fake.called("item")  # it went on to ask the vault
        terminal.fake.calls.clear()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("trust", "policy", USER), "FILE: "), (("receipts", "upgrade", USER, "--all", "--policy"), "--policy: "),
        (("verify-pack", ".", "--policy"), "--policy: "),
        (("witness", "serve", "--state", "nowhere", "--policy"), "--policy: "),
    ],
    ids=" ".join,
)
def test_a_policy_that_is_none_is_named_before_anybody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], named: str
) -> None:
    (tmp_path / "policy.txt").write_text("nonsense")
    terminal = Terminal.on(tmp_path / "home", monkeypatch)
    ended = terminal.run(*words, tmp_path / "policy.txt")
    assert (ended.exit_code, named in ended.stderr) == (1, True), ended.stderr
    assert terminal.fake.calls == []
