"""The whole SDK against the whole server, in one process: what a person does, and what a bad day does to it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

import client_sdk.synchroniser
from client_sdk.auditor import Auditor
from client_sdk.client import Draft, Happened, VaultClient
from client_sdk.contents import sealed_content_size
from client_sdk.dossier import export_receipts
from client_sdk.errors import (
    BlobSwapped, FileUnreadable, HostDiffers, ItemUnknown, ItemsMissing, LedgerForked, LedgerKeyChanged, NetworkError,
    NoteTooLong, NotOpen, RangeInvalid, Refused, Untrusted, ValueRefused, VaultChanged,
)
from client_sdk.gathering import Chosen, Plan
from client_sdk.home import Home
from client_sdk.transport import HttpTransport
from crypto_core.errors import SecretRefused
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from crypto_core.receipts.note import SignerKey, format_vkey, parse_note, sign_note
from crypto_core.receipts.policy import parse_policy
from crypto_core.sealing.keyring import NeedsPin
from crypto_core.sealing.records import Link, open_link
from server.items.service import collect
from server.uploads.checking import Checks
from schemas import limits
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, Network, make_device, register
from tests.fakes.vault import FakeVault, fake_vault
from tests.fakes.wire import FakeWire

pytestmark = pytest.mark.usefixtures("stretched_once")
UNIT = 262_144


def a_file(folder: Path, size: int, name: str = "photo.jpg") -> Path:
    path = folder / name
    path.write_bytes(make_bytes(size))
    return path


def whole(client: VaultClient, item_id: bytes) -> bytes:
    item = client.item(item_id)
    return b"".join(client.read_content(item, item.contents[0]))


# getting in


def test_an_account_is_made_and_opens(laptop: Device) -> None:
    with laptop.client() as client:
        first = client.log_in("AMÉLIE", PASSWORD, PIN)
    assert (first.last_opened, first.wrong_pins, first.warnings, first.waiting) == (None, 0, (), 0)
    assert laptop.opening().last_opened is not None


def test_wrong_secrets_are_told_apart_only_where_they_may_be(laptop: Device) -> None:
    for username, password, pin, code in (
        ("nobody", PASSWORD, PIN, "login_refused"), (USERNAME, "another password", PIN, "login_refused"),
        (USERNAME, PASSWORD, "739155", "pin_wrong"),
    ):
        with pytest.raises(Refused) as caught:
            laptop.client().log_in(username, password, pin)
        assert caught.value.code == code
    assert laptop.opening().wrong_pins == 1


def test_a_wrong_password_never_brings_a_pin_to_the_vault(laptop: Device) -> None:
    with pytest.raises(Refused):
        laptop.client().log_in(USERNAME, "another password", PIN)
    assert "/v1/pin" not in laptop.network.paths("POST")


def test_a_lost_answer_to_sign_up_is_not_taken_for_a_taken_name(vault: FakeVault, phone: Device) -> None:
    client = phone.client()
    new = client.make_account(USERNAME, PASSWORD, PIN)
    phone.network.cut_after = lambda request: request.url.path == "/v1/accounts"
    with pytest.raises(NetworkError):
        client.register(new)
    phone.network.cut_after = lambda request: False
    assert client.register(new) == new.account
    assert phone.opening().warnings == ()


def test_a_stale_challenge_is_replaced(vault: FakeVault, phone: Device) -> None:
    client = phone.client()
    new = client.make_account(USERNAME, PASSWORD, PIN)
    phone.network.cut_before = lambda request: request.url.path == "/v1/accounts"
    with pytest.raises(NetworkError):
        client.register(new)
    vault.clock.advance(600)
    phone.network.cut_before = lambda request: False
    assert client.register(new) == new.account


def test_a_taken_pair_is_refused(laptop: Device, phone: Device) -> None:
    client = phone.client()
    with pytest.raises(Refused) as caught:
        client.register(client.make_account(USERNAME, PASSWORD, PIN))
    assert caught.value.code == "account_exists"


def test_sign_up_refuses_a_guessable_pin_before_anything_is_sent(phone: Device) -> None:
    with pytest.raises(SecretRefused):
        phone.client().make_account(USERNAME, PASSWORD, "1234")
    assert phone.network.paths("POST") == []


def test_recovery_words_come_in_both_languages(phone: Device) -> None:
    client = phone.client()
    assert len(client.make_account(USERNAME, PASSWORD, PIN, language="french").recovery_words.split()) == 24
    with pytest.raises(ValueRefused):
        client.make_account(USERNAME, PASSWORD, PIN, language="klingon")


def test_a_clock_that_is_a_year_wrong_locks_nobody_out(vault: FakeVault, laptop: Device) -> None:
    year = 366 * 86_400
    for wrong in (year, -year):
        address = "https://vault.example"
        transport = HttpTransport(address, wire=FakeWire(address, laptop.network), sleep=lambda _: None)
        client = VaultClient(transport, laptop.home, clock=lambda: vault.clock.now() + wrong)  # noqa: B023
        assert client.log_in(USERNAME, PASSWORD, PIN).warnings == ()
        client.write_entry(Draft(text="still here"))
        client.lock()


def test_locked_means_nothing_opens(laptop: Device) -> None:
    client = laptop.client()
    with pytest.raises(NotOpen):
        client.items()
    client = laptop.log_in()
    client.lock()
    with pytest.raises(NotOpen):
        client.write_entry(Draft(text="x"))


def test_an_ended_session_is_told_and_nothing_is_lost(vault: FakeVault, laptop: Device) -> None:
    client = laptop.log_in()
    vault.clock.advance(13 * 3600)
    with pytest.raises(Refused) as caught:
        client.write_entry(Draft(text="written too late"))
    assert caught.value.code == "unauthorized"
    client.lock()
    client = laptop.log_in()
    assert [item.text for item in client.items()] == ["written too late"]


# entries


def test_an_entry_comes_back_word_for_word_on_another_device(laptop: Device, phone: Device) -> None:
    draft = Draft(
        text="Ce qui s'est passé.\n\tDe nouveau.", title="Lundi", place="à la maison", people=("Léa", "le voisin"),
        happened=Happened(1_700_000_000, 1_700_000_059, "minute", "2023-11-14T23:13"), tags=("menace",), danger=7,
        mood="peur", category="message",
    )
    with laptop.log_in() as client:
        kept = client.write_entry(draft)
        assert kept.verified.commitment.sha256 and not kept.conflict
    with phone.log_in() as client:
        item = client.item(kept.id)
    assert {name: getattr(item, name) for name in draft.__dataclass_fields__ if name != "written"} == {
        name: getattr(draft, name) for name in draft.__dataclass_fields__ if name != "written"
    }
    assert (item.kind, item.sensitive, item.state, item.revision) == ("journal", False, "open", 1)


@pytest.mark.parametrize("sign", ["ن", "😱", "\u202e"])
def test_two_hundred_thousand_characters_of_any_script_are_kept(laptop: Device, sign: str) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text=sign * 200_000))
        assert client.item(kept.id).text == sign * 200_000


@pytest.mark.parametrize("text", ["a" * 900_001, "😱" * 262_144])
def test_a_text_that_no_record_holds_is_refused_with_advice(laptop: Device, text: str) -> None:
    with laptop.log_in() as client:
        with pytest.raises(NoteTooLong, match="file"):
            client.write_entry(Draft(text=text))
        assert client.items() == []


def test_a_value_that_no_record_holds_is_named_and_not_quoted(laptop: Device) -> None:
    with laptop.log_in() as client, pytest.raises(ValueRefused) as caught:
        client.write_entry(Draft(text="fine", danger=11, place="p" * 501))
    assert caught.value.detail == "danger, place"


def test_an_edit_is_the_next_revision_and_the_earlier_one_stays(laptop: Device) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="first", title="t"))
        edited = client.edit_entry(kept.id, {"text": "second"})
        assert (edited.id, edited.revision) == (kept.id, 2)
        assert [item.text for item in client.history(kept.id)] == ["first", "second"]
        assert client.item(kept.id).title == "t"
        assert client.item(kept.id, 1).text == "first"
        with pytest.raises(ValueRefused):
            client.edit_entry(kept.id, {"colour": "red"})


def test_many_entries_go_in_few_requests(laptop: Device) -> None:
    with laptop.log_in() as client:
        before = laptop.network.paths("POST").count("/v1/items")
        kept = client.write_entries([Draft(text=f"entry {number}") for number in range(150)])
        assert laptop.network.paths("POST").count("/v1/items") - before == 2
        assert [item.text for item in client.items()] == [f"entry {number}" for number in range(150)]
        assert len({one.id for one in kept}) == 150


def test_unknown_items_are_unknown(laptop: Device) -> None:
    with laptop.log_in() as client:
        for ask in (client.item, client.history, client.delete_item, client.restore_item):
            with pytest.raises(ItemUnknown):
                ask(bytes(16))
        with pytest.raises(ItemUnknown):
            client.edit_entry(bytes(16), {"text": "x"})


# sensitive items


def test_a_sensitive_entry_is_added_without_and_read_with_the_pin(laptop: Device, phone: Device) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="behind the PIN", title="hidden"), sensitive=True)
        locked = client.item(kept.id)
        assert (locked.state, locked.text, locked.title, locked.sensitive) == ("locked", None, None, True)
        with pytest.raises(NeedsPin):
            client.edit_entry(kept.id, {"text": "x"})
    with phone.log_in() as client:
        assert client.items()[0].state == "locked"
        with pytest.raises(Refused) as caught:
            client.step_up("000000")
        assert caught.value.code == "pin_wrong"
        client.step_up(PIN)
        assert client.item(kept.id).text == "behind the PIN"
        client.edit_entry(kept.id, {"text": "edited"})
        assert client.item(kept.id).sensitive


def test_the_sensitive_tier_closes_by_itself(laptop: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Any] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, work: Any) -> None:
            waiting.append((seconds, work))

        def start(self) -> None:
            pass

        def cancel(self) -> None:
            pass

    monkeypatch.setattr("client_sdk.sensitive.threading.Timer", Timer)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="behind the PIN"), sensitive=True)
        client.step_up(PIN)
        assert client.item(kept.id).state == "open"
        (seconds, fire), = waiting
        assert seconds <= 120
        fire()
        assert client.item(kept.id).state == "locked"


def test_what_was_typed_while_a_sensitive_item_closed_and_the_network_went_waits_sealed(
    laptop: Device, phone: Device
) -> None:
    client = laptop.log_in()
    kept = client.write_entry(Draft(text="before"), sensitive=True)
    client.step_up(PIN)
    base = client.editable(kept.id)
    client._opened().sensitive.close()
    laptop.network.cut_before = lambda _: True
    with pytest.raises(NetworkError):
        client.edit_entry(kept.id, {"text": "typed meanwhile"}, base=base)
    client.lock()
    laptop.network.cut_before = lambda _: False
    laptop.opening()
    with phone.log_in() as client:
        assert client.items()[0].state == "locked"
        client.step_up(PIN)
        assert client.item(kept.id).text == "typed meanwhile"


def test_a_sensitive_document_needs_the_pin_to_be_read_not_to_be_added(laptop: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 300_000)
    with laptop.log_in() as client:
        kept = client.add_document(path, sensitive=True)
        assert client.item(kept.id).contents == ()
        with pytest.raises(NeedsPin):
            list(client.sealed_blobs(client.item(kept.id)))
        client.step_up(PIN)
        assert whole(client, kept.id) == path.read_bytes()


# documents


@pytest.mark.parametrize("size", [
    0, 1, 16_383, 16_384, 16_385, UNIT - 16_384 - 1, UNIT - 16_384, UNIT - 16_384 + 1, 2 * UNIT - 16_384, 1_000_003,
])
def test_documents_of_every_size_come_back_byte_for_byte(
    laptop: Device, phone: Device, tmp_path: Path, size: int
) -> None:
    path = a_file(tmp_path, size, "pièce à conviction.jpeg")
    with laptop.log_in() as client:
        kept = client.add_document(path, category="injury")
    with phone.log_in() as client:
        item = client.item(kept.id)
        assert (item.kind, item.title, item.category) == ("document", path.name, "injury")
        content, = item.contents
        assert (content.size, content.mime, content.name) == (size, "image/jpeg", path.name)
        assert content.sha256 == sha256(path.read_bytes()).digest()
        assert whole(client, kept.id) == path.read_bytes()


def test_an_entry_carries_attachments_and_an_edit_adds_more(laptop: Device, tmp_path: Path) -> None:
    first, second = a_file(tmp_path, 100, "one.txt"), a_file(tmp_path, 400_000, "two.bin")
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see both"), attachments=(first, second))
        client.edit_entry(kept.id, {}, attachments=(a_file(tmp_path, 7, "three.bin"),))
        item = client.item(kept.id)
        assert [one.name for one in item.contents] == ["one.txt", "two.bin", "three.bin"]
        assert b"".join(client.read_content(item, item.contents[1])) == second.read_bytes()


def test_a_text_is_kept_without_the_files_whose_sending_was_stopped(laptop: Device, tmp_path: Path) -> None:
    paths = [a_file(tmp_path, 600_000 + number, f"{number}.jpg") for number in range(3)]
    left: list[tuple[Path, object]] = []

    def stops(request: httpx.Request) -> bool:
        if request.url.path.startswith("/v1/uploads/"):
            raise KeyboardInterrupt
        return False

    with laptop.log_in() as client:
        laptop.network.cut_before = stops
        with pytest.raises(KeyboardInterrupt):  # nobody asked to be told: the file is what this was about
            client.write_entry(Draft(text="not typed"), attachments=paths)
        kept = client.write_entry(
            Draft(text="typed"), attachments=paths, leave=lambda path, why: left.append((path, why))
        )
        laptop.network.cut_before = lambda _: False
        assert left == [(path, None) for path in paths]
        assert client.item(kept.id).text == "typed"
        assert [item.text for item in client.items("journal")] == ["typed"]
        client.edit_entry(kept.id, {}, attachments=paths)
        assert [one.name for one in client.item(kept.id).contents] == [path.name for path in paths]


def test_a_range_fetches_little_more_than_itself(laptop: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 3_000_000)
    data = path.read_bytes()
    with laptop.log_in() as client:
        item = client.item(client.add_document(path).id)
        content = item.contents[0]
        for start, stop in (
            (0, 1), (0, 100_000), (16_383, 16_385), (16_384, 32_768), (1_000_000, 1_500_001), (2_999_999, 3_000_000),
            (2_990_000, None), (5, 5), (3_000_000, None), (1, 10**9),
        ):
            network = laptop.network
            before, asked = network.received, len(network.seen)
            assert b"".join(client.read_content(item, content, start, stop)) == data[start:stop]
            assert network.received - before <= len(data[start:stop]) * 16_400 // 16_384 + 65_536
            assert len(network.seen) - asked <= 2
        for start, stop in ((3_000_001, None), (-1, 5), (10, 9)):
            with pytest.raises(RangeInvalid):
                list(client.read_content(item, content, start, stop))


@pytest.mark.parametrize("place", [10, 100, 20_000, -1])
def test_a_blob_that_the_vault_swapped_is_refused(laptop: Device, tmp_path: Path, place: int) -> None:
    path = a_file(tmp_path, 300_000)

    def spoil(request: httpx.Request, data: bytes) -> bytes:
        if not request.url.path.startswith("/v1/blobs/") or request.method != "GET":
            return data
        changed = bytearray(data)
        changed[place] ^= 1
        return bytes(changed)

    with laptop.log_in() as client:
        item = client.item(client.add_document(path).id)
        laptop.network.spoils = spoil
        with pytest.raises(BlobSwapped):
            list(client.read_content(item, item.contents[0]))


def test_a_read_goes_on_where_the_connection_broke(laptop: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 1_000_000)
    size = sealed_content_size(1_000_000)

    def spoil(request: httpx.Request, data: bytes) -> bytes:
        return data[: len(data) // 2] if len(data) > size // 3 else data

    with laptop.log_in() as client:
        kept = client.add_document(path)
        laptop.network.spoils = None
        item = client.item(kept.id)
        laptop.network.spoils = spoil
        assert b"".join(client.read_content(item, item.contents[0], 1, None)) == path.read_bytes()[1:]


@pytest.mark.parametrize(("what", "why"), [("missing", "No such file or directory"), ("folder", "not a file")])
def test_a_file_that_cant_be_read_is_refused(laptop: Device, tmp_path: Path, what: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    with laptop.log_in() as client, pytest.raises(FileUnreadable, match=why):
        client.add_document(tmp_path / what)


# a bad network


def _units_put(network: Network) -> list[int]:
    return [
        len(request.read()) // UNIT for request in network.seen
        if request.method == "PUT" and "/units/" in request.url.path
    ]


def test_while_a_request_is_on_its_way_the_next_units_are_sealed_and_sent(laptop: Device, tmp_path: Path) -> None:
    first, second = threading.Lock(), threading.Event()

    def meets(request: httpx.Request) -> bool:
        if "/units/" in request.url.path:
            if first.acquire(blocking=False):
                assert second.wait(30), "the second request waited for the answer to the first"
            second.set()
        return False

    path = a_file(tmp_path, 9 * UNIT)
    with laptop.log_in() as client:
        laptop.network.cut_before = meets
        assert whole(client, client.add_document(path).id) == path.read_bytes()


def test_while_a_batch_is_on_its_way_the_next_one_is_sealed(laptop: Device) -> None:
    """Nothing is lost when it fails, either: all of it waits here."""
    sealed = list[int]()
    with laptop.log_in() as client:
        def looks(request: httpx.Request) -> bool:
            if request.method == "POST" and request.url.path == "/v1/items":
                deadline = time.monotonic() + 30
                while laptop.waiting() < 2 and len(sealed) < 2 and time.monotonic() < deadline:
                    time.sleep(0.01)
                sealed.append(laptop.waiting())
                return len(sealed) > 2
            return False

        laptop.network.cut_before = looks
        texts = [f"entry {number}" for number in range(4 * limits.REVISIONS_PER_BATCH)]
        with pytest.raises(NetworkError):
            client.write_entries([Draft(text=text) for text in texts])
        assert sealed[:2] == [2, 2] and laptop.waiting() == 2
        laptop.network.cut_before = lambda _: False
    assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        assert sorted(item.text or "" for item in client.items()) == sorted(texts)
    phone = make_device(laptop.network.vault, laptop.home.folder.parent / "phone")
    assert phone.opening().warnings == ()


def test_who_stops_many_entries_has_all_of_them_wait(laptop: Device) -> None:
    texts = [f"entry {number}" for number in range(4 * limits.REVISIONS_PER_BATCH)]

    def stops(request: httpx.Request) -> bool:
        if request.method == "POST" and request.url.path == "/v1/items":
            raise KeyboardInterrupt
        return False

    with laptop.log_in() as client:
        laptop.network.cut_before = stops
        with pytest.raises(KeyboardInterrupt):
            client.write_entries([Draft(text=text) for text in texts])
        laptop.network.cut_before = lambda _: False
    assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        assert sorted(item.text or "" for item in client.items()) == sorted(texts)


@pytest.mark.parametrize("ended", [NetworkError, KeyboardInterrupt])
def test_nobody_is_told_that_something_waits_before_it_is_on_the_disk(
    laptop: Device, monkeypatch: pytest.MonkeyPatch, ended: type[BaseException]
) -> None:
    synced = list[int]()

    def slowly(descriptor: int) -> None:
        time.sleep(0.1)
        os.fdatasync(descriptor)
        synced.append(descriptor)

    def cut(request: httpx.Request) -> bool:
        if (request.method, request.url.path) != ("POST", "/v1/items"):
            return False
        if ended is KeyboardInterrupt:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr("client_sdk.replica._sync", slowly)
    with laptop.log_in() as client:
        laptop.network.cut_before = cut
        with pytest.raises(ended):
            client.write_entry(Draft(text="waits"))
        assert len(synced) == 1
        laptop.network.cut_before = lambda _: False
        client.write_entry(Draft(text="is kept"))
        assert len(synced) == 2


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_of_many_entries_nothing_is_kept_if_no_record_holds_one_of_them(laptop: Device, whole: int) -> None:
    texts = [f"entry {number}" for number in range(3 * limits.REVISIONS_PER_BATCH)]
    drafts = [Draft(text=text) for text in texts]
    drafts[whole * limits.REVISIONS_PER_BATCH + 7] = Draft(text="no such danger", danger=11)
    with laptop.log_in() as client, pytest.raises(ValueRefused):
        client.write_entries(drafts)
    assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        assert client.items() == []


@pytest.mark.parametrize("cut", range(7))
@pytest.mark.parametrize("lost", ["before", "after"])
def test_an_upload_goes_on_after_a_cut_at_every_request(
    laptop: Device, tmp_path: Path, cut: int, lost: str
) -> None:
    """The network dies for good at the cut-th request of the upload; the same command is given again later."""
    path, passed = a_file(tmp_path, 9 * UNIT), 0

    def dies(request: httpx.Request) -> bool:
        nonlocal passed
        if "/uploads" not in request.url.path and "/items" not in request.url.path:
            return False
        passed += 1
        return passed > cut

    client = laptop.log_in()
    setattr(laptop.network, f"cut_{lost}", dies)
    with pytest.raises(NetworkError):
        client.add_document(path)
    laptop.network.cut_before = laptop.network.cut_after = lambda _: False
    client.lock()
    laptop.network.seen.clear()
    with laptop.log_in() as client:
        if not client.items():
            client.add_document(path)
        item, = client.items()
        assert whole(client, item.id) == path.read_bytes()
    if lost == "after" and cut >= 3:
        assert sum(_units_put(laptop.network)) < 10
    assert laptop.waiting() == 0


def test_units_are_sent_again_in_smaller_requests_when_they_fail(laptop: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 20 * UNIT)
    with laptop.log_in() as client:
        laptop.network.cut_before = lambda request: "/units/" in request.url.path and len(request.read()) > 3 * UNIT
        kept = client.add_document(path)
        laptop.network.cut_before = lambda _: False
        assert whole(client, kept.id) == path.read_bytes()
    assert not list(laptop.home.folder.glob("*/*/uploads/*"))


class _Patient:
    """Somebody who watches: after the third time that the vault is said to be checking, it may end."""

    def __init__(self, go_on: threading.Event) -> None:
        self.said = list[str]()
        self._go_on = go_on

    def start(self, label: str, total: int) -> None:
        self.said.append("start")

    def advance(self, count: int) -> None:
        pass

    def checking(self) -> None:
        self.said.append("checking")
        if self.said.count("checking") == 3:
            self._go_on.set()

    def done(self) -> None:
        self.said.append("done")


@pytest.mark.parametrize("several", [False, True])
def test_a_vault_that_checks_for_longer_than_anybody_waits_is_asked_again(
    vault: FakeVault, laptop: Device, tmp_path: Path, several: bool
) -> None:
    path, go_on = a_file(tmp_path, 3 * UNIT), threading.Event()
    vault.app.extensions["parts"] = replace(vault.parts, checks=Checks(0.01))
    with laptop.client() as client:
        client._progress = watched = _Patient(go_on)
        client.log_in(USERNAME, PASSWORD, PIN)
        vault.steps.at["complete.hashed"] = lambda: None if go_on.wait(60) else pytest.fail("never asked again")
        if several:
            (outcome,) = client.add_documents([Chosen(path, path.name)], Plan())
            kept = outcome.kept
        else:
            kept = client.add_document(path)
        assert kept is not None and whole(client, kept.id) == path.read_bytes()
    asked = [place for place in laptop.network.paths("POST") if place.endswith("/complete")]
    sent = [len(one.read()) for one in laptop.network.seen if one.method == "PUT" and "/units/" in one.url.path]
    assert len(asked) >= 4 and sum(sent) == sealed_content_size(3 * UNIT)
    assert vault.steps.reached.count("complete.hashed") == 1
    assert watched.said[:4] == ["start", *["checking"] * 3] and "done" in watched.said


def test_a_file_that_changed_since_the_cut_is_sent_as_another_blob(laptop: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 3 * UNIT)
    client = laptop.log_in()
    laptop.network.cut_before = lambda request: request.url.path.endswith("/complete")
    with pytest.raises(NetworkError):
        client.add_document(path)
    laptop.network.cut_before = lambda _: False
    a_file(tmp_path, 3 * UNIT)
    kept = client.add_document(path)
    assert whole(client, kept.id) == path.read_bytes()
    client.lock()
    announced = {request.read() for request in laptop.network.seen if request.url.path == "/v1/uploads"}
    assert len(announced) == 2


def test_a_sensitive_upload_leaves_no_key_that_opens_without_the_pin(laptop: Device, tmp_path: Path) -> None:
    """Cut, and taken up again by a process that hasn't the PIN: another blob, another key. With the PIN: the same."""
    path = a_file(tmp_path, 3 * UNIT)
    laptop.network.cut_before = lambda request: request.url.path.endswith("/complete")
    for stepped_up in (False, False, True):
        client = laptop.log_in()
        if stepped_up:
            client.step_up(PIN)
        with pytest.raises(NetworkError):
            client.add_document(path, sensitive=True)
        client.lock()
    announced = [request.read() for request in laptop.network.seen if request.url.path == "/v1/uploads"]
    assert len(set(announced)) == 2 and len(announced) == 3


