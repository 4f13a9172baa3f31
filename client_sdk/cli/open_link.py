"""`temoin open-link`: open what somebody shared by a link and a code, without an account.

Knows: where the link and the code are asked for. Refuses to know: what is inside. What follows the # of a link is a
secret and never an argument: other programs can read those.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from client_sdk.cli.opened_pack import output_option, require_new, write_opened
from client_sdk.cli.options import Shared, shared
from client_sdk.cli.session import connected


@click.command("open-link")
@click.argument("address", required=False, metavar="[ADDRESS]")
@output_option
@shared
def open_link(common: Shared, address: str | None, directory: Path) -> None:
    """Open what somebody shared with you by a link and a code.

    Asks for the link and for the code that you were told by another way; or reads both, a line each, from --secrets-fd,
    or takes them from TEMOIN_LINK and TEMOIN_CODE. ADDRESS is the part of the link before its #, if you want to give it
    here; with the # it is refused. Five wrong codes in a row end the link for good.
    """
    if address is not None and "#" in address:
        raise click.UsageError(
            "Don't give what follows the # here: other programs on this device can read it. You are asked for it."
        )
    require_new(directory)
    before, sign, after = common.secrets.link().strip().rpartition("#")
    base = (before or address or common.server or "").removesuffix("/app")
    with connected(replace(common, server=base or None)) as client:
        opened = client.open_link(sign + after, common.secrets.code())
        write_opened(common, opened, client.known_policy(), directory)
