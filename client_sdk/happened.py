"""When the facts took place, as a person types it: a minute, a day, a month, a year, or words.

Knows: the four spellings, and how a local time becomes a span of UTC seconds. Refuses to know: what happened, and
what time it is now. What was typed is kept letter by letter; a machine's reading of it stands beside it, never instead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from client_sdk.items import Happened
from crypto_core.encoding import MAX_TIME

Precision = Literal["minute", "day", "month", "year"]

_SPELLINGS: dict[Precision, tuple[re.Pattern[str], str]] = {
    "minute": (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII), "%Y-%m-%dT%H:%M"),
    "day": (re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "%Y-%m-%d"),
    "month": (re.compile(r"\d{4}-\d{2}", re.ASCII), "%Y-%m"),
    "year": (re.compile(r"\d{4}", re.ASCII), "%Y"),
}
_LENGTHS = {"minute": 16, "day": 10, "month": 7, "year": 4}


def parse_happened(text: str, zone: tzinfo | None = None) -> Happened:
    """The span that `text` names in `zone` (None: the zone of this device); what is no such time is kept as words.

    `from_` and `to` are its first and its last second. Words, too, are a date that no calendar has, and a time before
    1970 or past 9999-12-30, which a record can't bound. Where clocks are set back, a time that comes twice spans both.
    Raises nothing: a length is the record's to judge.
    """
    for precision, (pattern, layout) in _SPELLINGS.items():
        if pattern.fullmatch(text):
            span = _span(text, precision, layout, zone)
            if span is not None:
                return Happened(*span, precision, text)
    return Happened(None, None, "words", text)


def format_happened(happened: Happened, zone: tzinfo | None = None) -> str:
    """The spelling of the span's beginning in `zone`, at its own precision; of words, the words.

    In the zone in which it was parsed this is what was typed (but for an hour that clocks jumped over).
    """
    if happened.from_ is None:
        return happened.words
    first = on_the_wall(happened.from_, zone)
    return first.strftime("%Y-%m-%dT%H:%M")[: _LENGTHS[happened.precision]]


def on_the_wall(seconds: int, zone: tzinfo | None = None) -> datetime:
    """A time as clocks show it in `zone`, or on this device; as UTC has it where that would be past the year 9999."""
    when = datetime.fromtimestamp(seconds, UTC)
    try:
        return when.astimezone(zone)
    except OverflowError:  # somebody else may have written any time that a record holds
        return when


def _span(text: str, precision: Precision, layout: str, zone: tzinfo | None) -> tuple[int, int] | None:
    try:
        first = datetime.strptime(text, layout)
        seconds = _seconds(first, zone) + _seconds(_next(first, precision), zone)
    except (ValueError, OverflowError, OSError):  # no such date, or one beyond what this system can compute
        return None
    start, end = min(seconds[:2]), max(seconds[2:]) - 1
    return (start, end) if 0 <= start <= end <= MAX_TIME else None


def _next(first: datetime, precision: Precision) -> datetime:
    """The beginning of the next minute, day, month or year, by the clock on the wall."""
    if precision == "minute":
        return first + timedelta(minutes=1)
    if precision == "day":
        return first + timedelta(days=1)
    if precision == "month" and first.month < 12:
        return first.replace(month=first.month + 1)
    return first.replace(year=first.year + 1, month=1)


def _seconds(wall: datetime, zone: tzinfo | None) -> tuple[int, int]:
    """Both readings of a time on the wall: they differ where clocks are set back or forward."""
    return tuple(  # type: ignore[return-value]
        int((wall.replace(tzinfo=zone, fold=fold) if zone else wall.replace(fold=fold).astimezone()).timestamp())
        for fold in (0, 1)
    )
