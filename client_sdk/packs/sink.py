"""Where a pack is written: a new folder, or a ZIP file.

Knows: folders and ZIP files. Refuses to know: what the files mean, and whether they are right.
A name is there whole or not at all; a ZIP file is there once it is finished. All of it is on disk when a sink is left
without an error: then the opening that it came from is let go of.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from client_sdk.home import make_folder, sync_folder

_BLOCK = 1 << 20
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
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o100600 << 16
        with self._zip.open(entry, "w", force_zip64=True) as file:
            return _copy(blocks, file)

    def read(self, name: str) -> Iterator[bytes]:
        entry = self._zip.getinfo(name)
        self._file.flush()
        with self._temporary.open("rb") as file:
            file.seek(entry.header_offset + _NAME_AND_EXTRA)
            file.seek(entry.header_offset + _HEADER + sum(struct.unpack("<HH", file.read(4))))
            yield from _blocks_of(file, entry.file_size)


def open_sink(path: Path) -> FolderSink | ZipSink:
    """A ZIP file where the name ends so, else a folder."""
    return ZipSink(path) if path.suffix.lower() == ".zip" else FolderSink(path)


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
