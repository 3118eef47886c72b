"""When partner and person meet: set, reminded of, kept or missed, and what comes after a missed one.

The person's chat carries the time and never a place; the partner's carries neither, so that no two phones
tell the same moment. Somebody who did not come is asked kindly what was in the way, and a new time is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

from referrals import schedule, turns
from referrals.access import Action
from referrals.casework import Appointment, AppointmentState
from referrals.errors import BadAnswer, NoConsent, NotFound, TurnOver, WrongStage
from referrals.lifecycle import HELD, TRYING
from referrals.model import AuditEntry, Offer, OfferStage, Referral, Stage
from referrals.persons import Person
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, tell
from referrals.service.help import working
from referrals.service.matter import asked, sharing
from referrals.service.turns import beginning

SOON, AFTER, NEXT = "appointment_soon", "appointment_after", "appointment_next"
GOING = (*HELD, Stage.REPORTED, Stage.DISPUTED)  # what was set is still spoken of
MOST = 10  # that are still to come, in one matter
TWICE = 2  # missed one after the other: somebody else looks, too
_STATE = AppointmentState


def make(tx: Tx, person_id: str, offer_id: str, at: datetime) -> Appointment:
    """A worker sets a time; the same one again is the same appointment. BadAnswer for the past."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_APPOINT)
    if referral.stage not in HELD:
        raise WrongStage
    if not sharing.readable(tx, referral):
        raise NoConsent  # whoever may not work on meets nobody
    if not beginning.reaches(tx, referral):
        raise WrongStage  # nor does whoever could not write where
    coming = [a for a in of(tx, offer.id) if a.state is _STATE.SET and a.at > tx.now]
    for each in coming:
        if each.at == at:
            return each
    if not tx.now < at <= tx.now + turns.FARTHEST or len(coming) >= MOST:
        raise BadAnswer
    made = Appointment(tx.new_id(), referral.id, offer.id, at, person_id, tx.now)
    tx.add(made)
    tx.audit(AuditEntry(actor, Action.SERVICE_APPOINT, f"offer:{offer.id}", "set"))
    for missed in of(tx, offer.id):
        tx.clear_timer(NEXT, missed.id)  # here is the new time that was owed
    _remind_later(tx, referral, made)
    tx.set_timer(AFTER, made.id, at + turns.ASK_AFTER)
    _tell_person(tx, referral, made, "matter.appointment", coming_or_not(tx, referral, made))
    return made


def moment_of(tx: Tx, person_id: str, text: str) -> datetime:
    """'2026-11-30T14:30' by somebody's own clock. BadAnswer for anything else."""
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer from None
    if wall.tzinfo is not None:
        raise BadAnswer
    zone = schedule.known_zone(doors.person_by_id(tx, person_id).timezone)
    return schedule.instant_of(date(wall.year, wall.month, wall.day), wall.time().replace(second=0), zone)


def of(tx: Tx, offer_id: str) -> list[Appointment]:
    """The appointments of one turn, in their order."""
    return sorted(tx.find(Appointment, offer_id=offer_id), key=lambda a: (a.at, a.id))


def call_off(tx: Tx, person_id: str, offer_id: str, turn: str) -> Referral:
    """The partner cannot after all: the person hears so at once."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_APPOINT)
    found = find(tx, offer.id, turn, asked.partner_mark)
    if referral.stage not in GOING:
        raise TurnOver
    if found.state is _STATE.CALLED_OFF:
        return referral
    if found.state is not _STATE.SET or found.at <= tx.now:
        raise TurnOver
    tx.audit(AuditEntry(actor, Action.SERVICE_APPOINT, f"offer:{offer.id}", "called off"))
    asked.end_date(tx, referral, found, aloud=True)
    tx.set_timer(NEXT, found.id, tx.now + turns.NEW_TIME)
    return referral


def happened(tx: Tx, person_id: str, offer_id: str, turn: str, kept: bool) -> Referral:
    """A worker says afterwards whether they met. A slip can be put right while the matter is theirs."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_APPOINT)
    found = find(tx, offer.id, turn, asked.partner_mark)
    state = _STATE.KEPT if kept else _STATE.MISSED
    if found.state is state:
        return referral
    if found.state is _STATE.CALLED_OFF or found.at > tx.now or referral.stage not in GOING:
        raise TurnOver
    after = tx.save(replace(found, state=state))
    tx.audit(AuditEntry(actor, Action.SERVICE_APPOINT, f"offer:{offer.id}", state.value))
    tx.clear_timers(found.id)
    if not kept:
        _missed(tx, referral, after)
        return doors.referral_by_id(tx, referral.id)
    place = asked.date_slot(tx, after)
    tell.quietly(tx, referral.author_id, place, "matter.asked_over", {"code": referral.code})
    if referral.stage in TRYING:
        return working.contacted(tx, person_id, offer_id)
    return referral


def soon(tx: Tx, appointment_id: str) -> None:
    """Timer: the day before, and two hours before."""
    found, referral = _standing(tx, appointment_id)
    if found is None or referral is None or found.state is not _STATE.SET or found.at <= tx.now:
        return
    person = tx.get(Person, referral.author_id)
    if person is not None and person.reminders:
        buttons = coming_or_not(tx, referral, found)
        _tell_person(tx, referral, found, "matter.appointment_soon", buttons, once=True)
    _remind_later(tx, referral, found)


