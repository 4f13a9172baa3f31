"""A throw-away vault with real processes, for the benches that need one.

Knows: how the tests start one. Refuses to know: what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.tools import work_in
from client_sdk.client import VaultClient
from tests.fakes.processes import PASSWORD, PIN, USER, serving


@contextmanager
def open_vault(place: str = "disk") -> Iterator[tuple[str, Path, VaultClient]]:
    """The address, a temporary folder in `place` (bench.tools.PLACES), and a client of a new account, open."""
    with work_in(place) as folder, serving(folder / "data") as vault:
        client = VaultClient.connect(vault.url, folder / "home")
        client.register(client.make_account(USER, PASSWORD, PIN))
        client.log_in(USER, PASSWORD, PIN)
        try:
            yield vault.url, folder, client
        finally:
            client.lock()
