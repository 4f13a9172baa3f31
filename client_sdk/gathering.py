"""Deposits many files, several at once, each as a document of its own and none of them twice.

Knows: threads, which failures are one file's and which are everybody's. Refuses to know: folders, terminals.
Small files share the way to the vault; a large one has it to itself, since it fills it alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from client_sdk.contents import sealed_content_size
from client_sdk.errors import FileChanged, FileUnreadable, ValueRefused
from client_sdk.items import Draft, Kept
from client_sdk.journal import Source
from client_sdk.progress import Progress
from client_sdk.session import Session
from client_sdk.taken import AddingAlready, Taken
from client_sdk.uploader import Uploaded, Uploader, find_source
from client_sdk.writer import Writer
from crypto_core.errors import TemoinError

AT_ONCE = 4
LARGE = 8 * 1024 * 1024
"""Bytes from which on a file is sent while no other large one is."""
ITS_OWN = (FileUnreadable, FileChanged, ValueRefused)
"""Failures of one file; the others go on."""


@dataclass(frozen=True)
class Chosen:
    """A file to deposit, and the heading of its document."""

    path: Path = field(repr=False)
    title: str = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What became of one: kept now, or (neither) deposited before, or why not."""

    chosen: Chosen
    kept: Kept | None = None
    failure: TemoinError | None = None


@dataclass(frozen=True)
class Plan:
    """What holds for all of them; `again`: also what was deposited before."""

    category: str | None = None
    sensitive: bool = False
    again: bool = False


@dataclass
class _Flight:
    """A file on its way, and what keeps other processes off it."""

    chosen: Chosen
    source: Source
    claim: ExitStack = field(default_factory=ExitStack)


class Stopped(Exception):
    """Somebody else's failure, or the person, ended this transfer; its journal stays."""


class _Together:
    """One bar for all transfers. By what each of them calls most often it learns that it is over."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self.is_over = False

    def start(self, label: str, total: int) -> None:
        pass

    def advance(self, count: int) -> None:
        with self._still():
            self._progress.advance(count)

    def checking(self) -> None:
        with self._still():
            self._progress.checking()

    def done(self) -> None:
        pass

    def _still(self) -> threading.Lock:
        if self.is_over:
            raise Stopped
        return self._lock


class Gathering:
    """The files of one session."""

    def __init__(self, session: Session, writer: Writer, uploader: Uploader) -> None:
        self._session, self._writer, self._uploader = session, writer, uploader
        self._taken = Taken(session.home, session.keyring, session.replica.names)
        self._large = threading.Lock()

    def add(self, files: Sequence[Chosen], plan: Plan) -> Iterator[Outcome]:
        """An outcome for each file, in the order in which they end; a file that is named twice is one.

        Raises what is nobody's own: the network, the vault, the space; what was sent until then is gone on with when
        the same files are given again.
        """
        with self._taken.opened():
            fresh = list[tuple[Chosen, Source]]()
            for chosen in {one.path.absolute(): one for one in files}.values():
                try:
                    source = find_source(chosen.path)
                    if self._is_known(source, plan):
                        yield Outcome(chosen)
                    else:
                        fresh.append((chosen, source))
                except ITS_OWN as failure:
                    yield Outcome(chosen, failure=failure)
            if fresh:
                yield from self._send_all(fresh, plan)

    def _is_known(self, source: Source, plan: Plan) -> bool:
        return not plan.again and self._taken.has(source, _digest)

    def _send_all(self, fresh: Sequence[tuple[Chosen, Source]], plan: Plan) -> Iterator[Outcome]:
        progress = self._session.progress
        together = _Together(progress)
        label = fresh[0][0].path.name if len(fresh) == 1 else f"{len(fresh)} files"
        progress.start(label, sum(sealed_content_size(source.size) for _, source in fresh))
        waiting, flying = iter(fresh), dict[Future[Uploaded], _Flight]()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                while True:
                    while len(flying) < AT_ONCE and (one := next(waiting, None)) is not None:
                        flight = _Flight(*one)
                        if (outcome := self._claim(flight, plan)) is not None:
                            yield outcome
                            continue
                        flying[pool.submit(self._send, flight.source, plan, together)] = flight
                    if not flying:
                        return
                    done, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in done:
                        flight = flying[future]
                        outcome = self._land(flight, future, plan)
                        del flying[future]
                        yield outcome
            finally:
                together.is_over = True
                for future, flight in flying.items():
                    future.cancel()
                    future.add_done_callback(_let_go)
                    flight.claim.close()
                progress.done()

    def _claim(self, flight: _Flight, plan: Plan) -> Outcome | None:
        """None if this file is ours to send; another process may have sent it meanwhile, or be at it."""
        try:
            flight.claim.enter_context(self._taken.claimed(flight.source))
        except AddingAlready as failure:
            return Outcome(flight.chosen, failure=failure)
        if not self._is_known(flight.source, plan):
            return None
        flight.claim.close()
        return Outcome(flight.chosen)

    def _send(self, source: Source, plan: Plan, progress: Progress) -> Uploaded:
        with self._large if source.size >= LARGE else nullcontext():
            progress.advance(0)
            return self._uploader.send(source.path, sensitive=plan.sensitive, progress=progress)

    def _land(self, flight: _Flight, future: Future[Uploaded], plan: Plan) -> Outcome:
        with flight.claim:
            try:
                sent = future.result()
            except ITS_OWN as failure:
                return Outcome(flight.chosen, failure=failure)
            try:
                draft = Draft(title=flight.chosen.title, category=plan.category)
                self._taken.note(sent.source, sent.content.sha256, sent.content.blob)
                with self._session.alone, self._session.home.lock():
                    (kept,) = self._writer.add((draft,), "document", plan.sensitive, (sent.content,))
                self._taken.settle(sent.source, sent.content.sha256)
                sent.journal.remove()
            finally:
                sent.journal.close()
            return Outcome(flight.chosen, kept)


def _let_go(future: Future[Uploaded]) -> None:
    """What was sent after all: its journal lets the next run find it."""
    if not future.cancelled() and future.exception() is None:
        future.result().journal.close()


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise FileUnreadable.because(error) from None
