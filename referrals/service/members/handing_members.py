"""A member goes to another mentor: asked, taken with a yes in the chat, and warm once they have met.

From the yes on the new mentor holds the keys and the former one none. Until somebody presses 'we have met'
both are reminded, and in the end the desk: a handover on paper is none. Nobody is given a member unasked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals.access import Action, allow
from referrals.errors import CannotTakeOn, NotFound, StaleButton, WrongStage
from referrals.members import Enrolment, EnrolmentState, HandOver, Part
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import tell
from referrals.service.members import enrolments, mentoring

ANSWER_WITHIN = timedelta(days=3)
REMIND_EVERY = timedelta(days=3)
DESK_AFTER = timedelta(days=21)  # not met by then: the desk hears of it, once
TIMER = "hand_over"


def hand_over(tx: Tx, actor: Actor, enrolment: Enrolment, to_seat: str, part: Part = Part.MENTOR) -> HandOver:
    """Ask another mentor; the caller has passed a door. CannotTakeOn; WrongStage for a member who left.

    Asked anew, an earlier question that nobody has answered is taken back.
    """
    allow(actor, Action.MEMBER_HAND_OVER)
    if enrolment.state is EnrolmentState.LEFT:
        raise WrongStage
    held = enrolment.mentor_seat if part is Part.MENTOR else enrolment.backup_seat
    if to_seat in (held, enrolment.mentor_seat):
        raise CannotTakeOn
    seat = mentoring.demand(tx, mentoring.wish_of(enrolment), to_seat, enrolment)
    if seat.person_id == actor.person_id:
        raise CannotTakeOn  # a yes to oneself is none: nobody takes a member from whoever has them
    for earlier in waiting(tx, enrolment, part):
        _take_back(tx, earlier)
    row = HandOver(tx.new_id(), enrolment.id, part, held, seat.id, actor.person_id, tx.now)
    tx.add(row)
    tx.audit(AuditEntry(actor, Action.MEMBER_HAND_OVER, f"enrolment:{enrolment.id}", f"{part} asked"))
    tx.set_timer(TIMER, row.id, tx.now + ANSWER_WITHIN)
    assert seat.person_id is not None  # `demand` has seen somebody there
    yes, no = tell.press("button.yes", "hand.yes", row.id), tell.press("button.no", "hand.no", row.id)
    tell.tell(
        tx, seat.person_id, f"member.asked_{part}", {"code": enrolment.code}, buttons=((yes,), (no,)),
        slot=slot(row.id),
    )  # fmt: skip
    return row


def yes(tx: Tx, person_id: str, row_id: str) -> Enrolment:
    """'Yes, I take it on': keys and questions go over in this turn. Pressed twice it is one yes.

    NotFound for others, StaleButton when it was taken back, CannotTakeOn when there is no room any more.
    """
    row, enrolment, actor = _asked(tx, person_id, row_id)
    if row.taken_at is not None:
        return enrolment
    if row.refused_at is not None or enrolment.state is EnrolmentState.LEFT:
        raise StaleButton
    mentoring.demand(tx, mentoring.wish_of(enrolment), row.to_seat, enrolment)
    taken = tx.save(replace(row, taken_at=tx.now))
    if row.part is Part.BACKUP:
        after = replace(enrolment, backup_seat=row.to_seat)
        tx.clear_timer(TIMER, row.id)
    else:
        backup = None if enrolment.backup_seat == row.to_seat else enrolment.backup_seat
        after = replace(
            enrolment, mentor_seat=row.to_seat, backup_seat=backup, stand_in_seat=None, stand_in_until=None
        )
        tx.set_timer(TIMER, row.id, tx.now + REMIND_EVERY)
    saved = enrolments.change(tx, actor, after, Action.MEMBER_HAND_OVER, f"{row.part} taken")
    _tell_asker(tx, taken, saved, f"member.taken_{row.part}")
    if row.part is Part.MENTOR and saved.backup_seat is None:
        propose_backup(tx, saved)
    return saved


def no(tx: Tx, person_id: str, row_id: str) -> Enrolment:
    """'Not now': whoever asked hears so; another backup is asked, if there is one."""
    row, enrolment, actor = _asked(tx, person_id, row_id)
    if row.taken_at is not None:
        raise StaleButton
    if row.refused_at is None:
        _end(tx, row, actor, "refused")
        _go_on(tx, row, enrolment)
    return enrolment


def met(tx: Tx, person_id: str, row_id: str) -> Enrolment:
    """'We have met', by either of the two: nobody is reminded any more."""
    row = tx.get(HandOver, row_id, lock=True)
    enrolment = tx.get(Enrolment, row.enrolment_id) if row is not None else None
    if row is None or enrolment is None or row.taken_at is None or person_id not in _both(tx, row):
        raise NotFound
    if row.met_at is None:
        tx.save(replace(row, met_at=tx.now))
        tx.clear_timer(TIMER, row.id)
        actor = Actor(person_id, Role.MENTOR)
        tx.audit(AuditEntry(actor, Action.MEMBER_HAND_OVER, f"enrolment:{enrolment.id}", "met"))
        for other in _both(tx, row) - {person_id}:
            tell.quietly(tx, other, slot(row.id), "member.met")
    return enrolment


def due(tx: Tx, row_id: str) -> None:
    """Timer: nobody has answered, or they have not met yet."""
    row = tx.get(HandOver, row_id, lock=True)
    enrolment = tx.get(Enrolment, row.enrolment_id, lock=True) if row is not None else None
    if row is None or enrolment is None or row.met_at is not None or row.refused_at is not None:
        return
    if row.taken_at is None:
        asked = mentoring.holder_of(tx, row.to_seat)
        _end(tx, row, SYSTEM, "not answered")
        if asked:
            tell.quietly(tx, asked, slot(row.id), "")
        _go_on(tx, row, enrolment)
    elif enrolment.state is not EnrolmentState.LEFT:
        _remind(tx, row, enrolment)


def ended_with(tx: Tx, enrolment: Enrolment) -> None:
    """A member has left: nobody is asked to take them on any more."""
    for row in waiting(tx, enrolment):
        _take_back(tx, row)


def propose_backup(tx: Tx, enrolment: Enrolment) -> HandOver | None:
    """Ask the mentor who fits best and has not said no; the desk hears where nobody is left."""
    refused = {
        row.to_seat
        for row in tx.find(HandOver, enrolment_id=enrolment.id, part=Part.BACKUP)
        if row.refused_at is not None
    }
    found = mentoring.proposals(tx, mentoring.wish_of(enrolment), enrolment, refused)
    if found:
        return hand_over(tx, SYSTEM, enrolment, found[0].seat_id, Part.BACKUP)
    tell_desk(tx, "desk.no_backup", enrolment.code)
    return None


def waiting(tx: Tx, enrolment: Enrolment, part: Part | None = None) -> list[HandOver]:
    """What was asked about a member and has no answer yet."""
    rows = tx.find(HandOver, enrolment_id=enrolment.id, taken_at=None, refused_at=None)
    return [row for row in rows if part in (None, row.part)]


def tell_desk(tx: Tx, text: str, code: str) -> None:
    """Whoever is on call hears of a member whom nobody looks after well enough."""
    page = ((tell.page_button("button.look", "newcomer"),),)
    for seat in tell.on_call(tx):
        if seat.person_id:
            tell.tell(tx, seat.person_id, text, {"code": code}, buttons=page, slot=f"desk:{code}")


def slot(row_id: str) -> str:
    """The place in both chats of what is said about a handover."""
    return f"hand:{row_id}"


def _asked(tx: Tx, person_id: str, row_id: str) -> tuple[HandOver, Enrolment, Actor]:
    """The question, for whoever sits on the post that was asked; the enrolment locked first."""
    found = tx.get(HandOver, row_id)
    enrolment = tx.get(Enrolment, found.enrolment_id, lock=True) if found is not None else None
    row = tx.get(HandOver, row_id, lock=True)
    seat = tx.get(Seat, row.to_seat) if row is not None else None
    if row is None or enrolment is None or seat is None or seat.person_id != person_id:
        raise NotFound
    actor = Actor(person_id, Role.MENTOR, seat.organization_id)
    allow(actor, Action.MEMBER_HAND_OVER)
    return row, enrolment, actor


def _both(tx: Tx, row: HandOver) -> set[str]:
    people = (mentoring.holder_of(tx, row.from_seat), mentoring.holder_of(tx, row.to_seat))
    return {person_id for person_id in people if person_id}


def _remind(tx: Tx, row: HandOver, enrolment: Enrolment) -> None:
    assert row.taken_at is not None  # `due` has looked
    button: Keyboard = ((tell.press("button.we_have_met", "hand.met", row.id),),)
    for person_id in sorted(_both(tx, row)):
        tell.tell(
            tx, person_id, "member.have_you_met", {"code": enrolment.code}, buttons=button, slot=slot(row.id)
        )
    tx.audit(AuditEntry(SYSTEM, Action.MEMBER_HAND_OVER, f"enrolment:{enrolment.id}", "reminded"))
    if tx.now - row.taken_at < DESK_AFTER:
        tx.set_timer(TIMER, row.id, tx.now + REMIND_EVERY)
    else:
        tell_desk(tx, "desk.not_met", enrolment.code)


def _tell_asker(tx: Tx, row: HandOver, enrolment: Enrolment, text: str) -> None:
    """Whoever asked, and whoever had the part until now, who is to introduce the two."""
    former = mentoring.holder_of(tx, row.from_seat)
    met_button: Keyboard = ()
    if row.part is Part.MENTOR and row.taken_at is not None:
        met_button = ((tell.press("button.we_have_met", "hand.met", row.id),),)
    for person_id in sorted({row.asked_by, former or ""} - {"", SYSTEM.person_id}):
        buttons = met_button if person_id == former else ()
        tell.tell(tx, person_id, text, {"code": enrolment.code}, buttons=buttons, slot=slot(row.id))


def _go_on(tx: Tx, row: HandOver, enrolment: Enrolment) -> None:
    """After a no: another backup is asked by itself, another mentor only by whoever asked."""
    if row.part is Part.BACKUP and row.asked_by == SYSTEM.person_id:
        propose_backup(tx, enrolment)
    else:
        _tell_asker(tx, replace(row, taken_at=None), enrolment, "member.not_taken")


def _take_back(tx: Tx, row: HandOver) -> None:
    """Another one is asked instead."""
    _end(tx, row, SYSTEM, "taken back")
    asked = mentoring.holder_of(tx, row.to_seat)
    if asked:
        tell.quietly(tx, asked, slot(row.id), "")


def _end(tx: Tx, row: HandOver, by: Actor, detail: str) -> None:
    tx.save(replace(row, refused_at=tx.now))
    tx.clear_timer(TIMER, row.id)
    tx.audit(AuditEntry(by, Action.MEMBER_HAND_OVER, f"enrolment:{row.enrolment_id}", f"{row.part} {detail}"))
