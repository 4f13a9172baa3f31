"""Follows a published ledger: that it only grows, that every entry is at its place, that its times keep to the rules.

Knows: the judgement of docs/spec/ledger.md, one look at a time. Refuses to know: HTTP, and who made an entry.

A look: the records of the ledger's keys are followed, and the public checkpoint is opened under the policy that they
lead to; it and every note known so far have to be beginnings of one tree; then each entry that was not read yet is,
down to its hash, and its time is held against the rules. What is found is kept with its evidence, and told; a look that
finds a fork believes nothing newer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from client_sdk.errors import CheckpointInvalid, LedgerForked, LedgerKeyChanged, LedgerLags, ServerFault
from client_sdk.following.findings import EntriesDiffer, LedgerUnproven
from client_sdk.following.published import Bundle, Files, PublishedTree
from client_sdk.following.state import Finding, Followed, load_state, save_state
from client_sdk.following.times import Times
from client_sdk.home import keep_evidence, lock_folder, make_folder
from client_sdk.progress import NO_PROGRESS, Progress
from client_sdk.protocol.audit import AuditEvent, auditing
from crypto_core.errors import (
    CryptoCoreError, MalformedError, NoteKeyRetired, NoteKeyUnknown, RotationBackwards, TemoinError, UnsupportedVersion,
    VerificationError,
)
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.leaf import ENTRY_SIZE
from crypto_core.receipts.note import MAX_NOTE_SIZE, VerifierKey
from crypto_core.receipts.policy import NONE, Log, Policy
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE, Rotation, open_rotations, rotate_policy
from crypto_core.receipts.tiles import WIDTH
from crypto_core.receipts.witnessed import WitnessedCheckpoint, open_checkpoint

LATE = 3600
"""Seconds after its time by which an entry has to be public. A vault's own pace is a minute; a mirror has its own."""
LAG = 86_400
"""Seconds for which a smaller tree than one seen is told and no more."""
SAVE_EVERY = 256
"""Bundles between two notes of how far it is: 65,536 entries."""
UNCOMPARED = 16
"""The most notes that wait to be compared."""


class PolicyNeeded(TemoinError):
    """The first look needs a key."""

    code = "policy_needed"
    sentence = "Nothing is known here yet: give the ledger's key with --vkey, or whom you trust with --policy."


class NoLedger(ServerFault):
    """Nothing under the name of a checkpoint."""

    sentence = (
        "There is no ledger at this address. Give the one under which its checkpoint lies: of a vault, its own; of a "
        "copy, wherever that is served."
    )


class NoteUnfit(CheckpointInvalid):
    """What somebody else holds is no checkpoint that a trusted key of this ledger has signed."""

    sentence = (
        "What was given to compare is no checkpoint or receipt of this ledger, signed by a key that you trust. Ask for "
        "it again from where it came."
    )


class PolicyDiffers(TemoinError):
    """Another policy, under which the last note does not open."""

    code = "policy_differs"
    sentence = (
        "What this folder follows was signed by other keys than the ones given. Use another folder for another ledger; "
        "for a new key of the same one, take a policy that names the old key too."
    )


class Sink(Protocol):
    """Takes what was proven: each bundle in its order; `settle` before it is noted as done, `finish` with the whole."""

    def bundle(self, bundle: Bundle) -> None: ...

    def settle(self) -> None: ...

    def finish(self, tree: PublishedTree, note: bytes, records: bytes) -> None: ...


@dataclass(frozen=True)
class Look:
    """What one look came to."""

    event: AuditEvent | None
    """How the checkpoint shown compares with what was known; None if it did not open."""
    shown: WitnessedCheckpoint | None
    held: WitnessedCheckpoint | None
    """The largest that fits all others; None if nothing was ever opened."""
    state: Followed | None
    read: int
    """Entries that were read for the first time."""
    found: tuple[Finding, ...]
    learned: tuple[Rotation, ...] = ()
    """Records of new keys that were followed for the first time."""


