"""Sharing through the whole SDK and the whole server, in one process; and a vault that lies to each of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.client import Draft, VaultClient
from client_sdk.contents import open_content
from client_sdk.directory import (
    DirectoryInvalid, DirectoryUnwitnessed, ProKeyChanged, Professional, find_professionals, require_same,
)
from client_sdk.errors import (
    BundleIncomplete, BundleSwapped, DirectoryForked, ItemUnknown, ItemUnproven, PolicyOtherLog, Refused, TrustError,
    Untrusted, ValueRefused,
)
from client_sdk.opening import OpenedBundle
from client_sdk.packs.pack import write_pack
from client_sdk.packs.sink import open_sink
from client_sdk.protocol.sync import Finding
from client_sdk.sharing import MadeBundle, Sharing
from crypto_core.encoding import format_b64url, format_json, parse_b64url, parse_json
from crypto_core.errors import MalformedError, SecretRefused, TamperedError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.directory import Listed as ListedEntry, Listing, Witnessed, format_entry
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import (
    COSIGNATURE, SignerKey, format_signatures, format_vkey, parse_note, sign, sign_note,
)
from crypto_core.receipts.policy import Policy, parse_policy
from crypto_core.receipts.tiles import format_entries
from crypto_core.receipts.tree import new_nodes, root
from crypto_core.sealing import sharing
from crypto_core.sealing.keyring import NeedsPin
from crypto_core.sealing.records import open_device_state, seal_device_state
from server.directory.service import approve, revoke
from server.items.service import collect
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device, register
from tests.fakes.received import receive
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
DAY = 86_400
PRO = "cabinet"
FILE = make_bytes(300_000)


@dataclass
class Scene:
    """A person with an entry, a sensitive one and a file; a professional who is listed."""

    vault: FakeVault
    person: Device
    reader: Device
    client: VaultClient
    pro: VaultClient
    account: bytes
    entry: bytes
    sensitive: bytes
    document: bytes

    def sharing(self, *items: bytes, to: int | None = 0, **more: Any) -> Sharing:
        given = {"expires": self.vault.clock.now() + 30 * DAY, "openings": 3, **more}
        return Sharing([(item, 1) for item in items or (self.entry, self.document)], to, **given)

    def share(self, *items: bytes, to: int | None = 0, **more: Any) -> MadeBundle:
        made = self.client.shares.make(self.sharing(*items, to=to, **more))
        self.client.shares.send(made, self.client.account.confirm(PASSWORD, PIN))
        return made

    def listed(self) -> Professional:
        return self.client.professionals.read().professionals[0]


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    person, reader = (make_device(vault, tmp_path / name) for name in ("person", "reader"))
    register(person)
    pro = reader.client()
    account = pro.register(pro.make_account(PRO, PASSWORD, PIN))
    pro.log_in(PRO, PASSWORD, PIN)
    confirmed = pro.account.confirm(PASSWORD, PIN)
    asked = pro.office.ask_to_be_listed(confirmed, name="Claire Martin", org="Rive", town="Lyon", kind="lawyer")
    approve(vault.parts, account.hex(), asked.fingerprint)
    path = tmp_path / "photo.jpg"
    path.write_bytes(FILE)
    client = person.log_in()
    entry = client.write_entry(Draft("What happened", title="Evening"))
    sensitive = client.write_entry(Draft("Behind the PIN"), sensitive=True)
    document = client.add_document(path)
    with client, pro:
        yield Scene(vault, person, reader, client, pro, account, entry.id, sensitive.id, document.id)


def told(opened: OpenedBundle) -> list[str | None]:
    return [one.item.text or one.item.title for one in opened.items]


# what is meant to happen


def test_a_professional_opens_the_very_bytes_that_were_deposited(scene: Scene) -> None:
    digits = scene.pro.office.standing().fingerprint
    assert scene.listed().listing.fingerprint == digits
    scene.client.professionals.note_compared(0)
    assert scene.listed().compared == "yes"
    made = scene.share(message="Voilà")
    [received] = scene.pro.office.inbox()
    assert (received["bundle"], received["opened"], received["openings"]) == (made.bundle, 0, 3)
    opened = scene.pro.office.open(made.bundle)
    assert (opened.message, told(opened)) == ("Voilà", ["What happened", "photo.jpg"])
    own = scene.client.item(scene.document)
    assert opened.items[1].proof is not None
    assert opened.items[1].proof.verified == scene.client.receipt(own).verified
    [content] = opened.items[1].item.contents
    assert b"".join(open_content(content, opened.sealed(content))) == FILE
    assert opened.receipt(content).verified.commitment.sha256 == content.sealed
    [shared] = scene.client.shares.list()
    assert (shared.name, shared.items) == ("Claire Martin", ((scene.entry, 1), (scene.document, 1)))
    assert shared.facts["opened"] == [scene.vault.clock.now()]


def test_link_and_code_open_without_an_account(scene: Scene) -> None:
    made = scene.share(to=None)
    assert made.link is not None
    stranger = scene.reader.client()
    opened = stranger.open_link(made.link.fragment, made.link.code)
    assert told(opened) == ["What happened", "photo.jpg"]
    [shared] = scene.client.shares.list()
    assert (shared.name, len(shared.facts["opened"])) == (None, 1)


def test_what_is_sensitive_is_shared_only_after_the_pin(scene: Scene) -> None:
    with pytest.raises(NeedsPin):
        scene.client.shares.make(scene.sharing(scene.sensitive))
    scene.client.step_up(PIN)
    made = scene.share(scene.sensitive)
    assert told(scene.pro.office.open(made.bundle)) == ["Behind the PIN"]


def test_sharing_takes_password_and_pin_anew(scene: Scene) -> None:
    made = scene.client.shares.make(scene.sharing())
    for password, pin, code in (("another password", PIN, "login_refused"), (PASSWORD, "739155", "pin_wrong")):
        with pytest.raises(Refused) as caught:
            scene.client.shares.send(made, scene.client.account.confirm(password, pin))
        assert caught.value.code == code
    assert scene.pro.office.inbox() == []


def test_revoked_is_refused_in_mid_download(scene: Scene) -> None:
    made = scene.share()
    opened = scene.pro.office.open(made.bundle)
    [content] = opened.items[1].item.contents
    scene.client.shares.revoke(made.bundle)
    scene.client.shares.revoke(made.bundle)
    with pytest.raises(Refused) as caught:
        list(opened.sealed(content))
    assert caught.value.code == "bundle_over"
    assert scene.pro.office.inbox() == []
    [shared] = scene.client.shares.list()
    assert (shared.facts["why"], shared.facts["ended"]) == ("revoked", scene.vault.clock.now())


def test_the_end_that_was_set_ends_what_is_open(scene: Scene) -> None:
    made = scene.share(expires=scene.vault.clock.now() + 600)
    opened = scene.pro.office.open(made.bundle)
    scene.vault.clock.advance(600)
    with pytest.raises(Refused) as caught:
        opened.receipt(opened.items[1].item.contents[0])
    assert caught.value.code == "bundle_over"


def test_an_extended_bundle_keeps_what_was_opened(scene: Scene) -> None:
    first = scene.share(openings=2)
    scene.pro.office.open(first.bundle)
    second = scene.share(openings=2, replaces=first.bundle)
    assert [one["bundle"] for one in scene.pro.office.inbox()] == [second.bundle]
    scene.pro.office.open(second.bundle)
    with pytest.raises(Refused) as caught:
        scene.pro.office.open(second.bundle)
    assert caught.value.code == "openings_used"


def test_a_lost_answer_to_an_opening_costs_nothing(scene: Scene) -> None:
    made = scene.share(openings=1)
    lost = iter([True])
    scene.reader.network.cut_after = lambda request: request.url.path.endswith("/open") and next(lost, False)
    assert told(scene.pro.office.open(made.bundle)) == ["What happened", "photo.jpg"]
    assert len(scene.client.shares.list()[0].facts["opened"]) == 1


def used(scene: Scene, bundle: bytes) -> int:
    [found] = [one for one in scene.person.log_in().shares.list() if one.facts["bundle"] == bundle]
    return len(found.facts["opened"])


def test_an_opening_that_was_cut_off_goes_on_for_an_hour_and_then_is_another(scene: Scene) -> None:
    made, opening = scene.share(to=None, openings=2), make_id()
    assert made.link is not None
    for later, counted in ((0, 1), (3599, 1), (1, 2)):
        scene.vault.clock.advance(later)
        opened = scene.reader.client().open_link(made.link.fragment, made.link.code, opening)
        assert told(opened) == ["What happened", "photo.jpg"]
        assert scene.reader.network.paths("POST")[-1].endswith("/open")
        assert used(scene, made.bundle) == counted


def test_five_wrong_codes_end_a_link(scene: Scene) -> None:
    made = scene.share(to=None)
    assert made.link is not None
    stranger, wrong = scene.reader.client(), f"{(int(made.link.code.replace(' ', '')) + 1) % 10**8:08}"
    with pytest.raises(SecretRefused):
        stranger.open_link(made.link.fragment, "1234")
    lefts = []
    for _ in range(5):
        with pytest.raises(Refused) as caught:
            stranger.open_link(made.link.fragment, wrong)
        lefts.append((caught.value.code, caught.value.extra.get("left")))
    assert lefts == [("code_wrong", left) for left in (4, 3, 2, 1, 0)]
    with pytest.raises(Refused) as caught:
        stranger.open_link(made.link.fragment, made.link.code)
    assert caught.value.code == "bundle_over"
    assert scene.client.shares.list()[0].facts["why"] == "codes"


def test_what_can_not_be_shared_is_refused_before_anything_is_sent(scene: Scene) -> None:
    with pytest.raises(ValueRefused):
        scene.client.shares.make(scene.sharing(message="a" * 4001))
    with pytest.raises(ItemUnknown):
        scene.client.shares.make(scene.sharing(make_id()))
    with pytest.raises(Refused) as caught:
        scene.client.shares.make(scene.sharing(to=7))
    assert caught.value.code == "professional_unknown"
    confirmed = scene.pro.account.confirm(PASSWORD, PIN)
    with pytest.raises(MalformedError):
        scene.pro.office.ask_to_be_listed(confirmed, name="Claire\u202e", org="", town="", kind="lawyer")


def test_the_directory_is_read_whole_and_searched_here(scene: Scene) -> None:
    scene.person.network.seen.clear()
    everybody = scene.client.professionals.read().professionals
    assert {path for path in scene.person.network.paths("GET")} == {
        "/directory/checkpoint", "/directory/tile/entries/000.p/1"}
    assert find_professionals(everybody, "LYON márTin") == list(everybody)
    assert find_professionals(everybody, "Paris") == []
    assert find_professionals(everybody, kind="doctor") == []


def test_whoever_is_no_longer_listed_opens_nothing(scene: Scene) -> None:
    made = scene.share()
    revoke(scene.vault.parts, scene.account.hex())
    with pytest.raises(Refused) as caught:
        scene.pro.office.inbox()
    assert caught.value.code == "professional_needed"
    assert scene.client.professionals.read().professionals == ()
    assert scene.client.shares.list()[0].facts["why"] == "unlisted"
    assert made.bundle


# a vault that lies


@dataclass
class Swapped:
    """A directory of somebody else's making under the right key, for one device."""

    signer: SignerKey
    entries: list[bytes]

    def note(self, size: int | None = None) -> bytes:
        leaves = list(map(hash_leaf, self.entries[:size]))
        nodes = {(level, index): value for level, index, value in new_nodes(0, leaves, lambda *_: b"")}
        top = root(len(leaves), lambda level, index: nodes[level, index])
        return sign_note(format_checkpoint(Checkpoint(self.signer.name, len(leaves), top)), self.signer).encode()

    def show(self, device: Device) -> None:
        def answer(request: httpx.Request) -> bytes | None:
            if request.url.path == "/directory/checkpoint":
                return self.note()
            return format_entries(self.entries) if request.url.path.startswith("/directory/tile/entries/") else None

        device.network.answers = answer


