"""A vault that says beside a true receipt that the deposit was made at another time: the receipt counts.

The person was told the time of the answer under the word "Kept", and every list of theirs repeated it; and so were
whoever puts something into a box, and whoever made it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from client_sdk.boxes import NewBox
from client_sdk.client import Draft
from client_sdk.writer import ERASURE_DELAY
from crypto_core.encoding import format_b64url
from tests.fakes.devices import PASSWORD, PIN, make_device, register, stretch_once
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


def test_what_is_put_into_a_box_has_the_time_of_its_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch_once(monkeypatch)
    with fake_vault(tmp_path / "server") as vault:
        person, other = (make_device(vault, tmp_path / name) for name in ("person", "other"))
        register(person)
        now, stated = vault.clock.now(), "2020-02-02T20:20:20Z"
        with person.log_in() as client, other.client() as stranger:
            made = client.boxes.make(NewBox("Nadia", now + 86_400, 1, 1_000_000))
            client.boxes.send(made, client.account.confirm(PASSWORD, PIN))
            path = f"/v1/boxes/{format_b64url(made.box)}/deposits"
            other.network.rewrites[path] = lambda answer: {**answer, "deposited": stated}
            person.network.rewrites[path] = lambda answer: {
                "deposits": [{**one, "deposited": stated} for one in answer["deposits"]]
            }
            visit = stranger.enter_box(made.fragment)
            done = visit.send(visit.make("Ana", "I saw it.", []))
            assert done.deposited == now
            assert client.boxes.open(made.box, done.deposit).deposited == now
