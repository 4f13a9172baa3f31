"""One bundle, three machines: a person's telephone shares, a lawyer's browser compares, opens, plays and saves, the
lawyer's command line opens it as well; the person sees it, ends it, and all that was open is refused.

Knows: the whole way, once. Refuses to know: its byways (test_sharing.py, test_reading.py).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Frame, expect

from client_sdk.client import VaultClient
from client_sdk.errors import Refused
from tests.browser.app.test_playing import player
from tests.browser.app.test_sharing import MESSAGE, WRITTEN, choose, finish, look_again, look_for
from tests.fakes.film import make_film
from tests.fakes.listed import approve
from tests.fakes.processes import Device, RealVault
from tests.fakes.visitor import PASSWORD, PIN, Visitor

FILM = 3_000_000
NAME = "Maître Ariane Noël"
LAWYER = "cabinet du bord de l’eau"
NO_PICKER = "delete window.showSaveFilePicker"
"""As in Firefox and Safari: what is saved is a download."""


def become_listed(lawyer: Visitor, vault: RealVault) -> str:
    """Moves in, asks, is approved; the digits that stand on the lawyer's page."""
    page, lawyer.username = lawyer.page, LAWYER
    lawyer.move_in()
    lawyer.go_to("shell.settings")
    page.get_by_role("link").filter(has_text=lawyer.say("account.settings.listing")).click()
    page.get_by_text(lawyer.say("reading.listing.state.none")).wait_for()
    digits = " ".join(page.locator(".fingerprint").inner_text().split())
    lawyer.fill("reading.listing.name", NAME)
    lawyer.fill("reading.listing.town", "Grenoble")
    lawyer.fill("account.confirm.password", lawyer.password)
    lawyer.fill("account.confirm.pin", lawyer.pin)
    lawyer.press("reading.listing.do")
    page.get_by_text(lawyer.say("reading.listing.state.pending")).wait_for()
    approve(vault, digits)
    return digits


def play(lawyer: Visitor) -> Frame:
    """Opens the film, and goes to its fifteenth second."""
    lawyer.page.get_by_role("button", name=lawyer.say("documents.open.video")).click()
    frame = player(lawyer.page)
    film = frame.locator("video")
    film.evaluate("(media) => media.readyState > 0 || new Promise((ready) => { media.onloadedmetadata = ready })")
    film.evaluate("(media) => new Promise((ready) => { media.onseeked = ready; media.currentTime = 15 })")
    assert film.evaluate("(media) => media.currentTime") == pytest.approx(15, abs=0.5)
    return frame


def test_shared_compared_opened_played_saved_seen_and_ended(
    visitor: Visitor, other_context: BrowserContext, real_vault: RealVault, tmp_path: Path
) -> None:
    make_film(tmp_path / "film.mp4", 20, FILM)
    lawyer = Visitor(other_context.new_page(), real_vault.url)
    lawyer.page.add_init_script(NO_PICKER)
    office = Device(tmp_path / "office", real_vault.url, LAWYER, PASSWORD, PIN)
    digits = become_listed(lawyer, real_vault)

    # the person's telephone
    page, visitor.username = visitor.page, "partage en trois lieux"
    visitor.move_in()
    visitor.write(WRITTEN, files=[tmp_path / "film.mp4"])
    choose(visitor, WRITTEN)
    look_for(visitor, NAME)
    assert " ".join(page.locator(".digits span").all_inner_texts()) == digits
    visitor.press("share.compare.same")
    finish(visitor)
    visitor.heading("share.done.title")

    # the lawyer's browser
    lawyer.page.reload()
    lawyer.log_in()
    lawyer.go_to("shell.settings")
    lawyer.page.get_by_role("link").filter(has_text=lawyer.say("account.settings.listing")).click()
    lawyer.follow("reading.inbox.title")
    lawyer.page.get_by_role("button").filter(has_text=lawyer.say("reading.inbox.open")).click()
    lawyer.heading("reading.title")
    for text in (MESSAGE, WRITTEN):
        expect(lawyer.page.get_by_text(text).first).to_be_visible()
    frame = play(lawyer)
    lawyer.press("pack.save.name")
    with lawyer.page.expect_download() as saved:
        lawyer.press("pack.save.do")
    saved.value.save_as(tmp_path / "pack.zip")
    checked = office.ok("verify-pack", tmp_path / "pack.zip")
    assert "film.mp4" not in checked.err

    # the lawyer's command line
    [received] = office.ok("pro", "inbox", LAWYER, "--json").json
    opened = office.ok("pro", "open", LAWYER, received["bundle"], "-o", tmp_path / "out", "--json").json
    assert (opened["message"], opened["items"], opened["missing"]) == (MESSAGE, 1, [])
    [original] = (tmp_path / "out" / "originals").iterdir()
    assert original.read_bytes() == (tmp_path / "film.mp4").read_bytes()

    # seen, and ended, while a film plays here and a download runs there
    look_again(visitor)
    expect(page.get_by_text(visitor.say("share.list.count", count=2, of=10))).to_be_visible()
    with VaultClient.connect(real_vault.url, tmp_path / "third") as reader:
        reader.log_in(LAWYER, PASSWORD, PIN)
        held = reader.office.open(bytes.fromhex(received["bundle"]))
        (content,) = held.items[0].item.contents
        download = held.sealed(content)
        assert next(download)
        page.get_by_role("button").filter(has_text=visitor.say("share.revoke.name")).click()
        visitor.press("share.revoke.do")
        page.get_by_text(visitor.say("share.revoke.done")).wait_for()
        with pytest.raises(Refused) as refused:
            sum(map(len, download))
            list(held.sealed(content))
        assert refused.value.code == "bundle_over"
    with suppress(Error):  # it may have gone on reading, been refused, and be gone already
        frame.evaluate("document.querySelector('video').currentTime = 1")
    lawyer.page.get_by_text(lawyer.say("problem.bundle_over")).first.wait_for()
    late = office.run("pro", "open", LAWYER, received["bundle"], "-o", tmp_path / "late")
    assert late.code == 1 and not (tmp_path / "late").exists()
