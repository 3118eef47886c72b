"""A mentor's members on one screen: who is late, who comes next, who rests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from referrals import schedule
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState
from referrals.ports import Tx
from referrals.service import enrolments, mentoring, reminders

SCREEN_BYTES = 800  # of lines in the chat; with its heading a screen stays below 1 KB


@dataclass(frozen=True, slots=True)
class Line:
    """One member. `mine`: this person is asked first. `late`: nobody has answered since `at`, else the next.

    `part`: mentor | backup | stand_in.
    """

    enrolment: Enrolment
    at: datetime | None
    late: bool
    mine: bool
    part: str


def of(tx: Tx, person_id: str) -> list[Line]:
    """Everybody whom this person looks after and who has not left: late ones first, then the next contact."""
    here = (e for e in enrolments.of_person(tx, person_id) if e.state is not EnrolmentState.LEFT)
    lines = [_line(tx, person_id, enrolment) for enrolment in here]
    return sorted(lines, key=_order)


def days_until(tx: Tx, line: Line, timezone: str) -> int:
    """Whole local days from today to a line's instant; negative when it is past."""
    assert line.at is not None  # asked only of lines with an instant
    return (schedule.local(line.at, timezone).date() - schedule.local(tx.now, timezone).date()).days


def words(tx: Tx, line: Line, language: str, timezone: str) -> str:
    """'K7-29 · in 3 days', in the reader's language."""

    def say(key: str, n: int = 0) -> str:
        return tx.catalogue.words(key, language, n=str(n))

    if line.enrolment.state is EnrolmentState.PAUSED:
        what = say("members.line.paused")
    elif line.at is None:
        what = say("members.line.nothing")
    else:
        days = days_until(tx, line, timezone)
        if line.late:
            since = {0: "members.line.late", -1: "members.line.yesterday"}
            what = say(since.get(days, "members.line.late_days"), -days)
        elif days <= 0:
            what = say("members.line.today")
        else:
            what = say("members.line.days", days) if days > 1 else say("members.line.tomorrow")
    standing = f" · {say('members.line.standing')}" if line.part == "stand_in" else ""
    return f"{line.enrolment.code} · {what}{standing}"


def screen(tx: Tx, lines: list[Line], language: str, timezone: str) -> tuple[str, int]:
    """The lines as one short text, and how many did not fit."""
    shown: list[str] = []
    size = 0
    for line in lines:
        text = words(tx, line, language, timezone)
        size += len(text.encode()) + 1
        if size > SCREEN_BYTES:
            break
        shown.append(text)
    return "\n".join(shown), len(lines) - len(shown)


def _line(tx: Tx, person_id: str, enrolment: Enrolment) -> Line:
    due = _due(tx, enrolment)
    waits = [t.due_at for t in tx.timers_of(enrolment.id) if t.kind == reminders.DUE]
    late = bool(due) and enrolment.active
    at = max(due) if late else next(iter(waits), None)
    asked = enrolments.mentors_of(tx, enrolment)
    return Line(enrolment, at, late, person_id in asked[:1], _part(tx, person_id, enrolment))


def _due(tx: Tx, enrolment: Enrolment) -> list[datetime]:
    """When contacts were due that nobody has made since: a contact answers whatever was due before it."""
    unsaved = tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None)
    # What was let go ('not this week') is neither waited for nor missed, so it is not late.
    asked = [c.due_at for c in unsaved if c.kind is CheckInKind.MEMBER and (c.waits or c.missed)]
    if not asked:
        return []  # most of them, and a year of contacts need not be looked through
    contacts = (c for c in tx.find(CheckIn, enrolment_id=enrolment.id) if c.kind is CheckInKind.MEMBER)
    last = max((c.saved_at for c in contacts if c.saved_at), default=None)
    return [at for at in asked if last is None or at > last]


def _part(tx: Tx, person_id: str, enrolment: Enrolment) -> str:
    if mentoring.holder_of(tx, enrolment.mentor_seat) == person_id:
        return "mentor"
    if mentoring.holder_of(tx, enrolment.backup_seat) == person_id and enrolment.stand_in_seat is None:
        return "backup"
    standing = mentoring.holder_of(tx, enrolment.stand_in_seat) == person_id
    return "stand_in" if standing else "backup"


def _order(line: Line) -> tuple[bool, bool, bool, datetime | None, str]:
    rests = line.enrolment.state is EnrolmentState.PAUSED or line.at is None
    return (not line.mine, rests, not line.late, line.at if not rests else None, line.enrolment.code)
