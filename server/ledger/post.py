"""The vault's way out to its witnesses: one POST, no redirect, no patience for the silent.

Knows: urllib3. Refuses to know: what is sent and what an answer means (server.ledger.submitting).
"""

from __future__ import annotations

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from crypto_core.receipts.note import MAX_NOTE_SIZE
from server.ledger.submitting import Posted, Unreachable

PATIENCE = Timeout(connect=3, read=10)
"""Seconds for a connection, and for the next byte of an answer."""
_HEADERS = {"User-Agent": "tlog", "Content-Type": "text/plain; charset=utf-8"}


class HttpPost:
    """A `submitting.Post` over HTTP, for several threads; connections are kept."""

    def __init__(self) -> None:
        self._pool = PoolManager(maxsize=16, timeout=PATIENCE, retries=False, headers=_HEADERS)

    def __call__(self, address: str, body: bytes) -> Posted:
        """Raises Unreachable, also for an answer that breaks off or does not end."""
        try:
            answer = self._pool.request("POST", address, body=body, redirect=False, preload_content=False)
            found = answer.read(MAX_NOTE_SIZE + 1)
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None
        if len(found) > MAX_NOTE_SIZE:
            answer.close()
            raise Unreachable("too long an answer")
        answer.release_conn()
        return Posted(answer.status, answer.headers.get("Content-Type", ""), found)

    def close(self) -> None:
        """Lets go of every connection."""
        self._pool.clear()
