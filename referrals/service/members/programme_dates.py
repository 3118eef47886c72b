"""What a programme's calendar sets in motion: the day that ends a phase, the evening after a meeting."""

from __future__ import annotations

from datetime import date, datetime

from referrals import club
from referrals import programmes as rules
from referrals.catalogue import ClubMeeting
from referrals.members import Enrolment
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.members import programmes

PHASE = "phase"  # timers: of an enrolment
MEETING = "meeting"  # of '<programme>/<meeting>/<zone>': one for all its members


def watch(tx: Tx, enrolment: Enrolment) -> None:
    """Set (or drop) the timer at which the phase ends by itself; see that its meetings are asked about."""
    if not enrolment.active:
        tx.clear_timer(PHASE, enrolment.id)
        return
    programmes.pin(tx, enrolment.programme, enrolment.programme_version)
    _watch_meetings(tx, enrolment)
    ends = rules.by_date(programmes.phase_of(tx, enrolment), enrolment.phase_since)
    if ends is None:
        tx.clear_timer(PHASE, enrolment.id)
    else:
        # What rested meanwhile (a pause) is not made up for in the past.
        tx.set_timer(PHASE, enrolment.id, max(ends, tx.now))


def set_meeting(
    tx: Tx, subject: str, meeting: ClubMeeting, holidays: frozenset[date], after: datetime
) -> None:
    """The next meeting after that instant is asked about in its evening."""
    zone = subject.split("/", 2)[2]
    tx.set_timer(MEETING, subject, club.next_held(meeting, zone, holidays, after).asked)


def _watch_meetings(tx: Tx, enrolment: Enrolment) -> None:
    programme = programmes.of(tx, enrolment)
    for meeting in programme.meetings:
        subject = f"{programme.id}/{meeting.id}/{enrolment.timezone}"
        if tx.get(Timer, f"{MEETING}:{subject}") is None:
            set_meeting(tx, subject, meeting, programmes.holidays(tx, programme), tx.now)