def test_a_lost_answer_keeps_an_entry_once(laptop: Device) -> None:
    losses = [True, False]
    with laptop.log_in() as client:
        laptop.network.cut_after = lambda request: (
            request.url.path == "/v1/items" and request.method == "POST" and losses.pop(0))
        client.write_entry(Draft(text="once"))
        laptop.network.cut_after = lambda _: False
    with laptop.log_in() as client:
        assert [item.text for item in client.items()] == ["once"]


@pytest.mark.parametrize("lost", ["before", "after"])
def test_what_could_not_be_sent_goes_at_the_next_opening(laptop: Device, phone: Device, lost: str) -> None:
    client = laptop.log_in()
    setattr(laptop.network, f"cut_{lost}", lambda request: request.url.path == "/v1/items" and request.method == "POST")
    for text in ("one", "two"):
        with pytest.raises(NetworkError):
            client.write_entry(Draft(text=text))
    body = next(one for one in laptop.network.seen if one.method == "POST" and one.url.path == "/v1/items").read()
    laptop.network.cut_before = laptop.network.cut_after = lambda _: False
    client.lock()
    laptop.network.seen.clear()
    assert laptop.opening().waiting == 0
    again = next(one for one in laptop.network.seen if one.method == "POST" and one.url.path == "/v1/items").read()
    assert again == body
    with phone.log_in() as client:
        assert sorted(str(item.text) for item in client.items()) == ["one", "two"]
        assert client.item(client.items()[0].id).state == "open"


