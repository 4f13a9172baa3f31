"""Who may do what with what is shared: each endpoint of sharing, everybody who could ask, both kinds of bundle.

Whoever runs the vault has no endpoint at all: they list professionals by a command, and read sealed bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json
from crypto_core.randomness import make_bytes, make_id
from schemas.endpoints import ENDPOINTS, Endpoint, Stage
from server.directory.service import revoke
from tests.fakes.sharing import FakeBundle, FakeProfessional, open_professional
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, said

SHARING = {
    f"{row.method} {row.path}" for row in ENDPOINTS
    if row.path.startswith(("/v1/bundles", "/v1/links", "/v1/inbox", "/v1/professional", "/directory"))
}
ACTORS = (
    "anonymous", "owner with password", "owner", "owner confirmed", "somebody else", "pending", "listed", "colleague",
    "unlisted", "opening", "opening of another bundle",
)
"""Of the bundle for a professional, `listed` is the reader; `opening` has a token of the bundle that is asked for."""
OPEN = ACTORS[2:9]
"""Who has an open session."""


@dataclass
class Scene:
    vault: FakeVault
    owner: FakePerson
    people: dict[str, FakePerson]
    for_listed: FakeBundle
    for_link: FakeBundle
    openings: dict[str, str]
    """Bundle → a token of an opening."""

    def token(self, actor: str, made: FakeBundle) -> str:
        """Fresh, because some requests use it up."""
        match actor:
            case "anonymous":
                return ""
            case "owner with password":
                return self.owner.give_password()
            case "owner confirmed":
                return self.owner.log_in().confirm()
            case "opening":
                return self.openings[made.bundle]
            case "opening of another bundle":
                other = self.for_link if made is self.for_listed else self.for_listed
                return self.openings[other.bundle]
            case _:
                return self.people[actor].log_in().token

    def confirmed(self, actor: str, made: FakeBundle) -> str:
        """The same, in the latest stage that there is."""
        if actor in OPEN:
            return self.people.get(actor, self.owner).log_in().confirm()
        return self.token(actor, made)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with fake_vault(tmp_path_factory.mktemp("rights")) as vault:
        owner = open_person(vault)
        pros = {name: open_professional(vault) for name in ("pending", "listed", "colleague", "unlisted")}
        entry = pros["listed"].become_listed()
        for name in ("colleague", "unlisted"):
            pros[name].become_listed()
        revoke(vault.parts, pros["unlisted"].number)
        assert pros["pending"].ask_to_be_listed().status_code == 200
        people = {name: one.person for name, one in pros.items()}
        people |= {"owner": owner, "somebody else": open_person(vault)}
        for_listed = FakeBundle(owner, entry).send(openings=1000)
        for_link = FakeBundle(owner).send(openings=1000)
        openings = {
            for_link.bundle: for_link.token(),
            for_listed.bundle: for_listed.token(token=people["listed"].log_in().token),
        }
        yield Scene(vault, owner, people, for_listed, for_link, openings)


def outcome(answer: TestResponse) -> str:
    return "" if answer.status_code < 400 else str(said(answer)["code"])


def everybody(**others: str) -> dict[str, str]:
    """Whoever is not named gets `rest`; `sessions` is what every open session gets."""
    rest, sessions = others.pop("rest"), others.pop("sessions", None)
    found = dict.fromkeys(ACTORS, rest)
    if sessions is not None:
        found |= dict.fromkeys(OPEN, sessions)
    return found | {name.replace("_", " "): code for name, code in others.items()}


Ask = Callable[[Scene, FakeBundle, str], TestResponse]
"""What an actor does to a bundle, by name."""


def get_thing(place: int) -> Ask:
    return lambda s, made, actor: s.vault.ask("GET", made.things[place], token=s.token(actor, made))


def put_like(s: Scene, made: FakeBundle, actor: str) -> TestResponse:
    """A bundle of the owner's things, for the actor."""
    body = FakeBundle(s.owner, made.entry, item=made.item, blob=made.blob).body()
    return s.vault.ask("POST", "/v1/bundles", body, token=s.token(actor, made))


def delete_like(s: Scene, made: FakeBundle, actor: str) -> TestResponse:
    s.owner.log_in()
    fresh = FakeBundle(s.owner, made.entry, item=made.item, blob=made.blob).share_it()
    return s.vault.ask("DELETE", f"/v1/bundles/{fresh.bundle}", token=s.token(actor, made))


def ask_to_be_listed(s: Scene, made: FakeBundle, actor: str) -> TestResponse:
    """Under the identity of somebody else, who has not signed for it."""
    body = format_json(FakeProfessional(s.owner).listing())
    headers = {"Content-Type": "application/json", "Temoin-Signature": b64(bytes(64))}
    return s.vault.ask("POST", "/v1/professional", data=body, headers=headers, token=s.confirmed(actor, made))


Rights = tuple[Ask, dict[str, str], dict[str, str]]
"""What is asked; what each gets where the bundle is for a professional; and where it is for a link."""
THING = everybody(rest="opening_over", opening="")


def alike(ask: Ask, expected: dict[str, str]) -> Rights:
    return ask, expected, expected


def get(path: str) -> Ask:
    return lambda s, made, actor: s.vault.ask("GET", path, token=s.token(actor, made))


