"""Who looks after a member now, and therefore holds the keys of what is written about them.

`settle` is the only place that gives a mentor a key of a member's record and the only one that takes it
away. Where nobody is left, nobody can open anything: the wraps wait with a holder that no person is, until
a mentor comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from referrals.access import Action
from referrals.members import (
    Attendance,
    CheckIn,
    CheckInKind,
    Crisis,
    Enrolment,
    EnrolmentState,
    SafetyPlan,
)
from referrals.model import SYSTEM, AuditEntry, DataClass, Record, Referral, person_holder
from referrals.persons import Seat, Session
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.matter import asked, handing_over, moving, sharing

_PERSONS = person_holder("")
_CHECK_IN = (DataClass.WELLBEING, DataClass.STORY)


def seats_of(tx: Tx, enrolment: Enrolment) -> list[Seat]:
    """The posts that look after this member now: mentor, backup, stand-in, in that order."""
    wanted = [enrolment.mentor_seat, enrolment.backup_seat, standing_in(tx, enrolment)]
    found = {seat.id: seat for seat in tx.find(Seat, id=[seat_id for seat_id in wanted if seat_id])}
    return [found[seat_id] for seat_id in dict.fromkeys(wanted) if seat_id in found]


def standing_in(tx: Tx, enrolment: Enrolment) -> str | None:
    """The post that stands in for the mentor at this moment."""
    until = enrolment.stand_in_until
    return enrolment.stand_in_seat if until is None or until > tx.now else None


def people_of(tx: Tx, enrolment: Enrolment) -> set[str]:
    """Whoever looks after this member now; perhaps nobody."""
    return {seat.person_id for seat in seats_of(tx, enrolment) if seat.person_id}


def mentors_of(tx: Tx, enrolment: Enrolment) -> tuple[str, ...]:
    """Whoever is asked about this member, in order: the stand-in or the mentor, then the backup."""
    return in_order(tx, enrolment, {seat.id: seat.person_id for seat in seats_of(tx, enrolment)})


def in_order(tx: Tx, enrolment: Enrolment, sitting: Mapping[str, str | None]) -> tuple[str, ...]:
    """The same, for a caller who knows already who sits on which post."""
    first = sitting.get(standing_in(tx, enrolment) or "") or sitting.get(enrolment.mentor_seat or "")
    asked = (first, sitting.get(enrolment.backup_seat or ""))
    return tuple(dict.fromkeys(person_id for person_id in asked if person_id))


def settle(tx: Tx, enrolment: Enrolment) -> None:
    """Make the holders of this member's keys what they should be now; every change leaves an audit row.

    Desk, organisations and the member's own phone are none of this rule's business: they stay as they are.
    """
    rightful = {person_holder(person_id) for person_id in people_of(tx, enrolment)}
    rightful = rightful or {person_holder(nobody(enrolment))}
    own = person_holder(enrolment.person_id) if enrolment.person_id else ""
    alarmed = _holding_alarms(tx, enrolment)
    for record, data_class, writer in _records(tx, enrolment):
        held = {h for h in tx.holders(record, data_class) if h.startswith(_PERSONS)} - {own, writer}
        held -= alarmed if record.table == "safety_plan" else set()
        if not held:
            continue  # nothing was sealed, or only for the member themselves
        for holder in sorted(rightful - held):
            tx.share(record, data_class, holder)
            _note(tx, Action.ACCESS_GIVE, record, data_class, holder)
        for holder in sorted(held - rightful):
            tx.unshare(record, holder, data_class)
            _note(tx, Action.ACCESS_CUT, record, data_class, holder)
    for referral in tx.find(Referral, enrolment_id=enrolment.id):
        _pass_on(tx, enrolment, referral)


def _holding_alarms(tx: Tx, enrolment: Enrolment) -> set[str]:
    """Coordinators who hold an open alarm read the safety plan meanwhile (`safety_plans.holders_of`)."""
    alarms = tx.find(Crisis, enrolment_id=enrolment.id, ended_at=None)
    return {person_holder(alarm.held_by) for alarm in alarms if alarm.held_by}


def nobody(enrolment: Enrolment) -> str:
    """Who holds a member's record while nobody looks after them: no person has this id."""
    return f"nobody:{enrolment.id}"


def ask_anew(tx: Tx, enrolment: Enrolment) -> None:
    """What is due is asked of whoever looks after them now; the ladder's timer goes on at once."""
    asked = mentors_of(tx, enrolment)
    if enrolment.state is not EnrolmentState.ACTIVE or not asked:
        return
    due = tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None)
    for check_in in (found for found in due if found.kind is CheckInKind.MEMBER):
        waits = any(timer.kind == "check_in_missed" for timer in tx.timers_of(check_in.id))
        if waits and check_in.asked_of not in asked:
            if check_in.asked_of is not None:
                tell.quietly(tx, check_in.asked_of, f"check:{check_in.id}", "")
            tx.save(replace(check_in, asked_of=asked[0], step=0))
            tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"check_in:{check_in.id}", "passed on"))
            tx.set_timer("check_in_missed", check_in.id, tx.now)


def _records(tx: Tx, enrolment: Enrolment) -> Iterator[tuple[Record, DataClass, str]]:
    """Everything sealed about a member that their mentors read, record by record.

    Third who keeps a key whatever happens: what somebody said of themselves stays theirs on an untied phone.
    """
    for check_in in tx.find(CheckIn, enrolment_id=enrolment.id):
        if check_in.saved_at is not None:
            own = check_in.kind is CheckInKind.OWN
            writer = person_holder(check_in.saved_by) if own and check_in.saved_by else ""
            yield from ((check_in.record, data_class, writer) for data_class in _CHECK_IN)
    for attendance in tx.find(Attendance, enrolment_id=enrolment.id):
        yield attendance.record, DataClass.WELLBEING, ""
    plan = tx.get(SafetyPlan, enrolment.id)
    if plan is not None:
        yield plan.record, DataClass.SAFETY, ""


def _pass_on(tx: Tx, enrolment: Enrolment, referral: Referral) -> None:
    """A request that a mentor filed for a member belongs to whoever is their mentor now.

    One that the member decides on their own phone (`referrer_id`) is theirs and stays so.
    """
    people = people_of(tx, enrolment)
    if not referral.author_id or referral.referrer_id or referral.author_id in people:
        return
    if referral.author_id == enrolment.person_id:
        return
    to = next(iter(mentors_of(tx, enrolment)), nobody(enrolment))
    old, new = person_holder(referral.author_id), person_holder(to)
    if old == new:
        return
    for record in handing_over.records_of(tx, referral):
        for data_class in DataClass:
            if old in tx.holders(record, data_class):
                tx.share(record, data_class, new)
        tx.unshare(record, old)
    moving.forget(tx, referral.id)
    former, passed = referral.author_id, tx.save(replace(referral, author_id=to))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{passed.id}", "passed on"))
    sharing.settle(tx, passed)
    for slot in asked.slots(tx, passed):
        tell.quietly(tx, former, slot, "")
    for session in tx.find(Session, person_id=former):
        if session.page.endswith(f"/{passed.id}"):
            tx.remove(session)


def _note(tx: Tx, action: Action, record: Record, data_class: DataClass, holder: str) -> None:
    tx.audit(AuditEntry(SYSTEM, action, f"{record.table}:{record.row}", f"{data_class}:{holder}"))
