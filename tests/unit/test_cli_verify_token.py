"""`temoin verify --tsa`: a receipt with a real authority's token, and each way in which the token is refused."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_children, hash_leaf
from crypto_core.receipts.note import COSIGNATURE, Note, SignerKey, format_note, format_vkey, sign, sign_note
from crypto_core.receipts.receipt import Receipt, format_receipt
from schemas import outputs
from tests.fakes.authority import OTHER_POLICY, POLICY, Authority, Certified, make_authority
from tests.fakes.cli_client import Terminal

ORIGIN, SEALED, EARLIER, HOUR = "ledger.example/one", b"sealed bytes" * 40, b"\x05" * 32, 3600
LEDGER = SignerKey(ORIGIN, b"\x01" * 32)
WITNESS = SignerKey("witness.example", b"\x03" * 32, COSIGNATURE)


@dataclass
class Case:
    """A folder as it is exported, and the authority's root."""

    terminal: Terminal
    folder: Path
    authority: Authority
    now: int

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def exported(
        self, claimed: int | None = None, *, signer: Certified | None = None, policy: str = POLICY, before: bool = False
    ) -> list[Path | str]:
        """The words of a `verify` that proves everything there is."""
        commitment = Commitment(b"\x07" * 32, claimed or self.now, len(SEALED), sha256(SEALED).digest())
        text = format_checkpoint(Checkpoint(ORIGIN, 2, hash_children(EARLIER, hash_leaf(entry_bytes(commitment)))))
        note = format_note(Note(text, (sign(text, LEDGER), sign(text, WITNESS, time=self.now - 1800))))
        earlier = format_checkpoint(Checkpoint(ORIGIN, 1, EARLIER))
        words: list[Path | str] = [
            self.write("x.sealed", SEALED),
            self.write("x.tlog-proof", format_receipt(Receipt(commitment.extra, 1, (EARLIER,), note))),
            "--policy", self.write("policy.txt", f"log {format_vkey(LEDGER.verifier)}\nquorum none\n"),
            "--tsa", self.write("x.tsr", self.authority.token(text, signer=signer, policy=policy)),
            "--tsa-roots", self.authority.roots_file, "--tsa-chain", self.authority.chain_file,
        ]  # fmt: skip
        if before:
            words += ["--tsa-before", self.write("x.before.note", sign_note(earlier, LEDGER)),
                      self.write("x.before.tsr", self.authority.token(earlier))]  # fmt: skip
        return words

    def ends(self, *words: object) -> tuple[int, str, str | None]:
        """(exit code, outcome, code), the same for people and for programs; nobody is asked for anything."""
        people = self.terminal.run("verify", *words)
        programs = self.terminal.run("verify", *words, "--json")
        assert people.exit_code == programs.exit_code, (people.output, programs.output)
        assert self.terminal.fake.calls == []
        answer = outputs.VerifiedAnchored().load(json.loads(programs.stdout))
        assert answer["sentence"] in " ".join(people.stdout.split())
        marks = [line.split()[0] for line in people.stdout.splitlines() if line[1:2] in ("✓", "✗", "–", "?")]
        if programs.exit_code == 0:
            assert marks == ["✓"] * 8
        elif answer["code"].startswith(("anchor_", "claimed_", "note_")):
            assert marks == ["✓"] * 7 + ["?" if answer["outcome"] == "not_yet" else "✗"]
            assert answer["tsa_time"] is answer["bound_time"] is None
        return programs.exit_code, answer["outcome"], answer["code"]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    authority = make_authority(tmp_path / "tsa")
    return Case(Terminal.on(tmp_path / "home", monkeypatch), tmp_path, authority, int(time.time()))


def test_the_authoritys_time_is_told_beside_the_others(case: Case) -> None:
    words = case.exported(before=True)
    assert case.ends(*words) == (0, "valid", None)
    told = outputs.VerifiedAnchored().load(json.loads(case.terminal.run("verify", *words, "--json").stdout))
    assert (told["tsa_authority"], told["tsa_policy"], told["claimed_time"]) == ("CN=TSA", POLICY, case.now)
    assert told["witness_time"] is None and case.now <= told["tsa_time"] == told["bound_time"] < case.now + 60
    assert told["tsa_before_time"] <= told["tsa_time"]
    printed = case.terminal.run("verify", *words).stdout
    for line in ("Claimed time", "Witnesses' time", "Authority's time", "Stamped without it", "Bound time"):
        assert line in printed
    assert "CN=TSA" in printed and "by the word of a time-stamping authority" in " ".join(printed.split())


def test_the_earliest_of_the_independent_times_binds(case: Case) -> None:
    words = case.exported(case.now - HOUR)
    witness = f"witness w {format_vkey(WITNESS.verifier)}"
    case.write("policy.txt", f"log {format_vkey(LEDGER.verifier)}\n{witness}\nquorum w\n")
    told = outputs.VerifiedAnchored().load(json.loads(case.terminal.run("verify", *words, "--json").stdout))
    assert told["bound_time"] == told["witness_time"] == case.now - 1800 < told["tsa_time"]
    assert "witnesses" in told["sentence"]


def test_a_token_for_another_checkpoint(case: Case) -> None:
    other = case.exported(case.now - 60)
    token = (case.folder / "x.tsr").read_bytes()
    words = case.exported()
    case.write("x.tsr", token)
    assert other[0] == words[0]
    assert case.ends(*words) == (1, "invalid", "anchor_other_checkpoint")


