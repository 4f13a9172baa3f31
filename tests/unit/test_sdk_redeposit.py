"""A vault that was set back has again what devices hold; what nobody has is written off, and nothing goes for that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.client import Credentials, Draft, Item, VaultClient
from client_sdk.errors import ItemUnknown, NetworkError, Refused
from client_sdk.packs.pack import write_pack
from client_sdk.packs.sink import open_sink
from client_sdk.receipts import RECORD_RECEIPT
from crypto_core.derivation import derive
from crypto_core.encoding import format_b64url, u32
from crypto_core.labels import Kind, context
from crypto_core.sealing.envelope import seal
from crypto_core.sealing.keyring import Keyring
from server.cli import collect
from server.journal.service import begin
from server.ledger.models import SignedCheckpoint
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device, register, stretch_once
from tests.fakes.received import MESSAGE, receive
from tests.fakes.set_back import copied, reopen, restored
from tests.fakes.vault import FakeVault


@pytest.fixture(autouse=True)
def _stretch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stretch_once(monkeypatch)


@pytest.fixture
def vault(vault: FakeVault) -> Iterator[FakeVault]:
    begin(vault.parts)
    yield vault
    vault.parts.close()


@pytest.fixture
def laptop(vault: FakeVault, tmp_path: Path) -> Device:
    device = make_device(vault, tmp_path / "laptop")
    register(device)
    with device.log_in() as client:
        client.write_entry(Draft(text="in the copy"))
    return device


def fresh(vault: FakeVault, tmp_path: Path, name: str = "fresh") -> Device:
    return make_device(vault, tmp_path / name)


def codes(device: Device) -> list[str]:
    return [one.code for one in device.opening().warnings]


def texts(client: VaultClient) -> list[str | None]:
    return [item.text for item in client.items()]


def rows(device: Device, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Of what a device keeps, as whoever else opens the file."""
    (path,) = device.home.folder.glob("*/*/replica.db")
    with closing(sqlite3.connect(path, timeout=30)) as db:
        found = db.execute(query, values).fetchall()
        db.commit()
    return found


def sealed_rows(device: Device) -> list[tuple[Any, ...]]:
    sealed = "item, revision, wrap, link, record, blobs, erases"
    return rows(device, f"SELECT {sealed} FROM revisions ORDER BY item, revision")


def evidence(device: Device, name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(device.home.folder.glob(f"*/*/evidence/{name}-*"))]


def accept(device: Device) -> Any:
    with device.log_in() as client:
        return client.account.accept_trust(PASSWORD, PIN)


def full(vault: FakeVault, quota: int = 1) -> None:
    """Nothing more fits, until there is more room again."""
    vault.parts.close()
    vault.parts = replace(vault.parts, config=replace(vault.parts.config, quota=quota))
    reopen(vault)


def edited_on_the_phone(vault: FakeVault, tmp_path: Path, item: bytes, text: str) -> Device:
    """By a person who has no other device at hand, and gives up what is lost."""
    phone = fresh(vault, tmp_path)
    assert accept(phone).written_off
    with phone.log_in() as client:
        client.step_up(PIN)
        client.edit_entry(item, {"text": text})
    return phone


def named(client: VaultClient, text: str) -> Item:
    (found,) = (item for item in client.items() if item.text == text)
    return found


def blob_missing(blobs: Any) -> httpx.Response:
    said = {"title": "", "detail": "", "code": "blob_missing", "status": 409, "type": "/problems/blob_missing"}
    return httpx.Response(409, json={**said, "blobs": blobs}, headers={"content-type": "application/problem+json"})


