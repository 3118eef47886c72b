"""When a member's contact is due next, and what ends the asking: an answer, a pause, a farewell.

The asking itself is in `reminding.py`, whose timers these verbs set and clear. One rule for both: nobody is
asked about what is done, whoever did it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from referrals import rhythm, schedule
from referrals.access import Action
from referrals.members import ELSEWHERE, LET_GO, CheckIn, CheckInKind, Enrolment, EnrolmentState
from referrals.model import SYSTEM, AuditEntry, Role
from referrals.persons import Seat, Switch
from referrals.ports import Tx
from referrals.rhythm import Rhythm
from referrals.service.common import tell
from referrals.service.matter import member_keys
from referrals.service.members import programmes, tries

DUE, MISSED = "check_in", "check_in_missed"  # timers: of an enrolment, and of a check-in that is open
RHYTHM = "rhythm"  # timer of an enrolment: work it out anew
UNREACHED, UNREACHED_DESK = "unreached", "unreached_desk"  # timers of an enrolment
AGAIN = timedelta(hours=24)  # from one rung of a ladder to the next, in the reader's own allowed hours
TOLD_FOR = timedelta(days=14)  # so long the desk's message about a missed contact may stand or wait
IN_A_ROW = 3  # 'could not reach', before somebody else is asked
AFTER_UNDO = timedelta(seconds=61)  # what may still be taken back tells nobody

RHYTHM_FROM = date(2024, 1, 1)
SPREAD = 28  # days over which members are spread


def rhythm_of(tx: Tx, enrolment: Enrolment) -> Rhythm:
    """The contact's rhythm: the phase's, with the member's own days, time, zone, and the holidays."""
    programme = programmes.of(tx, enrolment)
    phase = programme.phase(enrolment.phase)
    # A fixed anchor, so that an outage never shifts the rhythm; the code spreads members over the days.
    anchor = RHYTHM_FROM + timedelta(days=sum(enrolment.code.encode()) % SPREAD)
    return Rhythm(
        phase.every,
        enrolment.at or phase.at,
        schedule.known_zone(enrolment.timezone),
        anchor,
        enrolment.days,
        holidays=programmes.holidays(tx, programme),
    )


def schedule_next(tx: Tx, enrolment: Enrolment, after: datetime | None = None) -> datetime:
    """Set the timer of the next reminder; `after`: not before then. The one that stood is moved."""
    tell_of_zone(tx, enrolment.timezone)
    due = rhythm.next_due(rhythm_of(tx, enrolment), max(tx.now, after or tx.now))
    tx.set_timer(DUE, enrolment.id, due)
    return due


def follow(tx: Tx, enrolment_id: str) -> None:
    """Timer: something about a member has changed. Whoever is there is in rhythm, for others all rests."""
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        return
    if enrolment.active:
        schedule_next(tx, enrolment)
    else:
        stop_all(tx, enrolment)


def begin_anew(tx: Tx) -> None:
    """After a clock that was ahead was set right: every rhythm is worked out once more, each in its turn."""
    active = tx.find(Enrolment, state=EnrolmentState.ACTIVE)
    tx.set_timers((RHYTHM, enrolment.id, tx.now) for enrolment in active)


def answered(tx: Tx, check_in: CheckIn, *, reached: bool = True) -> None:
    """A contact was written down: whatever asked for it ends. The caller has settled its own message.

    Every open question about the same member is done with it, in every chat, without a sound. `reached` is
    False for 'could not reach'; three of those in a row are passed on (`reminding.unreached`).
    """
    tx.clear_timer(MISSED, check_in.id)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "")
    if enrolment is None or check_in.kind is not CheckInKind.MEMBER:
        return
    for other in open_of(tx, enrolment):
        if other.id != check_in.id and other.kind is check_in.kind and is_about(other, check_in, enrolment):
            let_go(tx, other, "answered otherwise", ELSEWHERE)
            for person_id in sorted(member_keys.people_of(tx, enrolment)):
                tell.quietly(tx, person_id, slot(other.id), "mentor.done_by_other")
    for other in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None, missed=True):
        if tx.now - other.due_at < TOLD_FOR and is_about(other, check_in, enrolment):
            _settle_desk(tx, enrolment, slot(other.id))
    if check_in.missed:
        _settle_desk(tx, enrolment, slot(check_in.id))
    _count(tx, enrolment, check_in, reached)


def is_about(asked: CheckIn, made: CheckIn, enrolment: Enrolment) -> bool:
    """Whether a contact was the one that is asked for: made the day before it was due, or later."""
    due = schedule.local(asked.due_at, enrolment.timezone).date()
    return made.day is None or made.day >= due - timedelta(days=1)


def undone(tx: Tx, check_in: CheckIn) -> None:
    """What was written down was taken back: it is asked for again, a day later and not at once."""
    if check_in.kind in (CheckInKind.MEMBER, CheckInKind.OWN):
        tx.set_timer(MISSED, check_in.id, tx.now + AGAIN)


