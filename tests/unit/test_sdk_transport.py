"""The only socket: what it sends, what it believes, what it tries again, where it never goes."""

from __future__ import annotations

import gc
import gzip
import json
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import certifi
import httpx
import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.util import parse_url

from client_sdk import wire
from client_sdk.errors import NetworkError, Refused, SdkError, ServerAddress, ServerFault
from client_sdk.published import LedgerFiles, PublishedFiles
from client_sdk.transport import PIECE, TRIES, HttpTransport
from client_sdk.wire import connect
from crypto_core.encoding import format_b64, format_b64url
from schemas.limits import HEADER
from schemas.problems import PROBLEMS
from tests.fakes.authority import certify
from tests.fakes.listening import listening
from tests.fakes.processes import free_port
from tests.fakes.wire import FakeWire

VAULT = {
    "vault_id": "A" * 22, "host": "vault.example", "ledger_vkey": "x", "directory_vkey": "y", "argon_newest": 1,
    "generation": "A" * 22,
}
TOKEN = bytes(range(32))
Handler = Callable[[httpx.Request], httpx.Response]


def transport(handler: Handler, waits: list[float] | None = None) -> HttpTransport:
    sleeps = [] if waits is None else waits
    address = "https://vault.example"
    return HttpTransport(address, wire=FakeWire(address, httpx.MockTransport(handler)), sleep=sleeps.append)


def answer(body: Any, status: int = 200) -> httpx.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, stream=httpx.ByteStream(data))


def problem(code: str, **extra: Any) -> httpx.Response:
    kind = PROBLEMS[code]
    body = {"type": "about:blank", "title": kind.title, "status": kind.status, "code": code, "detail": kind.sentence}
    return answer({**body, **extra}, kind.status)


@pytest.mark.parametrize("address", [
    "http://vault.example", "ftp://vault.example", "vault.example", "", "https://", "https://user@vault.example",
    "https://vault.example/path", "https://vault.example/?q", "http://192.168.1.7:8000", "http://localhost.example",
    "https://[::1", "javascript:alert(1)", "http://127.0.0.1.example",
])
def test_no_secret_goes_to_a_careless_address(address: str) -> None:
    with pytest.raises(ServerAddress):
        HttpTransport(address)


@pytest.mark.parametrize(("address", "host"), [
    ("https://Vault.Example", "vault.example"), ("https://vault.example:443/", "vault.example"),
    ("https://vault.example:8443", "vault.example:8443"), ("http://127.0.0.1:8000", "127.0.0.1:8000"),
    ("http://localhost", "localhost"), ("http://[::1]:9", "[::1]:9"), ("http://127.0.0.1:80", "127.0.0.1"),
])
def test_the_host_is_spelled_as_signatures_name_it(address: str, host: str) -> None:
    assert HttpTransport(address).host == host


def test_a_redirect_is_never_followed() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        location = {"Location": "https://elsewhere.example/v1/vault"}
        return httpx.Response(307, headers=location, stream=httpx.ByteStream(b""))

    with pytest.raises(ServerFault):
        transport(handler).ask("GET", "/v1/vault")
    assert asked == ["https://vault.example/v1/vault"]


def test_a_request_carries_its_body_token_and_query() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer({"old": 1, "new": 2, "proof": []})

    transport(handler).ask("GET", "/v1/ledger/consistency", token=TOKEN, query={"old": 1, "new": 2})
    assert seen[0].url.raw_path == b"/v1/ledger/consistency?old=1&new=2"
    assert seen[0].headers["Authorization"] == f"Bearer {format_b64url(TOKEN)}"


def test_exact_bytes_are_sent_as_they_are() -> None:
    body = b'{"spelled" :  "oddly"}'
    seen: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.read())
        return problem("malformed")

    with pytest.raises(Refused):
        transport(handler).ask("POST", "/v1/items", body)
    assert seen == [body]


