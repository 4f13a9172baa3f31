"""Blobs in memory: the twin for tests, gone with the process.

Knows: the port in server.stores. Refuses to know: disks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from threading import RLock

from server.problems import Refusal
from server.stores import PIECE, NotKept, NotStaged


class MemoryBlobStore:
    """A BlobStore that forgets. Only for tests."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._staged: dict[bytes, bytearray] = {}
        self._kept: dict[bytes, bytes] = {}

    def stage(self, blob: bytes, offset: int, length: int, pieces: Iterable[bytes]) -> None:
        with self._lock:
            staging = self._staged.setdefault(blob, bytearray())
        for piece in pieces:
            with self._lock:
                if self._staged.get(blob) is not staging:
                    raise Refusal("upload_complete")
                staging.extend(bytes(max(0, offset + len(piece) - len(staging))))
                staging[offset:offset + len(piece)] = piece
            offset += len(piece)

    def staged(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        with self._lock:
            return _cut(bytes(self._staged.get(blob, b"")[start:stop]))

    def staging(self) -> Sequence[bytes]:
        with self._lock:
            return list(self._staged)

    def finish(self, blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        with self._lock:
            data = self._kept.get(blob)
            if data is None:
                data = bytes(self._staged.get(blob, b""))
                if len(data) != size:
                    raise NotStaged()
            elif len(data) != size:
                raise Refusal("blob_conflict")
            check(sha256(data).digest())
            self._kept[blob] = data
            self._staged.pop(blob, None)

    def read(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        with self._lock:
            kept = self._kept.get(blob)
        if kept is None or not 0 <= start <= stop <= len(kept):
            raise NotKept()
        return _cut(kept[start:stop])

    def size(self, blob: bytes) -> int | None:
        with self._lock:
            return len(self._kept[blob]) if blob in self._kept else None

    def discard(self, blob: bytes) -> None:
        with self._lock:
            self._staged.pop(blob, None)

    def delete(self, blob: bytes) -> None:
        with self._lock:
            self._kept.pop(blob, None)

    def sweep(self) -> None:
        """Nothing is left."""

    def close(self) -> None:
        """Nothing is open."""


def _cut(data: bytes) -> Iterator[bytes]:
    return iter([data[at:at + PIECE] for at in range(0, len(data), PIECE)])
