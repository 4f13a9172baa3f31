"""The words of the help library, held to what was promised to those who read them.

Knows the files of ``server/help``: articles, easy-to-read variants, glossary. Refuses to know how a page draws them.
Whether a fact is true can't be tested here: what is, is that each one names a source and a date, that no number is
invented, and that nobody is judged, ordered about or given a gender.
"""

import datetime
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

HELP = Path(__file__).parents[2] / "server" / "help"
LANGUAGES = ("fr", "en")
NUMBERS = tuple(range(1, 19))
EASY = (1, 14, 15)
KEYS = [
    "number", "lang", "title", "summary", "minutes", "verified_on", "expires_on", "sources", "now", "numbers", "terms",
]
WORDS_A_MINUTE = 180
SIX_MONTHS = 181  # days, in the shortest half-year

# The directory's contacts, typed by hand from the fact sheet: a slip of the finger in an article must not pass.
CONTACTS = frozenset({
    "15", "17", "18", "112", "114", "115", "119", "3018", "3114", "3133", "3919", "116006", "0800059595",
})
ALSO_REACHED_AT = {"+33180523376": "116006"}
BY_THE_CLOCK = {"116006", "3018", "0800059595"}
SITES = {  # address -> as it is shown, and the contact it belongs to
    "https://www.masecurite.interieur.gouv.fr": ("masecurite.interieur.gouv.fr", "pnav"),
    "https://www.urgence114.fr": ("urgence114.fr", "114"),
    "https://www.allo119.gouv.fr": ("allo119.gouv.fr", "119"),
    "https://17cyber.gouv.fr": ("17cyber.gouv.fr", "17cyber"),
    "https://www.justice.fr": ("Justice.fr", "justice"),
}

FORBIDDEN = {
    "fr": (
        r"vous devez", r"vous devriez", r"vous auriez dû", r"(?:tu|je) dois", r"il (?:faut|faudra|faudrait|fallait)",
        r"obligatoire\w*", r"il suffit de\b", r"simplement", r"la victime", r"agresseur\w*", r"bourreau\w*",
        r"votre (?:mari|femme|compagnon|compagne|conjoint|conjointe)", r"\bil vous (?!reste)", r"calmez", r"courage",
        r"pourquoi n'avez", r"nous (?:promettons|garantissons)", r"sans (?:aucun )?(?:risque|danger)",
        r"aucun (?:risque|danger)", r"toute sécurité", r"[·•‧]", r"\((?:e|s|es|ne|trice|euse)\)", r"pré-plainte",
    ),
    "en": (
        r"you must", r"you (?:really )?(?:have|need|ought) to", r"you should", r"i must", r"make sure", r"don't forget",
        r"\b(?:he|she|his|her|hers|him)\b", r"husband", r"\bwife", r"boyfriend", r"girlfriend", r"\bthe victim",
        r"abuser", r"just leave", r"calm down", r"be brave", r"don't worry", r"we (?:promise|guarantee)",
        r"you (?:will|'ll) be safe", r"(?:no|without|any) risk", r"risk-free", r"(?:completely|perfectly) safe",
        r"pre-complaint", r"pré-plainte",
    ),
}
# "Vous êtes" and its like call for an agreement, and so for a gender, unless one of these words follows.
GENDERED = re.compile(
    r"\b(?:vous (?:êtes|étiez|serez|soyez|sentez|restez|avez été)|je (?:suis|serai|me sens))"
    r"\s+(?!(?:en|à|dans|libre|là|victime)\b)"
)
IMPERATIVE = {
    "fr": re.compile(r"^(?!chez\b|assez\b)\w+(?:ez|ons)\b"),
    "en": re.compile(r"^(?:ask|be|call|choose|dial|do|don't|find|get|go|keep|leave|note|read|save|send|take|tell|text"
                     r"|try|use|write)\b"),
}
HISTORY = {"fr": "historique du téléphone", "en": "telephone's own history"}
FORMER = {"fr": "ancien numéro", "en": "former number"}
NOT_FOR_VIOLENCE = {"fr": "n'est pas fait pour les violences", "en": "is not made for violence"}
LINK = re.compile(r"\[([^\]]+)\]\(([^)]*)\)")
HOURS = re.compile(r"\{hours (\w+)\}")
TYPED_HOURS = re.compile(r"\b\d{1,2} ?(?:h|am|pm)\b|\d ?[ap]\.m|o'clock", re.IGNORECASE)


