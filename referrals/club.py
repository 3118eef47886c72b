"""When a club meets, and when its mentors are asked who was there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr

from referrals.catalogue import ClubMeeting
from referrals.schedule import instant_of, local

# The day from which every rhythm of meetings is counted, so that an outage never shifts a fortnight.
COUNTED_FROM = datetime.combine(date(2024, 1, 1), time())
EVENING = time(19)
LATEST = time(21)
MORNING = time(9)
LASTS = timedelta(hours=2)
_DAY = timedelta(days=1)
_FAR = 60  # meetings to look through: a club that only met on holidays would not be one


@dataclass(frozen=True, slots=True)
class Held:
    """One meeting: its local day, and the instant at which mentors are asked about it."""

    day: date
    asked: datetime


def next_held(meeting: ClubMeeting, zone: str, holidays: frozenset[date], after: datetime) -> Held:
    """The first meeting about which is asked after `after`. ValueError: only ever on holidays."""
    day = local(after, zone).date() - 2 * _DAY
    for _ in range(_FAR):
        found = _rule(meeting).after(datetime.combine(day, time()))
        if found is None:
            break
        day = found.date()
        held = Held(day, asked_at(meeting, day, zone))
        if day not in holidays and held.asked > after:
            return held
    raise ValueError(f"the meeting {meeting.id!r} has no further day")


def last_held(meeting: ClubMeeting, zone: str, holidays: frozenset[date], now: datetime) -> Held | None:
    """The latest meeting about which was asked by now; None before the first one."""
    day = local(now, zone).date() + _DAY
    for _ in range(_FAR):
        found = _rule(meeting).before(datetime.combine(day, time()))
        if found is None:
            return None
        day = found.date()
        held = Held(day, asked_at(meeting, day, zone))
        if day not in holidays and held.asked <= now:
            return held
    return None


def held_on(meeting: ClubMeeting, day: date, holidays: frozenset[date]) -> bool:
    """Whether the club meets on this local day."""
    at = datetime.combine(day, time())
    return day not in holidays and _rule(meeting).after(at, inc=True) == at


def asked_at(meeting: ClubMeeting, day: date, zone: str) -> datetime:
    """The evening after a meeting, when it is over; the next morning after a late one."""
    over = (datetime.combine(day, meeting.at) + LASTS).time()
    if over > LATEST or over < meeting.at:
        return instant_of(day + _DAY, MORNING, zone)
    return instant_of(day, max(over, EVENING), zone)


def _rule(meeting: ClubMeeting) -> rrule:
    rule = rrulestr(meeting.every, dtstart=COUNTED_FROM, cache=False)
    assert isinstance(rule, rrule)  # the catalogue has checked it
    return rule
