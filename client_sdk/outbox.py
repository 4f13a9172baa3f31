"""What was written and is not yet kept: sealed revisions that survive a crash, sent again byte for byte.

Knows: the exact bytes of `POST /v1/items`, sealed once more for this device. Refuses to know: sockets.
An entry goes when its receipts verified, in the transaction that brings its revisions into the replica.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from client_sdk.errors import DeviceNewer
from client_sdk.home import AccountHome, sync_folder
from client_sdk.replica import Replica
from client_sdk.transport import dump_body, endpoint
from crypto_core.encoding import parse_json
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.records import Link, open_device_state, seal_device_state
from schemas.items import PutItems

_NAME = "outbox"
_ROW = endpoint("POST", "/v1/items")
_PUT_ITEMS = PutItems()


@dataclass(frozen=True)
class Entry:
    """One batch: the body as it goes, and its revisions by the names of schemas.items.PutRevision."""

    number: int
    body: bytes = field(repr=False)
    revisions: tuple[dict[str, Any], ...] = field(repr=False)
    links: tuple[Link, ...] = field(default=(), repr=False)
    """The links of its revisions as they were before they were sealed; none in a batch of an earlier run."""


class Outbox:
    """The batches of one account that wait, the oldest first. Used under the account's lock."""

    def __init__(self, home: AccountHome, replica: Replica, keyring: Keyring) -> None:
        self._home, self._replica, self._keyring = home, replica, keyring

    def keep(self, revisions: tuple[dict[str, Any], ...], links: tuple[Link, ...] = ()) -> Entry:
        """A new batch. It outlives this process when this returns, and a loss of power once `settle` has."""
        return self._write(None, revisions, links)

    def replace(self, entry: Entry, revisions: tuple[dict[str, Any], ...], links: tuple[Link, ...] = ()) -> Entry:
        """The same writing, sealed anew after a conflict."""
        return self._write(entry.number, revisions, links)

    def settle(self) -> None:
        """Returns once all that waits is on the disk: before anybody is told that it does. Raises OSError."""
        self._replica.settle()

    def remove(self, entry: Entry) -> None:
        """What is kept by the vault, or was given up. If a crash brings it back, the same bytes change nothing."""
        self._replica.drop_waiting(entry.number)

    def entries(self) -> list[Entry]:
        """What waits. What this account didn't write is put aside as evidence. Raises DeviceNewer."""
        return [entry for one in self._replica.waiting() if (entry := self._read(*one)) is not None]

    def take_over(self) -> None:
        """Brings in what an earlier version kept in files of their own, a batch in each, the oldest first."""
        folder = self._home.outbox
        if not folder.exists():
            return
        for path in sorted(folder.iterdir()):
            if path.name.isdecimal():  # anything else was torn by a crash
                self._replica.keep_waiting(path.read_bytes())
                self._replica.settle()
            path.unlink()
        folder.rmdir()
        sync_folder(folder.parent)

    def _write(self, number: int | None, revisions: tuple[dict[str, Any], ...], links: tuple[Link, ...]) -> Entry:
        body = dump_body(_ROW, {"revisions": revisions})
        sealed = seal_device_state(self._keyring.mk_n, _NAME, self._keyring.account, body)
        return Entry(self._replica.keep_waiting(sealed, number), body, revisions, links)

    def _read(self, number: int, sealed: bytes) -> Entry | None:
        try:
            body = open_device_state(self._keyring.mk_n, _NAME, self._keyring.account, sealed)
        except CryptoCoreError:
            self._home.keep_evidence(_NAME, sealed)
            self._replica.drop_waiting(number)
            return None
        try:
            return Entry(number, body, tuple(_PUT_ITEMS.load(parse_json(body))["revisions"]))
        except (MalformedError, ValidationError):  # sealed here, so no damage
            raise DeviceNewer() from None
