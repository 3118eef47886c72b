"""An alarm's ladder: who is told, and when, until somebody says 'I have it'. A table, and one rule. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Whom(StrEnum):
    ON_CALL = "on_call"  # by the rota, as far as they can be reached
    NEXT_TOO = "next_too"  # they again, and whose turn comes next
    EVERYBODY = "everybody"  # all coordinators


@dataclass(frozen=True, slots=True)
class Rung:
    """`after` the alarm. `asker`: whoever raised it hears that nobody has answered, and whom to call."""

    after: timedelta
    whom: Whom
    asker: bool = False


# domain.md, 'Programmes, check-ins, reminders' and 'A referral, and its offers'. The last one comes again.
LADDER = (
    Rung(timedelta(), Whom.ON_CALL),
    Rung(timedelta(minutes=5), Whom.NEXT_TOO),
    Rung(timedelta(minutes=10), Whom.EVERYBODY),
    Rung(timedelta(minutes=15), Whom.EVERYBODY, asker=True),
)
AGAIN = timedelta(minutes=15)
STILL = timedelta(hours=12)  # held and not ended: the holder is asked


@dataclass(frozen=True, slots=True)
class Climb:
    """What to do now; `step` counts the rungs behind, `next_at` is when the next one is due."""

    rung: Rung
    step: int
    next_at: datetime


def climb(raised_at: datetime, step: int, now: datetime) -> Climb:
    """The rung of an alarm that nobody has yet, of which `step` were climbed.

    After an outage it is the rung of this moment, never several at once. A clock that was set back never
    makes anybody wait longer than from one rung to the next.
    """
    gone = now - raised_at
    reached = sum(rung.after <= gone for rung in LADDER) - 1
    at = min(max(step, reached), len(LADDER) - 1)
    return Climb(LADDER[at], at + 1, _next(raised_at, at, now))


def _next(raised_at: datetime, at: int, now: datetime) -> datetime:
    if at + 1 == len(LADDER):
        return now + AGAIN
    latest = now + (LADDER[at + 1].after - LADDER[at].after)
    planned = raised_at + LADDER[at + 1].after
    return planned if now < planned <= latest else latest


def due_by(now: datetime) -> datetime:
    """The latest moment at which the next rung of any alarm is due, whatever the clock has done."""
    return now + AGAIN
