"""Something that somebody without an account puts into a person's box, and that the person takes over.

Knows: the SDK's calls for it. Refuses to know: what a test wants of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client_sdk.box_visit import Deposited
from client_sdk.boxes import NewBox
from client_sdk.client import Draft, Kept, VaultClient
from tests.fakes.devices import PASSWORD, PIN

DAY = 86_400
NAME, MESSAGE = "Ana Ķēniņa", "Je l’ai vu de ma fenêtre."


@dataclass(frozen=True)
class Received:
    """What the depositor holds of it, and the item that it became."""

    deposited: Deposited
    kept: Kept


def receive(
    client: VaultClient, stranger: VaultClient, now: int, *files: Path, name: str = NAME, message: str = MESSAGE,
    draft: Draft = Draft("Ce qu’elle a vu", title="Ma sœur"), meanwhile: Callable[[], None] = lambda: None,
    typed: tuple[str, str] = (PASSWORD, PIN),
) -> Received:
    """`meanwhile` is what happens until the person accepts it; `typed` are the person's password and PIN."""
    made = client.boxes.make(NewBox("Pour ma sœur", now + 30 * DAY, 3, 10_000_000))
    client.boxes.send(made, client.account.confirm(*typed))
    visit = stranger.enter_box(made.fragment)
    deposited = visit.send(visit.make(name, message, [visit.give(path) for path in files]))
    meanwhile()
    kept = client.boxes.accept(client.boxes.open(made.box, deposited.deposit), draft)
    return Received(deposited, kept)
