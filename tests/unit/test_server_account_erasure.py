"""An account that is erased: what goes at once, what goes after it, what stays, and what a crash in between leaves."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json, parse_b64url
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from schemas.directory import Listing
from schemas.endpoints import Stage
from schemas.items import PutItems
from schemas.shares import PutBundle
from server.accounts import erasure
from server.accounts.login import confirm
from server.accounts.models import Account
from server.accounts.service import Caller, read_account, replace_account_record
from server.boxes.models import Box
from server.cli import collect
from server.database import Base
from server.directory.service import ask_to_be_listed, list_professionals, revoke
from server.guesses.pins import release_sensitive
from server.items.service import put_revisions
from server.journal.service import begin
from server.ledger.check import check_vault
from server.ledger.models import Deposit, LedgerEntry
from server.parts import Parts
from server.problems import Refusal
from server.shares.service import put_bundle
from server.uploads.kept import keep_blob
from server.uploads.service import complete, put_units, start_upload
from tests.fakes.boxes import FakeBox
from tests.fakes.folder import files_in
from tests.fakes.sharing import FakeBundle, FakeProfessional, open_professional, put_revision
from tests.fakes.vault import FakePerson, FakeVault, b64, code, fake_vault, open_person, said

LARGE = limits.FIRST_UNIT + 2 * limits.UNIT + 1000


@pytest.fixture
def vault(vault: FakeVault) -> FakeVault:
    """Its journal has begun, as `init` begins it."""
    begin(vault.parts)
    return vault


def upload(person: FakePerson, data: bytes, *, whole: bool = True) -> str:
    """A large blob, kept, or on its way with all its units there."""
    blob = b64(make_id())
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": len(data)}).status_code == 201
    assert person.ask("PUT", f"/v1/uploads/{blob}/units/0", data=data).status_code == 200
    if whole:
        done = {"sha256": b64(sha256(data).digest())}
        assert person.ask("POST", f"/v1/uploads/{blob}/complete", done).status_code == 201
    return blob


def fill(person: FakePerson) -> FakeBundle:
    """One of everything that can be kept for somebody; the bundle is open at a reader's."""
    small = b64(make_id())
    assert person.ask("PUT", f"/v1/blobs/{small}", data=make_bytes(500)).status_code == 201
    large = upload(person, make_bytes(LARGE))
    upload(person, make_bytes(LARGE), whole=False)
    item = keep_item(person, blobs=[small, large])
    box = FakeBox(person).make(bytes=4 * LARGE)
    box.deposit(make_bytes(3000))
    on_its_way = {"blob": b64(make_id()), "size": LARGE}
    assert box.visit("POST", "uploads", on_its_way).status_code == 201
    assert box.visit("PUT", f"blobs/{b64(make_id())}", data=make_bytes(500)).status_code == 201
    return FakeBundle(person, item=item, blob=large).share_it()


def keep_item(person: FakePerson, item: str = "", revision: int = 1, **more: Any) -> str:
    item = item or b64(make_id())
    assert person.ask("POST", "/v1/items", put_revision(item, revision, **more)).status_code == 201
    return item


def counts(parts: Parts) -> dict[str, int]:
    """How many rows each table has, but for those that only ever grow, and those of limits."""
    grows = {"ledger_entries", "ledger_nodes", "checkpoints", "limiter_counts", "journal_count"}
    with parts.database.read() as session:
        found = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in grows
        }
    return {name: count for name, count in found.items() if count}


def files(parts: Parts) -> list[Path]:
    return [one for one in (parts.config.data / "blobs").rglob("*") if one.is_file()]


def erase(person: FakePerson) -> TestResponse:
    return person.vault.ask("DELETE", "/v1/account", token=person.confirm())


