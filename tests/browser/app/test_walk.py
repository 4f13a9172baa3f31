"""The whole walk in a browser: sign up, write, photograph, sensitive, lock, PIN, out, and in again elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.fakes.processes import Device, RealVault
from tests.fakes.visitor import Visitor

PHOTOGRAPH = Path(__file__).parents[3] / "docs" / "demo" / "photograph.jpg"
WRITTEN = "Ce soir, il a fermé la porte à clef. Je note tout."
BEHIND = "Les mots exacts, derrière le code."


def test_from_sign_up_to_another_device_and_the_command_line(
    visitor: Visitor, other_context: BrowserContext, real_vault: RealVault, tmp_path: Path
) -> None:
    visitor.username = "marche entière"
    visitor.sign_up()
    visitor.write(WRITTEN, files=[PHOTOGRAPH])
    visitor.write(BEHIND, sensitive=True)
    visitor.lock()

    visitor.log_in()
    visitor.go_to("shell.journal")
    row = visitor.page.get_by_role("link").filter(has_text=visitor.say("journal.state.locked")).first
    row.click()
    visitor.press("journal.locked.open")
    visitor.give_pin()
    expect(visitor.page.get_by_text(BEHIND).first).to_be_visible()
    visitor.lock()

    elsewhere = Visitor(other_context.new_page(), real_vault.url, "en", visitor.username)
    elsewhere.log_in()
    elsewhere.open_row(WRITTEN[:20])
    expect(elsewhere.page.get_by_text(WRITTEN).first).to_be_visible()

    laptop = Device(tmp_path / "home", real_vault.url, visitor.username, visitor.password, visitor.pin)
    entries = laptop.ok("journal", "list", laptop.user, "--json").json
    with_file = next(entry for entry in entries if entry["contents"])
    laptop.ok("documents", "get", laptop.user, with_file["id"], "-o", tmp_path / "out")
    got, = [path for path in (tmp_path / "out").rglob("*") if path.is_file()] or [tmp_path / "out"]
    assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(PHOTOGRAPH.read_bytes()).digest()
    laptop.ok("journal", "add", laptop.user, "--text", "Written by the command line.")
    elsewhere.lock()
    elsewhere.log_in()
    elsewhere.open_row("Written by the command line.")
    expect(elsewhere.page.get_by_text("Written by the command line.").first).to_be_visible()
