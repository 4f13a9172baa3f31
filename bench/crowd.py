"""Sixteen who deposit at once with four workers: how many receipts a second, how long each waits, and how much of
that is the ledger's.

In one run, in turn and on the same machine, the shipped server and the same one without its ledger (bench.unsigned)
are given the same crowd: entries one by one, batches, blobs, in bytes that nobody seals (tests/fakes/crowd.py).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import RUNS, Row
from bench.tools import work_in
from tests.fakes.crowd import Depositor, deposit_at_once, open_sessions
from tests.fakes.processes import RealVault, running

WORKERS = 4
CLIENTS = 16
SECONDS = 6
"""Of one turn; each side has one that does not count, and RUNS that do."""


@dataclass
class Turn:
    """What a crowd came to in one turn."""

    things: int
    octets: int
    seconds: float

    @property
    def each(self) -> float:
        return self.seconds / self.things


@dataclass
class Crowd:
    """Sixteen people in one vault."""

    depositors: list[Depositor]
    turns: list[Turn] = field(default_factory=list)

    def take_turn(self) -> None:
        for one in self.depositors:
            one.kept.clear()
        seconds = deposit_at_once(self.depositors, SECONDS)
        kept = [thing for one in self.depositors for thing in one.kept]
        self.turns.append(Turn(len(kept), sum(thing.size for thing in kept), seconds))

    def warm_up(self) -> None:
        """One turn that does not count."""
        self.take_turn()
        self.turns.clear()
        for one in self.depositors:
            one.seconds.clear()

    def waits(self) -> list[float]:
        """The 99 percentiles of the seconds that an answer took, in all turns that count."""
        return statistics.quantiles([wait for one in self.depositors for wait in one.seconds], n=100)

    @property
    def middle(self) -> Turn:
        """The turn of the median rate."""
        return sorted(self.turns, key=lambda turn: turn.each)[len(self.turns) // 2]


def measure() -> Iterator[Row]:
    for place in ("memory", "disk"):
        yield from _measure_in(place)


def _measure_in(place: str) -> Iterator[Row]:
    with work_in(place) as folder, ExitStack() as stack:
        signed = _open_crowd(folder / "signed", "", stack)
        unsigned = _open_crowd(folder / "unsigned", "bench.unsigned", stack)
        for crowd in (signed, unsigned):
            crowd.warm_up()
        for _ in range(RUNS):
            for crowd in (signed, unsigned):
                crowd.take_turn()
        ours, bare = signed.middle, unsigned.middle
        against = bare.each * ours.things
        yield Row(f"receipts, {place}", ours.things, "receipts", ours.seconds, "no ledger", against, ratio=0.6)
        yield Row(f"the bytes behind them, {place}", ours.octets, "B", ours.seconds)
        waits, others = signed.waits(), unsigned.waits()
        for percent in (50, 95, 99):
            wait, other = waits[percent - 1], others[percent - 1]
            yield Row(f"its answer takes, p{percent}, {place}", 1, "answer", wait, "no ledger", other)


def _open_crowd(data: Path, module: str, stack: ExitStack) -> Crowd:
    vault = stack.enter_context(running(RealVault(data, WORKERS, module=module, apart=True)))
    tokens = open_sessions(data, CLIENTS)
    return Crowd([stack.enter_context(closing(Depositor(vault.port, token))) for token in tokens])
