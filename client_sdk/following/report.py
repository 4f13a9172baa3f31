"""What following a ledger has shown, in sentences, and what it has not.

Knows: the state that is kept. Refuses to know: the ledger itself; nothing is fetched to tell this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from client_sdk.following.state import Followed, load_state
from crypto_core.encoding import format_time
from crypto_core.errors import TemoinError
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.rotation import open_rotations
from crypto_core.receipts.witnessed import WitnessedCheckpoint, open_checkpoint

NOT_PROVEN = (
    "That others were shown the same history: for that, notes are compared (--also), or witnesses cosign.",
    "That the times are true: they are the operator's word, and so is the order of the entries.",
    "That every deposit is in the ledger: only its receipt shows that.",
    "Who deposited anything, what it was, and whether what it says is true.",
)


class NothingFollowed(TemoinError):
    """No state in the folder."""

    code = "nothing_followed"
    sentence = "No ledger is followed in this folder yet. Begin with `temoin audit follow URL --state DIR --vkey KEY`."


@dataclass(frozen=True)
class Report:
    """`proven` and `not_proven` are whole sentences."""

    state: Followed
    held: WitnessedCheckpoint
    proven: tuple[str, ...]
    not_proven: tuple[str, ...] = NOT_PROVEN


def make_report(folder: Path) -> Report:
    """Raises NothingFollowed, or MalformedError if what is kept was damaged."""
    state = load_state(folder)
    if state is None:
        raise NothingFollowed()
    held = open_checkpoint(state.note.encode(), state.trusted)
    return Report(state, held, tuple(_proven(state, held)))


def _proven(state: Followed, held: WitnessedCheckpoint) -> list[str]:
    size = held.checkpoint.size
    proven = [
        f"All that this ledger showed here since {format_time(state.since)}, but for what is listed as found, is one"
        f" history, now of {size} entries: nothing in it was changed, moved or taken out."
    ]
    if state.walked:
        whole = "Every entry" if state.walked == size else f"Each of the first {state.walked} entries"
        proven.append(f"{whole} was read and has the hash that stands at its place in the signed tree.")
    for one in open_rotations(state.rotations.encode()).rotations:
        proven.append(
            f"Beyond {one.size} entries the ledger has the key {format_vkey(one.new)}, which the key before it named in"
            f" a record of {format_time(one.time)} that both have signed."
        )
    if held.bound_time is not None:
        names = ", ".join(one.witness.key.name for one in held.cosigned)
        proven.append(
            f"The witnesses {names} cosigned this state, and enough of them had by {format_time(held.bound_time)}."
        )
    return proven
