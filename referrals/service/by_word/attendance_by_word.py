"""A confirmation of attendance without a phone of one's own: a mentor reads it out and hears the yes.

It is the member who wants it sent, and the rules of every yes by word hold (word_consent.py): the exact
words, in a language that is written down; a code that takes it back, whoever brings it; nobody hears it who
works at a body that holds or supervises people, or where it goes; the desk asks the person if it is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from referrals import codes
from referrals import consent as consents
from referrals.access import Action, allow
from referrals.casework import Confirmation, ConfirmationState
from referrals.errors import BadAnswer, NotFound, Refused, TooLong, WrongStage
from referrals.members import Enrolment, WordReceipt
from referrals.model import DESK, Actor, DataClass, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.attendance import attendance, attendance_ends
from referrals.service.by_word import word_consent
from referrals.service.common import doors, names, tell
from referrals.service.members import enrolments
from referrals.service.request import needs, word_checks
from referrals.service.request.filing import PlanChanged

TRUE = "attendance_true"  # the timer: has the desk asked whether it is true?
CONTACT = "contact"
LONGEST = 200  # characters of how somebody can be reached
YES, NO = SAID = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Hearing:
    """A confirmation that waits for a member's yes, and whoever of their mentors has begun it."""

    actor: Actor
    member: Enrolment
    found: Confirmation


# -- the mentor ---------------------------------------------------------------------------------------