def test_full_space_keeps_the_text_here_and_the_vault_readable(vault: FakeVault, tmp_path: Path) -> None:
    with fake_vault(tmp_path / "small", quota=20_000) as small:
        device = make_device(small, tmp_path / "home")
        register(device)
        client = device.log_in()
        client.write_entry(Draft(text="fits"))
        with pytest.raises(Refused) as caught:
            client.write_entry(Draft(text="x" * 30_000))
        assert caught.value.code == "quota_full"
        client.write_entry(Draft(text="fits, too"))
        client.lock()
        assert device.opening().waiting == 1


# several devices


def test_two_devices_that_edit_the_same_entry_keep_both_texts(laptop: Device, phone: Device) -> None:
    one, two = laptop.log_in(), phone.log_in()
    kept = one.write_entry(Draft(text="start"))
    two.lock()
    two = phone.log_in()
    one.edit_entry(kept.id, {"text": "from the laptop"})
    edited = two.edit_entry(kept.id, {"text": "from the phone"})
    assert edited.conflict and edited.revision == 3
    assert [item.text for item in two.history(kept.id)] == ["start", "from the laptop", "from the phone"]
    one.lock()
    two.lock()
    for device in (laptop, phone):
        assert device.opening().warnings == ()


def test_an_edit_that_meets_a_deletion_becomes_a_new_item(laptop: Device, phone: Device) -> None:
    one = laptop.log_in()
    kept = one.write_entry(Draft(text="start"))
    two = phone.log_in()
    one.delete_item(kept.id)
    edited = two.edit_entry(kept.id, {"text": "not lost"})
    assert edited.conflict and edited.id != kept.id and edited.revision == 1
    assert [item.text for item in two.items()] == ["not lost"]


