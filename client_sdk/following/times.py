"""What the times of a ledger's entries have to keep to.

Knows: docs/spec/ledger.md: whole minutes, never falling, not ahead, and public soon after.
Refuses to know: whether a time is true; that is the operator's word, and witnesses bound it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from client_sdk.errors import TrustError
from client_sdk.following.findings import EntryBackdated, EntryUnspelled, TimeAhead, TimesFall
from crypto_core.encoding import MAX_TIME
from crypto_core.receipts.leaf import ENTRY_SIZE, ROUNDING

CLOCK_TOLERANCE = 300
"""Seconds by which two clocks may differ."""


@dataclass
class TimeFault:
    """The first entry that breaks a rule, the bundle it came in, and how many entries break it."""

    error: type[TrustError]
    index: int
    data: bytes
    count: int = 1


class Times:
    """Reads entries in their order. `last`: the time of the entry before; `now`: this device's clock; entries from
    `shown` on were not public at a look before, so they can't be told to be older than `late_before`.
    """

    def __init__(self, last: int, now: int, shown: int, late_before: int) -> None:
        self.last = last
        self._ahead = now + ROUNDING + CLOCK_TOLERANCE
        self._shown = shown
        self._late_before = late_before
        self._found: dict[type[TrustError], TimeFault] = {}

    @property
    def found(self) -> list[TimeFault]:
        """One for each rule that was broken."""
        return list(self._found.values())

    def check(self, first: int, entries: list[bytes], data: bytes) -> None:
        """Entries from index `first` on, at least one; `data` is the bundle that they came in."""
        times = [int.from_bytes(entry[:8], "big") for entry in entries]
        if (
            {ENTRY_SIZE} == set(map(len, entries)) and not any(map(ROUNDING.__rmod__, times))
            and times == sorted(times) and max(self.last, self._late_before) <= times[0] and times[-1] <= self._ahead
        ):
            self.last = times[-1]
        else:
            self._find(first, entries, times, data)

    def _find(self, first: int, entries: list[bytes], times: list[int], data: bytes) -> None:
        self._note(EntryUnspelled, data, [
            at for at, (entry, time) in enumerate(zip(entries, times, strict=True), first)
            if time % ROUNDING or time > MAX_TIME or len(entry) != ENTRY_SIZE
        ])
        self._note(TimesFall, data, [
            at for at, (before, time) in enumerate(pairwise((self.last, *times)), first) if before > time
        ])
        self._note(TimeAhead, data, [at for at, time in enumerate(times, first) if time > self._ahead])
        late = [at for at, time in enumerate(times, first) if time < self._late_before and at >= self._shown]
        self._note(EntryBackdated, data, late)
        self.last = min(max(self.last, times[-1]), MAX_TIME)  # it is kept and told: no ledger says what can't be

    def _note(self, error: type[TrustError], data: bytes, indexes: list[int]) -> None:
        if not indexes:
            return
        if error in self._found:
            self._found[error].count += len(indexes)
        else:
            self._found[error] = TimeFault(error, indexes[0], data, len(indexes))
