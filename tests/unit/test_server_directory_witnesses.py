"""The directory and its witnesses: what is asked, what is published, what people are told to ask for, and when nobody
is listed any more. The witnesses are real ones in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from client_sdk.witness.folder import EvidenceFolder, open_folder
from client_sdk.witness.service import Witness
from client_sdk.witness.steps import NoSteps
from crypto_core.receipts.directory import Witnessed, format_entry, parse_entry
from crypto_core.receipts.note import format_vkey, open_note
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.submission import SIZE_TYPE
from crypto_core.receipts.witnessed import open_checkpoint
from server.directory.models import DirectoryCosignature, DirectoryEntry, DirectoryWitness
from server.directory.tree import DirectoryRefuses, append, check_directory, mark
from server.directory.witnessing import WitnessesTooFew, require_witnesses
from server.ledger.submitting import Posted, Unreachable
from server.ledger.witnesses import remove_witness
from tests.fakes.sharing import open_professional
from tests.fakes.vault import FakeVault
from tests.unit.test_server_ledger import deposit
from tests.unit.test_server_witnesses import Scene


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(vault, tmp_path)
    made.add("one", "two")
    yield made


def listed(scene: Scene) -> int:
    return open_professional(scene.vault).become_listed()


def published(scene: Scene) -> bytes:
    return bytes(scene.vault.ask("GET", "/directory/checkpoint").data)


def cosigners(scene: Scene) -> set[str]:
    """Whose signatures under what is published verify, beside the directory's own."""
    names = {format_vkey(key.verifier): name for name, key in scene.keys.items()}
    keys = [scene.vault.parts.folder.directory_signer.verifier, *(key.verifier for key in scene.keys.values())]
    verified = {format_vkey(one.key) for one in open_note(published(scene), keys).verified}
    return {name for vkey, name in names.items() if vkey in verified}


def problems(scene: Scene) -> list[str]:
    with scene.vault.parts.database.read() as session:
        return check_directory(scene.vault.parts, session)


def directory_of(scene: Scene) -> list[tuple[str, int, int]]:
    """What was asked, about the directory: its sizes are smaller than the ledger's here."""
    return [one for one in scene.asked if one[2] < 100]


@pytest.fixture(autouse=True)
def _large_ledger(scene: Scene) -> None:
    deposit(scene.vault, *range(100))


def test_the_newest_directory_is_published_with_what_witnesses_signed(scene: Scene) -> None:
    scene.look()
    assert directory_of(scene) == []  # there is nothing to cosign in an empty one
    listed(scene)
    assert cosigners(scene) == set()
    scene.look()
    assert cosigners(scene) == {"one", "two"}
    scene.look()
    listed(scene)
    scene.look()
    assert sorted(directory_of(scene)) == [("one", 0, 1), ("one", 1, 2), ("two", 0, 1), ("two", 1, 2)]
    assert problems(scene) == []


def test_a_witness_that_knows_the_ledger_alone_is_no_hindrance(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    folder = scene.folder / "one"
    signer, store = open_folder(folder)
    known = [scene.vault.parts.ledger.signer.verifier]
    scene.witnesses["one"] = Witness(signer, known, store, EvidenceFolder(folder), scene.vault.clock, NoSteps())
    listed(scene)
    scene.look()
    assert cosigners(scene) == {"two"} and (100, "one") in scene.cosigned()
    assert "witness one about the directory: witness_answers_404" in caplog.text
    assert scene.row("one").trouble == ""
    assert listed(scene) == 1


def test_people_are_told_in_the_directory_whom_to_ask_for(scene: Scene) -> None:
    listed(scene)
    scene.look()
    policy = require_witnesses(scene.vault.parts, 2)
    with scene.vault.parts.database.read() as session:
        entry = parse_entry(session.scalars(select(DirectoryEntry.entry).where(DirectoryEntry.index == 1)).one())
    assert entry == Witnessed(policy)
    assert not open_checkpoint(published(scene), policy).is_met
    scene.look()
    assert open_checkpoint(published(scene), policy).is_met
    assert {one.key.name for one in policy.witnesses} == {"witness.example/one", "witness.example/two"}
    assert require_witnesses(scene.vault.parts, 0) == Policy.for_key(
        format_vkey(scene.vault.parts.folder.directory_signer.verifier))


@pytest.mark.parametrize("count", [2, 3])
def test_no_more_are_asked_for_than_have_signed(scene: Scene, count: int) -> None:
    def silent(_: bytes) -> Posted:
        raise Unreachable

    scene.lies["two"] = silent
    listed(scene)
    scene.look()
    with pytest.raises(WitnessesTooFew):
        require_witnesses(scene.vault.parts, count)
    assert published(scene).splitlines()[1] == b"1"
    assert len(require_witnesses(scene.vault.parts, 1).witnesses) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Posted(409, SIZE_TYPE, b"7\n"), "directory_behind_witness"), (Posted(422, "", b""), "directory_disputed"),
        (Posted(409, SIZE_TYPE, b"1\n"), "directory_disputed"),
    ],
)
def test_nobody_is_listed_beside_a_witness_that_has_seen_another_directory(
    scene: Scene, answer: Posted, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    listed(scene)
    scene.look()
    listed(scene)
    scene.lies["one"] = lambda body: answer if body.startswith(b"old 1\n") else Posted(500, "", b"")
    with caplog.at_level(logging.WARNING):
        scene.look()
    assert f"witness one about the directory: {code}" in caplog.text
    with pytest.raises(DirectoryRefuses) as caught:
        listed(scene)
    assert (caught.value.code, caught.value.detail) == (code, "one")
    assert [one.partition(":")[0] for one in problems(scene)] == [code]
    deposit(scene.vault, 500)  # the ledger's own witness row says nothing against it
    with scene.vault.parts.database.write() as session:
        remove_witness(session, "one")
    assert listed(scene) == 2


def test_a_damaged_cosignature_is_found(scene: Scene) -> None:
    listed(scene)
    scene.look()
    with scene.vault.parts.database.write() as session:
        vkey = format_vkey(scene.keys["one"].verifier)
        session.execute(update(DirectoryCosignature).where(DirectoryCosignature.vkey == vkey).values(time=7))
    assert problems(scene) == ["a cosignature by witness.example/one under 1 entries of the directory does not verify"]


def test_what_is_known_of_a_witness_goes_with_it_and_what_it_signed_stays(scene: Scene) -> None:
    listed(scene)
    scene.look()
    with scene.vault.parts.database.write() as session:
        remove_witness(session, "one")
    with scene.vault.parts.database.read() as session:
        assert session.scalars(select(DirectoryWitness.name)).all() == ["two"]
    assert cosigners(scene) == {"one", "two"}


def test_an_entry_that_asks_for_witnesses_lists_nobody(scene: Scene) -> None:
    policy = require_witnesses(scene.vault.parts, 0)
    with scene.vault.parts.database.write() as session:
        assert append(scene.vault.parts, session, format_entry(Witnessed(policy))) == 1
    mark(scene.vault.parts)
    assert listed(scene) == 2
