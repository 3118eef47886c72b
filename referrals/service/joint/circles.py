"""A circle, step by step: what each side says for itself, and what whoever leads it does with each side.

Every verb holds the circle's lock, so two sides that press at once come one after the other. Nobody but the
organisation that prepares it reads of the other side, and who stopped it stands nowhere.
"""

from __future__ import annotations

from collections.abc import Collection

from referrals import circles
from referrals.access import Action
from referrals.casework import Circle, CircleSide, CircleState
from referrals.circles import CircleStep
from referrals.errors import NoConsent, NotFound, WrongStage
from referrals.lifecycle import ENDED
from referrals.model import SYSTEM, Actor, AuditEntry, Offer, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors, tell
from referrals.service.matter import circle_sides, sharing

_BEGINS = (Stage.ACCEPTED, Stage.IN_SERVICE)
ESCALATES = 2 * circles.WAITS  # without any step for so long, the desk hears too


# -- each side, for itself ----------------------------------------------------------------------------


def say_first(tx: Tx, person_id: str, referral_id: str) -> None:
    """Yes, to being prepared and to the other side being asked. Pressed twice it is one yes."""
    actor, referral, side, circle = _own_side(tx, person_id, referral_id)
    _neutral(tx, person_id, referral, circle)
    if side.first_yes_at is None:
        _say(tx, actor, referral, circles.say_yes(circle, side, tx.now, _zone(tx, person_id)), circle)


def say_second(tx: Tx, person_id: str, referral_id: str) -> None:
    """Yes, to meeting. TooEarly before the preparation is done, and on the day of the first yes."""
    actor, referral, side, circle = _own_side(tx, person_id, referral_id)
    _neutral(tx, person_id, referral, circle)
    if side.second_yes_at is None:
        _say(tx, actor, referral, circles.say_yes(circle, side, tx.now, _zone(tx, person_id)), circle)


def take_back(tx: Tx, person_id: str, referral_id: str) -> None:
    """The second yes, until they meet. Whoever leads it hears that it is not ready any more."""
    actor, referral, side, circle = _own_side(tx, person_id, referral_id)
    if side.second_yes_at is not None:
        _say(tx, actor, referral, circles.unsay(circle, side, tx.now), circle)


def stop(tx: Tx, person_id: str, referral_id: str) -> None:
    """One tap, at any time, without a reason. Pressed twice, or after the other side: it is over."""
    _, _, side, circle = _own_side(tx, person_id, referral_id)
    if circle.state is CircleState.STOPPED and side.over_at is not None:
        circle_sides.hears_now(tx, side)
    elif not circles.over(circle):
        _stop(tx, circle, side.id)


# -- whoever leads it ---------------------------------------------------------------------------------


