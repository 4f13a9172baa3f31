"""Every view of the vault is for everybody: both languages, both schemes, a narrow screen, and as a tree of words."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app.conftest import describe_vault
from tests.browser.conftest import NeutralSite
from tests.fakes.axe import SCHEMES, TOO_WIDE, run_axe
from tests.fakes.browser import new_context
from tests.fakes.processes import RealVault, running
from tests.fakes.tour import shown_view, view_table, walk
from tests.fakes.visitor import PATIENCE, Visitor

SNAPSHOTS = Path(__file__).parent / "snapshots"
NARROW, TELEPHONE, WIDE = 320, 360, 1280
TREES = re.compile("sign-up-(?!weak)|write")
"""What of the tour is kept as a tree: signing up, and writing."""
SMALL_TARGETS = """() => {
  const inText = (e) => getComputedStyle(e).display === "inline"
    && [...e.parentElement.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim() !== "");
  const reach = (e) => (e.matches("[type=checkbox], [type=radio], [type=file]") ? e.closest("label") ?? e : e);
  return [...document.querySelectorAll("a[href], button, summary, input, select, textarea, [tabindex='0']")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".skip") && !inText(e))
    .map((e) => [e.outerHTML.slice(0, 120), reach(e).getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.9 || box.width < 24)
    .map(([html, box]) => `${html} ${box.width.toFixed(0)} × ${box.height.toFixed(0)}`);
}"""
SIDEWAYS = """() => [...document.querySelectorAll("body *")]
  .filter((e) => /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.outerHTML.slice(0, 120))"""
"""What has to be moved sideways to be read, though the page has not."""
NO_WAY_OUT = """() => {
  const [exit] = [...document.querySelectorAll("[data-exit]")].reverse(); // of a question, if one is asked
  const box = exit.getBoundingClientRect(), seen = document.elementFromPoint(box.x + box.width / 2, box.bottom - 4);
  return exit.contains(seen) ? [] : [exit.parentElement.outerHTML.slice(0, 120)];
}"""
"""The way out, where it can't be pressed without moving anything."""
TORN = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [], part = new Range();
  while (texts.nextNode()) {
    const text = texts.currentNode;
    for (const { index, 0: word } of text.data.matchAll(/(?<=^|[\s«(’])\p{L}{2,14}(?=[.,;:!?…)»]*(?:\s|$))/gu)) {
      part.setStart(text, index);
      part.setEnd(text, index + word.length);
      const boxes = [...part.getClientRects()].filter((box) => box.width > 1);
      if (new Set(boxes.map((box) => Math.round(box.top))).size > 1) found.push(word);
    }
  }
  return found;
}"""
"""Words that go on in another line, unless they are very long, or a part of a name or an address."""
READ = """() => [...document.querySelectorAll("textarea, input:is([type=text], [type=search], [type=password])")]
  .filter((e) => e.spellcheck || e.getAttribute("writingsuggestions") !== "false")
  .map((e) => e.outerHTML.slice(0, 120))"""
"""Where a browser may send what is typed to a service that checks spelling, or writes along."""
LOOKS = {"wide": TOO_WIDE, "read": READ, "sideways": SIDEWAYS, "small": SMALL_TARGETS, "no way out": NO_WAY_OUT}
MEASURED = f"""() => {{
  const found = {{ {', '.join(f'{json.dumps(name)}: ({look})()' for name, look in LOOKS.items())} }};
  document.documentElement.style.fontSize = "212.5%"; // they are 1.0625rem
  return found;
}}"""
"""Leaves all letters twice as large, for what is measured next."""
DOUBLED = f"() => ({{ doubled: [...({TOO_WIDE})(), ...({SIDEWAYS})()], torn: ({TORN})() }})"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in which axe may run, and whose clock can be set forward."""
    small = {"width": NARROW, "height": 640}
    with new_context(chromium, viewport=small, locale="fr-FR", reduced_motion="reduce", bypass_csp=True) as context:
        made = context.new_page()
        made.clock.install()
        yield made


def look_at(page: Page) -> dict[str, Any]:
    """What is wrong with what stands on the screen."""
    page.set_viewport_size({"width": NARROW, "height": 640})
    page.evaluate("scrollTo(0, 0)")  # the bar would lie over a part of something
    found = {"axe": run_axe(page), **page.evaluate(MEASURED)}
    for width in (TELEPHONE, 2 * NARROW):
        page.set_viewport_size({"width": width, "height": 640})
        for name, broken in page.evaluate(DOUBLED).items():
            found.setdefault(name, []).extend(broken)
    page.evaluate("document.documentElement.style.fontSize = ''")
    return {name: broken for name, broken in found.items() if broken}


