"""An evidence pack as the SDK writes it from the server: whatever is done to it, the file at fault is named."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk.cli.opened_pack import unfinished
from client_sdk.client import Draft
from client_sdk.dossier import POLICY, PROOF, SEALED
from client_sdk.errors import NetworkError, Refused
from client_sdk.items import Content
from client_sdk.opening import OpenedBundle, parse_manifest
from client_sdk.packs.pack import (
    CHECKPOINT, CONSISTENCY, MANIFEST, PAGE, SIGNATURE, SUMS, VERIFIER, Written, format_sums, original_name,
    record_stem, write_pack,
)
from client_sdk.packs.check import PackReport, check_pack
from client_sdk.packs.errors import PackMalformed
from client_sdk.packs.sink import open_sink
from client_sdk.packs.source import FolderSource, ZipSource, open_source
from client_sdk.professional import load_identity
from client_sdk.sharing import Sharing
from crypto_core.encoding import ID_SIZE, format_json, parse_json
from crypto_core.randomness import make_bytes
from crypto_core.receipts.note import MAX_NOTE_SIZE, SignerKey, format_vkey
from crypto_core.receipts.policy import MAX_POLICY_SIZE, Policy
from crypto_core.receipts.receipt import parse_receipt
from crypto_core.receipts.signatures import SIGNATURE_SIZE
from crypto_core.sealing.sharing import sign_manifest
from tests.fakes.devices import PASSWORD, PIN, make_device, register, stretch_once
from tests.fakes.received import receive
from tests.fakes.recorded import record_film
from tests.fakes.vault import fake_vault

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "auditor.md"
FILE = make_bytes(40_000)
MOST = 40
"""Characters of a made-up name."""
PLACES, BITS = st.integers(0, 10**9), st.integers(0, 7)
"""A place is taken modulo what there is."""


@dataclass(frozen=True)
class Made:
    """A pack as files, the same as a ZIP file, and what was said of it."""

    files: Mapping[str, bytes]
    zip: bytes
    written: Written
    policy: Policy
    seed: bytes
    """Of the key that signed it."""


@dataclass(frozen=True)
class MemorySource:
    """A pack that lies nowhere."""

    files: Mapping[str, bytes]
    odd: Mapping[str, str]

    @property
    def names(self) -> Mapping[str, int]:
        return {name: len(data) for name, data in self.files.items()}

    def blocks(self, name: str) -> Iterator[bytes]:
        yield self.files[name]


def check(files: Mapping[str, bytes], policy: Policy | None = None) -> PackReport:
    return check_pack(MemorySource(files, {}), policy)


def faults(files: Mapping[str, bytes], policy: Policy | None = None) -> set[tuple[str, str]]:
    return {(one.name, one.error.code) for one in check(files, policy).findings}


def named(files: Mapping[str, bytes]) -> set[str]:
    return {name for name, _ in faults(files)}


def put(files: Mapping[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def summed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same with new sums: whoever can change a file can change these as well."""
    sums = {name: sha256(data).hexdigest() for name, data in files.items() if name != SUMS}
    return {**files, SUMS: format_sums(sums)}


def write(opened: OpenedBundle, policy: Policy, target: Path) -> Written:
    with open_sink(target) as sink:
        return write_pack(opened, policy, sink)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("pack")
    with pytest.MonkeyPatch.context() as patch, fake_vault(folder / "vault") as vault:
        stretch_once(patch)
        person, reader = make_device(vault, folder / "person"), make_device(vault, folder / "reader")
        register(person)
        photograph = folder / "photo <1>.jpg"
        photograph.write_bytes(FILE)
        client, stranger = person.log_in(), reader.client()
        kept = [client.write_entry(Draft("What happened", title="Evening")), client.add_document(photograph)]
        kept.append(record_film(client, folder, (FILE[:30_000], FILE[30_000:]), FILE))
        kept.append(client.write_entry(Draft("Something else")))
        kept.append(receive(client, stranger, vault.clock.now(), photograph).kept)
        sharing = Sharing([(one.id, 1) for one in kept], None, expires=vault.clock.now() + 86_400, openings=9)
        bundle = client.shares.make(sharing)
        client.shares.send(bundle, client.account.confirm(PASSWORD, PIN))
        assert bundle.link is not None
        opened, policy = stranger.open_link(bundle.link.fragment, bundle.link.code), stranger.known_policy()
        client.write_entry(Draft("Not shared"))  # the ledger grows between the receipts of records and those of files
        vault.clock.advance(120)
        written = [write(opened, policy, target) for target in (folder / "made", folder / "made.zip")]
        source = FolderSource(folder / "made")
        files = {name: b"".join(source.blocks(name)) for name in source.names}
        seed = load_identity(client._opened().session).sign_seed
        client.close()
        stranger.close()
        yield Made(files, (folder / "made.zip").read_bytes(), written[0], policy, seed)