def is_putting(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path == "/v1/items"


def blobs_in(request: httpx.Request) -> list[str]:
    return [blob for one in json.loads(request.content)["revisions"] for blob in one["blobs"]]


def refusing(device: Device, answer: Callable[[httpx.Request], httpx.Response | None]) -> None:
    """What a vault says in the place of keeping anything."""
    handle = device.network.handle_request
    device.network.handle_request = lambda request: (  # type: ignore[method-assign]
        (answer(request) if is_putting(request) else None) or handle(request)
    )


def written_far_away(device: Device, photograph: Path, *, sensitive: bool = False) -> None:
    """An entry with a file that has arrived, and one behind it; neither entry has."""
    device.network.cut_before = is_putting
    with device.log_in() as client:
        hall = Draft(title="The hall", text="see the photograph")
        for draft, files in ((hall, [photograph]), (Draft(text="behind it"), [])):
            with pytest.raises(NetworkError):
                client.write_entry(draft, attachments=files, sensitive=sensitive)
    device.network.cut_before = lambda _: False


def test_what_came_since_the_copy_goes_back_byte_for_byte(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
        client.edit_entry(named(client, "in the copy").id, {"text": "in the copy, and edited since"})
        hidden = client.write_entry(Draft(text="behind the PIN"), sensitive=True)
    before, receipts = sealed_rows(laptop), dict(rows(laptop, "SELECT name, receipt FROM receipts"))
    done = restored(vault, copy)
    opening = laptop.opening()
    assert opening.given_back == 3
    assert {one.code for one in opening.warnings} == {"items_missing", "ledger_forked"}
    ((was, size),) = {(one.was, one.size) for one in opening.restorations}
    assert (was, size) == (done.was, done.size) == (4, 1)
    assert laptop.opening().given_back == 0

    phone = fresh(vault, tmp_path)
    with phone.log_in() as client:
        assert sorted(filter(None, texts(client))) == ["in the copy, and edited since", "since the copy"]
        client.step_up(PIN)
        assert client.item(hidden.id).text == "behind the PIN"
        assert len(client.history(named(client, "in the copy, and edited since").id)) == 2
    assert codes(phone) == []
    assert sealed_rows(phone) == sealed_rows(laptop) == before
    now = dict(rows(laptop, "SELECT name, receipt FROM receipts"))
    replaced = {name for name in receipts if receipts[name] != now[name]}
    assert len(replaced) == 3
    assert {receipts[name].encode() for name in replaced} <= set(evidence(laptop, "receipt"))


def test_a_warning_that_is_ended_leaves_nothing_behind(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)
    settled = accept(laptop)
    assert (settled.given_back, settled.anew, settled.written_off, settled.files, settled.left) == (0, [], 0, [], None)
    assert codes(laptop) == codes(fresh(vault, tmp_path)) == []
    with laptop.log_in() as client:
        client.edit_entry(named(client, "since the copy").id, {"text": "edited again"})
        client.delete_item(named(client, "in the copy").id)


def test_a_fork_that_shows_only_in_the_new_receipt_keeps_nothing_from_going_back(
    vault: FakeVault, laptop: Device
) -> None:
    """The public checkpoint moves once a minute, and may fit for so long."""
    with vault.parts.database.read() as session:
        shown = session.get_one(SignedCheckpoint, 0).note.encode()
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)
    laptop.network.answers = lambda request: shown if request.url.path == "/ledger/checkpoint" else None
    opening = laptop.opening()
    assert opening.given_back == 1
    assert "ledger_forked" in [one.code for one in opening.warnings]


def test_an_entry_goes_back_without_the_file_that_was_lost(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    copy = copied(vault)
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(title="The hall", text="see the photograph"), attachments=[photograph])
        other = client.write_entry(Draft(text="another"), attachments=[photograph])
    restored(vault, copy)
    assert laptop.opening().given_back == 2
    with fresh(vault, tmp_path).log_in() as client:  # nobody has told this device of anything
        item = client.item(kept.id)
        assert item.text == "see the photograph"
        with pytest.raises(Refused) as refused:
            list(client.read_content(item, item.contents[0]))
        assert refused.value.code == "not_found"
        client.edit_entry(other.id, {"text": "another, edited elsewhere"})
        assert client.item(other.id).contents == ()
    (file,) = accept(laptop).files
    assert (file.item, file.title, file.name) == (kept.id, "The hall", "hall.jpg")
    with laptop.log_in() as client:
        item = client.item(kept.id)
        assert (item.revision, item.text, item.contents) == (2, "see the photograph", ())
        assert [len(one.contents) for one in client.history(kept.id)] == [1, 0]  # what there was, and its hash, stays
        client.edit_entry(kept.id, {}, attachments=[photograph])
        item = client.item(kept.id)
        assert b"".join(client.read_content(item, item.contents[0])) == photograph.read_bytes()
    assert codes(laptop) == []


def test_a_file_that_never_arrived_is_not_left_out_of_what_is_written(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    """Only what was kept once may be gone: a file that was sent just now is not lost, it is to be sent again."""
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)

    def forget(request: httpx.Request) -> bool:
        if request.method == "POST" and request.url.path == "/v1/items":
            with vault.parts.database.write() as session:
                session.connection().exec_driver_sql("DELETE FROM blobs")
        return False

    with laptop.log_in() as client:
        item = named(client, "in the copy").id
        laptop.network.cut_before = forget
        with pytest.raises(Refused) as refused:
            client.edit_entry(item, {"text": "edited"}, attachments=[photograph])
        assert refused.value.code == "blob_missing"


@pytest.mark.parametrize("sensitive", [False, True])
def test_where_another_device_has_written_meanwhile_both_texts_stay(
    vault: FakeVault, laptop: Device, tmp_path: Path, sensitive: bool
) -> None:
    with laptop.log_in() as client:
        item = client.write_entry(Draft(text="first"), sensitive=sensitive).id
    copy = copied(vault)
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    with laptop.log_in() as client:
        client.step_up(PIN)
        client.edit_entry(item, {"text": "second, on the laptop"}, attachments=[photograph])
        client.edit_entry(item, {"text": "third, on the laptop"})
        client.write_entry(Draft(text="by the way"))
    restored(vault, copy)
    phone = edited_on_the_phone(vault, tmp_path, item, "second, on the phone")
    opening = laptop.opening()
    assert opening.given_back == 1  # by the way
    assert {one.code for one in opening.warnings} == {"items_missing", "ledger_forked"}  # nobody swapped anything
    settled = accept(laptop)
    assert settled.left is None
    (anew,) = settled.anew
    assert settled.written_off == 0
    assert [(one.item, one.name) for one in settled.files] == [(anew, "hall.jpg")]
    for device in (laptop, phone, fresh(vault, tmp_path, "third")):
        assert codes(device) == [], device.home.folder
        with device.log_in() as client:
            client.step_up(PIN)
            assert [one.text for one in client.history(item)] == ["first", "second, on the phone"]
            told = [(one.text, len(one.contents)) for one in client.history(anew)]
            third = "third, on the laptop"
            assert told == [("second, on the laptop", 1), (third, 1), (third, 0)]  # what there was, and its hash, stays
            assert client.item(anew).sensitive == sensitive
    assert evidence(laptop, "record")


def test_a_deletion_whose_place_is_taken_brings_nothing_back(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "edited"})
        client.edit_entry(item, {"text": "edited again"})
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")
    rows(laptop, "UPDATE revisions SET erases = x'' WHERE revision = 3")  # as if the last had been a deletion
    assert accept(laptop).anew == []
    with laptop.log_in() as client:
        assert texts(client) == ["on the phone"]


