"""What an alarm says, to whom, and where it stands in a chat; and the one way to load it."""

from __future__ import annotations

from referrals.errors import NotFound
from referrals.members import Crisis, Danger, Enrolment
from referrals.model import DataClass, Role
from referrals.ports import Tx
from referrals.said import Button, Keyboard, Priority
from referrals.service.common import emergency, tell
from referrals.service.matter import member_keys
from referrals.service.request import needs

NOW = Priority.CRISIS


def alert(tx: Tx, person_id: str, crisis: Crisis, enrolment: Enrolment) -> bool:
    text = "desk.crisis_now" if crisis.danger is Danger.YES else "desk.crisis"
    text = text if enrolment.mentor_seat else "desk.crisis_alone"
    text = "desk.crisis_number" if has_number(tx, crisis) else text
    buttons = holders_buttons(crisis) if crisis.held_by == person_id else to_take(crisis)
    slot = slot_of(crisis)
    code = {"code": enrolment.code}
    return tell.tell(tx, person_id, text, code, buttons=buttons, slot=slot, priority=NOW)


def tell_asker(tx: Tx, crisis: Crisis, enrolment: Enrolment, text: str) -> None:
    """How it stands, for whoever raised it; and, where they look after the member no more, for who does."""
    there = member_keys.people_of(tx, enrolment) | {enrolment.person_id}
    theirs = crisis.raised_by in there
    others = () if theirs else member_keys.mentors_of(tx, enrolment)[:1]
    for person_id in (crisis.raised_by, *others):
        shown = {"lines": emergency.for_person(tx, person_id, enrolment), "code": enrolment.code}
        buttons = (*_to_leave(tx, crisis, enrolment), (false_alarm_button(crisis),)) if theirs else ()
        tell.tell(tx, person_id, text, shown, buttons=buttons, slot=askers_slot(crisis), priority=NOW)


def tell_held(tx: Tx, crisis: Crisis, enrolment: Enrolment) -> None:
    """A coordinator has it. Nobody promises a call that nobody can make."""
    if enrolment.mentor_seat and not about_oneself(crisis, enrolment):
        tell_asker(tx, crisis, enrolment, "mentor.crisis_held")
        return
    text, shown, ways = _to_oneself(tx, crisis, enrolment)
    slot = askers_slot(crisis)
    tell.tell(tx, crisis.raised_by, text, shown, buttons=ways, slot=slot, priority=NOW)


def stands(tx: Tx, crisis: Crisis, enrolment: Enrolment) -> None:
    """A number was left or taken back: what stands in that person's chat says so, without a sound."""
    text, shown, ways = _to_oneself(tx, crisis, enrolment)
    tell.quietly(tx, crisis.raised_by, askers_slot(crisis), text, shown, ways)


def _to_oneself(tx: Tx, crisis: Crisis, enrolment: Enrolment) -> tuple[str, dict[str, str], Keyboard]:
    """How it stands, for somebody whose alarm is about themselves."""
    number, alone = has_number(tx, crisis), not enrolment.mentor_seat
    if crisis.held_by is None:
        text = "own.number_left" if number else "own.number_gone"
    elif number:
        text = "own.crisis_held_call"
    else:
        text = "own.crisis_held" if alone else "own.crisis_held_mentor"
    shown = {"lines": emergency.for_person(tx, crisis.raised_by, enrolment)}
    ways = needs.ways_of(tx, Role.FAMILY) if alone and not number else ()
    return text, shown, (*_to_leave(tx, crisis, enrolment), *ways, (false_alarm_button(crisis),))


def about_oneself(crisis: Crisis, enrolment: Enrolment) -> bool:
    """Whether whoever raised it is the one whom it is about, on their own phone."""
    return crisis.raised_by == enrolment.person_id


def has_number(tx: Tx, crisis: Crisis) -> bool:
    """Whether a way to be called was left with it (`alarm_numbers.py`)."""
    return tx.sealed_exists(crisis.record, DataClass.CONTACT)


def leave_button(crisis: Crisis) -> Button:
    """To the page on which a number is written; no chat carries one."""
    return tell.page_button("button.leave_number", f"number/{crisis.id}")


def _to_leave(tx: Tx, crisis: Crisis, enrolment: Enrolment) -> Keyboard:
    return ((leave_button(crisis),),) if about_oneself(crisis, enrolment) else ()


def woken(tx: Tx, crisis: Crisis) -> list[str]:
    """Whoever hears what is new of an open alarm: its holder, else those woken who are still there."""
    there = {seat.person_id for seat in tell.coordinators(tx)}
    return [crisis.held_by] if crisis.held_by else [person for person in crisis.told if person in there]


def slot_of(crisis: Crisis) -> str:
    """Where the alert stands in a coordinator's chat."""
    return f"crisis:{crisis.id}"


def askers_slot(crisis: Crisis) -> str:
    """Where what became of it stands in the chat of whoever raised it."""
    return f"alarm:{crisis.id}"


def false_alarm_button(crisis: Crisis) -> Button:
    return tell.press("button.false_alarm", "danger.false", crisis.id)


def holders_buttons(crisis: Crisis) -> Keyboard:
    """What helps whoever has it: the page about this member, and its end."""
    return tell.column(
        (
            tell.page_button("button.look", f"safety/{crisis.enrolment_id}"),
            tell.press("button.handled", "crisis.handled", crisis.id),
            tell.press("button.let_go", "crisis.let_go", crisis.id),
        )
    )


def to_take(crisis: Crisis) -> Keyboard:
    return ((tell.press("button.i_have_it", "crisis.hold", crisis.id),),)


def locked(tx: Tx, crisis_id: str) -> Crisis:
    """The alarm, its member locked first: the order in which everything here locks."""
    found = tx.get(Crisis, crisis_id)
    if found is not None:
        tx.get(Enrolment, found.enrolment_id, lock=True)
        found = tx.get(Crisis, crisis_id, lock=True)
    if found is None:
        raise NotFound
    return found


def enrolment_of(tx: Tx, crisis: Crisis) -> Enrolment:
    """The member whom an alarm is about."""
    enrolment = tx.get(Enrolment, crisis.enrolment_id)
    if enrolment is None:
        raise NotFound
    return enrolment
