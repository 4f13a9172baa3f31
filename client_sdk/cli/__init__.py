"""`temoin`: the command line, one file per noun.

Knows: which commands there are. Refuses to know: what they do.
Loading this package loads the commands, and nothing that a command loads only when it runs.
"""

from __future__ import annotations

import sys

import click

from client_sdk import __version__
from client_sdk.cli.account import change, login_check, register
from client_sdk.cli.audit import audit
from client_sdk.cli.box import box
from client_sdk.cli.documents import documents
from client_sdk.cli.extract import extract
from client_sdk.cli.failures import Program
from client_sdk.cli.journal import journal
from client_sdk.cli.open_link import open_link
from client_sdk.cli.pro import pro
from client_sdk.cli.receipts import receipts
from client_sdk.cli.share import share
from client_sdk.cli.trust import trust
from client_sdk.cli.verify import verify
from client_sdk.cli.verify_pack import verify_pack
from client_sdk.cli.witness import witness


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="temoin")
def temoin() -> None:
    """Keep what happened, sealed on this device, with receipts that anybody can check.

    Password and PIN are asked for; or given with --secrets-fd, or in TEMOIN_PASSWORD and TEMOIN_PIN. Never as an
    argument. TEMOIN_SERVER names the vault; TEMOIN_HOME is where this device keeps its sealed state (~/.temoin).

    Every command ends with 0 when it is done, 1 when the answer is no, 2 when it was not given rightly, 3 when the
    vault or the network failed, 4 when a receipt can't be verified yet.
    """


for _command in (
    register, login_check, change, journal, documents, extract, share, box, pro, open_link, receipts, verify,
    verify_pack, audit, trust, witness,
):
    temoin.add_command(_command)


def main() -> None:
    """The program. Never ends with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    temoin.main(prog_name="temoin")
