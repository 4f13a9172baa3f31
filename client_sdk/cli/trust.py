"""`temoin trust`: what this device believes of the vault.

Knows: that a warning ends only by the person's own word, and what is said then. Refuses to know: what it was about.
"""

from __future__ import annotations

from pathlib import Path

import click

from client_sdk.cli.failures import failure_of
from client_sdk.cli.options import Shared, existing_file, shared, user_argument
from client_sdk.cli.output import count, note, one_line, print_failure, print_json, screen
from client_sdk.cli.quorum import read_policy
from client_sdk.cli.session import opened, tell_lost_files
from client_sdk.redeposit import Settled
from schemas import outputs


@click.group()
def trust() -> None:
    """What this device believes of the vault."""


@trust.command()
@user_argument
@shared
def accept(common: Shared, user: str) -> None:
    """End a warning that you have looked at. Asks for password and PIN.

    While a warning stands nothing is edited or deleted. What was seen stays on this device as evidence. What the vault
    has lost goes back to it from here, as far as it is here; nobody asks any more for what is nowhere.
    """
    with opened(common, user) as client:
        settled = client.account.accept_trust(common.secrets.password(), common.secrets.pin())
    if common.as_json:
        print_json(outputs.TrustAccepted(), settled)
        return
    screen().print("No warning stands now: editing and deleting work. What was seen stays on this device as evidence.")
    _tell(settled, user)


def _tell(settled: Settled, user: str) -> None:
    """What became of what the vault had lost."""
    if settled.record_older:
        note(
            "Your password, PIN and recovery words may be those from before again. If you had changed them, choose new "
            f"ones now:  temoin change {one_line(user)} --new-words"
        )
    if settled.anew:
        note(
            "Another device has written in the place of what was lost, and both texts are kept. These are entries of "
            "their own now:"
        )
        for item in settled.anew:
            note(f"  {item.hex()}")
    tell_lost_files(settled.files, user)
    if settled.written_off:
        note(
            f"Lost: {count(settled.written_off, 'version')} of what you kept, neither in the vault nor on this device. "
            "No device warns of that any more, and one that has it still gives it back."
        )
    if settled.left is not None:
        note("Some of it could not be done yet; each opening tries again:")
        print_failure(failure_of(settled.left), as_json=False)


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
