"""Asks a time-stamping authority, over HTTP (RFC 3161 §3.4).

Knows: the authority's address, and how long it may take. Refuses to know: what it stamps, and whether its answer is
worth anything. Nothing but a hash and a number ever goes out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from cryptography.x509 import Certificate
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError as NoAnswer

from crypto_core.errors import MalformedError, TemoinError
from crypto_core.receipts.anchor import MAX_CHAIN_SIZE, MAX_TOKEN_SIZE, parse_certificates
from server.config import ConfigRefused, ServerConfig

PATIENCE = 10.0
"""Seconds for a whole answer."""
_QUERY = "application/timestamp-query"


class AuthoritySilent(TemoinError):
    """No whole answer in time."""

    code = "tsa_unreachable"
    sentence = "The time-stamping authority does not answer. Nothing is lost: it is asked again later."


class AuthorityFailed(TemoinError):
    """An answer that is none. `detail` has its status."""

    code = "tsa_failed"
    sentence = "The time-stamping authority gave no token. Look at the address, and ask those who run it."


class Authority:
    """One authority. `certificates` are the operator's: what they lead to is believed."""

    def __init__(self, url: str, certificates: Sequence[Certificate], patience: float = PATIENCE) -> None:
        self.certificates = certificates
        self.url = url
        self._patience = patience
        timeout = Timeout(connect=patience, read=patience)
        self._pool = PoolManager(maxsize=1, timeout=timeout, retries=Retry(0, redirect=0, raise_on_redirect=False))

    def ask(self, query: bytes) -> bytes:
        """The answer to a TimeStampReq. Raises AuthoritySilent, AuthorityFailed."""
        deadline = time.monotonic() + self._patience
        try:
            answer = self._pool.request(
                "POST", self.url, body=query, headers={"Content-Type": _QUERY}, preload_content=False
            )
            try:
                if answer.status != 200:
                    raise AuthorityFailed(f"status {answer.status}")
                data = bytearray()
                while piece := answer.read1(MAX_TOKEN_SIZE):  # whatever is there, so that a trickle is seen as one
                    data += piece
                    if len(data) > MAX_TOKEN_SIZE:
                        raise AuthorityFailed("an answer that does not end")
                    if time.monotonic() > deadline:
                        raise AuthoritySilent("a trickle")
                return bytes(data)
            finally:
                answer.close()
        except (HTTPError, OSError) as error:
            raise AuthoritySilent(_words_of(error)) from None

    def close(self) -> None:
        """Lets go of an idle connection."""
        self._pool.clear()


def _words_of(error: Exception) -> str:
    match getattr(error, "reason", error):  # of a request that is not tried again
        case NewConnectionError():  # a NoAnswer as well
            return "no connection"
        case NoAnswer():
            return "no answer in time"
        case SSLError():
            return "no certificate that is trusted"
        case _:
            return "a connection that broke off"


def open_authority(config: ServerConfig) -> Authority | None:
    """The configured one, None if there is none; nothing is asked of it yet. Raises ConfigRefused."""
    if not config.tsa_url or config.tsa_roots is None:
        return None
    try:
        with config.tsa_roots.open("rb") as file:
            certificates = parse_certificates(file.read(MAX_CHAIN_SIZE + 1))
    except (OSError, MalformedError):
        raise ConfigRefused("TEMOIN_TSA_ROOTS is a file with the authority's certificates in PEM") from None
    return Authority(config.tsa_url, certificates)
