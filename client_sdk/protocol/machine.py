"""What the four machines share: a state, a table, and a refusal of everything the table doesn't hold.

Knows: how to look a step up. Refuses to know: what the steps are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

from crypto_core.errors import OutOfOrder

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class Machine(Generic[S, E]):
    """Goes from state to state by a table of (state, event) → state."""

    def __init__(self, start: S, transitions: Mapping[tuple[S, E], S]) -> None:
        self.state = start
        self._transitions = transitions

    def receive(self, event: E) -> S:
        """The state after `event`. Raises OutOfOrder if the table has no such step: our mistake."""
        try:
            self.state = self._transitions[self.state, event]
        except KeyError:
            raise OutOfOrder(f"{event.name} in {self.state.name}") from None
        return self.state

    def require(self, *states: S) -> None:
        """Raises OutOfOrder unless in one of these states."""
        if self.state not in states:
            raise OutOfOrder(f"not in {self.state.name}")