def test_a_deletion_that_meets_an_edit_asks(laptop: Device, phone: Device) -> None:
    one = laptop.log_in()
    kept = one.write_entry(Draft(text="start"))
    two = phone.log_in()
    one.edit_entry(kept.id, {"text": "newer"})
    with pytest.raises(Refused) as caught:
        two.delete_item(kept.id)
    assert caught.value.code == "revision_conflict"
    two.lock()
    with phone.log_in() as two:
        assert two.item(kept.id).text == "newer"


def test_a_sensitive_edit_in_conflict_waits_for_the_pin(laptop: Device, phone: Device) -> None:
    one = laptop.log_in()
    kept = one.write_entry(Draft(text="start"), sensitive=True)
    two = phone.log_in()
    for client in (one, two):
        client.step_up(PIN)
    phone.network.cut_before = lambda request: request.url.path == "/v1/items" and request.method == "POST"
    with pytest.raises(NetworkError):
        two.edit_entry(kept.id, {"text": "from the phone"})
    two.lock()
    one.edit_entry(kept.id, {"text": "from the laptop"})
    phone.network.cut_before = lambda _: False
    two = phone.client()
    assert two.log_in(USERNAME, PASSWORD, PIN).waiting == 1
    two.step_up(PIN)
    assert [item.text for item in two.history(kept.id)] == ["start", "from the laptop", "from the phone"]
    two.lock()
    assert phone.opening().waiting == 0


