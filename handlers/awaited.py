"""By a word what a message had asked before it left the chat: ANSWER for everybody, CASES for a worker."""

from __future__ import annotations

from dataclasses import replace

from handlers.reply import Reply, Turn
from referrals.casework import Appointment, AppointmentState
from referrals.errors import NotFound
from referrals.lifecycle import TRYING
from referrals.model import OfferStage, Stage
from referrals.said import Button, Keyboard
from referrals.service import awaited
from referrals.service.common.tell import column, offer_slot, page_button, press
from referrals.service.desk import worker_day
from referrals.service.desk.worker_day import Case
from referrals.service.help import appointments
from referrals.service.turns import beginning

MOST = 6  # matters in one short message
SLOT = "cases"


def answer(turn: Turn) -> Reply:
    """What waits for this person's word: one question at a time, the others behind 'more'."""
    asks = awaited.of_person(turn.tx, turn.person.id)
    first = int(turn.word(0)) if turn.word(0).isdecimal() and len(turn.word(0)) < 3 else 0
    if first >= len(asks):
        return Reply("home.none_asked", slot="words")
    ask = asks[first]
    more = ((press("button.more", "answer", str(first + 1)),),) if first + 1 < len(asks) else ()
    return Reply(ask.text, ask.words, (*ask.buttons, *more), ask.slot)


def cases(turn: Turn) -> Reply:
    """What lies at a worker's organisation, their own first: a button for each, by its code."""
    found = worker_day.cases(turn.tx, turn.person.id)
    own = worker_day.mine(found, turn.person.id)
    ordered = [*own, *(case for case in found if case not in own)]
    rows = [
        replace(press("button.case", "case", case.offer.id), params={"code": case.offer.code})
        for case in ordered[:MOST]
    ]
    page = page_button("button.cases", "work")
    if not ordered:
        return Reply("worker.no_cases", {}, ((page,),), SLOT)
    return Reply("worker.cases", {"count": str(len(ordered))}, column([*rows, page]), SLOT)


def case(turn: Turn) -> Reply:
    """What a worker can say about one of them now."""
    found = worker_day.cases(turn.tx, turn.person.id)
    one = next((case for case in found if case.offer.id == turn.word(0)), None)
    if one is None:
        raise NotFound
    return Reply("worker.case", {"code": one.offer.code}, _said(turn, one), offer_slot(one.offer.id))


def _said(turn: Turn, one: Case) -> Keyboard:
    """By how far it is: an offer is looked at, a list reviewed, what is held goes on or ends."""
    offer_id = one.offer.id
    page = page_button("button.open", f"matter/{offer_id}" if one.piece.stage else f"offer/{offer_id}")
    if one.piece.stage is None:
        rows = [press("button.show", "offer.show", offer_id)]
        if one.offer.stage is OfferStage.WAITLISTED and one.offer.wait_yes_at is not None:
            rows.append(press("button.still_waiting", "offer.still", offer_id))
        return column([*rows, page])
    buttons: list[Button] = [button for row in _dates(turn, one) for button in row]
    if one.piece.stage in TRYING:
        begun = beginning.words(turn.tx, one.referral, "button.in_touch")
        buttons.append(press(begun, "end.touch", offer_id))
        if beginning.reaches(turn.tx, one.referral):
            buttons.append(press("button.not_reached", "try", offer_id))
    if one.piece.stage is Stage.IN_SERVICE:
        buttons.append(press("button.how_ended", "end", offer_id))
    return column([*buttons, page])


def _dates(turn: Turn, one: Case) -> Keyboard:
    """'Did they come?', of the last set time that is over and nobody has spoken of."""
    past = [
        date
        for date in turn.tx.find(Appointment, offer_id=one.offer.id, state=AppointmentState.SET)
        if date.at <= turn.tx.now
    ]
    return appointments.came_or_not(turn.tx, max(past, key=lambda date: date.at)) if past else ()
