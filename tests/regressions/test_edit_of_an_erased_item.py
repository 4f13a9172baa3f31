"""An edit waited on one device while another deleted the item, and the vault erased it: its text isn't dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client_sdk.client import Draft
from client_sdk.errors import NetworkError
from server.items.service import collect
from tests.fakes.devices import PASSWORD, PIN, USERNAME, Device, make_device, register, stretch_once
from tests.fakes.vault import fake_vault


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Device, Device]]:
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "server") as vault:
        laptop, phone = (make_device(vault, tmp_path / name) for name in ("laptop", "phone"))
        register(laptop)
        yield laptop, phone


@pytest.mark.parametrize("weeks", [0, 1], ids=["hidden", "erased"])
def test_the_text_is_kept_as_a_new_item(devices: tuple[Device, Device], tmp_path: Path, weeks: int) -> None:
    laptop, phone = devices
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photograph")
    client = laptop.log_in()
    kept = client.write_entry(Draft(text="with a photograph"), attachments=(photo,))
    other = phone.log_in()
    phone.network.cut_before = lambda request: request.url.path == "/v1/items"
    with pytest.raises(NetworkError):
        other.edit_entry(kept.id, {"text": "edited far away"})
    other.lock()
    client.delete_item(kept.id)
    client.lock()
    vault = laptop.network.vault
    vault.clock.advance(weeks * 7 * 86_400 + 1)
    collect(vault.parts)
    phone.network.cut_before = lambda _: False
    with phone.client() as other:
        opening = other.log_in(USERNAME, PASSWORD, PIN)
        assert (opening.warnings, opening.waiting) == ((), 0)
        (item,) = other.items()
        assert item.text == "edited far away" and item.id != kept.id
        bodies = [b"".join(other.read_content(item, one)) for one in item.contents]
        assert bodies == ([] if weeks else [b"a photograph"])