def without(device: Device, text: str) -> bytes:
    """A device that never had an entry, though it knows of it by a link; gives its item."""
    with device.log_in() as client:
        item = named(client, text).id
    rows(device, "DELETE FROM revisions WHERE item = ?", item)
    return item


def test_what_nobody_has_is_written_off_everywhere_and_given_back_by_who_has_it_after_all(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="lost"))
        client.write_entry(Draft(text="names the lost one"))
    phone = fresh(vault, tmp_path)
    phone.opening()
    item = without(phone, "lost")
    restored(vault, copy)
    assert phone.opening().given_back == 1
    settled = accept(phone)
    assert (settled.written_off, settled.anew) == (1, [])
    third = fresh(vault, tmp_path, "third")
    assert codes(phone) == codes(third) == []
    with third.log_in() as client:
        assert len(client.items()) == 2
        (loss,) = rows(third, "SELECT item, record FROM revisions WHERE erases = x''")
        with pytest.raises(ItemUnknown):
            client.item(loss[0])
        assert [one.kind for one in client.history(loss[0])] == ["loss"]
        with pytest.raises(ItemUnknown):
            client.pack(client.history(loss[0]))

    assert laptop.opening().given_back == 1
    with laptop.log_in() as client:
        assert client.item(item).text == "lost"  # written off is not erased
    with third.log_in() as client:
        assert client.item(item).text == "lost"
    vault.clock.advance(8 * 86_400)
    collect(vault.parts)  # a loss travels as a deletion of nothing
    for device in (phone, third):
        assert codes(device) == []


def test_a_loss_makes_no_device_let_go_of_anything(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    """A vault that says that an entry was erased, and has somebody write it off, does not erase it elsewhere."""
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    phone = fresh(vault, tmp_path)

    def erased(answer: dict[str, Any]) -> dict[str, Any]:
        for one in answer["revisions"]:
            if one["item"] == format_b64url(item):
                one |= {"wrap": None, "record": None, "blobs": []}
        return answer

    phone.network.rewrites["/v1/items"] = lambda answer: erased(answer) if "cursor" in answer else answer
    assert "items_missing" in codes(phone)
    assert accept(phone).written_off == 1
    laptop.network.rewrites = phone.network.rewrites
    rows(laptop, "UPDATE facts SET value = '' WHERE name = 'cursor'")
    assert codes(laptop) == []  # it was written off
    with laptop.log_in() as client:
        assert client.item(item).text == "in the copy"


@pytest.mark.parametrize("arrives", [False, True])
@pytest.mark.parametrize("count", range(1, 9))
def test_who_is_cut_off_while_settling_goes_on_the_next_time(
    vault: FakeVault, laptop: Device, tmp_path: Path, count: int, arrives: bool
) -> None:
    """`arrives`: it is the answer that is lost."""
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "edited on the laptop"})
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph])
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")

    with laptop.log_in() as client:
        client.account.confirm(PASSWORD, PIN)
        begun = len(laptop.network.seen)
        cut = "cut_after" if arrives else "cut_before"
        setattr(laptop.network, cut, lambda _: len(laptop.network.seen) >= begun + 4 + count)
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        setattr(laptop.network, cut, lambda _: False)
    accept(laptop)
    assert codes(laptop) == codes(fresh(vault, tmp_path, "third")) == []
    with laptop.log_in() as client:
        assert sorted(map(str, texts(client))) == ["edited on the laptop", "on the phone", "see the photograph"]
        assert client.item(kept.id).contents == ()


