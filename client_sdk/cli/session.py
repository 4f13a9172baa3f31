"""One command's visit to the vault: connect, log in, do the work, lock again.

Knows: the order, and what a person is told at every opening. Refuses to know: what the work is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from client_sdk.cli.failures import NotFinished, NotReached, failure_of
from client_sdk.cli.options import Shared
from client_sdk.cli.output import DAY, count, note, one_line, print_failure, spell_pause, spell_time
from client_sdk.cli.progress import Bars
from client_sdk.client import VaultClient
from client_sdk.errors import NetworkError, Refused
from client_sdk.items import Item, Opening
from client_sdk.redeposit import LostFile


@contextmanager
def connected(shared: Shared, *, waits: bool = False) -> Iterator[VaultClient]:
    """A client that knows the vault and no person. It locks in the end, whatever happens.

    `waits`: what is sealed waits on this device to be sent, as the SDK's sentence says. Otherwise raises NotFinished
    where the network goes.
    """
    try:
        with VaultClient.connect(shared.require_server(), shared.home, progress=Bars()) as client:
            yield client
    except NetworkError as error:
        if waits or isinstance(error, NotReached):
            raise
        raise NotFinished(error.detail) from None


@contextmanager
def opened(shared: Shared, user: str | None, *, waits: bool = False) -> Iterator[VaultClient]:
    """A client with this person logged in. Asks for password and PIN, and for the user name where it is None."""
    with connected(shared, waits=waits) as client:
        user = shared.secrets.user() if user is None else user
        tell_opening(shared, log_in(shared, client, user))
        tell_recovery(shared, client)
        try:
            yield client
        finally:
            if not shared.as_json:
                tell_lost_files(client.lost_files, user)


@contextmanager
def reaching() -> Iterator[None]:
    """Raises NotReached where there is no network: of what the command is for, nothing was begun."""
    try:
        yield
    except NetworkError as error:
        raise NotReached(error.detail) from None


def log_in(shared: Shared, client: VaultClient, user: str) -> Opening:
    """Opens the vault; asks for password and PIN. Raises NotReached."""
    password, pin = shared.secrets.password(), shared.secrets.pin()
    with reaching():
        return client.log_in(user, password, pin)


def reopened(shared: Shared, client: VaultClient, item: Item) -> Item:
    """The item, its seal opened by the PIN if it is a sensitive one."""
    if item.state != "locked":
        return item
    client.step_up(shared.secrets.pin())
    return client.item(item.id, item.revision)


def confirmed(shared: Shared, client: VaultClient) -> bytes:
    """A token of stage `confirmed`: password and PIN are asked for anew, or taken again. Raises Refused."""
    return client.account.confirm(shared.secrets.password(), shared.secrets.pin())


@contextmanager
def judging_until() -> Iterator[None]:
    """Which last days can be, the vault says, by its own clock; one that can't is a mistake in the command."""
    try:
        yield
    except Refused as refusal:
        if refusal.code == "invalid" and "expires" in refusal.extra.get("fields", ()):
            raise click.UsageError("--until has to be a day from today to a year from now.") from None
        raise


def tell_lost_files(files: Sequence[LostFile], user: str) -> None:
    """Which files are to be added again by whoever still has them; nothing where there are none."""
    if not files:
        return
    note("The vault has lost these files, and their entries go on without them:")
    for file in files:
        note(f"  {file.item.hex()}  {one_line(file.title)}  {one_line(file.name)}")
    note(f"Whoever still has one can add it again:  temoin journal edit {one_line(user)} ID --attach FILE")


def tell_recovery(shared: Shared, client: VaultClient) -> None:
    """Whether somebody is getting back in with the recovery words; where the network goes, the next opening tells."""
    if shared.as_json:
        return
    with suppress(NetworkError):
        pending = client.account.pending_recovery()
        if pending is not None:
            since, due = spell_time(pending.begun), spell_time(pending.due)
            note(
                f"Since {since} somebody is getting back in with your recovery words; from {due} on they can choose a "
                "new password. If it isn't you:  temoin stop-recovery USER"
            )
        chosen = client.account.recovery_wait()
        if chosen is not None and chosen.next is not None:
            days = -(-chosen.wait // DAY)
            note(
                f"From {spell_time(chosen.next.since)} on, your recovery words open sooner "
                f"({spell_pause(chosen.next.wait)}). If that wasn't you:  temoin recovery-wait USER --days {days}, "
                "then  temoin change USER --new-words"
            )


def tell_opening(shared: Shared, opening: Opening) -> None:
    """What a person should know at once, on standard error; with --json only `login-check` tells it."""
    if shared.as_json:
        return
    if opening.wrong_pins:
        since = f" since {spell_time(opening.last_opened)}" if opening.last_opened is not None else ""
        tries = "One wrong PIN was" if opening.wrong_pins == 1 else f"{opening.wrong_pins} wrong PINs were"
        note(f"{tries} tried{since}. If that was not you, somebody knows your user name and password.")
    if opening.advise_change:
        note("Many wrong PINs were tried lately. A new password and a longer PIN would be safer.")
    if opening.waiting:
        note(f"{opening.waiting} sealed on this device could not be sent yet; each opening tries again.")
    if opening.given_back:
        note(f"Gone from the vault, and given back to it from this device: {count(opening.given_back, 'version')}.")
    for warning in opening.warnings:
        print_failure(failure_of(warning), as_json=False)
    for one in opening.restorations:
        note(
            f"On {spell_time(one.time)} the vault put an older copy of itself in place, and has signed that: its "
            f"ledger goes on from {one.size} of {one.was} entries."
        )
