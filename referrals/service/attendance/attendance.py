"""A confirmation of attendance, sent by the member it is about, and the member's yes where a body asks.

On how many days somebody was there in a period, on which day that was written, a number of their own: nothing
else, and not what they came to. Why nothing was sent, the person and the desk can read, and nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from referrals import confirmations
from referrals.access import Action, allow
from referrals.casework import Confirmation, ConfirmationState
from referrals.catalogue import Pathway
from referrals.directory import Organization
from referrals.errors import NotFound, TooLong, WrongStage
from referrals.members import Enrolment, EnrolmentState, WordReceipt
from referrals.model import (
    NETWORK,
    SYSTEM,
    Actor,
    AuditEntry,
    DataClass,
    Record,
    Role,
    organization_holder,
    person_holder,
)
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.common import tell
from referrals.service.matter import reading
from referrals.service.members import linking
from referrals.service.programme import meetings
from referrals.service.turns import after_help

DECIDE = "attendance_decide"  # the timer: what is sent, or dropped
OVER = "attendance_over"  # the timer: what was sent is read no longer
UNSENT = timedelta(days=7)  # so long what was begun waits for its yes
KEPT_FOR = timedelta(days=90)  # after its answer; the pathway says so too
LIMIT = 80  # characters of a code or a reference
SEALED = DataClass.IDENTITY
TYPED, CAME, MADE, REFERENCE = "typed", "came", "made", "reference"


# -- the member sends ---------------------------------------------------------------------------------


def begin(tx: Tx, person_id: str, organization_id: str, choice: str) -> Confirmation:
    """'Send my confirmation to …': it waits for the yes to its words. Begun twice it is one."""
    return start(tx, *own(tx, person_id), organization_id, choice)


def start(
    tx: Tx, actor: Actor, enrolment: Enrolment, organization_id: str, choice: str, language: str = ""
) -> Confirmation:
    """The same behind its door. `language`: it is to be read out in that one (attendance_by_word.py)."""
    person_id = actor.person_id
    tx.get(Enrolment, enrolment.id, lock=True)  # the same press twice at once: one after the other
    organization = tx.directory.organizations.get(organization_id)
    if organization is None or organization not in receivers(tx):
        raise NotFound
    first_on, last_on = confirmations.period(choice, local(tx.now, enrolment.timezone).date())
    for found in tx.find(Confirmation, enrolment_id=enrolment.id, organization_id=organization_id):
        begun = found.state is ConfirmationState.WAITING and found.asked_by == person_id and not found.by_body
        if begun and (found.first_on, found.last_on) == (first_on, last_on):
            return found
    new = Confirmation(
        id=tx.new_id(),
        organization_id=organization_id,
        enrolment_id=enrolment.id,
        asked_by=person_id,
        by_body=False,
        first_on=first_on,
        last_on=last_on,
        asked_at=tx.now,
        answer_at=tx.now + UNSENT,
        language=language,
    )
    tx.add(new)
    tx.seal(new.record, SEALED, REFERENCE, "", [person_holder(person_id)])
    tx.set_timer(DECIDE, new.id, new.answer_at)
    note(tx, actor, Action.CONSENT_WORD if new.by_word else Action.ATTENDANCE_SEND, new, "begun")
    return new


def refer(tx: Tx, person_id: str, confirmation_id: str, text: str) -> None:
    """The person's own number at that organisation, so that it knows whom it is about. Sealed."""
    actor, found = _own_waiting(tx, person_id, confirmation_id)
    if found.by_body:
        raise NotFound
    seal_reference(tx, found, person_id, text)
    note(tx, actor, Action.ATTENDANCE_SEND, found, "reference")


def seal_reference(tx: Tx, found: Confirmation, person_id: str, text: str) -> None:
    """TooLong beyond LIMIT characters."""
    if len(text) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(text))
    tx.seal(found.record, SEALED, REFERENCE, text.strip(), [person_holder(person_id)])


def agree(tx: Tx, person_id: str, confirmation_id: str) -> Confirmation:
    """The yes. What the person began leaves now; what a body asked leaves at its time, like every answer."""
    actor, found = _own_waiting(tx, person_id, confirmation_id)
    if found.agreed_at is not None:
        return found
    agreed = tx.save(replace(found, agreed_at=tx.now))
    note(tx, actor, Action.ATTENDANCE_SEND, agreed, "yes")
    return agreed if agreed.by_body else make_answer(tx, agreed)


def take_back(tx: Tx, person_id: str, confirmation_id: str) -> None:
    """No, or no longer: nothing is sent, and of what was sent nothing more is read than everybody reads."""
    actor, found = _own(tx, person_id, confirmation_id, Action.CONSENT_CUT)
    note(tx, actor, Action.CONSENT_CUT, found, "taken back")
    unsay(tx, found)


