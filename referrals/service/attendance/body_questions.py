"""A supervising body asks on its own: the same words after the same time, whatever there is to say.

Whatever it types, its question does the same work: nobody is looked for before a timer does so, the answer is
ready an hour before its time, and that time depends on nothing that was typed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from referrals import case_codes, confirmations
from referrals.access import Action, allow
from referrals.casework import Confirmation, ConfirmationState
from referrals.directory import Organization
from referrals.errors import NotAllowed, Refused
from referrals.limits import Doing
from referrals.members import Enrolment, EnrolmentState
from referrals.model import SYSTEM, Actor, Role
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.attendance import attendance
from referrals.service.common import doors, limits, tell

# Timers, besides the one at which it is decided: whom it meant, and that the answer is there.
LOOK, ANSWER = "attendance_look", "attendance_answer"
LOOK_AFTER = timedelta(minutes=1)  # whoever is meant is looked for then, and not while somebody waits
BEFOREHAND = timedelta(hours=1)  # the answer is ready so early: when it leaves, nothing is left to be done


def ask(tx: Tx, person_id: str, typed: str, choice: str) -> datetime:
    """A body's own question; when the answer comes. TooOften for a worker, or a body, that asks much.

    Nothing here depends on what was typed but its own sealed bytes, which are of one length.
    """
    actor, organization = body(tx, person_id)
    limits.take(tx, Doing.ATTENDANCE, person_id)
    limits.take(tx, Doing.ATTENDANCE_BODY, organization.id)
    first_on, last_on = confirmations.period(choice, local(tx.now, organization.timezone).date())
    times = tx.directory.opening_times(organization.id)
    new = Confirmation(
        id=tx.new_id(),
        organization_id=organization.id,
        enrolment_id=None,
        asked_by=person_id,
        by_body=True,
        first_on=first_on,
        last_on=last_on,
        asked_at=tx.now,
        answer_at=confirmations.answer_at(times, tx.now),
    )
    tx.add(new)
    text = typed[: attendance.LIMIT].ljust(attendance.LIMIT)
    tx.seal(new.record, attendance.SEALED, attendance.TYPED, text, attendance.holders(new))
    before = new.answer_at - BEFOREHAND
    waits = ((LOOK, tx.now + LOOK_AFTER), (attendance.DECIDE, before), (ANSWER, new.answer_at))
    tx.set_timers((kind, new.id, due) for kind, due in waits)
    attendance.note(tx, actor, Action.ATTENDANCE_ASK, new, "asked")
    return new.answer_at


def of_body(tx: Tx, person_id: str) -> tuple[Actor, list[Confirmation]]:
    """What a body has asked and what was sent to it: nothing that still waits for a member's own yes.

    A question is WAITING until its time, however early its answer is ready.
    """
    actor, organization = body(tx, person_id)
    found = tx.find(Confirmation, organization_id=organization.id)
    pathway = attendance.pathway_of(tx)
    bound = confirmations.may_receive(tx.directory, pathway, organization, tx.now)
    consented = timedelta(days=pathway.consent_days)
    found = [_as_shown(c, tx.now, consented if bound else timedelta()) for c in found]
    shown = [c for c in found if c.by_body or c.state is ConfirmationState.SENT]
    return actor, sorted(shown, key=lambda c: (c.asked_at, c.id), reverse=True)


def _as_shown(found: Confirmation, now: datetime, readable: timedelta) -> Confirmation:
    """What was sent is read as long as its yes, and an agreement, are in force; then it is like any other."""
    if found.answer_at > now:
        return replace(found, state=ConfirmationState.WAITING, why="")
    over = now >= found.answer_at + readable
    return replace(found, state=ConfirmationState.NONE) if over else found


def body(tx: Tx, person_id: str) -> tuple[Actor, Organization]:
    """The person as a worker of a body to which confirmations may go; NotAllowed for everybody else."""
    kinds = attendance.pathway_of(tx).receivers
    for seat in doors.seats_of(tx, person_id):
        organization = tx.directory.organizations.get(seat.organization_id or "")
        if seat.role is Role.WORKER and organization is not None and organization.kind in kinds:
            if organization.suspended:
                break
            actor = Actor(person_id, Role.WORKER, organization.id)
            allow(actor, Action.ATTENDANCE_ASK)
            return actor, organization
    raise NotAllowed


def may_ask(tx: Tx, person_id: str) -> bool:
    """Whether this person works for such a body."""
    try:
        return bool(body(tx, person_id))
    except Refused:
        return False


def of_desk(tx: Tx, person_id: str) -> list[Confirmation]:
    """What bodies asked on their own, the newest first, for a coordinator.

    Nothing of a body where they work themselves: why nothing was sent is not for that body.
    """
    own = {seat.organization_id for seat in doors.seats_of(tx, person_id)}
    found = [c for c in tx.find(Confirmation, by_body=True) if c.organization_id not in own]
    return sorted(found, key=lambda c: (c.asked_at, c.id), reverse=True)


def look_for(tx: Tx, confirmation_id: str) -> None:
    """Timer: whom a question meant. The member (if it is one) and the desk hear that somebody asked."""
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.state is not ConfirmationState.WAITING:
        return
    typed = tx.open_sealed(SYSTEM, found.record, attendance.SEALED)[attendance.TYPED]
    member = next((e for e in tx.find(Enrolment, code=case_codes.spoken(typed)) if e.mentor_seat), None)
    if member is not None and member.state is not EnrolmentState.LEFT:
        earlier = tx.count(Confirmation, enrolment_id=member.id, organization_id=found.organization_id,
                           by_body=True, state=ConfirmationState.WAITING)  # fmt: skip
        found = tx.save(replace(found, enrolment_id=member.id))
        if not earlier:  # asked again meanwhile, it stands on the same page
            attendance.tell_member(tx, member, "own.attendance_asked", {"by": tell.iso(found.answer_at)})
    attendance.note(tx, SYSTEM, Action.REFERRAL_STEP, found, "looked for")
    attendance.tell_desk(tx, "desk.attendance_asked", found)


def decide(tx: Tx, confirmation_id: str) -> None:
    """Timer: what the answer says. What a member had begun and not said yes to is dropped."""
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.state is not ConfirmationState.WAITING:
        return
    if found.by_body:
        attendance.make_answer(tx, found)
    else:
        attendance.retire(tx, found)


def answer(tx: Tx, confirmation_id: str) -> None:
    """Timer: the answer is there, the same words to the same people, whatever it says."""
    found = tx.get(Confirmation, confirmation_id)
    if found is None:
        return
    if found.state is ConfirmationState.WAITING:  # its other timer is late: both at once, then
        decide(tx, confirmation_id)
    there = [s.person_id for s in tell.workers(tx, found.organization_id) if s.person_id]
    page = ((tell.page_button("button.look", "attendance/body"),),)
    for person_id in [p for p in there if p == found.asked_by] or there:
        tell.tell(tx, person_id, "worker.attendance_answer", buttons=page, slot=f"attendance:{found.id}")
