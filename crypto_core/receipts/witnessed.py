"""A signed checkpoint under a policy: that a ledger of it signed, which witnesses cosigned, whether they are enough.

Knows: notes, checkpoints, policies (docs/spec/note-and-policy.md). Refuses to know: entries, receipts, the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from crypto_core.errors import NoteKeyRetired, NoteKeyUnknown
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint
from crypto_core.receipts.note import OpenedNote, Signature, open_note
from crypto_core.receipts.policy import NONE, Policy, Witness


@dataclass(frozen=True)
class Cosigned:
    """A witness of the policy whose cosignature verified, and the earliest time that it says, in Unix seconds."""

    witness: Witness
    time: int


@dataclass(frozen=True)
class WitnessedCheckpoint:
    """A checkpoint that a ledger of the policy signed under its own origin. Only `open_checkpoint` makes one."""

    checkpoint: Checkpoint
    cosigned: tuple[Cosigned, ...]
    """In the order of the policy."""
    missing: tuple[Witness, ...]
    """The witnesses of the policy that have not cosigned, in its order."""
    ignored: tuple[Signature, ...]
    """Signatures by keys that are not the policy's: nothing is known about them."""
    is_met: bool
    """Whether enough have cosigned; with `quorum none`, always."""
    bound_time: int | None
    """Unix seconds: the earliest moment at which enough had; None with `quorum none`, or if they are not enough."""


def open_checkpoint(note: bytes, policy: Policy) -> WitnessedCheckpoint:
    """Verifies every signature by a key of the policy, one of which has to be the ledger's of the checkpoint's origin,
    and one that may still sign a tree of this size alone.

    Raises MalformedError, SignatureInvalid, NoteKeyUnknown or NoteKeyRetired. Too few cosignatures are no error here.
    """
    return _open_checkpoint(note, policy)


@lru_cache(maxsize=8)
def _open_checkpoint(note: bytes, policy: Policy) -> WitnessedCheckpoint:
    """The receipts of a batch bring one note, which is held then, and compared with the next: it is weighed once."""
    opened = open_note(note, policy.keys)
    checkpoint = parse_checkpoint(opened.text)
    signed_by = {signature.key for signature in opened.verified}
    ledgers = [log for log in policy.logs if log.key.name == checkpoint.origin and log.key in signed_by]
    if not ledgers:
        raise NoteKeyUnknown()
    if all(log.last is not None and log.last < checkpoint.size for log in ledgers):
        raise NoteKeyRetired()
    times = _earliest(opened, policy)
    bound = _bound_time(times, policy)
    return WitnessedCheckpoint(
        checkpoint=checkpoint,
        cosigned=tuple(Cosigned(one, times[one.name]) for one in policy.witnesses if one.name in times),
        missing=tuple(one for one in policy.witnesses if one.name not in times),
        ignored=opened.ignored,
        is_met=policy.quorum == NONE or bound is not None,
        bound_time=bound,
    )


def _earliest(opened: OpenedNote, policy: Policy) -> dict[bytes, int]:
    """The earliest cosignature time of each witness of the policy, by the policy's name for it."""
    names = {witness.key: witness.name for witness in policy.witnesses}
    times: dict[bytes, int] = {}
    for signature in opened.verified:
        if signature.time is not None:
            name = names[signature.key]
            times[name] = min(signature.time, times.get(name, signature.time))
    return times


def _bound_time(times: dict[bytes, int], policy: Policy) -> int | None:
    if policy.quorum == NONE:
        return None
    for time in sorted(set(times.values())):
        if policy.is_met_by([name for name, at in times.items() if at <= time]):
            return time
    return None
