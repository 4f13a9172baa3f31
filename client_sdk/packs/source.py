"""A pack as it lies on a disk, in a folder or in a ZIP file: its names, and the bytes of each.

Knows: folders, ZIP files, and the traps that either can be. Refuses to know: what the files mean.
Nothing is unpacked anywhere: a name is compared with names that are expected, and never becomes a path to write to.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol

from client_sdk.packs.errors import PackMalformed

MOST_FILES = 65_535
_BLOCK = 1 << 20
_UNPACKED, _AT_LEAST = 20, 64 << 20
"""How many times its own size a ZIP file may unpack to, and what it always may."""
_WELL_NAMED = re.compile(r'(?:(?!\.\.?(?:/|$))[^/\\:\x00-\x1f\x7f]+(?:/(?!$)|$))+')
_FOLDER, _PLAIN = (0, stat.S_IFDIR), (0, stat.S_IFREG)
_ENCRYPTED = 0x1
_BESIDE = "__MACOSX/"


class PackSource(Protocol):
    """The files of a pack. Names are relative, with `/`."""

    @property
    def names(self) -> Mapping[str, int]:
        """Each file that can be read, with its size in bytes."""

    @property
    def odd(self) -> Mapping[str, str]:
        """What lies there and isn't read, with the reason."""

    def blocks(self, name: str) -> Iterator[bytes]:
        """A file in blocks of at most 1 MiB. Raises PackMalformed for one that can't be read to its end."""


class FolderSource:
    """A folder. Links aren't followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names, self.odd = dict[str, int](), dict[str, str]()
        for place, folders, files in os.walk(folder):
            for one in sorted((*files, *(each for each in folders if (Path(place) / each).is_symlink()))):
                path = Path(place) / one
                name, found = path.relative_to(folder).as_posix(), path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    self.odd[name] = "a link, or no file"
                elif not _WELL_NAMED.fullmatch(name) or not _is_text(name):
                    self.odd[name] = "a name that no pack has"
                else:
                    self.names[name] = found.st_size

    def blocks(self, name: str) -> Iterator[bytes]:
        try:
            with (self._folder / name).open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        except OSError as error:
            raise PackMalformed(os.strerror(error.errno) if error.errno else "") from None


class ZipSource:
    """A ZIP file, open as long as this is: a context. Raises PackMalformed for none, or one that is a trap."""

    def __init__(self, path: Path) -> None:
        self._opened = ExitStack()
        try:
            self._zip = self._opened.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise PackMalformed("not a ZIP file") from None
        entries = [one for one in self._zip.infolist() if not _is_folder(one)]
        try:
            if len(entries) > MOST_FILES:
                raise PackMalformed("more files than a pack has")
            if sum(one.file_size for one in entries) > _UNPACKED * path.stat().st_size + _AT_LEAST:
                raise PackMalformed("it unpacks to far more than it is")
        except PackMalformed:
            self._opened.close()
            raise
        around = _folder_around([one.filename for one in entries])
        self._entries, self.odd = dict[str, zipfile.ZipInfo](), dict[str, str]()
        for one in entries:
            name = one.filename.removeprefix(around)
            if reason := _reason(name, one):
                self.odd[one.filename] = reason
            elif name in self._entries or name in self.odd:
                self.odd[name] = "it comes twice"
                self._entries.pop(name, None)
            else:
                self._entries[name] = one

    def __enter__(self) -> ZipSource:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._opened.close()

    @property
    def names(self) -> Mapping[str, int]:
        return {name: one.file_size for name, one in self._entries.items()}

    def blocks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(self._entries[name]) as file:
                while block := file.read(_BLOCK):
                    yield block
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise PackMalformed("a file in the ZIP file can't be read") from None


def open_source(path: Path) -> FolderSource | ZipSource:
    """A folder or a ZIP file. Raises PackMalformed."""
    return FolderSource(path) if path.is_dir() else ZipSource(path)


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.is_dir() and not entry.file_size and stat.S_IFMT(entry.external_attr >> 16) in _FOLDER


def _reason(name: str, entry: zipfile.ZipInfo) -> str:
    """Why an entry isn't read; nothing for one that is."""
    if not _WELL_NAMED.fullmatch(name) or entry.orig_filename != entry.filename:
        return "a name that no pack has"
    if stat.S_IFMT(entry.external_attr >> 16) not in _PLAIN:
        return "a link, or no file"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed in an unusual way"
    return ""


def _folder_around(names: list[str]) -> str:
    """The one folder that all names begin with, with its `/`; nothing if there is none. What a Mac puts beside it
    (`__MACOSX/`) is not looked at: it is named as what doesn't belong, and hides nothing."""
    first = {name[: name.find("/") + 1] for name in names if not name.startswith(_BESIDE)}
    return first.pop() if len(first) == 1 else ""


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
