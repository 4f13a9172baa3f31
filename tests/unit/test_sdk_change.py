"""A change of user name, password or PIN by the SDK: what is kept stays, and a bad moment locks nobody out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.client import Credentials, Draft, VaultClient
from client_sdk.errors import NetworkError, Refused, Untrusted
from crypto_core.errors import SecretRefused
from crypto_core.sealing.keyring import NeedsPin
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device, register
from tests.fakes.vault import fake_vault

pytestmark = pytest.mark.usefixtures("stretched_once")
NEW = Credentials("Amélie", "a boat on the wide lake", "8051937")
ALL_NEW = Credentials("someone else", "a boat on the wide lake", "8051937")
SAME_PIN = Credentials("Amélie", "a boat on the wide lake", PIN)
SAME_PASSWORD = Credentials("Amélie", PASSWORD, "8051937")


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Device]:
    with fake_vault(tmp_path / "server") as vault:
        device = make_device(vault, tmp_path / "laptop")
        register(device)
        yield device


def opened(device: Device, typed: Credentials) -> VaultClient:
    client = device.client()
    assert client.log_in(typed.username, typed.password, typed.pin).warnings == ()
    return client


def is_credentials(request: httpx.Request) -> bool:
    return request.url.path == "/v1/account/credentials"


def test_wrong_passwords_in_an_open_session_are_counted_and_it_goes_on(tmp_path: Path) -> None:
    with fake_vault(tmp_path / "server", confirm_rate="3 per hour") as vault:
        device = make_device(vault, tmp_path / "laptop")
        register(device)

        def refusal(client: VaultClient, guess: str) -> Refused:
            with pytest.raises(Refused) as caught:
                client.account.change_credentials(guess, PIN, NEW)
            return caught.value

        with device.log_in() as client:
            guesses = ("another password", "a third password", "a fourth password")
            assert [refusal(client, guess).code for guess in guesses] == ["login_refused"] * 3
            limited = refusal(client, PASSWORD)
            assert (limited.code, limited.retry_after) == ("session_limited", 3600)
            client.write_entry(Draft(text="what is open stays open"))
        with device.log_in() as client:
            client.account.change_credentials(PASSWORD, PIN, NEW)


@pytest.mark.parametrize("new", [NEW, ALL_NEW, SAME_PIN, SAME_PASSWORD], ids=["both", "all", "password", "pin"])
def test_everything_stays_and_only_the_new_secrets_open(laptop: Device, tmp_path: Path, new: Credentials) -> None:
    phone = make_device(laptop.network.vault, tmp_path / "phone")
    with laptop.log_in() as client:
        client.write_entry(Draft(text="before"))
        client.write_entry(Draft(text="secret"), sensitive=True)
        client.account.change_credentials(PASSWORD, PIN, new)
        client.write_entry(Draft(text="after, in the same session"))
        client.step_up(new.pin)
    with pytest.raises(Refused) as caught:
        laptop.log_in()
    assert caught.value.code in ("login_refused", "pin_wrong")
    for device in (laptop, phone):
        with opened(device, new) as client:
            texts = [item.text for item in client.items()]
            assert texts == ["before", None, "after, in the same session"]
            client.step_up(new.pin)
            assert [item.text for item in client.items()][1] == "secret"
            client.write_entry(Draft(text="more"), sensitive=True)
            client.delete_item(client.items()[-1].id)


def test_the_sensitive_tier_is_closed_after_a_change(laptop: Device) -> None:
    client = laptop.log_in()
    kept = client.write_entry(Draft(text="secret"), sensitive=True)
    client.account.change_credentials(PASSWORD, PIN, NEW)
    with pytest.raises(NeedsPin):
        client.edit_entry(kept.id, {"text": "x"})
    client.lock()


def test_a_second_change_follows_the_first(laptop: Device) -> None:
    with laptop.log_in() as client:
        client.account.change_credentials(PASSWORD, PIN, NEW)
        client.account.change_credentials(NEW.password, NEW.pin, ALL_NEW)
    opened(laptop, ALL_NEW).lock()


@pytest.mark.parametrize("typed", [("another password", PIN), (PASSWORD, "739155")])
def test_the_present_secrets_are_asked_for_anew(laptop: Device, typed: tuple[str, str]) -> None:
    client = laptop.log_in()
    with pytest.raises(Refused):
        client.account.change_credentials(*typed, NEW)
    client.write_entry(Draft(text="the session goes on"))
    client.lock()
    laptop.opening()


def test_a_guessable_new_pin_is_refused_before_anything_is_sent(laptop: Device) -> None:
    client = laptop.log_in()
    laptop.network.seen.clear()
    with pytest.raises(SecretRefused):
        client.account.change_credentials(PASSWORD, PIN, Credentials(USERNAME, PASSWORD, "1234"))
    assert laptop.network.seen == []
    client.lock()


@pytest.mark.parametrize("stays", ["9999", "\N{FULLWIDTH DIGIT NINE}" * 4, "\N{ARABIC-INDIC DIGIT NINE}" * 4])
def test_a_present_pin_that_was_mistyped_is_a_wrong_one_whatever_it_looks_like(laptop: Device, stays: str) -> None:
    client = laptop.log_in()
    with pytest.raises(Refused) as caught:
        client.account.change_credentials(PASSWORD, "9999", Credentials(USERNAME, "a boat on the wide lake", stays))
    assert caught.value.code == "pin_wrong"
    client.lock()


def test_a_lost_answer_is_given_again(laptop: Device) -> None:
    client, losses = laptop.log_in(), [True]
    laptop.network.cut_after = lambda request: is_credentials(request) and bool(losses) and losses.pop()
    client.account.change_credentials(PASSWORD, PIN, NEW)
    client.lock()
    opened(laptop, NEW).lock()


@pytest.mark.parametrize("arrives", [True, False])
def test_when_no_answer_comes_at_all_one_of_the_two_pairs_opens(laptop: Device, arrives: bool) -> None:
    client = laptop.log_in()
    client.write_entry(Draft(text="kept"))
    if arrives:
        laptop.network.cut_after = is_credentials
    else:
        laptop.network.cut_before = is_credentials
    with pytest.raises(NetworkError):
        client.account.change_credentials(PASSWORD, PIN, NEW)
    laptop.network.cut_after = laptop.network.cut_before = lambda _: False
    holds = NEW if arrives else Credentials(USERNAME, PASSWORD, PIN)
    with opened(laptop, holds) as client:
        assert [item.text for item in client.items()] == ["kept"]


def test_another_device_that_was_faster_is_taken_in(laptop: Device, tmp_path: Path) -> None:
    phone = make_device(laptop.network.vault, tmp_path / "phone")
    client, other = laptop.log_in(), phone.log_in()
    kept = other.write_entry(Draft(text="from the phone"))

    def be_faster(answer: Any) -> Any:
        other.lock()
        return answer

    laptop.network.rewrites["/v1/login/start"] = be_faster
    client.account.change_credentials(PASSWORD, PIN, NEW)
    assert client.item(kept.id).text == "from the phone"
    client.lock()
    opened(phone, NEW).lock()
    opened(laptop, NEW).lock()


def test_what_another_device_could_not_send_goes_after_its_next_login(laptop: Device, tmp_path: Path) -> None:
    phone = make_device(laptop.network.vault, tmp_path / "phone")
    other = phone.log_in()
    client = laptop.log_in()
    client.account.change_credentials(PASSWORD, PIN, NEW)
    with pytest.raises(Refused) as caught:
        other.write_entry(Draft(text="not lost"))
    assert caught.value.code == "unauthorized"
    other.lock()
    with opened(phone, NEW) as other:
        assert [item.text for item in other.items()] == ["not lost"]
    client.lock()


def test_nothing_is_changed_while_a_warning_stands(laptop: Device) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="hidden"))
        client.write_entry(Draft(text="shown"))

    def hide(page: Any) -> Any:
        return {**page, "revisions": page["revisions"][1:]}

    phone = make_device(laptop.network.vault, laptop.home.folder.with_name("phone"))
    phone.network.rewrites["/v1/items"] = hide
    client = phone.client()
    assert client.log_in(USERNAME, PASSWORD, PIN).warnings
    with pytest.raises(Untrusted):
        client.account.change_credentials(PASSWORD, PIN, NEW)
    client.lock()
    laptop.opening()
