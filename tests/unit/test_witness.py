"""A witness and the ledgers that lie to it: what it cosigns, how it says no, what it keeps as evidence, what it is
after every crash. All of it to the letter of c2sp.org/tlog-witness."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from crypto_core.errors import MalformedError
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.note import (
    COSIGNATURE, ED25519, Note, SignerKey, VerifierKey, format_note, open_note, parse_note, parse_signatures, sign,
    verify_signature,
)
from crypto_core.receipts.policy import parse_policy
from crypto_core.receipts.rotation import Rotation, RotationChain, open_rotations, sign_rotation
from crypto_core.receipts.submission import MAX_SUBMISSION_SIZE, Submission, format_submission, parse_submission
from tests.fakes.liar import ORIGIN, FakeLedger
from tests.fakes.processes import ROOT
from tests.fakes.vault import NOON, SetClock
from client_sdk.witness.errors import WitnessExists, WitnessKeyExposed, WitnessKeyWrong, WitnessMissing, WitnessName
from client_sdk.witness.folder import MOST_UNPROVEN, EvidenceFolder, format_skey, make_folder, open_folder, parse_skey
from client_sdk.witness.service import Witness
from client_sdk.witness.steps import STEPS
from client_sdk.witness.views import ADD_CHECKPOINT, create_app

NAME = "witness.example/1"


class Killed(BaseException):
    """The process ends here."""


@dataclass
class DeadlySteps:
    """Ends at one step."""

    at: str = ""
    reached: list[str] = field(default_factory=list)

    def reach(self, name: str) -> None:
        self.reached.append(name)
        if name == self.at:
            raise Killed


@dataclass
class Scene:
    """A witness in a folder, and how to talk to it."""

    folder: Path
    ledgers: list[VerifierKey]
    clock: SetClock = field(default_factory=SetClock)
    steps: DeadlySteps = field(default_factory=DeadlySteps)
    chains: list[RotationChain] = field(default_factory=list)

    @property
    def key(self) -> VerifierKey:
        return open_folder(self.folder)[0].verifier

    @property
    def evidence(self) -> EvidenceFolder:
        return EvidenceFolder(self.folder)

    def client(self) -> FlaskClient:
        """A witness that was just started."""
        signer, store = open_folder(self.folder)
        one = Witness(signer, self.ledgers, store, self.evidence, self.clock, self.steps, self.chains)
        return create_app(one).test_client()

    def send(self, body: bytes) -> TestResponse:
        return self.client().post(ADD_CHECKPOINT, data=body)

    def cosigns(self, ledger: FakeLedger, old: int, new: int | None = None) -> int:
        """The time of the cosignature over the ledger's checkpoint, which verifies."""
        answer = self.send(ledger.submission(old, new))
        assert answer.status_code == 200, answer.data
        (line,) = parse_signatures(answer.data)
        time = verify_signature(parse_note(ledger.note(new).encode()).text, line, self.key)
        assert time is not None
        both = ledger.note(new).encode() + answer.data  # as C2SP advises the client to read it
        assert open_note(both, [self.key]).verified[0].time == time
        return time

    def refuses(self, body: bytes) -> tuple[int, str, bytes]:
        answer = self.send(body)
        assert answer.status_code != 200
        return answer.status_code, answer.content_type, answer.data


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    make_folder(tmp_path / "witness", NAME)
    yield Scene(tmp_path / "witness", [FakeLedger().signer.verifier])


SIZE_IS = "text/x.tlog.size"


def test_it_follows_a_ledger_that_only_grows(scene: Scene) -> None:
    ledger = FakeLedger()
    seen = 0
    for size in (0, 1, 2, 3, 3, 7, 8, 20, 64, 65):
        ledger.grow(size - len(ledger.words))
        assert scene.cosigns(ledger, seen) == scene.clock.now()
        seen = size
        scene.clock.advance(60)
    assert scene.steps.reached[:4] == list(STEPS)
    assert scene.evidence.cases("fork") == []


def test_whoever_knows_nothing_asks_with_zero_and_is_told(scene: Scene) -> None:
    ledger = FakeLedger.of(5)
    scene.cosigns(ledger, 0)
    assert scene.refuses(ledger.grow(4).submission(0)) == (409, SIZE_IS, b"5\n")
    scene.cosigns(ledger, 5)


