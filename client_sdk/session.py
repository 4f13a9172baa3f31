"""One open session: what its reader, writer and synchroniser share.

Knows: who asks whom, with which keys. Refuses to know: what is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from client_sdk.errors import (
    CheckpointInvalid, LedgerForked, LedgerKeyChanged, LedgerLags, NetworkError, Refused, ServerFault, TrustError,
)
from client_sdk.home import AccountHome, Pin
from client_sdk.keychain import AccountState, open_account_state
from client_sdk.progress import Progress
from client_sdk.protocol.sync import Finding, Links
from client_sdk.replica import Replica
from client_sdk.transport import Transport
from client_sdk.trust_store import TrustStore, Warnings
from crypto_core.errors import CryptoCoreError, NoteKeyUnknown, ReceiptKeyUnknown, VerificationError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import consistency_from_inclusion, hash_leaf
from crypto_core.receipts.receipt import VerifiedReceipt, verify_receipt
from crypto_core.receipts.restoration import Restoration, open_restorations
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE
from crypto_core.sealing.keyring import Keyring
from schemas.limits import CHECKPOINT_NOTE

CONSISTENCY = "/v1/ledger/consistency"
CHECKPOINT = "/ledger/checkpoint"
ROTATIONS = "/ledger/rotations"
RESTORATIONS = "/ledger/restorations"
LAG = 86_400
"""Seconds for which a public checkpoint may be smaller than the one held here; then it is told."""


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
    keep_pin: Callable[[Pin], None] = field(repr=False)
    """Where a pin that has moved on is kept for this device."""
    home: AccountHome
    replica: Replica
    trust: TrustStore
    warnings: Warnings
    clock: Callable[[], int]
    progress: Progress
    links: Links = field(default_factory=Links, repr=False)
    alone: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held while what this device believes or holds changes: several files may be on their way at once."""
    lags: bool = False
    """Whether the public checkpoint has been behind for longer than LAG."""
    _believed: str = field(default="", repr=False)
    """The note of the last receipt that verified."""

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

    @property
    def told(self) -> tuple[TrustError, ...]:
        """What a person is told of the vault: the warnings that stand, and what is no more than told."""
        return (*self.warnings.errors, *((LedgerLags(),) if self.lags else ()))

    def verify(self, receipt: str, sha256: bytes, size: int) -> VerifiedReceipt:
        """Proves a receipt under the pinned key, and that the ledger only grew. Only then is anything called kept.

        A fork is raised when it is found; after that it stands as a warning, and receipts under the pinned key go on.
        Raises a leaf of VerificationError, LedgerKeyChanged, CheckpointInvalid or LedgerForked.
        """
        data = receipt.encode("utf-8")
        try:
            verified = self._verify(data, sha256, size)
        except VerificationError as error:
            self.home.keep_evidence("receipt", data)
            if isinstance(error, ReceiptKeyUnknown):
                self.warnings.add(Finding.LEDGER_KEY_CHANGED)
                raise LedgerKeyChanged() from None
            raise
        note = receipt.partition("\n\n")[2]
        if note != self._believed:  # the receipts of a batch bring one note
            self.believe(note, verified)
            self._believed = note
        return verified

    def learn_rotations(self) -> bool:
        """Whether the records of rotations that the vault publishes have taught this device a key: the pin moves on,
        and the account record with it. Records that can't be believed are kept as evidence, beside those held."""
        records = read_published(self.transport, ROTATIONS, MAX_ROTATIONS_SIZE)
        try:
            pin = self.pin.rotated(records)
            self.trust.rotate(pin.policy)
        except CryptoCoreError as error:
            for one in filter(None, (self.pin.rotations, records)):
                self.home.keep_evidence(error.code, one)
            return False
        if pin == self.pin:
            return False
        self.pin = pin
        self.keep_pin(pin)
        self.replica.set_fact("dirty", 1)
        return True

    def forget_ledger(self) -> None:
        """Lets go of the note held, so that the next one begins anew."""
        self.trust.forget()
        self._believed = ""

    def believe(self, note: str, receipt: VerifiedReceipt | None = None) -> Checkpoint:
        """Advances the trust store; a fork leaves a warning, and is raised the first time.

        `receipt`: what brought the note. Where its entry is the first that this device didn't know of, it proves by
        itself that the ledger only grew, and nobody is asked.
        """
        def consistency(old: int, new: int) -> list[bytes]:
            if receipt is None or (old, new) != (receipt.index, receipt.checkpoint.size):
                return self._consistency(old, new)
            return consistency_from_inclusion(old, new, hash_leaf(receipt.entry), receipt.proof)

        try:
            return self.trust.advance(note, consistency)
        except LedgerForked:
            if Finding.LEDGER_FORKED in self.warnings.findings:
                return self.trust.open(note)
            self.warnings.add(Finding.LEDGER_FORKED)
            raise

    def is_of_this_ledger(self, tree: Checkpoint) -> bool:
        """Whether a tree that was signed once and the note held here fit together."""
        return self.trust.fits(tree, self._consistency)

    def restorations(self) -> tuple[Restoration, ...]:
        """What the ledger has signed of older copies that were put back, oldest first; none where that can't be read.
        It excuses nothing."""
        try:
            return open_restorations(
                read_published(self.transport, RESTORATIONS, MAX_ROTATIONS_SIZE), self.trust.policy.keys
            )
        except (CryptoCoreError, NetworkError, Refused, ServerFault):
            return ()

    def watch_ledger(self) -> None:
        """Fetches the public checkpoint, and believes it if it fits. One that does not verify, twice, is a warning."""
        for _ in range(2):
            note = read_published(self.transport, CHECKPOINT, CHECKPOINT_NOTE)
            try:
                self._compare_with_held(self.believe(note.decode("utf-8", "replace")), note)
                return
            except CheckpointInvalid as error:
                if error.detail != NoteKeyUnknown.code or not self.learn_rotations():
                    self.home.keep_evidence("checkpoint", note)
        self.warnings.add(Finding.CHECKPOINT_INVALID)

    def _compare_with_held(self, public: Checkpoint, note: bytes) -> None:
        """A smaller public checkpoint is lag."""
        held = self.trust.newest
        self.lags = False
        if held is not None and public.size < self.trust.open(held).size and self.trust.held_for() > LAG:
            self.lags = True
            for name, one in (("lag-public", note), ("lag-held", held.encode("utf-8"))):
                self.home.keep_evidence(name, one)

    def _verify(self, data: bytes, sha256: bytes, size: int) -> VerifiedReceipt:
        try:
            return verify_receipt(data, sha256=sha256, size=size, policy=self.trust.policy)
        except ReceiptKeyUnknown:
            if not self.learn_rotations():
                raise
        return verify_receipt(data, sha256=sha256, size=size, policy=self.trust.policy)

    def _consistency(self, old: int, new: int) -> list[bytes]:
        answer = self.ask("GET", CONSISTENCY, query={"old": old, "new": new})
        proof: list[bytes] = answer["proof"]
        return proof


def read_published(transport: Transport, path: str, most: int) -> bytes:
    """What anybody may read there; no more than one byte beyond `most`. Nothing where a vault has no such thing."""
    data = bytearray()
    try:
        for block in transport.read(path):
            data += block
            if len(data) > most:
                break
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
    return bytes(data[:most + 1])
