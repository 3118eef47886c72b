"""Sharing for safety: the coordinator who holds an alarm asks, a steward agrees, one organisation reads.

Two different people, also where somebody holds both posts; an agreement in force that names the purpose and
the class, asked again at every read; 72 hours at most. The person is told, unless a coded reason says whom
that would endanger; what nobody was told is listed to the stewards each month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from referrals import safety
from referrals.access import Action, allow
from referrals.errors import BadAnswer, NoConsent, NotAllowed, NotFound, TooLong, WrongStage
from referrals.members import Crisis, Enrolment, SafetyShare
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    DataClass,
    Role,
    organization_holder,
    person_holder,
)
from referrals.ports import Tx
from referrals.said import Keyboard, Priority
from referrals.service.alarm import safety_lists, safety_plans
from referrals.service.common import doors, tell
from referrals.service.matter import member_keys, reading

TIMER = "share_end"
TEXT, TEXT_LIMIT = "told", 2000
_KIND = DataClass.SAFETY


@dataclass(frozen=True, slots=True)
class Wish:
    """What a coordinator asks for. `text` '' and `with_plan` False together mean nothing: BadAnswer.

    `silence` '': the person is told; else the code of why not.
    """

    organization_id: str
    reason: str
    text: str
    with_plan: bool
    silence: str = ""


# -- to ask, and to agree ----------------------------------------------------------------------------


def ask(tx: Tx, person_id: str, enrolment_id: str, wish: Wish) -> SafetyShare:
    """The holder of an open alarm asks. NoConsent: no agreement lets this organisation be told."""
    reader = safety_plans.door(tx, person_id, enrolment_id)
    allow(reader.actor, Action.SAFETY_ASK)
    if reader.crisis is None:
        raise NotFound
    _check(tx, reader.enrolment, wish)
    if not safety.may_be_told(tx.directory, wish.organization_id, tx.now):
        raise NoConsent
    share = SafetyShare(
        id=tx.new_id(),
        crisis_id=reader.crisis.id,
        enrolment_id=reader.enrolment.id,
        organization_id=wish.organization_id,
        asked_by=person_id,
        asked_at=tx.now,
        reason=wish.reason,
        tell_person=not wish.silence,
        silence_reason=wish.silence,
        with_plan=wish.with_plan,
    )
    tx.add(share)
    if wish.text.strip():
        tx.seal(share.record, _KIND, TEXT, wish.text.strip(), [person_holder(person_id)])
    tx.audit(AuditEntry(reader.actor, Action.SAFETY_ASK, f"safety_share:{share.id}", wish.reason))
    for steward in safety_lists.stewards(tx):
        if steward != person_id:
            _tell(tx, steward, "steward.safety_asked", share)
    return share


def agree(tx: Tx, person_id: str, share_id: str) -> SafetyShare:
    """A steward who did not ask agrees: from now on the organisation reads, for 72 hours at most."""
    actor, share = _for_steward(tx, person_id, share_id)
    if not safety.may_be_told(tx.directory, share.organization_id, tx.now):
        raise NoConsent
    until = tx.now + safety.LASTS
    agreed = tx.save(replace(share, agreed_by=person_id, agreed_at=tx.now, until=until))
    tx.audit(AuditEntry(actor, Action.SAFETY_AGREE, f"safety_share:{agreed.id}", "agreed"))
    tx.set_timer(TIMER, agreed.id, until)
    tx.share(agreed.record, _KIND, organization_holder(agreed.organization_id))
    _settle_plan(tx, agreed)
    _settle_stewards(tx, agreed)
    heard = [_tell(tx, w, "worker.safety", agreed) for w in _workers(tx, agreed)]
    text = "desk.safety_agreed" if any(heard) else "desk.safety_nobody"
    _tell_asker(tx, agreed, text)
    if agreed.tell_person:
        _tell_person(tx, agreed)
    return agreed


def refuse(tx: Tx, person_id: str, share_id: str) -> SafetyShare:
    """A steward says no: nothing is shared."""
    actor, share = _for_steward(tx, person_id, share_id)
    refused = tx.save(replace(share, refused_at=tx.now, ended_at=tx.now))
    tx.audit(AuditEntry(actor, Action.SAFETY_AGREE, f"safety_share:{refused.id}", "refused"))
    _settle_stewards(tx, refused)
    _tell_asker(tx, refused, "desk.safety_refused")
    return refused


def _check(tx: Tx, enrolment: Enrolment, wish: Wish) -> None:
    if wish.reason not in safety.REASONS or wish.silence not in ("", *safety.SILENT):
        raise BadAnswer
    if wish.with_plan and not safety_plans.exists(tx, enrolment.id):
        raise BadAnswer
    if not wish.with_plan and not wish.text.strip():
        raise BadAnswer
    if len(wish.text) > TEXT_LIMIT:
        raise TooLong(limit=TEXT_LIMIT, length=len(wish.text))


def _for_steward(tx: Tx, person_id: str, share_id: str) -> tuple[Actor, SafetyShare]:
    """A request that waits, for a steward who is not the one who asked: NotAllowed for that one."""
    actor = doors.as_seat(tx, person_id, Role.STEWARD)
    allow(actor, Action.SAFETY_AGREE)
    share = _locked(tx, share_id)
    if share.asked_by == person_id:
        raise NotAllowed
    if not safety.waits(share):
        raise WrongStage
    return actor, share


# -- to read -----------------------------------------------------------------------------------------


def for_worker(tx: Tx, person_id: str, share_id: str) -> tuple[Actor, SafetyShare]:
    """What is open to this worker's organisation at this moment; NotFound for everything else."""
    share = _locked(tx, share_id)
    actor = doors.as_seat(tx, person_id, Role.WORKER, share.organization_id)
    allow(actor, Action.SAFETY_READ)
    if not safety.readable(share, tx.directory, tx.now):
        raise NotFound
    return actor, share