def test_two_processes_of_one_device_do_not_tear_its_state(laptop: Device) -> None:
    one, two = laptop.log_in(), laptop.log_in()
    for number in range(3):
        one.write_entry(Draft(text=f"one {number}"))
        two.write_entry(Draft(text=f"two {number}"))
    one.lock()
    two.lock()
    with laptop.log_in() as client:
        assert len(client.items()) == 6
    assert laptop.opening().warnings == ()


def test_whoever_locks_second_merges_the_heads_of_both(laptop: Device, phone: Device) -> None:
    one, two = laptop.log_in(), phone.log_in()
    hashes = {
        client.write_entry(Draft(text=text)).verified.commitment.sha256
        for client, text in ((one, "laptop"), (two, "phone"))
    }
    one.lock()
    two.lock()
    with laptop.log_in() as client:
        state = client._opened().session.state
        assert state.n == 3 and set(state.facts["heads"]) == hashes
        client.items()
    assert laptop.network.paths("PUT").count("/v1/account/record") == 1  # reading alone writes nothing


def test_an_account_record_that_could_not_be_written_is_written_next_time(laptop: Device) -> None:
    laptop.network.cut_before = lambda request: request.url.path == "/v1/account/record"
    with laptop.log_in() as client:
        client.write_entry(Draft(text="x"))
    laptop.network.cut_before = lambda _: False
    laptop.opening()
    with laptop.log_in() as client:
        assert client._opened().session.state.n == 2


