"""Deposit boxes: what is put in and how it is bounded, what the person sees of it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, update

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.note import parse_vkey
from crypto_core.receipts.policy import NONE, Log, Policy
from crypto_core.receipts.receipt import verify_receipt
from schemas import limits
from server.accounts.models import Account
from server.boxes.ending import collect
from server.boxes.models import Box, BoxDeposit, Visit
from server.cli import collect as collect_all
from server.database import Base
from server.ledger.check import check_vault
from server.ledger.models import Deposit
from server.uploads.models import Blob, Leftover, Upload
from tests.fakes.boxes import ROOM, FakeBox, FakeDeposit
from tests.fakes.sharing import DAY, put_revision, spell_time
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, code, open_person, random_b64, said

LARGE = limits.FIRST_UNIT + 2 * limits.UNIT + 1000
DELAY = 7 * DAY


@pytest.fixture
def box(person: FakePerson) -> FakeBox:
    """A box, open."""
    return FakeBox(person).make()


def used(person: FakePerson) -> int:
    with person.vault.parts.database.read() as session:
        return session.get_one(Account, person.account).used


def kept(vault: FakeVault) -> set[str]:
    """The ids of all blobs of all people."""
    with vault.parts.database.read() as session:
        return {b64(blob) for blob in session.scalars(select(Blob.blob))}


def assert_sound(vault: FakeVault) -> None:
    assert check_vault(vault.parts).problems == []


def upload(box: FakeBox, blob: str, data: bytes, token: str) -> dict[str, Any]:
    assert box.visit("POST", "uploads", {"blob": blob, "size": len(data)}, token=token).status_code == 201
    assert box.visit("PUT", f"uploads/{blob}/units/0", data=data, token=token).status_code == 200
    done = {"sha256": b64(sha256(data).digest())}
    answer = box.visit("POST", f"uploads/{blob}/complete", done, token=token)
    assert answer.status_code == 201, answer.data
    found: dict[str, Any] = said(answer)
    return found


# what is put in


def test_what_is_put_in_waits_unchanged_and_with_receipts(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    key = parse_vkey(said(vault.ask("GET", "/v1/vault"))["ledger_vkey"])
    policy = Policy((Log(key),), (), (), NONE)
    made, token = FakeDeposit(box, [make_bytes(5000), make_bytes(LARGE)]), box.token()
    small, large = made.blobs
    receipts = {large: upload(box, large, made.files[1], token)["receipt"]}
    for blob in (made.deposit, small):
        answer = box.visit("PUT", f"blobs/{blob}", data=made.contents[blob], token=token)
        receipts[blob] = said(answer)["receipt"]
    vault.clock.advance(60)
    assert said(made.put(token=token)) == {"deposit": made.deposit, "deposited": spell_time(NOON + 60)}
    assert box.waiting() == [{
        "deposit": made.deposit, "deposited": spell_time(NOON + 60), "key": made.key, "size": len(made.words),
        "blobs": [{"blob": blob, "size": len(made.contents[blob])} for blob in made.blobs], "erased_after": None,
    }]  # fmt: skip
    for blob, data in made.contents.items():
        assert person.ask("GET", f"/v1/blobs/{blob}").data == data
        again = said(person.ask("GET", f"/v1/blobs/{blob}/receipt"))
        for text in (receipts[blob], again["receipt"]):
            verify_receipt(text.encode(), sha256=sha256(data).digest(), size=len(data), policy=policy)
        assert again["deposited"] == spell_time(NOON)
    assert_sound(vault)


def test_seal_and_note_come_back_as_they_were_sent(person: FakePerson) -> None:
    made = FakeBox(person)
    body = made.body()
    assert said(made.put(body)) == {"box": made.box, "created": spell_time(NOON)}
    assert made.row() == {
        "box": made.box, "created": spell_time(NOON), "expires": body["expires"], "deposits": 3, "bytes": ROOM,
        "made": 0, "used": 0, "waiting": 0, "seal": body["seal"], "note": body["note"], "ended": None, "why": None,
    }  # fmt: skip


def test_what_came_in_one_second_is_listed_as_it_arrived(person: FakePerson) -> None:
    box = FakeBox(person).make(deposits=8)
    made = [box.deposit().deposit for _ in range(8)]
    assert [one["deposit"] for one in box.waiting()] == made


def test_an_upload_goes_on_in_the_next_visit(vault: FakeVault, box: FakeBox) -> None:
    blob, data, token = b64(make_id()), make_bytes(LARGE), box.token()
    first, rest = data[: limits.FIRST_UNIT], data[limits.FIRST_UNIT :]
    box.visit("POST", "uploads", {"blob": blob, "size": LARGE}, token=token)
    assert box.visit("PUT", f"uploads/{blob}/units/0", data=first, token=token).status_code == 200
    vault.clock.advance(limits.VISIT)
    assert code(box.visit("PUT", f"uploads/{blob}/units/1", data=rest, token=token)) == "visit_over"
    state = said(box.visit("POST", "uploads", {"blob": blob, "size": LARGE}))
    assert [one["unit"] for one in state["units"]] == [0]
    assert box.visit("PUT", f"uploads/{blob}/units/1", data=rest).status_code == 200
    done = {"sha256": b64(sha256(data).digest())}
    assert box.visit("POST", f"uploads/{blob}/complete", done).status_code == 201
    assert box.visit("POST", f"uploads/{blob}/complete", done).status_code == 201


def test_nothing_that_no_deposit_names_is_shown_to_the_person(person: FakePerson, box: FakeBox) -> None:
    made = FakeDeposit(box, [make_bytes(5000)])
    made.send_blobs(box.token())
    assert box.waiting() == []
    for blob in made.names:
        assert code(person.ask("GET", f"/v1/blobs/{blob}")) == "not_found"
        assert code(person.ask("GET", f"/v1/blobs/{blob}/receipt")) == "not_found"
        assert code(person.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=[blob]))) == "blob_missing"


def test_the_same_deposit_again_gets_the_first_answer_and_another_is_refused(vault: FakeVault, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000))
    body = made.body()
    vault.clock.advance(60)
    for _ in range(2):
        assert said(made.put(body)) == {"deposit": made.deposit, "deposited": spell_time(NOON)}
    assert code(made.put({**body, "key": random_b64(limits.BOX_WRAP)})) == "id_taken"
    assert box.row()["made"] == 1
    assert box.accept(made).status_code == 201
    assert said(made.put(body))["deposited"] == spell_time(NOON)
    assert code(made.put({**body, "blobs": []})) == "id_taken"


def test_a_deposit_names_what_is_kept_in_this_box_and_in_no_deposit(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    other = FakeBox(person).make()
    mine, theirs, named = FakeDeposit(box, [b""]), FakeDeposit(other, [b""]), box.deposit(make_bytes(5000))
    own, started = b64(make_id()), b64(make_id())
    assert person.ask("PUT", f"/v1/blobs/{own}", data=make_bytes(500)).status_code == 201
    assert box.visit("POST", "uploads", {"blob": started, "size": 500}).status_code == 201
    box.visit("PUT", f"blobs/{mine.deposit}", data=mine.words)
    other.visit("PUT", f"blobs/{theirs.blobs[0]}", data=make_bytes(500))
    for blob in (mine.blobs[0], theirs.blobs[0], named.blobs[0], own, started):
        refused = mine.put(mine.body(blobs=[blob]))
        assert (code(refused), said(refused)["blobs"]) == ("blob_missing", [blob])
    assert code(mine.put(mine.body(blobs=[mine.deposit]))) == "invalid"
    assert box.row()["made"] == 1
    assert mine.put(mine.body(blobs=[])).status_code == 201


def test_words_are_short_enough_to_come_in_one_request(box: FakeBox) -> None:
    made, token = FakeDeposit(box), box.token()
    upload(box, made.deposit, make_bytes(limits.DEPOSIT + 1), token)
    assert said(made.put(token=token))["fields"].keys() == {"deposit"}
    assert box.row()["made"] == 0


@pytest.mark.parametrize("became", ["waiting", "accepted", "refused"])
def test_what_was_deposited_is_out_of_the_depositors_reach_whatever_became_of_it(
    person: FakePerson, box: FakeBox, became: str
) -> None:
    made = FakeDeposit(box, [make_bytes(5000)])
    token = box.token()
    made.send_blobs(token)
    assert made.put(token=token).status_code == 201
    match became:
        case "accepted":
            assert box.accept(made).status_code == 201
        case "refused":
            assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    for blob, data in made.contents.items():
        announced = {"blob": blob, "size": len(data)}
        done = {"sha256": b64(sha256(data).digest())}
        answers = [
            box.visit("PUT", f"blobs/{blob}", data=data, token=token),
            box.visit("POST", "uploads", announced, token=token),
            box.visit("PUT", f"uploads/{blob}/units/0", data=data, token=token),
            box.visit("POST", f"uploads/{blob}/complete", done, token=token),
            box.visit("DELETE", f"uploads/{blob}", token=token),
        ]
        assert [code(one) for one in answers] == ["blob_conflict", "blob_conflict", *["not_found"] * 3]
        other, elsewhere = open_person(person.vault), FakeBox(person.log_in()).make()  # who sent it has an account, too
        assert code(other.ask("PUT", f"/v1/blobs/{blob}", data=data)) == "blob_conflict"
        assert code(other.ask("POST", "/v1/uploads", announced)) == "blob_conflict"
        assert code(elsewhere.visit("PUT", f"blobs/{blob}", data=data)) == "blob_conflict"


# room


def test_a_box_takes_so_many_deposits_and_no_more(box: FakeBox) -> None:
    for left in (3, 2, 1):
        assert said(box.enter())["deposits"] == left
        box.deposit()
    assert said(box.enter())["deposits"] == 0
    made = FakeDeposit(box)
    made.send_blobs(box.token())
    assert code(made.put()) == "box_full"
    assert (box.row()["made"], box.row()["waiting"]) == (3, 3)


def test_a_box_takes_so_many_bytes_and_gives_back_what_was_given_up(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    token, before, blob = box.token(), used(person), b64(make_id())
    assert box.visit("POST", "uploads", {"blob": blob, "size": ROOM - 1000}, token=token).status_code == 201
    assert (box.row()["used"], used(person) - before) == (ROOM - 1000,) * 2
    assert code(box.visit("POST", "uploads", {"blob": b64(make_id()), "size": 1001}, token=token)) == "box_full"
    assert code(box.visit("PUT", f"blobs/{b64(make_id())}", data=bytes(1001), token=token)) == "box_full"
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(1000), token=token).status_code == 201
    assert said(box.enter())["bytes"] == 0
    assert_sound(vault)
    assert box.visit("DELETE", f"uploads/{blob}", token=token).status_code == 200
    assert (box.row()["used"], used(person) - before) == (1000, 1000)
    assert_sound(vault)


def test_what_is_refused_gives_its_bytes_back_to_the_person_and_never_to_the_box(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    before = used(person)
    made = box.deposit(make_bytes(5000))
    assert used(person) == before + 6096
    assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert (used(person), box.row()["used"], box.row()["made"]) == (before, 6096, 1)
    assert_sound(vault)


def test_what_is_accepted_counts_as_it_did(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000))
    before = used(person)
    assert box.accept(made).status_code == 201
    assert (used(person), box.row()["used"]) == (before + 1096, 6096)
    assert_sound(vault)


@pytest.mark.vault(quota=10_000)
def test_a_full_vault_is_a_full_box(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make()
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(5000)).status_code == 201
    assert code(box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(5000))) == "box_full"
    assert code(box.visit("POST", "uploads", {"blob": b64(make_id()), "size": 5000})) == "box_full"
    assert box.row()["used"] == 5000
    assert code(person.ask("PUT", f"/v1/blobs/{b64(make_id())}", data=make_bytes(5000))) == "quota_full"
    assert code(FakeBox(person).put(FakeBox(person).body(note=random_b64(4000)))) == "quota_full"
    assert_sound(vault)


def test_many_small_blobs_are_bounded_too(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make(deposits=1)
    with vault.parts.database.write() as session:
        session.execute(update(Box).values(pieces=limits.DEPOSIT_BLOBS))
    token = box.token()
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(72), token=token).status_code == 201
    assert code(box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(72), token=token)) == "box_full"
    assert code(box.visit("POST", "uploads", {"blob": b64(make_id()), "size": 72}, token=token)) == "box_full"


# visits


def test_a_wrong_key_and_an_unknown_box_are_one_answer(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    wrong, unknown = box.enter(cap=make_bytes(32)), FakeBox(person).enter()
    assert (wrong.status_code, wrong.data) == (unknown.status_code, unknown.data)
    assert dict(wrong.headers) == dict(unknown.headers) and code(wrong) == "cap_refused"
    with vault.parts.database.read() as session:
        assert session.scalars(select(Visit)).all() == []


def test_a_visit_is_good_for_one_box_and_one_hour(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    other = FakeBox(person).make()
    entered = said(box.enter())
    assert entered == {
        "token": entered["token"], "expires": spell_time(NOON + limits.VISIT), "until": box.row()["expires"],
        "deposits": 3, "bytes": ROOM,
    }  # fmt: skip
    token = entered["token"]
    assert code(other.visit("PUT", f"blobs/{b64(make_id())}", data=bytes(500), token=token)) == "visit_over"
    vault.clock.advance(limits.VISIT - 1)
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=bytes(500), token=token).status_code == 201
    vault.clock.advance(1)
    assert code(box.visit("PUT", f"blobs/{b64(make_id())}", data=bytes(500), token=token)) == "visit_over"
    collect(vault.parts)
    with vault.parts.database.read() as session:
        assert session.scalars(select(Visit)).all() == []


def test_the_vault_keeps_neither_key_nor_token(vault: FakeVault, box: FakeBox) -> None:
    token = parse_b64url(box.token())
    with vault.parts.database.read() as session:
        (visit,) = session.scalars(select(Visit))
        row = session.get_one(Box, parse_b64url(box.box))
    assert (visit.token, row.cap_hash) == (sha256(token).digest(), sha256(box.cap).digest())


@pytest.mark.vault(login_rate="1 per day")
def test_wrong_keys_keep_nobody_out(person: FakePerson) -> None:
    boxes = [FakeBox(person).make(), FakeBox(person)]
    for box in boxes * 6:
        assert code(box.enter(cap=make_bytes(32))) == "cap_refused"
    assert boxes[0].enter().status_code == 200


@pytest.mark.vault(visit_rate="9 per minute")
def test_visits_are_bounded_by_network_and_box(vault: FakeVault, person: FakePerson) -> None:
    boxes = [FakeBox(person).make(), FakeBox(person).make()]
    for _ in range(12):
        assert code(boxes[0].enter(cap=make_bytes(32))) == "cap_refused"
    for _ in range(9):
        assert boxes[0].enter().status_code == 200
    refused = boxes[0].enter()
    assert (code(refused), refused.headers["Retry-After"]) == ("rate_limited", "60")
    assert boxes[1].enter().status_code == boxes[0].enter(address="198.51.100.7").status_code == 200


# what becomes of it


def test_accepting_takes_the_very_blobs_over(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made, other = box.deposit(make_bytes(5000)), box.deposit()
    assert box.accept(made).status_code == 201
    assert [one["deposit"] for one in box.waiting()] == [other.deposit]
    assert (box.row()["made"], box.row()["waiting"]) == (2, 1)
    (revision,) = said(person.ask("GET", "/v1/items"))["revisions"]
    assert [one["blob"] for one in revision["blobs"]] == made.names
    for blob, data in made.contents.items():
        assert person.ask("GET", f"/v1/blobs/{blob}").data == data
    with vault.parts.database.read() as session:
        row = session.get_one(BoxDeposit, (parse_b64url(box.box), parse_b64url(made.deposit)))
        assert (row.became, row.key, row.erase_at) == ("accepted", None, None)
    assert code(box.refuse(made.deposit)) == code(box.refuse(made.deposit, token=person.confirm())) == "not_found"
    vault.clock.advance(60 * DAY)
    collect_all(vault.parts)
    assert kept(vault) >= set(made.names)
    assert_sound(vault)


def test_accepting_is_of_the_revision_that_is_kept_or_not_at_all(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    made = box.deposit(make_bytes(5000))
    missing = put_revision(made.item, 1, blobs=[*made.names, b64(make_id())])
    assert code(person.ask("POST", "/v1/items", missing)) == "blob_missing"
    assert [one["deposit"] for one in box.waiting()] == [made.deposit]
    with vault.steps.stopping_at("box.accepted"):
        assert code(box.accept(made)) == "internal"
    assert [one["deposit"] for one in box.waiting()] == [made.deposit]
    sent = put_revision(made.item, 1, blobs=made.names)
    for _ in range(2):  # a lost answer
        assert person.ask("POST", "/v1/items", sent).status_code == 201
    assert box.waiting() == []


def test_a_file_alone_accepts_nothing(person: FakePerson, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000))
    assert person.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=made.blobs)).status_code == 201
    assert [one["deposit"] for one in box.waiting()] == [made.deposit]


def test_what_the_item_does_not_take_over_is_collected_like_what_nobody_names(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    made = box.deposit(make_bytes(5000), make_bytes(5000))
    taken = [made.deposit, made.blobs[0]]
    vault.clock.advance(40 * DAY)
    person.log_in()
    assert person.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=taken)).status_code == 201
    vault.clock.advance(30 * DAY - 1)  # from when it was accepted
    collect_all(vault.parts)
    assert kept(vault) == set(made.names)
    vault.clock.advance(1)
    collect_all(vault.parts)
    assert kept(vault) == set(taken)
    assert_sound(vault)


def test_what_waits_is_never_collected(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000))
    vault.clock.advance(400 * DAY)  # the box has long ended
    collect_all(vault.parts)
    assert kept(vault) == set(made.names)
    assert box.row()["why"] == "expired"
    assert [one["deposit"] for one in box.waiting()] == [made.deposit]
    assert box.accept(made).status_code == 201


def test_a_deletion_takes_nothing_that_waits(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made, item = box.deposit(make_bytes(5000)), b64(make_id())
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    erasing = put_revision(item, 2, erases=made.names)
    assert vault.ask("POST", "/v1/items", erasing, token=person.confirm()).status_code == 201
    assert kept(vault) == set(made.names)


def test_an_erased_item_takes_what_it_had_received_with_it(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000))
    assert box.accept(made).status_code == 201
    erasing = put_revision(made.item, 2, erases=made.names)
    assert vault.ask("POST", "/v1/items", erasing, token=person.confirm()).status_code == 201
    assert kept(vault) == set()
    assert_sound(vault)


def test_refusing_in_an_open_session_waits_and_accepting_undoes_it(
    vault: FakeVault, person: FakePerson, box: FakeBox
) -> None:
    undone, done = box.deposit(make_bytes(5000)), box.deposit(make_bytes(5000))
    for made in (undone, done):
        assert box.refuse(made.deposit).status_code == 200
    vault.clock.advance(DAY)
    person.log_in()
    assert box.refuse(done.deposit).status_code == 200  # again: the time stays
    assert {one["erased_after"] for one in box.waiting()} == {spell_time(NOON + DELAY)}
    vault.clock.advance(DELAY - DAY - 1)
    collect(vault.parts)
    assert kept(vault) == {*undone.names, *done.names}
    person.log_in()
    assert box.accept(undone).status_code == 201
    vault.clock.advance(1)
    collect(vault.parts)
    assert kept(vault) == set(undone.names) and box.waiting() == []
    assert_sound(vault)


def test_refusing_with_password_and_pin_erases_at_once(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made, token = FakeDeposit(box, [make_bytes(LARGE)]), box.token()
    box.visit("PUT", f"blobs/{made.deposit}", data=made.words, token=token)
    upload(box, made.blobs[0], made.files[0], token)
    assert made.put(token=token).status_code == 201
    store, blob = vault.parts.store, parse_b64url(made.blobs[0])
    assert store.size(blob) == LARGE
    assert box.refuse(made.deposit).status_code == 200
    for _ in range(2):  # it waits already; and a lost answer
        assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert (kept(vault), box.waiting(), store.size(blob)) == (set(), [], None)
    with vault.parts.database.read() as session:
        assert session.scalars(select(Deposit)).all() == []  # and with it the nonces
        assert session.scalars(select(Leftover)).all() == []
        assert session.scalars(select(BoxDeposit.key)).all() == [None]
    assert code(box.accept(made)) == "blob_missing"
    assert_sound(vault)


def test_a_refusal_leaves_what_an_item_names(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    made = box.deposit(make_bytes(5000), make_bytes(5000))
    assert person.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=made.blobs[:1])).status_code == 201
    assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert kept(vault) == set(made.blobs[:1])
    assert_sound(vault)


# ends


def assert_over(box: FakeBox, token: str) -> None:
    """Nobody puts anything in any more."""
    made = FakeDeposit(box, [make_bytes(500)])
    blob = made.blobs[0]
    answers = [
        box.enter(), box.enter(cap=make_bytes(32)),
        box.visit("PUT", f"blobs/{blob}", data=made.files[0], token=token),
        box.visit("POST", "uploads", {"blob": blob, "size": 500}, token=token),
        box.visit("PUT", f"uploads/{blob}/units/0", data=made.files[0], token=token),
        box.visit("POST", f"uploads/{blob}/complete", {"sha256": b64(bytes(32))}, token=token),
        box.visit("DELETE", f"uploads/{blob}", token=token),
        made.put(token=token),
    ]  # fmt: skip
    assert {code(one) for one in answers} == {"box_over"}


def unfinished(box: FakeBox, token: str) -> FakeDeposit:
    """A blob that is kept, and an upload half way in, of which no deposit was made."""
    made = FakeDeposit(box, [make_bytes(LARGE)])
    box.visit("PUT", f"blobs/{made.deposit}", data=made.words, token=token)
    box.visit("POST", "uploads", {"blob": made.blobs[0], "size": LARGE}, token=token)
    first = made.files[0][: limits.FIRST_UNIT]
    assert box.visit("PUT", f"uploads/{made.blobs[0]}/units/0", data=first, token=token).status_code == 200
    return made


def assert_nothing_unfinished(vault: FakeVault) -> None:
    with vault.parts.database.read() as session:
        holders = session.scalars(select(Box.holder)).all()
        for table in (Blob, Upload):
            assert session.scalars(select(table).where(table.account.in_(holders))).all() == []
        assert session.scalars(select(Leftover)).all() == []
        assert session.scalars(select(Visit)).all() == []
    assert_sound(vault)


def test_closing_ends_it_at_once_and_what_waits_stays(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    token, made = box.token(), box.deposit(make_bytes(5000))
    before = used(person)
    unfinished(box, token)
    vault.clock.advance(100)
    assert box.close().status_code == 200
    row = box.row()
    assert (row["ended"], row["why"], row["waiting"], row["used"]) == (spell_time(NOON + 100), "closed", 1, 6096)
    assert used(person) == before
    assert_over(box, token)
    assert_nothing_unfinished(vault)
    vault.clock.advance(100)
    assert box.close().status_code == 200
    assert box.row() == row
    assert box.accept(made).status_code == 201


def test_time_ends_it_to_the_second(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make(life=600)
    token = box.token()
    unfinished(box, token)
    vault.clock.advance(599)
    assert box.deposit(token=token)
    vault.clock.advance(1)
    assert_over(box, token)
    row = box.row()
    assert (row["ended"], row["why"]) == (spell_time(NOON + 600), "expired")
    vault.clock.advance(1000)
    collect(vault.parts)
    assert box.row() == {**row, "used": 1096}
    assert_nothing_unfinished(vault)
    assert box.close().status_code == 200 and box.row()["why"] == "expired"


def test_closing_what_has_expired_says_that_it_had(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make(life=600)
    vault.clock.advance(700)
    assert box.close().status_code == 200
    assert (box.row()["ended"], box.row()["why"]) == (spell_time(NOON + 600), "expired")


def test_a_visit_never_outlives_its_box(vault: FakeVault, person: FakePerson) -> None:
    assert said(FakeBox(person).make(life=600).enter())["expires"] == spell_time(NOON + 600)


def test_what_is_under_way_as_the_box_is_closed_is_dropped(vault: FakeVault, box: FakeBox) -> None:
    def close() -> None:
        vault.steps.at.clear()
        assert box.close().status_code == 200

    token, blob = box.token(), b64(make_id())
    assert box.visit("POST", "uploads", {"blob": blob, "size": 500}, token=token).status_code == 201
    vault.steps.at["unit.written"] = close
    assert code(box.visit("PUT", f"uploads/{blob}/units/0", data=bytes(500), token=token)) == "not_found"
    assert_nothing_unfinished(vault)


def test_what_was_kept_a_moment_after_the_box_was_closed_is_dropped_later(vault: FakeVault, box: FakeBox) -> None:
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=bytes(500)).status_code == 201
    with vault.parts.database.write() as session:
        session.execute(update(Box).values(ended=NOON, why="closed", cap_hash=None))
    vault.clock.advance(60)
    collect(vault.parts)
    assert_nothing_unfinished(vault)
    assert (box.row()["why"], box.row()["ended"]) == ("closed", spell_time(NOON))


def test_abandoned_uploads_go_after_their_time(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make(life=100 * DAY)
    made = unfinished(box, box.token())
    vault.clock.advance(7 * DAY)
    collect_all(vault.parts)
    assert kept(vault) == {made.deposit} and box.row()["used"] == len(made.words)
    vault.clock.advance(24 * DAY)
    collect_all(vault.parts)
    assert kept(vault) == set() and box.row()["used"] == 0
    assert_nothing_unfinished(vault)


def test_no_get_changes_anything(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    """Neither the person's looking nor a messenger that follows an address."""
    made = box.deposit(make_bytes(500))
    vault.clock.advance(30)
    before = list(dump(vault))
    for token in (person.token, ""):
        for end in ("", "/deposits", "/enter", *(f"/{one}/{made.deposit}" for one in ("deposits", "blobs", "uploads"))):
            vault.ask("GET", f"/v1/boxes/{box.box}{end}", token=token)
        vault.ask("GET", "/v1/boxes", token=token)
    assert list(dump(vault)) == before


