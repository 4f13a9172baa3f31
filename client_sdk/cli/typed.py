"""A text that is typed, or pasted, on a terminal: it stands nowhere else, so nothing of it is lost in silence.

Knows: that a terminal which edits a line itself passes on its first 4,095 bytes and drops the rest without a word; a
line that readline edits may have any length. Refuses to know: what is typed, and what becomes of it.
"""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from client_sdk.cli.output import note

_LONGEST_LINE = 4095
"""Bytes that Linux passes on of a line which the terminal edits."""
_LOCAL = 3
"""Where termios has what a terminal does by itself."""


def read_typed(most: int) -> str:
    """What is typed until Ctrl-D on a line of its own; reading ends soon after `most` bytes."""
    data = _read_edited(most) if _can_edit() else _read_lines(most)
    text = data.decode("utf-8", "replace")
    if text.encode("utf-8") != data:
        note("Some letters did not come as UTF-8. They stand as \ufffd; all the others are there.")
    return text


def _ask() -> None:
    note("Type what you want to keep. End with Ctrl-D on a line of its own; Ctrl-C keeps nothing.")


def _can_edit() -> bool:
    """Whether readline can edit here, on a terminal that it reads and writes."""
    if not sys.stdout.isatty():
        return False
    try:
        import readline
    except ImportError:
        return False
    readline.set_auto_history(False)  # nothing that was typed is offered again, or kept
    readline.parse_and_bind("tab: self-insert")
    return True


def _read_edited(most: int) -> bytes:
    data = bytearray()
    with _nothing_cut():
        _ask()
        while len(data) <= most:
            try:
                line = input()
            except EOFError:
                break
            data += f"{line}\n".encode("utf-8", "surrogateescape")
    return bytes(data)


@contextmanager
def _nothing_cut() -> Iterator[None]:
    """The terminal edits nothing, also while readline isn't reading: what is pasted comes faster than it looks."""
    before = termios.tcgetattr(sys.stdin)
    after = [*before]
    after[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, after)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _read_lines(most: int) -> bytes:
    _ask()
    data = sys.stdin.buffer.read(most + 1)
    for number, line in enumerate(data.split(b"\n"), 1):
        if len(line) >= _LONGEST_LINE:
            note(f"This terminal cuts long lines: of line {number} what came after {_LONGEST_LINE} bytes is missing.")
    return data
