"""What the journal and the documents have in common: lists, one item on the screen, deleting and restoring.

Knows: how an item looks to a person and to a program. Refuses to know: how it was opened.
"""

from __future__ import annotations

from typing import Any

import click

from client_sdk.cli.options import Shared, id_argument, shared, user_argument
from client_sdk.cli.output import (
    NONE,
    facts,
    note,
    one_line,
    print_json,
    print_rows,
    screen,
    spell_size,
    spell_time,
    visible,
)
from client_sdk.cli.session import opened, reopened
from client_sdk.client import VaultClient
from client_sdk.errors import ItemUnknown
from client_sdk.happened import format_happened
from client_sdk.items import NOT_READ, Happened, Item, Kept
from crypto_core.errors import UnsupportedVersion
from crypto_core.receipts.receipt import proven_sentence
from schemas import outputs

_STATES = {
    "locked": "locked: show asks for the PIN",
    "newer_version": "needs a newer version of this program",
    "missing": "not there any more",
}
_ROOM_FOR_MORE = 100
"""Columns of a terminal from which lists show one thing more."""


def list_command(kinds: tuple[str, ...], plural: str) -> click.Command:
    """`journal list` and `documents list`. What can't be told apart without the PIN stands in both."""

    @click.command("list", help=f"List the {plural}. Sensitive items stand in it as locked, unless --open.")
    @user_argument
    @click.option("--open", "open_sensitive", is_flag=True, help="Ask for the PIN again and show sensitive items too.")
    @shared
    def list_(common: Shared, user: str, open_sensitive: bool) -> None:
        with opened(common, user) as client:
            if open_sensitive:
                client.step_up(common.secrets.pin())
            items = [item for item in client.items() if item.kind is None or item.kind in kinds]
        if common.as_json:
            print_json(outputs.ListedItem(many=True), [listed(item) for item in items])
        elif not items:
            screen().print("Nothing is here yet.")
        else:
            _print_rows(items)

    return list_


def show_item(common: Shared, user: str, item_id: bytes, revision: int | None) -> None:
    """`show`."""
    with opened(common, user) as client:
        item = reopened(common, client, client.item(item_id, revision))
        _require_readable(item)
        if item.kind in NOT_READ and revision is None:
            raise ItemUnknown
        receipt = client.receipt(item)
        parts = client.extracts(item.id)
    if common.as_json:
        print_json(outputs.ShownItem(), shown(item, receipt.receipt))
        return
    print_item(item)
    for part in parts:
        screen().print(f"Made of it to be shared, on {spell_time(part.deposited)}:  {part.id.hex()}")
    screen().print(f"\n{proven_sentence(receipt.verified)}")


def show_history(common: Shared, user: str, item_id: bytes) -> None:
    """`history`."""
    with opened(common, user) as client:
        reopened(common, client, client.item(item_id))
        items = client.history(item_id)
        receipts = [_receipt_text(client, item) for item in items]
    if common.as_json:
        pairs = zip(items, receipts, strict=True)
        print_json(outputs.ShownItem(many=True), [shown(item, receipt) for item, receipt in pairs])
        return
    for item in items:
        print_item(item)


def delete_command(noun: str) -> click.Command:
    """`journal delete` and `documents delete`."""

    @click.command("delete")
    @user_argument
    @id_argument
    @shared
    def delete(common: Shared, user: str, item_id: bytes) -> None:
        """Hide an item now, and erase it seven days later.

        Until then `restore` brings it back. What was shared with somebody can't be called back.
        """
        with opened(common, user, waits=True) as client:
            deletion = client.delete_item(item_id)
        if common.as_json:
            print_json(outputs.Deleted(), deletion)
            return
        screen().print(
            f"Hidden now; erased from the vault after {spell_time(deletion.erased_after)}. "
            "Until then this brings it back:\n"
            f"  temoin {noun} restore USER {item_id.hex()}\nWhat was shared with somebody can't be called back."
        )

    return delete


def restore_command(noun: str) -> click.Command:
    """`journal restore` and `documents restore`."""

    @click.command("restore")
    @user_argument
    @id_argument
    @shared
    def restore(common: Shared, user: str, item_id: bytes) -> None:
        """Bring back a deleted item, within seven days of its deletion.

        A sensitive one asks for the PIN again.
        """
        with opened(common, user, waits=True) as client:
            if any(item.state == "locked" for item in client.history(item_id)):
                client.step_up(common.secrets.pin())
            kept = client.restore_item(item_id)
        tell_kept(common, kept)
        if not common.as_json:
            screen().print(f"It is back in:  temoin {noun} list USER")

    return restore


