"""kill -9 at every named step of a witness: it never signs two roots for a size, and never forgets what it signed."""

from __future__ import annotations

import random  # the order of the rounds; nothing secret is drawn from it
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_core.receipts.note import parse_note, parse_signatures, verify_signature
from tests.fakes.liar import FakeLedger
from tests.fakes.processes import ROOT, clean_environment
from client_sdk.witness.folder import make_folder, open_folder
from client_sdk.witness.steps import STEPS

DURABLE = ("witness.committed", "witness.signed")
CONFLICT = 409 & 0xFF


def ask(folder: Path, ledger: FakeLedger, old: int, step: str = "") -> subprocess.CompletedProcess[bytes]:
    """A process of its own for one submission."""
    return subprocess.run(
        [sys.executable, "-m", "tests.fakes.witnesses", folder, ledger.vkey, step], input=ledger.submission(old),
        capture_output=True, env=clean_environment(), cwd=ROOT, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("rounds", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_a_witness_that_is_killed_signs_one_history(tmp_path: Path, rounds: int) -> None:
    folder, chance, ledger = tmp_path / "witness", random.Random(rounds), FakeLedger()
    key = make_folder(folder, "witness.example/1").verifier
    signed: dict[int, set[str]] = {}
    size, order = 0, [step for _ in range(rounds) for step in chance.sample(STEPS, len(STEPS))][:rounds]
    assert {*order} == {*STEPS}
    for step in order:
        ledger.grow(chance.randint(1, 5))
        liar, new = ledger.forked(size), len(ledger.words)
        dead = ask(folder, ledger, size, step)
        assert (dead.returncode, dead.stdout) == (-signal.SIGKILL, b"")
        seen = open_folder(folder)[1].seen(ledger.signer.name)
        assert (seen is not None and seen.checkpoint.size == new) == (step in DURABLE)
        first, second = (liar, ledger) if chance.random() < 0.5 else (ledger, liar)
        for one in (first, second):
            answer = ask(folder, one, new if step in DURABLE else size)
            if answer.returncode == 0:
                (line,) = parse_signatures(answer.stdout)
                verify_signature(parse_note(one.note().encode()).text, line, key)
                signed.setdefault(new, set()).add(one.checkpoint().root.hex())
            else:
                assert answer.returncode == CONFLICT, answer.stderr
        assert len(signed[new]) == 1
        if signed[new] == {liar.checkpoint().root.hex()}:
            ledger = liar
        size = new
