"""What a vault is asked and answers: requests out, answers in, checked against the schemas.

Knows: HTTP, the table of endpoints, how often to try again. Refuses to know: keys, what is inside the bytes, and how
a connection is made (client_sdk.wire).

Nothing is ever sent after a redirect, nor without TLS except to this very device. A request that may be repeated
(the table below) is, a few times, when no answer came; whatever else fails is the caller's to judge.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlencode

from marshmallow import Schema, ValidationError

from client_sdk.errors import NetworkError, Refused, ServerFault
from client_sdk.wire import Answer, Piece, Reply, Wire, connect, network_faults, vault_url
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
    ("POST", "/v1/links/<id:bundle>"), ("POST", "/v1/recovery/finish"),
}
"""A second try of these would spend a challenge or a guess: the person decides. All others are idempotent."""
PIECE = 4 * limits.UNIT
"""Blobs are read up to the next border of so many units at once, so that what comes fast enough is never cut or joined
again. Whatever has arrived is given on before a connection breaks. Of twice as many a file is written three times as
slowly by some kernels (docs/adr/0049)."""
HEADERS = {"User-Agent": "temoin", "Accept": "*/*", "Accept-Encoding": "identity"}
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
        self, path: str, pieces: Sequence[Piece], digests: Sequence[bytes], *, token: bytes, **places: bytes | int
    ) -> dict[str, Any]:
        """Bytes with the SHA-256 of each piece, tried once: the caller keeps what it has to send again."""

    def read(
        self, path: str, start: int = 0, stop: int | None = None, *, token: bytes | None = None,
        **places: bytes | int | str,
    ) -> Iterator[bytes]:
        """The bytes [start, stop) of a body, or all of it; goes on where it was when a connection breaks."""

    def close(self) -> None: ...


@dataclass
class HttpTransport:
    """A Transport over HTTP. `wire` takes the network's place in tests; `sleep` waits between tries."""

    base_url: str
    wire: Wire | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        url = vault_url(self.base_url)
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
                return _loaded(row, answer.status, collect(answer))

        return once() if (method, path) in _ONCE else self._tried(once)

    def put(
        self, path: str, pieces: Sequence[Piece], digests: Sequence[bytes], *, token: bytes, **places: bytes | int
    ) -> dict[str, Any]:
        row = endpoint("PUT", path)
        sent = {
            **_authorization(token), "Content-Type": OCTETS, "Content-Length": str(sum(map(len, pieces))),
            "Content-Digest" if len(digests) == 1 else "Temoin-Unit-Digests":
                f"sha-256=:{format_b64(b''.join(digests))}:",
        }
        with self._answer("PUT", _filled(path, places), pieces, sent) as answer:
            return _loaded(row, answer.status, collect(answer))

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
                self.sleep(pause(TRIES - left))

    def _blocks(self, target: str, start: int, stop: int | None, token: bytes | None) -> Iterator[bytes]:
        sent = _authorization(token)
        whole = start == 0 and stop is None
        if not whole:
            sent["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        with self._answer("GET", target, None, sent) as answer:
            if answer.status >= 400:
                raise refusal(answer.status, collect(answer))
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
        self, method: str, target: str, content: bytes | Iterable[Piece] | None, headers: Mapping[str, str]
    ) -> Answer:
        return Answer(self._wire, method, target, content, {**HEADERS, **headers})

    def _tried(self, once: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        for count in range(1, TRIES):
            try:
                return once()
            except NetworkError:
                self.sleep(pause(count))
            except Refused as refusal:
                if refusal.code != "unavailable":
                    raise
                self.sleep(pause(count))
        return once()


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
        raise refusal(status, data)
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


def refusal(status: int, data: bytes) -> Refused | ServerFault | NetworkError:
    """The error that an answer of status 400 and more stands for."""
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


def collect(answer: Reply) -> bytes:
    """The whole body, at most ANSWER bytes. Raises ServerFault, NetworkError."""
    data = bytearray()
    for block in _bytes_of(answer):
        data += block
        if len(data) > ANSWER:
            raise ServerFault("an answer that does not end")
    return bytes(data)


def _bytes_of(answer: Reply, at: int = 0) -> Iterator[bytes]:
    """The body, which is that of a blob from byte `at` on, in blocks that reach to the next border at most."""
    while True:
        border = limits.HEADER + PIECE * (max(0, at - limits.HEADER) // PIECE + 1)
        with network_faults():
            block = answer.read1(border - at)
        if not block:
            return
        at += len(block)
        yield block


def _expected(answer: Reply, start: int, stop: int | None, whole: bool) -> int | None:
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


def pause(count: int) -> float:
    """Seconds to wait after so many tries."""
    return 0.25 * 2.0**count


@cache
def _table() -> dict[tuple[str, str], Endpoint]:
    return {(row.method, row.path): row for row in ENDPOINTS}


@cache
def _schema(schema: type[Schema]) -> Schema:
    return schema()


_PROBLEM_FIELDS = ("type", "title", "status", "code", "detail", "retry_after")
