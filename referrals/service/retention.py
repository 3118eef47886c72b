"""A date on everything: how long each table's rows live, from when, and who destroys them.

RULES has a row for every table there is; a test fails for a table without one, and lets a year and more pass
to see that nothing is left which should be gone. What destroys says so in the audit, with codes only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from referrals.access import Action
from referrals.casework import CircleInvitation, Confirmation
from referrals.members import (
    Attendance,
    CheckIn,
    Crisis,
    Enrolment,
    EnrolmentState,
    HandOver,
    Linking,
    Meeting,
    SafetyPlan,
    SafetyShare,
    Undertaking,
)
from referrals.model import SYSTEM, AuditEntry, Offer, Record, Referral, person_holder
from referrals.persons import (
    Conversation,
    Device,
    DeviceState,
    Download,
    Invitation,
    Person,
    Recovery,
    Scrap,
    Screen,
    Session,
)
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.alarm import alarm_numbers, safety_sharing
from referrals.service.attendance import attendance
from referrals.service.common import doors
from referrals.service.matter import circle_sides, moving, tracking
from referrals.service.members import enrolments, tries
from referrals.service.people import people
from referrals.service.programme import meetings
from referrals.service.request import drafts, word_checks
from referrals.service.turns import closing

EVERY = timedelta(hours=24)
AT_ONCE = timedelta(seconds=1)
BATCH = 20  # rows a turn: each may take a dozen statements, and a turn at most 20 ms
TIMER, SUBJECT = "sweep", "daily"

CHECK_IN = HAND_OVER = timedelta(days=365)
CRISIS = timedelta(days=365)
DEVICE = timedelta(days=400)
LOOSE_DEVICE = timedelta(days=30)  # one that was never let in, or was ended
INVITATION = timedelta(days=30)  # after its end: who invited whom is in the audit
STILL_NEEDED = timedelta(days=30)  # looked at again then


@dataclass(frozen=True, slots=True)
class Rule:
    """How long, from when, and who destroys: a timer's kind, 'sweep', 'upkeep', a verb, or 'kept'."""

    kept: str
    since: str
    by: str
    why: str = ""


_FACTS = "without a person: coded facts are the evidence of what is missing"
_PROOF = "proof of who read and changed what; codes only, whose persons no longer exist"
_NETWORK = "public facts about organisations, as long as the network's file names them"

RULES: Mapping[str, Rule] = {
    "person": Rule("90 days", "the last sign of life, unless a matter or a post is theirs", "sweep"),
    "account": Rule("with its person", "", "sweep"),
    "seat": Rule("as long as the network names it", "", "kept", "a post; its holder may leave it"),
    "invitation": Rule("24 hours, its row 30 days more", "its making", "sweep"),
    "device": Rule("400 days unused; 30 if it was never let in or has ended", "its last use", "sweep"),
    "recovery": Rule("with its person", "", "sweep"),
    "session": Rule("30 minutes", "its opening", "sweep"),
    "tally": Rule("its stretch of time", "its start", "upkeep"),
    "switch": Rule("for good", "", "kept", "how the network stands, nobody's"),
    "download": Rule("10 minutes", "its making", "download"),
    "conversation": Rule("as the form says", "the last answer", "conversation"),
    "scrap": Rule("15 minutes", "its arrival", "scrap"),
    "referral": Rule("as the pathway says; its coded facts for good", "its end", "retention", _FACTS),
    "offer": Rule("its persons with the matter; its coded facts for good", "its end", "retention", _FACTS),
    "consent": Rule("with the matter", "its end", "retention"),
    "thread_entry": Rule("with the matter", "its end", "retention"),
    "unmet_need": Rule("for good", "", "kept", _FACTS),
    "desk_note": Rule("with the matter", "its end", "retention"),
    "desk_share": Rule("with the matter", "its end", "retention"),
    "transfer": Rule("7 days, or until somebody has answered", "its asking", "transfer_over"),
    "closing_answer": Rule("for good", "", "kept", _FACTS),
    "task": Rule("with its plan", "the plan's end", "retention"),
    "attempt": Rule("with the matter", "its end", "retention"),
    "appointment": Rule("with the matter", "its end", "retention"),
    "duty_swap": Rule("until its turns are over, or nobody has said yes in time", "its asking", "rota_swap"),
    "circle": Rule("with the matters of both sides", "their end", "retention"),
    "circle_side": Rule("with its matter", "the matter's end", "retention"),
    "circle_invitation": Rule("30 days, its row 30 days more", "its making", "sweep"),
    "confirmation": Rule("90 days", "its answer", "sweep"),
    "tracking": Rule("until the matter ends or a newer code is made", "", "retention"),
    "move": Rule("24 hours; 7 days while it waits for the desk", "its asking", "move_due"),
    "enrolment": Rule("until it has ended and its last check-in is gone", "", "sweep"),
    "check_in": Rule("365 days", "the day it was due", "sweep"),
    "meeting": Rule("365 days", "the day it was held", "sweep"),
    "attendance": Rule("with its meeting", "", "sweep"),
    "undertaking": Rule("with its enrolment", "", "sweep"),
    "kept_programme": Rule("as long as somebody is in it", "", "programmes"),
    "crisis": Rule("365 days", "the alarm", "sweep"),
    "safety_plan": Rule("with its enrolment", "", "sweep"),
    "safety_share": Rule("with its crisis", "", "sweep"),
    "word_receipt": Rule("with its matter", "the matter's end", "retention"),
    "linking": Rule("24 hours", "its making", "sweep"),
    "hand_over": Rule("365 days, or with its enrolment", "its asking", "sweep"),
    "screen": Rule("24 hours, as long as its message", "its sending", "sweep"),
    "mentor_profile": Rule("as long as the network names it", "", "kept", "what a mentor can do, by seat"),
    "lease": Rule("for good", "", "kept", "which process may send now"),
    "area": Rule("as long as the network names it", "", "kept", _NETWORK),
    "organization": Rule("as long as the network names it", "", "kept", _NETWORK),
    "service": Rule("as long as the network names it", "", "kept", _NETWORK),
    "agreement": Rule("as long as the network names it", "", "kept", _NETWORK),
    "duty": Rule("as long as the network names it", "", "kept", _NETWORK),
    "poster": Rule("as long as the network names it", "", "kept", _NETWORK),
    "timer": Rule("until it is due", "", "itself"),
    "message": Rule("72 hours", "its sending; the message itself leaves the chat after 24", "upkeep"),
    "outbox": Rule("7 days; refused ones 30", "its sending", "upkeep"),
    "seen": Rule("48 hours", "its arrival", "upkeep"),
    "key_encryption_key": Rule("until nothing is wrapped by it", "its retirement", "upkeep"),
    "wrap": Rule("with its record", "", "the record's rule"),
    "sealed": Rule("with its record", "", "the record's rule"),
    "audit": Rule("for good", "", "kept", _PROOF),
    "audit_lane": Rule("for good", "", "kept", _PROOF),
    "checkpoint": Rule("for good", "", "kept", _PROOF),
    "erasure": Rule("42 days", "the erasure", "upkeep", "outlives every backup: none brings it back"),
    "meta": Rule("for good", "", "kept", "the network's own name and state"),
}


