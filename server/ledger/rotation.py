"""How the ledger's key is replaced: announced, by a record that both keys sign; and in the end let go.

Knows: the three steps of docs/spec/rotation.md, and in which states each is allowed. Refuses to know: files, which
server.ledger.keys has. Each step is one that may be killed anywhere and be done again.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_core.encoding import MAX_TIME, format_time
from crypto_core.errors import TemoinError
from crypto_core.receipts.rotation import Rotation, sign_rotation
from server.ledger.guard import STOPPED_BY
from server.parts import Parts


class RotationNone(TemoinError):
    code = "rotation_none"
    sentence = "The ledger has only ever had this key, and no other is announced. Begin with `rotation announce`."


class RotationTooEarly(TemoinError):
    code = "rotation_too_early"
    sentence = (
        "The old key was announced to go on signing until the time named here: whoever does not know the new key yet "
        "has until then. Nothing was changed; come back then."
    )


@dataclass(frozen=True)
class RotationState:
    """The newest record, None if there is none; and whether the old key still signs."""

    rotation: Rotation | None
    is_under_way: bool


def announce_rotation(parts: Parts, overlap: int) -> Rotation:
    """A new key, and its record: both keys sign from the next checkpoint on, the old one at least `overlap` seconds
    long. While one is under way that one is given, and nothing else is done.

    Raises what keeps the ledger from signing.
    """
    ledger = parts.ledger
    with parts.database.write() as session:
        state = rotation_state(parts)
        if state.is_under_way and state.rotation is not None:
            return state.rotation
        newest, stopped_by = ledger.newest(session), session.execute(STOPPED_BY).first()
        keys = ledger.guard.require(session, newest.note, newest.size, 0, stopped_by and (stopped_by[0], stopped_by[1]))
        following = ledger.keys.make_next()
        parts.steps.reach("rotation.key")
        since = max(parts.clock.now(), 0 if state.rotation is None else state.rotation.time)
        until = min(since + overlap, MAX_TIME)
        rotation = Rotation(keys.newest.verifier, following.verifier, newest.size, since, until)
        ledger.keys.publish(sign_rotation(rotation, keys.newest, following))
        parts.steps.reach("rotation.published")
    return rotation


def finish_rotation(parts: Parts) -> Rotation:
    """Lets the old key go, for good. Where that is done already, nothing is.

    Raises RotationNone, RotationTooEarly, or what `LedgerKeys.look` raises.
    """
    with parts.database.write():
        state = rotation_state(parts)
        if state.rotation is None:
            raise RotationNone()
        if state.is_under_way:
            if parts.clock.now() < state.rotation.until:
                raise RotationTooEarly(format_time(state.rotation.until))
            parts.ledger.keys.let_go()
            parts.steps.reach("rotation.finished")
    return state.rotation


def rotation_state(parts: Parts) -> RotationState:
    """Raises what `LedgerKeys.look` raises."""
    keys = parts.ledger.keys.look()
    return RotationState(keys.chain.rotations[-1] if keys.chain.rotations else None, len(keys.signers) > 1)