def afterwards(tx: Tx, person_id: str, confirmation_id: str, question_id: str, choice: str) -> None:
    """How it was, once it was sent: one tap, never owed. BadAnswer, WrongStage; of one's own alone."""
    actor, found = _own(tx, person_id, confirmation_id)
    after_help.keep(tx, found, question_id, choice)
    note(tx, actor, Action.ATTENDANCE_SEND, found, "afterwards")


def unsay(tx: Tx, found: Confirmation) -> None:
    """A yes is no more: what the member began is destroyed, of what was asked the one sentence is left.

    Of a yes by word the row stays until its date: its code, brought twice, is true twice.
    """
    after_help.unsaid(tx, found)
    if found.by_word and found.agreed_at is not None:
        tx.clear_timers(found.id)
        tx.destroy(found.record)
        tx.destroy(contact_record(found.id))
        taken = confirmations.Why.TAKEN_BACK
        tx.save(replace(found, state=ConfirmationState.NONE, agreed_at=None, why=taken.value))
    elif not found.by_body:
        retire(tx, found)
    elif found.state is ConfirmationState.SENT:
        tx.seal(found.record, SEALED, CAME, "", holders(found))
        no_yes = confirmations.Why.NO_YES
        tx.save(replace(found, state=ConfirmationState.NONE, agreed_at=None, why=no_yes.value))
    elif found.agreed_at is not None:
        tx.save(replace(found, agreed_at=None))


def of_member(tx: Tx, person_id: str) -> list[Confirmation]:
    """What was begun, asked and answered about the person whose own phone this is, the newest first.

    And what they sent themselves when it was a member's: whoever has left takes it back all the same.
    """
    tied = _tied(tx, person_id)
    found = tx.find(Confirmation, enrolment_id=tied) if tied else []
    known = {confirmation.id for confirmation in found}
    found += [c for c in _sent_by(tx, person_id) if c.id not in known]
    return sorted(found, key=lambda c: (c.asked_at, c.id), reverse=True)


def _tied(tx: Tx, person_id: str) -> list[str]:
    return [e.id for e in linking.tied_to(tx, person_id) if e.mentor_seat]


def _sent_by(tx: Tx, person_id: str) -> list[Confirmation]:
    found = tx.find(Confirmation, asked_by=person_id, by_body=False, state=ConfirmationState.SENT)
    return [confirmation for confirmation in found if not confirmation.by_word]


def receivers(tx: Tx) -> list[Organization]:
    """The organisations that may be sent a confirmation today, in the order of their ids."""
    pathway = confirmations.pathway_of(tx.catalogue.pathways.values())
    if pathway is None:
        return []
    found = sorted(tx.directory.organizations.values(), key=lambda o: o.id)
    return [o for o in found if confirmations.may_receive(tx.directory, pathway, o, tx.now)]


def is_member(tx: Tx, person_id: str) -> bool:
    """Whether this phone is a member's own."""
    return bool(_tied(tx, person_id))


def still_reads(tx: Tx, person_id: str) -> bool:
    """Whether somebody reads what this person has sent, whose phone is no member's any more."""
    return bool(_sent_by(tx, person_id)) and not is_member(tx, person_id)


def looks(tx: Tx, person_id: str) -> Actor:
    """The person as whoever has sent something, or may; NotFound for everybody else."""
    if not looks_at_any(tx, person_id):
        raise NotFound
    return Actor(person_id, Role.MEMBER if is_member(tx, person_id) else Role.FAMILY)


def looks_at_any(tx: Tx, person_id: str) -> bool:
    """Whether there is, or may be, anything of theirs to look at."""
    return is_member(tx, person_id) or bool(_sent_by(tx, person_id))


def own(tx: Tx, person_id: str) -> tuple[Actor, Enrolment]:
    """The person as the member whose own phone this is; NotFound for everybody else."""
    actor = Actor(person_id, Role.MEMBER)
    allow(actor, Action.ATTENDANCE_SEND)
    for enrolment in linking.tied_to(tx, person_id):
        if enrolment.mentor_seat:
            return actor, enrolment
    raise NotFound


def retire(tx: Tx, found: Confirmation) -> None:
    """Its words are destroyed, its row, and what codes led to it."""
    tx.clear_timers(found.id)
    tx.destroy(found.record)
    tx.destroy(contact_record(found.id))
    for receipt in tx.find(WordReceipt, consent_id=found.id):
        tx.remove(receipt)
    tx.remove(found)
    note(tx, SYSTEM, Action.RETENTION, found)


# -- shared -------------------------------------------------------------------------------------------


def pathway_of(tx: Tx) -> Pathway:
    """The pathway of confirmations; NotFound where the catalogue has none."""
    found = confirmations.pathway_of(tx.catalogue.pathways.values())
    if found is None:
        raise NotFound
    return found


def reference(tx: Tx, actor: Actor, found: Confirmation) -> str:
    """The member's own number, as they wrote it; '' where there is none, or it is not theirs to open."""
    ours = found.asked_by == actor.person_id  # what was written on an earlier phone is sealed for that one
    if found.by_body or not ours or not tx.sealed_exists(found.record, SEALED):
        return ""
    about = f"confirmation:{found.id}"
    return reading.open_about(tx, actor, about, found.record, SEALED, own=True).get(REFERENCE, "")


