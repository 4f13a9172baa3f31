"""A ledger that is followed: an honest one is never suspected, each lie has its code, a cut loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st

from client_sdk.cli.audit import audit
from client_sdk.errors import NetworkError
from client_sdk.following import follower as followers
from client_sdk.following.findings import FAULTS
from client_sdk.following.follower import LAG, Follower, Look, NoLedger, NoteUnfit, PolicyDiffers, PolicyNeeded
from client_sdk.following.mirror import STATE, Mirror
from client_sdk.following.published import Files
from client_sdk.following.report import NothingFollowed, make_report
from client_sdk.following.state import FILE, Followed, format_state, load_state, parse_state
from client_sdk.protocol.audit import AuditEvent
from crypto_core.encoding import MAX_TIME
from crypto_core.errors import CryptoCoreError, MalformedError, UnsupportedVersion
from crypto_core.receipts.note import SignerKey, VerifierKey, format_vkey
from crypto_core.receipts.policy import Policy, parse_policy
from crypto_core.receipts.tiles import entries_path, tile_path
from tests.fakes.ledgers import LEDGER, ORIGIN, START, VKEY, WITNESS, FakeLedger, entry

POLICY = Policy.for_key(VKEY)
NOW = START + 3000


@dataclass
class Auditor:
    """Somebody who follows, with a clock that a test sets."""

    folder: Path
    now: int = NOW
    policy: Policy | None = POLICY
    known: tuple[VerifierKey, ...] = ()
    looks: list[Look] = field(default_factory=list)

    def look(self, files: Files, also: tuple[bytes, ...] = ()) -> Look:
        address = "https://ledger.example"
        follower = Follower(self.folder, address, files, lambda: self.now, self.policy, known=self.known)
        self.looks.append(follower.look(also))
        return self.looks[-1]

    def evidence(self) -> set[bytes]:
        return {path.read_bytes() for path in (self.folder / "evidence").glob("*")}


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    return Auditor(tmp_path / "state")


def codes(look: Look) -> list[str]:
    return [finding.code for finding in look.found]


@pytest.mark.parametrize("sizes", [(0, 1, 2), (5, 255, 256, 257), (256, 512), (300, 300, 1000), (65_535, 65_793)])
def test_an_honest_ledger_is_read_entry_by_entry_and_never_suspected(auditor: Auditor, sizes: tuple[int, ...]) -> None:
    ledger = FakeLedger()
    for before, size in pairwise((0, *sizes)):
        ledger.add(size - before, START + before // 6000 * 60)
        look = auditor.look(ledger)
        assert (codes(look), look.read) == ([], size - before)
        assert look.state is not None and look.held is not None
        assert (look.state.walked, look.held.checkpoint.size) == (size, size)
    events = [look.event for look in auditor.looks]
    assert events[0] is AuditEvent.FIRST_NOTE and set(events[1:]) <= {AuditEvent.GREW, AuditEvent.SAME_NOTE}
    assert not (auditor.folder / "evidence").exists()
    assert (auditor.folder / FILE).stat().st_size < 2048


def test_only_what_is_new_is_fetched(auditor: Auditor) -> None:
    ledger = FakeLedger().add(1000)
    auditor.look(ledger)
    assert not [path for path in ledger.asked if path in {tile_path(0, index) for index in range(3)}]
    ledger.asked.clear()
    auditor.look(ledger.add(24))
    assert {path for path in ledger.asked if "entries" in path} == {entries_path(3)}


# the lies


def dropped(ledger: FakeLedger) -> FakeLedger:
    return FakeLedger().enter(ledger.entries[:100] + ledger.entries[101:]).add(300)


def backdated_inside(ledger: FakeLedger) -> FakeLedger:
    entries = [*ledger.entries[:150], entry(7, START, b"late"), *ledger.entries[150:]]
    return FakeLedger().enter(entries).add(100)


def resigned(ledger: FakeLedger) -> FakeLedger:
    return FakeLedger().add(len(ledger.entries) + 50, branch=b"another history")


def rolled_back_and_forked(ledger: FakeLedger) -> FakeLedger:
    return ledger.copy(100).add(50, branch=b"another history")


def same_size_other_root(ledger: FakeLedger) -> FakeLedger:
    return ledger.copy(299).add(1, branch=b"another entry")


FORKS = [dropped, backdated_inside, resigned, rolled_back_and_forked, same_size_other_root]


@pytest.mark.parametrize("lie", FORKS)
def test_another_history_is_a_fork_and_both_notes_are_kept(
    auditor: Auditor, lie: Callable[[FakeLedger], FakeLedger]
) -> None:
    honest = FakeLedger().add(300)
    auditor.look(honest)
    other = lie(honest)
    if other.size < honest.size:  # the larger tree is still shown, as a cache would: then it can be compared at once
        other.spoils = {path: honest.read(path, 10**9) for path in (
            tile_path(0, 1, 44), tile_path(1, 0, 1), tile_path(0, 0), tile_path(0, 1),
        ) if honest.read(path, 10**9)}
    look = auditor.look(other)
    assert (codes(look), look.event) == (["ledger_forked"], AuditEvent.INCONSISTENT)
    assert {honest.note(), other.note()} <= auditor.evidence()
    assert look.held is not None and look.held.checkpoint.size == 300, "nothing newer is believed"
    assert codes(auditor.look(other)) == ["ledger_forked"], "and it is said at each look"
    assert len(make_report(auditor.folder).state.findings) == 1, "but written down once"
    assert codes(auditor.look(honest.add(1))) == []


def test_a_fork_needs_no_tile_to_be_seen_where_two_roots_have_one_size(auditor: Auditor) -> None:
    auditor.look(FakeLedger().add(20))
    other = FakeLedger().add(20, branch=b"other")
    other.spoils = {tile_path(0, 0, 20): None}
    assert codes(auditor.look(other)) == ["ledger_forked"]


def test_a_fork_shown_to_two_is_found_when_one_tells_the_other(tmp_path: Path) -> None:
    mine, yours = FakeLedger().add(40), FakeLedger().add(30).add(10, branch=b"for you alone")
    one, other = Auditor(tmp_path / "one"), Auditor(tmp_path / "other")
    assert codes(one.look(mine)) == codes(other.look(yours)) == [], "each alone sees nothing"
    for auditor, ledger, also in ((one, mine, yours.note(35)), (other, yours, mine.note())):
        assert codes(auditor.look(ledger, (mine.note(20),))) == [], "what fits is no fork"
        assert codes(auditor.look(ledger, (also,))) == ["ledger_forked"]
        assert {also, ledger.note()} <= auditor.evidence()


def test_a_note_of_somebody_else_has_to_be_signed(auditor: Auditor) -> None:
    for note in (FakeLedger(SignerKey(ORIGIN, b"\x09" * 32)).add(5).note(), b"no note"):
        with pytest.raises(NoteUnfit):
            auditor.look(FakeLedger().add(5), (note,))


def test_a_smaller_tree_is_lag_until_a_day_has_passed(auditor: Auditor) -> None:
    ledger = FakeLedger().add(300)
    auditor.look(ledger)
    ledger.size = 280
    look = auditor.look(ledger)
    assert (codes(look), look.event) == ([], AuditEvent.NOT_COMPARED), "the tiles of the larger one are not shown"
    auditor.now += LAG
    assert codes(auditor.look(ledger)) == []
    auditor.now += 1
    assert codes(auditor.look(ledger)) == ["ledger_lags"]
    assert {ledger.note(280), ledger.note(300)} <= auditor.evidence()
    ledger.size = 300
    look = auditor.look(ledger)
    assert (codes(look), look.state and look.state.lags_since) == ([], None)
    assert look.state is not None and look.state.uncompared == (), "what could not be compared was, and fits"


def test_a_smaller_tree_is_compared_at_once_where_the_larger_ones_tiles_are_shown(auditor: Auditor) -> None:
    ledger = FakeLedger().add(300)
    auditor.look(ledger)
    tiles = {path: ledger.read(path, 10**9) for path in (tile_path(0, 1, 44), tile_path(1, 0, 1))}
    ledger.size, ledger.spoils = 280, tiles
    assert auditor.look(ledger).event is AuditEvent.LAGGED


def test_a_smaller_fork_is_found_once_the_larger_tree_is_shown_again(auditor: Auditor) -> None:
    honest = FakeLedger().add(300)
    auditor.look(honest)
    forked = honest.copy(100).add(80, branch=b"other")
    assert codes(auditor.look(forked)) == []
    assert codes(auditor.look(honest.add(9))) == ["ledger_forked"]
    assert {forked.note(), honest.note()} <= auditor.evidence()
    look = auditor.look(honest)
    assert (codes(look), look.read) == ([], 9), "once it is kept as evidence, the history that was held goes on"
    assert [one.code for one in make_report(auditor.folder).state.findings] == ["ledger_forked"]


def test_a_first_look_at_a_tree_that_is_not_shown_believes_nothing(auditor: Auditor) -> None:
    ledger = FakeLedger().add(300)
    ledger.spoils = {tile_path(0, 1, 44): bytes(44 * 32)}
    assert codes(auditor.look(ledger)) == ["ledger_unproven"] and load_state(auditor.folder) is None
    assert ledger.note() in auditor.evidence()


def test_a_signed_tree_that_is_not_shown_is_told_and_not_believed(auditor: Auditor) -> None:
    ledger = FakeLedger().add(300)
    auditor.look(ledger)
    ledger.add(300)
    for spoils in ({tile_path(0, 2, 88): None}, {tile_path(0, 2, 88): bytes(88 * 32)}, {tile_path(1, 0, 2): b"short"}):
        ledger.spoils = dict[str, bytes | None](spoils)
        look = auditor.look(ledger)
        assert (codes(look), look.event) == (["ledger_unproven"], AuditEvent.NOT_COMPARED)
        assert {ledger.note(300), ledger.note(600)} <= auditor.evidence()
        assert look.held is not None and look.held.checkpoint.size == 300
    ledger.spoils = {}
    auditor.now += 7200
    assert codes(auditor.look(ledger)) == [], "and what was withheld meanwhile was not back-dated"


@pytest.mark.parametrize("bundle", [None, b"", "other entry", "one entry less"])
@pytest.mark.parametrize("index", [0, 1])
def test_other_entries_than_the_signed_ones_are_found(auditor: Auditor, bundle: bytes | str | None, index: int) -> None:
    ledger = FakeLedger().add(300)
    path = (entries_path(0), entries_path(1, 44))[index]
    whole = ledger.read(path, 10**9)
    assert whole
    spoiled = {"other entry": whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], "one entry less": whole[:-42]}
    ledger.spoils = {path: spoiled[bundle] if isinstance(bundle, str) else bundle}
    look = auditor.look(ledger)
    assert codes(look) == ["ledger_unproven" if bundle is None else "ledger_entries_differ"]
    assert look.state is not None and look.state.walked == 256 * index, "as far as it was proven"
    ledger.spoils = {}
    look = auditor.look(ledger)
    assert (codes(look), look.read) == ([], 300 - 256 * index)


def test_a_bundle_that_was_damaged_once_is_asked_for_again_and_nobody_is_alarmed(auditor: Auditor) -> None:
    @dataclass
    class Damaging:
        ledger: FakeLedger
        left: set[str]

        def read(self, path: str, most: int) -> bytes | None:
            data = self.ledger.read(path, most)
            if data is None or path not in self.left:
                return data
            self.left.remove(path)
            return bytes(len(data))

    spoiled = Damaging(FakeLedger().add(700), {entries_path(1), tile_path(1, 0, 2), entries_path(2, 188)})
    assert codes(auditor.look(spoiled)) == []
    assert spoiled.left == set()


def test_a_partial_tile_that_was_dropped_for_the_full_one_is_taken_from_it(auditor: Auditor) -> None:
    ledger = FakeLedger().add(300)
    note = ledger.note()
    ledger.add(212)
    ledger.spoils = {"checkpoint": note, tile_path(0, 1, 44): None, entries_path(1, 44): None}
    assert codes(auditor.look(ledger)) == []


@pytest.mark.parametrize(("entries", "code"), [
    ([entry(5, START + 60), entry(6, START)], "ledger_times_fall"),
    ([entry(5, NOW + 420)], "ledger_time_ahead"),
    ([entry(5, START + 61)], "ledger_entry_unspelled"),
    ([entry(5, START + 60) + b"\x00"], "ledger_entry_unspelled"),
    ([entry(5, START - 60)], "ledger_times_fall"),
])
def test_times_that_break_the_rules_are_found(auditor: Auditor, entries: list[bytes], code: str) -> None:
    ledger = FakeLedger().add(5)
    auditor.look(ledger)
    look = auditor.look(ledger.enter(entries))
    assert codes(look) == [code]
    (finding,) = look.found
    assert (finding.index, finding.count) == (4 + len(entries), 1)
    assert {ledger.note(5), ledger.note()} <= auditor.evidence()
    auditor.now += 600
    assert codes(auditor.look(ledger.add(1, NOW + 480))) == [], "it is told once; the report keeps it"


def test_an_entry_within_the_tolerance_of_clocks_is_not_ahead(auditor: Auditor) -> None:
    assert codes(auditor.look(FakeLedger().add(1, NOW + 360))) == []


@pytest.mark.parametrize("time", [MAX_TIME + 1, 2**53 // 60 * 60 + 60, (2**64 - 1) // 60 * 60])
def test_a_time_that_no_calendar_has_is_found_kept_and_told(auditor: Auditor, time: int) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    assert codes(auditor.look(ledger.add(1, time))) == ["ledger_entry_unspelled", "ledger_time_ahead"]
    assert codes(auditor.look(ledger.add(1, NOW))) == ["ledger_times_fall"]
    kept = load_state(auditor.folder)
    assert kept is not None and len(kept.findings) == 3 and kept.walked == 5
    for words in ([], ["--json"]):
        told = CliRunner().invoke(audit, ["report", "--state", str(auditor.folder), *words])
        assert told.exit_code == 0 and "9999-12-31T23:59:59Z" in told.stdout and "ledger_entry_unspelled" in told.stdout


def test_an_entry_told_to_be_older_than_a_look_that_did_not_show_it_was_backdated(auditor: Auditor) -> None:
    ledger = FakeLedger().add(5)
    auditor.look(ledger)
    auditor.now += 86_400
    assert codes(auditor.look(ledger)) == []
    assert codes(auditor.look(ledger.add(1, NOW + 86_400 - 3600))) == [], "as late as it may be"
    auditor.now += 86_400
    auditor.look(ledger)
    look = auditor.look(ledger.add(3, NOW + 2 * 86_400 - 3660))
    assert [(one.code, one.index, one.count) for one in look.found] == [("ledger_backdated", 6, 3)]


@pytest.mark.parametrize(("note", "code"), [
    (b"no note", "checkpoint_invalid"),
    (FakeLedger().add(3).note().replace(b"\n3\n", b"\n4\n"), "checkpoint_invalid"),
    (FakeLedger(SignerKey(ORIGIN, b"\x02" * 32)).add(3).note(), "ledger_key_changed"),
])
def test_a_checkpoint_that_does_not_open_is_found_at_the_first_look_and_later(
    auditor: Auditor, note: bytes, code: str
) -> None:
    ledger = FakeLedger().add(3)
    ledger.spoils = {"checkpoint": note}
    assert codes(auditor.look(ledger)) == [code] and load_state(auditor.folder) is None
    ledger.spoils = {}
    auditor.look(ledger)
    ledger.spoils = {"checkpoint": note}
    look = auditor.look(ledger)
    assert codes(look) == [code] and look.event is None
    assert {note, ledger.note()} <= auditor.evidence()
    assert [one.code for one in make_report(auditor.folder).state.findings] == [code]


def test_every_finding_has_a_sentence_of_its_own() -> None:
    assert len({error.sentence for error in FAULTS.values()}) == len(FAULTS) == 15


# what is kept


def test_the_key_is_given_once(auditor: Auditor) -> None:
    auditor.policy = None
    with pytest.raises(PolicyNeeded):
        auditor.look(FakeLedger().add(1))
    assert load_state(auditor.folder) is None
    auditor.policy = POLICY
    auditor.look(FakeLedger().add(1))
    auditor.policy = None
    assert codes(auditor.look(FakeLedger().add(2))) == []


def test_a_ledger_that_this_device_has_met_needs_no_key_and_another_does(auditor: Auditor) -> None:
    auditor.policy, other = None, SignerKey("ledger.example/other", b"\x01" * 32)
    auditor.known = (other.verifier,)
    with pytest.raises(PolicyNeeded):
        auditor.look(FakeLedger().add(1))
    assert load_state(auditor.folder) is None
    auditor.known = (other.verifier, LEDGER.verifier)
    assert codes(auditor.look(FakeLedger().add(1))) == []
    kept = load_state(auditor.folder)
    assert kept is not None and kept.policy == POLICY
    stranger = Auditor(auditor.folder.with_name("stranger"), policy=None, known=(LEDGER.verifier,))
    assert codes(stranger.look(FakeLedger(SignerKey(ORIGIN, b"\x09" * 32)).add(1))) == ["ledger_key_changed"]


def test_an_address_without_a_ledger_is_said_to_be_one(auditor: Auditor) -> None:
    ledger = FakeLedger().add(1)
    ledger.spoils["checkpoint"] = None
    with pytest.raises(NoLedger):
        auditor.look(ledger)
    assert load_state(auditor.folder) is None


def test_another_policy_takes_its_place_only_if_the_last_note_opens_under_it(auditor: Auditor) -> None:
    ledger = FakeLedger().add(4)
    auditor.look(ledger)
    lines = f"log {VKEY}\nwitness w {format_vkey(WITNESS.verifier)}\nquorum w\n"
    auditor.policy = parse_policy(lines.encode())
    ledger.cosigned_at = NOW
    look = auditor.look(ledger)
    assert look.held is not None and (look.held.is_met, look.held.bound_time) == (True, NOW)
    ledger.cosigned_at = None
    look = auditor.look(ledger)
    assert look.held is not None and not look.held.is_met and codes(look) == []
    auditor.policy = Policy.for_key(format_vkey(SignerKey(ORIGIN, b"\x02" * 32).verifier))
    with pytest.raises(PolicyDiffers):
        auditor.look(ledger)


class Cut(FakeLedger):
    """Breaks off at one path."""

    at: str = ""

    def read(self, path: str, most: int) -> bytes | None:
        if path == self.at:
            raise NetworkError("cut")
        return super().read(path, most)


def test_what_was_read_before_a_cut_is_not_read_again(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "SAVE_EVERY", 2)
    ledger = Cut()
    ledger.add(256 * 9 + 10)
    ledger.at = entries_path(7)
    with pytest.raises(NetworkError):
        auditor.look(ledger)
    state = load_state(auditor.folder)
    assert state is not None and state.walked == 7 * 256
    ledger.at, ledger.asked = "", []
    look = auditor.look(ledger)
    assert (codes(look), look.read) == ([], 2 * 256 + 10)
    assert not {entries_path(index) for index in range(7)} & set(ledger.asked)


def test_a_state_is_read_back_as_it_was_and_nothing_else_is(auditor: Auditor) -> None:
    ledger = FakeLedger().add(3)
    auditor.look(ledger)
    auditor.look(FakeLedger().add(4, branch=b"other"))
    state = load_state(auditor.folder)
    assert state is not None and state.findings
    state = replace(state, uncompared=(state.note,), lags_since=7)
    assert parse_state(format_state(state)) == state
    for data in (b"", b"{}", b"[]", format_state(state).replace(b'"v":1', b'"v":0'), format_state(state)[:-9]):
        with pytest.raises(MalformedError):
            parse_state(data)
    with pytest.raises(UnsupportedVersion):
        parse_state(format_state(state).replace(b'"v":1', b'"v":2'))


@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(0, 7))
def test_a_state_that_was_damaged_raises_our_errors_alone(noise: bytes, place: int, bit: int) -> None:
    state = Followed("https://a.example", POLICY, 1, 2, 3, FakeLedger().add(2).note().decode(), 4)
    whole = bytearray(format_state(state))
    whole[place % len(whole)] ^= 1 << bit
    for data in (noise, bytes(whole)):
        with suppress(CryptoCoreError):
            parse_state(data)


def test_the_report_tells_what_is_proven_and_what_is_not(auditor: Auditor) -> None:
    with pytest.raises(NothingFollowed):
        make_report(auditor.folder)
    auditor.look(FakeLedger().add(12))
    report = make_report(auditor.folder)
    assert (report.state.since, report.state.looks, report.held.checkpoint.size) == (NOW, 1, 12)
    assert any("12 entries" in sentence for sentence in report.proven)
    assert any("operator's word" in sentence for sentence in report.not_proven)


# the copy


def files_below(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and STATE not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def mirror(folder: Path, files: Files, now: int = NOW) -> Look:
    return Follower(folder / STATE, "", files, lambda: now, POLICY, sink=Mirror(folder)).look()


@pytest.mark.parametrize("sizes", [(0,), (1,), (256,), (300, 310, 700), (511, 512), (65_536, 65_537)])
def test_a_copy_holds_exactly_what_tlog_tiles_demands_and_grows_with_its_ledger(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    ledger = FakeLedger()
    for size in sizes:
        ledger.add(size - len(ledger.entries))
        assert codes(mirror(tmp_path / "copy", ledger)) == []
    copied = files_below(tmp_path / "copy")
    assert {path: ledger.read(path, 10**9) for path in copied} == copied
    paths = {"checkpoint"}
    for level in range(3):
        for index in range(257):
            width = max(0, min(256, (ledger.size >> 8 * level) - index * 256))
            if width:
                paths |= {tile_path(level, index, width), *({entries_path(index, width)} if not level else ())}
    assert paths <= copied.keys()
    assert all(".p/" in path for path in copied.keys() - paths), "what else there is are partial tiles of smaller trees"


def test_a_copy_that_was_interrupted_goes_on_and_shows_its_checkpoint_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "SAVE_EVERY", 2)
    ledger = Cut()
    ledger.add(256 * 5)
    ledger.at = entries_path(4)
    with pytest.raises(NetworkError):
        mirror(tmp_path / "copy", ledger)
    assert not (tmp_path / "copy" / "checkpoint").exists()
    ledger.at = ""
    look = mirror(tmp_path / "copy", ledger)
    assert (codes(look), look.read) == ([], 256)
    copied = files_below(tmp_path / "copy")
    assert {path: ledger.read(path, 10**9) for path in copied} == copied and len(copied) == 5 + 5 + 1 + 1


def test_what_is_not_proven_is_not_copied(tmp_path: Path) -> None:
    ledger = FakeLedger().add(600)
    bundle = ledger.read(entries_path(1), 10**9)
    assert bundle
    ledger.spoils = {entries_path(1): bundle[::-1]}
    assert codes(mirror(tmp_path / "copy", ledger)) == ["ledger_entries_differ"]
    assert files_below(tmp_path / "copy").keys() == {entries_path(0), tile_path(0, 0)}


def test_a_copy_can_be_followed_in_the_place_of_its_ledger(tmp_path: Path) -> None:
    @dataclass
    class Folder:
        place: Path

        def read(self, path: str, most: int) -> bytes | None:
            found = self.place / path
            return found.read_bytes() if found.is_file() else None

    ledger = FakeLedger()
    auditor = Auditor(tmp_path / "state")
    for count in (300, 2, 700):
        mirror(tmp_path / "copy", ledger.add(count))
        assert codes(auditor.look(Folder(tmp_path / "copy"))) == []
    assert auditor.looks[-1].read == 700
    assert codes(auditor.look(ledger)) == []
