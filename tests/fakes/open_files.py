"""What programs have open and hide: files that are on a disk, and in no folder any more.

Knows: /proc. Refuses to know: whose they are; every process that may be looked at is.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

LARGEST = 2**30
"""Bytes of a file that is read."""


def hidden_files_with(words: str) -> list[str]:
    """Their names, where these words stand in them. What lies in memory alone is none of them."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # it was closed meanwhile
            name = str(link.readlink())
            if not name.endswith(" (deleted)") or name.startswith(("/memfd:", "/dev/shm/")):
                continue
            if link.stat().st_size < LARGEST and words.encode() in link.read_bytes():
                found.append(name)
    return found
