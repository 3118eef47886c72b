"""Ways to do the same thing take turns within one run; what counts is the median of their ratios.

Nothing passes or fails here: a machine that is busy makes both sides slow, and the reader sees the bar beside
what was measured.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Way = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `values`: one for each round, in `unit` ('' for a ratio); `bar` in words."""

    name: str
    values: Sequence[float]
    ours: str = ""
    floor: str = ""
    unit: str = ""
    bar: str = ""


def in_turns(ways: Mapping[str, Way], rounds: int, warm_up: bool = True) -> dict[str, list[float]]:
    """What each way returned, round by round; whoever was first in one round is last in the next."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for number in range(rounds + warm_up):
        for name in order:
            gc.collect()
            value = ways[name]()
            if number or not warm_up:
                found[name].append(value)
        order = [*order[1:], order[0]]
    return found


def ratios(ours: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Ours to floor, round by round."""
    return [a / b for a, b in zip(ours, floor, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the others lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rate(values: Sequence[float]) -> str:
    """The median of some rates, for people."""
    return f"{median(values):,.0f}/s"


def milliseconds(values: Sequence[float]) -> str:
    """The median of some durations in seconds, for people."""
    return f"{median(values) * 1000:,.3g} ms"


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def print_table(rows: Iterable[Row]) -> None:
    """A table that is readable in a terminal and in Markdown alike."""
    lines = [("", "ours", "floor", "median (lowest to highest)", "bar"), *map(_line, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for position, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if position == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def progress(text: str) -> None:
    """A word to whoever waits, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def _line(row: Row) -> tuple[str, str, str, str, str]:
    unit = f" {row.unit}" if row.unit else ""
    shown = f"{number(median(row.values))}{unit}"
    if len(row.values) > 1:
        shown += f" ({number(min(row.values))} to {number(max(row.values))})"
    return row.name, row.ours, row.floor, shown, row.bar
