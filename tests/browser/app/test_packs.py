"""An evidence pack, saved where it is read, or by whoever keeps all of it; checked from a disk by the page of one file,
and by the command line."""

from __future__ import annotations

import base64
import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Download, FilePayload, Page, expect

from client_sdk.client import VaultClient
from client_sdk.items import Draft
from client_sdk.sharing import MadeBundle, Sharing
from crypto_core.receipts.policy import format_policy
from crypto_core.sealing.backup import backup_sealer, make_backup_key, seal_backup
from crypto_core.sealing.recovery import format_words
from tests.browser.app.conftest import describe_vault
from tests.browser.app.test_bad_network import private_memory, renderers
from tests.browser.app.test_reading import follow, give_code
from tests.e2e.test_large_files import MIB, make_file
from tests.fakes.axe import SCHEMES, run_axe
from tests.fakes.browser import new_context
from tests.e2e.test_rotation import rotation
from tests.fakes.canary import find_canaries
from tests.fakes.processes import Device, RealVault, running
from tests.fakes.received import receive
from tests.fakes.told import PHOTOGRAPH
from tests.fakes.typist import Typist
from tests.fakes.visitor import PASSWORD, PATIENCE, PIN, Visitor
from tests.fakes.words import say

WRITTEN = "Il a crié mon nom devant tout le monde."
SECRET = "Ce que je n’ai dit à personne."
GROWTH = 300 * MIB
"""By which a tab may grow, whatever a pack holds."""
ITEMS = 30
NO_PICKER = "delete window.showSaveFilePicker"
"""As in Firefox and Safari: what is saved is a download."""
PICKS = """window.showSaveFilePicker = async ({ suggestedName }) => {
  const folder = await navigator.storage.getDirectory();
  return folder.getFileHandle(suggestedName, { create: true });
}"""
"""As if a person had chosen a file: one of the browser's own, which is written to in the same way."""
READ_BACK = """async (name) => {
  const folder = await navigator.storage.getDirectory();
  const bytes = new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer());
  await folder.removeEntry(name);
  return bytes.toBase64 ? bytes.toBase64() : btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


def share_all(client: VaultClient, openings: int = 20) -> MadeBundle:
    """All that somebody keeps, by a link, for an hour."""
    items = [(item.id, item.revision) for item in client.items()]
    made = client.shares.make(Sharing(items, None, int(time.time()) + 3600, openings, "Pour mardi."))
    client.shares.send(made, client.account.confirm(PASSWORD, PIN))
    return made


@pytest.fixture(scope="module")
def shared(real_vault: RealVault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeBundle]:
    folder = tmp_path_factory.mktemp("person")  # another each time: a worker may come to this module twice
    with VaultClient.connect(real_vault.url, folder) as client:
        client.register(client.make_account(folder.name, PASSWORD, PIN))
        client.log_in(folder.name, PASSWORD, PIN)
        client.write_entry(Draft(title="Devant l’école", text=WRITTEN, danger=7))
        client.add_document(PHOTOGRAPH, title="La porte")
        with VaultClient.connect(real_vault.url, tmp_path_factory.mktemp("sister")) as sister:
            receive(client, sister, int(time.time()), PHOTOGRAPH, typed=(PASSWORD, PIN))
        yield share_all(client)


def read(visitor: Visitor, made: MadeBundle) -> Page:
    """From the link to what was shared."""
    assert made.link is not None
    follow(visitor.page, visitor.address, made)
    give_code(visitor, made.link.code)
    visitor.heading("reading.title")
    return visitor.page


def save(visitor: Visitor) -> None:
    """Asks for a pack, and answers what is asked."""
    visitor.press("pack.save.name")
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog.get_by_text(visitor.say("pack.save.clear"))).to_be_visible()
    dialog.get_by_role("button", name=visitor.say("pack.save.do"), exact=True).click()


def downloaded(visitor: Visitor, made: MadeBundle, into: Path) -> Path:
    """The pack as a browser downloads it."""
    visitor.page.add_init_script(NO_PICKER)
    read(visitor, made)
    with visitor.page.expect_download() as found:
        save(visitor)
    found.value.save_as(into)
    return into


@pytest.fixture(scope="module")
def pack(
    chromium: Browser, real_vault: RealVault, shared: MadeBundle, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A pack, for the tests that look at what becomes of one."""
    with new_context(chromium, locale="fr-FR") as context:
        reader = Visitor(context.new_page(), real_vault.url)
        return downloaded(reader, shared, tmp_path_factory.mktemp("saved") / "dossier.zip")


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder)
    return folder


