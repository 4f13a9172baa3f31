"""The whole API under generated requests: nothing it says is a 5xx, and all of it is what docs/api/openapi.json says.

Requests come from that very document (schemathesis): such as it allows, and such as it doesn't; then bytes that are
no message at all. Some name things that are there. `make test` sends a few of each, `make soak` many.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance, response_schema_conformance, status_code_conformance,
)  # fmt: skip

from crypto_core.randomness import make_bytes, make_id
from schemas.endpoints import ENDPOINTS, Endpoint, Stage
from tests.fakes.boxes import FakeBox
from tests.fakes.sharing import FakeBundle, put_revision
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LARGE = {"/v1/items", "/v1/accounts", "/v1/account/credentials", "/v1/account/record", "/v1/recovery/credentials"}
"""Paths whose messages take long to make up."""
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@dataclass
class Target:
    """A vault with one of everything, and tokens of every stage, renewed when a request has ended them."""

    vault: FakeVault
    person: FakePerson
    schema: Any
    known: dict[str, Any]
    tokens: dict[Stage, str] = field(default_factory=dict)

    def token(self, stage: Stage) -> str:
        if stage not in self.tokens:
            make: dict[Stage, Callable[[], str]] = {
                Stage.NONE: lambda: "",
                Stage.PASSWORD: self.person.give_password,
                Stage.OPEN: lambda: self.log_in().token,
                Stage.ANY: lambda: self.log_in().token,
                Stage.CONFIRMED: lambda: self.log_in().confirm(),
                Stage.RECOVERY: lambda: self.log_in().give_recovery(),
                Stage.BUNDLE: self.share,
                Stage.DEPOSITOR: self.visit,
            }
            self.tokens[stage] = make[stage]()
        return self.tokens[stage]

    def keep_things(self) -> None:
        """One of each, for the open session."""
        blob, upload, item = (b64(make_id()) for _ in range(3))
        person = self.person.log_in()
        assert person.ask("PUT", f"/v1/blobs/{blob}", data=make_bytes(500)).status_code == 201
        assert person.ask("POST", "/v1/uploads", {"blob": upload, "size": 1000}).status_code == 201
        assert person.ask("POST", "/v1/items", put_revision(item, 1, blobs=[blob])).status_code == 201
        self.known |= {"blob": blob, "upload": upload, "item": item, "revision": 1, "tile": "entries/000.p/1"}

    def share(self) -> str:
        """A token of an opening of a fresh bundle, in which all is that there is."""
        made = FakeBundle(self.log_in(), item=self.known["item"], blob=self.known["blob"])
        self.known["bundle"] = made.bundle
        return made.share_it().token()

    def visit(self) -> str:
        """A token of a visit to a fresh box, in which something waits, and something is on its way."""
        box = FakeBox(self.log_in()).make(deposits=100, bytes=2**36)
        token = box.token()
        self.known |= {"box": box.box, "deposit": box.deposit(token=token).deposit, "sent": b64(make_id())}
        assert box.visit("POST", "uploads", {"blob": self.known["sent"], "size": 1000}, token=token).status_code == 201
        return token

    def log_in(self) -> FakePerson:
        """Past any delay: among what is made up are wrong PINs of this person; and after an erasure, which is, too."""
        if self.person.finish_login().status_code != 200:
            self.person.register()
            self.keep_things()
        assert self.person.send_reopen(self.person.give_password()).status_code == 200
        return self.person.log_in()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with make_target(tmp_path_factory.mktemp("api")) as made:
        yield made


@contextmanager
def make_target(folder: Path) -> Iterator[Target]:
    """A new vault with somebody in it, who has one of each thing."""
    schema = schemathesis.openapi.from_path(DOCUMENT)
    with fake_vault(folder, quota=2**50) as vault:
        schema.app = vault.app
        made = Target(vault, open_person(vault), schema, {})
        made.keep_things()
        made.tokens[Stage.BUNDLE] = made.share()
        made.tokens[Stage.DEPOSITOR] = made.visit()
        yield made


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def try_endpoint(target: Target, endpoint: Endpoint, mode: GenerationMode, examples: int) -> None:
    path = endpoint.path
    for kind in ("id", "u32", "path"):
        path = path.replace(f"<{kind}:", "{").replace(">", "}")
    operation = target.schema[path][endpoint.method]

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), names_what_is_there=st.booleans())
    def one(case: Any, names_what_is_there: bool) -> None:
        if names_what_is_there and case.path_parameters:
            kind = "sent" if path.startswith("/v1/boxes") else "upload" if "uploads" in path else "blob"
            known = {**target.known, "blob": target.known[kind]}
            case.path_parameters |= {place: known[place] for place in case.path_parameters if place in known}
        answer = case.call(headers={"Authorization": f"Bearer {target.token(endpoint.stage)}"})
        if answer.status_code in (401, 410):
            target.tokens.clear()
        case.validate_response(answer, checks=CHECKS)

    one()


CASES = [
    pytest.param(endpoint, mode, id=f"{mode.value} {name(endpoint)}")
    for endpoint in ENDPOINTS
    for mode in MODES
    if mode is GenerationMode.POSITIVE or endpoint.takes or endpoint.query or "<id" in endpoint.path
]


@pytest.mark.parametrize(("endpoint", "mode"), CASES)
def test_no_request_gets_a_5xx_or_what_the_document_does_not_say(
    target: Target, endpoint: Endpoint, mode: GenerationMode
) -> None:
    try_endpoint(target, endpoint, mode, 2 if endpoint.path in LARGE else 8)


@pytest.mark.soak
@pytest.mark.parametrize(("endpoint", "mode"), CASES)
def test_the_same_for_long(tmp_path: Path, endpoint: Endpoint, mode: GenerationMode) -> None:
    with make_target(tmp_path) as target:  # each its own: thousands of logins would lie in the way of the next
        try_endpoint(target, endpoint, mode, 200 if endpoint.path in LARGE else 2000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
TYPES = ["application/json", "application/json; charset=utf-8", "application/octet-stream", "text/plain", "x", ""]


@pytest.mark.parametrize("endpoint", [row for row in ENDPOINTS if row.takes], ids=name)
def test_what_is_no_message_at_all_is_refused(target: Target, endpoint: Endpoint) -> None:
    path = endpoint.path.replace("<id:blob>", target.known["upload"]).replace("<u32:first>", "0")
    path = path.replace("<id:bundle>", target.known["bundle"])

    @settings(max_examples=15, deadline=None, database=None, derandomize=True)
    @given(
        body=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()),
        media=st.sampled_from(TYPES),
        digest=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60),
    )
    def one(body: bytes, media: str, digest: str) -> None:
        headers = {"Content-Type": media, "Content-Digest": digest, "Temoin-Signature": digest, "Range": digest}
        answer = target.vault.ask(
            endpoint.method, path, data=body, headers=headers, token=target.token(endpoint.stage)
        )
        assert 400 <= answer.status_code < 500
        assert answer.content_type == "application/problem+json"

    one()
