"""Programmes as people live them: phases move, courses go step by step, a club evening is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from referrals.catalogue import Catalogue, Course, CourseKind, Milestone
from referrals.errors import BadAnswer, NotFound, StaleButton, WrongStage
from referrals.members import Attendance, CheckIn, Enrolment, Meeting, Source, Undertaking, UndertakingState
from referrals.model import SYSTEM, DataClass, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import retention
from referrals.service.common import doors
from referrals.service.members import enrolments
from referrals.service.people import handover
from referrals.service.programme import courses, evenings, meetings, phases
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

# The others differ in rules, not in rows.
pytestmark = pytest.mark.on_both(
    "test_a_course_goes_step_by_step_to_its_end",
    "test_one_screen_writes_down_who_came_and_nobody_is_asked_about_them",
    "test_whoever_leaves_makes_room",
)


class Club(Small):
    """Two mentors with two members each, in the demo's network."""

    hasna: str
    yusuf: str

    def member(self, code: str) -> Enrolment:
        (found,) = self.store.run(lambda tx: tx.find(Enrolment, code=code))
        return found

    def does(self, verb: str, person_id: str, code: str, what: str) -> Enrolment:
        """A mentor's word about a member, as the page says it."""

        def turn(tx: Tx) -> Enrolment:
            actor, enrolment = enrolments.mine(tx, person_id, self.member_in(tx, code))
            done: Enrolment = getattr(phases, verb)(tx, actor, enrolment, what)
            return done

        return self.store.run(turn)

    def member_in(self, tx: Tx, code: str) -> str:
        (found,) = tx.find(Enrolment, code=code)
        return found.id

    def due(self, kind: str) -> list[Timer]:
        return [timer for timer in self.timers() if timer.kind == kind]

    def heard(self, person_id: str) -> list[str]:
        return [text for who, text in self.said() if who == person_id]


@pytest.fixture
def club(database_url: str) -> Iterator[Club]:
    clock = SettableClock()
    store = open_store(database_url, clock, with_pottery())
    found = Club(store, clock)
    found.hasna, found.yusuf = found.person(41, "mentor-1"), found.person(42, "mentor-2")
    found.passes(timedelta(minutes=1))  # whoever came is in rhythm
    found.said()
    yield found
    store.close()


def with_pottery() -> Catalogue:
    """The product's own catalogue, with a course of two places."""
    clubs = CATALOGUE.programmes["return-home-club"]
    pottery = Course("pottery", CourseKind.COURSE, (Milestone("began", 21),), places=2)
    programmes = {**CATALOGUE.programmes, clubs.id: replace(clubs, courses=(*clubs.courses, pottery))}
    return replace(CATALOGUE, programmes=programmes)


# -- phases ------------------------------------------------------------------------------------------


def test_a_milestone_moves_on_and_the_rhythm_follows(club: Club) -> None:
    before = {t.subject: t.due_at for t in club.due("check_in")}
    member = club.does("reach", club.yusuf, "R5-11", "came-home")
    assert (member.phase, member.milestones) == ("first-90-days", ("came-home",))
    after = {t.subject: t.due_at for t in club.due("check_in")}
    assert after[member.id] != before[member.id]
    ends = {t.subject: t.due_at for t in club.due("phase")}
    assert ends[member.id] == club.clock.now + timedelta(days=90)
    again = club.does("reach", club.yusuf, "R5-11", "came-home")
    assert again.version == member.version, "reached once"


def test_a_date_moves_on_and_the_mentor_may_say_not_yet(club: Club) -> None:
    member = club.member("K7-29")
    club.passes(timedelta(days=89))
    assert club.member("K7-29").phase == "first-90-days"
    club.said()
    club.passes(timedelta(days=2))
    assert club.member("K7-29").phase == "settled"
    assert "mentor.phase_moved" in club.heard(club.hasna)
    club.store.run(phases.not_yet, club.hasna, member.id, "first-90-days")
    assert club.member("K7-29").phase == "first-90-days"
    club.store.run(phases.not_yet, club.hasna, member.id, "first-90-days")  # pressed twice
    club.passes(phases.STAYS + timedelta(minutes=1))
    assert club.member("K7-29").phase == "settled"