def test_what_was_cut_off_after_the_warning_is_done_at_the_next_opening(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph])
    restored(vault, copy)
    with laptop.log_in() as client:
        laptop.network.cut_before = lambda request: request.url.path.startswith("/v1/blobs/")
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        laptop.network.cut_before = lambda _: False
    assert codes(laptop) == []
    with laptop.log_in() as client:
        assert client.item(kept.id).contents == ()


def test_a_file_that_only_its_entry_names_is_not_lost(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    """A vault that says that an entry names nothing, and still has the file, has nobody leave it out."""
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph])

    def nothing(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "revisions": [{**one, "blobs": []} for one in answer["revisions"]]}

    rows(laptop, "UPDATE facts SET value = '' WHERE name = 'cursor'")
    laptop.network.rewrites["/v1/items"] = lambda answer: nothing(answer) if "cursor" in answer else answer
    assert accept(laptop).files == []
    with laptop.log_in() as client:
        (file,) = client.item(kept.id).contents
        assert client.item(kept.id).revision == 1
        assert b"".join(client.read_content(client.item(kept.id), file)) == photograph.read_bytes()


def test_a_full_space_keeps_nobody_from_ending_a_warning(vault: FakeVault, laptop: Device) -> None:
    """Or nothing could be deleted that would make room."""
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)
    quota = vault.parts.config.quota
    full(vault)
    assert laptop.opening().given_back == 0
    settled = accept(laptop)
    assert settled.left is not None and settled.left.code == "quota_full"
    with laptop.log_in() as client:
        assert "since the copy" in texts(client)
    full(vault, quota)
    assert laptop.opening().given_back == 1
    assert codes(laptop) == []


def test_many_go_in_as_few_requests_as_the_wire_allows(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entries([Draft(text=f"number {number}") for number in range(230)])
    restored(vault, copy)
    laptop.network.seen.clear()
    assert laptop.opening().given_back == 230
    assert laptop.network.paths("POST").count("/v1/items") == 3
    with fresh(vault, tmp_path).log_in() as client:
        assert len(client.items()) == 231
    assert set(codes(laptop)) == {"ledger_forked", "items_missing"}


def test_receipts_of_the_lost_history_are_asked_for_anew_and_packs_can_be_made(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        early = client.write_entry(Draft(text="early"))
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
        newer = client._opened().session.ask("GET", RECORD_RECEIPT, item=early.id, revision=1)["receipt"]
    assert newer != early.receipt
    rows(laptop, "UPDATE receipts SET receipt = ? WHERE name = ?", newer, f"{early.id.hex()}-1")  # as if upgraded
    restored(vault, copy)
    with laptop.log_in() as client:
        meanwhile = client.write_entry(Draft(text="after the restoration"))
        client.write_entry(Draft(text="and one more"))  # the vault's own receipt of the former is another one by now
    accept(laptop)
    renewed = set(evidence(laptop, "receipt"))
    assert newer.encode() in renewed
    assert meanwhile.receipt.encode() not in renewed
    with laptop.log_in() as client:
        client.write_entry(Draft(text="after all that"))
        pack = client.pack(client.items())
        sink = open_sink(tmp_path / "pack")
        write_pack(pack, client.policy, sink)
        laptop.network.seen.clear()
    laptop.opening()
    assert not [one for one in laptop.network.paths("GET") if one.endswith("/receipt") or "restorations" in one]
    laptop.network.seen.clear()
    accept(laptop)
    assert not [one for one in laptop.network.paths("GET") if one.endswith(("/receipt", "/consistency"))]
    assert set(evidence(laptop, "receipt")) == renewed


def test_a_vault_that_lies_about_a_restoration_is_shown_none(vault: FakeVault, laptop: Device) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)

    def bend(request: httpx.Request, data: bytes) -> bytes:
        return data.replace(b"size 1\n", b"size 2\n") if request.url.path == "/ledger/restorations" else data

    laptop.network.spoils = bend
    opening = laptop.opening()
    assert opening.warnings and opening.restorations == ()


def test_what_comes_after_a_lost_place_never_goes_on_top_of_what_another_device_wrote(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    """However many requests it takes to give the rest back."""
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "second, on the laptop"})
        client.write_entries([Draft(text=f"number {number}") for number in range(100)])
        client.edit_entry(item, {"text": "third, on the laptop"})
    restored(vault, copy)
    phone = edited_on_the_phone(vault, tmp_path, item, "second, on the phone")
    assert laptop.opening().given_back == 100
    with phone.log_in() as client:
        assert client.item(item).text == "second, on the phone"
    (anew,) = accept(laptop).anew
    with laptop.log_in() as client:
        assert client.item(item).text == "second, on the phone"
        assert [one.text for one in client.history(anew)] == ["second, on the laptop", "third, on the laptop"]


