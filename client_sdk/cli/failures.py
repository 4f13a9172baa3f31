"""How a command ends when it can't do what was asked: one sentence, a stable code, an exit code, never a traceback.

Knows: which error ends with which exit code. Refuses to know: commands, and what a person wrote.

    0 done   1 refused   2 usage   3 server, network, or a fault of this program   4 not yet verifiable
    130 stopped, by Ctrl-C or by whatever is the same (client_sdk.cli.main)
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import click

from client_sdk.errors import NetworkError, Refused, ServerFault
from crypto_core.errors import TemoinError, VerificationError

DONE, REFUSED, USAGE, SERVER, NOT_YET = range(5)
STOPPED = 128 + signal.SIGINT
"""As shells have it; no answer of a command is the same."""

_STOPPED = "Stopped, as you asked. What was said to be kept is kept; give the same command again for the rest."
_DEVICE = "This device could not read or write a file that is needed. Look for free space and for permission to write."
_INTERNAL = "Something in this program went wrong. What was said to be kept is kept; try again, and report it."


class FileExists(TemoinError):
    """A file would have been overwritten."""

    code = "file_exists"
    sentence = (
        "Something of this name is there already, and was not touched. Choose another name; `temoin documents get` "
        "overwrites a file with --force."
    )


class NoPlainFile(TemoinError):
    """A device, a pipe, a link or the like would have been replaced by a file."""

    code = "no_plain_file"
    sentence = (
        "What has this name is no file but a link, a device or the like, and was not touched; --force changes nothing "
        "about that. Choose another name."
    )


@dataclass(frozen=True)
class FileLeft:
    """A file that was not deposited, as schemas.outputs tells it. Its name is for the person's own terminal."""

    path: str = field(repr=False)
    code: str
    sentence: str
    detail: str


class FilesLeft(TemoinError):
    """Of several files, these were not deposited."""

    code = "files_left"
    sentence = "Not every file could be deposited. What was said to be kept is kept; it was said of each other why."

    def __init__(self, files: Sequence[FileLeft]) -> None:
        super().__init__(f"{len(files)} left")
        self.files = tuple(files)


class SendingStopped(TemoinError):
    """A file that was being sent, or waited for it, when Ctrl-C or the like ended that."""

    code = "stopped"
    sentence = "You stopped it before it was sent. What has arrived of it stays; the same file goes on from there."


class NotReached(NetworkError):
    """No vault to open: what the command was to do was not begun."""

    sentence = "The vault can't be reached right now, so nothing was done. Look at the network, then try again."


class NotFinished(NetworkError):
    """The network went while something was done that doesn't wait on this device to be sent."""

    sentence = (
        "The connection to the vault broke off. What you asked for may have been done or not: look at what is there, "
        "then give the same command again."
    )


class NotText(TemoinError):
    """Bytes that are not UTF-8 where a text was expected."""

    code = "not_text"
    sentence = "This is not text in UTF-8. Keep it as a file instead, with --attach or `temoin documents add`."


class WordsDiffer(TemoinError):
    """The recovery words typed back were not those shown."""

    code = "words_differ"
    sentence = (
        "These are not the words shown, so nothing was made or changed. Start again, and copy each word onto paper."
    )


class NameDiffers(TemoinError):
    """Another user name was typed where everything was to be deleted."""

    code = "name_differs"
    sentence = "That is another name. Nothing was deleted, and everything is as it was."


class SecretsDiffer(TemoinError):
    """A new password or PIN was not typed the same twice."""

    code = "secrets_differ"
    sentence = "What you typed the second time was different, so nothing was done. Start again."


@dataclass(frozen=True)
class Failure:
    """What is printed (schemas.outputs.Failure), and the exit code."""

    code: str
    sentence: str
    detail: str
    exit_code: int
    retry_after: int | None = None
    files: tuple[FileLeft, ...] = ()
    """Each file that it is about, where there may be several."""


class Program(click.Group):
    """A group whose every failure, foreseen or not, becomes a Failure."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> NoReturn:
        words = list(sys.argv[1:] if args is None else args)
        more["standalone_mode"] = False
        try:
            ended_with = super().main(words, *rest, **more)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read our output has read enough
            _end(REFUSED)
        except (Exception, KeyboardInterrupt) as error:
            failure = failure_of(error)
            with suppress(OSError):  # nobody may hear it
                if isinstance(error, click.exceptions.NoArgsIsHelpError):
                    error.show()
                else:
                    from client_sdk.cli.output import print_failure  # what draws is loaded by who has something to say

                    print_failure(failure, as_json="--json" in words)
            _end(failure.exit_code)
        _end(ended_with if isinstance(ended_with, int) else DONE)


def _end(code: int) -> NoReturn:
    """Ends with this code, also where what was printed can't be written any more: Python itself would take another."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def failure_of(error: BaseException) -> Failure:
    """Of our own errors their code and sentence; of any other only its type."""
    if isinstance(error, TemoinError):
        retry_after = error.retry_after if isinstance(error, Refused) else None
        files = error.files if isinstance(error, FilesLeft) else ()
        return Failure(error.code, error.sentence, error.detail, exit_code(error), retry_after, files)
    if isinstance(error, click.UsageError):
        asked = f"temoin{_command_of(error)} --help"
        return Failure("usage", _sentence(error.format_message()), f"`{asked}` shows how it is used.", USAGE)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Failure("stopped", _STOPPED, "", STOPPED)
    if isinstance(error, OSError):
        return Failure("device", _DEVICE, os.strerror(error.errno) if error.errno else "", REFUSED)
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        from client_sdk.home import DAMAGED  # loaded by who reads what it is about

        said = _DEVICE if isinstance(error, sqlite3.OperationalError) else DAMAGED
        return Failure("device", said, str(error), REFUSED)  # SQLite's own words: a disk, never what is on it
    return Failure("internal", _INTERNAL, type(error).__name__, SERVER)


def exit_code(error: TemoinError) -> int:
    """1 where the answer is no, 3 where the server or the network is at fault, 4 where a proof needs more."""
    if isinstance(error, VerificationError):
        return NOT_YET if error.outcome == "not_yet" else REFUSED
    if isinstance(error, NetworkError | ServerFault):
        return SERVER
    if isinstance(error, Refused) and error.status >= 500 and error.code not in ("quota_full", "box_full"):
        return SERVER
    return REFUSED


def _command_of(error: click.UsageError) -> str:
    path = error.ctx.command_path.split(" ")[1:] if error.ctx else []
    return "".join(f" {word}" for word in path)


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?")) else f"{message}."