def swapped(scene: Scene, *listings: Listing) -> Swapped:
    """The true first entries, and then others."""
    seed = parse_b64url((scene.vault.parts.config.data / "directory.key").read_text().strip())
    origin = f"{scene.vault.parts.folder.facts.origin}/directory"
    true = [format_entry(ListedEntry(scene.listed().listing, scene.listed().since, None))]
    return Swapped(SignerKey(origin, seed), [*true, *(format_entry(ListedEntry(one, 0, None)) for one in listings)])


def somebody(name: str = "Claire Martin") -> Listing:
    return Listing(name, "Rive", "Lyon", "lawyer", make_bytes(32), make_bytes(32))


def test_a_key_swapped_for_one_victim_is_a_fork(scene: Scene) -> None:
    lie = swapped(scene)
    lie.entries[0] = format_entry(ListedEntry(somebody(), 0, None))
    lie.show(scene.person)
    with pytest.raises(DirectoryForked):
        scene.client.shares.make(scene.sharing())
    assert len(list((scene.client._opened().session.home.folder / "evidence").glob("directory-*"))) == 2


def test_a_key_that_takes_the_place_of_a_compared_one_is_refused(scene: Scene) -> None:
    scene.client.professionals.read()
    scene.client.professionals.note_compared(0)
    lie = swapped(scene, somebody("claire MARTIN"))
    lie.show(scene.person)
    old, new = scene.client.professionals.read().professionals
    require_same(old)
    with pytest.raises(ProKeyChanged):
        require_same(new)
    with pytest.raises(ProKeyChanged):
        scene.client.shares.make(scene.sharing(to=1))


