"""Plans of several parts: a table of what begins, what is late and how it ends, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import tasks
from referrals.casework import TaskState
from referrals.catalogue import TaskKind
from referrals.model import Outcome
from referrals.tasks import Part, Word

DAY = date(2027, 3, 15)
WAITING, OPEN, DONE, DROPPED = TaskState.WAITING, TaskState.OPEN, TaskState.DONE, TaskState.DROPPED
PAPERS = TaskKind("papers", "partner", "member.documents", days=-21)
SIDE, OTHER = TaskKind("side", "partner", "a", days=-7), TaskKind("other", "partner", "b", days=-3)
TALK = TaskKind("talk", "both", days=-3, between=("side", "other"))
CLEARED = TaskKind("cleared", "partner", "c")
DELIVERED = TaskKind("delivered", "partner", "d", after=("cleared",))
JUDGED = TaskKind("judged", "partner", "e", days=30, after=("delivered",), not_by=("delivered",))
LOOK_BACK = TaskKind("look_back", "desk", days=14, after=("cleared",))


def test_what_comes_after_waits_until_what_comes_before_is_done() -> None:
    plan = [Part(CLEARED, WAITING), Part(DELIVERED, WAITING), Part(JUDGED, WAITING)]
    assert tasks.to_open(plan) == ("cleared",)
    plan[0] = Part(CLEARED, OPEN)
    assert tasks.to_open(plan) == ()
    plan[0] = Part(CLEARED, OPEN, taken=True, delivered=True)  # it was let in; nobody waits for a signature
    assert tasks.to_open(plan) == ("delivered",)


def test_without_leave_to_come_in_nothing_is_delivered_and_nothing_judged() -> None:
    plan = [Part(CLEARED, DROPPED), Part(DELIVERED, WAITING), Part(JUDGED, WAITING), Part(LOOK_BACK, WAITING)]
    assert tasks.to_drop(plan) == ("delivered",)
    plan[1] = replace(plan[1], state=DROPPED)
    assert tasks.to_drop(plan) == ("judged",)
    assert tasks.to_open(plan) == ("look_back",), (
        "what was promised and not kept is written down all the same"
    )


def test_two_sides_speak_with_each_other_once_both_are_there() -> None:
    plan = [Part(SIDE, OPEN, taken=True), Part(OTHER, OPEN), Part(TALK, WAITING)]
    assert tasks.to_open(plan) == ()
    plan[1] = Part(OTHER, OPEN, taken=True)
    assert tasks.to_open(plan) == ("talk",)
    assert tasks.to_drop([plan[0], Part(OTHER, DROPPED), Part(TALK, OPEN)]) == ("talk",)


@pytest.mark.parametrize(
    ("today", "last", "word"),
    [
        (DAY - timedelta(24), None, None),
        (DAY - timedelta(23), None, "soon"),
        (DAY - timedelta(22), Word("soon", DAY - timedelta(23)), None),
        (DAY - timedelta(20), Word("soon", DAY - timedelta(23)), "late"),
        (DAY - timedelta(19), Word("late", DAY - timedelta(20)), None),
        (DAY - timedelta(18), Word("late", DAY - timedelta(20)), "desk"),
        (DAY - timedelta(17), Word("desk", DAY - timedelta(18)), None),
        (DAY - timedelta(15), Word("desk", DAY - timedelta(18)), "desk"),
        (DAY + timedelta(90), None, "desk"),  # an outage swallows no word
    ],
)
def test_whoever_has_a_part_hears_of_it_in_time_and_then_the_desk(
    today: date, last: Word | None, word: str | None
) -> None:
    said = tasks.next_word(Part(PAPERS, OPEN), DAY, today, last)
    assert (said.said if said else None) == word
    assert tasks.next_word(Part(PAPERS, DONE), DAY, today, last) is None


def test_a_plan_without_a_day_makes_nobody_late() -> None:
    assert tasks.due(PAPERS, None) is None
    assert tasks.next_word(Part(PAPERS, OPEN), None, DAY, None) is None
    assert tasks.questions(None, DAY, ()) == ()


def test_on_the_day_and_a_week_later_somebody_asks_how_it_went() -> None:
    assert tasks.questions(DAY, DAY - timedelta(1), ()) == ()
    assert tasks.questions(DAY, DAY, ()) == ("day",)
    assert tasks.questions(DAY, DAY + timedelta(3), ("day",)) == ()
    assert tasks.questions(DAY, DAY + timedelta(7), ("day",)) == ("week",)
    assert tasks.questions(DAY, DAY + timedelta(40), ()) == ("week",), "one question, not two at once"


@pytest.mark.parametrize(
    ("states", "came"),
    [
        ((DONE, DONE, WAITING), Outcome.MET),  # what need not be is left out
        ((DONE, DROPPED, DONE), Outcome.PARTLY_MET),
        ((DROPPED, DROPPED, DONE), Outcome.UNMET),
    ],
)
def test_how_the_whole_has_ended(states: tuple[TaskState, ...], came: Outcome) -> None:
    kinds = (PAPERS, SIDE, replace(OTHER, required=False))
    plan = [Part(kind, state) for kind, state in zip(kinds, states, strict=True)]
    assert tasks.has_ended(plan)
    assert tasks.outcome(plan) is came


def test_half_a_help_makes_half_a_plan() -> None:
    assert tasks.outcome([Part(PAPERS, DONE, outcome=Outcome.PARTLY_MET)]) is Outcome.PARTLY_MET


def test_whoever_judges_has_not_delivered_and_the_other_way_round() -> None:
    kinds = (CLEARED, DELIVERED, JUDGED)
    assert list(tasks.rivals(kinds, "judged")) == ["delivered"]
    assert list(tasks.rivals(kinds, "delivered")) == ["judged"]
    assert list(tasks.rivals(kinds, "cleared")) == []


@st.composite
def plans(draw: st.DrawFn) -> list[Part]:
    """Any plan that a file can hold, in any state."""
    found: list[Part] = []
    for n in range(draw(st.integers(1, 6))):
        earlier = [p.kind.id for p in found]
        partners = [p.kind.id for p in found if p.kind.by == "partner"]
        doers = ["partner", "family", "mentor", "desk", *(["both"] if len(partners) > 1 else [])]
        by = draw(st.sampled_from(doers))
        kind = TaskKind(
            f"t{n}",
            by,
            days=draw(st.integers(-366, 366)),
            after=tuple(draw(st.sets(st.sampled_from(earlier)))) if earlier else (),
            required=draw(st.booleans()),
            between=tuple(partners[:2]) if by == "both" else (),
        )
        found.append(Part(kind, draw(st.sampled_from(TaskState)), draw(st.booleans()), draw(st.booleans())))
    return found


@given(plans())
def test_every_plan_comes_to_an_end(plan: list[Part]) -> None:
    """Open what can begin, drop what cannot be, finish what is open: nothing waits for ever."""
    for _ in range(3 * len(plan)):
        drop, begin = tasks.to_drop(plan), tasks.to_open(plan)
        assert not set(drop) & set(begin)
        plan = [
            replace(p, state=DROPPED) if p.kind.id in drop
            else replace(p, state=OPEN) if p.kind.id in begin
            else replace(p, state=DONE, delivered=False) if p.state is OPEN
            else p
            for p in plan
        ]  # fmt: skip
    assert tasks.has_ended(plan)
    assert not [p for p in plan if p.state is WAITING]
    assert tasks.outcome(plan) in Outcome


@given(plans(), st.integers(-400, 400))
def test_a_date_that_moves_moves_every_part_by_as_much(plan: list[Part], days: int) -> None:
    moved = DAY + timedelta(days=days)
    for part in plan:
        was, now = tasks.due(part.kind, DAY), tasks.due(part.kind, moved)
        assert was is not None
        assert now is not None
        assert now - was == timedelta(days=days)
    first, then = tasks.next_due(plan, DAY), tasks.next_due(plan, moved)
    assert (first is None) is (then is None)
    assert first is None or then is None or then - first == timedelta(days=days)


@given(plans(), st.integers(-420, 420))
def test_only_what_is_open_and_past_its_day_is_late(plan: list[Part], offset: int) -> None:
    today = DAY + timedelta(days=offset)
    for part in plan:
        by = tasks.due(part.kind, DAY)
        assert by is not None
        word = tasks.next_word(part, DAY, today, None)
        late = word is not None and word.said in ("late", "desk")
        assert late is (part.state is OPEN and not part.done and by < today)
