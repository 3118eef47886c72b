"""'In crisis': the on-call coordinator at once, and a ladder until somebody says 'I have it'.

It never goes to the police by itself. (Sharing for safety, safety plans and local lines by area come with the
mentor's week; the alarm and its ladder stand.)
"""

from __future__ import annotations

from datetime import timedelta

from referrals.access import Action, allow
from referrals.errors import AlreadyHandled, NotFound
from referrals.members import CheckIn, Enrolment
from referrals.model import AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service import doors, tell

LADDER = timedelta(minutes=5)  # whoever is on call again, then everybody, then everybody every 15 minutes
REPEAT = timedelta(minutes=15)


def raise_alarm(tx: Tx, check_in_id: str, code: str) -> None:
    """Alert whoever is on call; a crisis never waits for an undo."""
    for seat in tell.on_call(tx):
        _alert(tx, seat, check_in_id, code)
    tx.set_timer("crisis", check_in_id, tx.now + LADDER)


def escalate(tx: Tx, check_in_id: str) -> None:
    """Timer: nobody has said 'I have it'. All coordinators, every 15 minutes; the mentor hears it too."""
    check_in = tx.get(CheckIn, check_in_id)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "") if check_in else None
    if check_in is None or enrolment is None or check_in.saved_at is None:
        return
    for seat in tell.coordinators(tx):
        _alert(tx, seat, check_in_id, enrolment.code)
    if check_in.saved_by and tx.now - check_in.saved_at >= REPEAT:
        tell.tell(
            tx,
            check_in.saved_by,
            "mentor.nobody_yet_call",
            {"lines": emergency_lines(tx)},
            priority=Priority.CRISIS,
        )
    tx.set_timer("crisis", check_in_id, tx.now + REPEAT)


def hold(tx: Tx, person_id: str, check_in_id: str) -> str:
    """A coordinator says 'I have it': the ladder ends, the mentor is told. Returns the case code."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.CRISIS_HOLD)
    check_in = tx.get(CheckIn, check_in_id, lock=True)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "") if check_in else None
    if check_in is None or enrolment is None:
        raise NotFound
    mine = f"crisis:{check_in_id}:{person_id}"
    if not any(t.kind == "crisis" for t in tx.timers_of(check_in_id)):
        if tx.first_time(mine):  # a colleague has it, or it was a false alarm: two must not both drive out
            raise AlreadyHandled
        return enrolment.code
    tx.first_time(mine)
    tx.clear_timer("crisis", check_in_id)
    tx.audit(AuditEntry(actor, Action.CRISIS_HOLD, f"check_in:{check_in_id}"))
    for seat in tell.coordinators(tx):
        if seat.person_id and seat.person_id != person_id:
            tell.quietly(tx, seat.person_id, _slot(check_in_id), "desk.crisis_held", {"code": enrolment.code})
    if check_in.saved_by:
        tell.tell(tx, check_in.saved_by, "mentor.crisis_held", priority=Priority.CRISIS)
    return enrolment.code


def emergency_lines(tx: Tx) -> str:
    """The emergency lines of the whole network, as they are said: '191 / 1669'."""
    return " / ".join(tx.directory.emergency_lines("")) or "—"


def false_alarm(tx: Tx, check_in_id: str, code: str) -> None:
    """The mentor took it back within the minute: say so to whoever was alerted, held already or not."""
    tx.clear_timer("crisis", check_in_id)
    slot, now = _slot(check_in_id), Priority.CRISIS
    for seat in tell.on_call(tx):
        if seat.person_id:
            tell.tell(tx, seat.person_id, "desk.false_alarm", {"code": code}, slot=slot, priority=now)


def _alert(tx: Tx, seat: Seat, check_in_id: str, code: str) -> None:
    if seat.person_id:
        tell.tell(
            tx,
            seat.person_id,
            "desk.crisis",
            {"code": code},
            buttons=((tell.press("button.i_have_it", "crisis.hold", check_in_id),),),
            slot=_slot(check_in_id),
            priority=Priority.CRISIS,
        )


def _slot(check_in_id: str) -> str:
    return f"crisis:{check_in_id}"
