"""Sends a file of any size, sealed, over a bad network; goes on where it was cut.

Knows: protocol §5: journal before bytes, units, two requests in flight, completion, receipt. Refuses to know: records.
Never holds more of a file than two requests and what is being sealed. Never sends a unit whose hash isn't journalled.
"""

from __future__ import annotations

import mimetypes
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from client_sdk.contents import sealed_content_size
from client_sdk.errors import FileChanged, FileUnreadable, NetworkError, Refused, ServerFault, ValueRefused
from client_sdk.hashing import Sha256Aside
from client_sdk.items import Content, KeptReceipt
from client_sdk.journal import Journal, JournalMismatch, Journals, Source
from client_sdk.progress import NO_PROGRESS, Progress
from client_sdk.protocol.upload import IN_FLIGHT, UploadEvent, Width, uploading
from client_sdk.reader import BLOB
from client_sdk.session import Session
from crypto_core.errors import MalformedError
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.sealing.envelope import CHUNK_SIZE, RUN_CHUNKS, in_flight, seal_stream
from crypto_core.sealing.padding import CONTENT_BORDER, pad_content
from crypto_core.sealing.records import content_sealer
from schemas import limits

UPLOADS = "/v1/uploads"
UPLOAD = "/v1/uploads/<id:blob>"
UNITS = "/v1/uploads/<id:blob>/units/<u32:first>"
COMPLETE = "/v1/uploads/<id:blob>/complete"
FAILURES = 8
"""In a row, after which the network is called gone. The journal stays."""
BLOBS = 3
"""How many times a file is begun anew under another key, if what was sealed doesn't match its journal."""
_AT_ONCE = 4
"""Units that are sealed, and hashed, at once."""
_CHUNKS = _AT_ONCE * RUN_CHUNKS
_RUN = _CHUNKS * CHUNK_SIZE
_AGAIN = 2
"""Seconds before a vault that checks is asked again, where it doesn't say."""
_OTHER_BYTES = ("blob_conflict", "upload_mismatch")
_PASSING = ("body_incomplete", "digest_mismatch", "unavailable")


@dataclass(frozen=True)
class Uploaded:
    """A content whose receipt verified; its journal goes when the record that names it is kept."""

    content: Content
    receipt: str
    journal: Journal
    source: Source
    """The file as it was when it was sent."""


class Place(Protocol):
    """Where blobs go, and by what right: a person's own vault, or a box in somebody else's."""

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **places: bytes | int
    ) -> dict[str, Any]:
        """A JSON request to one of the four paths above."""

    def put(
        self, path: str, pieces: Sequence[bytes | memoryview], digests: Sequence[bytes], **places: bytes | int
    ) -> dict[str, Any]:
        """Bytes with their SHA-256, whole or as units. Tried once."""

    def prove(self, receipt: str, blob: bytes, digest: bytes, size: int) -> VerifiedReceipt:
        """The receipt of a blob, proven, and held if this device holds any."""


class JournalMaker(Protocol):
    """Where an upload's journal comes from."""

    def find(self, source: Source, sensitive: bool) -> Journal | None: ...

    def make(self, source: Source, sensitive: bool) -> Journal: ...


