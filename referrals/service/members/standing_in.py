"""'A way to hand over for a while': somebody stands in for a mentor, until a date, and then no more.

What is asked meanwhile is asked of whoever stands in. The mentor keeps what they could read; the stand-in
holds the keys for exactly that time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from referrals.access import Action, allow
from referrals.errors import BadAnswer, CannotTakeOn, WrongStage
from referrals.members import Enrolment, EnrolmentState
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.members import enrolments, handing_members, mentoring

TIMER = "stand_in"
WEEKS = (1, 2)  # what one press offers
LONGEST = timedelta(days=90)  # who is away for longer hands over


@dataclass(frozen=True, slots=True)
class Away:
    """What became of somebody's members: how many have a stand-in, and the codes of those who have none."""

    covered: int
    alone: tuple[str, ...]
    until: datetime


def stand_in(tx: Tx, actor: Actor, enrolment: Enrolment, seat_id: str, until: datetime) -> Enrolment:
    """Somebody takes over one member until then. The caller has passed a door to the member.

    CannotTakeOn for whoever cannot (a full list is no reason for a while), BadAnswer for a date that is none.
    """
    allow(actor, Action.MEMBER_HAND_OVER)
    if enrolment.state is EnrolmentState.LEFT:
        raise WrongStage
    if not tx.now < until <= tx.now + LONGEST:
        raise BadAnswer
    if seat_id == enrolment.mentor_seat:
        raise CannotTakeOn
    mentoring.demand(tx, mentoring.wish_of(enrolment), seat_id, enrolment, full=False)
    after = replace(enrolment, stand_in_seat=seat_id, stand_in_until=until)
    saved = enrolments.change(tx, actor, after, Action.MEMBER_HAND_OVER, "stand-in")
    tx.set_timer(TIMER, enrolments.timer_subject(saved), until)
    return saved


def end(tx: Tx, actor: Actor, enrolment: Enrolment) -> Enrolment:
    """The mentor is back: from this turn on the stand-in can open nothing."""
    allow(actor, Action.MEMBER_HAND_OVER)
    if enrolment.stand_in_seat is None:
        return enrolment
    after = replace(enrolment, stand_in_seat=None, stand_in_until=None)
    saved = enrolments.change(tx, actor, after, Action.MEMBER_HAND_OVER, "stand-in over")
    former = mentoring.holder_of(tx, enrolment.stand_in_seat)
    if former and former not in enrolments.mentors_of(tx, saved):
        # Their keys went above although the date had not come; where it had, nobody counted them any more.
        enrolments.leave_chat(tx, former, saved)
    tx.clear_timer(TIMER, enrolments.timer_subject(saved))
    return saved


def over(tx: Tx, subject: str) -> None:
    """Timer: the date has come. Stand-in and mentor hear so, once for all members of that mentor."""
    enrolment = enrolments.of_timer(tx, subject)
    if enrolment is None or enrolment.stand_in_seat is None or enrolment.stand_in_until is None:
        return
    if enrolment.stand_in_until > tx.now:
        tx.set_timer(TIMER, subject, enrolment.stand_in_until)
        return
    stood_in, mentor = (mentoring.holder_of(tx, s) for s in (enrolment.stand_in_seat, enrolment.mentor_seat))
    until = tell.iso(enrolment.stand_in_until)
    end(tx, SYSTEM, enrolment)
    for person_id, text in ((stood_in, "member.stand_in_over"), (mentor, "member.with_you_again")):
        if person_id:
            tell.tell(tx, person_id, text, slot=SLOT, dedupe=f"{text}:{person_id}:{until}")


def away(tx: Tx, person_id: str, weeks: int) -> Away:
    """One press: every member of theirs goes to the backup, else to whoever fits best, for so many weeks."""
    if weeks not in WEEKS:
        raise BadAnswer
    until = tx.now + timedelta(weeks=weeks)
    actor = doors.as_seat(tx, person_id, Role.MENTOR)
    allow(actor, Action.MEMBER_HAND_OVER)
    told: dict[str, list[str]] = {}
    alone: list[str] = []
    for found in _own(tx, person_id):
        enrolment = enrolments.active(tx, person_id, found.id)[1]
        taken_by = _first_who_can(tx, actor, enrolment, until)
        if taken_by is None:
            alone.append(enrolment.code)
        else:
            told.setdefault(taken_by, []).append(enrolment.code)
    for other, codes in sorted(told.items()):
        params = {"codes": ", ".join(codes), "by": tell.iso(until)}
        page = ((tell.page_button("button.members", "members"),),)
        tell.tell(tx, other, "member.stand_in", params, buttons=page, slot=SLOT)
    for code in alone:
        handing_members.tell_desk(tx, "desk.nobody_stands_in", code)
    tx.audit(AuditEntry(actor, Action.MEMBER_HAND_OVER, f"person:{person_id}", "away"))
    return Away(sum(map(len, told.values())), tuple(alone), until)


def back(tx: Tx, person_id: str) -> int:
    """One press: all of them are with their mentor again; how many. Whoever stood in hears so."""
    actor = doors.as_seat(tx, person_id, Role.MENTOR)
    stood_in: set[str] = set()
    count = 0
    for found in _own(tx, person_id):
        if found.stand_in_seat is None:
            continue
        enrolment = enrolments.mine(tx, person_id, found.id)[1]
        stood_in |= {mentoring.holder_of(tx, enrolment.stand_in_seat) or ""}
        end(tx, actor, enrolment)
        count += 1
    for other in sorted(stood_in - {""}):
        tell.tell(tx, other, "member.stand_in_over", slot=SLOT)
    return count


def is_away(tx: Tx, person_id: str) -> bool:
    """Whether somebody stands in for any of this mentor's members."""
    return any(enrolment.stand_in_seat for enrolment in _own(tx, person_id))


SLOT = "stand-in"


def _own(tx: Tx, person_id: str) -> list[Enrolment]:
    """The members whose mentor this person is."""
    seats = {seat.id for seat in doors.seats_of(tx, person_id) if seat.role is Role.MENTOR}
    here = (e for e in enrolments.of_person(tx, person_id) if e.state is not EnrolmentState.LEFT)
    return [enrolment for enrolment in here if enrolment.mentor_seat in seats]


def _first_who_can(tx: Tx, actor: Actor, enrolment: Enrolment, until: datetime) -> str | None:
    """The backup, else the best of the others; the person who stands in now, None where nobody can."""
    fits = mentoring.proposals(tx, mentoring.wish_of(enrolment), enrolment)
    for seat_id in filter(None, (enrolment.backup_seat, *(fit.seat_id for fit in fits))):
        try:
            stand_in(tx, actor, enrolment, seat_id, until)
        except CannotTakeOn:
            continue
        return mentoring.holder_of(tx, seat_id)
    return None
