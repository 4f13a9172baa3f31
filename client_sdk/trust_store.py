"""What this device believes of the vault, and the warnings that stand against it.

Knows: the newest signed note of the ledger, and what a person has accepted. Refuses to know: records and keys that open
them. Both notes of a fork stay under `evidence/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from client_sdk.errors import (
    AccountRecordInvalid, AccountRecordOlder, BlobSwapped, CheckpointInvalid, DeviceNewer, DirectoryForked,
    ItemsMissing, LedgerForked, LedgerKeyChanged, Refused, TrustError, Untrusted,
)
from client_sdk.home import AccountHome, lock_folder, read_file, require_known, write_file
from client_sdk.protocol.audit import AuditEvent, auditing
from client_sdk.protocol.sync import Accepted, Finding
from client_sdk.replica import Replica
from crypto_core.encoding import format_json, parse_hex, parse_json
from crypto_core.errors import ConsistencyMismatch, CryptoCoreError, MalformedError, NoteKeyRetired, RotationBackwards
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.witnessed import open_checkpoint

FetchConsistency = Callable[[int, int], Sequence[bytes]]
"""(smaller size, larger size) → the proof that the ledger gives for them."""

ERRORS: dict[Finding, type[TrustError]] = {
    Finding.ITEMS_MISSING: ItemsMissing,
    Finding.ACCOUNT_RECORD_OLDER: AccountRecordOlder,
    Finding.ACCOUNT_RECORD_INVALID: AccountRecordInvalid,
    Finding.BLOB_SWAPPED: BlobSwapped,
    Finding.LEDGER_FORKED: LedgerForked,
    Finding.LEDGER_KEY_CHANGED: LedgerKeyChanged,
    Finding.CHECKPOINT_INVALID: CheckpointInvalid,
    Finding.DIRECTORY_FORKED: DirectoryForked,
}

_HELD = "checkpoint"
"""The replica's fact: the newest note, empty once it was let go of."""
_HELD_SINCE = "checkpoint_at"
"""The replica's fact: when this device held it first, in Unix seconds."""


class TrustStore:
    """The newest note of one ledger that this account's device has seen."""

    def __init__(self, home: AccountHome, replica: Replica, policy: Policy, clock: Callable[[], int]) -> None:
        self._home, self._replica, self.policy, self._clock = home, replica, policy, clock

    @property
    def newest(self) -> str | None:
        """The newest note, None if none was seen yet."""
        held: str | None = self._replica.fact(_HELD)
        return held or None

    def open(self, note: str) -> Checkpoint:
        """A checkpoint that the pinned ledger signed under its own origin. Raises CheckpointInvalid."""
        try:
            return open_checkpoint(note.encode("utf-8"), self.policy).checkpoint
        except CryptoCoreError as error:
            raise CheckpointInvalid(error.code) from None

    def advance(self, note: str, fetch_consistency: FetchConsistency) -> Checkpoint:
        """Believes a note, if it and the one held fit together; holds the larger of the two from then on.

        A smaller one is lag, if it fits. Raises CheckpointInvalid, or LedgerForked after keeping both as evidence.
        """
        with lock_folder(self._home.folder, "checkpoint.lock"):  # another command may have seen more meanwhile
            return self._advance(note, fetch_consistency)

    def _advance(self, note: str, fetch_consistency: FetchConsistency) -> Checkpoint:
        held = self.newest
        machine = auditing(held is not None)
        offered = self.open(note)
        if held is None:
            machine.receive(AuditEvent.FIRST_NOTE)
            self._hold(note)
            return offered
        if held == note:
            machine.receive(AuditEvent.SAME_NOTE)
            return offered
        known = self.open(held)
        if (known.size, known.root) == (offered.size, offered.root):
            machine.receive(AuditEvent.SAME_NOTE)
            return offered
        machine.receive(AuditEvent.OTHER_NOTE)
        if not _fit(known, offered, fetch_consistency):
            machine.receive(AuditEvent.INCONSISTENT)
            for one in (held, note):
                self._home.keep_evidence("fork", one.encode("utf-8"))
            raise LedgerForked()
        machine.receive(AuditEvent.GREW if offered.size > known.size else AuditEvent.LAGGED)
        if offered.size > known.size:
            self._hold(note)
        return offered

    def fits(self, tree: Checkpoint, fetch_consistency: FetchConsistency) -> bool:
        """Whether a tree and the one of the note held here fit together; any does as long as none is held."""
        held = self.newest
        return held is None or _fit(tree, self.open(held), fetch_consistency)

    def rotate(self, policy: Policy) -> None:
        """Trusts the keys that records have led to from now on.

        Raises RotationBackwards if a record has the key that alone signed the note held here end before it.
        """
        held = self.newest
        if held is not None:
            try:
                open_checkpoint(held.encode("utf-8"), policy)
            except NoteKeyRetired:
                raise RotationBackwards("before the note held here") from None
        self.policy = policy

    def forget(self) -> None:
        """Lets go of the held note, after a fork was accepted; the evidence stays."""
        self._replica.set_fact(_HELD, "")

    def held_for(self) -> int:
        """Seconds since the note held here came, by this device's clock; from now on where it was set back."""
        now, since = self._clock(), self._replica.fact(_HELD_SINCE)
        if since is None or since > now:
            self._replica.set_fact(_HELD_SINCE, now)
            return 0
        return int(now - since)

    def _hold(self, note: str) -> None:
        self._replica.set_facts({_HELD: note, _HELD_SINCE: self._clock()})