@pytest.mark.parametrize("old", [0, 4, 6, 8])
def test_any_other_old_size_is_a_conflict(scene: Scene, old: int) -> None:
    ledger = FakeLedger.of(5)
    scene.cosigns(ledger, 0)
    assert scene.refuses(ledger.grow(3).submission(old)) == (409, SIZE_IS, b"5\n")


def test_a_first_checkpoint_of_any_size_needs_no_proof_and_has_none(scene: Scene) -> None:
    ledger = FakeLedger.of(9)
    body = format_submission(Submission(0, (bytes(32),), ledger.note()))
    assert scene.refuses(body)[0] == 422
    assert scene.refuses(ledger.submission(3)) == (409, SIZE_IS, b"0\n")
    scene.cosigns(ledger, 0)


def test_an_old_size_beyond_the_checkpoint_is_a_bad_request(scene: Scene) -> None:
    ledger = FakeLedger.of(5)
    scene.cosigns(ledger, 0)
    body = format_submission(Submission(5, (), ledger.note(4)))
    assert scene.refuses(body)[0] == 400


def test_extension_lines_are_cosigned_and_other_signatures_passed_over(scene: Scene) -> None:
    ledger = FakeLedger.of(5)
    note = parse_note(ledger.note(extensions=("Timestamp: 1",)).encode())
    other = sign(note.text, SignerKey("witness.other/w", bytes(32), COSIGNATURE), time=1)
    spoilt = replace(note.signatures[0], key_hash=bytes(4))
    both = format_note(Note(note.text, (other, spoilt, *note.signatures)))
    answer = scene.send(format_submission(Submission(0, (), both)))
    assert answer.status_code == 200
    (line,) = parse_signatures(answer.data)
    assert verify_signature(note.text, line, scene.key) == NOON


# a lying ledger


def test_two_roots_for_one_size_are_a_fork_and_both_notes_are_kept(scene: Scene) -> None:
    ledger = FakeLedger.of(8)
    scene.cosigns(ledger, 0)
    liar = ledger.forked(3)
    for old in (8, 0):
        assert scene.refuses(format_submission(Submission(old, (), liar.note()))) == (409, SIZE_IS, b"8\n")
    (case,) = scene.evidence.cases("fork")
    kept = [(case / name).read_text("utf-8") for name in ("held.note", "offered.note")]
    assert kept == [ledger.note(), liar.note()]
    texts = {open_note(note.encode(), scene.ledgers).text for note in kept}
    assert len(texts) == 2
    scene.cosigns(ledger.grow(), 8)


def test_a_fork_that_goes_on_has_no_proof(scene: Scene) -> None:
    ledger = FakeLedger.of(8)
    scene.cosigns(ledger, 0)
    liar = ledger.forked(3).grow(4)
    assert scene.refuses(liar.submission(8))[0] == 422
    (case,) = scene.evidence.cases("unproven")
    assert (case / "offered.note").read_text("utf-8") == liar.note()
    assert scene.send(liar.submission(8)).status_code == 422
    assert len(scene.evidence.cases("unproven")) == 1


def test_a_ledger_that_was_rolled_back_is_told_what_was_seen(scene: Scene) -> None:
    ledger = FakeLedger.of(8)
    scene.cosigns(ledger, 0)
    for new in (0, 5, 7):
        assert scene.refuses(ledger.submission(new, new)) == (409, SIZE_IS, b"8\n")
        assert scene.refuses(ledger.submission(0, new)) == (409, SIZE_IS, b"8\n")


@pytest.mark.parametrize("lie", ["cut", "longer", "reversed", "other", "of another tree", "none"])
def test_a_wrong_proof_is_refused(scene: Scene, lie: str) -> None:
    ledger = FakeLedger.of(6)
    scene.cosigns(ledger, 0)
    ledger.grow(5)
    right = ledger.proof(6)
    wrong = {
        "cut": right[:-1], "longer": (*right, bytes(32)), "reversed": right[::-1], "other": (bytes(32), *right[1:]),
        "of another tree": ledger.proof(6, 10), "none": (),
    }[lie]
    assert wrong != right
    assert scene.refuses(format_submission(Submission(6, wrong, ledger.note())))[0] == 422
    scene.cosigns(ledger, 6)


