"""Clocks: opening times, deadlines, quiet hours and rhythms, over every jump of twenty zones, 2024–2030."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.catalogue import Span
from referrals.directory import Duty, Hours, OpeningTimes
from referrals.model import Urgency
from referrals.persons import WritingWindow
from referrals.schedule import (
    add_open_time,
    deadline,
    instant_of,
    is_open,
    local,
    next_allowed,
    next_opening,
    next_showing,
    on_duty,
    open_time_between,
    part_way,
    working_days_after,
)

BKK = "Asia/Bangkok"
ZONES = (
    "Africa/Cairo",  # midnight gap
    "Africa/Casablanca",  # backwards for Ramadan
    "America/Asuncion",
    "America/Havana",  # midnight gap
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",  # midnight gap
    "America/St_Johns",
    "Antarctica/Troll",  # jumps by two hours
    "Asia/Bangkok",
    "Asia/Beirut",  # midnight gap
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # jumps by half an hour
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
OFFICE = OpeningTimes(
    BKK,
    tuple(Hours(d, a, b) for d in range(5) for a, b in ((time(9), time(12)), (time(13), time(17)))),
    frozenset({date(2026, 11, 25)}),  # a Wednesday
)
ALWAYS = OpeningTimes(BKK)


def at(text: str) -> datetime:
    """A local time of November 2026 in Bangkok: '23 09:30' is Monday the 23rd."""
    day, clock = text.split()
    wall = datetime.combine(date(2026, 11, int(day)), time.fromisoformat(clock))
    return wall.replace(tzinfo=ZoneInfo(BKK)).astimezone(UTC)


def jumps(zone: str) -> list[date]:
    """Local days on which the clock changes."""
    info = ZoneInfo(zone)
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
    noons = [datetime.combine(day, time(12), UTC).astimezone(info) for day in days]
    return [b.date() for a, b in pairwise(noons) if a.utcoffset() != b.utcoffset()]


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_time_is_the_first_instant_at_which_the_clock_has_come_so_far(zone: str) -> None:
    info = ZoneInfo(zone)
    for changed in jumps(zone):
        begin = datetime.combine(changed, time(), UTC) - timedelta(hours=40)
        instants = [begin + timedelta(minutes=n) for n in range(80 * 60)]
        shown = list(accumulate((i.astimezone(info).replace(tzinfo=None, fold=0) for i in instants), max))
        for day in (changed - timedelta(days=1), changed):
            for quarter in range(96):
                wall = datetime.combine(day, time(quarter // 4, quarter % 4 * 15))
                expected = instants[bisect_left(shown, wall)]
                assert instant_of(day, wall.time(), zone) == expected, (zone, wall)


def test_times_that_do_not_exist_and_times_that_come_twice() -> None:
    # Havana skips from midnight to one; New York shows 01:30 twice; Apia had no 30 December 2011 at all.
    assert instant_of(date(2026, 3, 8), time(0, 30), "America/Havana") == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert instant_of(date(2026, 11, 1), time(1, 30), "America/New_York") == datetime(
        2026, 11, 1, 5, 30, tzinfo=UTC
    )
    assert instant_of(date(2011, 12, 30), time(9), "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC)


# -- rhythms -----------------------------------------------------------------------------------------


def moments(first: date, last: date) -> st.SearchStrategy[datetime]:
    seconds = int((last - first).total_seconds())
    begin = datetime.combine(first, time(), UTC)
    return st.builds(lambda n: begin + timedelta(seconds=n), st.integers(0, seconds))


instants = moments(date(2024, 1, 1), date(2030, 12, 1))
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))


@pytest.mark.parametrize("zone", ZONES)
def test_a_clock_shows_a_time_on_every_local_day_of_seven_years(zone: str) -> None:
    moment, days = instant_of(FIRST, time(0, 30), zone), []
    while moment.year < 2031:
        later = next_showing(time(0, 30), zone, moment)
        assert timedelta(minutes=30) <= later - moment <= timedelta(hours=27)
        moment = later
        days.append(local(moment, zone).date())
    assert [*dict.fromkeys(days)] == [FIRST + timedelta(days=n + 1) for n in range(len(set(days)))]
    assert len(set(days)) > 2550


# -- quiet hours -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "asked", "expected"),
    [
        (WritingWindow.ANY_TIME, "23 03:00", "23 03:00"),
        (WritingWindow.DAYTIME, "23 07:59", "23 08:00"),
        (WritingWindow.DAYTIME, "23 08:00", "23 08:00"),
        (WritingWindow.DAYTIME, "23 19:59", "23 19:59"),
        (WritingWindow.DAYTIME, "23 20:00", "24 08:00"),
    ],
)
def test_nobody_is_written_to_outside_the_window(window: WritingWindow, asked: str, expected: str) -> None:
    assert next_allowed(window, BKK, at(asked)) == at(expected)


def test_only_answers_means_never_unasked() -> None:
    assert next_allowed(WritingWindow.ONLY_ANSWERS, BKK, at("23 12:00")) is None


@given(st.sampled_from(ZONES), instants)
def test_the_daytime_window_holds_in_every_zone(zone: str, asked: datetime) -> None:
    allowed = next_allowed(WritingWindow.DAYTIME, zone, asked)
    assert allowed is not None
    assert asked <= allowed <= asked + timedelta(hours=15)
    assert time(8) <= local(allowed, zone).time() < time(20)
    assert next_allowed(WritingWindow.DAYTIME, zone, allowed) == allowed


# -- opening times -----------------------------------------------------------------------------------


def openings() -> st.SearchStrategy[tuple[Hours, ...]]:
    edges = st.lists(st.integers(0, 95), min_size=2, max_size=4, unique=True).map(sorted)

    def hours(week: list[tuple[int, list[int]]]) -> tuple[Hours, ...]:
        quarter = [time(n // 4, n % 4 * 15) for n in range(96)]
        return tuple(
            Hours(day, quarter[e[n]], quarter[e[n + 1]]) for day, e in week for n in range(0, len(e) - 1, 2)
        )

    days = st.lists(st.tuples(st.integers(0, 6), edges), min_size=1, max_size=7, unique_by=lambda x: x[0])
    return days.map(hours)


holidays = st.frozensets(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=20)
times_anywhere = st.builds(OpeningTimes, st.sampled_from(ZONES), openings(), holidays)
spring = moments(date(2026, 3, 1), date(2026, 4, 20))
lengths = st.timedeltas(timedelta(), timedelta(days=9))


@given(st.builds(OpeningTimes, st.just(BKK), openings(), holidays), spring, st.integers(0, 3000))
def test_open_time_is_what_one_counts_on_the_clock(
    times: OpeningTimes, start: datetime, minutes: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    walls = [local(start + timedelta(minutes=n), BKK).replace(tzinfo=None) for n in range(minutes)]
    counted = sum(
        w.date() not in times.holidays
        and any(h.weekday == w.weekday() and h.opens <= w.time() < h.closes for h in times.hours)
        for w in walls
    )
    end = start + timedelta(minutes=minutes)
    assert open_time_between(times, start, end) == timedelta(minutes=counted)


@given(times_anywhere, spring, lengths, lengths)
def test_open_time_adds_up(times: OpeningTimes, start: datetime, one: timedelta, two: timedelta) -> None:
    middle, end = start + one, start + one + two
    parts = open_time_between(times, start, middle) + open_time_between(times, middle, end)
    assert parts == open_time_between(times, start, end)


@given(times_anywhere, spring, st.timedeltas(timedelta(), timedelta(hours=30)))
def test_adding_open_time_is_the_inverse_of_counting_it(
    times: OpeningTimes, start: datetime, duration: timedelta
) -> None:
    end = add_open_time(times, start, duration)
    assert end >= start
    assert open_time_between(times, start, end) == duration
    if duration:
        assert open_time_between(times, start, end - timedelta(microseconds=1)) < duration


@given(times_anywhere, spring)
def test_the_next_opening_is_open_and_nothing_before_it_is(times: OpeningTimes, moment: datetime) -> None:
    opening = next_opening(times, moment)
    assert is_open(times, opening)
    assert (opening == moment) == is_open(times, moment)
    assert open_time_between(times, moment, opening) == timedelta()


@given(spring, lengths)
def test_round_the_clock_is_always_open(moment: datetime, length: timedelta) -> None:
    assert is_open(ALWAYS, moment)
    assert next_opening(ALWAYS, moment) == moment
    assert add_open_time(ALWAYS, moment, length) == moment + length
    assert open_time_between(ALWAYS, moment, moment + length) == length


def test_an_opening_until_23_59_reaches_to_midnight() -> None:
    nights = OpeningTimes(BKK, tuple(Hours(d, time(0), time(23, 59)) for d in range(7)))
    assert is_open(nights, at("23 23:59") + timedelta(seconds=59))
    assert open_time_between(nights, at("23 00:00"), at("25 00:00")) == timedelta(days=2)


def test_a_clock_that_falls_back_over_midnight_closes_nobody() -> None:
    """St John's went from 00:01 on a Sunday back to 23:01 on Saturday."""
    sundays = OpeningTimes("America/St_Johns", (Hours(6, time(0), time(8)),))
    begin = instant_of(date(2006, 10, 29), time(0), "America/St_Johns")
    again = begin + timedelta(minutes=30)
    assert local(again, "America/St_Johns").date() == date(2006, 10, 28)
    assert is_open(sundays, again)
    assert next_opening(sundays, again) == again
    assert open_time_between(sundays, begin, again) == timedelta(minutes=30)


