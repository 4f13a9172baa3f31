"""`temoin share`: hand chosen items to one reader, see when they were opened, end it.

Knows: words, dates, and that a reader is compared first. Refuses to know: seals and keys.
"""

from __future__ import annotations

from typing import Any

import click

from client_sdk.cli.items import heading
from client_sdk.cli.options import Shared, item_id, shared, until_option, user_argument, words_options
from client_sdk.cli.output import facts, note, one_line, print_json, print_rows, screen, spell_time
from client_sdk.cli.session import confirmed, judging_until, opened, reopened
from client_sdk.client import VaultClient
from client_sdk.directory import Professional, find_professionals, require_same
from client_sdk.errors import ItemUnknown, ItemUnproven
from client_sdk.items import Item
from client_sdk.sharing import Shared as SharedBundle
from client_sdk.sharing import Sharing
from crypto_core.errors import TemoinError
from schemas import limits, outputs

_WHY = {
    "revoked": "ended by you", "expired": "its time is over", "replaced": "extended by another",
    "codes": "ended by five wrong codes", "erased": "nothing of it is left", "unlisted": "the reader is not listed now",
}


class NotCompared(TemoinError):
    """The digits of a professional were not compared on this device."""

    code = "pro_not_compared"
    sentence = (
        "You have not compared this professional's digits yet, so nothing was shared. Call them, by a number that you "
        "have from elsewhere, and use `temoin pro compare`; or say --not-compared."
    )


def _tell(item: Item, unproven: ItemUnproven) -> None:
    """Which item it is: its title is for the person's own terminal alone."""
    from client_sdk.cli.written_pack import named, why  # what knows of packs is loaded by who has something to say

    note(f"{named(item)}, {heading(item)}: {why(unproven.error)}")


def _more_ids(context: click.Context, _more: click.Parameter, words: tuple[str, ...]) -> tuple[bytes, ...]:
    """What stands after USER, or after the first id of --items: more ids, and nothing else."""
    try:
        return tuple(map(item_id, words))
    except click.BadParameter:
        raise click.UsageError(
            "After USER stand only options, and after --items the ids of items, 32 hexadecimal digits each.", context
        ) from None


@click.group()
def share() -> None:
    """Hand chosen items to one reader, until a date. What was opened can't be called back."""


@share.command()
@user_argument
@click.option("--to", "reader", metavar="PRO", help="Somebody listed: the entry's number, or words that name one.")
@click.option("--link", "by_link", is_flag=True, help="For somebody without an account: a link, and a code told apart.")
@click.option(
    "--items", type=item_id, metavar="ID…", multiple=True, required=True, help="One after the other; or once for each.",
)
@click.argument("more", metavar="", nargs=-1, callback=_more_ids)
@until_option
@click.option(
    "--openings", type=click.IntRange(1, limits.OPENINGS), default=10, show_default=True, metavar="N",
    help="How often it may be opened.",
)
@words_options(
    "message", "For the reader", limits.MESSAGE,
    f"A message has at most {limits.MESSAGE} characters. Nothing was shared.",
)
@click.option("--replaces", type=item_id, metavar="BUNDLE", help="Extend this one: it ends, its openings count on.")
@click.option("--not-compared", is_flag=True, help="Share although nobody compared the professional's digits.")
@shared
def create(
    common: Shared, user: str, reader: str | None, by_link: bool, items: tuple[bytes, ...],
    more: tuple[bytes, ...], expires: int, openings: int, words: str, replaces: bytes | None, not_compared: bool,
) -> None:
    """Share items whole, in their newest revision, with all files in them.

    Asks for password and PIN. The reader sees what is sealed in these items, and nothing else of yours.
    """
    if (reader is None) == (not by_link):
        raise click.UsageError("Say either --to PRO or --link.")
    with judging_until(), opened(common, user) as client:
        to = None if reader is None else _reader(client, reader, not_compared)
        chosen = [reopened(common, client, client.item(one)) for one in dict.fromkeys((*items, *more))]
        named = [(item.id, item.revision) for item in chosen]
        try:
            made = client.shares.make(Sharing(named, to, expires, openings, words, replaces))
        except ItemUnproven as error:
            if not common.as_json:
                _tell(next(one for one in chosen if one.id == error.item), error)
            raise
        client.shares.send(made, confirmed(common, client))
    address = None if made.link is None else f"{common.require_server().rstrip('/')}/app{made.link.fragment}"
    code = None if made.link is None else made.link.code
    if common.as_json:
        print_json(outputs.SharedBundle(), {"bundle": made.bundle, "address": address, "code": code})
        return
    screen().print(facts({
        "Shared": made.bundle.hex(), "Until": spell_time(expires), "Openings": str(openings), "Link": address,
        "Code": code,
    }))
    if code is not None:
        note("Send the link by one way and tell the code by another. Neither is shown again.")
    note("What was opened can't be called back. `temoin share log` shows when it was.")


