"""Each page in a real browser: axe finds nothing, the keyboard reaches all, a narrow screen and no script suffice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from server.help.service import link, page_table
from server.help.shelf import shelf
from tests.fakes.axe import COLOURS, SCHEMES, TOO_WIDE, bring_axe, run_axe
from tests.fakes.browser import new_context

SMALL_TARGETS = """
Array.from(document.querySelectorAll("a, button, summary, input:not([type=checkbox]), label.tick"))
  .filter((e) => e.checkVisibility() && !e.closest(".skip"))
  .filter((e) => !(e.matches("p:not(.tools, .ways, .menu-end) a:not(.button), li a:not(.card, .dial)")
    && e.closest(".prose, main > p, .notice, article > p")))
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect().height])
  .filter(([, height]) => height < 43.9)
"""
DIALLED = ".dial-number, .way-number, .easy a[href^='tel:'], .easy a[href^='sms:']"
BROKEN = """
(dialled) => Array.from(document.querySelectorAll(dialled)).filter((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return new Set(Array.from(range.getClientRects(), (box) => Math.round(box.top))).size > 1;
}).map((element) => element.textContent)
"""
FOCUSABLE = """
Array.from(document.querySelectorAll("a[href], button, input, summary")).filter((e) => e.checkVisibility()).length
"""
FOCUS = """(() => {
  const e = document.activeElement, style = getComputedStyle(e), bar = document.querySelector(".bar");
  return {
    tag: e.tagName,
    html: e.outerHTML.slice(0, 100),
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    covered: !e.closest(".bar, .skip") && e.getBoundingClientRect().top < bar.getBoundingClientRect().bottom - 1,
  };
})()"""


@pytest.fixture
def looked_at(chromium: Browser) -> Iterator[Page]:
    """A page in which axe may run."""
    with new_context(chromium, viewport={"width": 360, "height": 740}, bypass_csp=True) as context:
        bring_axe(context)
        yield context.new_page()


def look_at(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds in the page, and in its other colours."""
    page.emulate_media(color_scheme="light")
    found = run_axe(page)
    page.emulate_media(color_scheme="dark")
    return found + run_axe(page, COLOURS)


@pytest.mark.parametrize("lang", shelf().languages)
def test_axe_finds_nothing(looked_at: Page, address: str, lang: str) -> None:
    found = {}
    looked_at.emulate_media(color_scheme=SCHEMES[lang])
    for number in page_table():
        looked_at.goto(address + link(lang, number))
        looked_at.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        if broken := run_axe(looked_at):
            found[number] = broken
    assert found == {}


def test_axe_finds_nothing_in_any_result(looked_at: Page, address: str) -> None:
    for ticks in ([], ["words", "belittle"], ["kill"]):
        looked_at.goto(address + "/fr/2")
        for name in ticks:
            looked_at.locator(f"input[name={name}]").check()
        looked_at.locator("button[type=submit]").click()
        assert look_at(looked_at) == []


@pytest.mark.parametrize("scheme", SCHEMES.values())
def test_axe_can_find_something(looked_at: Page, address: str, scheme: str) -> None:
    looked_at.goto(address + "/fr/1")
    looked_at.evaluate("document.querySelector('input[type=search]').labels[0].remove()")
    pale = "{ main p { color: #777; background: #666 } }"
    looked_at.add_style_tag(content=f"@media (prefers-color-scheme: {scheme}) {pale}")
    found = look_at(looked_at)
    assert {rule for rule, _ in found} == {"label", "color-contrast"}
    assert len(found) == 2


@pytest.mark.parametrize("lang", shelf().languages)
def test_the_keyboard_reaches_everything_in_sight(page: Page, address: str, lang: str) -> None:
    for number in page_table():
        page.goto(address + link(lang, number))
        expected: int = page.evaluate(FOCUSABLE)
        seen: list[str] = []
        for _ in range(expected + 5):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus["tag"] == "BODY" or seen[:1] == [focus["html"]]:
                break
            assert focus["outline"], (number, focus)
            assert not focus["covered"], (number, focus)
            seen.append(focus["html"])
        assert len(seen) == expected, number
        assert 'class="skip"' in seen[0]


