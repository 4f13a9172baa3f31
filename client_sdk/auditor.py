"""Checks a receipt alone: no account, no network, the vault may be gone.

Knows: a sealed file or its SHA-256, a receipt, a policy. Refuses to know: keys that open the file.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from client_sdk.errors import FileUnreadable
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt, verify_receipt

_BLOCK = 1024 * 1024


class Auditor:
    """Verifies receipts offline."""

    @staticmethod
    def check_receipt(sealed: Path | bytes, receipt: bytes, policy: Policy) -> VerifiedReceipt:
        """Proves that the sealed file (a path, or its SHA-256 in 32 bytes) stands in a ledger that `policy` trusts.

        Raises a leaf of VerificationError, whose `outcome` tells "invalid" from "not_yet"; or FileUnreadable.
        """
        if isinstance(sealed, bytes):
            return verify_receipt(receipt, sha256=sealed, size=None, policy=policy)
        digest, size = hash_file(sealed)
        return verify_receipt(receipt, sha256=digest, size=size, policy=policy)


def hash_file(path: Path) -> tuple[bytes, int]:
    """(SHA-256, length) of a file of any size, read in pieces. Raises FileUnreadable."""
    digest, size = sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise FileUnreadable.because(error) from None
    return digest.digest(), size