# deletion


def test_a_deleted_item_hides_everywhere_and_can_be_restored(laptop: Device, phone: Device, tmp_path: Path) -> None:
    path = a_file(tmp_path, 400_000)
    with laptop.log_in() as client:
        kept = client.add_document(path)
        deletion = client.delete_item(kept.id)
        assert deletion.erased_after - kept.deposited >= 7 * 86_400
        with pytest.raises(ItemUnknown):
            client.item(kept.id)
        assert client.items() == []
        with pytest.raises(ItemUnknown):
            client.delete_item(kept.id)
    with phone.log_in() as client:
        assert client.items() == []
        assert [item.kind for item in client.history(kept.id)] == ["document", "tombstone"]
        restored = client.restore_item(kept.id)
        assert restored.revision == 3
        assert whole(client, kept.id) == path.read_bytes()
        with pytest.raises(ItemUnknown):
            client.restore_item(kept.id)


def test_an_erasure_that_was_asked_for_raises_no_warning_and_leaves_nothing_on_any_device(
    vault: FakeVault, laptop: Device, phone: Device, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photograph")
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="gone soon"), attachments=(photo,))
        client.edit_entry(kept.id, {"text": "gone soon, too"})
        client.write_entry(Draft(text="stays"), attachments=(photo,))
        sealed = [row.record for row in client._opened().session.replica.history(kept.id)]
        receipts = [client.receipt(item).name for item in client.history(kept.id)]
        client.delete_item(kept.id)
    phone.opening()
    vault.clock.advance(8 * 86_400)
    collect(vault.parts)
    for device in (laptop, phone, make_device(vault, tmp_path / "new")):
        with device.log_in() as client:
            (stays,) = client.items()
            assert stays.text == "stays" and client.receipt(stays)
            assert [item.state for item in client.history(kept.id)] == ["missing", "missing", "open"]
            replica = client._opened().session.replica
            assert [replica.receipt(name) for name in receipts] == [None, None]
            with pytest.raises(ItemUnknown):
                client.restore_item(kept.id)
        assert device.opening().warnings == ()
        held = b"".join(path.read_bytes() for path in device.home.folder.glob("*/*/replica.db*"))
        assert stays.id in held
        assert [record for record in sealed if record is None or record[-64:] in held] == []


# a vault that lies


def test_an_item_that_the_vault_hides_is_missed(laptop: Device, phone: Device) -> None:
    with laptop.log_in() as client:
        first = client.write_entry(Draft(text="hidden by the vault"))
        client.write_entry(Draft(text="shown"))

    def hide(page: Any) -> Any:
        page["revisions"] = page["revisions"][1:]
        return page

    phone.network.rewrites["/v1/items"] = lambda answer: hide(answer) if "cursor" in answer else answer
    client = phone.client()
    opening = client.log_in(USERNAME, PASSWORD, PIN)
    assert [type(one) for one in opening.warnings] == [ItemsMissing]
    shown, = client.items()
    for write in (
        lambda: client.edit_entry(shown.id, {"text": "x"}), lambda: client.delete_item(shown.id),
        lambda: client.restore_item(first.id),
    ):
        with pytest.raises(Untrusted):
            write()
    client.write_entry(Draft(text="adding goes on"))
    with pytest.raises(Refused):
        client.account.accept_trust(PASSWORD, "000001")
    client.account.accept_trust(PASSWORD, PIN)
    client.edit_entry(shown.id, {"text": "x"})
    client.lock()
    assert phone.opening().warnings == ()
    assert laptop.opening().warnings == ()


