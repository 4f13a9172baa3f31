"""A throw-away vault with real processes, for the benches that need one.

Knows: how the tests start one. Refuses to know: what is measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from client_sdk.client import VaultClient
from tests.fakes.processes import PASSWORD, PIN, USER, serving


@contextmanager
def open_vault() -> Iterator[tuple[str, Path, VaultClient]]:
    """The address, a temporary folder, and a client of a new account, open."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as vault:
        client = VaultClient.connect(vault.url, Path(folder) / "home")
        client.register(client.make_account(USER, PASSWORD, PIN))
        client.log_in(USER, PASSWORD, PIN)
        try:
            yield vault.url, Path(folder), client
        finally:
            client.lock()
