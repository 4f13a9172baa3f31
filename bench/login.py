"""A whole login, from password and PIN to a judged synchronisation, against Argon2id alone."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Row, medians_in_turn
from bench.vault import open_vault
from client_sdk.client import VaultClient
from crypto_core.sealing.passphrase import stretch
from tests.fakes.processes import PASSWORD, PIN, USER


def measure() -> Iterator[Row]:
    with open_vault() as (url, folder, _):

        def log_in() -> None:
            client = VaultClient.connect(url, folder / "home")
            client.log_in(USER, PASSWORD, PIN)
            client.lock()

        seconds, alone = medians_in_turn(log_in, lambda: stretch(USER, PASSWORD, bytes(16)))
        yield Row("log in, synchronise, log out", 1, "login", seconds, "Argon2id alone", alone, more=0.06)
