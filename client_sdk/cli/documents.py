"""`temoin documents`: add files and folders, list them, get them back whole or in part, delete, restore.

Knows: files on this device, and that a file appears under its name only when all of it is verified.
Refuses to know: seals, and how anything travels.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from client_sdk.cli.adding import Adding
from client_sdk.cli.folders import walk
from client_sdk.cli.items import delete_command, list_command, restore_command
from client_sdk.cli.options import (
    Shared,
    byte_range,
    fields_option,
    id_argument,
    output_path,
    sensitive_option,
    shared,
    user_argument,
)
from client_sdk.cli.output import note, print_json, screen, spell_size
from client_sdk.cli.saving import handed, local_name, save, save_to_output
from client_sdk.cli.session import opened, reopened
from client_sdk.client import VaultClient
from client_sdk.errors import ContentDiffers, ItemUnknown, RangeInvalid
from client_sdk.gathering import Plan
from client_sdk.items import Content, Item
from crypto_core.errors import UnsupportedVersion
from schemas import outputs

_OUTPUT = Path("-")
_MEANT = click.Path(exists=True, readable=False, path_type=Path)
"""What can't be read is no mistake in the command: it is said of it, and the others go on."""


@click.group()
def documents() -> None:
    """Photographs, recordings, papers: byte for byte."""


@documents.command()
@user_argument
@click.argument("paths", metavar="FILE|FOLDER...", nargs=-1, required=True, type=_MEANT)
@click.option("--title", metavar="T", help="A heading, for one file; else the file's name, or where it lies.")
@click.option("--category", metavar="C", help="Injury, threat, medical certificate, judgment, message…")
@fields_option(title=str, category=str)
@sensitive_option
@click.option("--hidden", is_flag=True, help="Of folders, also files and folders whose name begins with a dot.")
@click.option("--again", is_flag=True, help="Also what this device deposited before.")
@click.option("--watch", is_flag=True, help="Then go on with whatever comes into the folders, until Ctrl-C.")
@shared
def add(
    common: Shared, user: str, paths: tuple[Path, ...], title: str | None, category: str | None, sensitive: bool,
    hidden: bool, again: bool, watch: bool,
) -> None:
    """Keep files, each as a document of its own; of a folder everything inside.

    The original bytes are kept whole, several files at once. What was cut goes on where it stopped when you give the
    same command again. Of several files or a folder, nothing is deposited twice; a single file is deposited whenever
    it is named. Links are not followed. What is left out is said.

    With --watch a file is taken once it has stayed the same for five seconds. The space stays open on this device
    for as long, twelve hours at most.
    """
    if title is not None and (len(paths) > 1 or paths[0].is_dir()):
        raise click.UsageError("--title goes with one file; give several files one command each, or none a title.")
    if watch and not all(path.is_dir() for path in paths):
        raise click.UsageError("--watch goes with folders.")
    if watch and again:
        raise click.UsageError("--again goes without --watch, which would deposit everything anew at each start.")
    adding = Adding(common, partial(walk, paths, hidden=hidden), title)
    with opened(common, user) as client:
        named = len(paths) == 1 and not paths[0].is_dir()  # whoever names one file means that one, now
        add_some = partial(client.add_documents, plan=Plan(category, sensitive, again or named))
        if watch:
            adding.watch(add_some, client.stay)
        else:
            adding.once(add_some)


@documents.command()
@user_argument
@id_argument
@click.option(
    "-o", "--output", type=output_path, metavar="PATH",
    help="A file or a folder, or - for standard output (with --json, the JSON then goes to standard error).",
)
@click.option(
    "--range", "span", type=byte_range, metavar="A:B", help="Bytes from A, counted from 0, up to but without B."
)
@click.option("--content", "number", type=click.IntRange(1), metavar="N", help="Only the Nth file of the item.")
@click.option("--force", is_flag=True, help="Overwrite a file of the same name.")
@shared
def get(
    common: Shared, user: str, item_id: bytes, output: Path | None, span: tuple[int, int | None] | None,
    number: int | None, force: bool,
) -> None:
    """Get a document's file back, or all files of an entry. A sensitive one asks for the PIN again.

    A file appears under its name only when all of it is there and verified. Without -o it goes into this folder, under
    its original name. One that opens to its end, and isn't the one that its entry names, is written as well; that is
    said, and the command then fails.
    """
    with opened(common, user) as client:
        item = reopened(common, client, client.item(item_id))
        contents = _chosen(item, number)
        _require_room(contents, output, span)
        taken, got, differing = set[str](), list[dict[str, Any]](), list[ContentDiffers]()
        try:
            for content in contents:
                got.append(_fetch(client, item, content, output, span, force, taken, differing))
        finally:  # of several, those that are there, also where a later one is not
            if common.as_json and len(contents) > 1:
                print_json(outputs.Got(many=True), got)
            elif not common.as_json:
                for one in got:
                    if one["path"] is not None:
                        screen().print(f"{one['path']}  {spell_size(one['written'])}, {one['how']}")
    if common.as_json and len(contents) == 1:
        print_json(outputs.Got(), got[0], err=output == _OUTPUT)
    if differing:
        raise differing[0]


documents.add_command(list_command(("document", "received"), "documents"))
documents.add_command(delete_command("documents"))
documents.add_command(restore_command("documents"))


def _chosen(item: Item, number: int | None) -> tuple[Content, ...]:
    if item.state == "newer_version":
        raise UnsupportedVersion
    if item.state != "open" or not item.contents or (number is not None and number > len(item.contents)):
        raise ItemUnknown("no such file in this item")
    return item.contents if number is None else (item.contents[number - 1],)


def _require_room(contents: tuple[Content, ...], output: Path | None, span: tuple[int, int | None] | None) -> None:
    if len(contents) == 1:
        return
    if span is not None or (output is not None and not output.is_dir()):
        raise click.UsageError(
            f"This item has {len(contents)} files. Say which with --content N, or name a folder with -o."
        )


def _fetch(
    client: VaultClient, item: Item, content: Content, output: Path | None, span: tuple[int, int | None] | None,
    force: bool, taken: set[str], differing: list[ContentDiffers],
) -> dict[str, Any]:
    """What was written where; what it ended with, if it isn't what its entry names, goes to `differing`."""
    start, stop = _bounds(span, content.size)
    ended = list[ContentDiffers]()
    chunks = handed(client.read_content(item, content, start, stop if span is not None else None), ended)
    path = None
    if output == _OUTPUT:
        save_to_output(chunks)
    else:
        path = _target(output, content, taken)
        save(chunks, path, overwrite=force)
    differing += ended
    is_it = ended[0] if ended else content
    return {
        "id": item.id, "name": content.name, "path": None if path is None else str(path), "size": is_it.size,
        "sha256": is_it.sha256, "range": None if span is None else [start, stop],
        "written": ended[0].size if ended else stop - start,
        "how": "whole, but not the one that its entry names" if ended else "verified",
    }


def _bounds(span: tuple[int, int | None] | None, size: int) -> tuple[int, int]:
    start, stop = span or (0, None)
    stop = size if stop is None else min(stop, size)
    if start > stop:
        raise RangeInvalid(f"the file has {size} bytes")
    return start, stop


def _target(output: Path | None, content: Content, taken: set[str]) -> Path:
    if output is not None and not output.is_dir():
        return output
    name = local_name(content.name, taken)
    if name != content.name:
        note("The name was changed to one that is safe on this device.")
    return (output or Path()) / name