@dataclass(frozen=True)
class Article:
    """One file of the library: its front matter, and its body with straight apostrophes."""

    path: Path
    front: dict[str, Any]
    body: str

    @property
    def lang(self) -> str:
        return str(self.front["lang"])

    @property
    def links(self) -> list[tuple[str, str]]:
        """Text and target of each link: those of what can be done now, then those of the body."""
        return [link for part in (*self.front["now"], self.body) for link in LINK.findall(straight(part))]

    @property
    def targets(self) -> list[str]:
        return [target for _, target in self.links]

    @property
    def dialled(self) -> list[str]:
        return [target.partition(":")[2] for target in self.targets if target.startswith(("tel:", "sms:"))]

    @property
    def now(self) -> list[str]:
        """What can be done now, links by their text."""
        return [LINK.sub(r"\1", straight(line)) for line in self.front["now"]]

    @property
    def headings(self) -> list[str]:
        return [line for line in self.body.splitlines() if line.startswith("#")]

    @property
    def lines(self) -> list[str]:
        """Paragraphs and list items as they are read aloud: links by their text, hours told, no marks."""
        shown = HOURS.sub(lambda asked: hours_of(asked[1], self.lang), LINK.sub(r"\1", self.body)).replace("**", "")
        return [line for line in shown.splitlines() if line and not line.startswith("#")]


def straight(text: str) -> str:
    """The same words with a plain apostrophe and plain spaces, so that patterns stay readable."""
    return re.sub(r"[\u00a0\u202f]", " ", text.replace("\u2019", "'"))


def hours_of(contact: str, lang: str) -> str:
    rows = json.loads((HELP / "data" / "fr" / "contacts.json").read_text(encoding="utf-8"))
    (hours,) = [row["hours"][lang] for row in rows if row["id"] == contact]
    return straight(hours[:1].lower() + hours[1:]).removesuffix(".")


def read_article(path: Path) -> Article:
    opening, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert opening == ""
    return Article(path, yaml.safe_load(front), straight(body))


def article_path(number: int, lang: str, easy: bool = False) -> Path:
    return HELP / "library" / f"{number:02d}.{lang}{'.easy' if easy else ''}.md"


