"""When: opening times, deadlines in a partner's own working time, quiet hours, rhythms. Pure; UTC in and out.

Local wall clocks jump. One rule for all of them, in `instant_of`: a time that a clock skips is the first
instant after the skip, and a time that a clock shows twice is its first showing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from referrals.catalogue import Span
from referrals.directory import Duty, OpeningTimes
from referrals.model import Urgency
from referrals.persons import WritingWindow

DAYTIME_FROM = time(8)
DAYTIME_TO = time(20)

# An urgent offer never lapses before its partner was open for this long (or for the whole span, if shorter).
URGENT_OPEN_TIME = timedelta(hours=4)

# Where somebody is, as long as nobody knows better.
NETWORK_ZONE = "Asia/Bangkok"

_MOST_MOVES = 64  # from window to quiet hours to days and on: two weeks of each
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LAST_MINUTE = time(23, 59)
Opening = tuple[datetime, datetime]


def local(at: datetime, timezone: str) -> datetime:
    """The instant as this zone's wall clock shows it (ZoneInfoNotFoundError for an unknown zone)."""
    return at.astimezone(ZoneInfo(timezone))


def instant_of(day: date, clock: time, timezone: str) -> datetime:
    """The UTC instant at which a local clock shows this day and time.

    A time that the clock skips gives the first instant after the skip, one that it shows twice the first.
    """
    zone = ZoneInfo(timezone)
    wall = datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return instant
    return _end_of_skip(wall, zone)


