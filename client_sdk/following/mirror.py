"""A copy of a published ledger that any server of static files can serve on.

Knows: the names of c2sp.org/tlog-tiles. Refuses to know: HTTP, and anything that was not proven before it is written.

A file is written beside, synced and renamed; the checkpoint last, so that whoever reads the copy always finds all that
the checkpoint demands. A partial tile goes once the full one is there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from client_sdk.following.published import Bundle, PublishedTree
from client_sdk.home import sync_folder
from crypto_core.receipts.tiles import (
    HEIGHT,
    WIDTH,
    entries_path,
    format_tile,
    tile_from_nodes,
    tile_path,
    tile_width,
)

STATE = ".followed"
"""What the copy's maker keeps between two looks, in the folder of the copy."""
_READABLE = 0o644


class Mirror:
    """A Sink that writes files. Their folders are made with the process's own mask."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._touched: set[Path] = set()

    def bundle(self, bundle: Bundle) -> None:
        width = len(bundle.entries)
        self._write(entries_path(bundle.index, width), bundle.data)
        self._write(tile_path(0, bundle.index, width), format_tile(bundle.leaves))
        if width == WIDTH:
            self._drop_partial(entries_path(bundle.index))
            self._drop_partial(tile_path(0, bundle.index))

    def settle(self) -> None:
        """All that was written is there after a crash."""
        for folder in self._touched:
            sync_folder(folder)
        self._touched.clear()

    def finish(self, tree: PublishedTree, note: bytes, records: bytes) -> None:
        """The tiles above the leaves that are not there yet, the records of the ledger's keys, then the checkpoint."""
        size = tree.checkpoint.size
        level = 1
        while size >> HEIGHT * level:
            for index in range(-(-(size >> HEIGHT * level) // WIDTH)):
                width = tile_width(level, index, size)
                path = tile_path(level, index, width)
                if not (self.folder / path).exists():
                    self._write(path, tile_from_nodes(level, index, width, tree.read))
                if width == WIDTH:
                    self._drop_partial(path)
            level += 1
        if records:
            self._write("rotations", records)
        self.settle()
        self._write("checkpoint", note)
        self.settle()

    def _drop_partial(self, path: str) -> None:
        shutil.rmtree(self.folder / f"{path}.p", ignore_errors=True)

    def _write(self, path: str, data: bytes) -> None:
        place = self.folder / path
        missing = [one for one in place.parents if not one.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _READABLE)
            os.fsync(file.fileno())
        os.replace(temporary, place)
        self._touched.update((place.parent, *(one.parent for one in missing)))
