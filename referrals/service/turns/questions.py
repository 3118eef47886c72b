"""One coded question of a partner before it decides, and its answer; the clock stands still meanwhile.

Blind both ways: question and answer are codes of the pathway. At most once, at most 48 hours, never in an
emergency; without an answer the clock goes on, and both are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from referrals import schedule, turns
from referrals.access import Action
from referrals.catalogue import Coded
from referrals.errors import BadAnswer, NoMoreQuestions, TurnOver
from referrals.lifecycle import OfferStep, move_offer
from referrals.model import SYSTEM, AuditEntry, Offer, OfferStage, Referral, Stage, Urgency
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import asked, matching, offering, sharing
from referrals.service.turns import offers

_RUNGS = (("offer_half", 0.5), ("offer_three_quarters", 0.75))


def questions_of(tx: Tx, referral: Referral) -> tuple[Coded, ...]:
    """What a partner may ask about such a matter."""
    return matching.pathway_of(tx, referral).questions


def may_ask(tx: Tx, offer: Offer, referral: Referral) -> bool:
    """Whether this offer's partner may ask now."""
    return turns.may_ask(offer, referral.urgency, questions_of(tx, referral)) and offers.may_decide(
        tx, offer, referral
    )


def ask(tx: Tx, person_id: str, offer_id: str, question_id: str) -> Offer:
    """A worker asks one question; the clock stops. NoMoreQuestions the second time, and in an emergency."""
    offers.see(tx, person_id, offer_id)
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_ASK)
    if offer.stage is OfferStage.QUESTION and offer.question == question_id:
        return offer
    offers.still_mine(offer, referral)
    sharing.granted(tx, referral, offer, Stage.OFFERED)
    _coded(questions_of(tx, referral), question_id)
    if not turns.may_ask(offer, referral.urgency, questions_of(tx, referral)):
        raise NoMoreQuestions
    waiting = replace(
        move_offer(offer, OfferStep.ASK),
        question=question_id,
        question_used=True,
        asked_at=tx.now,
        told=first(offer.told, person_id),
    )
    saved = tx.save(waiting)
    tx.audit(AuditEntry(actor, Action.OFFER_ASK, f"offer:{offer.id}", question_id))
    offering.clear_ladder(tx, offer.id)
    tx.set_timer(asked.QUESTION, offer.id, tx.now + turns.MOST_PAUSE)
    offers.tell_colleagues(tx, offer, referral, person_id, "worker.colleague_asked")
    _ask_person(tx, referral, saved)
    return saved


def first(told: Iterable[str], person_id: str) -> tuple[str, ...]:
    """Who is told of an offer, with whoever deals with it in front."""
    return (person_id, *(each for each in told if each != person_id))


def open_question(tx: Tx, person_id: str, referral_id: str, turn: str) -> tuple[Referral, Coded]:
    """What the person is asked; TurnOver where it needs no answer any more."""
    _, referral = doors.author_of(tx, person_id, referral_id, Action.OFFER_ANSWER)
    offer = asked.offer_of(tx, referral, turn)
    if offer.stage is not OfferStage.QUESTION:
        raise TurnOver
    return referral, _coded(questions_of(tx, referral), offer.question)


def in_chat(tx: Tx, referral: Referral) -> bool:
    """Whether the question may be shown in a chat: of a private need nothing is."""
    pathway = matching.pathway_of(tx, referral)
    return pathway.in_chat and referral.category not in tx.catalogue.private


def answer(tx: Tx, person_id: str, referral_id: str, turn: str, choice: str) -> Referral:
    """The person (or mentor) answers: the partner's clock goes on from there."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.OFFER_ANSWER)
    offer = asked.offer_of(tx, referral, turn)
    if offer.stage is OfferStage.SEEN and offer.answer == choice != "":
        return referral
    if offer.stage is not OfferStage.QUESTION:
        raise TurnOver
    if choice not in _coded(questions_of(tx, referral), offer.question).choices:
        raise BadAnswer
    after = _go_on(tx, referral, replace(offer, answer=choice))
    tx.audit(AuditEntry(actor, Action.OFFER_ANSWER, f"referral:{referral.id}", offer.question))
    wake(tx, referral, after, "worker.answered")
    words = {"code": referral.code, "by": tell.iso(after.decide_by)}
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    tell.answer(tx, person_id, "matter.answered", words, buttons=opens, slot=asked.slot(referral))
    return referral


def unanswered(tx: Tx, offer_id: str) -> None:
    """Timer: two days without an answer. The partner decides without it; both are told."""
    offer, referral = offers.for_timer(tx, offer_id)
    if offer is None or referral is None or offer.stage is not OfferStage.QUESTION:
        return
    after = _go_on(tx, referral, offer)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"offer:{offer.id}", "no answer"))
    wake(tx, referral, after, "worker.no_answer")
    words = {"code": referral.code, "by": tell.iso(after.decide_by)}
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    tell.tell(tx, referral.author_id, "matter.no_answer", words, buttons=opens, slot=asked.slot(referral))


def wake(tx: Tx, referral: Referral, offer: Offer, text: str) -> None:
    """Tell whoever deals with an offer at the partner; where they are away, every colleague on duty."""
    for person_id in offers.dealing(tx, offer, referral):
        offering.alert_worker(tx, referral, offer, person_id, text)


def _go_on(tx: Tx, referral: Referral, offer: Offer) -> Offer:
    """The clock goes on: what had not come before the question moves by what it stopped."""
    assert offer.asked_at is not None  # a question is always asked at some moment
    urgency = complaints.clock(tx, referral)
    times = offering.opening_times(tx, offer.organization_id, offer.service_id)
    if urgency is Urgency.EMERGENCY:
        times = replace(times, hours=())  # its clock runs round the clock, and stands still so
    clock = turns.go_on(times, offer.decide_by, offer.asked_at, tx.now)
    tx.clear_timer(asked.QUESTION, offer.id)
    for kind, share in _RUNGS:
        rung = schedule.part_way(times, offer.sent_at, offer.decide_by, share, urgency)
        moved = turns.rung_after(times, rung, offer.asked_at, clock)
        if moved is not None:
            tx.set_timer(kind, offer.id, moved)
    tx.set_timer("offer_end", offer.id, clock.decide_by)
    return tx.save(replace(move_offer(offer, OfferStep.ANSWERED), decide_by=clock.decide_by))


def looks(tx: Tx, referral: Referral, offer: Offer) -> Keyboard:
    """The ways to a question: in the chat where it may stand there, and on the page."""
    page = tell.page_button("button.open", f"matter/{referral.id}")
    show = tell.press("button.show", "asked.show", referral.id, asked.mark(tx, offer.id))
    return tell.column([show, page] if in_chat(tx, referral) else [page])


def _ask_person(tx: Tx, referral: Referral, offer: Offer) -> None:
    """That they ask something; what it is shows after a tap, or on the page."""
    buttons = looks(tx, referral, offer)
    by = {"code": referral.code, "by": tell.iso(tx.now + turns.MOST_PAUSE)}
    tell.tell(tx, referral.author_id, "matter.asks", by, buttons=buttons, slot=asked.slot(referral))


def _coded(known: Iterable[Coded], question_id: str) -> Coded:
    for each in known:
        if each.id == question_id:
            return each
    raise BadAnswer
