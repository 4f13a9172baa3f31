"""Which files a person means who names folders, and what of them is left out and why.

Knows: what lies in a folder. Refuses to know: what becomes of it. Links are never followed: they could lead anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from client_sdk.gathering import Chosen
from schemas import limits

Why = Literal["hidden", "link", "special", "unreadable"]
SENTENCES: dict[Why, str] = {
    "hidden": "hidden; --hidden takes it along",
    "link": "a link, and links are not followed",
    "special": "not a file",
    "unreadable": "can't be read",
}


@dataclass(frozen=True)
class LeftOut:
    """Something in a folder that is not taken, and why."""

    path: Path = field(repr=False)
    why: Why


def walk(paths: Sequence[Path], *, hidden: bool = False) -> Iterator[Chosen | LeftOut]:
    """Every file meant, in the order of names: those named, and those in a folder that is named, at any depth.

    A file of a folder is headed by where it lies, from that folder on: `holiday/beach/1.jpg`.
    """
    for path in paths:
        if path.is_dir():
            yield from _inside(path, path.absolute().name, hidden)
        elif os.path.lexists(path):
            yield Chosen(path, _title(path.name))
        else:  # gone since it was named, as a stick that was pulled out
            yield LeftOut(path, "unreadable")


def _inside(folder: Path, place: str, hidden: bool) -> Iterator[Chosen | LeftOut]:
    """In the order of names. As deep as a path can be, which Python's own stack is not."""
    waiting: list[tuple[Path, str, Why | Literal["folder", "file"]]] = [(folder, place, "folder")]
    while waiting:
        path, below, kind = waiting.pop()
        if kind == "file":
            yield Chosen(path, _title(below))
        elif kind != "folder":
            yield LeftOut(path, kind)
        else:
            try:
                with os.scandir(path) as found:
                    entries = sorted(found, key=lambda entry: entry.name, reverse=True)
            except OSError:
                yield LeftOut(path, "unreadable")
                continue
            waiting += [(path / one.name, f"{below}/{one.name}", _kind(one, hidden)) for one in entries]


def _kind(entry: os.DirEntry[str], hidden: bool) -> Why | Literal["folder", "file"]:
    if entry.name.startswith(".") and not hidden:
        return "hidden"
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "special"


def _title(place: str) -> str:
    """As text that can be kept: what isn't UTF-8 in a name is shown as such, and of too long a path the end is said."""
    text = os.fsencode(place).decode("utf-8", "replace")
    return text if len(text) <= limits.TITLE else "…" + text[1 - limits.TITLE:]