@dataclass
class Follower:
    """Follows one ledger with what it keeps in `folder`, which other followers of it are kept out of.

    `clock` gives Unix seconds, `late` is as LATE. The first look needs a `policy`, or among `known` a key of the ledger
    whose name is shown. Whatever speaks against the ledger is found, kept and told in the Look; what is raised is
    NetworkError, ServerFault, PolicyNeeded, PolicyDiffers, or NoteUnfit for a note in `also`.
    """

    folder: Path
    url: str
    files: Files
    clock: Callable[[], int]
    policy: Policy | None = None
    late: int = LATE
    sink: Sink | None = None
    progress: Progress = NO_PROGRESS
    known: tuple[VerifierKey, ...] = ()

    def look(self, also: Iterable[bytes] = ()) -> Look:
        """One look. `also`: notes that others hold, which have to fit as well."""
        make_folder(self.folder)
        with lock_folder(self.folder):
            before = load_state(self.folder)
            if before is None and self.policy is None and not self.known:
                raise PolicyNeeded()
            shown = self.files.read("checkpoint", MAX_NOTE_SIZE)
            if shown is None:
                raise NoLedger()
            return _Looking(self, self._choose_policy(before, shown), before, shown).judge(also)

    def _choose_policy(self, before: Followed | None, shown: bytes) -> Policy:
        if before is None:
            return self.policy or self._policy_for(shown)
        if self.policy is None or self.policy == before.policy:
            return before.policy
        try:
            open_checkpoint(before.note.encode(), replace(before, policy=self.policy).trusted)
        except CryptoCoreError:
            raise PolicyDiffers() from None
        return self.policy

    def _policy_for(self, shown: bytes) -> Policy:
        """Trust in the known key of the ledger that a note, of which nothing is verified, names in its first line."""
        name = shown.partition(b"\n")[0]
        logs = tuple(Log(key) for key in self.known if key.name.encode() == name)
        if not logs:
            raise PolicyNeeded()
        return Policy(logs, (), (), NONE)