@pytest.fixture
def disk(chromium: Browser) -> Iterator[BrowserContext]:
    """Somebody who has the pack, and no network; the page is asked about its looks as well."""
    made = chromium.new_context(
        viewport={"width": 360, "height": 740}, locale="fr-FR", reduced_motion="reduce", bypass_csp=True
    )
    yield made
    made.close()


def open_page(context: BrowserContext, folder: Path) -> Page:
    """The page that checks packs, from that very pack."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((folder / "verify.html").as_uri())
    page.get_by_role("heading", name=say("fr", "pack.check.title")).wait_for()
    return page


def check(page: Page, brought: Path, said: str) -> None:
    """Chooses a pack, and waits for what is said of this one."""
    page.locator(".notice h2").evaluate_all("(found) => found.forEach((one) => { one.dataset.old = ''; })")
    page.get_by_label(say("fr", f"pack.check.{'folder' if brought.is_dir() else 'zip'}")).set_input_files(brought)
    expect(page.locator(".notice h2:not([data-old])")).to_have_text(said)


WHOLE = say("fr", "pack.check.whole")


def test_what_was_shared_is_saved_and_checked_from_a_disk(
    visitor: Visitor, shared: MadeBundle, real_vault: RealVault, chromium: Browser, tmp_path: Path
) -> None:
    archive = downloaded(visitor, shared, tmp_path / "dossier.zip")
    visitor.page.get_by_text(visitor.say("pack.save.given", name="dossier.zip")).wait_for()
    assert visitor.page.get_by_text(visitor.say("pack.save.no_ledger")).count() == 0
    folder = unpacked(archive, tmp_path / "pack")
    assert (folder / "originals" / f"002-01-{PHOTOGRAPH.name}").read_bytes() == PHOTOGRAPH.read_bytes()
    device = Device(tmp_path / "expert", real_vault.url)
    for brought in (archive, folder):
        run = device.ok("verify-pack", brought, "--json")
        assert (run.json["outcome"], run.json["proven"]) == ("valid", 3)

    context = chromium.new_context(locale="fr-FR")  # with the page's own policy in force
    page = open_page(context, folder)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    check(page, folder, WHOLE)
    expect(page.get_by_role("cell", name=say("fr", "pack.check.holds"))).to_have_count(3)
    expect(page.get_by_text(say("fr", "pack.check.received"))).to_have_count(1)
    expect(page.get_by_text(say("fr", "pack.check.sent_file", name=PHOTOGRAPH.name))).to_have_count(1)
    check(page, archive, WHOLE)

    name = f"originals/002-01-{PHOTOGRAPH.name}"
    bytes_ = bytearray((folder / name).read_bytes())
    bytes_[1000] ^= 1
    (folder / name).write_bytes(bytes_)
    check(page, folder, say("fr", "pack.check.bad", count=1))
    expect(page.locator(".found code")).to_have_text(name)
    expect(page.get_by_role("cell", name=say("fr", "pack.check.fails"))).to_have_count(1)
    (folder / name).unlink()
    (folder / "sealed" / "more.sealed").write_bytes(b"x")
    check(page, folder, say("fr", "pack.check.bad", count=3))
    expect(page.locator(".found code")).to_have_text([name, "sealed/more.sealed", "sealed/more.tlog-proof"])
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name=say("en", "pack.check.bad", count=3)).wait_for()
    assert all(one.startswith(("file://", "blob:")) for one in asked)
    context.close()


def test_where_a_file_can_be_chosen_the_pack_goes_into_it_as_it_comes(
    visitor: Visitor, shared: MadeBundle, real_vault: RealVault, tmp_path: Path
) -> None:
    saved: list[Download] = []
    visitor.page.on("download", lambda one: saved.append(one))
    visitor.page.add_init_script(PICKS)
    page = read(visitor, shared)
    save(visitor)
    page.get_by_text(visitor.say("pack.save.done", name="dossier.zip")).wait_for()
    archive = tmp_path / "dossier.zip"
    archive.write_bytes(base64.b64decode(page.evaluate(READ_BACK, "dossier.zip")))
    run = Device(tmp_path / "expert", real_vault.url).ok("verify-pack", archive, "--json")
    assert (run.json["outcome"], run.json["proven"]) == ("valid", 3)
    assert saved == []


def test_everything_that_somebody_keeps_is_saved_by_keyboard_and_verifies(
    context: BrowserContext, real_vault: RealVault, tmp_path: Path
) -> None:
    """From the page that deletes everything: it says to save it first."""
    typist = Typist(context.new_page(), real_vault.url, username="tout dans un dossier")
    with VaultClient.connect(real_vault.url, tmp_path / "laptop") as laptop:
        laptop.register(laptop.make_account(typist.username, PASSWORD, PIN))
        laptop.log_in(typist.username, PASSWORD, PIN)
        laptop.write_entry(Draft(title="Devant l’école", text=WRITTEN))
        laptop.write_entry(Draft(text=SECRET), sensitive=True)
        laptop.add_document(PHOTOGRAPH, title="La porte")
    page, say = typist.page, typist.say
    page.add_init_script(NO_PICKER)
    typist.log_in()
    typist.go_to("shell.settings")
    typist.strike(page.get_by_role("link").filter(has_text=say("account.settings.erase_text")))
    typist.heading("account.erase.title")
    typist.follow("account.settings.dossier")
    typist.heading("pack.own.title")
    typist.not_lost()
    box = page.get_by_label(say("pack.own.sensitive", count=1), exact=True)
    typist.strike(box, "Space")
    typist.give_pin()
    expect(box).to_be_focused()
    expect(box).to_be_checked()
    with page.expect_download() as found:
        typist.press("pack.own.do")
    page.get_by_text(say("pack.own.given", count=3, name="dossier.zip")).wait_for()
    typist.not_lost()
    archive = tmp_path / "dossier.zip"
    found.value.save_as(archive)
    run = Device(tmp_path / "expert", real_vault.url).ok("verify-pack", archive, "--json")
    assert (run.json["outcome"], run.json["items"], run.json["proven"]) == ("valid", 3, 3)
    folder = unpacked(archive, tmp_path / "pack")
    assert (folder / "originals" / f"003-01-{PHOTOGRAPH.name}").read_bytes() == PHOTOGRAPH.read_bytes()
    written = (folder / "index.html").read_text("utf-8")
    assert WRITTEN in written and SECRET in written


def test_what_a_browser_sealed_opens_with_the_words_on_the_paper_by_command_line_and_by_a_page_from_a_disk(
    context: BrowserContext, real_vault: RealVault, disk: BrowserContext, tmp_path: Path
) -> None:
    """By keyboard alone; and the browser, too, writes nothing readable anywhere else."""
    typist = Typist(context.new_page(), real_vault.url, username="tout dans une boîte fermée")
    with VaultClient.connect(real_vault.url, tmp_path / "laptop") as laptop:
        laptop.register(laptop.make_account(typist.username, PASSWORD, PIN))
        laptop.log_in(typist.username, PASSWORD, PIN)
        laptop.write_entry(Draft(title="Devant l’école", text=WRITTEN))
        laptop.add_document(PHOTOGRAPH, title="La porte")
    page, say = typist.page, typist.say
    page.add_init_script(NO_PICKER)
    typist.log_in()
    typist.go_to("shell.settings")
    typist.strike(page.get_by_role("link").filter(has_text=say("account.settings.dossier_text")))
    typist.heading("pack.own.title")
    typist.strike(page.get_by_label(say("pack.sealed.tick"), exact=True), "Space")
    typist.press("pack.sealed.show")
    typist.note_words("pack.sealed.title")
    typist.press("account.sheet.noted")
    typist.copy_words()
    page.get_by_text(say("pack.sealed.ready")).wait_for()
    typist.not_lost()
    with page.expect_download() as found:
        typist.press("pack.sealed.do")
    page.get_by_text(say("pack.own.given", count=2, name=say("pack.sealed.file"))).wait_for()
    typist.not_lost()
    sealed, archive = tmp_path / "sealed", tmp_path / "opened.zip"
    found.value.save_as(sealed)
    assert find_canaries(sealed.read_bytes(), [WRITTEN, "originals/", PHOTOGRAPH.name]) == []
    with page.expect_download() as found:
        typist.press("pack.sealed.page")
    page.get_by_text(say("pack.sealed.page_given", name=say("pack.sealed.page_file"))).wait_for()
    found.value.save_as(tmp_path / found.value.suggested_filename)
    opens_from_a_disk(disk, tmp_path / say("pack.sealed.page_file"), sealed, typist.words, tmp_path / "by-page.zip")
    stranger = Device(tmp_path / "stranger", "http://127.0.0.1:9")
    opened = stranger.run("backup", "open", sealed, "-o", archive, secrets=[" ".join(typist.words)])
    assert opened.code == 0, opened
    run = stranger.ok("verify-pack", archive, "--json")
    assert (run.json["outcome"], run.json["items"], run.json["proven"]) == ("valid", 2, 2)
    assert (tmp_path / "by-page.zip").read_bytes() == archive.read_bytes()
    folder = unpacked(archive, tmp_path / "pack")
    assert (folder / "originals" / f"002-01-{PHOTOGRAPH.name}").read_bytes() == PHOTOGRAPH.read_bytes()
    assert WRITTEN in (folder / "index.html").read_text("utf-8")


def opens_from_a_disk(disk: BrowserContext, page: Path, sealed: Path, words: Sequence[str], into: Path) -> None:
    """Other words and a cut file first, each said where the words are; then what was sealed, checked and saved."""
    opener = disk.new_page()
    opener.set_default_timeout(PATIENCE)
    opener.goto(page.as_uri())
    said = partial(say, "fr")
    opener.get_by_text(said("pack.open.name")).click()
    field, do = opener.get_by_label(said("pack.open.words")), opener.get_by_role("button", name=said("pack.open.do"))
    cut = sealed.with_name("cut")
    cut.write_bytes(sealed.read_bytes()[:-100])
    for file, typed, refusal in (
        (sealed, words[:-1], said("problem.rule.words_count")), (cut, words, said("problem.tampered")),
        (sealed, format_words(make_backup_key()).split(), said("problem.backup_refused")),
    ):
        opener.get_by_label(said("pack.open.file")).set_input_files(file)
        field.fill(" ".join(typed))
        do.click()
        expect(opener.get_by_role("alert")).to_have_text(refusal)
        assert opener.get_by_text(said("pack.open.opened")).count() == 0
    assert run_axe(opener) == []
    opener.get_by_label(said("pack.open.file")).set_input_files(sealed)
    field.fill(" ".join(words).upper())
    do.press("Enter")
    expect(opener.get_by_role("heading", name=WHOLE, exact=True)).to_be_focused()
    expect(field).to_have_count(0)
    expect(opener.get_by_role("cell", name=said("pack.check.holds"))).to_have_count(2)
    assert run_axe(opener) == []
    assert opener.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with opener.expect_download() as found:
        opener.get_by_role("link", name=said("pack.open.save")).press("Enter")
    assert found.value.suggested_filename == said("pack.save.file")
    found.value.save_as(into)
    opener.close()


def test_nothing_is_saved_without_a_yes(visitor: Visitor, shared: MadeBundle) -> None:
    saved: list[Download] = []
    visitor.page.on("download", lambda one: saved.append(one))
    visitor.page.add_init_script(NO_PICKER)
    page = read(visitor, shared)
    visitor.press("pack.save.name")
    page.get_by_role("dialog").get_by_role("button", name=visitor.say("pack.save.leave")).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    visitor.press("pack.save.name")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert saved == []


def test_with_a_key_from_elsewhere_the_packs_own_is_not_believed(
    pack: Path, disk: BrowserContext, tmp_path: Path
) -> None:
    folder = unpacked(pack, tmp_path / "pack")
    page = open_page(disk, folder)
    page.get_by_text(say("fr", "pack.check.key_name")).click()
    policy = page.get_by_label(say("fr", "pack.check.key_choose"))
    policy.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"nothing"})
    page.get_by_text(say("fr", "pack.check.key_bad")).wait_for()
    own = shutil.copy(folder / "policy.txt", tmp_path / "trusted.txt")
    policy.set_input_files(own)
    page.get_by_text(say("fr", "pack.check.key_chosen", name="trusted.txt")).wait_for()
    check(page, folder, WHOLE)
    assert page.get_by_text(say("fr", "pack.check.not_key")).count() == 0
    (folder / "SHA256SUMS").unlink()
    (folder / "bundle.json").unlink()
    check(page, folder, say("fr", "pack.check.none"))


def test_whoever_was_given_any_of_a_ledgers_keys_checks_a_pack_alone(
    context: BrowserContext, disk: BrowserContext, tmp_path: Path
) -> None:
    """One thing was kept under the first key, one under the second, which is all that the reader's browser met."""
    with running(describe_vault(tmp_path)) as vault, VaultClient.connect(vault.url, tmp_path / "home") as client:
        client.register(client.make_account("deux clés", PASSWORD, PIN))
        client.log_in("deux clés", PASSWORD, PIN)
        keys = {"first.txt": client.known_policy()}
        client.write_entry(Draft(text="Sous la première clé."))
        rotation(vault, "announce", "--overlap", "0")
        rotation(vault, "finish")
        client.write_entry(Draft(text="Sous la deuxième."))
        made = share_all(client)
        with VaultClient.connect(vault.url, tmp_path / "late") as late:
            keys["second.txt"] = late.known_policy()
        archive = downloaded(Visitor(context.new_page(), vault.url), made, tmp_path / "dossier.zip")
    assert keys["first.txt"] != keys["second.txt"]
    folder = unpacked(archive, tmp_path / "pack")
    page = open_page(disk, folder)
    check(page, archive, WHOLE)
    page.get_by_text(say("fr", "pack.check.key_name")).click()
    for name, policy in keys.items():
        given = FilePayload(name=name, mimeType="text/plain", buffer=format_policy(policy))
        page.get_by_label(say("fr", "pack.check.key_choose")).set_input_files(given)
        page.get_by_text(say("fr", "pack.check.key_chosen", name=name)).wait_for()
        check(page, folder, WHOLE)
        expect(page.get_by_role("cell", name=say("fr", "pack.check.holds"))).to_have_count(2)
    records = folder / "rotations"
    records.write_bytes(records.read_bytes().replace(b"\nsize ", b"\nsize 9"))
    check(page, folder, say("fr", "pack.check.bad", count=1))
    expect(page.locator(".found code")).to_have_text("rotations")


