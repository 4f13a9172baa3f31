"""Hashes what streams by in a thread of its own, while the stream goes on.

Knows: order, and how far behind it may be. Refuses to know: what is hashed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from hashlib import sha256

BEHIND = 8
"""Blocks that may wait to be hashed."""


class Sha256Aside:
    """The SHA-256 of a stream. `line` does one thing at a time, in order: a pool of one thread."""

    def __init__(self, line: Executor) -> None:
        self._line, self._digest = line, sha256()
        self._waiting: deque[Future[None]] = deque()

    def update(self, block: bytes) -> None:
        """The next block, which nobody may change from now on."""
        self._waiting.append(self._line.submit(self._digest.update, block))
        if len(self._waiting) > BEHIND:
            self._waiting.popleft().result()

    def passing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks, each taken in as it goes by."""
        for block in blocks:
            self.update(block)
            yield block

    def digest(self) -> bytes:
        """32 bytes, of all that came so far."""
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.digest()
