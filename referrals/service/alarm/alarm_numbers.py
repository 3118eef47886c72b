"""How somebody in danger can be called, left with an alarm about themselves: sealed, for its holder alone.

A family has no mentor whom the desk could call, and a member's may not pick up. It is written on a secure
page without a PIN; whoever holds the alarm opens it while they do, and it is destroyed when the alarm ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from referrals.access import Action, allow
from referrals.errors import BadAnswer, NotFound, TooLong, WrongStage
from referrals.limits import Doing
from referrals.members import CheckIn, Crisis, Enrolment
from referrals.model import SYSTEM, Actor, AuditEntry, DataClass, Role, person_holder
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.alarm import alarms
from referrals.service.common import limits, tell
from referrals.service.matter import reading

COLUMN, LIMIT = "number", 500
_KIND = DataClass.CONTACT


def asked(tx: Tx, person_id: str, crisis_id: str) -> tuple[Actor, Crisis]:
    """An alarm that this person has raised about themselves, locked, over or not; NotFound for all others."""
    crisis = alarms.locked(tx, crisis_id)
    enrolment = alarms.enrolment_of(tx, crisis)
    if crisis.raised_by != person_id or not alarms.about_oneself(crisis, enrolment):
        raise NotFound
    return Actor(person_id, Role.MEMBER if enrolment.mentor_seat else Role.FAMILY), crisis


def leave(tx: Tx, person_id: str, crisis_id: str, text: str) -> Crisis:
    """A number, and what to mind. Another one takes its place. Whoever was woken hears that there is one.

    Whoever has read the one before hears of another. BadAnswer for nothing, TooLong, TooOften; WrongStage
    once the alarm is over.
    """
    actor, crisis = _open(tx, person_id, crisis_id)
    words = text.strip()
    if not words:
        raise BadAnswer
    if len(words) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(words))
    limits.take(tx, Doing.NUMBER, person_id)
    first = not alarms.has_number(tx, crisis)
    known = opened_at(tx, crisis) is not None
    crisis = tx.save(replace(crisis, number_at=tx.now))
    tx.seal(crisis.record, _KIND, COLUMN, words, sorted(_rightful(crisis)))
    tx.audit(AuditEntry(actor, Action.CRISIS_RAISE, f"crisis:{crisis.id}", "number left"))
    enrolment = alarms.enrolment_of(tx, crisis)
    if first or known:
        for person in alarms.woken(tx, crisis):
            alarms.alert(tx, person, crisis, enrolment)
    if first:
        alarms.stands(tx, crisis, enrolment)
    return crisis


def take_back(tx: Tx, person_id: str, crisis_id: str) -> Crisis:
    """'Do not call me after all': it is destroyed, and whoever has the alarm hears so."""
    actor, crisis = _open(tx, person_id, crisis_id)
    if alarms.has_number(tx, crisis):
        tx.destroy(crisis.record)
        tx.audit(AuditEntry(actor, Action.CRISIS_RAISE, f"crisis:{crisis.id}", "number taken back"))
        enrolment = alarms.enrolment_of(tx, crisis)
        if crisis.held_by:
            alarms.alert(tx, crisis.held_by, crisis, enrolment)
        alarms.stands(tx, crisis, enrolment)
    return crisis


def _open(tx: Tx, person_id: str, crisis_id: str) -> tuple[Actor, Crisis]:
    actor, crisis = asked(tx, person_id, crisis_id)
    allow(actor, Action.CRISIS_RAISE)
    if crisis.ended_at is not None:
        raise WrongStage
    return actor, crisis


# -- keys --------------------------------------------------------------------------------------------


def settle(tx: Tx, crisis: Crisis) -> None:
    """Whoever holds the alarm can open it, and no other: after each change of its holder, and at its end."""
    if not alarms.has_number(tx, crisis):
        return
    if crisis.ended_at is not None:
        forget(tx, crisis)
        return
    held, rightful = tx.holders(crisis.record, _KIND), _rightful(crisis)
    for holder in sorted(rightful - held):
        tx.share(crisis.record, _KIND, holder)
        _note(tx, Action.ACCESS_GIVE, crisis, holder)
    for holder in sorted(held - rightful):
        tx.unshare(crisis.record, holder, _KIND)
        _note(tx, Action.ACCESS_CUT, crisis, holder)


def forget(tx: Tx, crisis: Crisis) -> None:
    """The alarm is over, or whoever left it leaves for good."""
    if alarms.has_number(tx, crisis):
        tx.destroy(crisis.record)
        tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"crisis:{crisis.id}", "number"))


def forget_person(tx: Tx, person_id: str) -> None:
    """Whoever leaves for good is called no more."""
    for crisis in tx.find(Crisis, raised_by=person_id, ended_at=None):
        forget(tx, crisis)


def _rightful(crisis: Crisis) -> frozenset[str]:
    """The process seals and shares; of people it is whoever left it, and whoever holds the alarm now."""
    return frozenset(person_holder(p) for p in (crisis.raised_by, crisis.held_by) if p)


def _note(tx: Tx, action: Action, crisis: Crisis, holder: str) -> None:
    tx.audit(AuditEntry(SYSTEM, action, f"crisis:{crisis.id}", f"{_KIND}:{holder}"))


# -- to read -----------------------------------------------------------------------------------------


def left_with(tx: Tx, enrolment: Enrolment, holder_id: str) -> list[Crisis]:
    """The alarms about this member that somebody holds, and that a number was left with; the newest first."""
    held = tx.find(Crisis, enrolment_id=enrolment.id, held_by=holder_id, ended_at=None)
    found = [crisis for crisis in held if alarms.has_number(tx, crisis)]
    return sorted(found, key=lambda crisis: (crisis.raised_at, crisis.id), reverse=True)


def read(tx: Tx, actor: Actor, crises: Sequence[Crisis]) -> str:
    """What was left with these alarms, for whoever holds them: counted, and never held up. PinNeeded."""
    texts = []
    for crisis in crises:
        subject = f"crisis:{crisis.id}"
        opened = reading.open_about(tx, actor, subject, crisis.record, _KIND, entrusted=True)
        texts.append(opened.get(COLUMN, ""))
    return "\n".join(texts)


def own(tx: Tx, person_id: str) -> list[dict[str, object]]:
    """What this person has left with alarms that are open, for their own copy of what is held."""
    mine = tx.find(Crisis, raised_by=person_id, ended_at=None)
    me = Actor(person_id, Role.FAMILY)
    return [
        {"at": crisis.raised_at, "number": read(tx, me, (crisis,))}
        for crisis in mine
        if alarms.has_number(tx, crisis)
    ]


def opened_at(tx: Tx, crisis: Crisis) -> datetime | None:
    """When a coordinator opened what stands there now, for whoever left it; not what stood there before."""
    since = crisis.number_at or crisis.raised_at
    readings = (r.at for r in tx.readings(crisis.record) if r.role is Role.COORDINATOR)
    return max((at for at in readings if at >= since), default=None)


def offered(tx: Tx, check_in: CheckIn) -> Keyboard:
    """Below a check-in that raised an alarm about oneself: where to leave a number, while it is open."""
    found = tx.find(Crisis, check_in_id=check_in.id, raised_by=check_in.saved_by, ended_at=None)
    return tell.column(
        alarms.leave_button(crisis)
        for crisis in found
        if alarms.about_oneself(crisis, alarms.enrolment_of(tx, crisis))
    )