def test_a_warning_outlives_the_process_and_the_lie(laptop: Device, phone: Device) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="hidden"))
        client.write_entry(Draft(text="shown"))
    phone.network.rewrites["/v1/items"] = lambda page: {**page, "revisions": page["revisions"][1:]}
    assert phone.opening().warnings
    phone.network.rewrites.clear()
    assert phone.opening().warnings


def test_a_page_left_out_once_is_made_good_by_the_next_pass(laptop: Device, phone: Device) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="left out once"))
        client.write_entry(Draft(text="shown"))
    left_out = [True]

    def once(page: Any) -> Any:
        return {**page, "revisions": page["revisions"][1:]} if left_out and left_out.pop() else page

    phone.network.rewrites["/v1/items"] = once
    with phone.client() as client:
        assert client.log_in(USERNAME, PASSWORD, PIN).warnings == ()
        assert len(client.items()) == 2


def test_an_erasure_that_nobody_asked_for_is_found_and_the_text_stays_here(laptop: Device, phone: Device) -> None:
    client = laptop.log_in()
    kept = client.write_entry(Draft(text="evidence"))
    client.lock()

    def erase(page: Any) -> Any:
        for revision in page["revisions"]:
            revision["wrap"] = revision["record"] = None
        return page

    for device in (phone, laptop):
        replicas = list(device.home.folder.glob("*/*/replica.db"))
        assert bool(replicas) == (device is laptop)
        device.network.rewrites["/v1/items"] = erase
    assert [one.code for one in phone.opening().warnings] == ["items_missing"]
    with laptop.log_in() as client:
        assert client.item(kept.id).text == "evidence"


def test_an_older_account_record_is_found(laptop: Device) -> None:
    old: list[Any] = []

    def remember(answer: Any) -> Any:
        old.append(answer)
        return answer

    laptop.network.rewrites["/v1/account"] = remember
    with laptop.log_in() as client:
        client.write_entry(Draft(text="one"))
    laptop.network.rewrites["/v1/account"] = lambda _: old[0]
    assert [one.code for one in laptop.opening().warnings] == ["account_record_older"]
    del laptop.network.rewrites["/v1/account"]
    with laptop.log_in() as client:  # to be told: the password may be that of before
        assert client.account.accept_trust(PASSWORD, PIN).record_older
        assert not client.account.accept_trust(PASSWORD, PIN).record_older


def test_another_ledger_key_is_found_and_nothing_is_called_kept(laptop: Device) -> None:
    laptop.opening()
    other = format_vkey(SignerKey("ledger/other", make_bytes(32)).verifier)
    laptop.network.rewrites["/v1/vault"] = lambda answer: {**answer, "ledger_vkey": other}
    client = laptop.client()
    assert [one.code for one in client.log_in(USERNAME, PASSWORD, PIN).warnings] == [LedgerKeyChanged.code]
    client.write_entry(Draft(text="under the pinned key"))  # the vault signs with the old key after all
    client.lock()


def test_a_new_ledger_key_that_was_accepted_is_believed_from_then_on(laptop: Device) -> None:
    laptop.opening()
    other = format_vkey(SignerKey("ledger/other", make_bytes(32)).verifier)
    laptop.network.rewrites["/v1/vault"] = lambda answer: {**answer, "ledger_vkey": other}
    with laptop.client() as client:
        assert client.log_in(USERNAME, PASSWORD, PIN).warnings
        client.account.accept_trust(PASSWORD, PIN)
        with pytest.raises(LedgerKeyChanged):  # this vault hasn't the key that it shows: nothing is called kept
            client.write_entry(Draft(text="not proven"))
    assert [pin.ledger_vkey for pin in laptop.home.pins()] == [other]


def test_another_vault_at_the_address_gets_no_secret(laptop: Device) -> None:
    laptop.network.rewrites["/v1/vault"] = lambda answer: {**answer, "vault_id": "A" * 22}
    laptop.network.seen.clear()
    with pytest.raises(VaultChanged):
        laptop.client().log_in(USERNAME, PASSWORD, PIN)
    assert laptop.network.paths("POST") == []


def test_a_vault_under_another_name_gets_no_secret(laptop: Device) -> None:
    address = "https://phishing.example"
    transport = HttpTransport(address, wire=FakeWire(address, laptop.network))
    laptop.network.seen.clear()
    with pytest.raises(HostDiffers):
        VaultClient(transport, laptop.home).log_in(USERNAME, PASSWORD, PIN)
    assert laptop.network.paths("POST") == []


def test_a_vault_that_wants_a_newer_client_is_not_asked_for_anything(laptop: Device) -> None:
    laptop.network.rewrites["/v1/vault"] = lambda answer: {**answer, "argon_newest": 2}
    laptop.network.seen.clear()
    with pytest.raises(Exception, match="newer version") as caught:
        laptop.client().log_in(USERNAME, PASSWORD, PIN)
    assert getattr(caught.value, "code", "") == "client_too_old"
    assert laptop.network.paths("POST") == []


# receipts