def test_bytes_travel_with_length_and_the_digest_of_each_piece() -> None:
    pieces, blob = (b"a" * 300_000, b"b"), bytes(16)
    digests = tuple(sha256(piece).digest() for piece in pieces)
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.read() == b"".join(pieces)
        seen.append(request)
        return answer({"blob": format_b64url(blob), "size": 9, "units": [], "complete": False})

    path, whole = "/v1/uploads/<id:blob>/units/<u32:first>", b"".join(pieces)
    transport(handler).put(path, pieces, digests, token=TOKEN, blob=blob, first=7)
    transport(handler).put(path, (whole,), (sha256(whole).digest(),), token=TOKEN, blob=blob, first=7)
    assert seen[0].url.path == f"/v1/uploads/{'A' * 22}/units/7"
    assert seen[0].headers["Content-Length"] == "300001"
    assert seen[0].headers["Temoin-Unit-Digests"] == f"sha-256=:{format_b64(b''.join(digests))}:"
    assert "Content-Digest" not in seen[0].headers
    assert seen[1].headers["Content-Digest"] == f"sha-256=:{format_b64(sha256(whole).digest())}:"


@pytest.mark.parametrize("code", [code for code in PROBLEMS if code not in ("internal", "unavailable")])
def test_every_refusal_keeps_its_code_and_sentence(code: str) -> None:
    with pytest.raises(Refused) as caught:
        transport(lambda _: problem(code, retry_after=7, revisions=[1])).ask("GET", "/v1/vault")
    error = caught.value
    assert (error.code, error.sentence, error.retry_after) == (code, PROBLEMS[code].sentence, 7)
    assert error.extra == {"revisions": [1]} and error.status == PROBLEMS[code].status
    assert "code" not in vars(type(error))


@pytest.mark.parametrize("given", [
    b"", b"{}", b"null", b"[]", b"\xff", b'{"vault_id":1}', json.dumps({**VAULT, "more": 1}).encode(),
    json.dumps(VAULT).encode() + b"x", json.dumps({**VAULT, "vault_id": "A" * 21 + "B"}).encode(),
])
def test_an_answer_that_breaks_its_schema_is_the_vaults_fault(given: bytes) -> None:
    with pytest.raises(ServerFault):
        transport(lambda _: answer(given)).ask("GET", "/v1/vault")


@pytest.mark.parametrize(("status", "body", "error"), [
    (500, b"<html>", ServerFault), (404, b"{}", ServerFault), (200 + 4, b"", ServerFault), (502, b"", NetworkError),
    (503, b"busy", NetworkError), (418, json.dumps({
        "type": "x", "title": "x", "status": 418, "code": "teapot", "detail": "x"}).encode(), ServerFault),
])
def test_other_failures_are_told_apart(status: int, body: bytes, error: type[SdkError]) -> None:
    with pytest.raises(error):
        transport(lambda _: answer(body, status)).ask("GET", "/v1/vault")


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client_sdk.transport.ANSWER", 1000)
    with pytest.raises(ServerFault, match="does not end|understood"):
        transport(lambda _: answer(b" " * 2000)).ask("GET", "/v1/vault")


def test_a_repeatable_request_is_tried_a_few_times_with_longer_waits() -> None:
    count, waits = 0, list[float]()

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count < TRIES:
            raise httpx.ConnectError("down")
        return answer(VAULT)

    assert transport(handler, waits).ask("GET", "/v1/vault")["host"] == "vault.example"
    assert len(waits) == TRIES - 1 and waits == sorted(waits)


def test_a_busy_vault_is_asked_again() -> None:
    answers = [problem("unavailable"), answer(VAULT)]
    assert transport(lambda _: answers.pop(0)).ask("GET", "/v1/vault")["argon_newest"] == 1


@pytest.mark.parametrize(("path", "body"), [
    ("/v1/pin", {"purpose": "login", "x": bytes(32)}),
    ("/v1/login/finish", {"k_id": bytes(32), "challenge": bytes(32), "sig": bytes(64)}),
    ("/v1/confirm", {"challenge": bytes(32), "sig": bytes(64), "x": bytes(32)}),
])
def test_a_guess_is_never_spent_twice(path: str, body: dict[str, Any]) -> None:
    count = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        raise httpx.ReadTimeout("slow")

    with pytest.raises(NetworkError):
        transport(handler).ask("POST", path, body)
    assert count == 1


