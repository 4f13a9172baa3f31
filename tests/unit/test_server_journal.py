"""The journal, and what it makes of an old copy: nothing that was changed, deleted or revoked comes back with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.restoration import open_restorations
from server.accounts.models import Account, Token
from server.cli import collect
from server.config import ServerConfig
from server.directory.service import revoke
from server.items.models import Item, Revision
from server.journal.file import Heard, Line
from server.journal.lines import GONE, KINDS
from server.journal.models import Count, Note
from server.journal.restore import CopyTooOld, restore
from server.journal.service import (
    DatabaseSetBack, JournalMissing, begin, counted, follow, note, reasons, require_newest,
)
from server.ledger.restorations import RESTORATIONS
from server.problems import Refusal
from tests.fakes.boxes import FakeBox
from tests.fakes.folder import files_in
from tests.fakes.set_back import copied, keep_mark, put_back, reopen, restored
from tests.fakes.sharing import FakeBundle, open_professional, put_revision
from tests.fakes.vault import FakePerson, FakeVault, b64, code, fake_vault, open_person, random_b64, said
from tests.unit.test_server_account_erasure import LARGE, upload
from tests.unit.test_server_change import change_body, renewed, send


@pytest.fixture
def vault(vault: FakeVault) -> Iterator[FakeVault]:
    """Its journal has begun, as `init` begins it."""
    begin(vault.parts)
    yield vault
    vault.parts.close()


def change(person: FakePerson) -> FakePerson:
    new = renewed(person)
    assert send(person, new, change_body(person, new)).status_code == 200
    return new


def erase_item(person: FakePerson, item: str, revision: int, *blobs: str) -> None:
    """By a tombstone that is carried out at once."""
    sent = put_revision(item, revision, erases=list(blobs))
    assert person.vault.ask("POST", "/v1/items", sent, token=person.confirm()).status_code == 201


def lines(vault: FakeVault) -> dict[tuple[str, bytes], dict[str, Any]]:
    with vault.parts.journal.read() as session:
        return {(one.kind, one.key): json.loads(one.value) for one in session.scalars(select(Line))}


def test_an_old_password_opens_nothing_and_the_new_one_does(vault: FakeVault, person: FakePerson) -> None:
    copy = copied(vault)
    new = change(person)
    done = restored(vault, copy)
    assert code(person.finish_login()) == "login_refused"
    assert said(new.try_pin("login", new.give_password()))["share_N"] == b64(new.share_n)
    assert done.size == done.was


def test_two_who_exchange_what_they_are_found_by_are_both_found(vault: FakeVault, person: FakePerson) -> None:
    """One has another's old name and password by now, and the copy has them the other way round."""
    other = open_person(vault)
    copy = copied(vault)
    away = change(person)
    taken = replace(renewed(other), k_id=person.k_id, login_seed=person.login_seed)
    assert send(other, taken, change_body(other, taken)).status_code == 200
    restored(vault, copy)
    assert said(away.log_in().ask("GET", "/v1/account"))["account"] == b64(person.account)
    assert said(taken.log_in().ask("GET", "/v1/account"))["account"] == b64(other.account)


def test_a_recovery_that_was_used_stays_used(vault: FakeVault, person: FakePerson) -> None:
    assert person.show_code().status_code == 200
    copy = copied(vault)
    vault.clock.advance(3 * 86_400)
    token, new = person.give_recovery(), person.recovered()
    assert person.send_recovered(new, person.recovery_body(new), token).status_code == 200
    restored(vault, copy)
    assert code(person.show_code()) == "recovery_refused"
    assert said(new.log_in().ask("GET", "/v1/recovery")) == {"pending": None}


def test_whoever_waited_to_get_back_in_waits_anew(vault: FakeVault, person: FakePerson) -> None:
    """Somebody may have put a stop to it since."""
    assert person.show_code().status_code == 200
    copy = copied(vault)
    assert vault.ask("DELETE", "/v1/recovery", token=person.confirm()).status_code == 200
    change(person)
    vault.clock.advance(4 * 86_400)
    restored(vault, copy)
    token = person.give_recovery()
    assert code(vault.ask("GET", "/v1/recovery/keys", token=token)) == "recovery_waiting"


