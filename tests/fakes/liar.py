"""A ledger that is a list of leaves and a key: it signs what it is told to, also what no honest ledger signs.

Knows: trees, notes, the request of tlog-witness. Refuses to know: databases, and who believes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import SignerKey, format_vkey, sign_note
from crypto_core.receipts.submission import Submission, format_submission
from crypto_core.receipts.tree import NodeReader, consistency_proof, new_nodes, root

ORIGIN = "ledger.example/2026"


@dataclass
class FakeLedger:
    """`words` make the leaves: another word at a place is another history from there on."""

    words: list[str] = field(default_factory=list)
    signer: SignerKey = field(default_factory=lambda: SignerKey(ORIGIN, bytes(range(32))))

    @classmethod
    def of(cls, size: int) -> FakeLedger:
        return cls([f"entry {number}" for number in range(size)])

    @property
    def vkey(self) -> str:
        return format_vkey(self.signer.verifier)

    def grow(self, count: int = 1) -> FakeLedger:
        start = len(self.words)
        self.words += [f"entry {number}" for number in range(start, start + count)]
        return self

    def forked(self, place: int) -> FakeLedger:
        """The same but for the leaf at `place`."""
        words = list(self.words)
        words[place] = f"another {words[place]}"
        return replace(self, words=words)

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = len(self.words) if size is None else size
        return Checkpoint(self.signer.name, size, root(size, self._reader()))

    def note(self, size: int | None = None, extensions: tuple[str, ...] = ()) -> str:
        return sign_note(format_checkpoint(replace(self.checkpoint(size), extensions=extensions)), self.signer)

    def proof(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        return tuple(consistency_proof(old, len(self.words) if new is None else new, self._reader()))

    def submission(self, old: int, new: int | None = None) -> bytes:
        """What an honest ledger sends a witness that has seen `old` entries."""
        return format_submission(Submission(old, self.proof(old, new), self.note(new)))

    def _reader(self) -> NodeReader:
        leaves = [hash_leaf(word.encode()) for word in self.words]
        kept = {(level, index): value for level, index, value in new_nodes(0, leaves, lambda *_: b"")}
        return lambda level, index: kept[level, index]
