"""A receipt in a ledger of a million entries, cosigned by two witnesses: how long it takes to verify, how large it is.

The file is hashed beforehand: whoever verifies has its SHA-256. No two of the receipts share a note, so that nothing
remembered from one helps with the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from bench.measure import Row, median_seconds
from crypto_core.encoding import u64
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import NONCE_SIZE, Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_leaf, root_from_inclusion
from crypto_core.receipts.note import COSIGNATURE, Note, SignerKey, format_note, format_vkey, sign
from crypto_core.receipts.policy import parse_policy
from crypto_core.receipts.receipt import Receipt, format_receipt, verify_receipt
from tests.fakes.ledgers import LEDGER, START

ENTRIES = 1_000_000
LEVELS = 20
"""Hashes in a proof for any entry of its first half, the longest there are."""
RECEIPTS = 200
WITNESSES = tuple(SignerKey(f"witness.example/{number}", bytes([number]) * 32, COSIGNATURE) for number in (4, 5))
SIZE = 10_000
MOST = 2 * 2**10


def measure() -> Iterator[Row]:
    policy = parse_policy("".join([
        f"log {format_vkey(LEDGER.verifier)}\n",
        *(f"witness {number} {format_vkey(one.verifier)}\n" for number, one in enumerate(WITNESSES)),
        "group both all 0 1\nquorum both\n",
    ]).encode())
    digests = [sha256(u64(number)).digest() for number in range(RECEIPTS)]
    made = [(digest, make_receipt(number, digest)) for number, digest in enumerate(digests)]

    def verify() -> None:
        for digest, receipt in made:
            assert verify_receipt(receipt, sha256=digest, size=SIZE, policy=policy).bound_time == START

    largest = max(len(receipt) for _, receipt in made)
    taken = median_seconds(verify) / RECEIPTS
    yield Row("a receipt with two witnesses, verified", 1, "receipt", taken, within=0.001)
    yield Row("its size", largest, "bytes", taken, most=MOST)


def make_receipt(number: int, digest: bytes) -> bytes:
    """That of one entry, in a tree whose other hashes are anything."""
    commitment = Commitment(bytes(NONCE_SIZE), START, SIZE, digest)
    proof = [sha256(u64(number) + u64(level)).digest() for level in range(LEVELS)]
    root = root_from_inclusion(number, ENTRIES, hash_leaf(entry_bytes(commitment)), proof)
    text = format_checkpoint(Checkpoint(LEDGER.name, ENTRIES, root))
    signatures = sign(text, LEDGER), *(sign(text, witness, time=START) for witness in WITNESSES)
    return format_receipt(Receipt(commitment.extra, number, tuple(proof), format_note(Note(text, signatures))))
