"""How a vault opens: password, then PIN, then perhaps the sensitive tier; and how it closes from anywhere.

Knows: protocol §1's order. Refuses to know: keys, requests and clocks.
"""

from __future__ import annotations

from enum import Enum

from client_sdk.protocol.machine import Machine


class Unlock(Enum):
    """How far the vault is open."""

    LOCKED = "locked"
    CHALLENGED = "challenged"
    PASSWORD = "password"
    OPEN = "open"
    SENSITIVE = "sensitive"


class UnlockEvent(Enum):
    """What was proven, or let go."""

    CHALLENGE = "challenge"
    PASSWORD_PROVEN = "password proven"
    PIN_PROVEN = "PIN proven"
    STEPPED_UP = "stepped up"
    SENSITIVE_DROPPED = "sensitive dropped"
    LOCKED = "locked"


TRANSITIONS: dict[tuple[Unlock, UnlockEvent], Unlock] = {
    (Unlock.LOCKED, UnlockEvent.CHALLENGE): Unlock.CHALLENGED,
    (Unlock.CHALLENGED, UnlockEvent.PASSWORD_PROVEN): Unlock.PASSWORD,
    (Unlock.PASSWORD, UnlockEvent.PIN_PROVEN): Unlock.OPEN,
    (Unlock.OPEN, UnlockEvent.STEPPED_UP): Unlock.SENSITIVE,
    (Unlock.SENSITIVE, UnlockEvent.STEPPED_UP): Unlock.SENSITIVE,
    (Unlock.SENSITIVE, UnlockEvent.SENSITIVE_DROPPED): Unlock.OPEN,
    **{(state, UnlockEvent.LOCKED): Unlock.LOCKED for state in Unlock},
}
"""A PIN is never offered before the password was proven; locking is possible in every state."""


def unlocking() -> Machine[Unlock, UnlockEvent]:
    """A locked vault."""
    return Machine(Unlock.LOCKED, TRANSITIONS)