def _end_of_skip(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second whose local clock has passed `wall`, which the clock skips."""
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC).replace(microsecond=0)
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).replace(tzinfo=None, fold=0) < wall:
            before = middle
        else:
            after = middle
    return after


def next_showing(clock: time, timezone: str, after: datetime, day: date | None = None) -> datetime:
    """The first instant after `after` at which a local clock shows this time, on `day` or later.

    A time that is shown twice counts twice; one that is skipped, right after the skip (see `instant_of`).
    """
    day = day or local(after, timezone).date()
    for each in (day + n * _DAY for n in count()):
        first = instant_of(each, clock, timezone)
        if first > after:
            return first
        wall = datetime.combine(each, clock.replace(tzinfo=None, fold=1), ZoneInfo(timezone))
        second = wall.astimezone(UTC)
        if second > after and local(second, timezone).time() == clock:
            return second
    raise AssertionError("days never end")


def in_quiet(clock: time, quiet_from: time | None, quiet_to: time | None) -> bool:
    """Whether a wall clock shows quiet hours: from, up to and not including, to; they may wrap midnight."""
    if quiet_from is None or quiet_to is None:
        return False
    if quiet_from <= quiet_to:
        return quiet_from <= clock < quiet_to
    return clock >= quiet_from or clock < quiet_to


# -- a partner's own working time ------------------------------------------------------------------


def is_open(times: OpeningTimes, at: datetime) -> bool:
    """True while the partner works: from opening up to, not including, closing."""
    if not times.hours:
        return True
    wall = local(at, times.timezone)
    # A clock that falls back over midnight shows today again (fold) when tomorrow's hours have begun.
    days = (wall.date(), wall.date() + _DAY) if wall.fold else (wall.date(),)
    near = (opening for day in days for opening in _openings_on(times, day))
    return any(opens <= at < closes for opens, closes in near)


def next_opening(times: OpeningTimes, at: datetime) -> datetime:
    """`at` itself while the partner works, else the instant of its next opening."""
    if not times.hours:
        return at
    return max(at, next(_openings(times, at))[0])


def add_open_time(times: OpeningTimes, start: datetime, duration: timedelta) -> datetime:
    """The earliest instant by which the partner has been open for `duration` since `start`.

    Nothing to wait for (zero or less) gives `start` itself.
    """
    if not times.hours or duration <= timedelta():
        return start + max(duration, timedelta())
    left = duration
    for opens, closes in _openings(times, start):
        begin = max(start, opens)
        if closes - begin >= left:
            return begin + left
        left -= closes - begin
    raise AssertionError("openings never end")


def open_time_between(times: OpeningTimes, start: datetime, end: datetime) -> timedelta:
    """For how long the partner is open between two instants; nothing when the end is not after the start."""
    if not times.hours:
        return max(end - start, timedelta())
    total = timedelta()
    for opens, closes in _openings(times, start):
        if opens >= end:
            break
        total += max(min(end, closes) - max(start, opens), timedelta())
    return total


def working_days_after(times: OpeningTimes, start: datetime, days: int) -> datetime:
    """The same local time on the n-th working day after the clock has started.

    The clock starts at `start`, or at the next opening when the partner is closed then: an offer that comes
    on a Saturday is treated like one on Monday morning. Where the partner is closed at that time on the last
    day (a short Saturday), the deadline moves to its next opening, so it never falls into closed time.
    """
    begin = next_opening(times, start)
    wall = local(begin, times.timezone)
    day = wall.date()
    for _ in range(days):
        day = _next_working_day(times, day)
    return next_opening(times, max(begin, instant_of(day, wall.time(), times.timezone)))


def deadline(span: Span, times: OpeningTimes, start: datetime, urgency: Urgency) -> datetime:
    """When an offer must be acknowledged or decided (domain.md, 'Offer').

    - emergency: time as it passes, round the clock, whatever the partner's hours;
    - hours, otherwise: the clock starts at the partner's next opening. The later of that many hours as they
      pass and that many open hours, but of open hours at most four: so '4 h' are four open hours, and '24 h'
      end a day later unless the partner was hardly open in it. Nobody's offer lapses while they were closed;
    - working days: the same local time, that many working days on (`working_days_after`).
    """
    if urgency is Urgency.EMERGENCY:
        return start + elapsed(span)
    if span.working_days:
        return working_days_after(times, start, span.working_days)
    begin = next_opening(times, start)
    open_time = min(elapsed(span), URGENT_OPEN_TIME)
    return max(begin + elapsed(span), add_open_time(times, begin, open_time))


def elapsed(span: Span) -> timedelta:
    """The span as time that simply passes: for emergencies, `first_contact` and `unmatched`."""
    return timedelta(hours=span.hours, days=span.working_days)


def part_way(times: OpeningTimes, start: datetime, end: datetime, share: float, urgency: Urgency) -> datetime:
    """The instant at which `share` (0 to 1) of a deadline has gone: half time, three quarters.

    Measured in the partner's open time, so that a reminder comes while somebody is there; as time passes in
    an emergency, or when the partner is not open between the two.
    """
    open_time = timedelta() if urgency is Urgency.EMERGENCY else open_time_between(times, start, end)
    if not open_time:
        return start + (end - start) * share
    return add_open_time(times, start, open_time * share)


def _openings(times: OpeningTimes, at: datetime) -> Iterator[Opening]:
    """Openings that end after `at`, in order and without overlap. Never ends; needs hours.

    Only hours of one day can overlap, since midnight is the latest closing; so each is complete within a day.
    """
    begin: datetime | None = None
    end = at
    first = local(at, times.timezone).date()
    for opens, closes in (o for days in count() for o in _openings_on(times, first + days * _DAY)):
        if closes <= at:
            continue
        if begin is None or opens >= end:
            if begin is not None:
                yield begin, end
            begin, end = opens, closes
        end = max(end, closes)


def _openings_on(times: OpeningTimes, day: date) -> Iterator[Opening]:
    """One local day's openings, in order; none on a holiday. What a clock skips is not open."""
    if day in times.holidays:
        return
    for hours in sorted((h for h in times.hours if h.weekday == day.weekday()), key=lambda h: h.opens):
        opens = instant_of(day, hours.opens, times.timezone)
        closes = _closing(day, hours.closes, times.timezone)
        if opens < closes:
            yield opens, closes


def _closing(day: date, clock: time, timezone: str) -> datetime:
    """The end of an opening; 23:59 means midnight, so that a night is not cut by a minute."""
    if clock >= _LAST_MINUTE:
        return instant_of(day + _DAY, time(0), timezone)
    return instant_of(day, clock, timezone)


def _next_working_day(times: OpeningTimes, day: date) -> date:
    weekdays = {h.weekday for h in times.hours} or set(range(7))
    holidays = times.holidays if times.hours else frozenset()
    day += _DAY
    while day.weekday() not in weekdays or day in holidays:
        day += _DAY
    return day


# -- people: when to write, and how often ----------------------------------------------------------


# Of thousands who are asked in one turn nearly all have the same wishes at the same instant.
@lru_cache(maxsize=1024)
def next_allowed(
    window: WritingWindow,
    timezone: str,
    at: datetime,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    days: tuple[int, ...] = (),
) -> datetime | None:
    """The first instant from `at` on at which this person may be written to unasked; None means never.

    Within the window, outside their quiet hours, on one of their days (0 = Monday; empty: all): on a later
    day from 08:00, or from the end of quiet hours. Where the quiet hours leave nothing of the window, they
    alone decide. A zone that is not known any more counts as the network's.
    """
    if window is WritingWindow.ONLY_ANSWERS:
        return None
    zone = known_zone(timezone)
    usual = quiet_to if quiet_to and in_quiet(DAYTIME_FROM, quiet_from, quiet_to) else DAYTIME_FROM
    by_day = window is WritingWindow.DAYTIME and not _all_day_quiet(quiet_from, quiet_to)
    for _ in range(_MOST_MOVES):
        wall = local(at, zone)
        clock = wall.time()
        if days and wall.weekday() not in days:
            at = next_showing(usual, zone, at, wall.date() + _DAY)
        elif by_day and not DAYTIME_FROM <= clock < DAYTIME_TO:
            at = next_showing(DAYTIME_FROM, zone, at)
        elif quiet_to is not None and in_quiet(clock, quiet_from, quiet_to):
            at = next_showing(quiet_to, zone, at)
        else:
            return at
    return at


@lru_cache(maxsize=1024)
def allowed_until(
    window: WritingWindow,
    timezone: str,
    at: datetime,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    days: tuple[int, ...] = (),
) -> datetime | None:
    """Until when a message that may be read from `at` on may still come; None where no hours are kept.

    What could not be sent by then (an outage) would come at night, so it is not sent at all.
    """
    zone = known_zone(timezone)
    ends: list[datetime] = []
    if window is WritingWindow.DAYTIME and not _all_day_quiet(quiet_from, quiet_to):
        ends.append(next_showing(DAYTIME_TO, zone, at))
    if quiet_from is not None:
        ends.append(next_showing(quiet_from, zone, at))
    if days:
        today = local(at, zone).date()
        off = next((n for n in range(1, 7) if (today + n * _DAY).weekday() not in days), None)
        ends += [instant_of(today + off * _DAY, time(0), zone)] if off else []
    return min(ends, default=None)


def _all_day_quiet(quiet_from: time | None, quiet_to: time | None) -> bool:
    """Whether quiet hours leave nothing of the day between 08:00 and 20:00."""
    if quiet_from is None or quiet_to is None:
        return False
    if quiet_from <= quiet_to:
        return quiet_from <= DAYTIME_FROM and quiet_to >= DAYTIME_TO
    return quiet_from <= DAYTIME_FROM or quiet_to >= DAYTIME_TO


def known_zone(timezone: str) -> str:
    """The zone itself, or the network's where tzdata no longer knows it. Renamed zones (links) are known."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return NETWORK_ZONE
    return timezone


def on_duty(duty: Duty, at: datetime) -> bool:
    """True during a stretch of the rota: its last minute is included, so 23:59 reaches to midnight."""
    wall = local(at, duty.timezone)
    minute = wall.time().replace(second=0, microsecond=0)
    return duty.weekday == wall.weekday() and duty.starts <= minute <= duty.ends