def test_a_professional_sees_a_namesake_with_other_keys(scene: Scene) -> None:
    lie = swapped(scene, somebody("Paul Roux"), somebody())
    lie.show(scene.reader)
    assert [one.entry for one in scene.pro.office.listed_otherwise()] == [2]


@pytest.mark.parametrize("said", [{"listing": None, "state": "none", "entry": None}, {"name": "Paul Roux"}])
def test_a_vault_that_hides_a_professionals_own_name_hides_no_namesake(scene: Scene, said: dict[str, Any]) -> None:
    """It says that nobody is listed, or that somebody else is, and takes the true entry back."""
    lie = swapped(scene, somebody())
    lie.entries.append(b'{"v":1,"revokes":0}')
    lie.show(scene.reader)
    scene.reader.network.rewrites["/v1/professional"] = lambda answer: {**answer, **(
        said if "state" in said else {"listing": answer["listing"] | said}
    )}
    assert [one.entry for one in scene.pro.office.listed_otherwise()] == [1]
    lie.entries[:2] = [lie.entries[1]]  # a device that remembers the name needs no entry of its own
    lie.entries.pop()
    scene.pro.professionals.start_anew()
    assert [one.entry for one in scene.pro.office.listed_otherwise()] == [0]


def test_a_new_device_learns_a_professionals_name_from_the_directory(scene: Scene, tmp_path: Path) -> None:
    other = make_device(scene.vault, tmp_path / "other")
    swapped(scene, somebody("CLAIRE martin")).show(other)
    other.network.rewrites["/v1/professional"] = lambda answer: {
        **answer, "listing": None, "state": "none", "entry": None}
    with other.client() as pro:
        pro.log_in(PRO, PASSWORD, PIN)
        assert [one.entry for one in pro.office.listed_otherwise()] == [1]