def tell_kept(common: Shared, kept: Kept) -> None:
    """Said only of what is kept: the SDK has verified the receipt."""
    if common.as_json:
        print_json(outputs.Kept(), kept)
        return
    screen().print(facts({
        "Kept": f"{kept.id.hex()}  revision {kept.revision}",
        "Receipt": f"verified: entry {kept.verified.index} of {one_line(kept.verified.checkpoint.origin)}",
        "Deposited": spell_time(kept.deposited),
    }))
    if kept.conflict:
        note("Another device had changed this item first. Both texts are kept: see its history.")


def listed(item: Item) -> dict[str, Any]:
    """Of what is not open only that it is there."""
    readable = item.state == "open"
    return vars(item) | {
        "kind": item.kind if readable else None,
        "title": item.title if readable else None,
        "happened": item.happened if readable else None,
        "contents": item.contents if readable else (),
    }


def shown(item: Item, receipt: str) -> dict[str, Any]:
    """An item whole, with its receipt as text."""
    of = None if item.of is None else {"item": item.of[0], "revision": item.of[1]}
    return vars(item) | {"text": item.text or "", "receipt": receipt, "of": of}


def print_item(item: Item) -> None:
    """One item for a person."""
    from rich.panel import Panel
    from rich.text import Text

    about = facts({
        "ID": f"{item.id.hex()}  revision {item.revision}",
        "Extract": "parts were left out by the person who made it to be shared" if item.kind == "extract" else None,
        "Made from": f"{item.of[0].hex()}  revision {item.of[1]}" if item.of else None,
        "Happened": spell_happened(item.happened) if item.happened else None,
        "Written": spell_time(item.written) if item.written is not None else None,
        "Deposited": spell_time(item.deposited),
        "Place": item.place,
        "People": ", ".join(item.people) or None,
        "Danger": f"{item.danger} of 10" if item.danger is not None else None,
        "Mood": item.mood,
        "Category": item.category,
        "Tags": ", ".join(item.tags) or None,
        **{f"File {number}": f"{content.name}  {spell_size(content.size)}  {content.mime}"
           + ("  parts of it are covered: no original" if content.blob in item.masked else "")
           + ("  a part of it is missing" if content.has_gap else "")
           for number, content in enumerate(item.contents, 1)},
        "Sensitive": "yes" if item.sensitive else None,
        "From": (one_line(item.sent.name) or "nobody said") + ", in their own words:" if item.sent else None,
        "Said": (item.sent.message or None) if item.sent else None,
    })
    screen().print(Panel(about, title=Text(heading(item)), title_align="left", expand=False))
    if item.text:
        screen().print(Text(visible(item.text)))


def heading(item: Item) -> str:
    """The title, or how the text begins, or why there is none."""
    if item.state != "open":
        return _STATES[item.state]
    if item.kind == "tombstone":
        return "deleted here"
    if item.kind == "loss":
        return "what the vault lost"
    return one_line(item.title or "") or _beginning(item.text or "")


def _print_rows(items: list[Item]) -> None:
    columns = ("ID", "HAPPENED", "WHAT", "DEPOSITED")[: 4 if screen().width >= _ROOM_FOR_MORE else 3]
    rows = [
        (item.id.hex(), spell_happened(item.happened), _what(item), spell_time(item.deposited))[: len(columns)]
        for item in items
    ]
    print_rows(columns, rows, whole=("DEPOSITED",), most={"HAPPENED": 24})


def _what(item: Item) -> str:
    """The heading, and of an entry how many files go with it."""
    files = {0: "", 1: "  (1 file)"}.get(len(item.contents), f"  ({len(item.contents)} files)")
    return heading(item) + (files if item.kind == "journal" else "")


def spell_happened(happened: Happened | None) -> str:
    """As it was typed; with the reading by this device's clock where that is another."""
    if happened is None:
        return NONE
    here = format_happened(happened)
    same = here == happened.words or happened.precision != "minute"
    return one_line(happened.words) if same else f"{one_line(happened.words)} ({here} here)"


def _beginning(text: str) -> str:
    words = one_line(text[:200])
    return words if len(words) <= 60 else f"{words[:59]}…"


def _require_readable(item: Item) -> None:
    if item.state == "newer_version":
        raise UnsupportedVersion
    if item.state == "missing":
        raise ItemUnknown


def _receipt_text(client: VaultClient, item: Item) -> str:
    return "" if item.state == "missing" else client.receipt(item).receipt