class Sender:
    """Sends files to one place. `sleep` waits between failures."""

    def __init__(
        self, place: Place, journals: JournalMaker, progress: Progress, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._place, self._journals, self._progress, self._sleep = place, journals, progress, sleep

    def send(self, path: Path, *, sensitive: bool, progress: Progress | None = None) -> Uploaded:
        """Sends one file, or what is left of it. Several may be sent at once, each from a thread of its own and told to
        a `progress` of its own.

        Raises FileUnreadable, FileChanged, NetworkError (give the same file again to go on), or Refused.
        """
        for _ in range(BLOBS):
            with _opened(path) as (file, source):
                if sealed_content_size(source.size) > limits.BLOB:
                    raise ValueRefused("a file larger than a vault takes")
                journal = self._journals.find(source, sensitive) or self._journals.make(source, sensitive)
                try:
                    return Uploaded(*self._send(file, source, journal, progress or self._progress), journal, source)
                except JournalMismatch:
                    self._abandon(journal)
                except FileChanged:
                    self._abandon(journal)
                    raise
                except BaseException:
                    journal.close()
                    raise
        raise FileChanged()

    def _send(
        self, file: BinaryIO, source: Source, journal: Journal, progress: Progress
    ) -> tuple[Content, str]:
        machine, place = uploading(), self._place
        name = os.fsencode(source.path.name).decode("utf-8", "replace")
        machine.receive(UploadEvent.JOURNAL_WRITTEN)
        size = sealed_content_size(source.size)
        sealer = content_sealer(journal.key, journal.blob, journal.salt)
        progress.start(name, size)
        try:
            with ThreadPoolExecutor(IN_FLIGHT) as pool, ThreadPoolExecutor(1) as line:
                plain, whole = Sha256Aside(line), Sha256Aside(line)
                blocks = pad_content(source.size, plain.passing(_blocks(file)))
                sealed = seal_stream(sealer, blocks, run=in_flight(pool, 2 * IN_FLIGHT), chunks=_CHUNKS)
                runs = _unchanged(_units(whole.passing(sealed)), file, source)
                if size <= limits.FIRST_UNIT:
                    data = b"".join(unit for units in runs for unit in units)
                    answer = self._send_whole(data, whole.digest(), journal, progress)
                else:
                    sending = _Sending(place, journal, size, progress, self._sleep)
                    machine.receive(UploadEvent.ANNOUNCED)
                    sending.send(chain.from_iterable(in_flight(pool, IN_FLIGHT)(_with_digests, runs)))
                    machine.receive(UploadEvent.ALL_ARRIVED)
                    answer = self._complete(journal.blob, whole.digest(), progress)
        except MalformedError:
            raise FileChanged() from None
        except Refused as refusal:
            if refusal.code in _OTHER_BYTES:
                raise JournalMismatch from None
            raise
        finally:
            progress.done()
        machine.receive(UploadEvent.COMPLETED)
        place.prove(answer["receipt"], journal.blob, whole.digest(), size)
        machine.receive(UploadEvent.RECEIPT_VERIFIED)
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        content = Content(journal.blob, journal.key, whole.digest(), plain.digest(), name, mime, source.size)
        return content, str(answer["receipt"])

    def _send_whole(self, data: bytes, digest: bytes, journal: Journal, progress: Progress) -> dict[str, Any]:
        journal.note(0, digest)
        journal.sync()
        return self._put_whole(journal.blob, data, digest, progress)

    def send_sealed(self, blob: bytes, data: bytes) -> KeptReceipt:
        """A blob of one unit or less, sealed already: its receipt, proven."""
        digest = sha256(data).digest()
        receipt = str(self._put_whole(blob, data, digest, NO_PROGRESS)["receipt"])
        return KeptReceipt(blob.hex(), receipt, self._place.prove(receipt, blob, digest, len(data)))

    def _put_whole(self, blob: bytes, data: bytes, digest: bytes, progress: Progress) -> dict[str, Any]:
        for failures in range(FAILURES):
            try:
                answer = self._place.put(BLOB, (data,), (digest,), blob=blob)
                progress.advance(len(data))
                return answer
            except (NetworkError, ServerFault, Refused) as error:
                _require_passing(error, failures + 1)
                progress.advance(0)
                self._sleep(_pause(failures))
        raise NetworkError()

    def _complete(self, blob: bytes, digest: bytes, progress: Progress) -> dict[str, Any]:
        """All units are there. The vault checks a large file for longer than any connection stays silent, so that it
        says that it is at it and is asked again, for as long as it says so."""
        while True:
            try:
                return self._place.ask("POST", COMPLETE, {"sha256": digest}, blob=blob)
            except Refused as refusal:
                if refusal.code != "upload_checking":
                    raise
                progress.checking()
                self._sleep(refusal.retry_after or _AGAIN)

    def _abandon(self, journal: Journal) -> None:
        try:
            self._place.ask("DELETE", UPLOAD, blob=journal.blob)
        except (Refused, NetworkError, ServerFault):
            pass  # what nobody names is collected
        journal.remove()


class Uploader(Sender):
    """Sends the files of one session, and goes on after any cut. `sleep` waits between failures."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._kept, self._names = Journals(session.home, session.keyring), session.replica.names
        super().__init__(_Own(session), self._kept, session.progress, sleep)

    def tidy(self) -> None:
        """Forgets the journals of what an item names by now."""
        self._kept.tidy(self._names)


@dataclass(frozen=True)
class _Own:
    """The vault of the person whose session this is."""

    session: Session

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **places: bytes | int
    ) -> dict[str, Any]:
        return self.session.ask(method, path, body, query=None, **places)

    def put(
        self, path: str, pieces: Sequence[bytes | memoryview], digests: Sequence[bytes], **places: bytes | int
    ) -> dict[str, Any]:
        return self.session.transport.put(path, pieces, digests, token=self.session.token, **places)

    def prove(self, receipt: str, blob: bytes, digest: bytes, size: int) -> VerifiedReceipt:
        with self.session.alone:
            verified = self.session.verify(receipt, digest, size)
            self.session.replica.keep_receipt(blob.hex(), receipt)
        return verified


@dataclass(frozen=True)
class _Run:
    """Consecutive units that go in one request."""

    first: int
    units: tuple[memoryview, ...]
    digests: tuple[bytes, ...]

    def cut(self, start: int, stop: int) -> _Run:
        """The units from number `start` of this run to before number `stop`."""
        return _Run(self.first + start, self.units[start:stop], self.digests[start:stop])


class _Sending:
    """The units of one blob on their way."""

    def __init__(
        self, place: Place, journal: Journal, size: int, progress: Progress, sleep: Callable[[float], None]
    ) -> None:
        self._place, self._journal, self._progress, self._sleep = place, journal, progress, sleep
        state = place.ask("POST", UPLOADS, {"blob": journal.blob, "size": size})
        self._complete = state["complete"]
        self._there = {unit["unit"]: unit["sha256"] for unit in state["units"]}
        if any(number >= journal.known for number in self._there):
            raise JournalMismatch  # somebody else's units, or ours from before the journal was lost
        self._width = Width()
        self._waiting: deque[_Run] = deque()
        self._flying: dict[Future[float], _Run] = {}
        self._failures = 0

    def send(self, units: Iterable[tuple[memoryview, bytes]]) -> None:
        """Sends what isn't there of the units, each of which comes with its SHA-256."""
        run, digests = list[memoryview](), list[bytes]()

        def push(after: int) -> None:
            if run:
                self._push(pool, _Run(after - len(run), tuple(run), tuple(digests)))
                run.clear()
                digests.clear()

        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            try:
                number = 0
                for number, (unit, digest) in enumerate(units, 1):
                    if self._is_there(number - 1, digest):
                        self._progress.advance(len(unit))
                        push(number - 1)
                        continue
                    run.append(unit)
                    digests.append(digest)
                    if len(run) >= self._width.units:
                        push(number)
                push(number)
                self._pump(pool, 0)
            finally:
                for future in self._flying:
                    future.cancel()

    def _is_there(self, number: int, digest: bytes) -> bool:
        self._journal.note(number, digest)
        if not self._complete and number not in self._there:
            return False
        if self._there.get(number, digest) != digest:
            raise JournalMismatch
        return True

    def _push(self, pool: ThreadPoolExecutor, run: _Run) -> None:
        self._journal.sync()
        self._waiting.append(run)
        self._pump(pool, IN_FLIGHT - 1)

    def _pump(self, pool: ThreadPoolExecutor, stay: int) -> None:
        """Sends until nothing waits and at most `stay` requests are in flight."""
        while self._waiting or len(self._flying) > stay:
            while self._waiting and len(self._flying) < self._width.requests:
                run = self._waiting.popleft()
                self._flying[pool.submit(self._put, run)] = run
            if not self._waiting and len(self._flying) <= stay:
                return
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
            for future in done:
                self._landed(future, self._flying.pop(future))

    def _put(self, run: _Run) -> float:
        """How many seconds it took."""
        begun = time.monotonic()
        self._place.put(UNITS, run.units, run.digests, blob=self._journal.blob, first=run.first)
        return time.monotonic() - begun

    def _landed(self, future: Future[float], run: _Run) -> None:
        error = future.exception()
        if error is None or isinstance(error, Refused) and error.code == "upload_complete":
            self._failures = 0
            self._width.succeeded(future.result() if error is None else 0)
            self._progress.advance(sum(map(len, run.units)))
            return
        self._failures += 1
        _require_passing(error, self._failures)
        self._progress.advance(0)
        self._width.failed()
        parts = [run.cut(*part) for part in self._width.split(len(run.units))]
        self._waiting.extendleft(reversed(parts))
        self._sleep(_pause(self._failures))


def find_source(path: Path) -> Source:
    """A file as it is now. Raises FileUnreadable for what is none, or can't be opened."""
    with _opened(path) as (_, source):
        return source


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Source]]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileUnreadable("not a file")
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise FileUnreadable.because(error) from None
    with file:
        status = os.fstat(file.fileno())
        yield file, Source(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that fall together with the runs of the seal, behind the head."""
    size = _RUN - CONTENT_BORDER
    while True:
        try:
            block = _read(file, size)
        except OSError as error:
            raise FileUnreadable.because(error) from None
        if not block:
            return
        yield block
        size = _RUN


def _read(file: BinaryIO, size: int) -> bytes:
    parts, left = [], size
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _units(sealed: Iterator[bytes]) -> Iterator[list[memoryview]]:
    """The sealed runs, cut into units where they lie: the header goes with the first."""
    header = next(sealed)
    first = memoryview(header + next(sealed))
    yield [first[: limits.FIRST_UNIT], *_cut(first[limits.FIRST_UNIT :])]
    for run in sealed:
        yield _cut(memoryview(run))


def _cut(run: memoryview) -> list[memoryview]:
    return [run[start : start + limits.UNIT] for start in range(0, len(run), limits.UNIT)]


def _with_digests(units: list[memoryview]) -> list[tuple[memoryview, bytes]]:
    return [(unit, sha256(unit).digest()) for unit in units]


def _unchanged(runs: Iterable[list[memoryview]], file: BinaryIO, source: Source) -> Iterator[list[memoryview]]:
    """The runs, if the file is at the end still the one it was at the start. Raises FileChanged."""
    yield from runs
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (source.size, source.changed):
        raise FileChanged()


def _require_passing(error: BaseException | None, failures: int) -> None:
    """Raises `error`, unless it is one that passes and has not come too often in a row."""
    passing = isinstance(error, (NetworkError, ServerFault)) or isinstance(error, Refused) and error.code in _PASSING
    if error is not None and (not passing or failures >= FAILURES):
        raise error


def _pause(failures: int) -> float:
    return min(0.25 * 2.0**failures, 10.0)
