"""Blobs whole and in units, over HTTP: what is kept, what is refused, what a cut, a crash or a rival leaves behind."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from client_sdk import wire
from crypto_core.encoding import format_b64
from crypto_core.randomness import make_id
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import verify_receipt
from schemas import limits
from server.app import create_app
from server.config import MAX_CHECK_WAIT, ConfigRefused, ServerConfig
from server.ledger.check import check_vault
from server.problems import Refusal
from server.uploads import service
from server.uploads.checking import Checks
from server.uploads.models import Upload
from server.uploads.ranges import parse_range
from server.uploads.service import unit_span
from tests.fakes.vault import FakePerson, FakeVault, b64, code, open_person, said

pytestmark = pytest.mark.vault(quota=8 * 1024**2)
DAY = 86_400
BIG = bytes(range(256)) * 4096
"""1 MiB, four units."""
UNITS = limits.unit_count(len(BIG))


def hash_of(data: bytes) -> str:
    return b64(hashlib.sha256(data).digest())


def put(person: FakePerson, blob: bytes, data: bytes, **more: object) -> TestResponse:
    return person.ask("PUT", f"/v1/blobs/{b64(blob)}", data=data, **more)


def get(person: FakePerson, blob: bytes, **headers: str) -> TestResponse:
    return person.ask("GET", f"/v1/blobs/{b64(blob)}", headers=headers)


def start(person: FakePerson, blob: bytes, size: int = len(BIG)) -> TestResponse:
    return person.ask("POST", "/v1/uploads", {"blob": b64(blob), "size": size})


def read(person: FakePerson, blob: bytes) -> TestResponse:
    return person.ask("GET", f"/v1/uploads/{b64(blob)}")


def put_units(
    person: FakePerson, blob: bytes, first: int, stop: int, data: bytes = BIG, **more: object
) -> TestResponse:
    part = data[limits.unit_range(first, len(data))[0]:limits.unit_range(stop - 1, len(data))[1]]
    return person.ask("PUT", f"/v1/uploads/{b64(blob)}/units/{first}", data=part, **more)


def complete(person: FakePerson, blob: bytes, data: bytes = BIG) -> TestResponse:
    return person.ask("POST", f"/v1/uploads/{b64(blob)}/complete", {"sha256": hash_of(data)})


def give_up(person: FakePerson, blob: bytes) -> TestResponse:
    return person.ask("DELETE", f"/v1/uploads/{b64(blob)}")


def put_cut(vault: FakeVault, person: FakePerson, path: str, data: bytes, announced: int) -> TestResponse:
    """A body of which less arrives than was announced."""
    return vault.app.test_client().open(
        path,
        method="PUT",
        input_stream=io.BytesIO(data),
        headers={
            "Authorization": f"Bearer {person.token}",
            "Content-Type": "application/octet-stream",
            "Content-Digest": f"sha-256=:{format_b64(hashlib.sha256(data).digest())}:",
        },
        environ_overrides={"CONTENT_LENGTH": str(announced)},
    )


def upload(person: FakePerson, blob: bytes, data: bytes = BIG) -> TestResponse:
    assert start(person, blob, len(data)).status_code == 201
    assert put_units(person, blob, 0, limits.unit_count(len(data)), data).status_code == 200
    return complete(person, blob, data)


def used(person: FakePerson) -> int:
    return int(said(person.ask("GET", "/v1/account"))["used"])


def require_receipt(vault: FakeVault, answer: TestResponse, data: bytes) -> None:
    policy = Policy.for_key(format_vkey(vault.parts.ledger.signer.verifier))
    receipt = said(answer)["receipt"].encode()
    verify_receipt(receipt, sha256=hashlib.sha256(data).digest(), size=len(data), policy=policy)


def files(vault: FakeVault) -> list[str]:
    return sorted(path.name for path in (vault.parts.config.data / "blobs").rglob("*") if path.is_file())


# in one request


@pytest.mark.parametrize("size", [72, 1000, limits.FIRST_UNIT])
def test_a_small_blob_is_kept_and_read(vault: FakeVault, person: FakePerson, size: int) -> None:
    blob, data = make_id(), os.urandom(size)
    answer = put(person, blob, data)
    assert answer.status_code == 201
    assert (said(answer)["size"], said(answer)["sha256"]) == (size, hash_of(data))
    require_receipt(vault, answer, data)
    whole = get(person, blob)
    assert (whole.status_code, whole.data) == (200, data)
    assert whole.headers["Content-Length"] == str(size)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Digest"] == f"sha-256=:{format_b64(hashlib.sha256(data).digest())}:"
    assert used(person) == size
    assert check_vault(vault.parts).problems == []


def test_the_same_bytes_again_are_the_same_deposit(vault: FakeVault, person: FakePerson) -> None:
    blob, data = make_id(), os.urandom(500)
    first = said(put(person, blob, data))
    put(person, make_id(), data)
    vault.clock.advance(90)
    again = put(person, blob, data)
    assert again.status_code == 201
    assert {**said(again), "receipt": ""} == {**first, "receipt": ""}
    assert said(again)["receipt"].split("\n")[1] == first["receipt"].split("\n")[1]  # `extra`
    require_receipt(vault, again, data)
    assert used(person) == 1000
    receipt = person.ask("GET", f"/v1/blobs/{b64(blob)}/receipt")
    assert said(receipt) == {"deposited": first["deposited"], "receipt": said(again)["receipt"]}


def test_other_bytes_under_one_name_are_refused(person: FakePerson) -> None:
    blob, data = make_id(), os.urandom(500)
    put(person, blob, data)
    assert code(put(person, blob, os.urandom(500))) == "blob_conflict"
    assert get(person, blob).data == data


def test_somebody_elses_blob_does_not_exist(vault: FakeVault, person: FakePerson) -> None:
    blob, data = make_id(), os.urandom(500)
    put(person, blob, data)
    other = open_person(vault)
    assert code(get(other, blob)) == "not_found"
    assert code(other.ask("GET", f"/v1/blobs/{b64(blob)}/receipt")) == "not_found"
    assert code(put(other, blob, data)) == "blob_conflict"
    assert code(start(other, blob, 500)) == "blob_conflict"
    assert code(read(other, blob)) == "not_found"
    assert code(put_units(other, blob, 0, 1, data)) == "not_found"
    assert code(complete(other, blob, data)) == "not_found"
    assert code(give_up(other, blob)) == "not_found"
    assert used(other) == 0


def test_a_blob_of_no_allowed_size(person: FakePerson) -> None:
    for size, expected in ((1, "invalid"), (71, "invalid"), (limits.FIRST_UNIT + 1, "too_large")):
        assert code(put(person, make_id(), bytes(size))) == expected


def test_bytes_that_do_not_fit_their_digest(person: FakePerson) -> None:
    blob, wrong = make_id(), {"Content-Digest": f"sha-256=:{format_b64(bytes(32))}:"}
    assert code(put(person, blob, bytes(100), headers=wrong)) == "digest_mismatch"
    assert code(get(person, blob)) == "not_found"


def test_a_body_that_is_cut(vault: FakeVault, person: FakePerson) -> None:
    blob, data = make_id(), os.urandom(1000)
    answer = put_cut(vault, person, f"/v1/blobs/{b64(blob)}", data[:400], 1000)
    assert code(answer) == "body_incomplete"
    assert code(get(person, blob)) == "not_found"
    assert used(person) == 0


def test_a_full_space(vault: FakeVault, person: FakePerson) -> None:
    assert start(person, make_id(), vault.parts.config.quota - 100).status_code == 201
    assert code(put(person, make_id(), bytes(101))) == "quota_full"
    assert code(start(person, make_id(), 101)) == "quota_full"
    assert put(person, make_id(), bytes(100)).status_code == 201
    assert used(person) == vault.parts.config.quota


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", (0, 10)), ("bytes=10-", (10, 1000)), ("bytes=-7", (993, 1000)), ("bytes=-5000", (0, 1000)),
        ("bytes=990-5000", (990, 1000)), ("bytes=999-999", (999, 1000)), ("BYTES=0-0", (0, 1)),
        (f"bytes=10-{2**64 - 1}", (10, 1000)), ("bytes=-" + 99 * "9", (0, 1000)),
        *((ignored, None) for ignored in (
            None, "", "bytes", "bytes=", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=5-2", "bytes=a-b", "bytes=--1",
            "bytes=0-1 ", "bytes=\u0661-", "bytes=" + 5000 * "1" + "-",
        )),
    ],
)
def test_which_bytes_a_range_asks_for(asked: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(asked, 1000) == expected


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", f"bytes={2**64 - 1}-"])
def test_a_range_without_a_byte(asked: str) -> None:
    with pytest.raises(Refusal, match="range_invalid"):
        parse_range(asked, 1000)


@pytest.mark.parametrize("is_stored", [False, True])
def test_ranges_over_http(person: FakePerson, is_stored: bool) -> None:
    blob, data = make_id(), os.urandom(1000)
    (upload if is_stored else put)(person, blob, data)
    part = get(person, blob, Range="bytes=100-199")
    assert (part.status_code, part.data) == (206, data[100:200])
    assert part.headers["Content-Range"] == "bytes 100-199/1000"
    assert part.headers["Content-Length"] == "100"
    assert "Content-Digest" not in part.headers
    beyond = get(person, blob, Range="bytes=1000-")
    assert (beyond.status_code, code(beyond)) == (416, "range_invalid")
    assert beyond.headers["Content-Range"] == "bytes */1000"
    several = get(person, blob, Range="bytes=0-1,5-6")
    conditional = get(person, blob, Range="bytes=0-1", **{"If-Range": '"another version"'})
    for whole in (several, conditional):
        assert (whole.status_code, whole.data) == (200, data)
    for asked in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=1000-"}):
        head = person.ask("HEAD", f"/v1/blobs/{b64(blob)}", headers=asked)
        assert (head.status_code, head.headers["Content-Length"], head.data) == (200, "1000", b"")


# in units


def test_units_in_any_order_make_a_blob(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    assert said(start(person, blob)) == {"blob": b64(blob), "size": len(BIG), "units": [], "complete": False}
    for first in (2, 0, 3, 1):
        there = said(put_units(person, blob, first, first + 1))["units"]
        assert [one["unit"] for one in there] == [first]
    state = said(read(person, blob))
    assert [one["unit"] for one in state["units"]] == [0, 1, 2, 3]
    assert [one["sha256"] for one in state["units"]] == [
        hash_of(BIG[slice(*limits.unit_range(unit, len(BIG)))]) for unit in range(UNITS)
    ]
    assert not state["complete"]
    assert code(get(person, blob)) == "not_found"
    answer = complete(person, blob)
    assert (answer.status_code, said(answer)["size"]) == (201, len(BIG))
    require_receipt(vault, answer, BIG)
    whole = get(person, blob)
    assert whole.data == BIG
    assert whole.headers["Content-Length"] == str(len(BIG))
    assert said(read(person, blob))["complete"]
    assert files(vault) == [blob.hex()]
    assert used(person) == len(BIG)
    assert check_vault(vault.parts).problems == []


def test_announcing_again_goes_on(person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 1, 3)
    assert [one["unit"] for one in said(start(person, blob))["units"]] == [1, 2]
    assert code(start(person, blob, len(BIG) + 1)) == "blob_conflict"
    assert code(put(person, blob, bytes(100))) == "blob_conflict"
    assert used(person) == len(BIG)
    put_units(person, blob, 0, 4)
    complete(person, blob)
    again = start(person, blob)
    assert (again.status_code, said(again)["complete"]) == (201, True)
    assert code(start(person, blob, len(BIG) + 1)) == "blob_conflict"


def test_the_same_units_again_are_fine_and_others_change_nothing(person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 1, 3)
    assert [one["unit"] for one in said(put_units(person, blob, 0, 4))["units"]] == [0, 1, 2, 3]
    before = said(read(person, blob))
    other = bytes(len(BIG))
    assert code(put_units(person, blob, 2, 4, other)) == "blob_conflict"
    assert said(read(person, blob)) == before
    assert complete(person, blob).status_code == 201
    assert get(person, blob).data == BIG


@pytest.mark.parametrize("end", ["body_incomplete", "not_found"])
def test_what_arrives_of_an_upload_that_was_given_up_meanwhile_goes_however_it_ends(
    vault: FakeVault, person: FakePerson, end: str
) -> None:
    """A known unit lies between, so that what comes behind it is staged anew."""
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 1, 2)

    def pieces() -> Iterator[bytes]:
        known, behind, last = limits.unit_range(1, len(BIG))[0], limits.unit_range(2, len(BIG))[0], len(BIG)
        yield BIG[:known]
        assert give_up(person, blob).status_code == 200
        yield BIG[known:behind]
        yield BIG[behind:behind + 1000]
        if end == "body_incomplete":
            raise Refusal(end)
        yield BIG[behind + 1000:last]

    with pytest.raises(Refusal, match=end):
        service.put_units(vault.parts, person.account, blob, 0, len(BIG), pieces())
    assert b"".join(vault.parts.store.staged(blob, 0, len(BIG))) == b""
    assert files(vault) == []
    assert start(person, blob).status_code == 201


def test_a_conflict_in_one_unit_keeps_nothing_of_the_request(person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 1, 2)
    assert code(put_units(person, blob, 0, 4, bytes(len(BIG)))) == "blob_conflict"
    assert [one["unit"] for one in said(read(person, blob))["units"]] == [1]
    put_units(person, blob, 0, 4)
    assert complete(person, blob).status_code == 201


@pytest.mark.parametrize(
    ("first", "length"),
    [
        (0, limits.FIRST_UNIT - 1), (0, limits.UNIT), (1, limits.UNIT + 1), (1, limits.FIRST_UNIT), (1, 1), (3, 1),
        (4, limits.UNIT), (2**32 - 1, 10), (0, len(BIG) + 1), (0, 0),
    ],
)
def test_bytes_that_are_not_whole_units(first: int, length: int) -> None:
    with pytest.raises(Refusal, match="unit_invalid"):
        unit_span(first, length, len(BIG))


def test_bytes_that_are_not_whole_units_are_refused_over_http(person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    answer = person.ask("PUT", f"/v1/uploads/{b64(blob)}/units/1", data=bytes(limits.UNIT - 1))
    assert (answer.status_code, code(answer)) == (422, "unit_invalid")
    assert said(read(person, blob))["units"] == []


def test_no_more_units_than_one_request_may_bring() -> None:
    size = 100 * limits.UNIT
    assert unit_span(0, limits.PUT, size) == range(32)
    assert unit_span(1, 32 * limits.UNIT, size) == range(1, 33)
    with pytest.raises(Refusal, match="unit_invalid"):
        unit_span(1, 33 * limits.UNIT, size)


def test_bodies_that_are_cut_or_changed_leave_no_unit(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    wrong = {"Content-Digest": f"sha-256=:{format_b64(bytes(32))}:"}
    assert code(put_units(person, blob, 0, 2, headers=wrong)) == "digest_mismatch"
    cut = put_cut(vault, person, f"/v1/uploads/{b64(blob)}/units/1", bytes(limits.UNIT + 5), 2 * limits.UNIT)
    assert code(cut) == "body_incomplete"
    assert said(read(person, blob))["units"] == []
    put_units(person, blob, 0, 4)
    assert complete(person, blob).status_code == 201
    assert get(person, blob).data == BIG


def test_the_hashes_of_the_units_do_in_place_of_the_digest_of_the_whole(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    start_at, stop_at = limits.unit_range(0, len(BIG))[0], limits.unit_range(1, len(BIG))[1]
    hashes = [hashlib.sha256(BIG[slice(*limits.unit_range(unit, len(BIG)))]).digest() for unit in range(2)]

    def send(announced: bytes, **more: str) -> TestResponse:
        headers = {
            "Authorization": f"Bearer {person.token}", "Content-Type": "application/octet-stream",
            "Temoin-Unit-Digests": f"sha-256=:{format_b64(announced)}:", **more,
        }
        path = f"/v1/uploads/{b64(blob)}/units/0"
        return vault.app.test_client().put(path, data=BIG[start_at:stop_at], headers=headers)

    for wrong in (hashes[0] + bytes(32), hashes[1] + hashes[0], hashes[0], b"".join(hashes) + bytes(32)):
        assert code(send(wrong)) == "digest_mismatch"
    for malformed in (b"", hashes[0][:-1], bytes(33 * 32)):
        assert code(send(malformed)) == "malformed"
    both = {"Content-Digest": f"sha-256=:{format_b64(bytes(32))}:"}
    assert code(send(b"".join(hashes), **both)) == "digest_mismatch"
    assert said(read(person, blob))["units"] == []
    also = f"sha-512=:AAAA:, sha-256=:{format_b64(b''.join(hashes))}:;x=1"
    assert send(b"", **{"Temoin-Unit-Digests": also}).status_code == 200
    assert send(b"".join(hashes)).status_code == 200
    assert [one["unit"] for one in said(read(person, blob))["units"]] == [0, 1]


def test_completing_needs_every_unit_and_the_right_hash(person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 3)
    assert code(complete(person, blob)) == "upload_incomplete"
    put_units(person, blob, 3, 4)
    assert code(complete(person, blob, b"other")) == "upload_mismatch"
    assert code(get(person, blob)) == "not_found"
    assert len(said(read(person, blob))["units"]) == 4
    assert complete(person, blob).status_code == 201


def test_completing_again_gives_the_same_deposit(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    first = said(upload(person, blob))
    again = said(complete(person, blob))
    assert again == first
    assert code(complete(person, blob, b"other")) == "blob_conflict"
    assert code(put_units(person, blob, 0, 1)) == "upload_complete"
    assert code(give_up(person, blob)) == "upload_complete"
    assert check_vault(vault.parts).entries == 1


def test_two_who_complete_at_once_make_one_entry(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    together, answers = threading.Barrier(4), []

    def run() -> None:
        together.wait()
        answers.append(complete(person, blob))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({said(answer)["receipt"] for answer in answers}) == 1
    report = check_vault(vault.parts)
    assert (report.entries, report.problems) == (1, [])
    assert used(person) == len(BIG)


def test_units_in_flight_at_once(vault: FakeVault, person: FakePerson) -> None:
    blob, data = make_id(), os.urandom(12 * limits.UNIT + 17)
    start(person, blob, len(data))
    count = limits.unit_count(len(data))
    spans = [(first, min(first + 3, count)) for first in range(0, count, 2)]  # each unit but the ends in two requests
    answers: list[TestResponse] = []

    def run(first: int, stop: int) -> None:
        answers.append(put_units(person, blob, first, stop, data))

    threads = [threading.Thread(target=run, args=span) for span in spans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    require_receipt(vault, complete(person, blob, data), data)
    assert get(person, blob).data == data


def test_giving_up_leaves_nothing(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 2)
    assert len(files(vault)) == 1
    assert give_up(person, blob).status_code == 200
    assert (files(vault), used(person)) == ([], 0)
    assert code(read(person, blob)) == "not_found"
    assert code(put_units(person, blob, 0, 1)) == "not_found"
    assert code(give_up(person, blob)) == "not_found"
    assert upload(person, blob).status_code == 201


def test_what_a_killed_server_left_of_uploads_that_are_over_is_collected_and_nothing_else(
    vault: FakeVault, person: FakePerson
) -> None:
    stray, kept, live = (make_id() for _ in range(3))
    assert upload(person, kept).status_code == 201
    start(person, live)
    put_units(person, live, 0, 2)
    for blob in (stray, kept):  # as by a request that ended with its process
        vault.parts.store.stage(blob, 0, 5, [b"bytes"])
    service.collect(vault.parts)
    assert sorted(vault.parts.store.staging()) == [live]
    assert (len(files(vault)), get(person, kept).data) == (2, BIG)
    put_units(person, live, 2, 4)
    assert complete(person, live).status_code == 201
    assert upload(person, stray).status_code == 201
    assert check_vault(vault.parts).problems == []


def test_abandoned_uploads_are_collected_and_others_are_not(vault: FakeVault, person: FakePerson) -> None:
    old, young = make_id(), make_id()
    start(person, old)
    put_units(person, old, 0, 1)
    vault.clock.advance(4 * DAY)
    person.log_in()
    start(person, young)
    put_units(person, young, 0, 1)
    vault.clock.advance(3 * DAY)
    service.collect(vault.parts)
    person.log_in()
    assert code(read(person, old)) == "not_found"
    assert len(said(read(person, young))["units"]) == 1
    assert (files(vault), used(person)) == ([young.hex()], len(BIG))


# crashes and rivals


@pytest.mark.parametrize("step", ["unit.written", "unit.synced", "unit.recorded"])
def test_a_stop_while_a_unit_is_taken(vault: FakeVault, person: FakePerson, step: str) -> None:
    blob = make_id()
    start(person, blob)
    with vault.steps.stopping_at(step):
        assert code(put_units(person, blob, 0, 2)) == "internal"
    assert said(read(person, blob))["units"] == []
    put_units(person, blob, 0, 4)
    assert complete(person, blob).status_code == 201


@pytest.mark.parametrize(
    "step", ["complete.hashed", "complete.renamed", "deposit.entries", "deposit.rows", "ledger.sign"]
)
def test_a_stop_while_an_upload_is_completed(vault: FakeVault, person: FakePerson, step: str) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    with vault.steps.stopping_at(step):
        assert code(complete(person, blob)) == "internal"
    assert code(get(person, blob)) == "not_found"
    answer = complete(person, blob)
    require_receipt(vault, answer, BIG)
    assert get(person, blob).data == BIG
    assert check_vault(vault.parts).problems == []


def test_a_stop_after_the_commit_and_the_receipt_comes_with_the_next_try(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    with vault.steps.stopping_at("ledger.commit.after"):
        assert code(complete(person, blob)) == "internal"
    require_receipt(vault, complete(person, blob), BIG)
    assert check_vault(vault.parts).entries == 1


def test_what_the_disk_lost_is_asked_for_again(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    staged = vault.parts.config.data / "blobs" / "staged" / blob.hex()
    with staged.open("r+b") as file:
        file.seek(limits.unit_range(2, len(BIG))[0] + 5)
        file.write(b"rot")
    assert code(complete(person, blob)) == "upload_incomplete"
    assert [one["unit"] for one in said(read(person, blob))["units"]] == [0, 1, 3]
    put_units(person, blob, 2, 3)
    staged.unlink()
    assert code(complete(person, blob)) == "upload_incomplete"
    assert said(read(person, blob))["units"] == []
    put_units(person, blob, 0, 4)
    require_receipt(vault, complete(person, blob), BIG)


def test_an_upload_given_up_while_it_completes(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    vault.steps.at["complete.renamed"] = lambda: assert_given_up(person, blob)
    assert code(complete(person, blob)) == "not_found"
    assert (files(vault), used(person)) == ([], 0)
    vault.steps.at.clear()
    assert upload(person, blob).status_code == 201


@pytest.mark.parametrize("wrong_reads", ["before", "while", "after"])
def test_a_wrong_hash_beside_the_right_one_loses_no_unit_if_that_one_dies(
    vault: FakeVault, person: FakePerson, monkeypatch: pytest.MonkeyPatch, wrong_reads: str
) -> None:
    """The right one gets as far as the store's keeping it, before, while or after the wrong one reads the units."""
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 4)
    readings = iter(range(UNITS))
    staged = vault.parts.store.staged

    def overtaken(blob: bytes, first: int, stop: int) -> Iterator[bytes]:
        if next(readings) == UNITS // 2:
            with vault.steps.stopping_at("complete.renamed"):
                assert code(complete(person, blob)) == "internal"
        return staged(blob, first, stop)

    if wrong_reads == "while":
        monkeypatch.setattr(vault.parts.store, "staged", overtaken)
    elif wrong_reads == "after":
        with vault.steps.stopping_at("complete.renamed"):
            assert code(complete(person, blob)) == "internal"
    assert code(complete(person, blob, b"other")) == "upload_mismatch"
    assert len(said(read(person, blob))["units"]) == UNITS
    require_receipt(vault, complete(person, blob), BIG)
    assert get(person, blob).data == BIG
    assert check_vault(vault.parts).problems == []