def test_hours_that_overlap_count_once() -> None:
    twice = OpeningTimes(BKK, (Hours(0, time(9), time(12)), Hours(0, time(11), time(14)), *OFFICE.hours))
    assert open_time_between(twice, at("23 00:00"), at("24 00:00")) == timedelta(hours=8)


def test_time_that_runs_backwards_or_stands_is_no_open_time() -> None:
    assert open_time_between(OFFICE, at("24 12:00"), at("23 12:00")) == timedelta()
    assert add_open_time(OFFICE, at("22 12:00"), timedelta()) == at("22 12:00")


# -- deadlines ---------------------------------------------------------------------------------------

ACKNOWLEDGE, DECIDE = Span(hours=4), Span(hours=24)
DAY_1, DAYS_2 = Span(working_days=1), Span(working_days=2)


@pytest.mark.parametrize(
    ("span", "urgency", "sent", "expected"),
    [
        # Emergencies run round the clock, on a Sunday night too.
        (Span(hours=0.5), Urgency.EMERGENCY, "22 23:45", "23 00:15"),
        (Span(hours=2), Urgency.EMERGENCY, "25 03:00", "25 05:00"),
        # Urgent: open hours, from the next opening on; lunch does not count.
        (ACKNOWLEDGE, Urgency.URGENT, "23 09:00", "23 14:00"),
        (ACKNOWLEDGE, Urgency.URGENT, "23 16:00", "24 12:00"),
        (ACKNOWLEDGE, Urgency.URGENT, "22 10:00", "23 14:00"),
        (DECIDE, Urgency.URGENT, "23 10:00", "24 10:00"),
        (DECIDE, Urgency.URGENT, "24 16:00", "26 12:00"),  # Wednesday is a holiday: three hours on Thursday
        (DECIDE, Urgency.URGENT, "21 08:00", "24 09:00"),  # the clock starts on Monday at nine
        # Normal: working days at the same local time.
        (DAY_1, Urgency.NORMAL, "23 10:30", "24 10:30"),
        (DAY_1, Urgency.NORMAL, "24 10:30", "26 10:30"),
        (DAYS_2, Urgency.NORMAL, "27 16:00", "01 16:00"),
        (DAY_1, Urgency.NORMAL, "23 12:30", "24 13:00"),  # it came in the lunch break
        (DAY_1, Urgency.NORMAL, "21 22:00", "24 09:00"),
    ],
)
def test_deadlines_by_urgency(span: Span, urgency: Urgency, sent: str, expected: str) -> None:
    start = at(sent)
    due = at(expected)
    if due < start:  # '01' is the first of December
        due += timedelta(days=30)
    assert deadline(span, OFFICE, start, urgency) == due


