"""The questionnaire, in a real browser: never a calmer result for more danger, nothing sent, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st
from playwright.sync_api import Browser, Page, expect

from server.help.shelf import shelf

QUESTIONS = [question["id"] for question in shelf().questionnaire["questions"]]
GRAVE = {question["id"] for question in shelf().questionnaire["questions"] if question["grave"]}
RESULT = """ticks => {
  const form = document.querySelector("[data-check]");
  form.reset();
  for (const name of ticks) form.elements[name].checked = true;
  form.requestSubmit();
  const shown = Array.from(document.querySelectorAll("[data-result]")).filter((each) => each.checkVisibility());
  return shown.map((each) => Number(each.dataset.result));
}"""
CALM_WORDS = ("aucun danger", "pas de danger", "pas en danger", "no danger", "not in danger")
ticks = st.sets(st.sampled_from(QUESTIONS))
browser_settings = settings(max_examples=120, deadline=None)


@pytest.fixture(scope="module")
def form(chromium: Browser, address: str) -> Iterator[Page]:
    page = chromium.new_page()
    page.goto(address + "/fr/2")
    yield page
    page.close()


def result(form: Page, ticked: set[str]) -> int:
    """The one result that is shown: 0, 1 or 2."""
    (shown,) = form.evaluate(RESULT, sorted(ticked))
    return int(shown)


@browser_settings
@given(fewer=ticks, more=ticks)
def test_more_danger_never_gets_a_calmer_result(form: Page, fewer: set[str], more: set[str]) -> None:
    assert result(form, fewer) <= result(form, fewer | more)


@browser_settings
@given(ticks)
def test_one_grave_answer_or_many_bring_the_numbers_first(form: Page, ticked: set[str]) -> None:
    many = shelf().questionnaire["many"]
    assert (result(form, ticked) == 2) == (bool(ticked & GRAVE) or len(ticked) >= many)
    if result(form, ticked) == 2:
        assert form.evaluate("document.querySelector('[data-result=\"2\"] a').getAttribute('href')") == "tel:17"


@browser_settings
@given(ticks)
def test_no_answers_ever_read_no_danger(form: Page, ticked: set[str]) -> None:
    result(form, ticked)
    text = form.locator("[data-result]:visible").inner_text().lower()
    assert not [words for words in CALM_WORDS if words in text]
    assert "17" in text or "3919" in text.replace(" ", "")


def test_all_three_results_can_be_reached(form: Page) -> None:
    assert [result(form, each) for each in (set(), {"words", "belittle"}, {"afraid"})] == [0, 1, 2]
    assert result(form, set(QUESTIONS)) == 2


@pytest.mark.parametrize("lang", shelf().languages)
def test_nothing_is_sent_and_nothing_is_kept(chromium: Browser, address: str, lang: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/{lang}/2", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    for name in QUESTIONS:
        page.locator(f"input[name={name}]").check()
    page.locator("button[type=submit]").click()
    expect(page.locator("[data-result='2']")).to_be_visible()
    page.wait_for_timeout(300)
    assert asked == []
    assert page.url == f"{address}/{lang}/2"
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, history.state]")
    assert kept == [0, 0, "", None]
    assert page.evaluate("indexedDB.databases().then((found) => found.length)") == 0
    page.goto(f"{address}/{lang}/1")
    page.go_back()
    assert page.locator("input:checked").count() == 0
    assert page.locator("[data-result]:visible").count() == 0
    context.close()


def test_it_can_be_answered_by_keyboard_alone(page: Page, address: str) -> None:
    page.goto(address + "/fr/2")
    page.locator("input[name=words]").focus()
    for _ in QUESTIONS:
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#high")).to_be_focused()
    expect(page.locator("[data-result='2'] a[href='tel:17']")).to_be_in_viewport()


def test_a_tick_more_changes_the_result_at_once(page: Page, address: str) -> None:
    page.goto(address + "/fr/2")
    page.locator("button[type=submit]").click()
    expect(page.locator("[data-result='0']")).to_be_visible()
    page.locator("input[name=weapon]").check()
    expect(page.locator("[data-result='2']")).to_be_visible()
    expect(page.locator("[data-result='0']")).to_be_hidden()
    page.locator("button[type=reset]").click()
    expect(page.locator("[data-result]:visible")).to_have_count(0)


def test_on_paper_stands_what_was_ticked(page: Page, address: str) -> None:
    page.goto(address + "/fr/2")
    page.locator("input[name=weapon]").check()
    page.locator("button[type=submit]").click()
    page.emulate_media(media="print")
    expect(page.locator(".on-paper")).to_be_visible()
    expect(page.locator("input[name=weapon]")).to_be_checked()
    expect(page.locator("[data-result='2']")).to_be_visible()
    expect(page.locator("button").first).to_be_hidden()