def assert_given_up(person: FakePerson, blob: bytes) -> None:
    assert give_up(person, blob).status_code == 200


def test_an_upload_given_up_while_units_come(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    start(person, blob)
    vault.steps.at["unit.written"] = lambda: assert_given_up(person, blob)
    assert code(put_units(person, blob, 0, 4)) == "not_found"
    assert files(vault) == []


def test_an_upload_completed_while_units_come(vault: FakeVault, person: FakePerson) -> None:
    """A request that was given up for lost by its client, and is still on its way."""
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 1, 4)

    def overtake() -> None:
        del vault.steps.at["unit.written"]
        put_units(person, blob, 0, 1)
        assert complete(person, blob).status_code == 201

    vault.steps.at["unit.written"] = overtake
    assert code(put_units(person, blob, 0, 1)) == "upload_complete"
    assert files(vault) == [blob.hex()]
    assert get(person, blob).data == BIG
    assert check_vault(vault.parts).problems == []


def test_rivals_for_one_unit_with_other_bytes_never_make_a_false_blob(vault: FakeVault, person: FakePerson) -> None:
    blob, other = make_id(), bytes(len(BIG))
    start(person, blob)
    put_units(person, blob, 1, 4)

    def overtake() -> None:
        del vault.steps.at["unit.written"]
        assert put_units(person, blob, 0, 1).status_code == 200

    vault.steps.at["unit.written"] = overtake
    answer = put_units(person, blob, 0, 1, other)
    assert code(answer) == "blob_conflict"
    first = complete(person, blob)
    if first.status_code != 201:  # the rival's bytes are on the disk: the unit is asked for again
        assert code(first) == "upload_incomplete"
        assert put_units(person, blob, 0, 1).status_code == 200
        assert complete(person, blob).status_code == 201
    assert get(person, blob).data == BIG


