"""The clock between an offer and the help: tables by hand, and times drawn at random."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals import schedule, turns
from referrals.casework import Appointment, AppointmentState
from referrals.catalogue import Coded
from referrals.directory import Hours, OpeningTimes
from referrals.model import Offer, OfferStage, Urgency

BKK = "Asia/Bangkok"
OFFICE = OpeningTimes(
    BKK,
    tuple(Hours(day, a, b) for day in range(5) for a, b in ((time(9), time(12)), (time(13), time(17)))),
    frozenset({date(2026, 11, 25)}),  # a Wednesday
)
ALWAYS = OpeningTimes(BKK)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = (Coded("when", ("soon", "later")),)


def at(text: str) -> datetime:
    """A local time of November 2026 in Bangkok: '23 09:30' is Monday the 23rd."""
    day, clock = text.split()
    wall = datetime.combine(date(2026, 11, int(day)), time.fromisoformat(clock))
    return wall.replace(tzinfo=ZoneInfo(BKK)).astimezone(UTC)


@pytest.mark.parametrize(
    ("times", "decide_by", "asked", "answered", "then"),
    [
        # Asked at ten, answered at half past eleven: an hour and a half later.
        (OFFICE, "24 10:00", "23 10:00", "23 11:30", "24 11:30"),
        # Over lunch, which is nobody's working time.
        (OFFICE, "24 10:00", "23 11:30", "23 13:30", "24 11:00"),
        # Asked on Monday afternoon, answered on Tuesday morning: one hour and one hour.
        (OFFICE, "24 14:00", "23 16:00", "24 10:00", "24 16:00"),
        # What moves past the evening goes on after the holiday.
        (OFFICE, "24 16:30", "24 10:00", "24 12:00", "26 10:30"),
        # Answered in the night: no working time was stopped.
        (OFFICE, "24 10:00", "23 17:00", "24 03:00", "24 10:00"),
        # Round the clock, an hour is an hour.
        (ALWAYS, "24 10:00", "23 10:00", "23 22:00", "24 22:00"),
        # After two days the clock goes on, answered or not.
        (ALWAYS, "24 10:00", "23 10:00", "27 10:00", "26 10:00"),
        # A deadline on a Saturday, asked on Saturday: no working time was left, so an open hour is given.
        (OFFICE, "28 10:00", "28 08:00", "28 20:00", "30 10:00"),
    ],
)
def test_a_question_moves_the_deadline(
    times: OpeningTimes, decide_by: str, asked: str, answered: str, then: str
) -> None:
    assert turns.go_on(times, at(decide_by), at(asked), at(answered)).decide_by == at(then)


MINUTES = st.integers(0, 6 * 24 * 60).map(lambda n: at("23 00:00") + timedelta(minutes=n))


@settings(max_examples=200, deadline=None)
@given(
    asked=MINUTES,
    before=st.integers(1, 4000),
    waits=st.integers(0, 6000),
    times=st.sampled_from([OFFICE, ALWAYS]),
)
def test_it_moves_by_exactly_what_was_stopped(
    asked: datetime, before: int, waits: int, times: OpeningTimes
) -> None:
    decide_by, answered = asked + timedelta(minutes=before), asked + timedelta(minutes=waits)
    clock = turns.go_on(times, decide_by, asked, answered)
    ends = min(answered, asked + turns.MOST_PAUSE)
    assert clock.stopped == schedule.open_time_between(times, asked, ends) <= turns.MOST_PAUSE
    left = schedule.open_time_between(times, asked, decide_by)
    if left:
        assert schedule.open_time_between(times, asked, clock.decide_by) == left + clock.stopped
        assert clock.decide_by >= decide_by
        # What the partner had left when it asked, it has left when the clock goes on.
        assert schedule.open_time_between(times, ends, clock.decide_by) == left
    else:
        assert schedule.open_time_between(times, answered, clock.decide_by) >= turns.LEAST_LEFT


@settings(max_examples=200, deadline=None)
@given(sent=MINUTES, share=st.floats(0.1, 0.9), asks=st.floats(0.0, 1.0), waits=st.integers(0, 6000))
def test_reminders_move_with_the_deadline_and_none_comes_twice(
    sent: datetime, share: float, asks: float, waits: int
) -> None:
    sent = schedule.next_opening(OFFICE, sent)
    decide_by = schedule.add_open_time(OFFICE, sent, 10 * HOUR)
    asked = sent + (decide_by - sent) * asks
    clock = turns.go_on(OFFICE, decide_by, asked, asked + timedelta(minutes=waits))
    rung = schedule.part_way(OFFICE, sent, decide_by, share, Urgency.NORMAL)
    moved = turns.rung_after(OFFICE, rung, asked, clock)
    if rung <= asked:
        assert moved is None
    else:
        assert moved is not None
        assert rung <= moved <= clock.decide_by


@pytest.mark.parametrize("stage", list(OfferStage))
@pytest.mark.parametrize("urgency", list(Urgency))
@pytest.mark.parametrize("used", [False, True])
def test_one_question_before_the_decision_and_never_in_an_emergency(
    stage: OfferStage, urgency: Urgency, used: bool
) -> None:
    now = at("23 10:00")
    offer = Offer("o", "r", "s", "org", stage, now, now, now, question_used=used)
    fits = stage in (OfferStage.SENT, OfferStage.SEEN) and urgency is not Urgency.EMERGENCY and not used
    assert turns.may_ask(offer, urgency, ONE) is fits
    assert not turns.may_ask(offer, urgency, ())


@pytest.mark.parametrize(
    ("urgency", "tries", "enough"),
    [
        (Urgency.NORMAL, "23 10:00, 24 10:00", False),
        (Urgency.NORMAL, "23 10:00, 23 12:00, 23 16:00, 24 09:00", False),
        (Urgency.NORMAL, "23 23:50, 24 00:10, 25 10:00", True),
        (Urgency.URGENT, "23 10:00, 23 12:00, 23 15:00", False),
        (Urgency.URGENT, "23 10:00, 23 14:00, 23 18:00", True),
        (Urgency.EMERGENCY, "23 10:00, 23 10:10, 23 10:20", False),
        (Urgency.EMERGENCY, "23 10:00, 23 10:30, 23 11:00", True),
        (Urgency.NORMAL, "", False),
    ],
)
def test_three_tries_that_count(urgency: Urgency, tries: str, enough: bool) -> None:
    moments = [at(each) for each in filter(None, tries.split(", "))]
    assert turns.unreached(moments, urgency, BKK) is enough
    assert turns.unreached(reversed(moments), urgency, BKK) is enough


def test_a_list_is_looked_at_every_fortnight_or_on_the_day_that_was_named() -> None:
    now = at("2 10:00")
    assert turns.review_at(now, None, BKK) == now + 14 * DAY
    assert turns.review_at(now, date(2026, 11, 10), BKK) == at("10 09:00")
    assert turns.review_at(now, date(2026, 11, 2), BKK) == now + 14 * DAY  # that morning is over
    assert turns.review_at(now, date(2026, 12, 24), BKK) == now + 14 * DAY


def test_an_appointment_is_remembered_in_ones_own_hours() -> None:
    meet = at("25 14:00")

    def any_time(moment: datetime) -> datetime | None:
        return moment

    def never(_: datetime) -> datetime | None:
        return None

    def from_eight(moment: datetime) -> datetime | None:
        wall = moment.astimezone(ZoneInfo(BKK))
        return moment if wall.hour >= 8 else wall.replace(hour=8, minute=0).astimezone(UTC)

    assert turns.next_reminder(meet, at("23 10:00"), any_time) == at("24 14:00")
    assert turns.next_reminder(meet, at("24 14:00"), any_time) == at("25 12:00")
    assert turns.next_reminder(meet, at("25 12:00"), any_time) is None
    assert turns.next_reminder(meet, at("23 10:00"), never) is None
    early = at("25 08:30")  # two hours before is in the night, and eight o'clock is just in time
    assert turns.next_reminder(early, at("24 20:00"), from_eight) == at("25 08:00")
    assert turns.next_reminder(at("25 08:10"), at("24 20:00"), from_eight) is None


def test_two_that_were_missed_in_a_row() -> None:
    def met(*states: str) -> list[Appointment]:
        return [
            Appointment(str(n), "r", "o", at("23 10:00") + n * DAY, "w", at("23 10:00"), *_state(each))
            for n, each in enumerate(states)
        ]

    assert turns.missed_in_a_row(met("missed", "missed")) == 2
    assert turns.missed_in_a_row(met("missed", "kept", "missed")) == 1
    assert turns.missed_in_a_row(met("missed", "called_off", "missed")) == 2
    assert turns.missed_in_a_row(met("missed", "missed there")) == 0
    assert turns.missed_in_a_row(met("missed", "missed", "set")) == 2
    assert turns.missed_in_a_row([]) == 0


def _state(words: str) -> tuple[AppointmentState, str]:
    state, _, said = words.partition(" ")
    return AppointmentState(state), said
