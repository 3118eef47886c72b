"""Rhythms of contact: in the future, allowed, unique, as near to the regular slot as is allowed.

What is right is said a second time here, in the slowest way: minute by minute, by zoneinfo and a calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from referrals import rhythm
from referrals.persons import WritingWindow
from referrals.rhythm import Rhythm, last_due, next_due
from referrals.schedule import DAYTIME_FROM, DAYTIME_TO, NETWORK_ZONE, allowed_until, known_zone, next_allowed
from tests.conftest import LONG

ZONES = (
    "Africa/Cairo",  # midnight gap
    "Africa/Casablanca",  # backwards for Ramadan
    "America/Halifax",
    "America/Havana",  # midnight gap
    "America/New_York",
    "America/Nuuk",  # falls back over midnight
    "America/Santiago",  # midnight gap
    "America/St_Johns",
    "Antarctica/Troll",  # jumps by two hours
    "Asia/Bangkok",
    "Asia/Beirut",  # midnight gap, falls back over midnight
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Nicosia",
    "Asia/Tehran",
    "Australia/Adelaide",
    "Australia/Lord_Howe",  # jumps by half an hour
    "Australia/Melbourne",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Norfolk",
)
FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MONDAY = date(2024, 1, 1)
SATURDAY = "2026-11-21 00:00"


def weekly(**more: object) -> Rhythm:
    """Mondays at 18:00 in Bangkok."""
    given_ = {"every": "FREQ=WEEKLY", "at": time(18), "timezone": "Asia/Bangkok", "anchor": MONDAY, **more}
    return Rhythm(**given_)  # type: ignore[arg-type]


def wall(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%a %d.%m. %H:%M")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "after", "expected"),
    [
        (weekly(), SATURDAY, ["Mon 23.11. 18:00", "Mon 30.11. 18:00"]),
        (
            weekly(every="FREQ=WEEKLY;INTERVAL=2"),
            SATURDAY,
            ["Mon 30.11. 18:00", "Mon 14.12. 18:00"],
        ),
        (
            weekly(every="FREQ=MONTHLY;BYDAY=1WE"),
            SATURDAY,
            ["Wed 02.12. 18:00", "Wed 06.01. 18:00"],
        ),
        # A holiday: the same time on the next day.
        (weekly(holidays=frozenset({date(2026, 11, 23)})), SATURDAY, ["Tue 24.11. 18:00"]),
        # Own days: the next one, and never past the next regular slot.
        (weekly(days=(5, 6)), SATURDAY, ["Sat 21.11. 18:00", "Sat 28.11. 18:00"]),
        (weekly(every="FREQ=DAILY", days=(0,)), SATURDAY, ["Mon 23.11. 18:00", "Mon 30.11. 18:00"]),
        # Quiet hours that wrap midnight: their end, the next morning, even on a day that was moved to.
        (
            weekly(at=time(23), quiet_from=time(22), quiet_to=time(7)),
            SATURDAY,
            ["Tue 24.11. 07:00"],
        ),
        (
            weekly(at=time(23), quiet_from=time(22), quiet_to=time(7), days=(0, 3)),
            SATURDAY,
            ["Thu 26.11. 07:00", "Thu 03.12. 07:00"],
        ),
        # A fortnight of holidays swallows one slot; afterwards there is one contact, not two.
        (
            weekly(holidays=frozenset(date(2026, 11, 22) + n * DAY for n in range(14))),
            SATURDAY,
            ["Sun 06.12. 18:00", "Mon 07.12. 18:00"],
        ),
        # Havana's spring: midnight does not exist, it is one o'clock at once.
        (
            weekly(every="FREQ=DAILY", at=time(0, 15), timezone="America/Havana"),
            "2026-03-07 12:00",
            ["Sun 08.03. 01:00", "Mon 09.03. 00:15"],
        ),
        # Berlin's autumn: half past two comes twice and is asked for once.
        (
            weekly(every="FREQ=DAILY", at=time(2, 30), timezone="Europe/Berlin"),
            "2026-10-24 12:00",
            ["Sun 25.10. 02:30", "Mon 26.10. 02:30"],
        ),
        # Lord Howe's spring: half past two is skipped by half an hour.
        (
            weekly(every="FREQ=DAILY", at=time(2, 10), timezone="Australia/Lord_Howe"),
            "2026-10-03 00:00",
            ["Sun 04.10. 02:30", "Mon 05.10. 02:10"],
        ),
    ],
)
def test_examples_of_a_rhythm(made: Rhythm, after: str, expected: list[str]) -> None:
    assert [wall(due, made.timezone) for due in islice(dues(made, utc(after)), len(expected))] == expected


def test_an_old_name_of_a_zone_goes_on_and_an_unknown_one_is_the_networks() -> None:
    old, new = weekly(timezone="Asia/Calcutta"), weekly(timezone="Asia/Kolkata")
    assert next_due(old, utc(SATURDAY)) == next_due(new, utc(SATURDAY))
    assert known_zone("Asia/Calcutta") == "Asia/Calcutta"
    for gone in ("Mars/Olympus", "", "../etc/passwd", "America"):
        assert known_zone(gone) == NETWORK_ZONE
    with pytest.raises(ZoneInfoNotFoundError):
        next_due(weekly(timezone="Mars/Olympus"), utc(SATURDAY))


@pytest.mark.parametrize(
    "every",
    [
        "",
        "FREQ=OFTEN",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=9,10",
        "FREQ=DAILY;UNTIL=20261231",
        "every Monday",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "DTSTART:20240101T000000\nRRULE:FREQ=DAILY",
        "RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
    ],
)
def test_what_is_no_rhythm_of_days_is_refused(every: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - dateutil says it in its own words
        rhythm.check(every)


def test_a_rule_that_ends_and_days_that_never_come_are_errors_and_no_endless_search() -> None:
    with pytest.raises(ValueError, match="COUNT"):
        next_due(weekly(every="FREQ=DAILY;COUNT=3"), utc(SATURDAY))
    with pytest.raises(ValueError, match="allowed"):
        next_due(weekly(days=(9,)), utc(SATURDAY))


# -- the contract, by a slow second opinion ---------------------------------------------------------

RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=31",
)
clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2024, 1, 3), datetime(2030, 12, 20), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(second=0, microsecond=0)
)


@st.composite
def rhythms(draw: st.DrawFn) -> Rhythm:
    quiet = draw(st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]))
    start = draw(st.dates(date(2023, 12, 1), date(2024, 1, 1)))
    begins, ends = quiet or (None, None)
    days = draw(st.just(()) | st.sets(st.integers(0, 6), min_size=1).map(lambda d: tuple(sorted(d))))
    holidays = frozenset(draw(st.sets(st.dates(FIRST, LAST), max_size=6)))
    rule, at, zone = draw(st.sampled_from(RULES)), draw(clocks), draw(st.sampled_from(ZONES))
    return Rhythm(rule, at, zone, start, days, begins, ends, holidays)


def dues(made: Rhythm, after: datetime) -> Iterator[datetime]:
    while True:
        after = next_due(made, after)
        yield after


def expected_due(made: Rhythm, slot: datetime, end: datetime) -> datetime | None:
    """The first minute from the slot on that is allowed, by walking; None when the next slot is first."""
    zone, at = ZoneInfo(made.timezone), slot
    first_day = slot.astimezone(zone).date()
    usual = made.quiet_to if made.quiet_to is not None and _quiet(made, made.at) else made.at
    while at < end:
        shown = at.astimezone(zone)
        if (
            (not made.days or shown.weekday() in made.days)
            and shown.date() not in made.holidays
            and not _quiet(made, shown.time())
            and (shown.date() == first_day or shown.time() >= usual)
        ):
            return at
        at += MINUTE
    return None


def _quiet(made: Rhythm, clock: time) -> bool:
    if made.quiet_from is None or made.quiet_to is None:
        return False
    minutes = (
        clock.hour * 60 + clock.minute,
        *(t.hour * 60 + t.minute for t in (made.quiet_from, made.quiet_to)),
    )
    asked, begins, ends = minutes
    return (asked - begins) % 1440 < (ends - begins) % 1440


def slots_near(made: Rhythm, at: datetime) -> list[datetime]:
    """Regular slots around an instant: the rule's days by dateutil, the clock by walking from before it."""
    anchor = datetime.combine(made.anchor, time(0))
    rule = rrulestr(made.every, dtstart=anchor)
    naive = at.replace(tzinfo=None)
    days = [d.date() for d in rule.between(naive - 70 * DAY, naive + 70 * DAY, inc=True)]
    return [_by_walking(day, made.at, made.timezone) for day in days]


