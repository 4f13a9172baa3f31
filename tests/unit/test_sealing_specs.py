"""The examples of docs/spec on the secret side are those of the vectors, and the vectors that they name exist."""

from __future__ import annotations

import re
from fnmatch import filter as matching
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPECS = ["encoding", "labels", "secrets", "envelope", "keys", "padding", "records", "recovery", "bundle", "backup"]
VECTORS = {
    path.stem: path.read_text(encoding="ascii") for path in (ROOT / "tests" / "vectors" / "sealing").glob("*.json")
}
LONG_HEX = re.compile(r"\b[0-9a-f]{24,}\b")
VECTOR_NAMES = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+)*_?\*?)`")


@pytest.mark.parametrize("name", SPECS)
def test_examples_are_facts(name: str) -> None:
    text = (ROOT / "docs" / "spec" / f"{name}.md").read_text(encoding="utf-8")
    shown = set(LONG_HEX.findall(text))
    facts = "\n".join(VECTORS.values())
    assert [example for example in shown if example not in facts] == []
    assert shown or name == "padding"
    held_by = text.split("## Held by")[1].split("tests/property")[0]
    names = VECTOR_NAMES.findall(held_by)
    assert names and [pattern for pattern in names if not matching(VECTORS, pattern)] == []
    assert len(text.splitlines()) <= 120