def dump(vault: FakeVault) -> Iterator[tuple[str, Any]]:
    """Every table, row by row."""
    with vault.parts.database.read() as session:
        for table in Base.metadata.sorted_tables:
            yield table.name, session.execute(table.select()).all()


# keeping the box itself


def test_the_same_box_again_gets_the_first_answer_and_another_is_refused(vault: FakeVault, person: FakePerson) -> None:
    made = FakeBox(person)
    body = made.body()
    first, space = said(made.put(body)), used(person)
    vault.clock.advance(60)
    assert said(made.put(body)) == first
    made.close()
    assert said(made.put(body)) == first and made.row()["why"] == "closed"  # which brings nothing back
    assert used(person) == space
    assert code(made.put({**body, "deposits": 4})) == "id_taken"
    theirs = FakeBox(open_person(vault), box=made.box)
    assert code(theirs.put(theirs.body())) == "id_taken"


@pytest.mark.parametrize("life", [0, -1, limits.SHARED_FOR + 1])
def test_an_end_is_ahead_and_not_further_than_a_year(person: FakePerson, life: int) -> None:
    made = FakeBox(person)
    refused = made.put(made.body(life=life))
    assert (code(refused), said(refused)["fields"].keys()) == ("invalid", {"expires"})
    made.make(life=limits.SHARED_FOR)