def begin(tx: Tx) -> None:
    """At the product's start: the sweep is due at once; one that waits already, and not too long, stays."""
    waiting = tx.get(Timer, f"{TIMER}:{SUBJECT}")
    if waiting is None or waiting.due_at > tx.now + EVERY:  # set when the clock was ahead
        tx.set_timer(TIMER, SUBJECT, tx.now)


def sweep(tx: Tx, subject: str) -> None:
    """Timer: a few rows of each kind whose time is over; again at once while there are more."""
    full = [_sweep_some(tx, *what) for what in SWEEPS]  # each has its turn
    loose = (DeviceState.KNOWN, DeviceState.ENDED)
    full += [_sweep_some(tx, Device, "last_seen_at", LOOSE_DEVICE, _remove, state=loose)]
    tx.set_timer(TIMER, subject, tx.now + (AT_ONCE if any(full) else EVERY))


def retire(tx: Tx, referral_id: str) -> None:
    """Timer: a matter's date has come. Besides its keys, whatever ties its coded facts to people goes."""
    closing.retire(tx, referral_id)
    referral = doors.referral_by_id(tx, referral_id)
    if referral.author_id:
        return  # it was opened again
    tracking.forget(tx, referral.id)
    word_checks.forget(tx, referral.id)
    moving.forget(tx, referral.id)
    circle_sides.forget(tx, referral.id)
    for offer in tx.find(Offer, referral_id=referral.id):
        tx.save(replace(offer, seen_by=None, decided_by=None, told=(), code=""))
    # Its code stands on somebody's paper, and would lead from that to what they had asked for.
    tx.save(replace(referral, code=referral.id, retain_until=None))


def forget_person(tx: Tx, person: Person) -> None:
    """Everything that is a person's own, their account and their row; their matters go by their own rule."""
    forget_own(tx, person.id)
    for message in tx.messages_of(person.id):
        tx.forget_message(message.id)
    tx.recall_notices(person.id)
    tx.clear_timers(person.id)
    tx.unbind_account(person.id)
    tx.destroy(Record("person", person.id))
    tx.forget_holder(person_holder(person.id))
    tx.remove(person)
    note(tx, f"person:{person.id}")


def forget_own(tx: Tx, person_id: str) -> None:
    """Devices, recovery, sessions, downloads, open forms and scraps of somebody."""
    for kind in (Device, Session, Download, Screen):
        for row in tx.find(kind, person_id=person_id):
            tx.remove(row)
    for talk in tx.find(Conversation, person_id=person_id):
        drafts.forget_conversation(tx, talk)
    for scrap in tx.find(Scrap, person_id=person_id):
        people.drop_scrap(tx, scrap.id)
    for own in tx.find(CheckIn, saved_by=person_id, enrolment_id=None, offer_id=None):  # 'how are YOU'
        tx.destroy(own.record)
        _remove(tx, own)
    alarm_numbers.forget_person(tx, person_id)
    for looked_at in tx.find(CircleInvitation, taken_by=person_id):
        _remove(tx, looked_at)  # whoever leads it may ask somebody else
    recovery = tx.get(Recovery, person_id)
    if recovery is not None:
        tx.remove(recovery)


