"""When a contact is due: a recurrence (RFC 5545) in local time, within what the person wishes. Pure.

The next instant is always computed anew from what is stored: rule, local time, IANA zone, anchor, wishes.
So a restart, an outage or a clock change can neither lose nor repeat one. Recurring days come from
python-dateutil; what a wall clock does on them is ours (`schedule.py`).

The contract. A *regular slot* is a day of the rule at its local time. Each slot has at most one due instant:
the slot itself, or the nearest time after it that is allowed (a day that is wished and no holiday, outside
quiet hours; on another day not before the usual clock time). It always lies before the next slot; a slot for
which there is no such time is left to the next one. So due instants strictly increase, and no slot has two.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain, islice, pairwise

from dateutil.rrule import rrule, rrulestr

from referrals.schedule import in_quiet, instant_of, local, next_showing

_DAY = timedelta(days=1)
_TICK = datetime.resolution
_MIDNIGHT = time(0)
_EXAMPLE = date(2024, 1, 1)
_BARREN_YEARS = 10  # the 29th of February can be eight years away, the 30th is nowhere
_MOST_SLOTS = 5_000  # to look through for one that is allowed: more than ten years of days
# A rule chooses days and never ends by itself; the clock time and the first day stand beside it.
_NOT_HERE = re.compile(
    r"(?:HOUR|MINUTE|SECOND)LY|BYHOUR|BYMINUTE|BYSECOND|DTSTART|COUNT|UNTIL|EX(?:RULE|DATE)|RDATE",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`every` is an RRULE without DTSTART ('FREQ=WEEKLY;INTERVAL=2'); `anchor` the day it is counted from.

    `days` (0 = Monday; empty: all), `quiet_from`, `quiet_to` (may wrap midnight; both or none) and `holidays`
    are wishes: a contact that falls on them moves to the next time that is allowed.
    """

    every: str
    at: time
    timezone: str
    anchor: date
    days: tuple[int, ...] = ()
    quiet_from: time | None = None
    quiet_to: time | None = None
    holidays: frozenset[date] = field(default_factory=frozenset)

    def quiet(self, clock: time) -> bool:
        """Whether a wall clock that shows this is within the quiet hours."""
        return in_quiet(clock, self.quiet_from, self.quiet_to)

    def open_on(self, day: date) -> bool:
        """Whether a contact may fall on this local day."""
        return (not self.days or day.weekday() in self.days) and day not in self.holidays

    @property
    def usual(self) -> time:
        """The clock time on a day to which a contact was moved."""
        return self.quiet_to if self.quiet_to is not None and self.quiet(self.at) else self.at


def next_due(rhythm: Rhythm, after: datetime) -> datetime:
    """The first instant after `after` at which the contact is due. Asked again with the answer: the next one.

    ValueError for a rule that is none or has no further day; ZoneInfoNotFoundError for an unknown zone.
    """
    dues = _dues_of(rhythm, after.astimezone(UTC).date())
    return dues[bisect_right(dues, after)]


def last_due(rhythm: Rhythm, now: datetime) -> datetime | None:
    """The latest instant, `now` included, at which the contact was due; None before the first one."""
    day = now.astimezone(UTC).date()
    dues = _dues_of(rhythm, day)
    passed = bisect_right(dues, now)
    return dues[passed - 1] if passed else _last_before(rhythm, day)


# Thousands share a rhythm and are due together, each batch at its own instant: so a day's answers are kept.
@lru_cache(maxsize=8192)
def _dues_of(rhythm: Rhythm, day: date) -> tuple[datetime, ...]:
    """Every instant of this day (UTC) at which the contact is due, and the first one after it."""
    midnight = datetime.combine(day, _MIDNIGHT, UTC)
    dues = [_first_after(rhythm, midnight - _TICK)]
    while dues[-1] < midnight + _DAY:
        dues.append(_first_after(rhythm, dues[-1]))
    return tuple(dues)


@lru_cache(maxsize=8192)
def _last_before(rhythm: Rhythm, day: date) -> datetime | None:
    """The latest instant before this day (UTC) at which the contact was due; None if there was none."""
    return _latest(rhythm, datetime.combine(day, _MIDNIGHT, UTC) - _TICK)


