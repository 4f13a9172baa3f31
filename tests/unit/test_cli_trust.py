"""`temoin trust`, and what an opening says of a vault that was set back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client_sdk.errors import ItemsMissing, Refused
from client_sdk.items import Opening
from client_sdk.redeposit import LostFile, Settled
from crypto_core.randomness import make_id
from crypto_core.receipts.restoration import Restoration
from tests.fakes.cli_client import NOW, PIN, USER, Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path, monkeypatch)


def test_trust_accept_gives_password_and_pin_anew(terminal: Terminal) -> None:
    ended = terminal.run("trust", "accept", USER)
    assert (ended.exit_code, ended.stdout.split(":")[0]) == (0, "No warning stands now"), "there may have been none"
    assert [call[1] for call in terminal.fake.called("accept_trust")] == [PIN]


def test_trust_accept_says_what_became_of_what_the_vault_had_lost(terminal: Terminal) -> None:
    item, anew = make_id(), make_id()
    terminal.fake.settled = Settled(
        2, [anew], 3, [LostFile(item, "The\x1b[2Jhall", "hall.jpg")], Refused("quota_full", 413, "Full."),
    )
    ran = terminal.run("trust", "accept", USER)
    assert ran.exit_code == 0 and "\x1b" not in ran.stderr
    again = f"temoin journal edit {USER} ID --attach FILE"
    for part in (anew.hex(), item.hex(), "hall.jpg", again, "3 versions", "Full."):
        assert part in ran.stderr, part
    told = json.loads(terminal.run("trust", "accept", USER, "--json").stdout)
    assert told == {
        "given_back": 2, "anew": [anew.hex()], "written_off": 3, "left": "quota_full",
        "files": [{"id": item.hex(), "title": "The\x1b[2Jhall", "name": "hall.jpg"}],
    }  # fmt: skip
    terminal.fake.settled = Settled(record_older=True)
    said = " ".join(terminal.run("trust", "accept", USER).stderr.split())
    assert f"may be those from before again. If you had changed them, choose new ones now: temoin change {USER}" in said
    terminal.fake.settled = Settled()
    ran = terminal.run("trust", "accept", USER)
    assert ran.stderr == ""
    assert json.loads(terminal.run("trust", "accept", USER, "--json").stdout)["left"] is None


def test_an_opening_says_what_went_back_and_what_the_vault_has_signed_of_it(terminal: Terminal) -> None:
    signed = Restoration("ledger.example/2026", bytes(16), 812, 829, NOW)
    terminal.fake.opening = Opening(NOW, 0, 0, False, (ItemsMissing(),), given_back=1, restorations=(signed,))
    said = terminal.run("journal", "list", USER).stderr
    assert "given back to it from this device: 1 version." in said
    assert "put an older copy of itself in place" in said and "from 812 of 829 entries" in said
    assert "given back" not in terminal.run("journal", "list", USER, "--json").stderr


def test_each_command_says_which_files_are_to_be_added_again_though_it_fails(terminal: Terminal) -> None:
    item = make_id()
    terminal.fake.lost_files = (LostFile(item, "The\x1b[2Jhall", "hall.jpg"),)
    again = f"temoin journal edit {USER} ID --attach FILE"
    for command in (("journal", "list", USER), ("journal", "show", USER, make_id().hex())):
        said = terminal.run(*command).stderr
        assert "\x1b" not in said
        for part in (item.hex(), "hall.jpg", again):
            assert part in said, (command, part)
    assert "hall.jpg" not in terminal.run("journal", "list", USER, "--json").stderr
    terminal.fake.lost_files = ()
    assert terminal.run("journal", "list", USER).stderr == ""