def test_two_histories_stay_a_warning_until_the_person_has_looked(scene: Scene) -> None:
    lie, honest = swapped(scene), scene.person.network.answers
    lie.entries[0] = format_entry(ListedEntry(somebody(), 0, None))
    lie.show(scene.person)
    for answers in (scene.person.network.answers, honest):  # and though the vault shows the first one again
        scene.person.network.answers = answers
        with pytest.raises(DirectoryForked):
            scene.client.shares.make(scene.sharing())
    assert [one.code for one in scene.client._opened().session.told] == ["directory_forked"]
    assert scene.client.shares.make(scene.sharing(to=None)).link is not None
    scene.client.account.accept_trust(PASSWORD, PIN)
    assert scene.client.shares.make(scene.sharing()).body


def test_under_a_warning_nothing_is_shared_with_somebody_whom_the_vault_alone_knows(scene: Scene) -> None:
    scene.client._opened().session.warnings.add(Finding.LEDGER_FORKED)
    with pytest.raises(Untrusted):
        scene.client.shares.make(scene.sharing())
    assert scene.client.shares.make(scene.sharing(to=None)).link is not None
    scene.client.professionals.read()
    scene.client.professionals.note_compared(0)
    assert scene.client.shares.make(scene.sharing()).body


# witnesses


def witness(name: str) -> SignerKey:
    return SignerKey(name, make_bytes(32), COSIGNATURE)


def asked_for(lie: Swapped, quorum: int, *witnesses: SignerKey) -> Policy:
    lines = [f"log {format_vkey(lie.signer.verifier)}"]
    lines += [f"witness w{at} {format_vkey(one.verifier)}" for at, one in enumerate(witnesses)]
    members = " ".join(f"w{at}" for at in range(len(witnesses)))
    return parse_policy("\n".join([*lines, f"group some {quorum} {members}", "quorum some", ""]).encode())


