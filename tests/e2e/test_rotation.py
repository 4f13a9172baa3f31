"""Real processes: a vault with two workers gets another key under way, with a person who writes, one who was away, a
witness, an auditor, and a stranger with receipts of every time; and what a thief's key comes to."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.e2e.test_witnesses import add, ledger_vkey, signers, wait_until
from tests.fakes.processes import BIN, Device, RealVault, clean_environment, serving
from tests.fakes.witnesses import RealWitness, witnessing


def rotation(vault: RealVault, *arguments: str) -> str:
    run = vault.command("rotation", *arguments)
    assert run.returncode == 0, run.stderr
    return run.stdout


def records_of(vault: RealVault, folder: Path) -> Path:
    """As somebody downloads them."""
    path = folder / "rotations"
    path.write_bytes((vault.data / "ledger.rotations").read_bytes())
    return path


def audited(vault: RealVault, state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "temoin", "audit", "follow", f"{vault.url}/ledger", "--state", state, "--once", *more],
        capture_output=True, text=True, env=clean_environment(), timeout=120,
    )


def write(device: Device, text: str) -> str:
    return str(device.ok("journal", "add", device.user, "--text", text, "--json").json["id"])


def cosigned(vault: RealVault, witness: RealWitness, size: int) -> bool:
    return signers(vault)[0] == size and witness.name in signers(vault)[1]


def test_the_key_is_replaced_while_everybody_goes_on(tmp_path: Path) -> None:
    with (
        witnessing(tmp_path, 1) as (witness,),
        serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault,
    ):
        first, state = ledger_vkey(vault), tmp_path / "state"
        witness.start([first])
        add(vault, "one", witness.vkey, witness.url)
        laptop = Device(tmp_path / "laptop", vault.url)
        laptop.register()
        phone = Device(tmp_path / "phone", vault.url)
        ids = [write(laptop, "with the first key")]
        phone.ok("journal", "show", laptop.user, ids[0])
        wait_until(lambda: cosigned(vault, witness, 1))
        assert audited(vault, state, "--vkey", first).returncode == 0

        assert "Both keys sign" in rotation(vault, "announce", "--overlap", "0")
        second = ledger_vkey(vault)
        assert second != first
        ids += [write(laptop, f"with both, {number}") for number in range(3)]  # whichever worker it is
        origin = first.partition("+")[0]
        wait_until(lambda: cosigned(vault, witness, 4) and signers(vault)[1].count(origin) == 2)
        followed = audited(vault, state)
        assert (followed.returncode, "a new key" in followed.stderr) == (0, True), followed
        laptop.ok("receipts", "export", laptop.user, ids[1], "-o", tmp_path / "both")

        witness.stop()
        witness.start([first], records=[records_of(vault, tmp_path)])
        rotation(vault, "finish")
        ids += [write(laptop, f"with the second, {number}") for number in range(3)]
        wait_until(lambda: cosigned(vault, witness, 7) and signers(vault)[1].count(origin) == 1)
        assert audited(vault, state).returncode == 0
        back = phone.run("journal", "add", phone.user, "--text", "from the telephone that was away", "--json")
        assert back.code == 0 and "warning" not in back.err.lower(), back

        out = tmp_path / "out"
        for one in ids:
            laptop.ok("receipts", "export", laptop.user, one, "-o", out)
        vault.stop()
        stranger = Device(tmp_path / "stranger", "http://127.0.0.1:1")
        known_first = tmp_path / "first.txt"
        known_first.write_text(f"log {first}\nquorum none\n")
        verified = 0
        for folder in (out, tmp_path / "both"):
            for sealed in folder.glob("*.sealed"):
                receipt = sealed.with_suffix(".tlog-proof")
                assert len(receipt.read_bytes()) < 2048
                both = ("--policy", known_first, "--rotations", tmp_path / "rotations")
                stranger.ok("verify", sealed, receipt, *both)
                stranger.ok("verify", sealed, receipt, "--policy", folder / "policy.txt")
                verified += 1
        assert verified == len(ids) + 1
        checked = vault.command("check", "--deep", "--json")
        assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, []), checked.stdout


def test_what_is_shared_after_a_rotation_is_opened_by_whoever_met_one_of_the_keys(tmp_path: Path) -> None:
    with serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault:
        first = ledger_vkey(vault)
        person = Device(tmp_path / "home", vault.url)
        person.register()
        ids = [write(person, "with the first key")]
        address, code = share(person, ids)
        early = Device(tmp_path / "early", vault.url)
        assert early.run("open-link", "-o", tmp_path / "before", secrets=[address, code]).code == 0

        rotation(vault, "announce", "--overlap", "0")
        rotation(vault, "finish")
        ids.append(write(person, "with the second"))
        address, code = share(person, ids)
        packs = [tmp_path / "early.zip", tmp_path / "late.zip"]
        for device, pack in zip((early, Device(tmp_path / "late", vault.url)), packs, strict=True):
            opened = device.run("open-link", "-o", pack, "--json", secrets=[address, code])
            assert (opened.code, opened.json["items"]) == (0, 2), opened
        vault.stop()

    known, records = tmp_path / "first.txt", records_of(vault, tmp_path)
    known.write_text(f"log {first}\nquorum none\n")
    expert = Device(tmp_path / "expert", "http://127.0.0.1:1")
    for pack in packs:
        said = expert.run("verify-pack", pack, "--json")
        assert (said.code, said.json["proven"], len(said.json["keys"])) == (0, 2, 2), said.out
        alone = expert.run("verify-pack", pack, "--policy", known, "--json")
        assert (alone.code, alone.json["outcome"], alone.json["findings"]) == (0, "valid", []), alone.out
        assert expert.run("verify-pack", pack, "--policy", known, "--rotations", records).code == 0
    assert expert.run("verify-pack", tmp_path / "before", "--policy", known, "--rotations", records).code == 0
    assert expert.run("verify-pack", packs[0], "--rotations", records).code == 2


def share(person: Device, ids: list[str]) -> tuple[str, str]:
    """An address and its code."""
    made = person.ok("share", "create", person.user, "--link", "--items", *ids, "--json").json
    return made["address"], made["code"]


def test_a_thief_who_puts_another_key_into_the_folder_signs_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data", TEMOIN_CHECKPOINT_INTERVAL="0") as vault:
        device = Device(tmp_path / "home", vault.url)
        device.register()
        write(device, "one")
        rotation(vault, "announce", "--overlap", "0")
        rotation(vault, "finish")
        write(device, "two")
        vault.stop()
        good = shutil.copy(vault.data / "ledger.key", tmp_path / "good.key")
        (vault.data / "ledger.key").write_text(f"{'A' * 43}\n")
        vault.start()
        assert "ledger_key_replaced" in (vault.data / "server.log").read_text()
        refused = device.run("journal", "add", device.user, "--text", "three")
        assert refused.code != 0
        assert vault.command("rotation", "announce").returncode == 1
        vault.stop()
        shutil.copy(good, vault.data / "ledger.key")
        vault.start()
        device.run("trust", "accept", device.user)
        write(Device(tmp_path / "new", vault.url), "three, from a device that was not lied to")
