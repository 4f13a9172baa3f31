"""`--happened`: four spellings and words; what is parsed can be spelled again, and nothing is ever lost or refused."""

import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from client_sdk.cli.output import spell_time
from client_sdk.happened import Precision, format_happened, parse_happened
from client_sdk.items import Happened
from crypto_core.encoding import MAX_TIME
from schemas.documents import Happened as HappenedSchema

PARIS = ZoneInfo("Europe/Paris")
LAYOUTS: dict[Precision, str] = {"minute": "%Y-%m-%dT%H:%M", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}

zones = st.one_of(
    st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.sampled_from(["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]).map(ZoneInfo),
)
moments = st.datetimes(datetime(1970, 1, 3), datetime(9998, 12, 30))


@settings(deadline=None, max_examples=300)
@given(moments, st.sampled_from(list(LAYOUTS)), zones)
def test_what_is_parsed_is_spelled_the_same_again(moment: datetime, precision: Precision, zone: tzinfo) -> None:
    text = moment.strftime(LAYOUTS[precision])
    happened = parse_happened(text, zone)
    assume(happened.precision == precision)  # the rest of 1970, in a zone east of Greenwich, is words
    if precision == "minute":  # an hour that clocks jumped over was on no clock
        wall = datetime.strptime(text, LAYOUTS[precision]).replace(tzinfo=zone)
        assume(wall.astimezone(UTC).astimezone(zone).strftime(LAYOUTS[precision]) == text)
    assert format_happened(happened, zone) == text
    assert happened.words == text


@settings(deadline=None, max_examples=300)
@given(moments, st.sampled_from(list(LAYOUTS)), zones)
def test_the_span_holds_the_moment_and_suits_the_record(moment: datetime, precision: Precision, zone: tzinfo) -> None:
    happened = parse_happened(moment.strftime(LAYOUTS[precision]), zone)
    if happened.from_ is not None and happened.to is not None:
        second = int(moment.replace(tzinfo=zone).timestamp())
        assert happened.from_ <= second <= happened.to
    assert Happened(**HappenedSchema().load(HappenedSchema().dump(happened))) == happened


@settings(deadline=None, max_examples=300)
@given(st.text(min_size=1, max_size=60).filter(lambda text: not text[0].isdigit()))
def test_anything_else_is_words_letter_by_letter(text: str) -> None:
    assert parse_happened(text) == Happened(None, None, "words", text)
    assert format_happened(parse_happened(text)) == text


@settings(deadline=None, max_examples=300)
@given(st.text("0123456789-T:٣ +Z", max_size=18))
def test_nothing_that_looks_nearly_like_a_time_is_refused(text: str) -> None:
    happened = parse_happened(text, PARIS)
    assert happened.words == text
    assert (happened.from_ is None) == (happened.precision == "words")


@pytest.mark.parametrize(
    ("text", "precision", "first", "last"),
    [
        ("2024-03-01T21:30", "minute", "2024-03-01T20:30:00", "2024-03-01T20:30:59"),
        ("2024-03-01", "day", "2024-02-29T23:00:00", "2024-03-01T22:59:59"),
        ("2024-03", "month", "2024-02-29T23:00:00", "2024-03-31T21:59:59"),
        ("2024", "year", "2023-12-31T23:00:00", "2024-12-31T22:59:59"),
        ("2024-12", "month", "2024-11-30T23:00:00", "2024-12-31T22:59:59"),
        # 2:30 came twice that night
        ("2024-10-27T02:30", "minute", "2024-10-27T00:30:00", "2024-10-27T01:30:59"),
        ("2024-10-27", "day", "2024-10-26T22:00:00", "2024-10-27T22:59:59"),
    ],
)
def test_the_clock_on_the_wall_in_paris(text: str, precision: Precision, first: str, last: str) -> None:
    def seconds(spelled: str) -> int:
        return int(datetime.fromisoformat(spelled).replace(tzinfo=UTC).timestamp())

    assert parse_happened(text, PARIS) == Happened(seconds(first), seconds(last), precision, text)


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-13", "2024-03-01T24:00", "2024-3-1", "1969", "0000", "9999", "２０２４", "2024 ", ""]
)
def test_what_no_record_can_bound_is_words(text: str) -> None:
    assert parse_happened(text, PARIS).precision == "words"


def test_without_a_zone_it_is_the_clock_of_this_device() -> None:
    happened = parse_happened("2024-03-01T21:30")
    here = int(datetime(2024, 3, 1, 21, 30).astimezone().timestamp())
    assert (happened.from_, happened.to) == (here, here + 59)
    assert format_happened(happened) == "2024-03-01T21:30"


@pytest.mark.parametrize("seconds", [0, MAX_TIME - 1, MAX_TIME])
@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Pacific/Kiritimati"])
def test_any_time_that_a_record_holds_can_be_told_anywhere(
    seconds: int, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger may have written it: what they put into a box could not be looked at, east of Greenwich."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert spell_time(seconds)[:4] in ("1969", "1970", "9999")
        assert format_happened(Happened(seconds, seconds, "year", "")) in ("1969", "1970", "9999")
    finally:
        monkeypatch.undo()
        time.tzset()
