"""A part of an item through the whole SDK and the whole server: what its reader gets, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from client_sdk.client import Draft, VaultClient
from client_sdk.contents import open_content
from client_sdk.errors import BundleIncomplete, ItemUnknown, ValueRefused
from client_sdk.extract import CUT, Cut, Redaction, redact
from client_sdk.items import Happened, Item, Kept
from client_sdk.opening import OpenedBundle
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url
from crypto_core.randomness import make_bytes
from crypto_core.sealing.keyring import NeedsPin
from tests.fakes.devices import PASSWORD, PIN, Device, make_device, register
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")

DAY = 86_400
NAME, WHERE = "Otto-Ω", "Ж street"
TEXT = f"He shouted. {NAME} stood in the door. The children heard it."
CUTS = (Cut(12, 12 + len(NAME)),)
PHOTO, LETTER = make_bytes(40_000), make_bytes(20_000)
HAPPENED = Happened(1_790_000_000, 1_790_000_059, "minute", "2026-09-21 15:33")


@dataclass
class Scene:
    vault: FakeVault
    person: Device
    reader: Device
    client: VaultClient
    entry: Item

    def part(self, *cuts: Cut, facts: tuple[str, ...] = ("happened",), files: int = 1) -> Kept:
        blobs = frozenset(content.blob for content in self.entry.contents[:files])
        return self.client.make_extract(self.entry, Redaction(cuts or CUTS, frozenset(facts), blobs))

    def opened(self, *items: tuple[bytes, int]) -> OpenedBundle:
        made = self.client.shares.make(Sharing(items, None, self.vault.clock.now() + DAY, 9))
        self.client.shares.send(made, self.client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
        return self.reader.client().open_link(made.link.fragment, made.link.code)


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    person, reader = (make_device(vault, tmp_path / name) for name in ("person", "reader"))
    register(person)
    paths = tmp_path / "photo.jpg", tmp_path / f"letter of {NAME}.pdf"
    for path, data in zip(paths, (PHOTO, LETTER), strict=True):
        path.write_bytes(data)
    with person.log_in() as client:
        draft = Draft(TEXT, title=f"{NAME} again", happened=HAPPENED, place=WHERE, people=(NAME,), tags=("door",))
        kept = client.write_entry(draft, attachments=paths)
        vault.clock.advance(600)
        yield Scene(vault, person, reader, client, client.item(kept.id))


def test_the_reader_gets_the_part_and_nothing_of_what_was_left_out(scene: Scene) -> None:
    kept = scene.part()
    opened = scene.opened((kept.id, kept.revision))
    [one] = opened.items
    item = one.item
    assert (item.kind, item.of, item.masked) == ("extract", (scene.entry.id, 1), ())
    assert item.text == f"He shouted. {CUT} stood in the door. The children heard it."
    assert (item.happened, item.written) == (HAPPENED, scene.entry.written)
    assert (item.title, item.place, item.people, item.tags) == ("", None, (), ())
    assert one.record is not None and one.proof is not None
    [photo] = item.contents
    assert photo == scene.entry.contents[0]
    assert b"".join(open_content(photo, opened.sealed(photo))) == PHOTO
    letter = scene.entry.contents[1]
    reader = scene.client._opened().reader
    given = [opened.manifest.json, reader.record_json(reader.row(kept.id, None))[0]]
    for data in given:
        for word in (NAME, WHERE, letter.name, "again"):
            assert word.encode("utf-8") not in data
        assert format_b64url(letter.key).encode() not in data and format_b64url(letter.blob).encode() not in data
        assert format_b64url(photo.key).encode() in data or data is opened.manifest.json
    with pytest.raises(BundleIncomplete):
        b"".join(opened.sealed(letter))


def test_a_kept_file_has_the_receipt_that_it_had_and_the_part_has_its_own(scene: Scene) -> None:
    before = {blob.name: blob.verified for blob in scene.client.sealed_blobs(scene.entry)}
    kept = scene.part()
    after = {blob.name: blob.verified for blob in scene.client.sealed_blobs(scene.client.item(kept.id))}
    photo = scene.entry.contents[0].blob.hex()
    assert set(after) == {photo, f"{kept.id.hex()}-1"}
    assert after[photo].commitment == before[photo].commitment
    assert kept.verified.claimed_time >= before[photo].claimed_time + 600 - 60


def test_it_stands_beneath_its_original_and_is_not_changed(scene: Scene) -> None:
    kept = scene.part()
    assert [one.id for one in scene.client.extracts(scene.entry.id)] == [kept.id]
    assert scene.client.extracts(kept.id) == []
    with pytest.raises(ValueRefused):
        scene.client.edit_entry(kept.id, {"text": "more"})
    with pytest.raises(ValueRefused):
        redact(scene.client.item(kept.id), Redaction((Cut(0, 3),)))
    with scene.person.log_in() as again:
        assert [one.text for one in again.extracts(scene.entry.id)] == [scene.client.item(kept.id).text]


def test_of_an_earlier_revision_the_part_is_of_that_one(scene: Scene) -> None:
    scene.client.edit_entry(scene.entry.id, {"text": "Shorter."})
    kept = scene.part()
    assert scene.client.item(kept.id).of == (scene.entry.id, 1)
    assert NAME not in str(scene.client.item(kept.id).text)


def test_when_the_original_is_deleted_the_part_stays_with_its_file_and_goes_when_it_is_deleted(scene: Scene) -> None:
    kept = scene.part()
    opened = scene.opened((kept.id, 1))
    scene.client.delete_item(scene.entry.id)
    [photo] = opened.items[0].item.contents
    assert b"".join(open_content(photo, opened.sealed(photo))) == PHOTO
    assert [one.id for one in scene.client.extracts(scene.entry.id)] == [kept.id]
    scene.client.delete_item(kept.id)
    assert scene.client.extracts(scene.entry.id) == []
    with pytest.raises(ItemUnknown):
        scene.client.item(kept.id)


def test_of_something_behind_the_pin_the_part_is_behind_it_too(scene: Scene) -> None:
    kept = scene.client.write_entry(Draft(TEXT), sensitive=True)
    with pytest.raises(NeedsPin):
        scene.client.make_extract(scene.client.item(kept.id), Redaction(CUTS))
    scene.client.step_up(PIN)
    part = scene.client.make_extract(scene.client.item(kept.id), Redaction(CUTS))
    assert scene.client.item(part.id).sensitive
    scene.client._opened().sensitive.close()
    assert scene.client.item(part.id).state == "locked"
    with pytest.raises(NeedsPin):
        scene.client.shares.make(Sharing([(part.id, 1)], None, scene.vault.clock.now() + DAY, 1))
