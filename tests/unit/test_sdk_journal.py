"""Upload journals: written before bytes leave, found again, never used for other bytes."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from client_sdk.home import AccountHome, Home
from client_sdk.journal import JournalMismatch, Journals, Source
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.keys import derive_box

SOURCE = Source(Path("/somewhere/photo.jpg"), 1000, 1_700_000_000_000_000_000, 1_700_000_000_000_000_000)


@pytest.fixture
def home(tmp_path: Path) -> AccountHome:
    return Home(tmp_path).account(make_id(), make_id())


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(make_id(), make_bytes(32), make_bytes(32), 1, 1, derive_box(make_bytes(32))[0])


def test_a_journal_is_found_again_for_the_very_same_file(home: AccountHome, keyring: Keyring) -> None:
    made = Journals(home, keyring).make(SOURCE, False)
    digests = [make_bytes(32) for _ in range(3)]
    for number, digest in enumerate(digests):
        made.note(number, digest)
    made.sync()
    made.close()
    found = Journals(home, keyring).find(SOURCE, False)
    assert found is not None
    assert (found.blob, found.key, found.salt, found.known) == (made.blob, made.key, made.salt, 3)
    for number, digest in enumerate(digests):
        found.note(number, digest)
    with pytest.raises(JournalMismatch):
        found.note(1, bytes(32))
    found.close()


@pytest.mark.parametrize("other", [
    replace(SOURCE, path=Path("/somewhere/other.jpg")), replace(SOURCE, size=1001), replace(SOURCE, changed=1),
])
def test_any_other_file_has_no_journal(home: AccountHome, keyring: Keyring, other: Source) -> None:
    journals = Journals(home, keyring)
    journals.make(SOURCE, False).close()
    assert journals.find(other, False) is None
    assert journals.find(SOURCE, True) is None


def test_units_that_were_not_synced_never_left(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    made = journals.make(SOURCE, False)
    made.note(0, bytes(32))
    made.sync()
    made.note(1, bytes(32))
    made.close()
    units, = home.uploads.glob("*/units")
    units.write_bytes(units.read_bytes() + b"torn")
    found = journals.find(SOURCE, False)
    assert found is not None and found.known == 1
    found.close()


def test_one_upload_belongs_to_one_process(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    made = journals.make(SOURCE, False)
    assert journals.find(SOURCE, False) is None
    made.close()
    found = journals.find(SOURCE, False)
    assert found is not None
    found.remove()
    assert journals.find(SOURCE, False) is None and not list(home.uploads.iterdir())


def test_a_sensitive_key_needs_the_sensitive_tier(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    journals.make(SOURCE, True).close()
    assert journals.find(SOURCE, True) is None


def test_nothing_in_a_journal_is_readable(home: AccountHome, keyring: Keyring) -> None:
    journal = Journals(home, keyring).make(SOURCE, False)
    for one in home.uploads.rglob("*"):
        if one.is_file():
            data = one.read_bytes()
            assert journal.key not in data and journal.salt not in data and b"photo" not in data
    journal.close()


def test_a_foreign_or_damaged_journal_is_passed_over(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    journals.make(SOURCE, False).close()
    folder, = home.uploads.iterdir()
    (home.uploads / "empty").mkdir()
    head = (folder / "head").read_bytes()
    for data in (b"", head[:-1], head[::-1]):
        (folder / "head").write_bytes(data)
        assert journals.find(SOURCE, False) is None
    (folder / "head").write_bytes(head)
    folder.rename(home.uploads / make_id().hex())
    assert journals.find(SOURCE, False) is None


def test_tidying_removes_what_is_kept_and_what_is_old(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    kept, old, young = (journals.make(replace(SOURCE, size=size), False) for size in (1, 2, 3))
    for one in (kept, old, young):
        one.close()
    os.utime(home.uploads / old.blob.hex(), (0, 0))
    journals.tidy(lambda blob: blob == kept.blob)
    assert [one.name for one in home.uploads.iterdir()] == [young.blob.hex()]


def test_tidying_removes_what_was_cut_before_it_was_a_journal_once_it_is_old(
    home: AccountHome, keyring: Keyring
) -> None:
    """Nothing of such a file has left; a folder that is young, or held, may be a journal in a moment."""
    journals = Journals(home, keyring)
    made = [journals.make(replace(SOURCE, size=size), False) for size in (1, 2, 3)]
    for one in made:
        (home.uploads / one.blob.hex() / "head").unlink()
    old, young, held = made
    old.close()
    young.close()
    (home.uploads / "0a").mkdir()
    for name in (old.blob.hex(), held.blob.hex(), "0a"):
        os.utime(home.uploads / name, (0, 0))
    journals.tidy(lambda _blob: False)
    assert {one.name for one in home.uploads.iterdir()} == {young.blob.hex(), held.blob.hex()}
    held.close()


def test_a_disk_that_is_full_leaves_no_half_a_journal(
    home: AccountHome, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr("client_sdk.journal.write_file", fail)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        Journals(home, keyring).make(SOURCE, False)
    assert (list(home.uploads.iterdir()), len(os.listdir("/proc/self/fd"))) == ([], before)


def test_a_clock_that_jumps_takes_no_journal_from_under_an_upload(home: AccountHome, keyring: Keyring) -> None:
    journals = Journals(home, keyring)
    under_way = journals.make(SOURCE, False)
    os.utime(home.uploads / under_way.blob.hex(), (0, 0))
    journals.tidy(lambda _blob: False)
    under_way.note(0, bytes(32))
    under_way.sync()
    under_way.close()
    os.utime(home.uploads / under_way.blob.hex(), (0, 0))
    journals.tidy(lambda _blob: False)
    assert list(home.uploads.iterdir()) == []


def test_a_journal_that_goes_while_it_is_looked_at_is_passed_over(
    home: AccountHome, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals = Journals(home, keyring)
    made = journals.make(SOURCE, False)
    found = list(journals._folders())
    made.remove()
    monkeypatch.setattr(journals, "_folders", lambda: found)
    journals.tidy(lambda _blob: False)
    assert journals.find(SOURCE, False) is None
