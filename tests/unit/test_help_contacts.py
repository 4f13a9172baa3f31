"""The directory: its numbers are those of the fact sheet, each row says all it must, and old hours are not shown."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st
from marshmallow import ValidationError

from schemas.help import LIFE, NEEDS, Contact as ContactRow, Way as WayRow
from server.cli import main
from server.help import service
from server.help.freshness import TOO_OLD, list_ageing
from server.help.service import Site, group_contacts, render
from server.help.shelf import HERE, Contact, Shelf, parse_contact, read_countries, shelf
from tests.fakes.vault import SetClock

FRANCE = {  # typed anew from the fact sheet: number -> what its hours must and must not say
    "17": "Jour et nuit",
    "15": "Jour et nuit",
    "18": "Jour et nuit",
    "112": "Jour et nuit",
    "114": "Jour et nuit",
    "115": "Jour et nuit",
    "119": "Jour et nuit",
    "3919": "Jour et nuit",
    "116006": "Tous les jours, de 9 h à 19 h. Répondeur le reste du temps.",
    "3018": "Tous les jours, de 9 h à 23 h",
    "0800059595": "Du lundi au vendredi, de 10 h à 19 h",
    "3133": None,
    "3114": "Jour et nuit",
}
ABROAD = "+33180523376"
EUROPE = {"112", "116000", "116006", "116016", "116111", "116123"}
NOT_ON_THE_BILL = {"17", "15", "18", "112", "119"}
NEVER_EXPIRE = {"17", "112", "114"}
TODAY = date(2026, 12, 1)
SITE = Site("Carnet", "https://weather.example/")


def contacts(code: str) -> dict[str, Contact]:
    (country,) = [country for country in shelf().countries if country.code == code]
    return {contact.id: contact for contact in country.contacts}


def plain(text: str) -> str:
    """With common spaces."""
    return re.sub(r"\s", " ", text)


def numbers(contact: Contact) -> set[str]:
    return {way.to for way in contact.ways if way.kind in ("call", "sms")}


def test_france_has_the_numbers_of_the_fact_sheet_and_no_other() -> None:
    found = {number for contact in contacts("fr").values() for number in numbers(contact)}
    assert found == set(FRANCE) | {ABROAD}


@pytest.mark.parametrize("number", FRANCE)
def test_hours_are_those_of_the_fact_sheet(number: str) -> None:
    hours, expected = contacts("fr")[number].hours, FRANCE[number]
    assert (hours is None) if expected is None else (hours is not None and plain(hours["fr"]).startswith(expected))


def test_3133_comes_first_and_names_the_former_number() -> None:
    assert contacts("fr")["3133"].formerly == "3977"
    assert [way.to for way in contacts("fr")["3133"].ways] == ["3133"]


def test_what_is_on_the_bill_is_only_said_where_a_source_says_it() -> None:
    assert {contact.id for contact in contacts("fr").values() if contact.bill == "absent"} == NOT_ON_THE_BILL


def test_europe_shows_that_a_folder_is_a_country() -> None:
    assert {number for contact in contacts("eu").values() for number in numbers(contact)} == EUROPE


def test_114_has_no_voice() -> None:
    for country in shelf().countries:
        for contact in country.contacts:
            assert "tel:114" not in [way.href for way in contact.ways]
    assert contacts("fr")["114"].ways[0].href == "sms:114"
    assert "appel vocal" in (contacts("fr")["114"].without_speaking or {})["fr"]


def test_every_row_carries_source_and_dates_in_every_language() -> None:
    for country in shelf().countries:
        for contact in country.contacts:
            for name in ("names", "what_for", "whom", "hours", "without_speaking", "languages", "cost", "source"):
                texts = getattr(contact, name)
                assert texts is None or set(texts) == set(shelf().languages), (contact.id, name)
            if contact.id in NEVER_EXPIRE:
                assert contact.expires_on is None
            else:
                assert contact.expires_on is not None
                assert timedelta(0) < contact.expires_on - contact.verified_on <= timedelta(days=184)


def test_every_need_is_answered_in_france() -> None:
    (country,) = [country for country in shelf().countries if country.code == "fr"]
    assert [need for need, _ in group_contacts(country)] == list(NEEDS)
    told = [contact.id for _, group in group_contacts(country) for contact, short in group if not short]
    assert sorted(told) == sorted(contacts("fr"))


def test_first_come_the_call_the_silent_way_and_europe() -> None:
    assert [contact.id for contact in shelf().countries[0].first] == ["17", "114", "112"]


def test_past_its_date_a_row_keeps_its_number_and_loses_its_hours() -> None:
    last = max(contact.expires_on or TODAY for contact in contacts("fr").values())
    before = plain(render(SITE, "fr", 1, last).body.decode())
    after = plain(render(SITE, "fr", 1, last + timedelta(days=1)).body.decode())
    assert "de 9 h à 23 h" in before and "de 9 h à 23 h" not in after
    for number in FRANCE:
        assert ("sms:" if number == "114" else "tel:") + number in after
    assert after.count("Jour et nuit") >= 3  # 17, 112 and 114 never expire


def test_the_check_lists_what_ages_and_fails_thirty_days_past(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_on(day: date) -> tuple[int, str]:
        noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
        monkeypatch.setattr("server.cli.SystemClock", lambda: SetClock(noon))
        result = CliRunner().invoke(main, ["help", "check"])
        return result.exit_code, result.output

    ends = contacts("fr")["3018"].expires_on
    assert ends is not None
    assert check_on(ends - timedelta(days=31)) == (0, "Every fact is recent.\n")
    status, output = check_on(ends - timedelta(days=1))
    assert status == 0 and "contact fr/3018: soon" in output and "fr/17:" not in output
    assert check_on(ends + timedelta(days=TOO_OLD - 1))[0] == 0
    status, output = check_on(ends + timedelta(days=TOO_OLD))
    assert status == 1 and "contact fr/3018: past its date for 30 days" in output


def test_one_old_row_among_fresh_ones_is_enough() -> None:
    country = shelf().countries[0]
    old = replace(contacts("fr")["115"], verified_on=date(2026, 1, 1), expires_on=date(2026, 6, 1))
    one_old: Shelf = replace(shelf(), countries=(replace(country, contacts=(*country.contacts, old)),))
    assert [(each.row, each.too_old) for each in list_ageing(one_old, TODAY)] == [("contact fr/115", True)]


def test_another_folder_is_another_country(tmp_path: Path) -> None:
    shutil.copytree(HERE / "data", tmp_path / "data")
    added = tmp_path / "data" / "xx"
    shutil.copytree(tmp_path / "data" / "eu", added)
    head = json.loads((added / "country.json").read_text())
    (added / "country.json").write_text(json.dumps({**head, "page": 13}))
    pages = [(country.code, country.page) for country in read_countries(tmp_path / "data")]
    assert pages == [("fr", 1), ("eu", 12), ("xx", 13)]


def test_two_pages_of_one_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = replace(shelf(), countries=(*shelf().countries, shelf().countries[0]))
    monkeypatch.setattr(service, "shelf", lambda: twice)
    with pytest.raises(ValueError, match="page 1 stands twice"):
        service.page_table.__wrapped__()


def row(**changes: Any) -> dict[str, Any]:
    first: dict[str, Any] = json.loads((HERE / "data" / "fr" / "contacts.json").read_text())[3]
    return {**first, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"source": {}},
        {"source": {"fr": ""}},
        {"ways": []},
        {"needs": []},
        {"needs": ["elsewhere"]},
        {"names": {}},
        {"names": {"fr": ""}},
        {"names": {"french": "x"}},
        {"bill": "maybe"},
        {"expires_on": None},
        {"expires_on": "2026-11-21"},
        {"expires_on": str(date(2026, 11, 21) + LIFE + timedelta(days=1))},
        {"verified_on": "yesterday"},
        {"ways": [{"kind": "call", "to": "114"}]},
        {"ways": [{"kind": "call", "to": "17 "}]},
        {"ways": [{"kind": "sms", "to": "https://example.org"}]},
        {"ways": [{"kind": "web", "to": "http://example.org"}]},
        {"ways": [{"kind": "web", "to": "javascript:1"}]},
        {"ways": [{"kind": "knock", "to": "17"}]},
        {"more": 1},
    ],
)
def test_a_row_that_may_not_be_shown_is_refused(changes: dict[str, Any]) -> None:
    parse_contact(row())
    with pytest.raises(ValidationError):
        parse_contact(row(**changes))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*ContactRow().fields]), values))
def test_any_row_is_read_or_refused_in_our_way(raw: dict[str, Any]) -> None:
    try:
        parse_contact(row(**raw))
    except ValidationError:
        pass


@settings(max_examples=100, deadline=None)
@given(values)
def test_anything_as_a_way_is_refused_in_our_way(raw: Any) -> None:
    with pytest.raises(ValidationError):
        WayRow().load(raw)
