"""Writing what was opened to this device: whole or not at all, and never over another file.

Knows: files. Refuses to know: where the bytes come from, and that a name may be trusted.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from client_sdk.cli.failures import FileExists, NoPlainFile
from client_sdk.cli.output import visible

_LONGEST_NAME = 255
"""Bytes, on the common file systems."""
_SEPARATORS = str.maketrans({"/": "_", "\\": "_", ":": "_", "\n": "_", "\t": "_", "\ufffd": "_"})


def local_name(name: str, taken: set[str]) -> str:
    """A name for this folder made from one that somebody else may have chosen: no path, no control characters,
    not hidden, not too long, and not one of `taken`, to which it is added."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = visible(last).translate(_SEPARATORS).strip(" .") or "document"
    stem, dot, suffix = plain.rpartition(".") if len(plain.rpartition(".")[2].encode()) <= 20 else (plain, "", "")
    if not stem:
        stem, dot, suffix = plain, "", ""
    number = 1
    while True:
        tail = (f" ({number})" if number > 1 else "") + dot + suffix
        whole = _cut(stem, _LONGEST_NAME - len(tail.encode())) + tail
        if whole not in taken:
            taken.add(whole)
            return whole
        number += 1


def save(chunks: Iterable[bytes], path: Path, *, overwrite: bool) -> None:
    """Writes beside `path`, for this user alone, and gives it its name when the last chunk has come and is on disk.

    With `overwrite` a file makes room; nothing else ever does: root could put a file in the place of a device, or of
    the link that /dev/stdout is. Raises FileExists, NoPlainFile; and whatever `chunks` raises, leaving nothing behind.
    """
    _require_room(path, overwrite)
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, path, overwrite)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


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


def _name(temporary: str, path: Path, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(temporary, path)  # refuses an existing name in one step
            return
        except FileExistsError:
            raise FileExists from None
        except OSError:
            pass  # a file system without links
    _require_room(path, overwrite)  # again: something may have come meanwhile
    os.replace(temporary, path)


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
