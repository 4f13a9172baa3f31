"""Items over HTTP: batches, conflicts, sync, tombstones carried out, undone and due, and what stays afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_id
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import verify_receipt
from schemas import limits
from server.items import service
from server.items.cursor import format_cursor, parse_cursor
from server.items.models import Revision
from server.ledger.check import check_vault
from server.ledger.models import Deposit
from server.problems import Refusal
from tests.fakes.vault import FakePerson, FakeVault, b64, code, fake_vault, open_person, random_b64, said

pytestmark = pytest.mark.vault(quota=30 * 1024**2)
DAY = 86_400
Sent = dict[str, Any]


def revision(
    item: bytes, number: int = 1, blobs: tuple[bytes, ...] = (), erases: tuple[bytes, ...] | None = None,
    size: int = 1096,
) -> Sent:
    return {
        "item": b64(item),
        "revision": number,
        "replaces": number - 1,
        "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK),
        "record": random_b64(size),
        "blobs": [b64(blob) for blob in blobs],
        "erases": None if erases is None else [b64(blob) for blob in erases],
    }


def put(person: FakePerson, *revisions: Sent, token: str = "") -> TestResponse:
    return person.vault.ask("POST", "/v1/items", {"revisions": list(revisions)}, token=token or person.token)


def keep(person: FakePerson, *revisions: Sent, token: str = "") -> list[Any]:
    answer = put(person, *revisions, token=token)
    assert answer.status_code == 201, answer.data
    kept: list[Any] = said(answer)["revisions"]
    return kept


def sync(person: FakePerson, after: str = "", limit: int = limits.PAGE) -> Any:
    answer = person.ask("GET", f"/v1/items?after={after}&limit={limit}")
    assert answer.status_code == 200, answer.data
    return said(answer)


def make_blob(person: FakePerson, size: int = 1000) -> bytes:
    blob = make_id()
    assert person.ask("PUT", f"/v1/blobs/{b64(blob)}", data=make_id() * (size // 16)).status_code == 201
    return blob


def has_blob(person: FakePerson, blob: bytes) -> bool:
    return person.ask("GET", f"/v1/blobs/{b64(blob)}").status_code == 200


def receipt_of(person: FakePerson, item: bytes, number: int) -> TestResponse:
    return person.ask("GET", f"/v1/items/{b64(item)}/revisions/{number}/receipt")


def used(person: FakePerson) -> int:
    return int(said(person.ask("GET", "/v1/account"))["used"])


def require_receipt(vault: FakeVault, receipt: str, sent: Sent) -> None:
    record = parse_b64url(sent["record"])
    policy = Policy.for_key(format_vkey(vault.parts.ledger.signer.verifier))
    verify_receipt(receipt.encode(), sha256=hashlib.sha256(record).digest(), size=len(record), policy=policy)


def wait(person: FakePerson, seconds: int) -> None:
    """Time goes by, collection runs, and the session is a fresh one."""
    person.vault.clock.advance(seconds)
    service.collect(person.vault.parts)
    person.log_in()


def require_sound(vault: FakeVault) -> None:
    assert check_vault(vault.parts).problems == []


# keeping


def test_a_revision_is_kept_with_its_receipt(vault: FakeVault, person: FakePerson) -> None:
    item = make_id()
    sent = revision(item)
    (kept,) = keep(person, sent)
    assert (kept["item"], kept["revision"], kept["deposited"]) == (b64(item), 1, "2026-03-01T12:00:00Z")
    require_receipt(vault, kept["receipt"], sent)
    assert said(receipt_of(person, item, 1)) == {"deposited": kept["deposited"], "receipt": kept["receipt"]}
    (seen,) = sync(person)["revisions"]
    assert {name: seen[name] for name in ("item", "revision", "wrap", "link", "record", "blobs", "erases")} == {
        name: sent[name] for name in ("item", "revision", "wrap", "link", "record", "blobs", "erases")
    }
    assert used(person) == 1096
    require_sound(vault)


def test_a_batch_is_answered_in_its_order_and_signed_once(vault: FakeVault, person: FakePerson) -> None:
    items = [make_id() for _ in range(5)]
    sent = [revision(item, number) for number in (1, 2, 3) for item in items]
    kept = keep(person, *sent)
    assert [(one["item"], one["revision"]) for one in kept] == [(one["item"], one["revision"]) for one in sent]
    for one, its in zip(kept, sent, strict=True):
        require_receipt(vault, one["receipt"], its)
    assert len({one["receipt"].rpartition("\n\n")[2] for one in kept}) == 1
    assert [one["record"] for one in sync(person)["revisions"]] == [one["record"] for one in sent]
    require_sound(vault)


def test_the_same_bytes_again_are_answered_again(vault: FakeVault, person: FakePerson) -> None:
    blob = make_blob(person)
    first, second, third = revision(make_id(), blobs=(blob,)), revision(make_id()), revision(make_id())
    before = keep(person, first, second)
    vault.clock.advance(30)
    again = keep(person, second, third, first, third)
    assert [one["deposited"] for one in again] == [
        "2026-03-01T12:00:00Z", "2026-03-01T12:00:30Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:30Z",
    ]
    assert again[2]["receipt"].split("\n")[1] == before[0]["receipt"].split("\n")[1]  # `extra`
    for one, its in zip(again, (second, third, first, third), strict=True):
        require_receipt(vault, one["receipt"], its)
    assert len(sync(person)["revisions"]) == 3
    require_sound(vault)


@pytest.mark.parametrize("name", ["wrap", "link", "record", "blobs", "erases"])
def test_other_bytes_for_a_revision_conflict_and_bring_what_is_newer(person: FakePerson, name: str) -> None:
    item, blob = make_id(), make_blob(person)
    sent = revision(item)
    keep(person, sent, revision(item, 2))
    changed = {**revision(item), "blobs": [b64(blob)], "erases": []}
    answer = put(person, {**sent, name: changed[name]}, revision(make_id()))
    assert (answer.status_code, code(answer)) == (409, "revision_conflict")
    newer = said(answer)["revisions"]
    assert [(one["item"], one["revision"]) for one in newer] == [(b64(item), 1), (b64(item), 2)]
    assert newer == sync(person)["revisions"]


def test_a_stale_edit_brings_what_it_has_not_seen(person: FakePerson) -> None:
    item, other = make_id(), make_id()
    keep(person, revision(item), revision(item, 2), revision(item, 3), revision(other))
    answer = put(person, revision(item, 2), revision(other, 2))
    assert [one["revision"] for one in said(answer)["revisions"]] == [2, 3]
    assert len(sync(person)["revisions"]) == 4


def test_a_revision_after_a_gap_conflicts(person: FakePerson) -> None:
    answer = put(person, revision(make_id(), 2))
    assert (code(answer), said(answer)["revisions"]) == ("revision_conflict", [])


def test_two_texts_for_one_revision_in_one_batch_conflict(person: FakePerson) -> None:
    item = make_id()
    assert code(put(person, revision(item), revision(item))) == "revision_conflict"
    assert sync(person)["revisions"] == []


def test_what_is_newer_comes_up_to_a_page(person: FakePerson) -> None:
    item = make_id()
    for number in range(1, 11):
        keep(person, revision(item, number, size=limits.RECORD))
    answer = put(person, revision(item, 1))
    assert [one["revision"] for one in said(answer)["revisions"]] == list(range(1, 9))


def test_somebody_elses_item_is_not_there(vault: FakeVault, person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    keep(person, revision(item))
    other = open_person(vault)
    assert code(put(other, revision(item))) == "id_taken"
    assert code(put(other, revision(item, 2))) == "id_taken"
    assert code(receipt_of(other, item, 1)) == "not_found"
    assert code(put(other, revision(make_id(), blobs=(blob,)))) == "blob_missing"
    assert sync(other)["revisions"] == []


def test_a_batch_is_kept_whole_or_not_at_all(vault: FakeVault, person: FakePerson) -> None:
    there, missing = make_blob(person), make_id()
    answer = put(person, revision(make_id(), blobs=(there,)), revision(make_id(), blobs=(missing, there)))
    assert (code(answer), said(answer)["blobs"]) == ("blob_missing", [b64(missing)])
    assert sync(person)["revisions"] == []
    assert used(person) == 992
    require_sound(vault)


def test_an_announced_blob_is_not_a_complete_one(person: FakePerson) -> None:
    blob = make_id()
    person.ask("POST", "/v1/uploads", {"blob": b64(blob), "size": 1000})
    assert code(put(person, revision(make_id(), blobs=(blob,)))) == "blob_missing"


def test_named_blobs_come_back_in_their_order_with_their_sizes(person: FakePerson) -> None:
    blobs = [make_blob(person, size) for size in (160, 320, 480)]
    blobs.sort(reverse=True)
    keep(person, revision(make_id(), blobs=(*blobs, blobs[0])), revision(make_id(), blobs=(blobs[1],)))
    first, second = sync(person)["revisions"]
    assert [one["blob"] for one in first["blobs"]] == [b64(blob) for blob in (*blobs, blobs[0])]
    assert {one["size"] for one in first["blobs"]} == {160, 320, 480}
    assert [one["blob"] for one in second["blobs"]] == [b64(blobs[1])]


def test_a_full_space(tmp_path: Path) -> None:
    with fake_vault(tmp_path, quota=5000) as vault:
        person = open_person(vault)
        keep(person, revision(make_id(), size=2500))
        assert code(put(person, revision(make_id(), size=1251), revision(make_id(), size=1250))) == "quota_full"
        assert len(sync(person)["revisions"]) == 1
        keep(person, revision(make_id(), size=2500))
        assert used(person) == 5000


@pytest.mark.parametrize(
    "step", ["deposit.entries", "deposit.rows", "item.rows", "ledger.nodes", "ledger.commit.before"]
)
def test_a_stop_before_the_commit_keeps_nothing(vault: FakeVault, person: FakePerson, step: str) -> None:
    with vault.steps.stopping_at(step):
        sent = revision(make_id())
        assert code(put(person, sent)) == "internal"
    assert sync(person)["revisions"] == []
    require_receipt(vault, keep(person, sent)[0]["receipt"], sent)
    require_sound(vault)


def test_bad_requests(person: FakePerson) -> None:
    good = revision(make_id())
    for wrong in (
        good | {"replaces": 5}, good | {"revision": 0, "replaces": -1}, good | {"wrap": random_b64(152)},
        good | {"record": random_b64(1000)}, good | {"record": random_b64(limits.RECORD + 1)}, good | {"extra": 1},
        good | {"blobs": ["x"]}, {name: good[name] for name in good if name != "erases"},
    ):
        assert code(put(person, wrong)) == "invalid"
    assert code(person.ask("POST", "/v1/items", {"revisions": []})) == "invalid"
    assert sync(person)["revisions"] == []


# sync


def test_pages_follow_each_other_and_miss_nothing(vault: FakeVault, person: FakePerson) -> None:
    sent = [revision(make_id()) for _ in range(25)]
    keep(person, *sent)
    keep(open_person(vault), *(revision(make_id()) for _ in range(3)))
    seen: list[Any] = []
    page = sync(person, limit=10)
    while True:
        seen += page["revisions"]
        if not page["more"]:
            break
        assert len(page["revisions"]) == 10
        page = sync(person, page["cursor"], limit=10)
    assert [one["item"] for one in seen] == [one["item"] for one in sent]
    last = page["cursor"]
    assert sync(person, last) == {**page, "revisions": [], "more": False, "cursor": last}
    late = revision(make_id())
    keep(person, late)
    assert [one["item"] for one in sync(person, last)["revisions"]] == [late["item"]]


def test_a_page_holds_eight_mebibytes(person: FakePerson) -> None:
    for _ in range(3):
        keep(person, *(revision(make_id(), size=limits.RECORD) for _ in range(3)))
    page = sync(person)
    assert (len(page["revisions"]), page["more"]) == (8, True)
    rest = sync(person, page["cursor"])
    assert (len(rest["revisions"]), rest["more"]) == (1, False)


def test_a_cursor_of_another_generation_starts_again(vault: FakeVault, person: FakePerson) -> None:
    keep(person, revision(make_id()), revision(make_id()))
    page = sync(person)
    assert page["generation"] == b64(vault.parts.folder.facts.generation)
    assert len(sync(person, format_cursor(bytes(16), 10**6))["revisions"]) == 2
    assert sync(person, page["cursor"])["revisions"] == []


@pytest.mark.parametrize("after", ["x", "AAAA", "a" * 32 + "=", b64(bytes(23)), b64(bytes(25)), "a" * 201])
def test_what_was_never_a_cursor(person: FakePerson, after: str) -> None:
    assert code(person.ask("GET", f"/v1/items?after={after}")) == "invalid"


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "other=1", "limit=1&limit=2"])
def test_a_query_that_is_none(person: FakePerson, query: str) -> None:
    assert code(person.ask("GET", f"/v1/items?{query}")) in ("invalid", "malformed")


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**63 - 1))
@settings(max_examples=50, deadline=None)
def test_a_cursor_is_read_as_it_was_written(generation: bytes, seq: int) -> None:
    assert parse_cursor(format_cursor(generation, seq), generation) == seq


@given(st.text(max_size=40) | st.binary(max_size=30).map(b64))
@settings(max_examples=100, deadline=None)
def test_anything_else_is_refused_or_starts_again(text: str) -> None:
    try:
        assert parse_cursor(text, bytes(16)) >= 0
    except Refusal as refusal:
        assert refusal.code == "invalid"


# tombstones


def test_a_tombstone_hides_at_once_and_erases_after_seven_days(vault: FakeVault, person: FakePerson) -> None:
    item, blob, other = make_id(), make_blob(person), make_blob(person)
    first, second = revision(item, blobs=(blob,)), revision(item, 2, blobs=(blob, other))
    keep(person, first, second)
    tomb = revision(item, 3, erases=(blob, other))
    keep(person, tomb)
    wait(person, 7 * DAY - 1)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, False, False]
    assert has_blob(person, blob)
    wait(person, 1)
    seen = sync(person)["revisions"]
    assert [one["revision"] for one in seen] == [3, 1, 2]  # the erased ones are told anew, at the end
    assert [(one["wrap"], one["record"], one["blobs"]) for one in seen[1:]] == [(None, None, [])] * 2
    assert [one["link"] for one in seen] == [tomb["link"], first["link"], second["link"]]
    assert (seen[0]["record"], seen[0]["erases"]) == (tomb["record"], tomb["erases"])
    assert not has_blob(person, blob) and not has_blob(person, other)
    assert code(receipt_of(person, item, 1)) == "not_found"
    require_receipt(vault, said(receipt_of(person, item, 3))["receipt"], tomb)
    assert used(person) == 1096
    require_sound(vault)


def test_a_device_that_is_past_an_erased_item_hears_of_it_once(vault: FakeVault, person: FakePerson) -> None:
    item = make_id()
    keep(person, revision(item), revision(make_id()), revision(item, 2, erases=()))
    seen = sync(person)["cursor"]
    wait(person, 7 * DAY)
    page = sync(person, seen)
    assert [(one["item"], one["revision"], one["record"]) for one in page["revisions"]] == [(b64(item), 1, None)]
    keep(person, revision(make_id()))
    assert len(sync(person, page["cursor"])["revisions"]) == 1
    wait(person, 7 * DAY)
    assert sync(person, sync(person)["cursor"])["revisions"] == []


def test_erasing_cuts_the_link_to_the_ledger(vault: FakeVault, person: FakePerson) -> None:
    item = make_id()
    keep(person, revision(item))
    keep(person, revision(item, 2, erases=()), token=person.confirm())
    with vault.parts.database.read() as session:
        assert session.scalars(select(Deposit.index)).all() == [1]
        row = session.scalars(select(Revision).where(Revision.revision == 1)).one()
        assert (row.deposit, row.sha256, row.wrap, row.record, row.size) == (None, None, None, None, 0)
    assert check_vault(vault.parts).entries == 2


def test_a_confirmed_session_erases_at_once(vault: FakeVault, person: FakePerson) -> None:
    item, blob, large = make_id(), make_blob(person), make_id()
    data = bytes(limits.FIRST_UNIT + 100)
    path = f"/v1/uploads/{b64(large)}"
    person.ask("POST", "/v1/uploads", {"blob": b64(large), "size": len(data)})
    person.ask("PUT", f"{path}/units/0", data=data)
    person.ask("POST", f"{path}/complete", {"sha256": b64(hashlib.sha256(data).digest())})
    keep(person, revision(item, blobs=(blob, large)))
    keep(person, revision(item, 2, erases=(blob, large)), token=person.confirm())
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, True]
    assert not has_blob(person, blob) and not has_blob(person, large)
    assert [path for path in (vault.parts.config.data / "blobs").rglob("*") if path.is_file()] == []
    require_sound(vault)


def test_an_item_and_its_tombstone_in_one_confirmed_batch(vault: FakeVault, person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    token = person.confirm()
    kept = keep(person, revision(item, blobs=(blob,)), revision(item, 2, erases=(blob,)), token=token)
    assert len(kept) == 2
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, True]
    assert not has_blob(person, blob)
    require_sound(vault)


def test_a_waiting_tombstone_sent_again_by_a_confirmed_session_is_carried_out(
    vault: FakeVault, person: FakePerson
) -> None:
    item = make_id()
    tomb = revision(item, 2, erases=())
    keep(person, revision(item), tomb)
    keep(person, tomb)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, False]
    keep(person, tomb, token=person.confirm())
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, True]
    require_sound(vault)


def test_a_tombstone_sent_again_does_not_wait_longer(person: FakePerson) -> None:
    item = make_id()
    tomb = revision(item, 2, erases=())
    keep(person, revision(item), tomb)
    wait(person, 6 * DAY)
    keep(person, tomb)
    wait(person, DAY)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, True]


def test_a_tombstone_can_be_undone_until_it_is_carried_out(vault: FakeVault, person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    keep(person, revision(item, blobs=(blob,)), revision(item, 2, erases=(blob,)))
    wait(person, 6 * DAY)
    keep(person, revision(item, 3, blobs=(blob,)))
    wait(person, 30 * DAY)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False] * 3
    assert has_blob(person, blob)
    require_sound(vault)


def test_an_old_tombstone_that_was_undone_is_not_carried_out_by_sending_it_again(person: FakePerson) -> None:
    item = make_id()
    tomb = revision(item, 2, erases=())
    keep(person, revision(item), tomb, revision(item, 3))
    keep(person, tomb, token=person.confirm())
    wait(person, 30 * DAY)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False] * 3


def test_an_undone_deletion_can_be_deleted_again(vault: FakeVault, person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    keep(person, revision(item, blobs=(blob,)), revision(item, 2, erases=(blob,)), revision(item, 3, blobs=(blob,)))
    wait(person, 20 * DAY)
    keep(person, revision(item, 4, erases=(blob,)))
    wait(person, 7 * DAY)
    assert [one["record"] is None for one in sync(person)["revisions"]] == [False, True, True, True]
    assert not has_blob(person, blob)
    require_sound(vault)


def test_what_is_erased_cannot_be_named_again(person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    first = revision(item, blobs=(blob,))
    keep(person, first)
    keep(person, revision(item, 2, erases=(blob,)), token=person.confirm())
    assert code(put(person, revision(item, 3, blobs=(blob,)))) == "blob_missing"
    assert code(put(person, first)) == "revision_conflict"
    keep(person, revision(item, 3))


def test_a_blob_that_another_item_names_stays(vault: FakeVault, person: FakePerson) -> None:
    item, other, blob = make_id(), make_id(), make_blob(person)
    keep(person, revision(item, blobs=(blob,)), revision(other, blobs=(blob,)))
    token = person.confirm()
    keep(person, revision(item, 2, erases=(blob,)), token=token)
    assert has_blob(person, blob)
    keep(person, revision(other, 2, erases=(blob,)))
    assert has_blob(person, blob)  # the other deletion may still be undone
    wait(person, 7 * DAY)
    assert not has_blob(person, blob)
    require_sound(vault)


def test_nobody_erases_somebody_elses_blob(vault: FakeVault, person: FakePerson) -> None:
    blob, other, item = make_blob(person), open_person(vault), make_id()
    keep(other, revision(item), revision(item, 2, erases=(blob,)), token=other.confirm())
    assert has_blob(person, blob)
    require_sound(vault)


def test_blobs_that_no_item_names_are_collected_after_thirty_days(vault: FakeVault, person: FakePerson) -> None:
    named, unnamed, left = make_blob(person), make_blob(person), make_blob(person)
    item = make_id()
    keep(person, revision(make_id(), blobs=(named,)), revision(item, blobs=(left,)))
    keep(person, revision(item, 2, erases=()), token=person.confirm())
    wait(person, 30 * DAY - 1)
    assert has_blob(person, unnamed) and has_blob(person, left)
    wait(person, 1)
    assert [has_blob(person, blob) for blob in (named, unnamed, left)] == [True, False, False]
    require_sound(vault)


def test_a_stop_while_erasing_leaves_the_item_whole(vault: FakeVault, person: FakePerson) -> None:
    item, blob = make_id(), make_blob(person)
    keep(person, revision(item, blobs=(blob,)))
    token = person.confirm()
    with vault.steps.stopping_at("item.erase"):
        tomb = revision(item, 2, erases=(blob,))
        assert code(put(person, tomb, token=token)) == "internal"
    assert [one["revision"] for one in sync(person)["revisions"]] == [1]
    assert has_blob(person, blob)
    keep(person, tomb, token=token)
    assert not has_blob(person, blob)
    require_sound(vault)
