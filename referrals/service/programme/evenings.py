"""The evening after a club meeting or a class: which mentors are asked who was there, which still wait."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from referrals import club
from referrals.catalogue import ClubMeeting
from referrals.members import Enrolment, EnrolmentState
from referrals.model import Role
from referrals.persons import Person, Seat
from referrals.ports import Tx
from referrals.said import Keyboard, Notice, Priority
from referrals.service.common import screens, tell
from referrals.service.contact import reminding
from referrals.service.members import programme_dates, programmes
from referrals.service.programme import courses, meetings

ASK = "group_ask"  # the timer: '<key>/<person>/<zone>'


def due(tx: Tx, subject: str) -> None:
    """Timer: the evening after a meeting. Each mentor with members there is asked, in a turn of their own."""
    programme_id, meeting_id, zone = subject.split("/", 2)
    meeting = _meeting(tx, programme_id, meeting_id)
    where: dict[str, Any] = {"programme": programme_id, "timezone": zone, "state": EnrolmentState.ACTIVE}
    if meeting is None or not tx.find(Enrolment, limit=1, **where):
        return  # whoever comes next sets it again
    holidays = meetings.holidays_of(tx, programme_id)
    held = club.last_held(meeting, zone, holidays, tx.now)
    programme_dates.set_meeting(tx, subject, meeting, holidays, tx.now)
    if held is None or tx.now - held.asked > timedelta(days=1):
        return  # after an outage nobody is asked about a meeting of last week
    key = meetings.key_of(programme_id, meeting_id, held.day)
    mentors = sorted({s.person_id for s in tx.find(Seat, role=Role.MENTOR) if s.person_id})
    tx.set_timers((ASK, f"{key}/{mentor_id}/{zone}", tx.now) for mentor_id in mentors)


def ask(tx: Tx, subject: str) -> None:
    """Timer: one mentor is asked about one meeting, once, if they have members there and have not written."""
    key, person_id, zone = subject.split("/", 2)
    for programme_id, meeting in meetings.meant_by(tx, key):
        day = meetings.day_of(key)
        there = meetings.expected(tx, person_id, programme_id, meeting, day)
        asked = any(member.timezone == zone for member in there)
        if asked and meetings.kept_by(tx, person_id, programme_id, meeting, day) is None:
            write = tell.press("button.write_down", "group.open", key)
            none = tell.press("button.no_meeting", "group.none", key)
            once = f"group:{key}:{person_id}"
            _ask(tx, person_id, meetings.slot(key), ((write,), (none,)), once)


def _ask(tx: Tx, person_id: str, slot: str, buttons: Keyboard, once: str) -> None:
    """In their own hours, and dropped after them; whoever hears none finds the evening in their list."""
    person = tx.get(Person, person_id)
    hours = reminding.hours_of(person, tx.now)
    if person is not None and hours is not None:
        at, until = hours
        waits = at if at > tx.now else None
        notice = Notice(
            person_id, "group.ask", {}, buttons, Priority.ALERT, slot, True, waits, once, expires_at=until
        )
        screens.queue(tx, notice, person)


def latest(tx: Tx, person_id: str) -> list[str]:
    """The keys of meetings of the last two weeks that this mentor has not written down, newest first."""
    found: set[tuple[date, str]] = set()
    for enrolment in meetings.own_members(tx, person_id):
        for meeting in programmes.of(tx, enrolment).meetings:
            holidays = meetings.holidays_of(tx, enrolment.programme)
            held = club.last_held(meeting, enrolment.timezone, holidays, tx.now)
            if held is None or tx.now - held.asked > meetings.WRITTEN_WITHIN:
                continue
            if meeting.course and not courses.in_course(tx, enrolment, meeting.course, held.day):
                continue
            if meetings.kept_by(tx, person_id, enrolment.programme, meeting, held.day) is None:
                found.add((held.day, meetings.key_of(enrolment.programme, meeting.id, held.day)))
    return [key for _, key in sorted(found, reverse=True)]


def _meeting(tx: Tx, programme_id: str, meeting_id: str) -> ClubMeeting | None:
    named = {
        (p, m.id): m for p, m in meetings.meant_by(tx, meetings.short_name(f"{programme_id}/{meeting_id}", 8))
    }
    return named.get((programme_id, meeting_id))
