"""A circle between somebody who was harmed and a member: every step is voluntary, and there is one table.

Nobody meets before both sides have said yes twice, the second time prepared and on another day. Either side,
or whoever leads it, may stop at any time; the other side then learns that it will not happen, at a time of
its own, and never why or by whom (domain.md, 'dialogue-circle'). So what a side sees is a function of its own
yeses and of how far the circle had come; whether the other has said yes a second time shows nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from referrals.casework import Circle, CircleSide, CircleState
from referrals.errors import BadAnswer, Refused, WrongStage
from referrals.schedule import local


class TooEarly(Refused):
    """The second yes is said once the preparation is done, and not on the day of the first."""

    code = "error.circle_too_early"


class CircleStep(StrEnum):
    PREPARE = "prepare"  # both sides have said yes once
    AGREE = "agree"  # and both a second time
    TAKE_BACK = "take_back"  # a second yes, until they meet
    HOLD = "hold"
    FOLLOW = "follow"  # whoever leads it has spoken with both sides afterwards
    STOP = "stop"


_C = CircleState
CIRCLE_STEPS: Mapping[CircleState, Mapping[CircleStep, CircleState]] = {
    _C.ONE_SIDE: {CircleStep.PREPARE: _C.PREPARING, CircleStep.STOP: _C.STOPPED},
    _C.PREPARING: {CircleStep.AGREE: _C.READY, CircleStep.STOP: _C.STOPPED},
    _C.READY: {
        CircleStep.HOLD: _C.HELD,
        CircleStep.TAKE_BACK: _C.PREPARING,
        CircleStep.STOP: _C.STOPPED,
    },
    _C.HELD: {CircleStep.FOLLOW: _C.FOLLOWED, CircleStep.STOP: _C.STOPPED},
    _C.FOLLOWED: {},
    _C.STOPPED: {},
}

# What is prepared with a side before it can say yes a second time. Text keys 'part.circle.step.<id>'.
PREPARED = ("first_talk", "hopes", "support_person", "ground_rules", "the_day_itself")
# How long the other side goes on seeing what it saw, once it has stopped: so that timing tells nothing.
OVER_DELAY_S = (30 * 60.0, 8 * 3600.0)
# After so long without a step whoever leads it is reminded; the sides themselves are never hurried.
WAITS = timedelta(days=14)
INVITED_FOR = timedelta(days=30)


def over(circle: Circle) -> bool:
    """Whether nothing is prepared or waited for any more."""
    return not CIRCLE_STEPS[circle.state]


def move(circle: Circle, step: CircleStep, now: datetime) -> Circle:
    """The circle after a step; WrongStage when the table has no such edge."""
    target = CIRCLE_STEPS[circle.state].get(step)
    if target is None:
        raise WrongStage(stage=circle.state.value, step=step.value)
    return replace(circle, state=target, since=now)


def stands(circle: Circle, sides: Collection[CircleSide], now: datetime) -> Circle:
    """The circle as the yeses of its sides make it, step by step; the very same where they change nothing."""
    both = len(sides) == 2
    if circle.state is _C.ONE_SIDE and both and all(s.first_yes_at for s in sides):
        circle = move(circle, CircleStep.PREPARE, now)
    twice = both and all(s.first_yes_at and s.second_yes_at for s in sides)
    if circle.state is _C.PREPARING and twice:
        return move(circle, CircleStep.AGREE, now)
    if circle.state is _C.READY and not twice:
        return move(circle, CircleStep.TAKE_BACK, now)
    return circle


def seen(circle: Circle, side: CircleSide, now: datetime) -> CircleState:
    """How far a side sees that it has come: after a stop what it saw before, until its own hour comes."""
    if circle.state is not _C.STOPPED or side.over_at is None:
        return circle.state
    return _C.STOPPED if now >= side.over_at else CircleState(side.shown)


def shown(circle: Circle, side: CircleSide, now: datetime) -> str:
    """What a side is told of where it stands: a text key's end, without a word of the other's second yes."""
    state = seen(circle, side, now)
    if state is _C.STOPPED:
        return "over"
    if state in (_C.HELD, _C.FOLLOWED):
        return "held"
    if side.first_yes_at is None:
        return "first"
    if state is _C.ONE_SIDE:
        return "waits"
    if side.second_yes_at is not None:
        return "said"
    return "second" if prepared(side) else "preparing"


def prepared(side: CircleSide) -> bool:
    """Whether every step of preparation is done with this side."""
    return set(PREPARED) <= set(side.steps)


def prepare(side: CircleSide, done: Collection[str]) -> CircleSide:
    """More steps of preparation are done, in the table's order; BadAnswer for what is none of them."""
    if not done or not set(done) <= set(PREPARED):
        raise BadAnswer
    kept = set(side.steps) | set(done)
    return replace(side, steps=tuple(step for step in PREPARED if step in kept))


def say_yes(circle: Circle, side: CircleSide, now: datetime, timezone: str) -> CircleSide:
    """The yes that this side is asked for now. TooEarly; WrongStage where none is asked for."""
    state = seen(circle, side, now)
    if state is _C.ONE_SIDE and side.first_yes_at is None:
        return replace(side, first_yes_at=now)
    if state is not _C.PREPARING or side.first_yes_at is None or side.second_yes_at is not None:
        raise WrongStage
    same_day = local(now, timezone).date() <= local(side.first_yes_at, timezone).date()
    if not prepared(side) or same_day:
        raise TooEarly
    return replace(side, second_yes_at=now)


def unsay(circle: Circle, side: CircleSide, now: datetime) -> CircleSide:
    """The second yes is taken back, at any time until they meet; WrongStage where there is none."""
    if side.second_yes_at is None or seen(circle, side, now) not in (_C.PREPARING, _C.READY):
        raise WrongStage
    return replace(side, second_yes_at=None)


def ends(
    circle: Circle, sides: Collection[CircleSide], by: str, hours: Mapping[str, datetime], now: datetime
) -> tuple[Circle, tuple[CircleSide, ...]]:
    """The circle, stopped, and its sides: the one who did it (`by`) knows at once, others at their hour.

    `by` is a side's id, or '' where it was neither. Nothing of it is kept.
    """
    told = (
        replace(side, over_at=now if side.id == by else hours[side.id], shown=circle.state.value)
        for side in sides
    )
    return move(circle, CircleStep.STOP, now), tuple(told)
