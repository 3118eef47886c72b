"""How somebody gets on in their programme: by date, by milestones, or by their mentor's word.

Nothing here names a phase in a chat or in the audit: what a neighbour or a steward sees is that the rhythm of
contact has changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals import programmes as rules
from referrals.access import Action, allow
from referrals.errors import BadAnswer, StaleButton
from referrals.members import Enrolment, EnrolmentState
from referrals.model import SYSTEM, Actor, AuditEntry
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.members import enrolments, handing_members, programme_dates, programmes, reminders
from referrals.service.programme import courses

STAYS = timedelta(days=14)  # after a mentor's 'not yet'
BY_DATE, BY_MILESTONE, BY_WORD, BY_VERSION = "by date", "by milestone", "by word", "by version"


def move(tx: Tx, actor: Actor, enrolment: Enrolment, phase_id: str, why: str = BY_WORD) -> Enrolment:
    """Into another phase, whose rhythm begins at once. BadAnswer for a phase that this programme has not.

    The caller has passed a door and locked the enrolment. `why` is one of the four codes above.
    """
    allow(actor, Action.MEMBER_CHANGE)
    if not rules.knows(programmes.of(tx, enrolment), phase_id):
        raise BadAnswer
    if phase_id == enrolment.phase:
        return enrolment
    saved = tx.save(replace(enrolment, phase=phase_id, phase_since=tx.now))
    tx.audit(AuditEntry(actor, Action.MEMBER_CHANGE, f"enrolment:{saved.id}", f"phase {why}"))
    if saved.active:
        reminders.schedule_next(tx, saved)
    programme_dates.watch(tx, saved)
    return saved


def reach(tx: Tx, actor: Actor, enrolment: Enrolment, milestone: str) -> Enrolment:
    """A milestone is reached; where that ends the phase, the next one begins. BadAnswer: an unknown one."""
    allow(actor, Action.MEMBER_CHANGE)
    programme = programmes.of(tx, enrolment)
    if milestone not in rules.milestones_of(programme):
        raise BadAnswer
    if milestone in enrolment.milestones:
        return enrolment
    saved = tx.save(replace(enrolment, milestones=(*enrolment.milestones, milestone)))
    tx.audit(AuditEntry(actor, Action.MEMBER_CHANGE, f"enrolment:{saved.id}", "milestone reached"))
    onward = rules.by_milestones(programme.phase(saved.phase), saved.milestones)
    return move(tx, actor, saved, onward, BY_MILESTONE) if onward else saved


def not_reached(tx: Tx, actor: Actor, enrolment: Enrolment, milestone: str) -> Enrolment:
    """A milestone was ticked by mistake. A phase to which it led stays: a word moves it back."""
    allow(actor, Action.MEMBER_CHANGE)
    if milestone not in enrolment.milestones:
        return enrolment
    left = tuple(each for each in enrolment.milestones if each != milestone)
    saved = tx.save(replace(enrolment, milestones=left))
    tx.audit(AuditEntry(actor, Action.MEMBER_CHANGE, f"enrolment:{saved.id}", "milestone taken back"))
    return saved


def follow(tx: Tx, enrolment_id: str) -> None:
    """Timer: somebody came, came back, rests or left: the rhythm of contact and the phase follow."""
    reminders.follow(tx, enrolment_id)
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is not None:
        programme_dates.watch(tx, enrolment)
        if enrolment.state is EnrolmentState.LEFT:
            courses.ended_with(tx, enrolment.id)
            handing_members.ended_with(tx, enrolment)


def due(tx: Tx, enrolment_id: str) -> None:
    """Timer: a date ends the phase. The mentor hears that the rhythm has changed, and may say 'not yet'."""
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None or not enrolment.active:
        return
    before = programmes.phase_of(tx, enrolment)
    if before.onward is None or not before.onward.after_days:
        return
    saved = move(tx, SYSTEM, enrolment, before.onward.to, BY_DATE)
    asked = enrolments.mentors_of(tx, saved)[:1]
    for person_id in asked:
        tell.tell(
            tx,
            person_id,
            "mentor.phase_moved",
            {"code": saved.code},
            buttons=tell.column(
                (
                    tell.press("button.fine", "phase.fine", saved.id),
                    tell.press("button.not_yet", "phase.not_yet", saved.id, before.id),
                )
            ),
            slot=slot(saved.id),
        )


def fine(tx: Tx, person_id: str, enrolment_id: str) -> Enrolment:
    """The mentor agrees with what a date has moved: nothing changes."""
    return enrolments.mine(tx, person_id, enrolment_id)[1]


def not_yet(tx: Tx, person_id: str, enrolment_id: str, back_to: str) -> Enrolment:
    """The mentor wants the phase before for two weeks more. StaleButton when things have gone on since."""
    actor, enrolment = enrolments.active(tx, person_id, enrolment_id)
    if enrolment.phase == back_to:
        return enrolment
    programme = programmes.of(tx, enrolment)
    if not rules.knows(programme, back_to):
        raise StaleButton
    onward = programme.phase(back_to).onward
    if onward is None or onward.to != enrolment.phase:
        raise StaleButton
    saved = move(tx, actor, enrolment, back_to, BY_WORD)
    if saved.active:
        tx.set_timer(programme_dates.PHASE, saved.id, tx.now + STAYS)
    return saved


def slot(enrolment_id: str) -> str:
    """The message that tells of another rhythm."""
    return f"phase:{enrolment_id}"