@pytest.mark.parametrize("wait", [30 * 86_400, 0])
def test_a_waiting_time_that_was_chosen_holds_after_an_old_copy(
    vault: FakeVault, person: FakePerson, wait: int
) -> None:
    copy = copied(vault)
    chosen = said(vault.ask("PUT", "/v1/recovery/wait", {"wait": wait}, token=person.confirm()))
    restored(vault, copy)
    assert said(person.log_in().ask("GET", "/v1/recovery/wait")) == chosen


def test_an_account_that_was_erased_stays_so_with_all_that_it_had(vault: FakeVault, person: FakePerson) -> None:
    blob = upload(person, make_bytes(LARGE))
    assert person.ask("POST", "/v1/items", put_revision(b64(make_id()), 1, blobs=[blob])).status_code == 201
    FakeBox(person).make()
    copy = copied(vault)
    assert said(vault.ask("DELETE", "/v1/account", token=person.confirm())) == {}
    restored(vault, copy)
    assert code(person.finish_login()) == "login_refused"
    with vault.parts.database.read() as session:
        assert session.scalars(select(Account)).all() == []
        assert session.scalars(select(Revision)).all() == []
    assert [name for name in files_in(vault.parts.config.data) if name.startswith("blobs")] == []
    assert person.account not in b"".join(files_in(vault.parts.config.data).values())


def test_who_was_erased_is_not_named_in_the_journal(vault: FakeVault, person: FakePerson) -> None:
    item = b64(make_id())
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    erase_item(person, item, 2)
    FakeBundle(person).send().revoke()
    assert {kind for kind, _ in lines(vault)} == {"account", "item", "bundle"}
    assert person.account in b"".join(files_in(vault.parts.config.data).values())
    assert said(vault.ask("DELETE", "/v1/account", token=person.confirm())) == {}
    assert [kind for kind, _ in lines(vault)] == [GONE]
    assert person.account not in b"".join(files_in(vault.parts.config.data).values())


def test_somebody_who_came_after_the_copy_can_still_log_in(vault: FakeVault) -> None:
    copy = copied(vault)
    person = open_person(vault)
    item = b64(make_id())
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    done = restored(vault, copy)
    assert (done.size, done.was) == (0, 1)
    assert said(person.log_in().ask("GET", "/v1/account"))["used"] == 0
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201  # deposited again


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_an_erased_entry_stays_erased(vault: FakeVault, person: FakePerson, known: int) -> None:
    """However much of it the copy has: nothing, its first revision, both, or the tombstone, not carried out."""
    item, blob = b64(make_id()), upload(person, make_bytes(LARGE))
    secret = random_b64(1096)
    steps: list[Callable[[], Any]] = [
        lambda: person.ask("POST", "/v1/items", put_revision(item, 1, record=secret)),
        lambda: person.ask("POST", "/v1/items", put_revision(item, 2, blobs=[blob])),
        lambda: person.ask("POST", "/v1/items", put_revision(item, 3, erases=[blob])),
        lambda: vault.clock.advance(8 * 86_400),
    ]
    copy = copied(vault)
    for number, step in enumerate(steps, 1):
        step()
        if number == known:
            copy = copied(vault)
    collect(vault.parts)
    before = sync(person.log_in())
    restored(vault, copy)
    after = sync(person.log_in())
    assert after == before and [one["record"] is None for one in after] == [True, True, False]
    assert person.ask("GET", f"/v1/items/{item}/revisions/3/receipt").status_code == 200
    assert code(person.ask("GET", f"/v1/blobs/{blob}")) == "not_found"
    held = b"".join(files_in(vault.parts.config.data).values())
    assert parse_b64url(secret) not in held


def sync(person: FakePerson) -> list[dict[str, Any]]:
    """Every revision, by its number and without its time: a tombstone is deposited anew."""
    found: list[dict[str, Any]] = said(person.ask("GET", "/v1/items?after=&limit=100"))["revisions"]
    return sorted(({**one, "deposited": None} for one in found), key=lambda one: int(one["revision"]))


