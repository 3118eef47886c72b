"""Programmes as data: rhythms, ways on, holidays, what a newer version changes, and when a club asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import club, programmes
from referrals.catalogue import ClubMeeting, CourseKind, Onward, Programme
from referrals.catalogue_parsing import parse_catalogue, text_keys
from referrals.errors import BadAnswer, ConfigurationError
from referrals.model import Role
from referrals.programme_parsing import parse_kept, wrong_rule
from referrals.schedule import local
from tests.rules.test_catalogue_parsing import files

CLUB = "programmes/return-home-club.toml"
HOLIDAYS = "holidays/thailand.toml"


@pytest.mark.parametrize(
    ("every", "wrong"),
    [
        ("FREQ=WEEKLY", ""),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", ""),
        ("FREQ=MONTHLY;BYDAY=-1FR", ""),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ""),
        ("FREQ=DAILY;INTERVAL=10", ""),
        ("FREQ=YEARLY", ""),
        ("FREQ=HOURLY", "FREQ=HOURLY"),
        ("FREQ=DAILY;COUNT=3", "'COUNT'"),
        ("FREQ=DAILY;UNTIL=20270101", "'UNTIL'"),
        ("FREQ=DAILY;BYHOUR=8,20", "'BYHOUR'"),
        ("DTSTART:20270101;FREQ=DAILY", "'DTSTART:20270101'"),
        ("RRULE:FREQ=DAILY", "'RRULE:FREQ'"),
        ("FREQ=WEEKLY;FREQ=DAILY", "twice"),
        ("INTERVAL=2", "lacks FREQ"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=WEEKLY;BYDAY=2MO", "counts weekdays"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "days of the month"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
        ("FREQ=MONTHLY;INTERVAL=14", "within a year"),
        ("FREQ=YEARLY;INTERVAL=2", "within a year"),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=", "BYMONTHDAY="),
        ("every week", "'every week'"),
    ],
)
def test_a_rhythm_is_days_without_beginning_and_end(every: str, wrong: str) -> None:
    found = wrong_rule(every)
    assert (wrong in found) if wrong else not found, found


@given(st.text("FREQ=WEKLYMONTHDAIBYSU;,-+0123459", max_size=40))
def test_no_rhythm_breaks_the_check(every: str) -> None:
    assert isinstance(wrong_rule(every), str)


def test_the_three_programmes() -> None:
    found = parse_catalogue(files())
    clubs, circle, close = (
        found.programmes[p] for p in ("return-home-club", "family-circle", "first-90-days")
    )
    assert [p.id for p in clubs.phases] == ["in-custody", "preparing-release", "first-90-days", "settled"]
    assert clubs.phase("first-90-days").onward == Onward("settled", after_days=90)
    assert [c.id for c in clubs.courses if c.kind is CourseKind.GRANT] == ["start-up-grant"]
    assert clubs.courses[-1].milestones[-1].id == "in-use"
    assert circle.audience is Role.FAMILY
    assert {p.form for p in circle.phases} == {"family-check-in"}
    assert [p.every.count(",") + 1 for p in close.phases[:3]] == [3, 2, 1], "close at first, then less"
    assert date(2027, 1, 1) in found.holidays["thailand"]
    assert found.holidays_until["thailand"] == date(2027, 12, 31)
    assert {"phase.in-custody", "course.sewing", "course_step.in-use", "milestone.came-home"} <= text_keys(
        found
    )


# file, what stands there, what is written instead, and words that the message must hold.
MISTAKES = [
    (
        CLUB,
        'every = "FREQ=MONTHLY"',
        'every = "FREQ=MINUTELY"',
        ("[[phase]] in-custody", "MINUTELY", "write every"),
    ),
    (CLUB, 'to = "settled"', 'to = "setled"', ("first-90-days: [onward]", "'setled'", "'settled'")),
    (CLUB, 'to = "settled"', 'to = "first-90-days"', ("leads to itself", "name another")),
    (CLUB, "after_days = 90", "", ("[onward]", "'after_days'", "say after how many")),
    (
        CLUB,
        'milestones = ["day-is-known"]',
        'milestones = ["day-known"]',
        ("[onward]", "'day-known'", "day-is-known"),
    ),
    (
        CLUB,
        'milestones = ["own-income"',
        'milestones = ["came-home"',
        ("settled", "'came-home'", "another id"),
    ),
    (CLUB, 'holidays = "thailand"', 'holidays = "thai"', (CLUB, "'thai.toml'", "thailand.toml")),
    (
        CLUB,
        'id = "sewing"\nplaces = 8',
        'id = "sewing"\nplaces = -1',
        ("[[course]] sewing", "is -1", "0 to 1000"),
    ),
    (CLUB, "within_days = 21", "within_days = 0", ("[[milestone]] began", "is 0", "1 to 730")),
    (CLUB, 'id = "motorcycle-repair"', 'id = "sewing"', ("'sewing'", "second time")),
    (CLUB, 'at = "16:00"', 'at = "4 pm"', ("[[meeting]] club-evening", "'4 pm'", "08:30")),
    (
        CLUB,
        'course = "sewing"',
        'course = "start-up-grant"',
        ("[[meeting]] sewing-class", "'start-up-grant'"),
    ),
    (CLUB, 'form = "check-in"', 'form = "check-out"', ("'check-out.toml'", "check-in.toml")),
    ("programmes/family-circle.toml", 'audience = "family"', 'audience = "worker"', ("'worker'", "'member'")),
    (HOLIDAYS, "on = 2026-12-05", "on = 2026-12-07", ("[[day]]", "2026-12-07", "second time")),
    (HOLIDAYS, "on = 2026-12-05", "on = 2026-02-30", (HOLIDAYS, "no calendar has", "2027-02-28")),
    (HOLIDAYS, "on = 2026-12-05", 'on = "5 December"', ("[[day]]", "'on'", "2026-01-31")),
    (HOLIDAYS, "on = 2026-12-05", "on = 2031-12-05", ("2031-12-05", "after 'until'", "take the day out")),
    (HOLIDAYS, "until = 2027-12-31", "", (HOLIDAYS, "'until' is missing")),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES)
def test_a_mistake_is_named_with_place_and_mend(name: str, old: str, new: str, said: tuple[str, ...]) -> None:
    texts = files()
    if old == 'form = "check-in"':  # it is what a phase asks unless it says so
        old, new = 'at = "10:00"', f'at = "10:00"\n{new}'
    assert old in texts[name], old
    texts[name] = texts[name].replace(old, new, 1)
    with pytest.raises(ConfigurationError) as refused:
        parse_catalogue(texts)
    for words in said:
        assert words in str(refused.value), str(refused.value)


def test_a_kept_text_that_cannot_be_read_says_which() -> None:
    source = files()[CLUB]
    assert parse_kept(source, "return-home-club@1").version == 1
    with pytest.raises(ConfigurationError, match="kept text of programme return-home-club@1"):
        parse_kept(source.replace("FREQ=MONTHLY", "FREQ=SECONDLY"), "return-home-club@1")


# -- ways on -----------------------------------------------------------------------------------------


def the_club() -> Programme:
    return parse_catalogue(files()).programmes["return-home-club"]


def test_a_phase_ends_by_its_date_or_its_milestones() -> None:
    found, since = the_club(), datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert programmes.by_date(found.phase("first-90-days"), since) == since + timedelta(days=90)
    assert programmes.by_date(found.phase("in-custody"), since) is None
    assert programmes.by_milestones(found.phase("in-custody"), ("first-talk",)) == ""
    assert programmes.by_milestones(found.phase("in-custody"), ("day-is-known",)) == "preparing-release"
    assert programmes.by_milestones(found.phase("settled"), programmes.milestones_of(found)) == ""


def test_steps_come_one_after_the_other() -> None:
    steps = ("began", "half-way", "finished")
    assert [programmes.step_after(steps, s) for s in ("", *steps)] == ["began", "half-way", "finished", ""]
    with pytest.raises(BadAnswer):
        programmes.step_after(steps, "never")


def test_a_newer_version_is_told_apart_in_words() -> None:
    old = the_club()
    assert programmes.differences(old, replace(old, version=2)) == ()
    weekly = replace(old.phases[0], every="FREQ=WEEKLY")
    new = replace(
        old, version=2, phases=(weekly, old.phases[1], replace(old.phases[3], id="at-home")), meetings=()
    )
    lines = [each.line() for each in programmes.differences(old, new)]
    assert "phase in-custody: rhythm: FREQ=MONTHLY at 10:00 -> FREQ=WEEKLY at 10:00" in lines
    assert "phase first-90-days: phase gone: first-90-days -> -" in lines
    assert "phase at-home: new phase: - -> FREQ=MONTHLY at 18:00" in lines
    assert any(line.startswith("meetings: club-evening") for line in lines)
    assert programmes.landing(new, "settled", {}) == ""
    assert programmes.landing(new, "settled", {"settled": "at-home"}) == "at-home"
    assert programmes.landing(new, "in-custody", {}) == "in-custody"


# -- the club ----------------------------------------------------------------------------------------

SATURDAYS = ClubMeeting("club-evening", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", time(16))


def test_a_club_is_asked_about_in_the_evening() -> None:
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    held = club.next_held(SATURDAYS, "Asia/Bangkok", frozenset(), now)
    assert held.day.strftime("%a") == "Sat"
    assert local(held.asked, "Asia/Bangkok").time() == time(19)
    assert club.held_on(SATURDAYS, held.day, frozenset())
    assert not club.held_on(SATURDAYS, held.day + timedelta(days=7), frozenset()), "every second week"
    late = club.asked_at(ClubMeeting("late", "FREQ=DAILY", time(20, 30)), held.day, "Asia/Bangkok")
    assert local(late, "Asia/Bangkok").replace(tzinfo=None) == datetime.combine(
        held.day + timedelta(days=1), time(9)
    )


def test_a_club_does_not_meet_on_a_holiday() -> None:
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    held = club.next_held(SATURDAYS, "Asia/Bangkok", frozenset(), now)
    without = club.next_held(SATURDAYS, "Asia/Bangkok", frozenset({held.day}), now)
    assert without.day == held.day + timedelta(days=14)
    assert club.last_held(SATURDAYS, "Asia/Bangkok", frozenset({held.day}), held.asked) != held


@given(
    st.integers(0, 6 * 365 * 24 * 60).map(lambda m: datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=m)),
    st.sampled_from(["Asia/Bangkok", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"]),
    st.sampled_from(
        ["FREQ=WEEKLY;BYDAY=SA", "FREQ=MONTHLY;BYDAY=1SU", "FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2"]
    ),
    st.times(),
)
def test_each_meeting_is_asked_about_once(now: datetime, zone: str, every: str, at: time) -> None:
    meeting = ClubMeeting("m", every, at.replace(microsecond=0))
    coming = club.next_held(meeting, zone, frozenset(), now)
    assert coming.asked > now
    assert club.last_held(meeting, zone, frozenset(), coming.asked) == coming, (
        "asked about at that very instant"
    )
    following = club.next_held(meeting, zone, frozenset(), coming.asked)
    assert following.day > coming.day
    past = club.last_held(meeting, zone, frozenset(), now)
    assert past is None or past.asked <= now < coming.asked