def test_a_deletion_never_goes_on_top_of_what_another_device_wrote(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    """Though what it deleted is erased here, and so not given back."""
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "edited"})
        client.delete_item(item)
    vault.clock.advance(8 * 86_400)
    collect(vault.parts)
    laptop.opening()
    assert rows(laptop, "SELECT record FROM revisions WHERE item = ? AND revision = 2", item) == [(None,)]
    restored(vault, copy, without_journal=True)
    phone = fresh(vault, tmp_path)
    with phone.log_in() as client:  # which nothing tells of what is lost
        client.edit_entry(item, {"text": "on the phone"})
    assert laptop.opening().given_back == 0
    accept(laptop)
    for device in (laptop, phone, fresh(vault, tmp_path, "third")):
        assert codes(device) == []
        with device.log_in() as client:
            assert client.item(item).text == "on the phone"


def test_a_vault_that_misses_ever_other_files_is_asked_no_more(vault: FakeVault, laptop: Device) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)
    asked = 0

    def missing(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        assert asked < 20
        return blob_missing([format_b64url(asked.to_bytes(16, "big"))])

    refusing(laptop, missing)
    assert laptop.opening().given_back == 0
    assert asked < 3


def test_a_full_space_ends_the_warning_and_each_lost_file_is_left_out_once_when_there_is_room(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(title="The hall", text="see the photograph"), attachments=[photograph])
        other = client.write_entry(Draft(text="another"), attachments=[photograph])
    restored(vault, copy)
    assert laptop.opening().given_back == 2
    quota = vault.parts.config.quota
    full(vault)
    settled = accept(laptop)
    assert settled.left is not None and settled.left.code == "quota_full"
    assert [(one.item, one.name) for one in settled.files] == [(kept.id, "hall.jpg"), (other.id, "hall.jpg")]
    for _ in range(3):
        assert codes(laptop) == []
    full(vault, quota)
    for _ in range(2):
        assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        for item in (kept.id, other.id):
            assert [len(one.contents) for one in client.history(item)] == [1, 0]


def test_a_full_space_keeps_no_displaced_text_from_going_once_there_is_room(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="also in the copy"))
        items = [item.id for item in client.items()]
    copy = copied(vault)
    with laptop.log_in() as client:
        for item in items:
            client.edit_entry(item, {"text": "on the laptop"})
        client.write_entry(Draft(text="by the way"))
    restored(vault, copy)
    phone = edited_on_the_phone(vault, tmp_path, items[0], "on the phone")
    with phone.log_in() as client:
        client.edit_entry(items[1], {"text": "on the phone"})
    quota = vault.parts.config.quota
    full(vault)
    settled = accept(laptop)
    assert settled.left is not None and settled.left.code == "quota_full"
    assert codes(laptop) == []
    full(vault, quota)
    for _ in range(2):
        assert codes(laptop) == []
    for device in (laptop, phone, fresh(vault, tmp_path, "third")):
        device.opening()
        with device.log_in() as client:
            assert sorted(map(str, texts(client))) == ["by the way", *2 * ["on the laptop"], *2 * ["on the phone"]]
    assert codes(fresh(vault, tmp_path, "fourth")) == []


@pytest.mark.parametrize("count", range(1, 12))
def test_who_is_cut_off_while_settling_goes_on_in_the_same_session(
    vault: FakeVault, laptop: Device, tmp_path: Path, count: int
) -> None:
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "edited on the laptop"})
        client.write_entry(Draft(text="by the way"))
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")
    with laptop.log_in() as client:
        client.account.confirm(PASSWORD, PIN)
        begun = len(laptop.network.seen)
        laptop.network.cut_after = lambda _: len(laptop.network.seen) >= begun + 4 + count
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        laptop.network.cut_after = lambda _: False
        client.account.accept_trust(PASSWORD, PIN)
    for device in (laptop, fresh(vault, tmp_path, "third")):
        assert codes(device) == []
        with device.log_in() as client:
            assert sorted(map(str, texts(client))) == ["by the way", "edited on the laptop", "on the phone"]


def test_what_another_device_gave_back_meanwhile_is_not_written_anew(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    """Two devices at once, the one before the other has finished: the same bytes, without the file that was lost."""
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph])
    phone = fresh(vault, tmp_path)
    phone.opening()
    with laptop.log_in() as client:
        client.edit_entry(kept.id, {"text": "and edited"})
    restored(vault, copy)

    def first(request: httpx.Request) -> bool:
        if request.method == "POST" and request.url.path == "/v1/items":
            laptop.network.cut_before = lambda _: False
            assert phone.opening().given_back == 1
        return False

    laptop.network.cut_before = first
    with laptop.log_in() as client:
        assert client.account.accept_trust(PASSWORD, PIN).anew == []
        assert sorted(map(str, texts(client))) == ["and edited", "in the copy"]
        assert client.item(kept.id).text == "and edited"


