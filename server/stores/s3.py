"""Blobs as objects of an S3 bucket, for a vault on several machines or with more than one disk holds.

Knows: how staged objects become the volumes of a blob. Refuses to know: accounts, units; HTTP (server.stores.bucket).

    <blob in hex>/<random name in hex>        one PUT of units, or one volume of a finished blob

An object is written once, under a name that is never used again, and which objects a blob consists of is said by the
vault's own records alone (server.stores.objects, docs/adr/0017): a straggler, a twin that finishes too, a server that
lets objects be replaced or that lists them late can't change what is kept.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from server.problems import Refusal
from server.stores import NotKept, NotStaged
from server.stores.bucket import AT_ONCE, Bucket, StoreRefused
from server.stores.objects import ObjectRecords, StoredObject

VOLUME = 1024**3
"""The largest object, in bytes: one request writes it, and everywhere that may bring 5 GiB."""

_log = logging.getLogger("temoin.server")


class _Span(NamedTuple):
    """The bytes [start, stop) of a blob, to be read from `source`."""

    start: int
    stop: int
    source: StoredObject


class S3BlobStore:
    """A BlobStore in a bucket. A finished blob is cut into volumes of `volume` bytes."""

    def __init__(self, bucket: Bucket, records: ObjectRecords, *, volume: int = VOLUME) -> None:
        self._bucket = bucket
        self._records = records
        self._volume = volume

    def stage(self, blob: bytes, offset: int, length: int, pieces: Iterable[bytes]) -> None:
        (one,) = self._records.announce(blob, [(offset, offset + length)])
        try:
            self._bucket.put(_name(one), length, pieces)
        except BaseException:
            self._records.failed([one])
            raise
        self._records.arrived(one)

    def staged(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        return self._until_missing(_lay(self._records.staged(blob)), start, stop)

    def staging(self) -> Sequence[bytes]:
        return self._records.staging()

    def finish(self, blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        known = set[bytes]()

        def check_once(digest: bytes) -> None:
            if digest not in known:
                check(digest)
                known.add(digest)

        if not self._records.kept(blob):
            try:
                spans = _lay(self._records.staged(blob))
                if _end(spans) != size:
                    raise NotStaged()
                volumes = self._write(blob, size, spans, check_once)
                if self._records.keep(blob, volumes):
                    self.sweep()
                    return
            except NotStaged:
                if not self._records.kept(blob):
                    raise
        self._check_kept(blob, size, check_once)  # somebody finished it, before or meanwhile
        self.discard(blob)

    def read(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        spans = _lay(self._records.kept(blob))
        if not spans or not 0 <= start <= stop <= _end(spans):
            raise NotKept()
        if start == stop:
            return iter(())
        pieces = self._pieces(spans, start, stop)
        return chain([next(pieces)], pieces)

    def size(self, blob: bytes) -> int | None:
        return _end(_lay(self._records.kept(blob))) or None

    def discard(self, blob: bytes) -> None:
        self._records.discard(blob)

    def delete(self, blob: bytes) -> None:
        self._records.delete(blob)

    def close(self) -> None:
        self._bucket.close()

    def sweep(self) -> None:
        after = 0
        try:
            while some := self._records.gone(after, AT_ONCE):
                failed = set(self._bucket.remove([_name(one) for one in some]))
                self._records.forget([one for one in some if _name(one) not in failed])
                after = some[-1].number
        except (Refusal, StoreRefused) as error:
            _log.warning("objects that nobody needs wait to be removed: %s", error.code)

    def _write(
        self, blob: bytes, size: int, spans: list[_Span], check: Callable[[bytes], None]
    ) -> Sequence[StoredObject]:
        """Reads what is staged once, hashes it, and writes it as volumes; the last byte leaves after `check`."""
        ends = range(0, size, self._volume)
        volumes = self._records.announce(blob, [(start, min(size, start + self._volume)) for start in ends])
        seen, missing = sha256(), size

        def hashed(pieces: Iterator[bytes]) -> Iterator[bytes]:
            nonlocal missing
            for piece in pieces:
                seen.update(piece)
                missing -= len(piece)
                if not missing:
                    check(seen.digest())
                yield piece

        try:
            for volume in volumes:
                pieces = hashed(self._pieces(spans, volume.start, volume.stop))
                self._bucket.put(_name(volume), volume.size, pieces)
        except BaseException as failure:
            self._records.failed(volumes)
            if isinstance(failure, NotKept):
                raise NotStaged() from None
            raise
        return volumes

    def _check_kept(self, blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        kept = self.size(blob)
        if kept is None:
            raise NotStaged()
        if kept != size:
            raise Refusal("blob_conflict")
        seen = sha256()
        try:
            for piece in self.read(blob, 0, size):
                seen.update(piece)
        except NotKept:
            raise Refusal("unavailable") from None
        check(seen.digest())

    def _pieces(self, spans: list[_Span], start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) as far as the spans go without a gap. Raises NotKept where an object is missing."""
        for span in spans:
            if span.start < stop and start < span.stop:
                first, last = max(start, span.start), min(stop, span.stop)
                at = span.source.start
                yield from self._bucket.get(_name(span.source), first - at, last - at)

    def _until_missing(self, spans: list[_Span], start: int, stop: int) -> Iterator[bytes]:
        try:
            yield from self._pieces(spans, start, stop)
        except NotKept:
            return


def _name(one: StoredObject) -> str:
    return f"{one.blob.hex()}/{one.name.hex()}"


def _end(spans: list[_Span]) -> int:
    return spans[-1].stop if spans else 0


def _lay(objects: Sequence[StoredObject]) -> list[_Span]:
    """Where each byte is read from, from 0 to the first gap: of several objects that have it, the newest."""
    borders = sorted({border for one in objects for border in (one.start, one.stop)})
    waiting = sorted(objects, key=lambda one: one.start, reverse=True)
    spans: list[_Span] = []
    open_objects: list[tuple[int, StoredObject]] = []
    for start, stop in zip(borders, borders[1:], strict=False):
        while waiting and waiting[-1].start <= start:
            one = waiting.pop()
            heapq.heappush(open_objects, (-one.number, one))
        while open_objects and open_objects[0][1].stop <= start:
            heapq.heappop(open_objects)
        if not open_objects or start != _end(spans):
            break
        newest = open_objects[0][1]
        if spans and spans[-1].source is newest:
            spans[-1] = spans[-1]._replace(stop=stop)
        else:
            spans.append(_Span(start, stop, newest))
    return spans
