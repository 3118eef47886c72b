"""The doors to referrals and offers: whoever passes one may act in that relation, nobody else.

'Absent' and 'not yours' raise the same NotFound. Each door locks the referral first, so that two people who
press at once are served one after the other.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import ALLOWED, Action, allow
from referrals.errors import NotAllowed, NotFound
from referrals.members import Enrolment, EnrolmentState
from referrals.model import Actor, Consent, Offer, Referral, Role, Stage
from referrals.persons import Person, Seat
from referrals.ports import Tx
from referrals.service.common import complaints

# Ends that cut every partner's access at once, the matter's bare facts included.
_CUT = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)
LEFT = EnrolmentState.LEFT


def seats_of(tx: Tx, person_id: str) -> list[Seat]:
    """The posts that a person holds; an empty list for families and strangers."""
    return tx.find(Seat, person_id=person_id)


def roles_of(tx: Tx, person_id: str) -> frozenset[Role]:
    """Family, like everybody; their posts; and member, for whoever's own phone is tied to their code."""
    roles = {Role.FAMILY, *(seat.role for seat in seats_of(tx, person_id))}
    if any(tied.mentor_seat and tied.state is not LEFT for tied in tx.find(Enrolment, person_id=person_id)):
        roles.add(Role.MEMBER)
    return frozenset(roles)


def may(tx: Tx, person_id: str, action: Action) -> None:
    """Raise NotAllowed unless one of the person's roles may do this at all. Everybody can ask for help."""
    allowed = ALLOWED[action]
    if Role.FAMILY not in allowed and not allowed & roles_of(tx, person_id):
        raise NotAllowed


def as_author(person_id: str) -> Actor:
    """Somebody acting for themselves or their family: no seat is needed for that."""
    return Actor(person_id, Role.FAMILY)


def as_seat(tx: Tx, person_id: str, role: Role, organization_id: str | None = None) -> Actor:
    """The person in one of their posts; NotFound when they hold no such seat."""
    for seat in seats_of(tx, person_id):
        if seat.role is role and organization_id in (None, seat.organization_id):
            return Actor(person_id, role, seat.organization_id)
    raise NotFound


def referral_by_id(tx: Tx, referral_id: str) -> Referral:
    """Any referral, locked: for timers and for verbs that have passed another door."""
    referral = tx.get(Referral, referral_id, lock=True)
    if referral is None:
        raise NotFound
    return referral


def own_referral(tx: Tx, actor: Actor, referral_id: str, action: Action) -> Referral:
    """A referral that the actor filed."""
    allow(actor, action)
    referral = referral_by_id(tx, referral_id)
    if referral.author_id != actor.person_id:
        raise NotFound
    return referral


def author_of(tx: Tx, person_id: str, referral_id: str, action: Action) -> tuple[Actor, Referral]:
    """A matter of one's own, or one that a mentor filed for a member: in that role, and only while in it."""
    referral = referral_by_id(tx, referral_id)
    if referral.author_id != person_id:
        raise NotFound
    actor = as_seat(tx, person_id, Role.MENTOR) if referral.by_word else as_author(person_id)
    allow(actor, action)
    return actor, referral


def to_plan(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """A matter whose plan this person may say yes to on their own phone: never a mentor for somebody else.

    What a mentor wrote for a member comes as it will be after the yes: the member's own.
    """
    allow(as_author(person_id), Action.REFERRAL_FILE)
    referral = referral_by_id(tx, referral_id)
    own_onward = referral.onward_from is not None and not referral.by_word  # a partner proposed it to them
    if referral.stage is Stage.AWAITING_CONSENT and not own_onward:
        enrolment = tx.get(Enrolment, referral.enrolment_id or "")
        if enrolment is None or enrolment.person_id != person_id:
            raise NotFound
        return replace(referral, author_id=person_id, referrer_id=referral.author_id)
    if referral.author_id != person_id or referral.by_word:
        raise NotFound
    return referral


def desk_referral(tx: Tx, person_id: str, referral_id: str, action: Action) -> tuple[Actor, Referral]:
    """A referral seen by a coordinator. The desk is bound to no organisation; stories stay sealed to it."""
    actor = as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, action)
    referral = _not_their_own(person_id, _alive(referral_by_id(tx, referral_id)))
    if referral.stage in (Stage.DRAFT, Stage.AWAITING_CONSENT) or not _was_asked(tx, referral):
        raise NotFound  # nobody has asked for anything yet
    if complaints.hidden(tx, referral):
        raise NotFound  # as if there were none
    return actor, referral


def offer_for(tx: Tx, person_id: str, offer_id: str, action: Action) -> tuple[Actor, Offer, Referral]:
    """An offer made to an organisation where the person is a worker."""
    offer = tx.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    actor = as_seat(tx, person_id, Role.WORKER, offer.organization_id)
    allow(actor, action)
    referral = _not_their_own(person_id, _alive(referral_by_id(tx, offer.referral_id)))
    _not_about_them(tx, person_id, referral)
    fresh = tx.get(Offer, offer_id)  # read again under the referral's lock
    if fresh is None:
        raise NotFound
    return actor, fresh, referral


def _was_asked(tx: Tx, referral: Referral) -> bool:
    """False for what ended before anybody said yes to it: what somebody did not want is nobody's business."""
    proposed = referral.enrolment_id or referral.onward_from
    unasked = proposed and referral.stage in (Stage.WITHDRAWN, Stage.EXPIRED)
    return not unasked or tx.count(Consent, referral_id=referral.id) > 0


def _alive(referral: Referral) -> Referral:
    """Past its retention date a matter is coded facts for indicators: it is nobody's, and nobody opens it."""
    if not referral.author_id:
        raise NotFound
    return referral


def _not_their_own(person_id: str, referral: Referral) -> Referral:
    """A relative in a post decides nothing about their own request: a colleague does."""
    if referral.author_id == person_id:
        raise NotFound
    return referral


def _not_about_them(tx: Tx, person_id: str, referral: Referral) -> None:
    """Whom a complaint may be about finds nothing, wherever they work by now."""
    if person_id in complaints.concerned(tx, referral):
        raise NotFound


def served_referral(tx: Tx, person_id: str, offer_id: str, action: Action) -> tuple[Actor, Offer, Referral]:
    """A referral that the person's organisation has accepted and still holds, by the offer that it accepted.

    A partner knows a matter by its offer's id and code alone, so that its phone shares no word with the
    person's: the referral's own id opens nothing here.
    """
    found = tx.get(Offer, offer_id)
    if found is None:
        raise NotFound
    referral = _alive(referral_by_id(tx, found.referral_id))
    if referral.offer_id != offer_id or referral.organization_id is None or referral.stage in _CUT:
        raise NotFound
    actor = as_seat(tx, person_id, Role.WORKER, referral.organization_id)
    allow(actor, action)
    _not_their_own(person_id, referral)
    _not_about_them(tx, person_id, referral)
    offer = tx.get(Offer, offer_id)  # read again under the referral's lock
    if offer is None or offer.organization_id != referral.organization_id:
        raise NotFound
    return actor, offer, referral


def person_by_id(tx: Tx, person_id: str) -> Person:
    """A person's settings; NotFound for somebody who was erased."""
    person = tx.get(Person, person_id)
    if person is None:
        raise NotFound
    return person


def consent_in_force(tx: Tx, referral: Referral) -> Consent | None:
    """The person's yes that binds this referral now, if there is one."""
    given = [c for c in tx.find(Consent, referral_id=referral.id) if c.withdrawn_at is None]
    given = [c for c in given if c.until > tx.now]
    return max(given, key=lambda c: c.given_at, default=None)
