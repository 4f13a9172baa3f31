"""One open session: what its reader, writer and synchroniser share.

Knows: who asks whom, with which keys. Refuses to know: what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from client_sdk.errors import CheckpointInvalid, LedgerForked, LedgerKeyChanged
from client_sdk.home import AccountHome, Pin
from client_sdk.keychain import AccountState, open_account_state
from client_sdk.progress import Progress
from client_sdk.protocol.sync import Finding, Links
from client_sdk.replica import Replica
from client_sdk.transport import Transport
from client_sdk.trust_store import TrustStore, Warnings
from crypto_core.errors import ReceiptKeyUnknown
from crypto_core.receipts.receipt import VerifiedReceipt, verify_receipt
from crypto_core.sealing.keyring import Keyring
from schemas.limits import CHECKPOINT_NOTE

CONSISTENCY = "/v1/ledger/consistency"
CHECKPOINT = "/ledger/checkpoint"


@dataclass
class Session:
    """The parts of an open vault. `links` is what the last finished synchronisation showed."""

    transport: Transport
    token: bytes = field(repr=False)
    keyring: Keyring
    state: AccountState
    """The newest account record that this device could read, or that a newer version wrote; `facts` may be empty."""
    offered: AccountState
    """What the vault gave as account record last, whatever it is."""
    drop_box: bytes = field(repr=False)
    pin: Pin
    home: AccountHome
    replica: Replica
    trust: TrustStore
    warnings: Warnings
    clock: Callable[[], int]
    progress: Progress
    links: Links = field(default_factory=Links, repr=False)

    @property
    def account(self) -> bytes:
        """The account's id, 16 bytes."""
        return self.keyring.account

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None, *,
        query: Mapping[str, Any] | None = None, **places: bytes | int,
    ) -> dict[str, Any]:
        """A JSON request of this session."""
        return self.transport.ask(method, path, body, token=self.token, headers=None, query=query, **places)

    def read(self, path: str, start: int = 0, stop: int | None = None, **places: bytes | int) -> Iterator[bytes]:
        """Bytes for this session."""
        return self.transport.read(path, start, stop, token=self.token, **places)

    def keep_state(self, n: int, record: bytes) -> None:
        """An account record of ours that the vault has taken: with its heads, nothing is left to be written."""
        self.state = self.offered = open_account_state(self.keyring.mk_n, self.account, n, record)
        with self.replica.writing():
            self.replica.remember_account(self.state.n, self.state.hash, self.state.blob)
            self.replica.set_fact("dirty", 0)

    def verify(self, receipt: str, sha256: bytes, size: int) -> VerifiedReceipt:
        """Proves a receipt under the pinned key, and that the ledger only grew. Only then is anything called kept.

        Raises a leaf of VerificationError, LedgerKeyChanged, CheckpointInvalid or LedgerForked.
        """
        data = receipt.encode("utf-8")
        try:
            verified = verify_receipt(data, sha256=sha256, size=size, policy=self.trust.policy)
        except ReceiptKeyUnknown:
            raise LedgerKeyChanged() from None
        self.believe(receipt.partition("\n\n")[2])
        return verified

    def believe(self, note: str) -> None:
        """Advances the trust store; a fork leaves a warning before it is raised."""
        try:
            self.trust.advance(note, self._consistency)
        except LedgerForked:
            self.warnings.add(Finding.LEDGER_FORKED)
            raise

    def watch_ledger(self) -> None:
        """Fetches the public checkpoint, and believes it if it fits. One that does not verify, twice, is a warning."""
        for _ in range(2):
            note = self._public_note()
            try:
                self.believe(note.decode("utf-8", "replace"))
                return
            except CheckpointInvalid:
                self.home.keep_evidence("checkpoint", note)
        self.warnings.add(Finding.CHECKPOINT_INVALID)

    def _public_note(self) -> bytes:
        note = bytearray()
        for block in self.transport.read(CHECKPOINT):
            note += block
            if len(note) > CHECKPOINT_NOTE:
                break
        return bytes(note[:CHECKPOINT_NOTE + 1])

    def _consistency(self, old: int, new: int) -> list[bytes]:
        answer = self.ask("GET", CONSISTENCY, query={"old": old, "new": new})
        proof: list[bytes] = answer["proof"]
        return proof