def test_whoever_dies_while_restoring_may_begin_anew(vault: FakeVault, person: FakePerson) -> None:
    """Until all of it is done the vault is not served."""
    copy = copied(vault)
    new, item = change(person), b64(make_id())
    assert new.log_in().ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    put_back(vault, copy)
    for step in ("journal.restored", "ledger.commit.before"):
        with vault.steps.stopping_at(step), pytest.raises(RuntimeError):
            restore(vault.parts)
        reopen(vault)
        with pytest.raises(DatabaseSetBack):
            require_newest(vault.parts)
        assert said(person.vault.ask("GET", "/v1/health")) == {"status": "ok"}
    generation = vault.parts.folder.facts.generation
    with vault.steps.stopping_at("ledger.commit.after"), pytest.raises(RuntimeError):
        restore(vault.parts)
    reopen(vault)
    require_newest(vault.parts)
    assert restore(vault.parts) is None
    assert vault.parts.folder.facts.generation != generation
    assert code(person.finish_login()) == "login_refused" and new.log_in().token
    keys = vault.parts.ledger.keys.look().policy.keys
    records = open_restorations((vault.parts.config.data / RESTORATIONS).read_bytes(), keys)
    assert {(one.size, one.was) for one in records} == {(0, 1)}
    assert records[-1].generation == vault.parts.folder.facts.generation and len(records) == 3


def test_a_ledger_that_was_set_back_says_so_and_goes_on(vault: FakeVault, person: FakePerson) -> None:
    assert person.ask("POST", "/v1/items", put_revision(b64(make_id()), 1)).status_code == 201
    copy = copied(vault)
    for _ in range(2):
        assert person.ask("POST", "/v1/items", put_revision(b64(make_id()), 1)).status_code == 201
    put_back(vault, copy)
    require_newest(vault.parts)  # of what the journal is for nothing was changed since
    refused = person.ask("POST", "/v1/items", put_revision(b64(make_id()), 1))
    assert code(refused) == "ledger_stopped"
    done = restored(vault, copy)
    assert (done.size, done.was) == (1, 3)
    assert person.log_in().ask("POST", "/v1/items", put_revision(b64(make_id()), 1)).status_code == 201
    shown = vault.ask("GET", "/ledger/restorations")
    assert shown.content_type == "text/plain; charset=utf-8"
    (record,) = open_restorations(shown.data, vault.parts.ledger.keys.look().policy.keys)
    assert (record.size, record.was, record.time) == (1, 3, vault.clock.now())
    assert said(vault.ask("GET", "/v1/vault"))["generation"] == b64(record.generation)


def test_the_newest_database_is_left_as_it_is(vault: FakeVault, person: FakePerson) -> None:
    change(person)
    keep_mark(vault)
    before = files_in(vault.parts.config.data)
    assert restore(vault.parts) is None
    assert {name for name, data in files_in(vault.parts.config.data).items() if data != before.get(name)} <= {
        "journal.db-shm", "vault.db-shm",
    }  # fmt: skip


def test_a_vault_without_its_journal_is_not_served(vault: FakeVault, person: FakePerson) -> None:
    copy = copied(vault)
    new = change(person)
    vault.parts.close()
    journal = vault.parts.config.journal_file
    journal.rename(journal.with_name("away"))
    reopen(vault)
    with pytest.raises(JournalMissing):
        require_newest(vault.parts)
    with pytest.raises(JournalMissing):
        restore(vault.parts)
    restored(vault, copy, without_journal=True)
    assert person.log_in().token  # whoever asks for it gets the old passwords
    assert code(new.finish_login()) == "login_refused"
    follow(vault.parts)
    assert reasons(vault.parts) == []


def test_another_vaults_journal_and_one_that_was_set_back_are_noticed(vault: FakeVault, person: FakePerson) -> None:
    vault.parts.close()
    journal = vault.parts.config.journal_file
    old = journal.read_bytes()
    change(person)
    vault.parts.close()
    journal.write_bytes(old)
    reopen(vault)
    with pytest.raises(JournalMissing) as behind:
        require_newest(vault.parts)
    assert behind.value.detail == "1 changes before 2"
    begin(vault.parts)
    assert reasons(vault.parts) == []
    with vault.parts.journal.write() as lines_there:
        lines_there.get_one(Heard, 0).vault_id = make_id()
    assert [one.code for one in reasons(vault.parts)] == ["journal_missing"]


def test_a_copy_from_before_the_journal_is_refused(vault: FakeVault, person: FakePerson) -> None:
    """What was changed between the two nobody knows."""
    copy = copied(vault)
    change(person)
    begin(vault.parts)  # as a vault does that is older than its journal
    require_too_old(vault, copy)


