"""A partner's waiting list: only with the person's yes, looked at every 14 days, and never into silence.

'There is a queue, about from that day' is an offer's answer; until the person has said yes to waiting the
matter is still only offered. A no, no answer, or a partner that answers no review: the next one's turn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from referrals import consent, turns
from referrals.access import Action
from referrals.errors import BadAnswer, CannotWait, TurnOver
from referrals.lifecycle import OfferStep, Step, move, move_offer
from referrals.model import SYSTEM, AuditEntry, Offer, OfferStage, Referral, Role, Stage, Urgency
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, names, tell
from referrals.service.matter import asked, capacity, offering, sharing
from referrals.service.turns import offers, questions

NOT_WAITING = "not_waiting"  # why an offer was taken back: the person does not wait, and nobody failed them


def propose(tx: Tx, person_id: str, offer_id: str, starts_on: date) -> Offer:
    """A worker says from about which day there is room. Said again with another day, it is a new day."""
    offers.see(tx, person_id, offer_id)
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_WAITLIST)
    offers.still_mine(offer, referral)
    sharing.granted(tx, referral, offer, Stage.OFFERED)
    if not may_propose(offer, referral):
        raise CannotWait
    today = consent.day_of(tx.directory.organizations[offer.organization_id], tx.now)
    if not today <= starts_on <= today + turns.FARTHEST:
        raise BadAnswer
    if offer.stage is OfferStage.WAITLISTED and offer.starts_on == starts_on:
        return offer
    again = offer.stage is OfferStage.WAITLISTED
    moved = offer if again else move_offer(offer, OfferStep.WAITLIST)
    listed = tx.save(replace(moved, starts_on=starts_on, told=questions.first(offer.told, person_id)))
    tx.audit(AuditEntry(actor, Action.OFFER_WAITLIST, f"offer:{offer.id}", starts_on.isoformat()))
    offers.tell_colleagues(tx, offer, referral, person_id, "worker.colleague_declined")
    if listed.wait_yes_at is None:
        offering.clear_ladder(tx, offer.id)
        tx.set_timer(asked.WAIT_ANSWER, offer.id, tx.now + turns.WAIT_ANSWER)
    else:
        _look_again(tx, listed)
    _ask_person(tx, referral, listed, "matter.new_day" if again else "matter.will_you_wait")
    if not again:
        capacity.ask_after(tx, person_id, listed, referral)
    return listed


def may_propose(offer: Offer, referral: Referral) -> bool:
    """Not in an emergency; and whoever is to take a matter over says yes or no: the first one helps on."""
    return referral.urgency is not Urgency.EMERGENCY and referral.next_offer_id != offer.id


def answer(tx: Tx, person_id: str, referral_id: str, turn: str, yes: bool) -> Referral:
    """The person's yes or no to waiting, the first time and at every review; a no is never a fault."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.WAIT_AGREE)
    offer = asked.offer_of(tx, referral, turn)
    if offer.stage is not OfferStage.WAITLISTED:
        raise TurnOver
    tx.audit(AuditEntry(actor, Action.WAIT_AGREE, f"referral:{referral.id}", "yes" if yes else "no"))
    words = {"code": referral.code}
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    if not yes:
        had_place = offer.wait_yes_at is not None
        _off_the_list(tx, referral, offer, aloud=had_place)
        tell.answer(tx, person_id, "matter.not_waiting", words, buttons=opens, slot=asked.slot(referral))
        return doors.referral_by_id(tx, referral_id)
    if offer.wait_yes_at is None:
        listed = tx.save(replace(offer, wait_yes_at=tx.now))
        referral = tx.save(move(referral, Step.WAITLIST, tx.now))
        tx.clear_timer(asked.WAIT_ANSWER, offer.id)
        sharing.settle(tx, referral)
        _look_again(tx, listed)
        questions.wake(tx, referral, listed, "worker.they_wait")
    tell.answer(tx, person_id, "matter.waiting", words, buttons=opens, slot=asked.slot(referral))
    return referral


def still(tx: Tx, person_id: str, offer_id: str) -> Offer:
    """A worker's one tap at a review: they are still on our list."""
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_WAITLIST)
    offers.still_mine(offer, referral)
    if offer.stage is not OfferStage.WAITLISTED or offer.wait_yes_at is None:
        raise TurnOver
    tx.clear_timer(asked.WAIT_LAPSE, offer.id)
    _look_again(tx, offer)
    tx.audit(AuditEntry(actor, Action.OFFER_WAITLIST, f"offer:{offer.id}", "still"))
    return offer


