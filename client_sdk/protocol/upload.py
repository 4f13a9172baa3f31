"""How a file comes to be kept: journal, units, completion, receipt, record; and how many units go at once.

Knows: protocol §5's order, and how the size of a request follows the network. Refuses to know: bytes, files, requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from client_sdk.protocol.machine import Machine
from schemas.limits import UNITS_PER_PUT


class Upload(Enum):
    """How far one blob is. Only in KEPT may a person be told that it is kept."""

    UNKNOWN = "unknown"
    JOURNALLED = "journalled"
    ANNOUNCED = "announced"
    ARRIVED = "arrived"
    COMPLETE = "complete"
    RECEIPTED = "receipted"
    KEPT = "kept"
    ABANDONED = "abandoned"


class UploadEvent(Enum):
    """What happened to it."""

    JOURNAL_WRITTEN = "journal written"
    ANNOUNCED = "announced"
    UNIT_ARRIVED = "unit arrived"
    ALL_ARRIVED = "all arrived"
    COMPLETED = "completed"
    RECEIPT_VERIFIED = "receipt verified"
    RECORD_KEPT = "record kept"
    MISMATCH = "mismatch"


TRANSITIONS: dict[tuple[Upload, UploadEvent], Upload] = {
    (Upload.UNKNOWN, UploadEvent.JOURNAL_WRITTEN): Upload.JOURNALLED,
    (Upload.JOURNALLED, UploadEvent.ANNOUNCED): Upload.ANNOUNCED,
    (Upload.ANNOUNCED, UploadEvent.UNIT_ARRIVED): Upload.ANNOUNCED,
    (Upload.ANNOUNCED, UploadEvent.ALL_ARRIVED): Upload.ARRIVED,
    (Upload.JOURNALLED, UploadEvent.COMPLETED): Upload.COMPLETE,
    (Upload.ARRIVED, UploadEvent.COMPLETED): Upload.COMPLETE,
    (Upload.COMPLETE, UploadEvent.RECEIPT_VERIFIED): Upload.RECEIPTED,
    (Upload.RECEIPTED, UploadEvent.RECORD_KEPT): Upload.KEPT,
    **{
        (state, UploadEvent.MISMATCH): Upload.ABANDONED
        for state in (Upload.JOURNALLED, Upload.ANNOUNCED, Upload.ARRIVED)
    },
}
"""A blob of one unit goes from JOURNALLED to COMPLETE in one request. An abandoned one is made anew: id, key, salt."""


def uploading() -> Machine[Upload, UploadEvent]:
    """A blob of which nothing was written yet."""
    return Machine(Upload.UNKNOWN, TRANSITIONS)


IN_FLIGHT = 2
BRIEF = 1.0
"""Seconds: a request that took no longer may be followed by one twice as wide; what is in flight is lost when a network
is cut."""
LONG = 3.0
"""Seconds: a request that took longer is followed by a narrower one, at last by one that goes alone."""


class Width:
    """How many units one request carries, and how many requests go at once: 1 and 2 at first; twice as many units, up
    to 32, after a brief success; half after a failure or a long one; alone where one unit by itself takes long or
    fails: two would take twice as long each."""

    def __init__(self) -> None:
        self.units = 1
        self.requests = IN_FLIGHT

    def succeeded(self, seconds: float = 0) -> None:
        """`seconds`: how long the request was under way."""
        if seconds <= BRIEF:
            self.units = min(2 * self.units, UNITS_PER_PUT)
            self.requests = IN_FLIGHT
        elif seconds > LONG:
            self.failed()

    def failed(self) -> None:
        if self.units == 1:
            self.requests = 1
        self.units = max(1, self.units // 2)

    def split(self, units: int) -> Iterator[tuple[int, int]]:
        """A run of units cut to the present width: (start, stop) of each part."""
        for start in range(0, units, self.units):
            yield start, min(start + self.units, units)
