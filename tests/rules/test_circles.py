"""Nobody meets before two yeses each; whoever stops, the other side sees the same, and never why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import circles
from referrals.casework import Circle, CircleSide, CircleState
from referrals.circles import CIRCLE_STEPS, PREPARED, CircleStep, TooEarly
from referrals.errors import BadAnswer, Refused, WrongStage

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ZONE = "Asia/Bangkok"
DAY = timedelta(days=1)
OPEN = (CircleState.ONE_SIDE, CircleState.PREPARING, CircleState.READY, CircleState.HELD)


def a_circle(state: CircleState = CircleState.ONE_SIDE) -> Circle:
    return Circle("c", "bua-house", state, NOW)


def a_side(name: str, harmed: bool = True, **more: object) -> CircleSide:
    return CircleSide(name, "c", harmed, **more)  # type: ignore[arg-type]


class Two:
    """Two sides and whoever leads it, as in life: every step is tried, what is refused changes nothing."""

    def __init__(self) -> None:
        self.circle, self.now = a_circle(), NOW
        self.sides = {"a": a_side("a"), "b": a_side("b", harmed=False, invited=True)}

    def tries(self, verb: Callable[[], CircleSide | None]) -> None:
        try:
            after = verb()
        except Refused:
            return
        if after is not None:
            self.sides[after.id] = after
        self.circle = circles.stands(self.circle, self.sides.values(), self.now)

    def does(self, what: str, who: str) -> None:
        side = self.sides[who]
        if what == "yes":
            self.tries(lambda: circles.say_yes(self.circle, side, self.now, ZONE))
        elif what == "unsay":
            self.tries(lambda: circles.unsay(self.circle, side, self.now))
        elif what == "prepare":
            self.tries(lambda: circles.prepare(side, PREPARED))
        elif what == "day":
            self.now += DAY
        elif what == "hold":
            self.tries(lambda: self._moves(CircleStep.HOLD))
        else:
            self.stops(who)

    def _moves(self, step: CircleStep) -> None:
        self.circle = circles.move(self.circle, step, self.now)

    def stops(self, who: str, after: timedelta = timedelta(hours=3)) -> None:
        if circles.over(self.circle):
            return
        hours = dict.fromkeys(self.sides, self.now + after)
        self.circle, sides = circles.ends(self.circle, self.sides.values(), who, hours, self.now)
        self.sides = {side.id: side for side in sides}


ACTS = st.lists(
    st.tuples(st.sampled_from(["yes", "yes", "prepare", "day", "unsay", "hold"]), st.sampled_from("ab")),
    max_size=24,
)


@given(ACTS)
def test_nobody_meets_before_both_have_said_yes_twice(acts: list[tuple[str, str]]) -> None:
    two = Two()
    for what, who in acts:
        two.does(what, who)
        if two.circle.state in (CircleState.READY, CircleState.HELD):
            for side in two.sides.values():
                assert side.first_yes_at is not None
                assert side.second_yes_at is not None
                assert side.second_yes_at - side.first_yes_at >= timedelta(hours=7)  # another day there
                assert circles.prepared(side)


@given(ACTS, st.sampled_from("ab"), st.sampled_from(["a", "b", ""]))
def test_whoever_stops_the_other_side_sees_the_same_and_later_the_same(
    acts: list[tuple[str, str]], watching: str, by: str
) -> None:
    """The side that did not stop sees what it saw, until its hour; then 'over', whatever the reason was."""
    two = Two()
    for what, who in acts:
        two.does(what, who)
    before = circles.shown(two.circle, two.sides[watching], two.now)
    running = not circles.over(two.circle)
    other = "b" if watching == "a" else "a"
    two.stops(by if by != watching else other)
    if not running:
        return
    side = two.sides[watching]
    assert circles.shown(two.circle, side, two.now) == before
    assert side.over_at is not None
    assert circles.shown(two.circle, side, side.over_at) == "over"
    # The row itself is the same whoever stopped: nothing in it says who.
    again = Two()
    for what, who in acts:
        again.does(what, who)
    again.stops("" if by == other else other)
    assert again.sides[watching] == side


@given(ACTS)
def test_the_others_second_yes_shows_nowhere(acts: list[tuple[str, str]]) -> None:
    two = Two()
    for what, who in acts:
        seen = circles.shown(two.circle, two.sides["a"], two.now)
        state = two.circle.state
        two.does(what, who)
        moved_on = {CircleState.HELD, CircleState.PREPARING} - {state}
        if who == "b" and what in ("yes", "unsay") and two.circle.state not in moved_on:
            assert circles.shown(two.circle, two.sides["a"], two.now) == seen


@pytest.mark.parametrize("state", OPEN)
def test_it_can_be_stopped_from_wherever_it_stands(state: CircleState) -> None:
    sides = (a_side("a"), a_side("b"))
    hours = {"a": NOW + DAY, "b": NOW + 2 * DAY}
    circle, told = circles.ends(a_circle(state), sides, "a", hours, NOW)
    assert circle.state is CircleState.STOPPED
    assert [side.over_at for side in told] == [NOW, NOW + 2 * DAY]
    assert not CIRCLE_STEPS[circle.state], "and nothing begins it again"


def test_a_yes_in_the_hours_after_a_stop_is_taken_as_if_nothing_had_happened() -> None:
    two = Two()
    for what, who in [("yes", "a"), ("yes", "b"), ("prepare", "b"), ("day", "b")]:
        two.does(what, who)
    two.stops("a")
    two.does("yes", "b")
    assert circles.shown(two.circle, two.sides["b"], two.now) == "said"
    assert two.circle.state is CircleState.STOPPED


def test_the_second_yes_is_not_of_the_same_day_nor_unprepared() -> None:
    circle = a_circle(CircleState.PREPARING)
    said = a_side("a", first_yes_at=NOW)
    with pytest.raises(TooEarly):
        circles.say_yes(circle, said, NOW + 2 * DAY, ZONE)
    ready = circles.prepare(said, PREPARED)
    with pytest.raises(TooEarly):
        circles.say_yes(circle, ready, NOW + timedelta(hours=13), ZONE)  # 23:00 there
    assert circles.say_yes(circle, ready, NOW + timedelta(hours=14), ZONE).second_yes_at


def test_what_is_no_step_of_preparation_is_refused() -> None:
    for done in ((), ("a dance",)):
        with pytest.raises(BadAnswer):
            circles.prepare(a_side("a"), done)
    with pytest.raises(WrongStage):
        circles.move(a_circle(), CircleStep.HOLD, NOW)
