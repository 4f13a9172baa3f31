"""Medians, the bars they are held to, and the table they are printed in.

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
    """One line: what was done, how much of it, how long, and the same of what it is compared with.

    At most one bar: `ratio` at least so many times the speed of what it is compared with, `rate` at least so many
    units a second, `more` at most so many seconds longer than what it is compared with, `within` at most so many
    seconds, `most` at most so much of it, whatever the time.
    """

    what: str
    amount: int
    unit: str
    seconds: float
    against: str = ""
    against_seconds: float = 0.0
    ratio: float | None = None
    rate: float | None = None
    more: float | None = None
    within: float | None = None
    most: int | None = None


Bench = Callable[[], Iterable[Row]]


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of `runs` timings of `work`, after one that doesn't count."""
    work()
    return statistics.median(seconds_of(work) for _ in range(runs))


def medians_in_turn(*works: Callable[[], object], runs: int = RUNS) -> tuple[float, ...]:
    """The medians of works that take turns, so that all see the same machine."""
    for work in works:
        work()
    turns = [tuple(map(seconds_of, works)) for _ in range(runs)]
    return tuple(map(statistics.median, zip(*turns, strict=True)))


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def print_rows(name: str, rows: Iterable[Row]) -> None:
    """One line a row: amount, seconds, rate, and the ratio of speeds (1.00× is as fast as what it is compared with)."""
    print(f"\n{name}")
    for row in rows:
        scale, unit = (2**20, "MiB") if row.unit == "B" else (1, row.unit)
        rate = f"{row.amount / row.seconds / scale:,.1f} {unit}/s"
        line = f"  {row.what:<44} {row.amount:>13,} {row.unit:<9}"
        if row.most is None:
            line += f" {row.seconds:>9.4f} s  {rate:>18}"
        if row.against:
            line += f"   {row.against_seconds / row.seconds:5.2f}× {row.against} ({row.against_seconds:.4f} s)"
        print(line + _judged(row), flush=True)


def _judged(row: Row) -> str:
    if row.most is not None:
        return _verdict(f"≤ {row.most:,}", row.amount <= row.most)
    for bar, measured, spelled in (
        (row.ratio, row.against_seconds / row.seconds, "≥ {:g}×"),
        (row.rate, row.amount / row.seconds, "≥ {:,g}/s"),
    ):
        if bar is not None:
            return _verdict(spelled.format(bar), measured >= bar)
    for bar, measured, spelled in (
        (row.more, row.seconds - row.against_seconds, "≤ {:g} ms more"),
        (row.within, row.seconds, "≤ {:g} ms"),
    ):
        if bar is not None:
            return _verdict(spelled.format(bar * 1000), measured <= bar) + f" ({measured * 1000:,.1f} ms)"
    return ""


def _verdict(bar: str, is_reached: bool) -> str:
    return f"   bar {bar}: {'reached' if is_reached else 'NOT REACHED'}"
