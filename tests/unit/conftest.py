"""What the unit tests of the server share: a vault of one test, and a person in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
