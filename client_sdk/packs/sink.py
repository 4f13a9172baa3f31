"""Where a pack is written: a new folder, a ZIP file, or a sealed backup, which is a ZIP file once it is opened.

Knows: folders, ZIP files, and how a backup is sealed while it is written. Refuses to know: what the files mean, and
whether they are right.
A name is there whole or not at all; a ZIP file is there once it is finished. All of it is on disk when a sink is left
without an error: then the opening that it came from is let go of.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Protocol

from client_sdk.home import make_folder, sync_folder
from crypto_core.sealing.backup import BACKUP_MAGIC, backup_end, backup_opener, backup_sealer
from crypto_core.sealing.envelope import CHUNK_SIZE, RUN_CHUNKS, sealed_range

_BLOCK = 1 << 20
_RUN = RUN_CHUNKS * CHUNK_SIZE
_NAME_AND_EXTRA, _HEADER = 26, 30
"""Where an entry's own header says how long what follows it is, and how long it is itself."""


class PackSink(Protocol):
    """Takes the files of a pack, one after the other, and gives back those that it has."""

    def write(self, name: str, blocks: Iterable[bytes]) -> str:
        """Keeps a file; gives its SHA-256 in hex. What `blocks` raises leaves nothing of it."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file that was written, in blocks of at most 1 MiB; also while the next one is."""


class FolderSink(AbstractContextManager["FolderSink"]):
    """A folder, made if need be."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._written = folder, list[Path]()
        make_folder(folder)

    def __exit__(self, raised: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if raised is None:
            for path in self._written:  # all at once: one after the other, each would wait for the disk
                _sync(path)
            for folder in {self._folder, *(path.parent for path in self._written)}:
                sync_folder(folder)

    def write(self, name: str, blocks: Iterable[bytes]) -> str:
        path = self._folder / name
        make_folder(path.parent)
        temporary = path.with_name(".part")
        try:
            with open(temporary, "wb", opener=_for_its_owner) as file:
                digest = _copy(blocks, file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self._written.append(path)
        return digest

    def read(self, name: str) -> Iterator[bytes]:
        with (self._folder / name).open("rb") as file:
            yield from _blocks_of(file, (self._folder / name).stat().st_size)


class ZipSink(AbstractContextManager["ZipSink"]):
    """A ZIP file of stored entries. It takes its name when this is left without an error."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._path, self._temporary, self._opened = path, path.with_name(f".{path.name}.part"), ExitStack()
        self._file = self._opened.enter_context(open(self._temporary, "wb", opener=_for_its_owner))
        self._zip = self._opened.enter_context(zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED))

    def __exit__(self, raised: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        try:
            self._opened.close()
            if raised is None:
                _sync(self._temporary)
                self._temporary.replace(self._path)
                sync_folder(self._path.parent)
        finally:
            self._temporary.unlink(missing_ok=True)

    def write(self, name: str, blocks: Iterable[bytes]) -> str:
        with _adding(self._zip, name) as file:
            return _copy(blocks, file)

    def read(self, name: str) -> Iterator[bytes]:
        entry = self._zip.getinfo(name)
        self._file.flush()
        with self._temporary.open("rb") as file:
            file.seek(entry.header_offset + _NAME_AND_EXTRA)
            file.seek(entry.header_offset + _HEADER + sum(struct.unpack("<HH", file.read(4))))
            yield from _blocks_of(file, entry.file_size)


class SealedSink(AbstractContextManager["SealedSink"]):
    """A sealed backup, in a new file that can be written and read. It is whole when this is left without an error, and
    on disk when whoever gave the file has synced it. Nothing but sealed chunks ever comes into the file."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        """`key`: the 32 bytes of the backup's words."""
        self._stream = _SealedStream(file, key)
        self._zip = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED)
        self._places = dict[str, tuple[int, int]]()

    def __exit__(self, raised: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._zip.close()
        if raised is None:
            self._stream.finish()

    def write(self, name: str, blocks: Iterable[bytes]) -> str:
        with _adding(self._zip, name) as file:
            start = self._stream.tell()
            digest = _copy(blocks, file)
            self._places[name] = start, self._stream.tell()
        return digest

    def read(self, name: str) -> Iterator[bytes]:
        yield from self._stream.read_back(*self._places[name])


class _SealedStream:
    """Seals what is written, a run of chunks at once. It has no `seek`: a chunk is sealed once, and never again."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        sealer = backup_sealer(key)
        self._file, self._sealer, self._opener = file, sealer, backup_opener(key, sealer.header)
        self._waiting, self._sealed = bytearray(BACKUP_MAGIC), 0
        """What isn't sealed yet, less than a run; and how many bytes are, whole runs."""
        file.write(sealer.header)

    def tell(self) -> int:
        """How much of the pack was written."""
        return self._sealed + len(self._waiting) - len(BACKUP_MAGIC)

    def write(self, data: bytes) -> int:
        self._waiting += data
        self._seal(len(self._waiting) // _RUN * _RUN, last=False)
        return len(data)

    def flush(self) -> None:
        """What waits can't be sealed before its run is full."""

    def close(self) -> None:
        """The file is its giver's."""

    def finish(self) -> None:
        """The padding, and the end of the seal."""
        for block in backup_end(self.tell()):
            self.write(block)
        self._seal(len(self._waiting), last=True)

    def read_back(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of what was written, a run at once; more may be written meanwhile."""
        at, stop = start + len(BACKUP_MAGIC), stop + len(BACKUP_MAGIC)
        while at < stop:
            until = min(stop, at + _RUN)
            block = self._open(at, min(until, self._sealed)) if at < self._sealed else bytes(
                self._waiting[at - self._sealed : until - self._sealed]
            )
            at += len(block)
            yield block

    def _open(self, start: int, stop: int) -> bytes:
        sealed_start, sealed_stop, first = sealed_range(start, stop)
        self._file.flush()
        sealed = os.pread(self._file.fileno(), sealed_stop - sealed_start, sealed_start)
        chunks = self._opener.open_chunks(first, sealed, last=False)
        return chunks[start - first * CHUNK_SIZE : stop - first * CHUNK_SIZE]

    def _seal(self, size: int, *, last: bool) -> None:
        if size or last:
            chunk = self._sealed // CHUNK_SIZE
            self._file.write(self._sealer.seal_chunks(chunk, bytes(self._waiting[:size]), last=last))
            del self._waiting[:size]
            self._sealed += size


def open_sink(path: Path) -> FolderSink | ZipSink:
    """A ZIP file where the name ends so, else a folder."""
    return ZipSink(path) if path.suffix.lower() == ".zip" else FolderSink(path)


@contextmanager
def _adding(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """An entry to be written. After a failure the directory doesn't name it, which is what a ZIP file is read by; its
    bytes stay where they are, since a stream can't take them back."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o100600 << 16
    try:
        with archive.open(entry, "w", force_zip64=True) as file:
            yield file
    except BaseException:
        if archive.NameToInfo.pop(name, None) is not None:
            archive.filelist.remove(entry)
        raise


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy(blocks: Iterable[bytes], file: IO[bytes]) -> str:
    digest = sha256()
    for block in blocks:
        digest.update(block)
        file.write(block)
    return digest.hexdigest()


def _blocks_of(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (block := file.read(min(size, _BLOCK))):
        size -= len(block)
        yield block
