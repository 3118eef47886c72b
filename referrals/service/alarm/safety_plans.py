"""Safety plans: written beforehand with the member, read by few, looked through together every 90 days.

It opens for whoever looks after the member, for the member's own phone, for the coordinator who holds an open
alarm about them (their mentors hear of it), and for an organisation with which it is shared for safety, as
long as that lasts. `holders_of` is that rule, and `settle` makes the keys follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import safety
from referrals.access import Action, allow
from referrals.catalogue import Form
from referrals.errors import NotFound, PinNeeded, TooLong, WrongStage
from referrals.members import Crisis, Enrolment, EnrolmentState, SafetyPlan, SafetyShare
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    DataClass,
    Record,
    Role,
    organization_holder,
    person_holder,
)
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.matter import member_keys, reading
from referrals.service.members import enrolments

FORM = "safety-plan"  # catalogue/forms/safety-plan.toml: its questions are the sections
REVIEW = "plan_review"  # the timer
EVERY = timedelta(days=90)
AGAIN = timedelta(days=14)  # nobody has looked yet
_KIND = DataClass.SAFETY


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at the page of one member. `crisis`: the open alarm that lets a coordinator in."""

    actor: Actor
    enrolment: Enrolment
    crisis: Crisis | None = None

    @property
    def writes(self) -> bool:
        return self.actor.role is Role.MENTOR


def exists(tx: Tx, enrolment_id: str) -> bool:
    """Whether a plan was written."""
    return tx.get(SafetyPlan, enrolment_id) is not None


def record(enrolment_id: str) -> Record:
    """What a member's plan is sealed under."""
    return Record("safety_plan", enrolment_id)


def sections(tx: Tx) -> Form:
    """The sections of a plan, in their order; NotFound where the catalogue has no such form."""
    form = tx.catalogue.forms.get(FORM)
    if form is None:
        raise NotFound
    return form


def door(tx: Tx, person_id: str, enrolment_id: str) -> Reader:
    """Mentor, backup or stand-in; the member's own phone; the holder of an open alarm; else NotFound."""
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        raise NotFound
    if enrolment.person_id == person_id and enrolment.mentor_seat:
        return Reader(Actor(person_id, Role.MEMBER), enrolment)
    if person_id in member_keys.people_of(tx, enrolment):
        return Reader(*enrolments.mine(tx, person_id, enrolment_id))
    held = tx.find(Crisis, enrolment_id=enrolment_id, held_by=person_id, ended_at=None)
    if not held:
        raise NotFound
    return Reader(doors.as_seat(tx, person_id, Role.COORDINATOR), enrolment, held[0])


# -- keys --------------------------------------------------------------------------------------------


def holders_of(tx: Tx, enrolment: Enrolment) -> frozenset[str]:
    """Everybody who may open this member's plan at this moment, as holders of keys."""
    people = set(member_keys.people_of(tx, enrolment)) or {member_keys.nobody(enrolment)}
    if enrolment.person_id:
        people.add(enrolment.person_id)
    people |= {c.held_by for c in tx.find(Crisis, enrolment_id=enrolment.id, ended_at=None) if c.held_by}
    shares = tx.find(SafetyShare, enrolment_id=enrolment.id, with_plan=True, ended_at=None)
    told = {s.organization_id for s in shares if safety.readable(s, tx.directory, tx.now)}
    return frozenset({*map(person_holder, people), *map(organization_holder, told)})


def settle(tx: Tx, enrolment: Enrolment) -> None:
    """Make the keys of this member's plan follow `holders_of`; every change leaves an audit row."""
    plan = tx.get(SafetyPlan, enrolment.id)
    if plan is None:
        return
    held, rightful = tx.holders(plan.record, _KIND), holders_of(tx, enrolment)
    for holder in sorted(rightful - held):
        tx.share(plan.record, _KIND, holder)
        _note(tx, Action.ACCESS_GIVE, enrolment, holder)
    for holder in sorted(held - rightful):
        tx.unshare(plan.record, holder, _KIND)
        _note(tx, Action.ACCESS_CUT, enrolment, holder)


def _note(tx: Tx, action: Action, enrolment: Enrolment, holder: str) -> None:
    tx.audit(AuditEntry(SYSTEM, action, f"safety_plan:{enrolment.id}", f"{_KIND}:{holder}"))


# -- to write ----------------------------------------------------------------------------------------


