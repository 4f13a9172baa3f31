"""Everything the public pages say, read from the files beside this one and checked once per process.

Knows: which folders hold contacts, articles, words and locales, and the schemas they are held to. Refuses to know:
pages, HTML and Flask. A file that breaks its schema stops the server from starting: a wrong number can cost a life.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema

from schemas import help as rows

HERE = Path(__file__).parent
_NAME = re.compile(r"(?P<number>\d{2})\.(?P<lang>[a-z]{2})(?P<easy>\.easy)?\.md")
_FRONT = "---\n"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, read ten times as fast


@dataclass(frozen=True)
class Way:
    """One way to reach a contact; `kind` is one of schemas.help.WAYS."""

    kind: str
    to: str
    shown: str

    @property
    def href(self) -> str:
        """What a tap opens; empty for the name of an application."""
        return {"call": f"tel:{self.to}", "sms": f"sms:{self.to}", "app": ""}.get(self.kind, self.to)

    @property
    def label(self) -> str:
        return self.shown or self.to


@dataclass(frozen=True)
class Contact:
    """One row of a country's directory; texts by language."""

    id: str
    names: dict[str, str]
    ways: tuple[Way, ...]
    needs: tuple[str, ...]
    what_for: dict[str, str]
    whom: dict[str, str]
    hours: dict[str, str] | None
    without_speaking: dict[str, str] | None
    languages: dict[str, str] | None
    cost: dict[str, str]
    bill: str
    formerly: str
    source: dict[str, str]
    verified_on: date
    expires_on: date | None

    def fresh(self, today: date) -> bool:
        """Whether what changes, as opening hours do, may still be shown."""
        return self.expires_on is None or today <= self.expires_on


@dataclass(frozen=True)
class Country:
    """One folder of contacts, in the order of its file."""

    code: str
    page: int
    names: dict[str, str]
    intro: dict[str, str]
    first: tuple[Contact, ...]
    talk: tuple[Contact, ...]
    contacts: tuple[Contact, ...]


@dataclass(frozen=True)
class Article:
    """One Markdown file: an article of the library, or the text of a page."""

    number: int
    lang: str
    easy: bool
    title: str
    summary: str
    minutes: int
    verified_on: date
    expires_on: date | None
    sources: tuple[str, ...]
    now: tuple[str, ...]
    numbers: tuple[str, ...]
    terms: tuple[str, ...]
    markdown: str

    def fresh(self, today: date) -> bool:
        return self.expires_on is None or today <= self.expires_on


@dataclass(frozen=True)
class Term:
    """A word of the law in everyday words."""

    id: str
    word: str
    meaning: str
    source: str


@dataclass(frozen=True)
class Shelf:
    """All of it. `articles` and `texts` are keyed by (number, language, easy)."""

    languages: tuple[str, ...]
    locales: dict[str, dict[str, str]]
    countries: tuple[Country, ...]
    articles: dict[tuple[int, str, bool], Article]
    texts: dict[tuple[int, str, bool], Article]
    glossary: dict[str, tuple[Term, ...]]
    questionnaire: dict[str, Any]


@cache
def shelf() -> Shelf:
    """What is packaged. Raises marshmallow's ValidationError for a row that may not be shown."""
    locales = {path.stem: _read_json(path) for path in sorted((HERE / "locales").glob("*.json"), key=_french_first)}
    return Shelf(
        languages=tuple(locales),
        locales=locales,
        countries=read_countries(HERE / "data"),
        articles=read_articles(HERE / "library"),
        texts=read_articles(HERE / "texts"),
        glossary={language: _read_terms(HERE / f"glossary.{language}.json") for language in locales},
        questionnaire=_load(rows.Questionnaire, _read_json(HERE / "data" / "questions.json")),
    )


def read_countries(folder: Path) -> tuple[Country, ...]:
    """Every folder of contacts, by page. Raises ValidationError."""
    found = [_read_country(path.parent) for path in folder.glob("*/country.json")]
    return tuple(sorted(found, key=lambda country: country.page))


def read_articles(folder: Path) -> dict[tuple[int, str, bool], Article]:
    """Every `NN.<lang>.md` and `NN.<lang>.easy.md`. Raises ValidationError or ValueError."""
    found = {}
    for path in sorted(folder.glob("*.md")):
        if name := _NAME.fullmatch(path.name):
            article = parse_article(path.read_text("utf-8"), easy=bool(name["easy"]))
            if (article.number, article.lang) != (int(name["number"]), name["lang"]):
                raise ValueError(f"{path.name} is not what its front matter says")
            found[article.number, article.lang, article.easy] = article
    return found


def parse_article(text: str, *, easy: bool = False) -> Article:
    """Front matter in YAML between two lines of dashes, then Markdown. Raises ValidationError or ValueError."""
    if not text.startswith(_FRONT) or _FRONT not in text[len(_FRONT) :]:
        raise ValueError("an article begins with its front matter")
    head, markdown = text[len(_FRONT) :].split(_FRONT, 1)
    try:
        raw = yaml.load(head, _Loader)
    except yaml.YAMLError:
        raise ValueError("the front matter of an article is YAML") from None
    if isinstance(raw, dict):  # YAML reads dates, the schema reads how they are spelled
        raw = {name: value.isoformat() if isinstance(value, date) else value for name, value in raw.items()}
    fields = _load(rows.ArticleHead, raw)
    for name in ("sources", "now", "numbers", "terms"):
        fields[name] = tuple(fields[name])
    return Article(**fields, easy=easy, markdown=markdown)


def _read_country(folder: Path) -> Country:
    head = _load(rows.Country, _read_json(folder / "country.json"))
    contacts = tuple(parse_contact(raw) for raw in _read_json(folder / "contacts.json"))
    by_id = {contact.id: contact for contact in contacts}
    return Country(
        code=folder.name,
        page=head["page"],
        names=head["names"],
        intro=head["intro"],
        first=tuple(by_id[each] for each in head["first"]),
        talk=tuple(by_id[each] for each in head["talk"]),
        contacts=contacts,
    )


def parse_contact(raw: object) -> Contact:
    """One row of `contacts.json`. Raises ValidationError."""
    row = _load(rows.Contact, raw)
    return Contact(**{**row, "ways": tuple(Way(**way) for way in row["ways"]), "needs": tuple(row["needs"])})


def _read_terms(path: Path) -> tuple[Term, ...]:
    return tuple(Term(**_load(rows.Term, raw)) for raw in _read_json(path))


def _load(schema: type[Schema], raw: object) -> dict[str, Any]:
    row: dict[str, Any] = schema().load(raw)  # type: ignore[arg-type]  # anything that is no object is refused
    return row


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _french_first(path: Path) -> tuple[bool, str]:
    """The first language is the one for readers whose browser asks for none that we have."""
    return (path.stem != "fr", path.stem)