def after(tx: Tx, appointment_id: str) -> None:
    """Timer: did they come? Asked after an hour, and once more after two days; then the heartbeat goes on."""
    found, referral = _standing(tx, appointment_id)
    if found is None or referral is None or found.state is not _STATE.SET:
        return
    tell_partner(tx, referral, found, "worker.did_they_come", came_or_not(tx, found))
    if tx.now < found.at + turns.ASK_AGAIN:
        tx.set_timer(AFTER, found.id, found.at + turns.ASK_AGAIN)


def chase(tx: Tx, appointment_id: str) -> None:
    """Timer: a week after somebody could not come, and no new time: the worker is asked for one."""
    found, referral = _standing(tx, appointment_id)
    if found is None or referral is None:
        return
    tell_partner(tx, referral, found, "worker.new_time_owed", ())


def find(tx: Tx, offer_id: str, turn: str, mark: Callable[[Tx, str], str]) -> Appointment:
    """The appointment of this turn with that mark; NotFound where there is none."""
    for each in of(tx, offer_id) if offer_id else ():
        if mark(tx, each.id) == turn:
            return each
    raise NotFound


def _standing(tx: Tx, appointment_id: str) -> tuple[Appointment | None, Referral | None]:
    """The appointment and its matter, if its partner still has it; what it has no more is called off."""
    found = tx.get(Appointment, appointment_id)
    if found is None:
        return None, None
    referral = doors.referral_by_id(tx, found.referral_id)
    offer = tx.get(Offer, found.offer_id)
    holds = offer is not None and offer.stage is OfferStage.ACCEPTED and referral.offer_id == offer.id
    if holds and referral.stage in HELD and sharing.readable(tx, referral):
        return found, referral
    if found.state is _STATE.SET and found.at > tx.now:
        asked.end_date(tx, referral, found, aloud=bool(referral.author_id))
    return None, None


def _remind_later(tx: Tx, referral: Referral, appointment: Appointment) -> None:
    person = tx.get(Person, referral.author_id)
    if person is None:
        return

    def allowed(at: datetime) -> datetime | None:
        return schedule.next_allowed(
            person.window, person.timezone, at, person.quiet_from, person.quiet_to, person.days
        )

    due = turns.next_reminder(appointment.at, tx.now, allowed)
    if due is not None:
        tx.set_timer(SOON, appointment.id, due)


def _missed(tx: Tx, referral: Referral, missed: Appointment) -> None:
    """Nobody is scolded: were you there, what was in the way; twice in a row somebody else looks, too."""
    tx.set_timer(NEXT, missed.id, tx.now + turns.NEW_TIME)
    again = turns.missed_in_a_row(of(tx, missed.offer_id)) >= TWICE
    text = "matter.missed_member" if again and referral.by_word else "matter.missed"
    told = _tell_person(tx, referral, missed, text, there_or_not(tx, referral, missed))
    if again and not (referral.by_word and told):
        working.escalate(tx, referral, "desk.no_shows")


def coming_or_not(tx: Tx, referral: Referral, found: Appointment) -> Keyboard:
    """The person's answers before a set time."""
    return _say(tx, referral, found, {"button.can_come": "coming", "button.cannot_come": "cannot"})


def there_or_not(tx: Tx, referral: Referral, found: Appointment) -> Keyboard:
    """The person's answers after one at which they were missed."""
    return _say(tx, referral, found, {"button.was_there": "there", "button.was_not_there": "absent"})


def came_or_not(tx: Tx, found: Appointment) -> Keyboard:
    """The worker's answers after a set time."""
    turn = asked.partner_mark(tx, found.id)
    said = ("kept", "missed")
    return tell.column(tell.press(f"button.meet_{s}", "meet.how", found.offer_id, turn, s) for s in said)


def _say(tx: Tx, referral: Referral, found: Appointment, words: Mapping[str, str]) -> Keyboard:
    turn = asked.mark(tx, found.id)
    said = [tell.press(label, "meet.say", referral.id, turn, word) for label, word in words.items()]
    return tell.column([*said, tell.page_button("button.open", f"matter/{referral.id}")])


def _tell_person(
    tx: Tx, referral: Referral, found: Appointment, text: str, buttons: Keyboard, *, once: bool = False
) -> bool:
    words, place = {"code": referral.code, "at": tell.iso(found.at)}, asked.date_slot(tx, found)
    until = found.at if once else None
    return tell.tell(tx, referral.author_id, text, words, buttons=buttons, slot=place, expires_at=until)


def tell_partner(tx: Tx, referral: Referral, found: Appointment, text: str, ask: Keyboard) -> None:
    """By the partner's own code, without the time: whoever holds the matter, else the desk."""
    there = tell.partners(tx, referral)
    text = complaints.said(tx, referral, text)
    offer = tx.get(Offer, found.offer_id)
    for person_id in there if offer is not None else ():
        assert offer is not None  # else nobody is there
        opens = (tell.page_button("button.open", f"matter/{offer.id}"),)
        slot = f"{tell.offer_slot(offer.id)}:{asked.partner_mark(tx, found.id)}"
        tell.tell(tx, person_id, text, {"code": offer.code}, buttons=(*ask, opens), slot=slot)
    if not there:
        tell.tell_desk(tx, "desk.no_news", referral)
