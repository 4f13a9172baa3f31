"""The server sees nothing of what a browser keeps: canaries through every view, then looked for in all that it got."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.sharing import Link, Sharing
from tests.browser.app.conftest import describe_vault
from tests.fakes.canary import find_canaries
from tests.fakes.folder import files_in
from tests.fakes.http_proxy import HttpProxy, http_proxy_to
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault, running
from tests.fakes.teller import CATEGORY, SHARED, TEXTS, WRONG_CODE, Teller
from tests.fakes.tour import view_table
from tests.fakes.visitor import PASSWORD, PIN, Visitor


@dataclass
class Story:
    """What one person did in every view, and who could have listened."""

    teller: Teller
    proxy: HttpProxy
    vault: RealVault
    archive: bytes
    console: list[str]
    link: Link

    @property
    def canaries(self) -> list[str]:
        told = [*self.teller.canaries, CATEGORY, "Certificat médical", *SHARED.values(), WRONG_CODE.replace(" ", "")]
        return [*told, WRONG_CODE, self.link.code, self.link.code.replace(" ", ""), self.link.fragment[2 + 22:]]


@pytest.fixture(scope="module")
def told(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("blindness")
    with running(describe_vault(folder)) as vault, http_proxy_to(vault.port) as proxy:
        context = chromium.new_context(locale="fr-FR", reduced_motion="reduce")
        teller = Teller(Visitor(context.new_page(), proxy.url))
        console: list[str] = []
        teller.page.on("console", lambda said: console.append(said.text))
        link = share(vault.url, folder / "another")
        with VaultClient.connect(vault.url, folder / "office") as office:
            become_listed(vault, office, "office", name="Claire Roux", org="", town="Lyon")
        yield Story(teller, proxy, vault, tell_everything(teller, link), console, link)
        context.close()


def share(server: str, folder: Path) -> Link:
    """What somebody else shares, from the command line."""
    with VaultClient.connect(server, folder) as client:
        client.register(client.make_account("another", PASSWORD, PIN))
        client.log_in("another", PASSWORD, PIN)
        kept = client.write_entry(Draft(title=SHARED["title"], text=SHARED["text"]))
        items, end = [(kept.id, kept.revision)], int(time.time()) + 3600
        made = client.shares.make(Sharing(items, None, end, 10, SHARED["message"]))
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
    assert made.link is not None
    return made.link


def tell_everything(teller: Teller, link: Link) -> bytes:
    """Every view, with canaries wherever something can be said; gives what was exported."""
    teller.sign_up()
    teller.write()
    teller.write_guided()
    teller.write_sensitive()
    teller.add_documents()
    teller.assess()
    teller.edit()
    teller.delete_and_restore()
    teller.read_everything()
    archive = teller.export()
    teller.share()
    teller.make_box()
    teller.change_credentials()
    teller.ask_to_be_listed()
    teller.leave_drafts()
    teller.page.evaluate(f"location.hash = '#{view_table()['trust']}'")  # it is offered only where something is wrong
    teller.visitor.heading("account.trust.title")
    teller.page.evaluate(f"location.hash = '#{view_table()['verify']}'")  # its door is on the page of whoever is out
    teller.visitor.heading("receipts.verify.name")
    teller.visitor.lock()
    teller.read_what_was_shared(link)
    teller.visitor.lock("account.door.guest_title")
    teller.put_in()
    teller.fail_to_get_in()
    teller.show_words()
    teller.receive()
    teller.visitor.lock()
    return archive


KINDS = {
    "DELETE boxes", "DELETE bundles", "DELETE recovery", "GET account", "GET blobs", "GET boxes", "GET bundles",
    "GET inbox", "GET items", "GET ledger", "GET professional", "GET recovery", "GET sessions", "GET vault",
    "POST account", "POST accounts", "POST boxes", "POST bundles", "POST confirm", "POST items", "POST links",
    "POST login", "POST logout", "POST pin", "POST professional", "POST recovery", "POST uploads", "PUT account",
    "PUT blobs", "PUT boxes", "PUT recovery", "PUT uploads",
}
"""What a vault is asked for by somebody who uses all of it."""


def test_every_view_was_seen(told: Story) -> None:
    assert {name for name, number in view_table().items() if number not in told.teller.seen} == set()


def test_no_request_says_anything(told: Story) -> None:
    heard = told.proxy.heard
    asked = (one for one in heard if one.target.startswith("/v1/"))
    assert {f"{one.method} {one.target.partition('?')[0].split('/')[2]}" for one in asked} == KINDS
    assert sum(len(one.body) for one in heard) > 300_000  # the file is among them
    assert find_canaries(b"\n".join(one.raw for one in heard), told.canaries) == []


def test_neither_database_nor_log_nor_folder_says_anything(told: Story) -> None:
    files = files_in(told.vault.data)
    assert {".db", ".db-wal", ".log"} <= {Path(name).suffix for name, data in files.items() if data}
    kept = b"\n".join(Path(name).name.encode() + b"\n" + data for name, data in files.items())
    assert find_canaries(kept, told.canaries) == []


def test_neither_the_exported_archive_nor_the_console_says_anything(told: Story) -> None:
    assert told.archive.startswith(b"PK") and len(told.archive) > 300_000
    assert find_canaries(told.archive + "\n".join(told.console).encode(), told.canaries) == []


def test_a_canary_that_was_planted_is_found(told: Story) -> None:
    """The same search, over the same bytes, once somebody was careless."""
    real = b"\n".join(one.raw for one in told.proxy.heard[-20:])
    for canary in (TEXTS["title"], TEXTS["person"], told.teller.visitor.pin, told.canaries[-3]):
        careless = json.dumps({"title": f"about {canary}."}).encode()
        assert find_canaries(real + careless + real, told.canaries)
        assert find_canaries(real + careless.hex().encode(), told.canaries)
    for database in ("vault.db", "journal.db"):
        held = (told.vault.data / database).read_bytes()
        assert find_canaries(held + TEXTS["title"].encode("utf-16-le"), told.canaries)