def taken_back(tx: Tx, check_in: CheckIn) -> None:
    """A contact was none: what it had ended is asked for again, and the tries in vain count as before it."""
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "")
    if enrolment is None or check_in.kind is not CheckInKind.MEMBER:
        return
    tries.taken_back(tx, enrolment.id, check_in.id)
    others = [c for c in tx.find(CheckIn, enrolment_id=enrolment.id) if c.id != check_in.id]
    made = [c.saved_at for c in others if c.saved_at is not None and c.kind is CheckInKind.MEMBER]
    for other in others:
        ended = other.saved_at is None and not other.missed and other.step == ELSEWHERE
        if ended and enrolment.active and all(other.due_at > saved_at for saved_at in made):
            again = tx.save(replace(other, step=1))
            tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"check_in:{again.id}", "waits again"))
            undone(tx, again)


def stop_all(tx: Tx, enrolment: Enrolment) -> None:
    """No reminder of this member any more: what waits is dropped, and what was asked leaves the chats."""
    for kind in (DUE, UNREACHED, UNREACHED_DESK):
        tx.clear_timer(kind, enrolment.id)
    people = member_keys.people_of(tx, enrolment)
    for check_in in open_of(tx, enrolment):
        let_go(tx, check_in, "stopped")
        for person_id in sorted({*people, check_in.asked_of or ""} - {""}):
            tell.quietly(tx, person_id, slot(check_in.id), "")


def let_go(tx: Tx, check_in: CheckIn, why: str, step: int = LET_GO) -> CheckIn:
    """Nobody is asked for this one any more, and nothing is missed."""
    tx.clear_timer(MISSED, check_in.id)
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"check_in:{check_in.id}", why))
    return tx.save(replace(check_in, step=step))


def open_of(tx: Tx, enrolment: Enrolment) -> list[CheckIn]:
    """Check-ins of this member that nobody answered and that somebody is still asked for."""
    return [c for c in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None, missed=False) if c.waits]


def slot(check_in_id: str) -> str:
    """The message in which a check-in stands in a chat."""
    return f"check:{check_in_id}"


def tell_of_zone(tx: Tx, timezone: str) -> None:
    """A zone that nobody knows any more: the network's is used, and the desk hears of it once."""
    if schedule.known_zone(timezone) == timezone or tx.get(Switch, f"zone:{timezone}") is not None:
        return
    tx.add(Switch(f"zone:{timezone}", on=True, since=tx.now, by=SYSTEM.person_id))
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"switch:zone:{timezone}", "unknown zone"))
    for seat in tell.on_call(tx):
        if seat.person_id:
            tell.tell(tx, seat.person_id, "desk.unknown_zone", {"zone": timezone})


def corrected(tx: Tx, check_in: CheckIn, *, reached: bool) -> None:
    """'Could not reach' was a slip, or should have been said: three in a row count as it stands now."""
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "")
    if enrolment is not None and check_in.kind is CheckInKind.MEMBER:
        newer = [c for c in tx.find(CheckIn, enrolment_id=enrolment.id) if _later(c, check_in)]
        if not reached and not newer:
            tries.taken_back(tx, enrolment.id, check_in.id)  # the row that it had ended goes on
        if reached or not newer:
            _count(tx, enrolment, check_in, reached)


def _later(other: CheckIn, check_in: CheckIn) -> bool:
    return (
        other.kind is CheckInKind.MEMBER
        and other.saved_at is not None
        and check_in.saved_at is not None
        and other.saved_at > check_in.saved_at
    )


def _count(tx: Tx, enrolment: Enrolment, check_in: CheckIn, reached: bool) -> None:
    before, now = tries.keep(tx, enrolment.id, check_in.id, reached)
    if now > before and now % IN_A_ROW == 0:
        tx.set_timer(UNREACHED, enrolment.id, tx.now + AFTER_UNDO)
    elif now < IN_A_ROW <= before:  # whoever was asked to try too need not any more
        for person_id in sorted(member_keys.people_of(tx, enrolment) - {check_in.saved_by}):
            tell.quietly(tx, person_id, tries_slot(enrolment), "mentor.done_by_other")
        _settle_desk(tx, enrolment, tries_slot(enrolment))


def tries_slot(enrolment: Enrolment) -> str:
    """Where 'three tries reached nobody' stands, with the backup mentor and with the desk."""
    return f"unreached:{enrolment.id}"


def _settle_desk(tx: Tx, enrolment: Enrolment, at: str) -> None:
    """What the desk was told about a member, or will be in the morning, is handled: without a sound."""
    for seat in tx.find(Seat, role=Role.COORDINATOR):
        if seat.person_id:
            tell.quietly(tx, seat.person_id, at, "desk.handled", {"code": enrolment.code})
