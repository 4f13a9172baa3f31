"""`temoin open-link`: open what somebody shared by a link and a code, without an account.

Knows: where the link and the code are asked for. Refuses to know: what is inside. What follows the # of a link is a
secret: it is taken as an argument, because people paste what they were sent, and they are told what that means.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from client_sdk.cli.opened_pack import output_option, unfinished, write_opened
from client_sdk.cli.options import Shared, asking
from client_sdk.cli.output import note
from client_sdk.cli.session import connected
from crypto_core.sealing.sharing import parse_fragment


@click.command("open-link")
@click.argument("address", required=False, metavar="[ADDRESS]")
@output_option
@asking("the link, then its code, a line each,")
def open_link(common: Shared, address: str | None, target: Path) -> None:
    """Open what somebody shared with you by a link and a code.

    Asks for the link and for the code that you were told by another way; or reads both, a line each, from --secrets-fd,
    or takes them from TEMOIN_LINK and TEMOIN_CODE. ADDRESS is the link, or its part before the #: what follows the # is
    a secret, and other programs on this device can read a command. Five wrong codes in a row end the link for good.

    If it is cut off, give the same command again within the hour: that is no second opening.
    """
    if address is not None and "#" in address:
        note(
            "You gave the whole link in the command: other programs on this device can see it, and your shell may keep "
            "it. Without the link in the command, you are asked for it."
        )
        link = address
    else:
        link = common.secrets.link()
    before, sign, after = link.strip().rpartition("#")
    base = (before or address or common.server or "").removesuffix("/app")
    bundle, _ = parse_fragment(sign + after)
    with unfinished(target, bundle) as opening, connected(replace(common, server=base or None)) as client:
        opened = client.open_link(sign + after, common.secrets.code(), opening)
        write_opened(common, opened, client.known_policy(), target)
