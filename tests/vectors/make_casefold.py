"""Writes crypto_core/sealing/casefold.json: what both languages need to know of Unicode 14, and no more.

Knows: the Unicode database of Python 3.11. Refuses to run with another version, because the table must never move.

    fold      code point (hex) -> its full case folding, where that differs from the code point itself
    assigned  [first, last] ranges of the code points that Unicode 14 assigns
    zeros     the code points of each decimal digit zero; the nine digits follow it
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parents[2] / "crypto_core" / "sealing" / "casefold.json"
VERSION = "14.0.0"
CODE_POINTS = range(0x110000)


def main() -> None:
    """Writes the table, byte-identical every time."""
    if unicodedata.unidata_version != VERSION:
        raise SystemExit(f"this table is made with Unicode {VERSION} (Python 3.11) only")
    fold = {f"{point:x}": chr(point).casefold() for point in CODE_POINTS if chr(point).casefold() != chr(point)}
    zeros = [point for point in CODE_POINTS if unicodedata.decimal(chr(point), None) == 0]
    table = {"unicode": VERSION, "fold": fold, "assigned": assigned(), "zeros": zeros}
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in table.items())
    TABLE.write_text(f"{{{rows}}}\n", encoding="ascii")


def assigned() -> list[tuple[int, int]]:
    """The ranges, both ends included."""
    ranges: list[tuple[int, int]] = []
    for point in CODE_POINTS:
        if unicodedata.category(chr(point)) == "Cn":
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return ranges


if __name__ == "__main__":
    main()