def test_exported_receipts_verify_alone(laptop: Device, tmp_path: Path) -> None:
    path, out = a_file(tmp_path, 500_000), tmp_path / "out"
    with laptop.log_in() as client:
        item = client.item(client.add_document(path).id)
        files = export_receipts(client, item, out)
        receipt = client.receipt(item)
    assert receipt.name == f"{item.id.hex()}-1"
    assert {one.name for one in files} == {one.name for one in out.iterdir()}
    policy = parse_policy((out / "policy.txt").read_bytes())
    sealed = sorted(out.glob("*.sealed"))
    assert len(sealed) == 2
    for one in sealed:
        proof = one.with_suffix(".tlog-proof").read_bytes()
        assert Auditor.check_receipt(one, proof, policy).commitment.size == one.stat().st_size
        digest = sha256(one.read_bytes()).digest()
        assert Auditor.check_receipt(digest, proof, policy).commitment.sha256 == digest
    assert path.read_bytes()[:64] not in b"".join(one.read_bytes() for one in out.iterdir())
    assert "temoin verify" in (out / "README.txt").read_text()


def test_receipts_of_another_device_are_fetched_and_verified(laptop: Device, phone: Device) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))
    with phone.log_in() as client:
        receipt = client.receipt(client.item(kept.id))
        assert receipt.verified.commitment == kept.verified.commitment
        asked = len(phone.network.seen)
        client.receipt(client.item(kept.id))
        assert len(phone.network.seen) - asked <= 1


def test_a_receipt_proves_by_itself_that_the_ledger_only_grew(laptop: Device, phone: Device) -> None:
    def asked(device: Device) -> int:
        return device.network.paths("GET").count("/v1/ledger/consistency")

    client = laptop.log_in()
    before = asked(laptop)
    for text in ("one", "two", "three"):
        client.write_entry(Draft(text=text))
    client.write_entries([Draft(text="four"), Draft(text="five")])
    assert asked(laptop) == before
    with phone.log_in() as other:
        other.write_entry(Draft(text="another device was first"))
    client.write_entry(Draft(text="six"))
    assert asked(laptop) == before + 1


def test_a_receipt_that_shows_another_past_is_a_fork(vault: FakeVault, laptop: Device) -> None:
    client = laptop.log_in()
    client.write_entry(Draft(text="kept"))
    (replica,) = laptop.home.folder.rglob("replica.db")
    with closing(sqlite3.connect(replica)) as database, database:
        ((held,),) = database.execute("SELECT value FROM facts WHERE name = 'checkpoint'")
        ours = parse_checkpoint(parse_note(held.encode()).text)
        other = sign_note(format_checkpoint(Checkpoint(ours.origin, ours.size, bytes(32))), vault.parts.ledger.signer)
        database.execute("UPDATE facts SET value = ? WHERE name = 'checkpoint'", (other,))
    with pytest.raises(LedgerForked):
        client.write_entry(Draft(text="where the ledger has another past"))
    assert [one.code for one in laptop.opening().warnings] == ["ledger_forked"]


def test_what_was_sealed_here_is_not_opened_again(
    laptop: Device, phone: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[bytes]()

    def watched(mk_n: bytes, item: bytes, revision: int, sealed: bytes) -> Link:
        opened.append(item)
        return open_link(mk_n, item, revision, sealed)

    monkeypatch.setattr(client_sdk.synchroniser, "open_link", watched)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="one"))
        client.write_entries([Draft(text="two"), Draft(text="three")])
        kept = client.write_entry(Draft(text="four"))
        client.edit_entry(kept.id, {"text": "five"})
        assert opened == []
        with phone.log_in() as other:
            theirs = other.write_entry(Draft(text="another device's"))
        opened.clear()
        client.edit_entry(kept.id, {"text": "six"})
        assert opened == []  # nothing of the other device has come here yet
    assert laptop.opening().warnings == () and theirs.id in opened


@pytest.mark.parametrize("column", ["wrap", "link", "record"])
def test_what_was_sealed_here_and_lies_here_otherwise_is_noticed(laptop: Device, column: str) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="one"))
        (replica,) = laptop.home.folder.rglob("replica.db")
        with closing(sqlite3.connect(replica)) as database, database:
            ((was,),) = database.execute(f"SELECT {column} FROM revisions")
            database.execute(f"UPDATE revisions SET {column} = ?", (was[:-1] + bytes([was[-1] ^ 1]),))
        client.write_entry(Draft(text="two"))
    evidence = [one.name.split("-")[0] for one in laptop.home.folder.rglob("evidence/*")]
    assert sorted(evidence) == ["link", "record", "wrap"]


def test_the_second_home_pins_the_same_vault(laptop: Device, phone: Device) -> None:
    laptop.opening()
    phone.opening()
    assert laptop.home.pins() == phone.home.pins()
    policy = Home(phone.home.folder).policy()
    assert policy is not None and len(policy.logs) == 1


def test_nothing_that_a_device_keeps_is_readable(laptop: Device, tmp_path: Path) -> None:
    canary = "CANARY-a-very-private-sentence"
    path = tmp_path / f"{canary}.txt"
    path.write_bytes(canary.encode() * 20_000)
    client = laptop.log_in()
    client.write_entry(Draft(text=canary, title=canary, tags=(canary,)))
    laptop.network.cut_before = lambda request: request.url.path.endswith("/complete")
    for sensitive in (False, True):
        with pytest.raises(NetworkError):
            client.add_document(path, sensitive=sensitive)
    laptop.network.cut_before = lambda request: request.url.path == "/v1/items"
    with pytest.raises(NetworkError):
        client.write_entry(Draft(text=canary))
    kept = [one for one in laptop.home.folder.rglob("*") if one.is_file()]
    assert {one.parent.name for one in kept} >= {"vaults", "servers"} and laptop.waiting() == 1
    for one in kept:
        assert canary.encode() not in one.read_bytes() and canary not in str(one)
        assert one.stat().st_mode & 0o077 == 0
    for word in (USERNAME, PASSWORD, PIN, canary):
        assert word not in repr(client) and word not in repr(client.items())