def wait(tx: Tx, actor: Actor, share: SafetyShare) -> int:
    """Minutes until it opens for somebody who has read much today; mostly 0."""
    return reading.wait_about(tx, actor, f"share:{share.id}")


def read(tx: Tx, actor: Actor, share: SafetyShare) -> tuple[str, Mapping[str, str]]:
    """What was written for the organisation ('' for nothing), and the plan's sections where it is shared."""
    subject, told = f"share:{share.id}", ""
    if tx.sealed_exists(share.record, _KIND):
        told = reading.open_about(tx, actor, subject, share.record, _KIND).get(TEXT, "")
    if not share.with_plan or not safety_plans.exists(tx, share.enrolment_id):
        return told, {}
    return told, reading.open_about(tx, actor, subject, safety_plans.record(share.enrolment_id), _KIND)


# -- to end ------------------------------------------------------------------------------------------


def stop(tx: Tx, person_id: str, share_id: str) -> SafetyShare:
    """A steward, or the coordinator who asked, ends it sooner: access is cut at once."""
    share = _locked(tx, share_id)
    actor = _may_stop(tx, person_id, share)
    return share if share.ended_at is not None else _end(tx, actor, share, "stopped")


def stop_of(tx: Tx, person_id: str, enrolment_id: str, share_id: str) -> SafetyShare:
    """The same from the member's page, for what was shared about this member."""
    if _locked(tx, share_id).enrolment_id != enrolment_id:
        raise NotFound
    return stop(tx, person_id, share_id)


def over(tx: Tx, share_id: str) -> None:
    """Timer: its 72 hours have gone."""
    share = tx.get(SafetyShare, share_id, lock=True)
    if share is not None and share.ended_at is None:
        _end(tx, SYSTEM, share, "over")


def review(tx: Tx, organization_id: str) -> None:
    """An agreement or an organisation's standing has changed: what nothing covers any more ends at once."""
    if safety.may_be_told(tx.directory, organization_id, tx.now):
        return
    for found in tx.find(SafetyShare, organization_id=organization_id, ended_at=None):
        _end(tx, SYSTEM, _locked(tx, found.id), "agreement")


