"""Packs of a ledger that has had two keys: they bring the records that lead from each to the next, so that whoever was
given one key, of whatever time, checks them alone; and records that mislead lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from client_sdk.client import Draft
from client_sdk.dossier import POLICY
from client_sdk.packs.pack import CHECKPOINT, ROTATIONS, SUMS, write_pack
from client_sdk.packs.check import check_pack
from client_sdk.packs.sink import open_sink
from client_sdk.packs.source import FolderSource
from client_sdk.sharing import MadeBundle, Sharing
from crypto_core.randomness import make_bytes
from crypto_core.receipts.note import SignerKey, format_vkey, parse_note, sign_note
from crypto_core.receipts.policy import Policy, format_policy, parse_policy
from crypto_core.receipts.rotation import RotationChain, open_rotations
from tests.fakes.devices import PASSWORD, PIN, Device, make_device
from tests.fakes.vault import FakeVault
from tests.property.test_pack import MemorySource, summed
from tests.unit.test_sdk_rotation import ROTATIONS as PUBLISHED
from tests.unit.test_sdk_rotation import record_by, rotate, shows

pytestmark = pytest.mark.usefixtures("stretched_once")
UNKNOWN = {"receipt_key_unknown", "note_key_unknown"}


@dataclass(frozen=True)
class Scene:
    """An entry from before the ledger's key was replaced and one from after it, shared; and two who read it: `early`
    had met the first key, `late` meets the second."""

    vault: FakeVault
    keys: tuple[SignerKey, SignerKey]
    made: MadeBundle
    early: Device
    late: Device
    folder: Path

    @property
    def policies(self) -> list[Policy]:
        """Of each key alone."""
        return [Policy.for_key(format_vkey(key.verifier)) for key in self.keys]

    def pack(self, reader: Device) -> dict[str, bytes]:
        """As it is saved on this device."""
        assert self.made.link is not None
        with reader.client() as client:
            opened = client.open_link(self.made.link.fragment, self.made.link.code)
            target = self.folder / f"pack-{make_bytes(8).hex()}"
            with open_sink(target) as sink:
                assert write_pack(opened, client.known_policy(), sink).ledger is None
        source = FolderSource(target)
        return {name: b"".join(source.blocks(name)) for name in source.names}


@pytest.fixture
def scene(vault: FakeVault, laptop: Device, tmp_path: Path) -> Iterator[Scene]:
    early, late = (make_device(vault, tmp_path / name) for name in ("early", "late"))
    with early.client() as client:
        client.known_policy()
    first = vault.parts.ledger.signer
    with laptop.log_in() as client:
        ids = [client.write_entry(Draft("with the first key")).id]
        rotate(vault)
        ids.append(client.write_entry(Draft("with the second")).id)
        made = client.shares.make(Sharing([(one, 1) for one in ids], None, vault.clock.now() + 86_400, 20))
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
    yield Scene(vault, (first, vault.parts.ledger.signer), made, early, late, tmp_path)


def checked(
    files: Mapping[str, bytes], policy: Policy | None = None, known: RotationChain = RotationChain()
) -> tuple[str, set[tuple[str, str]]]:
    report = check_pack(MemorySource(files, {}), policy, known=known)
    return report.outcome, {(one.name, one.error.code) for one in report.findings}


def codes(files: Mapping[str, bytes], policy: Policy | None = None) -> tuple[str, set[str]]:
    outcome, found = checked(files, policy)
    return outcome, {code for _, code in found}


def without(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    return summed({one: data for one, data in files.items() if one != name})


def unknown(scene: Scene) -> tuple[SignerKey, SignerKey]:
    """Two keys under the ledger's name that nobody ever met."""
    return SignerKey(scene.keys[0].name, make_bytes(32)), SignerKey(scene.keys[0].name, make_bytes(32))


def test_a_pack_holds_for_whoever_was_given_any_of_the_keys(scene: Scene) -> None:
    published = scene.vault.ask("GET", PUBLISHED).data
    for reader in (scene.early, scene.late):
        files = scene.pack(reader)
        assert files[ROTATIONS] == published
        own = parse_policy(files[POLICY])
        assert [log.key for log in own.logs] == [key.verifier for key in scene.keys]
        for policy in (None, own, *scene.policies):
            assert checked(files, policy) == ("valid", set())


def test_what_a_session_learned_of_the_keys_stands_in_its_pack(scene: Scene, tmp_path: Path) -> None:
    """A professional's program may have pinned the second key when it met the vault, and has been told of no other."""
    assert scene.made.link is not None
    reader = make_device(scene.vault, tmp_path / "professional")
    with reader.client() as client:
        opened = client.open_link(scene.made.link.fragment, scene.made.link.code)
        with open_sink(tmp_path / "pack") as sink:
            write_pack(opened, scene.policies[1], sink)
    assert check_pack(FolderSource(tmp_path / "pack")).outcome == "valid"
    assert check_pack(FolderSource(tmp_path / "pack"), scene.policies[0]).outcome == "valid"


