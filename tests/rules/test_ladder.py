"""An alarm's ladder: as a table, and whatever the timers, people and clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.ladder import AGAIN, LADDER, Whom, climb

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("step", "minutes", "whom", "asker", "next_in"),
    [
        (0, 0, Whom.ON_CALL, False, 5),
        (1, 5, Whom.NEXT_TOO, False, 5),
        (2, 10, Whom.EVERYBODY, False, 5),
        (3, 15, Whom.EVERYBODY, True, 15),
        (4, 30, Whom.EVERYBODY, True, 15),
        (9, 105, Whom.EVERYBODY, True, 15),
        # After an outage: the rung of this moment, and the next one where it would have been.
        (1, 7, Whom.NEXT_TOO, False, 3),
        (1, 12, Whom.EVERYBODY, False, 3),
        (1, 300, Whom.EVERYBODY, True, 15),
        # A clock that was set back: the next rung all the same, and no longer a wait than between two.
        (1, -180, Whom.NEXT_TOO, False, 5),
        (3, -180, Whom.EVERYBODY, True, 15),
    ],
)
def test_the_table(step: int, minutes: int, whom: Whom, asker: bool, next_in: int) -> None:
    climbed = climb(AT, step, AT + minutes * MINUTES)
    assert (climbed.rung.whom, climbed.rung.asker) == (whom, asker)
    assert climbed.next_at == AT + (minutes + next_in) * MINUTES


@given(st.lists(st.integers(-600, 600), min_size=1, max_size=30), st.integers(0, 40))
def test_nobody_is_forgotten_whatever_the_clock_does(jumps: list[int], late: int) -> None:
    """Each rung is followed by another within 15 minutes; after four all are woken and the asker knows."""
    now, step, seen = AT, 0, []
    for jump in jumps:
        climbed = climb(AT, step, now)
        assert timedelta() < climbed.next_at - now <= AGAIN
        assert climbed.step >= min(step + 1, len(LADDER))
        seen.append(climbed.rung)
        step, now = climbed.step, climbed.next_at + late * MINUTES + jump * MINUTES
    if len(seen) >= len(LADDER):
        assert seen[-1] == LADDER[-1]


@given(st.lists(st.integers(0, 40), min_size=20, max_size=20))
def test_whoever_asked_knows_after_a_quarter_of_an_hour(lates: list[int]) -> None:
    """Timers may fire late, never early: the first rung after minute 15 tells them."""
    now, step = AT, 0
    for late in lates:
        climbed = climb(AT, step, now)
        if now - AT >= 15 * MINUTES:
            assert climbed.rung.asker
            return
        assert climbed.next_at <= AT + 15 * MINUTES
        step, now = climbed.step, climbed.next_at + late * timedelta(seconds=20)
