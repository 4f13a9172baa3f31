"""A ledger that is followed gets another key: by its records without a word, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from client_sdk.following.follower import Follower
from client_sdk.following.mirror import Mirror
from client_sdk.following.report import make_report
from client_sdk.following.state import load_state
from crypto_core.receipts.note import SignerKey, format_vkey
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.rotation import format_rotations, open_rotations
from tests.fakes.ledgers import ORIGIN, FakeLedger
from tests.unit.test_following import NOW, POLICY, Auditor, codes

SECOND, THIRD, THIEF = (SignerKey(ORIGIN, bytes([number]) * 32) for number in (2, 3, 4))


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    return Auditor(tmp_path / "state")


def records_of(ledger: FakeLedger) -> bytes:
    return format_rotations(ledger.records)


def test_it_goes_through_a_rotation_without_alarm(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    ledger.announce(SECOND)
    looks = [auditor.look(ledger), auditor.look(ledger.add(2))]
    looks += [auditor.look(ledger.finish()), auditor.look(ledger.add(2))]
    assert [codes(look) for look in looks] == [[]] * 4
    assert [len(look.learned) for look in looks] == [1, 0, 0, 0]
    assert not (auditor.folder / "evidence").exists()
    (sentence,) = [one for one in make_report(auditor.folder).proven if "both have signed" in one]
    assert format_vkey(SECOND.verifier) in sentence and "3 entries" in sentence


@pytest.mark.parametrize("known", [1, 2, 3])
def test_who_was_away_for_two_rotations_comes_to_the_third_key(auditor: Auditor, known: int) -> None:
    ledger = FakeLedger().add(3)
    for number, key in enumerate((SECOND, THIRD), 1):
        if number == known:
            auditor.policy = Policy.for_key(format_vkey(ledger.signer.verifier))
            auditor.look(ledger)
        ledger.announce(key).add(1).finish().add(1)
    if known == 3:
        auditor.policy = Policy.for_key(format_vkey(THIRD.verifier))
    assert codes(auditor.look(ledger)) == []
    state = load_state(auditor.folder)
    assert state is not None and [log.last for log in state.trusted.logs] == [3, 5, None]
    auditor.policy = None
    assert codes(auditor.look(ledger.add(1))) == []


def test_another_key_without_a_record_is_the_alarm_that_it_was(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    ledger.signer = THIEF
    assert codes(auditor.look(ledger)) == ["ledger_key_changed"]


def test_a_record_that_the_known_key_did_not_sign_teaches_nothing(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    ledger.signer = SECOND
    ledger.announce(THIEF).finish()
    assert codes(auditor.look(ledger)) == ["rotation_broken", "ledger_key_changed"]
    assert records_of(ledger) in auditor.evidence()


def test_an_unsigned_record_teaches_nothing(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    ledger.announce(SECOND)
    ledger.records = (ledger.records[0].replace("size 3", "size 2"),)
    assert codes(auditor.look(ledger)) == ["rotation_unsigned"]
    assert codes(auditor.look(ledger.finish())) == ["rotation_unsigned", "ledger_key_changed"]


def test_two_successors_of_one_key_are_both_kept(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    thief = ledger.copy(3).announce(THIEF)
    auditor.look(ledger.announce(SECOND))
    assert codes(auditor.look(thief)) == ["rotation_forked"]
    assert {records_of(ledger), records_of(thief)} <= auditor.evidence()
    assert codes(auditor.look(thief.add(2))) == ["rotation_forked", "note_key_retired"]
    assert codes(auditor.look(thief.finish())) == ["rotation_forked", "ledger_key_changed"]
    assert codes(auditor.look(ledger.add(1))) == [], "nothing of it was believed"


def test_a_record_from_before_what_was_seen_is_refused(auditor: Auditor) -> None:
    """Else who has the old key could make every receipt since then worthless."""
    ledger = FakeLedger().add(9)
    auditor.look(ledger)
    ledger.announce(SECOND, 5)
    look = auditor.look(ledger)
    assert codes(look) == ["rotation_backwards"] and records_of(ledger) in auditor.evidence()
    assert look.learned == ()


def test_a_second_record_of_a_smaller_tree_is_refused(auditor: Auditor) -> None:
    ledger = FakeLedger().add(9).announce(SECOND).finish()
    auditor.look(ledger)
    assert codes(auditor.look(ledger.announce(THIRD, 8))) == ["rotation_backwards"]


def test_the_old_key_alone_in_a_larger_tree_is_found(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger.announce(SECOND))
    ledger.following = None
    look = auditor.look(ledger.add(1))
    assert codes(look) == ["note_key_retired"] and look.shown is None
    assert {ledger.note(), records_of(ledger)} <= auditor.evidence()


def test_fewer_records_and_none_unlearn_nothing(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3).announce(SECOND).finish().add(1)
    auditor.look(ledger)
    whole = ledger.announce(THIRD).records
    auditor.look(ledger)
    for shown in (whole[:1], ()):
        ledger.records = shown
        assert codes(auditor.look(ledger.add(1))) == []
    state = load_state(auditor.folder)
    assert state is not None and len(open_rotations(state.rotations.encode()).rotations) == 2


@pytest.mark.parametrize("page", [b"<html>not found</html>", b"\xff", b"\n", None])
def test_a_server_that_has_something_else_there_is_not_suspected(auditor: Auditor, page: bytes | None) -> None:
    ledger = FakeLedger().add(3)
    ledger.spoils = {"rotations": page}
    assert codes(auditor.look(ledger)) == []


def test_a_copy_of_a_ledger_has_its_records(tmp_path: Path, auditor: Auditor) -> None:
    ledger = FakeLedger().add(3).announce(SECOND).finish().add(1)
    look = Follower(auditor.folder, "https://ledger.example", ledger, lambda: NOW, POLICY,
                    sink=Mirror(tmp_path / "copy")).look()
    assert codes(look) == [] and (tmp_path / "copy" / "rotations").read_bytes() == records_of(ledger)


def test_a_state_of_an_earlier_version_has_no_records(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    path = auditor.folder / "followed.json"
    path.write_bytes(path.read_bytes().replace(b'"rotations":"",', b"").replace(b',"rotations":""', b""))
    assert b"rotations" not in path.read_bytes()
    assert codes(auditor.look(ledger.announce(SECOND).finish().add(1))) == []


def test_a_new_policy_may_name_the_new_key_alone(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3).announce(SECOND).add(1)
    auditor.look(ledger)
    auditor.policy = replace(POLICY, logs=Policy.for_key(format_vkey(SECOND.verifier)).logs)
    assert codes(auditor.look(ledger.finish().add(1))) == []
