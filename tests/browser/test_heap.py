"""What a search of a page's memory finds, and whom it names: the tests that find nothing there rest on it."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

from tests.fakes.heap import take_heap

WORD = "a word that was planted"
PLANT = """(word) => {
  const film = document.createElement("video");
  window.seen = new WeakRef(film);
  window.shelf = { behind: [new Map([["film", film]])], note: { said: word.split("").join("") } };
}"""


def holding(way: list[str]) -> list[str]:
    """The names by which one object holds the next, from what was found to the page's own object."""
    names = [step[1:].split(" = ")[0] for step in way]
    return names[:names.index("global_object")]


def test_who_holds_an_element_or_a_word_is_said_until_they_let_go_of_it(context: BrowserContext) -> None:
    page = context.new_page()
    page.evaluate(PLANT, WORD)
    heap = take_heap(page)
    assert heap.count("video") == 1
    film = holding(heap.holders("video"))
    assert film[-3:] == ["0", "behind", "shelf"] and "seen" not in film  # the shorter way, which keeps nothing
    found = heap.find([WORD, "a word that was not"])
    assert {word: holding(way) for word, way in found.items()} == {WORD: ["said", "note", "shelf"]}
    page.evaluate("() => { delete window.shelf }")
    heap = take_heap(page)
    assert heap.count("video") == 0 and heap.find([WORD]) == {}
    assert heap.holders("video") == ["held by nothing but weak references"]
