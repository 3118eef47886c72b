"""The other side of a circle is asked: by a link that says nothing, and a page that one may choose to open.

Used, ended, foreign and unknown links sound alike. Who asks is not said, neither before nor after: only which
organisation would prepare it, and that a yes, a no and no answer are all right.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from referrals import circles, codes
from referrals.access import Action, allow
from referrals.casework import Circle, CircleInvitation, CircleSide, CircleState
from referrals.errors import NotFound, StaleLink, WrongStage
from referrals.limits import Doing
from referrals.members import Enrolment
from referrals.model import Actor, AgeGroup, AuditEntry, Referral
from referrals.ports import Tx
from referrals.service.common import doors, limits, tell
from referrals.service.joint import circles as leading
from referrals.service.matter import circle_sides
from referrals.service.members import enrolments
from referrals.service.people import people
from referrals.service.request import drafts, needs

PREFIX = "d-"  # start payloads of such links
TOKEN_BYTES = 16


def make(tx: Tx, person_id: str, offer_id: str) -> str:
    """A link for the other side; its payload is shown once, and earlier links end.

    WrongStage before the first side has said yes to it, and once somebody else is the other side.
    """
    actor, _, side, circle = leading.led(tx, person_id, offer_id)
    alone = len(circle_sides.of_circle(tx, circle.id)) == 1
    if side.first_yes_at is None or circle.state is not CircleState.ONE_SIDE or not alone:
        raise WrongStage
    for earlier in tx.find(CircleInvitation, circle_id=circle.id):
        _end(tx, actor, earlier)
    token = base64.urlsafe_b64encode(tx.secret(TOKEN_BYTES)).decode().rstrip("=")
    until = tx.now + circles.INVITED_FOR
    invitation = CircleInvitation(tx.new_id(), circle.id, codes.digest(token), person_id, until)
    tx.add(invitation)
    _note(tx, actor, invitation, "made")
    return PREFIX + token


def look(tx: Tx, person_id: str, token: str) -> None:
    """Whether a link is open to this person; it is not used up. StaleLink, or TooOften for who guesses."""
    limits.check(tx, Doing.LINK, person_id)
    _opened(tx, person_id, token)


def take(tx: Tx, person_id: str, token: str) -> CircleInvitation:
    """'I will look': from now on the page is this person's; pressed again it still is. Raises as `look`."""
    limits.check(tx, Doing.LINK, person_id)
    found = _opened(tx, person_id, token, lock=True)
    if found.taken_by is None:
        found = tx.save(replace(found, taken_by=person_id))
        _note(tx, doors.as_author(person_id), found, "taken")
    return found


def of(tx: Tx, person_id: str, invitation_id: str) -> tuple[CircleInvitation, Circle]:
    """An invitation that this person has taken, and its circle (locked); NotFound for all others."""
    found = tx.get(CircleInvitation, invitation_id, lock=True)
    if found is None or found.taken_by != person_id or found.expires_at <= tx.now:
        raise NotFound
    circle = tx.get(Circle, found.circle_id, lock=True)
    if circle is None or len(circle_sides.of_circle(tx, circle.id)) != 1:
        raise NotFound
    return found, circle


def accept(tx: Tx, person_id: str, invitation_id: str, age: str = "") -> Referral:
    """'I would like to hear more': a request of their own, which can be sent to that organisation alone.

    `age`: an age group, from whoever has not said it yet; under 18 only who is vetted for it is asked.
    """
    actor = doors.as_author(person_id)
    allow(actor, Action.CIRCLE_SAY)
    invitation, circle = of(tx, person_id, invitation_id)
    person = doors.person_by_id(tx, person_id)
    if person.age_group is None:
        person = people.choose_age_group(tx, person_id, age)
    first = _first(tx, circle)
    group = person.age_group or AgeGroup.CHILD
    draft = drafts.start_draft(tx, actor, first.pathway, first.category, group, person.language)
    _joins(tx, actor, invitation, circle, draft)
    page = ((tell.page_button("button.open_page", f"plan/{draft.id}"),),)
    tell.answer(tx, person_id, "family.circle_page", buttons=page, slot=slot(invitation))
    return draft


