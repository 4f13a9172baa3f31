"""Where the bytes of large blobs lie: one port, held by one contract test (tests/contract/test_blob_stores.py).

Knows: blobs by their 16-byte id, being staged in pieces and then kept, once.
Refuses to know: accounts, units, the tables of the vault (the s3 store has one of its own).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

PIECE = 256 * 1024
"""Bytes that are read and handed on at once."""


class NotStaged(Exception):
    """Less was staged than the blob has, and it is not kept either."""


class NotKept(Exception):
    """No blob of this id is kept, or not to this length."""


class BlobStore(Protocol):
    """Durable when it returns. Every method raises Refusal `storage_full` or `unavailable` when the disk does.

    A blob is staged (any part, any order, again and again), then finished: checked and kept under its id, for good
    and unchanged. What is staged can still be discarded; what is kept can only be deleted whole.
    """

    def stage(self, blob: bytes, offset: int, length: int, pieces: Iterable[bytes]) -> None:
        """Writes `pieces`, `length` bytes in all, from `offset` on, as they come; others may be staging the same blob.

        What `pieces` raises goes to the caller, and nothing is promised of the part written until then.
        Raises Refusal `upload_complete` if the blob was finished meanwhile; what is kept is never touched. A store
        that notices that it was discarded meanwhile raises Refusal `not_found`.
        """

    def staged(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        """The staged bytes [start, stop) in pieces; it ends early where nothing was staged."""

    def staging(self) -> Sequence[bytes]:
        """The blobs of which anything is staged, or on its way: whoever keeps no account of them finds strays here."""

    def finish(self, blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        """Hashes the `size` staged bytes, calls `check` with their SHA-256, and keeps them unless that raises.

        If the blob is kept already, the bytes kept are hashed and checked, and stay as they are whatever was staged
        since. Raises NotStaged if it was neither, or Refusal `blob_conflict` if one of another size is kept.
        """

    def read(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        """The kept bytes [start, stop) in pieces. Raises NotKept before the first piece if there is no such blob."""

    def size(self, blob: bytes) -> int | None:
        """The length of a kept blob; None if there is none."""

    def discard(self, blob: bytes) -> None:
        """Drops what is staged, if anything. Within a write of the vault's database it is a matter of moments."""

    def delete(self, blob: bytes) -> None:
        """Drops what is kept, if anything; as fast."""

    def close(self) -> None:
        """Lets go of idle connections, if there are any."""

    def sweep(self) -> None:
        """Removes the bytes of what was dropped, where that takes longer; what can't be removed now, the next time."""
