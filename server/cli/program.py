"""How `temoin-server` ends where what it has to say can't be written: in a sentence, with 1, never with a traceback.

Knows: the three streams of a process. Refuses to know: commands.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from server.cli.vault import machine_failure

_STREAMS = {"stdin": os.O_RDONLY, "stdout": os.O_RDONLY, "stderr": os.O_WRONLY}
"""What may be done with what stands for a stream that was closed. An answer that nobody can get is a failure, as on a
full disk; a word beside it is none."""


class Program(click.Group):
    """A group whose answers are written, or it fails."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        _hold_streams()
        try:
            return super().main(args, *rest, **more)
        except OSError as error:  # any other than of what is printed, a command has told by itself
            failure = machine_failure(error)
            with suppress(OSError):  # nobody may hear it
                failure.show()
            try:
                sys.stdout.flush()
            except OSError:  # Python would fail at it once more, and end with a code of its own
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(failure.exit_code)


def _hold_streams() -> None:
    """No other file may come to lie in the place of a stream that is closed: not here, and not in the workers."""
    for name, access in _STREAMS.items():
        if getattr(sys, name) is None:
            instead = os.open(os.devnull, access)
            os.set_inheritable(instead, True)
            setattr(sys, name, open(instead, "r" if name == "stdin" else "w", encoding="utf-8"))
        elif name != "stdin" and isinstance(getattr(sys, name).buffer, io.RawIOBase):  # as PYTHONUNBUFFERED has it
            whole = open(getattr(sys, name).fileno(), "w", 1, getattr(sys, name).encoding, closefd=False)
            setattr(sys, name, whole)  # of a write that a full disk took in part, the rest would not be missed
