"""Public files as they lie at an address: what anybody reads of a ledger, without an account or a session.

Knows: GET, 404, compression, how often to try again. Refuses to know: what the files say, and the table of endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from client_sdk.errors import NetworkError, ServerFault
from client_sdk.transport import HEADERS, TRIES, pause
from client_sdk.wire import Answer, Wire, connect, read_unpacked, safe_url

_HEADERS = {**HEADERS, "Accept-Encoding": "gzip, identity"}
CHECKPOINT = "checkpoint"
IN_A_VAULT = "ledger/"
"""Where a vault has them."""
_PASSING = (429, 502, 503, 504)
"""Answers of a server that is there and has no time, whatever else it says: the same as none."""


class FilesNotReached(NetworkError):
    """No answer where the files should be."""

    sentence = (
        "What is published at this address can't be read right now. All that was read before is kept. Look at the "
        "network, then give the same command again."
    )


@dataclass
class PublishedFiles:
    """Files below a prefix that anybody may read, as c2sp.org/tlog-tiles publishes a ledger: `https://host/ledger`.

    May be used by several threads at once. `wire` and `sleep` as for HttpTransport.
    """

    prefix: str
    wire: Wire | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        url = safe_url(self.prefix)
        self._path = (url.path or "").rstrip("/")
        self._wire = self.wire or connect(url)

    def read(self, path: str, most: int) -> bytes | None:
        """The file of at most `most` bytes at `<prefix>/<path>`, None if there is none (404, 410). Tried a few times.

        Raises FilesNotReached, or ServerFault for any other answer.
        """
        for count in range(1, TRIES):
            try:
                return self._read(path, most)
            except NetworkError:
                self.sleep(pause(count))
        try:
            return self._read(path, most)
        except NetworkError as error:
            raise FilesNotReached(error.detail) from None

    def close(self) -> None:
        self._wire.close()

    def _read(self, path: str, most: int) -> bytes | None:
        with Answer(self._wire, "GET", f"{self._path}/{path}", None, _HEADERS) as answer:
            if answer.status in (404, 410):
                return None
            if answer.status in _PASSING:
                raise NetworkError(f"status {answer.status}")
            if answer.status != 200:
                raise ServerFault(f"status {answer.status}")
            data = read_unpacked(answer, most)
        if len(data) > most:
            raise ServerFault("an answer that does not end")
        return data


@dataclass
class LedgerFiles:
    """A ledger's files: at the address given or, where that is a vault's own, below it."""

    files: PublishedFiles
    _below: str = field(default="", init=False)

    def read(self, path: str, most: int) -> bytes | None:
        """As `PublishedFiles.read`. The first file that is asked for has to be the checkpoint: it tells which it is."""
        found = self.files.read(self._below + path, most)
        if found is None and path == CHECKPOINT and not self._below:
            found = self.files.read(IN_A_VAULT + path, most)
            self._below = "" if found is None else IN_A_VAULT
        return found

    def close(self) -> None:
        self.files.close()
