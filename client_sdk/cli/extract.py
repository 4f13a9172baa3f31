"""`temoin extract`: a part of an item, made to be shared.

Knows: how a person names what is cut and what is kept. Refuses to know: pictures; the page covers parts of those.
"""

from __future__ import annotations

import re
from typing import Any

import click

from client_sdk.cli.items import print_item, tell_kept
from client_sdk.cli.options import Shared, id_argument, shared, user_argument
from client_sdk.cli.output import note
from client_sdk.cli.session import opened, reopened
from client_sdk.extract import FACTS, Cut, Redaction, find_again, still_stands
from client_sdk.items import Item

_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})\Z")


class _CutType(click.ParamType[Cut]):
    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Cut:
        if isinstance(value, Cut):
            return value
        found = _RANGE.match(value)
        if found is None or int(found[1]) >= int(found[2]):
            self.fail("Two places with a dash between them, as in 120-145.", param, ctx)
        return Cut(int(found[1]), int(found[2]))


@click.command()
@user_argument
@id_argument
@click.option(
    "--cut", "cuts", type=_CutType(), metavar="FROM-TO", multiple=True,
    help="Characters of the text, counted from 0, TO not among them. May be repeated.",
)
@click.option("--no-text", is_flag=True, help="Cut the whole text.")
@click.option("--keep", type=click.Choice(FACTS), multiple=True, help="Keep this as well. May be repeated.")
@click.option(
    "--keep-file", "files", type=click.IntRange(1), metavar="N", multiple=True,
    help="Keep the Nth file as well. May be repeated.",
)
@click.option("--even-so", is_flag=True, help="Make it although words that are cut stand in what is kept.")
@shared
def extract(
    common: Shared, user: str, item_id: bytes, cuts: tuple[Cut, ...], no_text: bool, keep: tuple[str, ...],
    files: tuple[int, ...], even_so: bool,
) -> None:
    """Make a part of an item, to share that instead of the whole.

    The text without what is cut is kept, and besides only what --keep and --keep-file name. Each cut shows as […]. The
    part is an item of its own with its own receipt: `temoin share create` takes its ID.
    """
    with opened(common, user, waits=True) as client:
        item = reopened(common, client, client.item(item_id))
        redaction = _redaction(item, cuts, no_text, keep, files)
        if not even_so:
            _require_gone(item, redaction)
        kept = client.make_extract(item, redaction)
        made = client.item(kept.id)
    tell_kept(common, kept)
    if not common.as_json:
        print_item(made)
        note("This is all that a reader of the part gets. Share it by its own ID.")


def _redaction(
    item: Item, cuts: tuple[Cut, ...], no_text: bool, keep: tuple[str, ...], files: tuple[int, ...]
) -> Redaction:
    if any(number > len(item.contents) for number in files):
        raise click.UsageError(f"There are {len(item.contents)} files. `show` numbers them.")
    if no_text and item.text:
        cuts = (Cut(0, len(item.text)),)
    return Redaction(cuts, frozenset(keep), frozenset(item.contents[number - 1].blob for number in files))


def _require_gone(item: Item, redaction: Redaction) -> None:
    places = still_stands(item, redaction)
    if not places:
        return
    again = ", ".join(f"{start}-{stop}" for start, stop in find_again(item.text or "", redaction.cuts))
    where = ", ".join(f"text ({again})" if place == "text" else place for place in places)
    raise click.UsageError(f"Words that are cut stand in what is kept: {where}. Leave them out, too, or say --even-so.")
