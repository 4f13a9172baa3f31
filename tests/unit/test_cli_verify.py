"""`temoin verify` on real receipts: valid, invalid, not yet; with a file or a hash, a policy or what a device knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from client_sdk.home import Home, Pin
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_children, hash_leaf
from crypto_core.receipts.note import (
    COSIGNATURE,
    Note,
    SignerKey,
    format_note,
    format_signatures,
    format_vkey,
    sign,
)
from crypto_core.receipts.receipt import Receipt, format_receipt
from crypto_core.receipts.rotation import Rotation, sign_rotation
from schemas import outputs
from tests.fakes.cli_client import NOW, Terminal

ORIGIN = "ledger.example/one"
SEALED = b"sealed bytes, opaque to everybody here" * 40
LEDGER, STRANGER = SignerKey(ORIGIN, b"\x01" * 32), SignerKey("ledger.example/two", b"\x02" * 32)
WITNESS = SignerKey("witness.example", b"\x03" * 32, COSIGNATURE)


@dataclass
class Case:
    terminal: Terminal
    folder: Path

    def receipt(self, *, sealed: bytes = SEALED, cosigners: tuple[SignerKey, ...] = ()) -> Path:
        commitment = Commitment(b"\x07" * 32, NOW, len(sealed), sha256(sealed).digest())
        leaf, other = hash_leaf(entry_bytes(commitment)), b"\x05" * 32
        text = format_checkpoint(Checkpoint(ORIGIN, 2, hash_children(other, leaf)))
        cosigned = (sign(text, one, time=NOW + 30 * number) for number, one in enumerate(cosigners, 1))
        note = format_note(Note(text, (sign(text, LEDGER), *cosigned)))
        path = self.folder / "x.tlog-proof"
        path.write_bytes(format_receipt(Receipt(commitment.extra, 1, (other,), note)))
        return path

    def sealed(self, data: bytes = SEALED) -> Path:
        path = self.folder / "x.sealed"
        path.write_bytes(data)
        return path

    def policy(self, *lines: str) -> Path:
        path = self.folder / "policy.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def trusting(self, signer: SignerKey = LEDGER) -> Path:
        return self.policy(f"log {format_vkey(signer.verifier)}", "quorum none")

    def ends(self, *words: object) -> tuple[int, str, str | None]:
        """(exit code, outcome, code), the same for people and for programs; nobody is asked for anything."""
        people = self.terminal.run("verify", *words)
        programs = self.terminal.run("verify", *words, "--json")
        assert people.exit_code == programs.exit_code
        assert self.terminal.fake.calls == []
        answer = outputs.Verified().load(json.loads(programs.stdout))
        assert answer["sentence"] in " ".join(people.stdout.split())
        return programs.exit_code, answer["outcome"], answer["code"]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(Terminal.on(tmp_path / "home", monkeypatch), tmp_path)


def test_a_valid_receipt_with_its_file_or_its_hash(case: Case) -> None:
    sealed, receipt, policy = case.sealed(), case.receipt(), case.trusting()
    assert case.ends(sealed, receipt, "--policy", policy) == (0, "valid", None)
    digest = sha256(SEALED).hexdigest()
    for spelled in (digest, digest.upper()):
        assert case.ends("--sha256", spelled, receipt, "--policy", policy) == (0, "valid", None)
    answer = json.loads(case.terminal.run("verify", sealed, receipt, "--policy", policy, "--json").stdout)
    assert (answer["origin"], answer["index"], answer["tree_size"], answer["bound_time"]) == (ORIGIN, 1, 2, None)
    assert (answer["sha256"], answer["claimed_time"]) == (digest, "2025-06-15T15:06:40Z")


def test_every_step_is_ticked_and_what_is_proven_is_said(case: Case) -> None:
    printed = case.terminal.run("verify", case.sealed(), case.receipt(), "--policy", case.trusting()).stdout
    assert [line.split()[:2] for line in printed.splitlines() if "✓" in line] == [["✓", str(n)] for n in range(1, 8)]
    assert "no later than" in printed and "does not prove who" in printed and "operator's word" in printed


def test_the_step_that_fails_is_crossed_and_later_ones_are_not_reached(case: Case) -> None:
    printed = case.terminal.run("verify", case.sealed(b"other"), case.receipt(), "--policy", case.trusting()).stdout
    marks = [line.split()[0] for line in printed.splitlines() if line[1:2] in ("✓", "✗", "–", "?")]
    assert marks == ["✓", "✗", "–", "–", "–", "–", "–"]


def test_another_file_is_invalid(case: Case) -> None:
    ended = case.ends(case.sealed(b"other"), case.receipt(), "--policy", case.trusting())
    assert ended == (1, "invalid", "receipt_other_bytes")


def test_a_changed_receipt_is_invalid_or_malformed(case: Case) -> None:
    sealed, receipt, policy = case.sealed(), case.receipt(), case.trusting()
    whole = receipt.read_bytes()
    receipt.write_bytes(whole.replace(b"index 1", b"index 0"))
    assert case.ends(sealed, receipt, "--policy", policy) == (1, "invalid", "receipt_not_included")
    for torn in (b"", whole[:100], whole + b"\n", b"\xff" * 200, b"x" * 200_000):
        receipt.write_bytes(torn)
        assert case.ends(sealed, receipt, "--policy", policy) == (1, "invalid", "receipt_malformed")
        assert case.ends(sealed, receipt) == (1, "invalid", "receipt_malformed")


def test_without_a_key_it_is_not_yet(case: Case) -> None:
    assert case.ends(case.sealed(), case.receipt()) == (4, "not_yet", "receipt_key_unknown")
    ended = case.ends(case.sealed(), case.receipt(), "--policy", case.trusting(STRANGER))
    assert ended == (4, "not_yet", "receipt_key_unknown")
    answer = json.loads(case.terminal.run("verify", case.sealed(), case.receipt(), "--json").stdout)
    assert (answer["origin"], answer["claimed_time"]) == (ORIGIN, None)


def test_without_a_key_another_file_is_still_invalid(case: Case) -> None:
    assert case.ends(case.sealed(b"other"), case.receipt()) == (1, "invalid", "receipt_other_bytes")


def test_the_ledgers_that_this_device_has_met_are_enough(case: Case) -> None:
    home = Home(case.terminal.home)
    for number, signer in enumerate((STRANGER, LEDGER)):
        directory = SignerKey("directory.example", bytes([number + 8]) * 32)
        keys = (format_vkey(signer.verifier), format_vkey(directory.verifier))
        home.pin(f"host{number}", Pin(bytes([number]) * 16, *keys))
    assert case.ends(case.sealed(), case.receipt()) == (0, "valid", None)


def test_witnesses_bound_the_time_or_are_missing(case: Case) -> None:
    witness = f"witness w {format_vkey(WITNESS.verifier)}"
    policy = case.policy(f"log {format_vkey(LEDGER.verifier)}", witness, "quorum w")
    ended = case.ends(case.sealed(), case.receipt(), "--policy", policy)
    assert ended == (4, "not_yet", "receipt_quorum_missing")
    words = ("verify", case.sealed(), case.receipt(cosigners=(WITNESS,)), "--policy", policy)
    assert json.loads(case.terminal.run(*words, "--json").stdout)["bound_time"] == "2025-06-15T15:07:10Z"
    assert "witness.example" in case.terminal.run(*words).stdout


def test_who_cosigned_and_who_is_missing_is_told_by_name_and_groups_are_spelled_out(case: Case) -> None:
    ours = [SignerKey(f"witness{n}.example", bytes([16 + n]) * 32, COSIGNATURE) for n in range(4)]
    policy = case.policy(
        f"log {format_vkey(LEDGER.verifier)}",
        *(f"witness w{n} {format_vkey(one.verifier)}" for n, one in enumerate(ours)),
        "group some any w0 w1", "group all-of all some w2 w3", "quorum all-of",
    )
    sealed = case.sealed()
    told = case.terminal.run("verify", sealed, case.receipt(cosigners=(ours[1], ours[2])), "--policy", policy)
    assert told.exit_code == 4 and "NOT YET" in told.stdout
    asked = "3 of (1 of (witness0.example, witness1.example), witness2.example, witness3.example)"
    assert asked in " ".join(told.stdout.split())
    answer = json.loads(case.terminal.run("verify", sealed, case.folder / "x.tlog-proof", "--policy", policy,
                                          "--json").stdout)
    assert answer["quorum"] is False and answer["bound_time"] is None
    assert [(one["name"], one["time"]) for one in answer["cosigned"]] == [
        ("witness1.example", "2025-06-15T15:07:10Z"), ("witness2.example", "2025-06-15T15:07:40Z"),
    ]
    assert (answer["missing"], answer["passed_over"]) == (["witness0.example", "witness3.example"], [])
    case.receipt(cosigners=tuple(ours[1:]))
    answer = json.loads(case.terminal.run("verify", sealed, case.folder / "x.tlog-proof", "--policy", policy,
                                          "--json").stdout)
    assert (answer["outcome"], answer["quorum"], answer["missing"]) == ("valid", True, ["witness0.example"])
    assert answer["bound_time"] == "2025-06-15T15:08:10Z", "when the last one needed had cosigned"


def test_another_witness_cosignature_counts_for_nothing_and_is_named_as_such(case: Case) -> None:
    namesake = SignerKey(WITNESS.name, b"\x0b" * 32, COSIGNATURE)
    policy = case.policy(
        f"log {format_vkey(LEDGER.verifier)}", f"witness w {format_vkey(WITNESS.verifier)}", "quorum w"
    )
    for other in (namesake, SignerKey("another.example", b"\x0c" * 32, COSIGNATURE)):
        words = (case.sealed(), case.receipt(cosigners=(other,)), "--policy", policy)
        assert case.ends(*words) == (4, "not_yet", "receipt_quorum_missing")
        answer = json.loads(case.terminal.run("verify", *words, "--json").stdout)
        assert (answer["cosigned"], answer["missing"], answer["passed_over"]) == ([], [WITNESS.name], [other.name])
        assert f"{other.name}: not in your policy" in case.terminal.run("verify", *words).stdout


def test_a_witness_of_the_policy_that_signed_another_text_is_invalid(case: Case) -> None:
    policy = case.policy(
        f"log {format_vkey(LEDGER.verifier)}", f"witness w {format_vkey(WITNESS.verifier)}", "quorum none"
    )
    receipt = case.receipt(cosigners=(WITNESS,))
    other = sign("ledger.example/one\n1\n" + "A" * 43 + "=\n", WITNESS, time=NOW + 30)
    *head, _ = receipt.read_text().splitlines(keepends=True)
    receipt.write_text("".join(head) + format_signatures([other]))
    assert case.ends(case.sealed(), receipt, "--policy", policy) == (1, "invalid", "receipt_signature")


def test_a_policy_that_is_none_is_a_failure(case: Case) -> None:
    ended = case.terminal.run("verify", case.sealed(), case.receipt(), "--policy", case.policy("nonsense"), "--json")
    told = json.loads(ended.stderr)
    assert (ended.exit_code, told["code"]) == (1, "malformed")
    assert told["detail"].startswith("--policy: "), "which of the files it is"
    torn = case.folder / "rotations"
    torn.write_bytes(b"no records")
    words = ("--policy", case.trusting(), "--rotations", torn, "--json")
    ended = case.terminal.run("verify", case.sealed(), case.receipt(), *words)
    assert ended.exit_code == 1 and json.loads(ended.stderr)["detail"].startswith("--rotations: ")


@pytest.mark.parametrize("words", [(), (__file__,), (__file__,) * 3, ("--sha256", "00" * 32, __file__, __file__),
                                   ("--sha256", "xyz", __file__), ("/nowhere", __file__)])  # fmt: skip
def test_a_command_not_rightly_given(case: Case, words: tuple[str, ...]) -> None:
    assert case.terminal.run("verify", *words).exit_code == 2


def test_records_of_the_ledgers_keys_lead_from_the_key_that_is_trusted(case: Case) -> None:
    """The receipt is signed by the first key, in a tree of two."""
    second, third = SignerKey(ORIGIN, b"\x08" * 32), SignerKey(ORIGIN, b"\x09" * 32)

    def records(size: int) -> Path:
        path = case.folder / "rotations"
        path.write_text(sign_rotation(Rotation(LEDGER.verifier, second.verifier, size, NOW, NOW), LEDGER, second))
        return path

    words = (case.sealed(), case.receipt(), "--policy")
    assert case.ends(*words, case.trusting(second)) == (4, "not_yet", "receipt_key_unknown")
    assert case.ends(*words, case.trusting(second), "--rotations", records(2)) == (0, "valid", None)
    assert case.ends(*words, case.trusting(), "--rotations", records(2)) == (0, "valid", None)
    assert case.ends(*words, case.trusting(), "--rotations", records(1)) == (1, "invalid", "receipt_key_retired")
    broken = case.terminal.run("verify", *words, case.trusting(third), "--rotations", records(2))
    assert (broken.exit_code, "rotation_broken" in broken.stderr) == (1, True), broken.output