def test_the_page_is_for_everybody(pack: Path, disk: BrowserContext, tmp_path: Path) -> None:
    folder = unpacked(pack, tmp_path / "pack")
    page = open_page(disk, folder)

    def look() -> None:
        for width, scheme in product((360, 1280), SCHEMES.values()):
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme=scheme)
            assert run_axe(page) == [], (width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, scheme)

    look()
    check(page, folder, WHOLE)
    look()
    expect(page.get_by_role("heading", name=WHOLE, exact=True)).to_be_focused()
    (folder / "index.html").write_bytes(b"changed")
    check(page, folder, say("fr", "pack.check.bad", count=1))
    look()


def test_the_page_needs_no_mouse(pack: Path, disk: BrowserContext, tmp_path: Path) -> None:
    folder = unpacked(pack, tmp_path / "pack")
    page, reached = open_page(disk, folder), []
    with page.expect_file_chooser() as chooser:  # the browser hears a moment later that it is waited for
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent"))
        assert reached == [
            "Français", "English", *(say("fr", f"pack.check.{name}") for name in ("folder", "zip", "key_name")),
            say("fr", "pack.open.name"),
        ]
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
    chooser.value.set_files(shutil.make_archive(str(tmp_path / "again"), "zip", folder))
    page.get_by_role("heading", name=WHOLE, exact=True).wait_for()


