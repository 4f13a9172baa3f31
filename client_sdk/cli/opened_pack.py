"""What is said of something shared once it is written to a folder; `pro open` and `open-link` have it in common.

Knows: the words. Refuses to know: how it was opened.
"""

from __future__ import annotations

from pathlib import Path

import click

from client_sdk.cli.failures import FileExists, failure_of
from client_sdk.cli.options import Shared
from client_sdk.cli.output import facts, note, print_json, screen, spell_time, visible
from client_sdk.opening import OpenedBundle
from client_sdk.pack import PAGE, write_pack
from crypto_core.receipts.policy import Policy
from schemas import outputs

output_option = click.option(
    "-o", "directory", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    help="A new or empty folder for all of it, readable from then on.",
)


def require_new(directory: Path) -> None:
    """Raises FileExists before anything is opened, so that no opening is spent in vain."""
    if directory.exists() and any(directory.iterdir()):
        raise FileExists()


def write_opened(common: Shared, opened: OpenedBundle, policy: Policy, directory: Path) -> None:
    """Writes the pack and says what it holds. Raises the first refusal in the end, if an item was refused."""
    refused = write_pack(opened, policy, directory)
    missing = [f"{one.item.id.hex()} revision {one.item.revision}" for one in refused]
    if common.as_json:
        print_json(outputs.OpenedPack(), {
            "bundle": opened.bundle, "directory": str(directory), "message": opened.message,
            "items": len(opened.items) - len(refused), "missing": missing,
        })
    else:
        screen().print(facts({
            "Message": visible(opened.message) or None, "Until": spell_time(opened.expires),
            "Items": str(len(opened.items) - len(refused)), "Sender": opened.sender.hex(),
            "Written": str(directory / PAGE),
        }))
        note("These files are readable by whoever uses this device. What the receipts prove stands on the page.")
        for name, one in zip(missing, refused, strict=True):
            assert one.refused is not None
            note(f"{name}: {failure_of(one.refused).sentence}")
    if refused and refused[0].refused is not None:
        raise refused[0].refused
