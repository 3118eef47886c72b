"""A worker's chat: look at a blind offer, take it or pass it on. What it is about shows by quiet edits."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.model import Offer, OfferStage, Referral
from referrals.said import Button, Keyboard
from referrals.service.common.tell import column, iso, offer_slot, page_button, press
from referrals.service.desk import worker_day
from referrals.service.matter import asked, matching
from referrals.service.people import joining
from referrals.service.turns import beginning, offers, questions, waiting


def show(turn: Turn) -> Reply:
    """What is needed, how soon, in which language; never who."""
    offer, referral = offers.see(turn.tx, turn.person.id, turn.word(0))
    if not offers.may_decide(turn.tx, offer, referral):
        return Reply("worker.no_longer_open", {"code": offer.code}, slot=offer_slot(offer.id))
    text = "worker.blind_offer"
    words = _blind(turn, offer, referral)
    if offer.answer and questions.in_chat(turn.tx, referral):
        words |= {"question": f"@ask.{offer.question}", "answer": f"@ask.{offer.question}.{offer.answer}"}
        text = "worker.blind_offer_answered"
    rows = (*_answers(turn, offer, referral), (page_button("button.details", f"offer/{offer.id}"),))
    return Reply(text, words, rows, slot=offer_slot(offer.id), details=True)


def _answers(turn: Turn, offer: Offer, referral: Referral) -> Keyboard:
    """Yes and no; 'there is a queue' and 'one question first' where they make sense."""
    both = (
        press("button.accept", "offer.accept", offer.id),
        press("button.decline", "offer.decline", offer.id),
    )
    others: list[Button] = []
    if questions.may_ask(turn.tx, offer, referral):
        others.append(press("button.ask_first", "offer.ask", offer.id))
    if offer.stage is OfferStage.SEEN and waiting.may_propose(offer, referral):
        others.append(press("button.queue_here", "offer.queue", offer.id))
    return (both, tuple(others)) if others else (both,)


def accept(turn: Turn) -> Reply:
    """Take it; the story waits on the secure page."""
    referral = offers.accept(turn.tx, turn.person.id, turn.word(0))
    timers = {t.kind: t.due_at for t in turn.tx.timers_of(referral.id)}
    by = timers.get("first_contact", turn.tx.now)
    return Reply(
        beginning.words(turn.tx, referral, "worker.accepted"),
        {"code": offers.code_of(turn.tx, turn.word(0)), "by": iso(by)},
        beginning.keyboard(turn.tx, referral, turn.word(0)),
        slot=offer_slot(turn.word(0)),
    )


def decline(turn: Turn) -> Reply:
    """Ask for the reason."""
    offer, referral = offers.see(turn.tx, turn.person.id, turn.word(0))
    reasons = matching.pathway_of(turn.tx, referral).decline_reasons
    buttons = [press(f"decline.{reason}", "offer.reason", offer.id, reason) for reason in reasons]
    return Reply(
        "worker.why_decline",
        {"code": offer.code},
        (*column(buttons), (press("button.back", "offer.show", offer.id),)),
        slot=offer_slot(offer.id),
    )


def reason(turn: Turn) -> Reply:
    """Pass it on, with the reason; the next partner's turn comes."""
    offers.decline(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    code = {"code": offers.code_of(turn.tx, turn.word(0))}
    return Reply("worker.declined", code, slot=offer_slot(turn.word(0)))


def off_duty(turn: Turn) -> Reply:
    """No more new offers until /onduty, and who hears of what one holds meanwhile."""
    joining.set_duty(turn.tx, turn.person.id, False)
    there = worker_day.meanwhile(turn.tx, turn.person.id)
    if not there.matters:
        return Reply("worker.off_duty")
    counts = {"matters": str(there.matters), "colleagues": str(there.colleagues)}
    return Reply("worker.off_duty_held" if there.colleagues else "worker.off_duty_alone", counts)


def on_duty(turn: Turn) -> Reply:
    """Back again."""
    joining.set_duty(turn.tx, turn.person.id, True)
    return Reply("worker.on_duty")


def _blind(turn: Turn, offer: Offer, referral: Referral) -> dict[str, str]:
    return {
        "code": offer.code,
        "need": f"@{turn.tx.catalogue.in_chat(referral.category)}",
        "urgency": f"@urgency.{referral.urgency}",
        "language": f"@language.{referral.language}",
        "by": iso(asked.answer_by(turn.tx, offer)),
    }
