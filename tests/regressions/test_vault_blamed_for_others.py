"""A file that doesn't open was always said to be the vault's fault: whoever seals one wrongly could have a person's
program say that their vault lies, and stop their edits. The vault is at fault where it gives other bytes than those
whose SHA-256 the record names, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from client_sdk.box_visit import Given
from client_sdk.boxes import NewBox
from client_sdk.client import Draft
from client_sdk.contents import Contents, bounded, checked, open_content, open_original, sealed_content_size
from client_sdk.errors import (
    BlobSwapped, BundleSwapped, ContentBroken, ContentDiffers, DepositBroken, NetworkError, Refused, SdkError,
)
from client_sdk.items import Content, Item
from client_sdk.packs.check import check_pack
from client_sdk.packs.pack import sealed_name
from client_sdk.packs.source import open_source
from client_sdk.progress import NO_PROGRESS
from client_sdk.sharing import Sharing
from client_sdk.transport import PIECE
from tests.fakes.devices import PASSWORD, PIN, make_device, register, stretch_once
from tests.fakes.keeping import Keeping
from tests.fakes.vault import fake_vault
from tests.fakes.wrongly import BROKEN, DATA, DIFFERING, seal_wrongly

DAY = 86_400


class Scene(Keeping):
    """A person, whose files are sealed as a test wants them."""

    def keep(self, how: str) -> tuple[Item, Content]:
        """A document with such a file, as a device that fails has kept it."""
        content, sealed = seal_wrongly(how)
        opened = self.client._opened()
        opened.uploader.send_sealed(content.blob, sealed)
        [kept] = opened.writer.add((Draft("", title="A file"),), "document", False, (content,))
        item = self.client.item(kept.id)
        return item, item.contents[0]

    def warned(self) -> list[str]:
        return [one.code for one in self.client._opened().session.warnings.errors]

    def require_innocent(self, item: Item) -> None:
        """Nothing is held against the vault, and what was kept can be edited."""
        assert self.warned() == []
        assert list(self.person.home.folder.rglob("evidence/*")) == []
        self.client.edit_entry(item.id, {"title": "Another"})


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "vault") as vault:
        person = make_device(vault, tmp_path / "person")
        register(person)
        with person.log_in() as client:
            yield Scene(vault, person, client, tmp_path)


def came(blocks: Iterator[bytes]) -> tuple[bytes, SdkError | None]:
    """All that came, and what it ended with."""
    data = bytearray()
    try:
        for block in blocks:
            data += block
    except SdkError as error:
        return bytes(data), error
    return bytes(data), None


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_was_sealed_wrongly_is_not_the_vaults_fault(scene: Scene, how: str) -> None:
    item, content = scene.keep(how)
    spans = [(at, at + 1) for at in (0, 20_000, len(DATA) - 1)]
    whole = came(scene.client.read_content(item, content))
    assert type(whole[1]) is ContentBroken and DATA.startswith(whole[0])
    ends = [type(came(scene.client.read_content(item, content, *span))[1]) for span in spans]
    assert set(ends) <= {ContentBroken, type(None)} and (ContentBroken in ends) == (how != "broken padding")
    written, place = scene.write(scene.client.pack([item]))
    assert [(one.error.code, one.is_there) for one in written.lost] == [("content_broken", False)]
    if how != "a chunk less":  # its size is no longer what the record says, so that the vault's receipt is of another
        assert (place / sealed_name(content)).is_file()
    scene.require_innocent(item)


@pytest.mark.parametrize("how", DIFFERING)
def test_a_file_that_opens_to_its_end_comes_whole_before_it_is_said_to_differ(scene: Scene, how: str) -> None:
    item, content = scene.keep(how)
    data, error = came(scene.client.read_content(item, content))
    assert data == DATA and type(error) is ContentDiffers
    written, place = scene.write(scene.client.pack([item]))
    assert [(one.error.code, one.is_there) for one in written.lost] == [("content_differs", False)]
    assert not list((place / "originals").glob("*"))  # as proof of what the record names it would be none
    assert sha256((place / sealed_name(content)).read_bytes()).digest() == content.sealed
    assert check_pack(open_source(place), scene.client.policy).outcome != "valid"
    scene.require_innocent(item)


def test_a_file_of_a_newer_version_keeps_nothing_else_out_of_a_pack(scene: Scene) -> None:
    items = [scene.keep(how)[0] for how in ("a newer version", "rightly")]
    written, place = scene.write(scene.client.pack(items))
    assert [(one.error.code, one.is_there) for one in written.lost] == [("version_unsupported", False)]
    assert [path.read_bytes() for path in (place / "originals").iterdir()] == [DATA]
    scene.require_innocent(items[0])


def test_a_vault_that_gives_other_bytes_of_a_range_alone_is_still_found_out(scene: Scene) -> None:
    """Of the blob that was kept the range would have opened."""
    item, content = scene.keep("rightly")
    path = content.blob
    scene.person.network.spoils = lambda request, body: (
        bytes(byte ^ 1 for byte in body) if "Range" in request.headers else body
    )
    assert path and type(came(scene.client.read_content(item, content, 50_000, 50_010))[1]) is BlobSwapped
    assert scene.warned() == ["blob_swapped"]


def test_a_vault_that_gives_other_bytes_of_what_was_sealed_wrongly_is_at_fault(scene: Scene) -> None:
    item, content = scene.keep("another key")
    scene.person.network.spoils = lambda request, body: body[:-1] + bytes([body[-1] ^ 1])
    assert type(came(scene.client.read_content(item, content))[1]) is BlobSwapped
    assert scene.warned() == ["blob_swapped"]


def test_a_network_that_breaks_off_while_it_is_found_out_blames_nobody(scene: Scene) -> None:
    item, content = scene.keep("another key")
    scene.person.network.cut_before = lambda request: "Range" not in request.headers
    assert type(came(scene.client.read_content(item, content, 50_000, 50_010))[1]) is NetworkError
    scene.person.network.cut_before = lambda _: False
    scene.require_innocent(item)
    content, sealed = seal_wrongly("another key")

    def broken_off() -> Iterator[bytes]:
        yield sealed[:50_000]
        raise NetworkError()

    assert type(came(open_content(content, broken_off()))[1]) is NetworkError


@pytest.mark.parametrize("how", [*BROKEN, *DIFFERING])
def test_a_deposit_whose_file_is_not_what_it_says_is_refused_and_nobody_else_blamed(scene: Scene, how: str) -> None:
    made = scene.client.boxes.make(NewBox("Box", scene.vault.clock.now() + DAY, 3, 10_000_000))
    scene.client.boxes.send(made, scene.client.account.confirm(PASSWORD, PIN))
    with make_device(scene.vault, scene.folder / "other").client() as stranger:
        visit = stranger.enter_box(made.fragment)
        content, sealed = seal_wrongly(how)
        receipt = visit._sender.send_sealed(content.blob, sealed)
        done = visit.send(visit.make("him", "look", [Given(content, receipt.receipt)]))
    with pytest.raises(DepositBroken):
        opened = scene.client.boxes.open(made.box, done.deposit)  # where fewer bytes came than it says, it ends here
        data, error = came(scene.client.boxes.content(opened.contents[0]))
        assert type(error) is (ContentDiffers if how in DIFFERING else DepositBroken) and DATA.startswith(data)
        assert how in BROKEN or data == DATA
        scene.client.boxes.accept(opened, Draft("x"))
    assert scene.client.items("received") == []
    scene.require_innocent(scene.keep("rightly")[0])


@pytest.mark.parametrize(("how", "code"), [("another key", "content_broken"), ("another sha256", "content_differs")])
def test_what_a_sender_sealed_wrongly_is_not_the_fault_of_the_vault_that_handed_it_on(
    scene: Scene, how: str, code: str
) -> None:
    item, content = scene.keep(how)
    until = scene.vault.clock.now() + DAY
    made = scene.client.shares.make(Sharing([(item.id, 1)], None, until, 3))
    scene.client.shares.send(made, scene.client.account.confirm(PASSWORD, PIN))
    other = make_device(scene.vault, scene.folder / "other")
    assert made.link is not None
    with other.client() as reader:
        opened = reader.open_link(made.link.fragment, made.link.code)
        written, place = scene.write(opened)
        assert [one.error.code for one in written.lost] == [code]
        assert (place / sealed_name(content)).is_file()
        other.network.spoils = lambda request, body: body[:-1] + bytes([body[-1] ^ 1])
        assert type(came(opened.sealed(content))[1]) is BundleSwapped


def test_one_part_of_a_recording_that_differs_keeps_none_of_the_others_back() -> None:
    sealed = dict[bytes, bytes]()
    parts = list[Content]()
    for how in ("rightly", "another sha256", "a larger size", "rightly"):
        part, sealed[part.blob] = seal_wrongly(how)
        parts.append(part)
    whole = replace(parts[0], sha256=sha256(4 * DATA).digest(), size=4 * len(DATA), parts=tuple(parts))
    data, error = came(open_original(whole, lambda part: iter([sealed[part.blob]])))
    assert data == 4 * DATA and type(error) is ContentDiffers
    for digest, ends in ((sha256(2 * DATA).digest(), type(None)), (whole.sha256, ContentDiffers)):
        two = replace(whole, parts=(parts[0], parts[3]), sha256=digest)
        data, error = came(open_original(two, lambda part: iter([sealed[part.blob]])))
        assert data == 2 * DATA and type(error) is ends  # each part is what it says; all of them together may not be


def test_a_vault_that_refuses_a_range_is_not_asked_for_all_of_it() -> None:
    """Unless it is for want of bytes."""
    content, _ = seal_wrongly("rightly")
    for code, asks in (("unavailable", ["a range"]), ("range_invalid", ["a range", "all"])):
        asked = list[str]()

        def refusing(_blob: bytes, _start: int, stop: int | None, code: str = code) -> Iterator[bytes]:
            asked.append("all" if stop is None else "a range")
            raise Refused(code, 503, "")

        error = came(Contents(refusing, NO_PROGRESS).read(content, 10, 20))[1]
        assert isinstance(error, Refused) and error.code == code
        assert asked == asks


def test_what_does_not_open_in_its_middle_is_read_to_its_end() -> None:
    content, sealed = seal_wrongly("a changed byte", bytes(16_000_000))
    pieces = [sealed[start:start + PIECE] for start in range(0, len(sealed), PIECE)]
    assert type(came(open_content(content, pieces))[1]) is ContentBroken
    pieces[-1] = pieces[-1][:-1] + bytes([pieces[-1][-1] ^ 1])
    assert type(came(open_content(content, pieces))[1]) is BlobSwapped


@pytest.mark.parametrize("how", ["rightly", "another key", "a changed byte"])
def test_what_does_not_end_is_read_no_further_than_the_record_says(how: str) -> None:
    content, sealed = seal_wrongly(how)
    size, taken = sealed_content_size(content.size), 0

    def far_too_much() -> Iterator[bytes]:
        nonlocal taken
        ends = [*range(0, len(sealed), 1000), len(sealed)]
        for block in (sealed[start:stop] for start, stop in pairwise(ends)):
            taken += len(block)
            yield block
        while taken < 3 * size:
            taken += 1000
            yield bytes(1000)

    for read in (open_content(content, far_too_much()), checked(content, far_too_much())):
        taken = 0
        assert type(came(read)[1]) is BlobSwapped
        assert taken <= size + 1000
    assert list(bounded([b"12", b"34", b"56"], 3)) == [b"12", b"34"]
    assert list(bounded([b"12", b"3456"], 3)) == [b"12", b"34"]
    assert list(bounded([b"12", b"3"], 3)) == [b"12", b"3"]
