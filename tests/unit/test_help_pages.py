"""The pages over HTTP: neutral addresses and titles, the way out everywhere, only our own files, small, cacheable."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from werkzeug.test import TestResponse

from server.config import ConfigRefused, ServerConfig
from server.headers import ALWAYS, BEHIND_TLS, FOUND, PAGES, UNFOUND
from server.help.assets import FOLDER, assets
from server.help.prose import fold, search_words, to_html
from server.help.freshness import TOO_OLD
from server.help.service import (
    ABOUT, DESIGN, HOME, NOWHERE, SPACE, Site, link, may_be_found, page_table, render, spell_hours,
)
from server.help.shelf import HERE, shelf
from tests.fakes.vault import FakeVault, fake_vault

EXIT = "https://weather.example/today"
TODAY = date(2026, 12, 1)
SITE = Site("Carnet", EXIT)
KNOWN = {  # typed anew from the fact sheet
    *("17", "15", "18", "112", "114", "115", "119", "3919", "116006", "+33180523376", "3018"),
    *("0800059595", "3133", "3114", "116000", "116016", "116111", "116123"),
}
EMERGENCY = {15, 17, 18, 112, 114, 115, 119}
ALL = [(lang, number) for lang in shelf().languages for number in page_table()]
CARE = {"fr": "l'historique du téléphone", "en": "own history"}
EASY_CARE = {
    "fr": ("restent dans le téléphone", "Mon téléphone garde", "se souvient de ma visite"),
    "en": ("stay in the telephone", "My telephone keeps", "remembers my visit"),
}
HOURS = re.compile(r"\b\d{1,2}\s?(?:h|am|pm)\b|\d\s?[ap]\.m|o.clock", re.I)
SPELLED = {"fr": re.compile(r"\d{1,2}\u00a0h"), "en": re.compile(r"\d{1,2}\u00a0[ap]m")}
LAST = max(contact.expires_on or TODAY for country in shelf().countries for contact in country.contacts)
"""The last day on which everything is fresh."""
SCRIPT_BUDGET = 5 * 1024
WEIGHT = 40 * 1024
TELLING = re.compile(r"viol|help|aide|victim|abuse|danger|secours|urgen|safe|exit|quit|check|contact|assess", re.I)


class Elements(HTMLParser):
    """Every element with its attributes, and the text of `style` and `script`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style"):
            self.inline += data.strip()

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVault]:
    with fake_vault(tmp_path_factory.mktemp("vault"), exit_url=EXIT) as made:
        yield made


def get(vault: FakeVault, path: str, **headers: str) -> TestResponse:
    return vault.app.test_client().get(path, headers=headers)


def html_of(lang: str, number: int, today: date = TODAY, site: Site = SITE) -> str:
    return render(site, lang, number, today).body.decode()


SOURCES = re.compile(r'<details class="sources">.*?</details>|<dd>[^<]*</dd>\n</dl>', re.S)
"""Sources quote what was not printed."""


