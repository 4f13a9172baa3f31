"""`temoin receipts export | upgrade`: proof to hand to somebody who trusts nobody, and more of it as witnesses sign.

Knows: which folder, which item. Refuses to know: the layout, which is client_sdk.dossier's, and which receipt proves
more, which is client_sdk.upgrading's.
"""

from __future__ import annotations

from pathlib import Path

import click

from client_sdk.cli.failures import DONE, NOT_YET
from client_sdk.cli.options import Shared, a_place, existing_file, id_argument, item_id, shared, user_argument
from client_sdk.cli.output import cells, print_json, screen, spell_time, table
from client_sdk.cli.quorum import read_policy
from client_sdk.cli.session import opened, reopened
from client_sdk.dossier import POLICY, README, export_receipts
from client_sdk.home import read_file
from client_sdk.upgrading import Upgrade
from schemas import outputs


_OURS = b"What this folder holds\n"
"""How the README.txt of an export begins."""


@click.group()
def receipts() -> None:
    """Proof that sealed bytes were deposited no later than a time."""


@receipts.command()
@user_argument
@id_argument
@click.option(
    "-o", "--output", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True,
    callback=a_place, help="The folder to write into; made if it is not there.",
)
@shared
def export(common: Shared, user: str, item_id: bytes, directory: Path) -> None:
    """Write an item's sealed files, their receipts, and how to check them, into a folder.

    Nothing in it is readable without your keys. Whoever has it can check the receipts with no account, no network and
    no help from the vault. A sensitive item asks for the PIN again.
    """
    if _is_taken(directory):
        raise click.UsageError("In this folder is a README.txt or policy.txt of its own. Name another one with -o.")
    with opened(common, user) as client:
        files = export_receipts(client, reopened(common, client, client.item(item_id)), directory)
    names = sorted(path.name for path in files)
    if common.as_json:
        print_json(outputs.Exported(), {"id": item_id, "directory": str(directory), "files": names})
        return
    for name in names:
        screen().print(name)
    screen().print(f"{len(names)} files are in the folder; README.txt there says how to check them.")


@receipts.command()
@user_argument
@click.argument("chosen", metavar="[ID]", required=False, type=item_id)
@click.option("--all", "everything", is_flag=True, help="Every item, in place of one.")
@click.option(
    "--policy", "policy_file", type=existing_file, metavar="FILE",
    help="Whose signatures count, and how many are enough (tlog-policy). Without it: anybody's, one.",
)
@shared
def upgrade(
    common: Shared, user: str, chosen: bytes | None, everything: bool, policy_file: Path | None
) -> None:
    """Replace receipts by newer ones that witnesses have signed.

    A receipt says at once that the vault's operator signed for a time. Witnesses sign a little later; what this device
    holds is then replaced. What a receipt says of the deposit never changes.

    With ID a sensitive item asks for the PIN again; with --all the files in sensitive items are left out.

    Ends with 4 if some have to wait for witnesses: give the same command again later.
    """
    if (chosen is None) != everything:
        raise click.UsageError("Give the ID of an item, or --all.")
    policy = None if policy_file is None else read_policy(policy_file)
    with opened(common, user) as client:
        if chosen is not None:
            reopened(common, client, client.item(chosen))
        found = list(client.upgrade_receipts(chosen, policy))
    by_state = {state: [one for one in found if one.state == state] for state in ("upgraded", "unchanged", "waiting")}
    if common.as_json:
        print_json(outputs.ReceiptsUpgraded(), {
            state: [_as_json(one) for one in some] for state, some in by_state.items()
        })
    else:
        rows = table("Receipt", "", "Ledger's size", "Signatures of others", "No later than")
        for one in found:
            rows.add_row(*cells((
                one.receipt.name, one.state, str(one.receipt.verified.checkpoint.size),
                str(one.strength.cosignatures), spell_time(one.strength.bound_time),
            )))
        screen().print(rows)
        screen().print(", ".join(f"{state}: {len(some)}" for state, some in by_state.items()))
        if by_state["waiting"]:
            screen().print("Some wait: too few witnesses have signed. Give the same command again later.")
    click.get_current_context().exit(NOT_YET if by_state["waiting"] else DONE)


def _is_taken(directory: Path) -> bool:
    """Whether a file of somebody else's stands where an export would write. An earlier export is none."""
    readme = read_file(directory / README)
    return (directory / POLICY).exists() if readme is None else not readme.startswith(_OURS)


def _as_json(one: Upgrade) -> dict[str, object]:
    return {
        "name": one.receipt.name, "tree_size": one.receipt.verified.checkpoint.size,
        "cosignatures": one.strength.cosignatures, "bound_time": one.strength.bound_time,
    }