@pytest.mark.parametrize(
    "size", [20_000_000, pytest.param(500_000_000, marks=pytest.mark.soak)], ids=["20MB", "500MB"]
)
def test_a_large_pack_is_a_stream(
    visitor: Visitor, real_vault: RealVault, disk: BrowserContext, tmp_path: Path, size: int
) -> None:
    with VaultClient.connect(real_vault.url, tmp_path / "home") as client:
        client.register(client.make_account(f"dossier de {size}", PASSWORD, PIN))
        client.log_in(f"dossier de {size}", PASSWORD, PIN)
        for number in range(ITEMS):
            make_file(tmp_path / "film.bin", size // ITEMS + number)
            client.add_document(tmp_path / "film.bin", title=f"Film {number}")
        (tmp_path / "film.bin").unlink()
        made = share_all(client)
    visitor.page.add_init_script(NO_PICKER)
    page, came = read(visitor, made), list[Download]()
    page.on("download", lambda one: came.append(one))
    save(visitor)
    saving = grown(page, lambda: bool(came))
    archive = tmp_path / "dossier.zip"
    came[0].save_as(archive)
    assert archive.stat().st_size > 2 * size

    with zipfile.ZipFile(archive) as files:
        files.extract("verify.html", tmp_path)
    verifier = open_page(disk, tmp_path)
    verifier.get_by_label(say("fr", "pack.check.zip")).set_input_files(archive)
    whole = verifier.get_by_role("heading", name=WHOLE, exact=True)
    checking = grown(verifier, lambda: whole.count() > 0)
    expect(verifier.get_by_role("cell", name=say("fr", "pack.check.holds"))).to_have_count(ITEMS)

    key, sealed = make_backup_key(), tmp_path / "sealed"
    with archive.open("rb") as clear, sealed.open("wb") as into:
        into.writelines(seal_backup(backup_sealer(key), iter(partial(clear.read, MIB), b"")))
    verifier.reload()
    verifier.get_by_text(say("fr", "pack.open.name")).click()
    verifier.get_by_label(say("fr", "pack.open.file")).set_input_files(sealed)
    verifier.get_by_label(say("fr", "pack.open.words")).fill(format_words(key))
    verifier.get_by_role("button", name=say("fr", "pack.open.do")).press("Enter")
    opening = grown(verifier, lambda: whole.count() > 0)
    print(json.dumps({"size": size, "saving": saving, "checking": checking, "opening": opening}))
    assert max(saving["grown"], checking["grown"], opening["grown"]) < GROWTH


def grown(page: Page, done: Callable[[], bool]) -> dict[str, float]:
    """By how many bytes the tabs of this browser grew at most until it was done, and in how many seconds."""
    tabs, began, end = renderers(), time.monotonic(), time.monotonic() + 600
    before = most = sum(map(private_memory, tabs))
    while not done():
        assert time.monotonic() < end
        page.keyboard.press("Control")  # somebody is there: the vault isn't locked
        most = max(most, sum(map(private_memory, tabs)))
        page.wait_for_timeout(100)
    return {"grown": most - before, "seconds": round(time.monotonic() - began, 1)}
