"""What several rooms' tests share: the vectors published by others, S3 servers, and who runs beside whom."""

from __future__ import annotations

import fcntl
import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.again import pytest_report_teststatus, pytest_terminal_summary  # noqa: F401  # hooks of every run
from tests.fakes.rclone import Rclone, rclone_server
from tests.fakes.swift import Swift, swift_server

settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # how long an example takes says how busy the machine is, and nothing of the product
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


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """A real S3 server, started when the first test asks for it."""
    with swift_server(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rclone]:
    """An S3 server that keeps to less of S3."""
    with rclone_server(tmp_path_factory.mktemp("rclone")) as server:
        yield server


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whoever asks for those that are `alone` reads no file that has none: they stand in one of fifteen, each marked
    in its own file (tests/architecture/test_words.py)."""
    asked: str = config.getoption("markexpr")
    if asked.startswith("alone") and collection_path.name.startswith("test_"):
        return True if "@pytest.mark.alone" not in collection_path.read_text("utf-8") else None
    return None


def pytest_collection_finish() -> None:
    """What was read and collected by now stays to the end: no garbage collection looks at it again, which would be a
    twentieth of what tests take."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Several processes run tests side by side, but beside one that is marked `alone` nothing else runs."""
    with _turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _turn(*, alone: bool) -> Iterator[None]:
    """Whoever waits to be alone waits at the door, so that nobody else comes in meanwhile."""
    room = os.open(__file__, os.O_RDONLY)
    door = os.open(Path(__file__).parent, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
    finally:
        os.close(door)
        os.close(room)
