"""As many uploads as a worker has threads come in and end at the same moment: what that worker holds of them.

One worker, so that all of them are its own; two requests each, for nothing grows with their size.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from client_sdk.transport import HttpTransport
from crypto_core.encoding import parse_b64url
from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.cli.serving import BLOCKING_THREADS
from tests.fakes.crowd import open_sessions
from tests.fakes.processes import serving
from tests.fakes.swift import store_environment

MIB = 1024 * 1024
MEMORY = 120 * MIB
BODY = make_bytes(2 * limits.PUT)
DIGEST = sha256(BODY).digest()
TOGETHER = 60
"""Seconds that whoever has sent everything waits for the others."""


def upload(url: str, token: bytes, all_sent: threading.Barrier) -> None:
    with closing(HttpTransport(url)) as wire:
        blob, count = make_id(), limits.unit_count(len(BODY))
        wire.ask("POST", "/v1/uploads", {"blob": blob, "size": len(BODY)}, token=token)
        for first in range(0, count, limits.UNITS_PER_PUT):
            numbers = range(first, min(count, first + limits.UNITS_PER_PUT))
            units = [memoryview(BODY)[slice(*limits.unit_range(number, len(BODY)))] for number in numbers]
            digests = [sha256(unit).digest() for unit in units]
            wire.put("/v1/uploads/<id:blob>/units/<u32:first>", units, digests, token=token, blob=blob, first=first)
        all_sent.wait(TOGETHER)
        wire.ask("POST", "/v1/uploads/<id:blob>/complete", {"sha256": DIGEST}, token=token, blob=blob)


@pytest.mark.parametrize("store", ["folder", pytest.param("s3", marks=pytest.mark.soak)])
def test_a_worker_stays_small_however_many_uploads_it_takes_at_once(
    tmp_path: Path, request: pytest.FixtureRequest, store: str
) -> None:
    with serving(tmp_path / "data", workers=1, apart=True, **store_environment(store, request)) as vault:
        token, all_sent = parse_b64url(open_sessions(vault.data, 1)[0]), threading.Barrier(BLOCKING_THREADS)
        with ThreadPoolExecutor(BLOCKING_THREADS) as people:
            for each in [people.submit(upload, vault.url, token, all_sent) for _ in range(BLOCKING_THREADS)]:
                each.result()
        assert vault.workers_peak() <= MEMORY
