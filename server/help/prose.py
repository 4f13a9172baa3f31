"""Turns the Markdown of the library into HTML, and words into the form in which they are searched.

Knows: Markdown and the links that our texts may hold. Refuses to know: pages, files and languages' words.
`lib:NN` is an article, `page:N` a page; `tel:` and `sms:` stay; `{hours ID}` is when a contact answers. Raw HTML in a
text is shown as text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

ARTICLES = 200
"""The page of article 1 is 201. No page has the number of an emergency service: titles stay in a history."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_INSIDE = re.compile(r"(lib|page):(\d{1,3})")
_HOURS = re.compile(r"\{hours (\w+)\}")
_WORD = re.compile(r"[a-z0-9]{3,}")


def to_html(markdown: str, lang: str, *, inline: bool = False) -> Markup:
    """HTML of a text or of one line, with links to our own pages in `lang`. Raises ValueError for other links."""
    tokens = _MARKDOWN.parseInline(markdown) if inline else _MARKDOWN.parse(markdown)
    for token in _links(tokens):
        token.attrs["href"] = _resolve(str(token.attrs["href"]), lang)
        if str(token.attrs["href"]).startswith("https:"):
            token.attrs["rel"] = "noreferrer"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # escaped by the renderer


def fill_hours(markdown: str, spell: Callable[[str], str]) -> str:
    """The same text with the hours of each contact it asks for."""
    return _HOURS.sub(lambda asked: spell(asked[1]), markdown)


def fold(text: str) -> str:
    """Lower case without accents, as the page's script does to what is typed."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_words(*texts: str) -> str:
    """The different words of some texts, folded, each once."""
    return " ".join(dict.fromkeys(_WORD.findall(fold(" ".join(texts)))))


def _links(tokens: Sequence[Token]) -> list[Token]:
    inner = [child for token in tokens for child in token.children or ()]
    return [token for token in inner if token.type == "link_open"]


def _resolve(target: str, lang: str) -> str:
    if match := _INSIDE.fullmatch(target):
        number = int(match[2]) + (ARTICLES if match[1] == "lib" else 0)
        return f"/{lang}/{number or ''}"
    if target == "tel:114":
        raise ValueError("114 has no voice")
    if not target.startswith(("tel:", "sms:", "https://")):
        raise ValueError("a text links to our pages, to numbers and to https addresses")
    return target
