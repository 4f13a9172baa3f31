"""`temoin trust`: what this device believes of the vault.

Knows: that a warning ends only by the person's own word. Refuses to know: what the warning was about.
"""

from __future__ import annotations

import click

from client_sdk.cli.options import Shared, shared, user_argument
from client_sdk.cli.output import screen
from client_sdk.cli.session import opened


@click.group()
def trust() -> None:
    """What this device believes of the vault."""


@trust.command()
@user_argument
@shared
def accept(common: Shared, user: str) -> None:
    """End a warning that you have looked at.

    While a warning stands nothing is edited or deleted. What was seen stays on this device as evidence.
    """
    with opened(common, user) as client:
        client.accept_trust(common.secrets.password(), common.secrets.pin())
    if not common.as_json:
        screen().print("The warning is ended: editing and deleting work again. The evidence stays on this device.")
