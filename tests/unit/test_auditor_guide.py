"""The forty lines of the auditor's guide, taken from the page and run against a real receipt of a real vault."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from crypto_core.receipts.note import SignerKey, format_vkey, parse_note, sign_note
from tests.fakes.vault import FakeVault

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "auditor.md"
SEALED = b"\x5a" * 70_001


def block(language: str, holding: str) -> str:
    """The one block of the guide in this language that holds these words."""
    (found,) = [one for one in re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
                if holding in one]
    return str(found)


@dataclass
class Desk:
    """A folder of somebody who follows the guide to the letter."""

    folder: Path
    receipt: Path
    key: str

    def run(self) -> tuple[list[str], int]:
        """What the three commands say, line by line, and how the last one that ran ended."""
        script = block("sh", "check.py FILE").replace("python3", sys.executable)
        ended = subprocess.run(
            ["sh", "-e", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=60,
            env={"KEY": self.key, "PATH": "/usr/bin:/bin"},
        )
        return ended.stdout.splitlines(), ended.returncode


@pytest.fixture
def desk(vault: FakeVault, tmp_path: Path) -> Desk:
    """One of seven deposits of a real ledger."""
    files = [(sha256(bytes([n])).digest(), n) for n in range(6)]
    files.insert(4, (sha256(SEALED).digest(), len(SEALED)))
    deposited = vault.parts.ledger.commit(lambda _session, enter: enter(files))
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "FILE.sealed").write_bytes(SEALED)
    (folder / "FILE.tlog-proof").write_text(deposited[4].receipt)
    (folder / "check.py").write_text(block("python", "RFC 6962"))
    return Desk(folder, folder / "FILE.tlog-proof", format_vkey(vault.parts.ledger.signer.verifier))


def test_it_is_forty_lines_and_needs_nothing_of_ours() -> None:
    code = block("python", "RFC 6962")
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
    assert re.findall(r"^(?:import|from) .*$", code, re.M) == ["import base64, hashlib, sys"]


def test_a_real_receipt_is_verified_by_hand(desk: Desk) -> None:
    (summed, checked, verified), ended = desk.run()
    assert (ended, verified) == (0, "Signature Verified Successfully")
    assert summed[:64] == checked[:64] == sha256(SEALED).hexdigest()
    assert f"{len(SEALED)} bytes" in checked and "entry 4 of 7" in checked


def test_another_file_shows_in_the_first_two_lines(desk: Desk) -> None:
    (desk.folder / "FILE.sealed").write_bytes(SEALED + b"x")
    (summed, checked, _), ended = desk.run()
    assert ended == 0 and summed[:64] != checked[:64]


@pytest.mark.parametrize(("before", "after"), [
    ("index 4", "index 3"), ("\n7\n", "\n8\n"), ("extra A", "extra B"), ("tlog-proof@v1", "tlog-proof@v2"),
])
def test_a_receipt_that_was_changed_is_refused(desk: Desk, before: str, after: str) -> None:
    text = desk.receipt.read_text()
    if before.startswith("extra"):
        before = text[text.index("extra "):][:7]
        after = "extra " + ("B" if before[-1] == "A" else "A")
    assert before in text
    desk.receipt.write_text(text.replace(before, after, 1))
    assert desk.run()[1] != 0


def test_another_signature_is_refused_by_openssl_and_another_key_before(desk: Desk, vault: FakeVault) -> None:
    whole, other = desk.receipt.read_text(), SignerKey(vault.parts.ledger.origin, b"\x07" * 32)
    head, _, note = whole.partition("\n\n")
    forged = sign_note(parse_note(note.encode()).text, other).split("\n\n")[1]
    desk.receipt.write_text(whole[:-8] + "AAAA" + whole[-4:])
    assert desk.run()[1] != 0
    desk.receipt.write_text(f"{head}\n\n{note.partition(chr(10) * 2)[0]}\n\n{forged}")
    assert desk.run()[1] != 0
    desk.receipt.write_text(whole)
    desk.key = format_vkey(other.verifier)
    assert desk.run()[1] != 0
