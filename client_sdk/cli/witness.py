"""`temoin witness`: stand apart from a ledger's operator, and cosign that it only grows.

Knows: which folder, which ledgers, which socket. Refuses to know: when a witness signs (client_sdk.witness.service).
Flask and granian are loaded only by `serve`: nobody else needs them.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from client_sdk.cli.options import existing_file
from client_sdk.cli.output import one_line, print_json, screen
from client_sdk.cli.quorum import read_policy
from crypto_core.errors import CryptoCoreError
from crypto_core.receipts.note import ED25519, VerifierKey, format_vkey, parse_vkey
from schemas import outputs
from client_sdk.witness.errors import LedgersUnknown
from client_sdk.witness.folder import EvidenceFolder, make_folder, open_folder

_state = click.option(
    "--state", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    envvar="TEMOIN_WITNESS_STATE", help="The witness's own folder. [TEMOIN_WITNESS_STATE]",
)


@click.group()
def witness() -> None:
    """Be a witness: cosign the checkpoints of ledgers that only grow.

    A witness needs no account and no trust in the ledger's operator. It keeps a key and the newest checkpoint of each
    ledger; nothing that passes through it says anything of any person.
    """


@witness.command()
@click.argument("name")
@_state
def init(name: str, folder: Path) -> None:
    """Make a witness in an empty folder, and print its verifier key.

    NAME tells witnesses apart: an address of yours without https://, such as witness.example/1. Give the verifier key
    to the ledger's operator and, by another way, to those who verify receipts.
    """
    click.echo(format_vkey(make_folder(folder, name).verifier))


@witness.command()
@_state
@click.option("--log", "vkeys", metavar="VKEY", multiple=True, help="A ledger's verifier key. May be repeated.")
@click.option(
    "--policy", "policy_file", type=existing_file, metavar="FILE",
    help="A tlog-policy whose `log` lines name the ledgers; the rest of it is not looked at.",
)
@click.option(
    "--rotations", "records", type=existing_file, metavar="FILE", multiple=True,
    help="The records of a ledger's keys, as it publishes them: from a key given to the newest. May be repeated.",
)
@click.option(
    "--host", "bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen at."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8090, show_default=True, metavar="N", help="The port to listen at."
)
def serve(
    folder: Path, vkeys: tuple[str, ...], policy_file: Path | None, records: tuple[Path, ...], bind: str, port: int
) -> None:
    """Answer ledgers at POST /add-checkpoint (c2sp.org/tlog-witness) until SIGTERM or Ctrl-C.

    A terminal that closes ends it as well, unless it was started with nohup or the like.
    """
    from client_sdk.witness.serving import find_address, serve as serve_application
    from client_sdk.witness.wsgi import LEDGERS, ROTATIONS, STATE, open_witness

    keys = _ledgers(vkeys, policy_file)
    os.environ.update({  # for the worker
        STATE: str(folder.absolute()), LEDGERS: "\n".join(map(format_vkey, keys)),
        ROTATIONS: "\n".join(str(path.absolute()) for path in records),
    })
    signer, _ = open_folder(folder)
    open_witness()  # what can't be is told here, and not by a worker that dies
    address = find_address(bind, port)
    click.echo(f"{format_vkey(signer.verifier)}\nlistens at {bind}:{port}; ledgers: {len(keys)}")
    serve_application(address, port)


@witness.command()
@_state
@click.option("--json", "as_json", is_flag=True, help="Print JSON; a failure too, on standard error.")
def status(folder: Path, as_json: bool) -> None:
    """Show this witness's key, what it has seen last of each ledger, and whether it holds evidence.

    Ends with 1 if a ledger signed two histories.
    """
    signer, store = open_folder(folder)
    evidence = EvidenceFolder(folder)
    forks, unproven = evidence.cases("fork"), evidence.cases("unproven")
    seen = [one.checkpoint for one in store.all()]
    if as_json:
        print_json(outputs.WitnessStatus(), {
            "vkey": format_vkey(signer.verifier), "forks": [str(case) for case in forks],
            "unproven": [str(case) for case in unproven],
            "ledgers": [{"origin": one.origin, "size": one.size, "root": one.root} for one in seen],
        })
    else:
        click.echo(format_vkey(signer.verifier))
        for one in seen:  # in one line each, however narrow the terminal: a root is there to be copied
            click.echo(f"{one_line(one.origin)}: {one.size} entries, root {one.root.hex()}")
        for case in forks:
            screen().print(f"Two roots for one size, both signed by the ledger: {case}")
        for case in unproven:
            screen().print(f"A checkpoint came with a proof that fails: {case}")
    click.get_current_context().exit(1 if forks else 0)


def _ledgers(vkeys: tuple[str, ...], policy_file: Path | None) -> list[VerifierKey]:
    """Raises LedgersUnknown for none, or for what is no ledger's key."""
    try:
        keys = [parse_vkey(vkey) for vkey in vkeys]
        if policy_file is not None:
            keys += [log.key for log in read_policy(policy_file).logs]
    except CryptoCoreError as error:
        raise LedgersUnknown(error.detail) from None
    if not keys or any(key.algorithm != ED25519 for key in keys):
        raise LedgersUnknown()
    return list(dict.fromkeys(keys))
