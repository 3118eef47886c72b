"""Page 'offer', besides yes and no: one question first, or a waiting list, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from referrals.errors import BadAnswer
from referrals.model import Offer, OfferStage, Referral
from referrals.ports import Tx
from referrals.service.matter import asked
from referrals.service.pages.page import Body, text_of
from referrals.service.turns import offers, questions, waiting
from referrals.views import Choice, OfferView, Said, Section, Step


def with_turns(tx: Tx, person_id: str, offer_id: str, shown: OfferView) -> OfferView:
    """The blind offer with what else its partner may answer now."""
    offer, referral = offers.see(tx, person_id, offer_id)
    if not shown.may_decide:
        return shown
    return replace(
        shown,
        decide_by=asked.answer_by(tx, offer),
        may_ask=questions.may_ask(tx, offer, referral),
        sections=tuple(_sections(tx, person_id, offer, referral)),
    )


def ask(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    """One question of the pathway's."""
    questions.ask(tx, person_id, subject, text_of(body, "reason"))


def put_on_list(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    """About from which day there is room."""
    try:
        day = date.fromisoformat(text_of(body, "day"))
    except ValueError:
        raise BadAnswer from None
    waiting.propose(tx, person_id, subject, day)


def still(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    """They are still on the list."""
    waiting.still(tx, person_id, subject)


def _sections(tx: Tx, person_id: str, offer: Offer, referral: Referral) -> Iterator[Section]:
    if offer.stage is OfferStage.QUESTION:
        yield Section("part.ask.title", (Said(f"ask.{offer.question}"), Said("part.ask.waits")))
    elif offer.answer:
        yield Section(
            "part.ask.title", (Said(f"ask.{offer.question}"), Said(f"ask.{offer.question}.{offer.answer}"))
        )
    elif offer.question:
        yield Section("part.ask.title", (Said(f"ask.{offer.question}"), Said("part.ask.no_answer")))
    if questions.may_ask(tx, offer, referral):
        known = tuple(Choice(q.id, label_key=f"ask.{q.id}") for q in questions.questions_of(tx, referral))
        step = Step("ask", "page.step.ask", needs="reason", choices=known)
        yield Section("part.ask.title", (Said("part.ask.hint"),), (step,))
    listed = offer.stage is OfferStage.WAITLISTED
    if not waiting.may_propose(offer, referral) or not (listed or offer.stage is OfferStage.SEEN):
        return
    steps = [Step("waitlist", "page.step.new_day" if listed else "page.step.waitlist", needs="day")]
    line = Said("part.queue.hint")
    if listed:
        day = {"day": waiting.day_for(tx, person_id, offer)}
        line = Said("part.queue.waits" if offer.wait_yes_at else "part.queue.asked", day)
        if offer.wait_yes_at:
            steps.insert(0, Step("still", "button.still_waiting"))
    yield Section("part.queue.title", (line,), tuple(steps))
