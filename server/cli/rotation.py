"""`temoin-server rotation`: replaces the ledger's key.

Knows: what is told to the operator. Refuses to know: how a key is replaced (server.ledger.rotation).
"""

from __future__ import annotations

from pathlib import Path

import click

from crypto_core.encoding import format_json, format_time
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.rotation import Rotation
from server.cli.vault import data_option, json_option, open_vault
from server.config import DAY
from server.ledger.rotation import announce_rotation, finish_rotation, rotation_state


@click.group()
def rotation() -> None:
    """The ledger's key, and the one that replaces it."""


@rotation.command("announce")
@data_option
@click.option(
    "--overlap", type=click.IntRange(0, 3650), default=28, show_default=True, metavar="DAYS",
    help="How long the old key signs as well, at the least.",
)
def announce(data: Path, overlap: int) -> None:
    """Make a new key, and publish the record in which the old one names it. From now on both sign.

    Again while a rotation is under way: shows it, and changes nothing.
    """
    with open_vault(data) as parts:
        record = announce_rotation(parts, overlap * DAY)
    click.echo(f"Announced: {format_vkey(record.new)}")
    click.echo(f"Both keys sign every tree of more than {record.size} entries, at least until "
               f"{format_time(record.until)}.")
    click.echo("Keep a copy of ledger.next.key and of ledger.rotations where the copy of ledger.key is, and give the "
               "record to the keepers of your witnesses: /ledger/rotations")


@rotation.command("finish")
@data_option
def finish(data: Path) -> None:
    """Let the old key go, for good. From now on the new one signs alone."""
    with open_vault(data) as parts:
        record = finish_rotation(parts)
    click.echo(f"The ledger's key is {format_vkey(record.new)}")
    click.echo("The old key is gone from this folder; destroy its copies. Keep ledger.rotations as long as the vault.")


@rotation.command("status")
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """Show the ledger's key, and which is to follow."""
    with open_vault(data) as parts:
        state, records = rotation_state(parts), parts.ledger.keys.look().chain.rotations
        vkey = format_vkey(parts.ledger.signer.verifier)
    if as_json:
        click.echo(format_json({
            "vkey": vkey, "under_way": state.is_under_way, "records": [_facts(one) for one in records],
        }).decode())
        return
    click.echo(f"Key: {vkey}")
    for one in records:
        click.echo(f"  since {format_time(one.time)}, beyond {one.size} entries, after {format_vkey(one.old)}")
    if state.is_under_way and state.rotation is not None:
        click.echo(f"The old key signs as well, at least until {format_time(state.rotation.until)}.")


def _facts(record: Rotation) -> dict[str, str | int]:
    return {
        "old": format_vkey(record.old), "new": format_vkey(record.new), "size": record.size,
        "time": format_time(record.time), "until": format_time(record.until),
    }
