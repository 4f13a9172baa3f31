"""`temoin dossier`: everything that is kept, or what was chosen of it, as evidence packs of one's own.

Knows: folders and names, and that nothing readable is left of what was not finished. Refuses to know: what a pack holds
(client_sdk.packs).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from client_sdk.cli.failures import FileExists
from client_sdk.cli.options import Shared, a_place, item_id, output_path, shared, user_argument
from client_sdk.cli.output import count, note, print_json, screen
from client_sdk.cli.session import opened
from client_sdk.cli.written_pack import Lacking, tell_check
from client_sdk.client import VaultClient
from client_sdk.items import NOT_READ, Item
from client_sdk.packs.own import MOST_ITEMS, OwnPack
from client_sdk.packs.pack import PAGE, Written, write_pack
from client_sdk.packs.sink import open_sink
from crypto_core.errors import TemoinError
from schemas import outputs


class NothingKept(TemoinError):
    """There is no item that could be written."""

    code = "nothing_kept"
    sentence = "There is nothing here that could be written down, so nothing was."


@click.command()
@user_argument
@click.argument("chosen", metavar="[ID]…", nargs=-1, type=item_id)
@click.option(
    "-o", "--output", "target", type=output_path, required=True, metavar="DIR|NAME.zip", callback=a_place,
    help="A new or empty folder, or a new ZIP file; readable from then on.",
)
@click.option("--history", is_flag=True, help="Earlier revisions as well, as long as they are not erased.")
@shared
def dossier(common: Shared, user: str, chosen: tuple[bytes, ...], target: Path, history: bool) -> None:
    """Write everything you keep into a folder or a ZIP file: a page to read, your files, and what proves them.

    With IDs only these items. A sensitive one asks for the PIN again. Whoever has the folder can read all of it, and
    check it with no account, no network and no help from the vault. More than 500 items become several folders.
    """
    with opened(common, user) as client:
        items, left = open_items(client, common, chosen, history)
        places = places_for(target, items)
        for place in places:
            _require_free(place)
        written = list[Written]()
        for place, pack in zip(places, packs_of(client, items), strict=True):
            with _whole_or_nothing(place), open_sink(place) as sink:
                written.append(write_pack(pack, client.policy, sink))
    lacking = Lacking(left, written)
    if common.as_json:
        print_json(outputs.Dossier(), {
            "places": list(map(str, places)), "items": len(items) - lacking.unwritten, **lacking.facts(),
        })
    else:
        for place in places:
            screen().print(str(place if place.is_file() else place / PAGE))
        note(f"{count(len(items) - lacking.unwritten, 'item')}, readable by whoever has the file or folder.")
        tell_check(places[0])
        lacking.tell()
    lacking.require_nothing()


def open_items(
    client: VaultClient, common: Shared, chosen: Sequence[bytes], history: bool
) -> tuple[list[Item], list[Item]]:
    """What is to be written, the oldest deposit first, and what can't be opened. Raises NothingKept."""

    def look() -> list[Item]:
        newest = [client.item(one) for one in dict.fromkeys(chosen)] if chosen else client.items()
        if not history:
            return newest
        every = [revision for one in newest for revision in client.history(one.id)]
        return [one for one in every if one.kind not in NOT_READ and one.state != "missing"]

    found = look()
    if any(one.state == "locked" for one in found):
        client.step_up(common.secrets.pin())
        found = look()
    found.sort(key=lambda one: (one.deposited, one.revision))
    items = [one for one in found if one.state == "open"]
    if not items:
        raise NothingKept
    return items, [one for one in found if one.state != "open"]


def packs_of(client: VaultClient, items: Sequence[Item]) -> list[OwnPack]:
    """As many as it takes. All are made before one is written: what needs the PIN is open for two minutes."""
    return [client.pack(items[first : first + MOST_ITEMS]) for first in range(0, len(items), MOST_ITEMS)]


def places_for(target: Path, items: Sequence[Item]) -> list[Path]:
    """Where the packs of these go: one, or `NAME-1`, `NAME-2`… beside each other."""
    count = -(-len(items) // MOST_ITEMS)
    if count == 1:
        return [target]
    is_zip = target.suffix.lower() == ".zip"
    stem, ending = (target.stem, target.suffix) if is_zip else (target.name, "")
    return [target.with_name(f"{stem}-{number}{ending}") for number in range(1, count + 1)]


def _require_free(place: Path) -> None:
    if place.exists() and (not place.is_dir() or place.suffix.lower() == ".zip" or any(place.iterdir())):
        raise FileExists()


@contextmanager
def _whole_or_nothing(place: Path) -> Iterator[None]:
    """What was not finished would lie there readable, and be no evidence."""
    was_there = place.exists()
    try:
        yield
    except BaseException:
        if place.is_dir():
            for one in place.iterdir():
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            if not was_there:
                place.rmdir()
        raise
