"""An account that is erased by the SDK: gone there and here, and nobody is told so who can't know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from client_sdk.client import Draft
from client_sdk.errors import NetworkError, NotOpen, Refused, ServerFault, Untrusted
from client_sdk.protocol.sync import Finding
from server.directory.service import approve, list_professionals
from tests.fakes.devices import PASSWORD, PIN, Device, register
from tests.fakes.folder import files_in
from tests.fakes.vault import FakeVault

pytestmark = pytest.mark.usefixtures("stretched_once")


def is_erasure(request: httpx.Request) -> bool:
    return (request.method, request.url.path) == ("DELETE", "/v1/account")


def is_door(request: httpx.Request) -> bool:
    return request.url.path.startswith("/v1/login/")


def kept(device: Device) -> list[str]:
    """What the device keeps of any account."""
    return [name for name in files_in(device.home.folder) if name.count("/") >= 2]


def assert_gone(device: Device) -> None:
    with pytest.raises(Refused) as caught:
        device.log_in()
    assert caught.value.code == "login_refused"


def test_nothing_is_left_there_or_here_and_the_pair_is_free_again(laptop: Device) -> None:
    client = laptop.log_in()
    client.write_entry(Draft(text="kept"))
    assert kept(laptop)
    client.account.erase(PASSWORD, PIN)
    assert kept(laptop) == []
    with pytest.raises(NotOpen):
        client.items()
    client.close()
    assert kept(laptop) == []
    assert laptop.network.paths("POST").count("/v1/logout") == 0  # that session is over
    assert_gone(laptop)
    register(laptop)
    with laptop.log_in() as client:
        assert client.items() == []


@pytest.mark.parametrize("typed", [("another password", PIN), (PASSWORD, "739155")])
def test_the_secrets_are_asked_for_anew(laptop: Device, typed: tuple[str, str]) -> None:
    with laptop.log_in() as client:
        client.write_entry(Draft(text="kept"))
        with pytest.raises(Refused):
            client.account.erase(*typed)
        assert [item.text for item in client.items()] == ["kept"]
    laptop.opening()


def test_nothing_is_erased_while_a_warning_stands(laptop: Device) -> None:
    with laptop.log_in() as client:
        client._opened().session.warnings.add(Finding.ITEMS_MISSING)
        with pytest.raises(Untrusted):
            client.account.erase(PASSWORD, PIN)
    assert laptop.network.paths("DELETE") == []


def test_an_answer_that_was_lost_is_asked_about_at_the_door(laptop: Device) -> None:
    client, losses = laptop.log_in(), [True]
    laptop.network.cut_after = lambda request: is_erasure(request) and bool(losses) and losses.pop()
    client.account.erase(PASSWORD, PIN)  # sent again, it finds no account
    assert laptop.network.paths("DELETE") == ["/v1/account"] * 2
    assert kept(laptop) == []
    assert_gone(laptop)


def test_where_no_answer_comes_the_door_says_that_it_is_gone(laptop: Device) -> None:
    client = laptop.log_in()
    laptop.network.cut_after = is_erasure
    client.account.erase(PASSWORD, PIN)
    assert kept(laptop) == []
    assert_gone(laptop)


def test_a_busy_vault_may_have_done_it_when_it_was_first_asked(
    laptop: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = laptop.log_in()
    transport = client._opened().session.transport
    ask = transport.ask

    def busy(method: str, path: str, *given: Any, **more: Any) -> dict[str, Any]:
        answer = ask(method, path, *given, **more)
        if method == "DELETE":
            raise Refused("unavailable", 503, "Try again.")
        return answer

    monkeypatch.setattr(transport, "ask", busy)
    client.account.erase(PASSWORD, PIN)
    assert kept(laptop) == []
    assert_gone(laptop)


def test_where_it_never_arrived_everything_is_there(laptop: Device) -> None:
    client = laptop.log_in()
    client.write_entry(Draft(text="kept"))
    laptop.network.cut_before = is_erasure
    with pytest.raises(NetworkError):
        client.account.erase(PASSWORD, PIN)
    laptop.network.cut_before = lambda _: False
    client.write_entry(Draft(text="the session goes on"))
    assert kept(laptop)
    client.lock()
    with laptop.log_in() as client:
        assert [item.text for item in client.items()] == ["kept", "the session goes on"]
        sessions = client._opened().session.ask("GET", "/v1/sessions")["sessions"]
    assert {one["stage"] for one in sessions} <= {"open", "confirmed"}  # the door's question leaves nothing behind


@pytest.mark.parametrize("arrives", [True, False])
def test_where_the_network_is_gone_nobody_knows_and_it_is_locked(laptop: Device, arrives: bool) -> None:
    client = laptop.log_in()
    gone: list[bool] = []

    def cut(request: httpx.Request) -> bool:
        gone.extend([True] * is_erasure(request))
        return bool(gone) and (is_erasure(request) or is_door(request))

    if arrives:
        laptop.network.cut_after = cut
    else:
        laptop.network.cut_before = cut
    with pytest.raises(NetworkError):
        client.account.erase(PASSWORD, PIN)
    with pytest.raises(NotOpen):
        client.items()
    laptop.network.cut_after = laptop.network.cut_before = lambda _: False
    assert kept(laptop)  # whoever can't know throws nothing away
    if arrives:
        assert_gone(laptop)
    else:
        laptop.opening()


def test_a_vault_that_does_not_answer_as_it_should_is_not_believed(laptop: Device) -> None:
    client = laptop.log_in()
    laptop.network.answers = lambda request: b"{}" if is_erasure(request) else None
    client.account.erase(PASSWORD, PIN)  # a vault that lies can do so here as well: what it says is all there is
    laptop.network.answers = lambda request: b"[]" if is_erasure(request) else None
    with pytest.raises(ServerFault):
        laptop.log_in().account.erase(PASSWORD, PIN)
    assert kept(laptop)


def test_a_refusal_of_any_other_kind_is_told_and_the_session_goes_on(vault: FakeVault, laptop: Device) -> None:
    with laptop.log_in() as client:
        confirmed = client.account.confirm(PASSWORD, PIN)
        client.office.ask_to_be_listed(confirmed, name="Claire", org="", town="", kind="lawyer")
        list_everybody(vault)
        with pytest.raises(Refused) as caught:
            client.account.erase(PASSWORD, PIN)
        assert caught.value.code == "account_listed"
        client.write_entry(Draft(text="the session goes on"))
    assert kept(laptop)


def list_everybody(vault: FakeVault) -> None:
    with vault.parts.database.read() as session:
        waiting = list_professionals(session)
    for one in waiting:
        assert one.asked is not None
        approve(vault.parts, one.account.hex(), one.asked.fingerprint)


def test_another_account_on_the_same_device_stays(laptop: Device, tmp_path: Path) -> None:
    with laptop.client() as other:
        other.register(other.make_account("someone else", "a boat on the wide lake", "8051937"))
        other.log_in("someone else", "a boat on the wide lake", "8051937")
        other.write_entry(Draft(text="theirs"))
    mine = laptop.log_in()
    before = len(kept(laptop))
    mine.account.erase(PASSWORD, PIN)
    assert 0 < len(kept(laptop)) < before
    with laptop.client() as other:
        other.log_in("someone else", "a boat on the wide lake", "8051937")
        assert [item.text for item in other.items()] == ["theirs"]
