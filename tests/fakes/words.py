"""What the pages say, by the keys of their own texts: a test presses what a person reads.

Knows: the texts of the web client and of the public pages. Refuses to know: pages, and who presses.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def say(lang: str, key: str, **values: object) -> str:
    """A text in a language; one of the public pages by `site.` and its key."""
    found: Any = _words(lang)
    section, _, rest = key.partition(".")
    for part in (section, rest) if section == "site" else key.split("."):
        found = found[part]
    if isinstance(found, dict):
        found = found["one" if values["count"] == 1 else "other"]
    assert isinstance(found, str), key
    return found.format(**values) if values else found


@cache
def _words(lang: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((ROOT / "client_sdk" / "web" / "locales" / f"{lang}.json").read_text())
    words["site"] = json.loads((ROOT / "server" / "help" / "locales" / f"{lang}.json").read_text())
    return words
