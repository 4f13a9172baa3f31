"""Devices of one account while the ledger's key is replaced: those that were there, away, new, or lied to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from client_sdk.client import Draft
from client_sdk.dossier import export_receipts
from client_sdk.home import Home, Pin
from crypto_core.errors import RotationBroken, RotationForked
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.note import SignerKey, format_vkey, parse_note, sign_note
from crypto_core.receipts.policy import parse_policy
from crypto_core.receipts.receipt import verify_receipt
from crypto_core.receipts.rotation import Rotation, open_rotations, sign_rotation
from server.ledger.rotation import announce_rotation, finish_rotation
from tests.fakes.devices import Device, make_device
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
ROTATIONS, CHECKPOINT, VAULT = "/ledger/rotations", "/ledger/checkpoint", "/v1/vault"
NOW = 1_772_366_400


@pytest.fixture
def phone(laptop: Device, phone: Device) -> Device:
    """Of the same account, opened once."""
    assert phone.opening().warnings == ()
    return phone


def write(device: Device, text: str) -> int:
    """An entry in a session of its own; how many keys have signed its receipt."""
    with device.log_in() as client:
        kept = client.write_entry(Draft(text=text))
        return len(parse_note(kept.receipt.partition("\n\n")[2].encode()).signatures)


def pinned(device: Device) -> Pin:
    (pin,) = device.home.pins()
    return pin


def vkey_of(vault: FakeVault) -> str:
    return format_vkey(vault.parts.ledger.signer.verifier)


def rotate(vault: FakeVault) -> None:
    announce_rotation(vault.parts, 0)
    finish_rotation(vault.parts)


def codes(device: Device) -> list[str]:
    return [one.code for one in device.opening().warnings]


def evidence(device: Device) -> set[bytes]:
    return {path.read_bytes() for path in device.home.folder.glob("**/evidence/*")}


def shows(path: str, data: bytes) -> Callable[[httpx.Request, bytes], bytes]:
    return lambda request, body: data if request.url.path == path else body


def record_by(old: SignerKey, new: SignerKey, size: int) -> bytes:
    return sign_rotation(Rotation(old.verifier, new.verifier, size, NOW, NOW), old, new).encode()


def test_devices_that_were_there_and_one_that_was_away(vault: FakeVault, laptop: Device, phone: Device) -> None:
    first = vkey_of(vault)
    assert write(laptop, "with the first key") == 1
    announce_rotation(vault.parts, 0)
    assert write(laptop, "with both") == 2
    assert pinned(laptop).ledger_vkey == vkey_of(vault) != first
    assert pinned(phone).ledger_vkey == first
    finish_rotation(vault.parts)
    assert write(laptop, "with the second") == 1
    assert codes(phone) == codes(laptop) == []
    assert pinned(phone) == pinned(laptop)
    assert write(phone, "from the phone") == 1
    for device in (laptop, phone):
        with device.log_in() as client:
            assert [client.item(one.id).text for one in client.items()]
            assert client._opened().session.state.facts["ledger_vkey"] == vkey_of(vault)
    assert evidence(laptop) == evidence(phone) == set()


def test_a_session_that_stays_open_goes_through_it(vault: FakeVault, laptop: Device) -> None:
    with laptop.log_in() as client:
        receipts = [client.write_entry(Draft(text="one"))]
        announce_rotation(vault.parts, 0)
        receipts += [client.write_entry(Draft(text="two"))]
        finish_rotation(vault.parts)
        receipts += [client.write_entry(Draft(text="three"))]
        rotate(vault)
        receipts += [client.write_entry(Draft(text="four"))]
        for kept in receipts:
            verify_receipt(kept.receipt.encode(), sha256=kept.verified.commitment.sha256, size=None,
                           policy=client.policy)
        assert len(client.policy.logs) == 3
    assert codes(laptop) == []


def test_what_a_session_reads_last_may_be_signed_by_the_new_key_alone(vault: FakeVault, laptop: Device) -> None:
    with laptop.log_in() as client:
        rotate(vault)
        vault.parts.ledger.commit(lambda _session, enter: enter([(make_bytes(32), 1)]))
        client._opened().synchroniser.sync_anyhow()
        assert client._opened().session.told == ()
        assert pinned(laptop).ledger_vkey == vkey_of(vault)


def test_a_new_device_believes_the_record_of_the_account(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    """The account record names the first key, the vault shows the second; the record of the rotation joins them."""
    first = vkey_of(vault)
    write(laptop, "before")
    rotate(vault)
    tablet = make_device(vault, tmp_path / "tablet")
    assert codes(tablet) == []
    assert pinned(tablet).knows(first) and pinned(tablet).ledger_vkey == vkey_of(vault)


def test_what_is_exported_names_every_key(vault: FakeVault, laptop: Device, tmp_path: Path) -> None:
    with laptop.log_in() as client:
        item = client.item(client.write_entry(Draft(text="before")).id)
        rotate(vault)
        client.write_entry(Draft(text="after"))
        export_receipts(client, item, tmp_path / "out")
    keys = [log.key for log in parse_policy((tmp_path / "out" / "policy.txt").read_bytes()).logs]
    assert keys == list(open_rotations(pinned(laptop).rotations).keys) and len(keys) == 2
    known = laptop.home.policy()
    assert known is not None and set(known.logs) == set(pinned(laptop).policy.logs)


def test_a_key_whose_record_is_withheld_is_the_alarm_that_it_was(
    vault: FakeVault, laptop: Device, phone: Device
) -> None:
    first = vkey_of(vault)
    rotate(vault)
    phone.network.spoils = shows(ROTATIONS, b"")
    assert codes(phone) == ["ledger_key_changed"] and evidence(phone)
    assert pinned(phone).ledger_vkey == first


def test_a_record_of_keys_that_nobody_knows_teaches_nothing(vault: FakeVault, laptop: Device, phone: Device) -> None:
    origin = vault.parts.ledger.origin
    one, other = SignerKey(origin, make_bytes(32)), SignerKey(origin, make_bytes(32))
    forged = record_by(one, other, 0)
    phone.network.rewrites[VAULT] = lambda answer: {**answer, "ledger_vkey": format_vkey(other.verifier)}
    phone.network.spoils = shows(ROTATIONS, forged)
    assert codes(phone) == ["ledger_key_changed"] and forged in evidence(phone)
    assert list(phone.home.folder.glob("**/evidence/rotation_broken-*"))


def test_a_record_that_was_changed_teaches_nothing(vault: FakeVault, laptop: Device, phone: Device) -> None:
    rotate(vault)
    phone.network.spoils = lambda request, data: (
        data.replace(b"size 0", b"size 9") if request.url.path == ROTATIONS else data
    )
    assert codes(phone) == ["ledger_key_changed"]
    assert list(phone.home.folder.glob("**/evidence/rotation_unsigned-*"))


def test_a_thief_with_the_old_key_can_not_hand_it_on_a_second_time(
    vault: FakeVault, laptop: Device, phone: Device
) -> None:
    old = vault.parts.ledger.signer
    rotate(vault)
    assert codes(phone) == []
    thief = SignerKey(old.name, make_bytes(32))
    forged = record_by(old, thief, 0)
    phone.network.rewrites[VAULT] = lambda answer: {**answer, "ledger_vkey": format_vkey(thief.verifier)}
    phone.network.spoils = shows(ROTATIONS, forged)
    assert codes(phone) == ["ledger_key_changed"]
    assert {forged, pinned(phone).rotations} <= evidence(phone)
    assert list(phone.home.folder.glob("**/evidence/rotation_forked-*"))
    assert pinned(phone).ledger_vkey == vkey_of(vault)


def test_a_record_can_not_end_a_key_before_what_this_device_has_seen(
    vault: FakeVault, laptop: Device, phone: Device
) -> None:
    write(laptop, "one")
    write(phone, "two")
    old = vault.parts.ledger.signer
    thief = SignerKey(old.name, make_bytes(32))
    phone.network.rewrites[VAULT] = lambda answer: {**answer, "ledger_vkey": format_vkey(thief.verifier)}
    phone.network.spoils = shows(ROTATIONS, record_by(old, thief, 1))
    assert codes(phone) == ["ledger_key_changed"]
    assert list(phone.home.folder.glob("**/evidence/rotation_backwards-*"))


def test_the_old_key_alone_signs_nothing_larger(vault: FakeVault, laptop: Device, phone: Device) -> None:
    old = vault.parts.ledger.signer
    rotate(vault)
    assert codes(phone) == []
    forged = sign_note(format_checkpoint(Checkpoint(old.name, 9, make_bytes(32))), old).encode()
    phone.network.spoils = shows(CHECKPOINT, forged)
    assert codes(phone) == ["checkpoint_invalid"] and forged in evidence(phone)


def test_a_pin_moves_on_by_records_alone_and_never_back(tmp_path: Path) -> None:
    keys = [SignerKey("ledger.example/one", bytes([number]) * 32) for number in range(1, 5)]
    first, second = record_by(keys[0], keys[1], 3), record_by(keys[1], keys[2], 5)
    both = first + b"\n" + second
    pins = [Pin(bytes(16), format_vkey(key.verifier), "directory") for key in keys]
    for known in pins[:3]:  # from whichever key this device has met
        moved = known.rotated(both)
        assert (moved.ledger_vkey, moved.rotations) == (pins[2].ledger_vkey, both)
        assert [log.last for log in moved.policy.logs] == [3, 5, None]
        assert moved.rotated(first) == moved.rotated(b"") == moved
        with pytest.raises(RotationForked):
            moved.rotated(record_by(keys[0], keys[3], 3))
        home = Home(tmp_path / known.ledger_vkey[-4:-1].replace("/", "_"))
        home.pin("vault.example", moved)
        assert home.pin_of(bytes(16)) == moved
    with pytest.raises(RotationBroken):
        pins[3].rotated(both)
