"""Who may do what: every row of the table of endpoints, with every kind of token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes, make_id
from schemas.endpoints import ENDPOINTS, Endpoint, Stage
from schemas.limits import TOKEN
from server.app import require_table
from server.database import Base
from tests.fakes.sharing import put_revision
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, random_b64, said
from tests.unit.test_server_box_rights import BOXES
from tests.unit.test_server_sharing_rights import SHARING

SHOWN = ("none", "unknown", "malformed", "expired", "password", "open", "confirmed", "recovery")
LATER = SHOWN[4:]
LETS_IN = {
    Stage.NONE: set(SHOWN),
    Stage.PASSWORD: {"password"},
    Stage.OPEN: {"open", "confirmed"},
    Stage.CONFIRMED: {"confirmed"},
    Stage.RECOVERY: {"recovery"},
    Stage.ANY: {"password", "open", "confirmed"},
    Stage.BUNDLE: set(),
    Stage.DEPOSITOR: set(),
}
ID = "AAAAAAAAAAAAAAAAAAAAAA"
PLACES = {
    "bundle": ID, "blob": ID, "item": ID, "box": ID, "deposit": ID, "revision": "1", "first": "0", "tile": "0/000",
}
OWN_TOKENS = {Stage.BUNDLE: "opening_over", Stage.DEPOSITOR: "visit_over"}
"""What no session opens → how it says so."""


@dataclass
class Scene:
    vault: FakeVault
    person: FakePerson
    expired: str

    def token(self, shown: str) -> str:
        """A token of this kind, fresh, because some endpoints use it up."""
        if shown in LATER and self.person.finish_login().status_code != 200:
            self.person.register()  # one of the endpoints has erased the account
        match shown:
            case "none":
                return ""
            case "unknown":
                return random_b64(TOKEN)
            case "malformed":
                return "AAAA"
            case "expired":
                return self.expired
            case "password":
                return self.person.give_password()
            case "recovery":
                return self.person.give_recovery()
            case "open":
                return self.person.log_in().token
            case _:
                self.person.log_in()
                return self.person.confirm()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with fake_vault(tmp_path_factory.mktemp("vault")) as vault:
        person = FakePerson(vault).register().log_in()
        expired = person.token
        vault.clock.advance(13 * 3600)
        yield Scene(vault, person, expired)


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name)
def test_only_the_stages_of_the_table_are_let_in(scene: Scene, endpoint: Endpoint, shown: str) -> None:
    path = re.sub(r"<\w+:(\w+)>", lambda place: PLACES[place[1]], endpoint.path)
    answer = scene.vault.ask(endpoint.method, path, token=scene.token(shown))
    code = said(answer).get("code") if answer.status_code >= 400 else None
    if shown in LETS_IN[endpoint.stage]:
        assert code not in ("unauthorized", "stage_insufficient", "internal")
    elif endpoint.stage in OWN_TOKENS:
        assert (answer.status_code, code) == (401, OWN_TOKENS[endpoint.stage])
    elif shown in LATER:
        assert (answer.status_code, code) == (403, "stage_insufficient")
    else:
        assert (answer.status_code, code) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


# ---- with a token of the right stage, and the ids of somebody else


@dataclass
class Strangers:
    """A person with one of everything, and another with an open session who has got hold of its ids."""

    vault: FakeVault
    owner: FakePerson
    other: FakePerson
    item: str
    blob: str
    upload: str

    def ask(self, method: str, path: str, body: object = None, *, data: bytes | None = None) -> TestResponse:
        """By the other person, in the latest stage that there is."""
        self.other.log_in()
        return self.vault.ask(method, path, body, data=data, token=self.other.confirm())

    def rows(self) -> dict[str, object]:
        """Everything of the owner, byte by byte."""
        with self.vault.parts.database.read() as session:
            return {
                table.name: session.execute(table.select().where(table.c.account == self.owner.account)).all()
                for table in Base.metadata.sorted_tables
                if "account" in table.c
            }


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    with fake_vault(tmp_path_factory.mktemp("strangers")) as vault:
        owner, other = open_person(vault), open_person(vault)
        made = Strangers(vault, owner, other, *(b64(make_id()) for _ in range(3)))
        assert owner.ask("PUT", f"/v1/blobs/{made.blob}", data=make_bytes(500)).status_code == 201
        assert owner.ask("POST", "/v1/items", put_revision(made.item, 1, blobs=[made.blob])).status_code == 201
        assert owner.ask("POST", "/v1/uploads", {"blob": made.upload, "size": 500}).status_code == 201
        assert owner.ask("PUT", f"/v1/uploads/{made.upload}/units/0", data=make_bytes(500)).status_code == 200
        yield made


Ask = Callable[[Strangers, str, str, str], TestResponse]
"""With an item, a blob and an upload: those of somebody else, or those of nobody."""
FOREIGN: dict[str, tuple[Ask, str, str]] = {
    # what is asked, the answer to somebody else's ids, the answer to nobody's
    "GET /v1/items/<id:item>/revisions/<u32:revision>/receipt": (
        lambda s, item, blob, upload: s.ask("GET", f"/v1/items/{item}/revisions/1/receipt"), "not_found", "not_found"
    ),
    "GET /v1/blobs/<id:blob>": (
        lambda s, item, blob, upload: s.ask("GET", f"/v1/blobs/{blob}"), "not_found", "not_found"
    ),
    "GET /v1/blobs/<id:blob>/receipt": (
        lambda s, item, blob, upload: s.ask("GET", f"/v1/blobs/{blob}/receipt"), "not_found", "not_found"
    ),
    "GET /v1/uploads/<id:blob>": (
        lambda s, item, blob, upload: s.ask("GET", f"/v1/uploads/{upload}"), "not_found", "not_found"
    ),
    "PUT /v1/uploads/<id:blob>/units/<u32:first>": (
        lambda s, item, blob, upload: s.ask("PUT", f"/v1/uploads/{upload}/units/0", data=bytes(500)),
        "not_found", "not_found",
    ),
    "POST /v1/uploads/<id:blob>/complete": (
        lambda s, item, blob, upload: s.ask("POST", f"/v1/uploads/{upload}/complete", {"sha256": b64(bytes(32))}),
        "not_found", "not_found",
    ),
    "DELETE /v1/uploads/<id:blob>": (
        lambda s, item, blob, upload: s.ask("DELETE", f"/v1/uploads/{upload}"), "not_found", "not_found"
    ),
    # an id that is taken can't be given twice; it is refused as one of the person's own would be
    "PUT /v1/blobs/<id:blob>": (
        lambda s, item, blob, upload: s.ask("PUT", f"/v1/blobs/{blob}", data=bytes(500)), "blob_conflict", ""
    ),
    "POST /v1/uploads": (
        lambda s, item, blob, upload: s.ask("POST", "/v1/uploads", {"blob": blob, "size": 600}), "blob_conflict", ""
    ),
    "POST /v1/items": (
        lambda s, item, blob, upload: s.ask("POST", "/v1/items", put_revision(item, 1)), "id_taken", ""
    ),
}  # fmt: skip
NAMELESS = {
    "GET /v1/vault", "GET /v1/health", "POST /v1/login/start", "POST /v1/login/finish", "POST /v1/accounts",
    "POST /v1/logout", "GET /v1/sessions", "POST /v1/sessions/end-others", "GET /v1/account", "PUT /v1/account/record",
    "GET /v1/items", "GET /ledger/checkpoint", "GET /ledger/rotations", "GET /ledger/restorations",
    "GET /ledger/tile/<path:tile>",
    "GET /v1/ledger/consistency", "GET /v1/ledger/anchors", "GET /v1/ledger/inclusion", "POST /v1/pin",
    "POST /v1/pin/reopen", "POST /v1/confirm", "POST /v1/account/credentials", "GET /v1/bundles", "GET /v1/inbox",
    "GET /v1/boxes", "DELETE /v1/account", "POST /v1/recovery/start", "POST /v1/recovery/finish",
    "GET /v1/recovery/keys", "POST /v1/recovery/credentials", "GET /v1/recovery", "DELETE /v1/recovery",
    "GET /v1/recovery/wait", "PUT /v1/recovery/wait",
    "POST /v1/professional", "GET /v1/professional", "GET /directory/checkpoint", "GET /directory/tile/<path:tile>",
}
"""They take no id of anything kept: whose rows they mean is what the token says, and nothing else."""


def test_every_endpoint_is_held_against_somebody_else() -> None:
    elsewhere = (SHARING | BOXES) - NAMELESS
    assert FOREIGN.keys() | NAMELESS | elsewhere == {name(endpoint) for endpoint in ENDPOINTS}
    assert not FOREIGN.keys() & (NAMELESS | elsewhere)


@pytest.mark.parametrize("endpoint", FOREIGN)
def test_the_ids_of_somebody_else_open_and_change_nothing(strangers: Strangers, endpoint: str) -> None:
    ask, theirs, nobodys = FOREIGN[endpoint]
    before = strangers.rows()
    answer = ask(strangers, strangers.item, strangers.blob, strangers.upload)
    assert said(answer)["code"] == theirs
    assert strangers.rows() == before
    unknown = ask(strangers, *(b64(make_id()) for _ in range(3)))
    if nobodys:  # and nobody learns that there is such a thing
        assert (unknown.status_code, unknown.data) == (answer.status_code, answer.data)
        assert dict(unknown.headers) == dict(answer.headers)
    else:
        assert unknown.status_code == 201


def test_a_blob_of_somebody_else_can_be_neither_named_nor_erased(strangers: Strangers) -> None:
    mine, before = b64(make_id()), strangers.rows()
    refused = strangers.ask("POST", "/v1/items", put_revision(mine, 1, blobs=[strangers.blob]))
    unknown = strangers.ask("POST", "/v1/items", put_revision(mine, 1, blobs=[b64(make_id())]))
    assert said(refused)["code"] == said(unknown)["code"] == "blob_missing"
    assert strangers.ask("POST", "/v1/items", put_revision(mine, 1)).status_code == 201
    erased = strangers.ask("POST", "/v1/items", put_revision(mine, 2, erases=[strangers.blob, strangers.upload]))
    assert erased.status_code == 201  # carried out at once, in stage `confirmed`
    assert strangers.rows() == before
    assert strangers.owner.ask("GET", f"/v1/blobs/{strangers.blob}").status_code == 200
    assert strangers.owner.ask("GET", f"/v1/uploads/{strangers.upload}").status_code == 200


def test_a_token_means_the_rows_of_its_own_account_alone(strangers: Strangers) -> None:
    owner, other = strangers.owner, strangers.other.log_in()
    assert said(other.ask("GET", "/v1/account"))["account"] == b64(other.account)
    assert {one["item"] for one in said(owner.ask("GET", "/v1/items"))["revisions"]} == {strangers.item}
    assert strangers.item not in other.ask("GET", "/v1/items").get_data(as_text=True)
    assert said(owner.ask("GET", "/v1/sessions")).keys() == {"sessions"}
    before = strangers.rows()
    assert strangers.ask("POST", "/v1/sessions/end-others").status_code == 200
    record = {"n": 2, "account_record": random_b64(1096)}
    assert strangers.ask("PUT", "/v1/account/record", record).status_code == 200
    assert strangers.ask("POST", "/v1/logout").status_code == 200
    assert strangers.rows() == before
    assert owner.ask("GET", "/v1/account").status_code == 200


def test_the_challenge_the_proof_and_the_recovery_code_of_somebody_else_are_refused(strangers: Strangers) -> None:
    owner, other = strangers.owner, strangers.other.log_in()
    before = strangers.rows()
    assert said(other.send_confirm(challenge=owner.challenge()))["code"] == "challenge_refused"
    assert said(other.send_confirm(seed=owner.login_seed))["code"] == "login_refused"
    taken = FakePerson(strangers.vault, account=owner.account)
    body = format_json(taken.sign_up_body(taken.challenge()))
    assert said(taken.send_sign_up(body))["code"] == "id_taken"
    token = other.give_password()
    both = {"rid": owner.rid, "seed": owner.recovery_seed}
    for refused in ({"rid": owner.rid}, {"seed": owner.recovery_seed}, both):
        assert said(other.send_reopen(token, **refused))["code"] == "recovery_refused"
    assert strangers.rows() == before


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {}", "bearer  {}", "Bearer {}=", "{}", "Bearer {} x"]
)
def test_only_a_well_spelled_bearer_token_counts(scene: Scene, header: str) -> None:
    token = scene.person.log_in().token
    answer = scene.vault.ask("GET", "/v1/account", headers={"Authorization": header.format(token)})
    assert said(answer)["code"] == "unauthorized"
    good = scene.vault.ask("GET", "/v1/account", headers={"Authorization": f"bearer {token}"})
    assert good.status_code == 200


def test_views_and_table_are_held_together(scene: Scene) -> None:
    require_table(scene.vault.app)
    app = Flask("small", static_folder=None)
    with pytest.raises(ValueError, match="/v1/account"):
        require_table(app)


def test_a_view_beside_the_table_is_caught(scene: Scene) -> None:
    from server.app import BLUEPRINTS
    from server.requests import CONVERTERS

    app = Flask("small", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.converters.update(CONVERTERS)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    require_table(app)
    app.add_url_rule("/v1/back-door", "back_door", lambda: "")
    with pytest.raises(ValueError, match="back-door"):
        require_table(app)
