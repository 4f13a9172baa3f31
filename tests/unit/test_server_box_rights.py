"""Who may do what with a deposit box: each of its endpoints, everybody who could ask; and what a visit opens elsewhere.

Whoever runs the vault has no endpoint at all: they read sealed bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
from werkzeug.test import TestResponse

from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes, make_id
from schemas.endpoints import ENDPOINTS, Endpoint, Stage
from server.database import Base
from server.directory.service import revoke
from tests.fakes.boxes import FakeBox, FakeDeposit
from tests.fakes.sharing import FakeBundle, open_professional, put_revision
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, said

BOXES = {f"{row.method} {row.path}" for row in ENDPOINTS if row.path.startswith("/v1/boxes")}
ACTORS = (
    "anonymous", "owner with password", "owner", "owner confirmed", "somebody else", "pending", "listed", "unlisted",
    "opening of a bundle", "holder of another key", "holder of the key", "visitor", "visitor of another box",
)
"""Who holds a key, and has not entered, shows no token: the key goes into one request alone."""
OPEN = ACTORS[2:8]
"""Who has an open session."""


@dataclass
class Scene:
    vault: FakeVault
    owner: FakePerson
    people: dict[str, FakePerson]
    box: FakeBox
    other: FakeBox
    """Of somebody else."""
    opening: str
    upload: str = field(default_factory=lambda: b64(make_id()))
    """On its way into the box."""

    def token(self, actor: str) -> str:
        """Fresh, because some requests use it up."""
        match actor:
            case "owner with password":
                return self.owner.give_password()
            case "owner confirmed":
                return self.owner.log_in().confirm()
            case "opening of a bundle":
                return self.opening
            case "visitor":
                return self.box.token()
            case "visitor of another box":
                return self.other.token()
            case "anonymous" | "holder of another key" | "holder of the key":
                return ""
            case _:
                return self.people[actor].log_in().token

    def rows(self) -> dict[str, object]:
        """Everything in the database but what asking leaves behind."""
        left = {"sessions", "challenges", "box_visits", "limiter_counts", "guesses", "accounts"}
        with self.vault.parts.database.read() as session:
            return {
                table.name: session.execute(table.select()).all()
                for table in Base.metadata.sorted_tables if table.name not in left
            }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with fake_vault(tmp_path_factory.mktemp("rights"), visit_rate="100000 per minute") as vault:
        owner = open_person(vault)
        pros = {name: open_professional(vault) for name in ("pending", "listed", "unlisted")}
        for name in ("listed", "unlisted"):
            pros[name].become_listed()
        revoke(vault.parts, pros["unlisted"].number)
        assert pros["pending"].ask_to_be_listed().status_code == 200
        people = {name: one.person for name, one in pros.items()}
        people |= {"owner": owner, "somebody else": open_person(vault)}
        opening = FakeBundle(owner).send().token()
        room = {"deposits": 100, "bytes": 100_000_000}
        box, other = FakeBox(owner).make(**room), FakeBox(people["somebody else"]).make(**room)
        made = Scene(vault, owner, people, box, other, opening)
        assert box.visit("POST", "uploads", {"blob": made.upload, "size": 500}).status_code == 201
        yield made


def outcome(answer: TestResponse) -> str:
    return "" if answer.status_code < 400 else str(said(answer)["code"])


def sessions(others: str = "", **codes: str) -> dict[str, str]:
    """The person's side: whoever has no session is `unauthorized`, and other people's get `others`."""
    found = dict.fromkeys(ACTORS, "unauthorized") | dict.fromkeys(OPEN, others)
    found["owner with password"] = "stage_insufficient"
    return found | {name.replace("_", " "): code for name, code in codes.items()}


VISIT = dict.fromkeys(ACTORS, "visit_over") | {"visitor": ""}
Ask = Callable[[Scene, str], TestResponse]
"""What an actor does, by name."""


def visit(method: str, path: str, body: Callable[[Scene], object] | None = None, data: bytes | None = None) -> Ask:
    """A request of a depositor, below the box."""
    return lambda s, actor: s.vault.ask(
        method, f"/v1/boxes/{s.box.box}/{path.format(upload=s.upload, fresh=b64(make_id()))}",
        None if body is None else body(s), data=data, token=s.token(actor),
    )


def enter(s: Scene, actor: str) -> TestResponse:
    cap = s.box.cap if actor in ("holder of the key", "visitor") else s.other.cap
    return s.box.enter(cap=cap, token=s.token(actor))


def give_up(s: Scene, actor: str) -> TestResponse:
    blob = b64(make_id())
    assert s.box.visit("POST", "uploads", {"blob": blob, "size": 500}).status_code == 201
    return s.vault.ask("DELETE", f"/v1/boxes/{s.box.box}/uploads/{blob}", token=s.token(actor))


def complete(s: Scene, actor: str) -> TestResponse:
    blob, data = b64(make_id()), make_bytes(500)
    assert s.box.visit("POST", "uploads", {"blob": blob, "size": 500}).status_code == 201
    assert s.box.visit("PUT", f"uploads/{blob}/units/0", data=data).status_code == 200
    body = {"sha256": b64(sha256(data).digest())}
    return s.vault.ask("POST", f"/v1/boxes/{s.box.box}/uploads/{blob}/complete", body, token=s.token(actor))


def put_deposit(s: Scene, actor: str) -> TestResponse:
    made = FakeDeposit(s.box)
    made.send_blobs(s.box.token())
    return s.vault.ask("POST", f"/v1/boxes/{s.box.box}/deposits", made.body(), token=s.token(actor))


def close(s: Scene, actor: str) -> TestResponse:
    fresh = FakeBox(s.owner.log_in()).make()
    return s.vault.ask("DELETE", f"/v1/boxes/{fresh.box}", token=s.token(actor))


def refuse(s: Scene, actor: str) -> TestResponse:
    made = s.box.deposit()
    return s.vault.ask("DELETE", f"/v1/boxes/{s.box.box}/deposits/{made.deposit}", token=s.token(actor))


RIGHTS: dict[str, tuple[Ask, dict[str, str]]] = {
    "POST /v1/boxes": (
        lambda s, actor: s.vault.ask("POST", "/v1/boxes", FakeBox(s.owner).body(), token=s.token(actor)),
        sessions("stage_insufficient", owner_confirmed=""),
    ),
    "GET /v1/boxes": (lambda s, actor: s.vault.ask("GET", "/v1/boxes", token=s.token(actor)), sessions("")),
    "DELETE /v1/boxes/<id:box>": (close, sessions("not_found", owner="", owner_confirmed="")),
    "GET /v1/boxes/<id:box>/deposits": (
        lambda s, actor: s.vault.ask("GET", f"/v1/boxes/{s.box.box}/deposits", token=s.token(actor)),
        sessions("not_found", owner="", owner_confirmed=""),
    ),
    "DELETE /v1/boxes/<id:box>/deposits/<id:deposit>": (refuse, sessions("not_found", owner="", owner_confirmed="")),
    "POST /v1/boxes/<id:box>/enter": (  # a token is neither asked for nor looked at: what counts is the key
        enter, dict.fromkeys(ACTORS, "cap_refused") | {"holder of the key": "", "visitor": ""},
    ),
    "PUT /v1/boxes/<id:box>/blobs/<id:blob>": (visit("PUT", "blobs/{fresh}", data=bytes(500)), VISIT),
    "POST /v1/boxes/<id:box>/uploads": (
        visit("POST", "uploads", lambda s: {"blob": s.upload, "size": 500}), VISIT
    ),
    "PUT /v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>": (
        visit("PUT", "uploads/{upload}/units/0", data=bytes(500)), VISIT
    ),
    "POST /v1/boxes/<id:box>/uploads/<id:blob>/complete": (complete, VISIT),
    "DELETE /v1/boxes/<id:box>/uploads/<id:blob>": (give_up, VISIT),
    "POST /v1/boxes/<id:box>/deposits": (put_deposit, VISIT),
}  # fmt: skip


def test_every_endpoint_of_boxes_is_in_the_matrix() -> None:
    assert RIGHTS.keys() == BOXES


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("endpoint", RIGHTS)
def test_everybody_gets_what_the_matrix_says(scene: Scene, endpoint: str, actor: str) -> None:
    ask, expected = RIGHTS[endpoint]
    assert outcome(ask(scene, actor)) == expected[actor]


@pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if row.stage not in (Stage.NONE, Stage.DEPOSITOR)],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_a_visit_opens_nothing_but_its_box(scene: Scene, row: Endpoint) -> None:
    """Neither the owner's things, nor a bundle, nor the box from the person's side."""
    waiting = scene.box.deposit(make_bytes(500))
    bundle = FakeBundle(scene.owner.log_in()).send()
    known = {"box": scene.box.box, "deposit": waiting.deposit, "blob": waiting.blobs[0], "bundle": bundle.bundle,
             "item": bundle.item, "revision": "1", "first": "0"}  # fmt: skip
    path = re.sub(r"<\w+:(\w+)>", lambda place: known[place[1]], row.path)
    before = scene.rows()
    answer = scene.vault.ask(row.method, path, token=scene.box.token())
    expected = "opening_over" if row.stage is Stage.BUNDLE else "unauthorized"
    assert (answer.status_code, outcome(answer)) == (401, expected)
    assert scene.rows() == before


@pytest.mark.parametrize("actor", ["somebody else", "pending", "listed", "unlisted"])
def test_what_waits_is_reached_by_nobody_around_the_box(scene: Scene, actor: str) -> None:
    waiting = scene.box.deposit(make_bytes(500))
    thief = scene.people[actor].log_in()
    mine = FakeBox(thief).make()
    before = scene.rows()
    for blob in waiting.names:
        for place in (f"blobs/{blob}", f"blobs/{blob}/receipt", f"uploads/{blob}"):
            assert outcome(thief.ask("GET", f"/v1/{place}")) == "not_found"
    assert outcome(thief.ask("GET", f"/v1/uploads/{scene.upload}")) == "not_found"
    assert outcome(thief.ask("DELETE", f"/v1/uploads/{scene.upload}")) == "not_found"
    named = put_revision(b64(make_id()), 1, blobs=waiting.names)
    assert outcome(thief.ask("POST", "/v1/items", named)) == "blob_missing"
    stolen = FakeDeposit(mine, deposit=waiting.deposit)
    assert outcome(stolen.put(stolen.body(blobs=waiting.blobs))) == "blob_missing"
    for blob in (*waiting.names, scene.upload):
        assert outcome(mine.visit("PUT", f"blobs/{blob}", data=bytes(500))) == "blob_conflict"
        assert outcome(mine.visit("POST", "uploads", {"blob": blob, "size": 600})) == "blob_conflict"
        assert outcome(mine.visit("DELETE", f"uploads/{blob}")) == "not_found"
    path = f"/v1/boxes/{mine.box}/deposits/{waiting.deposit}"
    assert outcome(thief.ask("DELETE", path)) == "not_found"
    assert scene.rows() == before


def test_a_visitor_gets_nothing_of_the_persons_own(scene: Scene) -> None:
    """The ids of a person's own blob and upload, under a token of her box."""
    owner, token = scene.owner.log_in(), scene.box.token()
    blob, upload = b64(make_id()), b64(make_id())
    assert owner.ask("PUT", f"/v1/blobs/{blob}", data=make_bytes(500)).status_code == 201
    assert owner.ask("POST", "/v1/uploads", {"blob": upload, "size": 500}).status_code == 201
    before = scene.rows()
    for one in (blob, upload):
        done = {"sha256": b64(make_bytes(32))}
        assert outcome(scene.box.visit("PUT", f"blobs/{one}", data=bytes(500), token=token)) == "blob_conflict"
        assert outcome(scene.box.visit("POST", "uploads", {"blob": one, "size": 500}, token=token)) == "blob_conflict"
        assert outcome(scene.box.visit("PUT", f"uploads/{one}/units/0", data=bytes(500), token=token)) == "not_found"
        assert outcome(scene.box.visit("POST", f"uploads/{one}/complete", done, token=token)) == "not_found"
        assert outcome(scene.box.visit("DELETE", f"uploads/{one}", token=token)) == "not_found"
        made = FakeDeposit(scene.box, deposit=one)
        assert outcome(made.put(token=token)) == "blob_missing"
    assert scene.rows() == before


def test_an_account_named_like_a_box_gets_nothing_of_it(scene: Scene) -> None:
    """The one id of a box that its visitors know."""
    thief = FakePerson(scene.vault, account=parse_b64url(scene.box.box)).register().log_in()
    assert outcome(thief.ask("GET", f"/v1/uploads/{scene.upload}")) == "not_found"
    assert outcome(thief.ask("GET", f"/v1/boxes/{scene.box.box}/deposits")) == "not_found"