@pytest.mark.parametrize(("lang", "scheme"), SCHEMES.items())
def test_nothing_is_wrong_with_any_view_and_trees_are_as_they_were_read(
    page: Page, neutral_site: NeutralSite, tmp_path: Path, lang: str, scheme: Literal["light", "dark"]
) -> None:
    """A tree whose file is not there is written, and has to be read before it is kept."""
    wrong, seen = {}, {view_table()["home"]}
    kept, trees = {}, {}
    page.emulate_media(color_scheme=scheme)
    with running(describe_vault(tmp_path, TEMOIN_EXIT_URL=neutral_site.address)) as vault:
        visitor = Visitor(page, vault.url, lang, f"arbre {lang}")
        for stop in walk(visitor, vault, tmp_path / "story", f"récit {lang}"):
            seen.add(shown_view(page))
            if TREES.match(stop):
                path = SNAPSHOTS / f"{stop}.{lang}.yaml"
                kept[path.name] = path.read_text() if path.exists() else ""
                trees[path.name] = drawn_tree(visitor, path)
            end = time.monotonic() + PATIENCE / 1000
            while (found := look_at(page)) and time.monotonic() < end:
                page.wait_for_timeout(100)  # something may not be drawn yet
            if found:
                wrong[stop] = found
    assert wrong == {}
    assert seen == set(view_table().values())
    assert trees == kept
    assert set(kept) == {path.name for path in SNAPSHOTS.glob(f"*.{lang}.yaml")}


@pytest.mark.parametrize("scheme", SCHEMES.values())
def test_each_look_can_find_something(page: Page, real_vault: RealVault, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    visitor = Visitor(page, real_vault.url)
    visitor.come()
    assert look_at(page) == {}
    page.evaluate("document.querySelector('h1').after(document.createElement('button'))")
    page.evaluate("document.querySelector('h1').after(document.createElement('textarea'))")
    page.evaluate("document.querySelector('h1').style.width = '700px'")
    page.evaluate("document.querySelector('header.bar').style.position = 'relative'")
    page.evaluate("document.querySelector('header.bar').style.top = '-50px'")
    page.evaluate("document.querySelector('main p').style.cssText = 'color: #777; background: #666'")
    page.evaluate(
        "const held = document.createElement('p'); held.textContent = 'held '.repeat(99);"
        "held.style.cssText = 'overflow-x: auto; white-space: nowrap'; document.querySelector('main').append(held)"
    )
    page.evaluate(
        "const torn = document.createElement('p'); torn.textContent = 'anticipation'; torn.style.width = '3em';"
        "document.querySelector('main').append(torn)"
    )
    found = look_at(page)
    assert set(found) == {"axe", "wide", "sideways", "small", "no way out", "doubled", "torn", "read"}
    assert "color-contrast" in {rule for rule, _ in found["axe"]}


def drawn_tree(visitor: Visitor, path: Path) -> str:
    """The tree of what stands on a narrow screen, once it is that of the file or won't be; written where none is."""
    visitor.page.set_viewport_size({"width": NARROW, "height": 640})
    end = time.monotonic() + PATIENCE / 1000
    while (tree := tree_of(visitor)) and path.exists() and tree != path.read_text() and time.monotonic() < end:
        visitor.page.wait_for_timeout(20)  # something may not be drawn yet
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(tree)
    return tree


def tree_of(visitor: Visitor) -> str:
    """Without what chance put into it: the words of the sheet, which of them are asked for, and ports."""
    tree = visitor.page.locator("body").aria_snapshot()
    tree = re.sub(r"http://127\.0\.0\.1:\d+", "https://exit.example", tree)
    asked = re.escape(visitor.say("account.sheet.word")).replace(re.escape("{place}"), r"\d+")
    tree = re.sub(asked, visitor.say("account.sheet.word"), tree)
    for word in visitor.words:
        tree = re.sub(rf"listitem: (['\"]?){re.escape(word)}\1$", "listitem: …", tree, flags=re.M)  # YAML quotes "off"
    return f"{tree}\n"
