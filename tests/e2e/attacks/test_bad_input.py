"""Bad input, row by row (tests/fakes/bad_input.py): status, code, sentence, nothing half-written, no trace."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from crypto_core.encoding import format_b64, format_json
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.database import Base
from tests.fakes.bad_input import CANARY, CIRCUMSTANCES, REQUESTS, STARTS, expect, rows
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, random_b64, said

ROOT = Path(__file__).resolve().parents[3]
UNSEEN = {"challenges", "limiter_counts"}
"""Tables that a refused request may write to: a used challenge is used, a try is counted."""
SIZE = limits.FIRST_UNIT + limits.UNIT + 500
"""Of the upload: three units."""

Thunk = Callable[[], TestResponse]


@dataclass
class Scene:
    """One person with one item of one revision, one blob, and one upload of which the first unit is there."""

    vault: FakeVault
    person: FakePerson
    item: str
    record: str
    blob: str
    upload: str
    data: bytes

    def send(self, body: bytes, path: str = "/v1/login/start", method: str = "POST", **headers: str) -> TestResponse:
        sent = {"Content-Type": "application/json", **{key.replace("_", "-"): text for key, text in headers.items()}}
        return self.person.ask(method, path, data=body, headers=sent)

    def start(self, body: Any) -> TestResponse:
        return self.send(json.dumps(body).encode())

    def put_blob(self, data: bytes, blob: str = "", **headers: str) -> TestResponse:
        sent = {key.replace("_", "-"): text for key, text in headers.items()}
        return self.person.ask("PUT", f"/v1/blobs/{blob or b64(make_id())}", data=data, headers=sent)

    def put_units(self, first: int, data: bytes, **headers: str) -> TestResponse:
        sent = {key.replace("_", "-"): text for key, text in headers.items()}
        return self.person.ask("PUT", f"/v1/uploads/{self.upload}/units/{first}", data=data, headers=sent)

    def unit(self, number: int) -> bytes:
        start, stop = limits.unit_range(number, SIZE)
        return self.data[start:stop]

    def revise(self, revision: int, replaces: int, **more: Any) -> TestResponse:
        sent = {**put_revision(self.item, revision), "replaces": replaces, **more}
        return self.person.ask("POST", "/v1/items", {"revisions": [sent]})

    def full_upload(self) -> str:
        """Another upload, all of it there, not completed."""
        blob = b64(make_id())
        assert self.person.ask("POST", "/v1/uploads", {"blob": blob, "size": 100}).status_code == 201
        put = self.person.ask("PUT", f"/v1/uploads/{blob}/units/0", data=make_bytes(100))
        assert put.status_code == 200
        return blob

    def state(self) -> Any:
        """Everything durable, but for what may change."""
        with self.vault.parts.database.read() as session:
            tables = {
                table.name: session.execute(table.select().order_by(*table.primary_key)).all()
                for table in Base.metadata.sorted_tables
                if table.name not in UNSEEN
            }
        kept = self.vault.parts.config.data / "blobs" / "kept"
        return tables, {path: path.stat().st_size for path in kept.rglob("*") if path.is_file()}


def put_revision(item: str, revision: int) -> dict[str, Any]:
    return {
        "item": item, "revision": revision, "replaces": revision - 1, "wrap": random_b64(limits.WRAP),
        "link": random_b64(limits.LINK), "record": random_b64(1096), "blobs": [], "erases": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with fake_vault(tmp_path_factory.mktemp("bad") / CANARY, quota=10_000_000) as vault:
        person = open_person(vault)
        data = make_bytes(SIZE)
        made = Scene(vault, person, b64(make_id()), "", b64(make_id()), b64(make_id()), data)
        first = put_revision(made.item, 1)
        made.record = first["record"]
        assert person.ask("POST", "/v1/items", {"revisions": [first]}).status_code == 201
        assert made.put_blob(make_bytes(500), made.blob).status_code == 201
        assert person.ask("POST", "/v1/uploads", {"blob": made.upload, "size": SIZE}).status_code == 201
        assert made.put_units(0, made.unit(0)).status_code == 200
        yield made


K_ID = b64(bytes(32))


def at_once(act: Callable[[Scene], TestResponse]) -> Callable[[Scene], Thunk]:
    return lambda scene: lambda: act(scene)


def nested(depth: int) -> bytes:
    return b'{"K_id":' + b"[" * depth + b"]" * depth + b"}"


def expired(scene: Scene) -> Thunk:
    challenge = scene.person.challenge()
    scene.vault.clock.advance(60)
    return lambda: scene.person.finish_login(challenge)


def replayed(scene: Scene) -> Thunk:
    challenge = scene.person.challenge()
    assert scene.person.finish_login(challenge).status_code == 200
    return lambda: scene.person.finish_login(challenge)


def of_another(scene: Scene) -> Thunk:
    challenge = FakePerson(scene.vault).challenge()
    return lambda: scene.person.finish_login(challenge)


def mismatched(scene: Scene) -> Thunk:
    upload = scene.full_upload()
    return lambda: scene.person.ask("POST", f"/v1/uploads/{upload}/complete", {"sha256": random_b64(32)})


def digest_of(data: bytes, name: str = "sha-256") -> str:
    return f"{name}=:{format_b64(hashlib.sha256(data).digest())}:"


CASES: dict[str, Callable[[Scene], Thunk]] = {
    "truncated JSON": at_once(lambda s: s.send(b'{"K_id":"' + CANARY.encode())),
    "two JSON values": at_once(lambda s: s.send(b"{}{}")),
    "a name that stands twice in an object": at_once(
        lambda s: s.send(f'{{"K_id":"{CANARY}","K_id":"{K_ID}"}}'.encode())
    ),
    "a byte order mark": at_once(lambda s: s.send(b"\xef\xbb\xbf" + format_json({"K_id": K_ID}))),
    "a lone surrogate, as an escape": at_once(lambda s: s.send(f'{{"K_id":"{CANARY}\\ud800"}}'.encode())),
    "bytes that are not UTF-8": at_once(lambda s: s.send(b'{"K_id":"\xff\xfe' + CANARY.encode() + b'"}')),
    "an integer beyond 2^53−1": at_once(lambda s: s.start({"K_id": 2**53})),
    "an integer of a thousand digits": at_once(lambda s: s.send(b'{"K_id":' + b"9" * 1000 + b"}")),
    "NaN": at_once(lambda s: s.send(b'{"K_id":NaN}')),
    "nesting deeper than 32": at_once(lambda s: s.send(nested(32))),
    "nesting of a hundred thousand": at_once(lambda s: s.send(nested(100_000))),
    "another charset": at_once(
        lambda s: s.send('{"K_id":""}'.encode("utf-16"), Content_Type="application/json; charset=utf-16")
    ),
    "another media type": at_once(lambda s: s.send(b"K_id=x", Content_Type="application/x-www-form-urlencoded")),
    "a JSON body larger than the limit": at_once(lambda s: s.send(b" " * (limits.SMALL_JSON_BODY + 1))),
    "a value of the wrong type": at_once(lambda s: s.start({"K_id": {CANARY: CANARY}})),
    "a list instead of an object": at_once(lambda s: s.start([CANARY])),
    "an unknown field": at_once(lambda s: s.start({"K_id": K_ID, "more": CANARY})),
    "a missing field": at_once(lambda s: s.start({})),
    "base64url with spare bits set": at_once(lambda s: s.start({"K_id": K_ID[:-1] + "B"})),
    "base64url with padding": at_once(lambda s: s.start({"K_id": K_ID + "="})),
    "base64 of the other alphabet": at_once(lambda s: s.start({"K_id": K_ID[:-2] + "+A"})),
    "a key of 31 bytes": at_once(lambda s: s.start({"K_id": b64(bytes(31))})),
    "an id in the path that is not canonical": at_once(lambda s: s.person.ask("GET", f"/v1/blobs/{s.blob[:-1]}B")),
    "an unknown path": at_once(lambda s: s.person.ask("GET", f"/v1/{CANARY}")),
    "an unknown method": at_once(lambda s: s.person.ask("PATCH", "/v1/items")),
    "a query name that stands twice": at_once(lambda s: s.person.ask("GET", "/v1/items?limit=1&limit=2")),
    "an unknown query name": at_once(lambda s: s.person.ask("GET", f"/v1/items?more={CANARY}")),
    "a cursor that is none": at_once(lambda s: s.person.ask("GET", f"/v1/items?after={CANARY}")),
    "a range outside of the file": at_once(
        lambda s: s.person.ask("GET", f"/v1/blobs/{s.blob}", headers={"Range": "bytes=500-"})
    ),
    "an expired challenge": expired,
    "a challenge used twice": replayed,
    "a challenge of another account": of_another,
    "a revision that leaves one out": at_once(lambda s: s.revise(3, 2)),
    "a revision that is kept already, with other bytes": at_once(lambda s: s.revise(1, 0)),
    "a revision that does not follow what it replaces": at_once(lambda s: s.revise(2, 2)),
    "a revision with a file that has not arrived": at_once(lambda s: s.revise(2, 1, blobs=[s.upload])),
    "an account record that is not the next one": at_once(
        lambda s: s.person.ask("PUT", "/v1/account/record", {"n": 3, "account_record": random_b64(1096)})
    ),
    "no length": at_once(
        lambda s: s.person.ask("PUT", f"/v1/blobs/{s.blob}", headers={"Content-Type": "application/octet-stream"})
    ),
    "a JSON body cut in the middle": at_once(lambda s: s.send(b'{"K_id":"', Content_Length="60")),
    "a file cut in the middle": at_once(lambda s: s.put_blob(make_bytes(300), Content_Length="500")),
    "a unit cut in the middle": at_once(
        lambda s: s.put_units(1, s.unit(1)[:1000], Content_Length=str(limits.UNIT), Content_Digest=digest_of(s.unit(1)))
    ),
    "a file larger than one unit in one request": at_once(lambda s: s.put_blob(bytes(limits.FIRST_UNIT + 1))),
    "a file that is too short to be sealed": at_once(lambda s: s.put_blob(bytes(71))),
    "a file without its digest": at_once(lambda s: s.put_blob(bytes(500), Content_Digest="")),
    "a file with a digest of another kind": at_once(
        lambda s: s.put_blob(bytes(500), Content_Digest=digest_of(bytes(500), "md5"))
    ),
    "a file with a wrong digest": at_once(lambda s: s.put_blob(bytes(500), Content_Digest=digest_of(b"other"))),
    "a unit with a wrong digest": at_once(lambda s: s.put_units(1, s.unit(1), Content_Digest=digest_of(b"other"))),
    "units that go beyond the announced end": at_once(lambda s: s.put_units(1, s.unit(1) + s.unit(2) + s.unit(1))),
    "a unit that is too short": at_once(lambda s: s.put_units(1, s.unit(1)[:-1])),
    "a unit that is too long": at_once(lambda s: s.put_units(2, s.unit(2) + b"\0")),
    "a unit that the upload does not have": at_once(lambda s: s.put_units(3, s.unit(1))),
    "an overlapping unit with other bytes": at_once(
        lambda s: s.put_units(0, make_bytes(limits.FIRST_UNIT) + s.unit(1))
    ),
    "completing before all units are there": at_once(
        lambda s: s.person.ask("POST", f"/v1/uploads/{s.upload}/complete", {"sha256": random_b64(32)})
    ),
    "completing with another hash": mismatched,
    "an upload announced with another size": at_once(
        lambda s: s.person.ask("POST", "/v1/uploads", {"blob": s.upload, "size": SIZE + 1})
    ),
    "a file kept already, with other bytes": at_once(lambda s: s.put_blob(make_bytes(500), s.blob)),
    "an upload larger than the vault takes": at_once(
        lambda s: s.person.ask("POST", "/v1/uploads", {"blob": b64(make_id()), "size": limits.BLOB + 1})
    ),
    "an upload larger than the space left": at_once(
        lambda s: s.person.ask("POST", "/v1/uploads", {"blob": b64(make_id()), "size": 10_000_000})
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_and_leaves_nothing(scene: Scene, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "temoin.server")
    thunk = CASES[name](scene)
    before = scene.state()
    expect(name, thunk(), caplog.text)
    assert scene.state() == before
    assert scene.person.ask("GET", "/v1/account").status_code == 200  # nobody is put out by it


def test_every_row_has_its_case() -> None:
    assert CASES.keys() == REQUESTS.keys()
    here = Path(__file__).parent
    named = {
        node.value
        for path in here.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert CIRCUMSTANCES.keys() | STARTS.keys() <= named


def test_the_document_has_the_same_table() -> None:
    text = (ROOT / "docs" / "attacks.md").read_text("utf-8")
    section = text.partition("\n## Bad input\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("|")][2:] == rows()


def test_an_overlapping_unit_with_the_same_bytes_is_kept_once(scene: Scene) -> None:
    before = scene.state()
    answer = scene.put_units(0, scene.unit(0))
    assert answer.status_code == 200
    assert [one["unit"] for one in said(answer)["units"]] == [0]
    assert scene.state() == before


def test_a_body_of_a_length_that_is_no_number_is_refused(scene: Scene) -> None:
    for length in ("-1", "1e3", "0x10", "+2", "2_0", ""):
        answer = scene.send(b"{}", Content_Length=length)
        assert (answer.status_code, said(answer)["code"]) in ((411, "length_required"), (400, "malformed"))
