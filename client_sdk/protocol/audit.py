"""How a device watches the ledger: it holds one signed note, and believes another only if the two fit together.

Knows: protocol §6's outcomes. Refuses to know: hashes, signatures and requests.
"""

from __future__ import annotations

from enum import Enum

from client_sdk.protocol.machine import Machine


class Audit(Enum):
    """What this device knows of the ledger."""

    NOTHING = "nothing"
    HOLDING = "holding"
    COMPARING = "comparing"
    FORKED = "forked"


class AuditEvent(Enum):
    """A signed note came, or was compared with the one that is held."""

    FIRST_NOTE = "first note"
    SAME_NOTE = "same note"
    OTHER_NOTE = "other note"
    GREW = "grew"
    LAGGED = "lagged"
    NOT_COMPARED = "not compared"
    INCONSISTENT = "inconsistent"


TRANSITIONS: dict[tuple[Audit, AuditEvent], Audit] = {
    (Audit.NOTHING, AuditEvent.FIRST_NOTE): Audit.HOLDING,
    (Audit.HOLDING, AuditEvent.SAME_NOTE): Audit.HOLDING,
    (Audit.HOLDING, AuditEvent.OTHER_NOTE): Audit.COMPARING,
    (Audit.COMPARING, AuditEvent.GREW): Audit.HOLDING,
    (Audit.COMPARING, AuditEvent.LAGGED): Audit.HOLDING,
    (Audit.COMPARING, AuditEvent.NOT_COMPARED): Audit.HOLDING,
    (Audit.COMPARING, AuditEvent.INCONSISTENT): Audit.FORKED,
    (Audit.FORKED, AuditEvent.OTHER_NOTE): Audit.COMPARING,
    (Audit.FORKED, AuditEvent.SAME_NOTE): Audit.FORKED,
}


def auditing(holding: bool) -> Machine[Audit, AuditEvent]:
    """A device that holds a note, or none yet."""
    return Machine(Audit.HOLDING if holding else Audit.NOTHING, TRANSITIONS)
