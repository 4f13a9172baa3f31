"""Options that several commands share, and the values they become.

Knows: click, the spelling of ids, ranges and times, and what day it is here. Refuses to know: what a command does with
them.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import click

from client_sdk.cli.secrets import Secrets, readable_descriptor
from client_sdk.happened import parse_happened
from client_sdk.items import Happened
from crypto_core.encoding import parse_hex, parse_json
from crypto_core.errors import MalformedError
from schemas import limits

Command = Callable[..., None]

_DAYS = 30

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON; a failure too, on standard error.")


@dataclass(frozen=True)
class Shared:
    """What every command that speaks with a vault is given."""

    server: str | None
    home: Path
    as_json: bool
    secrets: Secrets

    def require_server(self) -> str:
        """The address, or a usage error that says how to give it."""
        if not self.server:
            raise click.UsageError("Say which vault, with --server ADDRESS or in TEMOIN_SERVER.")
        return self.server


def shared(command: Command) -> Command:
    """--server, --secrets-fd and --json; the command gets a `Shared` first."""
    return asking("password and PIN, a line each,")(command)


def asking(secrets: str, *, offline: bool = False) -> Callable[[Command], Command]:
    """The same for a command that asks for other secrets; these words say which --secrets-fd brings, in which order.

    `offline`: it speaks with no vault, and makes nothing of --server, as the command `offline` is for."""

    def decorate(command: Command) -> Command:
        @click.option(
            "--server", metavar="ADDRESS", envvar="TEMOIN_SERVER", help="The vault's address. [TEMOIN_SERVER]",
            hidden=offline,
        )
        @click.option(
            "--secrets-fd", metavar="N", type=int, callback=readable_descriptor,
            help=f"Read {secrets} from this open descriptor.",
        )
        @json_option
        @functools.wraps(command)
        def with_shared(*, server: str | None, secrets_fd: int | None, as_json: bool, **rest: Any) -> None:
            command(Shared(server, home(), as_json, Secrets(secrets_fd, os.environ)), **rest)

        return with_shared

    return decorate


def offline(command: Command) -> Command:
    """--json, for a command that speaks with no vault and asks for no secret. It takes the options of those that do, so
    that a script may give the same to every one, and makes nothing of them; its help doesn't show them."""
    for unheard in ("--server", "--secrets-fd"):
        command = click.option(unheard, hidden=True, expose_value=False)(command)
    return json_option(command)


asking_name = asking("the user name where it isn't given, password and PIN, a line each,")


def home() -> Path:
    """TEMOIN_HOME, or `.temoin` in the home folder."""
    named = os.environ.get("TEMOIN_HOME")
    try:
        return Path(named) if named else Path.home() / ".temoin"
    except RuntimeError:
        raise click.UsageError("This user has no home folder: say in TEMOIN_HOME where to keep the state.") from None


def until_option(command: Command) -> Command:
    """--until; the command gets `expires`, the last second of that day where the person is, as Unix time."""
    return click.option(
        "--until", "expires", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", callback=_end_of_day,
        help="The last day, such as 2026-12-24. Without it: thirty days from now.",
    )(command)


def item_id(text: str) -> bytes:
    """For click: 32 hexadecimal digits as 16 bytes."""
    return _hexadecimal(text, limits.ID)


def file_hash(text: str) -> bytes:
    """For click: 64 hexadecimal digits as 32 bytes."""
    return _hexadecimal(text, limits.HASH)


def output_path(text: str) -> Path:
    """For click: where to write. What ends with a slash is meant to be a folder, and has to be there."""
    if text.endswith("/") and not os.path.isdir(text):
        raise click.BadParameter("there is no such folder.")
    return Path(text)