def read_glossary(lang: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((HELP / f"glossary.{lang}.json").read_text(encoding="utf-8"))
    return rows


def split_sentences(line: str) -> list[str]:
    return re.split(r"(?<=[.!?…])[ »”)]*\s+(?=\S)", line.removeprefix("- "))


def count_words(text: str) -> int:
    return sum(1 for word in text.split() if any(letter.isalnum() for letter in word))


def find_forbidden(text: str, lang: str) -> list[str]:
    found = [pattern for pattern in FORBIDDEN[lang] if re.search(pattern, straight(text), re.IGNORECASE)]
    if lang == "fr" and GENDERED.search(straight(text).lower()):
        found.append(GENDERED.pattern)
    return found


def said(article: Article) -> Iterator[str]:
    """Every sentence the reader meets, front matter included."""
    front = article.front
    for line in [front["title"], front["summary"], *article.now, *article.headings, *article.lines]:
        yield from split_sentences(straight(line))


FULL = [article_path(number, lang) for number in NUMBERS for lang in LANGUAGES]
EASY_PATHS = [article_path(number, lang, easy=True) for number in EASY for lang in LANGUAGES]


@pytest.fixture(params=FULL + EASY_PATHS, ids=lambda path: path.name)
def article(request: pytest.FixtureRequest) -> Article:
    return read_article(request.param)


@pytest.fixture(params=FULL, ids=lambda path: path.name)
def full(request: pytest.FixtureRequest) -> Article:
    return read_article(request.param)


@pytest.fixture(params=EASY_PATHS, ids=lambda path: path.name)
def easy(request: pytest.FixtureRequest) -> Article:
    return read_article(request.param)


def test_the_library_holds_these_files_and_no_other() -> None:
    assert sorted((HELP / "library").iterdir()) == sorted(FULL + EASY_PATHS)


def test_front_matter_has_every_key_and_a_believable_value(article: Article) -> None:
    front = article.front
    assert list(front) == KEYS
    assert article.path.name.startswith(f"{front['number']:02d}.{front['lang']}.")
    assert front["minutes"] == math.ceil(count_words(" ".join([*article.headings, *article.lines])) / WORDS_A_MINUTE)
    assert 2 <= len(front["now"]) <= 5
    assert len(split_sentences(straight(front["summary"]))) == 1
    assert front["sources"] and all(source.strip() for source in front["sources"])
    for key in ("sources", "numbers", "terms"):
        assert len(front[key]) == len(set(front[key]))


def test_no_fact_is_trusted_for_more_than_six_months(article: Article) -> None:
    verified, expires = article.front["verified_on"], article.front["expires_on"]
    assert type(verified) is datetime.date and type(expires) is datetime.date
    assert 0 < (expires - verified).days <= SIX_MONTHS


@pytest.mark.parametrize(("number", "easy_variant"), [(n, False) for n in NUMBERS] + [(n, True) for n in EASY])
def test_both_languages_say_the_same_things(number: int, easy_variant: bool) -> None:
    french, english = (read_article(article_path(number, lang, easy_variant)) for lang in LANGUAGES)
    assert list(french.front) == list(english.front)
    for key in ("number", "verified_on", "expires_on", "numbers", "terms"):
        assert french.front[key] == english.front[key]
    for key in ("sources", "now"):
        assert len(french.front[key]) == len(english.front[key])
    assert len(french.headings) == len(english.headings)
    assert len(french.lines) == len(english.lines)
    assert french.targets == english.targets


def test_the_body_uses_only_headings_paragraphs_lists_strong_and_links(article: Article) -> None:
    assert article.headings and all(re.match(r"## \S", heading) for heading in article.headings)
    bare = LINK.sub("link", article.body).replace("**", "")
    assert article.body.count("**") % 2 == 0
    assert not re.search(r"[*`<>|_\[\]]|https?:|^\d+\. |^[ \t]+\S", bare, re.MULTILINE)


def test_links_resolve(article: Article) -> None:
    for target in article.targets:
        kind, _, name = target.partition(":")
        assert kind in {"lib", "page", "tel", "sms"} or target in SITES
        if kind == "page":
            assert name == "7"  # whatever an article says of keeping things begins where one stops to think
        if kind == "lib":
            assert re.fullmatch(r"\d\d", name) and int(name) in NUMBERS
            assert int(name) != article.front["number"]


def test_every_link_to_a_number_or_a_site_shows_it(article: Article) -> None:
    for text, target in article.links:
        if target in SITES:
            assert text == SITES[target][0]
        elif target.startswith(("tel:", "sms:")):
            assert text.replace(" ", "") == target.partition(":")[2]


def test_a_site_is_always_a_link(article: Article) -> None:
    bare = LINK.sub("", article.body).lower()
    assert [shown for shown, _ in SITES.values() if shown.lower() in bare] == []


def test_numbers_are_those_of_the_directory_and_all_declared(article: Article) -> None:
    called = {ALSO_REACHED_AT.get(number, number) for number in article.dialled}
    written_to = {SITES[target][1] for target in article.targets if target in SITES}
    assert called <= CONTACTS
    assert set(article.front["numbers"]) == called | written_to


def test_114_is_written_to_and_never_called(article: Article) -> None:
    assert "tel:114" not in article.targets
    assert {target for target in article.targets if target.startswith("sms:")} <= {"sms:114"}


def test_next_to_numbers_the_reader_learns_that_the_telephone_remembers(article: Article) -> None:
    if article.dialled:
        assert HISTORY[article.lang] in article.body
    else:
        assert article.front["number"] == 18


def test_hours_are_asked_of_the_directory_and_never_typed(article: Article) -> None:
    assert TYPED_HOURS.findall(f"{article.front} {article.body}") == []
    assert set(HOURS.findall(article.body)) == BY_THE_CLOCK & set(article.front["numbers"])


def test_3977_is_only_ever_the_former_number_of_3133(article: Article) -> None:
    assert "3977" not in article.dialled
    for line in article.lines:
        if "3133" in line or "3977" in line:
            assert line.index("3133") < line.index(FORMER[article.lang]) < line.index("3977")


def test_complaints_about_belongings_are_never_the_way_to_report_violence(article: Article) -> None:
    for line in article.lines:
        if "plainte en ligne" in line.lower():
            assert NOT_FOR_VIOLENCE[article.lang] in line


def test_nobody_is_judged_ordered_or_given_a_gender(article: Article) -> None:
    for sentence in said(article):
        assert find_forbidden(sentence, article.lang) == [], sentence


def test_what_can_be_done_now_is_offered_not_ordered(article: Article) -> None:
    for sentence in article.now:
        assert not IMPERATIVE[article.lang].match(sentence.lower()), sentence


def test_receipts_are_never_called_qualified_and_nothing_is_guaranteed(article: Article) -> None:
    for sentence in said(article):
        if re.search(r"qualifi", sentence, re.IGNORECASE):
            assert re.search(r"\b(?:certains|some|pas|not)\b", sentence, re.IGNORECASE), sentence
        if re.search(r"garanti|guarantee", sentence, re.IGNORECASE):
            assert re.match(r"aucun outil|no tool", sentence, re.IGNORECASE), sentence


def test_terms_are_in_the_glossary(article: Article) -> None:
    assert set(article.front["terms"]) <= {row["id"] for row in read_glossary(article.lang)}


def test_an_article_is_short_and_so_are_its_sentences(full: Article) -> None:
    assert 300 <= count_words(" ".join(full.lines)) <= 600
    for sentence in said(full):
        assert count_words(sentence) <= 28, sentence
    prose = [count_words(s) for line in full.lines if not line.startswith("- ") for s in split_sentences(line)]
    assert sum(prose) / len(prose) <= 14


def test_an_easy_variant_is_shorter_still(easy: Article) -> None:
    assert count_words(" ".join([*easy.lines, *easy.headings])) <= 200
    for sentence in said(easy):
        assert count_words(sentence) <= 12, sentence


def test_the_glossary_says_the_same_words_in_both_languages() -> None:
    french, english = (read_glossary(lang) for lang in LANGUAGES)
    ids = [row["id"] for row in french]
    assert ids == [row["id"] for row in english]
    assert len(set(ids)) == len(ids) >= 20
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name) for name in ids)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_legal_word_is_short_sourced_and_used(lang: str) -> None:
    used = {term for number in NUMBERS for term in read_article(article_path(number, lang)).front["terms"]}
    for row in read_glossary(lang):
        assert list(row) == ["id", "word", "meaning", "source"]
        assert 2 <= len(row["word"]) <= 80 and row["source"].strip()
        assert 0 < count_words(row["meaning"]) <= 30
        assert find_forbidden(row["meaning"], lang) == []
        assert row["id"] in used