def text_of(html: str) -> str:
    """What is read on the page itself, sources apart."""
    return re.sub(r"<[^>]+>", " ", SOURCES.sub(" ", html[html.index("<main") : html.index("</main>")]))


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_every_page_is_there_under_a_number(vault: FakeVault, lang: str, number: int) -> None:
    answer = get(vault, link(lang, number))
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert "Set-Cookie" not in answer.headers
    elements = Elements(answer.text)
    assert re.findall(r"<title>(.*?)</title>", answer.text) == [f"Carnet {number}"]
    assert len(elements.of("h1")) == 1
    assert elements.of("html") == [{"lang": lang}]
    for place in elements.of("a"):
        assert place["href"], answer.text


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_the_way_out_is_on_every_page(lang: str, number: int) -> None:
    elements = Elements(html_of(lang, number))
    ways = [attributes for attributes in elements.of("a") if "data-exit" in attributes]
    assert [way["href"] for way in ways] == [EXIT]
    scripts = elements.of("script")
    assert scripts[0]["data-to"] == EXIT and "defer" not in scripts[0]
    before = [tag for tag, _ in elements.found[: elements.found.index(("script", scripts[0]))]]
    assert "body" not in before  # it runs before anything is shown


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_a_page_loads_our_own_files_and_each_is_sealed_by_its_hash(lang: str, number: int) -> None:
    elements = Elements(html_of(lang, number))
    by_address = {asset.address: asset for asset in assets().values()}
    loaded = [(each, each["src"]) for each in elements.of("script")]
    loaded += [(each, each["href"]) for each in elements.of("link")]
    assert len(loaded) >= 3
    for attributes, address in loaded:
        assert address is not None
        digest = hashlib.sha384(by_address[address].body).digest()
        assert attributes["integrity"] == "sha384-" + base64.b64encode(digest).decode()
        assert not TELLING.search(address)
    assert elements.inline == ""
    for tag, attributes in elements.found:
        assert tag not in ("style", "img", "iframe", "object", "embed", "video", "audio", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    scripts = sum(len(by_address[str(each["src"])].body) for each in elements.of("script"))
    assert scripts <= SCRIPT_BUDGET


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_every_link_leads_somewhere_it_may(lang: str, number: int) -> None:
    elements = Elements(html_of(lang, number))
    ids = {attributes["id"] for _, attributes in elements.found if attributes.get("id")}
    inside = {link(language, page) for language, page in ALL}
    for attributes in elements.of("a"):
        href = str(attributes["href"])
        if href.startswith("#"):
            assert href[1:] in ids
        elif href.startswith("/"):
            assert href in inside
        elif href.startswith(("tel:", "sms:")):
            assert href[4:] in KNOWN
            assert href != "tel:114"
        else:
            assert href.startswith("https://")
            assert attributes["rel"] == "noreferrer"


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_where_there_are_numbers_traces_are_spoken_of_and_facts_are_dated(lang: str, number: int) -> None:
    html = html_of(lang, number)
    main = html[html.index("<main") : html.index("</main>")]
    if not re.search(r'href="(tel|sms):', main) or number == 11:  # the components page shows parts, it advises nobody
        return
    page = page_table()[number]
    plain = main.replace("&#39;", "'").replace("’", "'")
    words = [CARE[lang], *(EASY_CARE[lang] if page.full is not None else ())]
    assert any(each in plain for each in words), number
    if page.template in ("article.html", "contacts.html", "check.html"):
        assert {"fr": "Comparé à nos sources le", "en": "Compared with our sources on"}[lang] in plain


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_no_page_sends_violence_to_the_property_form(lang: str, number: int) -> None:
    text = re.sub(r"<[^>]+>", " ", html_of(lang, number)).lower().replace("’", "'")
    assert "pré-plainte" not in text and "pre-complaint" not in text
    for around in re.findall(r".{0,60}plainte en ligne.{0,60}", text):
        assert "n'est pas" in around or "is not" in around or "isn't" in around, around


@pytest.mark.parametrize(("lang", "number"), ALL)
def test_hours_have_one_spelling_and_go_when_they_are_old(lang: str, number: int) -> None:
    fresh, old = (html_of(lang, number, LAST + timedelta(days=late)) for late in (0, 1))
    assert [hours for hours in HOURS.findall(text_of(fresh)) if not SPELLED[lang].fullmatch(hours)] == []
    assert HOURS.findall(text_of(old)) == []
    dialled = [str(each["href"]) for each in Elements(fresh).of("a") if re.match("tel:|sms:", str(each["href"]))]
    assert [str(each["href"]) for each in Elements(old).of("a") if re.match("tel:|sms:", str(each["href"]))] == dialled


def test_hours_of_the_directory_stand_in_the_articles_that_ask_for_them() -> None:
    for number in (21, 201, 202, 301):
        assert "tous les jours, de 9\u00a0h à 19\u00a0h. Répondeur le reste du temps." in html_of("fr", number)
        assert "every day, 9\u00a0am to 7\u00a0pm. Voicemail the rest of the time." in html_of("en", number)
    assert "tous les jours, de 9\u00a0h à 23\u00a0h." in html_of("fr", 21)
    assert "il répond à des heures qui restent à revoir." in html_of("fr", 201, LAST + timedelta(days=1)).lower()


@pytest.mark.parametrize("contact", ["117", "3133"])
def test_hours_that_nobody_knows_are_refused(contact: str) -> None:
    with pytest.raises(ValueError):
        spell_hours("fr", contact, TODAY)


def test_no_page_has_the_number_of_an_emergency_service() -> None:
    assert EMERGENCY & set(page_table()) == set()
    assert not TELLING.search(" ".join(link(lang, number) for lang, number in ALL))


def test_the_numbers_page_is_light(vault: FakeVault) -> None:
    for lang in shelf().languages:
        page = get(vault, link(lang, 1), **{"Accept-Encoding": "gzip"})
        assert page.headers["Content-Encoding"] == "gzip"
        addresses = re.findall(r'(?:src|href)="(/s/[^"]+)"', gzip.decompress(page.data).decode())
        answers = [page, *(get(vault, address, **{"Accept-Encoding": "gzip"}) for address in addresses)]
        weight = sum(len(answer.data) + len(str(answer.headers)) for answer in answers)
        assert len(answers) == 5 and weight <= WEIGHT


def test_compressed_or_not_it_is_the_same_page(vault: FakeVault) -> None:
    for path in ("/fr/", "/fr/1", assets()["site.css"].address):
        plain, small = get(vault, path), get(vault, path, **{"Accept-Encoding": "br, gzip"})
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(small.data) == plain.data
        assert small.headers["ETag"] != plain.headers["ETag"]
        assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in get(vault, path, **{"Accept-Encoding": "gzip;q=0"}).headers


def test_a_browser_keeps_pages_and_asks_again_cheaply(vault: FakeVault) -> None:
    for path, age in (("/fr/1", 300), (assets()["exit.js"].address, 31_536_000)):
        first = get(vault, path)
        assert first.headers["Cache-Control"] == f"public, max-age={age}"
        again = get(vault, path, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert get(vault, path, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-US,en;q=0.5", "en"),
        ("de,en;q=0.3", "en"),
        ("ar", "fr"),
        ("*", "fr"),
        ("\x7f;;q", "fr"),
    ],
)
def test_the_language_is_that_of_the_path_or_else_the_browser_s(vault: FakeVault, asked: str, lang: str) -> None:
    answer = get(vault, "/", **{"Accept-Language": asked})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{lang}/")
    assert answer.headers["Vary"] == "Accept-Language"
    for path in ("/en/", "/en"):
        assert Elements(get(vault, path, **{"Accept-Language": "fr"}).text).of("html") == [{"lang": "en"}]


@pytest.mark.parametrize("path", ["/fr/999", "/en/77", "/fr/4294967296"])
def test_a_page_that_is_none_still_helps(vault: FakeVault, path: str) -> None:
    answer = get(vault, path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'href="tel:17"' in answer.text and "data-exit" in answer.text


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""What browsers accept where somebody types an address."""


@pytest.mark.parametrize(
    ("path", "asked", "lang"),
    [
        ("/FR/", "en", "fr"), ("/fr/1/", "en", "fr"), ("/en/x", "fr", "en"), ("/fr/404", "en", "fr"),
        ("/de/", "en", "en"), ("/de/", "de", "fr"), ("/favorites", "fr", "fr"), ("/v1/nothing", "en", "en"),
        ("/s/exit.js", "fr", "fr"),
    ],
)
def test_whoever_mistypes_an_address_gets_a_page_that_helps(
    vault: FakeVault, path: str, asked: str, lang: str
) -> None:
    answer = get(vault, path, **{"Accept": BROWSER, "Accept-Language": asked})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert Elements(answer.text).of("html") == [{"lang": lang}]
    assert 'href="tel:17"' in answer.text and "data-exit" in answer.text
    assert answer.headers["Content-Security-Policy"] == PAGES["Content-Security-Policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "text/html;q=0, */*", ""])
def test_a_program_gets_a_problem(vault: FakeVault, accept: str) -> None:
    answer = get(vault, "/de/", Accept=accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert NOWHERE not in page_table()


@pytest.mark.parametrize("path", ["/de/", "/fr/x", "/fr/1/", "/fr/-1", "/s/exit.js", "/s/..%2fexit.js", "/s/"])
def test_nothing_else_is_there(vault: FakeVault, path: str) -> None:
    assert get(vault, path).status_code == 404


def test_headers_of_pages_and_over_tls(vault: FakeVault) -> None:
    answer = get(vault, "/fr/")
    for name, value in (ALWAYS | PAGES).items():
        assert answer.headers.getlist(name) == [value]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy and "unsafe" not in policy and "http" not in policy
    assert get(vault, "/v1/vault").headers["Content-Security-Policy"] == ALWAYS["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers
    behind = get(vault, "/fr/", **{"X-Forwarded-Proto": "https"})
    assert behind.headers["Strict-Transport-Security"] == BEHIND_TLS["Strict-Transport-Security"]


def test_pages_may_be_found_while_their_facts_are_good_and_nothing_else_may(vault: FakeVault) -> None:
    for path in ("/", "/fr/", "/en/1", "/fr/201"):
        assert get(vault, path).headers.getlist("X-Robots-Tag") == [FOUND["X-Robots-Tag"]]
    for path in (link("fr", DESIGN), "/fr/999", "/v1/vault", "/ledger/checkpoint", assets()["site.css"].address):
        assert get(vault, path).headers.getlist("X-Robots-Tag") == [UNFOUND["X-Robots-Tag"]]
    first = min(contact.expires_on or LAST for country in shelf().countries for contact in country.contacts)
    too_old = first + timedelta(days=TOO_OLD)
    assert [may_be_found(number, too_old - timedelta(days=1)) for number in (HOME, 1, 201)] == [True] * 3
    assert [number for number in page_table() if may_be_found(number, too_old)] == []


@pytest.mark.parametrize("lang", shelf().languages)
@pytest.mark.parametrize("number", [HOME, SPACE])
def test_the_way_on_to_the_space_is_there_when_the_vault_has_one(
    vault: FakeVault, tmp_path: Any, lang: str, number: int
) -> None:
    way = f'href="/app#{lang}"'
    assert way not in html_of(lang, number)
    assert way in html_of(lang, number, site=replace(SITE, app=True))
    assert (way in get(vault, link(lang, number)).text) == (get(vault, "/app").status_code == 200)  # no dead end
    with fake_vault(tmp_path) as other:
        other.app.add_url_rule("/app", "space", view_func=lambda: "")
        assert way in get(other, link(lang, number)).text


@pytest.mark.parametrize("lang", shelf().languages)
def test_who_runs_the_site_is_said_or_said_to_be_unknown(vault: FakeVault, lang: str) -> None:
    unknown = {"fr": "Personne ne l’a encore indiqué ici", "en": "Nobody has said so here yet"}[lang]
    assert unknown in get(vault, link(lang, ABOUT)).text
    named = html_of(lang, ABOUT, site=replace(SITE, operator="Une association\n<i>1 rue du Port</i>"))
    assert unknown not in named and "<p>Une association</p>" in named and "&lt;i&gt;1 rue du Port" in named


def test_the_operator_chooses_the_name_and_the_way_out(vault: FakeVault, tmp_path: Any) -> None:
    config = ServerConfig.from_environ({"TEMOIN_SITE_TITLE": "Notes", "TEMOIN_EXIT_URL": EXIT}, tmp_path, host="h")
    html = render(Site(config.site_title, config.exit_url), "fr", 1, TODAY).body.decode()
    assert "<title>Notes 1</title>" in html and "Carnet" not in html and f'href="{EXIT}"' in html
    assert ServerConfig(data=tmp_path, host="h").exit_url == "https://meteofrance.com/"
    assert ServerConfig(data=tmp_path, host="h").site_title == "Carnet"
    assert ServerConfig.from_environ({"TEMOIN_OPERATOR": "A\nB"}, tmp_path, host="h").operator == "A\nB"
    refused = {"TEMOIN_EXIT_URL": "javascript:alert(1)", "TEMOIN_SITE_TITLE": "x" * 41, "TEMOIN_OPERATOR": "x" * 601}
    for name, value in refused.items():
        with pytest.raises(ConfigRefused):
            ServerConfig.from_environ({name: value}, tmp_path, host="h")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_a_title_is_text_and_never_markup(title: str) -> None:
    html = render(Site(title + "<script>", EXIT), "fr", 9, TODAY).body.decode()
    assert len(Elements(html).of("script")) == 2


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_markdown_never_becomes_a_script_or_an_unknown_link(text: str) -> None:
    try:
        html = str(to_html(f"{text}\n\n<script>1</script> <b onclick=1>", "fr"))
    except ValueError:
        return
    elements = Elements(html)
    assert not elements.of("script") and not elements.of("b")
    for attributes in elements.of("a"):
        assert str(attributes["href"]).startswith(("/fr/", "tel:", "sms:", "https://"))


@pytest.mark.parametrize(
    "target", ["tel:114", "javascript:1", "http://example.org", "//example.org", "lib:1234", "page:x", "data:,x"]
)
def test_a_text_may_not_link_anywhere(target: str) -> None:
    with pytest.raises(ValueError):
        html = str(to_html(f"[x]({target})", "fr"))
        if "<a" not in html:
            raise ValueError("not even a link")


def test_links_of_texts_are_pages_in_their_language() -> None:
    assert 'href="/en/214"' in to_html("[x](lib:14)", "en")
    assert 'href="/fr/6"' in to_html("[x](page:6)", "fr")
    assert 'href="/fr/"' in to_html("[x](page:0)", "fr")
    assert 'href="sms:114"' in to_html("[114](sms:114)", "fr")


def test_what_is_searched_is_folded() -> None:
    assert fold("Élève ÇA") == "eleve ca"
    assert search_words("La plainte, la PLAINTE !", "Été 2026") == "plainte ete 2026"


def colours(scheme: str) -> dict[str, tuple[int, ...]]:
    css = (FOLDER / "site.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.S)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", dark))
    doubled = {name: re.sub(r"^#(.)(.)(.)$", r"#\1\1\2\2\3\3", value) for name, value in found.items()}
    return {name: tuple(bytes.fromhex(value[1:])) for name, value in doubled.items()}


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2.2's contrast ratio."""
    def light(colour: tuple[int, ...]) -> float:
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_what_the_accessibility_page_says(scheme: str) -> None:
    colour = colours(scheme)
    pairs = [(text, ground) for text in ("ink", "soft", "lead") for ground in ("paper", "card")]
    for text, ground in [*pairs, ("ink", "care"), ("on-dial", "dial")]:
        assert contrast(colour[text], colour[ground]) >= 7, (text, ground)
    for ground in ("paper", "card", "care"):
        assert contrast(colour["edge"], colour[ground]) >= 3, ground


def test_there_is_one_fragment_one_style_and_one_script_for_the_way_out() -> None:
    uses = [path.name for path in HERE.glob("templates/*.html") if "data-exit" in path.read_text()]
    assert uses == ["exit.html"]
    assert {path.name for path in FOLDER.glob("exit.*")} == {"exit.css", "exit.js"}
    assert (FOLDER / "exit.css").read_bytes() in assets()["site.css"].body  # served in the one sheet of every page
