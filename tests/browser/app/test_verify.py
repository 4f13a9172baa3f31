"""Somebody without an account checks a receipt in the browser, by keyboard, and nothing is sent."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from playwright.sync_api import Request, expect

from server.parts import open_parts
from server.config import ServerConfig
from tests.fakes.processes import RealVault
from tests.fakes.visitor import Visitor

SEALED = bytes(range(256)) * 16_384
"""Four MiB: more than a block that is hashed at once."""


def deposit(vault: RealVault, folder: Path) -> list[Path]:
    """A sealed file and its receipt by the vault's own ledger."""
    parts = open_parts(ServerConfig(data=vault.data))
    try:
        (made,) = parts.ledger.commit(lambda _session, enter: enter([(sha256(SEALED).digest(), len(SEALED))]))
    finally:
        parts.close()
    sealed, receipt = folder / "x.sealed", folder / "x.tlog-proof"
    sealed.write_bytes(SEALED)
    receipt.write_text(made.receipt)
    return [sealed, receipt]


def test_a_receipt_is_checked_without_an_account_by_keyboard_and_nothing_is_sent(
    visitor: Visitor, real_vault: RealVault, tmp_path: Path
) -> None:
    page, sent = visitor.page, list[Request]()
    page.goto(f"{real_vault.url}/fr/13")
    page.get_by_role("link", name="Vérifier un reçu ici").press("Enter")
    visitor.heading("receipts.verify.name")
    page.context.on("request", lambda request: sent.append(request))
    page.get_by_label(visitor.say("receipts.verify.choose")).set_input_files(deposit(real_vault, tmp_path))
    button = page.get_by_role("button", name=visitor.say("receipts.verify.do"), exact=True)
    button.wait_for()
    page.get_by_label(visitor.say("receipts.verify.choose")).focus()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text(visitor.say("receipts.outcome.valid"), exact=True).wait_for()
    expect(page.get_by_text(visitor.say("receipts.verify.mark.holds"), exact=True)).to_have_count(7)
    expect(page.get_by_text(visitor.say("receipts.verify.key_here"), exact=True)).to_be_visible()
    assert [one.url for one in sent if one.method != "GET" or one.post_data_buffer] == []
    asked = {one.url.removeprefix(real_vault.url) for one in sent}
    assert {one for one in asked if not one.startswith("/a/")} == {
        "/v1/vault", "/ledger/rotations"
    }, "the public keys, and no more"
    digest = sha256(SEALED).hexdigest()
    assert not any(digest[:16] in one for one in asked)
