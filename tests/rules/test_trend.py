"""How it has been going: marks without a score, and a change for the worse over three contacts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.trend import IN_A_ROW, SHOWN, Contact, getting_harder, marks, may_be_harder

STATES = ("well", "all_right", "struggling", "crisis")
DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("states", "harder"),
    [
        (["well", "all_right", "struggling"], True),
        (["all_right", "all_right", "struggling"], True),
        (["well", "struggling", "struggling"], True),
        (["well", "struggling", "crisis"], True),
        (["well", "", "all_right", "", "struggling"], True),  # nobody was reached in between
        (["well", "all_right", "all_right"], False),  # a day like others
        (["struggling", "struggling", "struggling"], False),  # hard for long: no change
        (["well", "struggling", "all_right"], False),
        (["struggling", "well", "struggling"], False),
        (["all_right", "struggling"], False),
        ([], False),
    ],
)
def test_a_change_for_the_worse_shows_over_three_contacts(states: list[str], harder: bool) -> None:
    assert getting_harder(states) is harder


@given(st.lists(st.sampled_from((*STATES, "")), max_size=20))
def test_what_is_not_read_could_not_have_mattered(states: list[str]) -> None:
    """Earlier contacts are opened only where the newest one was hard."""
    met = [state for state in states if state]
    if met and not may_be_harder(met[-1]):
        assert not getting_harder(states)
    assert getting_harder(states) == getting_harder(met[-IN_A_ROW:])


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from((*STATES, ""))), max_size=30))
def test_the_last_twelve_the_oldest_first(drawn: list[tuple[int, str]]) -> None:
    contacts = [Contact(DAY + timedelta(days=n), state) for n, state in drawn]
    shown = marks(contacts)
    assert len(shown) == min(SHOWN, len(contacts))
    assert [m.day for m in shown] == sorted(c.day for c in contacts)[-SHOWN:]
    assert all((m.level == 0) is (m.state == "") for m in shown)


def test_marks_have_a_level_and_no_number_beyond() -> None:
    shown = marks([Contact(DAY + timedelta(days=n), state) for n, state in enumerate((*STATES, ""))])
    assert [m.level for m in shown] == [4, 3, 2, 1, 0]
