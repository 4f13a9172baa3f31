"""A pack of what somebody keeps: whole, proven, and read by a stranger; then a vault that lies while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from client_sdk.client import Draft, VaultClient
from client_sdk.errors import BlobSwapped, ItemUnknown, ValueRefused
from client_sdk.items import Item
from client_sdk.opening import parse_manifest
from client_sdk.packs.check import PackReport, check_pack
from client_sdk.packs.own import MOST_ITEMS
from client_sdk.packs.pack import MANIFEST, PAGE, SIGNATURE, Written, write_pack
from client_sdk.packs.sink import SealedSink, open_sink
from client_sdk.packs.source import open_source
from client_sdk.professional import load_identity
from client_sdk.protocol.sync import Finding
from crypto_core.encoding import parse_hex
from crypto_core.errors import UnsupportedVersion
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.backup import make_backup_key, open_backup
from crypto_core.sealing.keyring import NeedsPin
from crypto_core.sealing.sharing import (
    BundleExpired, make_bundle_key, open_bundle, seal_bundle, verify_manifest,
)
from tests.fakes.devices import PIN, Device, make_device, register
from tests.fakes.received import MESSAGE, NAME, receive
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
FILE = make_bytes(300_000)


@dataclass
class Scene:
    """Somebody with an entry, its earlier text, a sensitive one and a file."""

    vault: FakeVault
    person: Device
    client: VaultClient
    folder: Path

    def pack(self, *items: Item, name: str = "pack") -> tuple[Written, Path]:
        target = self.folder / name
        with open_sink(target) as sink:
            return write_pack(self.client.pack(items or self.client.items()), self.client.policy, sink), target

    def document(self) -> Item:
        [found] = [one for one in self.client.items() if one.kind == "document"]
        return found

    def checked(self, place: Path) -> PackReport:
        return check_pack(open_source(place), self.client.policy)


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    person = make_device(vault, tmp_path / "person")
    register(person)
    path = tmp_path / "photo.jpg"
    path.write_bytes(FILE)
    with person.log_in() as client:
        entry = client.write_entry(Draft("What happened", title="Evening"))
        client.edit_entry(entry.id, {"text": "What really happened"})
        client.write_entry(Draft("Behind the PIN"), sensitive=True)
        client.add_document(path)
        yield Scene(vault, person, client, tmp_path)


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_everything_is_in_it_and_a_stranger_finds_it_whole(scene: Scene, name: str) -> None:
    scene.client.step_up(PIN)
    written, place = scene.pack(name=name)
    assert (written.refused, written.unsaid, written.ledger) == ((), (), None)
    report = scene.checked(place)
    assert (report.outcome, report.items, report.proven) == ("valid", 3, 3)
    source = open_source(place)
    page = b"".join(source.blocks(PAGE)).decode()
    for words in ("What really happened", "Behind the PIN", "photo.jpg", "Ce qui a été gardé", "What was kept"):
        assert words in page
    assert "Ce qui a été transmis" not in page
    assert b"".join(source.blocks("originals/003-01-photo.jpg")) == FILE


def test_sealed_it_is_the_same_pack_to_the_byte(scene: Scene) -> None:
    scene.client.step_up(PIN)
    made, key = scene.client.pack(scene.client.items()), make_backup_key()
    sealed, place, clear = (scene.folder / name for name in ("sealed", "opened.zip", "clear.zip"))
    with open(sealed, "w+b") as file, SealedSink(file, key) as sink:
        write_pack(made, scene.client.policy, sink)
    with open_sink(clear) as clear_sink:
        write_pack(made, scene.client.policy, clear_sink)
    place.write_bytes(b"".join(open_backup(key, [sealed.read_bytes()])))
    assert scene.checked(place).outcome == "valid"
    ours, theirs = open_source(place), open_source(clear)
    assert list(ours.names) == list(theirs.names)
    for name in ours.names:
        assert b"".join(ours.blocks(name)) == b"".join(theirs.blocks(name))


def test_it_was_sent_to_nobody(scene: Scene) -> None:
    scene.client.step_up(PIN)
    scene.person.network.seen.clear()
    scene.pack()
    assert {one.method for one in scene.person.network.seen} == {"GET"}
    assert scene.client.shares.list() == []


def test_its_manifest_is_signed_and_never_opens_as_a_bundle(scene: Scene) -> None:
    _, place = scene.pack(scene.client.items()[0])
    json = (place / MANIFEST).read_bytes()
    facts = parse_manifest(json)
    signature = parse_hex((place / SIGNATURE).read_text("ascii").strip())
    assert verify_manifest(json, facts["sender"], signature) == json
    assert (facts["reader"], facts["message"], facts["expires"]) == (None, "", facts["created"])
    key = make_bundle_key()  # whoever seals it anew has no other seed, and would have to: even so it is over
    with pytest.raises(BundleExpired):
        open_bundle(
            key, facts["bundle"], _resealed(scene, key, facts["bundle"], json), reader=None, now=facts["created"]
        )


def _resealed(scene: Scene, key: bytes, bundle: bytes, json: bytes) -> bytes:
    return seal_bundle(key, bundle, json, load_identity(scene.client._opened().session).sign_seed)


def test_earlier_revisions_go_along_where_they_are_named(scene: Scene) -> None:
    [entry] = [one for one in scene.client.items("journal") if one.title == "Evening"]
    _, place = scene.pack(*scene.client.history(entry.id))
    report = scene.checked(place)
    assert (report.outcome, report.proven) == ("valid", 2)
    page = (place / PAGE).read_text("utf-8")
    assert "What happened" in page and "What really happened" in page


def test_what_is_locked_erased_deleted_or_too_much_is_refused_before_anything_is_written(scene: Scene) -> None:
    [locked] = [one for one in scene.client.items() if one.state == "locked"]
    with pytest.raises(NeedsPin):
        scene.client.pack([locked])
    entry = scene.document()
    with pytest.raises(ItemUnknown):
        scene.client.pack([Item(make_id(), 1, 0, False, "open")])
    with pytest.raises(ValueRefused):
        scene.client.pack([])
    with pytest.raises(ValueRefused):
        scene.client.pack([entry] * (MOST_ITEMS + 1))
    scene.client.delete_item(entry.id)
    with pytest.raises(ItemUnknown):
        scene.client.pack([scene.client.history(entry.id)[-1]])


def test_the_pin_is_needed_for_no_longer_than_it_takes_to_read_the_keys(scene: Scene) -> None:
    scene.client.step_up(PIN)
    made = scene.client.pack(scene.client.items())
    scene.vault.clock.advance(600)
    with open_sink(scene.folder / "later") as sink:
        write_pack(made, scene.client.policy, sink)
    assert scene.checked(scene.folder / "later").proven == 3


def test_what_somebody_else_put_in_goes_along_with_their_own_words(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jpg"
    path.write_bytes(make_bytes(20_000))
    with make_device(scene.vault, tmp_path / "stranger").client() as stranger:
        taken = receive(scene.client, stranger, scene.vault.clock.now(), path)
    written, place = scene.pack(scene.client.item(taken.kept.id))
    assert written.unsaid == ()
    report = scene.checked(place)
    assert (report.outcome, report.proven) == ("valid", 1)
    page = (place / PAGE).read_text("utf-8")
    assert NAME in page and MESSAGE in page


def spoil(scene: Scene, ending: str) -> None:
    def spoiled(request: httpx.Request, body: bytes) -> bytes:
        changed = request.url.path.startswith("/v1/blobs/") and request.url.path.endswith(ending)
        return bytes([body[0] ^ 1]) + body[1:] if changed and body else body

    scene.person.network.spoils = spoiled


def test_words_that_the_vault_swaps_keep_nothing_else_back(scene: Scene, tmp_path: Path) -> None:
    with make_device(scene.vault, tmp_path / "stranger").client() as stranger:
        taken = receive(scene.client, stranger, scene.vault.clock.now())
    item = scene.client.item(taken.kept.id)
    scene.client.receipt(item)
    made = scene.client.pack([item])  # the receipts are on the device from here on
    spoil(scene, "")
    assert made.items[0].words is not None and made.items[0].words.doubt is None
    again = scene.client.pack([item])
    assert again.items[0].words is not None and again.items[0].words.doubt is not None


def test_other_bytes_than_were_kept_are_no_evidence_and_leave_a_warning(scene: Scene) -> None:
    made = scene.client.pack([scene.document()])
    spoil(scene, "")
    with pytest.raises(BlobSwapped), open_sink(scene.folder / "pack.zip") as sink:
        write_pack(made, scene.client.policy, sink)
    assert not (scene.folder / "pack.zip").exists()
    assert Finding.BLOB_SWAPPED in scene.client._opened().session.warnings.findings


def test_a_record_of_a_newer_version_is_named_by_its_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [scene.document()]
    monkeypatch.setattr("client_sdk.reader.VERSION", 9)
    with pytest.raises(UnsupportedVersion):
        scene.client.pack(items)