def test_a_token_from_another_authority(case: Case, tmp_path: Path) -> None:
    words, other = case.exported(), make_authority(tmp_path / "other", "Other")
    words[words.index("--tsa-roots") + 1] = other.roots_file
    assert case.ends(*words) == (4, "not_yet", "anchor_authority_unknown")
    words[words.index("--tsa-chain") + 1] = case.authority.both_file  # that brings its own root
    assert case.ends(*words) == (4, "not_yet", "anchor_authority_unknown")


def test_a_broken_chain(case: Case, tmp_path: Path) -> None:
    words, namesake = case.exported(), make_authority(tmp_path / "namesake")
    words[words.index("--tsa-chain") + 1] = namesake.chain_file
    assert case.ends(*words) == (1, "invalid", "anchor_chain")
    without = [word for word in words if word not in ("--tsa-chain", namesake.chain_file)]
    assert case.ends(*without) == (4, "not_yet", "anchor_authority_unknown")


def test_a_token_outside_of_the_validity(case: Case) -> None:
    ended = case.authority.between.certify("TSA", issues=False, stamps=True, since_days=-30, days=29)
    assert case.ends(*case.exported(signer=ended)) == (1, "invalid", "anchor_expired")


def test_another_policy(case: Case) -> None:
    words = case.exported(policy=OTHER_POLICY)
    assert case.ends(*words) == (0, "valid", None)
    assert case.ends(*words, "--tsa-policy", OTHER_POLICY) == (0, "valid", None)
    assert case.ends(*words, "--tsa-policy", POLICY) == (1, "invalid", "anchor_policy")


def test_a_damaged_token(case: Case) -> None:
    words, token = case.exported(), (case.folder / "x.tsr").read_bytes()
    for torn in (b"", token[:100], b"x" * 200_000):
        case.write("x.tsr", torn)
        assert case.ends(*words) == (1, "invalid", "anchor_malformed")
    case.write("x.tsr", token[:-1] + bytes([token[-1] ^ 1]))
    assert case.ends(*words) == (1, "invalid", "anchor_signature")


def test_an_hour_off_in_either_direction(case: Case) -> None:
    assert case.ends(*case.exported(case.now + HOUR)) == (1, "invalid", "claimed_time_late")
    assert case.ends(*case.exported(case.now - HOUR)) == (0, "valid", None)
    assert case.ends(*case.exported(case.now - HOUR, before=True)) == (1, "invalid", "claimed_time_early")
    assert case.ends(*case.exported(before=True)) == (0, "valid", None)


def test_an_earlier_state_of_nobody_that_is_trusted(case: Case) -> None:
    words = case.exported(before=True)
    text = format_checkpoint(Checkpoint(ORIGIN, 1, EARLIER))
    case.write("x.before.note", sign_note(text, SignerKey(ORIGIN, b"\x09" * 32)))
    assert case.ends(*words) == (4, "not_yet", "note_key_unknown")


def test_what_fails_before_the_token_is_told_first(case: Case) -> None:
    words = case.exported()
    case.write("x.sealed", b"other")
    case.write("x.tsr", b"")
    assert case.ends(*words) == (1, "invalid", "receipt_other_bytes")


def test_roots_that_are_none_are_a_failure(case: Case) -> None:
    words = case.exported()
    words[words.index("--tsa-roots") + 1] = case.write("none.pem", "nonsense")
    ended = case.terminal.run("verify", *words, "--json")
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "malformed")


@pytest.mark.parametrize("left_out", [("--tsa-roots",), ("--tsa", "--tsa-roots"), ("--tsa-chain", "--tsa-roots")])
def test_a_token_is_nothing_without_roots(case: Case, left_out: tuple[str, ...]) -> None:
    words = case.exported()
    for option in left_out:
        at = words.index(option)
        del words[at:at + 2]
    assert case.terminal.run("verify", *words).exit_code == 2


def test_with_roots_alone_the_token_beside_the_receipt_is_taken_and_what_lies_there_for_it(case: Case) -> None:
    words = case.exported(case.now - HOUR, before=True)[:4]
    alone = (*words, "--tsa-roots", case.authority.roots_file)
    without = case.terminal.run("verify", *alone, "--json")
    assert (without.exit_code, json.loads(without.stdout)["code"]) == (4, "anchor_authority_unknown")
    chain = case.write("x.chain.pem", case.authority.chain_file.read_bytes())
    assert case.ends(*alone) == (1, "invalid", "claimed_time_early")
    (case.folder / "x.before.tsr").unlink()
    assert case.ends(*alone) == (0, "valid", None)
    chain.write_text("nonsense")
    assert case.ends(*alone, "--tsa-chain", case.authority.chain_file) == (0, "valid", None), "what is given counts"
    named = case.terminal.run("verify", *alone, "--json")
    assert (named.exit_code, json.loads(named.stderr)["detail"].partition(":")[0]) == (1, "--tsa-chain")


def test_where_no_token_lies_beside_the_receipt_its_name_is_told(case: Case) -> None:
    words = case.exported()[:4]
    (case.folder / "x.tsr").unlink()
    ended = case.terminal.run("verify", *words, "--tsa-roots", case.authority.roots_file)
    assert ended.exit_code == 2 and "x.tsr" in ended.stderr


@pytest.mark.parametrize("policy", ["", "1", "x", "1.02", "1..2", "3.1", "1.2.3 "])
def test_a_policy_that_is_none(case: Case, policy: str) -> None:
    assert case.terminal.run("verify", *case.exported(), "--tsa-policy", policy).exit_code == 2