RIGHTS: dict[str, Rights] = {
    "POST /v1/bundles": alike(put_like, everybody(
        rest="unauthorized", sessions="stage_insufficient", owner_with_password="stage_insufficient", owner_confirmed=""
    )),
    "GET /v1/bundles": alike(get("/v1/bundles"), everybody(
        rest="unauthorized", sessions="", owner_with_password="stage_insufficient"
    )),
    "DELETE /v1/bundles/<id:bundle>": alike(delete_like, everybody(
        rest="unauthorized", sessions="not_found", owner_with_password="stage_insufficient", owner="",
        owner_confirmed="",
    )),
    "GET /v1/inbox": alike(get("/v1/inbox"), everybody(
        rest="unauthorized", sessions="professional_needed", owner_with_password="stage_insufficient", listed="",
        colleague="",
    )),
    "POST /v1/links/<id:bundle>": (  # a session is neither asked for nor looked at: what counts is the code
        lambda s, made, actor: made.try_code(token=s.token(actor, made)),
        everybody(rest="not_found"), everybody(rest=""),
    ),
    "POST /v1/bundles/<id:bundle>/open": (
        lambda s, made, actor: made.open(token=s.token(actor, made)),
        everybody(rest="unauthorized", sessions="not_found", owner_with_password="stage_insufficient", listed=""),
        everybody(rest="unauthorized", sessions="", owner_with_password="stage_insufficient", anonymous=""),
    ),
    "GET /v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>": alike(get_thing(0), THING),
    "GET /v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt": alike(get_thing(1), THING),
    "GET /v1/bundles/<id:bundle>/blobs/<id:blob>": alike(get_thing(2), THING),
    "GET /v1/bundles/<id:bundle>/blobs/<id:blob>/receipt": alike(get_thing(3), THING),
    "POST /v1/professional": alike(ask_to_be_listed, everybody(
        rest="unauthorized", sessions="signature_refused", owner_with_password="stage_insufficient"
    )),
    "GET /v1/professional": alike(get("/v1/professional"), everybody(
        rest="unauthorized", sessions="", owner_with_password="stage_insufficient"
    )),
    "GET /directory/checkpoint": alike(get("/directory/checkpoint"), everybody(rest="")),
    "GET /directory/tile/<path:tile>": alike(get("/directory/tile/entries/000.p/1"), everybody(rest="")),
}


def test_every_endpoint_of_sharing_is_in_the_matrix() -> None:
    assert RIGHTS.keys() == SHARING


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("kind", ["professional", "link"])
@pytest.mark.parametrize("endpoint", RIGHTS)
def test_everybody_gets_what_the_matrix_says(scene: Scene, endpoint: str, kind: str, actor: str) -> None:
    ask, for_professional, for_link = RIGHTS[endpoint]
    made, expected = (
        (scene.for_listed, for_professional) if kind == "professional" else (scene.for_link, for_link)
    )
    assert outcome(ask(scene, made, actor)) == expected[actor]


@pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if row.stage not in (Stage.NONE, Stage.BUNDLE, Stage.DEPOSITOR)],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_an_opening_is_no_session(scene: Scene, row: Endpoint) -> None:
    path = row.path
    for place, name in (("<id:bundle>", scene.for_link.bundle), ("<id:blob>", scene.for_link.blob),
                        ("<id:item>", scene.for_link.item), ("<u32:revision>", "1"), ("<u32:first>", "0"),
                        ("<id:box>", b64(make_id())), ("<id:deposit>", b64(make_id()))):
        path = path.replace(place, name)
    answer = scene.vault.ask(row.method, path, token=scene.openings[scene.for_link.bundle])
    assert (answer.status_code, outcome(answer)) == (401, "unauthorized")


@pytest.mark.parametrize("actor", [name for name in OPEN if not name.startswith("owner")])
def test_what_is_shared_is_reached_by_nobody_around_the_bundle(scene: Scene, actor: str) -> None:
    """Neither by the owner's addresses nor in a bundle of one's own."""
    for made in (scene.for_listed, scene.for_link):
        token = scene.confirmed(actor, made)
        for place in (f"blobs/{made.blob}", f"blobs/{made.blob}/receipt", f"items/{made.item}/revisions/1/receipt"):
            assert outcome(scene.vault.ask("GET", f"/v1/{place}", token=token)) == "not_found"
        body = FakeBundle(scene.owner, item=made.item, blob=made.blob).body()
        assert outcome(scene.vault.ask("POST", "/v1/bundles", body, token=token)) == "blob_missing"
        alone = {**body, "blobs": []}
        assert outcome(scene.vault.ask("POST", "/v1/bundles", alone, token=token)) == "not_found"


def test_each_sees_the_bundles_of_their_own_side_alone(scene: Scene) -> None:
    for actor in OPEN:
        token = scene.token(actor, scene.for_link)
        mine = {one["bundle"] for one in said(scene.vault.ask("GET", "/v1/bundles", token=token))["bundles"]}
        assert ({scene.for_listed.bundle, scene.for_link.bundle} <= mine) == actor.startswith("owner")
        assert bool(mine) == actor.startswith("owner")
    for actor, is_reader in (("listed", True), ("colleague", False)):
        token = scene.token(actor, scene.for_link)
        waiting = [one["bundle"] for one in said(scene.vault.ask("GET", "/v1/inbox", token=token))["bundles"]]
        assert (scene.for_listed.bundle in waiting) == is_reader
        assert scene.for_link.bundle not in waiting


def test_whoever_has_only_the_address_of_a_link_has_nothing(scene: Scene) -> None:
    """Before the code: the id of the bundle, and no key that comes of the share."""
    made = FakeBundle(scene.owner.log_in(), item=scene.for_link.item, blob=scene.for_link.blob).share_it()
    wrong = made.try_code(x=make_bytes(32))
    assert outcome(wrong) == "code_wrong" and said(wrong).keys() & {"share", "wrap", "seal"} == set()
    refused = made.open(cap=make_bytes(32))
    assert outcome(refused) == "cap_refused" and "seal" not in said(refused)
    for place in made.things:
        for token in ("", b64(make_bytes(32)), b64(made.x), b64(make_id())):
            assert outcome(scene.vault.ask("GET", place, token=token)) == "opening_over"
