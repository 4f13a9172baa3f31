"""`temoin-server witnesses`: who co-signs the ledger and the directory.

Knows: what is told to the operator. Refuses to know: how a witness is asked (server.ledger.keeper).
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from crypto_core.encoding import format_json
from crypto_core.receipts.policy import format_policy
from server.cli.vault import data_option, json_option, open_vault
from server.directory.witnessing import DirectoryLog, require_witnesses
from server.ledger.keeper import LedgerKeeper
from server.ledger.post import HttpPost
from server.ledger.witnesses import MOST, add_witness, find_witness, list_witnesses, remove_witness


@click.group()
def witnesses() -> None:
    """Who co-signs the ledger, apart from this vault."""


@witnesses.command("add")
@click.argument("name")
@click.argument("vkey")
@click.argument("url")
@data_option
def add_one(data: Path, name: str, vkey: str, url: str) -> None:
    """Ask a witness from now on.

    NAME is a word of yours for it, VKEY the verifier key that its keeper published, URL what stands before
    /add-checkpoint in its address.
    """
    with open_vault(data) as parts, parts.database.write() as session:
        add_witness(session, name, vkey, url)
    click.echo(f"{name} is asked from now on. Try it at once: temoin-server witnesses ask {name}")


@witnesses.command("list")
@data_option
@json_option
def list_all(data: Path, as_json: bool) -> None:
    """Show each witness, the size of the ledger that it has seen, and what is wrong with it."""
    with open_vault(data) as parts, parts.database.read() as session:
        about = DirectoryLog(parts)
        rows: list[dict[str, Any]] = [
            {
                "name": one.name, "vkey": one.vkey, "url": one.url, "size": one.size, "trouble": one.trouble or None,
                "directory": {"size": directory.size, "trouble": directory.trouble or None},
            }
            for one in list_witnesses(session) for directory in [about.asked(session, one)]
        ]
    if as_json:
        click.echo(format_json(rows).decode())
        return
    for row in rows:
        click.echo(f"{row['name']}: {_seen(row)}\n  directory: {_seen(row['directory'])}\n  {row['url']}\n"
                   f"  {row['vkey']}")
    click.echo(f"Witnesses: {len(rows)}")


@witnesses.command("remove")
@click.argument("name")
@data_option
def remove_one(data: Path, name: str) -> None:
    """Ask a witness no more. What it has cosigned stays."""
    with open_vault(data) as parts, parts.database.write() as session:
        remove_witness(session, name)
    click.echo(f"{name} is asked no more.")


@witnesses.command("ask")
@click.argument("name")
@data_option
def ask_one(data: Path, name: str) -> None:
    """Ask a witness now for its cosignatures under what is public. Exit status 1 if it gave one too few."""
    with open_vault(data) as parts, contextlib.closing(HttpPost()) as post:
        with parts.database.read() as session:
            find_witness(session, name)
        outcomes = LedgerKeeper(parts, post).ask_now(name)
    for word, outcome in outcomes.items():
        click.echo(f"{name}, {word}: {outcome.trouble or f'cosigned {outcome.size} entries'}")
    sys.exit(1 if any(outcome.trouble for outcome in outcomes.values()) else 0)


@witnesses.command("require")
@click.argument("count", type=click.IntRange(0, MOST))
@data_option
def require(data: Path, count: int) -> None:
    """Have people ask for cosignatures under the directory of professionals.

    COUNT is how many of today's witnesses are enough; 0 for none. It stands in the directory, for everybody to see.
    From then on people share only with those in a directory that so many have cosigned: nobody can be shown another.
    """
    with open_vault(data) as parts:
        policy = require_witnesses(parts, count)
    click.echo("From now on this is asked for, as soon as those who were asked for before have cosigned it:")
    click.echo(format_policy(policy).decode(), nl=False)


def _seen(row: dict[str, Any]) -> str:
    return f"{row['size']} entries seen; {row['trouble'] or 'nothing wrong'}"