def _by_walking(day: date, clock: time, zone: str) -> datetime:
    """The first minute at which the local clock has come so far."""
    info, wanted = ZoneInfo(zone), datetime.combine(day, clock)
    at = wanted.replace(tzinfo=UTC) - 15 * timedelta(hours=1)
    while at.astimezone(info).replace(tzinfo=None) < wanted:
        far = wanted - at.astimezone(info).replace(tzinfo=None) > timedelta(hours=4)
        at += timedelta(hours=1) if far else MINUTE
    return at


@settings(max_examples=10_000 if LONG else 25)
@given(rhythms(), moments)
def test_the_next_contact_is_in_the_future_allowed_unique_and_as_near_as_may_be(
    made: Rhythm, after: datetime
) -> None:
    slots = slots_near(made, after)
    assume(len(slots) > 2)
    wanted = [due for slot, end in pairwise(slots) if (due := expected_due(made, slot, end)) is not None]
    later = [due for due in wanted if due > after]
    assume(len(later) > 1)
    assert list(islice(dues(made, after), 2)) == later[:2]
    earlier = [due for due in wanted if due <= after]
    if earlier:
        assert last_due(made, after) == earlier[-1]


@settings(max_examples=20_000 if LONG else 100)
@given(rhythms(), moments)
def test_asked_on_and_on_it_never_stands_still_and_never_says_what_is_not_allowed(
    made: Rhythm, after: datetime
) -> None:
    before, zone = after, ZoneInfo(made.timezone)
    for due in islice(dues(made, after), 8):
        shown = due.astimezone(zone)
        assert before < due
        assert not made.days or shown.weekday() in made.days
        assert shown.date() not in made.holidays
        assert not _quiet(made, shown.time())
        assert last_due(made, due) == due
        assert last_due(made, due - MINUTE) != due
        before = due


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clocks_until_2030(zone: str) -> None:
    """Each local half hour around each change: the slot of that day comes once, where walking finds it."""
    days = changes(zone)
    assert days or zone in {"Asia/Bangkok", "Asia/Kathmandu", "Asia/Tehran", "Pacific/Apia"}
    some = days if LONG else days[:2]
    for day in some:
        for clock in (time(h, m) for h in (23, 0, 1, 2, 3, 4) for m in (0, 15, 30)[:: 1 if LONG else 2]):
            made = Rhythm("FREQ=DAILY", clock, zone, FIRST)
            around = [_by_walking(day + n * DAY, clock, zone) for n in (-1, 0, 1)]
            assert list(islice(dues(made, around[0] - MINUTE), 3)) == around
            quiet = Rhythm("FREQ=DAILY", clock, zone, FIRST, (), time(22), time(2, 30))
            due = next_due(quiet, around[1] - MINUTE)
            assert due == expected_due(quiet, around[1], around[2])


