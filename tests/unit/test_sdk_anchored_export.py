"""What is exported once an authority has stamped the ledger: a set of files that proves its time without anybody."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from client_sdk.anchors import AnchoredReceipt, Authorities, Before, verify_anchored
from client_sdk.auditor import Auditor
from client_sdk.client import Draft
from client_sdk.dossier import export_receipts
from client_sdk.errors import LedgerForked
from client_sdk.replica import record_name
from crypto_core.encoding import format_b64, format_b64url
from crypto_core.receipts.anchor import parse_certificates
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.merkle import hash_children
from crypto_core.receipts.note import sign_note
from crypto_core.receipts.policy import parse_policy
from server.anchors.authority import Authority
from server.anchors.service import take_anchor
from server.problems import Refusal
from tests.fakes import authority as fakes
from tests.fakes.devices import Device, make_device, register
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
ANCHORS = "/v1/ledger/anchors"


@pytest.fixture
def laptop(vault: FakeVault, tmp_path: Path) -> Device:
    vault.clock.time = int(time.time())  # an authority's time is the machine's
    device = make_device(vault, tmp_path / "laptop")
    register(device)
    return device


@pytest.fixture
def tsa(tmp_path: Path) -> fakes.Authority:
    return fakes.make_authority(tmp_path / "tsa")


@pytest.fixture
def stamp(vault: FakeVault, tsa: fakes.Authority) -> Iterator[Callable[[], None]]:
    """Has the ledger stamped."""
    with fakes.serving_authority(tsa) as url:
        authority = Authority(url, parse_certificates(tsa.both_file.read_bytes()))

        def taken() -> None:
            assert take_anchor(vault.parts, authority) is not None

        yield taken
        authority.close()


def exported(device: Device, item: bytes, out: Path) -> Path:
    """The sealed record, in a folder with what belongs to it."""
    with device.log_in() as client:
        files = export_receipts(client, client.item(item), out)
    assert {one.name for one in files} == {one.name for one in out.iterdir()}
    (sealed,) = out.glob("*.sealed")
    return sealed


def prove(sealed: Path, tsa: fakes.Authority) -> AnchoredReceipt:
    """As whoever holds the folder and the authority's root does."""
    policy = parse_policy((sealed.parent / "policy.txt").read_bytes())
    receipt = Auditor.check_receipt(sealed, sealed.with_suffix(".tlog-proof").read_bytes(), policy)
    links = parse_certificates(sealed.with_suffix(".chain.pem").read_bytes())
    before = sealed.with_suffix(".before.note")
    return verify_anchored(
        receipt, sealed.with_suffix(".tsr").read_bytes(), Authorities([tsa.root.certificate], links), policy,
        Before(before.read_bytes(), sealed.with_suffix(".before.tsr").read_bytes()) if before.exists() else None,
    )


def test_the_folder_proves_the_authoritys_time(
    laptop: Device, tsa: fakes.Authority, stamp: Callable[[], None], tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        first = client.write_entry(Draft(text="first"))
        stamp()
        second = client.write_entry(Draft(text="second"))
        client.write_entry(Draft(text="third"))
        stamp()
        client.write_entry(Draft(text="after"))
    anchored = prove(exported(laptop, second.id, tmp_path / "out"), tsa)
    assert (anchored.receipt.index, anchored.receipt.checkpoint.size) == (1, 3)
    assert anchored.before is not None and anchored.before.latest <= anchored.token.latest
    alone = prove(exported(laptop, first.id, tmp_path / "first"), tsa)
    assert (alone.receipt.checkpoint.size, alone.before) == (1, None)
    assert abs(anchored.bound_time - time.time()) < 60


def test_a_receipt_that_more_have_signed_is_exported_as_it_is(
    laptop: Device, stamp: Callable[[], None], tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))
        stamp()
        held = kept.receipt + f"\u2014 witness.example {format_b64(bytes(76))}\n"
        session = client._opened().session
        session.replica.keep_receipt(record_name(kept.id, kept.revision), held)
        export_receipts(client, client.item(kept.id), tmp_path / "out")
    (proof,) = (tmp_path / "out").glob("*.tlog-proof")
    assert proof.read_text() == held
    assert not list((tmp_path / "out").glob("*.tsr"))