def blob_handler(data: bytes, breaks: list[int]) -> Handler:
    """Serves ranges of `data`; the n-th answer ends after breaks[n] bytes."""

    def handler(request: httpx.Request) -> httpx.Response:
        start, stop = 0, len(data)
        if "Range" in request.headers:
            first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else stop, stop)
        part = data[start:stop]
        headers = {"Content-Length": str(len(part))}
        if "Range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        cut = breaks.pop(0) if breaks else len(part)
        status = 206 if "Range" in request.headers else 200
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(part[:cut]))

    return handler


@pytest.mark.parametrize(("start", "stop"), [(0, None), (0, 10), (5, None), (5, 60), (50, 1000)])
def test_a_broken_read_goes_on_where_it_was(start: int, stop: int | None) -> None:
    data = bytes(range(100))
    read = transport(blob_handler(data, [3, 0, 2])).read("/v1/blobs/<id:blob>", start, stop, blob=bytes(16))
    assert b"".join(read) == data[start:stop]


def test_blocks_end_where_units_do_also_after_a_break() -> None:
    data, broken = bytes(HEADER + 3 * PIECE + 7), HEADER + PIECE + 1000
    read = transport(blob_handler(data, [broken])).read("/v1/blobs/<id:blob>", blob=bytes(16))
    ends = [*accumulate(map(len, read))]
    assert ends == [HEADER + PIECE, broken, HEADER + 2 * PIECE, HEADER + 3 * PIECE, len(data)]


def test_a_read_that_never_goes_on_is_given_up() -> None:
    with pytest.raises(NetworkError):
        list(transport(blob_handler(bytes(100), [0] * 99)).read("/v1/blobs/<id:blob>", blob=bytes(16)))


@pytest.mark.parametrize("lie", ["bytes 0-9/100", "bytes 10-25/100", "bytes */100", "", "bytes 10-18/100"])
def test_another_range_than_asked_for_is_refused(lie: str) -> None:
    reply = httpx.Response(206, headers={"Content-Range": lie}, stream=httpx.ByteStream(bytes(10)))
    with pytest.raises(ServerFault):
        list(transport(lambda _: reply).read("/v1/blobs/<id:blob>", 10, 20, blob=bytes(16)))


def test_a_whole_body_in_place_of_a_range_is_refused() -> None:
    with pytest.raises(ServerFault):
        list(transport(lambda _: answer(bytes(100))).read("/v1/blobs/<id:blob>", 10, 20, blob=bytes(16)))


@pytest.mark.parametrize("address", ["https://vault.example", "https://127.0.0.1:8443"])
def test_whoever_speaks_tls_is_always_verified(address: str) -> None:
    pool = connect(parse_url(address))
    assert isinstance(pool, HTTPSConnectionPool)
    context = pool.conn_kw["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 50


def test_a_proxy_of_the_system_is_used_but_for_this_very_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    through = {
        address: bool(getattr(connect(parse_url(f"https://{address}")), "proxy"))
        for address in ("vault.example", "near.example", "127.0.0.1:8443", "localhost")
    }
    assert through == {"vault.example": True, "near.example": False, "127.0.0.1:8443": False, "localhost": False}


def test_authorities_that_a_person_names_take_the_place_of_the_usual(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = certifi.contents().split("-----END CERTIFICATE-----", 1)[0] + "-----END CERTIFICATE-----\n"
    (tmp_path / "roots.pem").write_text(one)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    pool = connect(parse_url("https://vault.example"))
    assert isinstance(pool, HTTPSConnectionPool)
    assert pool.conn_kw["ssl_context"].cert_store_stats()["x509_ca"] == 1


DATA = bytes(range(100))


class _Vault(BaseHTTPRequestHandler):
    """Answers each PUT as if it had kept what came, over a real socket; breaks off each GET after ten bytes of DATA."""

    protocol_version = "HTTP/1.1"
    came: ClassVar[list[bytes]] = []

    def do_PUT(self) -> None:
        self.came.append(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"blob": "A" * 22, "size": 9, "units": [], "complete": False}).encode()
        self._say(200, len(body), body)

    def do_GET(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self._say(206 if start else 200, len(DATA) - start, DATA[start:start + 10], start)
        self.close_connection = True

    def _say(self, status: int, length: int, body: bytes, start: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[HttpTransport]:
    _Vault.came.clear()
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), _Vault)) as port:
        with closing(HttpTransport(f"http://127.0.0.1:{port}", sleep=lambda _: None)) as made:
            yield made


