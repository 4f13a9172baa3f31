"""What a device keeps: pins, atomic files, locks."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from client_sdk.cli.failures import failure_of
from client_sdk.errors import VaultChanged
from client_sdk.home import DAMAGED, Home, Pin, read_file, write_file
from crypto_core.errors import CryptoCoreError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.note import SignerKey, format_vkey


def vkey(name: str) -> str:
    return format_vkey(SignerKey(name, make_bytes(32)).verifier)


def a_pin(name: str = "ledger/a") -> Pin:
    return Pin(make_id(), vkey(name), vkey("directory/a"))


def test_a_vault_is_pinned_at_its_host(tmp_path: Path) -> None:
    home, pin = Home(tmp_path / "home"), a_pin()
    assert home.vault_at("vault.example") is None and home.pin_of(pin.vault_id) is None and home.policy() is None
    home.pin("vault.example", pin)
    assert home.vault_at("vault.example") == pin.vault_id
    assert home.pin_of(pin.vault_id) == pin and home.pins() == [pin]
    assert home.folder.stat().st_mode & 0o777 == 0o700


def test_another_vault_at_a_known_host_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.pin("vault.example", a_pin())
    with pytest.raises(VaultChanged):
        home.pin("vault.example", a_pin())


def test_one_vault_may_have_two_addresses(tmp_path: Path) -> None:
    home, pin = Home(tmp_path), a_pin()
    for host in ("vault.example", "vault.onion"):
        home.pin(host, pin)
    assert len(home.pins()) == 1 and home.vault_at("vault.onion") == pin.vault_id


def test_a_policy_trusts_every_known_ledger_once(tmp_path: Path) -> None:
    home, ledger = Home(tmp_path), vkey("ledger/shared")
    for host in ("one.example", "two.example"):
        home.pin(host, Pin(make_id(), ledger, vkey("directory/x")))
    home.pin("three.example", a_pin("ledger/other"))
    policy = home.policy()
    assert policy is not None and len(policy.logs) == 2


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"vault_id":"00","ledger_vkey":"x","directory_vkey":"y"}'])
def test_a_damaged_pin_is_not_believed(tmp_path: Path, data: bytes) -> None:
    home, pin = Home(tmp_path), a_pin()
    home.pin("vault.example", pin)
    path = next((tmp_path / "vaults").iterdir())
    path.write_bytes(data)
    for look in (lambda: home.pin_of(pin.vault_id), home.pins):
        with pytest.raises(CryptoCoreError, match=f"vaults/{path.name}, kept on this device"):
            look()


def test_a_damaged_address_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.pin("vault.example", a_pin())
    path = next((tmp_path / "servers").iterdir())
    path.write_bytes(b"zz")
    with pytest.raises(CryptoCoreError, match=f"servers/{path.name}, kept on this device") as met:
        home.vault_at("vault.example")
    assert failure_of(met.value).sentence == DAMAGED, "nobody can send it again, as they could a receipt"


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "file"
    write_file(path, b"first")
    assert path.stat().st_mode & 0o777 == 0o600

    def full(_descriptor: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_file(path, b"second")
    assert read_file(path) == b"first" and [one.name for one in path.parent.iterdir()] == ["file"]
    assert read_file(tmp_path / "nothing") is None


def test_a_lock_holds_others_off(tmp_path: Path) -> None:
    account = Home(tmp_path).account(make_id(), make_id())
    order: list[str] = []

    def other() -> None:
        with account.lock():
            order.append("second")

    with account.lock():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_evidence_is_kept_once(tmp_path: Path) -> None:
    account = Home(tmp_path).account(make_id(), make_id())
    for data in (b"one", b"two", b"one"):
        account.keep_evidence("note", data)
    assert len(list((account.folder / "evidence").iterdir())) == 2
