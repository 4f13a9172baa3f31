"""The state of the ledger that a pack brings: each tree under which its receipts stand is the beginning of that one;
and the records that lead from each of the ledger's keys to the others.

Knows: a signed checkpoint, proofs in the form of c2sp.org/tlog-witness, and published records (docs/spec/pack.md).
Refuses to know: where they lie, and receipts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from client_sdk.errors import NetworkError, Refused, ServerFault
from client_sdk.session import CHECKPOINT, CONSISTENCY, ROTATIONS, read_published
from client_sdk.transport import Transport
from crypto_core.errors import ConsistencyMismatch, CryptoCoreError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE, open_rotations, rotate_policy
from crypto_core.receipts.submission import Submission, format_submission, parse_submission
from crypto_core.receipts.witnessed import open_checkpoint
from schemas.limits import CHECKPOINT_NOTE


@dataclass(frozen=True)
class Continuity:
    """A checkpoint that a ledger of the policy signed, and by size the proofs that smaller trees are its beginning."""

    note: bytes
    checkpoint: Checkpoint
    proofs: Mapping[int, bytes]


def fetch_rotations(transport: Transport, policy: Policy) -> tuple[Policy, bytes]:
    """The policy in every key that the ledger's published records lead to, and these records. Both as they were before,
    without records, where there are none, none of this ledger that hold, or none to be had."""
    try:
        records = read_published(transport, ROTATIONS, MAX_ROTATIONS_SIZE)
        return rotate_policy(policy, open_rotations(records)), records
    except (NetworkError, ServerFault, Refused, CryptoCoreError):
        return policy, b""


def fetch_continuity(transport: Transport, policy: Policy, trees: Iterable[Checkpoint]) -> Continuity:
    """The newest public checkpoint, and that each smaller tree of its ledger is its beginning; all of it verified.

    Raises NetworkError, ServerFault, Refused; MalformedError, SignatureInvalid, NoteKeyUnknown, NoteKeyRetired; or
    ConsistencyMismatch, which means two histories.
    """
    data = bytearray()
    for block in transport.read(CHECKPOINT):
        data += block
        if len(data) > CHECKPOINT_NOTE:
            raise ServerFault("a note that is too long")
    note = bytes(data)
    newest = open_checkpoint(note, policy).checkpoint
    proofs = dict[int, bytes]()
    for tree in sorted(set(trees), key=lambda tree: tree.size):
        if tree.origin != newest.origin or tree.size > newest.size:
            continue
        if tree.size == newest.size:
            require_same(tree, newest)
            continue
        proof = transport.ask("GET", CONSISTENCY, query={"old": tree.size, "new": newest.size})["proof"]
        proofs[tree.size] = format_submission(Submission(tree.size, tuple(proof), note.decode("utf-8")))
        verify_beginning(tree, proofs[tree.size], note, newest)
    return Continuity(note, newest, proofs)


def require_same(tree: Checkpoint, newest: Checkpoint) -> None:
    """Raises ConsistencyMismatch for another root of one size."""
    verify_consistency(tree.size, newest.size, (), tree.root, newest.root)


def verify_beginning(tree: Checkpoint, proof: bytes, note: bytes, newest: Checkpoint) -> None:
    """Proves by the body of an `add-checkpoint` request that `tree` is the beginning of what `note` signs.

    Raises MalformedError, or ConsistencyMismatch, also for a proof of other trees than these two.
    """
    submission = parse_submission(proof)
    if submission.old != tree.size or submission.note.encode("utf-8") != note:
        raise ConsistencyMismatch("a proof of other trees")
    verify_consistency(tree.size, newest.size, submission.proof, tree.root, newest.root)
