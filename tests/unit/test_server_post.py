"""The way to a witness over real sockets: what comes back, and what counts as no answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from urllib3 import Timeout

import server.ledger.post
from crypto_core.receipts.note import MAX_NOTE_SIZE
from server.ledger.post import HttpPost
from server.ledger.submitting import Posted, Unreachable


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one for each connection, and keeps what was sent to it."""
    received = list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                with contextlib.suppress(OSError), listener.accept()[0] as peer:
                    peer.settimeout(5)
                    data = b""
                    while not data.endswith(b"body"):
                        data += peer.recv(65536)
                    received.append(data)
                    peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/sub/add-checkpoint", received
        thread.join(10)


def http(status: str, body: bytes, headers: str = "Content-Type: text/x.tlog.size\r\n") -> bytes:
    """Says as well that the connection ends with it, which it may not have done yet when the next request comes."""
    return f"HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_the_answer_comes_back_whole() -> None:
    with answering(http("409 Conflict", b"7\n"), http("200 OK", b"x", "")) as (address, received):
        post = HttpPost()
        assert post(address, b"body") == Posted(409, "text/x.tlog.size", b"7\n")
        assert post(address, b"body") == Posted(200, "", b"x")
        post.close()
    assert received[0].startswith(b"POST /sub/add-checkpoint HTTP/1.1\r\n")
    assert b"temoin" not in received[0].lower()


def test_a_redirect_is_not_followed() -> None:
    moved = http("302 Found", b"", "Location: http://127.0.0.1:1/elsewhere\r\n")
    with answering(moved) as (address, received):
        assert HttpPost()(address, b"body").status == 302
    assert len(received) == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"no http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
     http("200 OK", b"x" * (MAX_NOTE_SIZE + 1))],
    ids=["nothing", "noise", "half", "too much"],
)  # fmt: skip
def test_what_is_no_answer(answer: bytes) -> None:
    with answering(answer) as (address, _), pytest.raises(Unreachable):
        HttpPost()(address, b"body")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "http://[::1", "http://nowhere.invalid/x"])
def test_nobody_is_there(address: str) -> None:
    with pytest.raises(Unreachable):
        HttpPost()(address, b"body")


def test_the_silent_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.ledger.post, "PATIENCE", Timeout(connect=1, read=0.2))
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Unreachable):
        HttpPost()(f"http://127.0.0.1:{listener.getsockname()[1]}/x", b"body")