def test_what_the_programme_has_not_is_refused(club: Club) -> None:
    for verb, what in product(("move", "reach"), ("never", "in custody", "")):
        with pytest.raises(BadAnswer):
            club.does(verb, club.hasna, "K7-29", what)
    assert club.member("K7-29").phase == "first-90-days"


def test_a_forged_not_yet_changes_nothing(club: Club) -> None:
    member = club.member("K7-29")
    for back_to in ("settled", "in-custody", "nothing", ""):
        with pytest.raises(StaleButton):
            club.store.run(phases.not_yet, club.hasna, member.id, back_to)
    with pytest.raises(NotFound):
        club.store.run(phases.not_yet, club.person(99), member.id, "in-custody")


# -- courses -----------------------------------------------------------------------------------------


def test_a_course_goes_step_by_step_to_its_end(club: Club) -> None:
    member = club.member("K7-29")
    found = club.store.run(courses.start, club.hasna, member.id, "start-up-grant")
    assert club.store.run(courses.start, club.hasna, member.id, "start-up-grant").id == found.id, "begun once"
    with pytest.raises(BadAnswer):  # the second step before the first
        club.store.run(courses.step, club.hasna, found.id, "plan-agreed")
    club.passes(timedelta(days=30, hours=12))
    assert "mentor.course_due" in club.heard(club.hasna)
    club.store.run(courses.later, club.hasna, found.id)
    club.passes(timedelta(days=13))
    assert "mentor.course_due" not in club.heard(club.hasna)
    club.passes(timedelta(days=2))
    assert "mentor.course_due" in club.heard(club.hasna)
    for step in ("plan-written", "plan-agreed", "received", "in-use", "in-use"):
        found = club.store.run(courses.step, club.hasna, found.id, step)
    assert found.state is UndertakingState.DONE
    assert [t for t in club.due("course") if t.subject == found.id] == []
    with pytest.raises(NotFound):
        club.store.run(courses.step, club.person(99), found.id, "in-use")


def test_who_finds_no_place_waits_and_the_longest_waiting_comes_next(club: Club) -> None:
    there, members = [], [club.member(code) for code in ("K7-29", "M3-04", "R5-11", "T2-86")]
    mentors = [club.hasna, club.hasna, club.yusuf, club.yusuf]
    for mentor, member in zip(mentors, members, strict=True):
        there.append(club.store.run(courses.start, mentor, member.id, "pottery"))
        club.clock.advance(minutes=1)
    assert [u.state.value for u in there] == ["open", "open", "waiting", "waiting"]
    club.said()
    club.store.run(courses.give_up, club.hasna, there[0].id)
    club.store.run(courses.undo, club.hasna, there[0].id)  # a slip of the thumb
    club.passes(timedelta(minutes=2))
    assert club.store.run(courses.mine, club.yusuf, there[2].id)[1].state is UndertakingState.WAITING
    club.store.run(courses.give_up, club.hasna, there[0].id)
    club.passes(timedelta(minutes=2))
    assert club.heard(club.yusuf) == ["mentor.place_free"]
    found: list[Undertaking] = club.store.run(lambda tx: tx.find(Undertaking, item="pottery"))
    states = {u.id: u.state.value for u in found}
    assert [states[u.id] for u in there] == ["given_up", "open", "open", "waiting"]
    with pytest.raises(WrongStage):  # the minute is over, and the place is somebody else's
        club.store.run(courses.undo, club.hasna, there[0].id)


def test_whoever_leaves_makes_room(club: Club) -> None:
    member = club.member("K7-29")
    found = club.store.run(courses.start, club.hasna, member.id, "sewing")

    def leaves(tx: Tx) -> None:
        actor, enrolment = enrolments.mine(tx, club.hasna, member.id)
        enrolments.leave(tx, actor, enrolment)

    club.store.run(leaves)
    club.passes(timedelta(seconds=1))
    club.store.run(_comes_back, member.id)
    assert club.store.run(courses.mine, club.hasna, found.id)[1].state is UndertakingState.GIVEN_UP


