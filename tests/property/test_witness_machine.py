"""A ledger that lies in any order, to a witness that is killed at any step: what was cosigned is always one history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.note import open_note
from crypto_core.receipts.submission import Submission, format_submission
from tests.fakes.liar import FakeLedger
from tests.fakes.vault import SetClock
from client_sdk.witness.folder import EvidenceFolder, make_folder, open_folder
from client_sdk.witness.service import Refused, Witness
from client_sdk.witness.steps import STEPS


class Killed(BaseException):
    """The process ends here."""


class _Steps:
    at = ""

    def reach(self, name: str) -> None:
        if name == self.at:
            raise Killed


class WitnessMachine(RuleBasedStateMachine):
    """`branches` share one key; each has gone another way from some entry on."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name) / "witness"
        self.key = make_folder(self.folder, "witness.example/1").verifier
        self.branches = [FakeLedger.of(4), FakeLedger.of(4).forked(1).grow()]
        self.signed: list[tuple[FakeLedger, Checkpoint]] = []
        self.steps = _Steps()

    def teardown(self) -> None:
        self.home.cleanup()

    def branch(self, number: int) -> FakeLedger:
        return self.branches[number % len(self.branches)]

    @rule(number=st.integers(0, 9), count=st.integers(1, 3))
    def grow(self, number: int, count: int) -> None:
        branch = self.branch(number)
        if len(branch.words) < 24:
            branch.words += [f"{number} of {len(branch.words)}"] * count

    @precondition(lambda self: len(self.branches) < 6)
    @rule(number=st.integers(0, 9), place=st.integers(0, 30))
    def fork(self, number: int, place: int) -> None:
        branch = self.branch(number)
        self.branches.append(branch.forked(place % len(branch.words)))

    @rule(number=st.integers(0, 9), cut=st.integers(0, 2))
    def go_on(self, number: int, cut: int) -> None:
        """A checkpoint of one branch, with its own proof from where the witness is."""
        self.submit(number, cut, None, number, "")

    @rule(number=st.integers(0, 9))
    def grow_and_go_on(self, number: int) -> None:
        self.grow(number, 2)
        self.submit(number, 0, None, number, "")

    @rule(number=st.integers(0, 9), cut=st.integers(0, 6))
    def roll_back(self, number: int, cut: int) -> None:
        """A smaller checkpoint, as if the witness had seen just that."""
        self.submit(number, cut, max(0, len(self.branch(number).words) - cut), number, "")

    @rule(
        number=st.integers(0, 9), cut=st.integers(0, 3), old=st.none() | st.integers(0, 24),
        proof_of=st.integers(0, 9), step=st.sampled_from(["", *STEPS]),
    )
    def submit(self, number: int, cut: int, old: int | None, proof_of: int, step: str) -> None:
        """A checkpoint of one branch, a proof of the same or of another, from where the witness is or from anywhere."""
        branch, other = self.branch(number), self.branch(proof_of)
        new = max(0, len(branch.words) - cut)
        signer, store = open_folder(self.folder)
        seen = store.seen(branch.signer.name)
        start = (seen.checkpoint.size if seen else 0) if old is None else old
        prover = branch if old is None or len(other.words) < new else other
        proof = prover.proof(start, new) if start <= new else ()
        self.steps.at = step
        witness = Witness(
            signer, [branch.signer.verifier], store, EvidenceFolder(self.folder), SetClock(), self.steps
        )
        try:
            line = witness.add_checkpoint(format_submission(Submission(start, proof, branch.note(new))))
        except (Refused, Killed):
            return
        assert open_note(branch.note(new).encode() + line, [self.key]).verified
        self.signed.append((FakeLedger(list(branch.words)), branch.checkpoint(new)))

    @invariant()
    def all_that_was_signed_is_one_history(self) -> None:
        if len(self.signed) < 2:
            return
        (_, before), (ledger, last) = self.signed[-2:]
        assert before.size <= last.size
        assert ledger.checkpoint(before.size).root == before.root
        verify_consistency(before.size, last.size, ledger.proof(before.size, last.size), before.root, last.root)


TestWitness = WitnessMachine.TestCase
TestWitness.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