def require_too_old(vault: FakeVault, copy: Path) -> None:
    put_back(vault, copy)
    with pytest.raises(DatabaseSetBack):
        require_newest(vault.parts)
    with pytest.raises(CopyTooOld):
        restore(vault.parts)


def test_a_copy_from_before_this_version_is_refused(tmp_path: Path) -> None:
    """A vault that is older than the journal counted nothing: an account could have been erased in the meantime."""
    with fake_vault(tmp_path) as vault:
        person = open_person(vault)
        with vault.parts.database.write() as session:
            session.execute(delete(Note))
            session.execute(delete(Count))
        copy = copied(vault)
        require_newest(vault.parts)
        assert {key for _, key in lines(vault)} == {person.account} and reasons(vault.parts) == []
        require_too_old(vault, copy)


def test_a_vault_that_never_changed_anything_begins_its_journal(tmp_path: Path) -> None:
    with fake_vault(tmp_path) as vault:
        require_newest(vault.parts)
        assert reasons(vault.parts) == []


@pytest.mark.parametrize("step", ["journal.lines", "journal.kept"])
def test_whoever_dies_while_writing_it_down_leaves_a_note(vault: FakeVault, person: FakePerson, step: str) -> None:
    new = renewed(person)
    with vault.steps.stopping_at(step):
        assert send(person, new, change_body(person, new)).status_code == 200  # it was done
    with vault.parts.database.read() as session:
        assert [one.kind for one in session.scalars(select(Note))] == ["account"]
    vault.parts.close()
    reopen(vault)
    require_newest(vault.parts)
    ((_, value),) = lines(vault).items()
    assert value["account"]["epoch"] == 2
    with vault.parts.database.read() as session:
        assert session.scalars(select(Note)).all() == []


