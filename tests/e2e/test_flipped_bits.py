"""One flipped bit, at every byte of a small sealed blob and of its receipt from a real vault: each is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client_sdk.auditor import Auditor
from client_sdk.client import Draft, VaultClient
from client_sdk.dossier import export_receipts
from crypto_core.errors import MalformedError, TamperedError, VerificationError
from crypto_core.receipts.policy import parse_policy
from crypto_core.sealing.records import open_record, seal_record
from tests.fakes.processes import PASSWORD, PIN, USER, serving


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flips")
    with serving(folder / "data") as vault:
        with VaultClient.connect(vault.url, folder / "home") as client:
            client.register(client.make_account(USER, PASSWORD, PIN))
            client.log_in(USER, PASSWORD, PIN)
            kept = client.write_entry(Draft(text="one small entry"))
            export_receipts(client, client.item(kept.id), folder / "out")
    return folder / "out"


def flips(data: bytes) -> Iterator[tuple[int, bytes]]:
    for place in range(len(data)):
        yield place, data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_a_flip_in_the_blob_is_other_bytes_to_the_auditor(exported: Path, tmp_path: Path) -> None:
    (sealed,) = exported.glob("*.sealed")
    receipt = sealed.with_suffix(".tlog-proof").read_bytes()
    policy = parse_policy((exported / "policy.txt").read_bytes())
    assert Auditor.check_receipt(sealed, receipt, policy).outcome == "valid"
    changed = tmp_path / "changed"
    for place, data in flips(sealed.read_bytes()):
        changed.write_bytes(data)
        with pytest.raises(VerificationError) as refusal:
            Auditor.check_receipt(changed, receipt, policy)
        assert refusal.value.code == "receipt_other_bytes", place


def test_a_flip_in_the_receipt_is_refused(exported: Path) -> None:
    (sealed,) = exported.glob("*.sealed")
    receipt = sealed.with_suffix(".tlog-proof").read_bytes()
    policy = parse_policy((exported / "policy.txt").read_bytes())
    codes = set()
    for _, data in flips(receipt):
        with pytest.raises(VerificationError) as refusal:
            Auditor.check_receipt(sealed, data, policy)
        codes.add(refusal.value.code)
    assert {"receipt_malformed", "receipt_other_bytes", "receipt_not_included", "receipt_signature"} <= codes


def test_a_flip_in_a_sealed_record_does_not_open() -> None:
    key, item = bytes(range(32)), bytes(16)
    sealed = seal_record(key, item, 1, b'{"v":1}')
    assert open_record(key, item, 1, sealed) == b'{"v":1}'
    for _, data in flips(sealed):
        with pytest.raises((TamperedError, MalformedError)):
            open_record(key, item, 1, data)
