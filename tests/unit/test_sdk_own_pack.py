"""A pack of what somebody keeps: whole, proven, and read by a stranger; then a vault that lies while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from client_sdk.client import Draft
from client_sdk.errors import ItemUnknown, NetworkError, ValueRefused
from client_sdk.items import Item
from client_sdk.opening import parse_manifest
from client_sdk.packs.check import PackReport, check_pack
from client_sdk.packs.own import MOST_ITEMS
from client_sdk.packs.pack import (
    MANIFEST, PAGE, SIGNATURE, SUMS, Written, format_sums, original_name, proof_name, sealed_name, write_pack,
)
from client_sdk.packs.sink import SealedSink
from client_sdk.packs.source import open_source
from client_sdk.professional import load_identity
from client_sdk.protocol.sync import Finding
from crypto_core.encoding import format_b64url, parse_hex
from crypto_core.errors import ReceiptMalformed, UnsupportedVersion
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.backup import make_backup_key, open_backup
from crypto_core.sealing.keyring import NeedsPin
from crypto_core.sealing.sharing import (
    BundleExpired, make_bundle_key, open_bundle, seal_bundle, verify_manifest,
)
from tests.fakes.devices import PIN, make_device, register
from tests.fakes.keeping import Keeping
from tests.fakes.received import MESSAGE, NAME, receive
from tests.fakes.recorded import record_film
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
FILE = make_bytes(300_000)
ORIGINAL = "originals/002-01-photo.jpg"


class Scene(Keeping):
    """Somebody with an entry, its earlier text, a sensitive one and a file."""

    def pack(self, *items: Item, name: str = "pack") -> tuple[Written, Path]:
        return self.write(self.client.pack(items or self.client.items()), name)

    def document(self) -> Item:
        """The first one."""
        return min((one for one in self.client.items() if one.kind == "document"), key=lambda one: one.deposited)

    def open(self) -> list[Item]:
        return [one for one in self.client.items() if one.state == "open"]

    def blob(self) -> str:
        return format_b64url(self.document().contents[0].blob)

    def sealed(self) -> str:
        return sealed_name(self.document().contents[0])

    def checked(self, place: Path) -> PackReport:
        return check_pack(open_source(place), self.client.policy)

    def lacks(self, place: Path) -> dict[str, str]:
        """What a stranger misses in a pack that is otherwise whole."""
        report = self.checked(place)
        assert (report.outcome, report.proven) == ("not_yet", report.items - 1)
        return {one.name: one.error.code for one in report.findings}


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
    sealed, place = scene.folder / "sealed", scene.folder / "opened.zip"
    with open(sealed, "w+b") as file, SealedSink(file, key) as sink:
        write_pack(made, scene.client.policy, sink)
    _, clear = scene.write(made, "clear.zip")
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
    assert scene.checked(scene.write(made)[1]).proven == 3


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


def attach(scene: Scene) -> None:
    """Another document, with a file of the same length."""
    path = scene.folder / "other.jpg"
    path.write_bytes(FILE[::-1])
    scene.client.add_document(path, title="Another file")


@contextmanager
def elsewhere(scene: Scene) -> Iterator[None]:
    """On another device, which has no receipts yet."""
    scene.person = make_device(scene.vault, scene.folder / "elsewhere")
    with scene.person.log_in() as scene.client:
        yield


def forge(scene: Scene, path: str) -> None:
    scene.person.network.rewrites[f"/v1/{path}/receipt"] = lambda said: {**said, "receipt": f"x{said['receipt']}"}


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


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_other_bytes_than_were_kept_are_no_evidence_and_keep_no_text_back(scene: Scene, name: str) -> None:
    attach(scene)
    spoil(scene, scene.blob())
    written, place = scene.pack(*scene.open(), name=name)
    [lost] = written.lost
    assert (lost.item.id, lost.number) == (scene.document().id, 1)
    assert (lost.error.code, lost.is_there, written.refused) == ("blob_swapped", False, ())
    assert scene.lacks(place) == {scene.sealed(): "pack_incomplete", ORIGINAL: "pack_incomplete"}
    source = open_source(place)
    page = b"".join(source.blocks(PAGE)).decode()
    for words in ("What really happened", "Ce fichier n’est pas dans ce dossier", "photo.jpg", "Another file"):
        assert words in page
    assert f'href="{ORIGINAL}"' not in page and f'src="{ORIGINAL}"' not in page
    assert source.odd == {} and b"".join(source.blocks("originals/003-01-other.jpg")) == FILE[::-1]
    assert Finding.BLOB_SWAPPED in scene.client._opened().session.warnings.findings


def test_segments_of_another_recording_than_is_said_prove_nothing_of_it(scene: Scene) -> None:
    """Each of them is what it says, and so is the original that somebody put beside them."""
    said = FILE[::-1]
    kept = record_film(scene.client, scene.folder, (FILE[:100_000], FILE[100_000:]), said)
    written, place = scene.pack(scene.client.item(kept.id))
    assert [one.error.code for one in written.lost] == ["content_differs"]
    [film] = scene.client.item(kept.id).contents
    assert film.parts is not None
    (place / original_name(1, 1, film)).write_bytes(said)
    files = {name: sha256(b"".join(open_source(place).blocks(name))).hexdigest() for name in open_source(place).names}
    (place / SUMS).write_bytes(format_sums({name: digest for name, digest in files.items() if name != SUMS}))
    report = scene.checked(place)
    assert [(one.name, one.error.code) for one in report.findings] == [(sealed_name(film.parts[-1]), "pack_other")]
    assert report.proven == 0


@pytest.mark.parametrize("loss", [b"", FILE])
def test_what_the_vault_has_lost_or_cut_is_left_out(scene: Scene, loss: bytes) -> None:
    made, kept = scene.client.pack(scene.open()), scene.vault.parts.config.data / "blobs"
    [file] = [path for path in kept.rglob("*") if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(loss) if loss else file.unlink()
    written, target = scene.write(made)
    assert [(one.number, one.error.code, one.is_there) for one in written.lost] == [(1, "unavailable", False)]
    assert scene.lacks(target) == {scene.sealed(): "pack_incomplete", ORIGINAL: "pack_incomplete"}


def test_a_blob_that_does_not_end_is_read_no_further_than_it_was_long(scene: Scene) -> None:
    scene.person.network.spoils = lambda request, body: body * 20 if request.url.path.endswith(scene.blob()) else body
    made = scene.client.pack(scene.open())
    written, place = scene.write(made, "pack.zip")
    assert [one.error.code for one in written.lost] == ["blob_swapped"]
    assert place.stat().st_size < 5 * len(FILE)


def test_sealed_it_lacks_the_same_and_no_more(scene: Scene) -> None:
    attach(scene)
    spoil(scene, scene.blob())
    sealed, place, key = scene.folder / "sealed", scene.folder / "opened.zip", make_backup_key()
    with open(sealed, "w+b") as file, SealedSink(file, key) as sink:
        written = write_pack(scene.client.pack(scene.open()), scene.client.policy, sink)
    place.write_bytes(b"".join(open_backup(key, [sealed.read_bytes()])))
    assert [one.number for one in written.lost] == [1]
    assert scene.lacks(place) == {scene.sealed(): "pack_incomplete", ORIGINAL: "pack_incomplete"}


def test_a_file_that_is_lost_is_asked_for_once_however_often_it_is_named(scene: Scene) -> None:
    document = scene.document()
    scene.client.edit_entry(document.id, {"title": "The same file"})
    revisions = scene.client.history(document.id)
    made = scene.client.pack(revisions)
    spoil(scene, scene.blob())
    scene.person.network.seen.clear()
    written, _ = scene.write(made, "pack.zip")
    assert [one.item.revision for one in written.lost] == [1, 2]
    assert sum(one.url.path.endswith(scene.blob()) for one in scene.person.network.seen) == 1


def test_a_file_whose_receipt_does_not_hold_is_there_and_proven_by_nothing(scene: Scene) -> None:
    with elsewhere(scene):
        forge(scene, f"blobs/{scene.blob()}")
        written, place = scene.pack(*scene.open(), name="pack.zip")
        assert [(one.number, one.error.code, one.is_there) for one in written.lost] == [(1, "receipt_malformed", True)]
        assert scene.lacks(place) == {proof_name(scene.sealed()): "pack_incomplete"}
    source = open_source(place)
    assert "rien ici ne prouve quand" in b"".join(source.blocks(PAGE)).decode()
    assert b"".join(source.blocks(ORIGINAL)) == FILE


def test_an_item_whose_receipt_does_not_hold_is_left_out_and_named(scene: Scene) -> None:
    document = scene.document()
    with elsewhere(scene):
        forge(scene, f"items/{format_b64url(document.id)}/revisions/1")
        written, place = scene.pack(*scene.open())
        report = scene.checked(place)
    [left] = written.refused
    assert (left.item.id, left.lacking and left.lacking.code) == (document.id, "receipt_malformed")
    assert (report.outcome, report.items, report.proven) == ("valid", 1, 1)
    assert "Le service n’a pas tout donné" in (place / PAGE).read_text("utf-8")


def test_where_no_receipt_holds_there_is_no_pack(scene: Scene) -> None:
    document = scene.document()
    with elsewhere(scene), pytest.raises(ReceiptMalformed):
        forge(scene, f"items/{format_b64url(document.id)}/revisions/1")
        scene.client.pack([document])


def test_words_whose_receipt_does_not_hold_are_repeated_and_named_by_nothing(scene: Scene, tmp_path: Path) -> None:
    with make_device(scene.vault, tmp_path / "stranger").client() as stranger:
        taken = receive(scene.client, stranger, scene.vault.clock.now())
    with elsewhere(scene):
        item = scene.client.item(taken.kept.id)
        assert item.sent is not None
        forge(scene, f"blobs/{format_b64url(item.sent.deposit)}")
        written, place = scene.pack(item)
        report = scene.checked(place)
    assert [one.item.id for one in written.unsaid] == [item.id]
    assert (report.outcome, report.proven) == ("valid", 1)
    page = (place / PAGE).read_text("utf-8")
    assert MESSAGE in page and "ne sont pas dans ce dossier avec leur reçu" in page


def test_without_a_network_there_is_no_pack(scene: Scene) -> None:
    made = scene.client.pack(scene.open())
    scene.person.network.cut_before = lambda _: True
    with pytest.raises(NetworkError):
        scene.write(made, "pack.zip")
    assert not (scene.folder / "pack.zip").exists()


def test_a_record_of_a_newer_version_is_named_by_its_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [scene.document()]
    monkeypatch.setattr("client_sdk.reader.VERSION", 9)
    with pytest.raises(UnsupportedVersion):
        scene.client.pack(items)