def test_a_day_that_is_short_moves_the_deadline_to_the_next_opening() -> None:
    saturdays = OpeningTimes(BKK, (*OFFICE.hours, Hours(5, time(9), time(12))))
    assert working_days_after(saturdays, at("27 15:00"), 1) == at("30 09:00")


@given(times_anywhere, spring, st.sampled_from([DAY_1, DAYS_2]))
def test_working_days_never_end_in_closed_time(times: OpeningTimes, start: datetime, span: Span) -> None:
    due = deadline(span, times, start, Urgency.NORMAL)
    assert due > start
    assert is_open(times, due)


@given(times_anywhere, spring, st.sampled_from([ACKNOWLEDGE, DECIDE]))
def test_no_urgent_offer_lapses_while_its_partner_was_closed(
    times: OpeningTimes, start: datetime, span: Span
) -> None:
    due = deadline(span, times, start, Urgency.URGENT)
    assert due >= start + timedelta(hours=span.hours)
    assert open_time_between(times, start, due) >= timedelta(hours=4)


@given(times_anywhere, spring, st.integers(1, 30), st.sampled_from(Urgency))
def test_the_ladder_keeps_its_order(
    times: OpeningTimes, start: datetime, hours: int, urgency: Urgency
) -> None:
    end = deadline(Span(hours=hours), times, start, urgency)
    half, three_quarters = (part_way(times, start, end, share, urgency) for share in (0.5, 0.75))
    assert start <= half <= three_quarters <= end


def test_half_time_is_measured_while_somebody_is_there() -> None:
    start, end = at("23 16:00"), at("24 16:00")  # one hour on Monday, six on Tuesday
    assert part_way(OFFICE, start, end, 0.5, Urgency.URGENT) == at("24 11:30")
    assert part_way(OFFICE, start, end, 0.5, Urgency.EMERGENCY) == at("24 04:00")
    assert part_way(OFFICE, at("22 00:00"), at("22 10:00"), 0.5, Urgency.NORMAL) == at("22 05:00")


# -- the rota ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("23 19:59", False), ("23 20:00", True), ("23 23:59", True), ("24 00:00", False), ("24 21:00", False)],
)
def test_a_duty_includes_its_last_minute(moment: str, expected: bool) -> None:
    duty = Duty("night.mon", "desk-1", 0, time(20), time(23, 59), BKK)
    assert on_duty(duty, at(moment) + timedelta(seconds=30)) is expected
