"""`temoin-server professionals`: who is listed in the directory, and who waits to be.

Knows: what the operator is shown and asked. Refuses to know: what being listed means for anybody's bundles.
Whoever approves types the digits as the professional reads them out: they are not shown beside the question, or one
would copy them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crypto_core.encoding import format_json, format_time
from crypto_core.receipts.directory import Listing
from server.cli.vault import data_option, json_option, open_vault
from server.directory.service import Standing, approve, find_professional, list_professionals, revoke


@click.group()
def professionals() -> None:
    """Who may be sent bundles under a name that you have checked."""


@professionals.command("list")
@data_option
@json_option
def list_all(data: Path, as_json: bool) -> None:
    """Show who waits, who is listed, and the digits of each key to compare by telephone."""
    with open_vault(data) as parts, parts.database.read() as session:
        rows = list_professionals(session)
    if as_json:
        click.echo(format_json([_facts(row) for row in rows]).decode())
        return
    for row in rows:
        click.echo(f"{row.account.hex()}: {row.state}")
        if row.listing is not None:
            click.echo(f"  entry {row.entry}: {_spelled(row.listing)}\n    {row.listing.fingerprint}")
        if row.asked is not None and row.asked_at is not None:
            click.echo(f"  asked {format_time(row.asked_at)}: {_spelled(row.asked)}\n    {row.asked.fingerprint}")
    click.echo(f"Professionals: {len(rows)}")


@professionals.command("approve")
@click.argument("number")
@click.option("--fingerprint", metavar="DIGITS", help="The forty digits, as they were read out to you.")
@data_option
def approve_one(data: Path, number: str, fingerprint: str | None) -> None:
    """List whoever has asked, once their digits are compared.

    NUMBER is how `list` numbers them, or its beginning. Call by a telephone number that you have from elsewhere, have
    the forty digits read out, and type them as you hear them.
    """
    with open_vault(data) as parts:
        with parts.database.read() as session:
            asked = find_professional(session, number).asked
        if asked is not None:
            click.echo(_spelled(asked))
        if asked is not None and fingerprint is None:
            click.echo("The forty digits that they read out to you: ", nl=False)
            fingerprint = sys.stdin.readline()
            if not fingerprint:
                click.echo()
                raise click.UsageError("Nobody is there to type the digits. Use a terminal, or give --fingerprint.")
        index, listing = approve(parts, number, fingerprint or "")
    click.echo(f"Listed, entry {index}: {_spelled(listing)}\n  {listing.fingerprint}")


@professionals.command("revoke")
@click.argument("number")
@data_option
def revoke_one(data: Path, number: str) -> None:
    """End an entry, or turn a request down. Every bundle for this professional ends at once."""
    with open_vault(data) as parts:
        before = revoke(parts, number)
    if before.entry is None:
        click.echo("The request was turned down.")
    else:
        click.echo(f"Entry {before.entry} was ended. Who shared something with them sees that it has ended.")


def _spelled(one: Listing) -> str:
    return ", ".join(filter(None, (one.name, one.org, one.town, one.kind)))


def _facts(row: Standing) -> dict[str, Any]:
    return {
        "account": row.account.hex(), "state": row.state, "entry": row.entry, "listing": _told(row.listing),
        "asked": _told(row.asked), "asked_at": None if row.asked_at is None else format_time(row.asked_at),
    }


def _told(one: Listing | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {
        "name": one.name, "org": one.org, "town": one.town, "kind": one.kind, "fingerprint": one.fingerprint,
    }
