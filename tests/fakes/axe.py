"""axe-core, asked about the page as it stands; and what it doesn't look for.

Knows: the rules that are asked for. Refuses to know: which page it is, and whether anything may be forgiven.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from playwright.sync_api import BrowserContext, Page

from tests.fakes.npm import ROOT, install_locked

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
"""Rules about what a colour scheme changes."""
SCHEMES: dict[str, Literal["light", "dark"]] = {"fr": "light", "en": "dark"}
"""No colour depends on a language: each is asked about in one scheme."""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > room + 0.5)
    .map((e) => e.outerHTML.slice(0, 120)).slice(0, 5);
}"""
"""What makes a page scroll sideways, if it does."""


@cache
def _axe() -> str:
    return (install_locked(ROOT / "tests" / "browser") / "axe-core" / "axe.min.js").read_text()


def bring_axe(context: BrowserContext) -> None:
    """Every document of it has axe from its beginning: handed to one after the other, it is read each time."""
    context.add_init_script(_axe())


def run_axe(page: Page, only: Sequence[str] = TAGS) -> list[tuple[str, list[str]]]:
    """Rules that are broken, with the first elements that break them. The context has to be one that bypasses CSP."""
    for frame in page.frames:
        if frame.evaluate("typeof axe") == "undefined":
            frame.evaluate(_axe())
    kind = "tag" if only is TAGS else "rule"
    found: list[dict[str, Any]] = page.evaluate(
        "([type, values]) => axe.run({runOnly: {type, values}, resultTypes: ['violations']})"
        ".then((result) => result.violations)",
        [kind, list(only)],
    )
    return [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in found]