def accept_for(tx: Tx, person_id: str, invitation_id: str, enrolment_id: str) -> Referral:
    """A mentor who was given the link for one of their members: it waits for that member's own yes."""
    actor, enrolment = enrolments.active(tx, person_id, enrolment_id)
    invitation, circle = of(tx, person_id, invitation_id)
    if enrolment.person_id == _first(tx, circle).author_id:
        raise NotFound
    referral, new = needs.file(tx, actor, enrolment, _first(tx, circle).category)
    if not new:
        raise WrongStage  # they have asked for a circle of their own
    _joins(tx, actor, invitation, circle, referral)
    page = ((tell.page_button("button.read_out", f"words/{referral.id}"),),)
    code = {"code": enrolment.code}
    tell.answer(tx, person_id, "needs.waiting", code, buttons=page, slot=needs.slot(enrolment))
    tell.quietly(tx, person_id, slot(invitation), "")
    return referral


def decline(tx: Tx, person_id: str, invitation_id: str) -> None:
    """'No': nobody asks why. Whoever leads it hears that there is no yes; the first side hears nothing."""
    invitation, circle = of(tx, person_id, invitation_id)
    _end(tx, doors.as_author(person_id), invitation)
    tell.quietly(tx, person_id, slot(invitation), "")
    leading.tell_lead(tx, [_first(tx, circle)], "worker.circle_moved")


def members_of(tx: Tx, person_id: str) -> list[Enrolment]:
    """For whom somebody may have been given a link: their own members, by code."""
    return [e for e in enrolments.of_person(tx, person_id) if e.active]


def slot(invitation: CircleInvitation) -> str:
    """The one message that leads to an invitation's page; once that is answered, nothing leads there."""
    return f"invited:{invitation.id}"


def may_take(tx: Tx, person_id: str, circle: Circle) -> bool:
    """Nobody is both sides, and nobody who works where it is prepared is one."""
    if any(seat.organization_id == circle.organization_id for seat in doors.seats_of(tx, person_id)):
        return False
    first = _first(tx, circle)
    return person_id != first.author_id or first.by_word  # a mentor may look after members on both sides


def _first(tx: Tx, circle: Circle) -> Referral:
    (side, *_) = circle_sides.of_circle(tx, circle.id)
    found = tx.get(Referral, side.id)
    if found is None:
        raise NotFound
    return found


def _joins(tx: Tx, actor: Actor, invitation: CircleInvitation, circle: Circle, referral: Referral) -> None:
    """The other side is there. If it has stopped meanwhile, that is heard at the hour that was drawn."""
    first = tx.find(CircleSide, circle_id=circle.id)[0]
    side = CircleSide(referral.id, circle.id, not first.harmed, invited=True)
    if circle.state is CircleState.STOPPED:
        side = replace(side, over_at=invitation.expires_at, shown=CircleState.ONE_SIDE.value)
        tx.set_timer(circle_sides.OVER, circle_sides.hour(side), invitation.expires_at)
    tx.add(side)
    tx.audit(AuditEntry(actor, Action.CIRCLE_SAY, f"circle_side:{side.id}", "joined"))
    _end(tx, actor, invitation)


def _opened(tx: Tx, person_id: str, token: str, *, lock: bool = False) -> CircleInvitation:
    for found in tx.find(CircleInvitation, token=codes.digest(token)):
        invitation = tx.get(CircleInvitation, found.id, lock=lock)
        circle = tx.get(Circle, found.circle_id)
        if invitation is None or circle is None or invitation.expires_at <= tx.now:
            break
        if invitation.taken_by in (None, person_id) and may_take(tx, person_id, circle):
            return invitation
    raise StaleLink


def _end(tx: Tx, actor: Actor, invitation: CircleInvitation) -> None:
    tx.remove(invitation)
    _note(tx, actor, invitation, "ended")


def _note(tx: Tx, actor: Actor, invitation: CircleInvitation, detail: str) -> None:
    tx.audit(AuditEntry(actor, Action.CIRCLE_SAY, f"circle_invitation:{invitation.id}", detail))
