"""Between an offer and the help: a question's stopped clock, tries, waiting lists, appointments. Pure.

A question stops a partner's clock once, for at most 48 hours, never in an emergency. What it stopped is
measured in the partner's own working time, and whatever was due moves on by exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from referrals import schedule
from referrals.casework import Appointment, AppointmentState
from referrals.catalogue import Coded
from referrals.directory import OpeningTimes
from referrals.model import Offer, OfferStage, Urgency

MOST_PAUSE = timedelta(hours=48)
LEAST_LEFT = timedelta(hours=1)  # open time that a partner has after an answer, at least

WAIT_ANSWER = timedelta(days=3)  # for the person's yes to waiting
REVIEW_EVERY = timedelta(days=14)
REVIEW_ANSWER = timedelta(days=7)  # for the partner's 'still on our list'; then the next one's turn comes
MORNING = time(9)

TRIES = 3
# How far apart tries must be to count as several; in a normal matter they are on different days.
APART: Mapping[Urgency, timedelta] = {
    Urgency.EMERGENCY: timedelta(minutes=30),
    Urgency.URGENT: timedelta(hours=4),
}
HOW_TRIED = ("call", "message", "visit")

REMIND_BEFORE = (timedelta(days=1), timedelta(hours=2))
ASK_AFTER = timedelta(hours=1)  # 'did they come?'
ASK_AGAIN = timedelta(days=2)
NEW_TIME = timedelta(days=7)  # within which somebody who could not come is given another one
FARTHEST = timedelta(days=366)
IN_THE_WAY = ("way_money", "forgot", "afraid", "ill", "other")


@dataclass(frozen=True, slots=True)
class Clock:
    """A partner's clock after a question: until when it decides, and by how much all of it has moved."""

    decide_by: datetime
    stopped: timedelta


def may_ask(offer: Offer, urgency: Urgency, questions: Sequence[Coded]) -> bool:
    """Once, before it has decided, never in an emergency."""
    fits = offer.stage in (OfferStage.SENT, OfferStage.SEEN) and not offer.question_used
    return fits and urgency is not Urgency.EMERGENCY and bool(questions)


def stopped(times: OpeningTimes, asked_at: datetime, answered_at: datetime) -> timedelta:
    """For how much of the partner's working time a question stood open; 48 hours on, the clock goes again."""
    return schedule.open_time_between(times, asked_at, min(answered_at, asked_at + MOST_PAUSE))


def go_on(times: OpeningTimes, decide_by: datetime, asked_at: datetime, answered_at: datetime) -> Clock:
    """The clock goes on: the deadline moves by exactly the working time that was stopped.

    Where no working time was left (somebody asked on the evening before), an open hour is given.
    """
    pause = stopped(times, asked_at, answered_at)
    moved = schedule.add_open_time(times, decide_by, pause)
    if schedule.open_time_between(times, asked_at, decide_by) <= timedelta():
        moved = max(moved, schedule.add_open_time(times, answered_at, LEAST_LEFT))
    return Clock(moved, pause)


def rung_after(times: OpeningTimes, rung: datetime, asked_at: datetime, clock: Clock) -> datetime | None:
    """When a reminder comes that was due at `rung`; None where it had come before the question."""
    if rung <= asked_at:
        return None
    return min(schedule.add_open_time(times, rung, clock.stopped), clock.decide_by)


def unreached(tries: Iterable[datetime], urgency: Urgency, timezone: str) -> bool:
    """Whether tries are enough to say that somebody cannot be reached: three, on different days."""
    apart = APART.get(urgency)
    if apart is None:
        return len({schedule.local(at, timezone).date() for at in tries}) >= TRIES
    count, last = 0, None
    for at in sorted(tries):
        if last is None or at - last >= apart:
            count, last = count + 1, at
    return count >= TRIES


def review_at(now: datetime, starts_on: date | None, timezone: str) -> datetime:
    """When a place on a waiting list is looked at: every 14 days, or on the day that was named."""
    usual = now + REVIEW_EVERY
    named = schedule.instant_of(starts_on, MORNING, timezone) if starts_on is not None else usual
    return named if now < named < usual else usual


def next_reminder(
    at: datetime, now: datetime, allowed: Callable[[datetime], datetime | None]
) -> datetime | None:
    """The next reminder of an appointment: a day before, two hours before, in the reader's own hours.

    `allowed`: the first instant from one on at which they may be written to. What would come so late that it
    helps no more (less than six hours, or half an hour, before) does not come.
    """
    for before in REMIND_BEFORE:
        wanted = at - before
        moved = allowed(wanted) if wanted > now else None
        if moved is not None and now < moved <= at - before / 4:
            return moved
    return None


def missed_in_a_row(appointments: Iterable[Appointment]) -> int:
    """How many of the latest appointments the person missed, one after the other.

    One that was called off says nothing; one where they say that they were there ends the row.
    """
    row = 0
    for each in sorted(appointments, key=lambda a: (a.at, a.id)):
        if each.state is AppointmentState.MISSED and each.said != "there":
            row += 1
        elif each.state is not AppointmentState.CALLED_OFF and each.state is not AppointmentState.SET:
            row = 0
    return row
