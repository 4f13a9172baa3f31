"""Which files of this device were deposited already, so that a folder that is given again sends none of them twice.

Knows: keyed marks of place, size, time and bytes, in a list that only grows. Refuses to know: the places themselves:
without the account's keys the list tells how many files there were, and nothing else.

A file is written down between its receipt and its record, with its blob: it counts as deposited once a record names
that blob, whatever was cut in between.
"""

from __future__ import annotations

import errno
import fcntl
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from client_sdk.home import AccountHome, make_folder, read_file, write_file
from client_sdk.journal import Source
from crypto_core.encoding import HASH_SIZE, ID_SIZE, u64
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.randomness import make_bytes
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.records import open_device_state, seal_device_state

_NAME = "taken"
_SETTLED = bytes(ID_SIZE)
"""In place of a blob: a record names it, and what becomes of that record later changes nothing."""
_LINE = HASH_SIZE + ID_SIZE


class AddingAlready(TemoinError):
    """Two at once might deposit the same file twice."""

    code = "adding_already"
    sentence = "Another command is depositing this very file. Nothing is lost; it says whether it was kept."


class Taken:
    """The list of one account on this device, which several processes may read and lengthen at once."""

    def __init__(self, home: AccountHome, keyring: Keyring, is_named: Callable[[bytes], bool]) -> None:
        """`is_named`: whether a record names a blob."""
        self._folder, self._keyring, self._is_named = home.folder / "taken", keyring, is_named
        self._marks, self._read, self._file, self._key = dict[bytes, bytes](), 0, -1, b""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While it lasts, files can be looked up and claimed; then all claims end."""
        make_folder(self._folder)
        self._file = os.open(self._folder / "marks", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            with self._alone():
                self._key = self._load_key()
            yield
        finally:
            os.close(self._file)
            self._marks.clear()
            self._read = 0

    @contextmanager
    def claimed(self, source: Source) -> Iterator[None]:
        """While it lasts, no other process has the file of this place. Raises AddingAlready if one has it now."""
        place = int.from_bytes(self._place(source)[:7], "big")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            raise AddingAlready() from None
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def has(self, source: Source, digest: Callable[[Path], bytes]) -> bool:
        """Whether this file was deposited: from this place, and unchanged since, or with the same bytes.

        `digest` gives its SHA-256; it is asked for only where a file of this place was deposited that is not known to
        be this one, and only once for as long as it stays as it is.
        """
        if self._holds(self._state(source)):
            return True
        if not self._holds(self._place(source)):
            return False
        same = self._bytes(source, digest(source.path))
        if not self._holds(same):
            return False
        self._append([self._state(source)], self._marks[same])
        return True

    def note(self, source: Source, sha256: bytes, blob: bytes) -> None:
        """What a record is about to name; on disk when this returns."""
        self._append([self._state(source), self._bytes(source, sha256), self._place(source)], blob)

    def settle(self, source: Source, sha256: bytes) -> None:
        """The record is kept."""
        self.note(source, sha256, _SETTLED)

    def _append(self, marks: list[bytes], blob: bytes) -> None:
        with self._alone():
            size = os.fstat(self._file).st_size
            if size % _LINE:  # a crash cut the last line: its file counts as not yet deposited
                os.truncate(self._file, size - size % _LINE)
            lines = b"".join(mark + blob for mark in marks)
            if os.write(self._file, lines) < len(lines):  # a full disk takes what it can, and says so the next time
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)

    def _holds(self, mark: bytes) -> bool:
        self._load_more()
        blob = self._marks.get(mark)
        return blob is not None and (blob == _SETTLED or self._is_named(blob))

    def _place(self, source: Source) -> bytes:
        return self._mark(b"place", os.fsencode(source.path.absolute()))

    def _state(self, source: Source) -> bytes:
        numbers = (source.size, source.changed % 2**64, source.touched % 2**64)
        return self._mark(b"state", b"".join(map(u64, numbers)) + self._place(source))

    def _bytes(self, source: Source, sha256: bytes) -> bytes:
        return self._mark(b"bytes", sha256 + self._place(source))

    def _mark(self, kind: bytes, data: bytes) -> bytes:
        return hmac.digest(self._key, kind + data, "sha256")

    def _load_key(self) -> bytes:
        """Random, and sealed for this account; where it can't be opened any more, the list is begun anew."""
        sealed = read_file(self._folder / "key")
        if sealed is not None:
            try:
                return open_device_state(self._keyring.mk_n, _NAME, self._keyring.account, sealed)
            except CryptoCoreError:
                os.truncate(self._file, 0)
        key = make_bytes(HASH_SIZE)
        sealed = seal_device_state(self._keyring.mk_n, _NAME, self._keyring.account, key)
        write_file(self._folder / "key", sealed)
        return key

    def _load_more(self) -> None:
        """What this or another process has written since it was read last."""
        size = os.fstat(self._file).st_size
        while self._read + _LINE <= size:
            line = os.pread(self._file, _LINE, self._read)
            self._marks[line[:HASH_SIZE]] = line[HASH_SIZE:]
            self._read += _LINE

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
