"""Getting back in with the words alone, by the SDK: everything is there again, and a bad moment loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from client_sdk import recovering
from client_sdk.client import Credentials, Draft, VaultClient
from client_sdk.errors import NetworkError, Refused
from client_sdk.items import NextWait, Recovering, RecoveryWait
from client_sdk.recovering import Recovered
from crypto_core.encoding import format_b64url
from crypto_core.errors import SecretRefused, TamperedError, UnsupportedVersion
from crypto_core.randomness import make_bytes
from schemas.problems import PROBLEMS
from server.accounts.models import Account
from server.config import DAY, MINUTE
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device
from tests.fakes.vault import NOON, FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")
NEW = ("Amélie B.", "a boat on the wide lake", "8051937")
WAIT = 3 * DAY
OTHER_WORDS = (
    "bridge siege burger rigid salt talent wear circle increase ask spy road excuse cave decorate evil pass member "
    "during inhale uphold frost float bone"
)


@dataclass
class Scene:
    """Somebody with an entry and a sensitive one, who has nothing but their words; and the device that they lost."""

    vault: FakeVault
    lost: Device
    found: Device
    words: str

    def wait(self) -> VaultClient:
        """A client on the new device, once the waiting time is over."""
        client = self.found.client()
        client.show_recovery(self.words)
        self.vault.clock.advance(WAIT)
        return client

    def made(self, client: VaultClient) -> Recovered:
        return client.make_recovered(client.show_recovery(self.words), *NEW)

    def texts(self, *typed: str) -> list[str | None]:
        with self.found.client() as client:
            client.log_in(*typed)
            client.step_up(typed[2])
            return [item.text for item in client.items()]


@pytest.fixture
def scene(vault: FakeVault, tmp_path: Path) -> Iterator[Scene]:
    lost, found = (make_device(vault, tmp_path / name) for name in ("lost", "found"))
    with lost.client() as client:
        account = client.make_account(USERNAME, PASSWORD, PIN)
        client.register(account)
        client.log_in(USERNAME, PASSWORD, PIN)
        client.write_entry(Draft("what happened"))
        client.write_entry(Draft("behind the PIN"), sensitive=True)
    yield Scene(vault, lost, found, account.recovery_words)


def is_change(request: httpx.Request) -> bool:
    return request.url.path == "/v1/recovery/credentials"


def test_everything_is_there_again_and_only_what_is_new_opens(scene: Scene) -> None:
    with scene.found.client() as client:
        first = client.show_recovery(scene.words.upper().replace(" ", ", "))
        assert (first.is_due, first.begun, first.due) == (False, NOON, NOON + WAIT)
        scene.vault.clock.advance(WAIT)
        shown = client.show_recovery(scene.words)
        assert shown.is_due
        made = client.make_recovered(shown, *NEW, language="french")
        assert len(made.recovery_words.split()) == 24 and made.recovery_words != scene.words
        client.recover(made)
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]
    with pytest.raises(Refused) as caught:
        scene.lost.log_in()
    assert caught.value.code == "login_refused"
    with scene.found.client() as client:
        with pytest.raises(Refused) as caught:
            client.show_recovery(scene.words)
        assert caught.value.code == "recovery_refused"
        assert not client.show_recovery(made.recovery_words).is_due


def test_it_warns_of_nothing_and_what_is_written_after_it_holds(scene: Scene) -> None:
    with scene.wait() as client:
        client.recover(scene.made(client))
        assert client.log_in(*NEW).warnings == ()
        client.write_entry(Draft("since"))
        client.step_up(NEW[2])
    with scene.found.client() as client:
        assert client.log_in(*NEW).warnings == ()


def test_whoever_is_logged_in_is_told_and_can_stop_it(scene: Scene) -> None:
    with scene.lost.log_in() as owner:
        assert owner.account.pending_recovery() is None
        with scene.found.client() as client:
            client.show_recovery(scene.words)
            pending = Recovering(NOON, NOON + WAIT)
            assert owner.account.pending_recovery() == pending
            with pytest.raises(Refused):
                owner.account.stop_recovery(PASSWORD, "739155")
            owner.account.stop_recovery(PASSWORD, PIN)
            assert owner.account.pending_recovery() is None
            scene.vault.clock.advance(WAIT)
            assert not client.show_recovery(scene.words).is_due


def test_how_long_the_words_wait_is_chosen_with_both_secrets(scene: Scene) -> None:
    with scene.lost.log_in() as owner:
        account = owner.account
        assert account.recovery_wait() == RecoveryWait(WAIT, None)
        with pytest.raises(Refused):
            account.set_recovery_wait(PASSWORD, "739155", 10 * DAY)
        assert account.set_recovery_wait(PASSWORD, PIN, 10 * DAY) == RecoveryWait(10 * DAY, None)
        shorter = RecoveryWait(10 * DAY, NextWait(0, NOON + 10 * DAY))
        assert account.set_recovery_wait(PASSWORD, PIN, 0) == account.recovery_wait() == shorter
    scene.vault.clock.advance(10 * DAY)
    with scene.found.client() as client:
        shown = client.show_recovery(scene.words)
        assert (shown.is_due, shown.due) == (True, shown.begun)
        client.recover(client.make_recovered(shown, *NEW))
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


def test_what_was_made_and_then_stopped_is_refused(scene: Scene) -> None:
    with scene.wait() as client, scene.lost.log_in() as owner:
        made = scene.made(client)
        owner.account.stop_recovery(PASSWORD, PIN)
        with pytest.raises(Refused) as caught:
            client.recover(made)
        assert caught.value.code == "recovery_waiting"  # shown again, it waits anew
    scene.lost.opening()


@pytest.mark.parametrize("answers", ["lost once", "lost"])
def test_a_lost_answer_is_given_again_or_found_out(scene: Scene, answers: str) -> None:
    with scene.wait() as client:
        made, losses = scene.made(client), [True] * (1 if answers == "lost once" else 9)
        scene.found.network.cut_after = lambda request: is_change(request) and bool(losses) and losses.pop()
        if answers == "lost":
            with pytest.raises(NetworkError):
                client.recover(made)
            losses.clear()
            scene.vault.clock.advance(11 * MINUTE)  # its token is over by now, and so is the code
        client.recover(made)
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


def test_what_never_arrived_is_sent_again_with_a_fresh_challenge(scene: Scene) -> None:
    with scene.wait() as client:
        made = scene.made(client)
        scene.found.network.cut_before = is_change
        with pytest.raises(NetworkError):
            client.recover(made)
        scene.found.network.cut_before = lambda _: False
        scene.vault.clock.advance(30 * MINUTE)  # the words were copied meanwhile: token and challenge are over
        client.recover(made)
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


def test_a_change_of_the_password_meanwhile_is_what_it_follows(scene: Scene) -> None:
    with scene.found.client() as client, scene.lost.log_in() as owner:
        client.show_recovery(scene.words)
        owner.account.change_credentials(PASSWORD, PIN, Credentials(USERNAME, "another long password", PIN))
    scene.vault.clock.advance(WAIT)
    with scene.found.client() as client:
        client.recover(scene.made(client))
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


@pytest.mark.parametrize("words", ["", "bridge siege", OTHER_WORDS + " bone", OTHER_WORDS.replace("bone", "bonne")])
def test_what_can_not_be_a_code_is_never_sent(scene: Scene, words: str) -> None:
    with scene.found.client() as client, pytest.raises(SecretRefused):
        client.show_recovery(words)
    assert scene.found.network.paths("POST") == []


def test_words_of_nobody_are_refused(scene: Scene) -> None:
    with scene.found.client() as client, pytest.raises(Refused) as caught:
        client.show_recovery(OTHER_WORDS)
    assert caught.value.code == "recovery_refused"


@pytest.mark.parametrize(("typed", "detail"), [
    ((NEW[0], NEW[1], "1234"), "PIN"), ((NEW[0], "short", NEW[2]), "password"), (("", NEW[1], NEW[2]), "user name"),
])  # fmt: skip
def test_new_secrets_follow_the_rules_of_a_new_account(scene: Scene, typed: tuple[str, str, str], detail: str) -> None:
    with scene.wait() as client:
        shown = client.show_recovery(scene.words)
        with pytest.raises(SecretRefused) as caught:
            client.make_recovered(shown, *typed)
        assert detail in caught.value.detail


def test_an_account_record_that_was_damaged_is_put_together_anew(scene: Scene) -> None:
    with scene.vault.parts.database.write() as session:
        session.execute(update(Account).values(account_record=make_bytes(1096)))
    with scene.wait() as client:
        client.recover(scene.made(client))
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


def test_a_record_of_a_newer_program_is_not_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene.wait() as client, monkeypatch.context() as newer, pytest.raises(UnsupportedVersion):
        newer.setattr("client_sdk.keychain.VERSION", 9)
        scene.made(client)
    scene.lost.opening()


@pytest.mark.parametrize("name", ["share_R", "W_RN", "W_RS", "drop_box"])
def test_a_vault_that_gives_something_else_is_found_out_before_anything_is_sent(scene: Scene, name: str) -> None:
    def lie(answer: Any) -> Any:
        size = {"share_R": 32, "drop_box": 136}.get(name, 104)
        return {**answer, name: format_b64url(make_bytes(size))}

    with scene.wait() as client:
        scene.found.network.rewrites["/v1/recovery/keys"] = lie
        with pytest.raises(Exception) as caught:
            scene.made(client)
        assert getattr(caught.value, "code", "") in (TamperedError.code, "malformed", "version_unsupported")
    assert "/v1/recovery/credentials" not in scene.found.network.paths("POST")


def test_a_vault_that_is_older_has_none(scene: Scene) -> None:
    with scene.lost.log_in() as owner:
        def ask(*_: object, **__: object) -> Any:
            raise Refused("not_found", 404, PROBLEMS["not_found"].sentence)

        session = owner._opened().session
        session.ask = ask  # type: ignore[method-assign]
        assert owner.account.pending_recovery() is None
        assert owner.account.recovery_wait() is None


def test_new_words_take_the_place_of_those_that_somebody_has_seen(scene: Scene) -> None:
    with scene.lost.log_in() as owner:
        words = owner.account.make_words("french")
        owner.account.change_credentials(PASSWORD, PIN, Credentials(USERNAME, PASSWORD, PIN), words)
    with scene.found.client() as client:
        with pytest.raises(Refused) as caught:
            client.show_recovery(scene.words)
        assert caught.value.code == "recovery_refused"
        client.show_recovery(words.text)
        scene.vault.clock.advance(WAIT)
        client.recover(client.make_recovered(client.show_recovery(words.text), *NEW))
    assert scene.texts(*NEW) == ["what happened", "behind the PIN"]


def test_words_that_were_replaced_while_they_waited_open_nothing(scene: Scene) -> None:
    with scene.wait() as client, scene.lost.log_in() as owner:
        made = scene.made(client)
        words = owner.account.make_words()
        owner.account.change_credentials(PASSWORD, PIN, Credentials(USERNAME, PASSWORD, PIN), words)
        with pytest.raises(Refused) as caught:
            client.recover(made)
        assert caught.value.code == "recovery_refused"
    with pytest.raises(Refused) as caught:
        scene.texts(*NEW)
    assert caught.value.code == "login_refused"
    scene.lost.opening()


def test_whoever_else_used_the_same_words_is_not_taken_for_a_lost_answer(scene: Scene, tmp_path: Path) -> None:
    with scene.wait() as client, make_device(scene.vault, tmp_path / "other").client() as other:
        made = scene.made(client)
        scene.found.network.cut_before = is_change
        with pytest.raises(NetworkError):
            client.recover(made)
        scene.found.network.cut_before = lambda _: False
        other.recover(other.make_recovered(other.show_recovery(scene.words), "other", NEW[1], NEW[2]))
        with pytest.raises(Refused) as caught:
            client.recover(made)
        assert caught.value.code == "recovery_refused"


def test_another_device_that_writes_meanwhile_loses_no_sheet(scene: Scene) -> None:
    owner, writes = scene.lost.log_in(), [True]
    owner.write_entry(Draft("meanwhile"))

    def write(request: httpx.Request) -> bool:
        if is_change(request) and writes:
            writes.pop()
            owner.lock()  # which writes the account record
        return False

    with scene.wait() as client:
        owner = scene.lost.log_in()
        owner.write_entry(Draft("and now"))
        made = scene.made(client)
        scene.found.network.cut_before = write
        client.recover(made)
        assert writes == []
    assert "and now" in scene.texts(*NEW)


def test_the_keys_that_the_account_knew_stay_in_its_record(scene: Scene) -> None:
    with scene.lost.log_in() as owner:
        known = owner._opened().session.state.facts["directory_vkey"]
    with scene.wait() as client:
        made, pin = scene.made(client), client._door.meet()
        other = replace(pin, directory_vkey=pin.ledger_vkey)  # as if this device had met another directory
        recovering.send(client._transport, other, made, client._door.is_gone)
        client.log_in(*NEW)
        assert client._opened().session.state.facts["directory_vkey"] == known
