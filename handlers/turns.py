"""Between an offer and the help, in both chats: one question, a waiting list, tries, appointments.

What is asked shows by a quiet edit after a tap; of a private need only the page shows it.
"""

from __future__ import annotations

from datetime import timedelta

from handlers.reply import Reply, Turn
from referrals import turns
from referrals.errors import BadAnswer
from referrals.model import Offer
from referrals.said import Keyboard
from referrals.service.common.tell import column, iso, offer_slot, page_button, press
from referrals.service.help import appointment_answers, appointments, attempts
from referrals.service.matter import asked
from referrals.service.turns import offers, questions, waiting

# 'About from when': a partner says it in the chat with one tap, to the day on the page.
WEEKS = (2, 4, 8, 12)


# -- the person, or their mentor -------------------------------------------------------------------


def show_question(turn: Turn) -> Reply:
    """What the partner would like to know, with its answers."""
    referral, coded = questions.open_question(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    slot = asked.slot(referral)
    page = page_button("button.open", f"matter/{referral.id}")
    if not questions.in_chat(turn.tx, referral):
        return Reply("matter.asks_on_page", {"code": referral.code}, ((page,),), slot)
    buttons = [
        press(f"ask.{coded.id}.{choice}", "asked.answer", referral.id, turn.word(1), choice)
        for choice in coded.choices
    ]
    words = {"code": referral.code, "question": f"@ask.{coded.id}"}
    return Reply("matter.question", words, column([*buttons, page]), slot, details=True)


def answer(turn: Turn) -> Reply:
    """One tap; the verb itself edits the message."""
    questions.answer(turn.tx, turn.person.id, turn.word(0), turn.word(1), turn.word(2))
    return Reply(toast="toast.thank_you")


def wait(turn: Turn) -> Reply:
    """'Will you wait?': the verb itself edits the message."""
    waiting.answer(turn.tx, turn.person.id, turn.word(0), turn.word(1), turn.word(2) == "yes")
    return Reply(toast="toast.thank_you")


def reach(turn: Turn) -> Reply:
    """'They will answer': the verb itself edits the message."""
    attempts.try_again(turn.tx, turn.person.id, turn.word(0))
    return Reply(toast="toast.thank_you")


def say(turn: Turn) -> Reply:
    """I can come, I cannot; I was there, I was not, and what was in the way."""
    appointment_answers.answer(turn.tx, turn.person.id, turn.word(0), turn.word(1), turn.word(2))
    return Reply(toast="toast.thank_you")


# -- a worker ----------------------------------------------------------------------------------------


def ask(turn: Turn) -> Reply:
    """Which question; with it chosen, it is asked and the clock stands still."""
    offer, referral = offers.see(turn.tx, turn.person.id, turn.word(0))
    if turn.word(1):
        questions.ask(turn.tx, turn.person.id, offer.id, turn.word(1))
        by = iso(turn.tx.now + turns.MOST_PAUSE)
        return Reply("worker.asked", {"code": offer.code, "by": by}, _look(offer), offer_slot(offer.id))
    if not questions.may_ask(turn.tx, offer, referral):
        return Reply("worker.no_question", {"code": offer.code}, _back(offer), offer_slot(offer.id))
    known = questions.questions_of(turn.tx, referral)
    buttons = [press(f"ask.{each.id}", "offer.ask", offer.id, each.id) for each in known]
    words = {"code": offer.code}
    return Reply("worker.which_question", words, (*column(buttons), *_back(offer)), offer_slot(offer.id))


def queue(turn: Turn) -> Reply:
    """About from when; with it chosen, the person is asked whether they wait."""
    offer, _ = offers.see(turn.tx, turn.person.id, turn.word(0))
    if turn.word(1):
        if turn.word(1) not in {str(weeks) for weeks in WEEKS}:
            raise BadAnswer
        day = (turn.tx.now + timedelta(weeks=int(turn.word(1)))).date()
        waiting.propose(turn.tx, turn.person.id, offer.id, day)
        return Reply("worker.on_list", {"code": offer.code}, _look(offer), offer_slot(offer.id))
    buttons = [press(f"button.in_weeks_{weeks}", "offer.queue", offer.id, str(weeks)) for weeks in WEEKS]
    page = page_button("button.other_day", f"offer/{offer.id}")
    rows = (*column([*buttons, page]), *_back(offer))
    return Reply("worker.from_when", {"code": offer.code}, rows, offer_slot(offer.id))


def still(turn: Turn) -> Reply:
    """At a review: they are still on the list."""
    offer = waiting.still(turn.tx, turn.person.id, turn.word(0))
    return Reply("worker.still_on_list", {"code": offer.code}, _look(offer), offer_slot(offer.id))


def tried(turn: Turn) -> Reply:
    """How they tried; with it chosen, it is noted."""
    offer_id = turn.word(0)
    code = {"code": attempts.to_try(turn.tx, turn.person.id, offer_id).code}
    slot = offer_slot(offer_id)
    page = page_button("button.read_story", f"matter/{offer_id}")
    if turn.word(1):
        attempts.tried(turn.tx, turn.person.id, offer_id, turn.word(1))
        return Reply("worker.tried", code, ((page,),), slot)
    buttons = [press(f"button.tried_{how}", "try", offer_id, how) for how in turns.HOW_TRIED]
    return Reply("worker.how_tried", code, column([*buttons, page]), slot)


def happened(turn: Turn) -> Reply:
    """Did they come?"""
    offer_id, mark, how = turn.word(0), turn.word(1), turn.word(2)
    if how not in ("kept", "missed"):
        raise BadAnswer
    appointments.happened(turn.tx, turn.person.id, offer_id, mark, how == "kept")
    code = {"code": offers.code_of(turn.tx, offer_id)}
    page = ((page_button("button.open", f"matter/{offer_id}"),),)
    return Reply(f"worker.meet_{how}", code, page, f"{offer_slot(offer_id)}:{mark}")


def _look(offer: Offer) -> Keyboard:
    return ((page_button("button.details", f"offer/{offer.id}"),),)


def _back(offer: Offer) -> Keyboard:
    return ((press("button.back", "offer.show", offer.id),),)