class _Looking:
    """One look while it lasts."""

    def __init__(self, follower: Follower, policy: Policy, before: Followed | None, shown: bytes) -> None:
        self.follower, self.policy, self.before, self.shown = follower, policy, before, shown
        self.now = follower.clock()
        self.found: list[Finding] = []
        self.machine = auditing(before is not None)
        self.chain = open_rotations(b"" if before is None else before.rotations.encode())
        self.trusted = rotate_policy(policy, self.chain)
        self.learned: tuple[Rotation, ...] = ()

    def judge(self, others: Iterable[bytes]) -> Look:
        records = self._learn_rotations()
        also = [_given(note, self.trusted) for note in others]
        offered = self._open_shown(records)
        if offered is None:
            return self._end(None, None, self.before and self._counted(self.before), 0)
        if self.before is None:
            self.machine.receive(AuditEvent.FIRST_NOTE)
            state = Followed(self.follower.url, self.policy, self.now, self.now, 1, self.shown.decode(), self.now)
        else:
            state = self._counted(self.before)
        event, state, tree = self._compare(offered, state, also)
        if tree is None:
            return self._end(event, offered, state if self.before else None, 0)
        return self._end(event, offered, *self._walk(tree, state))

    def _learn_rotations(self) -> bytes:
        """Follows the records of new keys, if they lead on from what is trusted; and gives what was shown as such.
        What is none is passed over: many a server has a page for whatever it hasn't."""
        records = self.follower.files.read("rotations", MAX_ROTATIONS_SIZE) or b""
        try:
            chain = self.chain.joined(open_rotations(records))
            trusted = rotate_policy(self.policy, chain)
            self._require_held(trusted)
        except (MalformedError, UnsupportedVersion):
            return records
        except VerificationError as error:
            self._add(type(error), *filter(None, (self.chain.data, records)), detail=error.detail)
            return records
        self.learned = chain.rotations[len(self.chain.rotations):]
        self.chain, self.trusted = chain, trusted
        return records

    def _require_held(self, trusted: Policy) -> None:
        """Raises RotationBackwards if a record has a key end before what it alone has signed and was seen here."""
        for note in () if self.before is None else (self.before.note, *self.before.uncompared):
            try:
                open_checkpoint(note.encode(), trusted)
            except NoteKeyRetired:
                raise RotationBackwards("before a note that was seen") from None

    def _open_shown(self, records: bytes) -> WitnessedCheckpoint | None:
        try:
            return open_checkpoint(self.shown, self.trusted)
        except NoteKeyUnknown:
            self._add(LedgerKeyChanged, *filter(None, (self.chain.data, records)))
        except NoteKeyRetired:
            self._add(NoteKeyRetired, self.chain.data)
        except CryptoCoreError:
            self._add(CheckpointInvalid)
        return None

    def _compare(
        self, offered: WitnessedCheckpoint, state: Followed, also: list[_Note]
    ) -> tuple[AuditEvent, Followed, PublishedTree | None]:
        """How it all fits; and the tree whose entries are to be read, None if none is."""
        held, new = _opened(state.note.encode(), self.trusted), _Note(self.shown, offered.checkpoint)
        known = [held, *(_opened(note.encode(), self.trusted) for note in state.uncompared), *also]
        is_same = (held.checkpoint.size, held.checkpoint.root) == (new.checkpoint.size, new.checkpoint.root)
        if self.before is not None:
            self.machine.receive(AuditEvent.SAME_NOTE if is_same else AuditEvent.OTHER_NOTE)
        forked = [one for one in known if _contradict(one.checkpoint, new.checkpoint)]
        waiting: list[_Note] = []
        try:
            tree = PublishedTree(self.follower.files, new.checkpoint) if not forked else None
            if tree:
                waiting, forked = self._sort(known, new, tree)
        except LedgerUnproven as error:
            self._add(LedgerUnproven, held.data, detail=error.detail)
            return self._settled(AuditEvent.NOT_COMPARED, is_same), state, None
        if forked:
            for one in forked:
                self._add(LedgerForked, one.data)
            if held not in forked:  # it is told and kept as evidence, and need not be found at every look
                left = [one for one in known if one not in (held, *also, *forked)]
                state = replace(state, uncompared=_texts(left))
            return self._settled(AuditEvent.INCONSISTENT, is_same), state, None
        if new.checkpoint.size >= held.checkpoint.size:
            event = AuditEvent.FIRST_NOTE if self.before is None else self._settled(AuditEvent.GREW, is_same)
            return event, replace(
                state, note=self.shown.decode(), confirmed=self.now, lags_since=None, uncompared=_texts(waiting),
            ), tree
        since = self.now if state.lags_since is None else min(state.lags_since, self.now)
        if self.now - since > LAG:
            self._add(LedgerLags, held.data)
        event = AuditEvent.NOT_COMPARED if held in waiting else AuditEvent.LAGGED
        waiting = [new if one is held else one for one in waiting]
        return self._settled(event, is_same), replace(state, lags_since=since, uncompared=_texts(waiting)), None

    def _sort(self, known: list[_Note], new: _Note, tree: PublishedTree) -> tuple[list[_Note], list[_Note]]:
        """Those that can't be compared with what is shown now, and those that do not fit it."""
        waiting, forked = [], []
        for one in known:
            if one.checkpoint.size <= new.checkpoint.size:
                fits = tree.begins_with(one.checkpoint)
            else:
                try:
                    fits = PublishedTree(self.follower.files, one.checkpoint).begins_with(new.checkpoint)
                except LedgerUnproven:  # larger than what is shown: nobody is bound to show it
                    waiting.append(one)
                    continue
            if not fits:
                forked.append(one)
        return waiting, forked

    def _settled(self, event: AuditEvent, is_same: bool) -> AuditEvent:
        if self.before is None or is_same:
            return AuditEvent.SAME_NOTE if is_same and event is AuditEvent.GREW else event
        self.machine.receive(event)
        return event

    def _walk(self, tree: PublishedTree, state: Followed) -> tuple[Followed, int]:
        """Reads what was not read yet; gives what is to be kept, and how many entries that were."""
        start, size = state.walked, tree.checkpoint.size
        shown_before = 0 if self.before is None else _opened(self.before.note.encode(), self.trusted).checkpoint.size
        times = Times(state.entry_time, self.now, shown_before, self._late_before())
        sink, progress = self.follower.sink, self.follower.progress
        if start < size:
            progress.start(tree.checkpoint.origin, (size - start) * ENTRY_SIZE)
        try:
            for bundle in tree.walk(start) if start < size else ():
                first = max(bundle.index * WIDTH, state.walked)
                entries = bundle.entries[first - bundle.index * WIDTH:]
                times.check(first, entries, bundle.data)
                if sink:
                    sink.bundle(bundle)
                state = replace(state, walked=first + len(entries), entry_time=times.last)
                progress.advance(len(entries) * ENTRY_SIZE)
                if not (bundle.index + 1) % SAVE_EVERY:
                    self._save(state)
            if sink:
                sink.finish(tree, self.shown, self.chain.data)
        except (EntriesDiffer, LedgerUnproven) as error:
            self._add(type(error), detail=error.detail)
        finally:
            progress.done()
            for fault in times.found:
                self._add(fault.error, index=fault.index, count=fault.count, more=fault.data)
            self._save(state)
        return state, state.walked - start

    def _late_before(self) -> int:
        """The time before which nothing can be told to have been entered that the note held before does not show."""
        return 0 if self.before is None else self.before.confirmed - self.follower.late

    def _counted(self, before: Followed) -> Followed:
        return replace(
            before, url=self.follower.url, policy=self.policy, looked=self.now, looks=before.looks + 1,
        )

    def _add(
        self, error: type[TemoinError], *others: bytes, index: int | None = None, count: int = 1, more: bytes = b"",
        detail: str = "",
    ) -> None:
        """Keeps the note shown, the one held before and `others`, and what else shows it."""
        held = [] if self.before is None else [self.before.note.encode()]
        notes = dict.fromkeys((self.shown, *held, *others))
        kept = [keep_evidence(self.follower.folder, error.code, note).name for note in notes]
        if more:
            kept.append(keep_evidence(self.follower.folder, f"{error.code}-entries", more).name)
        self.found.append(Finding(error.code, self.now, detail, index, count, tuple(kept)))

    def _end(
        self, event: AuditEvent | None, shown: WitnessedCheckpoint | None, state: Followed | None, read: int
    ) -> Look:
        held = None
        if state is not None:
            state = self._save(state)
            held = open_checkpoint(state.note.encode(), self.trusted)
        return Look(event, shown, held, state, read, tuple(self.found), self.learned)

    def _save(self, state: Followed) -> Followed:
        if self.follower.sink:
            self.follower.sink.settle()
        before = {(one.code, one.evidence) for one in state.findings}
        new = tuple(one for one in self.found if (one.code, one.evidence) not in before)
        state = replace(state, findings=state.findings + new, rotations=self.chain.data.decode())
        save_state(self.follower.folder, state)
        return state


@dataclass(frozen=True)
class _Note:
    """A note as it came, and what a ledger of the policy signed in it."""

    data: bytes
    checkpoint: Checkpoint


def _contradict(one: Checkpoint, other: Checkpoint) -> bool:
    """Two roots for one size: a fork that needs no tile to be seen."""
    return one.size == other.size and one.root != other.root


def _opened(data: bytes, policy: Policy) -> _Note:
    try:
        return _Note(data, open_checkpoint(data, policy).checkpoint)
    except CryptoCoreError as error:
        raise CheckpointInvalid(error.code) from None


def _given(data: bytes, policy: Policy) -> _Note:
    try:
        return _opened(data, policy)
    except CheckpointInvalid as error:
        raise NoteUnfit(error.detail) from None


def _texts(notes: Iterable[_Note]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.data.decode() for one in notes))[-UNCOMPARED:]