def made_on(opened: Mapping[str, str]) -> date | None:
    """The day on which an opened confirmation was made."""
    return date.fromisoformat(opened[MADE]) if opened.get(MADE) else None


def came(tx: Tx, found: Confirmation) -> int:
    """On how many days of this period the member came to a meeting or a class: which, nobody is told."""
    if found.enrolment_id is None:
        return 0
    days = meetings.came_to(tx, found.enrolment_id, found.first_on)
    return confirmations.times_in(days, found.first_on, found.last_on)


def make_answer(tx: Tx, found: Confirmation) -> Confirmation:
    """What is sent, or the one sentence: sealed in the same way, so that the row alone tells nothing."""
    organization = tx.directory.organizations.get(found.organization_id)
    member = tx.get(Enrolment, found.enrolment_id or "-")
    count = came(tx, found) if found.agreed_at is not None else 0
    why = confirmations.why_nothing(
        known=member is not None and member.state is not EnrolmentState.LEFT,
        agreed=found.agreed_at is not None,
        bound=organization is not None
        and confirmations.may_receive(tx.directory, pathway_of(tx), organization, tx.now),
        came=count,
    )
    made = local(tx.now, member.timezone).date() if member else date.min
    tx.seal(found.record, SEALED, CAME, f"{0 if why else count:4}", holders(found))
    tx.seal(found.record, SEALED, MADE, "" if why else made.isoformat(), holders(found))
    state = ConfirmationState.NONE if why else ConfirmationState.SENT
    if not found.by_body and why is None:
        tx.share(found.record, SEALED, organization_holder(found.organization_id))
    if found.by_word:  # a mentor reads it out, and reads it no more once it was said yes to
        tx.unshare(found.record, person_holder(found.asked_by), SEALED)
    if not found.by_body:
        tx.clear_timers(found.id)
        found = replace(found, answer_at=tx.now)
    done = tx.save(replace(found, state=state, why=why or ""))
    note(tx, SYSTEM, Action.REFERRAL_STEP, done, state.value)
    if why is None:
        tx.set_timer(OVER, done.id, readable_until(tx, done))
    if member is not None:
        text = "own.attendance_sent" if why is None else "own.attendance_not_sent"
        tell_member(tx, member, text, {})
    if found.by_body and why is not None:
        tell_desk(tx, "desk.attendance_not_sent", done)
    return done


def holders(found: Confirmation) -> list[str]:
    """Who holds the key: the body that asked and the process; of what a member sends, that member."""
    if found.by_body:
        return [organization_holder(found.organization_id), NETWORK]
    return [person_holder(found.asked_by)]


def contact_record(confirmation_id: str) -> Record:
    """How the desk reaches somebody to ask whether a yes by word is true."""
    return Record("word_check", confirmation_id)


def readable_until(tx: Tx, found: Confirmation) -> datetime:
    """How long the yes lets the organisation read what is sent; before it was sent, as if that were now."""
    sent = found.answer_at if found.by_body or found.state is ConfirmationState.SENT else tx.now
    return sent + timedelta(days=pathway_of(tx).consent_days)


def _own(
    tx: Tx, person_id: str, confirmation_id: str, action: Action = Action.ATTENDANCE_SEND
) -> tuple[Actor, Confirmation]:
    actor = looks(tx, person_id)
    allow(actor, action)
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.id not in {c.id for c in of_member(tx, person_id)}:
        raise NotFound
    return actor, found


def _own_waiting(tx: Tx, person_id: str, confirmation_id: str) -> tuple[Actor, Confirmation]:
    actor, found = _own(tx, person_id, confirmation_id)
    if found.state is not ConfirmationState.WAITING:
        raise WrongStage
    return actor, found


def tell_member(tx: Tx, member: Enrolment, text: str, params: dict[str, str]) -> None:
    if member.person_id:
        page = ((tell.page_button("button.look", "attendance"),),)
        tell.tell(tx, member.person_id, text, params, buttons=page, slot="attendance")


def tell_desk(tx: Tx, text: str, found: Confirmation) -> None:
    """One place in the chat: a body that asks much does not fill it.

    Nobody who works there hears it, nor whoever heard the yes; where that is who is on call, all others do.
    """
    page = ((tell.page_button("button.look", "attendance/desk"),),)
    but = {seat.person_id for seat in tx.find(Seat, organization_id=found.organization_id)}
    but.add(found.witness_id)
    on_call, everybody = (
        [seat.person_id for seat in seats if seat.person_id not in but]
        for seats in (tell.on_call(tx), tell.coordinators(tx))
    )
    for person_id in on_call or everybody:
        tell.tell(tx, person_id or "", text, buttons=page, slot="attendance:desk")


def note(tx: Tx, actor: Actor, action: Action, found: Confirmation, detail: str = "") -> None:
    tx.audit(AuditEntry(actor, action, f"confirmation:{found.id}", detail))
