"""What stands in a person's chat while a partner's turn lasts, and its end there: questions, and set times.

Buttons name an offer or an appointment by a mark of its own for each side, so that a family's phone and a
partner's share no word; a mark that is no longer the turn's opens nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from referrals.access import Action
from referrals.casework import Appointment, AppointmentState, Attempt
from referrals.errors import TurnOver
from referrals.model import SYSTEM, AuditEntry, Offer, OfferStage, Referral
from referrals.ports import Tx
from referrals.service.common import tell

# An offer's own timers, beside the ladder: a question's, a waiting list's.
QUESTION = "offer_question"
WAIT_ANSWER, WAIT_REVIEW, WAIT_LAPSE = "wait_answer", "wait_review", "wait_lapse"
TIMERS = (QUESTION, WAIT_ANSWER, WAIT_REVIEW, WAIT_LAPSE)

_MARK = 10  # hex digits: enough to tell a matter's few turns apart


def mark(tx: Tx, row_id: str) -> str:
    """How the person's chat names an offer or an appointment of theirs."""
    return tx.fingerprint("turn", row_id)[:_MARK]


def partner_mark(tx: Tx, row_id: str) -> str:
    """How the partner's chat names the same."""
    return tx.fingerprint("turn.partner", row_id)[:_MARK]


def slot(referral: Referral) -> str:
    """The message in which the person is asked something about an offer."""
    return f"asked:{referral.id}"


def date_slot(tx: Tx, appointment: Appointment) -> str:
    """The message in the person's chat about one appointment."""
    return f"meet:{mark(tx, appointment.id)}"


def slots(tx: Tx, referral: Referral) -> tuple[str, ...]:
    """Every message about a matter in its person's chat: they leave a phone with it."""
    whole = () if referral.parent_id else ("filed", "circle", "plan", "plan-went")
    kinds = ("matter", "thread", "move", *whole)
    dates = tx.find(Appointment, referral_id=referral.id)
    own = (f"{kind}:{referral.id}" for kind in kinds)
    return (*own, slot(referral), *(date_slot(tx, each) for each in dates))


def answer_by(tx: Tx, offer: Offer) -> datetime:
    """Until when the partner's word is awaited now: on a list or behind a question, not when it first was."""
    due = [timer.due_at for timer in tx.timers_of(offer.id) if timer.kind in TIMERS]
    return min(due, default=offer.decide_by)


def offer_of(tx: Tx, referral: Referral, turn: str) -> Offer:
    """The offer that a button or page of the person meant, while it is still its turn; TurnOver otherwise."""
    for offer in turns_of(tx, referral):
        if mark(tx, offer.id) == turn:
            return offer
    raise TurnOver


def turns_of(tx: Tx, referral: Referral) -> list[Offer]:
    """The offer whose turn it is or that was accepted, and one to whom the matter is to be handed."""
    found = (tx.get(Offer, each) for each in (referral.offer_id, referral.next_offer_id) if each)
    return [offer for offer in found if offer is not None]


def waits_for_person(offer: Offer) -> bool:
    """Whether this turn waits for a word of the person's."""
    if offer.stage is OfferStage.WAITLISTED:
        return offer.wait_yes_at is None
    return offer.stage is OfferStage.QUESTION


def over(tx: Tx, referral: Referral, offer: Offer) -> None:
    """A turn ends: what the person was asked about it needs no answer any more. `offer` as it stood."""
    if offer.stage in (OfferStage.QUESTION, OfferStage.WAITLISTED) and referral.author_id:
        tell.quietly(tx, referral.author_id, slot(referral), "matter.asked_over", {"code": referral.code})


def dates_over(tx: Tx, referral: Referral, *, aloud: bool = True) -> None:
    """A partner does not go on with a matter: what was still to come is called off.

    `aloud`: the person hears of each, so that nobody sets out for nothing.
    """
    for each in tx.find(Appointment, referral_id=referral.id):
        tx.clear_timers(each.id)
        if each.state is AppointmentState.SET and each.at > tx.now:
            end_date(tx, referral, each, aloud=aloud)


def end_date(tx: Tx, referral: Referral, appointment: Appointment, *, aloud: bool) -> None:
    """One appointment will not be."""
    tx.save(replace(appointment, state=AppointmentState.CALLED_OFF))
    tx.clear_timers(appointment.id)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "appointment off"))
    if not referral.author_id:
        return
    place, words = date_slot(tx, appointment), {"code": referral.code, "at": tell.iso(appointment.at)}
    tell.quietly(tx, referral.author_id, place, "matter.called_off", words)
    if aloud:
        tell.tell(tx, referral.author_id, "matter.called_off", words, slot=place)


def forget(tx: Tx, referral_id: str) -> None:
    """The retention date: tries and set times go with the matter."""
    for each in tx.find(Appointment, referral_id=referral_id):
        tx.clear_timers(each.id)
        tx.remove(each)
    for one in tx.find(Attempt, referral_id=referral_id):
        tx.remove(one)
