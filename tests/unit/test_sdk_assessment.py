"""A self-assessment as an item of its own kind: kept, listed, edited without losing its answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from marshmallow import ValidationError

from client_sdk.client import Draft
from crypto_core.encoding import format_b64url
from schemas.documents import Assessment
from tests.fakes.devices import Device, make_device, register
from tests.fakes.vault import FakeVault, fake_vault

ANSWERS = {"control-money": True, "fear": False, "weapon_1": True}
RECORD = {
    "v": 1, "kind": "assessment", "title": "", "text": "", "happened": None, "written": "2026-03-01T21:30:00Z",
    "place": None, "people": [], "tags": [], "danger": None, "mood": None, "category": None, "contents": [],
    "after": None, "answers": ANSWERS,
}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[FakeVault]:
    with fake_vault(tmp_path / "server") as found:
        yield found


@pytest.fixture
def laptop(vault: FakeVault, tmp_path: Path) -> Device:
    return make_device(vault, tmp_path / "laptop")


def test_it_is_kept_listed_and_edited_with_its_answers(laptop: Device) -> None:
    register(laptop)
    with laptop.log_in() as client:
        kept = client.write_assessment(Draft(text="I am afraid.", danger=7), ANSWERS)
        client.write_entry(Draft(text="another day"))
        found, = client.items("assessment")
        assert (found.kind, found.text, found.danger, found.answers) == ("assessment", "I am afraid.", 7, ANSWERS)
        client.edit_entry(kept.id, {"title": "In March"})
        changed = client.item(kept.id)
        assert (changed.revision, changed.title, changed.answers) == (2, "In March", ANSWERS)


def test_what_is_no_assessment_is_refused() -> None:
    schema = Assessment()
    assert schema.load(RECORD)["answers"] == ANSWERS
    wrong: tuple[object, ...] = (
        None, [], {"fear": 1}, {"fear": "yes"}, {"Fear": True}, {"": True}, {"a" * 65: True}, {"a\n": True},
        {f"q{number}": True for number in range(201)},
    )
    for answers in wrong:
        with pytest.raises(ValidationError):
            schema.load({**RECORD, "answers": answers})
    with pytest.raises(ValidationError):
        schema.load({**RECORD, "kind": "journal"})
    with pytest.raises(ValidationError):
        schema.load({**RECORD, "contents": [{"blob": format_b64url(bytes(16))}]})
