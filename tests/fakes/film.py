"""Sounds and films of any size that browsers really play, without a program that makes some.

Knows: the boxes of an MP4 file (ISO/IEC 14496-12, and the VP binding), a WAV file's header, and three still pictures in
VP9, made once by a browser's own encoder. Refuses to know: codecs. A picture may be followed by zeros, which decoders
pass over: so a film of four minutes has the bytes of a real one. What is told as `canary` stands in clear between them.
"""

from __future__ import annotations

import base64
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

WIDTH, HEIGHT, PER_SECOND = 160, 96, 10
PICTURES = {
    "red":
        "gkmDQlAJ8AX2CjgkHBhyAADwR9j9Ygzb6c1vVyHXtAAAay/VhZPEDdmFLii/N5EY50kVJRte2xO85B34NoCmDYfl4mCLM3i/7gCp"
        "Pki0R2HHti2HgA==",
    "green":
        "gkmDQlAJ8AX2CjgkHBhyAADAR9j9Ye40QSVX/gAAbCXhDFOiZqVB0vv6RvQ95oJN/shO6icfMAv0xBVfxXYa5O+CfJg71Qg61qDx"
        "89Bz2BbbIqA=",
    "blue":
        "gkmDQlAJ8AX2CjgkHBhyAADQR9j9Ygzb6Tw5Dr2gAGs4n7DOqDhUCOWj6W18XjjrLCTsbifr3WZ9eOv/RIjnjo5B7OIO3/zCjZBs"
        "4AXn+vNYmpCbo4V9AA==",
}
"""Whole pictures of one colour, 160 × 96."""
TICKS = 1000
"""Units of time in a second."""


def make_film(path: Path, seconds: int, size: int, *, index: str = "start", canary: str = "") -> None:
    """An MP4 of about `size` bytes: red, from the middle on green, in the last fifth blue.

    `index`: whether what says where each picture lies stands at the start or at the end of the file."""
    count = seconds * PER_SECOND
    room = size // count
    said = canary.encode()
    head = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
    length = len(_index(count, room, len(said), 0))  # the same, whatever it says
    moov = _index(count, room, len(said), len(head) + 8 + (length if index == "start" else 0))
    with path.open("wb") as file:
        file.write(head + (moov if index == "start" else b""))
        file.write(struct.pack(">I4s", 8 + count * (room + len(said)), b"mdat"))
        for picture in _pictures(count, room):
            file.write(picture)
            file.write(said)
        file.write(moov if index == "end" else b"")


def make_sound(path: Path, size: int, *, canary: str = "") -> int:
    """A WAV of about `size` bytes, a quiet hum; returns how many seconds it lasts."""
    rate = 44_100
    hum = b"".join(struct.pack("<hh", level, level) for level in _hum(rate // 100)) * 100
    seconds = size // len(hum)
    said = canary.encode()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(seconds):
            file.writeframesraw(said + hum[len(said) :])
    return seconds


def _hum(samples: int) -> Iterator[int]:
    for place in range(samples):
        yield abs(place * 2 - samples)


def _pictures(count: int, room: int) -> Iterator[bytes]:
    padded = {name: base64.b64decode(picture).ljust(room, b"\0") for name, picture in PICTURES.items()}
    for place in range(count):
        yield padded["red" if 2 * place < count else "green" if 5 * place < 4 * count else "blue"]


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _index(count: int, room: int, gap: int, first: int) -> bytes:
    """The `moov` box: `count` pictures of `room` bytes, `gap` bytes after each, the first one at `first`."""
    last = count * TICKS // PER_SECOND
    entry = _box(
        b"vp09", bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HH", WIDTH, HEIGHT),
        struct.pack(">IIIH", 0x480000, 0x480000, 0, 1), bytes(32), struct.pack(">Hh", 24, -1),
        _full(b"vpcC", bytes([0, 10, 8 << 4 | 1 << 1, 1, 1, 1]), bytes(2), version=1),
    )  # fmt: skip
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, count, TICKS // PER_SECOND)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", struct.pack(">II", room, count)),
        _full(b"stco", struct.pack(">I", count), *(struct.pack(">I", first + n * (room + gap)) for n in range(count))),
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, TICKS, last, 0x55C4, 0)),
        _full(b"hdlr", bytes(4), b"vide", bytes(12), b"\0"),
        _box(
            b"minf", _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))), table,
        ),
    )  # fmt: skip
    track = _full(
        b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, last), bytes(16), MATRIX,
        struct.pack(">II", WIDTH << 16, HEIGHT << 16), flags=3,
    )  # fmt: skip
    movie = _full(
        b"mvhd", struct.pack(">IIIIIH", 0, 0, TICKS, last, 0x10000, 0x100), bytes(10), MATRIX, bytes(24),
        struct.pack(">I", 2),
    )  # fmt: skip
    return _box(b"moov", movie, _box(b"trak", track, media))
