"""Writing what was opened to this device: whole or not at all, and never over another file.

Knows: files. Refuses to know: where the bytes come from, and that a name may be trusted.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from client_sdk.cli.failures import FileExists, NoPlainFile
from client_sdk.cli.output import visible
from client_sdk.errors import ContentDiffers
from client_sdk.home import sync_folder
from crypto_core.randomness import make_id

_LONGEST_NAME = 255
"""Bytes, on the common file systems."""
_DESCRIPTORS = "/proc/self/fd/"
"""Where Linux has what is open, under a path that can be linked."""
_SEPARATORS = str.maketrans(dict.fromkeys("/\\:\n\t\ufffd<>\"|?*", "_"))
"""What no folder takes, and what the file systems of memory sticks don't."""
_TURNS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "_")
"""What turns the direction of writing: a program could be shown as `…exe.jpg`. Letters turn it by themselves."""


def local_name(name: str, taken: set[str]) -> str:
    """A name for this folder made from one that somebody else may have chosen: no path, no control characters, nothing
    that turns around how it is read, not hidden, no option to a command, not too long, and not one of `taken`, to which
    it is added; nor one that some file systems take for one of these."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = visible(last).translate(_SEPARATORS | _TURNS).strip(" .") or "document"
    plain = "_" + plain[1:] if plain.startswith("-") else plain
    stem, dot, suffix = plain.rpartition(".") if len(plain.rpartition(".")[2].encode()) <= 20 else (plain, "", "")
    if not stem:
        stem, dot, suffix = plain, "", ""
    number = 1
    while True:
        tail = (f" ({number})" if number > 1 else "") + dot + suffix
        whole = _cut(stem, _LONGEST_NAME - len(tail.encode())) + tail
        same = unicodedata.normalize("NFC", whole).casefold()
        if same not in taken:
            taken.add(same)
            return whole
        number += 1


def save(chunks: Iterable[bytes], path: Path, *, overwrite: bool) -> None:
    """Writes as `saving` does. Raises whatever `chunks` raises, too, leaving nothing behind."""
    with saving(path, overwrite=overwrite) as file:
        for chunk in chunks:
            file.write(chunk)


def handed(chunks: Iterable[bytes], ended: list[ContentDiffers]) -> Iterator[bytes]:
    """The same chunks. That all of them are another file than was named goes to `ended`: it takes nothing from the
    person."""
    try:
        yield from chunks
    except ContentDiffers as error:
        ended.append(error)


@contextmanager
def saving(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A new file beside `path`, for this user alone, which gets its name once it was left without an error and is on
    disk.

    With `overwrite` a file makes room; nothing else ever does: root could put a file in the place of a device, or of
    the link that /dev/stdout is. Raises FileExists, NoPlainFile.
    """
    _require_room(path, overwrite)
    with _unnamed(path.parent) as (descriptor, place), os.fdopen(descriptor, "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        _name(place, path, overwrite)
    sync_folder(path.parent)


def save_to_output(chunks: Iterable[bytes]) -> None:
    """Each chunk as it is verified; whoever reads it must look at the exit code for the whole."""
    stream = sys.stdout.buffer
    for chunk in chunks:
        stream.write(chunk)
    stream.flush()


def _require_room(path: Path, overwrite: bool) -> None:
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise NoPlainFile
        if not overwrite:
            raise FileExists


@contextmanager
def _unnamed(folder: Path) -> Iterator[tuple[int, str]]:
    """A new file, and the place from which it can be linked. It has no name, so that nothing readable is left in hiding
    whatever ends this process, the power too; where a system has no such files it has a hidden one, while this lasts.
    """
    if os.path.isdir(_DESCRIPTORS):
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            pass  # a file system without such files
        else:
            yield descriptor, f"{_DESCRIPTORS}{descriptor}"
            return
    descriptor, place = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        yield descriptor, place
    finally:
        with suppress(FileNotFoundError):
            os.unlink(place)


def _name(place: str, path: Path, overwrite: bool) -> None:
    if not overwrite:
        try:
            _link(place, path)  # refuses an existing name in one step
            return
        except FileExistsError:
            raise FileExists from None
        except OSError:
            pass  # a file system without links
    _require_room(path, overwrite)  # again: something may have come meanwhile
    if place.startswith(_DESCRIPTORS):
        hidden = path.with_name(f".{make_id().hex()}.part")
        _link(place, hidden)
        place = str(hidden)
    os.replace(place, path)


def _link(place: str, path: Path) -> None:
    os.link(place, path, src_dir_fd=0, follow_symlinks=True)  # without a folder Python links what is in /proc itself


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