def cosigned(lie: Swapped, *witnesses: SignerKey) -> Callable[..., bytes]:
    """Its newest state, as these witnesses saw it."""
    plain, count = lie.note(), len(lie.entries)
    text = parse_note(plain).text
    lines = format_signatures(sign(text, one, time=1_795_000_000) for one in witnesses)
    assert count
    return lambda size=None: plain + lines.encode()


def test_a_directory_that_asks_for_witnesses_is_believed_with_their_quorum_alone(scene: Scene) -> None:
    lie, one, two, three = swapped(scene), witness("one"), witness("two"), witness("three")
    lie.entries.append(format_entry(Witnessed(asked_for(lie, 2, one, two, three))))
    lie.show(scene.person)
    for few in ([], [two], [two, witness("two")]):
        lie.note = cosigned(lie, *few) if few else lie.note  # type: ignore[method-assign]
        with pytest.raises(DirectoryUnwitnessed):
            scene.client.shares.make(scene.sharing())
        del lie.note
    lie.note = cosigned(lie, one, three)  # type: ignore[method-assign]
    assert scene.client.shares.make(scene.sharing()).body
    del lie.note
    lie.entries.append(format_entry(ListedEntry(somebody("Claire Martín"), 0, None)))  # shown to one person alone
    with pytest.raises(DirectoryUnwitnessed):
        scene.client.professionals.read()
    assert scene.client.shares.make(scene.sharing(to=None)).link is not None


def test_a_fork_is_refused_at_first_sight_by_whoever_was_given_the_policy(scene: Scene) -> None:
    lie, one = swapped(scene, somebody("Paul Roux")), witness("one")
    lie.show(scene.person)
    policy = asked_for(lie, 1, one)
    scene.client.professionals.demand(policy)
    with pytest.raises(DirectoryUnwitnessed):
        scene.client.professionals.read()
    lie.note = cosigned(lie, one)  # type: ignore[method-assign]
    assert len(scene.client.professionals.read().professionals) == 2
    (pin,) = scene.person.home.pins()
    lie.signer = SignerKey("another.example/directory", make_bytes(32))
    for other, given in (
        (asked_for(lie, 1, one), "neither of this vault's logs"),
        (Policy.for_key(pin.ledger_vkey), "this vault's ledger"),
    ):
        with pytest.raises(PolicyOtherLog) as told:
            scene.client.professionals.demand(other)
        assert told.value.detail == f"given: {given}; meant: its directory, {pin.directory_vkey}"
    assert not issubclass(PolicyOtherLog, TrustError), "the vault did nothing"


def test_other_witnesses_count_once_those_before_have_signed_that_entry(scene: Scene) -> None:
    lie, old, new = swapped(scene), witness("old"), witness("new")
    lie.entries.append(format_entry(Witnessed(asked_for(lie, 1, old))))
    lie.show(scene.person)
    lie.note = cosigned(lie, old)  # type: ignore[method-assign]
    scene.client.professionals.read()
    del lie.note
    lie.entries.append(format_entry(Witnessed(asked_for(lie, 1, new))))
    for missing in ([new], [old]):
        lie.note = cosigned(lie, *missing)  # type: ignore[method-assign]
        with pytest.raises(DirectoryUnwitnessed):
            scene.client.professionals.read()
        del lie.note
    lie.note = cosigned(lie, old, new)  # type: ignore[method-assign]
    scene.client.professionals.read()
    del lie.note
    lie.entries.append(format_entry(ListedEntry(somebody("Paul Roux"), 0, None)))
    lie.note = cosigned(lie, new)  # type: ignore[method-assign]
    assert len(scene.client.professionals.read().professionals) == 2


@pytest.mark.parametrize("lie", ["other entries", "fewer", "another key", "no note", "two of one"])
def test_a_directory_that_is_not_what_was_signed_is_refused(scene: Scene, lie: str) -> None:
    made = swapped(scene, somebody("Paul Roux"))
    made.show(scene.person)
    scene.client.professionals.read()
    match lie:
        case "other entries":
            kept = made.note()
            made.entries[1] = format_entry(ListedEntry(somebody("Luc Roy"), 0, None))
            made.note = lambda size=None: kept  # type: ignore[method-assign]
        case "fewer":
            made.entries.pop()
        case "another key":
            made.signer = SignerKey(made.signer.name, make_bytes(32))
        case "no note":
            made.note = lambda size=None: b"\xff\n"  # type: ignore[method-assign]
        case _:
            made.entries.append(b'{"v":1,"revokes":9}')
    with pytest.raises(DirectoryInvalid):
        scene.client.professionals.read()