def no_answer(tx: Tx, offer_id: str) -> None:
    """Timer: three days without a word on whether the person waits. Nobody is put on a list unasked."""
    offer, referral = offers.for_timer(tx, offer_id)
    if offer is None or referral is None or not asked.waits_for_person(offer):
        return
    _off_the_list(tx, referral, offer, aloud=False)
    _say_to_person(tx, referral, "matter.wait_no_answer")


def review(tx: Tx, offer_id: str) -> None:
    """Timer: 14 days on the list, or the named day has come. Both sides are asked."""
    offer, referral = offers.for_timer(tx, offer_id)
    if offer is None or referral is None or referral.stage is not Stage.WAITLISTED:
        return
    tx.set_timer(asked.WAIT_LAPSE, offer.id, tx.now + turns.REVIEW_ANSWER)
    buttons = tell.column(
        [
            tell.press("button.room_now", "offer.show", offer.id),
            tell.press("button.still_waiting", "offer.still", offer.id),
        ]
    )
    by = {"code": offer.code, "by": tell.iso(tx.now + turns.REVIEW_ANSWER)}
    for person_id in offers.dealing(tx, offer, referral):
        tell.tell(tx, person_id, "worker.wait_review", by, buttons=buttons, slot=tell.offer_slot(offer.id))
    _ask_person(tx, referral, offer, "matter.wait_review")


def lapse(tx: Tx, offer_id: str) -> None:
    """Timer: the partner did not answer a review. A list on which nobody looks is no list: the next turn."""
    offer, referral = offers.for_timer(tx, offer_id)
    if offer is None or referral is None or offer.stage is not OfferStage.WAITLISTED:
        return
    offers.tell_colleagues(tx, offer, referral, "", "worker.lapsed")
    offering.end_turn(tx, referral, offer, OfferStep.LAPSE, None)
    _say_to_person(tx, referral, "matter.wait_lapsed")


def listed(tx: Tx, person_id: str) -> list[Offer]:
    """Whom a worker's organisation has on its waiting list, the earliest day first."""
    own = {seat.organization_id for seat in doors.seats_of(tx, person_id) if seat.role is Role.WORKER}
    on_list = OfferStage.WAITLISTED
    found = [o for each in own if each for o in tx.find(Offer, organization_id=each, stage=on_list)]
    about = {r.id: r for r in tx.find(Referral, id=sorted({o.referral_id for o in found}))}
    known = [o for o in found if complaints.may_know(tx, person_id, about[o.referral_id])]
    return sorted(known, key=lambda o: (o.starts_on or date.max, o.sent_at, o.id))


def day_for(tx: Tx, person_id: str, offer: Offer) -> str:
    """The day that the partner named, in somebody's own words."""
    if offer.starts_on is None:
        return ""
    return names.day_in_words(tx.catalogue, offer.starts_on, doors.person_by_id(tx, person_id).language)


def _look_again(tx: Tx, offer: Offer) -> None:
    organization = tx.directory.organizations[offer.organization_id]
    due = turns.review_at(tx.now, offer.starts_on, organization.timezone)
    tx.set_timer(asked.WAIT_REVIEW, offer.id, due)


def _off_the_list(tx: Tx, referral: Referral, offer: Offer, *, aloud: bool) -> None:
    """The person does not wait; whoever kept a place for them hears so."""
    offers.tell_colleagues(tx, offer, referral, "", "worker.not_waiting")
    if aloud:
        for person_id in offers.dealing(tx, offer, referral):
            tell.tell(
                tx, person_id, "worker.not_waiting", {"code": offer.code}, slot=tell.offer_slot(offer.id)
            )
    offering.end_turn(tx, referral, offer, OfferStep.RECALL, NOT_WAITING)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"offer:{offer.id}", NOT_WAITING))


def _say_to_person(tx: Tx, referral: Referral, text: str) -> None:
    """Beside 'the next one is asked', which follows within minutes: this is why."""
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    words = {"code": referral.code}
    tell.tell(tx, referral.author_id, text, words, buttons=opens, slot=asked.slot(referral))


def yes_or_no(tx: Tx, referral: Referral, offer: Offer) -> Keyboard:
    """What the person is asked about a list is answered with."""
    turn = asked.mark(tx, offer.id)
    return tell.column(
        [
            tell.press("button.wait_yes", "wait", referral.id, turn, "yes"),
            tell.press("button.wait_no", "wait", referral.id, turn, "no"),
            tell.page_button("button.open", f"matter/{referral.id}"),
        ]
    )


def _ask_person(tx: Tx, referral: Referral, offer: Offer, text: str) -> None:
    buttons = yes_or_no(tx, referral, offer)
    words = {
        "code": referral.code,
        "day": day_for(tx, referral.author_id, offer),
        "by": tell.iso(tx.now + turns.WAIT_ANSWER),
    }
    tell.tell(tx, referral.author_id, text, words, buttons=buttons, slot=asked.slot(referral))
