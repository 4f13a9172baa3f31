"""The server sees nothing: canaries through every command of the real program, and what lengths and bits give away."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.request import urlopen

import pytest

from client_sdk.cli import temoin
from client_sdk.client import Draft
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing import keys
from crypto_core.sealing.keyring import RECORD_WRAP_SIZE, Keyring, wrap_record_key
from crypto_core.sealing.padding import padme
from tests.fakes.canary import find_canaries, spellings
from tests.fakes.devices import PASSWORD, PIN, Device as SdkDevice, make_device, stretch_once
from tests.fakes.folder import files_in
from tests.fakes.http_proxy import HttpProxy, http_proxy_to
from tests.fakes.processes import Device, RealVault, serving
from tests.fakes.vault import fake_vault

USER, SECRET, NUMBERS = "canary-user-wren", "canary password sparrow ünter", "739154820617"
GONE_USER = "canary-user-dodo"
NEW_USER, NEW_SECRET, NEW_NUMBERS = "canary-user-heron", "canary password plover ünter", "820617739154"
TEXTS = {
    "text": "canary text robin après-midi", "edited": "canary text redstart après-midi",
    "title": "canary title finch", "place": "canary place gull, 3 rue Haute", "person": "canary person Élodie Crane",
    "mood": "canary mood dove", "tag": "canary tag swift", "category": "canary category stork",
    "happened": "canary summer of the owl", "file": "canary-file-kestrel.heic",
    "bytes": "canary bytes of the photograph",
    "message": "canary message for the shrike",
    "attached": "canary-attached-osprey.opus", "mime": "image/heic", "other mime": "audio/ogg",
}


@cache
def _all_commands() -> frozenset[str]:
    """Every command that somebody with an account has, as a person types it."""
    found = set()
    for name, command in temoin.commands.items():
        if name in ("audit", "witness"):
            continue
        inner = getattr(command, "commands", None)
        found |= {f"{name} {one}" for one in inner} if inner else {name}
    return frozenset(found)


class _Person:
    """Uses every command of the program, with canaries wherever something can be said."""

    def __init__(self, folder: Path, proxy: HttpProxy) -> None:
        self.folder = folder
        self.device = Device(folder / "home", proxy.url, USER, SECRET, NUMBERS)
        self.used: set[str] = set()
        self.errors = ""
        self.link = [""]
        """The parts of a link and its code that nobody but the reader may see."""

    def say(self, *words: str | Path, secrets: tuple[str, ...] | None = None, code: int = 0) -> str:
        answer = self.device.run(*words, secrets=secrets)
        assert answer.code == code, answer
        self.used |= {name for name in _all_commands() if list(words[: len(name.split())]) == name.split()}
        self.errors += answer.err
        return answer.out

    def share(self, vault: RealVault, *items: str) -> None:
        """With a professional, who is the same person here, and by a link. Who is listed is public, and no canary."""
        asked = json.loads(self.say("pro", "register", USER, "--name", "Claire", "--kind", "lawyer", "--json"))
        [waiting] = json.loads(vault.command("professionals", "list", "--json").stdout)
        approved = vault.command("professionals", "approve", waiting["account"], "--fingerprint", asked["fingerprint"])
        assert approved.returncode == 0, approved.stderr
        self.say("pro", "status", USER)
        self.say("pro", "find", USER, TEXTS["person"])
        self.say("pro", "compare", USER, "0", "--digits", asked["fingerprint"])
        chosen = [word for item in items for word in ("--items", item)]
        made = json.loads(self.say(
            "share", "create", USER, "--to", "0", *chosen, "--message", TEXTS["message"], "--json"))
        self.say("pro", "inbox", USER)
        self.say("pro", "open", USER, made["bundle"], "-o", self.folder / "received")
        linked = json.loads(self.say(
            "share", "create", USER, "--link", *chosen, "--message", TEXTS["message"], "--json"))
        secret = linked["address"].partition("#b")[2]
        self.link = [secret, secret[22:], linked["code"], linked["code"].replace(" ", "")]
        self.say("open-link", "-o", self.folder / "linked", secrets=(linked["address"], linked["code"]))
        for pack in ("received", "linked"):
            self.say("verify-pack", self.folder / pack)
        self.say("share", "list", USER)
        self.say("share", "log", USER, made["bundle"])
        self.say("share", "revoke", USER, made["bundle"])

    def box(self, photo: Path) -> None:
        """Somebody without an account, on the same device: two deposits, one taken over, one refused."""
        made = json.loads(self.say("box", "create", USER, "--name", TEXTS["title"], "--json"))
        secret = made["address"].partition("#d")[2]
        self.link += [secret, secret[22:], secret[64:]]
        words = ("--from", TEXTS["person"], "--message", TEXTS["message"], "--json")
        first, second = (json.loads(self.say(
            "box", "deposit", photo, *words, "-o", self.folder / name, secrets=(made["address"],)
        ))["deposit"] for name in ("proofs", "more proofs"))
        self.say("box", "list", USER)
        self.say("box", "show", USER, made["box"])
        self.say("box", "show", USER, made["box"], first, "-o", self.folder / "a stranger's")
        self.say("box", "accept", USER, made["box"], first, "--title", TEXTS["title"], "--text", TEXTS["text"])
        self.say("box", "refuse", USER, made["box"], second)
        self.say("box", "close", USER, made["box"])

    def tell(self, vault: RealVault) -> None:
        photo, sound = self.folder / TEXTS["file"], self.folder / TEXTS["attached"]
        photo.write_bytes(TEXTS["bytes"].encode() * 20_000)
        sound.write_bytes(TEXTS["bytes"].encode())
        self.say("register", USER, "--recovery-out", self.folder / "words.txt")
        self.say("login-check", USER)
        fields = ["--title", TEXTS["title"], "--place", TEXTS["place"], "--person", TEXTS["person"], "--mood",
                  TEXTS["mood"], "--tag", TEXTS["tag"], "--category", TEXTS["category"], "--happened",
                  TEXTS["happened"], "--danger", "7"]  # fmt: skip
        entry = json.loads(self.say(
            "journal", "add", USER, "--text", TEXTS["text"], *fields, "--attach", sound, "--json"))["id"]
        self.say("journal", "add", USER, "--text", TEXTS["text"], "--sensitive", *fields)
        self.say("journal", "edit", USER, entry, "--text", TEXTS["edited"])
        for words in (("list",), ("show", entry), ("history", entry)):
            self.say("journal", words[0], USER, *words[1:])
        document = json.loads(self.say("documents", "add", USER, photo, "--category", TEXTS["category"], "--json"))
        (document,) = document if isinstance(document, list) else [document]
        self.say("documents", "list", USER)
        self.say("documents", "get", USER, document["id"], "-o", self.folder / "back.heic")
        out = self.folder / "out"
        self.say("receipts", "export", USER, entry, "-o", out)
        sealed = next(out.glob("*.sealed"))
        self.say("verify", sealed, sealed.with_suffix(".tlog-proof"))
        self.say("receipts", "upgrade", USER, "--all", code=4)  # there is no witness
        part = json.loads(self.say(
            "extract", USER, entry, "--cut", "0-3", "--keep", "title", "--keep-file", "1", "--json"))["id"]
        self.share(vault, entry, document["id"], part)
        self.box(photo)
        self.say("dossier", USER, "-o", self.folder / "dossier.zip")
        self.say("verify-pack", self.folder / "dossier.zip")
        self.say("backup", "make", USER, "-o", self.folder / "sealed", "--words-out", self.folder / "sealed.txt")
        sheet = (self.folder / "sealed.txt").read_text("utf-8").strip()
        self.say("backup", "open", self.folder / "sealed", "-o", self.folder / "opened.zip", secrets=(sheet,))
        self.say("verify-pack", self.folder / "opened.zip")
        self.say("trust", "accept", USER)
        with urlopen(f"{vault.url}/v1/vault") as answer:
            policy = f"log {json.load(answer)['directory_vkey']}\nquorum none\n"
        (self.folder / "policy.txt").write_text(policy, "ascii")
        self.say("trust", "policy", USER, self.folder / "policy.txt")
        self.say("change", USER, "--user", NEW_USER, secrets=(SECRET, NUMBERS, NEW_SECRET, NEW_NUMBERS))
        new = (NEW_SECRET, NEW_NUMBERS)
        self.say("journal", "delete", NEW_USER, entry, secrets=new)
        self.say("documents", "delete", NEW_USER, document["id"], secrets=new)
        self.say("journal", "restore", NEW_USER, entry, secrets=new)
        self.say("documents", "restore", NEW_USER, document["id"], secrets=new)
        self.say("login-check", USER, code=1)
        self.say("register", GONE_USER, "--recovery-out", self.folder / "gone.txt")
        self.say("journal", "add", GONE_USER, "--text", TEXTS["text"])
        gone = (self.folder / "gone.txt").read_text("utf-8").strip()
        self.say("recover", GONE_USER, secrets=(gone,))
        self.say("stop-recovery", GONE_USER)
        self.say("recovery-wait", GONE_USER, "--days", "0")
        self.say("delete-account", GONE_USER, "--yes")

    @property
    def canaries(self) -> list[str]:
        papers = [self.folder / name for name in ("words.txt", "gone.txt", "sealed.txt")]
        words = [word for paper in papers for word in paper.read_text("utf-8").split()]
        pairs = [" ".join(words[place : place + 2]) for place in range(0, len(words) - 1, 2)]
        secrets = [USER, GONE_USER, SECRET, NUMBERS, NEW_USER, NEW_SECRET, NEW_NUMBERS]
        return [*secrets, *TEXTS.values(), *pairs, *self.link]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[_Person, HttpProxy, RealVault]]:
    folder = tmp_path_factory.mktemp("blindness")
    with serving(folder / "vault", workers=1) as vault, http_proxy_to(vault.port) as proxy:
        person = _Person(folder, proxy)
        person.tell(vault)
        yield person, proxy, vault


def test_every_command_was_used(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    assert told[0].used == _all_commands()


def test_no_request_says_anything(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    person, proxy, _ = told
    assert len(proxy.heard) > 100
    assert find_canaries(b"\n".join(heard.raw for heard in proxy.heard), person.canaries) == []


def test_neither_database_nor_log_nor_folder_says_anything(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    person, _, vault = told
    files = files_in(vault.data)
    assert {".db", ".db-wal", ".log"} <= {Path(name).suffix for name in files}
    assert len(files) > 5
    for name, data in files.items():
        assert find_canaries(name.encode() + b"\n" + data, person.canaries) == [], name


def test_neither_the_device_nor_its_complaints_say_anything(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    person, _, _ = told
    kept = b"\n".join(path.read_bytes() for path in sorted(person.device.home.rglob("*")) if path.is_file())
    assert find_canaries(kept + person.errors.encode(), person.canaries) == []


def test_a_sealed_backup_says_nothing(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    person, _, _ = told
    sealed = (person.folder / "sealed").read_bytes()
    assert len(sealed) > (person.folder / "dossier.zip").stat().st_size
    assert find_canaries(sealed, [*person.canaries, "originals/", "bundle.json"]) == []


def test_a_canary_that_was_planted_is_found(told: tuple[_Person, HttpProxy, RealVault]) -> None:
    """In each place that is searched, and in each spelling that is searched for."""
    person, proxy, vault = told
    real = b"\n".join(heard.raw for heard in proxy.heard[-20:])
    for canary in (TEXTS["text"], NUMBERS, SECRET):
        for name, spelled in spellings(canary).items():
            assert (canary, name) in find_canaries(real + spelled + real[:100], [canary])
        for offset in range(3):
            hidden = base64.b64encode(make_bytes(offset) + canary.encode() + make_bytes(7))
            assert find_canaries(hidden, [canary])
        whole = f"before {canary} after".encode()
        assert find_canaries(real + zlib.compress(whole) + real, [canary])
        assert find_canaries(real + zlib.compress(base64.b64encode(whole)), [canary])
    for database in ("vault.db", "journal.db"):
        held = (vault.data / database).read_bytes()
        assert find_canaries(held + TEXTS["title"].encode("utf-16-le"), [TEXTS["title"]])


# lengths and bits


def _keyring() -> Keyring:
    pk_s, _ = keys.derive_box(make_bytes(32))
    return Keyring(make_id(), make_bytes(32), make_bytes(32), 1, 1, pk_s)


def test_wraps_of_both_tiers_are_alike_in_length_and_in_every_bit() -> None:
    """Hoeffding: of 2,000 fair bits, P(|ones − 1,000| ≥ 180) ≤ 2·exp(−2·180²/2000) < 2·10⁻¹⁴; over 2 × 1,224 positions
    and their differences below 10⁻¹⁰: that is how often this test may fail by chance."""
    keyring, ones = _keyring(), {}
    for sensitive in (False, True):
        wraps = [wrap_record_key(keyring, make_id(), 1, make_bytes(32), sensitive) for _ in range(2000)]
        assert {len(wrap) for wrap in wraps} == {RECORD_WRAP_SIZE}
        assert len(set(wraps)) == 2000
        bits = [0] * (8 * RECORD_WRAP_SIZE)
        for wrap in wraps:
            number = int.from_bytes(wrap, "big")
            for place in range(len(bits)):
                bits[place] += number >> place & 1
        ones[sensitive] = bits
        assert max(abs(count - 1000) for count in bits) < 180
    assert max(abs(one - other) for one, other in zip(ones[False], ones[True], strict=True)) < 360


_IDS = re.compile(r"[\w-]{22}(?=/|$)")


def _shape(device: SdkDevice) -> list[tuple[str, str, int]]:
    """What an onlooker sees of a device: method, kind of path, size."""
    return [(one.method, _IDS.sub("…", one.url.path), len(one.content)) for one in device.network.seen]


def _live(
    device: SdkDevice, folder: Path, name: str, password: str, pin: str, texts: tuple[str, str], size: int
) -> None:
    client = device.client()
    client.register(client.make_account(name, password, pin))
    client.log_in(name, password, pin)
    kept = client.write_entry(Draft(text=texts[0], title=texts[1], tags=(name,)))
    client.write_entry(Draft(text=texts[1]), sensitive=True)
    client.edit_entry(kept.id, {"text": texts[1]})
    folder.mkdir()
    path = folder / f"{name}.jpg"
    path.write_bytes(make_bytes(size))
    added = client.add_document(path)
    client.step_up(pin)
    item = client.item(added.id)
    b"".join(client.read_content(item, item.contents[0]))
    client.delete_item(kept.id)
    client.restore_item(kept.id)
    client.lock()


def _two_lives(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]
) -> list[list[tuple[str, str, int]]]:
    stretch_once(monkeypatch)
    lives = [
        ("ana", PASSWORD, PIN, ("Monday.", "Tuesday, and nobody was there."), sizes[0]),
        ("a much longer name", "another pass phrase altogether", "8051937264", ("He came at nine.", "x"), sizes[1]),
    ]
    shapes = []
    for life in lives:
        with fake_vault(folder / f"server of {life[0]}") as vault:  # each alone, so that ledgers are of one size
            device = make_device(vault, folder / life[0])
            _live(device, folder / f"files of {life[0]}", *life)
            shapes.append(_shape(device))
    return shapes


def test_two_lives_with_the_same_steps_look_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _two_lives(tmp_path, monkeypatch, (1_000, 15_900))
    assert one == other and len(one) > 20


def test_two_lives_differ_by_buckets_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _two_lives(tmp_path, monkeypatch, (1_000, 60_000))
    assert [shape[:2] for shape in one] == [shape[:2] for shape in other]
    different = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    (((method, path, small), (_, _, large)),) = different
    assert (method, path) == ("PUT", "/v1/blobs/…")
    for size in (small, large):
        chunks = -(-(size - 56) // 16_400)
        plain = size - 56 - 16 * chunks
        assert padme(plain) == plain, "not a size of a bucket"
