"""A vault that says beside a true receipt that the deposit was made at another time: the receipt counts.

The person was told the time of the answer under the word "Kept", and every list of theirs repeated it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from client_sdk.client import Draft
from client_sdk.writer import ERASURE_DELAY
from tests.fakes.devices import make_device, register, stretch_once
from tests.fakes.vault import fake_vault


def years_ago(answer: dict[str, Any]) -> dict[str, Any]:
    told = [{**one, "deposited": "2020-02-02T20:20:20Z"} for one in answer["revisions"]]
    return answer if "cursor" in answer else {**answer, "revisions": told}


def test_what_is_kept_has_the_time_of_its_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "server") as vault:
        device = make_device(vault, tmp_path / "laptop")
        register(device)
        device.network.rewrites["/v1/items"] = years_ago
        with device.log_in() as client:
            kept = client.write_entry(Draft(text="today"))
            assert kept.deposited == kept.verified.commitment.time == vault.clock.now()
            assert [item.deposited for item in client.items()] == [vault.clock.now()]
            assert client.delete_item(kept.id).erased_after == vault.clock.now() + ERASURE_DELAY
