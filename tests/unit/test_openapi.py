"""What docs/api/openapi.json says of a text is what the schemas take, to the last letter of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto_core.encoding import format_b64url
from crypto_core.randomness import make_bytes

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.json").read_text("utf-8"))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def patterns(told: Any, name: str) -> Iterator[str]:
    """Of every property or parameter of this name."""
    if isinstance(told, list):
        for one in told:
            yield from patterns(one, name)
    elif isinstance(told, dict):
        if told.get("name") == name and "schema" in told:
            yield told["schema"]["pattern"]
        for key, one in told.items():
            if key == name and isinstance(one, dict) and "pattern" in one:
                yield one["pattern"]
            yield from patterns(one, name)


@pytest.mark.parametrize(
    ("name", "size"), [("item", 16), ("challenge", 32), ("sig", 64), ("W_N", 104), ("drop_box", 136), ("wrap", 153)]
)
def test_of_bytes_of_one_length_it_allows_the_canonical_spelling_alone(name: str, size: int) -> None:
    text = format_b64url(make_bytes(size))
    found = [pattern for pattern in patterns(DOCUMENT, name) if re.fullmatch(pattern, text)]
    assert found
    over = size % 3
    for pattern in found:
        assert not re.fullmatch(pattern, text + "A") and not re.fullmatch(pattern, text[:-1])
        allowed = sum(bool(re.fullmatch(pattern, text[:-1] + letter)) for letter in ALPHABET)
        assert allowed == {0: 64, 1: 4, 2: 16}[over]
