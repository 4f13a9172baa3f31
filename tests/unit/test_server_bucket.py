"""What a bucket's server may take its time for. The rest of it is held by tests/contract and tests/e2e."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from urllib3 import Timeout

from server.config import S3Settings
from server.problems import Refusal
from server.stores import PIECE, bucket
from server.stores.bucket import Bucket
from tests.fakes.listening import listening

BUFFER = 128 * 1024
LENGTH = 64 * PIECE
"""More than lies in buffers on the way."""
CONNECTING, NOTHING_MOVES = 0.2, 1.0
"""Seconds that a vault gives to connecting, and to a connection on which nothing moves."""


class _Stalling(BaseHTTPRequestHandler):
    """A server whose disk is busy in the middle of an object."""

    protocol_version = "HTTP/1.1"
    stall = 0.0

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        self.rfile.read(left // 4)
        time.sleep(self.stall)
        self.rfile.read(left - left // 4)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def stalling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(bucket, "_PATIENCE", Timeout(connect=CONNECTING, read=NOTHING_MOVES))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stalling, bind_and_activate=False)
    server.daemon_threads = True
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    server.server_bind()
    server.server_activate()
    made = Bucket(S3Settings(
        bucket="blobs", prefix="", endpoint=f"http://127.0.0.1:{server.server_port}", region="here", key_id="key",
        secret_file=None, secret="secret",
    ), "secret")  # fmt: skip
    with listening(server), closing(made):
        yield made


def pieces() -> Iterator[bytes]:
    return (bytes(PIECE) for _ in range(LENGTH // PIECE))


def test_a_server_that_stalls_for_longer_than_connecting_takes_is_waited_for(
    stalling: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Stalling, "stall", 2 * CONNECTING)
    for name in ("first", "on the same connection"):
        stalling.put(name, LENGTH, pieces())


def test_a_server_on_which_nothing_moves_is_given_up(stalling: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Stalling, "stall", 3 * NOTHING_MOVES)
    began = time.monotonic()
    with pytest.raises(Refusal) as caught:
        stalling.put("name", LENGTH, pieces())
    assert caught.value.code == "unavailable" and time.monotonic() - began < 2.5 * NOTHING_MOVES