def test_a_pack_holds(made: Made) -> None:
    report = check(made.files)
    assert (report.findings, report.outcome) == ((), "valid")
    assert (report.items, report.proven, len(report.receipts), report.beyond) == (5, 5, 10, 0)
    assert report.checkpoint is not None and report.keys == tuple(format_vkey(log.key) for log in made.policy.logs)
    assert made.written.refused == () and made.written.ledger is None
    assert made.written.verifier == (VERIFIER in made.files)
    trees = {receipt.checkpoint.size for receipt in report.receipts.values()}
    proofs = {int(name.rpartition("/")[2]) for name in made.files if name.startswith(CONSISTENCY)}
    assert proofs == trees - {report.checkpoint.size} != set()
    assert made.files["originals/002-01-photo _1_.jpg"] == made.files["originals/003-01-film.webm"] == FILE
    assert check(made.files, made.policy).outcome == "valid"


def test_a_zip_file_holds_the_same(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    path.write_bytes(made.zip)
    with ZipSource(path) as source:
        files = {name: b"".join(source.blocks(name)) for name in source.names}
        assert check_pack(source).outcome == "valid"
    assert files == made.files
    with zipfile.ZipFile(path) as entries:
        assert {one.compress_type for one in entries.infolist()} == {zipfile.ZIP_STORED}


def test_a_folder_that_somebody_packed_holds(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as entries:
        entries.mkdir("received")
        for name, data in made.files.items():
            entries.writestr(f"received/{name}", data)
    with ZipSource(path) as source:
        assert check_pack(source).outcome == "valid"


def test_what_a_mac_packs_beside_the_folder_is_named_and_nothing_else(made: Made, tmp_path: Path) -> None:
    path, beside = tmp_path / "again.zip", "__MACOSX/received/._index.html"
    with zipfile.ZipFile(path, "w") as entries:
        entries.writestr(beside, b"attributes")
        for name, data in made.files.items():
            entries.writestr(f"received/{name}", data)
    with ZipSource(path) as source:
        report = check_pack(source)
    assert [(one.name, one.error.code) for one in report.findings] == [(beside, "pack_extra")]
    assert report.outcome == "invalid" and report.proven == report.items


# A byte


def holder(files: Mapping[str, bytes], name: str, at: int) -> set[str]:
    """Who may be named for a changed byte: the file; in SHA256SUMS also the file of that line, where the sums are all
    that holds it."""
    if name != SUMS:
        return {name}
    line = files[SUMS][:at].count(b"\n")
    lines = files[SUMS].decode("utf-8").splitlines()
    return {SUMS, *(one.partition("  ")[2] for one in lines[line : line + 2])}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1000), PLACES, BITS)
def test_any_changed_byte_is_named(made: Made, which: int, place: int, bit: int) -> None:
    name = sorted(made.files)[which % len(made.files)]
    assert_named(made, name, place % len(made.files[name]), bit)


def assert_named(made: Made, name: str, at: int, bit: int) -> None:
    changed = bytearray(made.files[name])
    changed[at] ^= 1 << bit
    report = check({**made.files, name: bytes(changed)})
    found = {one.name for one in report.findings}
    assert report.outcome == "invalid"
    if name == SUMS:
        assert found & holder(made.files, name, at)
    else:
        assert found == {name}


