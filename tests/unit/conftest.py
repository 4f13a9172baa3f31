"""What the unit tests of server and SDK share: a vault of one test, a person in it, and that person's devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.fakes.devices import Device, make_device, register, stretch_once
from tests.fakes.vault import FakePerson, FakeVault, fake_vault, open_person


@pytest.fixture
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeVault]:
    """A new vault, with the settings that the mark `vault` of a module or a test names."""
    mark = request.node.get_closest_marker("vault")
    with fake_vault(tmp_path, **(mark.kwargs if mark else {})) as made:
        yield made


@pytest.fixture
def person(vault: FakeVault) -> FakePerson:
    """Somebody who has signed up and logged in."""
    return open_person(vault)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What any database of this process is asked to execute during the test, in order."""
    seen: list[str] = []

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", executed)
    yield seen
    event.remove(Engine, "before_cursor_execute", executed)


@pytest.fixture
def stretched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id runs once for each name and password of a process, and really."""
    stretch_once(monkeypatch)


@pytest.fixture
def laptop(vault: FakeVault, tmp_path: Path) -> Device:
    """The device on which the account was made."""
    device = make_device(vault, tmp_path / "laptop")
    register(device)
    return device


@pytest.fixture
def phone(vault: FakeVault, tmp_path: Path) -> Device:
    """Another device, which has never met the vault."""
    return make_device(vault, tmp_path / "phone")