def a_place(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """For click, of what is written: to most programs `-` is standard output, and here a file would get this name."""
    if path == Path("-"):
        raise click.BadParameter("this goes into a file or a folder, and not to standard output.")
    return path


def byte_range(text: str) -> tuple[int, int | None]:
    """For click: `A:B`, bytes from A up to but without B, as (start, stop); either may be left out."""
    found = re.fullmatch(r"([0-9]{0,20}):([0-9]{0,20})", text, re.ASCII)
    start, stop = (int(found[1] or 0), int(found[2]) if found[2] else None) if found else (1, 0)
    if stop is not None and stop < start:
        raise click.BadParameter("this has to be A:B, two numbers of bytes, A not above B; either may be left out.")
    return start, stop


def happened(text: str) -> Happened:
    """For click: a time as a person says it. Refuses nothing but nothing at all, and too many words."""
    if not text.strip() or len(text) > limits.WORDS:
        raise click.BadParameter(f"say when in 1 to {limits.WORDS} characters.")
    return parse_happened(text)


def words_options(name: str, about: str, most: int, too_long: str) -> Callable[[Command], Command]:
    """--NAME and --NAME-file; the command gets `words`, up to `most` characters from one of them, else none.

    `too_long` is what a person is told of more.
    """

    def decorate(command: Command) -> Command:
        @click.option(f"--{name}", "said", metavar="T", help=f"{about} (other programs on this device can see this).")
        @click.option(
            f"--{name}-file", "file", type=existing_file, metavar="F", help="The same from a text file, UTF-8."
        )
        @functools.wraps(command)
        def with_words(*arguments: Any, said: str | None, file: Path | None, **rest: Any) -> None:
            if said is not None and file is not None:
                raise click.UsageError(f"The words come from one place only: --{name} or --{name}-file.")
            words = (said or "") if file is None else _read_words(file, most, too_long)
            if len(words) > most:
                raise click.UsageError(too_long)
            command(*arguments, words=words, **rest)

        return with_words

    return decorate


def _read_words(path: Path, most: int, too_long: str) -> str:
    data = read_start(path, 4 * most)
    if len(data) > 4 * most:
        raise click.UsageError(too_long)
    try:
        words = data.decode("utf-8")
    except UnicodeDecodeError:
        raise click.UsageError("The text file is not UTF-8.") from None
    if not words.strip():
        raise click.UsageError("There is no text in the file, so nothing was done.")
    return words


def read_start(path: Path, most: int) -> bytes:
    """The file, or one byte more than it may have."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _end_of_day(_context: click.Context, _option: click.Parameter, day: datetime | None) -> int:
    last = datetime.now() + timedelta(days=_DAYS) if day is None else day
    return int(last.replace(hour=23, minute=59, second=59).timestamp())  # by the clocks of that evening


def _hexadecimal(text: str, size: int) -> bytes:
    try:
        return parse_hex(text.lower(), size)
    except MalformedError:
        raise click.BadParameter(f"this has to be {2 * size} hexadecimal digits.") from None


class _RegularFile(click.Path):
    """What can be read more than once, as sealing does: no pipe, no device. The one that isn't is named."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if not os.path.isfile(path):
            self.fail(f"'{click.format_filename(value)}' is a pipe or a device, and no file.", param, ctx)
        return path


regular_file = _RegularFile(exists=True, dir_okay=False, path_type=Path)
existing_path = click.Path(exists=True, path_type=Path)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
rotations_option = click.option(
    "--rotations", "rotations_file", type=existing_file, metavar="FILE",
    help="The records of the ledger's keys, as it publishes them: who trusts one of the keys comes to the others.",
)

user_argument = click.argument("user", metavar="USER")
own_name = click.argument("user", metavar="[USER]", required=False)
"""Asked for where it isn't given: a name in a command stays in the shell's history."""
id_argument = click.argument("item_id", metavar="ID", type=item_id)


def fields_option(**kinds: type) -> Callable[[Command], Command]:
    """--fields: a JSON file with any of these. It gives the command's defaults, so that each is checked as it is in a
    command, and what stands there holds."""

    def read(context: click.Context, _option: click.Parameter, path: Path | None) -> None:
        if path is None:
            return
        try:
            fields = parse_json(read_start(path, limits.RECORD))
        except MalformedError:
            raise click.BadParameter("this has to be a JSON file in UTF-8.") from None
        if not isinstance(fields, dict) or not all(_is_a(kinds.get(name), value) for name, value in fields.items()):
            raise click.BadParameter(f"this has to be an object with no others than: {', '.join(kinds)}.")
        context.default_map = fields

    return click.option(
        "--fields", type=existing_file, metavar="F", callback=read, is_eager=True, expose_value=False,
        help="Options like these from a JSON file (other programs on this device can see those in a command).",
    )


def _is_a(kind: type | None, value: object) -> bool:
    return type(value) is kind and (kind is not list or all(type(one) is str for one in cast(list[object], value)))


def entry_fields(command: Command) -> Command:
    """What can be said of an entry beside its text."""
    for option in reversed((
        click.option("--title", metavar="T", help="A heading."),
        click.option(
            "--happened", metavar="WHEN", type=happened,
            help="When the facts took place: 2024-03-01T21:30, 2024-03-01, 2024-03, 2024, or in words.",
        ),
        click.option("--place", metavar="P", help="Where."),
        click.option("--person", "people", metavar="NAME", multiple=True, help="Who was there. May be repeated."),
        click.option("--danger", metavar="0-10", type=click.IntRange(0, 10), help="How much in danger you felt."),
        click.option("--mood", metavar="M", help="How you felt."),
        click.option("--category", metavar="C", help="Injury, threat, medical certificate, judgment, message…"),
        click.option("--tag", "tags", metavar="T", multiple=True, help="May be repeated."),
        fields_option(
            title=str, happened=str, place=str, people=list, danger=int, mood=str, category=str, tags=list
        ),
    )):
        command = option(command)
    return command


def text_sources(command: Command) -> Command:
    """--text, --file, or `-` for standard input."""
    for option in reversed((
        click.argument("source", metavar="[-]", required=False, type=click.Choice(["-"])),
        click.option("--text", metavar="T", help="The text itself (other programs on this device can see it)."),
        click.option("--file", type=existing_file, metavar="F", help="A text file, UTF-8."),
    )):
        command = option(command)
    return command


attach_option = click.option(
    "--attach", "attachments", type=regular_file, metavar="FILE", multiple=True,
    help="Keep this file with it, byte for byte. May be repeated.",
)
sensitive_option = click.option("--sensitive", is_flag=True, help="Behind the PIN: it is asked again to read this.")
