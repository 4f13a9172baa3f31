"""What lies in a folder, in which programs are at work: a vault's data, a browser's profile.

Knows: a disk. Refuses to know: what the bytes are.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, in which others may be writing: what goes meanwhile is no trace."""
    found = {}
    for place, _, names in os.walk(folder):
        for path in (Path(place) / name for name in names):
            with contextlib.suppress(OSError):  # gone, or no file: a socket
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found
