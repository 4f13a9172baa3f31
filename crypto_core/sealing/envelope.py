"""Seals and opens one message, whole, as a stream, or any range of it.

Knows: c2sp.org/chunked-encryption@v1 with HKDF-SHA-512 and ChaCha20-Poly1305 (docs/spec/envelope.md).
Refuses to know: what is inside, where keys come from, where bytes go.

    0   24  salt
    24  32  commitment: a sealed message opens under one key and one context only
    56  ..  chunks of 16,384 bytes + 16 of tag; the last one is always shorter, and may be empty

One (key, context, salt) seals one message for ever: chunk nonces follow from it. Sealing the same bytes again, as a
resumed upload does, is safe; sealing other bytes under the same three is not.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol, TypeVar

from nacl.exceptions import CryptoError

from crypto_core.aead import CHACHA20_POLY1305, MAX_SIZE, NONCE_SIZE, TAG_SIZE, Aead
from crypto_core.derivation import KEY_SIZE, hkdf_expand, require_key
from crypto_core.errors import MalformedError, TamperedError
from crypto_core.randomness import make_bytes

SALT_SIZE = 24
COMMITMENT_SIZE = 32
HEADER_SIZE = SALT_SIZE + COMMITMENT_SIZE
CHUNK_SIZE = MAX_SIZE
SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE
MAX_CHUNKS = 2**38
RUN_CHUNKS = 16
"""Streams work in runs of 16 chunks: 262,144 bytes in the clear, 262,400 sealed, as uploads do."""

_Work = Callable[[bytes, Sequence[bytes], bytes, memoryview], None]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Mapping(Protocol):
    """What `map` does, in order: the door through which a caller brings threads."""

    def __call__(self, work: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]: ...


def sealed_size(size: int) -> int:
    """How many bytes a message of `size` bytes has once sealed. Raises ValueError beyond 2^38 chunks."""
    if size < 0 or size // CHUNK_SIZE >= MAX_CHUNKS:
        raise ValueError("a message has 0 to 2^52-1 bytes")
    return HEADER_SIZE + size + (size // CHUNK_SIZE + 1) * TAG_SIZE


def plain_size(sealed: int) -> int:
    """The inverse of `sealed_size`. Raises MalformedError if no message has that length once sealed."""
    whole, rest = divmod(sealed - HEADER_SIZE, SEALED_CHUNK_SIZE)
    if sealed < HEADER_SIZE or rest < TAG_SIZE or whole >= MAX_CHUNKS:
        raise MalformedError("no sealed message has this length")
    return whole * CHUNK_SIZE + rest - TAG_SIZE


def seal(
    key: bytes, context: bytes, message: bytes, *, salt: bytes | None = None, aead: Aead = CHACHA20_POLY1305
) -> bytes:
    """`message` sealed under a 32-byte key for one context. A salt (24 bytes) is drawn unless given."""
    sealer = Sealer(key, context, salt=salt, aead=aead)
    return sealer.header + sealer.seal_chunks(0, message, last=True)


def open_sealed(key: bytes, context: bytes, sealed: bytes, *, aead: Aead = CHACHA20_POLY1305) -> bytes:
    """The message. Raises TamperedError (another key, context or byte) or MalformedError (impossible length)."""
    plain_size(len(sealed))
    opener = Opener(key, context, sealed[:HEADER_SIZE], aead=aead)
    return opener.open_chunks(0, sealed[HEADER_SIZE:], last=True)


class Sealer:
    """Seals the chunks of one message, in any order and from any thread."""

    def __init__(
        self, key: bytes, context: bytes, *, salt: bytes | None = None, aead: Aead = CHACHA20_POLY1305
    ) -> None:
        self.salt = make_bytes(SALT_SIZE) if salt is None else salt
        self._chunks, commitment = _expand(key, context, self.salt, aead)
        self.header = self.salt + commitment
        """The first 56 bytes of the sealed message."""

    def seal_chunks(self, first: int, data: bytes, *, last: bool) -> bytes:
        """The sealed chunks number `first` and up that hold `data`.

        `data` is whole chunks; the last call brings what is left, if only nothing, and closes the message.
        Raises ValueError for a part of a chunk that isn't the last, or beyond 2^38 chunks.
        """
        whole, rest = divmod(len(data), CHUNK_SIZE)
        if rest and not last:
            raise ValueError("only the last chunk is shorter")
        return self._chunks.encrypt(first, data, whole + last)


class Opener:
    """Opens the chunks of one message, in any order and from any thread. Gives nothing that isn't verified."""

    def __init__(self, key: bytes, context: bytes, header: bytes, *, aead: Aead = CHACHA20_POLY1305) -> None:
        """Checks the commitment. Raises MalformedError unless `header` is 56 bytes, TamperedError if it differs."""
        if len(header) != HEADER_SIZE:
            raise MalformedError("the header of a sealed message is 56 bytes")
        self._chunks, commitment = _expand(key, context, header[:SALT_SIZE], aead)
        if not hmac.compare_digest(commitment, header[SALT_SIZE:]):
            raise TamperedError("the commitment differs")

    def open_chunks(self, first: int, sealed: bytes, *, last: bool) -> bytes:
        """What the sealed chunks number `first` and up hold.

        `sealed` is whole sealed chunks (multiples of 16,400 bytes), followed, if `last`, by the short final one.
        Raises TamperedError, or MalformedError for another length.
        """
        whole, rest = divmod(len(sealed), SEALED_CHUNK_SIZE)
        if (rest < TAG_SIZE if last else rest) or first + whole + last > MAX_CHUNKS:
            raise MalformedError("not whole sealed chunks")
        return self._chunks.decrypt(first, sealed, whole + last)


