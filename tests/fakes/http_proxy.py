"""An HTTP proxy on loopback that keeps every request whole, for tests that must know what a client really said.

Knows: HTTP/1.1 with a length. Refuses to know: TLS, and what the requests mean.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_OWN = {"connection", "transfer-encoding", "date", "server"}


@dataclass(frozen=True)
class Heard:
    """One request, as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def raw(self) -> bytes:
        """All of it in one piece, to be searched."""
        lines = [f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass
class HttpProxy:
    """What one proxy heard. `before` sees each request before it goes on; false: it goes nowhere, nobody answers."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)
    """The target of each request that was answered, and the bytes of the answer's body."""
    before: Callable[[Heard], bool] = lambda _: True
    hold: Callable[[Heard], None] = lambda _: None
    """Where a request is held before it goes on; no other one waits for it."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def http_proxy_to(port: int) -> Iterator[HttpProxy]:
    """A proxy to a loopback port, closed at the end."""
    proxy = HttpProxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._carry()

        do_POST = do_PUT = do_DELETE = do_GET

        def _carry(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(size)
            heard = Heard(self.command, self.path, tuple(self.headers.items()), body)
            with proxy.lock:
                proxy.heard.append(heard)
                goes_on = proxy.before(heard)
            proxy.hold(heard)
            if len(body) < size or not goes_on:
                self.close_connection = True
                return
            self._answer(heard)

        def _answer(self, heard: Heard) -> None:
            onward = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                headers = {name: value for name, value in heard.headers if name.lower() != "connection"}  # Host stays
                onward.request(heard.method, heard.target, heard.body or None, headers)
                answer = onward.getresponse()
                data = answer.read()
            finally:
                onward.close()
            with proxy.lock:
                proxy.sent.append((heard.target, len(data)))
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN | {"content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may be dead by now
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that died in the middle
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
