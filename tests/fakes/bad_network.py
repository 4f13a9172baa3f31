"""A link on loopback that is slow upwards, far away, and cut again and again; with what was sent when it was cut.

Knows: HTTP/1.1 requests with a length, one after the other on a connection. Refuses to know: what they mean, beyond the
addresses of units.
"""

from __future__ import annotations

import contextlib
import math
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from schemas import limits
from tests.fakes.proxy import Proxy

PIECE = 16_384
UNITS = re.compile(rb"PUT /v1/uploads/([\w-]+)/units/(\d+) ")
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass
class Put:
    """A request that carries units. `came`: bytes of its body that the link took."""

    blob: bytes
    first: int
    length: int
    came: int = 0
    answered: bool = False
    was_cut: bool = False

    @property
    def units(self) -> range:
        """The units that it carries, the last of which may be shorter."""
        return range(self.first, self.first + max(1, round(self.length / limits.UNIT + 0.499)))


@dataclass
class Link:
    """How bad it is; changed at any time. Bytes a second and seconds; None: not at all. `most`: bytes of units after
    which it stands still."""

    rate: float | None = None
    latency: float = 0.0
    cut_every: float | None = None
    most: float = math.inf


class BadNetwork(Proxy):
    """Everything that a client sends goes through here."""

    def __init__(self, target: int) -> None:
        self.link, self.cuts = Link(), 0
        self.puts: list[Put] = []
        self._turn, self._free = threading.Lock(), 0.0
        self._flying: dict[socket.socket, Put] = {}
        self._dead: set[socket.socket] = set()
        self._over = threading.Event()
        super().__init__(target)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE)  # nothing hides in it
        threading.Thread(target=self._cut_again, daemon=True).start()

    def sent_again(self) -> int:
        """Units that were sent more than once, each time counted."""
        carried = [(put.blob, unit) for put in self.puts for unit in put.units]
        return len(carried) - len(set(carried))

    def in_flight_at_cuts(self) -> int:
        """Units that were on their way when the link was cut."""
        return sum(len(put.units) for put in self.puts if put.was_cut)

    @property
    def body_bytes(self) -> int:
        return sum(put.came for put in self.puts)

    def cut(self) -> None:
        with self._turn:
            for put in self._flying.values():
                put.was_cut = not put.answered
            self._dead |= self._open  # what still comes by these is cut as well
        super().cut()

    def close(self) -> None:
        self._over.set()
        super().close()

    def _cut_again(self) -> None:
        last = time.monotonic()
        while not self._over.wait(0.02):
            every = self.link.cut_every
            if every is None or time.monotonic() - last < every:
                continue
            last = time.monotonic()
            self.cuts += 1
            self.cut()

    def _carry(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        if way == "down":
            self._answer(source, sink)
        else:
            with contextlib.suppress(OSError):
                time.sleep(self.link.latency)
                while self._request(source, sink):
                    pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _answer(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self.traffic.down += len(data)
                sink.sendall(data)
                with self._turn:
                    if (put := self._flying.get(sink)) and sink not in self._dead:
                        put.answered = True

    def _request(self, source: socket.socket, sink: socket.socket) -> bool:
        """Carries one request; whether another may follow."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = source.recv(PIECE)
            if not data:
                return False
            head += data
        time.sleep(self.link.latency)
        head, _, body = head.partition(b"\r\n\r\n")
        found = LENGTH.search(head + b"\r\n")
        left = int(found[1]) if found else 0
        units = UNITS.match(head)
        put = Put(units[1], int(units[2]), left) if units else None
        with self._turn:
            if put:
                put.was_cut = source in self._dead
                self.puts.append(put)
                self._flying[source] = put
            else:
                self._flying.pop(source, None)
        self._pass(sink, head + b"\r\n\r\n")
        while left > 0:
            if not body:
                while put and self.body_bytes >= self.link.most and not self._over.wait(0.02):
                    pass
                self._wait(min(PIECE, left))
                body = source.recv(min(PIECE, left))
                if not body:
                    return False
            left -= len(body)
            if put:
                put.came += len(body)
            self._pass(sink, body)
            body = b""
        return True

    def _pass(self, sink: socket.socket, data: bytes) -> None:
        self.traffic.up += len(data)
        sink.sendall(data)

    def _wait(self, count: int) -> None:
        """Until so many bytes fit through the link, which all connections share."""
        if self.link.rate is None:
            return
        with self._turn:
            begins = max(self._free, time.monotonic())
            self._free = begins + count / self.link.rate
        time.sleep(max(0.0, self._free - time.monotonic()))


@contextlib.contextmanager
def bad_network_to(port: int) -> Iterator[BadNetwork]:
    """A link to a loopback port that is good until it is told otherwise; closed at the end."""
    network = BadNetwork(port)
    try:
        yield network
    finally:
        network.close()
