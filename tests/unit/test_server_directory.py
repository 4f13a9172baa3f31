"""The directory: a tree of its own that everybody reads whole, and how somebody comes to stand in it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint
from crypto_core.receipts.directory import read_directory
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import open_note, parse_vkey
from crypto_core.receipts.tiles import WIDTH, entries_path, parse_entries, read_from_tiles, tile_width
from crypto_core.receipts.tree import root
from server.accounts.models import Account
from server.cli import main
from server.config import ServerConfig
from server.directory.models import DirectoryCheckpoint, DirectoryEntry, Professional
from server.directory.service import FingerprintDiffers, NothingAsked, ProfessionalUnknown, approve, revoke
from server.directory.tree import (
    DirectoryDiverged, DirectoryMarkerDamaged, DirectoryWentBackwards, Tree, append, begin_directory, check_directory,
    mark,
)  # fmt: skip
from server.journal.service import begin
from server.folder import open_folder
from server.parts import Parts, assemble, open_parts
from tests.fakes.sharing import FakeProfessional, open_professional, spell_time
from tests.fakes.vault import NOON, FakePerson, FakeVault, code, said


def shown(vault: FakeVault) -> Checkpoint:
    """The public checkpoint, its signature verified with the key that clients pin."""
    key = parse_vkey(said(vault.ask("GET", "/v1/vault"))["directory_vkey"])
    answer = vault.ask("GET", "/directory/checkpoint")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    return parse_checkpoint(open_note(answer.data, [key]).text)


def published(vault: FakeVault) -> list[bytes]:
    """Every entry, as a client reads it: from tiles whose root was signed."""
    signed, entries = shown(vault), list[bytes]()
    read = read_from_tiles(signed.size, lambda path: fetch(vault, path))
    assert root(signed.size, read) == signed.root
    for index in range(-(-signed.size // WIDTH)):
        width = tile_width(0, index, signed.size)
        entries += parse_entries(fetch(vault, entries_path(index, width)), width)
    assert all(hash_leaf(entry) == read(0, index) for index, entry in enumerate(entries))
    return entries


def fetch(vault: FakeVault, path: str) -> bytes:
    answer = vault.ask("GET", f"/directory/{path}")
    assert answer.status_code == 200, path
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    return bytes(answer.data)


def grow(vault: FakeVault, count: int) -> None:
    """So many entries, of many lengths."""
    with vault.parts.database.write() as session:
        for number in range(count):
            assert append(vault.parts, session, make_bytes(1 + number % 300)) == number
    mark(vault.parts)


def problems(vault: FakeVault) -> list[str]:
    with vault.parts.database.read() as session:
        return check_directory(vault.parts, session)


# the tree


def test_an_empty_directory_is_signed_from_the_start(vault: FakeVault) -> None:
    origin = vault.parts.folder.facts.origin
    assert shown(vault) == Checkpoint(f"{origin}/directory", 0, Tree([]).root(0))
    assert published(vault) == [] and problems(vault) == []
    begin_directory(vault.parts)
    assert shown(vault).size == 0


@pytest.mark.parametrize("count", [2, 256, 257, 700])
def test_whoever_reads_all_tiles_has_every_entry_and_the_signed_root(vault: FakeVault, count: int) -> None:
    grow(vault, count)
    entries = published(vault)
    assert [len(entry) for entry in entries] == [1 + number % 300 for number in range(count)]


@pytest.mark.parametrize(
    "path",
    ["0/000.p/3", "0/000", "1/000", "entries/000.p/3", "entries/001", "9/000", "0/00", "entries", "x", "0/000.p/0"],
)
def test_there_are_no_other_tiles(vault: FakeVault, path: str) -> None:
    grow(vault, 2)
    assert code(vault.ask("GET", f"/directory/tile/{path}")) == "not_found"


def test_the_full_tiles_of_a_larger_tree_keep_their_bytes(vault: FakeVault) -> None:
    grow(vault, 257)
    paths = ("tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/1")
    before = [fetch(vault, path) for path in paths]
    with vault.parts.database.write() as session:
        append(vault.parts, session, b"one more")
    assert [fetch(vault, path) for path in paths] == before


# what it never signs


def test_an_older_copy_of_the_database_is_not_gone_on_with(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    lawyer.become_listed()
    with vault.parts.database.write() as session:
        session.execute(update(Professional).values(entry=None))
        session.execute(delete(DirectoryEntry))
        session.execute(delete(DirectoryCheckpoint).where(DirectoryCheckpoint.size > 0))
    assert lawyer.ask_to_be_listed().status_code == 200
    with pytest.raises(DirectoryWentBackwards):
        approve(vault.parts, lawyer.number, lawyer.digits)
    assert shown(vault).size == 0 and problems(vault) == ["directory_went_backwards: 0 entries after 1"]
    with vault.parts.database.write() as session:
        session.execute(delete(DirectoryCheckpoint))
    with pytest.raises(DirectoryWentBackwards):  # nor is an empty one signed beside it
        begin_directory(vault.parts)


def test_another_history_is_not_gone_on_with(vault: FakeVault) -> None:
    grow(vault, 5)
    with vault.parts.database.write() as session:
        session.get_one(DirectoryEntry, 2).entry = b"another"
    with pytest.raises(DirectoryDiverged), vault.parts.database.write() as session:
        append(vault.parts, session, b"x")
    assert "directory_diverged: at 5 entries" in problems(vault)


def test_a_key_that_was_replaced_signs_nothing(vault: FakeVault, tmp_path: Path) -> None:
    grow(vault, 3)
    (tmp_path / "data" / "directory.key").write_text((tmp_path / "data" / "ledger.key").read_text())
    parts = reopen(vault)
    with pytest.raises(DirectoryMarkerDamaged), parts.database.write() as session:
        append(parts, session, b"x")
    (tmp_path / "data" / "directory.mark").unlink()
    with pytest.raises(DirectoryDiverged), parts.database.write() as session:
        append(parts, session, b"x")
    parts.close()


def reopen(vault: FakeVault) -> Parts:
    return assemble(vault.parts.config, open_folder(vault.parts.config), clock=vault.clock)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda session: session.execute(delete(DirectoryEntry).where(DirectoryEntry.index == 1)), "missing"),
        (lambda session: session.execute(update(DirectoryEntry).values(entry=b"x")), "not that of its entries"),
        (lambda session: session.execute(update(DirectoryCheckpoint).values(note="x")), "not that of its entries"),
        (
            lambda session: session.execute(delete(DirectoryCheckpoint).where(DirectoryCheckpoint.size == 1)),
            "a checkpoint of the directory is missing",
        ),
        (
            lambda session: session.execute(
                update(DirectoryCheckpoint).where(DirectoryCheckpoint.size == 2).values(time=1)
            ),
            "older than a smaller one",
        ),
    ],
)
def test_check_sees_whatever_was_done_to_it(vault: FakeVault, harm: Any, said: str) -> None:
    for number in range(2):
        with vault.parts.database.write() as session:
            append(vault.parts, session, bytes([number]))
    mark(vault.parts)
    assert problems(vault) == []
    with vault.parts.database.write() as session:
        harm(session)
    assert any(said in problem for problem in problems(vault))


def test_an_entry_that_no_bundle_can_hold_is_refused(vault: FakeVault) -> None:
    with pytest.raises(ValueError, match="65,535"), vault.parts.database.write() as session:
        append(vault.parts, session, bytes(65_536))


# being listed


def standing(professional: FakeProfessional) -> Any:
    return said(professional.person.log_in().ask("GET", "/v1/professional"))


def test_from_a_request_to_an_entry_and_to_its_end(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    assert standing(lawyer) == {"state": "none", "entry": None, "listing": None, "asked": None}
    asked = said(lawyer.ask_to_be_listed())
    assert asked == {"state": "pending", "entry": None, "listing": None, "asked": lawyer.listing()} == standing(lawyer)
    assert published(vault) == []
    vault.clock.advance(3600)
    approve(vault.parts, lawyer.number[:8], lawyer.digits)
    assert standing(lawyer) == {"state": "approved", "entry": 0, "listing": lawyer.listing(), "asked": None}
    (current,) = read_directory(published(vault)).current.values()
    assert (current.since, current.replaces, current.listing.name) == (NOON + 3600, None, lawyer.name)
    moved = lawyer.ask_to_be_listed(town="Roubaix")
    assert said(moved) == {**standing(lawyer), "state": "approved", "asked": lawyer.listing(town="Roubaix")}
    assert len(published(vault)) == 1
    assert approve(vault.parts, lawyer.number, lawyer.digits)[0] == 1
    now = read_directory(published(vault))
    assert [(one.replaces, one.listing.town) for one in now.current.values()] == [(0, "Roubaix")]
    revoke(vault.parts, lawyer.number)
    assert standing(lawyer) == {"state": "revoked", "entry": None, "listing": None, "asked": None}
    assert read_directory(published(vault)).current == {}
    assert problems(vault) == []
    assert lawyer.become_listed() == 3
    (again,) = read_directory(published(vault)).current.values()
    assert again.replaces is None


@pytest.mark.parametrize("state", ["pending", "listed"])
def test_no_account_goes_and_leaves_an_entry_behind(vault: FakeVault, state: str) -> None:
    lawyer, nobody = open_professional(vault), FakePerson(vault).register()
    if state == "listed":
        lawyer.become_listed()
    else:
        assert lawyer.ask_to_be_listed().status_code == 200
    for person, can_go in ((lawyer.person, False), (nobody, True)):
        with nullcontext() if can_go else pytest.raises(IntegrityError), vault.parts.database.write() as session:
            session.execute(delete(Account).where(Account.account == person.account))
    assert said(lawyer.person.log_in().ask("GET", "/v1/professional"))["state"] == (
        "approved" if state == "listed" else "pending"
    )


def test_a_request_is_signed_by_the_key_that_it_names(vault: FakeVault) -> None:
    lawyer, other = open_professional(vault), open_professional(vault)
    assert code(lawyer.ask_to_be_listed(seed=make_bytes(32))) == "signature_refused"
    assert code(FakeProfessional(other.person, lawyer.seed).ask_to_be_listed(seed=other.seed)) == "signature_refused"
    assert standing(lawyer)["state"] == standing(other)["state"] == "none"


@pytest.mark.parametrize(
    "name", [" Iris", "Iris\u202e", "Ir\u200bis", "Iris\n", "", "x" * 201],
    ids=["space", "turn", "zero", "line", "none", "long"],
)
def test_a_name_that_looks_like_another_is_refused(vault: FakeVault, name: str) -> None:
    assert code(open_professional(vault).ask_to_be_listed(name=name)) == "invalid"


def test_digits_that_differ_list_nobody(vault: FakeVault) -> None:
    lawyer, other = open_professional(vault), open_professional(vault)
    for one in (lawyer, other):
        assert one.ask_to_be_listed().status_code == 200
    for digits in (other.digits, "", lawyer.digits[:-1], "0" * 40):
        with pytest.raises(FingerprintDiffers):
            approve(vault.parts, lawyer.number, digits)
    assert published(vault) == []
    approve(vault.parts, lawyer.number, lawyer.digits.replace(" ", ""))


def test_a_request_that_came_between_list_and_approve_is_not_approved_by_the_old_digits(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    lawyer.ask_to_be_listed()
    digits = lawyer.digits
    lawyer.seed = make_bytes(32)
    assert lawyer.ask_to_be_listed().status_code == 200
    with pytest.raises(FingerprintDiffers):
        approve(vault.parts, lawyer.number, digits)


def test_what_is_not_there_is_neither_approved_nor_revoked(vault: FakeVault) -> None:
    lawyer = open_professional(vault)
    for number in ("", "00", lawyer.number, "zz"):
        with pytest.raises(ProfessionalUnknown):
            approve(vault.parts, number, lawyer.digits)
    lawyer.become_listed()
    with pytest.raises(NothingAsked):
        approve(vault.parts, lawyer.number, lawyer.digits)
    revoke(vault.parts, lawyer.number)
    with pytest.raises(NothingAsked):
        revoke(vault.parts, lawyer.number)
    lawyer.ask_to_be_listed()
    revoke(vault.parts, lawyer.number)  # turned down
    assert standing(lawyer)["state"] == "revoked" and len(published(vault)) == 2


def test_a_number_that_two_begin_with_is_nobodys(vault: FakeVault) -> None:
    people = []
    for last in (1, 2):
        account = bytes([7] * 15 + [last])
        people.append(FakeProfessional(FakePerson(vault, account=account).register().log_in()))
        people[-1].ask_to_be_listed()
    with pytest.raises(ProfessionalUnknown):
        approve(vault.parts, people[0].number[:-1], people[0].digits)
    approve(vault.parts, people[0].number, people[0].digits)


# the commands


@pytest.fixture
def data(tmp_path: Path, vault: FakeVault) -> Path:
    """The folder of the vault, which is running meanwhile."""
    return tmp_path / "data"


def call(data: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["professionals", *words, "--data", str(data)], input=typed)


@pytest.fixture
def migrated(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    """Its tables were made from the models, not by migrations; its journal has begun."""
    begin(vault.parts)
    monkeypatch.setattr("server.cli.vault.upgrade", lambda _: None)
    return vault


def test_the_operator_lists_compares_and_ends(migrated: FakeVault, data: Path) -> None:
    lawyer = open_professional(migrated)
    lawyer.ask_to_be_listed()
    waiting = call(data, "list").output
    assert f"{lawyer.number}: pending" in waiting
    assert lawyer.digits in waiting and "Maître Iris Blanc, Barreau de Lille, Lille, lawyer" in waiting
    assert spell_time(NOON) in waiting and "Professionals: 1" in waiting
    nobody = call(data, "approve", lawyer.number[:6], typed="")
    assert (nobody.exit_code, "or give --fingerprint" in nobody.stderr) == (2, True)
    wrong = call(data, "approve", lawyer.number[:6], typed="11111 22222\n")
    assert wrong.exit_code == 1 and FingerprintDiffers.sentence in wrong.output
    assert lawyer.digits not in wrong.output and "Maître Iris Blanc" in wrong.output
    right = call(data, "approve", lawyer.number[:6], typed=f"{lawyer.digits}\n")
    assert right.exit_code == 0 and f"Listed, entry 0: {lawyer.name}" in right.output
    (facts,) = json.loads(call(data, "list", "--json").output)
    assert (facts["state"], facts["entry"], facts["asked"]) == ("approved", 0, None)
    assert facts["listing"]["fingerprint"] == lawyer.digits
    assert parse_b64url(lawyer.listing()["pk_box"]) == lawyer.pk_box
    ended = call(data, "revoke", lawyer.number)
    assert ended.exit_code == 0 and "Entry 0 was ended." in ended.output
    lawyer.ask_to_be_listed()
    assert "turned down" in call(data, "revoke", lawyer.number).output
    assert call(data, "approve", lawyer.number, "--fingerprint", lawyer.digits).exit_code == 1
    assert len(published(migrated)) == 2


def test_approving_takes_the_digits_as_an_option(migrated: FakeVault, data: Path) -> None:
    lawyer = open_professional(migrated)
    lawyer.ask_to_be_listed()
    assert call(data, "approve", lawyer.number, "--fingerprint", lawyer.digits).exit_code == 0
    assert len(published(migrated)) == 1


def test_whoever_is_unknown_gets_a_sentence(migrated: FakeVault, data: Path) -> None:
    for words in (("approve", "ab"), ("revoke", "ab")):
        answer = call(data, *words)
        assert answer.exit_code == 1 and ProfessionalUnknown.sentence in answer.output


def test_a_vault_of_before_gets_its_directory_with_the_first_command(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(folder)]).exit_code == 0
    parts = open_parts(ServerConfig(folder, "vault.example"))
    with parts.database.write() as session:
        session.execute(delete(DirectoryCheckpoint))
    (folder / "directory.mark").unlink()
    begin_directory(parts)
    with parts.database.read() as session:
        assert check_directory(parts, session) == []
    parts.close()
    checked = CliRunner().invoke(main, ["check", "--deep", "--data", str(folder)])
    assert checked.exit_code == 0, checked.output


def test_check_tells_what_is_wrong_with_the_directory(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(folder)]).exit_code == 0
    parts = open_parts(ServerConfig(folder, "vault.example"))
    with parts.database.write() as session:
        append(parts, session, b"an entry")
        session.execute(update(DirectoryEntry).values(entry=b"another"))
    parts.close()
    checked = CliRunner().invoke(main, ["check", "--data", str(folder)])
    assert checked.exit_code == 1
    assert "problem: the directory's checkpoint of 1 entries is not that of its entries" in checked.output