def begin(tx: Tx, person_id: str, offer_id: str) -> Circle:
    """A matter that was accepted becomes the first side of a circle. Pressed twice it is one."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.CIRCLE_LEAD)
    _bound(tx, referral)
    found = circle_sides.side_of(tx, referral)
    standing = tx.get(Circle, found.circle_id, lock=True) if found is not None else None
    if standing is not None and not circles.over(standing):
        return standing
    if not circle_sides.is_circle(tx, referral) or referral.stage not in _BEGINS:
        raise WrongStage
    circle_sides.forget(tx, referral.id)  # an earlier one, with somebody who gave the matter back
    circle = Circle(tx.new_id(), offer.organization_id, CircleState.ONE_SIDE, tx.now)
    harmed = referral.enrolment_id is None and Role.MEMBER not in doors.roles_of(tx, referral.author_id)
    side = CircleSide(referral.id, circle.id, harmed)
    tx.add(circle)
    tx.add(side)
    _note(tx, actor, circle, "begun")
    _note_side(tx, actor, Action.CIRCLE_LEAD, side, "begun")
    _waits(tx, circle)
    circle_sides.tell_side(tx, referral, "matter.circle_asks")
    page = ((tell.page_button("button.look", f"circle/{offer.id}"),),)
    slot = f"circle:{offer.id}"
    tell.answer(tx, person_id, "worker.circle_moved", {"code": offer.code}, buttons=page, slot=slot)
    return circle


def prepare(tx: Tx, person_id: str, offer_id: str, done: Collection[str]) -> None:
    """Steps of preparation that are done with this side, in whatever order."""
    actor, referral, side, circle = led(tx, person_id, offer_id)
    if side.first_yes_at is None or circle.state not in (CircleState.ONE_SIDE, CircleState.PREPARING):
        raise WrongStage
    saved = tx.save(circles.prepare(side, done))
    _note_side(tx, actor, Action.CIRCLE_LEAD, saved, "prepared")
    _waits(tx, circle)
    if circles.prepared(saved) and not circles.prepared(side):
        circle_sides.tell_side(tx, referral, "matter.circle_asks")


def hold(tx: Tx, person_id: str, offer_id: str) -> None:
    """They have met. WrongStage unless both sides have said yes twice, and nobody has taken it back."""
    actor, _, _, circle = led(tx, person_id, offer_id)
    if circle.state is not CircleState.HELD:
        _move(tx, actor, circle, CircleStep.HOLD)


def follow(tx: Tx, person_id: str, offer_id: str) -> None:
    """Whoever leads it has spoken with both sides afterwards."""
    actor, _, _, circle = led(tx, person_id, offer_id, bound=False)
    if circle.state is not CircleState.FOLLOWED:
        _move(tx, actor, circle, CircleStep.FOLLOW)


def end(tx: Tx, person_id: str, offer_id: str) -> None:
    """Whoever leads it stops it: each side hears so at an hour of its own, in the same words."""
    _, _, _, circle = led(tx, person_id, offer_id, bound=False)
    if not circles.over(circle):
        _stop(tx, circle, "")


def led(
    tx: Tx, person_id: str, offer_id: str, *, bound: bool = True
) -> tuple[Actor, Referral, CircleSide, Circle]:
    """A side and its circle (locked) as the organisation that prepares it; NotFound for everybody else.

    `bound`: consent and agreement must let it read something at this moment, or NoConsent.
    """
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.CIRCLE_LEAD)
    side, circle = _standing(tx, referral)
    if circle.organization_id != offer.organization_id:
        raise NotFound
    if bound:
        _bound(tx, referral)
    return actor, referral, side, circle


# -- timers -------------------------------------------------------------------------------------------


def waiting(tx: Tx, circle_id: str) -> None:
    """Timer: nothing has moved for two weeks. Whoever leads it is asked, never a side; later the desk too."""
    circle = tx.get(Circle, circle_id, lock=True)
    if circle is None or circles.over(circle):
        return
    matters = _matters(tx, circle)
    if circle.state is CircleState.HELD and all(referral.stage in ENDED for referral in matters):
        _move(tx, SYSTEM, circle, CircleStep.FOLLOW)
        return
    tell_lead(tx, matters[:1], "worker.circle_waits")
    if tx.now - circle.since >= ESCALATES and matters:
        tell.tell_desk(tx, "desk.circle_waits", matters[0])
    _waits(tx, circle)


def over(tx: Tx, subject: str) -> None:
    """Timer: a side's hour has come. It hears that it will not happen, and nothing else."""
    side_id = subject.partition(":")[2]
    side = tx.get(CircleSide, side_id)
    referral = tx.get(Referral, side_id)
    if side is None or side.over_at is None:
        return
    circle_sides.told(tx, side)
    if referral is not None and referral.author_id:
        circle_sides.tell_side(tx, referral, "matter.circle_over")


# -- shared -------------------------------------------------------------------------------------------


def _own_side(tx: Tx, person_id: str, referral_id: str) -> tuple[Actor, Referral, CircleSide, Circle]:
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.CIRCLE_SAY)
    return actor, referral, *_standing(tx, referral)


