"""What somebody put into a box, shared on: their own words go along as they were sealed, with their receipt.

Then a vault that lies about them, an item that says otherwise, and a part of an item, with which they never go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy import delete

from client_sdk import manifest, sharing
from client_sdk.boxes import NewBox
from client_sdk.client import Draft, VaultClient
from client_sdk.contents import open_content
from client_sdk.errors import BundleIncomplete
from client_sdk.extract import Cut, Redaction
from client_sdk.items import Content, Sent
from client_sdk.opening import OpenedBundle, parse_manifest
from client_sdk.packs.pack import PAGE, Written, write_pack
from client_sdk.packs.check import check_pack
from client_sdk.packs.sink import open_sink
from client_sdk.packs.source import FolderSource
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url
from crypto_core.errors import MalformedError, UnsupportedVersion
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.receipt import parse_receipt
from crypto_core.sealing.records import open_record
from server.shares.models import BundleBlob
from tests.fakes.canary import find_canaries
from tests.fakes.devices import PASSWORD, PIN, Device, make_device, register
from tests.fakes.received import MESSAGE, NAME, Received, receive
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")

DAY, LATER = 86_400, 600
FILE = make_bytes(40_000)


@dataclass
class Scene:
    """A person who took something over some time after it was put in, and wrote something of their own."""

    vault: FakeVault
    person: Device
    reader: Device
    client: VaultClient
    received: Received
    own: bytes
    folder: Path

    @property
    def item(self) -> bytes:
        return self.received.kept.id

    @property
    def words(self) -> str:
        """The blob of the depositor's words, as it stands in addresses."""
        return format_b64url(self.received.deposited.deposit)

    def sent(self) -> Sent:
        sent = self.client.item(self.item).sent
        assert sent is not None
        return sent

    def share(self, *items: bytes) -> Callable[[], OpenedBundle]:
        """Opens it, again and again."""
        named = [(one, self.client.item(one).revision) for one in items or (self.own, self.item)]
        made = self.client.shares.make(Sharing(named, None, self.vault.clock.now() + DAY, 20))
        self.client.shares.send(made, self.client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
        link = made.link
        return lambda: self.reader.client().open_link(link.fragment, link.code)

    def pack(self, opened: OpenedBundle) -> tuple[Written, Path]:
        target = self.folder / f"pack-{make_id().hex()}"
        with open_sink(target) as sink:
            return write_pack(opened, self.reader.client().known_policy(), sink), target


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    person, reader = (make_device(vault, tmp_path / name) for name in ("person", "reader"))
    register(person)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(FILE)
    with person.log_in() as client, reader.client() as stranger:
        own = client.write_entry(Draft("What happened")).id
        received = receive(
            client, stranger, vault.clock.now(), photo, meanwhile=lambda: vault.clock.advance(LATER)
        )
        yield Scene(vault, person, reader, client, received, own, tmp_path)


def faults(pack: Path) -> tuple[str, set[tuple[str, str]]]:
    report = check_pack(FolderSource(pack))
    return report.outcome, {(one.name, one.error.code) for one in report.findings}


def same_deposit(one: str, other: str) -> bool:
    """Whether two receipts are of one, under whatever checkpoints."""
    first, second = parse_receipt(one.encode()), parse_receipt(other.encode())
    return (first.extra, first.index) == (second.extra, second.index)


# what is meant to happen


def test_the_depositors_own_words_and_their_receipt_go_along(scene: Scene) -> None:
    own, item = scene.share()().items
    assert own.words is None and item.words is not None
    said, proof = item.words.said, item.words.proof
    assert said is not None and proof is not None and item.words.doubt is None
    assert (said["name"], said["message"]) == (NAME, MESSAGE)
    assert same_deposit(proof.receipt, scene.received.deposited.receipt)
    assert proof.verified.commitment.sha256 == scene.received.deposited.sealed
    assert item.item.deposited - proof.verified.claimed_time == LATER
    assert [one["blob"] for one in said["contents"]] == [one.blob for one in item.item.contents]


def test_the_manifest_names_their_place_in_the_ledger_and_is_of_the_second_version(scene: Scene) -> None:
    opened = scene.share()()
    facts = parse_manifest(opened.manifest.json)
    own, item = opened.items
    assert item.words is not None and item.words.proof is not None
    assert (facts["v"], [one["words"] for one in facts["items"]]) == (2, [None, item.words.proof.verified.index])


def test_without_anything_received_a_bundle_is_as_it_ever_was(scene: Scene) -> None:
    opened = scene.share(scene.own)()
    assert parse_manifest(opened.manifest.json)["v"] == 1 and b"words" not in opened.manifest.json
    assert [one.words for one in opened.items] == [None]


def test_a_pack_has_the_words_the_receipt_and_a_page_that_says_whose_they_are(scene: Scene) -> None:
    written, pack = scene.pack(scene.share()())
    assert (written.refused, written.unsaid) == ((), ())
    stem = scene.received.deposited.deposit.hex()
    assert same_deposit((pack / f"sealed/{stem}.tlog-proof").read_text("utf-8"), scene.received.deposited.receipt)
    assert faults(pack) == ("valid", set())
    page = (pack / PAGE).read_text("utf-8")
    assert NAME in page and MESSAGE in page and page.count("put in with these words") == 1


def test_the_words_are_one_file_for_two_revisions_of_an_item(scene: Scene) -> None:
    scene.client.edit_entry(scene.item, {"title": "Autrement"})
    made = scene.client.shares.make(
        Sharing([(scene.item, 1), (scene.item, 2)], None, scene.vault.clock.now() + DAY, 3)
    )
    scene.client.shares.send(made, scene.client.account.confirm(PASSWORD, PIN))
    assert made.link is not None
    opened = scene.reader.client().open_link(made.link.fragment, made.link.code)
    assert [one.words is not None and one.words.doubt is None for one in opened.items] == [True, True]
    assert faults(scene.pack(opened)[1]) == ("valid", set())


def test_what_the_person_adds_later_is_not_taken_for_the_depositors(scene: Scene) -> None:
    added = scene.folder / "added.jpg"
    added.write_bytes(b"mine")
    scene.client.edit_entry(scene.item, {"text": "y"}, attachments=[added])
    opened = scene.share()()
    item = opened.items[1]
    assert len(item.item.contents) == 2 and item.words is not None and item.words.doubt is None
    _, pack = scene.pack(opened)
    assert faults(pack) == ("valid", set())
    assert (pack / PAGE).read_text("utf-8").count("put in with these words") == 1


# an older bundle


def test_a_bundle_from_before_opens_and_its_pack_verifies(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names no words, and its vault gives none."""
    for module in (sharing, manifest):
        monkeypatch.setattr(module, "sent_of", lambda _: None)
    opened = scene.share()()
    assert parse_manifest(opened.manifest.json)["v"] == 1
    assert [one.words for one in opened.items] == [None, None] and opened.items[1].lacking is None
    assert opened.items[1].item.sent == scene.sent()
    written, pack = scene.pack(opened)
    assert written.unsaid == () and faults(pack) == ("valid", set())
    assert not (pack / f"sealed/{scene.received.deposited.deposit.hex()}.sealed").exists()
    assert "are not in this folder with their receipt" in (pack / PAGE).read_text("utf-8")


# a vault that lies


def spoiled(receipt: str) -> str:
    """With one other letter in its signature."""
    return receipt[:-20] + ("A" if receipt[-20] != "A" else "B") + receipt[-19:]


def deposited_again(scene: Scene, opened: OpenedBundle) -> str:
    """The receipt of the very same bytes, put into another box, later."""
    words = opened.items[1].words
    assert words is not None and words.sealed is not None
    made = scene.client.boxes.make(NewBox("again", scene.vault.clock.now() + DAY, 1, 1_000_000))
    scene.client.boxes.send(made, scene.client.account.confirm(PASSWORD, PIN))
    return scene.reader.client().enter_box(made.fragment)._sender.send_sealed(make_id(), words.sealed).receipt


def lying(scene: Scene, lie: str, opened: OpenedBundle) -> None:
    """From now on the reader is told otherwise about the words."""
    network, path = scene.reader.network, f"/v1/bundles/{format_b64url(opened.bundle)}/blobs/{scene.words}"
    spoils: dict[str, Callable[[bytes], bytes]] = {
        "another byte": lambda data: data[:-1] + bytes([data[-1] ^ 1]), "too many": lambda data: data + bytes(300_000),
        "too few": lambda data: data[:-1],
    }
    receipts: dict[str, Callable[[], str]] = {
        "another receipt": lambda: scene.client.receipt(scene.client.item(scene.own)).receipt,
        "a broken receipt": lambda: spoiled(scene.received.deposited.receipt),
        "a later receipt": lambda: deposited_again(scene, opened),
    }
    if lie == "nothing":
        with scene.vault.parts.database.write() as session:
            session.execute(delete(BundleBlob).where(BundleBlob.blob == scene.received.deposited.deposit))
    elif change := spoils.get(lie):
        network.spoils = lambda request, data: change(data) if request.url.path == path else data
    else:
        given = receipts[lie]()
        network.rewrites[f"{path}/receipt"] = lambda answer: {**answer, "receipt": given}


@pytest.mark.parametrize(("lie", "code", "is_read"), [
    ("another byte", "bundle_swapped", False), ("too many", "bundle_swapped", False),
    ("too few", "bundle_swapped", False), ("nothing", "bundle_incomplete", False),
    ("another receipt", "receipt_other_bytes", True), ("a broken receipt", "receipt_signature", True),
    ("a later receipt", "bundle_swapped", True),
])
def test_a_lie_about_the_words_is_told_and_the_item_is_read(scene: Scene, lie: str, code: str, is_read: bool) -> None:
    opens = scene.share()
    lying(scene, lie, opens())
    opened = opens()
    item = opened.items[1]
    assert item.lacking is None and item.item.text == "Ce qu’elle a vu"
    words = item.words
    assert words is not None and words.doubt is not None and words.doubt.code == code and words.proof is None
    assert (words.said is not None) == is_read
    written, pack = scene.pack(opened)
    assert (written.refused, written.unsaid) == ((), (item,))
    name = f"sealed/{scene.received.deposited.deposit.hex()}.sealed"
    assert faults(pack) == ("not_yet", {(name, "pack_incomplete")})
    assert "are not in this folder with their receipt" in (pack / PAGE).read_text("utf-8")


def test_words_that_are_taken_out_of_a_pack_or_changed_are_named(scene: Scene) -> None:
    _, pack = scene.pack(scene.share()())
    sealed = pack / "sealed" / f"{scene.received.deposited.deposit.hex()}.sealed"
    proof = sealed.with_suffix(".tlog-proof")
    kept = {path: path.read_bytes() for path in (sealed, proof)}
    for path, data in kept.items():
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert (f"sealed/{path.name}", "pack_changed") in faults(pack)[1]
        path.unlink()
        assert faults(pack) == ("invalid", {(f"sealed/{path.name}", "pack_missing")})
        path.write_bytes(data)
    proof.write_text(scene.client.receipt(scene.client.item(scene.own)).receipt, "utf-8")
    assert faults(pack)[0] == "invalid"


# an item that says otherwise


def accept_otherwise(scene: Scene, sent: Sent, contents: tuple[Content, ...]) -> bytes:
    """As a client would that changes what somebody sent."""
    with scene.client._writing((), False) as (opened, _):
        return opened.writer.add((Draft("x"),), "received", False, contents, sent=sent)[0].id


@pytest.mark.parametrize("changed", [
    {"name": "Anna"}, {"message": "Je n’ai rien vu."}, {"written": 1}, {"contents": ()},
])
def test_an_item_that_says_otherwise_than_the_words_is_told_loudly(scene: Scene, changed: Mapping[str, Any]) -> None:
    contents = changed.get("contents", scene.client.item(scene.item).contents)
    sent = replace(scene.sent(), **{name: value for name, value in changed.items() if name != "contents"})
    item = accept_otherwise(scene, sent, contents)
    opened = scene.share(item)()
    [one] = opened.items
    assert one.lacking is None and one.words is not None and one.words.doubt is not None
    assert one.words.doubt.code == "sent_differs" and one.words.proof is not None and one.words.said is not None
    assert (one.words.said["name"], one.words.said["message"]) == (NAME, MESSAGE)
    written, pack = scene.pack(opened)
    assert written.unsaid == (one,)
    assert faults(pack) == ("invalid", {(f"sealed/{item.hex()}-1.sealed", "sent_differs")})
    page = (pack / PAGE).read_text("utf-8")
    assert MESSAGE in page and "The person repeats something else than these words" in page


# a part of an item


def test_with_a_part_of_it_the_words_never_go(scene: Scene) -> None:
    """Neither the words nor what opens or names their blob is in anything that its reader gets, whatever it keeps."""
    item, sent = scene.client.item(scene.item), scene.sent()
    files = frozenset(content.blob for content in item.contents)
    everything = frozenset({"title", "happened", "place", "people", "tags", "danger", "mood", "category"})
    part = scene.client.make_extract(item, Redaction((Cut(0, 2),), everything, files)).id
    opened = scene.share(part)()
    scene.reader.network.seen.clear()
    [one] = opened.items
    assert one.words is None and one.item.sent is None and one.item.kind == "extract" and one.record is not None
    [named] = parse_manifest(opened.manifest.json)["items"]
    plain = opened.manifest.json + open_record(named["key"], part, 1, one.record)
    [photo] = one.item.contents
    assert b"".join(open_content(photo, opened.sealed(photo))) == FILE
    _, pack = scene.pack(opened)
    plain += b"".join(path.read_bytes() for path in pack.rglob("*") if path.is_file())
    assert find_canaries(plain, (NAME, MESSAGE, sent.key.hex())) == []
    for secret in (sent.key, sent.deposit, sent.sealed):
        assert not any(one in plain for one in (secret, format_b64url(secret).encode(), secret.hex().encode()))
    with pytest.raises(BundleIncomplete):
        list(opened.sealed(replace(photo, blob=sent.deposit)))
    assert parse_manifest(opened.manifest.json)["v"] == 1


def test_a_vault_that_gives_the_words_with_a_part_of_it_gives_nothing_that_opens_them(scene: Scene) -> None:
    part = scene.client.make_extract(scene.client.item(scene.item), Redaction((Cut(0, 2),))).id
    opened = scene.share(part)()
    assert opened.items[0].words is None
    asked = scene.reader.network.paths("GET")
    assert not any(scene.words in path for path in asked)


def test_a_part_may_keep_all_that_the_person_has_and_leave_out_the_words_alone(scene: Scene) -> None:
    item = scene.client.item(scene.item)
    part = scene.client.make_extract(
        item, Redaction((), frozenset({"title"}), frozenset(content.blob for content in item.contents))
    )
    made = scene.client.item(part.id)
    assert (made.kind, made.text, made.title, made.contents) == ("extract", item.text, item.title, item.contents)
    assert made.sent is None


# a manifest


@pytest.mark.parametrize(("version", "words"), [(1, [None, 3]), (1, [3, None]), (2, [None, None]), (2, ["", 3])])
def test_a_manifest_of_one_version_that_says_what_the_other_does_is_none(
    scene: Scene, version: int, words: list[Any]
) -> None:
    facts = json.loads(scene.share()().manifest.json)
    for item, index in zip(facts["items"], words, strict=True):
        item.pop("words")
        item.update({} if index == "" else {"words": index})
    with pytest.raises(MalformedError):
        parse_manifest(json.dumps({**facts, "v": version}).encode())
    with pytest.raises(UnsupportedVersion):
        parse_manifest(json.dumps({**facts, "v": 3}).encode())
