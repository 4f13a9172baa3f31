"""The programs and places that results are compared with, and in.

Knows: Debian's names for them, and which folder lies in memory. Refuses to know: what is measured.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACES = {"memory": Path("/dev/shm"), "disk": Path(tempfile.gettempdir())}
"""Where a bench works: without a disk in the way, and with one."""


class ToolMissing(Exception):
    """What a bar is measured against isn't on this machine."""


def require_tool(name: str) -> str:
    """The path of a program of the Debian package of the same name. Raises ToolMissing."""
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(f"{name} is missing, and its bars can't be measured without it: apt-get install -y {name}")
    return found


def run(*command: str | Path) -> str:
    """What a program says on standard output. Raises CalledProcessError if it fails."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def work_in(place: str) -> Iterator[Path]:
    """A folder in one of PLACES, gone at the end."""
    with tempfile.TemporaryDirectory(dir=PLACES[place], prefix="bench-") as folder:
        yield Path(folder)


def make_random_file(path: Path, size: int) -> Path:
    """A file of `size` bytes, whole MiB, that nothing can compress."""
    with Path("/dev/urandom").open("rb") as source, path.open("wb") as file:
        for _ in range(size // 2**20):
            file.write(source.read(2**20))
    return path
