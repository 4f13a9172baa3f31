"""A bare endpoint on the vault's own kind of server: it writes, hashes and syncs a body, and gives a file back.

Knows: WSGI, one folder. Refuses to know: everything that makes a vault. `python -m bench.bare PORT` serves it; the
folder comes in BENCH_FOLDER.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from server.cli.serving import serve
from server.requests import PIECE

FOLDER = "BENCH_FOLDER"
WORKERS = 2


def application() -> Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]:
    """The factory that granian's workers call."""
    path = Path(os.environ[FOLDER]) / "body"

    def app(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT":
            answer = _keep(path, environ["wsgi.input"], int(environ["CONTENT_LENGTH"])).encode()
            start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
            return [answer]
        size = path.stat().st_size if path.exists() else 0
        start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
        return _pieces(path) if size else []

    return app


def _keep(path: Path, body: Any, left: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb", buffering=0) as file:
        while left and (piece := body.read(min(left, PIECE))):
            digest.update(piece)
            file.write(piece)
            left -= len(piece)
        os.fsync(file.fileno())
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


if __name__ == "__main__":
    serve("bench.bare:application", "127.0.0.1", int(sys.argv[1]), WORKERS)