def _first_after(rhythm: Rhythm, after: datetime) -> datetime:
    near = local(after, rhythm.timezone).date() + 2 * _DAY
    past = (day for day in _days_before(rhythm, near) if _slot(rhythm, day) <= after)
    # A slot that has passed may have been moved to a time that has not.
    first = next(past, rhythm.anchor)
    for day, following in islice(pairwise(_days_from(rhythm, first)), _MOST_SLOTS):
        due = _due(rhythm, day, following)
        if due is not None and due > after:
            return due
    raise ValueError(f"the rule {rhythm.every!r} has no further day that is allowed")


def _latest(rhythm: Rhythm, now: datetime) -> datetime | None:
    near = local(now, rhythm.timezone).date() + 2 * _DAY
    ahead = islice(_days_from(rhythm, near), 1)
    for following, day in islice(pairwise(chain(ahead, _days_before(rhythm, near))), _MOST_SLOTS):
        due = _due(rhythm, day, following)
        if due is not None and due <= now:
            return due
    return None


def check(every: str) -> None:
    """ValueError, in words that say what is wrong, unless this is one rule of days without an end."""
    if _rule(every, _EXAMPLE).after(datetime.combine(_EXAMPLE, _MIDNIGHT)) is None:
        raise ValueError(f"the rule {every!r} has no day")


def _due(rhythm: Rhythm, day: date, following: date) -> datetime | None:
    """When the contact of this regular day is due; None when only the next slot has an allowed time."""
    at, end = _slot(rhythm, day), _slot(rhythm, following)
    while at < end:
        wall = local(at, rhythm.timezone)
        if rhythm.quiet_to is not None and rhythm.quiet(wall.time()):
            at = next_showing(rhythm.quiet_to, rhythm.timezone, at)
        elif rhythm.open_on(wall.date()):
            return at
        else:
            at = next_showing(rhythm.usual, rhythm.timezone, at, wall.date() + _DAY)
    return None


def _slot(rhythm: Rhythm, day: date) -> datetime:
    return instant_of(day, rhythm.at, rhythm.timezone)


def _days_from(rhythm: Rhythm, day: date) -> Iterator[date]:
    """The rule's days from `day` on. Never ends; ValueError when the rule does."""
    year, barren = max(day.year, rhythm.anchor.year), 0
    while barren < _BARREN_YEARS and year < date.max.year:
        days = _days_of_year(rhythm.every, rhythm.anchor, year)
        yield from days[bisect_left(days, day) :]
        barren = 0 if days else barren + 1
        year += 1
    raise ValueError(f"the rule {rhythm.every!r} has no further day")


def _days_before(rhythm: Rhythm, day: date) -> Iterator[date]:
    """The rule's days before `day`, the latest first."""
    for year in range(day.year, rhythm.anchor.year - 1, -1):
        days = _days_of_year(rhythm.every, rhythm.anchor, year)
        yield from reversed(days[: bisect_left(days, day)])


@lru_cache(maxsize=4096)
def _days_of_year(every: str, anchor: date, year: int) -> tuple[date, ...]:
    """A year's days of a rule: most people share one, and reading a rule costs more than all the rest."""
    first, last = (datetime.combine(day, _MIDNIGHT) for day in (date(year, 1, 1), date(year, 12, 31)))
    rule = _rule(every, _nearer(every, anchor, first.date()))
    return tuple(day.date() for day in rule.between(first, last, inc=True))


def _nearer(every: str, anchor: date, day: date) -> date:
    """An anchor before that day from which the same days are counted: dateutil walks from it, day by day."""
    rule = dict(part.partition("=")[::2] for part in every.upper().removeprefix("RRULE:").split(";"))
    turn = {"DAILY": 1, "WEEKLY": 7}.get(rule.get("FREQ", ""), 0) * int(rule.get("INTERVAL") or 1)
    turns = (day - anchor).days // turn - 1 if turn else 0
    return anchor + timedelta(days=max(0, turns) * turn)


def _rule(every: str, anchor: date) -> rrule:
    found = _NOT_HERE.search(every)
    if found:
        raise ValueError(f"{found[0]} is not for a rhythm: a rule of days, without an end or a time of day")
    rule = rrulestr(every, dtstart=datetime.combine(anchor, _MIDNIGHT))
    if not isinstance(rule, rrule):
        raise ValueError(f"{every!r} is not one rule")  # noqa: TRY004 - the text is wrong
    return rule
