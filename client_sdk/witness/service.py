"""The witness itself: which checkpoint it cosigns, and how it says no.

Knows: c2sp.org/tlog-witness, the ledgers that it was told to watch, and its own key. Refuses to know: sockets, files.
It signs one root for a size and never a smaller size, whatever its caller says and whenever it is killed: what it has
seen is durable before anything is signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crypto_core.errors import ConsistencyMismatch, MalformedError, NoteKeyRetired, NoteKeyUnknown, SignatureInvalid
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.note import SignerKey, VerifierKey, format_signatures, parse_note, sign
from crypto_core.receipts.policy import NONE, Log, Policy
from crypto_core.receipts.rotation import RotationChain, rotate_policy
from crypto_core.receipts.submission import SIZE_TYPE, Submission, format_size, parse_submission
from crypto_core.receipts.witnessed import open_checkpoint
from client_sdk.witness.steps import Clock, Steps
from client_sdk.witness.store import Seen, Store

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What travels back: status, media type, bytes."""

    status: int
    media_type: str
    body: bytes


REFUSALS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The body is not what c2sp.org/tlog-witness describes."),
    "old_beyond_new": (400, "The old size is larger than that of the checkpoint."),
    "key_retired": (403, "A key that has been replaced signed this, and not the one that replaced it."),
    "signature_untrusted": (403, "No key that this witness knows for the ledger has signed this."),
    "origin_unknown": (404, "This witness does not watch a ledger of this name."),
    "size_differs": (409, "Another size was seen last; the body says which."),
    "root_differs": (409, "Another root was seen for this size. Both notes are kept as evidence."),
    "proof_wrong": (422, "The proof does not lead from what was seen to this checkpoint."),
}
"""Code → status of C2SP, and a sentence."""


class Refused(Exception):
    """The witness does not sign, by a code of REFUSALS. `size`: what it has seen, where the protocol wants it told."""

    def __init__(self, code: str, size: int | None = None) -> None:
        super().__init__(code)
        self.code, self.size = code, size

    @property
    def answer(self) -> Answer:
        """As it travels."""
        status, sentence = REFUSALS[self.code]
        if self.size is not None:
            return Answer(status, SIZE_TYPE, format_size(self.size))
        return Answer(status, PLAIN, f"{self.code}: {sentence}\n".encode())


class Evidence(Protocol):
    """Where two notes that do not fit together are kept: `fork`, or `unproven`."""

    def keep(self, kind: str, held: str, offered: str) -> None: ...


class Witness:
    """Cosigns for the ledgers of `ledgers`, several keys for one origin allowed, with `signer`. `chains`: records by
    which some of them have come by other keys; RotationBroken for one that leads from none of the given keys."""

    def __init__(
        self, signer: SignerKey, ledgers: Iterable[VerifierKey], store: Store, evidence: Evidence, clock: Clock,
        steps: Steps, chains: Iterable[RotationChain] = (),
    ) -> None:
        self._signer, self._store, self._evidence = signer, store, evidence
        self._clock, self._steps = clock, steps
        self._policy = Policy(tuple(map(Log, ledgers)), (), (), NONE)
        for chain in chains:
            self._policy = rotate_policy(self._policy, chain)
        self._origins = {log.key.name for log in self._policy.logs}

    def add_checkpoint(self, body: bytes) -> bytes:
        """The cosignature line over the checkpoint in `body`, which is now the newest seen. Raises Refused."""
        try:
            submission = parse_submission(body)
        except MalformedError:
            raise Refused("malformed") from None
        offered = submission.checkpoint
        self._require_signature(submission, offered.origin)
        if submission.old > offered.size:
            raise Refused("old_beyond_new")
        self._store.advance(offered.origin, lambda held: self._follow(held, submission, offered), self._steps)
        self._steps.reach("witness.committed")
        text = parse_note(submission.note.encode()).text
        line = format_signatures([sign(text, self._signer, time=self._clock.now())])
        self._steps.reach("witness.signed")
        return line.encode()

    def _require_signature(self, submission: Submission, origin: str) -> None:
        if origin not in self._origins:
            raise Refused("origin_unknown")
        try:
            open_checkpoint(submission.note.encode(), self._policy)
        except (NoteKeyUnknown, SignatureInvalid):
            raise Refused("signature_untrusted") from None
        except NoteKeyRetired:
            raise Refused("key_retired") from None

    def _follow(self, held: Seen | None, submission: Submission, offered: Checkpoint) -> Seen:
        """What is seen from now on, if `offered` may follow what was seen. Raises Refused."""
        size = 0 if held is None else held.checkpoint.size
        if held is not None and size == offered.size and held.checkpoint.root != offered.root:
            self._evidence.keep("fork", held.note, submission.note)
            raise Refused("root_differs", size)
        if submission.old != size:
            raise Refused("size_differs", size)
        if held is not None:
            self._require_proof(held, submission, offered)
        elif submission.proof:
            raise Refused("proof_wrong")
        return Seen(offered, submission.note)

    def _require_proof(self, held: Seen, submission: Submission, offered: Checkpoint) -> None:
        known = held.checkpoint
        try:
            verify_consistency(known.size, offered.size, submission.proof, known.root, offered.root)
        except ConsistencyMismatch:
            self._evidence.keep("unproven", held.note, submission.note)
            raise Refused("proof_wrong") from None
