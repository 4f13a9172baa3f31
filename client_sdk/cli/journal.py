"""`temoin journal`: write, list, read, edit, look back, delete, restore.

Knows: entries as a person types and reads them. Refuses to know: seals, and how anything travels.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from client_sdk.attaching import Leave
from client_sdk.cli.failures import FileLeft, FilesLeft, NotText, SendingStopped
from client_sdk.cli.items import delete_command, list_command, restore_command, show_history, show_item, tell_kept
from client_sdk.cli.options import (
    Shared,
    attach_option,
    entry_fields,
    id_argument,
    sensitive_option,
    shared,
    text_sources,
    user_argument,
)
from client_sdk.cli.output import note, one_line, screen
from client_sdk.cli.session import opened, reopened
from client_sdk.errors import NoteTooLong, Refused, TrustError, Untrusted
from client_sdk.items import Draft
from crypto_core.errors import TemoinError, VerificationError
from crypto_core.sealing.keyring import NeedsPin
from schemas import limits

_MOST_BYTES = 4 * limits.TEXT
_CLEARABLE = {"happened": None, "place": None, "people": (), "tags": (), "danger": None, "mood": None, "category": None}


@click.group()
def journal() -> None:
    """Entries: what happened, in your own words."""


@journal.command()
@user_argument
@text_sources
@entry_fields
@sensitive_option
@attach_option
@shared
def add(
    common: Shared, user: str, source: str | None, text: str | None, file: Path | None, sensitive: bool,
    attachments: tuple[Path, ...], **fields: Any,
) -> None:
    """Write an entry.

    The text comes from --text, from --file, or from standard input with a single dash. With none of them, on a
    terminal, you type it. "Kept" is said only when the vault's receipt has been verified.
    """
    given, said = _given_text(common, source, text, file), _said(fields)
    if given is None and not sys.stdin.isatty():
        raise click.UsageError("Say what to keep: --text T, --file F, or - to read it from standard input.")
    left = list[FileLeft]()
    with opened(common, user, waits=given is None or not attachments) as client:
        if given is not None:
            kept = client.write_entry(Draft(text=given, **said), sensitive=sensitive, attachments=attachments)
        else:
            typed = _typed()
            if not (typed.strip() or said or attachments):
                raise click.UsageError("Nothing was typed, so nothing was kept.")
            draft, leave = Draft(text=typed, **said), _leaving(common, left)
            with _waiting():
                kept = client.write_entry(draft, sensitive=sensitive, attachments=attachments, leave=leave)
    tell_kept(common, kept)
    if left:
        raise FilesLeft(left)


@journal.command()
@user_argument
@id_argument
@click.option("--revision", type=click.IntRange(1, limits.U32), metavar="N", help="An earlier one; see history.")
@shared
def show(common: Shared, user: str, item_id: bytes, revision: int | None) -> None:
    """Read an entry. A sensitive one asks for the PIN again."""
    show_item(common, user, item_id, revision)


@journal.command()
@user_argument
@id_argument
@text_sources
@entry_fields
@click.option(
    "--clear", type=click.Choice(list(_CLEARABLE)), multiple=True, help="Say nothing of this any more. May be repeated."
)
@attach_option
@shared
def edit(
    common: Shared, user: str, item_id: bytes, source: str | None, text: str | None, file: Path | None,
    clear: tuple[str, ...], attachments: tuple[Path, ...], **fields: Any,
) -> None:
    """Change what you name; the rest stays.

    This makes a new revision. Earlier ones stay readable (`history`), so nobody can say that the account was changed
    in secret.
    """
    given, typed = _given_text(common, source, text, file), source is not None and sys.stdin.isatty()
    changes = _said(fields) | {name: _CLEARABLE[name] for name in clear}
    if given is not None:
        changes["text"] = given
    if set(clear) & set(_said(fields)):
        raise click.UsageError("Say something new, or --clear it: not both of one thing.")
    if not changes and not attachments and not typed:
        raise click.UsageError("Say what to change, for example with --text T or --place P.")
    left = list[FileLeft]()
    with opened(common, user, waits=typed or not attachments) as client:
        reopened(common, client, client.item(item_id))
        if typed:
            base, leave = client.editable(item_id), _leaving(common, left)
            changes["text"] = _with_text(_typed())
            with _waiting():
                kept = client.edit_entry(item_id, changes, attachments=attachments, leave=leave, base=base)
        else:
            try:
                kept = client.edit_entry(item_id, changes, attachments=attachments)
            except NeedsPin:  # a large file took longer than a sensitive item stays open
                client.step_up(common.secrets.pin())
                kept = client.edit_entry(item_id, changes, attachments=attachments)
        tell_kept(common, kept)
        if kept.conflict and not common.as_json:
            note("Another device had changed this meanwhile. Nothing was lost; both texts follow, the newest last.")
            reopened(common, client, client.item(kept.id))  # it may have closed while somebody typed
            for item in client.history(kept.id)[-2:]:
                screen().print(f"\nRevision {item.revision}:\n{item.text or ''}")
    if left:
        raise FilesLeft(left)


@journal.command()
@user_argument
@id_argument
@shared
def history(common: Shared, user: str, item_id: bytes) -> None:
    """Show every revision of an entry, the first one first."""
    show_history(common, user, item_id)


journal.add_command(list_command(("journal", "assessment"), "entries"))
journal.add_command(delete_command("journal"))
journal.add_command(restore_command("journal"))


def _given_text(common: Shared, source: str | None, text: str | None, file: Path | None) -> str | None:
    """None if the text has yet to be typed. A file or a stream without any is a mistake, and is never kept."""
    if sum(given is not None for given in (source, text, file)) > 1:
        raise click.UsageError("The text comes from one place only: --text, --file or -.")
    if text is not None:
        return _decoded(text.encode("utf-8", "surrogateescape"))
    if file is not None:
        with file.open("rb") as opened_file:
            read = _decoded(opened_file.read(_MOST_BYTES + 1))
    elif source is not None and not sys.stdin.isatty():
        common.secrets.lead_input()
        read = _decoded(sys.stdin.buffer.read(_MOST_BYTES + 1))
    else:
        return None
    return _with_text(read)


def _with_text(read: str) -> str:
    if not read.strip():
        raise click.UsageError("There is no text in it, so nothing was kept. An entry without any takes --text ''.")
    return read


def _typed() -> str:
    from client_sdk.cli.typed import read_typed  # loaded by who types

    return read_typed(_MOST_BYTES)


@contextmanager
def _waiting() -> Iterator[None]:
    """Tells where what was typed is, if the vault doesn't take it."""
    try:
        yield
    except (Refused, VerificationError, TrustError) as error:
        if not isinstance(error, Untrusted):  # which an edit may meet before it is sealed
            note("What you typed is sealed on this device. Each opening tries to send it.")
        raise


def _leaving(common: Shared, left: list[FileLeft]) -> Leave:
    """Takes down and tells which files don't go with what was typed: that stands nowhere else, and waits for none."""

    def leave(path: Path, error: TemoinError | None) -> None:
        why = error or SendingStopped()
        left.append(FileLeft(str(path), why.code, why.sentence, why.detail))
        if not common.as_json:
            note(f"Not with it: {one_line(path.name)}. {why.sentence} `temoin journal edit --attach` adds it later.")

    return leave


def _decoded(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise NoteTooLong
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotText from None


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what was left out; click gives an empty tuple for an option that could have been repeated."""
    return {name: value for name, value in fields.items() if value is not None and value != ()}