def _comes_back(tx: Tx, enrolment_id: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    assert enrolment is not None
    enrolments.come_back(tx, SYSTEM, enrolment)


def test_nobody_but_the_members_mentors_comes_to_a_course_or_a_phase(club: Club) -> None:
    member = club.member("K7-29")
    found = club.store.run(courses.start, club.hasna, member.id, "sewing")
    assert club.store.run(courses.mine, club.yusuf, found.id)[1].id == found.id, "the backup may"
    others = [
        club.person(51, "desk-1"),
        club.person(52, "bua-1"),
        club.person(53, "steward-1"),
        club.person(54),
    ]
    verbs: list[tuple[Callable[..., object], tuple[str, ...]]] = [
        (courses.start, (member.id, "food-stall")),
        (courses.step, (found.id, "began")),
        (courses.later, (found.id,)),
        (courses.give_up, (found.id,)),
        (courses.undo, (found.id,)),
        (phases.fine, (member.id,)),
        (phases.not_yet, (member.id, "preparing-release")),
        (meetings.group, ("0" * 14,)),
        (meetings.save, ("0" * 14, "", "0", "good")),
        (meetings.undo, ("0" * 14,)),
    ]
    for person_id, (verb, words) in product(others, verbs):
        with pytest.raises(NotFound):
            club.store.run(verb, person_id, *words)


# -- the club ----------------------------------------------------------------------------------------


def the_evening(club: Club) -> str:
    """The next club evening comes, and mentors are asked; its key."""
    return after(club, "club-evening", club.hasna)


def after(club: Club, meeting: str, mentor: str) -> str:
    """The next meeting of that id comes, and mentors are asked; the key of the newest one."""
    (timer,) = [t for t in club.due("meeting") if f"/{meeting}/" in t.subject]
    club.said()
    club.passes(timer.due_at - club.clock.now)
    return club.store.run(evenings.latest, mentor)[0]


def mask(club: Club, person_id: str, key: str, *codes: str) -> tuple[str, str]:
    """The digest of somebody's list, and the ticks for these codes."""
    found = club.store.run(meetings.group, person_id, key)
    there = sum(1 << n for n, member in enumerate(found.members) if member.code in codes)
    return found.digest, f"{there:x}"


def test_one_screen_writes_down_who_came_and_nobody_is_asked_about_them(club: Club) -> None:
    key = the_evening(club)
    assert "group.ask" in club.heard(club.hasna)
    saved = club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "K7-29"), "good")
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "M3-04"), "heavy")  # twice
    assert saved.kept is not None
    member, other = club.member("K7-29"), club.member("M3-04")

    def look(tx: Tx) -> None:
        assert len(tx.find(Meeting)) == 1
        (contact,) = [c for c in tx.find(CheckIn, enrolment_id=member.id) if c.source is Source.MEETING]
        mentor = doors.as_seat(tx, club.hasna, Role.MENTOR)
        opened = tx.open_sealed(mentor, contact.record, DataClass.WELLBEING)
        assert opened["answers"] == '{"means":"in_person"}'
        assert [c for c in tx.find(CheckIn, enrolment_id=other.id) if c.source is Source.MEETING] == []
        day = saved.day
        assert meetings.came_to(tx, member.id, day) == [day]
        assert meetings.came_to(tx, member.id, day + timedelta(days=1)) == []
        assert meetings.came_to(tx, other.id, day) == []

    club.store.run(look)
    open_asked = club.store.run(
        lambda tx: tx.find(CheckIn, enrolment_id=member.id, saved_at=None, missed=False)
    )
    assert not [t for c in open_asked for t in club.timers() if t.subject == c.id], (
        "no nag about a met member"
    )


def test_undo_within_a_minute_leaves_nothing(club: Club) -> None:
    key = the_evening(club)
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "K7-29", "M3-04"), "good")
    club.store.run(meetings.undo, club.hasna, key)
    assert club.store.run(lambda tx: tx.count(Meeting) + tx.count(Attendance)) == 0
    met = club.store.run(lambda tx: [c for c in tx.find(CheckIn) if c.source is Source.MEETING])
    assert met == []
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key), "all_right")  # nobody came
    club.passes(timedelta(seconds=61))
    with pytest.raises(WrongStage):
        club.store.run(meetings.undo, club.hasna, key)


def test_each_mentor_writes_down_their_own(club: Club) -> None:
    key = the_evening(club)
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "K7-29"), "good")
    assert {m.code for m in club.store.run(meetings.group, club.yusuf, key).members} == {"R5-11", "T2-86"}
    club.store.run(meetings.save, club.yusuf, key, *mask(club, club.yusuf, key, "T2-86"), "good")
    assert club.store.run(lambda tx: tx.count(Meeting)) == 2