def spoiling(part: str, change: Callable[[bytes], bytes]) -> Callable[[httpx.Request, bytes], bytes]:
    return lambda request, body: change(body) if request.url.path.endswith(part) else body


def refused(opened: OpenedBundle) -> list[type[Exception] | None]:
    return [None if one.refused is None else type(one.refused) for one in opened.items]


def test_a_record_of_other_bytes_is_refused_and_the_rest_is_shown(scene: Scene) -> None:
    made = scene.share()
    scene.reader.network.spoils = spoiling("/revisions/1", lambda body: body[:-1] + bytes([body[-1] ^ 1]))
    assert refused(scene.pro.office.open(made.bundle)) == [BundleSwapped, BundleSwapped]
    record = f"/items/{format_b64url(scene.entry)}/revisions/1"
    scene.reader.network.spoils = spoiling(record, lambda body: body[:-1])
    assert refused(scene.pro.office.open(made.bundle)) == [BundleSwapped, None]


def test_a_content_of_other_bytes_is_never_taken_for_whole(scene: Scene) -> None:
    opened = scene.pro.office.open(scene.share().bundle)
    [content] = opened.items[1].item.contents
    for change in (lambda body: body[:100] + b"\0" + body[101:], lambda body: body[:-1] + bytes([body[-1] ^ 1])):
        scene.reader.network.spoils = spoiling(f"/blobs/{format_b64url(content.blob)}", change)
        with pytest.raises(BundleSwapped):
            list(open_content(content, opened.sealed(content)))


def test_a_content_that_does_not_end_keeps_nothing_else_out_of_a_pack(scene: Scene, tmp_path: Path) -> None:
    """It is read no further than it was long."""
    opened = scene.pro.office.open(scene.share().bundle)
    [content] = opened.items[1].item.contents
    scene.reader.network.spoils = spoiling(f"/blobs/{format_b64url(content.blob)}", lambda body: body * 20)
    with open_sink(tmp_path / "pack.zip") as sink:
        written = write_pack(opened, scene.pro.known_policy(), sink)
    assert [(one.item.id, one.error.code, one.is_there) for one in written.lost] == [
        (scene.document, "bundle_swapped", False),
    ]
    assert (tmp_path / "pack.zip").stat().st_size < 5 * len(FILE)


@pytest.mark.parametrize(("lie", "code"), [("broken", "receipt_malformed"), ("withheld", "not_found")])
def test_the_item_whose_receipt_does_not_hold_is_named_and_nothing_is_shared(
    scene: Scene, tmp_path: Path, lie: str, code: str
) -> None:
    """It was one refusal for all of them. Less than was asked for is never shared in silence."""
    def lying(said: dict[str, Any]) -> dict[str, Any]:
        if lie == "withheld":
            raise Refused("not_found", 404, "")
        return {**said, "receipt": f"x{said['receipt']}"}

    phone = make_device(scene.vault, tmp_path / "phone")  # which holds no receipts
    with phone.log_in() as client:
        phone.network.rewrites[f"/v1/items/{format_b64url(scene.document)}/revisions/1/receipt"] = lying
        with pytest.raises(ItemUnproven) as caught:
            client.shares.make(scene.sharing(to=None))
        assert (caught.value.item, caught.value.revision, caught.value.error.code) == (scene.document, 1, code)
        assert "photo.jpg" not in str(caught.value)
        assert client.shares.make(scene.sharing(scene.entry, to=None)).link is not None


def test_an_item_is_named_where_the_words_that_came_with_it_have_no_receipt(scene: Scene, tmp_path: Path) -> None:
    with make_device(scene.vault, tmp_path / "stranger").client() as stranger:
        taken = receive(scene.client, stranger, scene.vault.clock.now())
    sent = scene.client.item(taken.kept.id).sent
    phone = make_device(scene.vault, tmp_path / "phone")
    assert sent is not None
    with phone.log_in() as client:
        phone.network.rewrites[f"/v1/blobs/{format_b64url(sent.deposit)}/receipt"] = lambda said: {
            **said, "receipt": f"x{said['receipt']}"
        }
        with pytest.raises(ItemUnproven) as caught:
            client.shares.make(scene.sharing(scene.entry, taken.kept.id, to=None))
        assert caught.value.item == taken.kept.id


