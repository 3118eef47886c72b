"""When a contact is due: a recurrence (RFC 5545) in local time, within what the person wishes. Pure.

The next instant is always computed anew from what is stored: rule, local time, IANA zone, anchor, wishes.
So a restart, an outage or a clock change can neither lose nor repeat one. Recurring days come from
python-dateutil; what a wall clock does on them is ours (`schedule.instant_of`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr

from referrals.schedule import instant_of, local

_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`every` is an RRULE without DTSTART ('FREQ=WEEKLY;INTERVAL=2'); `anchor` the day it is counted from.

    `days` (0 = Monday), `quiet_from`, `quiet_to` and `holidays` are wishes: a contact that falls on them
    moves to the next time that is allowed, and never past the next regular one.
    """

    every: str
    at: time
    timezone: str
    anchor: date
    days: tuple[int, ...] = ()
    quiet_from: time | None = None
    quiet_to: time | None = None
    holidays: frozenset[date] = field(default_factory=frozenset)


def next_due(rhythm: Rhythm, after: datetime) -> datetime:
    """The first instant after `after` at which the contact is due. Asked again with the answer: the next one.

    ValueError for a rule that is none; ZoneInfoNotFoundError for an unknown zone.
    """
    rule = _rule(rhythm)
    day = datetime.combine(local(after, rhythm.timezone).date(), _MIDNIGHT) - timedelta(days=1)
    while True:
        found = rule.after(day)
        if found is None:
            raise ValueError(f"the rule {rhythm.every!r} has no further day")
        due = instant_of(found.date(), rhythm.at, rhythm.timezone)
        if due > after:
            return due
        day = found


def _rule(rhythm: Rhythm) -> rrule:
    rule = rrulestr(rhythm.every, dtstart=datetime.combine(rhythm.anchor, _MIDNIGHT))
    if not isinstance(rule, rrule):
        raise ValueError(f"{rhythm.every!r} is not one rule")  # noqa: TRY004 - the text is wrong
    return rule