def test_a_journal_that_cannot_be_written_keeps_nobody_from_changing(
    vault: FakeVault, person: FakePerson, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(type(vault.parts.journal), "write", lambda _: (_ for _ in ()).throw(Refusal("storage_full")))
        new = change(person)
    assert "the journal is behind: storage_full" in caplog.text
    assert new.log_in().token
    collect(vault.parts)
    ((_, value),) = lines(vault).items()
    assert value["account"]["epoch"] == 2


def test_what_an_old_copy_has_yet_to_tell_is_not_believed(
    vault: FakeVault, person: FakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy was made in the moment in which a change was durable and the journal had not heard of it."""
    with monkeypatch.context() as full:
        full.setattr(type(vault.parts.journal), "write", lambda _: (_ for _ in ()).throw(Refusal("storage_full")))
        second = change(person)
    copy = copied(vault)
    third = renewed(second.log_in())
    body = change_body(second, third, expected_epoch=2, epoch=3, pin_epoch=3, n=3)
    assert send(second, third, body).status_code == 200
    before = lines(vault)
    put_back(vault, copy)
    with pytest.raises(DatabaseSetBack):
        require_newest(vault.parts)
    follow(vault.parts)
    assert lines(vault) == before
    restored(vault, copy)
    assert code(second.finish_login()) == "login_refused" and third.log_in().token


def test_the_database_that_was_given_up_is_an_old_one_from_then_on(vault: FakeVault, person: FakePerson) -> None:
    """Somebody finds it again, and puts it back."""
    copy = copied(vault).rename(vault.parts.config.data.parent / "night")
    change(person)
    given_up = copied(vault)
    restored(vault, copy)
    put_back(vault, given_up)
    with pytest.raises(DatabaseSetBack):
        require_newest(vault.parts)


def test_a_line_that_was_replaced_is_gone_from_its_file(vault: FakeVault, person: FakePerson) -> None:
    """The old pair's share could be tried by whoever finds it there."""
    with vault.parts.database.read() as session:
        old = session.get_one(Account, person.account).share_n
    name = vault.parts.config.journal_file.name

    def held() -> bytes:
        return b"".join(data for file, data in files_in(vault.parts.config.data).items() if file.startswith(name))

    assert b64(old).encode() in held()
    change(person)
    assert b64(old).encode() not in held()


def test_a_journal_that_begins_late_says_what_one_says_that_was_there(vault: FakeVault, person: FakePerson) -> None:
    item, bundle, box = b64(make_id()), FakeBundle(person).send(), FakeBox(person).make()
    made, lawyer = box.deposit(), open_professional(vault)
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    erase_item(person, item, 2)
    assert bundle.revoke().status_code == 200
    assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert box.close().status_code == 200
    lawyer.become_listed()
    follow(vault.parts)
    before = lines(vault)
    assert {kind for kind, _ in before} == set(KINDS)
    begin(vault.parts)
    assert lines(vault) == before


def test_whoever_looks_while_others_change_something_finds_nothing_wrong(
    vault: FakeVault, person: FakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is read, then the database, and in between both went on."""
    read, turns = vault.parts.journal.heard, iter(range(3))

    def heard() -> Heard | None:
        found = read()
        if next(turns, None) is not None:
            with vault.parts.database.write() as session:
                note(session, "account", person.account)
            with monkeypatch.context() as plain:
                plain.setattr(vault.parts.journal, "heard", read)
                follow(vault.parts)
        return found

    monkeypatch.setattr(vault.parts.journal, "heard", heard)
    assert reasons(vault.parts) == []
    assert next(turns, None) is None


def test_the_journal_lies_where_the_operator_wants_it(tmp_path: Path) -> None:
    environment = {"TEMOIN_JOURNAL_FILE": str(tmp_path / "elsewhere.db")}
    assert ServerConfig.from_environ(environment, tmp_path).journal_file == tmp_path / "elsewhere.db"
    assert ServerConfig.from_environ({}, tmp_path).journal_file == tmp_path / "journal.db"
    with fake_vault(tmp_path, journal_file=tmp_path / "elsewhere.db") as vault:
        begin(vault.parts)
        open_person(vault)
        assert {kind for kind, _ in lines(vault)} == {"account"}
        assert (tmp_path / "elsewhere.db").exists() and not (vault.parts.config.data / "journal.db").exists()


def test_side_by_side_nothing_is_missed(vault: FakeVault) -> None:
    """While one process writes lines, another changes the same things again."""
    people = [open_person(vault) for _ in range(3)]

    def again() -> None:
        del vault.steps.at["journal.lines"]
        for one in people:
            with vault.parts.database.write() as session:
                session.get_one(Account, one.account).n += 1
                note(session, "account", one.account)

    for one in people:
        with vault.parts.database.write() as session:
            session.get_one(Account, one.account).n += 1
            note(session, "account", one.account)
    vault.steps.at["journal.lines"] = again
    follow(vault.parts)
    assert reasons(vault.parts) == []
    follow(vault.parts)
    assert {value["account"]["n"] for value in lines(vault).values()} == {3}
    with vault.parts.database.read() as session:
        assert session.scalars(select(Note)).all() == [] and counted(session) == 9


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_a_deletion_that_waits_goes_on_waiting(vault: FakeVault, person: FakePerson, known: int) -> None:
    """Nobody confirmed it yet: it can still be taken back, and is carried out in its time."""
    item = b64(make_id())
    bodies = [put_revision(item, 1), put_revision(item, 2), put_revision(item, 3, erases=[])]
    copy = copied(vault)
    for number, body in enumerate(bodies, 1):
        assert person.ask("POST", "/v1/items", body).status_code == 201
        if number == known:
            copy = copied(vault)
    new = change(person)
    vault.clock.advance(86_400)
    restored(vault, copy)
    with vault.parts.database.read() as session:
        assert session.get_one(Item, parse_b64url(item)).erase_at == vault.clock.now() + 6 * 86_400
    sent = [body["revisions"][0] for body in bodies]
    assert [one["record"] for one in sync(new.log_in())] == [one["record"] for one in sent]
    assert all(one["receipt"] for one in map(receipt_of(new), sent))
    vault.clock.advance(7 * 86_400)
    collect(vault.parts)
    assert [one["record"] is not None for one in sync(new.log_in())] == [False, False, True]
    (line,) = [value for (kind, _), value in lines(vault).items() if kind == "item"]
    assert [one.get("record") is not None for one in line["revisions"]] == [False, False, True]
    held = b"".join(path.read_bytes() for path in vault.parts.config.data.glob("journal.db*"))
    assert not any(one["record"][:64].encode() in held for one in sent[:2])


def receipt_of(person: FakePerson) -> Callable[[dict[str, Any]], Any]:
    return lambda one: said(person.ask("GET", f"/v1/items/{one['item']}/revisions/{one['revision']}/receipt"))


def test_a_deletion_that_was_taken_back_stays_taken_back(vault: FakeVault, person: FakePerson) -> None:
    """The copy has only the tombstone, which would be carried out in its time."""
    item, box = b64(make_id()), FakeBox(person).make()
    made = box.deposit()
    for body in (put_revision(item, 1), put_revision(item, 2, erases=[])):
        assert person.ask("POST", "/v1/items", body).status_code == 201
    assert box.refuse(made.deposit).status_code == 200
    copy = copied(vault)
    assert person.ask("POST", "/v1/items", put_revision(item, 3)).status_code == 201
    assert box.accept(made).status_code == 201
    new = change(person)
    assert {kind for kind, _ in lines(vault)} == {"account"}
    restored(vault, copy)
    vault.clock.advance(8 * 86_400)
    collect(vault.parts)
    assert [one["record"] is not None for one in sync(new.log_in())] == [True, True]
    box.person = new
    assert [one["deposit"] for one in box.waiting()] == [made.deposit]


def test_a_refusal_that_waits_goes_on_waiting(vault: FakeVault, person: FakePerson) -> None:
    box = FakeBox(person).make()
    made = box.deposit()
    copy = copied(vault)
    assert box.refuse(made.deposit).status_code == 200
    at = box.waiting()[0]["erased_after"]
    restored(vault, copy)
    assert box.waiting()[0]["erased_after"] == at is not None


def test_an_entry_that_was_taken_up_again_is_as_the_copy_has_it(vault: FakeVault, person: FakePerson) -> None:
    item = b64(make_id())
    assert person.ask("POST", "/v1/items", put_revision(item, 1)).status_code == 201
    erase_item(person, item, 2)
    assert person.ask("POST", "/v1/items", put_revision(item, 3)).status_code == 201
    assert person.ask("POST", "/v1/items", put_revision(item, 4, erases=[])).status_code == 201
    copy = copied(vault)
    change(person)
    restored(vault, copy)
    with vault.parts.database.read() as session:
        row = session.get_one(Item, parse_b64url(item))
        assert row.revision == 4 and row.erase_at is not None
        kept = session.scalars(select(Revision.record).order_by(Revision.revision)).all()
        assert [record is None for record in kept] == [True, False, False, False]


def test_what_was_revoked_closed_or_refused_stays_so(vault: FakeVault, person: FakePerson) -> None:
    bundle, box = FakeBundle(person).send(), FakeBox(person).make()
    made, reader = box.deposit(make_bytes(3000)), bundle.token()
    copy = copied(vault)
    assert bundle.revoke().status_code == 200
    assert box.refuse(made.deposit, token=person.confirm()).status_code == 200
    assert box.close().status_code == 200
    ended = bundle.row()["ended"], box.row()["ended"]
    put_back(vault, copy)
    assert bundle.fetch(reader).status_code == 200 and box.enter().status_code == 200  # or the test would show nothing
    restored(vault, copy)
    assert code(bundle.open()) == "bundle_over" and code(bundle.fetch(reader)) == "bundle_over"
    assert code(box.enter()) == "box_over"
    assert box.waiting() == []
    assert (bundle.row()["ended"], box.row()["ended"]) == ended


def test_nobody_is_logged_in_any_more(vault: FakeVault, person: FakePerson) -> None:
    """Who was logged out everywhere since the copy would be in again."""
    copy = copied(vault)
    change(person)
    put_back(vault, copy)
    assert person.ask("GET", "/v1/account").status_code == 200  # or the test would show nothing
    assert restore(vault.parts) is not None
    reopen(vault)
    assert code(person.ask("GET", "/v1/account")) == "unauthorized"
    with vault.parts.database.read() as session:
        assert session.scalars(select(Token)).all() == []


def test_a_professional_who_was_revoked_stays_revoked(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    copy = copied(vault)
    lawyer.become_listed()
    other = open_professional(vault)
    other.become_listed()
    revoke(vault.parts, lawyer.number)
    follow(vault.parts)
    tree = vault.ask("GET", "/directory/checkpoint").data
    restored(vault, copy)
    assert vault.ask("GET", "/directory/checkpoint").data == tree
    assert said(lawyer.person.log_in().ask("GET", "/v1/professional"))["state"] == "revoked"
    assert said(other.person.log_in().ask("GET", "/v1/professional"))["state"] == "approved"