def changes(zone: str) -> list[date]:
    """Local days on which the clock changes, 2024–2030."""
    info = ZoneInfo(zone)
    days = [FIRST + n * DAY for n in range((LAST - FIRST).days)]
    noons = [datetime.combine(day, time(12), UTC).astimezone(info) for day in days]
    return [b.date() for a, b in pairwise(noons) if a.utcoffset() != b.utcoffset()]


# -- whoever reads it ---------------------------------------------------------------------------------


@settings(max_examples=20_000 if LONG else 100)
@given(
    st.sampled_from((WritingWindow.ANY_TIME, WritingWindow.DAYTIME)),
    st.sampled_from(ZONES),
    moments,
    st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]),
    st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
)
def test_a_reader_is_written_to_at_their_own_times(
    window: WritingWindow, zone: str, at: datetime, quiet: tuple[time, time] | None, days: tuple[int, ...]
) -> None:
    begins, ends = quiet or (None, None)
    allowed = next_allowed(window, zone, at, begins, ends, days)
    assert allowed is not None
    assert at <= allowed
    shown = allowed.astimezone(ZoneInfo(zone))
    made = Rhythm("FREQ=DAILY", time(0), zone, FIRST, (), begins, ends)
    assert not _quiet(made, shown.time())
    assert not days or shown.weekday() in days
    nothing_left = all(_quiet(made, time(h, m)) for h in range(8, 20) for m in range(60))
    if window is WritingWindow.DAYTIME and not nothing_left:
        assert DAYTIME_FROM <= shown.time() < DAYTIME_TO
    assert next_allowed(window, zone, allowed, begins, ends, days) == allowed
    until = allowed_until(window, zone, allowed, begins, ends, days)
    assert until is None or allowed < until
    for minutes in (1, 59, 400, 1439) if until else (1, 1439, 10_079):
        later = allowed + timedelta(minutes=minutes)
        if until is None or later < until:
            assert next_allowed(window, zone, later, begins, ends, days) == later


def test_a_reader_with_days_is_not_woken_at_midnight() -> None:
    asked = utc("2026-11-21 11:00")  # a Saturday evening in Bangkok
    only_mondays = next_allowed(WritingWindow.ANY_TIME, "Asia/Bangkok", asked, days=(0,))
    assert only_mondays is not None
    assert wall(only_mondays, "Asia/Bangkok") == "Mon 23.11. 08:00"
