"""A worker's one tap: is there room? Of what, the chat does not say."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service.matter import capacity


def say(turn: Turn) -> Reply:
    """After an answer to an offer."""
    organization_id = capacity.say_after(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    return Reply("worker.room_thanks", slot=capacity.slot(organization_id))


def say_all(turn: Turn) -> Reply:
    """Once a week, for all that the organisation offers."""
    capacity.say_all(turn.tx, turn.person.id, turn.word(1), turn.word(0))
    return Reply("worker.room_thanks", slot=capacity.slot(turn.word(1)))