def test_a_file_of_a_sensitive_item_is_left_out_once_the_pin_is_given(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph], sensitive=True)
    restored(vault, copy)
    with laptop.log_in() as client:
        laptop.network.cut_before = lambda request: request.url.path.startswith("/v1/blobs/")
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        laptop.network.cut_before = lambda _: False
    assert codes(laptop) == []
    with laptop.log_in() as client:
        client.step_up(PIN)
        assert client.item(kept.id).contents == ()
    laptop.network.seen.clear()
    laptop.opening()
    assert not [one for one in laptop.network.paths("GET") if one.endswith("/receipt") or "restorations" in one]


def test_a_vault_that_was_set_back_twice_has_everything_again_once(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    before = sealed_rows(laptop)
    for between in (lambda: None, lambda: accept(laptop), lambda: accept(laptop)):
        restored(vault, copy)
        assert laptop.opening().given_back == 1
        between()
    assert codes(laptop) == codes(fresh(vault, tmp_path)) == []
    assert sealed_rows(laptop) == before


def test_a_service_that_takes_nothing_still_lets_everything_be_read(vault: FakeVault, laptop: Device) -> None:
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    restored(vault, copy)
    handle = laptop.network.handle_request
    laptop.network.handle_request = lambda request: (  # type: ignore[method-assign]
        httpx.Response(500) if request.method == "POST" and request.url.path == "/v1/items" else handle(request)
    )
    with laptop.log_in() as client:
        assert "since the copy" in texts(client)


def test_what_only_a_newer_program_opens_keeps_no_warning_from_ending_and_nothing_else_from_being_kept(
    vault: FakeVault, laptop: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="also in the copy"))
        items = [item.id for item in client.items()]

    def of_a_later_kind(keyring: Keyring, item: bytes, revision: int, *_: object) -> bytes:
        place = context(Kind.WRAP, b"record", item, u32(revision))
        return seal(derive(keyring.mk_n, Kind.ITEMS), place, b"\x09" + bytes(80))

    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(items[1], {"text": "on the laptop"})
        monkeypatch.setattr("client_sdk.writer.wrap_record_key", of_a_later_kind)
        client.edit_entry(items[0], {"text": "by a newer program"})
        monkeypatch.undo()
    stretch_once(monkeypatch)
    restored(vault, copy)
    phone = edited_on_the_phone(vault, tmp_path, items[0], "on the phone")
    with phone.log_in() as client:
        client.edit_entry(items[1], {"text": "on the phone"})
    settled = accept(laptop)
    assert settled.left is not None and settled.left.code == "malformed"
    assert (len(settled.anew), settled.written_off) == (1, 0)
    for _ in range(2):
        assert codes(laptop) == []
    assert rows(laptop, "SELECT revision FROM revisions WHERE item = ? AND pass < 9", items[0]) == [(1,), (2,)]
    with fresh(vault, tmp_path, "third").log_in() as client:
        assert sorted(map(str, texts(client))) == ["on the laptop", "on the phone", "on the phone"]


def test_more_versions_than_one_request_takes_are_written_anew_once_whatever_is_cut_off(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        for number in range(101):
            client.edit_entry(item, {"text": f"{number} on the laptop"})
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")
    with laptop.log_in() as client:
        puts = count()
        laptop.network.cut_before = lambda request: (
            request.method == "POST" and request.url.path == "/v1/items" and next(puts) > 0  # after what conflicts
        )
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        laptop.network.cut_before = lambda _: False
    accept(laptop)
    assert codes(laptop) == codes(fresh(vault, tmp_path, "third")) == []
    with laptop.log_in() as client:
        assert sorted(map(str, texts(client))) == ["100 on the laptop", "on the phone"]
        assert sorted(len(client.history(one.id)) for one in client.items()) == [2, 101]


def test_a_file_is_left_out_once_by_who_was_cut_off_before_the_vault_was_set_back_again(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="see the photograph"), attachments=[photograph])
    restored(vault, copy)
    with laptop.log_in() as client:
        laptop.network.cut_before = lambda request: request.method == "POST" and request.url.path == "/v1/items"
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
    laptop.network.cut_before = lambda _: False
    restored(vault, copy)
    accept(laptop)
    for _ in range(2):
        assert codes(laptop) == []
    with laptop.log_in() as client:
        assert [len(one.contents) for one in client.history(kept.id)] == [1, 0]


