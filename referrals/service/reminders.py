"""Reminders of a contact that is due: once, at the right local time, and never about what is done."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from referrals import rhythm
from referrals.access import Action
from referrals.catalogue import Phase
from referrals.members import CheckIn, CheckInKind, Enrolment
from referrals.model import SYSTEM, AuditEntry
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.rhythm import Rhythm
from referrals.said import Priority
from referrals.service import tell
from referrals.service.checkins import REMIND_AGAIN, means_buttons, slot

RHYTHM_FROM = date(2024, 1, 1)
SPREAD = 28  # days over which members are spread


def schedule_next(tx: Tx, enrolment: Enrolment) -> datetime:
    """Set the timer of the next reminder by the member's phase, local time and zone."""
    phase = _phase(tx, enrolment)
    # A fixed anchor, so that an outage never shifts the rhythm; the code spreads members over the days.
    anchor = RHYTHM_FROM + timedelta(days=sum(enrolment.code.encode()) % SPREAD)
    due = rhythm.next_due(Rhythm(phase.every, phase.at, enrolment.timezone, anchor), tx.now)
    tx.set_timer("check_in", enrolment.id, due)
    return due


def remind(tx: Tx, enrolment_id: str) -> None:
    """Timer: a check-in is due. After an outage there is one reminder, not ten."""
    enrolment = tx.get(Enrolment, enrolment_id)
    if enrolment is None or not enrolment.active:
        return
    schedule_next(tx, enrolment)
    if any(_waits(tx, c) for c in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None)):
        return
    mentor_id = _holder(tx, enrolment.mentor_seat)
    form = _phase(tx, enrolment).form
    check_in = CheckIn(tx.new_id(), CheckInKind.MEMBER, enrolment.id, tx.now, mentor_id, form, 1)
    tx.add(check_in)
    tx.audit(AuditEntry(SYSTEM, Action.CHECK_IN_WRITE, f"check_in:{check_in.id}", "asked"))
    tx.set_timer("check_in_missed", check_in.id, tx.now + REMIND_AGAIN)
    if mentor_id is not None:
        _ask(tx, mentor_id, check_in, enrolment, "mentor.check_in_due")


def _waits(tx: Tx, check_in: CheckIn) -> bool:
    """An earlier one is still asked for. One whose ladder has ended was missed, and must not be the last."""
    return any(t.kind == "check_in_missed" for t in tx.timers_of(check_in.id))


def missed(tx: Tx, check_in_id: str) -> None:
    """Timer: not answered. The mentor again, a day later the backup mentor, then the desk."""
    check_in = tx.get(CheckIn, check_in_id)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "") if check_in else None
    if check_in is None or enrolment is None or check_in.saved_at is not None:
        return
    days = (tx.now - check_in.due_at) // REMIND_AGAIN
    mentor, backup = _holder(tx, enrolment.mentor_seat), _holder(tx, enrolment.backup_seat)
    if days <= 1 and mentor is not None:
        _ask(tx, mentor, check_in, enrolment, "mentor.check_in_still_due")
    elif days <= 2 and backup is not None:
        _ask(tx, backup, check_in, enrolment, "mentor.check_in_backup")
    else:
        for seat in tell.on_call(tx):
            assert seat.person_id is not None  # on_call() lists filled seats
            tell.tell(tx, seat.person_id, "desk.check_in_missed", {"code": enrolment.code})
        return
    tx.set_timer("check_in_missed", check_in.id, tx.now + REMIND_AGAIN)


def _ask(tx: Tx, person_id: str, check_in: CheckIn, enrolment: Enrolment, text: str) -> None:
    programme = tx.catalogue.programme(enrolment.programme, enrolment.programme_version)
    tell.tell(
        tx,
        person_id,
        text,
        {"code": enrolment.code},
        buttons=means_buttons(check_in.id, programme),
        slot=slot(check_in.id),
        priority=Priority.ALERT,
    )


def _holder(tx: Tx, seat_id: str | None) -> str | None:
    seat = tx.get(Seat, seat_id) if seat_id else None
    return seat.person_id if seat else None


def _phase(tx: Tx, enrolment: Enrolment) -> Phase:
    return tx.catalogue.programme(enrolment.programme, enrolment.programme_version).phase(enrolment.phase)