def seal_stream(
    sealer: Sealer, plain: Iterable[bytes], *, run: Mapping = map, chunks: int = RUN_CHUNKS
) -> Iterator[bytes]:
    """The sealed message of `plain`, cut anyhow: first the header, then runs of `chunks` chunks, in order."""
    def work(item: _Run) -> bytes:
        return sealer.seal_chunks(item.first, item.data, last=item.last)

    yield sealer.header
    yield from run(work, _runs(plain, CHUNK_SIZE, chunks))


def open_stream(
    opener: Opener, sealed_body: Iterable[bytes], *, run: Mapping = map, chunks: int = RUN_CHUNKS
) -> Iterator[bytes]:
    """What a sealed message holds, `chunks` at once; `sealed_body`, cut anyhow, is all that follows the header.

    Only verified chunks come out, in order. Raises TamperedError, also where the end is missing; whoever gets that
    must not take what came before for the whole.
    """
    def work(item: _Run) -> bytes:
        if item.last and len(item.data) % SEALED_CHUNK_SIZE < TAG_SIZE:
            raise TamperedError("the end is missing")
        return opener.open_chunks(item.first, item.data, last=item.last)

    yield from run(work, _runs(sealed_body, SEALED_CHUNK_SIZE, chunks))


def split_off(blocks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes of a stream (fewer if it ends before), and the stream of the rest."""
    stream, head = iter(blocks), bytearray()
    while len(head) < size:
        block = next(stream, None)
        if block is None:
            break
        head += block
    rest = bytes(head[size:])

    def following() -> Iterator[bytes]:
        if rest:
            yield rest
        yield from stream

    return bytes(head[:size]), following()


def in_flight(pool: Executor, depth: int) -> Mapping:
    """A `map` whose work runs in `pool`, results in order, with at most `depth` items drawn and not yet given out."""
    def run(work: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterator[_Result]:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    return run


def sealed_range(start: int, stop: int) -> tuple[int, int, int]:
    """(sealed start, sealed stop, first chunk): which sealed bytes hold the plain bytes [start, stop).

    The sealed stop may lie beyond the end of the message; cut it there. Raises ValueError unless 0 ≤ start ≤ stop.
    """
    if not 0 <= start <= stop:
        raise ValueError("a range runs forward from 0")
    first = start // CHUNK_SIZE
    after = -(-stop // CHUNK_SIZE) if stop > start else first
    return HEADER_SIZE + first * SEALED_CHUNK_SIZE, HEADER_SIZE + after * SEALED_CHUNK_SIZE, first


def open_range(opener: Opener, start: int, stop: int, sealed: bytes, *, of: int) -> bytes:
    """The plain bytes [start, stop), from the sealed bytes that `sealed_range` names, cut at the end of the message.

    `of` is the length of the whole sealed message. Raises TamperedError, or MalformedError if `sealed` has another
    length or the range leaves the message.
    """
    sealed_start, sealed_stop, first = sealed_range(start, stop)
    if stop > plain_size(of) or len(sealed) != min(sealed_stop, of) - sealed_start:
        raise MalformedError("not the bytes of this range")
    data = opener.open_chunks(first, sealed, last=sealed_stop > of)
    return data[start - first * CHUNK_SIZE : stop - first * CHUNK_SIZE]


def _expand(key: bytes, context: bytes, salt: bytes, aead: Aead) -> tuple[_Chunks, bytes]:
    if len(salt) != SALT_SIZE:
        raise ValueError("a salt is exactly 24 bytes")
    info = b"c2sp.org/chunked-encryption@v1+" + aead.name.encode("ascii") + b"\x00" + salt + context
    output = hkdf_expand(require_key(key), info, KEY_SIZE + NONCE_SIZE + COMMITMENT_SIZE)
    base = int.from_bytes(output[KEY_SIZE : KEY_SIZE + NONCE_SIZE], "big")
    return _Chunks(aead, output[:KEY_SIZE], base), output[KEY_SIZE + NONCE_SIZE :]


class _Chunks:
    """The AEAD under the key and base nonce of one message; the nonce of chunk k is `base nonce XOR k`."""

    def __init__(self, aead: Aead, key: bytes, base_nonce: int) -> None:
        self._aead, self._key, self._base_nonce = aead, key, base_nonce

    def encrypt(self, first: int, data: bytes, count: int) -> bytes:
        return self._each(self._aead.encrypt, first, data, len(data) + count * TAG_SIZE, count)

    def decrypt(self, first: int, data: bytes, count: int) -> bytes:
        try:
            return self._each(self._aead.decrypt, first, data, len(data) - count * TAG_SIZE, count)
        except CryptoError:
            raise TamperedError("a chunk does not verify") from None

    def _each(self, work: _Work, first: int, data: bytes, becomes: int, count: int) -> bytes:
        """`work` done on `count` chunks, which become `becomes` bytes together; the last may be shorter, or empty."""
        if first < 0 or first + count > MAX_CHUNKS:
            raise ValueError("a message has at most 2^38 chunks")
        output = BytesIO(bytes(becomes))  # gives its bytes away without copying them
        with output.getbuffer() as target:
            work(data, [self._nonce(number) for number in range(first, first + count)], self._key, target)
        return output.getvalue()

    def _nonce(self, number: int) -> bytes:
        return (self._base_nonce ^ number).to_bytes(NONCE_SIZE, "big")


@dataclass(frozen=True)
class _Run:
    first: int
    data: bytes
    last: bool


def _runs(blocks: Iterable[bytes], chunk_size: int, chunks: int) -> Iterator[_Run]:
    """Blocks of any size as runs of `chunks` chunks; the last run holds the rest, which may be nothing."""
    size = chunks * chunk_size
    waiting, first = bytearray(), 0
    for block in blocks:
        if not waiting and len(block) == size:  # already cut as we need it: nothing to copy
            yield _Run(first, block, last=False)
            first += chunks
            continue
        waiting += block
        while len(waiting) >= size:
            yield _Run(first, bytes(waiting[:size]), last=False)
            first += chunks
            del waiting[:size]
    yield _Run(first, bytes(waiting), last=True)
