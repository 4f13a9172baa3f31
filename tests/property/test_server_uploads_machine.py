"""An upload under any sequence of events: units in any order, resent, cut, overlapping, changed, completed too early.

The model is a set of units that were acknowledged. Whatever happens, the vault names exactly these, and the blob that
comes out of it is the one that went in.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crypto_core.randomness import make_id
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import verify_receipt
from schemas import limits
from server.ledger.check import check_vault
from server.problems import Refusal
from server.uploads import service
from server.uploads.kept import open_blob
from tests.fakes.vault import FakePerson, FakeVault, make_vault, open_person

SIZES = (72, limits.FIRST_UNIT, limits.FIRST_UNIT + 1, 3 * limits.UNIT, 5 * limits.UNIT + 12_345)


def pieces_of(data: bytes, step: int, stop: int | None = None) -> Iterator[bytes]:
    """A body as it comes off the wire; one that is cut at `stop` ends in the refusal that its reader raises."""
    for at in range(0, len(data) if stop is None else stop, step):
        yield data[at:at + step]
    if stop is not None:
        raise Refusal("body_incomplete")


class UploadMachine(RuleBasedStateMachine):
    """One person, one blob at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.vault: FakeVault = make_vault(Path(self.folder.name))
        self.person: FakePerson = open_person(self.vault)
        self.kept: dict[bytes, bytes] = {}

    @initialize(size=st.sampled_from(SIZES), seed=st.binary(min_size=1, max_size=4))
    def begin(self, size: int, seed: bytes) -> None:
        self.blob, self.data = make_id(), hashlib.shake_128(seed).digest(size)
        self.units = limits.unit_count(size)
        self.there: set[int] = set()
        service.start_upload(self.vault.parts, self.person.account, self.blob, size)

    def part(self, first: int, stop: int) -> bytes:
        return self.data[limits.unit_range(first, len(self.data))[0]:limits.unit_range(stop - 1, len(self.data))[1]]

    def put(self, first: int, data: bytes, pieces: Iterator[bytes], announced: list[bytes] | None = None) -> str:
        """The code of the refusal, or nothing."""
        try:
            answer = service.put_units(
                self.vault.parts, self.person.account, self.blob, first, len(data), pieces, announced
            )
        except Refusal as refusal:
            return refusal.code
        assert [one["unit"] for one in answer["units"]] == list(range(first, first + len(answer["units"])))
        return ""

    @rule(data=st.data(), step=st.sampled_from((999, 65_536, 2**20)))
    def send(self, data: st.DataObject, step: int) -> None:
        first = data.draw(st.integers(0, self.units - 1))
        stop = data.draw(st.integers(first + 1, self.units))
        part = self.part(first, stop)
        assert self.put(first, part, pieces_of(part, step)) == ""
        self.there |= set(range(first, stop))

    @rule(data=st.data())
    def send_and_lose_the_connection(self, data: st.DataObject) -> None:
        first = data.draw(st.integers(0, self.units - 1))
        part = self.part(first, data.draw(st.integers(first + 1, self.units)))
        cut = data.draw(st.integers(0, len(part) - 1))
        assert self.put(first, part, pieces_of(part, 65_536, cut)) == "body_incomplete"

    @rule(data=st.data())
    def announce_the_hash_of_each(self, data: st.DataObject) -> None:
        first = data.draw(st.integers(0, self.units - 1))
        stop = data.draw(st.integers(first + 1, self.units))
        part, wrong = self.part(first, stop), data.draw(st.integers(first, stop))
        hashes = [hashlib.sha256(self.part(unit, unit + 1)).digest() for unit in range(first, stop)]
        told = [bytes(32) if unit == wrong else one for unit, one in enumerate(hashes, first)]
        assert self.put(first, part, pieces_of(part, 65_536), told) == ("" if told == hashes else "digest_mismatch")
        assert self.put(first, part, pieces_of(part, 65_536), hashes[1:]) == "digest_mismatch"
        if told == hashes:
            self.there |= set(range(first, stop))

    @rule(data=st.data())
    def send_other_bytes(self, data: st.DataObject) -> None:
        """Only where every unit is there already: otherwise it is as good as the first to come."""
        if not self.there:
            return
        unit = data.draw(st.sampled_from(sorted(self.there)))
        part = bytes(byte ^ 1 for byte in self.part(unit, unit + 1))
        assert self.put(unit, part, pieces_of(part, 65_536)) == "blob_conflict"

    @rule(data=st.data())
    def send_what_is_not_whole(self, data: st.DataObject) -> None:
        first = data.draw(st.integers(0, self.units))
        part = self.part(0, 1)[:-1]
        assert self.put(first, part, pieces_of(part, 65_536)) == "unit_invalid"

    @rule()
    def announce_again(self) -> None:
        state = service.start_upload(self.vault.parts, self.person.account, self.blob, len(self.data))
        assert ({one["unit"] for one in state["units"]}, state["complete"]) == (self.there, False)

    @rule()
    def complete_with_another_hash(self) -> None:
        expected = "upload_mismatch" if len(self.there) == self.units else "upload_incomplete"
        assert self.complete(bytes(32)) == expected

    @precondition(lambda self: len(self.there) < self.units)
    @rule()
    def complete_too_early(self) -> None:
        assert self.complete(hashlib.sha256(self.data).digest()) == "upload_incomplete"

    @precondition(lambda self: len(self.there) == self.units)
    @rule(size=st.sampled_from(SIZES), seed=st.binary(min_size=1, max_size=4))
    def complete_and_begin_another(self, size: int, seed: bytes) -> None:
        assert self.complete(hashlib.sha256(self.data).digest()) == ""
        assert self.complete(hashlib.sha256(self.data).digest()) == ""
        assert self.put(0, self.part(0, 1), iter([self.part(0, 1)])) == "upload_complete"
        self.kept[self.blob] = self.data
        self.begin(size, seed)

    @rule(size=st.sampled_from(SIZES), seed=st.binary(min_size=1, max_size=4))
    def give_up_and_begin_another(self, size: int, seed: bytes) -> None:
        service.give_up(self.vault.parts, self.person.account, self.blob)
        self.begin(size, seed)

    def complete(self, digest: bytes) -> str:
        try:
            answer = service.complete(self.vault.parts, self.person.account, self.blob, digest)
        except Refusal as refusal:
            return refusal.code
        policy = Policy.for_key(format_vkey(self.vault.parts.ledger.signer.verifier))
        verify_receipt(answer["receipt"].encode(), sha256=digest, size=len(self.data), policy=policy)
        return ""

    @invariant()
    def the_vault_names_what_it_acknowledged(self) -> None:
        state = service.read_upload(self.vault.parts, self.person.account, self.blob)
        assert {one["unit"]: one["sha256"] for one in state["units"]} == {
            unit: hashlib.sha256(self.part(unit, unit + 1)).digest() for unit in self.there
        }

    def teardown(self) -> None:
        try:
            for blob, data in self.kept.items():
                content = open_blob(self.vault.parts, self.person.account, blob)
                assert b"".join(content.read(0, content.size)) == data
            report = check_vault(self.vault.parts)
            assert (report.problems, report.blobs) == ([], len(self.kept))
        finally:
            self.vault.parts.close()
            self.folder.cleanup()


TestUploads = UploadMachine.TestCase
TestUploads.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