def test_a_name_is_free_again_only_when_its_bytes_are_gone(vault: FakeVault, person: FakePerson) -> None:
    """The process stops between the commit that drops an upload and the removal of its bytes."""
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, 2)
    with vault.steps.stopping_at("ledger.commit.after"):
        assert code(give_up(person, blob)) == "internal"
    assert code(start(person, blob)) == "blob_conflict"
    assert code(put(person, blob, bytes(100))) == "blob_conflict"
    assert files(vault) == [blob.hex()]
    service.collect(vault.parts)
    assert files(vault) == []
    assert upload(person, blob).status_code == 201


def test_a_kept_blob_whose_file_is_gone_is_unavailable(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    upload(person, blob)
    vault.parts.store.delete(blob)
    assert code(get(person, blob)) == "unavailable"
    assert any("missing" in problem for problem in check_vault(vault.parts).problems)


def test_bit_rot_in_a_kept_blob_is_named(vault: FakeVault, person: FakePerson) -> None:
    blob = make_id()
    upload(person, blob)
    (path,) = (vault.parts.config.data / "blobs" / "kept").rglob(blob.hex())
    path.chmod(0o600)
    path.write_bytes(BIG + b"!")
    assert any("not those that were deposited" in problem for problem in check_vault(vault.parts).problems)
    path.write_bytes(BIG[:-1] + b"!")
    assert any("not those that were deposited" in problem for problem in check_vault(vault.parts).problems)


# a check that takes longer than anybody waits


@contextmanager
def held(vault: FakeVault, then: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """Whoever has hashed a whole waits for the event, which comes at the end at the latest, and does `then`."""
    go_on = threading.Event()

    def wait() -> None:
        assert go_on.wait(60)
        then()

    vault.steps.at["complete.hashed"] = wait
    try:
        yield go_on
    finally:
        go_on.set()


def test_a_request_waits_less_than_any_client(vault: FakeVault, tmp_path: Path) -> None:
    patience = wire._TIMEOUT.read_timeout
    assert isinstance(patience, float)
    for waited in (vault.parts.config.check_wait, MAX_CHECK_WAIT):
        assert 1 <= waited < patience
    for wrong in ("0", str(MAX_CHECK_WAIT + 1), "20s"):
        with pytest.raises(ConfigRefused) as caught:
            ServerConfig.from_environ({"TEMOIN_CHECK_WAIT": wrong}, tmp_path)
        assert "TEMOIN_CHECK_WAIT" in caught.value.detail
    assert ServerConfig.from_environ({"TEMOIN_CHECK_WAIT": "5"}, tmp_path).check_wait == 5


@pytest.fixture
def hasty(vault: FakeVault, person: FakePerson) -> FakePerson:
    """The same person, at another process of the same vault, which hardly waits for anything."""
    parts = replace(vault.parts, checks=Checks(0.01))
    return replace(person, vault=FakeVault(create_app(parts), parts, vault.clock, vault.steps))


@pytest.fixture
def staged(person: FakePerson) -> bytes:
    """A blob of which all units are there."""
    blob = make_id()
    start(person, blob)
    put_units(person, blob, 0, UNITS)
    return blob


def ask_until_done(person: FakePerson, blob: bytes, data: bytes = BIG) -> TestResponse:
    deadline = time.monotonic() + 60
    while "code" in said(answer := complete(person, blob, data)) and code(answer) == "upload_checking":
        assert time.monotonic() < deadline
    return answer


def checking(vault: FakeVault, blob: bytes) -> int | None:
    with vault.parts.database.read() as session:
        return session.get_one(Upload, blob).checking


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_a_sign(vault: FakeVault, blob: bytes) -> None:
    wait_until(lambda: checking(vault, blob) is not None)


def wait_for_the_end(person: FakePerson, blob: bytes, data: bytes = BIG) -> None:
    name = person.account, blob, hashlib.sha256(data).digest()
    wait_until(lambda: not person.vault.parts.checks.is_running(name))


def test_a_check_that_takes_long_goes_on_and_is_asked_for_again(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes
) -> None:
    with held(vault) as go_on:
        for _ in range(3):
            answer = complete(hasty, staged)
            assert (answer.status_code, code(answer)) == (503, "upload_checking")
            assert answer.headers["Retry-After"] == "2"
            assert said(read(person, staged))["complete"] is False
            assert code(get(person, staged)) == "not_found"
        go_on.set()
        answer = ask_until_done(hasty, staged)
    require_receipt(vault, answer, BIG)
    assert get(person, staged).data == BIG
    assert vault.steps.reached.count("complete.hashed") == 1
    assert check_vault(vault.parts).problems == []


def test_who_had_looked_before_a_check_ended_and_asks_after_it_begins_none(
    vault: FakeVault, person: FakePerson, staged: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*given: object) -> bool:
        monkeypatch.undo()
        assert complete(person, staged).status_code == 201
        return False

    monkeypatch.setattr(service, "_is_checked_elsewhere", late)
    require_receipt(vault, complete(person, staged), BIG)
    assert vault.steps.reached.count("complete.hashed") == 1


def test_two_who_complete_at_once_wait_for_one_check(vault: FakeVault, person: FakePerson, staged: bytes) -> None:
    with held(vault) as go_on, ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(complete, person, staged) for _ in range(2))
        wait_until(lambda: vault.steps.reached.count("complete.hashed"))
        go_on.set()
        assert said(first.result()) == said(second.result())
    require_receipt(vault, first.result(), BIG)
    assert vault.steps.reached.count("complete.hashed") == 1


def test_another_process_does_not_check_beside_one_that_is_at_it(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.uploads.checking.SIGN", 0.01)
    with held(vault) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        wait_for_a_sign(vault, staged)
        assert code(complete(person, staged)) == "upload_checking"
        assert code(complete(person, staged, b"other")) == "upload_checking"
        go_on.set()
        require_receipt(vault, ask_until_done(person, staged), BIG)
    assert vault.steps.reached.count("complete.hashed") == 1


def test_a_process_that_died_while_it_checked_is_waited_for_half_a_minute(
    vault: FakeVault, person: FakePerson, staged: bytes
) -> None:
    with vault.parts.database.write() as session:
        session.get_one(Upload, staged).checking = vault.clock.now()
    assert code(complete(person, staged)) == "upload_checking"
    vault.clock.advance(29)
    assert code(complete(person, staged)) == "upload_checking"
    vault.clock.advance(1)
    require_receipt(vault, complete(person, staged), BIG)


def test_a_check_that_fails_while_nobody_waits_is_logged_and_begun_anew(
    vault: FakeVault, hasty: FakePerson, staged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("what nobody may read")

    with held(vault, fail) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        go_on.set()
        wait_for_the_end(hasty, staged)
    vault.steps.at.clear()
    require_receipt(vault, ask_until_done(hasty, staged), BIG)
    assert [record.getMessage() for record in caplog.records if record.name == "temoin.server"] == [
        "RuntimeError in a check for which nobody waited"
    ]


def test_after_a_check_that_failed_nobody_is_said_to_be_at_it(
    vault: FakeVault, hasty: FakePerson, person: FakePerson, staged: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill() -> None:
        raise Refusal("storage_full")

    monkeypatch.setattr("server.uploads.checking.SIGN", 0.01)
    with held(vault, fill) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        wait_for_a_sign(vault, staged)
        go_on.set()
        wait_until(lambda: checking(vault, staged) is None)
        assert code(complete(person, staged)) == "storage_full"
    vault.steps.at.clear()
    require_receipt(vault, complete(person, staged), BIG)


def test_a_refusal_that_nobody_waited_for_is_told_to_who_asks_next(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes
) -> None:
    with held(vault) as go_on:
        assert code(complete(hasty, staged, b"other")) == "upload_checking"
        go_on.set()
        wait_for_the_end(hasty, staged, b"other")
    assert code(complete(hasty, staged, b"other")) == "upload_mismatch"
    assert vault.steps.reached.count("complete.hashed") == 1
    assert code(complete(person, staged, b"other")) == "upload_mismatch"
    assert vault.steps.reached.count("complete.hashed") == 2
    require_receipt(vault, complete(person, staged), BIG)


def test_a_refusal_of_long_ago_is_nobodys(
    vault: FakeVault, hasty: FakePerson, staged: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill() -> None:
        raise Refusal("storage_full")

    monkeypatch.setattr("server.uploads.checking.UNHEARD", 0)
    with held(vault, fill) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        go_on.set()
        wait_for_the_end(hasty, staged)
    vault.steps.at.clear()
    require_receipt(vault, ask_until_done(hasty, staged), BIG)


def test_what_the_disk_lost_is_asked_for_also_where_nobody_waited(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes
) -> None:
    path = vault.parts.config.data / "blobs" / "staged" / staged.hex()
    with path.open("r+b") as file:
        file.write(b"rot")
    with held(vault) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        go_on.set()
        wait_for_the_end(hasty, staged)
    assert [one["unit"] for one in said(read(person, staged))["units"]] == [1, 2, 3]
    put_units(person, staged, 0, 1)
    require_receipt(vault, ask_until_done(hasty, staged), BIG)


@pytest.mark.parametrize("comes_again", [False, True])
def test_what_two_checks_found_damaged_is_asked_for_and_never_called_another_blob(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes, monkeypatch: pytest.MonkeyPatch,
    comes_again: bool,
) -> None:
    """The second one hashed all of it when the first had not forgotten the unit yet."""
    path, finish = vault.parts.config.data / "blobs" / "staged" / staged.hex(), vault.parts.store.finish
    with path.open("r+b") as file:
        file.write(b"rot")

    def overtaken(blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        monkeypatch.undo()
        try:
            finish(blob, size, check)
        finally:
            assert code(ask_until_done(hasty, staged)) == "upload_incomplete"
            if comes_again:
                assert put_units(person, staged, 0, 1).status_code == 200

    monkeypatch.setattr(vault.parts.store, "finish", overtaken)
    assert code(complete(person, staged)) == ("unavailable" if comes_again else "upload_incomplete")
    put_units(person, staged, 0, 1)
    require_receipt(vault, complete(person, staged), BIG)


def test_an_upload_that_is_given_up_while_it_is_checked(
    vault: FakeVault, person: FakePerson, hasty: FakePerson, staged: bytes
) -> None:
    with held(vault) as go_on:
        assert code(complete(hasty, staged)) == "upload_checking"
        assert give_up(person, staged).status_code == 200
        assert code(complete(hasty, staged)) == "not_found"
        go_on.set()
        wait_for_the_end(hasty, staged)
    service.collect(vault.parts)
    assert (files(vault), used(person)) == ([], 0)
    assert upload(person, staged).status_code == 201
