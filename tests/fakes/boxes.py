"""A deposit box with opaque bytes: the person who made it, and whoever holds its key.

Knows: the wire. Refuses to know: sealing; keys, words and files are random here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from werkzeug.test import TestResponse

from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from tests.fakes.sharing import DAY, put_revision, spell_time
from tests.fakes.vault import FakePerson, FakeVault, b64, random_b64, said

ROOM = 4 * limits.FIRST_UNIT


@dataclass
class FakeBox:
    """A person's box, once it is made. Ids and tokens are in base64url, as they travel."""

    person: FakePerson
    box: str = field(default_factory=lambda: b64(make_id()))
    cap: bytes = field(default_factory=lambda: make_bytes(32))

    @property
    def vault(self) -> FakeVault:
        return self.person.vault

    def body(self, *, life: int = 30 * DAY, **more: Any) -> dict[str, Any]:
        return {
            "box": self.box, "expires": spell_time(self.vault.clock.now() + life), "deposits": 3, "bytes": ROOM,
            "cap_hash": b64(sha256(self.cap).digest()), "seal": random_b64(limits.SEALED_KEY),
            "note": random_b64(1096), **more,
        }  # fmt: skip

    def put(self, body: dict[str, Any]) -> TestResponse:
        return self.vault.ask("POST", "/v1/boxes", body, token=self.person.confirm())

    def make(self, **more: Any) -> FakeBox:
        answer = self.put(self.body(**more))
        assert answer.status_code == 201, answer.data
        return self

    def row(self) -> dict[str, Any]:
        """As the person's list has it."""
        rows = said(self.person.log_in().ask("GET", "/v1/boxes"))["boxes"]
        (mine,) = (one for one in rows if one["box"] == self.box)
        found: dict[str, Any] = mine
        return found

    def waiting(self) -> list[dict[str, Any]]:
        self.person.log_in()
        found: list[dict[str, Any]] = said(self.person.ask("GET", f"/v1/boxes/{self.box}/deposits"))["deposits"]
        return found

    def close(self) -> TestResponse:
        return self.person.ask("DELETE", f"/v1/boxes/{self.box}")

    def refuse(self, deposit: str, *, token: str = "") -> TestResponse:
        return self.vault.ask("DELETE", f"/v1/boxes/{self.box}/deposits/{deposit}", token=token or self.person.token)

    def accept(self, made: FakeDeposit, **more: Any) -> TestResponse:
        """By an item that names everything of it."""
        return self.person.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=made.names, **more))

    def enter(self, *, cap: bytes | None = None, **more: Any) -> TestResponse:
        return self.vault.ask("POST", f"/v1/boxes/{self.box}/enter", {"cap": b64(cap or self.cap)}, **more)

    def token(self) -> str:
        """Of a fresh visit."""
        answer = self.enter()
        assert answer.status_code == 200, answer.data
        return str(said(answer)["token"])

    def visit(self, method: str, path: str, body: Any = None, *, token: str = "", **more: Any) -> TestResponse:
        """A request of a visit; `path` begins after the box."""
        return self.vault.ask(method, f"/v1/boxes/{self.box}/{path}", body, token=token or self.token(), **more)

    def deposit(self, *files: bytes, token: str = "") -> FakeDeposit:
        """One that is made, of words and these files."""
        made = FakeDeposit(self, list(files))
        made.send_blobs(token or self.token())
        answer = made.put(token=token)
        assert answer.status_code == 201, answer.data
        return made


@dataclass
class FakeDeposit:
    """What is put into a box at once: words under the deposit's own id, and files."""

    box: FakeBox
    files: list[bytes] = field(default_factory=list)
    words: bytes = field(default_factory=lambda: make_bytes(1096))
    deposit: str = field(default_factory=lambda: b64(make_id()))
    blobs: list[str] = field(init=False)
    key: str = field(default_factory=lambda: random_b64(limits.BOX_WRAP))
    item: str = field(default_factory=lambda: b64(make_id()))
    """What it is to become."""

    def __post_init__(self) -> None:
        self.blobs = [b64(make_id()) for _ in self.files]

    @property
    def names(self) -> list[str]:
        """Of all its blobs, the words first."""
        return [self.deposit, *self.blobs]

    @property
    def contents(self) -> dict[str, bytes]:
        return dict(zip(self.names, [self.words, *self.files], strict=True))

    def send_blobs(self, token: str) -> None:
        for blob, data in self.contents.items():
            answer = self.box.visit("PUT", f"blobs/{blob}", data=data, token=token)
            assert answer.status_code == 201, answer.data

    def body(self, **more: Any) -> dict[str, Any]:
        return {"deposit": self.deposit, "key": self.key, "blobs": self.blobs, **more}

    def put(self, body: dict[str, Any] | None = None, *, token: str = "") -> TestResponse:
        return self.box.visit("POST", "deposits", body or self.body(), token=token)
