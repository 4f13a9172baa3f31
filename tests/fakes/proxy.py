"""A TCP proxy on loopback that counts what passes, for tests that must know what really travelled.

Knows: bytes in both directions. Refuses to know: HTTP.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Traffic:
    """What one proxy has carried so far, in bytes, and (if it records) what the client sent."""

    up: int = 0
    down: int = 0
    sent: bytearray = field(default_factory=bytearray, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Proxy:
    """Listens on a free loopback port and forwards every connection to `target` on loopback."""

    def __init__(self, target: int, *, record: bool = False) -> None:
        self.target = target
        self.record = record
        self.traffic = Traffic()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            self._open |= {client, server}
            back = threading.Thread(target=self._carry, args=(server, client, "down"), daemon=True)
            back.start()
            self._carry(client, server, "up")
            back.join()
            self._open -= {client, server}

    def _carry(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                with self.traffic.lock:
                    setattr(self.traffic, way, getattr(self.traffic, way) + len(data))
                    if self.record and way == "up":
                        self.traffic.sent += data
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Drops every open connection; new ones are taken as before."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.cut()


@contextlib.contextmanager
def proxy_to(port: int, *, record: bool = False) -> Iterator[Proxy]:
    """A proxy to a loopback port, closed at the end."""
    proxy = Proxy(port, record=record)
    try:
        yield proxy
    finally:
        proxy.close()