def test_nothing_is_left_of_an_account_but_blinded_entries(vault: FakeVault) -> None:
    before, person = counts(vault.parts), open_person(vault)
    bundle = fill(person)
    reader = bundle.token()
    with vault.parts.database.read() as session:
        entries = session.scalar(select(func.count()).select_from(LedgerEntry))
    assert files(vault.parts)
    assert said(erase(person)) == {}
    assert counts(vault.parts) == before
    assert files(vault.parts) == []
    with vault.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == entries
        assert not session.scalar(select(func.count()).select_from(Deposit))
    assert check_vault(vault.parts).problems == []
    assert code(bundle.fetch(reader)) == "opening_over"


def test_no_byte_of_it_is_left_in_any_file(vault: FakeVault, person: FakePerson) -> None:
    """Neither in free pages of the database nor in its write-ahead log; nor what else is written there meanwhile."""
    record, small, large = make_bytes(1096), make_bytes(500), make_bytes(LARGE)
    blob = b64(make_id())
    assert person.ask("PUT", f"/v1/blobs/{blob}", data=small).status_code == 201
    keep_item(person, blobs=[blob, upload(person, large)], record=b64(record))
    with vault.parts.database.read() as session:
        row = session.get_one(Account, person.account)
        mine = {"account": row.account, "share": row.share_n, "wrap": row.w_n, "sheet": row.account_record}
    mine |= {"record": record, "small": small, "first": large[:200], "last": large[-200:]}

    def found() -> set[str]:
        held = b"".join(files_in(vault.parts.config.data).values())
        return {name for name, data in mine.items() if data in held}

    assert found() == set(mine)
    assert said(erase(person)) == {}
    assert found() == set()


def test_nobody_gets_in_any_more_and_the_pair_may_be_used_again(vault: FakeVault) -> None:
    person = open_person(vault)
    other = person.token
    person.log_in()
    assert said(erase(person)) == {}
    for token in (other, person.token):
        assert code(vault.ask("GET", "/v1/items", token=token)) == "unauthorized"
    assert code(person.finish_login()) == "login_refused"
    person.register().log_in()
    assert said(person.ask("GET", "/v1/items"))["revisions"] == []


def test_an_open_session_alone_erases_nothing(vault: FakeVault, person: FakePerson) -> None:
    assert code(person.ask("DELETE", "/v1/account")) == "stage_insufficient"
    assert code(vault.ask("DELETE", "/v1/account", token=person.give_password())) == "stage_insufficient"
    assert person.ask("GET", "/v1/account").status_code == 200


def test_what_somebody_else_keeps_stays(vault: FakeVault) -> None:
    other = open_person(vault)
    fill(other)
    before, on_disk = counts(vault.parts), sorted(files(vault.parts))
    used = said(other.ask("GET", "/v1/account"))["used"]
    person = open_person(vault)
    fill(person)
    assert said(erase(person)) == {}
    assert counts(vault.parts) | {"challenges": 0} == before | {"challenges": 0}
    assert sorted(files(vault.parts)) == on_disk
    assert said(other.ask("GET", "/v1/account"))["used"] == used


