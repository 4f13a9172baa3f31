"""Sharing with real processes: from being listed to a folder that anybody can check, by key and by link."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from crypto_core.receipts.note import SignerKey, format_vkey
from tests.fakes.processes import PASSWORD, PIN, Answer, Device, RealVault, serving

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPH = ROOT / "docs" / "demo" / "photograph.jpg"
OTHER_LEDGER = format_vkey(SignerKey("ledger.example/other", bytes(range(32))).verifier)
SENT_BY, SENT = "Ana Ķēniņa", "Je l’ai vu de ma fenêtre."
TEXT = "Ce soir-là, 21 h 30 <b>"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    with serving(tmp_path_factory.mktemp("vault") / "data") as running:
        yield running


@pytest.fixture
def person(vault: RealVault, tmp_path: Path, request: pytest.FixtureRequest) -> Device:
    made = Device(tmp_path / "home", vault.url, user=request.node.name)
    made.register()
    return made


def items(person: Device) -> list[str]:
    entry = person.ok("journal", "add", person.user, "--text", TEXT, "--happened", "2024-03", "--json").json["id"]
    document = person.ok("documents", "add", person.user, PHOTOGRAPH, "--json").json[0]["id"]
    return ["--items", entry, document]


def is_as_it_was(folder: Path) -> bool:
    [original] = (folder / "originals").iterdir()
    page = (folder / "index.html").read_text("utf-8")
    assert "Ce soir-là, 21 h 30 &lt;b&gt;" in page and original.name in page
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        assert sha256((folder / name).read_bytes()).hexdigest() == digest
    return original.read_bytes() == PHOTOGRAPH.read_bytes()


def holds(anybody: Device, pack: Path) -> None:
    """Verifies it, then with a changed byte, with a ledger that nobody trusts, and by sha256sum."""
    said = anybody.run("verify-pack", pack, "--json", secrets=[])
    assert said.code == 0, said.out
    assert (said.json["outcome"], said.json["items"], said.json["proven"]) == ("valid", 2, 2)
    assert len(said.json["receipts"]) == 3 and len(said.json["sender"]) == 64 and len(said.json["keys"]) == 1
    other = pack.parent / "other.txt"
    other.write_text(f"log {OTHER_LEDGER}\nquorum none\n", "utf-8")
    assert anybody.run("verify-pack", pack, "--policy", other, secrets=[]).code == 4
    if pack.is_dir():
        assert subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=pack, capture_output=True).returncode == 0
        page = pack / "index.html"
        right = page.read_bytes()
        page.write_bytes(right.replace(b"21 h 30", b"22 h 30"))
        told = anybody.run("verify-pack", pack, secrets=[])
        assert told.code == 1 and "index.html" in told.out and "(pack_changed)" in told.out
        page.write_bytes(right)


def code(answer: Answer) -> str:
    """The code of a refusal."""
    assert answer.code == 1, answer.err
    return answer.err.rpartition("(")[2].partition(")")[0]


def test_from_being_listed_to_being_refused(person: Device, vault: RealVault, tmp_path: Path) -> None:
    lawyer = Device(tmp_path / "lawyer", vault.url, user="lawyer")
    lawyer.register()
    asked = lawyer.ok("pro", "register", lawyer.user, "--name", "Claire Martin", "--org", "Rive", "--town", "Lyon",
                      "--kind", "lawyer", "--json").json  # fmt: skip
    assert (asked["state"], asked["name"]) == ("pending", "Claire Martin")
    assert code(lawyer.run("pro", "inbox", lawyer.user)) == "professional_needed"
    number = account_of(vault, "Claire Martin")
    wrong = vault.command("professionals", "approve", number, "--fingerprint", "0" * 40)
    assert wrong.returncode == 1
    listed = vault.command("professionals", "approve", number, "--fingerprint", asked["fingerprint"])
    assert listed.returncode == 0, listed.stderr

    [found] = person.ok("pro", "find", person.user, "martin", "lyon", "--json").json
    assert (found["fingerprint"], found["compared"]) == (asked["fingerprint"], "no")
    chosen = items(person)
    assert code(person.run("share", "create", person.user, "--to", "martin", *chosen)) == "pro_not_compared"
    entry = str(found["entry"])
    assert code(person.run("pro", "compare", person.user, entry, "--digits", "0" * 40)) == "digits_differ"
    person.ok("pro", "compare", person.user, entry, "--digits", asked["fingerprint"].replace(" ", ""))
    made = person.ok("share", "create", person.user, "--to", "martin", *chosen, "--openings", "2",
                     "--message", "Voilà", "--json").json  # fmt: skip

    [received] = lawyer.run("pro", "inbox", "--json", secrets=[lawyer.user, PASSWORD, PIN]).json
    assert received["bundle"] == made["bundle"]
    own = [lawyer.user, PASSWORD, PIN]
    opened = lawyer.run("pro", "open", made["bundle"], "-o", tmp_path / "pack", "--json", secrets=own).json
    holds(lawyer, tmp_path / "pack")
    assert (opened["message"], opened["items"], opened["missing"]) == ("Voilà", 2, [])
    assert is_as_it_was(tmp_path / "pack")
    log = person.ok("share", "log", person.user, made["bundle"], "--json").json
    assert (len(log["opened"]), log["openings"], log["why"], log["name"]) == (1, 2, None, "Claire Martin")
    assert code(lawyer.run("pro", "open", lawyer.user, made["bundle"], "-o", tmp_path / "pack")) == "file_exists"

    person.ok("share", "revoke", person.user, made["bundle"])
    assert lawyer.run("pro", "open", lawyer.user, made["bundle"], "-o", tmp_path / "again").code == 1
    assert lawyer.ok("pro", "inbox", lawyer.user, "--json").json == []
    [row] = person.ok("share", "list", person.user, "--json").json
    assert (row["why"], len(row["opened"])) == ("revoked", 1)


def test_by_link_and_code(person: Device, vault: RealVault, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("À vous seule.", "utf-8")
    words = ("--message-file", tmp_path / "words.txt")
    made = person.ok("share", "create", person.user, "--link", *items(person), *words, "--json").json
    address, spoken = made["address"], made["code"]
    assert address.startswith(f"{vault.url}/app#b")
    stranger = Device(tmp_path / "stranger", vault.url)
    wrong = f"{(int(spoken.replace(' ', '')) + 1) % 10**8:08}"
    assert code(stranger.run("open-link", "-o", tmp_path / "never", secrets=[address, wrong])) == "code_wrong"
    opened = stranger.run("open-link", "-o", tmp_path / "pack", "--json", secrets=[address, spoken])
    assert opened.code == 0, opened.err
    assert (opened.json["items"], opened.json["message"]) == (2, "À vous seule.")
    assert is_as_it_was(tmp_path / "pack")
    holds(stranger, tmp_path / "pack")
    pasted = stranger.run("open-link", address, "-o", tmp_path / "pack.zip", secrets=[spoken])
    assert pasted.code == 0 and "other programs on this device can see it" in pasted.err
    assert address.partition("#")[2] not in pasted.err + pasted.out
    holds(stranger, tmp_path / "pack.zip")
    fragment = "#" + address.partition("#")[2]
    for _ in range(5):
        answer = stranger.run("open-link", vault.url, "-o", tmp_path / "never", secrets=[fragment, wrong])
        assert code(answer) == "code_wrong"
    assert code(stranger.run("open-link", "-o", tmp_path / "never", secrets=[address, spoken])) == "bundle_over"
    [row] = person.ok("share", "list", person.user, "--json").json
    assert (row["why"], len(row["opened"])) == ("codes", 2)
    assert not (tmp_path / "never").exists()


def holds_words(anybody: Device, pack: Path, deposited: Answer) -> None:
    """The depositor's own words are in it with a receipt of theirs, and any byte of them that is changed is named."""
    said = anybody.run("verify-pack", pack, "--json", secrets=[])
    assert (said.code, said.json["outcome"], said.json["items"], said.json["proven"]) == (0, "valid", 2, 2), said.out
    name = f"sealed/{deposited.json['deposit']}.sealed"
    [receipt] = [one for one in said.json["receipts"] if one["name"] == name]
    words = pack / name
    right = words.read_bytes()
    assert sha256(right).hexdigest() == deposited.json["sealed"]
    assert receipt["claimed_time"] <= deposited.json["deposited"]
    page = (pack / "index.html").read_text("utf-8")
    assert page.count(SENT_BY) == 1 and page.count(SENT) == 1 and page.count("put in with these words") == 1
    words.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    told = anybody.run("verify-pack", pack, secrets=[])
    assert told.code == 1 and name in told.out and "(pack_changed)" in told.out
    words.write_bytes(right)