def test_the_readmes_other_ways_are_ways(
    laptop: Device, tsa: fakes.Authority, stamp: Callable[[], None], tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))
    stamp()
    sealed = exported(laptop, kept.id, tmp_path / "out")
    (sealed.parent / "ROOT.pem").write_bytes(tsa.root.pem)
    lines = (sealed.parent / "README.txt").read_text().split("3. The token, with OpenSSL.")[1].splitlines()
    commands = [line.strip().replace("NAME", sealed.stem) for line in lines if line.startswith("       ")]
    assert len(commands) == 2
    runs = [subprocess.run(one, shell=True, cwd=sealed.parent, capture_output=True, text=True) for one in commands]
    assert [ran.returncode for ran in runs] == [0, 0], runs
    assert "Verification: OK" in runs[1].stdout + runs[1].stderr


def test_before_anybody_has_stamped_it_there_is_a_receipt(
    laptop: Device, stamp: Callable[[], None], tmp_path: Path
) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="stamped"))
        stamp()
        kept = client.write_entry(Draft(text="x"))
    sealed = exported(laptop, kept.id, tmp_path / "out")
    assert {one.name for one in sealed.parent.iterdir()} == {
        sealed.name, f"{sealed.stem}.tlog-proof", "policy.txt", "README.txt",
    }  # fmt: skip


def test_a_vault_that_knows_no_anchors(laptop: Device, tmp_path: Path, vault: FakeVault) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))

    def unknown() -> NoReturn:
        raise Refusal("not_found")

    vault.app.view_functions["ledger.get_anchors"] = unknown
    assert exported(laptop, kept.id, tmp_path / "out").with_suffix(".tlog-proof").exists()


# a vault that lies


def lie(device: Device, change: Callable[[dict[str, Any]], object]) -> None:
    def rewrite(answer: Any) -> Any:
        change(answer["covering"])
        return answer

    device.network.rewrites[ANCHORS] = rewrite


@pytest.mark.parametrize(
    "change",
    [
        lambda covering: covering.update(checkpoint="nonsense"),
        lambda covering: covering.update(checkpoint=covering["checkpoint"].replace("\n1\n", "\n2\n")),
        lambda covering: covering.update(size=2),
    ],
    ids=["no note", "a note that is changed", "another size"],
)
def test_an_anchor_that_does_not_fit_leaves_the_receipt_as_it_is(
    laptop: Device, stamp: Callable[[], None], tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))
        stamp()
        client.write_entry(Draft(text="y"))
    lie(laptop, change)
    sealed = exported(laptop, kept.id, tmp_path / "out")
    policy = parse_policy((sealed.parent / "policy.txt").read_bytes())
    proof = sealed.with_suffix(".tlog-proof").read_bytes()
    assert Auditor.check_receipt(sealed, proof, policy).checkpoint.size == 1
    assert not sealed.with_suffix(".tsr").exists()


def test_a_stamped_history_that_is_another_one_is_a_fork(
    vault: FakeVault, laptop: Device, stamp: Callable[[], None], tmp_path: Path
) -> None:
    """The vault has another ledger stamped than it showed this device."""
    with laptop.log_in() as client:
        kept = client.write_entry(Draft(text="x"))
        client.write_entry(Draft(text="y"))
        stamp()
        leaf = client.receipt(client.item(kept.id)).verified.checkpoint.root
    text = format_checkpoint(Checkpoint(vault.parts.ledger.origin, 2, hash_children(leaf, bytes(32))))
    note = sign_note(text, vault.parts.ledger.signer)
    lie(laptop, lambda covering: covering.update(checkpoint=note, size=2))
    laptop.network.rewrites["/v1/ledger/inclusion"] = lambda answer: answer | {"proof": [format_b64url(bytes(32))]}
    with pytest.raises(LedgerForked):
        exported(laptop, kept.id, tmp_path / "out")
    assert [one.code for one in laptop.opening().warnings] == ["ledger_forked"]