def test_what_was_sent_is_let_go_of_at_once(served: HttpTransport) -> None:
    """A large file must not wait in memory for the collector of cycles."""

    class Pieces(list[bytes]):
        pass

    pieces = Pieces([b"aa", b"bb"])
    held = weakref.ref(pieces)
    gc.disable()
    try:
        path, digests = "/v1/uploads/<id:blob>/units/<u32:first>", (bytes(32), bytes(32))
        served.put(path, pieces, digests, token=TOKEN, blob=bytes(16), first=0)
        del pieces
        assert held() is None and _Vault.came == [b"aabb"]
    finally:
        gc.enable()


def test_what_came_before_a_connection_broke_is_given_on(served: HttpTransport) -> None:
    assert list(served.read("/ledger/checkpoint")) == [DATA[at:at + 10] for at in range(0, 100, 10)]


BUFFER = 128 * 1024
SLOW = 2 * 1024 * 1024
"""Bytes that a slow network takes for so long that nobody would wait for all of them."""


class _SlowVault(_Vault):
    """As behind a telephone's network: what is sent trickles, and for a moment nothing moves."""

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        for turn in range(16):
            time.sleep(STALL if turn == 8 else STALL / 6)
            self.rfile.read(left // 16)
        body = json.dumps({"blob": "A" * 22, "size": 9, "units": [], "complete": False}).encode()
        self._say(200, len(body), body)


STALL = 0.7
CONNECTING, NOTHING_MOVES = 0.3, 1.0
"""Seconds that a client gives to connecting, and to a connection on which nothing moves."""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_slow_network_is_not_taken_for_a_dead_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    """A whole batch of entries, and a part of a file on a connection that is there: each takes several times as long
    as nothing may move for."""
    monkeypatch.setattr(wire, "_TIMEOUT", Timeout(connect=CONNECTING, read=NOTHING_MOVES))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SlowVault, bind_and_activate=False)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    server.server_bind()
    server.server_activate()
    if scheme == "https":
        vault = certify("127.0.0.1", serves=True)
        (tmp_path / "vault.pem").write_bytes(vault.pem + vault.key_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "vault.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "vault.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"{scheme}://127.0.0.1:{server.server_port}"
    line = connect(parse_url(address))
    line.conn_kw["socket_options"] = [(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)]  # type: ignore[attr-defined]
    with listening(server), closing(HttpTransport(address, wire=line)) as made:
        for _ in range(2):
            began = time.monotonic()
            made.put(
                "/v1/uploads/<id:blob>/units/<u32:first>", [bytes(SLOW)], [bytes(32)], token=TOKEN, blob=bytes(16),
                first=0,
            )
            assert time.monotonic() - began > 2 * NOTHING_MOVES


def test_a_vault_without_tls_is_not_told_to_have_a_bad_certificate() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SlowVault)
    address = f"https://127.0.0.1:{server.server_port}"
    with listening(server), closing(HttpTransport(address)) as made, pytest.raises(NetworkError) as met:
        made.ask("GET", "/v1/vault")
    assert met.value.detail.startswith("no TLS there")


class _Line:
    """Takes the place of a socket, and remembers what it was given at once."""

    def __init__(self, breaks: bool = False) -> None:
        self.sent, self.breaks = list[bytes](), breaks

    def settimeout(self, _seconds: float) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        if self.breaks:
            raise TimeoutError
        self.sent.append(bytes(data))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080", "https://vault.example"])
@pytest.mark.parametrize(("body", "pieces"), [
    (b"small", 1), (bytes(16_384), 1), (bytes(16_385), 2), ([b"two", b"pieces"], 3), (None, 1), (b"", 1),
])
def test_a_small_request_leaves_in_one_piece_also_after_one_that_failed(address: str, body: Any, pieces: int) -> None:
    pool = connect(parse_url(address))
    assert isinstance(pool, HTTPConnectionPool)
    connection, whole = pool.ConnectionCls("vault.example"), b"".join(body or ()) if isinstance(body, list) else body
    for breaks in (False, True, False):
        line = _Line(breaks)
        setattr(connection, "sock", line)
        with pytest.raises(TimeoutError) if breaks else nullcontext():
            connection.request("POST", "/v1/items", body, {"Content-Length": str(len(whole or b""))})
        assert len(line.sent) == (0 if breaks else pieces)
        head, _, rest = b"".join(line.sent).partition(b"\r\n\r\n")
        assert breaks or (head.startswith(b"POST /v1/items HTTP/1.1\r\nHost: vault.example") and rest == (whole or b""))
        connection.close()


