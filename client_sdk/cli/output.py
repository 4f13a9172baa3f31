"""How answers look: tables and panels for people, one JSON document for programs.

Knows: rich, which is loaded for people alone, and the shapes of schemas.outputs. Refuses to know: the client and the
server. What a person wrote is shown as text and nothing else: control characters in it can't move the cursor or colour
the screen.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from marshmallow import Schema

from client_sdk.happened import on_the_wall
from schemas import outputs

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from client_sdk.cli.failures import Failure

_WIDTH_OF_A_FILE = 160
DAY = 86_400
_LONG = 5400
"""Seconds from which on nobody would sit and wait."""
_KEPT_CONTROLS = "\n\t"
_OVERRIDES = "\u202d\u202e"
"""Turn around what follows, on the whole line: a stranger's `…gpj.exe` would be read as `…exe.jpg`."""
_ROOM_FOR_ROWS = 60
"""Columns of a terminal from which a list is a table."""
NONE = "–"
"""Stands in a list for what is not said."""


def screen() -> Console:
    """Standard output. Made anew each time, so that it is the stream of this moment."""
    return _console(sys.stdout.isatty())


def aside() -> Console:
    """Standard error: notes, questions, progress."""
    return _console(sys.stderr.isatty(), stderr=True)


def _console(terminal: bool, *, stderr: bool = False) -> Console:
    from rich.console import Console

    width = None if terminal or "COLUMNS" in os.environ else _WIDTH_OF_A_FILE
    if os.environ.get("COLUMNS") == "0":  # of this width rich would print nothing at all
        width = shutil.get_terminal_size().columns
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=not terminal, width=width)


def print_json(schema: Schema, value: Any, *, err: bool = False) -> None:
    """One document, UTF-8, whatever the terminal's own encoding."""
    text = json.dumps(schema.dump(value), ensure_ascii=False, indent=2)
    click.echo(text.encode("utf-8", "backslashreplace"), err=err)


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """On standard error, in either form."""
    if as_json:
        passes = failure.retry_after is not None
        shape = outputs.FilesFailure if failure.files else outputs.PassingFailure if passes else outputs.Failure
        print_json(shape(), failure, err=True)
        return
    from rich.text import Text

    said = Text(f"{failure.sentence} ({failure.code})", style="red" if sys.stderr.isatty() else "")
    aside().print(said)
    if failure.retry_after is not None:
        aside().print(f"Wait {_spell_until(failure.retry_after)}.")
    if failure.detail and failure.detail != failure.sentence:
        aside().print(visible(failure.detail))


def note(text: str) -> None:
    """A line for the person beside the answer."""
    aside().print(text)


def visible(text: str) -> str:
    """`text` with each control character but newline and tab, and what turns a line around, shown as U+FFFD; a line may
    end as it does on Windows."""
    lines = text.replace("\r\n", "\n")
    return "".join("\ufffd" if _is_control(c) and c not in _KEPT_CONTROLS else c for c in lines)


def one_line(text: str) -> str:
    """As `visible`, with newlines and tabs as spaces."""
    return " ".join(visible(text).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in _OVERRIDES


def spell_time(seconds: int | None) -> str:
    """The time on this device's clock, to the minute; a dash for none."""
    if seconds is None:
        return NONE
    return on_the_wall(seconds).strftime("%Y-%m-%d %H:%M")


def spell_wait(seconds: int) -> str:
    """`45 seconds`, `12 minutes`, `7 hours`, `6 days`: rounded up, so that nobody comes too early."""
    for name, unit in (("day", DAY), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= 2 * unit or unit == 1 or (name == "minute" and seconds >= 60):
            return count(-(-seconds // unit), name)
    raise AssertionError("the last unit always fits")


def spell_pause(seconds: int) -> str:
    """As `spell_wait`, of a time that may be none: `no wait`."""
    return spell_wait(seconds) if seconds else "no wait"


def _spell_until(seconds: int) -> str:
    """The same; where nobody would sit and wait for it, until when as well."""
    wait = spell_wait(seconds)
    return wait if seconds < _LONG else f"{wait}, until {spell_time(round((time.time() + seconds) / 60) * 60)}"


def count(number: int, what: str) -> str:
    """`1 version`, `3 versions`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def spell_size(size: int) -> str:
    """`873 bytes`, `14.2 kB`, `3.1 GB`."""
    if size < 1000:
        return f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            break
    return f"{value:.1f} {unit}"


def table(*columns: str) -> Table:
    """A table that never cuts a word short."""
    from rich.table import Table

    made = Table(*columns, box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in made.columns:
        column.overflow = "fold"
    return made


def print_rows(
    columns: Sequence[str], rows: Sequence[Sequence[str]], nothing: str = "", *, whole: Collection[str] = (),
    most: Mapping[str, int] = {},
) -> None:
    """A list, or `nothing` where it has no rows. The first value of each is an id, never cut nor broken: on a narrow
    terminal the others stand below it, and where a line ends the terminal itself knows.

    `whole`: columns of a table that aren't broken either; `most`: the most characters of others."""
    from rich.text import Text

    out = screen()
    if nothing and not rows:
        out.print(nothing)
        return
    if out.width < _ROOM_FOR_ROWS:
        for first, *others in rows:
            said = "  ".join(one for one in others if one not in ("", NONE))
            out.print(Text(f"{first}\n  {said}"), soft_wrap=True)
        return
    made = table(*columns)
    for name, column in zip(columns, made.columns, strict=True):
        column.no_wrap, column.max_width = name in (columns[0], *whole), most.get(name)
    for row in rows:
        made.add_row(*cells(row))
    out.print(made)


def cells(values: Iterable[str]) -> tuple[Text, ...]:
    """A table's row: text, never markup."""
    from rich.text import Text

    return tuple(Text(value) for value in values)


def facts(pairs: Mapping[str, str | None]) -> Table:
    """Two columns: what, and how it is; what was not said is left out."""
    from rich.table import Table
    from rich.text import Text

    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs.items():
        if value is not None:
            made.add_row(Text(name), Text(visible(value)))
    return made
