"""The on-call rota: who is on, whose turn is next, and where nobody is. Pure, by each stretch's own zone.

Whether somebody is on is for `schedule.on_duty` to say, and nothing else: what is uncovered is found by
asking it between all the instants at which its answer can change, those at which clocks change included.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from referrals.directory import Duty
from referrals.schedule import local, on_duty

Stretch = tuple[datetime, datetime]
# Turns that were swapped, once: the duty's id and its local day -> the seat that has it on that day.
Swapped = Mapping[tuple[str, date], str]
NOTHING_SWAPPED: Swapped = {}

AHEAD = timedelta(days=7)
_LAST = time(23, 59)  # '24:00' in a network file
_DAY, _MINUTE, _QUARTER = timedelta(days=1), timedelta(minutes=1), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the rota, on one local day: whose it is, from when until when."""

    duty_id: str
    day: date
    seat_id: str
    starts: datetime
    ends: datetime

    @property
    def key(self) -> tuple[str, date]:
        return self.duty_id, self.day


def on_call(duties: Iterable[Duty], now: datetime, swapped: Swapped = NOTHING_SWAPPED) -> frozenset[str]:
    """The seats that the rota names at this moment."""
    return frozenset(
        _seat(duty, local(now, duty.timezone).date(), swapped) for duty in duties if on_duty(duty, now)
    )


def next_up(
    duties: Collection[Duty], now: datetime, among: Collection[str], swapped: Swapped = NOTHING_SWAPPED
) -> str | None:
    """Of these seats the one whose turn comes next, whoever is on now left out; None when there is none."""
    there = on_call(duties, now, swapped)
    for at in sorted(_turns(duties, now, now + AHEAD + _DAY)):
        coming = sorted((on_call(duties, at, swapped) & set(among)) - there)
        if coming:
            return coming[0]
    return None


def coming(
    duties: Iterable[Duty], now: datetime, ahead: timedelta, swapped: Swapped = NOTHING_SWAPPED
) -> tuple[Turn, ...]:
    """Every turn that begins within this time, in order."""
    found = []
    for duty in duties:
        for day in _days(local(now, duty.timezone).date(), local(now + ahead, duty.timezone).date()):
            turn = turn_on(duty, day, swapped)
            if duty.weekday == day.weekday() and now < turn.starts <= now + ahead:
                found.append(turn)
    return tuple(sorted(found, key=lambda turn: (turn.starts, turn.duty_id)))


def turn_on(duty: Duty, day: date, swapped: Swapped = NOTHING_SWAPPED) -> Turn:
    """The turn that this duty is on that local day."""
    zone = ZoneInfo(duty.timezone)
    starts, ends = _instant(day, duty.starts, zone), _instant(day, duty.ends, zone)
    if duty.ends == _LAST:
        ends += _MINUTE
    return Turn(duty.id, day, _seat(duty, day, swapped), starts, ends)


def uncovered(
    duties: Collection[Duty],
    start: datetime,
    ahead: timedelta = AHEAD,
    swapped: Swapped = NOTHING_SWAPPED,
    filled: Collection[str] | None = None,
) -> tuple[Stretch, ...]:
    """The stretches from `start` on in which the rota names nobody, in order; neighbours are one.

    `filled`: only these seats count as somebody; None: every one does.
    """
    end = start + ahead
    points = [start, *sorted(_turns(duties, start, end)), end]
    found: list[Stretch] = []
    for begins, ends in pairwise(points):
        there = on_call(duties, begins, swapped)
        if begins == ends or (there if filled is None else there & set(filled)):
            continue
        if found and found[-1][1] == begins:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return tuple(found)


def _seat(duty: Duty, day: date, swapped: Swapped) -> str:
    return swapped.get((duty.id, day), duty.seat_id)


def _turns(duties: Iterable[Duty], start: datetime, end: datetime) -> set[datetime]:
    """Every instant between the two at which somebody may come on or go off."""
    by_zone: dict[str, list[Duty]] = {}
    for duty in duties:
        by_zone.setdefault(duty.timezone, []).append(duty)
    return {
        at
        for zone, theirs in by_zone.items()
        for day in _days(local(start, zone).date() - _DAY, local(end, zone).date() + _DAY)
        for at in _on_day(theirs, day, ZoneInfo(zone))
        if start < at < end
    }


def _on_day(duties: Iterable[Duty], day: date, zone: ZoneInfo) -> Iterator[datetime]:
    for duty in duties:
        if duty.weekday == day.weekday():
            for clock, later in ((duty.starts, timedelta()), (duty.ends, _MINUTE)):
                for fold in (0, 1):
                    yield _instant(day, clock.replace(fold=fold), zone) + later
    midnight, next_midnight = _instant(day, time(0), zone), _instant(day + _DAY, time(0), zone)
    if next_midnight - midnight != _DAY:  # clocks change on this day, on some quarter of an hour
        at = midnight
        while at < next_midnight:
            yield at
            at += _QUARTER


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock).replace(tzinfo=zone, fold=clock.fold).astimezone(UTC)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY
