"""A yes by word: a mentor reads the exact words out, a member says yes, and gets a code that takes it back.

Whoever hears a yes must not gain by it: nobody with a post at a body that holds or supervises people, and
never for a partner that they work at (domain.md, 'Consent'). Whoever brings the code withdraws; a code that
leads nowhere gets the same words after the same work, whatever is the matter with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from referrals import codes
from referrals.access import Action, allow
from referrals.casework import Confirmation
from referrals.catalogue import Pathway
from referrals.directory import SUPERVISING
from referrals.errors import BadAnswer, NotFound, Refused, WrongStage
from referrals.lifecycle import ENDED
from referrals.limits import Doing
from referrals.members import Enrolment, WordReceipt
from referrals.model import Actor, AuditEntry, Consent, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.attendance import attendance, attendance_ends
from referrals.service.common import doors, limits, names, tell
from referrals.service.matter import matching, offering
from referrals.service.members import enrolments
from referrals.service.request import behalf, desk_first, filing, needs, plans, word_checks
from referrals.service.turns import closing

PURPOSE = "word receipt"
RECEIPT_BYTES = 8  # 64 random bits: four words
READ_OUT, SAID_YES = "read_out", "said_yes"
MOST_CODES = 3  # 'I could not write it down': each further one works beside the others
_NOBODYS = "-"  # an id that no row has: what is not there is looked for as long as what is


class MayNotWitness(Refused):
    """Somebody with a post at a body that holds or supervises people hears nobody's yes."""

    code = "error.may_not_witness"


class NoNeutralPartner(Refused):
    """Whoever could help is where this mentor works: somebody else must hear the yes."""

    code = "error.no_neutral_partner"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a mentor has read out and heard; the words in `wishes.language`, by their digest."""

    filing: filing.Filing
    read_out: bool  # 'I have read it out word for word'
    said_yes: bool


def to_hear(tx: Tx, person_id: str, referral_id: str) -> tuple[Actor, Enrolment, Referral]:
    """A matter that waits for a member's yes, as whoever looks after them would file it; NotFound else."""
    found = doors.referral_by_id(tx, referral_id)
    if not found.by_word or not found.author_id:
        raise NotFound
    actor, enrolment = enrolments.mine(tx, person_id, found.enrolment_id or "")
    allow(actor, Action.CONSENT_WORD)
    if found.stage is Stage.AWAITING_CONSENT:  # whoever of the member's mentors hears it is its author
        return actor, enrolment, replace(found, author_id=person_id)
    if found.author_id != person_id:
        raise NotFound
    return actor, enrolment, found


def refused(tx: Tx, person_id: str) -> str:
    """The text key of why this person may hear nobody's yes; '' when they may."""
    kinds = {tx.directory.organizations[o].kind for o in works_at(tx, person_id)}
    return MayNotWitness.code if kinds & SUPERVISING else ""


def may_hear(tx: Tx, person_id: str, *organizations: str | None) -> None:
    """Whoever hears a member's yes must not gain by it.

    MayNotWitness at a body that holds or supervises people, NoNeutralPartner at one of these organisations.
    """
    if refused(tx, person_id):
        raise MayNotWitness
    if set(organizations) & set(works_at(tx, person_id)):
        raise NoNeutralPartner


def ticks(referral: Referral) -> tuple[str, ...]:
    """What whoever hears a further yes says that they have done and heard; () for a person's own yes."""
    if not referral.by_word:
        return ()
    return (READ_OUT,) if referral.behalf else (READ_OUT, SAID_YES)


def left_out(tx: Tx, referral: Referral, wishes: plans.Wishes) -> tuple[str, ...]:
    """The organisations that would be asked, if the one who hears the yes did not work there."""
    anybody = replace(referral, author_id="")
    own = set(works_at(tx, referral.author_id))
    would = (line.organization_id for line in plans.make(tx, anybody, wishes).lines)
    return tuple(organization for organization in would if organization in own)


def give(tx: Tx, person_id: str, referral_id: str, heard: Heard) -> tuple[Referral, str]:
    """The yes, given by word: the matter goes on, and the receipt's words are returned this once.

    BadAnswer unless both were ticked; PlanChanged, MayNotWitness, NoNeutralPartner. Pressed twice: no code.
    """
    actor, _, referral = to_hear(tx, person_id, referral_id)
    if filing.awaits_yes(referral) is None:
        return referral, ""
    if not heard.read_out or not (heard.said_yes or heard.filing.wishes.behalf):
        raise BadAnswer  # of somebody who cannot decide no yes can be heard: who agreed, is written down
    if refused(tx, person_id):
        raise MayNotWitness
    wishes = heard.filing.wishes
    if left_out(tx, referral, wishes) and not plans.make(tx, referral, wishes).lines:
        raise NoNeutralPartner
    language = wishes.language or referral.language
    asked = behalf.no_stands(tx, wishes.applied(referral))  # a yes after a no: the desk asks them, always
    filed, given = filing.agree(tx, actor, referral, heard.filing, language, witness_id=person_id)
    tx.audit(AuditEntry(actor, Action.CONSENT_WORD, f"referral:{filed.id}", language))
    if filed.behalf:
        needs.still_asks_phone(tx, filed)
    if behalf.desk_looks(referral, filed):
        filed = desk_first.hold(tx, filed)
    else:
        offering.start_matching(tx, filed)
    filing.announce(tx, filed)
    return filed, _receipt(
        tx,
        filed,
        given,
        asked or sampled(tx, matching.pathway_of(tx, filed), person_id),
        heard.filing.contact,
    )


def another_code(tx: Tx, person_id: str, referral_id: str) -> str:
    """'It was not written down': one more code for the same yes. WrongStage after three, or without a yes."""
    actor, _, referral = to_hear(tx, person_id, referral_id)
    given = doors.consent_in_force(tx, referral)
    if given is None or tx.count(WordReceipt, consent_id=given.id) >= MOST_CODES:
        raise WrongStage
    tx.audit(AuditEntry(actor, Action.CONSENT_WORD, f"referral:{referral.id}", "another code"))
    return _receipt(tx, referral, given, sampled=False)


def heard_more(tx: Tx, referral: Referral, given: Consent) -> str:
    """A further yes of the same matter: a code of its own beside the first ones, and the desk may ask."""
    witness = given.witness_id or referral.author_id
    tx.audit(
        AuditEntry(
            Actor(witness, Role.MENTOR), Action.CONSENT_WORD, f"referral:{referral.id}", given.language
        )
    )
    asked = behalf.no_stands(tx, referral) or sampled(tx, matching.pathway_of(tx, referral), witness)
    return _receipt(tx, referral, given, sampled=asked)


def said_no(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """The member says no: nobody is asked, and nobody asks why."""
    actor, _, referral = to_hear(tx, person_id, referral_id)
    if referral.stage is Stage.AWAITING_CONSENT:
        standing = doors.referral_by_id(tx, referral_id)
        return behalf.heard_no(tx, closing.cut(tx, actor, standing, Action.REFERRAL_WITHDRAW, "no, by word"))
    return closing.withdraw(tx, person_id, referral_id)


def withdraw_by_code(tx: Tx, person_id: str, typed: str) -> bool:
    """Whoever brings a receipt's code takes the yes back; False for every code that does nothing.

    TooOften after ten tries in an hour. Brought twice it is still true.
    """
    limits.take(tx, Doing.TRACK, person_id)
    words = codes.normal(typed, RECEIPT_BYTES)
    receipt = tx.get(WordReceipt, tx.fingerprint(PURPOSE, words or typed[:64]))
    found = tx.get(Referral, (receipt and receipt.referral_id) or _NOBODYS, lock=True)
    given = tx.get(Consent, receipt.consent_id if receipt else _NOBODYS)
    sent = tx.get(Confirmation, receipt.consent_id if receipt else _NOBODYS, lock=True)
    if words is not None and sent is not None:
        _unsend(tx, person_id, sent)
        return True
    if words is None or receipt is None or found is None or given is None or not found.author_id:
        return False
    over = found.stage in ENDED and doors.consent_in_force(tx, found) is None
    if found.stage is Stage.WITHDRAWN or over:
        return True
    actor = _whoever(tx, person_id)
    allow(actor, Action.CONSENT_CUT)
    after = closing.cut(tx, actor, found, Action.CONSENT_CUT, "code")
    after = behalf.heard_no(tx, after) if after.behalf else after
    word_checks.end(tx, after)
    tell.tell_author(tx, after, "matter.taken_back")
    return True


def _unsend(tx: Tx, person_id: str, sent: Confirmation) -> None:
    actor = _whoever(tx, person_id)
    allow(actor, Action.CONSENT_CUT)
    if sent.agreed_at is not None:
        attendance.note(tx, actor, Action.CONSENT_CUT, sent, "code")
        attendance_ends.taken_back(tx, sent)


def _receipt(tx: Tx, referral: Referral, given: Consent, sampled: bool, contact: str = "") -> str:
    words = codes.spell(tx.secret(RECEIPT_BYTES))
    witness = given.witness_id or referral.author_id
    tx.add(
        WordReceipt(tx.fingerprint(PURPOSE, words), referral.id, given.id, witness, tx.now, sampled=sampled)
    )
    if sampled:
        word_checks.begin(tx, referral, contact)
    return words


def sampled(tx: Tx, pathway: Pathway, witness_id: str) -> bool:
    """Whether the desk asks about this one: the first of each witness, and a share of all others."""
    drawn = tx.draw(0, 100) < pathway.asked_percent
    return drawn or not tx.count(WordReceipt, witness_id=witness_id)


def works_at(tx: Tx, person_id: str) -> Iterable[str]:
    """The organisations at which this person has a post."""
    posts = doors.seats_of(tx, person_id) if person_id else ()
    held = (seat.organization_id for seat in posts if seat.organization_id)
    return [organization for organization in held if organization in tx.directory.organizations]


def _whoever(tx: Tx, person_id: str) -> Actor:
    """The desk does it for whoever calls; everybody else is somebody with a code."""
    desk = any(seat.role is Role.COORDINATOR for seat in doors.seats_of(tx, person_id))
    return Actor(person_id, Role.COORDINATOR) if desk else doors.as_author(person_id)


def names_of(tx: Tx, organizations: Iterable[str], language: str) -> tuple[str, ...]:
    """Organisations by their names."""
    return tuple(names.named(tx.directory.organizations[o].names, language) for o in organizations)
