"""Opens the sealed bytes of contents, whole or any range, wherever they come from.

Knows: which sealed bytes a range needs, and the hashes that a record names. Refuses to know: who asks, and by what
right.
Contents come out verified chunk by chunk; whoever reads a whole file must not take it for whole before the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256

from client_sdk.errors import (
    BlobSwapped, ContentBroken, ContentDiffers, RangeInvalid, Refused, SdkError, ServerFault,
)
from client_sdk.hashing import Sha256Aside
from client_sdk.items import Content
from client_sdk.progress import Progress
from client_sdk.transport import PIECE
from crypto_core.errors import MalformedError, TamperedError
from crypto_core.sealing.envelope import (
    CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE, Opener, in_flight, open_stream, sealed_range, sealed_size,
    split_off,
)
from crypto_core.sealing.padding import content_plain_size, content_range, unpad_content
from crypto_core.sealing.records import content_opener

_NEAR = 2 * SEALED_CHUNK_SIZE
"""A range that begins this near to the start comes in one request with the header."""
_AT_ONCE = PIECE // SEALED_CHUNK_SIZE
"""Chunks of a whole file that are opened at once: as the transport brings them, so that nobody copies them."""

ReadBlob = Callable[[bytes, int, int | None], Iterator[bytes]]
"""The bytes [start, stop) of a blob, or all of it."""


class Contents:
    """Opens what `read_blob` fetches; `progress` hears of it."""

    def __init__(self, read_blob: ReadBlob, progress: Progress) -> None:
        self._read_blob, self._progress = read_blob, progress

    def read(self, content: Content, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The original bytes of a content, or of the range [start, stop). Raises RangeInvalid for one outside, and as
        `open_original`."""
        if start == 0 and stop is None:
            return open_original(content, self.sealed)
        end = content.size if stop is None else min(stop, content.size)
        if not 0 <= start <= content.size or end < start:
            raise RangeInvalid()
        return self._joined((content,) if content.parts is None else content.parts, start, end)

    def sealed(self, content: Content) -> Iterator[bytes]:
        """The blob of a content without parts, whatever is given in its place."""
        return self._shown(content.name, sealed_content_size(content.size), self._read_blob(content.blob, 0, None))

    def _joined(self, parts: Iterable[Content], start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of segments, one after the other."""
        for part in parts:
            first, last = max(0, start), min(stop, part.size)
            if first < last:
                yield from self._range(part, first, last)
            start, stop = start - part.size, stop - part.size

    def _range(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        """Where the range isn't given, or doesn't open, the blob is read whole to learn whose fault that is."""
        fault: SdkError
        try:
            yield from self._open_range(content, start, stop)
            return
        except (TamperedError, MalformedError) as error:
            fault = BlobSwapped(error.code)
        except Refused as refusal:
            if refusal.code != "range_invalid":
                raise
            fault = refusal
        with suppress(ContentDiffers):
            for _ in open_content(content, self.sealed(content)):
                pass
        raise fault  # of the blob that was kept it would have opened

    def _open_range(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        whole = sealed_content_size(content.size)
        plain_start, plain_stop = content_range(start, stop)
        first_byte, after, first = sealed_range(plain_start, plain_stop)
        after = min(after, whole)
        if first_byte <= _NEAR:
            stream = self._read_blob(content.blob, 0, after)
            header, body = split_off(stream, HEADER_SIZE)
            _, body = split_off(body, first_byte - HEADER_SIZE)
        else:
            header = b"".join(self._read_blob(content.blob, 0, HEADER_SIZE))
            body = self._read_blob(content.blob, first_byte, after)
        opener = content_opener(content.key, content.blob, header)
        plain = _open_run(opener, first, self._shown(content.name, after - first_byte, body), after == whole)
        yield from _cut(plain, plain_start - first * CHUNK_SIZE, stop - start)

    def _shown(self, name: str, size: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
        self._progress.start(name, size)
        try:
            for block in blocks:
                self._progress.advance(len(block))
                yield block
        finally:
            self._progress.done()


def sealed_content_size(size: int) -> int:
    """How many bytes the blob of a content of `size` bytes has."""
    return sealed_size(content_plain_size(size))


def bounded(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same blocks, cut so that no more than one byte beyond `size` comes: enough to see that there is more."""
    left = size + 1
    for block in blocks:
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def checked(content: Content, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The blob of a content without parts, as it was deposited, if `sealed` is that.

    Raises in the place of an end BlobSwapped where it is another, and ContentBroken where only its size is another than
    the record says.
    """
    digest, size = sha256(), sealed_content_size(content.size)
    left = size
    for block in bounded(sealed, size):
        digest.update(block)
        left -= len(block)
        yield block
    if digest.digest() != content.sealed:
        raise BlobSwapped("another hash than the record names")
    if left:
        raise ContentBroken("another size than the record names")


def open_content(content: Content, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The original bytes of a content without parts from its blob, each chunk verified before it comes.

    Until the iterator has ended, what came must not be taken for whole. Raises BlobSwapped where the blob is not the
    one whose SHA-256 the record names. Where it is, whoever kept it is not at fault: ContentBroken if it doesn't open,
    and ContentDiffers, after all of it came, if it opens as another original than the record names. A blob that doesn't
    open is read to its end, or that of the record's size, to learn which it is.
    """
    why: str | None = None
    size = 0
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as line:  # with more they wait for each other
        sealed_hash, plain_hash = Sha256Aside(line), Sha256Aside(line)
        passing = sealed_hash.passing(bounded(sealed, sealed_content_size(content.size)))
        try:
            header, body = split_off(passing, HEADER_SIZE)
            opener = content_opener(content.key, content.blob, header)
            opened = open_stream(opener, body, run=in_flight(pool, 4), chunks=_AT_ONCE)
            for block in plain_hash.passing(unpad_content(opened)):
                size += len(block)
                yield block
        except (TamperedError, MalformedError) as error:
            why = error.code
            for _ in passing:
                pass
    if sealed_hash.digest() != content.sealed:
        raise BlobSwapped(why or "another hash than the record names")
    if why is not None:
        raise ContentBroken(why)
    if (plain_hash.digest(), size) != (content.sha256, content.size):
        raise ContentDiffers(plain_hash.digest(), size)


def open_original(content: Content, sealed: Callable[[Content], Iterator[bytes]]) -> Iterator[bytes]:
    """The original bytes of a content: of a recording, from the blob of each part, which `sealed` gives. Raises as
    `open_content`; a part that differs is said in the end, and keeps none of the others back."""
    if content.parts is None:
        yield from open_content(content, sealed(content))
        return
    digest, size, differs = sha256(), 0, False
    for part in content.parts:
        try:
            for block in open_content(part, sealed(part)):
                digest.update(block)
                size += len(block)
                yield block
        except ContentDiffers:
            differs = True
    if differs or digest.digest() != content.sha256:
        raise ContentDiffers(digest.digest(), size)


def _open_run(opener: Opener, first: int, sealed: Iterator[bytes], to_the_end: bool) -> Iterator[bytes]:
    """The plain bytes of consecutive sealed chunks from number `first`; `to_the_end`: the message ends with them."""
    size = RUN_CHUNKS * SEALED_CHUNK_SIZE
    waiting = bytearray()
    for block in sealed:
        waiting += block
        while len(waiting) > size:  # one byte more: so this run isn't the last
            yield opener.open_chunks(first, bytes(waiting[:size]), last=False)
            first += RUN_CHUNKS
            del waiting[:size]
    yield opener.open_chunks(first, bytes(waiting), last=to_the_end)


def _cut(plain: Iterator[bytes], skip: int, size: int) -> Iterator[bytes]:
    for block in plain:
        part = block[skip : skip + size]
        skip, size = max(0, skip - len(block)), size - len(part)
        if part:
            yield part
    if size:
        raise ServerFault("fewer bytes than the range holds")