def test_without_records_it_holds_by_itself_as_packs_did_before(scene: Scene) -> None:
    files = without(scene.pack(scene.late), ROTATIONS)
    assert checked(files) == ("valid", set())
    assert codes(files, scene.policies[0]) == ("not_yet", UNKNOWN)


def test_what_a_vault_publishes_that_leads_from_nowhere_is_left_out(scene: Scene) -> None:
    for published in (b"", b"<html>\n", bytes(70_000), record_by(*unknown(scene), 0)):
        reader = make_device(scene.vault, scene.folder / f"reader-{len(published)}")
        reader.network.spoils = shows(PUBLISHED, published)
        files = scene.pack(reader)
        assert ROTATIONS not in files and files[POLICY] == format_policy(scene.policies[1])


def test_a_changed_record_is_named(scene: Scene) -> None:
    files, first = scene.pack(scene.late), scene.policies[0]
    changed = files[ROTATIONS].replace(b"\nsize ", b"\nsize 9")
    assert (ROTATIONS, "pack_changed") in checked({**files, ROTATIONS: changed}, first)[1]
    for policy in (None, first):
        assert (ROTATIONS, "rotation_unsigned") in checked(summed({**files, ROTATIONS: changed}), policy)[1]
        for damaged in (files[ROTATIONS][:-1], bytes(70_000), b"<html>\n"):
            outcome, found = checked(summed({**files, ROTATIONS: damaged}), policy)
            assert outcome == "invalid" and (ROTATIONS, "pack_malformed") in found


def test_records_that_the_sums_dont_know_and_sums_that_name_none_are_named(scene: Scene) -> None:
    files = scene.pack(scene.late)
    assert checked({**without(files, ROTATIONS), ROTATIONS: files[ROTATIONS]})[1] == {(ROTATIONS, "pack_extra")}
    gone = {name: data for name, data in files.items() if name != ROTATIONS}
    assert checked(gone)[1] == {(ROTATIONS, "pack_missing")}


def test_records_of_keys_that_nobody_knows_are_named_and_lead_nowhere(scene: Scene) -> None:
    files = summed({**scene.pack(scene.late), ROTATIONS: record_by(*unknown(scene), 0)})
    assert checked(files) == ("invalid", {(ROTATIONS, "rotation_broken")})
    assert codes(files, scene.policies[0]) == ("invalid", {"rotation_broken", *UNKNOWN})


def test_a_thief_of_the_first_key_leads_nobody_on_who_knows_the_second(scene: Scene) -> None:
    """And to whoever has the true records, the two together prove that the key was used twice."""
    files, (first, _) = scene.pack(scene.late), scene.keys
    forged = summed({**files, ROTATIONS: record_by(first, unknown(scene)[0], 1)})
    assert (ROTATIONS, "rotation_broken") in checked(forged, scene.policies[1])[1]
    outcome, found = checked(forged, scene.policies[0], open_rotations(files[ROTATIONS]))
    assert outcome == "invalid" and (ROTATIONS, "rotation_forked") in found


def test_records_of_another_ledger_that_somebody_holds_are_no_contradiction(scene: Scene) -> None:
    one, other = (SignerKey("ledger.example/other", make_bytes(32)) for _ in range(2))
    known = open_rotations(record_by(one, other, 0))
    assert checked(scene.pack(scene.late), scene.policies[0], known) == ("valid", set())


def test_the_first_key_counts_alone_no_further_than_its_record_says(scene: Scene) -> None:
    files, (first, _) = scene.pack(scene.late), scene.keys
    alone = sign_note(parse_note(files[CHECKPOINT]).text, first).encode()
    forged = summed({**files, CHECKPOINT: alone})
    for policy in (None, *scene.policies):
        assert (CHECKPOINT, "note_key_retired") in checked(forged, policy)[1]
    assert (CHECKPOINT, "note_key_retired") not in checked(without(forged, ROTATIONS))[1]


def test_the_packs_own_policy_and_its_records_have_to_fit(scene: Scene) -> None:
    files, first = scene.pack(scene.late), scene.policies[0]
    assert checked(summed({**files, POLICY: b"quorum\n"}), first) == ("invalid", {(POLICY, "pack_malformed")})
    assert checked(summed({**files, POLICY: format_policy(first)})) == ("valid", set())
    other = Policy.for_key(format_vkey(SignerKey("ledger.example/other", make_bytes(32)).verifier))
    swapped = summed({**files, POLICY: format_policy(other)})
    assert checked(swapped, first) == ("invalid", {(ROTATIONS, "rotation_broken")})


def test_a_ledger_of_one_key_has_no_records(laptop: Device, tmp_path: Path) -> None:
    with laptop.log_in() as client, open_sink(tmp_path / "pack") as sink:
        kept = client.write_entry(Draft("alone"))
        made = client.shares.make(Sharing([(kept.id, 1)], None, laptop.network.vault.clock.now() + 86_400, 2))
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
        write_pack(client.open_link(made.link.fragment, made.link.code), client.policy, sink)
    files = {name for name in FolderSource(tmp_path / "pack").names}
    assert {POLICY, SUMS} < files and ROTATIONS not in files
    assert check_pack(FolderSource(tmp_path / "pack")).outcome == "valid"
