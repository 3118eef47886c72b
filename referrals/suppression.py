"""Counts in a table with its totals, so that no small one can be seen or computed from the others. Pure.

A cell under `LEAST` is not said, a zero neither, and as many others as it takes are not said besides
(complementary suppression). What is said is checked the way somebody would attack it: an unsaid cell is safe
when another table, with the same said cells and totals and no negative number, has another value there.

Rows and columns of a table with its totals are a network: once totals count negatively, every row and every
column sums to nothing. So every other table that says the same is this one, changed by one along rings of
unsaid cells, and an unsaid cell is safe when such a ring leads through it without going below nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

LEAST = 10
TOTAL = ""  # the row, or the column, of sums
DEAR = 1_000_000  # a total is left unsaid only where cells do not do

Cell = tuple[str, str]  # (row, column)
Node = tuple[bool, str]  # (is it a row, its name)
Way = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Table:
    """`said`: what may be printed, by row and column (TOTAL for sums). What is not in it is not said."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    said: Mapping[Cell, int]


def suppress(counts: Mapping[Cell, int], least: int = LEAST) -> Table:
    """The table of these counts with all its totals, as far as it may be said. Equal input, equal table.

    `least` is 1 or more.
    """
    rows = tuple(sorted({row for row, _ in counts}))
    columns = tuple(sorted({column for _, column in counts}))
    whole = _with_totals(counts, rows, columns) if counts else {}
    waiting = sorted(cell for cell, count in whole.items() if count < least)
    unsaid = set(waiting)
    # What is safe stays safe when more is left unsaid, so each is looked at once.
    for cell in waiting:
        besides = _cheapest_ring(whole, unsaid, cell) - unsaid
        unsaid |= besides
        waiting += sorted(besides)
    return Table(rows, columns, {cell: count for cell, count in whole.items() if cell not in unsaid})


def _with_totals(counts: Mapping[Cell, int], rows: Sequence[str], columns: Sequence[str]) -> dict[Cell, int]:
    whole = {(row, column): counts.get((row, column), 0) for row in rows for column in columns}
    for row in rows:
        whole[row, TOTAL] = sum(whole[row, column] for column in columns)
    for column in (*columns, TOTAL):
        whole[TOTAL, column] = sum(whole[row, column] for row in rows)
    return whole


def _cheapest_ring(whole: Mapping[Cell, int], unsaid: Set[Cell], cell: Cell) -> frozenset[Cell]:
    """The cells of a ring through this one which leaves the least unsaid that was not so before."""
    rings = [_way_back(whole, unsaid, cell, way) for way in _ways(whole, cell)]
    return min(rings, key=lambda ring: (ring[0], sorted(ring[1])))[1]


def _ways(whole: Mapping[Cell, int], cell: Cell) -> Iterator[Way]:
    """One more in this cell is a step one way; one less, where it is not nothing, the other way."""
    row, column = (True, cell[0]), (False, cell[1])
    total = (cell[0] == TOTAL) is not (cell[1] == TOTAL)  # counts negatively; the total of totals does not
    yield (column, row) if total else (row, column)
    if whole[cell] > 0:
        yield (row, column) if total else (column, row)


def _way_back(
    whole: Mapping[Cell, int], unsaid: Set[Cell], cell: Cell, way: Way
) -> tuple[int, frozenset[Cell]]:
    """From a step's end to its start again: what it costs, and the cells on it. There always is one."""
    goal, start = way
    reached: dict[Node, int] = {}
    waiting: list[tuple[int, Node, tuple[Cell, ...]]] = [(0, start, ())]
    while waiting:
        cost, node, path = heapq.heappop(waiting)
        if node == goal:
            return cost, frozenset(path)
        if node in reached:
            continue
        reached[node] = cost
        for other, by in _steps_from(whole, node):
            if by != cell and other not in reached:
                heapq.heappush(waiting, (cost + _price(whole, unsaid, by), other, (*path, by)))
    raise AssertionError("totals close a ring through every cell")


def _steps_from(whole: Mapping[Cell, int], node: Node) -> Iterator[tuple[Node, Cell]]:
    is_row, name = node
    for cell in whole:
        if cell[0 if is_row else 1] == name:
            yield from ((end, cell) for begin, end in _ways(whole, cell) if begin == node)


def _price(whole: Mapping[Cell, int], unsaid: Set[Cell], cell: Cell) -> int:
    if cell in unsaid:
        return 0
    return whole[cell] + (DEAR if TOTAL in cell else 0)
