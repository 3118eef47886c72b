"""A mentor's check-in: reminded at the right local time, answered in three taps, edited to 'Done'.

The two choices travel in the buttons themselves, so nothing half-answered is ever stored. What was saved is
sealed, and the message that stays in the chat says 'Done' and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from referrals import schedule
from referrals.access import Action, allow
from referrals.catalogue import Phase, Programme
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.model import DESK, SYSTEM, Actor, AuditEntry, CheckIn, DataClass, Enrolment, person_holder
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard, Priority
from referrals.service import crisis, tell

UNDO = timedelta(seconds=60)
RHYTHM_FROM = date(2024, 1, 1)
REMIND_AGAIN = timedelta(hours=24)  # then the backup mentor, then the desk, a day apart


@dataclass(frozen=True, slots=True)
class Asked:
    """One due check-in as its mentor sees it. `others`: who else was or will be asked about it."""

    check_in: CheckIn
    enrolment: Enrolment
    programme: Programme
    mentor: Actor
    others: tuple[str, ...]


def schedule_next(tx: Tx, enrolment: Enrolment) -> datetime:
    """Set the timer of the next reminder by the member's phase, local time and zone."""
    phase = _phase(tx, enrolment)
    # A fixed anchor, so that an outage never shifts the rhythm; the code spreads members over the days.
    anchor = RHYTHM_FROM + timedelta(days=sum(enrolment.code.encode()) % phase.every_days)
    due = schedule.next_local(enrolment.timezone, tx.now, phase.every_days, phase.at, anchor)
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
    check_in = CheckIn(tx.new_id(), enrolment.id, tx.now, mentor_id)
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
    enrolment = tx.get(Enrolment, check_in.enrolment_id) if check_in else None
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


def asked(tx: Tx, person_id: str, check_in_id: str) -> Asked:
    """The check-in, for the mentor or backup mentor of this member; NotFound for everybody else."""
    check_in = tx.get(CheckIn, check_in_id, lock=True)
    enrolment = tx.get(Enrolment, check_in.enrolment_id) if check_in else None
    if check_in is None or enrolment is None:
        raise NotFound
    actor, others = _mentor_of(tx, person_id, enrolment)
    return Asked(check_in, enrolment, tx.catalogue.programmes[enrolment.programme], actor, others)


def save(tx: Tx, person_id: str, check_in_id: str, means: str, state: str) -> Asked:
    """The third tap. Saved twice it stays one; a crisis is handed to the on-call desk at once."""
    found = asked(tx, person_id, check_in_id)
    if found.check_in.saved_at is not None:
        if found.check_in.saved_by == person_id:
            return found
        raise WrongStage
    if means not in found.programme.means or state not in found.programme.states:
        raise BadAnswer
    saved = tx.save(replace(found.check_in, saved_at=tx.now, saved_by=person_id))
    holders = [person_holder(person_id), *([DESK] if state == "crisis" else [])]
    # One field for both answers: they are read together, and a press should write as little as it can.
    tx.seal(saved.record, DataClass.WELLBEING, "answers", f"{means} {state}", holders)
    tx.audit(AuditEntry(found.mentor, Action.CHECK_IN_WRITE, f"check_in:{saved.id}", "saved"))
    tx.clear_timer("check_in_missed", saved.id)
    tx.set_timer("undo_over", saved.id, tx.now + UNDO)
    for other in found.others:  # nobody is nagged about what somebody else has handled
        tell.quietly(tx, other, slot(saved.id), "mentor.done_by_other")
    if state == "crisis":
        crisis.raise_alarm(tx, saved.id, found.enrolment.code)
    return replace(found, check_in=saved)


def undo(tx: Tx, person_id: str, check_in_id: str) -> Asked:
    """Within 60 seconds: what was saved is destroyed; a crisis becomes a false alarm."""
    found = asked(tx, person_id, check_in_id)
    saved = found.check_in
    if saved.saved_at is None:
        return found
    if saved.saved_by != person_id or tx.now - saved.saved_at > UNDO:
        raise WrongStage
    _, state = tx.open_sealed(found.mentor, saved.record, DataClass.WELLBEING)["answers"].split(" ")
    tx.destroy(saved.record)
    open_again = tx.save(replace(saved, saved_at=None, saved_by=None))
    tx.clear_timer("undo_over", saved.id)
    tx.set_timer("check_in_missed", saved.id, tx.now + REMIND_AGAIN)
    tx.audit(AuditEntry(found.mentor, Action.CHECK_IN_WRITE, f"check_in:{saved.id}", "undone"))
    if state == "crisis":
        crisis.false_alarm(tx, saved.id, found.enrolment.code)
    return replace(found, check_in=open_again)


def undo_over(tx: Tx, check_in_id: str) -> None:
    """Timer: the minute is over; the message loses its Undo button and keeps neither answer nor code."""
    check_in = tx.get(CheckIn, check_in_id)
    if check_in is not None and check_in.saved_by is not None:
        tell.quietly(tx, check_in.saved_by, slot(check_in.id), "mentor.done")


def slot(check_in_id: str) -> str:
    return f"check:{check_in_id}"


def means_buttons(check_in_id: str, programme: Programme) -> Keyboard:
    """First tap: how did you meet?"""
    return tell.column(tell.press(f"means.{m}", "check.means", check_in_id, m) for m in programme.means)


def _ask(tx: Tx, person_id: str, check_in: CheckIn, enrolment: Enrolment, text: str) -> None:
    programme = tx.catalogue.programmes[enrolment.programme]
    tell.tell(
        tx,
        person_id,
        text,
        {"code": enrolment.code},
        buttons=means_buttons(check_in.id, programme),
        slot=slot(check_in.id),
        priority=Priority.ALERT,
    )


def _mentor_of(tx: Tx, person_id: str, enrolment: Enrolment) -> tuple[Actor, tuple[str, ...]]:
    """The person as this member's mentor or backup mentor, and the other one; NotFound for everybody else."""
    wanted = [seat_id for seat_id in (enrolment.mentor_seat, enrolment.backup_seat) if seat_id]
    seats = tx.find(Seat, id=wanted)
    mine = [seat for seat in seats if seat.person_id == person_id]
    if not mine:
        raise NotFound
    actor = Actor(person_id, mine[0].role, mine[0].organization_id)
    allow(actor, Action.CHECK_IN_WRITE)
    return actor, tuple(s.person_id for s in seats if s.person_id and s.person_id != person_id)


def _holder(tx: Tx, seat_id: str | None) -> str | None:
    seat = tx.get(Seat, seat_id) if seat_id else None
    return seat.person_id if seat else None


def _phase(tx: Tx, enrolment: Enrolment) -> Phase:
    return tx.catalogue.programmes[enrolment.programme].phase(enrolment.phase)
