"""A mentor's check-in: reminded at the right local time, answered in three taps, edited to 'Done'.

The two choices travel in the buttons themselves, so nothing half-answered is ever stored. What was saved is
sealed, and the message that stays in the chat says 'Done' and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from referrals.access import Action, allow
from referrals.catalogue import Programme
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.members import CheckIn, Enrolment
from referrals.model import DESK, Actor, AuditEntry, DataClass, person_holder
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service import crisis, tell

UNDO = timedelta(seconds=60)
REMIND_AGAIN = timedelta(hours=24)  # then the backup mentor, then the desk, a day apart


@dataclass(frozen=True, slots=True)
class Asked:
    """One due check-in as its mentor sees it. `others`: who else was or will be asked about it."""

    check_in: CheckIn
    enrolment: Enrolment
    programme: Programme
    mentor: Actor
    others: tuple[str, ...]


def asked(tx: Tx, person_id: str, check_in_id: str) -> Asked:
    """The check-in, for the mentor or backup mentor of this member; NotFound for everybody else."""
    check_in = tx.get(CheckIn, check_in_id, lock=True)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "") if check_in else None
    if check_in is None or enrolment is None:
        raise NotFound
    actor, others = _mentor_of(tx, person_id, enrolment)
    return Asked(
        check_in,
        enrolment,
        tx.catalogue.programme(enrolment.programme, enrolment.programme_version),
        actor,
        others,
    )


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