def crisis_ended(tx: Tx, crisis: Crisis) -> None:
    """A false alarm ends what was shared for it; any end ends what only waits for a steward's yes."""
    for found in tx.find(SafetyShare, crisis_id=crisis.id, ended_at=None):
        if safety.waits(found) or crisis.ended_as == "false_alarm":
            _end(tx, SYSTEM, _locked(tx, found.id), crisis.ended_as)


def forget(tx: Tx, share: SafetyShare) -> None:
    """Its end, with its alarm's: keys, text and row."""
    tx.destroy(share.record)
    tx.clear_timers(share.id)
    tx.remove(share)
    tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"safety_share:{share.id}"))


def _may_stop(tx: Tx, person_id: str, share: SafetyShare) -> Actor:
    role = Role.COORDINATOR if share.asked_by == person_id else Role.STEWARD
    actor = doors.as_seat(tx, person_id, role)
    allow(actor, Action.SAFETY_END)
    return actor


def _end(tx: Tx, actor: Actor, share: SafetyShare, how: str) -> SafetyShare:
    allow(actor, Action.SAFETY_END)
    ended = tx.save(replace(share, ended_at=tx.now))
    tx.clear_timers(ended.id)
    tx.audit(AuditEntry(actor, Action.SAFETY_END, f"safety_share:{ended.id}", how))
    tx.unshare(ended.record, organization_holder(ended.organization_id))
    _settle_plan(tx, ended)
    _settle_stewards(tx, ended)
    for worker in _workers(tx, ended):
        tell.quietly(tx, worker, slot_of(ended), "worker.safety_over")
    if ended.agreed_at is not None and ended.asked_by != actor.person_id:
        _tell_asker(tx, ended, "desk.safety_ended")
    return ended


# -- parts -------------------------------------------------------------------------------------------


def slot_of(share: SafetyShare) -> str:
    """Where what is said about it stands in a chat."""
    return f"share:{share.id}"


def _locked(tx: Tx, share_id: str) -> SafetyShare:
    """A share, its member locked first."""
    found = tx.get(SafetyShare, share_id)
    if found is not None:
        tx.get(Enrolment, found.enrolment_id, lock=True)
        found = tx.get(SafetyShare, share_id, lock=True)
    if found is None:
        raise NotFound
    return found


def _settle_plan(tx: Tx, share: SafetyShare) -> None:
    enrolment = tx.get(Enrolment, share.enrolment_id)
    if enrolment is not None:
        safety_plans.settle(tx, enrolment)


def _workers(tx: Tx, share: SafetyShare) -> list[str]:
    return [seat.person_id for seat in tell.workers(tx, share.organization_id) if seat.person_id]


def _page(share: SafetyShare) -> Keyboard:
    return ((tell.page_button("button.open", f"share/{share.id}"),),)


def _tell(tx: Tx, person_id: str, text: str, share: SafetyShare) -> bool:
    slot = slot_of(share)
    return tell.tell(tx, person_id, text, buttons=_page(share), slot=slot, priority=Priority.CRISIS)


def _settle_stewards(tx: Tx, share: SafetyShare) -> None:
    for steward in safety_lists.stewards(tx):
        tell.quietly(tx, steward, slot_of(share), "steward.safety_done")


def _tell_asker(tx: Tx, share: SafetyShare, text: str) -> None:
    enrolment = tx.get(Enrolment, share.enrolment_id)
    code = {"code": enrolment.code if enrolment else ""}
    slot = slot_of(share)
    tell.tell(tx, share.asked_by, text, code, buttons=_page(share), slot=slot, priority=Priority.CRISIS)


def _tell_person(tx: Tx, share: SafetyShare) -> None:
    """The person on their own phone, and their mentors, who tell it by word."""
    enrolment = tx.get(Enrolment, share.enrolment_id)
    if enrolment is None:
        return
    page = ((tell.page_button("button.open", f"safety/{enrolment.id}"),),)
    if enrolment.person_id:
        tell.tell(tx, enrolment.person_id, "home.safety_shared", buttons=page, slot=slot_of(share))
    for mentor in member_keys.mentors_of(tx, enrolment):
        code = {"code": enrolment.code}
        tell.tell(tx, mentor, "mentor.safety_shared", code, buttons=page, slot=slot_of(share))
