"""What the pages say: every language whole, plain sentences, nobody's gender presumed, and the lines not to cross."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given, settings, strategies as st
from marshmallow import ValidationError

from schemas.help import NEEDS
from server.help.service import MENU, page_table
from server.help.shelf import HERE, Article, parse_article, read_articles, shelf

CASES = [
    pytest.param(text, id=f"{number:02}.{lang}{'.easy' * easy}")
    for (number, lang, easy), text in shelf().texts.items()
]
TAGS = re.compile(r"\]\([^)]*\)|[*#\[\]]")
LOOSE = re.compile(r"\w'\w|[^\u00a0\u202f\d/][?!;»](?=\s|$)| [?!:;»]|«[^\u00a0]")
"""In French: a straight apostrophe, or a sign that may be torn from its word at the end of a line."""
FORBIDDEN = {
    "fr": r"·|\(e\)|\(ne\)|pré-?plainte|vous devez|il faut que vous|\bobligé|aucun danger|hors de danger|pas de danger",
    "en": r"pre-complaint|you must|you have to\b|no danger|not in danger|\bhe or she\b|\bs/he\b",
}


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def sentences(markdown: str) -> list[str]:
    """The sentences of a text; each line of a list counts for itself."""
    lines = [TAGS.sub("", line).strip(" -0123456789.") for line in markdown.splitlines()]
    return [part for line in lines if line for part in re.split(r"(?<=[.!?:;])\s+", line) if re.search(r"\w{2}", part)]


def test_every_locale_has_the_same_keys_and_placeholders() -> None:
    first, *others = shelf().locales.values()
    assert others
    for other in others:
        assert list(other) == list(first)
        for key, text in first.items():
            assert text.strip() and other[key].strip(), key
            assert placeholders(other[key]) == placeholders(text), key


def test_every_key_is_used_and_every_used_key_exists() -> None:
    places = [HERE, HERE.parent / "shell"]
    files = [path for place in places for path in (*place.glob("templates/*.html"), *place.glob("*.py"))]
    source = "".join(path.read_text() for path in files)
    plain = set(re.findall(r"""(?:say|say_in|speak)\((?:other, |lang, )?"([\w.]+)"(?! ~)""", source))
    plain |= set(re.findall(r'"(menu\.\w+)"', source))
    prefixes = set(re.findall(r"""say\("([\w]+\.)" ~""", source)) | {"page."}
    keys = set(next(iter(shelf().locales.values())))
    assert plain - keys == set()
    assert {key for key in keys - plain if not key.startswith(tuple(prefixes))} == set()
    assert {f"need.{need}" for need in NEEDS} == {key for key in keys if key.startswith("need.")}
    numbered = {int(key.removeprefix("page.")) for key in keys if key.startswith("page.")}
    assert numbered <= set(page_table())
    countries = {country.page for country in shelf().countries[1:]}
    assert numbered | {0} | countries == {number for number in page_table() if number < 20}
    assert {number for _, numbers in MENU for number in numbers} <= numbered | {0}


@pytest.mark.parametrize("name", ["texts", "library"])
def test_every_text_stands_in_every_language(name: str) -> None:
    texts = getattr(shelf(), "articles" if name == "library" else name)
    present = {(number, easy): set() for number, _, easy in texts}  # type: dict[tuple[int, bool], set[str]]
    for number, lang, easy in texts:
        present[number, easy].add(lang)
    assert {key: langs for key, langs in present.items() if langs != set(shelf().languages)} == {}
    assert {path.name for path in (HERE / name).iterdir()} == {
        f"{number:02}.{lang}{'.easy' if easy else ''}.md" for number, lang, easy in texts
    }


def test_every_language_has_its_glossary() -> None:
    ids = [[term.id for term in terms] for terms in shelf().glossary.values()]
    assert len(ids) == len(shelf().languages)
    assert all(each == ids[0] for each in ids)
    assert len(set(ids[0])) == len(ids[0]) >= 20


@pytest.mark.parametrize("text", CASES)
def test_a_text_is_the_same_in_every_language(text: Article) -> None:
    others = [shelf().texts[text.number, lang, text.easy] for lang in shelf().languages]
    for other in others:
        assert other.verified_on == text.verified_on and other.expires_on == text.expires_on
        assert (other.numbers, other.terms, len(other.now)) == (text.numbers, text.terms, len(text.now))
        assert re.findall(r"^#+ ", other.markdown, re.M) == re.findall(r"^#+ ", text.markdown, re.M)
        links, same = (sorted(re.findall(r"\]\(([^)]*)\)", each.markdown)) for each in (other, text))
        assert links == same
    assert text.sources
    assert set(text.terms) <= {term.id for term in shelf().glossary[text.lang]}


@pytest.mark.parametrize("text", CASES)
def test_sentences_are_short(text: Article) -> None:
    lengths = [len(re.findall(r"[\w'’-]+", each)) for each in sentences(text.markdown)]
    assert max(lengths) <= (14 if text.easy else 30)
    assert sum(lengths) / len(lengths) <= (9 if text.easy else 14)


@pytest.mark.parametrize("text", CASES)
def test_a_text_crosses_no_line(text: Article) -> None:
    whole = " ".join([text.title, text.summary, *text.now, text.markdown]).lower()
    assert re.findall(FORBIDDEN[text.lang], whole) == []
    assert "tel:114" not in whole


@pytest.mark.parametrize("lang", shelf().languages)
def test_the_other_words_cross_no_line_either(lang: str) -> None:
    rows = json.dumps([path.read_text() for path in HERE.glob("data/**/*.json")], ensure_ascii=False)
    whole = " ".join(shelf().locales[lang].values()).lower()
    assert re.findall(FORBIDDEN[lang], whole) == []
    assert re.findall(r"·|\(e\)|pré-?plainte", rows.lower()) == []


def test_the_lines_can_be_crossed() -> None:
    for crossing in ("Vous devez partir.", "la pré-plainte", "prêt·e", "Il n'y a aucun danger."):
        assert re.findall(FORBIDDEN["fr"], crossing.lower())
    for crossing in ("You must leave.", "There is no danger."):
        assert re.findall(FORBIDDEN["en"], crossing.lower())


def test_french_signs_stay_with_their_words() -> None:
    french = [text for text in shelf().texts.values() if text.lang == "fr"]
    words = [part for text in french for part in (text.title, text.summary, *text.now, text.markdown)]
    words += shelf().locales["fr"].values()
    assert [around for text in words for around in re.findall(f".{{0,20}}(?:{LOOSE.pattern}).{{0,5}}", text)] == []
    for loose in ("Quoi ?", "Quoi?", "l'aide", "« oui\u00a0»"):
        assert LOOSE.search(loose)
    assert not LOOSE.search("«\u00a0oui\u00a0»\u202f?")


@pytest.mark.parametrize("text", ["", "# No head\n", "---\nnumber: 1\n", "---\na: [\n---\n"])
def test_an_article_needs_its_front_matter(text: str) -> None:
    with pytest.raises(ValueError, match="front matter"):
        parse_article(text)


def test_an_article_is_what_its_name_says(tmp_path: Path) -> None:
    (tmp_path / "05.fr.md").write_text((HERE / "texts" / "04.fr.md").read_text())
    with pytest.raises(ValueError, match=r"05\.fr\.md"):
        read_articles(tmp_path)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_any_article_is_read_or_refused_in_our_way(head: str, markdown: str) -> None:
    for text in (head, f"---\n{head}\n---\n{markdown}"):
        with pytest.raises((ValueError, ValidationError)):
            parse_article(text)
