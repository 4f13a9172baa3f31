"""Public files as they lie at an address: what anybody reads of a ledger, without an account or a session.

Knows: GET, 404, compression, how often to try again. Refuses to know: what the files say, and the table of endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from client_sdk.errors import NetworkError, ServerFault
from client_sdk.transport import HEADERS, TRIES, collect, pause, refusal
from client_sdk.wire import Answer, Wire, connect, read_unpacked, safe_url

_HEADERS = {**HEADERS, "Accept-Encoding": "gzip, identity"}


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

        Raises NetworkError, or ServerFault for any other answer.
        """
        for count in range(1, TRIES):
            try:
                return self._read(path, most)
            except NetworkError:
                self.sleep(pause(count))
        return self._read(path, most)

    def close(self) -> None:
        self._wire.close()

    def _read(self, path: str, most: int) -> bytes | None:
        with Answer(self._wire, "GET", f"{self._path}/{path}", None, _HEADERS) as answer:
            if answer.status in (404, 410):
                return None
            if answer.status != 200:
                raise refusal(answer.status, collect(answer))
            data = read_unpacked(answer, most)
        if len(data) > most:
            raise ServerFault("an answer that does not end")
        return data
