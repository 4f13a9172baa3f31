"""The server as liar: each lie is noticed by its own code and sentence, what was seen is kept, and the device goes on
as protocol §4 says: reading, exporting and adding; no edit, no deletion, no other credentials until the person agrees.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from client_sdk.client import Credentials, Draft, VaultClient
from client_sdk.errors import BlobSwapped, LedgerForked, LedgerKeyChanged, ServerFault, TrustError, Untrusted
from client_sdk.trust_store import ERRORS
from crypto_core.encoding import format_json
from crypto_core.errors import UnsupportedVersion, VerificationError
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.note import SignerKey, format_vkey, sign_note
from crypto_core.sealing.keyring import NeedsPin
from crypto_core.sealing.records import seal_account_record
from server.accounts.models import Account
from server.ledger.models import SignedCheckpoint
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device, register, stretch_once
from tests.fakes.vault import fake_vault, random_b64

NEW = Credentials(USERNAME, "a boat on the wide lake", "8051937")


@dataclass
class Scene:
    """A laptop that wrote, a telephone that has seen a part of it, and what the vault once answered."""

    laptop: Device
    phone: Device
    first_account: dict[str, Any]
    first_page: dict[str, Any]
    edited: bytes


@pytest.fixture(autouse=True)
def _stretch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stretch_once(monkeypatch)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with fake_vault(tmp_path / "server") as vault:
        laptop, phone = (make_device(vault, tmp_path / name) for name in ("laptop", "phone"))
        register(laptop)
        seen: dict[str, Any] = {}
        with laptop.log_in() as client:
            client.write_entry(Draft(text="one"))
            edited = client.write_entry(Draft(text="two"))
        phone.network.rewrites["/v1/account"] = lambda answer: seen.setdefault("account", answer)
        phone.network.rewrites["/v1/items"] = lambda answer: seen.setdefault("page", answer)
        phone.opening()
        phone.network.rewrites.clear()
        with laptop.log_in() as client:
            client.edit_entry(edited.id, {"text": "two, edited"})
            client.write_entry(Draft(text="three"))
        yield Scene(laptop, phone, seen["account"], seen["page"], edited.id)


def on_pages(device: Device, lie: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Lies in the pages of a sync, and in no other answer of that path."""
    def rewrite(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "revisions": lie(answer["revisions"])} if "cursor" in answer else answer

    device.network.rewrites["/v1/items"] = rewrite


def drops_an_item(scene: Scene) -> None:
    on_pages(scene.phone, lambda rows: rows[1:])


def rolls_an_item_back(scene: Scene) -> None:
    edited = scene.first_page["revisions"][1]["item"]
    on_pages(scene.phone, lambda rows: [one for one in rows if (one["item"], one["revision"]) != (edited, 2)])


def serves_an_older_account_record(scene: Scene) -> None:
    scene.phone.opening()  # the telephone sees the newest one first
    scene.phone.network.rewrites["/v1/account"] = lambda _: scene.first_account


def serves_an_older_account_record_as_the_newest(scene: Scene) -> None:
    old = scene.first_account["account_record"]
    scene.phone.network.rewrites["/v1/account"] = lambda answer: {**answer, "account_record": old}


def serves_garbage_as_the_account_record(scene: Scene) -> None:
    garbage = random_b64(1096)
    scene.phone.network.rewrites["/v1/account"] = lambda answer: {**answer, "account_record": garbage}


def serves_nothing_as_the_account_record(scene: Scene) -> None:
    scene.phone.network.rewrites["/v1/account"] = lambda answer: {**answer, "account_record": ""}


def swaps_two_records(scene: Scene) -> None:
    on_pages(scene.phone, lambda rows: _swapped(rows, "record"))


def swaps_two_wraps(scene: Scene) -> None:
    on_pages(scene.phone, lambda rows: _swapped(rows, "wrap"))


def swaps_two_links(scene: Scene) -> None:
    on_pages(scene.phone, lambda rows: _swapped(rows, "link"))


def replays_an_old_page(scene: Scene) -> None:
    old = {**scene.first_page, "cursor": "", "more": False}
    scene.phone.network.rewrites["/v1/items"] = lambda answer: old if "cursor" in answer else answer


def serves_another_checkpoint(scene: Scene) -> None:
    signer = SignerKey("ledger/other", make_bytes(32))
    note = sign_note(format_checkpoint(Checkpoint("ledger/other", 3, make_bytes(32))), signer)
    _replace_checkpoint(scene.phone, note)