def test_the_skip_link_and_the_menu_work_by_keyboard(page: Page, address: str) -> None:
    page.goto(address + "/fr/1")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)
    page.locator(".bar-menu").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#menu")).to_be_focused()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details").first).to_have_attribute("open", "")


@pytest.mark.parametrize("lang", shelf().languages)
def test_each_page_fits_narrow_screens_and_large_text_and_asks_nobody_else(page: Page, address: str, lang: str) -> None:
    """With all that is folded away; text twice as large on a telephone, and where there is more room."""
    found: dict[int, dict[str, object]] = {}
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    for number in page_table():
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(address + link(lang, number))
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        wrong = page.evaluate(f"({{ sideways: document.documentElement.scrollWidth > 320, small: {SMALL_TARGETS} }})")
        page.evaluate("document.documentElement.style.fontSize = '212.5%'")  # they are 1.0625rem
        for width in (360, 640):
            page.set_viewport_size({"width": width, "height": 640})
            wrong[f"doubled at {width}"] = page.evaluate(TOO_WIDE)
        if any(wrong.values()):
            found[number] = wrong
    assert found == {}
    assert len(asked) > len(page_table())
    assert [url for url in asked if not url.startswith(address)] == []
    assert errors == []


def test_a_number_is_never_broken(page: Page, address: str) -> None:
    for lang in shelf().languages:
        for number in (0, 1, 11, 12, 21):
            page.goto(address + link(lang, number))
            assert page.locator(DIALLED).count() >= 1
            for width in (320, 360, 768, 1280):
                page.set_viewport_size({"width": width, "height": 640})
                assert page.evaluate(BROKEN, DIALLED) == [], (lang, number, width)


def test_everything_can_be_read_without_script(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    for number in page_table():
        page.goto(address + link("fr", number))
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[data-exit]")).to_be_visible()
    page.goto(address + "/fr/1")
    expect(page.locator("a[href='tel:17']").first).to_be_in_viewport()
    page.locator("summary").first.click()
    expect(page.locator("details dl").first).to_be_visible()
    expect(page.locator("[data-search]")).to_be_hidden()
    page.goto(address + "/fr/2")
    expect(page.locator("[data-paper]")).to_be_visible()
    expect(page.locator("[data-result]:visible")).to_have_count(3)
    expect(page.locator("button:visible")).to_have_count(0)
    context.close()


def test_search_finds_by_word_and_by_number_and_sends_nothing(page: Page, address: str) -> None:
    page.goto(address + "/fr/1", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    box, visible = page.locator("input[type=search]"), page.locator("[data-find]:visible h3")
    searches = {
        "ENFANT DANGER": "Allô enfance en danger",
        "un enfant": "Harcèlement et violences en ligne",  # by the need it stands under
        "116006": "France Victimes",
        "116 006": "France Victimes",
    }
    for typed, name in searches.items():
        box.fill(typed)
        expect(visible.filter(has_text=re.compile(f"^{re.escape(name)}$")).first).to_be_visible()
    box.fill("xyzzy")
    expect(visible).to_have_count(0)
    expect(page.locator("[role=status]")).to_contain_text("Rien avec ces mots")
    expect(page.locator("section h2:visible")).to_have_count(0)
    box.fill("")
    expect(page.locator("[data-find]:visible")).to_have_count(page.locator("[data-find]").count())
    page.goto(address + "/fr/3", wait_until="networkidle")
    asked.clear()
    page.locator("input[type=search]").fill("plainte")
    expect(page.locator("[data-find]:visible b").filter(has_text="Porter plainte").first).to_be_visible()
    assert asked == []


def test_pages_print_without_bars_and_buttons(page: Page, address: str) -> None:
    page.emulate_media(media="print")
    for number in (1, 2, 201):
        page.goto(address + link("fr", number))
        expect(page.locator("h1")).to_be_visible()
        for hidden in (".bar", ".menu", ".tools", "[data-print]"):
            assert page.locator(f"{hidden}:visible").count() == 0, (number, hidden)
    expect(page.locator(".sources ul")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".sources ul")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".sources ul")).to_be_hidden()
    page.goto(address + link("fr", 1))
    expect(page.locator("#jump")).to_be_hidden()  # a heading over nothing