def note(tx: Tx, subject: str, detail: str = "") -> None:
    """The audit's row of something that was destroyed."""
    tx.audit(AuditEntry(SYSTEM, Action.RETENTION, subject, detail))


def _sweep_some(
    tx: Tx, kind: type[Any], column: str, keep: timedelta, end: Callable[[Tx, Any], None], **only: Any
) -> bool:
    found = tx.overdue(kind, column, tx.now - keep, BATCH, **only)
    for row in found:
        end(tx, row)
    return len(found) == BATCH


def _person(tx: Tx, person: Person) -> None:
    """Whoever has a post, a matter or a mentor is still needed; looked at again later."""
    tied = tx.count(Enrolment, person_id=person.id)
    if tied or doors.seats_of(tx, person.id) or tx.count(Referral, author_id=person.id):
        later: datetime = tx.now + STILL_NEEDED
        tx.save(replace(person, retain_until=later))
    else:
        forget_person(tx, person)


def _check_in(tx: Tx, check_in: CheckIn) -> None:
    tx.destroy(check_in.record)
    tx.clear_timers(check_in.id)
    _remove(tx, check_in)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "", lock=True)
    if enrolment is not None:
        _member(tx, enrolment)


def _crisis(tx: Tx, crisis: Crisis) -> None:
    """An alarm, with what was shared for it."""
    for share in tx.find(SafetyShare, crisis_id=crisis.id):
        safety_sharing.forget(tx, share)
    alarm_numbers.forget(tx, crisis)
    tx.clear_timers(crisis.id)
    tx.remove(crisis)
    note(tx, f"crisis:{crisis.id}")
    enrolment = tx.get(Enrolment, crisis.enrolment_id, lock=True)
    if enrolment is not None:
        _member(tx, enrolment)


def forget_member(tx: Tx, subject: str) -> None:
    """Timer, a year after somebody left: their enrolment goes with the last that was written about them."""
    enrolment = enrolments.of_timer(tx, subject)
    if enrolment is not None and enrolment.state is EnrolmentState.LEFT and not _member(tx, enrolment):
        tx.set_timer(enrolments.FORGET, subject, tx.now + STILL_NEEDED)


def _member(tx: Tx, enrolment: Enrolment) -> bool:
    """Remove the enrolment of somebody who left, once nothing with a date of its own hangs on it."""
    kinds = (CheckIn, Attendance, Crisis, SafetyShare, Confirmation)
    dated = any(tx.count(kind, enrolment_id=enrolment.id) for kind in kinds)
    if dated or enrolment.state is not EnrolmentState.LEFT:
        return False
    for kind in (Undertaking, Linking, HandOver):
        for row in tx.find(kind, enrolment_id=enrolment.id):
            tx.remove(row)
    plan = tx.get(SafetyPlan, enrolment.id)
    if plan is not None:
        tx.destroy(plan.record)
        tx.remove(plan)
    tries.forget(tx, enrolment.id)
    tx.clear_timers(enrolment.id)
    tx.clear_timers(enrolments.timer_subject(enrolment))
    tx.forget_holder(person_holder(enrolments.nobody(enrolment)))
    _remove(tx, enrolment)
    return True


def _matter(tx: Tx, referral: Referral) -> None:
    """A matter whose timer was lost."""
    retire(tx, referral.id)


def _remove(tx: Tx, row: Any) -> None:
    tx.remove(row)
    if type(row) in _NOTED:
        note(tx, f"{_NOTED[type(row)]}:{row.id}")
    elif isinstance(row, Linking | HandOver):
        note(tx, f"enrolment:{row.enrolment_id}")


_NOTED: Mapping[type[Any], str] = {
    CheckIn: "check_in",
    Enrolment: "enrolment",
    Device: "device",
    Invitation: "invitation",
    CircleInvitation: "circle_invitation",
}

# kind, the column with the instant, how long after it, what to do: one line for each thing that is swept.
SWEEPS: tuple[tuple[type[Any], str, timedelta, Callable[[Tx, Any], None]], ...] = (
    (Referral, "retain_until", timedelta(), _matter),
    (CheckIn, "due_at", CHECK_IN, _check_in),
    (Device, "last_seen_at", DEVICE, _remove),
    (Invitation, "expires_at", INVITATION, _remove),
    (Session, "expires_at", timedelta(), _remove),
    (Download, "expires_at", timedelta(), _remove),
    (Screen, "until", timedelta(), _remove),
    (Linking, "expires_at", timedelta(), _remove),
    (CircleInvitation, "expires_at", INVITATION, _remove),
    (Confirmation, "answer_at", attendance.KEPT_FOR, attendance.retire),
    (Meeting, "kept_at", meetings.KEPT_FOR, meetings.retire),
    (HandOver, "asked_at", HAND_OVER, _remove),
    (Crisis, "raised_at", CRISIS, _crisis),
    (Person, "retain_until", timedelta(), _person),
)