def test_more_than_one_work_takes_goes_in_several(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    person = open_person(vault)
    before = counts(vault.parts)
    item = keep_item(person)
    for revision in range(2, 6):
        keep_item(person, item, revision)
    for _ in range(4):
        keep_item(person)
        assert person.ask("PUT", f"/v1/blobs/{b64(make_id())}", data=make_bytes(100)).status_code == 201
    monkeypatch.setattr(erasure, "AT_ONCE", 3)
    works: list[None] = []
    vault.steps.at["account.erased"] = lambda: works.append(None)
    assert said(erase(person)) == {}
    assert len(works) == 3 + 2  # nine revisions, four blobs
    assert set(counts(vault.parts)) <= set(before)


@pytest.mark.parametrize("step", ["account.closed", "account.erased"])
def test_a_process_that_dies_leaves_all_or_what_the_next_collection_ends(
    tmp_path: Path, step: str
) -> None:
    with fake_vault(tmp_path) as vault:
        begin(vault.parts)
        before, person = counts(vault.parts), open_person(vault)
        fill(person)
        with vault.steps.stopping_at(step):
            assert erase(person).status_code == 500
        if step == "account.closed":
            assert person.ask("GET", "/v1/account").status_code == 200
            assert said(erase(person)) == {}
        else:
            assert code(person.ask("GET", "/v1/account")) == "unauthorized"
            assert code(person.send_sign_up(format_json(person.sign_up_body(person.challenge())))) == "id_taken"
            assert check_vault(vault.parts).problems == []
            collect(vault.parts)
        assert counts(vault.parts) | {"challenges": 0} == before | {"challenges": 0}
        assert files(vault.parts) == []
        assert check_vault(vault.parts).problems == []


def test_whoever_was_let_in_just_before_keeps_nothing_just_after(vault: FakeVault, person: FakePerson) -> None:
    sent = upload(person, data := make_bytes(LARGE), whole=False)
    FakeBox(person).make()
    with vault.parts.database.read() as session:
        holder = session.scalars(select(Box.holder)).one()
    bundle = PutBundle().load(FakeBundle(person).keep_things().body())
    asked = FakeProfessional(person)
    body = format_json(asked.listing())
    listing, signature = Listing().load(asked.listing()), b64(asked.sign(body))
    parts, account, other = vault.parts, person.account, make_id()
    caller = Caller(account, Stage.CONFIRMED, make_bytes(32), make_bytes(32))
    tag = {"challenge": make_bytes(32), "sig": make_bytes(64), "x": make_bytes(32)}
    assert said(erase(person)) == {}
    digest = sha256(data).digest()
    revision = PutItems().load(put_revision(b64(other), 1))["revisions"]
    late: dict[str, Callable[[], object]] = {
        "quota_full blob": lambda: keep_blob(parts, account, other, make_bytes(500)),
        "quota_full box": lambda: keep_blob(parts, holder, other, make_bytes(500)),
        "quota_full upload": lambda: start_upload(parts, account, other, LARGE),
        "quota_full item": lambda: put_revisions(parts, account, revision, is_confirmed=True),
        "not_found complete": lambda: complete(parts, account, parse_b64url(sent), digest),
        "not_found units": lambda: put_units(parts, account, parse_b64url(sent), 0, LARGE, iter([data])),
        "blob_missing share": lambda: put_bundle(parts, account, bundle, b"body"),
        "unauthorized list": lambda: ask_to_be_listed(parts, account, listing, body, signature),
        "unauthorized account": lambda: read_account(parts, account),
        "unauthorized record": lambda: replace_account_record(parts, account, 2, make_bytes(1096)),
        "unauthorized confirm": lambda: confirm(parts, caller, **tag),
        "unauthorized pin": lambda: release_sensitive(parts, caller, make_bytes(32)),
        "unauthorized erase": lambda: erasure.erase_account(parts, account),
    }
    for expected, ask in late.items():
        with vault.app.app_context(), pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.code == expected.split()[0], expected
    assert counts(parts).keys() <= {"vault", "directory_checkpoints"}
    assert files(parts) == []


def test_a_listed_professional_is_taken_off_the_list_first(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    lawyer.become_listed()
    assert code(erase(lawyer.person)) == "account_listed"
    assert lawyer.person.ask("GET", "/v1/account").status_code == 200
    revoke(vault.parts, lawyer.number)
    assert lawyer.ask_to_be_listed().status_code == 200  # waits once more: that goes, too
    assert said(erase(lawyer.person)) == {}
    with vault.parts.database.read() as session:
        assert list_professionals(session) == []


def test_a_bundle_for_somebody_who_left_keeps_its_row_and_opens_nothing(vault: FakeVault) -> None:
    lawyer, person = open_professional(vault), open_person(vault)
    shared = FakeBundle(person, entry=lawyer.become_listed()).send()
    revoke(vault.parts, lawyer.number)
    assert said(erase(lawyer.person)) == {}
    assert shared.row()["why"] == "unlisted"
