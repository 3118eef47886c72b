"""A worker's chat: 'we are in touch', and how it ended, in three taps with a minute to take it back."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.model import Outcome
from referrals.said import Button
from referrals.service.common.tell import column, offer_slot, press
from referrals.service.help import how_ended, working
from referrals.service.turns import offers


def in_touch(turn: Turn) -> Reply:
    """The first contact: help is under way from now on."""
    working.contacted(turn.tx, turn.person.id, turn.word(0))
    code = {"code": offers.code_of(turn.tx, turn.word(0))}
    return Reply("worker.in_touch", code, column([ended_button(turn.word(0))]), offer_slot(turn.word(0)))


def ask(turn: Turn) -> Reply:
    """'How did it end?'"""
    asked = how_ended.ask(turn.tx, turn.person.id, turn.word(0))
    buttons = [press(f"outcome.{end}", "end.how", asked.offer.id, end) for end in asked.choices]
    return Reply("worker.how_ended", {"code": asked.offer.code}, column(buttons), offer_slot(asked.offer.id))


def how(turn: Turn) -> Reply:
    """Where nobody could help the reason is asked; else it is said."""
    offer_id, outcome = turn.word(0), turn.word(1)
    if outcome != Outcome.UNMET:
        return _said(turn, offer_id, outcome, "")
    asked = how_ended.why(turn.tx, turn.person.id, offer_id)
    buttons = [press(f"unmet.{reason}", "end.why", offer_id, reason) for reason in asked.choices]
    back = press("button.back", "end", offer_id)
    return Reply(
        "worker.why_unmet", {"code": asked.offer.code}, column([*buttons, back]), offer_slot(offer_id)
    )


def why(turn: Turn) -> Reply:
    """The reason, and with it all is said."""
    return _said(turn, turn.word(0), Outcome.UNMET, turn.word(1))


def undo(turn: Turn) -> Reply:
    """Taken back within the minute."""
    offer = how_ended.undo(turn.tx, turn.person.id, turn.word(0))
    again = column([ended_button(offer.id)])
    return Reply("worker.ended_undone", {"code": offer.code}, again, offer_slot(offer.id))


def ended_button(offer_id: str) -> Button:
    """The way here from any message about a matter under way."""
    return press("button.how_ended", "end", offer_id)


def _said(turn: Turn, offer_id: str, outcome: str, reason: str) -> Reply:
    offer = how_ended.report(turn.tx, turn.person.id, offer_id, outcome, reason)
    back = column([press("button.ended_undo", "end.undo", offer.id)])
    return Reply("worker.ended_kept", {"code": offer.code}, back, offer_slot(offer.id))
