"""Where confirmations of attendance end: in time, by word, with an agreement, with their member."""

from __future__ import annotations

from dataclasses import replace

from referrals import confirmations
from referrals.access import Action
from referrals.casework import Confirmation, ConfirmationState
from referrals.members import Enrolment
from referrals.model import SYSTEM, Actor, Role, organization_holder
from referrals.ports import Tx
from referrals.service.attendance import attendance
from referrals.service.common import tell
from referrals.service.members import enrolments
from referrals.service.turns import after_help


def over(tx: Tx, confirmation_id: str) -> None:
    """Timer: the time is over for which it could be read. No key to it is left with the organisation."""
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.state is not ConfirmationState.SENT:
        return
    if found.by_body:  # the same record holds what it typed itself
        tx.seal(found.record, attendance.SEALED, attendance.CAME, "", attendance.holders(found))
    else:
        tx.unshare(found.record, organization_holder(found.organization_id))
    tx.clear_timer(attendance.OVER, found.id)
    ended = tx.save(replace(found, state=ConfirmationState.NONE, why=confirmations.Why.OVER.value))
    attendance.note(tx, SYSTEM, Action.ACCESS_CUT, ended, "over")


def review(tx: Tx, organization_id: str) -> None:
    """After a change of what binds an organisation: what was sent closes where nothing allows it now."""
    if organization_id in {each.id for each in attendance.receivers(tx)}:
        return
    for found in tx.find(Confirmation, organization_id=organization_id, state=ConfirmationState.SENT):
        over(tx, found.id)
        member = tx.get(Enrolment, found.enrolment_id or "-")
        if member is not None:  # sooner than they were told
            attendance.tell_member(tx, member, "own.attendance_closed", {})


def taken_back(tx: Tx, found: Confirmation) -> None:
    """A yes by word is no more. The member's own phone hears so, and whoever looks after them."""
    attendance.unsay(tx, found)
    member = tx.get(Enrolment, found.enrolment_id or "-")
    if member is not None:
        attendance.tell_member(tx, member, "own.attendance_back", {})
        for person_id in enrolments.mentors_of(tx, member)[:1]:
            code = {"code": member.code}
            tell.tell(tx, person_id, "mentor.attendance_back", code, slot=f"needs:{member.id}")


def taken_home(tx: Tx, person_id: str, enrolment: Enrolment) -> list[dict[str, object]]:
    """The same for the member's own archive: to whom, for which days, what became of it and why."""
    return [
        {
            "organization": found.organization_id,
            "asked_by_them": found.by_body,
            "first": found.first_on,
            "last": found.last_on,
            "asked_at": found.asked_at,
            "yes_at": found.agreed_at,
            "state": found.state.value,
            "why": found.why,
            "text": found.text,
            "number": attendance.reference(tx, Actor(person_id, Role.MEMBER), found),
            "answers": {
                q.id: said for q in after_help.asked(tx, found) if (said := after_help.said(tx, found, q))
            },
        }
        for found in sorted(tx.find(Confirmation, enrolment_id=enrolment.id), key=lambda c: c.asked_at)
    ]


def forget_phone(tx: Tx, person_id: str) -> None:
    """The person is leaving: what they had begun goes, and what was not sent or counted yet never is."""
    for found in attendance.of_member(tx, person_id):
        after_help.unsaid(tx, found)
        if found.by_body and found.agreed_at is not None and found.state is ConfirmationState.WAITING:
            tx.save(replace(found, agreed_at=None))
            attendance.note(tx, SYSTEM, Action.RETENTION, found, "left")
        elif not found.by_body:
            attendance.retire(tx, found)
