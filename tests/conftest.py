"""What several rooms' tests share: where the vectors published by others lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_PUBLISHED = Path(os.environ.get("TEMOIN_VECTORS", Path(__file__).parents[2] / "shared" / "vectors"))


@pytest.fixture(scope="session")
def published_vectors() -> Path:
    """The folder of known answers written by others, which is no part of this project (TEMOIN_VECTORS names it).

    Without it these tests are skipped and say so; where CI is set, that is a failure.
    """
    if _PUBLISHED.is_dir():
        return _PUBLISHED
    reason = "the published vectors are not there: set TEMOIN_VECTORS to their folder"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
