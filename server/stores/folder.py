"""Blobs as files in one folder, for a vault on one machine.

Knows: POSIX files: positional writes, locks, fsync, rename. Refuses to know: accounts, units, the database.

    staged/<id in hex>            being written, mode 0600; 0400 once it was checked
    kept/<two digits>/<id in hex> whole, mode 0400

A writer holds a shared lock on the staged file for each piece, whoever finishes it an exclusive one, and after
it the mode says that the file is no longer anybody's to write: a straggler that still has it open finds out before
its next byte. So what was hashed is what is kept, among threads and among processes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path

from server.problems import Refusal
from server.stores import PIECE, NotKept, NotStaged

_IDS = re.compile("[0-9a-f]{32}")
"""As they are spelled here; a system has files of its own in a folder, such as NFS's of what is still open."""
_OPEN = 0o600
_CLOSED = 0o400
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderBlobStore:
    """A BlobStore in the folder `root`, which is made if need be, for nobody else to read."""

    def __init__(self, root: Path) -> None:
        self._kept = root / "kept"
        self._staged = root / "staged"
        for folder in (root, self._kept, self._staged):
            folder.mkdir(mode=0o700, exist_ok=True)

    def stage(self, blob: bytes, offset: int, length: int, pieces: Iterable[bytes]) -> None:
        path = self._staged_path(blob)
        with _faults_as_refusals():
            is_new = not path.exists()
            with _opened(path, os.O_WRONLY | os.O_CREAT) as file:
                for piece in pieces:
                    with _locked(file, fcntl.LOCK_SH):
                        if not os.fstat(file).st_mode & stat.S_IWUSR:
                            raise Refusal("upload_complete")
                        _write(file, piece, offset)
                    offset += len(piece)
                os.fdatasync(file)
            if is_new:
                _sync_folder(self._staged)

    def staged(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        with _faults_as_refusals():
            try:
                return _Pieces(self._staged_path(blob).open("rb", buffering=0), start, stop)
            except FileNotFoundError:
                return iter(())

    def staging(self) -> Sequence[bytes]:
        with _faults_as_refusals():
            return [bytes.fromhex(name) for name in os.listdir(self._staged) if _IDS.fullmatch(name)]

    def finish(self, blob: bytes, size: int, check: Callable[[bytes], None]) -> None:
        staged, kept = self._staged_path(blob), self._kept_path(blob)
        with _faults_as_refusals():
            with suppress(FileNotFoundError), _opened(staged, os.O_RDONLY) as file:
                with _locked(file, fcntl.LOCK_EX):
                    if _is_at(file, staged) and not kept.exists():
                        self._keep(file, staged, kept, size, check)
                        return
            _check_kept(kept, size, check)  # somebody finished it, before or meanwhile
            self.discard(blob)

    def read(self, blob: bytes, start: int, stop: int) -> Iterator[bytes]:
        with _faults_as_refusals():
            size = self.size(blob)
            if size is None or not 0 <= start <= stop <= size:
                raise NotKept()
            try:
                return _Pieces(self._kept_path(blob).open("rb", buffering=0), start, stop)
            except FileNotFoundError:
                raise NotKept() from None

    def size(self, blob: bytes) -> int | None:
        with _faults_as_refusals():
            try:
                return self._kept_path(blob).stat().st_size
            except FileNotFoundError:
                return None

    def discard(self, blob: bytes) -> None:
        _remove(self._staged_path(blob))

    def delete(self, blob: bytes) -> None:
        _remove(self._kept_path(blob))

    def sweep(self) -> None:
        """A file goes when it is dropped."""

    def close(self) -> None:
        """No file stays open."""

    def _keep(self, file: int, staged: Path, kept: Path, size: int, check: Callable[[bytes], None]) -> None:
        """With the lock held. Whoever else has this file open can't write any more once its mode says so."""
        if os.fstat(file).st_size != size:
            raise NotStaged()
        check(_digest(file))
        os.fchmod(file, _CLOSED)
        os.fsync(file)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        staged.rename(kept)
        for folder in (kept.parent, self._kept, self._staged):
            _sync_folder(folder)

    def _staged_path(self, blob: bytes) -> Path:
        return self._staged / blob.hex()

    def _kept_path(self, blob: bytes) -> Path:
        name = blob.hex()
        return self._kept / name[:2] / name


class _Pieces:
    """The bytes [start, stop) of a file, in pieces; closed at the end, by `close`, or when it is dropped."""

    def __init__(self, file: FileIO, start: int, stop: int) -> None:
        self._file = file
        self._at, self._stop = start, stop

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = b""
        if not self._file.closed and self._at < self._stop:
            piece = os.pread(self._file.fileno(), min(PIECE, self._stop - self._at), self._at)
        if not piece:
            self.close()
            raise StopIteration
        self._at += len(piece)
        return piece

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self.close()


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, _OPEN)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _locked(file: int, how: int) -> Iterator[None]:
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def _faults_as_refusals() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal("storage_full" if error.errno in _FULL else "unavailable") from error


def _write(file: int, piece: bytes, offset: int) -> None:
    rest = memoryview(piece)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest, offset = rest[written:], offset + written


def _is_at(file: int, path: Path) -> bool:
    """Whether `path` still leads to this very file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _check_kept(kept: Path, size: int, check: Callable[[bytes], None]) -> None:
    try:
        with _opened(kept, os.O_RDONLY) as file:
            if os.fstat(file).st_size != size:
                raise Refusal("blob_conflict")
            check(_digest(file))
    except FileNotFoundError:
        raise NotStaged() from None


def _digest(file: int) -> bytes:
    """SHA-256 of a whole file: the next bytes are read while those that came are hashed."""
    seen, at = sha256(), 0
    now, later = bytearray(PIECE), bytearray(PIECE)
    with ThreadPoolExecutor(1) as ahead:
        reading = ahead.submit(os.preadv, file, [now], at)
        while size := reading.result():
            at += size
            reading = ahead.submit(os.preadv, file, [later], at)
            seen.update(memoryview(now)[:size])
            now, later = later, now
    return seen.digest()


def _sync_folder(folder: Path) -> None:
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as file:
        os.fsync(file)


def _remove(path: Path) -> None:
    with _faults_as_refusals(), suppress(FileNotFoundError):
        path.unlink()
        _sync_folder(path.parent)
