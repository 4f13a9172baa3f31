"""The data rows of the public help: contacts, countries, article heads, legal words, and the questionnaire.

Knows: what a row has to say before it may be shown to somebody in danger. Refuses to know: how it is shown.
A translator or an operator of another country writes such rows; each is checked when the server loads it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validates_schema

from schemas.fields import Strict, Text, Whole, one_of

NEEDS = ("now", "silent", "talk", "child", "online", "shelter", "vulnerable", "assault", "legal")
"""What somebody may be looking for, in the order in which the page shows it."""

WAYS = ("call", "sms", "chat", "web", "app")
BILL = ("absent", "unknown")
LIFE = timedelta(days=190)
"""A fact is looked at again after six months at most; some days of grace for the calendar's months."""

NO_VOICE = "114"
"""Is reached in writing or in sign language, never by voice."""

_LANGUAGE = re.compile(r"[a-z]{2}")
_NUMBER = re.compile(r"[0-9]{2,12}|\+[0-9]{8,15}", re.ASCII)


class Localised(fields.Dict):
    """A text in each language: `{"fr": "…", "en": "…"}`, none of them empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=fields.String(), values=Text(600, least=1), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        texts: dict[str, str] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        if not texts or not all(_LANGUAGE.fullmatch(language) for language in texts):
            raise ValidationError("Texts by language code.")
        return texts


class Dated(Strict):
    """A fact with where it comes from, the day it was last compared with that, and the day it has to be again."""

    verified_on = fields.Date(required=True)
    expires_on = fields.Date(load_default=None, allow_none=True)

    @validates_schema
    def not_for_too_long(self, row: dict[str, Any], **_: Any) -> None:
        """A fact is good for six months at most. Raises ValidationError."""
        verified: date = row["verified_on"]
        expires: date | None = row["expires_on"]
        if expires is not None and not verified < expires <= verified + LIFE:
            raise ValidationError("Six months after verified_on at most.", "expires_on")


class Way(Strict):
    """One way to reach a contact: a number to call or to write to, or an address."""

    kind = fields.String(required=True, validate=one_of(*WAYS))
    to = Text(200, least=2, required=True)
    """The digits that are dialled, or an https address; for `app`, the name in the application shops."""
    shown = Text(60, load_default="")
    """As people know it: `116 006`, `urgence114.fr`."""

    @validates_schema
    def dialled_or_opened(self, way: dict[str, str], **_: Any) -> None:
        """Numbers are digits, addresses are https, and 114 has no voice. Raises ValidationError."""
        if way["kind"] in ("call", "sms") and not _NUMBER.fullmatch(way["to"]):
            raise ValidationError("Digits only.", "to")
        if way["kind"] == "call" and way["to"] == NO_VOICE:
            raise ValidationError("114 is not for voice calls.", "to")
        if way["kind"] in ("web", "chat") and urlsplit(way["to"]).scheme != "https":
            raise ValidationError("An https address.", "to")


class Contact(Dated):
    """Somebody who helps, and everything one wants to know before calling."""

    id = Text(20, least=2, required=True)
    names = Localised(required=True)
    ways = fields.List(fields.Nested(Way), required=True)
    needs = fields.List(fields.String(validate=one_of(*NEEDS)), required=True)
    what_for = Localised(required=True)
    whom = Localised(required=True)
    hours = Localised(load_default=None, allow_none=True)
    """Hidden past `expires_on`, when the number alone stays."""
    without_speaking = Localised(load_default=None, allow_none=True)
    languages = Localised(load_default=None, allow_none=True)
    cost = Localised(required=True)
    bill = fields.String(required=True, validate=one_of(*BILL))
    formerly = Text(20, load_default="")
    source = Localised(required=True)

    @validates_schema
    def can_be_reached(self, row: dict[str, Any], **_: Any) -> None:
        """There is a way and a need. Raises ValidationError."""
        if not row["ways"] or not row["needs"]:
            raise ValidationError("At least one way and one need.")
        if row["expires_on"] is None and row["id"] not in ("17", "112", NO_VOICE):
            raise ValidationError("Only 17, 112 and 114 never expire.", "expires_on")


class Country(Strict):
    """A folder of contacts: its page, its name, and which of them come first."""

    page = Whole(1, 99, required=True)
    names = Localised(required=True)
    intro = Localised(required=True)
    first = fields.List(Text(20), required=True)
    """The ids that stand at the very top."""
    talk = fields.List(Text(20), required=True)
    """The ids that the questionnaire proposes for talking about it."""


class ArticleHead(Dated):
    """The front matter of an article or of a page of text."""

    number = Whole(0, 99, required=True)
    lang = fields.String(required=True)
    title = Text(120, least=3, required=True)
    summary = Text(300, least=3, required=True)
    minutes = Whole(1, 30, required=True)
    sources = fields.List(Text(300, least=3), required=True)
    now = fields.List(Text(200, least=3), load_default=list)
    numbers = fields.List(Text(20), load_default=list)
    terms = fields.List(Text(60), load_default=list)


class Term(Strict):
    """A word of the law in everyday words."""

    id = Text(60, least=2, required=True)
    word = Text(80, least=2, required=True)
    meaning = Text(300, least=3, required=True)
    source = Text(300, least=3, required=True)


class Question(Strict):
    """One thing that may be lived through. `grave` ones bring the numbers first."""

    id = Text(30, least=2, required=True)
    theme = Text(30, least=2, required=True)
    grave = fields.Boolean(required=True)
    texts = Localised(required=True)


class Questionnaire(Strict):
    """All questions, and how many signs together weigh as much as a grave one."""

    themes = fields.Dict(keys=fields.String(), values=Localised(), required=True)
    questions = fields.List(fields.Nested(Question), required=True)
    some = Whole(1, 50, required=True)
    """From this many ticks on, the second result."""
    many = Whole(2, 50, required=True)
    """From this many ticks on, the third result, as with one grave tick."""
