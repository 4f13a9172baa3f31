"""The table of pages, and how one is made: a number, a language and a day give the same bytes to everybody.

Knows: which number is which page, and the templates. Refuses to know: who asks, Flask, the environment.

| page        | what                                                       |
|-------------|------------------------------------------------------------|
| 0           | home (its address is `/<lang>/`)                           |
| 1, 12       | numbers, one page for each folder of `data/`               |
| 2           | questionnaire                                              |
| 3, 8        | library, glossary                                          |
| 4, 5        | tracks for relatives and for professionals                 |
| 6, 7        | safety; interruption before sign-up                        |
| 9, 10, 11   | accessibility, about, design system                        |
| 13          | checking a receipt                                         |
| 20, 21, 26  | easy-to-read home, numbers, safety: 20 + the full page     |
| 201–299     | articles of the library: 200 + the article                 |
| 301–399     | their easy-to-read versions, where there is one            |
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from schemas.help import NEEDS
from server.help.assets import assets
from server.help.freshness import list_ageing
from server.help.prose import ARTICLES, fill_hours, search_words, to_html
from server.help.shelf import Article, Contact, Country, Shelf, shelf

HOME, CHECK, LIBRARY, SPACE, GLOSSARY, ABOUT, DESIGN, RECEIPT = 0, 2, 3, 7, 8, 10, 11, 13
NOWHERE = 404
"""The number of no page."""
EASY = 20
EASY_ARTICLES = 300
MENU: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("menu.help", (0, 1, 4, 5)),
    ("menu.understand", (2, 3, 8)),
    ("menu.site", (6, 7, 13, 9, 10)),
)


@dataclass(frozen=True)
class Site:
    """What the operator chose, and whether this vault can be opened in a browser."""

    title: str
    exit_url: str
    operator: str = ""
    app: bool = False


@dataclass(frozen=True)
class Page:
    """One row of the table. `full` is the page of which this one is the easy version."""

    number: int
    template: str
    country: Country | None = None
    article: tuple[int, bool] | None = None
    text: tuple[int, bool] | None = None
    full: int | None = None


@dataclass(frozen=True)
class Rendered:
    """The bytes of a page, plain and compressed, and the name of this version."""

    body: bytes
    packed: bytes
    etag: str


@cache
def page_table() -> dict[int, Page]:
    """Every page there is, by number. Raises ValueError if a number is taken twice."""
    table: dict[int, Page] = {}
    for page in _pages(shelf()):
        if page.number in table:
            raise ValueError(f"page {page.number} stands twice")
        table[page.number] = page
    return dict(sorted(table.items()))


def _pages(found: Shelf) -> Iterator[Page]:
    yield Page(HOME, "home.html", country=found.countries[0])
    yield Page(CHECK, "check.html", country=found.countries[0])
    yield Page(LIBRARY, "library.html")
    yield Page(GLOSSARY, "glossary.html")
    yield Page(DESIGN, "design.html", country=found.countries[0])
    for country in found.countries:
        yield Page(country.page, "contacts.html", country=country)
    for number, easy in sorted({(number, easy) for number, _, easy in found.texts}):
        template = {SPACE: "space.html", ABOUT: "about.html", RECEIPT: "receipt.html"}.get(number, "article.html")
        yield Page(number + EASY * easy, template, text=(number, easy), full=number if easy else None)
    for number, easy in sorted({(number, easy) for number, _, easy in found.articles}):
        base, full = (EASY_ARTICLES, ARTICLES + number) if easy else (ARTICLES, None)
        yield Page(base + number, "article.html", article=(number, easy), full=full)


@lru_cache(maxsize=512)
def render(site: Site, lang: str, number: int, today: date) -> Rendered:
    """The page of this number, or for a number that is no page the one that says so."""
    page = page_table().get(number, Page(number, "missing.html", country=shelf().countries[0]))
    text = _environment().get_template(page.template).render(**_context(site, lang, page, today))
    body = text.encode("utf-8")
    return Rendered(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:32])


def may_be_found(number: int, today: date) -> bool:
    """Whether a search engine may show this page: none of them, once `temoin-server help check` fails."""
    return number in page_table() and number != DESIGN and not any(each.too_old for each in list_ageing(shelf(), today))


def speak(lang: str, key: str, **values: object) -> str:
    """The words of a locale. Raises KeyError for a key that it lacks."""
    return shelf().locales[lang][key].format(**values)


def spell_date(lang: str, day: date) -> str:
    """A date as people write it."""
    first = speak(lang, "date.first") if day.day == 1 else str(day.day)
    month = speak(lang, "date.months").split()[day.month - 1]
    return speak(lang, "date.form", day=first, month=month, year=day.year)


def link(lang: str, number: int) -> str:
    """The address of a page: a language and a number, no words."""
    return f"/{lang}/{number or ''}"


def label(lang: str, number: int) -> str:
    """What a link to a page is called."""
    page = page_table()[number]
    if page.article:
        return shelf().articles[page.article[0], lang, page.article[1]].title
    if page.country and number == page.country.page and page.country != shelf().countries[0]:
        return page.country.names[lang]
    named = number if page.full is None else page.full
    return speak(lang, f"page.{named}" if named else "home.name")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("server.help"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(page_parts(), articles_from=ARTICLES)
    return environment


def page_parts() -> dict[str, Callable[..., Markup]]:
    """What every page's head is made of, by the names that templates call."""
    return {"style": _style, "script": _script, "exit_script": _exit_script, "icon": _icon}