class Warnings:
    """What stands against the vault on this device, until the person accepts it. Survives the process."""

    def __init__(self, home: AccountHome) -> None:
        """What stands on this device. Raises MalformedError if the file was damaged, DeviceNewer."""
        self._home = home
        self.findings, self.about, self.accepted = self._load()

    def __bool__(self) -> bool:
        return bool(self.findings)

    @property
    def errors(self) -> tuple[TrustError, ...]:
        """The warnings, each as the error it would be."""
        return tuple(ERRORS[finding]() for finding in Finding if finding in self.findings)

    def add(self, finding: Finding, about: Iterable[bytes] = ()) -> None:
        """One more warning, and the record hashes it is about."""
        with self._changing():
            self.findings, self.about = self.findings | {finding}, self.about | set(about)

    def accept(self, account_n: int) -> None:
        """The person has looked at what was found here: it counts no more. What is found anew, or by another command
        meanwhile, will."""
        findings, about = self.findings, self.about
        with self._changing():
            self.accepted = Accepted(self.accepted.hashes | about, max(self.accepted.account_n, account_n))
            self.findings, self.about = self.findings - findings, self.about - about

    def require_none(self) -> None:
        """Raises Untrusted while a warning stands: nothing is edited or deleted then."""
        if self:
            raise Untrusted(", ".join(sorted(finding.value for finding in self.findings)))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Of what stands by now: another command may have found something meanwhile, or accepted it."""
        with lock_folder(self._home.folder, "warned.lock"):
            self.findings, self.about, self.accepted = self._load()
            yield
            self._save()

    def _save(self) -> None:
        write_file(self._home.warned, format_json({
            "findings": sorted(finding.value for finding in self.findings),
            "about": sorted(one.hex() for one in self.about),
            "accepted": sorted(one.hex() for one in self.accepted.hashes), "account_n": self.accepted.account_n,
        }))

    def _load(self) -> tuple[frozenset[Finding], frozenset[bytes], Accepted]:
        data = read_file(self._home.warned)
        if data is None:
            return frozenset(), frozenset(), Accepted()
        kept = parse_json(data)
        require_known(kept, "findings", "about", "accepted", "account_n")
        match kept:
            case {
                "findings": [*findings], "about": [*about], "accepted": [*accepted], "account_n": int(account_n),
            } if not isinstance(account_n, bool) and _are_texts(*findings, *about, *accepted):
                if not set(findings) <= {finding.value for finding in Finding}:
                    raise DeviceNewer()
                hashes = frozenset(parse_hex(one) for one in accepted)
                return (
                    frozenset(map(Finding, findings)), frozenset(parse_hex(one) for one in about),
                    Accepted(hashes, account_n),
                )
            case _:
                raise MalformedError("not what this device keeps of its warnings")


def _are_texts(*values: object) -> bool:
    return all(isinstance(one, str) for one in values)


def _fit(known: Checkpoint, offered: Checkpoint, fetch_consistency: FetchConsistency) -> bool:
    small, large = sorted((known, offered), key=lambda one: one.size)
    for _ in range(2):  # once more, so that one damaged answer isn't taken for a fork
        try:
            proof = () if small.size in (0, large.size) else fetch_consistency(small.size, large.size)
            verify_consistency(small.size, large.size, proof, small.root, large.root)
            return True
        except ConsistencyMismatch:
            continue
        except Refused as refusal:
            if refusal.code not in ("not_found", "invalid"):
                raise
    return False
