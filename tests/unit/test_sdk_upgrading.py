"""`receipts upgrade`, with the whole SDK, the whole server and real witnesses in one process: what is replaced, what
waits, and a vault that gives another receipt than it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client_sdk.client import Draft, VaultClient
from client_sdk.errors import ItemUnknown, PolicyOtherLog, Refused, ServerFault
from client_sdk.upgrading import Strength, Upgrade
from crypto_core.errors import ReceiptKeyUnknown, ReceiptNotIncluded
from crypto_core.receipts.policy import NONE, Policy, parse_policy
from crypto_core.receipts.receipt import format_receipt, parse_receipt
from server.ledger.rotation import announce_rotation, finish_rotation
from server.ledger.submitting import Posted, Unreachable
from tests.fakes.devices import PIN, Device, make_device, register
from tests.fakes.vault import FakeVault, b64
from tests.unit.test_server_witnesses import Scene

pytestmark = pytest.mark.usefixtures("stretched_once")


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Scene:
    return Scene(vault, tmp_path)


@pytest.fixture
def device(vault: FakeVault, tmp_path: Path) -> Device:
    made = make_device(vault, tmp_path / "laptop")
    register(made)
    return made


@pytest.fixture
def client(device: Device) -> Iterator[VaultClient]:
    with device.log_in() as opened:
        yield opened


def states(found: list[Upgrade]) -> list[str]:
    return sorted(one.state for one in found)


def test_every_receipt_of_an_item_is_upgraded_and_says_the_same_of_the_deposit(
    scene: Scene, client: VaultClient, tmp_path: Path
) -> None:
    scene.add("one", "two")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x" * 5000)
    kept = client.write_entry(Draft(text="one"), attachments=(photo,))
    client.edit_entry(kept.id, {"text": "two"})
    other = client.write_entry(Draft(text="another"))
    held = {one.revision: client.receipt(one) for one in client.history(kept.id)}
    policy = parse_policy(scene.policy())
    assert states(list(client.upgrade_receipts(kept.id, policy))) == ["waiting"] * 3
    scene.look()
    assert states(list(client.upgrade_receipts(kept.id, policy))) == ["upgraded"] * 3
    for item in client.history(kept.id):
        now, before = client.receipt(item), held[item.revision]
        assert now.verified.commitment == before.verified.commitment
        assert parse_receipt(now.receipt.encode()).extra == parse_receipt(before.receipt.encode()).extra
        assert now.receipt != before.receipt and now.receipt.count("\n— witness.example/") == 2
    assert states(list(client.upgrade_receipts(kept.id, policy))) == ["unchanged"] * 3
    assert states(list(client.upgrade_receipts(None, policy))) == ["unchanged"] * 3 + ["upgraded"]
    assert client.receipt(client.item(other.id)).receipt.count("\n— witness.example/") == 2


def test_what_is_good_enough_is_not_asked_for_again(scene: Scene, device: Device, client: VaultClient) -> None:
    scene.add("one")
    client.write_entry(Draft(text="one"))
    scene.look()
    policy = parse_policy(scene.policy())
    assert states(list(client.upgrade_receipts(None, policy))) == ["upgraded"]
    device.network.seen.clear()
    assert states(list(client.upgrade_receipts(None, policy))) == ["unchanged"]
    assert device.network.seen == []


def test_one_of_two_signatures_is_kept_and_still_waits(scene: Scene, client: VaultClient) -> None:
    scene.add("one", "two")
    client.write_entry(Draft(text="one"))
    policy = parse_policy(scene.policy())
    two = scene.witnesses.pop("two")

    def dead(_: bytes) -> Posted:
        raise Unreachable

    scene.lies["two"] = dead
    scene.look()
    (found,) = client.upgrade_receipts(None, policy)
    assert (found.state, found.strength) == ("waiting", Strength(False, 1, None))
    assert client.receipt(client.items()[0]).receipt.count("\n— witness.example/") == 1
    del scene.lies["two"]
    scene.witnesses["two"] = two
    scene.vault.clock.advance(5)
    scene.look()
    (found,) = client.upgrade_receipts(None, policy)
    assert (found.state, found.strength.cosignatures) == ("upgraded", 2)
    assert found.strength.bound_time == scene.vault.clock.now()


def test_without_a_policy_anybodys_signature_counts_as_one(scene: Scene, client: VaultClient) -> None:
    client.write_entry(Draft(text="one"))
    assert states(list(client.upgrade_receipts())) == ["waiting"]
    scene.add("one")
    scene.look()
    assert states(list(client.upgrade_receipts())) == ["upgraded"]
    assert states(list(client.upgrade_receipts())) == ["unchanged"]


def test_a_sensitive_item_is_upgraded_whole_once_it_is_open(
    scene: Scene, device: Device, tmp_path: Path
) -> None:
    scene.add("one")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x" * 5000)
    with device.log_in() as client:
        kept = client.write_entry(Draft(text="one"), sensitive=True, attachments=(photo,))
    scene.look()
    with device.log_in() as client:
        assert states(list(client.upgrade_receipts())) == ["upgraded"]
        client.step_up(PIN)
        assert states(list(client.upgrade_receipts(kept.id))) == ["unchanged", "upgraded"]


def test_a_policy_about_the_directory_is_told_as_that(device: Device, client: VaultClient) -> None:
    client.write_entry(Draft(text="one"))
    (pin,) = device.home.pins()
    with pytest.raises(PolicyOtherLog) as told:
        list(client.upgrade_receipts(None, Policy.for_key(pin.directory_vkey)))
    assert told.value.detail == f"given: this vault's directory; meant: its ledger, {pin.ledger_vkey}"
    both = Policy((*pin.policy.logs, *Policy.for_key(pin.directory_vkey).logs), (), (), NONE)
    assert states(list(client.upgrade_receipts(None, both))) == ["unchanged"]


def test_a_policy_that_does_not_name_the_ledger_is_told(client: VaultClient) -> None:
    client.write_entry(Draft(text="one"))
    with pytest.raises(ReceiptKeyUnknown):
        list(client.upgrade_receipts(None, Policy((), (), (), b"none")))


def test_a_policy_of_the_first_key_serves_after_the_ledger_has_another(scene: Scene, client: VaultClient) -> None:
    scene.add("one")
    policy = parse_policy(scene.policy())
    announce_rotation(scene.vault.parts, 0)
    finish_rotation(scene.vault.parts)
    client.write_entry(Draft(text="signed by the second key alone"))
    assert states(list(client.upgrade_receipts(None, policy))) == ["waiting"]


def test_an_item_that_is_not_there(client: VaultClient) -> None:
    with pytest.raises(ItemUnknown):
        list(client.upgrade_receipts(bytes(16)))


# a vault that lies


def upgraded_to(device: Device, client: VaultClient, lie: Any) -> list[Upgrade]:
    kept = client.items()[0]
    path = f"/v1/items/{b64(kept.id)}/revisions/1/receipt"
    device.network.rewrites[path] = lambda answer: {**answer, "receipt": lie(answer["receipt"])}
    return list(client.upgrade_receipts())


def test_a_receipt_of_another_deposit_of_the_same_bytes_is_refused_and_kept_as_evidence(
    scene: Scene, device: Device, client: VaultClient
) -> None:
    """Another time in all honesty of form: the ledger really holds this entry, and for the same bytes."""
    scene.add("one")
    kept = client.write_entry(Draft(text="one"))
    verified = kept.verified.commitment
    scene.vault.clock.advance(60)
    again = scene.vault.parts.ledger.commit(
        lambda _session, enter: enter([(verified.sha256, verified.size)])[0]
    )
    scene.look()
    with pytest.raises(ServerFault):
        upgraded_to(device, client, lambda _: scene.receipt(again.index))
    assert client.receipt(client.item(kept.id)).receipt == kept.receipt


def test_a_receipt_that_does_not_verify_replaces_nothing(scene: Scene, device: Device, client: VaultClient) -> None:
    scene.add("one")
    client.write_entry(Draft(text="one"))
    kept = client.write_entry(Draft(text="two"))
    scene.look()

    def spoil(text: str) -> str:
        receipt = parse_receipt(text.encode())
        return format_receipt(replace(receipt, proof=(bytes(32),) * len(receipt.proof))).decode()

    before = [client.receipt(item).receipt for item in client.items()]
    with pytest.raises(ReceiptNotIncluded):
        upgraded_to(device, client, spoil)
    assert [client.receipt(item).receipt for item in client.items()] == before
    assert kept.receipt in before


def test_a_stopped_ledger_keeps_what_was_written_on_the_device(scene: Scene, device: Device) -> None:
    scene.add("one")
    with device.log_in() as client:
        first = client.write_entry(Draft(text="one"))
        scene.lies["one"] = lambda _: Posted(409, "text/x.tlog.size", b"50\n")
        scene.look()
        with pytest.raises(Refused) as refused:
            client.write_entry(Draft(text="two"))
        assert (refused.value.code, refused.value.status) == ("ledger_stopped", 503)
        assert client.item(first.id).text == "one"
    assert device.opening().waiting == 1
    del scene.lies["one"]
    scene.vault.clock.advance(60)
    scene.look()
    with device.log_in() as client:
        assert sorted(str(item.text) for item in client.items()) == ["one", "two"]
