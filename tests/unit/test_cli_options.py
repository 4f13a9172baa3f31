"""The last day of a share or a box: it ends with that day, by the clocks of where the person is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from client_sdk.cli.options import until_option


@click.command()
@until_option
def tell(expires: int) -> None:
    click.echo(str(expires))


def told(*arguments: str) -> int:
    return int(CliRunner().invoke(tell, arguments, catch_exceptions=False).output)


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")  # no list of the world's zones is needed
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("day", "last_second"),
    [
        ("2027-01-15", "2027-01-15T23:59:59+01:00"), ("2027-07-15", "2027-07-15T23:59:59+02:00"),
        pytest.param("2027-03-28", "2027-03-28T23:59:59+02:00", id="the clocks go forward"),
        pytest.param("2027-10-31", "2027-10-31T23:59:59+01:00", id="the clocks go back"),
    ],
)
def test_a_day_ends_by_the_clocks_of_its_evening(paris: None, day: str, last_second: str) -> None:
    assert told("--until", day) == datetime.fromisoformat(last_second).timestamp()


def test_without_a_day_it_is_the_end_of_the_thirtieth_from_now() -> None:
    before = datetime.now()
    ends = datetime.fromtimestamp(told())
    assert (ends.hour, ends.minute, ends.second) == (23, 59, 59)
    assert ends.date() in {(now + timedelta(days=30)).date() for now in (before, datetime.now())}
