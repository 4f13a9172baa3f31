"""`temoin receipts export`: sealed files and their receipts, to hand to somebody who trusts nobody.

Knows: which folder. Refuses to know: the layout, which is client_sdk.dossier's.
"""

from __future__ import annotations

from pathlib import Path

import click

from client_sdk.cli.options import Shared, id_argument, shared, user_argument
from client_sdk.cli.output import print_json, screen
from client_sdk.cli.session import opened, reopened
from client_sdk.dossier import export_receipts
from schemas import outputs


@click.group()
def receipts() -> None:
    """Proof that sealed bytes were deposited no later than a time."""


@receipts.command()
@user_argument
@id_argument
@click.option(
    "-o", "--output", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True,
    help="The folder to write into; made if it is not there.",
)
@shared
def export(common: Shared, user: str, item_id: bytes, directory: Path) -> None:
    """Write an item's sealed files, their receipts, and how to check them, into a folder.

    Nothing in it is readable without your keys. Whoever has it can check the receipts with no account, no network and
    no help from the vault. A sensitive item asks for the PIN again.
    """
    with opened(common, user) as client:
        files = export_receipts(client, reopened(common, client, client.item(item_id)), directory)
    names = sorted(path.name for path in files)
    if common.as_json:
        print_json(outputs.Exported(), {"id": item_id, "directory": str(directory), "files": names})
        return
    for name in names:
        screen().print(name)
    screen().print(f"{len(names)} files are in the folder; README.txt there says how to check them.")
