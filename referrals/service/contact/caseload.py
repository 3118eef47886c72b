"""A mentor's members on one screen: who is late, who comes next, who rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals import schedule
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.matter import member_keys
from referrals.service.members import enrolments, reminders

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
    here = [e for e in enrolments.of_person(tx, person_id) if e.state is not EnrolmentState.LEFT]
    posts = {seat for e in here for seat in (e.mentor_seat, e.backup_seat, e.stand_in_seat) if seat}
    sitting = {seat.id: seat.person_id for seat in tx.find(Seat, id=sorted(posts))}
    timers = tx.find(Timer, id=[f"{reminders.DUE}:{e.id}" for e in here])
    waits = {timer.subject: timer.due_at for timer in timers}
    due = _latest_due(tx, [e for e in here if e.active])
    lines = [
        Line(
            enrolment=e,
            at=due.get(e.id) or waits.get(e.id),
            late=e.id in due,
            mine=person_id in member_keys.in_order(tx, e, sitting)[:1],
            part=_part(tx, e, sitting, person_id),
        )
        for e in here
    ]
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


def _latest_due(tx: Tx, members: list[Enrolment]) -> dict[str, datetime]:
    """Of each member whom nobody has met since: when the last contact was due. By the enrolment's id."""
    asked: dict[str, datetime] = {}
    for check_in in tx.find(CheckIn, enrolment_id=[e.id for e in members], saved_at=None):
        # What was let go ('not this week') is neither waited for nor missed, so it is not late.
        if check_in.kind is CheckInKind.MEMBER and (check_in.waits or check_in.missed):
            of = check_in.enrolment_id or ""
            asked[of] = max(check_in.due_at, asked.get(of, check_in.due_at))
    # A contact answers whatever was due before it. Only theirs are looked through: it may be a year of them.
    for made in tx.find(CheckIn, enrolment_id=list(asked)):
        due = asked.get(made.enrolment_id or "")
        if made.kind is CheckInKind.MEMBER and made.saved_at is not None and due and made.saved_at >= due:
            del asked[made.enrolment_id or ""]
    return asked


def _part(tx: Tx, enrolment: Enrolment, sitting: Mapping[str, str | None], person_id: str) -> str:
    """What somebody who looks after this member is to them."""
    if sitting.get(enrolment.mentor_seat or "") == person_id:
        return "mentor"
    standing = sitting.get(member_keys.standing_in(tx, enrolment) or "") == person_id
    return "stand_in" if standing else "backup"


def _order(line: Line) -> tuple[bool, bool, bool, datetime | None, str]:
    rests = line.enrolment.state is EnrolmentState.PAUSED or line.at is None
    return (not line.mine, rests, not line.late, line.at if not rests else None, line.enrolment.code)
