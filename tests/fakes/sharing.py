"""What sharing takes, with opaque bytes: somebody to be listed, things to share, a bundle, whoever opens it.

Knows: the wire, and real signatures of identities. Refuses to know: sealing; wraps, seals and codes are random here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from werkzeug.test import TestResponse

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.directory import derive_fingerprint
from crypto_core.receipts.signatures import derive_public, sign_ed25519
from crypto_core.signed_requests import professional_message
from schemas import limits
from schemas.fields import Time
from server.directory.service import approve
from tests.fakes.vault import HOST, FakePerson, FakeVault, b64, open_person, random_b64, said

DAY = 86_400


def spell_time(time: int) -> str:
    return str(Time().serialize("at", {"at": time}))


def put_revision(item: str, revision: int, **more: Any) -> dict[str, Any]:
    """The body of `POST /v1/items` with one revision."""
    sent = {
        "item": item, "revision": revision, "replaces": revision - 1, "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK), "record": random_b64(1096), "blobs": [], "erases": None, **more,
    }  # fmt: skip
    return {"revisions": [sent]}


@dataclass
class FakeProfessional:
    """An account with an identity that asks to be listed."""

    person: FakePerson
    seed: bytes = field(default_factory=lambda: make_bytes(32))
    pk_box: bytes = field(default_factory=lambda: make_bytes(32))
    name: str = "Maître Iris Blanc"

    @property
    def digits(self) -> str:
        return derive_fingerprint(self.pk_box, derive_public(self.seed))

    @property
    def number(self) -> str:
        return self.person.account.hex()

    def listing(self, **more: Any) -> dict[str, Any]:
        return {
            "name": self.name, "org": "Barreau de Lille", "town": "Lille", "kind": "lawyer",
            "pk_box": b64(self.pk_box), "pk_sign": b64(derive_public(self.seed)), **more,
        }  # fmt: skip

    def sign(self, body: bytes, *, seed: bytes | None = None) -> bytes:
        return sign_ed25519(seed or self.seed, professional_message(HOST, self.person.account, body))

    def ask_to_be_listed(self, *, seed: bytes | None = None, **more: Any) -> TestResponse:
        body = format_json(self.listing(**more))
        signature = self.sign(body, seed=seed)
        return self.person.vault.ask(
            "POST", "/v1/professional", data=body, token=self.person.confirm(),
            headers={"Content-Type": "application/json", "Temoin-Signature": b64(signature)},
        )

    def become_listed(self) -> int:
        """Asks, and is approved; the entry's index."""
        answer = self.ask_to_be_listed()
        assert answer.status_code == 200, answer.data
        return approve(self.person.vault.parts, self.number, self.digits)[0]


def open_professional(vault: FakeVault, **more: Any) -> FakeProfessional:
    """With an open session, not listed yet."""
    return FakeProfessional(open_person(vault), **more)


@dataclass
class FakeBundle:
    """A bundle of one item with one blob, as the person's device makes it."""

    person: FakePerson
    entry: int | None = None
    """Of the professional whom it is for; None for a link."""
    bundle: str = field(default_factory=lambda: b64(make_id()))
    cap: bytes = field(default_factory=lambda: make_bytes(32))
    x: bytes = field(default_factory=lambda: make_bytes(32))
    share: bytes = field(default_factory=lambda: make_bytes(32))
    item: str = field(default_factory=lambda: b64(make_id()))
    blob: str = field(default_factory=lambda: b64(make_id()))
    content: bytes = field(default_factory=lambda: make_bytes(5000))
    record: str = field(default_factory=lambda: random_b64(1096))

    def keep_things(self) -> FakeBundle:
        """Deposits what is to be shared."""
        assert self.person.ask("PUT", f"/v1/blobs/{self.blob}", data=self.content).status_code == 201
        return self.keep_item()

    def keep_item(self) -> FakeBundle:
        """Deposits the item, whose blob is there."""
        sent = put_revision(self.item, 1, blobs=[self.blob], record=self.record)
        assert self.person.ask("POST", "/v1/items", sent).status_code == 201
        return self

    def body(self, *, life: int = 30 * DAY, **more: Any) -> dict[str, Any]:
        link = {"wrap": random_b64(limits.SEALED_KEY), "share": b64(self.share), "x": b64(self.x)}
        professional = {"entry": self.entry, "wrap": random_b64(limits.BOX_WRAP)}
        return {
            "bundle": self.bundle, "expires": spell_time(self.person.vault.clock.now() + life), "openings": 3,
            "cap_hash": b64(sha256(self.cap).digest()), "seal": random_b64(2048), "note": random_b64(1096),
            "records": [{"item": self.item, "revision": 1}], "blobs": [self.blob],
            "professional": None if self.entry is None else professional, "link": link if self.entry is None else None,
            "replaces": None, **more,
        }  # fmt: skip

    def put(self, body: dict[str, Any]) -> TestResponse:
        return self.person.vault.ask("POST", "/v1/bundles", body, token=self.person.confirm())

    def send(self, **more: Any) -> FakeBundle:
        """Keeps what is to be shared, and shares it."""
        self.keep_things()
        return self.share_it(**more)

    def share_it(self, **more: Any) -> FakeBundle:
        answer = self.put(self.body(**more))
        assert answer.status_code == 201, answer.data
        return self

    def revoke(self) -> TestResponse:
        return self.person.ask("DELETE", f"/v1/bundles/{self.bundle}")

    def row(self) -> dict[str, Any]:
        """As the person's list has it."""
        rows = said(self.person.log_in().ask("GET", "/v1/bundles"))["bundles"]
        (mine,) = (one for one in rows if one["bundle"] == self.bundle)
        found: dict[str, Any] = mine
        return found

    def try_code(self, *, x: bytes | None = None, **more: Any) -> TestResponse:
        return self.person.vault.ask("POST", f"/v1/links/{self.bundle}", {"x": b64(x or self.x)}, **more)

    def open(
        self, *, cap: bytes | None = None, opening: str = "", token: str = "", **more: Any
    ) -> TestResponse:
        body = {"cap": b64(cap or self.cap), "opening": opening or b64(make_id())}
        return self.person.vault.ask("POST", f"/v1/bundles/{self.bundle}/open", body, token=token, **more)

    def token(self, *, token: str = "") -> str:
        """Of a fresh opening; `token` is the session's of whoever opens."""
        answer = self.open(token=token)
        assert answer.status_code == 200, answer.data
        return str(said(answer)["token"])

    @property
    def things(self) -> tuple[str, ...]:
        """The addresses of all that its reader may fetch."""
        record, blob = f"items/{self.item}/revisions/1", f"blobs/{self.blob}"
        places = (record, f"{record}/receipt", blob, f"{blob}/receipt")
        return tuple(f"/v1/bundles/{self.bundle}/{place}" for place in places)

    def fetch(self, token: str, **more: Any) -> TestResponse:
        """The blob."""
        return self.person.vault.ask("GET", f"/v1/bundles/{self.bundle}/blobs/{self.blob}", token=token, **more)
