"""No count that is not said can be computed from those that are: attacked by trying every other table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.suppression import LEAST, TOTAL, Cell, suppress

LONG = os.environ.get("PULANG_LONG") == "1"
SMALL = 2  # the threshold with which every other table can be tried


def test_small_cells_are_not_said_and_large_ones_are() -> None:
    table = suppress({("a", "x"): 40, ("a", "y"): 30, ("b", "x"): 20, ("b", "y"): 9, ("c", "x"): 15})
    assert ("b", "y") not in table.said
    assert ("c", "y") not in table.said  # that it is nobody is not said either
    assert table.said[TOTAL, TOTAL] == 114


def test_a_single_small_cell_takes_others_with_it() -> None:
    """Else it would be its row's total without the rest."""
    counts = {(r, c): 20 for r in "ab" for c in "xy"} | {("a", "x"): 4}
    said = suppress(counts).said
    assert not said.keys() & {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    assert said["a", TOTAL] == 24


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_of_one_small_cell_nothing_is_said_at_all(count: int) -> None:
    assert not suppress({("a", "x"): count}).said


def test_of_one_large_cell_everything_is_said() -> None:
    assert set(suppress({("a", "x"): LEAST}).said.values()) == {LEAST}


def test_nothing_counted_is_an_empty_table() -> None:
    table = suppress({})
    assert (table.rows, table.columns, table.said) == ((), (), {})


@pytest.mark.parametrize("ones", [(0, 0), (1, 1), (0, 1)])
def test_a_total_at_the_edge_gives_nobody_away(ones: tuple[int, int]) -> None:
    """A said total of nothing would say that both are nothing; of twice the most, that both are the most."""
    counts = {("a", "x"): ones[0], ("a", "y"): ones[1], ("b", "x"): 3, ("b", "y"): 2}
    assert all(len(found) > 1 for found in _possible(counts).values())


tables = st.integers(1, 3).flatmap(
    lambda rows: st.integers(1, 3 if rows < 3 else 2).flatmap(
        lambda columns: st.fixed_dictionaries(
            {(f"r{r}", f"c{c}"): st.integers(0, 3) for r in range(rows) for c in range(columns)}
        )
    )
)


@settings(max_examples=5_000 if LONG else 60)
@given(tables)
def test_every_cell_that_is_not_said_could_as_well_have_another_value(counts: dict[Cell, int]) -> None:
    possible = _possible(counts)
    assert all(len(found) > 1 for found in possible.values()), possible


@given(tables)
def test_whatever_is_said_is_true_and_not_small(counts: dict[Cell, int]) -> None:
    whole = _whole(counts)
    for cell, count in suppress(counts, SMALL).said.items():
        assert count == whole[cell] >= SMALL


@given(tables, st.randoms(use_true_random=False))
def test_equal_counts_give_an_equal_table(counts: dict[Cell, int], chance: object) -> None:
    shuffled = dict(chance.sample(list(counts.items()), len(counts)))  # type: ignore[attr-defined]
    assert suppress(counts, SMALL) == suppress(shuffled, SMALL)


@given(st.dictionaries(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("uvwxyz")), st.integers(0, 40)))
def test_large_tables_are_safe_too(counts: dict[Cell, int]) -> None:
    """The sum alone: no unsaid cell stands alone in its row or column, totals included."""
    table = suppress(counts)
    for row, column in _unsaid(counts, LEAST):
        beside = [(row, c) for c in (*table.columns, TOTAL) if c != column]
        below = [(r, column) for r in (*table.rows, TOTAL) if r != row]
        assert any(cell not in table.said for cell in beside)
        assert any(cell not in table.said for cell in below)


def _possible(counts: Mapping[Cell, int]) -> dict[Cell, set[int]]:
    """Each unsaid cell with the values that it could have, for all that is said. (One more is enough.)"""
    values: dict[Cell, set[int]] = {cell: set() for cell in _unsaid(counts, SMALL)}
    for other in _others(counts, suppress(counts, SMALL).said, top=4):
        for cell, found in values.items():
            found.add(other[cell])
    return values


def _whole(counts: Mapping[Cell, int]) -> dict[Cell, int]:
    whole: dict[Cell, int] = dict(counts)
    for (row, column), count in counts.items():
        for cell in ((row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            whole[cell] = whole.get(cell, 0) + count
    return whole


def _unsaid(counts: Mapping[Cell, int], least: int) -> list[Cell]:
    return sorted(_whole(counts).keys() - suppress(counts, least).said.keys())


def _others(counts: Mapping[Cell, int], said: Mapping[Cell, int], top: int) -> Iterator[dict[Cell, int]]:
    """Every table with no negative number that says the same."""
    free = [cell for cell in counts if cell not in said]
    for values in product(range(top + 1), repeat=len(free)):
        whole = _whole({**counts, **dict(zip(free, values, strict=True))})
        if all(whole[cell] == count for cell, count in said.items()):
            yield whole
