"""What is written together with files: the files first, then what names them; once that is written their journals go.

Knows: what becomes of the others where a file can't be sent. Refuses to know: what is written, and how a file is sealed
and sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from client_sdk.items import Content
from client_sdk.session import Session
from client_sdk.uploader import Uploaded, Uploader
from crypto_core.errors import TemoinError

Leave = Callable[[Path, TemoinError | None], None]
"""Is told of a file that could not be sent, and why."""


class Attaching:
    """What one session writes with files."""

    def __init__(self, session: Session, uploader: Uploader) -> None:
        self._session, self._uploader = session, uploader

    @contextmanager
    def writing(self, files: Sequence[Path], sensitive: bool, leave: Leave | None = None) -> Iterator[list[Content]]:
        """Sends the files, one after the other, and gives what they became to whoever names them, under the account's
        lock. `leave` is told of one that can't be sent, and the others go on; after Ctrl-C, of each that is left,
        without an error. Where there is none, raises as `Uploader.send`.
        """
        sent, left = list[Uploaded](), list(files)
        try:
            while left:
                try:
                    sent.append(self._uploader.send(left[0], sensitive=sensitive))
                    del left[0]
                except TemoinError as error:
                    if leave is None:
                        raise
                    leave(left.pop(0), error)
                except KeyboardInterrupt:
                    if leave is None:
                        raise
                    for path in left:
                        leave(path, None)
                    left.clear()
            with self._session.home.lock():
                yield [one.content for one in sent]
            for one in sent:
                one.journal.remove()
        finally:
            for one in sent:
                one.journal.close()
