"""The only socket: connections to one host, where they may lead, and an answer while it is open.

Knows: urllib3, TLS, the system's proxy. Refuses to know: what is asked for, and what the bytes say.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    DecodeError, HTTPError, LocationParseError, NewConnectionError, SSLError, TimeoutError as NoAnswer,
)
from urllib3.util import Url, parse_url

from client_sdk.errors import NetworkError, ServerAddress, ServerFault

Reply = urllib3.BaseHTTPResponse
Piece = bytes | memoryview
_TIMEOUT = urllib3.Timeout(connect=15.0, read=60.0)
_CONNECTIONS = 32
"""Kept open for the next request; more than ever are at work at once."""
_NEVER = urllib3.Retry(False, redirect=False)
_PART = 65_536
"""Bytes that a socket is handed at once; they leave within a minute at nine kilobits a second."""
_SMALL = 16_384
"""Bodies of up to so many bytes leave in one piece with their headers."""


class Wire(Protocol):
    """What is needed of urllib3's connections to one host."""

    def urlopen(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Reply: ...

    def close(self) -> None: ...


class Answer:
    """An answer while it is open. Everything that the network does wrong inside becomes a NetworkError."""

    def __init__(
        self, wire: Wire, method: str, target: str, content: bytes | Iterable[Piece] | None, headers: Mapping[str, str]
    ) -> None:
        self._wire, self._method, self._target, self._content, self._headers = wire, method, target, content, headers

    def __enter__(self) -> Reply:
        with network_faults():
            self._response = self._wire.urlopen(
                self._method, self._target, self._content, self._headers, retries=_NEVER, redirect=False,
                preload_content=False, decode_content=False, assert_same_host=False,
            )
        return self._response

    def __exit__(self, _type: object, _error: object, _trace: object) -> None:
        self._response.close()


class _Connection(HTTPConnection):
    """A small body leaves in one piece with its headers: one packet, for which the other side is woken once.

    A large one leaves in parts, because the time that a socket gives to what it is handed is for all of that, however
    long it is: a slow network carries it, and only one on which nothing moves is given up.
    """

    _held: list[bytes] | None = None

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_TIMEOUT.read_timeout)  # urllib3 would give a request the time that connecting has

    def request(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        self._held = [] if isinstance(body, bytes) and len(body) <= _SMALL else None
        if self.sock is not None:
            self.timeout = _TIMEOUT.read_timeout  # and so also on a connection that is there
        try:
            super().request(method, url, body, headers, **options)
        finally:
            pieces, self._held = self._held, None
        if pieces:
            self.send(b"".join(pieces))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
        elif isinstance(data, (bytes, memoryview)):
            whole = memoryview(data)
            for start in range(0, len(whole), _PART):
                super().send(whole[start:start + _PART])
        else:
            super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    """The same, under TLS."""


def connect(url: Url) -> Wire:
    """The connections to a vault: with TLS under the authorities of certifi, or of SSL_CERT_FILE; through the proxy
    that the system names, unless it is this very device."""
    host, port = url.host or "", url.port
    if url.scheme == "http":  # without TLS, not reading all authorities saves 20 ms a start
        plain = urllib3.HTTPConnectionPool(host, port, timeout=_TIMEOUT, maxsize=_CONNECTIONS)
        plain.ConnectionCls = _Connection
        return plain
    paths = ssl.get_default_verify_paths()
    given = paths.cafile if paths.cafile != paths.openssl_cafile else None
    context = ssl.create_default_context(cafile=given or certifi.where())
    is_near = _is_loopback(host) or urllib.request.proxy_bypass(host)
    proxy = None if is_near else urllib.request.getproxies().get("https")
    made: dict[str, Any] = {"ssl_context": context, "timeout": _TIMEOUT, "maxsize": _CONNECTIONS}
    manager = urllib3.ProxyManager(proxy, **made) if proxy else urllib3.PoolManager(**made)
    sealed = manager.connection_from_host(host, port, "https")
    sealed.ConnectionCls = _TlsConnection
    return sealed


def read_unpacked(answer: Reply, most: int) -> bytes:
    """The body, at most one byte more than `most`, out of the compression that the answer names.

    Raises NetworkError, or ServerFault if it is another one.
    """
    with network_faults():
        try:
            return answer.read(most + 1, decode_content=True)
        except DecodeError:
            raise ServerFault("not the compression that the answer names") from None


@contextmanager
def network_faults() -> Iterator[None]:
    """Whatever the network does wrong inside is a NetworkError."""
    try:
        yield
    except (HTTPError, OSError, http.client.HTTPException) as error:
        raise NetworkError(_words_of(error)) from None


def _words_of(error: Exception) -> str:
    match error:
        case NewConnectionError():  # a NoAnswer as well
            return "no connection"
        case NoAnswer():
            return "no answer in time"
        case SSLError(args=(ssl.SSLCertVerificationError(), *_)):
            return "no certificate that is trusted"
        case SSLError():
            return "no TLS there; a vault on this device has an http address"
        case _:
            return "the connection broke off"


def vault_url(text: str) -> Url:
    """The address of a vault, which is all of a host. Raises ServerAddress."""
    url = safe_url(text)
    if url.path not in (None, "", "/"):
        raise ServerAddress("an address is a host and perhaps a port, nothing more")
    return Url(url.scheme, host=url.host, port=url.port)


def safe_url(text: str) -> Url:
    """An address that may be asked: https, or http of this very device. Raises ServerAddress."""
    try:
        url = parse_url(text)
    except LocationParseError:
        raise ServerAddress("not a URL") from None
    if url.scheme not in ("https", "http") or not url.host or not url.host.isascii():
        raise ServerAddress("https://… was expected")
    if (url.auth, url.query, url.fragment) != (None, None, None):
        raise ServerAddress("an address is a host and perhaps a port, nothing more")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ServerAddress("http to another device")
    usual = {"https": 443, "http": 80}[url.scheme]
    return Url(url.scheme, host=url.host, port=None if url.port == usual else url.port, path=url.path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