def test_evidence_that_anybody_can_make_does_not_fill_the_disk(scene: Scene) -> None:
    ledger = FakeLedger.of(2)
    scene.cosigns(ledger, 0)
    ledger.grow(MOST_UNPROVEN + 5)
    for size in range(3, MOST_UNPROVEN + 6):
        scene.refuses(format_submission(Submission(2, (bytes(32),), ledger.note(size))))
    assert len(scene.evidence.cases("unproven")) == MOST_UNPROVEN


def test_only_the_ledgers_own_key_counts(scene: Scene) -> None:
    ledger = FakeLedger.of(3)
    forged = replace(ledger, signer=SignerKey(ORIGIN, bytes(32)))
    assert scene.refuses(forged.submission(0))[0] == 403
    stranger = replace(ledger, signer=SignerKey("ledger.example/other", ledger.signer.seed))
    assert scene.refuses(stranger.submission(0))[0] == 404
    spoilt = bytearray(ledger.note().encode())
    spoilt[len(spoilt) - 20] ^= 1
    try:
        body = format_submission(Submission(0, (), spoilt.decode()))
    except (ValueError, UnicodeDecodeError):
        pytest.fail("the flipped bit was to leave a note")
    assert scene.refuses(body)[0] == 403


def test_a_ledgers_signature_of_another_text_and_a_witnesss_line_do_not_count(scene: Scene) -> None:
    ledger = FakeLedger.of(3)
    text = parse_note(ledger.note().encode()).text
    elsewhere = parse_note(ledger.note(2).encode()).signatures
    assert scene.refuses(format_submission(Submission(0, (), format_note(Note(text, elsewhere)))))[0] == 403
    cosigner = SignerKey(ORIGIN, ledger.signer.seed, COSIGNATURE)
    only = format_note(Note(text, (sign(text, cosigner, time=1),)))
    assert scene.refuses(format_submission(Submission(0, (), only)))[0] == 403


def test_it_goes_through_a_rotation_and_refuses_the_old_key_alone(scene: Scene) -> None:
    ledger, new = FakeLedger.of(3), SignerKey(ORIGIN, bytes(32))
    old = ledger.signer
    rotation = Rotation(old.verifier, new.verifier, 3, NOON, NOON)
    scene.cosigns(ledger, 0)
    ledger.grow(4)

    def submission(size: int, before: int, *signers: SignerKey) -> bytes:
        text = parse_note(ledger.note(size).encode()).text
        note = format_note(Note(text, tuple(sign(text, signer) for signer in signers)))
        return format_submission(replace(parse_submission(ledger.submission(before, size)), note=note))

    assert scene.send(submission(4, 3, old, new)).status_code == 200, "who knows only the old key goes on"
    assert scene.refuses(submission(5, 4, new))[0] == 403
    scene.chains = [open_rotations(sign_rotation(rotation, old, new).encode())]
    assert scene.refuses(submission(5, 4, old)) == (
        403, "text/plain; charset=utf-8",
        b"key_retired: A key that has been replaced signed this, and not the one that replaced it.\n",
    )
    assert scene.send(submission(5, 4, old, new)).status_code == 200
    assert scene.send(submission(7, 5, new)).status_code == 200


def test_a_ledger_with_two_keys_is_one_ledger(scene: Scene) -> None:
    following = SignerKey(ORIGIN, bytes(reversed(range(32))))
    scene.ledgers.append(following.verifier)
    ledger = FakeLedger.of(3)
    scene.cosigns(ledger, 0)
    scene.cosigns(replace(ledger.grow(2), signer=following), 3)
    assert scene.refuses(replace(ledger.forked(0), signer=following).submission(5))[0] == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"old 0\n\n", 400), (b"\xff" * 40, 400), (b"x" * (MAX_SUBMISSION_SIZE + 1), 413)], ids=range(4),
)
def test_what_is_no_submission(scene: Scene, body: bytes, status: int) -> None:
    assert scene.refuses(body)[0] == status


def test_there_is_one_path_and_one_method(scene: Scene) -> None:
    assert scene.client().get(ADD_CHECKPOINT).status_code == 405
    assert scene.client().post("/").status_code == 404