def test_a_dropped_item_is_told(scene: Scene) -> None:
    made = scene.share()
    scene.client.delete_item(scene.entry)
    scene.vault.clock.advance(8 * DAY)
    collect(scene.vault.parts)
    scene.client.log_in(USERNAME, PASSWORD, PIN)
    scene.pro.log_in(PRO, PASSWORD, PIN)
    assert refused(scene.pro.office.open(made.bundle)) == [BundleIncomplete, None]


@pytest.mark.parametrize(("lie", "code"), [("other", "receipt_other_bytes"), ("broken", "receipt_signature")])
def test_a_receipt_that_does_not_hold_is_said_and_what_was_written_is_read(scene: Scene, lie: str, code: str) -> None:
    """A vault that spoils a receipt must not keep from a reader what somebody wanted them to read."""
    made = scene.share()
    own = scene.client.receipt(scene.client.item(scene.entry)).receipt
    broken = own[:-20] + ("A" if own[-20] != "A" else "B") + own[-19:]
    given = broken if lie == "broken" else scene.client.receipt(scene.client.item(scene.document)).receipt
    first = f"/v1/bundles/{format_b64url(made.bundle)}/items/{format_b64url(scene.entry)}/revisions/1/receipt"
    scene.reader.network.rewrites[first] = lambda answer: {**answer, "receipt": given}
    one, whole = scene.pro.office.open(made.bundle).items
    assert (one.refused, one.proof, one.item.deposited, one.item.text) == (None, None, 0, "What happened")
    assert one.doubt is not None and one.lacking is one.doubt and one.doubt.code == code
    assert whole.lacking is None and whole.proof is not None


def test_an_old_bundle_in_the_place_of_a_new_one_is_refused(scene: Scene) -> None:
    old, new = scene.share(), scene.share()
    [first, second] = scene.pro.office.inbox()
    scene.reader.network.rewrites["/v1/inbox"] = lambda answer: {"bundles": [
        {**one, "bundle": format_b64url(new.bundle), "wrap": format_b64url(
            next(two["wrap"] for two in (first, second) if two["bundle"] == old.bundle))}
        for one in answer["bundles"][:1]]}
    with pytest.raises(sharing.BundleOther):
        scene.pro.office.open(new.bundle)


def test_the_seal_of_another_bundle_is_refused(scene: Scene) -> None:
    old, new = scene.share(), scene.share()
    seals: list[str] = []

    def keep(answer: dict[str, Any]) -> dict[str, Any]:
        seals.append(answer["seal"])
        return {**answer, "seal": seals[0]}

    for one in (old, new):
        scene.reader.network.rewrites[f"/v1/bundles/{format_b64url(one.bundle)}/open"] = keep
    scene.pro.office.open(old.bundle)
    with pytest.raises(TamperedError):
        scene.pro.office.open(new.bundle)


def test_an_end_that_the_vault_extends_is_not_the_one_that_was_signed(scene: Scene) -> None:
    made = scene.share(expires=scene.vault.clock.now() + DAY)
    pro = scene.pro._opened().session
    pro.clock = lambda: scene.vault.clock.now() + DAY  # the vault's own clock stands still
    with pytest.raises(sharing.BundleExpired):
        scene.pro.office.open(made.bundle)


def test_a_lie_about_the_directory_is_a_matter_of_trust() -> None:
    assert {DirectoryForked, DirectoryInvalid, ProKeyChanged} <= set(TrustError.__subclasses__())
    assert USERNAME != PRO


@pytest.mark.parametrize(("version", "is_known"), [(1, True), (1.0, False), (True, False), (0, False)])
def test_what_a_device_kept_of_the_directory_before_there_were_witnesses_is_known_still(
    scene: Scene, version: object, is_known: bool
) -> None:
    assert scene.listed().compared == "no"
    scene.client.professionals.note_compared(0)
    session = scene.client.professionals._session
    path, place = session.home.folder / "directory", (session.keyring.mk_n, "directory", session.account)
    kept = parse_json(open_device_state(*place, path.read_bytes()))
    older = format_json({"v": version, "note": kept["note"], "compared": kept["compared"]})
    path.write_bytes(seal_device_state(*place, older))
    if is_known:
        assert scene.listed().compared == "yes"
    else:
        with pytest.raises(MalformedError):
            scene.listed()
