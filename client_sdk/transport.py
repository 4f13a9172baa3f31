"""The only socket: requests out, answers in, checked against the wire's schemas.

Knows: HTTP, the table of endpoints, how often to try again. Refuses to know: keys, and what is inside the bytes.

Nothing is ever sent after a redirect, nor without TLS except to this very device. A request that may be repeated
(the table below) is, a few times, when no answer came; whatever else fails is the caller's to judge.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlencode

import certifi
import urllib3
from marshmallow import Schema, ValidationError
from urllib3.exceptions import DecodeError, HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from client_sdk.errors import NetworkError, Refused, ServerAddress, ServerFault
from crypto_core.encoding import format_b64, format_b64url, format_json, parse_json
from crypto_core.errors import MalformedError
from schemas import limits
from schemas.endpoints import ENDPOINTS, JSON, OCTETS, Endpoint
from schemas.problems import PROBLEMS
from schemas.vault import Problem

ANSWER = 32 * 1024 * 1024
"""The largest JSON answer that is read: a full page of a sync in base64url is smaller."""
TRIES = 4
_ONCE = {
    ("POST", "/v1/login/finish"), ("POST", "/v1/pin"), ("POST", "/v1/pin/reopen"), ("POST", "/v1/confirm"),
    ("POST", "/v1/links/<id:bundle>"),
}
"""A second try of these would spend a challenge or a guess: the person decides. All others are idempotent."""
_TIMEOUT = urllib3.Timeout(connect=15.0, read=60.0)
_CONNECTIONS = 32
"""Kept open for the next request; more than ever are at work at once."""
PIECE = 8 * limits.UNIT
"""Blobs are read up to the next border of so many units at once, so that what comes fast enough is never cut or joined
again. Whatever has arrived is given on before a connection breaks."""
_HEADERS = {"User-Agent": "temoin", "Accept": "*/*", "Accept-Encoding": "identity"}
_PUBLISHED = {**_HEADERS, "Accept-Encoding": "gzip, identity"}
_Piece = bytes | memoryview
_PLACE = re.compile(r"<\w+:(\w+)>")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


class Transport(Protocol):
    """What the SDK needs of a connection to one vault. Raises Refused, NetworkError and ServerFault."""

    @property
    def host(self) -> str:
        """The host as signatures name it: lower case, with the port unless it is the default."""

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None, *, token: bytes | None = None,
        headers: Mapping[str, str] | None = None, query: Mapping[str, Any] | None = None, **places: bytes | int | str,
    ) -> dict[str, Any]:
        """One JSON request to an endpoint of the table; `path` as it stands there, `places` fills it.

        A body in bytes is sent as it is. What comes back has passed the endpoint's schema.
        """

    def put(
        self, path: str, pieces: Sequence[_Piece], digests: Sequence[bytes], *, token: bytes, **places: bytes | int
    ) -> dict[str, Any]:
        """Bytes with the SHA-256 of each piece, tried once: the caller keeps what it has to send again."""

    def read(
        self, path: str, start: int = 0, stop: int | None = None, *, token: bytes | None = None,
        **places: bytes | int | str,
    ) -> Iterator[bytes]:
        """The bytes [start, stop) of a body, or all of it; goes on where it was when a connection breaks."""

    def close(self) -> None: ...


class Wire(Protocol):
    """What the transport needs of urllib3's connections to one host."""

    def urlopen(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> urllib3.BaseHTTPResponse: ...

    def close(self) -> None: ...


@dataclass
class HttpTransport:
    """A Transport over HTTP. `wire` takes the network's place in tests; `sleep` waits between tries."""

    base_url: str
    wire: Wire | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        url = _vault_url(self.base_url)
        self._host = url.netloc or ""
        self._wire = self.wire or connect(url)

    @property
    def host(self) -> str:
        return self._host

    def close(self) -> None:
        self._wire.close()

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None, *, token: bytes | None = None,
        headers: Mapping[str, str] | None = None, query: Mapping[str, Any] | None = None, **places: bytes | int | str,
    ) -> dict[str, Any]:
        row = endpoint(method, path)
        content = body if body is None or isinstance(body, bytes) else dump_body(row, body)
        sent = {**_authorization(token), **(headers or {})}
        if content is not None:
            sent["Content-Type"] = JSON
        target = _filled(path, places) + ("?" + urlencode(query) if query else "")

        def once() -> dict[str, Any]:
            with self._answer(method, target, content, sent) as answer:
                return _loaded(row, answer.status, _collect(answer))

        return once() if (method, path) in _ONCE else self._tried(once)

    def put(
        self, path: str, pieces: Sequence[_Piece], digests: Sequence[bytes], *, token: bytes, **places: bytes | int
    ) -> dict[str, Any]:
        row = endpoint("PUT", path)
        sent = {
            **_authorization(token), "Content-Type": OCTETS, "Content-Length": str(sum(map(len, pieces))),
            "Content-Digest" if len(digests) == 1 else "Temoin-Unit-Digests":
                f"sha-256=:{format_b64(b''.join(digests))}:",
        }
        with self._answer("PUT", _filled(path, places), pieces, sent) as answer:
            return _loaded(row, answer.status, _collect(answer))

    def read(
        self, path: str, start: int = 0, stop: int | None = None, *, token: bytes | None = None,
        **places: bytes | int | str,
    ) -> Iterator[bytes]:
        target, position, left = _filled(path, places), start, TRIES
        while True:
            try:
                for block in self._blocks(target, position, stop, token):
                    position, left = position + len(block), TRIES
                    yield block
                return
            except NetworkError:
                left -= 1
                if not left:
                    raise
                self.sleep(_pause(TRIES - left))

    def _blocks(self, target: str, start: int, stop: int | None, token: bytes | None) -> Iterator[bytes]:
        sent = _authorization(token)
        whole = start == 0 and stop is None
        if not whole:
            sent["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        with self._answer("GET", target, None, sent) as answer:
            if answer.status >= 400:
                raise _refusal(answer.status, _collect(answer))
            expected = _expected(answer, start, stop, whole)
            for block in _bytes_of(answer, start):
                if expected is not None:
                    expected -= len(block)
                    if expected < 0:
                        raise ServerFault("more bytes than asked for")
                yield block
            if expected:
                raise NetworkError("the answer ended early")

    def _answer(
        self, method: str, target: str, content: bytes | Iterable[_Piece] | None, headers: Mapping[str, str]
    ) -> _Answer:
        return _Answer(self._wire, method, target, content, {**_HEADERS, **headers})

    def _tried(self, once: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        for count in range(1, TRIES):
            try:
                return once()
            except NetworkError:
                self.sleep(_pause(count))
            except Refused as refusal:
                if refusal.code != "unavailable":
                    raise
                self.sleep(_pause(count))
        return once()


@dataclass
class PublishedFiles:
    """Files below a prefix that anybody may read, as c2sp.org/tlog-tiles publishes a ledger: `https://host/ledger`.

    May be used by several threads at once. `wire` and `sleep` as for HttpTransport.
    """

    prefix: str
    wire: Wire | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        url = _safe_url(self.prefix)
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
                self.sleep(_pause(count))
        return self._read(path, most)

    def close(self) -> None:
        self._wire.close()

    def _read(self, path: str, most: int) -> bytes | None:
        with _Answer(self._wire, "GET", f"{self._path}/{path}", None, _PUBLISHED) as answer:
            if answer.status in (404, 410):
                return None
            if answer.status != 200:
                raise _refusal(answer.status, _collect(answer))
            with _faults_as_network_errors():
                try:
                    data = answer.read(most + 1, decode_content=True)
                except DecodeError:
                    raise ServerFault("not the compression that the answer names") from None
        if len(data) > most:
            raise ServerFault("an answer that does not end")
        return data


class _Answer:
    """An answer while it is open. Everything that the network does wrong inside becomes a NetworkError."""

    def __init__(
        self, wire: Wire, method: str, target: str, content: bytes | Iterable[_Piece] | None, headers: Mapping[str, str]
    ) -> None:
        self._wire, self._method, self._target, self._content, self._headers = wire, method, target, content, headers

    def __enter__(self) -> urllib3.BaseHTTPResponse:
        with _faults_as_network_errors():
            self._response = self._wire.urlopen(
                self._method, self._target, self._content, self._headers, retries=False, redirect=False,
                preload_content=False, decode_content=False, assert_same_host=False,
            )
        return self._response

    def __exit__(self, _type: object, _error: object, _trace: object) -> None:
        self._response.close()


def connect(url: Url) -> Wire:
    """The connections to a vault: with TLS under the authorities of certifi, or of SSL_CERT_FILE; through the proxy
    that the system names, unless it is this very device."""
    host, port = url.host or "", url.port
    if url.scheme == "http":  # without TLS, not reading all authorities saves 20 ms a start
        return urllib3.HTTPConnectionPool(host, port, timeout=_TIMEOUT, maxsize=_CONNECTIONS)
    paths = ssl.get_default_verify_paths()
    given = paths.cafile if paths.cafile != paths.openssl_cafile else None
    context = ssl.create_default_context(cafile=given or certifi.where())
    is_near = _is_loopback(host) or urllib.request.proxy_bypass(host)
    proxy = None if is_near else urllib.request.getproxies().get("https")
    made: dict[str, Any] = {"ssl_context": context, "timeout": _TIMEOUT, "maxsize": _CONNECTIONS}
    manager = urllib3.ProxyManager(proxy, **made) if proxy else urllib3.PoolManager(**made)
    return manager.connection_from_host(host, port, "https")


@contextmanager
def _faults_as_network_errors() -> Iterator[None]:
    try:
        yield
    except (HTTPError, OSError, http.client.HTTPException) as error:
        raise NetworkError(type(error).__name__) from None


def endpoint(method: str, path: str) -> Endpoint:
    """The row of the table. Raises KeyError for a row that isn't there: our mistake."""
    return _table()[method, path]


def dump_body(row: Endpoint, body: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON request. They are kept where they are signed or may be sent again."""
    assert isinstance(row.takes, type)
    return format_json(_schema(row.takes).dump(body))


def load_answer(schema: type[Schema], data: bytes) -> dict[str, Any]:
    """What a JSON answer says. Raises ServerFault for anything that its schema does not allow."""
    try:
        loaded: dict[str, Any] = _schema(schema).load(parse_json(data))
    except (MalformedError, ValidationError):
        raise ServerFault("an answer that its schema does not allow") from None
    return loaded


def _loaded(row: Endpoint, status: int, data: bytes) -> dict[str, Any]:
    if status >= 400:
        raise _refusal(status, data)
    if status not in (200, row.status):
        raise ServerFault(f"status {status}")
    fault = ServerFault("an answer that no schema knows")
    for schema in row.gives:
        if isinstance(schema, type):
            try:
                return load_answer(schema, data)
            except ServerFault as error:
                fault = error
    raise fault


def _refusal(status: int, data: bytes) -> Refused | ServerFault | NetworkError:
    try:
        problem: dict[str, Any] = _schema(Problem).load(parse_json(data))
    except (MalformedError, ValidationError):
        return NetworkError(f"status {status}") if status in (502, 503, 504) else ServerFault(f"status {status}")
    code = problem["code"]
    if code not in PROBLEMS or PROBLEMS[code].status != status or code == "internal":
        return ServerFault(f"status {status}")
    wait = problem.get("retry_after")
    extra = {name: value for name, value in problem.items() if name not in _PROBLEM_FIELDS}
    return Refused(code, status, PROBLEMS[code].sentence, wait if isinstance(wait, int) else None, extra)


def _collect(answer: urllib3.BaseHTTPResponse) -> bytes:
    data = bytearray()
    for block in _bytes_of(answer):
        data += block
        if len(data) > ANSWER:
            raise ServerFault("an answer that does not end")
    return bytes(data)


def _bytes_of(answer: urllib3.BaseHTTPResponse, at: int = 0) -> Iterator[bytes]:
    """The body, which is that of a blob from byte `at` on, in blocks that reach to the next border at most."""
    while True:
        border = limits.HEADER + PIECE * (max(0, at - limits.HEADER) // PIECE + 1)
        with _faults_as_network_errors():
            block = answer.read1(border - at)
        if not block:
            return
        at += len(block)
        yield block


def _expected(answer: urllib3.BaseHTTPResponse, start: int, stop: int | None, whole: bool) -> int | None:
    """How many bytes the answer must have, where it says so. Raises ServerFault if it isn't what was asked for."""
    if answer.status == (200 if whole else 206):
        if not whole:
            said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not said or int(said[1]) != start or (stop is not None and int(said[2]) != min(stop, int(said[3])) - 1):
                raise ServerFault("another range than asked for")
            return int(said[2]) + 1 - start
        length = answer.headers.get("Content-Length", "")
        return int(length) if re.fullmatch(r"\d{1,19}", length, re.ASCII) else None
    raise ServerFault(f"status {answer.status}")


def _authorization(token: bytes | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {format_b64url(token)}"}


def _filled(path: str, places: Mapping[str, bytes | int | str]) -> str:
    def spelled(match: re.Match[str]) -> str:
        value = places[match[1]]
        return format_b64url(value) if isinstance(value, bytes) else str(value)

    return _PLACE.sub(spelled, path)


def _pause(count: int) -> float:
    return 0.25 * 2.0**count


def _vault_url(text: str) -> Url:
    url = _safe_url(text)
    if url.path not in (None, "", "/"):
        raise ServerAddress("an address is a host and perhaps a port, nothing more")
    return Url(url.scheme, host=url.host, port=url.port)


def _safe_url(text: str) -> Url:
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


@cache
def _table() -> dict[tuple[str, str], Endpoint]:
    return {(row.method, row.path): row for row in ENDPOINTS}


@cache
def _schema(schema: type[Schema]) -> Schema:
    return schema()


_PROBLEM_FIELDS = ("type", "title", "status", "code", "detail", "retry_after")