@pytest.mark.parametrize("sensitive", [False, True])
def test_a_text_that_waited_goes_without_the_file_that_was_collected_meanwhile(
    vault: FakeVault, laptop: Device, tmp_path: Path, sensitive: bool
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    written_far_away(laptop, photograph, sensitive=sensitive)
    vault.clock.advance(vault.parts.config.unnamed_blob_age + 1)
    collect(vault.parts)
    with laptop.client() as client:
        opening = client.log_in(USERNAME, PASSWORD, PIN)
        assert (opening.waiting, opening.warnings) == (0, ())
        if sensitive:
            assert client.lost_files == ()
            client.step_up(PIN)
        (file,) = client.lost_files
        assert (file.title, file.name) == ("The hall", "hall.jpg")
        item = client.item(file.item)
        assert (item.text, item.contents) == ("see the photograph", ())
        assert [len(one.contents) for one in client.history(item.id)] == [1, 0]  # what there was, and its hash, stays
        assert "behind it" in texts(client)
        client.edit_entry(item.id, {}, attachments=[photograph])
        (content,) = client.item(item.id).contents
        assert b"".join(client.read_content(client.item(item.id), content)) == photograph.read_bytes()
    with laptop.log_in() as client:
        assert client.lost_files == ()
    assert codes(fresh(vault, tmp_path)) == []


def test_a_text_that_waited_goes_without_the_file_that_a_vault_lost_and_the_end_of_the_warning_names_it(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"))
    written_far_away(laptop, photograph)
    restored(vault, copy)
    assert laptop.opening().given_back == 1
    opening = laptop.opening()  # at the first one, the ledger was found to be another than before
    assert opening.warnings and opening.waiting == 0
    assert [(one.title, one.name) for one in accept(laptop).files] == [("The hall", "hall.jpg")]
    with fresh(vault, tmp_path).log_in() as client:
        assert client.item(named(client, "see the photograph").id).contents == ()
        assert "since the copy" in texts(client)


def test_a_text_whose_place_is_taken_goes_without_its_lost_file_though_it_was_cut_off(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "on the laptop"}, attachments=[photograph])
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")
    with laptop.log_in() as client:
        puts = count()
        laptop.network.cut_before = lambda request: is_putting(request) and next(puts) > 0  # after what conflicts
        with pytest.raises(NetworkError):
            client.account.accept_trust(PASSWORD, PIN)
        laptop.network.cut_before = lambda _: False
    assert laptop.opening().waiting == 0
    assert [one.name for one in accept(laptop).files] == ["hall.jpg"]
    with laptop.log_in() as client:
        assert sorted(map(str, texts(client))) == ["on the laptop", "on the phone"]
        assert client.item(named(client, "on the laptop").id).contents == ()


@pytest.mark.parametrize("count", range(1, 5))
def test_who_is_cut_off_while_a_file_is_left_out_goes_on_the_next_time(
    vault: FakeVault, laptop: Device, tmp_path: Path, count: int
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    written_far_away(laptop, photograph)
    vault.clock.advance(vault.parts.config.unnamed_blob_age + 1)
    collect(vault.parts)
    puts = iter(range(1, 100))
    laptop.network.cut_after = lambda request: is_putting(request) and next(puts) >= count
    with suppress(NetworkError):
        laptop.opening()
    laptop.network.cut_after = lambda _: False
    assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        (item,) = (one for one in client.items() if one.text == "see the photograph")
        assert [len(one.contents) for one in client.history(item.id)] == [1, 0]
    assert codes(fresh(vault, tmp_path)) == []


def test_a_full_space_keeps_a_lost_file_from_being_left_out_only_until_there_is_room(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    written_far_away(laptop, photograph)
    vault.clock.advance(vault.parts.config.unnamed_blob_age + 1)
    collect(vault.parts)
    quota = vault.parts.config.quota
    full(vault)
    for _ in range(2):
        assert laptop.opening().waiting == 2
    full(vault, quota)
    with laptop.log_in() as client:
        assert [one.name for one in client.lost_files] == ["hall.jpg"]
        assert client.item(named(client, "see the photograph").id).contents == ()


def test_a_vault_that_says_it_has_not_a_file_and_has_it_makes_nobody_drop_it(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    written_far_away(laptop, photograph)

    def lying(request: httpx.Request) -> httpx.Response | None:
        return blob_missing(blobs_in(request)) if blobs_in(request) else None

    refusing(laptop, lying)
    for _ in range(2):
        assert laptop.opening().waiting == 0
    with laptop.log_in() as client:
        assert client.lost_files == ()
        item = named(client, "see the photograph")
        assert item.revision == 1
        assert b"".join(client.read_content(item, item.contents[0])) == photograph.read_bytes()


@pytest.mark.parametrize("blobs", [
    7, None, True, "AAAAAAAAAAAAAAAAAAAAAA", {}, {"AAAAAAAAAAAAAAAAAAAAAA": 1}, [7], [None], [[]], [{}], ["é"],
    ["AAAA"], ["AAAAAAAAAAAAAAAAAAAAAA", 7], [], ["AAAAAAAAAAAAAAAAAAAAAA"],
], ids=repr)
def test_what_a_vault_misses_and_does_not_name_is_refused_and_stops_nothing_else(
    vault: FakeVault, laptop: Device, tmp_path: Path, blobs: Any
) -> None:
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client:
        client.write_entry(Draft(text="since the copy"), attachments=[photograph])
    restored(vault, copy)
    refusing(laptop, lambda request: blob_missing(blobs) if blobs_in(request) else None)
    with laptop.log_in() as client:
        assert "since the copy" in texts(client)
        with pytest.raises(Refused) as refused:
            client.write_entry(Draft(text="one more"), attachments=[photograph])
        assert refused.value.code == "blob_missing"
        client.write_entry(Draft(text="after it"))
    opening = laptop.opening()
    assert (opening.waiting, opening.given_back) == (1, 0)


def test_what_dies_while_a_displaced_text_is_let_go_of_is_not_there_twice(
    vault: FakeVault, laptop: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with laptop.log_in() as client:
        item = named(client, "in the copy").id
    copy = copied(vault)
    with laptop.log_in() as client:
        client.edit_entry(item, {"text": "on the laptop"})
    restored(vault, copy)
    edited_on_the_phone(vault, tmp_path, item, "on the phone")

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    with laptop.log_in() as client, monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr("client_sdk.replica.Replica.drop", die)
        client.account.accept_trust(PASSWORD, PIN)
    assert laptop.waiting() == 0  # all or nothing
    accept(laptop)
    for device in (laptop, fresh(vault, tmp_path, "third")):
        assert codes(device) == []
        with device.log_in() as client:
            assert sorted(map(str, texts(client))) == ["on the laptop", "on the phone"]


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_pair_that_was_changed_since_the_copy_loses_no_text(
    vault: FakeVault, laptop: Device, tmp_path: Path, has_journal: bool
) -> None:
    """The journal brings the change back. Where it is lost as well, the pair of before opens until another is chosen;
    a device that is told the new one is refused, and goes on holding what it holds."""
    old, new = Credentials(USERNAME, PASSWORD, PIN), Credentials(USERNAME, "a boat on the wide lake", "8051937")

    def opened(device: Device, typed: Credentials) -> VaultClient:
        client = device.client()
        client.log_in(typed.username, typed.password, typed.pin)
        return client

    def require_refused(device: Device, typed: Credentials) -> None:
        with device.client() as client, pytest.raises(Refused) as refused:
            client.log_in(typed.username, typed.password, typed.pin)
        assert refused.value.code == "login_refused"

    copy = copied(vault)
    with laptop.log_in() as client:
        client.account.change_credentials(PASSWORD, PIN, new)
        client.write_entry(Draft(text="since the change"))
        client.write_entry(Draft(text="behind the PIN"), sensitive=True)
        laptop.network.cut_before = is_putting
        with pytest.raises(NetworkError):
            client.write_entry(Draft(text="waits"))
        laptop.network.cut_before = lambda _: False
    held = sealed_rows(laptop)
    restored(vault, copy, without_journal=not has_journal)
    holds, other = (new, old) if has_journal else (old, new)
    require_refused(laptop, other)
    assert (sealed_rows(laptop), laptop.waiting()) == (held, 1)
    with opened(fresh(vault, tmp_path), holds) as client:
        assert texts(client) == ["in the copy"]  # nothing is shown that was not in the copy, before a device brings it
    for _ in range(2):
        with opened(laptop, holds):
            pass
    assert laptop.waiting() == 0
    with opened(laptop, holds) as client:
        assert client.account.accept_trust(holds.password, holds.pin).left is None
        if not has_journal:
            client.account.change_credentials(PASSWORD, PIN, new)
    require_refused(laptop, old)
    for device in (laptop, fresh(vault, tmp_path, "third")):
        with opened(device, new) as client:
            client.step_up(new.pin)
            found = ["behind the PIN", "in the copy", "since the change", "waits"]
            assert sorted(map(str, texts(client))) == found


def test_what_somebody_put_in_after_the_copy_goes_back_and_can_be_edited_and_deleted(
    vault: FakeVault, laptop: Device, tmp_path: Path
) -> None:
    """Their own words and their file are lost with the vault; the person has what they took over of them."""
    (photograph := tmp_path / "hall.jpg").write_bytes(b"a photograph" * 9000)
    copy = copied(vault)
    with laptop.log_in() as client, make_device(vault, tmp_path / "stranger").client() as stranger:
        item = receive(client, stranger, vault.clock.now(), photograph).kept.id
    restored(vault, copy)
    assert codes(laptop) == ["items_missing", "ledger_forked"]
    assert [one.name for one in accept(laptop).files] == ["hall.jpg"]
    with laptop.log_in() as client:
        assert [one.code for one in client.log_in(USERNAME, PASSWORD, PIN).warnings] == []
        client.edit_entry(item, {"title": "Edited"})
        found = client.item(item)
        assert (found.title, found.sent and found.sent.message, found.contents) == ("Edited", MESSAGE, ())
        client.delete_item(item)
        client.restore_item(item)
        assert client.item(item).title == "Edited"
    with fresh(vault, tmp_path).log_in() as client:
        assert client.item(item).title == "Edited"
