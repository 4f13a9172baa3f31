"""Where a password, a PIN, a link or its code come from: a descriptor, the environment, or a question on the terminal.

Knows: that order. Refuses to know: an argument of the command line (other programs can read it), what is right, and
how to keep a secret anywhere.
"""

from __future__ import annotations

import fcntl
import getpass
import io
import os
import select
import sys
from collections.abc import Mapping
from typing import cast

import click

from client_sdk.cli.failures import SecretsDiffer

LONGEST_LINE = 8192
"""Bytes; a password has at most 1,024."""
_INPUT = 0


class Secrets:
    """Each secret is asked for when it is needed and not before; what came once is not asked for again."""

    def __init__(self, descriptor: int | None, environment: Mapping[str, str]) -> None:
        self._lines = None if descriptor is None else _Lines(descriptor)
        self._environment = environment
        self._known: dict[str, str] = {}

    def __repr__(self) -> str:
        return "Secrets(…)"

    def password(self) -> str:
        return self._get("Password")

    def pin(self) -> str:
        return self._get("PIN")

    def new_password(self) -> str:
        """As `password`; typed twice on a terminal."""
        return self._get("Password", twice=True)

    def new_pin(self) -> str:
        """As `pin`; typed twice on a terminal."""
        return self._get("PIN", twice=True)

    def next_password(self) -> str:
        """The one that takes the place of `password`; typed twice on a terminal."""
        return self._get("New password", twice=True)

    def next_pin(self) -> str:
        """The one that takes the place of `pin`; typed twice on a terminal."""
        return self._get("New PIN", twice=True)

    def words(self) -> str:
        """The 24 recovery words, on one line."""
        return self._get("Recovery words")

    def backup_words(self) -> str:
        """The 24 words of a sealed backup, on one line."""
        return self._get("Backup words")

    def user(self) -> str:
        """The user name, where it was not given: of the environment first, so that it needn't come with the others."""
        return self._environment.get(_variable("User")) or self._line() or _ask_name("User name", _variable("User"))

    def lead_input(self) -> None:
        """Takes password and PIN where they are the first lines of standard input: the rest of it is something else."""
        if self._lines is not None and self._lines.descriptor == _INPUT:
            self.password()
            self.pin()

    def link(self) -> str:
        """An address that leads to something shared; what follows its # is a secret."""
        return self._get("Link")

    def address(self) -> str:
        """An address that leads to a box; as `link`, and of the same place, but people know it by this word."""
        return self._get("Link", asked="Address")

    def code(self) -> str:
        """What was told beside a link."""
        return self._get("Code")

    def _get(self, name: str, *, twice: bool = False, asked: str = "") -> str:
        """`asked`: what a person calls it, where that is another word than its variable's."""
        if name not in self._known:
            variable = _variable(name)
            self._known[name] = self._line() or self._environment.get(variable) or _ask(asked or name, variable, twice)
        return self._known[name]

    def _line(self) -> str | None:
        return None if self._lines is None else self._lines.next()


class _Lines:
    """Lines of UTF-8 from a descriptor, never a byte further than the line asked for."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def next(self) -> str | None:
        line = bytearray()
        while not line.endswith(b"\n"):
            try:
                byte = os.read(self.descriptor, 1)
            except OSError:
                raise click.UsageError("The descriptor given with --secrets-fd can't be read.") from None
            if not byte:
                break
            line += byte
            if len(line) > LONGEST_LINE:
                raise click.UsageError("A line given with --secrets-fd is too long for a password or a PIN.")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise click.UsageError("What is given with --secrets-fd is not UTF-8.") from None
        return text.removesuffix("\n").removesuffix("\r") or None


def readable_descriptor(_context: click.Context, _parameter: click.Parameter, number: int | None) -> int | None:
    """For click: a descriptor that is open for reading, or a usage error."""
    if number is None:
        return None
    try:
        mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
    except (OSError, OverflowError, ValueError):
        mode = os.O_WRONLY
    if mode == os.O_WRONLY:
        raise click.BadParameter(f"{number} is not a descriptor that can be read.")
    return number


def _variable(name: str) -> str:
    return f"TEMOIN_{name.upper().replace(' ', '_')}"


def ask(question: str, otherwise: str, *, err: bool = True) -> str:
    """The next line of standard input, shown as it is typed. Where there is none a usage error, `otherwise`."""
    click.echo(f"{question}: ", nl=False, err=err)
    answer = sys.stdin.readline()
    if not answer:
        click.echo(err=err)
        raise click.UsageError(otherwise)
    return answer.removesuffix("\n")


def require_somebody(otherwise: str) -> None:
    """A usage error, `otherwise`, where standard input has ended before its first line was asked for: what is shown now
    could not be answered. To be called once all secrets are there, which may be its first lines."""
    if select.select([sys.stdin], [], [], 0)[0] and not cast(io.BufferedReader, sys.stdin.buffer).peek(1):
        raise click.UsageError(otherwise)


def _ask_name(name: str, variable: str) -> str:
    _require_terminal(name, variable)
    return ask(name, f"Nobody typed the {name}. {_other_ways(variable)}")


def _ask(name: str, variable: str, twice: bool) -> str:
    first = ask_hidden(f"{name}: ", variable)
    if twice and ask_hidden(f"{name}, once more: ", variable) != first:
        raise SecretsDiffer
    return first


def ask_hidden(question: str, variable: str) -> str:
    """An answer typed on the terminal, not shown. Without a terminal a usage error that names the other ways."""
    _require_terminal(question.partition(":")[0], variable)
    try:
        return getpass.getpass(question)
    except EOFError:
        raise click.Abort from None


def _require_terminal(name: str, variable: str) -> None:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise click.UsageError(f"There is no terminal to ask on for the {name}. {_other_ways(variable)}") from None


def _other_ways(variable: str) -> str:
    return f"Give it with --secrets-fd, or in {variable}."
