"""Bundles: what the person shares, what its reader gets and for how long, and how everything ends."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import delete, select

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.note import parse_vkey
from crypto_core.receipts.policy import NONE, Log, Policy
from crypto_core.receipts.receipt import verify_receipt
from schemas import limits
from server.accounts.models import Account
from server.directory.models import Professional
from server.directory.service import revoke
from server.guesses.models import LinkCode
from server.ledger.check import check_vault
from server.shares.ending import collect
from server.shares.models import Bundle, BundleBlob, BundleRecord, Opening
from tests.fakes.sharing import FakeBundle, open_professional, put_revision, spell_time
from tests.fakes.vault import NOON, FakePerson, FakeVault, b64, code, open_person, said


@pytest.fixture
def link(person: FakePerson) -> FakeBundle:
    """A bundle for a link, alive."""
    return FakeBundle(person).send()


def used(person: FakePerson) -> int:
    with person.vault.parts.database.read() as session:
        return session.get_one(Account, person.account).used


def policy(vault: FakeVault) -> Policy:
    key = parse_vkey(said(vault.ask("GET", "/v1/vault"))["ledger_vkey"])
    return Policy((Log(key),), (), (), NONE)


# what a reader gets


def test_a_link_with_its_code_gives_what_was_shared_unchanged(vault: FakeVault, link: FakeBundle) -> None:
    body = link.body()
    released = said(link.try_code())
    assert released["share"] == b64(link.share)
    assert released["expires"] == body["expires"]
    opened = said(link.open())
    assert opened["expires"] == spell_time(NOON + limits.OPENING)
    answers = [vault.ask("GET", place, token=opened["token"]) for place in link.things]
    record, record_receipt, blob, blob_receipt = answers
    assert (record.data, blob.data) == (parse_b64url(link.record), link.content)
    for data, receipt in ((record.data, record_receipt), (blob.data, blob_receipt)):
        text = said(receipt)["receipt"].encode()
        verify_receipt(text, sha256=sha256(data).digest(), size=len(data), policy=policy(vault))
    assert {record.content_type, blob.content_type} == {"application/octet-stream"}
    assert {one.headers["Cache-Control"] for one in (record, blob, record_receipt)} == {"no-store"}


def test_wrap_and_seal_come_back_as_they_were_sent(person: FakePerson) -> None:
    made = FakeBundle(person).keep_things()
    body = made.body()
    assert said(made.put(body)) == {"bundle": made.bundle, "created": spell_time(NOON)}
    assert said(made.try_code())["wrap"] == body["link"]["wrap"]
    assert said(made.open())["seal"] == body["seal"]
    assert made.row()["note"] == body["note"]


def test_a_professional_finds_it_in_the_inbox_and_opens_it_from_their_own_session(
    vault: FakeVault, person: FakePerson
) -> None:
    lawyer = open_professional(vault)
    made = FakeBundle(person, lawyer.become_listed()).keep_things()
    body = made.body()
    assert made.put(body).status_code == 201
    (waiting,) = said(lawyer.person.ask("GET", "/v1/inbox"))["bundles"]
    assert waiting == {
        "bundle": made.bundle, "entry": 0, "created": spell_time(NOON), "expires": body["expires"], "openings": 3,
        "opened": 0, "wrap": body["professional"]["wrap"],
    }
    assert code(made.open()) == "unauthorized"
    assert code(made.open(token=open_person(vault).token)) == "not_found"
    assert code(made.open(token=lawyer.person.give_password())) == "stage_insufficient"
    assert made.fetch(made.token(token=lawyer.person.token)).data == made.content
    assert code(made.try_code()) == "not_found"  # it is no link
    (waiting,) = said(lawyer.person.ask("GET", "/v1/inbox"))["bundles"]
    assert waiting["opened"] == 1


def test_ranges_are_as_for_the_owner(link: FakeBundle) -> None:
    token = link.token()
    part = link.fetch(token, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, link.content[10:20])
    assert part.headers["Content-Range"] == "bytes 10-19/5000"
    beyond = link.fetch(token, headers={"Range": "bytes=5000-"})
    assert (code(beyond), beyond.headers["Content-Range"]) == ("range_invalid", "bytes */5000")


def test_a_token_opens_its_own_bundle_and_in_it_only_what_is_named(vault: FakeVault, person: FakePerson) -> None:
    one, other = FakeBundle(person).send(), FakeBundle(person).send()
    alone = FakeBundle(person).keep_things()  # kept, and never shared
    token = one.token()
    for place in other.things:
        assert code(vault.ask("GET", place, token=token)) == "opening_over"
    for name in (f"blobs/{other.blob}", f"blobs/{alone.blob}", f"items/{alone.item}/revisions/1"):
        for end in ("", "/receipt"):
            assert code(vault.ask("GET", f"/v1/bundles/{one.bundle}/{name}{end}", token=token)) == "not_found"
    later = put_revision(one.item, 2, blobs=[one.blob])
    assert person.ask("POST", "/v1/items", later).status_code == 201
    assert code(vault.ask("GET", f"/v1/bundles/{one.bundle}/items/{one.item}/revisions/2", token=token)) == "not_found"
    for path in ("/v1/items", "/v1/account", "/v1/bundles", f"/v1/blobs/{one.blob}", "/v1/inbox"):
        assert code(vault.ask("GET", path, token=token)) == "unauthorized"


# openings


def test_openings_are_counted_noted_and_never_one_too_many(vault: FakeVault, link: FakeBundle) -> None:
    for number in range(3):
        assert link.open().status_code == 200
        vault.clock.advance(60)
    assert link.row()["opened"] == [spell_time(NOON + 60 * number) for number in range(3)]
    assert code(link.open()) == "openings_used"
    assert len(link.row()["opened"]) == 3


def test_the_same_opening_again_is_the_same_one_for_an_hour(vault: FakeVault, link: FakeBundle) -> None:
    opening = b64(make_id())
    first = said(link.open(opening=opening))
    vault.clock.advance(limits.OPENING - 1)
    again = said(link.open(opening=opening))
    assert again["expires"] == first["expires"]
    assert len(link.row()["opened"]) == 1
    assert code(link.fetch(first["token"])) == "opening_over"  # a lost token is worth nothing any more
    assert link.fetch(again["token"]).status_code == 200
    vault.clock.advance(1)
    assert code(link.fetch(again["token"])) == "opening_over"
    assert code(link.open(opening=opening)) == "id_taken"
    assert len(link.row()["opened"]) == 1


def test_a_wrong_cap_opens_and_counts_nothing(link: FakeBundle) -> None:
    assert code(link.open(cap=make_bytes(32))) == "cap_refused"
    assert link.row()["opened"] == []


# ends


def assert_over(made: FakeBundle, token: str) -> None:
    """Nothing of it opens any more, nor is anything kept that could."""
    vault = made.person.vault
    for place in made.things:
        assert code(vault.ask("GET", place, token=token)) == "bundle_over"
    assert code(made.fetch(token, headers={"Range": "bytes=0-9"})) == "bundle_over"
    assert code(made.open()) == "bundle_over"
    if made.entry is None:
        assert code(made.try_code()) == "bundle_over"
    name = parse_b64url(made.bundle)
    with vault.parts.database.read() as session:
        row = session.get_one(Bundle, name)
        assert (row.cap_hash, row.wrap, row.seal, row.size) == (None, None, None, len(row.note))
        for table in (BundleRecord, BundleBlob, LinkCode):
            assert session.scalars(select(table).where(table.bundle == name)).all() == []
        assert set(session.scalars(select(Opening.token).where(Opening.bundle == name))) <= {None}


def test_revoking_ends_everything_at_once_and_for_good(person: FakePerson, link: FakeBundle) -> None:
    token = link.token()
    before = used(person)
    link.person.vault.clock.advance(100)
    assert link.revoke().status_code == 200
    row = link.row()
    assert (row["ended"], row["why"], len(row["opened"])) == (spell_time(NOON + 100), "revoked", 1)
    assert_over(link, token)
    assert used(person) == before - 2048
    link.person.vault.clock.advance(100)
    assert link.revoke().status_code == 200
    assert link.row() == row


def test_a_running_download_breaks_off_when_it_is_revoked(person: FakePerson, monkeypatch: pytest.MonkeyPatch) -> None:
    made = FakeBundle(person)
    size = limits.FIRST_UNIT + 3 * limits.UNIT
    made.content = make_bytes(size)
    assert person.ask("POST", "/v1/uploads", {"blob": made.blob, "size": size}).status_code == 201
    path = f"/v1/uploads/{made.blob}"
    assert person.ask("PUT", f"{path}/units/0", data=made.content).status_code == 200
    assert person.ask("POST", f"{path}/complete", {"sha256": b64(sha256(made.content).digest())}).status_code == 201
    made.keep_item().share_it()
    token = made.token()
    assert made.fetch(token).data == made.content
    client = person.vault.app.test_client()
    answer = client.get(
        f"/v1/bundles/{made.bundle}/blobs/{made.blob}", headers={"Authorization": f"Bearer {token}"}, buffered=False
    )
    pieces = answer.iter_encoded()
    first = next(pieces)
    assert made.revoke().status_code == 200
    rest = b"".join(pieces)
    assert made.content.startswith(first) and rest == b""
    assert int(answer.headers["Content-Length"]) == size  # so whoever reads knows that it broke off


def test_time_ends_it_to_the_second_tokens_and_ranges_too(vault: FakeVault, person: FakePerson) -> None:
    made = FakeBundle(person).send(life=600)
    token = made.token()
    vault.clock.advance(599)
    assert made.fetch(token).status_code == made.try_code().status_code == 200
    vault.clock.advance(1)
    for place in made.things:
        assert code(vault.ask("GET", place, token=token)) == "bundle_over"
    assert code(made.fetch(token, headers={"Range": "bytes=0-9"})) == "bundle_over"
    assert code(made.try_code()) == code(made.open()) == "bundle_over"
    row = made.row()
    assert (row["ended"], row["why"]) == (spell_time(NOON + 600), "expired")
    vault.clock.advance(1000)
    collect(vault.parts)
    assert made.row() == row
    assert_over(made, token)


def test_a_token_never_outlives_its_bundle(vault: FakeVault, person: FakePerson) -> None:
    made = FakeBundle(person).send(life=600)
    assert said(made.open())["expires"] == spell_time(NOON + 600)


def test_an_extended_bundle_carries_its_openings_over(vault: FakeVault, person: FakePerson) -> None:
    old = FakeBundle(person).send()
    token = old.token()
    old.token()
    new = FakeBundle(person, item=old.item, blob=old.blob, content=old.content, record=old.record)
    refused = new.put(new.body(openings=2, replaces=old.bundle))
    assert said(refused)["fields"].keys() == {"openings"}
    assert old.row()["ended"] is None
    vault.clock.advance(10)
    assert new.put(new.body(replaces=old.bundle)).status_code == 201
    row = old.row()
    assert (row["why"], row["replaced_by"], row["opened"]) == ("replaced", new.bundle, [])
    assert_over(old, token)
    assert new.row()["opened"] == [spell_time(NOON)] * 2
    assert new.fetch(new.token()).data == old.content
    assert code(new.open()) == "openings_used"
    third = FakeBundle(person).keep_things()
    assert code(third.put(third.body(replaces=old.bundle))) == "not_found"  # it was replaced already
    assert code(third.put(third.body(replaces=b64(make_id())))) == "not_found"


def test_what_has_expired_can_be_extended_and_what_was_revoked_can_not(vault: FakeVault, person: FakePerson) -> None:
    expired, revoked = FakeBundle(person).send(life=60), FakeBundle(person).send()
    expired.token()
    revoked.revoke()
    vault.clock.advance(60)
    collect(vault.parts)
    new = FakeBundle(person).keep_things()
    assert code(new.put(new.body(replaces=revoked.bundle))) == "not_found"
    assert new.put(new.body(replaces=expired.bundle)).status_code == 201
    assert (expired.row()["why"], expired.row()["replaced_by"]) == ("expired", new.bundle)
    assert new.row()["opened"] == [spell_time(NOON)]


def test_what_is_erased_is_shared_no_more_and_the_rest_stays(vault: FakeVault, person: FakePerson) -> None:
    made, other = FakeBundle(person).keep_things(), FakeBundle(person).keep_things()
    both = [{"item": one.item, "revision": 1} for one in (made, other)]
    made.share_it(records=both, blobs=[made.blob, other.blob])
    token = made.token()

    def erase(one: FakeBundle) -> None:
        tombstone = put_revision(one.item, 2, erases=[one.blob])
        assert vault.ask("POST", "/v1/items", tombstone, token=person.confirm()).status_code == 201

    erase(made)
    for place in made.things:
        assert code(vault.ask("GET", place, token=token)) == "not_found"
    rest = f"/v1/bundles/{made.bundle}/blobs/{other.blob}"
    assert vault.ask("GET", rest, token=token).data == other.content
    assert made.row()["ended"] is None
    erase(other)
    assert made.row()["why"] == "erased"
    assert_over(made, token)
    assert check_vault(vault.parts).problems == []


def test_a_deletion_that_can_be_undone_ends_nothing(vault: FakeVault, person: FakePerson, link: FakeBundle) -> None:
    token = link.token()
    tombstone = put_revision(link.item, 2, erases=[link.blob])
    assert person.ask("POST", "/v1/items", tombstone).status_code == 201  # in stage `open`
    assert link.fetch(token).status_code == 200


def test_whoever_is_listed_no_more_opens_nothing(vault: FakeVault, person: FakePerson) -> None:
    lawyer = open_professional(vault)
    made = FakeBundle(person, lawyer.become_listed()).send()
    token = made.token(token=lawyer.person.token)
    revoke(vault.parts, lawyer.number)
    assert code(lawyer.person.ask("GET", "/v1/inbox")) == "professional_needed"
    assert made.row()["why"] == "unlisted"
    assert_over(made, token)
    unlisted = FakeBundle(person, 0).keep_things()
    assert code(unlisted.put(unlisted.body())) == "professional_unknown"


def test_a_professional_who_is_listed_anew_keeps_what_came_before(vault: FakeVault, person: FakePerson) -> None:
    lawyer = open_professional(vault)
    made = FakeBundle(person, lawyer.become_listed()).send()
    assert lawyer.become_listed() == 1
    (waiting,) = said(lawyer.person.ask("GET", "/v1/inbox"))["bundles"]
    assert waiting["entry"] == 0  # boxed for the key that it had then
    assert made.fetch(made.token(token=lawyer.person.token)).status_code == 200
    late = FakeBundle(person, 0).keep_things()
    assert code(late.put(late.body())) == "professional_unknown"


# codes


def test_five_wrong_codes_destroy_the_share_and_the_person_is_told(link: FakeBundle) -> None:
    token = link.token()
    for left in (4, 3, 2, 1, 0):
        answer = link.try_code(x=make_bytes(32))
        assert (code(answer), said(answer)["left"]) == ("code_wrong", left)
        row = link.row()
        assert (row["wrong_codes"], row["why"]) == (5 - left, None if left else "codes")
    assert_over(link, token)


def test_a_right_code_clears_the_count_also_as_the_last(link: FakeBundle) -> None:
    for tries in (2, 4, 4):
        for _ in range(tries):
            assert code(link.try_code(x=make_bytes(32))) == "code_wrong"
        assert said(link.try_code())["share"] == b64(link.share)
        assert link.row()["wrong_codes"] == 0
    assert link.open().status_code == 200


@pytest.mark.parametrize("step", ["guess.counted", "guess.compared"])
def test_a_last_try_that_is_cut_off_leaves_nothing_to_try_at(vault: FakeVault, link: FakeBundle, step: str) -> None:
    for _ in range(4):
        link.try_code(x=make_bytes(32))
    with vault.steps.stopping_at(step):
        assert code(link.try_code(x=make_bytes(32))) == "internal"
    assert code(link.try_code()) == "bundle_over"
    with vault.parts.database.read() as session:
        row = session.get_one(LinkCode, parse_b64url(link.bundle))
        assert (row.verifier, row.share) == (None, None)
    assert link.row()["wrong_codes"] == 5
    collect(vault.parts)
    assert link.row()["why"] == "codes"
    assert_over(link, "")


def test_what_is_revoked_while_the_last_code_is_compared_stays_revoked(vault: FakeVault, link: FakeBundle) -> None:
    for _ in range(4):
        link.try_code(x=make_bytes(32))
    vault.steps.at["guess.compared"] = lambda: assert_revoked(link)
    assert code(link.try_code()) == "bundle_over"
    assert link.row()["why"] == "revoked"
    assert_over(link, "")


def assert_revoked(link: FakeBundle) -> None:
    link.person.vault.steps.at.clear()
    token = link.person.token
    assert link.person.vault.ask("DELETE", f"/v1/bundles/{link.bundle}", token=token).status_code == 200


def test_share_and_verifier_are_worth_nothing_without_the_pepper(vault: FakeVault, link: FakeBundle) -> None:
    with vault.parts.database.read() as session:
        row = session.get_one(LinkCode, parse_b64url(link.bundle))
    assert row.share and link.share not in row.share and len(row.share) == 24 + 32 + 16
    assert row.verifier == vault.parts.pepper.code_verifier(parse_b64url(link.bundle), link.x) != link.x
    other = FakeBundle(link.person).send()
    with vault.parts.database.write() as session:
        session.get_one(LinkCode, parse_b64url(other.bundle)).share = row.share
    assert code(other.try_code()) == "account_damaged"


@pytest.mark.vault(login_rate="1 per day")
def test_what_is_wrong_with_one_link_keeps_nobody_on_the_network_from_another(
    vault: FakeVault, person: FakePerson
) -> None:
    wrong, right = FakeBundle(person).send(), FakeBundle(person).send()
    for _ in range(6):
        assert code(wrong.open(cap=make_bytes(32))) == "cap_refused"
    assert [code(wrong.try_code(x=make_bytes(32))) for _ in range(6)] == ["code_wrong"] * 5 + ["bundle_over"]
    assert right.try_code().status_code == right.open().status_code == 200


# keeping


def test_the_same_body_again_gets_the_first_answer_and_another_is_refused(
    vault: FakeVault, person: FakePerson
) -> None:
    made = FakeBundle(person).keep_things()
    body = made.body()
    first = said(made.put(body))
    space = used(person)
    vault.clock.advance(70)
    assert said(made.put(body)) == first
    made.revoke()
    assert said(made.put(body)) == first and made.row()["why"] == "revoked"  # which brings nothing back
    assert used(person) == space - 2048
    assert code(made.put({**body, "openings": 4})) == "id_taken"
    other = FakeBundle(open_person(vault), bundle=made.bundle).keep_things()
    assert code(other.put(other.body())) == "id_taken"


def test_only_what_is_ones_own_and_kept_can_be_shared(vault: FakeVault, person: FakePerson) -> None:
    theirs, mine = FakeBundle(open_person(vault)).keep_things(), FakeBundle(person).keep_things()
    refused = mine.put(mine.body(blobs=[mine.blob, theirs.blob]))
    assert (code(refused), said(refused)["blobs"]) == ("blob_missing", [theirs.blob])
    for item, revision in ((theirs.item, 1), (mine.item, 2), (b64(make_id()), 1)):
        records = [{"item": mine.item, "revision": 1}, {"item": item, "revision": revision}]
        assert code(mine.put(mine.body(records=records))) == "not_found"
    other = FakeBundle(open_person(vault)).keep_things()
    theirs.share_it()
    assert code(other.put(other.body(replaces=theirs.bundle))) == "not_found"
    assert said(person.ask("GET", "/v1/bundles")) == {"bundles": []}


@pytest.mark.parametrize("life", [0, -1, limits.SHARED_FOR + 1])
def test_an_end_is_ahead_and_not_further_than_a_year(person: FakePerson, life: int) -> None:
    made = FakeBundle(person).keep_things()
    refused = made.put(made.body(life=life))
    assert (code(refused), said(refused)["fields"].keys()) == ("invalid", {"expires"})
    made.share_it(life=limits.SHARED_FOR)


def test_what_is_named_twice_counts_once(person: FakePerson) -> None:
    made = FakeBundle(person).keep_things()
    made.share_it(records=[{"item": made.item, "revision": 1}] * 2, blobs=[made.blob] * 2)
    assert made.fetch(made.token()).status_code == 200


@pytest.mark.vault(quota=12_000)
def test_shared_bytes_count_as_space_until_they_go(vault: FakeVault, person: FakePerson) -> None:
    made = FakeBundle(person).send()
    assert used(person) == 5000 + 1096 + 2048 + 1096
    other = FakeBundle(person, item=made.item, blob=made.blob)
    assert code(other.put(other.body())) == "quota_full"
    assert check_vault(vault.parts).problems == []
    made.revoke()
    assert check_vault(vault.parts).problems == []
    other.share_it()


def test_nothing_that_is_read_changes_anything(vault: FakeVault, person: FakePerson, link: FakeBundle) -> None:
    """Messengers follow links before people do."""
    token = link.token()
    before = link.row()
    for _ in range(3):
        for place in (*link.things, "/v1/bundles"):
            for method in ("GET", "HEAD"):
                vault.ask(method, place, token=token)
        assert vault.ask("GET", f"/v1/links/{link.bundle}").status_code == 405
        assert vault.ask("GET", f"/v1/bundles/{link.bundle}/open").status_code == 405
    assert link.row() == before


def test_an_account_that_is_gone_takes_its_bundles_along_and_a_reader_that_is_gone_leaves_them_closed(
    vault: FakeVault, person: FakePerson, link: FakeBundle
) -> None:
    lawyer = open_professional(vault)
    made = FakeBundle(person, lawyer.become_listed()).send()
    token = made.token(token=lawyer.person.token)
    with vault.parts.database.write() as session:
        session.execute(delete(Professional).where(Professional.account == lawyer.person.account))
        session.execute(delete(Account).where(Account.account == lawyer.person.account))
    assert code(made.open()) == "unauthorized"
    assert code(made.open(token=person.token)) == "not_found"
    assert code(made.try_code()) == "not_found"
    assert made.fetch(token).status_code == 200  # for the rest of its hour
    with vault.parts.database.write() as session:
        session.execute(delete(Account).where(Account.account == person.account))
        for table in (Bundle, BundleRecord, BundleBlob, Opening, LinkCode):
            assert session.scalars(select(table)).all() == []
    assert code(link.try_code()) == "not_found"
