"""The vault and its witnesses: what is asked when, what an answer means, what becomes of receipts, and when the ledger
stops signing. The witnesses are real ones in this process; some of them are dead, and some lie."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from client_sdk.errors import Refused as RefusedByVault
from crypto_core.receipts.leaf import Commitment
from crypto_core.receipts.note import (
    COSIGNATURE, SignerKey, format_signatures, format_vkey, open_note, parse_note, sign,
)
from crypto_core.receipts.policy import parse_policy
from crypto_core.receipts.receipt import Receipt, format_receipt, parse_receipt, verify_receipt
from crypto_core.receipts.submission import SIZE_TYPE, format_size, parse_submission
from server.ledger.check import check_vault
from server.ledger.cosignatures import best_cosigned
from server.ledger.guard import Guard
from server.ledger.keeper import LedgerKeeper
from server.ledger.marker import Marker
from server.ledger.models import Cosignature, LedgerWitness
from server.ledger.submitting import AGAIN, LONGEST, Posted, Unreachable, pause
from server.ledger.witnesses import WitnessKnown, WitnessRefused, WitnessUnknown, add_witness, remove_witness
from server.problems import Refusal
from tests.fakes.vault import FakeVault, fake_vault
from tests.unit.test_server_ledger import SIZE, deposit, digest_of
from client_sdk.witness.folder import EvidenceFolder, make_folder, open_folder
from client_sdk.witness.service import Refused, Witness
from client_sdk.witness.steps import NoSteps

HERE = "http://{}.example"


@dataclass
class Scene:
    """A vault, its keeper, and the witnesses that its requests reach."""

    vault: FakeVault
    folder: Path
    witnesses: dict[str, Witness] = field(default_factory=dict)
    keys: dict[str, SignerKey] = field(default_factory=dict)
    lies: dict[str, Callable[[bytes], Posted]] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    """(witness, old size, new size) of each request."""

    def __post_init__(self) -> None:
        self.keeper = LedgerKeeper(self.vault.parts, self.post)

    def post(self, address: str, body: bytes) -> Posted:
        name = address.removeprefix("http://").removesuffix(".example/add-checkpoint")
        submission = parse_submission(body)
        self.asked.append((name, submission.old, submission.checkpoint.size))
        if name in self.lies:
            return self.lies[name](body)
        try:
            return Posted(200, "text/plain", self.witnesses[name].add_checkpoint(body))
        except Refused as refused:
            answer = refused.answer
            return Posted(answer.status, answer.media_type, answer.body)

    def add(self, *names: str) -> None:
        for name in names:
            folder = self.folder / name
            self.keys[name] = make_folder(folder, f"witness.example/{name}")
            signer, store = open_folder(folder)
            logs = [self.vault.parts.ledger.signer.verifier, self.vault.parts.folder.directory_signer.verifier]
            self.witnesses[name] = Witness(signer, logs, store, EvidenceFolder(folder), self.vault.clock, NoSteps())
            with self.vault.parts.database.write() as session:
                add_witness(session, name, format_vkey(self.keys[name].verifier), HERE.format(name))

    def look(self) -> None:
        self.keeper.look()
        self.keeper.wait(30)

    def row(self, name: str) -> LedgerWitness:
        with self.vault.parts.database.read() as session:
            return session.scalars(select(LedgerWitness).where(LedgerWitness.name == name)).one()

    def cosigned(self) -> set[tuple[int, str]]:
        with self.vault.parts.database.read() as session:
            names = {format_vkey(key.verifier): name for name, key in self.keys.items()}
            return {(one.size, names[one.vkey]) for one in session.scalars(select(Cosignature))}

    def receipt(self, index: int) -> str:
        with self.vault.parts.database.read() as session:
            return self.vault.parts.ledger.receipt(session, index).receipt

    def policy(self) -> bytes:
        """All of the witnesses."""
        lines = [f"log {format_vkey(self.vault.parts.ledger.signer.verifier)}"]
        lines += [f"witness {name} {format_vkey(key.verifier)}" for name, key in self.keys.items()]
        return "\n".join([*lines, f"group all all {' '.join(self.keys)}", "quorum all", ""]).encode()


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    yield Scene(vault, tmp_path)


def test_two_witnesses_make_a_receipt_that_needs_no_operators_word(scene: Scene) -> None:
    scene.add("one", "two")
    (first, *_) = deposit(scene.vault, 0, 1, 2)
    before = parse_receipt(first.receipt.encode())
    scene.vault.clock.advance(30)
    scene.look()
    assert scene.cosigned() == {(3, "one"), (3, "two")}
    after = scene.receipt(0)
    verified = verify_receipt(after.encode(), sha256=digest_of(0), size=SIZE, policy=parse_policy(scene.policy()))
    assert verified.bound_time == scene.vault.clock.now()
    assert verified.cosigned_by == ("witness.example/one", "witness.example/two")
    assert (parse_receipt(after.encode()).extra, len(after) < 2048) == (before.extra, True)
    served = scene.vault.ask("GET", "/ledger/checkpoint").data
    assert len(open_note(served, parse_policy(scene.policy()).keys).verified) == 3
    with scene.vault.parts.database.read() as session:
        assert served.startswith(scene.vault.parts.ledger.newest(session).note.encode())


def test_a_witness_is_asked_once_for_each_checkpoint_and_from_where_it_is(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0)
    scene.look()
    scene.look()
    deposit(scene.vault, 1, 2)
    scene.look()
    assert scene.asked == [("one", 0, 1), ("one", 1, 3)]


def test_what_a_witness_has_seen_is_learned_from_its_409(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0, 1)
    scene.look()
    with scene.vault.parts.database.write() as session:
        session.get_one(LedgerWitness, "one").size = 0
    deposit(scene.vault, 2)
    scene.look()
    assert scene.asked == [("one", 0, 2), ("one", 0, 3), ("one", 2, 3)]
    assert (scene.row("one").size, scene.row("one").trouble) == (3, "")


def test_a_dead_witness_is_asked_ever_more_rarely_and_delays_nothing(scene: Scene) -> None:
    def silent(_: bytes) -> Posted:
        raise Unreachable

    scene.add("one", "dead")
    scene.lies["dead"] = silent
    tries: list[int] = []
    start = scene.vault.clock.now()
    for second in range(260):
        scene.vault.clock.time = start + second
        if second % 26 == 0:
            deposit(scene.vault, second)
        before = len(scene.asked)
        scene.look()
        if "dead" in {name for name, *_ in scene.asked[before:]}:
            tries.append(second)
    gaps = [later - earlier for earlier, later in zip(tries, tries[1:], strict=False)]
    assert gaps == [2, 4, 8, 16, 32, 64, 128]
    assert {name for _, name in scene.cosigned()} == {"one"} and len(scene.cosigned()) == 10
    assert scene.row("dead").trouble == "witness_unreachable"
    del scene.lies["dead"]
    scene.vault.clock.advance(LONGEST)
    scene.look()
    assert scene.row("dead").trouble == "" and (10, "dead") in scene.cosigned()


@pytest.mark.parametrize("failures", [1, 2, 17, 1000])
def test_no_pause_is_longer_than_the_longest(failures: int) -> None:
    assert 0 < pause("witness_unreachable", failures) <= LONGEST
    assert pause("ledger_disputed", failures) == AGAIN
    assert pause("", failures) == 0


def test_a_silent_witness_holds_no_deposit_up(scene: Scene) -> None:
    """It is being asked while the deposit is made, and answers only afterwards."""
    released, reached = threading.Event(), threading.Event()

    def slow(body: bytes) -> Posted:
        reached.set()
        assert released.wait(30)
        return Posted(200, "text/plain", scene.witnesses["one"].add_checkpoint(body))

    scene.add("one")
    deposit(scene.vault, 0)
    scene.lies["one"] = slow
    scene.keeper.look()
    assert reached.wait(30)
    made = deposit(scene.vault, 1)
    assert made[0].index == 1
    scene.keeper.look()  # it is being asked: not again
    released.set()
    scene.keeper.wait(30)
    assert len(scene.asked) == 1 and scene.cosigned() == {(1, "one")}


def test_only_what_is_public_is_submitted(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "server", checkpoint_interval=60) as vault:
        scene = Scene(vault, tmp_path)
        scene.add("one")
        vault.clock.advance(10)
        deposit(vault, 0, 1)
        scene.look()
        assert scene.asked == [("one", 0, 0)]
        vault.clock.advance(50)
        deposit(vault, 2)
        scene.look()
        assert scene.asked[1:] == [("one", 0, 2)]
        assert parse_receipt(scene.receipt(0).encode()).checkpoint.size == 2
        assert parse_receipt(scene.receipt(2).encode()).checkpoint.size == 3


# answers that are none


def by(signer: SignerKey, time: int = 5) -> Callable[[bytes], Posted]:
    def answer(body: bytes) -> Posted:
        text = parse_note(parse_submission(body).note.encode()).text
        return Posted(200, "text/plain", format_signatures([sign(text, signer, time=time)]).encode())

    return answer


LIES: dict[str, Callable[[Scene], Callable[[bytes], Posted]]] = {
    "cosignature_invalid: another key": lambda _: by(SignerKey("witness.example/one", bytes(32), COSIGNATURE)),
    "cosignature_invalid: another witness's": lambda scene: by(scene.keys["two"]),
    "cosignature_invalid: of another name": lambda scene: by(SignerKey("other", scene.keys["one"].seed, COSIGNATURE)),
    "cosignature_invalid: over another checkpoint": lambda scene: lambda _: Posted(
        200, "text/plain",
        format_signatures([sign("a\n0\nb\n", scene.keys["one"], time=5)]).encode(),
    ),
    "cosignature_invalid: nothing": lambda _: lambda _: Posted(200, "text/plain", b""),
    "cosignature_invalid: noise": lambda _: lambda _: Posted(200, "text/plain", b"\xff" * 50),
    "witness_answers_500": lambda _: lambda _: Posted(500, "text/html", b"<html>"),
    "witness_answers_302": lambda _: lambda _: Posted(302, "text/html", b""),
    "witness_answers_404": lambda _: lambda _: Posted(404, "text/plain", b"?\n"),
    "witness_answers_409: of no type": lambda _: lambda _: Posted(409, "text/plain", b"7\n"),
    "witness_answers_409: no number": lambda _: lambda _: Posted(409, SIZE_TYPE, b"seven\n"),
}


@pytest.mark.parametrize("what", LIES)
def test_an_answer_that_is_no_cosignature_is_not_kept_and_stops_nothing(scene: Scene, what: str) -> None:
    scene.add("one", "two")
    with scene.vault.parts.database.write() as session:
        remove_witness(session, "two")
    deposit(scene.vault, 0)
    scene.lies["one"] = LIES[what](scene)
    scene.look()
    assert scene.row("one").trouble == what.partition(":")[0]
    assert scene.cosigned() == set()
    assert deposit(scene.vault, 1)[0].index == 1
    assert len(open_note(scene.vault.ask("GET", "/ledger/checkpoint").data,
                         [scene.vault.parts.ledger.signer.verifier]).ignored) == 0


def test_of_several_cosignatures_by_one_key_the_earliest_is_kept(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0)
    late, early = by(scene.keys["one"], 900), by(scene.keys["one"], 800)
    stranger = by(SignerKey("stranger", bytes(32), COSIGNATURE))
    scene.lies["one"] = lambda body: Posted(
        200, "text/plain", stranger(body).body + late(body).body + early(body).body
    )
    scene.look()
    with scene.vault.parts.database.read() as session:
        assert [one.time for one in session.scalars(select(Cosignature))] == [800]


def test_a_witness_that_changes_its_mind_without_end_is_left_alone(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, *range(9))
    sizes = iter([3, 5, 7, 8, 2, 4])
    scene.lies["one"] = lambda _: Posted(409, SIZE_TYPE, format_size(next(sizes)))
    scene.look()
    assert scene.row("one").trouble == "witness_answers_409"
    assert len(scene.asked) == 4


# when nothing is signed any more


def refused(scene: Scene) -> bool:
    try:
        deposit(scene.vault, 77)
    except Refusal as refusal:
        assert (refusal.code, refusal.kind.status) == ("ledger_stopped", 503)
        return True
    return False


def test_a_witness_that_knows_more_stops_the_ledger_until_it_is_let_go(scene: Scene) -> None:
    scene.add("one", "two")
    deposit(scene.vault, 0, 1)
    scene.lies["one"] = lambda _: Posted(409, f"{SIZE_TYPE}; charset=utf-8", b"1000\n")
    scene.look()
    assert scene.row("one").trouble == "ledger_behind_witness"
    assert refused(scene)
    assert scene.receipt(0)
    assert scene.vault.ask("GET", "/ledger/checkpoint").status_code == 200
    assert (2, "two") in scene.cosigned()
    with scene.vault.parts.database.write() as session:
        remove_witness(session, "one")
    assert not refused(scene)


def test_it_goes_on_by_itself_once_the_witness_agrees(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0)
    scene.lies["one"] = lambda _: Posted(409, SIZE_TYPE, b"9\n")
    scene.look()
    assert refused(scene)
    del scene.lies["one"]
    scene.look()
    assert refused(scene), "asked again too early"
    scene.vault.clock.advance(AGAIN)
    scene.look()
    assert not refused(scene)


def test_a_witness_that_knows_only_a_newer_one_of_ours_stops_nothing(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "server", checkpoint_interval=60) as vault:
        scene = Scene(vault, tmp_path)
        scene.add("one")
        deposit(vault, 0, 1, 2)
        scene.lies["one"] = lambda _: Posted(409, SIZE_TYPE, b"2\n")
        scene.look()
        assert scene.row("one").trouble == "witness_ahead"
        assert not refused(scene)


@pytest.mark.parametrize("answer", [Posted(422, "text/plain", b""), Posted(409, SIZE_TYPE, b"1\n")], ids=["422", "409"])
def test_a_witness_that_has_seen_another_history_stops_the_ledger(scene: Scene, answer: Posted) -> None:
    scene.add("one")
    deposit(scene.vault, 0)
    scene.look()
    scene.lies["one"] = lambda _: answer
    deposit(scene.vault, 1)
    scene.look()
    assert scene.row("one").trouble == "ledger_disputed"
    assert refused(scene)


def test_the_reason_is_told_to_the_operator_and_not_to_the_depositor(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.add("one")
    scene.lies["one"] = lambda _: Posted(409, SIZE_TYPE, b"9\n")
    assert [reason.code for reason in scene.keeper.begin()] == ["ledger_behind_witness"]
    assert refused(scene)
    assert "the ledger does not sign: ledger_behind_witness" in caplog.text
    assert "witness one: ledger_behind_witness" in caplog.text


def test_the_sdk_knows_the_code_for_what_it_is() -> None:
    kind = Refusal("ledger_stopped").kind
    assert RefusedByVault("ledger_stopped", kind.status, kind.sentence).code == "ledger_stopped"


def test_a_restart_asks_first_what_the_witnesses_know(scene: Scene) -> None:
    """An old copy of the whole folder: nothing in it says so, only the witness does."""
    scene.add("one")
    deposit(scene.vault, 0)
    scene.look()
    old = scene.vault.parts.config.database_file
    scene.vault.parts.database.close()
    copy = old.read_bytes()
    assert not old.with_name("vault.db-wal").exists()
    deposit(scene.vault, 1, 2)
    scene.look()
    scene.vault.parts.database.close()
    old.write_bytes(copy)
    scene.vault.parts.ledger.guard = Guard(scene.vault.parts.ledger.keys, Marker(scene.folder))
    scene.vault.parts.ledger._frontier = (0, {})
    assert scene.keeper.due() == []
    assert [reason.code for reason in scene.keeper.begin()] == ["ledger_behind_witness"]
    assert refused(scene)


# which checkpoint a receipt is given under


def cosign(scene: Scene, size: int, *names: str) -> None:
    with scene.vault.parts.database.write() as session:
        for name in names:
            vkey = format_vkey(scene.keys[name].verifier)
            session.add(Cosignature(size=size, vkey=vkey, time=size, line=f"— {name} x\n"))


def best(scene: Scene, index: int) -> int | None:
    with scene.vault.parts.database.read() as session:
        return best_cosigned(session, index)


def test_the_earliest_that_most_have_cosigned_is_best(scene: Scene) -> None:
    scene.add("one", "two")
    deposit(scene.vault, *range(12))
    assert best(scene, 0) is None
    cosign(scene, 3, "one")
    cosign(scene, 5, "one", "two")
    cosign(scene, 8, "two", "one")
    cosign(scene, 9, "one")
    assert [best(scene, index) for index in (0, 2, 4, 5, 7, 8, 9, 11)] == [5, 5, 5, 8, 8, 9, None, None]
    with scene.vault.parts.database.write() as session:
        remove_witness(session, "two")
    assert [best(scene, index) for index in (0, 3, 7)] == [3, 5, 8]


def test_no_more_rows_are_read_however_long_the_ledger(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.ledger.cosignatures.NEAR", 8)
    scene.add("one", "two")
    count = 24
    deposit(scene.vault, *range(count + 1))
    for size in range(1, count):
        cosign(scene, size, "one")
    cosign(scene, count, "one", "two")
    assert best(scene, 0) == count  # found among the newest
    cosign(scene, count + 1, "one")
    assert best(scene, count - 1) == count
    assert best(scene, count) == count + 1


@pytest.mark.parametrize("size", [1, 1_000_000, 2**30])
def test_a_receipt_with_two_witnesses_is_below_two_kibibytes(scene: Scene, size: int) -> None:
    """The longest proof of a tree of this size, under the origin that `init` makes."""
    scene.add("one", "two")
    (made,) = deposit(scene.vault, 0)
    scene.look()
    note = parse_receipt(scene.receipt(0).encode()).note.replace("\n1\n", f"\n{size}\n", 1)
    assert note.count("\n— ") == 3
    proof = (b"\xff" * 32,) * (size - 1).bit_length()
    commitment = Commitment(bytes(32), made.time, 2**40, bytes(32))
    assert len(format_receipt(Receipt(commitment.extra, size - 1, proof, note))) < 2048


# the registry


KEY = format_vkey(SignerKey("w", bytes(32), COSIGNATURE).verifier)
OTHER = format_vkey(SignerKey("w", bytes(range(32)), COSIGNATURE).verifier)
LEDGERS = format_vkey(SignerKey("w", bytes(32)).verifier)


@pytest.mark.parametrize(
    ("name", "vkey", "url"),
    [
        ("", KEY, "https://w.example"), ("A", KEY, "https://w.example"), ("a b", KEY, "https://w.example"),
        ("a" * 65, KEY, "https://w.example"), ("a", LEDGERS, "https://w.example"), ("a", "x", "https://w.example"),
        ("a", KEY[:-1], "https://w.example"), ("a", KEY, "w.example"), ("a", KEY, "ftp://w.example"),
        ("a", KEY, "https://"), ("a", KEY, "https://u:p@w.example"), ("a", KEY, "https://w.example/?q"),
        ("a", KEY, "https://w.example/#f"), ("a", KEY, "https://w.example:x"), ("a", KEY, "https://[w"),
    ],
)  # fmt: skip
def test_what_is_no_witness(scene: Scene, name: str, vkey: str, url: str) -> None:
    with pytest.raises(WitnessRefused), scene.vault.parts.database.write() as session:
        add_witness(session, name, vkey, url)


def test_a_name_and_a_key_stand_once(scene: Scene) -> None:
    with scene.vault.parts.database.write() as session:
        assert add_witness(session, "a", KEY, "https://w.example/sub/").url == "https://w.example/sub"
    for name, vkey in (("a", OTHER), ("b", KEY)):
        with pytest.raises(WitnessKnown), scene.vault.parts.database.write() as session:
            add_witness(session, name, vkey, "https://w.example")
    with pytest.raises(WitnessUnknown), scene.vault.parts.database.write() as session:
        remove_witness(session, "b")


def test_cosignatures_disturb_no_check(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0, 1)
    scene.look()
    assert [one for one in check_vault(scene.vault.parts).problems if "belongs to no" not in one] == []


def test_an_answer_for_a_witness_that_was_let_go_meanwhile_is_kept_all_the_same(scene: Scene) -> None:
    scene.add("one")
    deposit(scene.vault, 0)

    def leaves(body: bytes) -> Posted:
        with scene.vault.parts.database.write() as session:
            remove_witness(session, "one")
        return Posted(200, "text/plain", scene.witnesses["one"].add_checkpoint(body))

    scene.lies["one"] = leaves
    scene.look()
    assert scene.cosigned() == {(1, "one")}
