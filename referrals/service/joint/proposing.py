"""Staff of a body that holds people propose a plan for somebody; only the person's own yes begins it.

The yes is heard by a mentor, never by whoever holds or supervises the person (`word_consent`). Whoever
proposes gets the same answer after the same work whether a code is somebody's or nobody's: who is in a
programme, stays closed. So what follows from a code that is somebody's, follows a minute later.
"""

from __future__ import annotations

from datetime import timedelta

from referrals import case_codes
from referrals import consent as consents
from referrals.access import Action, allow
from referrals.catalogue import Handling, Pathway
from referrals.directory import SUPERVISING
from referrals.errors import NotFound
from referrals.limits import Doing
from referrals.members import Enrolment, EnrolmentState
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.service.common import doors, limits, tell
from referrals.service.matter import member_keys
from referrals.service.request import needs

TIMER = "plan_proposed"  # 'pathway:enrolment'
AFTER = timedelta(minutes=1)
_NOBODYS = "-"  # an id that no row has
_LONGEST = 20  # characters of a code, far more than any has


def pathways(tx: Tx, person_id: str) -> tuple[Pathway, ...]:
    """What this person may propose: plans whose agreement their own body has in force; mostly nothing."""
    actor = _staff(tx, person_id)
    body = tx.directory.organizations.get((actor.organization_id if actor else None) or "")
    if body is None or body.suspended:
        return ()
    today = consents.day_of(body, tx.now)
    return tuple(
        p
        for p in tx.catalogue.pathways.values()
        if p.handling is Handling.TASKS
        and Role.WORKER in p.may_file
        and consents.agreement_for(tx.directory, body.id, p.id, today, p.purposes) is not None
    )


def propose(tx: Tx, person_id: str, pathway_id: str, typed: str) -> None:
    """For whoever has this case code, if anybody has: their mentor will be asked to ask them. TooOften."""
    actor = _staff(tx, person_id)
    pathway = next((p for p in pathways(tx, person_id) if p.id == pathway_id), None)
    if actor is None or pathway is None:
        raise NotFound
    allow(actor, Action.TASK_PLAN)
    limits.take(tx, Doing.TRACK, person_id)
    tx.audit(AuditEntry(actor, Action.TASK_PLAN, f"organization:{actor.organization_id}", "proposed"))
    meant = next(iter(tx.find(Enrolment, code=case_codes.spoken(typed)[:_LONGEST])), None)
    tx.set_timer(TIMER, f"{pathway.id}:{meant.id if meant else _NOBODYS}", tx.now + AFTER)


def due(tx: Tx, subject: str) -> None:
    """Timer: the mentor of whoever was meant is asked, if it was anybody."""
    pathway_id, enrolment_id = subject.split(":")
    pathway, enrolment = tx.catalogue.pathways.get(pathway_id), tx.get(Enrolment, enrolment_id)
    if pathway is None or enrolment is None:
        return
    mentors = member_keys.mentors_of(tx, enrolment)
    if enrolment.state is EnrolmentState.ACTIVE and mentors:
        _ask_mentor(tx, Actor(mentors[0], Role.MENTOR), enrolment, pathway)


def _ask_mentor(tx: Tx, mentor: Actor, enrolment: Enrolment, pathway: Pathway) -> None:
    matter, new = needs.file(tx, mentor, enrolment, pathway.needs[0], pathway)
    if new and not enrolment.person_id:  # a phone of the member's own was asked already
        button = tell.page_button("button.read_out", f"words/{matter.id}")
        code = {"code": enrolment.code}
        tell.tell(
            tx, mentor.person_id, "needs.proposed", code, buttons=((button,),), slot=needs.slot(enrolment)
        )


def _staff(tx: Tx, person_id: str) -> Actor | None:
    """The person as a worker of a body that holds or supervises people, if they are one."""
    for seat in doors.seats_of(tx, person_id):
        body = tx.directory.organizations.get(seat.organization_id or "")
        if seat.role is Role.WORKER and body is not None and body.kind in SUPERVISING:
            return Actor(person_id, Role.WORKER, seat.organization_id)
    return None