def test_a_list_that_changed_or_a_forged_mask_writes_nothing(club: Club) -> None:
    key = the_evening(club)
    known, _ = mask(club, club.hasna, key)
    forged = [("000000", "1"), (known, "ffff"), (known, "-1"), (known, "x"), ("", "")]
    for digest, ticks in forged:
        with pytest.raises(StaleButton):
            club.store.run(meetings.save, club.hasna, key, digest, ticks, "good")
    with pytest.raises(BadAnswer):
        club.store.run(meetings.save, club.hasna, key, known, "0", "splendid")
    assert club.store.run(lambda tx: tx.count(Attendance)) == 0


def test_of_a_class_whoever_is_in_the_course_is_asked_about_and_it_counts_as_a_day(club: Club) -> None:
    member, other = club.member("K7-29"), club.member("M3-04")
    sewing = club.store.run(courses.start, club.hasna, member.id, "sewing")
    key = after(club, "sewing-class", club.hasna)
    assert "group.ask" in club.heard(club.hasna)
    assert club.heard(club.yusuf) == [], "none of his are in that course"
    found = club.store.run(meetings.group, club.hasna, key)
    assert [m.code for m in found.members] == ["K7-29"]
    assert key not in club.store.run(evenings.latest, club.yusuf)
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "K7-29"), "good")
    days = club.store.run(meetings.came_to, member.id, found.day)
    assert days == [found.day]
    assert club.store.run(meetings.came_to, other.id, found.day) == []
    club.passes(timedelta(days=3))
    club.store.run(courses.give_up, club.hasna, sewing.id)
    assert club.store.run(meetings.group, club.hasna, key).kept is not None
    club.said()
    after_leaving = after(club, "sewing-class", club.hasna)
    assert "group.ask" not in club.heard(club.hasna)
    assert after_leaving != key
    assert club.store.run(meetings.group, club.hasna, key).members, "of that day they were one"


def test_a_meeting_that_was_none_cannot_be_written_down(club: Club) -> None:
    key = the_evening(club)
    for forged in (key[:8] + "261123", key[:8] + "991399", "00000000" + key[8:], "", "x" * 14):
        with pytest.raises(NotFound):
            club.store.run(meetings.group, club.hasna, forged)
    with pytest.raises(NotFound):
        club.store.run(meetings.group, club.person(99), key)


def test_an_evening_is_asked_about_once_and_never_a_week_later(club: Club) -> None:
    key = the_evening(club)
    club.said()
    (timer,) = [t for t in club.due("meeting") if "/club-evening/" in t.subject]
    assert timer.due_at - club.clock.now > timedelta(days=13), "a fortnight on"
    club.clock.now += timedelta(days=20)  # an outage
    club.passes(timedelta(seconds=1))
    assert "group.ask" not in club.heard(club.hasna)
    with pytest.raises(NotFound):
        club.store.run(meetings.group, club.hasna, key)


def test_a_year_later_nothing_of_an_evening_is_left(club: Club) -> None:
    key = the_evening(club)
    club.store.run(meetings.save, club.hasna, key, *mask(club, club.hasna, key, "K7-29"), "good")
    club.clock.now += meetings.KEPT_FOR - timedelta(days=1)
    club.store.run(retention.sweep, "daily")
    assert club.store.run(lambda tx: tx.count(Attendance)) == 2
    club.clock.now += timedelta(days=2)
    club.store.run(retention.sweep, "daily")
    assert club.store.run(lambda tx: tx.count(Meeting) + tx.count(Attendance)) == 0


def test_whoever_leaves_a_post_writes_nothing_down_any_more(club: Club) -> None:
    key = the_evening(club)
    club.said()

    def leaves(tx: Tx) -> None:
        seat = tx.get(Seat, "mentor-1")
        assert seat is not None
        tx.save(replace(seat, person_id=None))
        handover.departed(tx, seat, "join.post_ended")

    club.store.run(leaves)
    club.said()
    slots = [message.slot for message in club.store.run(lambda tx: tx.messages_of(club.hasna))]
    assert meetings.slot(key) not in slots
    with pytest.raises(NotFound):
        club.store.run(meetings.group, club.hasna, key)