def _context(site: Site, lang: str, page: Page, today: date) -> dict[str, Any]:
    easy = {other.full: other.number for other in page_table().values() if other.full is not None}
    common = {
        "site": site,
        "lang": lang,
        "languages": [other for other in shelf().languages if other != lang],
        "page": page,
        "today": today,
        "menu": [(speak(lang, title), _menu_numbers(numbers)) for title, numbers in MENU],
        "easy": easy.get(page.number),
        "say": lambda key, **values: speak(lang, key, **values),
        "say_in": speak,
        "day": lambda day: spell_date(lang, day),
        "link": lambda number: link(lang, number),
        "label": lambda number: label(lang, number),
    }
    return common | _subject(lang, page, today)


def _menu_numbers(numbers: tuple[int, ...]) -> list[int]:
    """A country that was added stands behind the first one."""
    found = list(numbers)
    if 1 in found:
        found[2:2] = [country.page for country in shelf().countries[1:]]
    return found


def _subject(lang: str, page: Page, today: date) -> dict[str, Any]:
    """What only this template needs."""
    if page.template == "contacts.html" and page.country:
        return {"country": page.country, "groups": group_contacts(page.country), "countries": shelf().countries}
    if page.template in ("home.html", "missing.html", "design.html") and page.country:
        return {"country": page.country}
    if page.template == "check.html" and page.country:
        return {"country": page.country, "questionnaire": shelf().questionnaire}
    if page.template == "library.html":
        return {"articles": [(article, _words_of(article)) for article in _library(lang)]}
    if page.template == "glossary.html":
        return {"terms": shelf().glossary[lang]}
    if page.article or page.text:
        return _article_context(lang, page, today)
    return {}


def _article_context(lang: str, page: Page, today: date) -> dict[str, Any]:
    if page.article:
        article = shelf().articles[page.article[0], lang, page.article[1]]
    else:
        assert page.text
        article = shelf().texts[page.text[0], lang, page.text[1]]
    return {
        "article": article,
        "now": [to_html(each, lang, inline=True) for each in article.now],
        "body": to_html(fill_hours(article.markdown, lambda id: spell_hours(lang, id, today)), lang),
        "terms": [term for term in shelf().glossary[lang] if term.id in article.terms],
        "in_library": bool(page.article),
    }


def spell_hours(lang: str, id: str, today: date) -> str:
    """When a contact answers, as it stands inside a sentence; past its date, that nobody has looked lately.

    Raises ValueError for a contact that is not there, or whose hours are not known.
    """
    (contact,) = [contact for contact in shelf().countries[0].contacts if contact.id == id]
    if contact.hours is None:
        raise ValueError(f"the hours of {id} are not known")
    if not contact.fresh(today):
        return speak(lang, "contacts.hours_old")
    hours = contact.hours[lang].removesuffix(".")
    return hours[:1].lower() + hours[1:]


def group_contacts(country: Country) -> list[tuple[str, list[tuple[Contact, bool]]]]:
    """The contacts of a country under each need that somebody there answers, in the order of the schema.

    The flag says whether the contact was already told about under an earlier need, and so may be short here.
    """
    groups = []
    told: set[str] = set()
    for need in NEEDS:
        contacts = [contact for contact in country.contacts if need in contact.needs]
        if contacts:
            groups.append((need, [(contact, contact.id in told) for contact in contacts]))
            told.update(contact.id for contact in contacts)
    return groups


def _library(lang: str) -> list[Article]:
    return [article for (_, language, easy), article in shelf().articles.items() if language == lang and not easy]


@cache
def _words_of(article: Article) -> str:
    return search_words(article.title, article.summary, *article.now, article.markdown)


def _style(name: str) -> Markup:
    asset = assets()[name]
    return Markup('<link rel="stylesheet" href="{}" integrity="{}">').format(asset.address, asset.integrity)


def _icon(name: str) -> Markup:
    asset = assets()[name]
    return Markup('<link rel="icon" type="{}" href="{}" integrity="{}">').format(
        asset.media_type, asset.address, asset.integrity
    )


def _script(name: str) -> Markup:
    """A script that runs when the page is read."""
    asset = assets()[name]
    return Markup('<script src="{}" integrity="{}" defer></script>').format(asset.address, asset.integrity)


def _exit_script(exit_url: str) -> Markup:
    """The one script that runs before anything is shown."""
    asset = assets()["exit.js"]
    return Markup('<script src="{}" integrity="{}" data-to="{}"></script>').format(
        asset.address, asset.integrity, exit_url
    )
