"""Bytes on a real socket that no HTTP client would send: bodies cut in the middle, lengths that are missing or lie."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from crypto_core.encoding import format_b64
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from tests.fakes.bad_input import expect
from tests.fakes.served import ServedVault, served_vault
from tests.fakes.vault import FakePerson, b64, open_person, said

SIZE = limits.FIRST_UNIT + 1000


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakePerson]:
    with served_vault(tmp_path_factory.mktemp("wire"), workers=1) as vault:
        yield open_person(vault)


def head(person: FakePerson, method: str, path: str, **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Authorization: Bearer {person.token}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def send(person: FakePerson, data: bytes, *, cut: bool = True) -> bytes:
    """Sends these bytes, and if `cut` hangs up; gives all that comes back. Whoever hung up may get no answer."""
    assert isinstance(person.vault, ServedVault)
    found = b""
    with socket.create_connection(("127.0.0.1", person.vault.real.port), timeout=60) as wire, suppress(OSError):
        wire.sendall(data)
        if cut:
            wire.shutdown(socket.SHUT_WR)
        while piece := wire.recv(65_536):
            found += piece
    return found


def answer(found: bytes) -> TestResponse:
    first, _, rest = found.partition(b"\r\n")
    lines, _, body = rest.partition(b"\r\n\r\n")
    fields = [line.split(": ", 1) for line in lines.decode().split("\r\n")]
    headers = Headers([(name, text) for name, text in fields])
    return TestResponse([body], first.decode().split(" ", 1)[1], headers, Request({"REQUEST_METHOD": "PUT"}))


def test_a_unit_cut_anywhere_is_not_there(person: FakePerson) -> None:
    blob, data = b64(make_id()), make_bytes(SIZE)
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": SIZE}).status_code == 201
    sent = head(
        person, "PUT", f"/v1/uploads/{blob}/units/0", Content_Type="application/octet-stream",
        Content_Length=str(SIZE), Content_Digest=f"sha-256=:{format_b64(hashlib.sha256(data).digest())}:",
    )  # fmt: skip
    for count in (0, 1, limits.FIRST_UNIT, SIZE - 1):
        found = send(person, sent + data[:count])
        if found:
            expect("a unit cut in the middle", answer(found))
        assert said(person.ask("GET", f"/v1/uploads/{blob}"))["units"] == []
    assert answer(send(person, sent + data, cut=False)).status_code == 200
    assert len(said(person.ask("GET", f"/v1/uploads/{blob}"))["units"]) == 2
    digest = {"sha256": b64(hashlib.sha256(data).digest())}
    assert person.ask("POST", f"/v1/uploads/{blob}/complete", digest).status_code == 201


def test_whoever_is_refused_with_a_body_is_heard_out_and_goes_on(person: FakePerson) -> None:
    """On one connection, which a server that left bytes unread would close, mostly without saying so."""
    assert isinstance(person.vault, ServedVault)
    blob = b64(make_id())
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": 100 * limits.UNIT}).status_code == 201
    sent = {"Content-Type": "application/octet-stream", "Content-Digest": f"sha-256=:{format_b64(bytes(32))}:"}
    known = {**sent, "Authorization": f"Bearer {person.token}"}
    refused = (
        ("unauthorized", blob, limits.UNIT, sent), ("not_found", b64(make_id()), limits.UNIT, known),
        ("too_large", blob, 33 * limits.UNIT, known), ("unit_invalid", blob, 20 * limits.UNIT + 1, known),
    )
    with closing(http.client.HTTPConnection("127.0.0.1", person.vault.real.port, timeout=60)) as wire:
        wire.connect()
        first = wire.sock
        for code, upload, size, headers in refused * 5:
            wire.request("PUT", f"/v1/uploads/{upload}/units/1", bytes(size), headers)
            assert json.loads(wire.getresponse().read())["code"] == code
            assert wire.sock is first


def test_a_message_cut_in_the_middle_is_not_believed(person: FakePerson) -> None:
    body = b'{"K_id":"' + b64(bytes(32)).encode() + b'"}'
    sent = head(person, "POST", "/v1/login/start", Content_Type="application/json", Content_Length=str(len(body) + 1))
    found = send(person, sent + body)  # whole JSON, and yet not all that was announced
    if found:
        expect("a JSON body cut in the middle", answer(found))
    assert person.vault.ask("GET", "/v1/health").status_code == 200


def test_a_body_without_a_length_is_refused(person: FakePerson) -> None:
    path = f"/v1/blobs/{b64(make_id())}"
    sent = head(person, "PUT", path, Content_Type="application/octet-stream", Transfer_Encoding="chunked")
    expect("no length", answer(send(person, sent + b"3\r\nabc\r\n0\r\n\r\n", cut=False)))
    assert person.ask("GET", path).status_code == 404


GARBAGE = {
    "no HTTP": bytes(100),
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "two lengths": b"PUT /v1/items HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "an endless header": b"GET /v1/health HTTP/1.1\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_http_gets_no_5xx_and_stops_nobody(person: FakePerson, garbage: bytes) -> None:
    found = send(person, garbage)
    assert not found or found.split(b" ", 2)[1].startswith(b"4")
    assert person.ask("GET", "/v1/account").status_code == 200