# crashes, and many at once


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("held", [0, 5])
def test_a_crash_at_any_step_never_leads_to_two_roots_for_a_size(scene: Scene, step: str, held: int) -> None:
    ledger = FakeLedger.of(held)
    if held:
        scene.cosigns(ledger, 0)
    liar = FakeLedger.of(held).grow(4).forked(held + 1)
    ledger.grow(4)
    scene.steps.at = step
    with pytest.raises(Killed):
        scene.send(ledger.submission(held))
    scene.steps.at = ""
    is_durable = step in ("witness.committed", "witness.signed")
    assert scene.send(liar.submission(held)).status_code == (409 if is_durable else 200)
    assert scene.send(ledger.submission(held)).status_code == 409
    honest = scene.send(ledger.submission(held + 4))
    assert honest.status_code == (200 if is_durable else 409)
    assert len(scene.evidence.cases("fork")) == 1


def test_of_many_that_come_at_once_one_history_is_signed(scene: Scene) -> None:
    ledger = FakeLedger.of(4)
    scene.cosigns(ledger, 0)
    bodies = [ledger.forked(4 + turn).submission(4) for turn in range(8) if ledger.grow()]
    answers: list[int] = []
    client = scene.client().application
    ready = threading.Barrier(len(bodies))

    def send(body: bytes) -> None:
        ready.wait()
        answers.append(client.test_client().post(ADD_CHECKPOINT, data=body).status_code)

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


# what others wrote, and what our own page shows


def test_the_published_request_and_answer_are_read() -> None:
    """The examples of c2sp.org/tlog-witness; the keys behind them are not published."""
    body = (
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n"
        "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5"
        "Rovnzv++qbSzm9Q=\n"
    ).encode()
    read = parse_submission(body)
    assert (read.old, len(read.proof), read.checkpoint.size) == (20852014, 4, 20852163)
    assert format_submission(read) == body
    answer = (
        "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatV"
        "s0pWh6Up69HVOw==\n"
    )
    (line,) = parse_signatures(answer.encode())
    assert (line.name, len(line.raw)) == ("witness.example/w1", 72)


def test_the_example_of_the_specification_is_one() -> None:
    page = (ROOT / "docs" / "spec" / "witness.md").read_text("utf-8")
    request, answer = page.split("```\n")[1:4:2]
    submission = parse_submission(request.partition("\n\n")[2].encode())
    known = json.loads((ROOT / "tests/vectors/receipts/consistency-eight-to-eleven.json").read_text())["inputs"]
    offered = submission.checkpoint
    verify_consistency(8, offered.size, submission.proof, bytes.fromhex(known["root1"]), offered.root)
    policy = (ROOT / "docs" / "spec" / "note-and-policy.md").read_text("utf-8").split("```\n")[3]
    keys = parse_policy(policy.encode()).keys
    opened = open_note((submission.note + answer).encode(), keys)
    assert [one.key.name for one in opened.verified] == ["ledger.example/2026", "witness1.example/w"]


# the folder


def test_a_witness_is_made_once_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = make_folder(folder, NAME)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "witness.key": 0o600, "witness.db": 0o600,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_folder(folder)[0] == made
    before = (folder / "witness.key").read_bytes()
    with pytest.raises(WitnessExists):
        make_folder(folder, NAME)
    assert (folder / "witness.key").read_bytes() == before
    (folder / "witness.key").chmod(0o640)
    with pytest.raises(WitnessKeyExposed):
        open_folder(folder)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\t"])
def test_a_name_that_no_key_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(WitnessName):
        make_folder(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("missing", ["witness.key", "witness.db"])
def test_a_witness_that_lost_something_does_not_start(scene: Scene, missing: str) -> None:
    (scene.folder / missing).unlink()
    with pytest.raises(WitnessMissing):
        open_folder(scene.folder)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a+b+c", "x" * 3000, "\udcff"])
def test_a_damaged_key_is_refused(scene: Scene, text: str) -> None:
    (scene.folder / "witness.key").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(WitnessKeyWrong):
        open_folder(scene.folder)


@given(st.binary(min_size=32, max_size=32))
def test_a_private_key_has_one_spelling(seed: bytes) -> None:
    signer = SignerKey(NAME, seed, COSIGNATURE)
    assert parse_skey(format_skey(signer)) == signer
    for wrong in (format_skey(SignerKey(NAME, seed, ED25519)), format_skey(signer)[8:], format_skey(signer) + "A",
                  format_skey(signer).replace("witness.example/1", "witness.example/2")):
        with pytest.raises(MalformedError):
            parse_skey(wrong)


@given(st.text(max_size=120))
def test_no_text_raises_anything_but_our_error(text: str) -> None:
    for one in (text, f"PRIVATE+KEY+{text}"):
        with pytest.raises(MalformedError):
            parse_skey(one)