def test_what_somebody_put_in_is_handed_on_with_their_own_words(
    person: Device, vault: RealVault, tmp_path: Path
) -> None:
    box = person.ok("box", "create", person.user, "--name", "Ma sœur", "--json").json
    sister = Device(tmp_path / "sister", vault.url)
    deposited = sister.run(
        "box", "deposit", PHOTOGRAPH, "--from", SENT_BY, "--message", SENT, "-o", tmp_path / "receipts", "--json",
        secrets=[box["address"]],
    )
    assert deposited.code == 0, deposited.err
    auditor = Device(tmp_path / "auditor", vault.url)  # who never met this vault
    receipts = tmp_path / "receipts"
    said = auditor.run(
        "verify", "--sha256", deposited.json["sealed"], receipts / "words.tlog-proof", "--policy",
        receipts / "policy.txt", "--json", secrets=[],
    )
    assert (said.code, said.json["claimed_time"]) == (0, deposited.json["deposited"]), said.err
    item = person.ok("box", "accept", person.user, box["box"], deposited.json["deposit"], "--json").json["id"]
    own = person.ok("journal", "add", person.user, "--text", TEXT, "--json").json["id"]
    chosen = ["--items", own, "--items", item]

    made = person.ok("share", "create", person.user, "--link", *chosen, "--json").json
    stranger = Device(tmp_path / "stranger", vault.url)
    opened = stranger.run("open-link", "-o", tmp_path / "by-link", secrets=[made["address"], made["code"]])
    assert opened.code == 0, opened.err
    holds_words(stranger, tmp_path / "by-link", deposited)

    doctor = Device(tmp_path / "doctor", vault.url, user="doctor")
    doctor.register()
    entry = become_listed(vault, doctor, "Yasmine Haddad")
    made = person.ok("share", "create", person.user, "--to", entry, "--not-compared", *chosen, "--json").json
    doctor.ok("pro", "open", doctor.user, made["bundle"], "-o", tmp_path / "by-key")
    holds_words(doctor, tmp_path / "by-key", deposited)


def account_of(vault: RealVault, name: str) -> str:
    """Of who asks to be listed under this name; others may have been before."""
    rows = json.loads(vault.command("professionals", "list", "--json").stdout)
    [number] = [one["account"] for one in rows if one["asked"] and one["asked"]["name"] == name]
    return str(number)


def become_listed(vault: RealVault, professional: Device, name: str) -> str:
    """Asks, and is approved; gives the entry's number."""
    asked = professional.ok("pro", "register", professional.user, "--name", name, "--org", "Rive", "--town", "Lyon",
                            "--kind", "doctor", "--json").json  # fmt: skip
    listed = vault.command("professionals", "approve", account_of(vault, name), "--fingerprint", asked["fingerprint"])
    assert listed.returncode == 0, listed.stderr
    [found] = professional.ok("pro", "find", professional.user, name, "--json").json
    return str(found["entry"])
