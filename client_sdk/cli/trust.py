"""`temoin trust`: what this device believes of the vault.

Knows: that a warning ends only by the person's own word. Refuses to know: what the warning was about.
"""

from __future__ import annotations

from pathlib import Path

import click

from client_sdk.cli.options import Shared, existing_file, shared, user_argument
from client_sdk.cli.output import screen
from client_sdk.cli.quorum import read_policy
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
        client.account.accept_trust(common.secrets.password(), common.secrets.pin())
    if not common.as_json:
        screen().print("The warning is ended: editing and deleting work again. The evidence stays on this device.")


@trust.command()
@user_argument
@click.argument("policy_file", type=existing_file, metavar="FILE")
@shared
def policy(common: Shared, user: str, policy_file: Path) -> None:
    """Say whose signatures the directory of professionals must have.

    FILE is a tlog-policy from somebody you trust, not from the vault; its `log` line is the vault's directory. From
    then on this device shares with nobody in a directory that the witnesses of this policy have not signed.
    """
    demanded = read_policy(policy_file, "FILE")
    with opened(common, user) as client:
        client.professionals.demand(demanded)
    if not common.as_json:
        screen().print("Noted: this device asks for these witnesses from now on.")