@pytest.mark.parametrize(("lang", "text"), [
    ("fr", "Vous devez partir."), ("fr", "Il faut porter plainte."), ("fr", "La victime est reçue."),
    ("fr", "Vous êtes blessée."), ("fr", "Vous vous sentez seul, vous êtes protégé."), ("fr", "Un·e proche"),
    ("fr", "C\u2019est sans danger."), ("fr", "Pourquoi n\u2019avez-vous rien dit ?"),
    ("en", "You must call."), ("en", "You should leave."), ("en", "He may come back."), ("en", "We promise it."),
])
def test_the_list_of_forbidden_words_does_catch_them(lang: str, text: str) -> None:
    assert find_forbidden(text, lang) != []


@pytest.mark.parametrize(("lang", "text"), [
    ("fr", "Vous pouvez aussi décider de ne pas le faire."), ("fr", "Personne n\u2019a à juger ce choix."),
    ("en", "You can ask there, whether or not they answer."), ("en", "The others were heard."),
])
def test_the_list_of_forbidden_words_lets_gentle_ones_pass(lang: str, text: str) -> None:
    assert find_forbidden(text, lang) == []


@pytest.mark.parametrize(("lang", "text"), [("fr", "appelez le 17."), ("fr", "gardons ce lien."), ("en", "call 17.")])
def test_an_order_is_recognised(lang: str, text: str) -> None:
    assert IMPERATIVE[lang].match(text)


def test_sentences_end_where_a_reader_would_breathe() -> None:
    read = split_sentences("- Un lieu. Une date ! « Qui ? » On écrit.")
    assert read == ["Un lieu.", "Une date !", "« Qui ?", "On écrit."]
    assert split_sentences("Le site www.urgence114.fr répond") == ["Le site www.urgence114.fr répond"]
