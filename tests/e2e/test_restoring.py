"""The database is lost, and last night's copy is put in its place: real processes, and what people find afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fakes.backups import back_up, lose
from tests.fakes.processes import BIN, Answer, Device, RealVault, clean_environment, serving

HERS, HIS = ("tortue lavabo quinze nuage", "805193"), ("le chat dort au soleil", "416027")
NEW = "un bateau sur le lac", "739154"


def start(vault: RealVault) -> subprocess.CompletedProcess[str]:
    """Of a vault that will not be served."""
    return subprocess.run(
        [BIN / "temoin-server", "run", "--data", str(vault.data), "--port", str(vault.port)],
        capture_output=True, text=True, env=clean_environment(**vault.environment), timeout=30,
    )  # fmt: skip


def titles(answer: Answer) -> list[str]:
    """Of a list that was asked for as JSON, where each text is its own title."""
    assert answer.code == 0, answer
    return [one["title"] for one in answer.json]


def test_last_nights_copy_brings_back_nothing_that_was_changed_or_deleted(tmp_path: Path) -> None:
    with serving(tmp_path / "vault") as vault:
        before, after = (Device(tmp_path / "laptop", vault.url, "camille", *pair) for pair in (HERS, NEW))
        phone = Device(tmp_path / "phone", vault.url, "camille", *NEW)
        other = Device(tmp_path / "other", vault.url, "dominique", *HIS)
        before.register()
        other.register()
        for title in ("ce qui reste", "ce qui s'en va"):
            before.ok("journal", "add", "camille", "--title", title, "--text", title)
        ids = {one["title"]: one["id"] for one in before.ok("journal", "list", "camille", "--json").json}
        copy = tmp_path / "copy.db"
        back_up(vault, copy)

        before.ok("journal", "delete", "camille", ids["ce qui s'en va"])
        assert before.run("change", "camille", secrets=(*HERS, *NEW)).code == 0
        after.ok("journal", "add", "camille", "--title", "depuis la copie", "--text", "depuis")
        other.ok("delete-account", "dominique", "--yes")

        lose(vault, copy)
        refused = start(vault)
        assert refused.returncode == 1 and "database_set_back" in refused.stderr
        for command in (("witnesses", "list"), ("professionals", "list")):
            assert "database_set_back" in vault.command(*command).stderr
        checked = vault.command("check")
        assert checked.returncode == 1 and "database_set_back" in checked.stdout
        done = vault.command("restore")
        assert done.returncode == 0 and "goes on from 2 of 4 entries" in done.stdout
        assert vault.command("restore").stdout.startswith("This is the newest database")
        assert vault.command("check", "--deep").returncode == 0
        vault.start()

        assert "login_refused" in before.run("journal", "list", "camille").err
        assert "login_refused" in other.run("journal", "list", "dominique").err
        assert titles(phone.run("journal", "list", "camille", "--json")) == ["ce qui reste"]
        added = after.run("journal", "add", "camille", "--title", "après", "--text", "après")
        assert "ledger_forked" in added.err and "items_missing" in added.err  # told, and nobody is stopped
        assert "given back to it from this device: 1 version" in added.err
        assert "goes on from 2 of 4 entries" in added.err
        seen = after.run("journal", "list", "camille", "--json")
        assert titles(seen) == ["ce qui reste", "depuis la copie", "après"]
        assert sorted(titles(phone.run("journal", "list", "camille", "--json"))) == sorted(titles(seen))
        for device in (after, phone):
            device.ok("trust", "accept", "camille")
            opened = device.ok("journal", "list", "camille")
            assert "ledger_forked" not in opened.err and "items_missing" not in opened.err
        assert vault.command("check", "--deep").returncode == 0