@share.command("list")
@user_argument
@shared
def list_(common: Shared, user: str) -> None:
    """List what you share and have shared."""
    with opened(common, user) as client:
        found = client.shares.list()
    if common.as_json:
        print_json(outputs.SharedRow(many=True), list(map(_row, found)))
        return
    print_rows(("BUNDLE", "FOR", "UNTIL", "OPENED", "STATE"), [
        (
            one.facts["bundle"].hex(), _named(one), spell_time(one.facts["expires"]),
            f"{len(one.facts['opened'])} of {one.facts['openings']}", _state(one),
        )
        for one in found
    ], "Nothing is shared.")


@share.command()
@user_argument
@click.argument("bundle", type=item_id, metavar="BUNDLE")
@shared
def log(common: Shared, user: str, bundle: bytes) -> None:
    """Show each opening of one bundle, and wrong codes."""
    with opened(common, user) as client:
        one = next((one for one in client.shares.list() if one.facts["bundle"] == bundle), None)
    if one is None:
        raise ItemUnknown()
    if common.as_json:
        print_json(outputs.SharedRow(), _row(one))
        return
    screen().print(facts({
        "For": _named(one), "Shared": spell_time(one.facts["created"]), "Until": spell_time(one.facts["expires"]),
        "Opened": "\n".join(map(spell_time, one.facts["opened"])) or "never",
        "Wrong codes": str(one.facts["wrong_codes"]) if one.facts["entry"] is None else None, "State": _state(one),
        "Items": "\n".join(item.hex() for item, _ in one.items or ()) or None,
        "Extended by": None if one.facts["replaced_by"] is None else one.facts["replaced_by"].hex(),
    }))


@share.command()
@user_argument
@click.argument("bundle", type=item_id, metavar="BUNDLE")
@shared
def revoke(common: Shared, user: str, bundle: bytes) -> None:
    """End one: nobody opens it any more, and what is being read of it breaks off."""
    with opened(common, user) as client:
        client.shares.revoke(bundle)
    if not common.as_json:
        screen().print("Ended. What was opened before can't be called back.")


def _reader(client: VaultClient, named: str, not_compared: bool) -> int:
    everybody = client.professionals.read().professionals
    found: list[Professional] = (
        [one for one in everybody if one.entry == int(named)] if named.isdecimal()
        else find_professionals(everybody, named) if named.strip()
        else []  # no words name nobody, even where one alone is listed
    )
    if len(found) != 1:
        raise click.UsageError(f"{len(found)} listed professionals are meant by --to. `temoin pro find` lists them.")
    require_same(found[0])
    if found[0].compared != "yes" and not not_compared:
        raise NotCompared()
    return found[0].entry


def _named(one: SharedBundle) -> str:
    return "a link" if one.facts["entry"] is None else one_line(one.name or f"entry {one.facts['entry']}")


def _state(one: SharedBundle) -> str:
    return "open" if one.facts["ended"] is None else _WHY[one.facts["why"]]


def _row(one: SharedBundle) -> dict[str, Any]:
    names = ("bundle", "created", "expires", "openings", "opened", "wrong_codes", "ended", "why", "replaced_by")
    items = None if one.items is None else [{"item": item, "revision": revision} for item, revision in one.items]
    return {"name": one.name, "items": items, **{name: one.facts[name] for name in names}}
