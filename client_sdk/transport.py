"""The only socket: requests out, answers in, checked against the wire's schemas.

Knows: HTTP, the table of endpoints, how often to try again. Refuses to know: keys, and what is inside the bytes.

Nothing is ever sent after a redirect, nor without TLS except to this very device. A request that may be repeated
(the table below) is, a few times, when no answer came; whatever else fails is the caller's to judge.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from marshmallow import Schema, ValidationError

from client_sdk.errors import NetworkError, Refused, ServerAddress, ServerFault
from crypto_core.encoding import format_b64, format_b64url, format_json, parse_json
from crypto_core.errors import MalformedError
from schemas.endpoints import ENDPOINTS, JSON, OCTETS, Endpoint
from schemas.problems import PROBLEMS
from schemas.vault import Problem

ANSWER = 32 * 1024 * 1024
"""The largest JSON answer that is read: a full page of a sync in base64url is smaller."""
TRIES = 4
_ONCE = {("POST", "/v1/login/finish"), ("POST", "/v1/pin"), ("POST", "/v1/pin/reopen"), ("POST", "/v1/confirm")}
"""A second try of these would spend a challenge or a guess: the person decides. All others are idempotent."""
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
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

    def put(self, path: str, pieces: Sequence[bytes], *, token: bytes, **places: bytes | int) -> dict[str, Any]:
        """Bytes with their digest, tried once: the caller keeps what it has to send again."""

    def read(
        self, path: str, start: int = 0, stop: int | None = None, *, token: bytes | None = None,
        **places: bytes | int | str,
    ) -> Iterator[bytes]:
        """The bytes [start, stop) of a body, or all of it; goes on where it was when a connection breaks."""

    def close(self) -> None: ...


@dataclass
class HttpTransport:
    """A Transport over HTTP. `wire` takes httpx's place of the network in tests; `sleep` waits between tries."""

    base_url: str
    wire: httpx.BaseTransport | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        url = _vault_url(self.base_url)
        self._host = url.netloc.decode("ascii").lower()
        self._client = _client(url, self.wire, "identity")

    @property
    def host(self) -> str:
        return self._host

    def close(self) -> None:
        self._client.close()

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
                return _loaded(row, answer.status_code, _collect(answer))

        return once() if (method, path) in _ONCE else self._tried(once)

    def put(self, path: str, pieces: Sequence[bytes], *, token: bytes, **places: bytes | int) -> dict[str, Any]:
        row, digest = endpoint("PUT", path), sha256()
        for piece in pieces:
            digest.update(piece)
        sent = {
            **_authorization(token), "Content-Type": OCTETS, "Content-Length": str(sum(map(len, pieces))),
            "Content-Digest": f"sha-256=:{format_b64(digest.digest())}:",
        }
        body = _Body(pieces)
        try:
            with self._answer("PUT", _filled(path, places), body, sent) as answer:
                return _loaded(row, answer.status_code, _collect(answer))
        finally:
            body.pieces = ()

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
            if answer.status_code >= 400:
                raise _refusal(answer.status_code, _collect(answer))
            expected = _expected(answer, start, stop, whole)
            for block in _bytes_of(answer):
                if expected is not None:
                    expected -= len(block)
                    if expected < 0:
                        raise ServerFault("more bytes than asked for")
                yield block
            if expected:
                raise NetworkError("the answer ended early")

    def _answer(
        self, method: str, target: str, content: bytes | Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> _Answer:
        return _Answer(self._client, self._client.build_request(method, target, content=content, headers=headers))

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
    wire: httpx.BaseTransport | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        self._client = _client(_safe_url(self.prefix.rstrip("/")), self.wire, "gzip, identity")

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
        self._client.close()

    def _read(self, path: str, most: int) -> bytes | None:
        with _Answer(self._client, self._client.build_request("GET", path)) as answer:
            if answer.status_code in (404, 410):
                return None
            if answer.status_code != 200:
                raise _refusal(answer.status_code, _collect(answer))
            return _collect(answer, most, decoded=True)


class _Answer:
    """An answer while it is open. Everything that the network does wrong inside becomes a NetworkError."""

    def __init__(self, client: httpx.Client, request: httpx.Request) -> None:
        self._client, self._request = client, request

    def __enter__(self) -> httpx.Response:
        try:
            self._response = self._client.send(self._request, stream=True)
        except httpx.TransportError as error:
            raise NetworkError(type(error).__name__) from None
        return self._response

    def __exit__(self, _type: object, _error: object, _trace: object) -> None:
        self._response.close()


class _Body:
    """A body in pieces that can be let go of: httpx's requests and answers hold each other, and so what was sent."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        number = 0
        while number < len(self.pieces):
            yield self.pieces[number]
            number += 1


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


def _collect(answer: httpx.Response, most: int | None = None, *, decoded: bool = False) -> bytes:
    data, most = bytearray(), ANSWER if most is None else most
    for block in _bytes_of(answer, decoded=decoded):
        data += block
        if len(data) > most:
            raise ServerFault("an answer that does not end")
    return bytes(data)


def _bytes_of(answer: httpx.Response, *, decoded: bool = False) -> Iterator[bytes]:
    try:
        yield from answer.iter_bytes() if decoded else answer.iter_raw()
    except httpx.TransportError as error:
        raise NetworkError(type(error).__name__) from None
    except httpx.DecodingError:
        raise ServerFault("not the compression that the answer names") from None


def _expected(answer: httpx.Response, start: int, stop: int | None, whole: bool) -> int | None:
    """How many bytes the answer must have, where it says so. Raises ServerFault if it isn't what was asked for."""
    if answer.status_code == (200 if whole else 206):
        if not whole:
            said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not said or int(said[1]) != start or (stop is not None and int(said[2]) != min(stop, int(said[3])) - 1):
                raise ServerFault("another range than asked for")
            return int(said[2]) + 1 - start
        length = answer.headers.get("Content-Length", "")
        return int(length) if re.fullmatch(r"\d{1,19}", length, re.ASCII) else None
    raise ServerFault(f"status {answer.status_code}")


def _authorization(token: bytes | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {format_b64url(token)}"}


def _filled(path: str, places: Mapping[str, bytes | int | str]) -> str:
    def spelled(match: re.Match[str]) -> str:
        value = places[match[1]]
        return format_b64url(value) if isinstance(value, bytes) else str(value)

    return _PLACE.sub(spelled, path)


def _pause(count: int) -> float:
    return 0.25 * 2.0**count


def _client(url: httpx.URL, wire: httpx.BaseTransport | None, encoding: str) -> httpx.Client:
    return httpx.Client(
        base_url=url, transport=wire, timeout=_TIMEOUT, follow_redirects=False, cookies=None,
        verify=url.scheme == "https",  # without TLS, not reading all authorities saves 20 ms a start
        trust_env=not _is_loopback(url.host), headers={"User-Agent": "temoin", "Accept-Encoding": encoding},
    )


def _vault_url(text: str) -> httpx.URL:
    url = _safe_url(text)
    if url.path not in ("", "/"):
        raise ServerAddress("an address is a host and perhaps a port, nothing more")
    return url


def _safe_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ServerAddress("not a URL") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise ServerAddress("https://… was expected")
    if url.userinfo or url.query or url.fragment:
        raise ServerAddress("an address is a host and perhaps a port, nothing more")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ServerAddress("http to another device")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def _table() -> dict[tuple[str, str], Endpoint]:
    return {(row.method, row.path): row for row in ENDPOINTS}


@cache
def _schema(schema: type[Schema]) -> Schema:
    return schema()


_PROBLEM_FIELDS = ("type", "title", "status", "code", "detail", "retry_after")