def _neutral(tx: Tx, person_id: str, referral: Referral, circle: Circle) -> None:
    """Whoever says a member's yes must not gain by it: nobody of a body that holds or supervises people."""
    if not referral.by_word:
        return
    leads = any(s.organization_id == circle.organization_id for s in doors.seats_of(tx, person_id))
    if leads or word_consent.refused(tx, person_id):
        raise word_consent.MayNotWitness


def _standing(tx: Tx, referral: Referral) -> tuple[CircleSide, Circle]:
    found = circle_sides.side_of(tx, referral)
    circle = tx.get(Circle, found.circle_id, lock=True) if found is not None else None
    side = tx.get(CircleSide, referral.id)  # read again under the circle's lock
    if circle is None or side is None:
        raise NotFound
    return side, circle


def _say(tx: Tx, actor: Actor, referral: Referral, side: CircleSide, circle: Circle) -> None:
    """A yes, or one taken back, is written down; the circle follows from both sides' yeses."""
    saved = tx.save(side)
    _note_side(tx, actor, Action.CIRCLE_SAY, saved, "yes" if saved.second_yes_at else "said")
    if circles.over(circle):
        return  # it has stopped, and this side has not heard yet: its yes is taken as ever
    after = circles.stands(circle, circle_sides.of_circle(tx, circle.id), tx.now)
    if after is not circle:
        circle = tx.save(after)
        _note(tx, SYSTEM, circle, circle.state.value)
    _waits(tx, circle)
    tell_lead(tx, [referral], "worker.circle_moved")
    if circle.state is CircleState.PREPARING and saved.second_yes_at is None:
        others = [each for each in _matters(tx, circle) if each.id != referral.id]
        for other in others if saved.first_yes_at == tx.now else ():
            circle_sides.tell_side(tx, other, "matter.circle_moved")


def _stop(tx: Tx, circle: Circle, by: str) -> None:
    matters = _matters(tx, circle)
    circle_sides.stop(tx, circle, by)
    tell_lead(tx, matters, "worker.circle_over")


def _move(tx: Tx, actor: Actor, circle: Circle, step: CircleStep) -> None:
    moved = tx.save(circles.move(circle, step, tx.now))
    _note(tx, actor, moved, step.value)
    if circles.over(moved):
        tx.clear_timer(circle_sides.WAITS, moved.id)
    else:
        _waits(tx, moved)


def _bound(tx: Tx, referral: Referral) -> None:
    if not sharing.readable(tx, referral):
        raise NoConsent


def _matters(tx: Tx, circle: Circle) -> list[Referral]:
    """Both sides' matters, as far as they stand; the one that began it first."""
    found = (tx.get(Referral, side.id) for side in circle_sides.of_circle(tx, circle.id))
    return [referral for referral in found if referral is not None and referral.author_id]


def _waits(tx: Tx, circle: Circle) -> None:
    tx.set_timer(circle_sides.WAITS, circle.id, tx.now + circles.WAITS)


def tell_lead(tx: Tx, matters: Collection[Referral], text: str) -> None:
    """Whoever holds these matters at the partner, by the partner's own codes."""
    for referral in matters:
        offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
        for person_id in tell.partners(tx, referral) if offer is not None else ():
            assert offer is not None  # else nobody is there
            page = ((tell.page_button("button.look", f"circle/{offer.id}"),),)
            slot = f"circle:{offer.id}"
            tell.tell(tx, person_id, text, {"code": offer.code}, buttons=page, slot=slot)


def _zone(tx: Tx, person_id: str) -> str:
    return doors.person_by_id(tx, person_id).timezone


def _note(tx: Tx, actor: Actor, circle: Circle, detail: str) -> None:
    tx.audit(AuditEntry(actor, Action.CIRCLE_LEAD, f"circle:{circle.id}", detail))


def _note_side(tx: Tx, actor: Actor, action: Action, side: CircleSide, detail: str) -> None:
    tx.audit(AuditEntry(actor, action, f"circle_side:{side.id}", detail))