def hears(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """Whoever looks after this member now; NotFound for everybody else, WrongStage where they have left."""
    allow(enrolments.active(tx, person_id, enrolment_id)[0], Action.CONSENT_WORD)
    return looks_after(tx, person_id, enrolment_id)


def looks_after(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """The same where they have left, too: what they have said yes to can be taken back."""
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    allow(actor, Action.CONSENT_WORD)
    return actor, enrolment


def of_member(tx: Tx, person_id: str, enrolment: Enrolment) -> list[Confirmation]:
    """What was begun by word for a member, the newest first; what waits, only for whoever has begun it."""
    found = [c for c in tx.find(Confirmation, enrolment_id=enrolment.id) if c.by_word]
    shown = [c for c in found if c.asked_by == person_id or c.state is not ConfirmationState.WAITING]
    return sorted(shown, key=lambda c: (c.asked_at, c.id), reverse=True)


def begin(tx: Tx, person_id: str, enrolment_id: str, organization_id: str, choice: str) -> Confirmation:
    """The member wishes it to be sent. Nothing leaves; begun twice it is one. MayNotWitness."""
    actor, enrolment = hears(tx, person_id, enrolment_id)
    word_consent.may_hear(tx, person_id, organization_id)
    language = needs.language_of(tx, actor, enrolment)
    return attendance.start(tx, actor, enrolment, organization_id, choice, language)


def in_language(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str, language: str) -> None:
    """The words are read out in another language."""
    at = _waiting(tx, person_id, enrolment_id, confirmation_id)
    if language not in tx.catalogue.languages:
        raise BadAnswer
    attendance.note(
        tx, at.actor, Action.CONSENT_WORD, tx.save(replace(at.found, language=language)), language
    )


def refer(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str, text: str) -> None:
    """The member's own number at that organisation. Sealed for whoever wrote it until the yes."""
    at = _waiting(tx, person_id, enrolment_id, confirmation_id)
    attendance.seal_reference(tx, at.found, person_id, text)
    attendance.note(tx, at.actor, Action.CONSENT_WORD, at.found, "reference")


def reach(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str, text: str) -> None:
    """How the desk can reach the member, to ask whether the yes is true. Sealed for the desk alone."""
    at = _waiting(tx, person_id, enrolment_id, confirmation_id)
    if len(text) > LONGEST:
        raise TooLong(limit=LONGEST, length=len(text))
    contact = attendance.contact_record(at.found.id)
    tx.seal(contact, DataClass.CONTACT, CONTACT, text.strip(), [DESK])
    attendance.note(tx, at.actor, Action.CONSENT_WORD, at.found, "contact")


def words(tx: Tx, found: Confirmation) -> str:
    """Exactly what is read out, in its own language: to whom, for which days, what, until when."""
    language, member = found.language, tx.get(Enrolment, found.enrolment_id or "-")
    organization = tx.directory.organizations.get(found.organization_id)
    zone = member.timezone if member else "UTC"
    until = local(attendance.readable_until(tx, found), zone).date()
    first, last, day = (
        names.day_in_words(tx.catalogue, d, language) for d in (found.first_on, found.last_on, until)
    )
    name = names.named(organization.names, language) if organization else ""
    said = tx.catalogue.words
    lines = (
        said("part.attendance.to", language, organization=name, first=first, last=last),
        said("part.attendance.only_this", language),
        said("part.attendance.read_until", language, day=day),
        said("consent.by_word", language),
    )
    return "\n\n".join(lines)


def say(
    tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str, digest: str, said: str
) -> tuple[Confirmation, str]:
    """The member has answered what was read out word for word: it leaves now, or nothing of it is left.

    With it the code that takes it back, shown this once; '' where nothing was sent, and when pressed twice.
    BadAnswer, MayNotWitness, NoNeutralPartner; PlanChanged unless `digest` is of the words of this moment.
    """
    actor, enrolment = hears(tx, person_id, enrolment_id)
    found = _of(tx, enrolment, confirmation_id)
    if said not in SAID:
        raise BadAnswer
    if said == NO and found.state is ConfirmationState.WAITING:
        attendance.note(tx, actor, Action.CONSENT_WORD, found, "no")
        attendance.retire(tx, found)
        return found, ""
    if found.state is not ConfirmationState.WAITING:
        return found, ""
    at = _waiting(tx, person_id, enrolment_id, confirmation_id)
    word_consent.may_hear(tx, person_id, found.organization_id)
    text = words(tx, at.found)
    if consents.digest(text) != digest:
        raise PlanChanged
    agreed = tx.save(replace(at.found, agreed_at=tx.now, text=text, witness_id=person_id))
    attendance.note(tx, actor, Action.CONSENT_WORD, agreed, agreed.language)
    done = attendance.make_answer(tx, agreed)
    if done.state is not ConfirmationState.SENT:
        tx.destroy(attendance.contact_record(done.id))  # nothing was sent: there is nothing to ask about
        return done, ""
    asked = word_consent.sampled(tx, attendance.pathway_of(tx), person_id)
    if asked:
        ask(tx, done.id, of=done)
    else:
        tx.destroy(attendance.contact_record(done.id))
    return done, _receipt(tx, done, asked)


def another_code(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str) -> tuple[Confirmation, str]:
    """'It was not written down': one more code for the same yes. WrongStage after three, or without a yes."""
    actor, enrolment = hears(tx, person_id, enrolment_id)
    found = _of(tx, enrolment, confirmation_id)
    many = tx.count(WordReceipt, consent_id=found.id) >= word_consent.MOST_CODES
    if found.state is not ConfirmationState.SENT or found.witness_id != person_id or many:
        raise WrongStage
    attendance.note(tx, actor, Action.CONSENT_WORD, found, "another code")
    return found, _receipt(tx, found, asked=False)


def stop(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str) -> None:
    """The member says no after all, to whoever looks after them now: nothing more of it is read."""
    actor, enrolment = looks_after(tx, person_id, enrolment_id)
    found = _of(tx, enrolment, confirmation_id)
    if found.agreed_at is not None:
        attendance.note(tx, actor, Action.CONSENT_WORD, found, "taken back")
        attendance_ends.taken_back(tx, found)


# -- the desk -----------------------------------------------------------------------------------------


def to_ask(tx: Tx, person_id: str) -> list[Confirmation]:
    """The yeses by word about which this coordinator may ask; none that they heard, or of where they work."""
    own = {seat.organization_id for seat in doors.seats_of(tx, person_id)}
    waiting = {r.consent_id for r in _open_receipts(tx) if r.witness_id != person_id}
    found = tx.find(Confirmation, id=sorted(waiting)) if waiting else []
    shown = [c for c in found if c.agreed_at is not None and c.organization_id not in own]
    return sorted(shown, key=lambda c: (c.asked_at, c.id))


def asked(tx: Tx, person_id: str, confirmation_id: str, said: str) -> None:
    """The desk has asked whether it is true. 'no' takes it back at once, and the stewards hear of it."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.CONSENT_CHECK)
    if said not in word_checks.ANSWERS:
        raise BadAnswer
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.id not in {each.id for each in to_ask(tx, person_id)}:
        raise NotFound
    for receipt in _open_receipts(tx, found.id):
        tx.save(replace(receipt, asked_at=tx.now, asked_by=person_id, answer=said))
    attendance.note(tx, actor, Action.CONSENT_CHECK, found, said)
    if said == word_checks.NOT_REACHED:
        tx.set_timer(TRUE, found.id, tx.now + word_checks.AGAIN)
        return
    tx.clear_timer(TRUE, found.id)
    tx.destroy(attendance.contact_record(found.id))
    member = tx.get(Enrolment, found.enrolment_id or "-")
    if said == word_checks.NO and member is not None:
        attendance_ends.taken_back(tx, found)
        for seat in tx.find(Seat, role=Role.STEWARD):
            if seat.person_id:
                tell.tell(tx, seat.person_id, "steward.yes_not_true", {"code": member.code})


def ask(tx: Tx, confirmation_id: str, of: Confirmation | None = None) -> None:
    """Verb and timer: the desk is told that a yes waits for its question, until it has asked."""
    found = of or tx.get(Confirmation, confirmation_id)
    if found is None or found.agreed_at is None or (of is None and not _open_receipts(tx, found.id)):
        return
    attendance.tell_desk(tx, "desk.attendance_true", found)
    tx.set_timer(TRUE, found.id, tx.now + word_checks.AGAIN)


# -- shared -------------------------------------------------------------------------------------------


def refusal(tx: Tx, person_id: str, organization_id: str = "") -> str:
    """The text key of why this person may hear no yes (for this organisation); '' when they may."""
    try:
        word_consent.may_hear(tx, person_id, organization_id)
    except Refused as refused:
        return refused.code
    return ""


def _of(tx: Tx, enrolment: Enrolment, confirmation_id: str) -> Confirmation:
    found = tx.get(Confirmation, confirmation_id, lock=True)
    if found is None or found.enrolment_id != enrolment.id or not found.by_word:
        raise NotFound
    return found


def _waiting(tx: Tx, person_id: str, enrolment_id: str, confirmation_id: str) -> Hearing:
    """What this mentor has begun and nobody has answered; WrongStage afterwards."""
    actor, enrolment = hears(tx, person_id, enrolment_id)
    found = _of(tx, enrolment, confirmation_id)
    if found.asked_by != person_id:
        raise NotFound
    if found.state is not ConfirmationState.WAITING:
        raise WrongStage
    return Hearing(actor, enrolment, found)


def _open_receipts(tx: Tx, confirmation_id: str = "") -> list[WordReceipt]:
    """Those of confirmations about which the desk has not asked, or has not reached anybody."""
    found = tx.find(WordReceipt, sampled=True, referral_id=None, answer=("", word_checks.NOT_REACHED))
    return [receipt for receipt in found if confirmation_id in ("", receipt.consent_id)]


def _receipt(tx: Tx, found: Confirmation, asked: bool) -> str:
    code = codes.spell(tx.secret(word_consent.RECEIPT_BYTES))
    mark = tx.fingerprint(word_consent.PURPOSE, code)
    tx.add(WordReceipt(mark, None, found.id, found.witness_id or found.asked_by, tx.now, sampled=asked))
    return code