def test_what_is_gone_with_its_account_leaves_no_box(vault: FakeVault, person: FakePerson, box: FakeBox) -> None:
    box.deposit()
    box.token()
    with vault.parts.database.write() as session:
        session.delete(session.get_one(Account, person.account))
    with vault.parts.database.read() as session:
        for table in (Box, Visit, BoxDeposit):
            assert session.scalars(select(table)).all() == []


def test_check_finds_a_box_that_counts_wrong(vault: FakeVault, box: FakeBox) -> None:
    box.deposit()
    with vault.parts.database.write() as session:
        session.execute(update(Box).values(used=Box.used + 1))
    name = parse_b64url(box.box).hex()
    assert check_vault(vault.parts).problems == [f"box {name}: what is counted is not what was put in"]


# crashes


@pytest.mark.parametrize("step", ["box.deposited", "box.erased"])
def test_whoever_is_cut_off_has_done_nothing_and_does_it_again(
    vault: FakeVault, person: FakePerson, box: FakeBox, step: str
) -> None:
    made = FakeDeposit(box, [make_bytes(5000)])
    made.send_blobs(box.token())
    if step == "box.deposited":
        with vault.steps.stopping_at(step):
            assert code(made.put()) == "internal"
        assert (box.waiting(), box.row()["made"]) == ([], 0)
    assert made.put().status_code == 201
    if step == "box.erased":
        with vault.steps.stopping_at(step):
            assert code(box.refuse(made.deposit, token=person.confirm())) == "internal"
        assert len(box.waiting()) == 1 and kept(vault) == set(made.names)
        assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert_sound(vault)