def test_a_vault_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(NetworkError, match="^no connection$"):
        HttpTransport(f"http://127.0.0.1:{free_port()}", sleep=lambda _: None).ask("GET", "/v1/vault")


# files that anybody may read


def published(handler: Handler, prefix: str = "https://ledger.example/a/b/") -> PublishedFiles:
    wire = FakeWire("https://ledger.example", httpx.MockTransport(handler))
    return PublishedFiles(prefix, wire=wire, sleep=lambda _: None)


def test_a_published_file_is_read_below_its_prefix_also_where_it_comes_compressed() -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        packed = gzip.compress(b"tile" * 100)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed))

    assert published(handler).read("tile/0/000.p/5", 400) == b"tile" * 100
    assert str(asked[0].url) == "https://ledger.example/a/b/tile/0/000.p/5"
    assert asked[0].headers["Accept-Encoding"] == "gzip, identity"


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_is_no_failure(status: int) -> None:
    assert published(lambda _: answer(b"<h1>no</h1>", status)).read("checkpoint", 10) is None


@pytest.mark.parametrize("handler", [
    lambda _: answer(b"x" * 11), lambda _: answer(b"", 500), lambda _: answer(b"", 206),
    lambda _: httpx.Response(302, headers={"Location": "https://other.example"}, stream=httpx.ByteStream(b"")),
    lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
    lambda _: httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(bytes(99)))
    ),
])
def test_any_other_answer_than_the_file_is_a_fault(handler: Handler) -> None:
    with pytest.raises(ServerFault):
        published(handler).read("checkpoint", 10)


def test_a_published_file_is_asked_for_again_when_nothing_came() -> None:
    answers = [answer(b"", 503), answer(b"", 502), answer(b"note")]
    assert published(lambda _: answers.pop(0)).read("checkpoint", 10) == b"note"
    with pytest.raises(NetworkError):
        published(lambda _: answer(b"", 503)).read("checkpoint", 10)


@pytest.mark.parametrize("code", ["unavailable", "rate_limited"])
def test_a_vault_that_has_no_time_for_its_readers_is_asked_again_and_then_taken_for_out_of_reach(code: str) -> None:
    answers = [problem(code), answer(b"note")]
    assert published(lambda _: answers.pop(0)).read("checkpoint", 10) == b"note"
    with pytest.raises(NetworkError):
        published(lambda _: problem(code)).read("checkpoint", 10)


def test_whatever_else_a_vault_says_to_its_readers_is_a_fault() -> None:
    with pytest.raises(ServerFault):
        published(lambda _: problem("malformed")).read("checkpoint", 10)


def test_a_ledger_is_found_at_its_prefix_or_below_a_vaults_own_address() -> None:
    asked: list[str] = []

    def serving(*paths: str) -> LedgerFiles:
        def handler(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return answer(b"file") if request.url.path in paths else answer(b"", 404)

        asked.clear()
        return LedgerFiles(published(handler, "https://ledger.example"))

    at_prefix = serving("/checkpoint")
    assert (at_prefix.read("checkpoint", 9), at_prefix.read("rotations", 9)) == (b"file", None)
    assert asked == ["/checkpoint", "/rotations"]
    below = serving("/ledger/checkpoint", "/ledger/tile/0/000")
    assert (below.read("checkpoint", 9), below.read("tile/0/000", 9)) == (b"file", b"file")
    assert below.read("checkpoint", 9) == b"file"
    assert asked == ["/checkpoint", "/ledger/checkpoint", "/ledger/tile/0/000", "/ledger/checkpoint"]
    assert serving().read("checkpoint", 9) is None


@pytest.mark.parametrize("address", ["http://ledger.example/", "https://a@ledger.example", "https://ledger.example?q"])
def test_published_files_have_an_address_that_can_be_trusted_to_be_itself(address: str) -> None:
    with pytest.raises(ServerAddress):
        PublishedFiles(address)
