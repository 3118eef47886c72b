"""What a person says about a set time: they come, they cannot; after a missed one, what was in the way.

Nobody is scolded: whoever could not come is asked kindly, and whoever says that they were there is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from referrals import turns
from referrals.access import Action
from referrals.casework import Appointment, AppointmentState
from referrals.errors import BadAnswer, TurnOver
from referrals.model import AuditEntry, Referral
from referrals.persons import Person
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, tell
from referrals.service.help import appointments, threads, working
from referrals.service.matter import asked

EXPLAINED = "explained"  # `said`: what was in the way stands in the thread
_STATE = AppointmentState
_Verb = Callable[[Tx, str, Referral, Appointment, str], Appointment]


def answer(tx: Tx, person_id: str, referral_id: str, turn: str, word: str) -> Appointment:
    """The person's word: 'coming', 'cannot'; after a missed one 'there', 'absent', or what was in the way."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.APPOINTMENT_SAY)
    found = appointments.find(tx, referral.offer_id or "", turn, asked.mark)
    verb = _SAID.get(word, _explain if word in turns.IN_THE_WAY else None)
    if verb is None:
        raise BadAnswer
    if referral.stage not in appointments.GOING:
        raise TurnOver
    after = verb(tx, person_id, referral, found, word)
    if after is not found:
        tx.audit(AuditEntry(actor, Action.APPOINTMENT_SAY, f"referral:{referral.id}", after.said))
    return after


def _coming(tx: Tx, person_id: str, referral: Referral, found: Appointment, word: str) -> Appointment:
    _still_to_come(tx, found)
    _answer(tx, person_id, referral, found, "matter.coming_noted")
    return found if found.said == word else tx.save(replace(found, said=word))


def _cannot(tx: Tx, person_id: str, referral: Referral, found: Appointment, word: str) -> Appointment:
    if found.state is _STATE.CALLED_OFF and found.said == word:
        return found
    _still_to_come(tx, found)
    saved = tx.save(replace(found, state=_STATE.CALLED_OFF, said=word))
    tx.clear_timers(found.id)
    tx.set_timer(appointments.NEXT, found.id, tx.now + turns.NEW_TIME)
    appointments.tell_partner(tx, referral, found, "worker.cannot_come", ())
    _answer(tx, person_id, referral, found, "matter.cannot_noted")
    return saved


def _there(tx: Tx, person_id: str, referral: Referral, found: Appointment, word: str) -> Appointment:
    """Two say different things: nobody is blamed, and the desk looks."""
    _was_missed(found)
    if found.said == word:
        return found
    saved = tx.save(replace(found, said=word))
    tx.clear_timers(found.id)
    working.escalate(tx, referral, "desk.was_there")
    appointments.tell_partner(tx, referral, found, "worker.says_there", ())
    _answer(tx, person_id, referral, found, "matter.there_noted")
    return saved


def _absent(tx: Tx, person_id: str, referral: Referral, found: Appointment, word: str) -> Appointment:
    _was_missed(found)
    if found.said == EXPLAINED:
        return found
    turn = asked.mark(tx, found.id)
    ways = [tell.press(f"in_the_way.{w}", "meet.say", referral.id, turn, w) for w in turns.IN_THE_WAY]
    _answer(tx, person_id, referral, found, "matter.in_the_way", tell.column(ways))
    return found if found.said == word else tx.save(replace(found, said=word))


def _explain(tx: Tx, person_id: str, referral: Referral, found: Appointment, word: str) -> Appointment:
    """What was in the way goes to the partner in the thread, sealed like any other word of theirs."""
    _was_missed(found)
    if found.said == EXPLAINED:
        return found
    saved = tx.save(replace(found, said=EXPLAINED))
    if threads.carries(tx, referral):
        threads.write(tx, person_id, referral.id, _in_words(tx, person_id, referral, word))
    else:
        appointments.tell_partner(tx, referral, found, "worker.new_time_owed", ())
    _answer(tx, person_id, referral, found, "matter.in_the_way_noted")
    return saved


_SAID: Mapping[str, _Verb] = {"coming": _coming, "cannot": _cannot, "there": _there, "absent": _absent}


def _still_to_come(tx: Tx, found: Appointment) -> None:
    if found.state is not _STATE.SET or found.at <= tx.now:
        raise TurnOver


def _was_missed(found: Appointment) -> None:
    if found.state is not _STATE.MISSED:
        raise TurnOver


def _in_words(tx: Tx, person_id: str, referral: Referral, word: str) -> str:
    """In the person's language, and in the reader's where that is another one."""
    own = doors.person_by_id(tx, person_id).language
    helper = tx.get(Person, referral.accepted_by or "")
    languages = dict.fromkeys((own, helper.language if helper and helper.language else own))
    key = f"missed_because.{word}"
    return "\n".join(tx.catalogue.words(key, language) for language in languages)


def _answer(
    tx: Tx, person_id: str, referral: Referral, found: Appointment, text: str, buttons: Keyboard = ()
) -> None:
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    words = {"code": referral.code, "at": tell.iso(found.at)}
    text = complaints.said(tx, referral, text)
    tell.answer(tx, person_id, text, words, buttons=buttons or opens, slot=asked.date_slot(tx, found))