def write(tx: Tx, person_id: str, enrolment_id: str, texts: Mapping[str, str]) -> SafetyPlan:
    """Sections by id; one that is not named stays as it is. TooLong, WrongStage for a member who left.

    The first plan needs no PIN, like everything that is written. What stands there is not written over by
    somebody who has not read it: PinNeeded.
    """
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    allow(actor, Action.SAFETY_PLAN)
    if enrolment.state is EnrolmentState.LEFT:
        raise WrongStage
    before = tx.get(SafetyPlan, enrolment.id)
    if before is not None and tx.reading_locked:
        raise PinNeeded
    holders = sorted(holders_of(tx, enrolment))
    for question in sections(tx).questions:
        text = texts.get(question.id)
        if text is not None:
            if len(text) > question.max_length:
                raise TooLong(limit=question.max_length, length=len(text))
            tx.seal(record(enrolment.id), _KIND, question.id, text.strip(), holders)
    return _looked_at(tx, actor, enrolment, before, "written")


def looked_through(tx: Tx, person_id: str, enrolment_id: str) -> SafetyPlan:
    """'We went through it together, and it stays as it is.'"""
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    allow(actor, Action.SAFETY_PLAN)
    before = tx.get(SafetyPlan, enrolment.id)
    if before is None:
        raise NotFound
    return _looked_at(tx, actor, enrolment, before, "looked through")


def _looked_at(
    tx: Tx, actor: Actor, enrolment: Enrolment, before: SafetyPlan | None, detail: str
) -> SafetyPlan:
    plan = SafetyPlan(enrolment.id, actor.person_id, tx.now)
    if before is None:
        tx.add(plan)
    else:
        plan = tx.save(replace(before, written_by=actor.person_id, written_at=tx.now))
    tx.audit(AuditEntry(actor, Action.SAFETY_PLAN, f"safety_plan:{plan.id}", detail))
    settle(tx, enrolment)
    tx.set_timer(REVIEW, plan.id, tx.now + EVERY)
    for mentor in member_keys.people_of(tx, enrolment):
        tell.quietly(tx, mentor, _slot(enrolment), "")
    return plan


def review_due(tx: Tx, enrolment_id: str) -> None:
    """Timer: nobody has looked through it for 90 days. The mentor is asked, and again after two weeks."""
    plan, enrolment = tx.get(SafetyPlan, enrolment_id), tx.get(Enrolment, enrolment_id)
    if plan is None or enrolment is None:
        return
    tx.set_timer(REVIEW, plan.id, max(tx.now + AGAIN, plan.written_at + EVERY))
    if enrolment.active and plan.written_at + EVERY <= tx.now:
        page = ((tell.page_button("button.open", f"safety/{enrolment.id}"),),)
        for mentor in member_keys.mentors_of(tx, enrolment)[:1]:
            tell.tell(tx, mentor, "mentor.plan_review", {"code": enrolment.code}, buttons=page,
                      slot=_slot(enrolment))  # fmt: skip


# -- to read -----------------------------------------------------------------------------------------


def wait(tx: Tx, reader: Reader) -> int:
    """Minutes until it opens for somebody who has read much today; whoever holds the alarm never waits."""
    own = reader.actor.role is Role.MEMBER
    return reading.wait_about(
        tx, reader.actor, f"plan:{reader.enrolment.id}", own=own, entrusted=reader.crisis is not None
    )


def read(tx: Tx, reader: Reader) -> Mapping[str, str]:
    """Section to text; nothing where none was written. PinNeeded; TooOften where `wait` is not 0.

    The mentors hear that the coordinator who holds the alarm has opened it, once for each alarm.
    """
    plan = tx.get(SafetyPlan, reader.enrolment.id)
    if plan is None:
        return {}
    settle(tx, reader.enrolment)  # a phone that was tied to the member since
    own = reader.actor.role is Role.MEMBER
    found = reading.open_about(
        tx, reader.actor, f"plan:{plan.id}", plan.record, _KIND, own=own, entrusted=reader.crisis is not None
    )
    if reader.crisis is not None:
        code = {"code": reader.enrolment.code}
        for mentor in member_keys.mentors_of(tx, reader.enrolment):
            once = f"opened:{reader.crisis.id}:{mentor}"
            tell.tell(tx, mentor, "mentor.plan_opened", code, slot=_slot(reader.enrolment), dedupe=once)
    return found


def _slot(enrolment: Enrolment) -> str:
    return f"plan:{enrolment.id}"
