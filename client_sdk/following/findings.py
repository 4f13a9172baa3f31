"""What may be wrong with a ledger that is followed: a code and a sentence each.

Knows: what an auditor is told. Refuses to know: how it is found out.

    VerificationError (crypto_core.errors)
    └── NoteKeyRetired, RotationUnsigned, RotationBroken, RotationBackwards, RotationForked
    TrustError (client_sdk.errors)
    ├── LedgerForked, LedgerLags, LedgerKeyChanged, CheckpointInvalid     the client's own
    └── LedgerFault
        ├── LedgerUnproven         ledger_unproven
        ├── EntriesDiffer          ledger_entries_differ
        ├── EntryUnspelled         ledger_entry_unspelled
        ├── TimesFall              ledger_times_fall
        ├── TimeAhead              ledger_time_ahead
        └── EntryBackdated         ledger_backdated
"""

from __future__ import annotations

from crypto_core.errors import (
    NoteKeyRetired, RotationBackwards, RotationBroken, RotationForked, RotationUnsigned, TemoinError,
)
from client_sdk.errors import CheckpointInvalid, LedgerForked, LedgerKeyChanged, LedgerLags, TrustError


class LedgerFault(TrustError):
    """The ledger is not what its specification promises."""


class LedgerUnproven(LedgerFault):
    """Tiles or bundles that the signed size demands are missing, or do not lead to the signed root."""

    code = "ledger_unproven"
    sentence = (
        "The ledger does not show the tree that it signed. What it signed is kept; look again later, "
        "and ask who runs it why the files are missing or different."
    )


class EntriesDiffer(LedgerFault):
    """An entry bundle whose entries do not have the hashes that stand in the signed tree."""

    code = "ledger_entries_differ"
    sentence = (
        "The ledger shows other entries than those it signed. The signed state and the entries shown are kept; "
        "ask who runs it."
    )


class EntryUnspelled(LedgerFault):
    """An entry in the signed tree that is not 40 bytes, or whose time is no whole minute before the year 10000."""

    code = "ledger_entry_unspelled"
    sentence = (
        "The ledger signed an entry that is none: no receipt can belong to it. It is kept; ask who runs the ledger."
    )


class TimesFall(LedgerFault):
    """An entry whose time is earlier than that of the entry before it."""

    code = "ledger_times_fall"
    sentence = (
        "An entry of the ledger has an earlier time than the one before it. Its operator can't have kept to the rules; "
        "what was signed is kept, so do not rely on the times of this ledger before it is explained."
    )


class TimeAhead(LedgerFault):
    """An entry whose time lies further ahead of this device's clock than clocks may differ."""

    code = "ledger_time_ahead"
    sentence = (
        "An entry of the ledger has a time that has not come yet by this device's clock. Look whether this clock is "
        "right; if it is, ask who runs the ledger."
    )


class EntryBackdated(LedgerFault):
    """An entry that says it was there long before a look that did not show it."""

    code = "ledger_backdated"
    sentence = (
        "An entry was added with a time at which an earlier look did not show it: it was back-dated, or held back. "
        "Both signed states are kept; ask who runs the ledger."
    )


FAULTS: dict[str, type[TemoinError]] = {
    error.code: error
    for error in (
        NoteKeyRetired, RotationUnsigned, RotationBroken, RotationBackwards, RotationForked,
        LedgerForked, LedgerLags, LedgerKeyChanged, CheckpointInvalid, LedgerUnproven, EntriesDiffer, EntryUnspelled,
        TimesFall, TimeAhead, EntryBackdated,
    )
}
"""By code: everything that following a ledger may find."""
