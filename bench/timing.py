"""How long a wrong password takes for somebody's account and for nobody's, in turn, through real processes.

The bar is a difference of the medians below 0.5 ms: whoever measures from afar learns less from more noise.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row
from crypto_core.randomness import make_bytes
from schemas.limits import ACCOUNT_RECORD
from tests.fakes.served import served_vault
from tests.fakes.vault import FakePerson, open_person, random_b64

TIMINGS = 1000
BAR = 0.0005


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, served_vault(Path(folder), workers=1) as vault:
        somebody = open_person(vault)
        record = {"n": 2, "account_record": random_b64(ACCOUNT_RECORD)}  # as large a row as there can be
        assert somebody.ask("PUT", "/v1/account/record", record).status_code == 200
        known: list[float] = []
        unknown: list[float] = []
        for number in range(TIMINGS):
            pair = [(known, somebody), (unknown, FakePerson(vault))]
            for seconds, person in pair if number % 2 else reversed(pair):
                seconds.append(_wrong_password(person))
    ours, theirs = statistics.median(known), statistics.median(unknown)
    yield Row("a wrong password, known account", 1, "try", ours, "an unknown account", theirs)
    yield Row(f"difference of the medians (bar {BAR} s)", 1, "try", max(abs(ours - theirs), 1e-9))


def _wrong_password(person: FakePerson) -> float:
    challenge = person.challenge()
    seed = make_bytes(32)
    start = time.perf_counter()
    answer = person.finish_login(challenge, seed=seed)
    seconds = time.perf_counter() - start
    assert answer.status_code == 401
    return seconds
