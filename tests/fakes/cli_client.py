"""A vault that is only a dictionary, for tests of the command line: what is said, asked and printed.

Knows: the surface of VaultClient. Refuses to know: seals, sockets, and whether any of it is safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

from click.testing import CliRunner, Result

from client_sdk.attaching import Leave
from client_sdk.cli import temoin
from client_sdk.client import VaultClient
from client_sdk.errors import ItemUnknown, Refused
from client_sdk.extract import Redaction, redact
from client_sdk.gathering import Chosen, Outcome, Plan
from client_sdk.items import Content, Deletion, Draft, Item, Kept, KeptReceipt, Opening, Recovering, RecoveryWait
from client_sdk.keychain import Credentials, RecoveryWords
from client_sdk.recovering import Shown
from client_sdk.redeposit import LostFile, Settled
from crypto_core.errors import TemoinError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes
from crypto_core.receipts.receipt import VerifiedReceipt

USER, PASSWORD, PIN = "camille", "tortue lavabo quinze nuage", "805193"
SERVER = "http://127.0.0.1:9"
NOW = 1_750_000_000
RECEIPT = "c2sp.org/tlog-proof@v1\nand so on\n"
WORDS = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwx")


def verified() -> VerifiedReceipt:
    commitment = Commitment(bytes(32), NOW, 1096, bytes(32))
    return VerifiedReceipt(
        4, entry_bytes(commitment), commitment, (), Checkpoint("ledger.example/one", 5, bytes(32)), NOW, None, ()
    )


@dataclass
class Fake:
    """What the fake client holds, does, and was asked."""

    items: dict[bytes, list[Item]] = field(default_factory=dict)
    bodies: dict[bytes, bytes] = field(default_factory=dict)
    opening: Opening = Opening(NOW - 3600, 0, 0, False)
    settled: Settled = field(default_factory=Settled)
    lost_files: tuple[LostFile, ...] = ()
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    failures: dict[str, BaseException] = field(default_factory=dict)
    refused: dict[str, TemoinError] = field(default_factory=dict)
    """Names of files that are not taken, and why."""
    deposited: set[Path] = field(default_factory=set)
    conflict: bool = False
    stepped_up: bool = False
    recovering: Recovering | None = None
    wait: RecoveryWait | None = RecoveryWait(3 * 86_400, None)
    is_due: bool = False
    """Whether recovery words open."""
    stays_open: bool = True
    """Whether it is open after an erasure that failed."""

    def add(self, **values: Any) -> Item:
        """An item that is there already."""
        number = len(self.items) + 1
        item = Item(**{
            "id": bytes([number]) * 16, "revision": 1, "deposited": NOW, "sensitive": False, "state": "open",
            "kind": "journal", "title": "", "text": "", "written": NOW, **values,
        })  # fmt: skip
        self.items.setdefault(item.id, []).append(item)
        return item

    def content(self, body: bytes, name: str) -> Content:
        """A file that an item may name."""
        blob = sha256(body + name.encode("utf-8", "surrogatepass")).digest()[:16]
        self.bodies[blob] = body
        return Content(blob, bytes(32), bytes(32), sha256(body).digest(), name, "image/jpeg", len(body))

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    def did(self, name: str, *values: Any) -> None:
        self.calls.append((name, *values))
        if name in self.failures:
            raise self.failures[name]


@dataclass
class _NewAccount:
    recovery_words: str = WORDS


class FakeClient:
    """VaultClient, for the command line."""

    def __init__(self, fake: Fake, progress: Any) -> None:
        self.fake, self.progress = fake, progress

    def make_account(self, username: str, password: str, pin: str, *, language: str = "english") -> _NewAccount:
        self.fake.did("make_account", username, password, pin, language)
        return _NewAccount()

    def register(self, new: _NewAccount) -> bytes:
        self.fake.did("register")
        return b"\xac" * 16

    def show_recovery(self, words: str) -> Shown:
        self.fake.did("show_recovery", words)
        due = NOW + 3 * 86_400
        return Shown(b"\xac" * 16, NOW, due, bytes(32), self.fake.is_due)

    def make_recovered(
        self, shown: Shown, username: str, password: str, pin: str, *, language: str = "english"
    ) -> _NewAccount:
        self.fake.did("make_recovered", username, password, pin, language)
        return _NewAccount()

    def recover(self, made: _NewAccount) -> None:
        self.fake.did("recover")

    def stop_recovery(self, password: str, pin: str) -> None:
        self.fake.did("stop_recovery", password, pin)

    def log_in(self, username: str, password: str, pin: str) -> Opening:
        self.fake.did("log_in", username, password, pin)
        if password != PASSWORD:
            raise Refused("login_refused", 401, "User name or password are not right. Check both, and try again.")
        return self.fake.opening

    def step_up(self, pin: str) -> None:
        self.fake.did("step_up", pin)
        self.fake.stepped_up = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.fake.did("lock")

    def _seen(self, item: Item) -> Item:
        if not item.sensitive or self.fake.stepped_up:
            return item
        return Item(item.id, item.revision, item.deposited, True, "locked")

    def items(self, kind: str | None = None) -> list[Item]:
        self.fake.did("items", kind)
        return [self._seen(revisions[-1]) for revisions in self.fake.items.values()]

    def item(self, item_id: bytes, revision: int | None = None) -> Item:
        self.fake.did("item", item_id, revision)
        if item_id not in self.fake.items:
            raise ItemUnknown
        return self._seen(self.fake.items[item_id][-1 if revision is None else revision - 1])

    def extracts(self, item_id: bytes) -> list[Item]:
        self.fake.did("extracts", item_id)
        made = [revisions[-1] for revisions in self.fake.items.values() if revisions[-1].kind == "extract"]
        return [self._seen(one) for one in made if one.of is not None and one.of[0] == item_id]

    def make_extract(self, item: Item, redaction: Redaction) -> Kept:
        self.fake.did("make_extract", item.id, redaction)
        part = redact(item, redaction)
        return self._kept(self.fake.add(
            kind="extract", of=part.of, text=part.draft.text, title=part.draft.title, place=part.draft.place,
            contents=part.contents, sensitive=item.sensitive,
        ))  # fmt: skip

    policy = None
    """Nothing is verified here."""

    def pack(self, items: Sequence[Item]) -> Sequence[Item]:
        self.fake.did("pack", *items)
        return items

    def history(self, item_id: bytes) -> list[Item]:
        self.fake.did("history", item_id)
        return [self._seen(item) for item in self.fake.items[item_id]]

    def _kept(self, item: Item) -> Kept:
        return Kept(item.id, item.revision, item.deposited, RECEIPT, verified(), self.fake.conflict)

    def write_entry(
        self, draft: Draft, *, sensitive: bool = False, attachments: Sequence[Path] = (), leave: Leave | None = None
    ) -> Kept:
        self.fake.did("write_entry", draft, sensitive, attachments)
        return self._kept(self.fake.add(text=draft.text, title=draft.title, sensitive=sensitive))

    def editable(self, item_id: bytes) -> Item:
        self.fake.did("editable", item_id)
        return self.item(item_id)

    def edit_entry(
        self, item_id: bytes, changes: Mapping[str, Any], *, attachments: Sequence[Path] = (),
        leave: Leave | None = None, base: Item | None = None,
    ) -> Kept:
        self.fake.did("edit_entry", item_id, dict(changes), attachments)
        revisions = self.fake.items[item_id]
        text = changes.get("text", revisions[-1].text)
        revisions.append(replace(revisions[-1], revision=len(revisions) + 1, text=text))
        return self._kept(revisions[-1])

    def add_documents(self, files: Sequence[Chosen], plan: Plan = Plan()) -> Iterator[Outcome]:
        self.fake.did("add_documents", plan)
        for one in reversed(files):  # they end in any order
            self.fake.did("add_document", one.path, one.title)
            self.fake.did(one.path.name)
            if one.path.name in self.fake.refused:
                yield Outcome(one, failure=self.fake.refused[one.path.name])
            elif one.path in self.fake.deposited and not plan.again:
                yield Outcome(one)
            else:
                self.fake.deposited.add(one.path)
                yield Outcome(one, self._kept(self.fake.add(kind="document", title=one.title)))

    def stay(self) -> None:
        self.fake.did("stay")

    def delete_item(self, item_id: bytes) -> Deletion:
        self.fake.did("delete_item", item_id)
        return Deletion(item_id, 2, NOW + 7 * 86_400, RECEIPT)

    def restore_item(self, item_id: bytes) -> Kept:
        self.fake.did("restore_item", item_id)
        return self._kept(self.fake.items[item_id][-1])

    def read_content(self, item: Item, content: Content, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        self.fake.did("read_content", item.id, content.blob, start, stop)
        self.progress.start(content.name, content.size)
        body = self.fake.bodies[content.blob][start:stop]
        for place in range(0, len(body), 4):
            yield body[place : place + 4]
            self.progress.advance(4)
        if "end of content" in self.fake.failures:
            raise self.fake.failures["end of content"]

    def receipt(self, item: Item) -> KeptReceipt:
        self.fake.did("receipt", item.id)
        return KeptReceipt(f"{item.id.hex()}-{item.revision}", RECEIPT, verified())

    @property
    def lost_files(self) -> tuple[LostFile, ...]:
        return self.fake.lost_files

    @property
    def account(self) -> Self:
        return self

    def accept_trust(self, password: str, pin: str) -> Settled:
        self.fake.did("accept_trust", password, pin)
        return self.fake.settled

    is_open = True

    def pending_recovery(self) -> Recovering | None:
        return self.fake.recovering

    def recovery_wait(self) -> RecoveryWait | None:
        return self.fake.wait

    def set_recovery_wait(self, password: str, pin: str, wait: int) -> RecoveryWait:
        self.fake.did("set_recovery_wait", password, pin, wait)
        return RecoveryWait(wait, None)

    def make_words(self, language: str = "english") -> RecoveryWords:
        self.fake.did("make_words", language)
        return RecoveryWords(bytes(32), WORDS)

    def change_credentials(
        self, password: str, pin: str, new: Credentials, words: RecoveryWords | None = None
    ) -> None:
        self.fake.did("change_credentials", password, pin, new, words)

    def erase(self, password: str, pin: str) -> None:
        self.is_open = self.fake.stays_open
        self.fake.did("erase", password, pin)


@dataclass
class Terminal:
    """Runs `temoin` in this process against a Fake."""

    fake: Fake
    home: Path

    def run(self, *arguments: object, input: str | bytes | None = None, **environment: str | None) -> Result:
        """The secrets are in the environment, unless `environment` says otherwise (None removes)."""
        values: dict[str, str | None] = {
            "TEMOIN_SERVER": SERVER, "TEMOIN_HOME": str(self.home), "TEMOIN_PASSWORD": PASSWORD, "TEMOIN_PIN": PIN,
            "COLUMNS": "120", **environment,
        }  # fmt: skip
        with TemporaryFile() as typed:  # of which it can be told that it has ended, as of any program's standard input
            typed.write(input.encode() if isinstance(input, str) else input or b"")
            typed.seek(0)
            return CliRunner(env=values).invoke(temoin, list(map(str, arguments)), input=typed)

    @classmethod
    def on(cls, home: Path, monkeypatch: Any) -> Self:
        """A terminal whose VaultClient.connect gives a fake."""
        made = cls(Fake(), home)

        def connect(_cls: type[VaultClient], server: str, home: Path, *, progress: Any) -> FakeClient:
            made.fake.did("connect", server, home)
            return FakeClient(made.fake, progress)

        monkeypatch.setattr(VaultClient, "connect", classmethod(connect))
        return made
