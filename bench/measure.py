"""Medians, and the table they are printed in.

Knows: clocks and arithmetic. Refuses to know: what is measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One line: what was done, how much of it, how long, and the same of what it is compared with."""

    what: str
    amount: int
    unit: str
    seconds: float
    against: str = ""
    against_seconds: float = 0.0


Bench = Callable[[], Iterable[Row]]


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of `runs` timings of `work`, after one that doesn't count."""
    work()
    return statistics.median(_timed(work) for _ in range(runs))


def medians_in_turn(first: Callable[[], object], second: Callable[[], object], runs: int = RUNS) -> tuple[float, float]:
    """The medians of two works that take turns, so that both see the same machine."""
    first(), second()
    pairs = [(_timed(first), _timed(second)) for _ in range(runs)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def print_rows(name: str, rows: Iterable[Row]) -> None:
    """One line a row: amount, seconds, rate, and the ratio of speeds (1.00× is as fast as what it is compared with)."""
    print(f"\n{name}")
    for row in rows:
        scale, unit = (2**20, "MiB") if row.unit == "B" else (1, row.unit)
        rate = f"{row.amount / row.seconds / scale:,.1f} {unit}/s"
        line = f"  {row.what:<44} {row.amount:>13,} {row.unit:<9} {row.seconds:>9.4f} s  {rate:>18}"
        if row.against:
            line += f"   {row.against_seconds / row.seconds:5.2f}× {row.against} ({row.against_seconds:.4f} s)"
        print(line, flush=True)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