def forks_the_ledger(scene: Scene) -> None:
    """A note by the true key over a tree that has never been."""
    scene.phone.opening()
    parts = scene.phone.network.vault.parts
    forged = Checkpoint(parts.folder.facts.origin, 1_000, make_bytes(32))
    _replace_checkpoint(scene.phone, sign_note(format_checkpoint(forged), parts.folder.ledger_signer))


def shows_another_ledger_key(scene: Scene) -> None:
    other = format_vkey(SignerKey("ledger/other", make_bytes(32)).verifier)
    scene.phone.network.rewrites["/v1/vault"] = lambda answer: {**answer, "ledger_vkey": other}


def _swapped(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    if len(rows) < 2:
        return rows
    first, second, *rest = rows
    return [{**first, name: second[name]}, {**second, name: first[name]}, *rest]


def _replace_checkpoint(device: Device, note: str) -> None:
    def spoil(request: httpx.Request, data: bytes) -> bytes:
        return note.encode() if request.url.path == "/ledger/checkpoint" else data

    device.network.spoils = spoil


LIES: list[tuple[Callable[[Scene], None], str]] = [
    (drops_an_item, "items_missing"),
    (rolls_an_item_back, "items_missing"),
    (replays_an_old_page, "items_missing"),
    (serves_an_older_account_record, "account_record_older"),
    (serves_an_older_account_record_as_the_newest, "account_record_older"),
    (serves_an_older_account_record_as_the_newest, "account_record_invalid"),
    (serves_garbage_as_the_account_record, "account_record_invalid"),
    (serves_nothing_as_the_account_record, "account_record_invalid"),
    (swaps_two_records, "blob_swapped"),
    (swaps_two_wraps, "blob_swapped"),
    (swaps_two_links, "blob_swapped"),
    (serves_another_checkpoint, "checkpoint_invalid"),
    (forks_the_ledger, "ledger_forked"),
    (shows_another_ledger_key, "ledger_key_changed"),
]


def evidence(device: Device) -> list[Path]:
    return sorted(device.home.folder.glob("**/evidence/*"))


@pytest.mark.parametrize(("lie", "code"), LIES, ids=[f"{lie.__name__}-{code}" for lie, code in LIES])
def test_each_lie_is_noticed_and_the_device_goes_on_as_promised(
    scene: Scene, lie: Callable[[Scene], None], code: str
) -> None:
    lie(scene)
    client = scene.phone.client()
    opening = client.log_in(USERNAME, PASSWORD, PIN)
    assert code in [one.code for one in opening.warnings]
    assert all(isinstance(one, TrustError) and len(one.sentence) > 40 for one in opening.warnings)
    assert evidence(scene.phone)
    shown = [item for item in client.items() if item.state == "open"]
    assert shown
    for item in shown:
        assert item.text is not None
        (sealed,) = client.sealed_blobs(item)
        assert sha256(b"".join(sealed.chunks)).digest() == sealed.sha256
    assert client.write_entry(Draft(text="adding goes on")).verified.commitment.size
    assert client.write_entry(Draft(text="behind the PIN too"), sensitive=True).verified.commitment.size
    _require_no_change(client, shown[0].id)
    client.lock()
    client = scene.phone.client()
    assert client.log_in(USERNAME, PASSWORD, PIN).warnings, "a warning outlives the process"
    scene.phone.network.rewrites.clear()
    scene.phone.network.spoils = None
    client.account.accept_trust(PASSWORD, PIN)
    if code != "ledger_key_changed":  # this vault hasn't the key that it showed and that was accepted
        client.edit_entry(shown[0].id, {"text": "edited again"})
        client.lock()
        assert scene.phone.opening().warnings == ()
        assert scene.laptop.opening().warnings == ()
    assert evidence(scene.phone), "what was seen stays"


def _require_no_change(client: VaultClient, item: bytes) -> None:
    for change in (
        lambda: client.edit_entry(item, {"text": "x"}), lambda: client.delete_item(item),
        lambda: client.restore_item(item), lambda: client.account.change_credentials(PASSWORD, PIN, NEW),
    ):
        with pytest.raises(Untrusted) as caught:
            change()
        assert caught.value.code == "warned"


def spoil_account_record(scene: Scene) -> None:
    """In the vault itself, for every device and for good."""
    with scene.phone.network.vault.parts.database.write() as session:
        session.execute(update(Account).values(account_record=make_bytes(1096)))


def test_an_account_record_that_is_lost_is_written_anew_by_a_device_that_knows_it(scene: Scene) -> None:
    scene.phone.opening()
    spoil_account_record(scene)
    client = scene.phone.client()
    assert [one.code for one in client.log_in(USERNAME, PASSWORD, PIN).warnings] == ["account_record_invalid"]
    client.account.accept_trust(PASSWORD, PIN)
    client.edit_entry(scene.edited, {"text": "two, edited again"})
    client.account.change_credentials(PASSWORD, PIN, NEW)
    client.lock()
    for device in (scene.phone, scene.laptop):
        with device.client() as client:
            assert client.log_in(NEW.username, NEW.password, NEW.pin).warnings == ()
            assert client.item(scene.edited).text == "two, edited again"


def test_a_device_that_never_saw_the_account_record_reads_adds_and_restores_it(scene: Scene, tmp_path: Path) -> None:
    with scene.laptop.log_in() as client:
        hidden = client.write_entry(Draft(text="behind the PIN"), sensitive=True)
    spoil_account_record(scene)
    tablet = make_device(scene.phone.network.vault, tmp_path / "tablet")
    client = tablet.client()
    assert [one.code for one in client.log_in(USERNAME, PASSWORD, PIN).warnings] == ["account_record_invalid"]
    assert [path for path in evidence(tablet) if path.name.startswith("account-record-")]
    assert [item.text for item in client.items()] == ["one", "two, edited", "three", None]
    client.write_entry(Draft(text="four"))
    with pytest.raises(NeedsPin):  # nobody has told this device the key of the drop-box
        client.write_entry(Draft(text="five"), sensitive=True)
    client.step_up(PIN)
    assert client.item(hidden.id).text == "behind the PIN"
    client.write_entry(Draft(text="five"), sensitive=True)
    _require_no_change(client, scene.edited)
    client.lock()
    client = tablet.client()
    assert client.log_in(USERNAME, PASSWORD, PIN).warnings
    client.account.accept_trust(PASSWORD, PIN)
    client.edit_entry(scene.edited, {"text": "two, edited again"})
    client.account.change_credentials(PASSWORD, PIN, NEW)
    client.lock()
    with make_device(scene.phone.network.vault, tmp_path / "another").client() as client:
        assert client.log_in(NEW.username, NEW.password, NEW.pin).warnings == ()
        client.step_up(NEW.pin)
        assert {item.text for item in client.items()} >= {"behind the PIN", "four", "five", "two, edited again"}
    with scene.laptop.client() as client:
        assert client.log_in(NEW.username, NEW.password, NEW.pin).warnings == ()


def test_an_account_record_that_was_spoiled_once_is_asked_for_again_and_nobody_is_alarmed(scene: Scene) -> None:
    serves_garbage_as_the_account_record(scene)
    rewrite, times = scene.phone.network.rewrites["/v1/account"], [True]
    scene.phone.network.rewrites["/v1/account"] = lambda one: rewrite(one) if times and times.pop() else one
    assert scene.phone.opening().warnings == ()


def test_an_account_record_of_a_newer_version_alarms_nobody_and_is_not_written_over(scene: Scene) -> None:
    with scene.laptop.log_in() as client:
        session = client._opened().session
        n, before = session.state.n + 1, session.state.facts
        json = format_json({"v": 2, "unheard": "of"})
        newer = seal_account_record(session.keyring.mk_n, session.account, n, json)
        session.ask("PUT", "/v1/account/record", {"n": n, "account_record": newer})
        assert before
    for _ in range(2):
        for device in (scene.laptop, scene.phone):
            with device.client() as client:
                assert client.log_in(USERNAME, PASSWORD, PIN).warnings == ()
                client.edit_entry(scene.edited, {"text": "edited by an old program"})
                client.write_entry(Draft(text="of an old program"))
                with pytest.raises(UnsupportedVersion):
                    client.account.change_credentials(PASSWORD, PIN, NEW)
                assert client._opened().session.ask("GET", "/v1/account")["account_record"] == newer


def test_a_change_does_not_write_over_a_newer_record_that_came_while_the_old_program_was_open(scene: Scene) -> None:
    with scene.phone.log_in() as old:
        with scene.laptop.log_in() as client:
            session = client._opened().session
            n = session.state.n + 1
            newer = seal_account_record(session.keyring.mk_n, session.account, n, format_json({"v": 2, "new": "facts"}))
            session.ask("PUT", "/v1/account/record", {"n": n, "account_record": newer})
        with pytest.raises(UnsupportedVersion):
            old.account.change_credentials(PASSWORD, PIN, NEW)
    with scene.laptop.log_in() as client:  # nothing changed: the old secrets open
        assert client._opened().session.ask("GET", "/v1/account")["account_record"] == newer


def test_both_notes_of_a_fork_are_kept(scene: Scene) -> None:
    forks_the_ledger(scene)
    scene.phone.opening()
    notes = [path.read_text("utf-8") for path in evidence(scene.phone) if path.name.startswith("fork-")]
    assert len(notes) == 2 and len({note.split("\n")[2] for note in notes}) == 2


def test_a_device_that_holds_the_other_side_of_a_fork_goes_on_adding_and_exporting(
    scene: Scene, tmp_path: Path
) -> None:
    """Everything that the vault signs now contradicts the note that this device holds."""
    parts = scene.phone.network.vault.parts
    forged = sign_note(
        format_checkpoint(Checkpoint(parts.folder.facts.origin, 1_000, make_bytes(32))), parts.folder.ledger_signer
    )
    tablet = make_device(scene.phone.network.vault, tmp_path / "tablet")
    _replace_checkpoint(tablet, forged)
    assert tablet.opening().warnings == ()
    tablet.network.spoils = None
    with tablet.client() as client:
        assert [one.code for one in client.log_in(USERNAME, PASSWORD, PIN).warnings] == ["ledger_forked"]
        assert client.write_entry(Draft(text="four")).verified.commitment.size
        assert all(list(client.sealed_blobs(item)) for item in client.items())
        _require_no_change(client, scene.edited)
        client.account.accept_trust(PASSWORD, PIN)
        client.edit_entry(scene.edited, {"text": "two, edited again"})
    assert (tablet.opening().warnings, tablet.opening().waiting) == ((), 0)


def test_a_fork_that_shows_in_a_receipt_is_raised_once_and_the_text_is_kept_then(scene: Scene, tmp_path: Path) -> None:
    tablet = make_device(scene.phone.network.vault, tmp_path / "tablet")
    with tablet.client() as client:
        client.log_in(USERNAME, PASSWORD, PIN)
        session = client._opened().session
        parts = scene.phone.network.vault.parts
        forged = Checkpoint(parts.folder.facts.origin, 1_000, make_bytes(32))
        session.replica.set_fact("checkpoint", sign_note(format_checkpoint(forged), parts.folder.ledger_signer))
        with pytest.raises(LedgerForked):
            client.write_entry(Draft(text="four"))
    with tablet.client() as client:
        opening = client.log_in(USERNAME, PASSWORD, PIN)
        assert ([one.code for one in opening.warnings], opening.waiting) == (["ledger_forked"], 0)
        assert client.items()[-1].text == "four"


@pytest.mark.parametrize(("spoil", "code"), [
    ("signature", "receipt_signature"), ("path", "receipt_not_included"), ("key", "ledger_key_changed"),
    ("other bytes", "receipt_other_bytes"), ("another tree size", "receipt_not_included"),
])
def test_a_receipt_that_does_not_verify_is_evidence_and_nothing_is_called_kept(
    scene: Scene, spoil: str, code: str
) -> None:
    parts = scene.phone.network.vault.parts
    with parts.database.read() as session:
        another = parts.ledger.receipt(session, 0).receipt
        signed = select(SignedCheckpoint.note).where(SignedCheckpoint.size > 0).order_by(SignedCheckpoint.size).limit(1)
        earlier = session.scalars(signed).one()

    def lie(answer: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in answer:
            return answer
        head, _, note = answer["revisions"][0]["receipt"].partition("\n\n")
        other = SignerKey("ledger/other", make_bytes(32))
        text = note.partition("\n\n")[0] + "\n"
        spoiled = {
            "other bytes": another, "another tree size": f"{head}\n\n{earlier}",
            "signature": f"{head}\n\n{note[:-12]}AAAA{note[-8:]}", "path": f"{head[:-8]}AAAA{head[-4:]}\n\n{note}",
            "key": f"{head}\n\n{sign_note(text, other)}",
        }
        return {"revisions": [{**answer["revisions"][0], "receipt": spoiled[spoil]}]}

    client = scene.phone.log_in()
    scene.phone.network.rewrites["/v1/items"] = lie
    with pytest.raises((VerificationError, LedgerKeyChanged)) as caught:
        client.write_entry(Draft(text="four"))
    assert caught.value.code == code
    assert [path for path in evidence(scene.phone) if path.name.startswith("receipt-")]
    client.lock()
    scene.phone.network.rewrites.clear()
    with scene.phone.client() as client:
        opening = client.log_in(USERNAME, PASSWORD, PIN)
        assert [one.code for one in opening.warnings] == (["ledger_key_changed"] if spoil == "key" else [])
        assert opening.waiting == 0 and client.items()[-1].text == "four"


def stop_the_public_checkpoint(device: Device) -> None:
    """The vault shows for good what it shows now, and the device deposits once more."""
    with device.log_in() as client:
        public = client._opened().session.trust.newest
        assert public is not None
        client.write_entry(Draft(text="four"))
    _replace_checkpoint(device, public)


def test_a_public_checkpoint_that_stays_behind_is_told_after_a_day_and_stops_nothing(scene: Scene) -> None:
    phone, clock = scene.phone, scene.phone.network.vault.clock
    stop_the_public_checkpoint(phone)
    for passed in (60, 86_340):
        clock.advance(passed)
        assert phone.opening().warnings == () and evidence(phone) == []
    clock.advance(1)
    with phone.client() as client:
        (told,) = client.log_in(USERNAME, PASSWORD, PIN).warnings
        assert told.code == "ledger_lags" and isinstance(told, TrustError)
        client.edit_entry(scene.edited, {"text": "edited all the same"})
        assert {path.name.rpartition("-")[0] for path in evidence(phone)} == {"lag-public", "lag-held"}
    phone.network.spoils = None
    assert phone.opening().warnings == ()


def test_a_clock_that_ran_ahead_and_was_set_right_does_not_hide_a_lag_for_longer_than_a_day(scene: Scene) -> None:
    phone, clock = scene.phone, scene.phone.network.vault.clock
    clock.advance(365 * 86_400)
    stop_the_public_checkpoint(phone)
    clock.advance(-365 * 86_400)
    assert phone.opening().warnings == ()
    clock.advance(86_401)
    assert [one.code for one in phone.opening().warnings] == ["ledger_lags"]


def test_each_warning_has_a_code_and_a_sentence_of_its_own() -> None:
    assert len({(error.code, error.sentence) for error in ERRORS.values()}) == len(ERRORS)


@pytest.mark.parametrize("lie", [swaps_two_records, swaps_two_wraps, swaps_two_links, drops_an_item])
def test_a_page_that_was_spoiled_once_is_asked_for_again_and_nobody_is_alarmed(
    scene: Scene, lie: Callable[[Scene], None]
) -> None:
    lie(scene)
    rewrite, times = scene.phone.network.rewrites["/v1/items"], [True]
    scene.phone.network.rewrites["/v1/items"] = lambda page: rewrite(page) if times and times.pop() else page
    with scene.phone.client() as client:
        assert client.log_in(USERNAME, PASSWORD, PIN).warnings == ()
        assert [item.text for item in client.items()] == ["one", "two, edited", "three"]


def test_two_contents_that_were_swapped_are_never_opened(scene: Scene, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.jpg", "two.jpg")]
    with scene.laptop.log_in() as client:
        for path in paths:
            path.write_bytes(make_bytes(5000))
            client.add_document(path)
        one, two = client.items("document")
        bodies = {
            f"/v1/blobs/{request.url.path.rsplit('/', 1)[1]}": request.content
            for request in scene.laptop.network.seen if request.url.path.startswith("/v1/blobs/")
        }
        (first, first_body), (second, second_body) = bodies.items()
        swapped = {first: second_body, second: first_body}
        scene.laptop.network.spoils = lambda request, data: swapped.get(request.url.path, data)
        for item in (one, two):
            with pytest.raises(BlobSwapped) as caught:
                b"".join(client.read_content(item, item.contents[0]))
            assert caught.value.code == "blob_swapped"
    assert [path for path in evidence(scene.laptop) if path.name.startswith("content-")]


@pytest.mark.parametrize(("lie", "code"), [
    ({"argon_newest": 2}, "client_too_old"), ({"vault_id": "A" * 22}, "vault_changed"),
])
def test_another_vault_or_other_argon2_parameters_get_nothing(scene: Scene, lie: dict[str, Any], code: str) -> None:
    scene.phone.network.rewrites["/v1/vault"] = lambda answer: {**answer, **lie}
    scene.phone.network.seen.clear()
    with pytest.raises(TrustError) as caught:
        scene.phone.client().log_in(USERNAME, PASSWORD, PIN)
    assert (caught.value.code, scene.phone.network.paths("POST")) == (code, [])
    kept = [json.loads(path.read_bytes()) for path in evidence(scene.phone)]
    assert [{name: one[name] for name in lie} for one in kept] == [lie]
    scene.phone.network.rewrites.clear()
    assert scene.phone.opening().warnings == ()


def test_pages_that_lead_round_in_a_circle_end(scene: Scene) -> None:
    start = cycle((False, True))
    scene.phone.network.rewrites["/v1/items"] = lambda page: {
        **page, "more": True, "cursor": "" if next(start) else page["cursor"]
    }
    with pytest.raises(ServerFault):
        scene.phone.opening()
