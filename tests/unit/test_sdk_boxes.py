"""Deposit boxes through the whole SDK and the whole server, in one process; then a vault that lies, and a depositor who
means harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.box_visit import Deposited, Given, Visit
from client_sdk.boxes import MadeBox, NewBox
from client_sdk.client import Draft, VaultClient
from client_sdk.errors import DepositBroken, ItemUnknown, Refused, SdkError, ValueRefused
from client_sdk.receipts import content_place
from crypto_core.encoding import format_b64url
from crypto_core.errors import TemoinError, VerificationError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing import boxes as sealing
from crypto_core.sealing.keys import derive_box
from crypto_core.sealing.sharing import LinkMalformed
from schemas import limits
from server.cli import collect
from tests.fakes.devices import PASSWORD, PIN, Device, make_device, register
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")

DAY = 86_400
FILE, LARGE = make_bytes(300), make_bytes(3 * limits.UNIT)


@dataclass
class Scene:
    """A person with a box, and somebody without an account who has its address."""

    vault: FakeVault
    person: Device
    other: Device
    client: VaultClient
    stranger: VaultClient
    made: MadeBox
    folder: Path

    def visit(self, fragment: str | None = None) -> Visit:
        return self.stranger.enter_box(fragment or self.made.fragment)

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def deposit(self, *files: bytes, name: str = "Ana", message: str = "Je l’ai vu.") -> tuple[Deposited, list[Given]]:
        visit = self.visit()
        given = [visit.give(self.file(f"{number}.jpg", data)) for number, data in enumerate(files)]
        return visit.send(visit.make(name, message, given)), given


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    person, other = (make_device(vault, tmp_path / name) for name in ("person", "other"))
    register(person)
    client, stranger = person.log_in(), other.client()
    made = make_box(vault, client)
    with client, stranger:
        yield Scene(vault, person, other, client, stranger, made, tmp_path)


def make_box(vault: FakeVault, client: VaultClient, deposits: int = 3, room: int = 10_000_000) -> MadeBox:
    made = client.boxes.make(NewBox("Pour ma sœur", vault.clock.now() + 30 * DAY, deposits, room))
    client.boxes.send(made, client.account.confirm(PASSWORD, PIN))
    return made


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


# what is meant to happen


def test_what_a_depositor_sent_becomes_an_item_of_the_very_same_blobs(scene: Scene) -> None:
    done, given = scene.deposit(FILE, LARGE)
    [kept] = scene.client.boxes.list()
    assert (kept.name, kept.facts["waiting"], kept.facts["made"]) == ("Pour ma sœur", 1, 1)
    [row] = scene.client.boxes.waiting(scene.made.box)
    assert row["deposit"] == done.deposit and row["deposited"] == done.deposited
    opened = scene.client.boxes.open(scene.made.box, done.deposit)
    assert (opened.sent.name, opened.sent.message) == ("Ana", "Je l’ai vu.")
    assert [b"".join(scene.client.boxes.content(one)) for one in opened.contents] == [FILE, LARGE]
    taken = scene.client.boxes.accept(opened, Draft("Ce qu’elle a vu", title="Ma sœur"))
    item = scene.client.item(taken.id)
    assert (item.kind, item.text, item.sent) == ("received", "Ce qu’elle a vu", opened.sent)
    assert [one.blob for one in item.contents] == [one.content.blob for one in given]
    blobs = {one.name: b"".join(one.chunks) for one in scene.client.sealed_blobs(item)}
    assert done.deposit.hex() in blobs and len(blobs) == 4
    for one in given:
        assert b"".join(scene.client.read_content(item, next(
            content for content in item.contents if content.blob == one.content.blob
        ))) in (FILE, LARGE)
        receipt = scene.client._opened().reader.receipts.at(content_place(one.content))
        assert receipt.verified.commitment.sha256 == one.content.sealed
    assert scene.client.boxes.waiting(scene.made.box) == []
    with pytest.raises(ItemUnknown):
        scene.client.boxes.open(scene.made.box, done.deposit)


def test_an_edit_leaves_whose_it_is_as_it_was(scene: Scene) -> None:
    done, _ = scene.deposit(FILE)
    opened = scene.client.boxes.open(scene.made.box, done.deposit)
    taken = scene.client.boxes.accept(opened, Draft("x"), sensitive=True)
    scene.client.step_up(PIN)
    scene.client.edit_entry(taken.id, {"text": "y"})
    item = scene.client.item(taken.id)
    assert (item.revision, item.text, item.sent, item.sensitive) == (2, "y", opened.sent, True)
    assert scene.client._opened().session.replica.history(taken.id)[-1].blobs[0] == done.deposit


def test_words_alone_are_a_deposit_and_nothing_at_all_is_none(scene: Scene) -> None:
    done, _ = scene.deposit(message="Rien que des mots")
    assert scene.client.boxes.open(scene.made.box, done.deposit).contents == ()
    with pytest.raises(ValueRefused):
        scene.visit().make("Ana", "", [])
    with pytest.raises(ValueRefused):
        scene.visit().make("Ana", "m" * (limits.MESSAGE + 1), [])


def test_a_refusal_erases_after_a_week_and_accepting_takes_it_back(scene: Scene) -> None:
    first, given = scene.deposit(FILE)
    second, _ = scene.deposit(FILE)
    for one in (first, second):
        scene.client.boxes.refuse(scene.made.box, one.deposit)
    opened = scene.client.boxes.open(scene.made.box, second.deposit)
    week = scene.vault.clock.now() + 7 * DAY
    assert {one["erased_after"] for one in scene.client.boxes.waiting(scene.made.box)} == {week}
    scene.client.boxes.accept(opened, Draft("after all"))
    scene.vault.clock.advance(8 * DAY)
    collect(scene.vault.parts)
    client = scene.person.log_in()
    assert client.boxes.waiting(scene.made.box) == []
    with pytest.raises(Refused) as refused:
        list(client._opened().session.read("/v1/blobs/<id:blob>", blob=given[0].content.blob))
    assert code_of(refused) == "not_found"
    [item] = client.items("received")
    assert b"".join(client.read_content(item, item.contents[0])) == FILE


def test_with_password_and_pin_a_refusal_erases_at_once(scene: Scene) -> None:
    done, _ = scene.deposit(FILE)
    scene.client.boxes.refuse(scene.made.box, done.deposit, scene.client.account.confirm(PASSWORD, PIN))
    assert scene.client.boxes.waiting(scene.made.box) == []


def test_a_visit_that_has_ended_is_begun_again_by_itself(scene: Scene) -> None:
    visit = scene.visit()
    first = visit.give(scene.file("first.jpg", FILE))
    scene.vault.clock.advance(limits.VISIT + 1)
    second = visit.give(scene.file("second.mp4", LARGE))
    visit.send(visit.make("", "", [first, second]))
    scene.client = scene.person.log_in()
    assert len(scene.client.boxes.waiting(scene.made.box)[0]["blobs"]) == 2


def test_the_same_deposit_again_is_the_same_one(scene: Scene) -> None:
    visit = scene.visit()
    made = visit.make("Ana", "once", [])
    lost = iter([True])
    scene.other.network.cut_after = lambda request: request.url.path.endswith("/deposits") and next(lost, False)
    first = visit.send(made)
    scene.vault.clock.advance(60)
    assert visit.send(made) == first
    assert len(scene.client.boxes.waiting(scene.made.box)) == 1


def test_a_box_is_full_over_or_someone_elses(scene: Scene) -> None:
    small = make_box(scene.vault, scene.client, deposits=1, room=limits.BOX_BYTES_LEAST)
    visit = scene.visit(small.fragment)
    assert (visit.room["deposits"], visit.room["bytes"]) == (1, limits.BOX_BYTES_LEAST)
    with pytest.raises(Refused) as refused:
        visit.give(scene.file("large.mp4", LARGE))
    assert code_of(refused) == "box_full"
    visit.send(visit.make("", "one", []))
    with pytest.raises(Refused) as refused:
        visit.send(visit.make("", "two", []))
    assert code_of(refused) == "box_full"
    scene.client.boxes.close(small.box)
    with pytest.raises(Refused) as refused:
        scene.visit(small.fragment)
    assert code_of(refused) == "box_over"
    assert {one.facts["why"]: one.facts["waiting"] for one in scene.client.boxes.list()} == {"closed": 1, None: 0}
    address = sealing.parse_box_fragment(scene.made.fragment)
    wrong = sealing.BoxAddress(address.box, make_bytes(32), address.pk_box)
    with pytest.raises(Refused) as refused:
        scene.visit(sealing.format_box_fragment(wrong))
    assert code_of(refused) == "cap_refused"
    with pytest.raises(LinkMalformed):
        scene.visit(scene.made.fragment[:-1])


# a vault that lies to the person


def lying(device: Device, path: str, change: Callable[[Any], Any]) -> None:
    """From now on this device is answered otherwise: JSON is rewritten, the bytes of a blob are spoiled."""
    device.network.rewrites.clear()
    device.network.spoils = None
    if path.startswith("/v1/blobs/") and not path.endswith("/receipt"):
        device.network.spoils = lambda request, data: change(data) if request.url.path == path else data
    else:
        device.network.rewrites[path] = change


def test_words_that_the_vault_swapped_or_holds_back_are_told(scene: Scene) -> None:
    done, _ = scene.deposit(FILE)
    words, path = format_b64url(done.deposit), f"/v1/boxes/{format_b64url(scene.made.box)}/deposits"

    def rows(**changed: Any) -> Callable[[Any], Any]:
        return lambda answer: {"deposits": [{**answer["deposits"][0], **changed}]}

    own = derive_box(make_bytes(32))[0]
    forged = format_b64url(sealing.wrap_deposit_key(own, make_bytes(32), scene.made.box))
    lies: list[tuple[str, Callable[[Any], Any]]] = [
        (f"/v1/blobs/{words}", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        (f"/v1/blobs/{words}", lambda data: data + b"\0"),
        (f"/v1/blobs/{words}", lambda data: data[:-1]),
        (path, rows(key=forged)),
        (path, rows(blobs=[])),
        (path, rows(blobs=[{"blob": format_b64url(make_id()), "size": 33_000}])),
    ]
    for where, change in lies:
        lying(scene.person, where, change)
        with pytest.raises(DepositBroken):
            scene.client.boxes.open(scene.made.box, done.deposit)
    lying(scene.person, path, lambda _: {"deposits": []})
    with pytest.raises(ItemUnknown):
        scene.client.boxes.open(scene.made.box, done.deposit)
    assert not scene.client._opened().session.warnings


def test_a_seal_of_another_box_opens_nothing(scene: Scene) -> None:
    done, _ = scene.deposit(FILE)
    other = make_box(scene.vault, scene.client)

    def swap(answer: Any) -> Any:
        first, second = answer["boxes"]
        seals = first["seal"], second["seal"]
        return {"boxes": [{**first, "seal": seals[1]}, {**second, "seal": seals[0]}]}

    lying(scene.person, "/v1/boxes", swap)
    with pytest.raises(DepositBroken) as broken:
        scene.client.boxes.open(scene.made.box, done.deposit)
    assert broken.value.detail == "tampered" and other.box != scene.made.box


def test_a_swapped_file_is_not_taken_over_and_is_no_fault_that_stops_the_person(scene: Scene) -> None:
    done, [given] = scene.deposit(FILE)
    opened = scene.client.boxes.open(scene.made.box, done.deposit)
    lying(scene.person, f"/v1/blobs/{format_b64url(given.content.blob)}", lambda data: data[:60] + b"!" + data[61:])
    with pytest.raises(DepositBroken):
        scene.client.boxes.accept(opened, Draft("x"))
    assert scene.client.items("received") == [] and len(scene.client.boxes.waiting(scene.made.box)) == 1
    assert not scene.client._opened().session.warnings


def test_a_receipt_of_something_else_is_refused_on_both_sides(scene: Scene) -> None:
    done, _ = scene.deposit(FILE)
    other, _ = scene.deposit(message="other words")
    path = f"/v1/blobs/{format_b64url(done.deposit)}/receipt"
    lying(scene.person, path, lambda answer: {**answer, "receipt": other.receipt})
    with pytest.raises(VerificationError):
        scene.client.boxes.open(scene.made.box, done.deposit)

    def forge(request: httpx.Request, data: bytes) -> bytes:
        return json.dumps({**json.loads(data), "receipt": other.receipt}).encode() if request.method == "PUT" else data

    scene.other.network.spoils = forge
    with pytest.raises(VerificationError):
        scene.deposit(message="mine")


# a depositor who means harm


def test_files_that_are_not_what_the_words_say_are_refused_before_they_are_an_item(scene: Scene) -> None:
    visit = scene.visit()
    honest = visit.give(scene.file("a.jpg", FILE))
    for changed in ({"sha256": make_bytes(32)}, {"sealed": make_bytes(32)}, {"key": make_bytes(32)}):
        content = type(honest.content)(**{**vars(honest.content), **changed})
        made = visit.make("him", "look", [Given(content, honest.receipt)])
        bad = Deposited(made.deposit, 0, b"", "")
        visit.send(made)
        opened = scene.client.boxes.open(scene.made.box, bad.deposit)
        with pytest.raises(DepositBroken):
            scene.client.boxes.accept(opened, Draft("x"))
        scene.client.boxes.refuse(scene.made.box, bad.deposit, scene.client.account.confirm(PASSWORD, PIN))
        honest = visit.give(scene.file("a.jpg", FILE))
    assert not scene.client._opened().session.warnings
    assert scene.client.items("received") == []


@pytest.mark.parametrize("words", [
    b"", b"[]", b'{"v":2}', b'{"v":1}', b"\xff",
    b'{"v":1,"name":"","message":"","written":"2026-01-01T00:00:00Z","contents":[]}',
])
def test_words_that_are_none_are_told_as_broken(scene: Scene, words: bytes) -> None:
    visit, address = scene.visit(), sealing.parse_box_fragment(scene.made.fragment)
    key, deposit = make_bytes(32), make_id()
    sealed = sealing.seal_deposit(key, address.box, deposit, words)
    made = visit.make("", "x", [])
    visit.send(type(made)(deposit, sealed, sealing.wrap_deposit_key(address.pk_box, key, address.box), ()))
    with pytest.raises(DepositBroken):
        scene.client.boxes.open(scene.made.box, deposit)


def test_every_error_here_has_a_code_and_a_sentence() -> None:
    assert issubclass(DepositBroken, SdkError) and issubclass(SdkError, TemoinError)
    assert DepositBroken.code == "deposit_broken" and DepositBroken.sentence.endswith("again.")