def test_a_changed_byte_of_each_file_is_named(made: Made) -> None:
    for name, data in made.files.items():
        for at in {0, len(data) // 2, len(data) - 1}:
            assert_named(made, name, at, 0)


def test_a_changed_byte_is_named_though_the_sums_were_changed_too(made: Made) -> None:
    """All but what is for reading: who changes a page and the sums isn't seen."""
    for name, data in made.files.items():
        if name in (SUMS, PAGE, VERIFIER):
            continue
        changed = bytearray(data)
        changed[len(data) // 2] ^= 1
        assert check(summed({**made.files, name: bytes(changed)})).outcome != "valid", name
        if name.endswith(SEALED) or name.startswith("originals"):
            assert (name, "pack_other") in faults(summed({**made.files, name: bytes(changed)}))


def test_a_cut_file_and_a_longer_one_are_named(made: Made) -> None:
    for name, data in made.files.items():
        for other in (data[:-1], data + b"\0", b""):
            found = named({**made.files, name: other})
            assert found == {name} if name != SUMS else found, name


# A file


def test_a_missing_file_is_named(made: Made) -> None:
    for name in made.files:
        rest = {one: data for one, data in made.files.items() if one != name}
        assert faults(rest) == {(name, "pack_missing")}, name


def test_a_missing_file_is_named_though_the_sums_know_nothing_of_it(made: Made) -> None:
    for name in made.files:
        if name in (SUMS, VERIFIER):
            continue
        found = named(summed({one: data for one, data in made.files.items() if one != name}))
        assert name in found or name == CHECKPOINT and any(one.startswith(CONSISTENCY) for one in found), name


def test_a_signed_file_of_which_the_sums_know_nothing_is_missed_and_not_yet_verifiable(made: Made) -> None:
    """As a pack is written where the vault did not give it."""
    for name in made.files:
        if not name.startswith(("sealed/", "originals/")):
            continue
        rest = summed({one: data for one, data in made.files.items() if one != name})
        report = check(rest)
        assert faults(rest) == {(name, "pack_incomplete")}
        assert (report.outcome, report.proven) == ("not_yet", report.items - 1), name


def test_an_item_that_is_not_there_at_all_is_told(made: Made) -> None:
    """It has no files: those of an item that has would be left over."""
    stem = record_stem(parse_manifest(made.files[MANIFEST])["items"][0]["item"], 1)
    rest = summed({name: data for name, data in made.files.items() if not name.startswith(stem)})
    assert len(rest) == len(made.files) - 2
    report = check(rest)
    assert faults(rest) == {(stem + SEALED, "pack_incomplete")}
    assert (report.outcome, report.items, report.proven) == ("not_yet", 5, 4)


def test_a_depositors_words_that_are_not_there_at_all_are_told(made: Made) -> None:
    """The item is, and repeats them; when they were deposited is lost with them."""
    [name] = [name for name, data in made.files.items() if name.endswith(SEALED) and is_words(made, name)]
    rest = summed({one: data for one, data in made.files.items() if not one.startswith(name.removesuffix(SEALED))})
    assert len(rest) == len(made.files) - 2
    report = check(rest)
    assert faults(rest) == {(name, "pack_incomplete")}
    assert (report.outcome, report.items, report.proven) == ("not_yet", 5, 4)


def is_words(made: Made, name: str) -> bool:
    """Whether a sealed file is a depositor's words: its receipt stands where the manifest says that theirs does."""
    words = [one.get("words") for one in parse_manifest(made.files[MANIFEST])["items"]]
    return check(made.files).receipts[name].index in words


def test_a_file_that_was_put_there_is_named(made: Made) -> None:
    for name in ("readme.txt", "sealed/extra.bin", "consistency/1000", "originals/009-01-other.jpg"):
        more = {**made.files, name: b"other"}
        assert faults(more) == {(name, "pack_extra")}
        assert faults(summed(more)) == {(name, "pack_extra")}


def test_a_sealed_file_of_something_else_is_named(made: Made) -> None:
    stem = next(name for name in made.files if name.startswith("sealed/") and "-" not in name).partition(".")[0]
    copied = {f"sealed/{'0' * 32}{end}": made.files[stem + end] for end in (SEALED, PROOF)}
    assert named(summed({**made.files, **copied})) == copied.keys()


def test_two_files_that_changed_places_are_named(made: Made) -> None:
    """Or the receipt of one is, where the record that would say which of the two is wrong is the other."""
    for one, other in combinations([name for name in made.files if name.endswith(SEALED)], 2):
        found = named(summed({**made.files, one: made.files[other], other: made.files[one]}))
        assert {one, one.removesuffix(SEALED) + PROOF} & found and {other, other.removesuffix(SEALED) + PROOF} & found
        assert {one, other} & found


# A key


def test_a_ledger_that_nobody_trusts_is_not_yet_verifiable(made: Made) -> None:
    other = Policy.for_key(format_vkey(SignerKey("ledger.example/other", make_bytes(32)).verifier))
    report = check(made.files, other)
    assert report.outcome == "not_yet" and report.proven == 0 and report.receipts == {}
    proofs = {name for name in made.files if name.endswith(PROOF)}
    assert {(one.name, one.error.code) for one in report.findings} == {
        (CHECKPOINT, "note_key_unknown"), *((name, "receipt_key_unknown") for name in proofs),
    }


def test_a_policy_that_cant_be_read_is_named_alone(made: Made) -> None:
    assert faults(summed({**made.files, "policy.txt": b"quorum\n"})) == {("policy.txt", "pack_malformed")}


def test_another_signature_is_named(made: Made) -> None:
    forged = {**made.files, SIGNATURE: bytes(64).hex().encode() + b"\n"}
    assert faults(summed(forged)) == {(SIGNATURE, "bundle_signature")}
    assert check(summed(forged)).sender is None
    assert (MANIFEST, "pack_malformed") in faults(summed({**made.files, MANIFEST: b"[]"}))


@pytest.mark.parametrize(("said", "ending"), [("size", SEALED), ("index", PROOF)])
def test_what_a_sender_signs_of_an_item_must_be_so(made: Made, said: str, ending: str) -> None:
    """A record of another size, or the receipt of another deposit of the same bytes, is named though it was signed."""
    facts = parse_json(made.files[MANIFEST])
    assert isinstance(facts, dict)
    named = parse_manifest(made.files[MANIFEST])["items"][0]
    facts["items"][0][said] += 1
    json = format_json(facts)
    signature = sign_manifest(json, made.seed).hex().encode() + b"\n"
    report = check(summed({**made.files, MANIFEST: json, SIGNATURE: signature}))
    assert report.sender == parse_manifest(json)["sender"]
    assert [(one.name, one.error.code) for one in report.findings] == [
        (record_stem(named["item"], named["revision"]) + ending, "pack_other")
    ]


def test_sums_are_one_of_each_other_file_or_none(made: Made) -> None:
    line, _, _ = made.files[SUMS].decode().partition("\n")
    for more in (line, f"{line[:64]}  {SUMS}", line.upper(), line[:64]):
        assert faults({**made.files, SUMS: made.files[SUMS] + f"{more}\n".encode()}) == {(SUMS, "pack_malformed")}, more
    assert faults({**made.files, SUMS: made.files[SUMS][:-1]}) == {(SUMS, "pack_malformed")}


@pytest.mark.parametrize(("name", "most"), [
    (POLICY, MAX_POLICY_SIZE), (CHECKPOINT, MAX_NOTE_SIZE), (SIGNATURE, 2 * SIGNATURE_SIZE + 1),
])
def test_what_is_held_whole_is_not_read_where_it_is_far_too_long(made: Made, name: str, most: int) -> None:
    for size, is_long in ((most, False), (most + 1, True)):
        findings = check(summed({**made.files, name: bytes(size)})).findings
        said = [one.error.detail for one in findings if one.name == name and isinstance(one.error, PackMalformed)]
        assert ("far too long" in said) == is_long and said


def test_a_pack_leads_to_no_state_of_the_ledger_that_one_of_its_receipts_is_no_beginning_of(made: Made) -> None:
    assert check(made.files).checkpoint is not None
    name = next(name for name in made.files if name.startswith(CONSISTENCY))
    report = check(summed({**made.files, name: made.files[name] + b"x\n"}))
    assert [one.name for one in report.findings] == [name] and report.checkpoint is None


def test_another_checkpoint_than_was_summed_leads_nowhere(made: Made) -> None:
    """Though the ledger signed it."""
    notes = {parse_receipt(data).note.encode() for name, data in made.files.items() if name.endswith(PROOF)}
    other = min(notes - {made.files[CHECKPOINT]})
    report = check({**made.files, CHECKPOINT: other})
    assert [(one.name, one.error.code) for one in report.findings] == [(CHECKPOINT, "pack_changed")]
    assert report.checkpoint is None


def test_another_policy_than_was_summed_names_no_key(made: Made) -> None:
    """Though it can be read."""
    report = check({**made.files, POLICY: made.files[POLICY] + b"# as it was sent\n"})
    assert [(one.name, one.error.code) for one in report.findings] == [(POLICY, "pack_changed")]
    assert (report.keys, report.receipts, report.proven) == ((), {}, 0) and check(made.files).keys != ()


# Nobody's tool


def test_the_auditors_guide_checks_it_with_nobodys_tool(made: Made, tmp_path: Path) -> None:
    blocks = re.findall(r"^```(python|sh)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    [check_py] = [text for _, text in blocks if "RFC 6962" in text]
    [sums] = [text for _, text in blocks if "-c SHA256SUMS" in text]
    [sender] = [text for language, text in blocks if "bundle-sig" in text and language == "python"]
    [signed] = [text for _, text in blocks if "sender.sig" in text and "openssl" in text]
    put(made.files, tmp_path)
    (tmp_path / "check.py").write_text(check_py, "utf-8")
    script = f"{sums}\npython3 - <<'END'\n{sender}END\n{signed}".replace("python3", sys.executable)
    environment = {"KEY": format_vkey(made.policy.logs[0].key), "PATH": "/usr/bin:/bin"}
    followed = subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert followed.returncode == 0, followed.stderr
    said = followed.stdout.splitlines()
    assert said[-1].startswith("Signature Verified")
    assert sum(line.endswith(": OK") for line in said) == len(made.files) - 1
    told = [line[:64] for line in said if "sealed/" in line and not line.endswith(": OK") or "entry" in line]
    assert len(told) == 20 and told[::2] == told[1::2]
    (tmp_path / MANIFEST).write_bytes(made.files[MANIFEST] + b" ")
    again = script[len(sums):]
    assert subprocess.run(["sh", "-e", "-c", again], cwd=tmp_path, capture_output=True, env=environment).returncode != 0


# Traps


def zipped(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return path


def link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "entry",
    ["../outside", "sealed/../../outside", "/etc/passwd", "c:\\x", "a\\b", "a//b", "./a", link("sealed/link"), PAGE],
)
def test_a_trap_in_a_zip_file_is_named_and_not_read(made: Made, tmp_path: Path, entry: zipfile.ZipInfo | str) -> None:
    path = tmp_path / "made.zip"
    path.write_bytes(made.zip)
    name = entry if isinstance(entry, str) else entry.filename
    with ZipSource(zipped(path, (entry, b"other"))) as source:
        assert name not in source.names
        assert (name, "pack_extra") in {(one.name, one.error.code) for one in check_pack(source).findings}


def test_a_zip_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackMalformed):
        ZipSource(zipped(tmp_path / "bomb.zip", ("zeros", bytes(80 << 20))))
    (tmp_path / "none.zip").write_bytes(b"PK")
    with pytest.raises(PackMalformed):
        open_source(tmp_path / "none.zip")


@settings(max_examples=200, deadline=None)
@given(PLACES, BITS)
def test_a_changed_byte_of_a_zip_file_never_passes_for_another_pack(
    made: Made, tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    changed = bytearray(made.zip)
    changed[place % len(changed)] ^= 1 << bit
    path = tmp_path_factory.mktemp("zip") / "made.zip"
    path.write_bytes(changed)
    try:
        with ZipSource(path) as source:
            valid = check_pack(source).outcome == "valid"
            files = {name: b"".join(source.blocks(name)) for name in source.names} if valid else None
    except PackMalformed:
        return
    assert files is None or files == made.files  # a byte of no meaning, a time for instance


def test_links_in_a_folder_are_named_and_not_followed(made: Made, tmp_path: Path) -> None:
    put(made.files, tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / PAGE)
    (tmp_path / "more").symlink_to(tmp_path / "sealed")
    report = check_pack(FolderSource(tmp_path))
    assert {(one.name, one.error.code) for one in report.findings} == {("link", "pack_extra"), ("more", "pack_extra")}


# Names


@settings(deadline=None)
@given(st.text(max_size=MOST), st.integers(1, 5000), st.integers(1, 5000))
def test_a_name_is_one_that_every_disk_takes(name: str, number: int, place: int) -> None:
    content = Content(bytes(ID_SIZE), bytes(32), bytes(32), bytes(32), name * 8, "", 0)
    folder, _, last = original_name(number, place, content).partition("/")
    assert folder == "originals" and len(last.encode("utf-8", "surrogatepass")) <= 215
    assert not set(last) & set('/\\:*?"<>|\n\0\u202e') and last.startswith(f"{number:03}-{place:02}-")
    assert original_name(number, place, replace(content, name=last)).endswith(last[-100:].strip(" .")[-50:])


# An opening that was cut off


@pytest.mark.parametrize("name", ["made", "made.zip"])
def test_an_opening_that_was_cut_off_goes_on_and_another_does_not(tmp_path: Path, name: str) -> None:
    target, bundle = tmp_path / name, make_bytes(ID_SIZE)
    first = opening_of(target, bundle, NetworkError)
    assert opening_of(target, bundle, NetworkError) == first
    (target if name == "made" else tmp_path).joinpath(".other").touch()
    assert opening_of(target, bundle, Refused) == first
    assert [path.name for path in tmp_path.rglob("*.opening")] == []


def opening_of(target: Path, bundle: bytes, error: type[Exception]) -> bytes:
    with pytest.raises(error), unfinished(target, bundle) as opening:
        raise error() if error is NetworkError else Refused("bundle_over", 410, "")
    return opening


def test_a_failure_leaves_no_folder_behind(tmp_path: Path) -> None:
    opening_of(tmp_path / "made", make_bytes(ID_SIZE), Refused)
    assert list(tmp_path.iterdir()) == []
