"""`temoin`: the command line, one file per noun.

Knows: which commands there are, and in which file each is. Refuses to know: what they do.
A file is loaded when one of its commands is asked for: whoever writes an entry doesn't wait for what checks a pack.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping
from importlib import import_module

import click

from client_sdk import __version__
from client_sdk.cli.failures import Program

_STREAMS = {"stdin": os.O_RDONLY, "stdout": os.O_RDONLY, "stderr": os.O_WRONLY}
"""What may be done with what stands for a stream that was closed. An answer that nobody can get is a failure, as on a
full disk; a word beside it is none."""


class Commands(UserDict[str, click.Command]):
    """Commands by name, each loaded when it is first asked for from the file that is named for it."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__()
        self._files = files

    def __missing__(self, name: str) -> click.Command:
        loaded: click.Command = getattr(import_module(f"{__name__}.{self._files[name]}"), name.replace("-", "_"))
        self[name] = loaded
        return loaded

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


_COMMANDS = Commands({
    "register": "account", "login-check": "account", "change": "account",
    "delete-account": "account", "recover": "account", "stop-recovery": "account",
    "recovery-wait": "account", "journal": "journal",
    "documents": "documents", "dossier": "dossier", "backup": "backup", "extract": "extract", "share": "share",
    "box": "box", "pro": "pro", "open-link": "open_link", "receipts": "receipts", "verify": "verify",
    "verify-pack": "verify_pack", "audit": "audit", "trust": "trust", "witness": "witness",
})


@click.group(cls=Program, commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="temoin")
def temoin() -> None:
    """Keep what happened, sealed on this device, with receipts that anybody can check.

    Password and PIN are asked for; or given with --secrets-fd, or in TEMOIN_PASSWORD and TEMOIN_PIN. Never as an
    argument. TEMOIN_SERVER names the vault; TEMOIN_HOME is where this device keeps its sealed state (~/.temoin).

    Every command ends with 0 when it is done, 1 when the answer is no, 2 when it was not given rightly, 3 when the
    vault or the network failed, 4 when a receipt can't be verified yet, 130 when it was stopped.
    """


def main() -> None:
    """The program. Never ends with a traceback, and, unless it is killed, never without having cleaned up. However it
    ends, no copy of its memory stays on the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is signal.SIG_DFL:  # who started us may want it unheard
            signal.signal(ending, signal.default_int_handler)
    for name, access in _STREAMS.items():
        if getattr(sys, name) is None:  # closed: no other file may come to lie in its place
            instead = os.open(os.devnull, access)
            setattr(sys, name, open(instead, "r" if name == "stdin" else "w", encoding="utf-8"))
        elif name != "stdin" and isinstance(getattr(sys, name).buffer, io.RawIOBase):  # as PYTHONUNBUFFERED has it
            whole = open(getattr(sys, name).fileno(), "w", 1, getattr(sys, name).encoding, closefd=False)
            setattr(sys, name, whole)  # of a write that a full disk took in part, the rest would not be missed
        getattr(sys, name).reconfigure(errors="surrogateescape" if name == "stdin" else "backslashreplace")
    temoin.main(prog_name="temoin")
